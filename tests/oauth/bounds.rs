//! What a provider may say at most: each at its bound, and one beyond it.

use serde_json::{Value, json};
use session::bounds;
use session::interaction::Need;
use session::oauth::authorize::CallbackProblem;
use session::oauth::device::Device;
use session::oauth::dpop::Nonces;
use session::oauth::error::Refusal;
use session::oauth::id_token;
use session::oauth::metadata::{Metadata, MetadataProblem};
use session::oauth::token::{Reading, Refreshed, read_refresh, read_tokens};
use session::verdict::Verdict;

use crate::{ISSUER, answer, clock, provider, started};

#[test]
fn what_a_person_is_shown_is_short() {
    let name = |length: usize| {
        id_token::name(&json!({ "name": "é".repeat(length) })).map(|name| name.chars().count())
    };
    assert_eq!((name(bounds::NAME), name(bounds::NAME + 1)), (Some(bounds::NAME), None));

    let code = |length: usize| refusal(&json!({ "error": "x".repeat(length) })).0;
    assert_eq!(code(bounds::CODE).len(), bounds::CODE);
    assert_eq!(code(bounds::CODE + 1), "unrecognised");

    let words = |length: usize| {
        let said: String = "no such user ".chars().cycle().take(length - 1).chain(['.']).collect();
        refusal(&json!({ "error": "invalid_grant", "error_description": said })).1
    };
    assert_eq!(words(bounds::WORDS).map(|words| words.len()), Some(bounds::WORDS));
    assert_eq!(words(bounds::WORDS + 1).map(|words| words.chars().count()), Some(bounds::WORDS - 2));
}

/// Whatever it is quoted in: a word that is not ASCII as a whole may have a token in it.
#[test]
fn nothing_as_long_as_a_token_is_repeated() {
    let words = |said: String| refusal(&json!({ "error": "invalid_grant", "error_description": said })).1;
    for (before, after) in
        [("", ""), ("the token ", " is spent"), ("“", "”"), ("令牌", "无效"), ("„", "“ ist verbraucht")]
    {
        let quoted = |length: usize| words(format!("{before}{}{after}", "x".repeat(length)));
        assert!(quoted(bounds::WORD).is_some(), "{before}…{after}");
        assert_eq!(quoted(bounds::WORD + 1), None, "{before}…{after}");
    }
    assert!(
        words("用户名或密码错误，请重新输入您的用户名和密码，或者联系管理员以获得更多的帮助信息".to_owned())
            .is_some()
    );
}

/// The number of a request is as long as a token, and may be one for all we know.
#[test]
fn of_what_is_too_long_the_first_sentences_are_repeated() {
    let words = |said: &str| refusal(&json!({ "error": "invalid_grant", "error_description": said })).1;
    let guid = "2ffd0b4c-7b4e-4b4e-9d5f-0123456789ab";
    for (said, shown) in [
        (
            format!("AADSTS700082: The refresh token has expired due to inactivity.\r\nTrace ID: {guid}"),
            "AADSTS700082: The refresh token has expired due to inactivity.…",
        ),
        (
            format!("AADSTS50173: It was revoked. It was issued on 2026-01-01. Trace ID: {guid} Time: 9"),
            "AADSTS50173: It was revoked. It was issued on 2026-01-01.…",
        ),
        (format!("refresh token not found: {guid}"), "refresh token not found:…"),
        (
            format!("刷新令牌已经过期，请您重新登录您的账号。编号：{guid}"),
            "刷新令牌已经过期，请您重新登录您的账号。…",
        ),
    ] {
        assert_eq!(words(&said).as_deref(), Some(shown), "{said}");
    }
    assert_eq!(words(&format!("no: {guid}")), None, "that says nothing");
    // No part of what could be a secret, however short that is.
    let long = format!("{}aaaa.bbbb", "no such user ".repeat(bounds::WORDS / 13));
    let shown = words(&long).unwrap();
    assert!(long.chars().count() > bounds::WORDS && shown.ends_with("user…"), "{shown}");
}

/// Also by the one mark of direction that is not beside the others in Unicode.
#[test]
fn what_turns_a_text_around_is_not_shown() {
    for turning in ['\u{61c}', '\u{200e}', '\u{202e}', '\u{2066}'] {
        let said = format!("a{turning}b");
        assert_eq!(id_token::name(&json!({ "name": said })), None, "{turning:?}");
        assert_eq!(refusal(&json!({ "error": "x", "error_description": said })).1, None, "{turning:?}");
    }
}

#[test]
fn a_code_to_type_and_its_page_are_short() {
    let device = |code: usize, page: usize| {
        let start = "https://id.example/";
        let page = start.to_owned() + &"p".repeat(page - start.len());
        let body = json!({ "device_code": "d", "user_code": "U".repeat(code), "verification_uri": page });
        Device::read(&answer(200, &body.to_string())).is_ok()
    };
    assert!(device(bounds::USER_CODE, bounds::ADDRESS));
    assert!(!device(bounds::USER_CODE + 1, bounds::ADDRESS));
    assert!(!device(bounds::USER_CODE, bounds::ADDRESS + 1));
}

#[test]
fn a_description_has_short_addresses_and_its_lists_have_an_end() {
    let address = |length: usize| ISSUER.to_owned() + &"/".repeat(length - ISSUER.len());
    let read = |name: &str, value: Value| {
        let mut json = json!({ "issuer": ISSUER, "token_endpoint": "https://id.example/t" });
        json[name] = value;
        Metadata::read(json.to_string().as_bytes(), ISSUER, false)
    };
    assert!(read("token_endpoint", address(bounds::ADDRESS).into()).is_ok());
    let too_long = read("token_endpoint", address(bounds::ADDRESS + 1).into());
    assert!(matches!(too_long, Err(MetadataProblem::Unsafe { field: "token_endpoint", .. })), "{too_long:?}");
    assert_eq!(read("jwks_uri", address(bounds::ADDRESS).into()).unwrap().ignored, [""; 0]);
    assert_eq!(read("jwks_uri", address(bounds::ADDRESS + 1).into()).unwrap().ignored, ["jwks_uri"]);
    let scopes = |scopes: Value| read("scopes_supported", scopes).unwrap().scopes_supported;
    for count in [bounds::LISTED, bounds::LISTED + 1] {
        assert_eq!(scopes(vec!["a"; count].into()).len(), bounds::LISTED);
        assert_eq!(scopes("a ".repeat(count).into()).len(), bounds::LISTED);
    }
    assert_eq!(
        scopes(json!(["a b", "\u{202e}", "", 7, "openid"])),
        ["openid"],
        "these are words of a protocol"
    );
}

/// What a provider demands goes into the address of a sign-in.
#[test]
fn a_demand_is_short() {
    let claims = |length: usize| {
        let body = json!({ "error": "interaction_required", "claims": "c".repeat(length) }).to_string();
        let read = read_refresh(&answer(400, &body), clock(), &Reading::default());
        let Refreshed::Not(Verdict::Interaction(demand)) = read else { panic!("{read:?}") };
        assert_eq!(demand.need, Need::Other);
        demand.claims.map(|claims| claims.len())
    };
    assert_eq!((claims(bounds::DEMAND), claims(bounds::DEMAND + 1)), (Some(bounds::DEMAND), None));
}

#[test]
fn what_a_browser_brings_back_is_not_read_without_end() {
    let started = started(&provider());
    let read = |length: usize| started.read_callback(&"x".repeat(length));
    assert_eq!(read(bounds::QUERY), Err(CallbackProblem::State));
    assert_eq!(read(bounds::QUERY + 1), Err(CallbackProblem::TooLong));
}

#[test]
fn a_nonce_is_short_and_not_too_many_are_remembered() {
    let mut nonces = Nonces::default();
    nonces.heard(ISSUER, &"n".repeat(bounds::NONCE));
    assert_eq!(nonces.get(ISSUER).map(str::len), Some(bounds::NONCE));
    nonces.heard(ISSUER, &"m".repeat(bounds::NONCE + 1));
    assert!(nonces.get(ISSUER).is_some_and(|nonce| nonce.starts_with('n')));
    for n in 1..bounds::ORIGINS {
        nonces.heard(&format!("https://{n}.example"), "n");
    }
    assert!(nonces.get(ISSUER).is_some(), "there is room for it");
    nonces.heard("https://one.more.example", "n");
    assert!(nonces.get(ISSUER).is_none() && nonces.get("https://one.more.example").is_some());
}

fn refusal(body: &Value) -> (String, Option<String>) {
    let refusal = read_tokens(&answer(400, &body.to_string()), clock(), &Reading::default()).unwrap_err();
    let Refusal::Provider { error, .. } = refusal else { panic!("{refusal:?}") };
    (error.code, error.description)
}
