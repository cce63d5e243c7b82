//! Answers of a token endpoint: `200 application/json`, a line, and the body.

use std::time::Duration;

use serde_json::Value;
use session::Session;
use session::event::{Effect, Event, Found};
use session::limits;
use session::oauth::client::ClientRegistration;
use session::oauth::device::{Device, Polling, Step};
use session::oauth::token::{Reading, Refreshed, read_refresh, read_tokens};
use session::policy::Policy;
use session::time::Timestamp;
use session::tokens::{Account, RefreshToken, Tokens};
use session::verdict::Verdict;
use session::wire::answer::Answer;
use session::wire::lifetime::{Lifetime, Unit};
use session::wire::pointer::Pointer;
use session::wire::take::Take;

use crate::input::{Written, assert_silent, clock};

pub fn hold(input: &[u8]) {
    let written = Written::read(input);
    let answer = written.answer();
    let told = Pointer::new("/expires").map(|at| Lifetime { at, unit: Unit::Seconds });
    for lifetime in [None, told.ok()] {
        let take = Take { lifetime, ..Take::default() };
        let reading = Reading { take, ..Reading::default() };
        let read = read_refresh(&answer, clock(), &reading);
        if let Some(newest) = newest(&written) {
            let Refreshed::Fresh(fresh) = &read else { panic!("{newest} is lost: {read:?}") };
            let kept = fresh.tokens.refresh.as_ref().map(RefreshToken::expose);
            assert_eq!(kept, Some(newest.as_str()), "the refresh token is another one");
        }
        judged(&written, read);
    }
    let again = read_refresh(&answer, clock(), &Reading::default());
    assert_eq!(again, read_refresh(&answer, clock(), &Reading::default()), "the same answer means the same");
    match read_tokens(&answer, clock(), &Reading::default()) {
        Ok(read) => {
            assert_silent(&read.tokens);
            assert!(read.lacks_id_token(&openid()) || read.id_token.is_some() || read.scope.is_some());
        }
        Err(refusal) => assert_silent(&refusal),
    }
    polled(&answer);
}

/// The refresh token that must not be lost, as far as it can be said without reading as the product does.
fn newest(written: &Written<'_>) -> Option<String> {
    if !written.is_success() {
        return None;
    }
    if let Some(json) = written.json() {
        let token = json.get("refresh_token")?.as_str()?;
        return Some(token.to_owned()).filter(|token| !token.trim().is_empty());
    }
    let text = std::str::from_utf8(written.body).ok().filter(|text| text.is_ascii())?;
    if text.trim().is_empty() || text.contains('\0') || written.may_be_a_page() && !written.is_authentic {
        return None;
    }
    let rest = &text[text.rfind(NAME)? + NAME.len()..];
    let token = rest.strip_prefix(":\"")?.split_once('"')?.0;
    let is_plain = !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    is_plain.then(|| token.to_owned())
}

fn judged(written: &Written<'_>, read: Refreshed) {
    let status = written.status;
    match &read {
        Refreshed::Fresh(fresh) => {
            assert!(written.is_success(), "{status} brought tokens");
            assert!(fresh.tokens.access.is_some() || fresh.tokens.refresh.is_some());
            let bytes = fresh.tokens.access.as_ref().map(|access| access.expose().as_bytes());
            assert!(
                bytes.is_none_or(|bytes| bytes.iter().all(u8::is_ascii_graphic)),
                "it goes into a header"
            );
            assert_silent(&fresh.tokens);
            believed(&fresh.tokens);
        }
        Refreshed::Not(Verdict::Dead) => {
            assert!(matches!(status, 400 | 401), "{status} condemns a token");
            let code = written.json().and_then(|json| json.get("error")?.as_str().map(str::to_owned));
            assert_eq!(code.as_deref(), Some("invalid_grant"));
        }
        Refreshed::Not(Verdict::Interaction(demand)) => {
            let claims = demand.claims.as_ref().map_or(0, String::len);
            assert!(claims <= session::bounds::DEMAND, "{claims} bytes go into an address");
        }
        Refreshed::Not(verdict) => assert_silent(verdict),
        Refreshed::UseNonce => assert!(matches!(status, 400 | 401)),
    }
    let verdict = read.into_verdict();
    assert!(!matches!(verdict, Verdict::Fresh(Tokens { access: None, refresh: None, .. })));
}

/// Whatever an answer says, a session neither spins nor trusts a token for ever.
fn believed(tokens: &Tokens) {
    let now = Timestamp::from_millis(1_000_000);
    let (session, effects) = Session::new(Policy::default(), 7, now).step(loaded(), now);
    let sent =
        |effect: &Effect| if let Effect::Refresh { attempt, .. } = effect { Some(*attempt) } else { None };
    let attempt = effects.iter().find_map(sent);
    let Some(attempt) = attempt else { panic!("there is a token to begin with: {effects:?}") };
    let refreshed = Event::Refreshed { attempt, verdict: Verdict::Fresh(tokens.clone()) };
    let (session, effects) = session.step(refreshed, now);
    assert_silent(&effects);
    assert_silent(&session.view(now));
    let (session, _) = session.step(Event::Saved { generation: 2 }, now);
    if let Some(access) = session.view(now).access {
        assert!((limits::LIFETIME_SHORTEST..=limits::LIFETIME_LONGEST).contains(&access.lifetime));
    }
    let next = session.deadline().map(|at| now.until(at));
    assert!(next.is_none_or(|next| next >= Duration::from_millis(100)), "a busy loop: {next:?}");
}

fn loaded() -> Event {
    let (refresh, account) = (RefreshToken::new("rt-1"), Account::default());
    let found = Found::Token { refresh, account, generation: 1 };
    Event::Loaded { found, interrupted: false }
}

/// With a device's code the same answers come to a loop that waits.
fn polled(answer: &Answer<'_>) {
    let now = Timestamp::from_millis(1_000_000);
    let code = br#"{"device_code":"d","user_code":"U","verification_uri":"https://id.example/d"}"#;
    let Ok(device) = Device::read(&Answer::new(200, "", code)) else { panic!("this is what they look like") };
    let mut polling = Polling::new(&device, now);
    match polling.on_answer(answer, clock(), &Reading::default(), now) {
        Step::Wait(until) => {
            let wait = now.until(until);
            assert!((limits::DEVICE_INTERVAL_SHORTEST..=limits::ON_DEVICE).contains(&wait), "{wait:?}");
        }
        Step::Tokens(read) => assert_silent(&read.tokens),
        Step::Problem(refusal) => assert_silent(&refusal),
        Step::Denied | Step::Expired | Step::UseNonce => {
            assert!(serde_json::from_slice::<Value>(answer.body).is_ok() || answer.body.starts_with(b"\xef"));
        }
    }
}

fn openid() -> ClientRegistration {
    ClientRegistration { scopes: vec!["openid".to_owned()], ..ClientRegistration::public("app") }
}

const NAME: &str = "\"refresh_token\"";
