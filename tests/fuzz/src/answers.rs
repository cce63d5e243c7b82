//! Every other answer of a provider, and what is said about one that is no use: as in `token_answer`.

use session::limits;
use session::oauth::authorize::read_push;
use session::oauth::device::Device;
use session::oauth::endings::{read_introspection, read_revocation, read_userinfo};
use session::oauth::error::Refusal;
use session::oauth::id_token;
use session::oauth::probe::{Opinion, introspected, opened, shown};
use session::recipe::{Recipe, SignInRefusal};
use session::{bounds, wire};
use url::Url;

use crate::input::{Written, assert_showable, assert_silent, clock};

pub fn hold(input: &[u8]) {
    let written = Written::read(input);
    let answer = written.answer();
    match Device::read(&answer) {
        Ok(device) => described(&device),
        Err(refusal) => refused(&refusal),
    }
    match read_push(&answer) {
        Ok(pushed) => assert_silent(&pushed),
        Err(refusal) => refused(&refusal),
    }
    if let Some(claims) = read_userinfo(&answer, Some("7")) {
        assert_eq!(claims.get("sub").and_then(|subject| subject.as_str()), Some("7"));
        if let Some(name) = id_token::name(&claims) {
            assert!(name.chars().count() <= bounds::NAME);
            assert_showable(&name);
        }
    }
    assert_silent(&read_introspection(&answer));
    assert_silent(&read_revocation(&answer));
    for opinion in [Opinion::Fine, Opinion::Rejected] {
        let beats = [introspected(&answer), shown(&answer, &opinion, None), opened(&answer, &opinion)];
        assert_silent(&beats);
    }
    assert_silent(&wire::meaning::silence(written.status));
    for recipe in Recipe::PRESETS.into_iter().filter_map(Recipe::preset) {
        match recipe.read_sign_in(&answer, clock()) {
            Ok(tokens) => assert_silent(&tokens),
            Err(refusal) => {
                assert_silent(&refusal);
                let (SignInRefusal::Refused { message, .. } | SignInRefusal::Trouble { message, .. }) =
                    refusal;
                message.iter().for_each(|message| sentence(message));
            }
        }
        assert_silent(&(recipe.heartbeat_good(&answer), recipe.rejects(&answer)));
    }
}

fn described(device: &Device) {
    assert_silent(device);
    assert_showable(&device.user_code);
    assert!(device.user_code.len() <= bounds::USER_CODE);
    assert!((limits::DEVICE_INTERVAL_SHORTEST..=limits::DEVICE_INTERVAL_LONGEST).contains(&device.interval));
    assert!(device.expires_in <= limits::ON_DEVICE);
    for uri in
        [Some(&device.verification_uri), device.verification_uri_complete.as_ref()].into_iter().flatten()
    {
        let is_page = Url::parse(uri).is_ok_and(|url| matches!(url.scheme(), "http" | "https"));
        assert!(is_page && uri.len() <= bounds::ADDRESS, "{uri} would be opened");
    }
}

fn refused(refusal: &Refusal) {
    assert_silent(refusal);
    if let Refusal::Provider { error, .. } = refusal {
        assert!(error.code.len() <= bounds::CODE);
        assert_showable(&error.code);
        error.description.iter().for_each(|words| sentence(words));
    }
}

/// Words of a provider are shown, and nothing in them is as long as a token.
fn sentence(words: &str) {
    assert_showable(words);
    assert!(words.chars().count() <= bounds::WORDS);
    let run = words.split(|c: char| !c.is_ascii_graphic()).map(str::len).max();
    assert!(run.is_none_or(|run| run <= bounds::WORD), "{words}");
}
