//! What answers say in a way of their own, and the profile knows.

use std::time::Duration;

use serde_json::json;
use session::interaction::{Interaction, Need};
use session::oauth::token::{Reading, Refreshed, TokenAnswer, read_refresh, read_tokens};
use session::reason::{Oddity, Trouble};
use session::tokens::Tokens;
use session::verdict::Verdict;
use session::wire::answer::Clock;
use session::wire::lifetime::{Lifetime, Unit};
use session::wire::matching::Match;
use session::wire::pointer::Pointer;
use session::wire::take::Take;

use crate::{PAGE, answer, clock};

/// Rows A11, A12: where a profile says how its provider tells a lifetime, that is read, at a sign-in and at a refresh.
#[test]
fn lifetimes_are_told_in_other_ways_too() {
    let at = |pointer: &str, unit| Lifetime { at: Pointer::new(pointer).unwrap(), unit };
    let table = [
        (at("/expires_in", Unit::Milliseconds), r#""expires_in":5000"#, Some(5)),
        (at("/expires_in", Unit::Seconds), r#""expires_in":5000"#, Some(5000)),
        (at("/expires_on", Unit::UnixSeconds), r#""expires_on":"1795224716""#, Some(60)),
        (at("/expires_at", Unit::UnixMilliseconds), r#""expires_at":1795224716000,"expires_in":9"#, Some(60)),
        (
            at("/a/expires", Unit::Seconds),
            r#""a":{"expires":"2026-11-21T01:31:56Z"},"expires_in":9"#,
            Some(60),
        ),
        (at("/ext_expires_in", Unit::Seconds), r#""expires_in":9"#, Some(9)),
        (at("/ext_expires_in", Unit::Seconds), r#""ext_expires_in":null,"expires_in":9"#, Some(9)),
        (at("/ext_expires_in", Unit::Seconds), r#""ext_expires_in":0,"expires_in":9"#, None),
        (at("/ext_expires_in", Unit::Seconds), r#""token_type":"Bearer""#, None),
    ];
    let clock = Clock { date: Some(1_795_224_656), ..clock() };
    for (told, field, seconds) in table {
        let body = format!(r#"{{"access_token":"AT",{field}}}"#);
        let take = Take { lifetime: Some(told), ..Take::default() };
        let reading = Reading { take, ..Reading::default() };
        let read = read_tokens(&answer(200, &body), clock, &reading).unwrap();
        assert_eq!(read.tokens.lifetime, seconds.map(Duration::from_secs), "{body}");
        let refreshed = read_refresh(&answer(200, &body), clock, &reading);
        assert_eq!(refreshed, Refreshed::Fresh(read), "{body}");
    }
}

/// Row A11: what is said where the profile points, or the standard does, and cannot be read, is told of.
#[test]
fn a_lifetime_that_nobody_can_read_is_no_silent_hour() {
    let own = Lifetime { at: Pointer::new("/ends").unwrap(), unit: Unit::Seconds };
    let reading = |take| Reading { take, ..Reading::default() };
    let standard = || reading(Take::default());
    let pointed = || reading(Take { lifetime: Some(own.clone()), ..Take::default() });
    let refresh = || reading(Take { refresh_lifetime: Some(own.clone()), ..Take::default() });
    let (unread, refresh_unread) = (Some(Oddity::LifetimeUnread), Some(Oddity::RefreshLifetimeUnread));
    for (reading, fields, odd) in [
        (standard(), r#""expires_in":"soon""#, unread),
        (standard(), r#""expires_in":{}"#, unread),
        (standard(), r#""expires_in":null"#, None),
        (standard(), r#""expires_in":0"#, None),
        (standard(), r#""scope":"a""#, None),
        (pointed(), r#""scope":"a""#, unread),
        (pointed(), r#""ends":"at the end of the day""#, unread),
        (pointed(), r#""ends":"2019-01-01""#, unread),
        (pointed(), r#""ends":-1"#, None),
        (pointed(), r#""ends":"10s""#, None),
        (pointed(), r#""ends":"?","expires_in":9"#, unread),
        (pointed(), r#""expires_in":9"#, None),
        (refresh(), r#""ends":"?""#, refresh_unread),
        (refresh(), r#""scope":"a""#, refresh_unread),
        (refresh(), r#""ends":"P30D""#, None),
        (refresh(), r#""ends":0"#, None),
    ] {
        let body = format!(r#"{{"access_token":"AT","refresh_token":"RT",{fields}}}"#);
        let clock = Clock { date: Some(1_795_224_656), ..clock() };
        let read = read_tokens(&answer(200, &body), clock, &reading).unwrap();
        assert_eq!(read.tokens.odd, odd, "{body}");
    }
}

/// Row D10: beside the words of the standard, and never over an answer that names our request or that somebody else sent.
#[test]
fn what_refuses_a_refresh_or_puts_it_off_is_for_the_profile_to_say() {
    let rule = |rule: serde_json::Value| serde_json::from_value::<Match>(rule).unwrap();
    let dead = json!({ "status": 200, "body": { "at": "/error", "equals": "bad_refresh_token" } });
    let later =
        json!({ "status": [400, 401], "body": { "at": "/error_description", "contains": "try again" } });
    let reading = Reading {
        refused: vec![rule(dead), rule(json!({ "status": 401 }))],
        retry: vec![rule(later)],
        ..Reading::default()
    };
    let transient = Verdict::Transient { trouble: Trouble::Status, status: Some(400), retry_after: None };
    for (status, body, verdict) in [
        (200, r#"{"error":"bad_refresh_token"}"#, Some(Verdict::Dead)),
        (200, r#"{"error":"other"}"#, None),
        (401, r#"{"why":1}"#, Some(Verdict::Dead)),
        (401, PAGE, None),
        (401, r#"{"error":"invalid_client"}"#, None),
        // What the standard has a word for is no matter of a rule, however wide that is.
        (401, r#"{"error":"login_required"}"#, Some(Verdict::Interaction(Interaction::of(Need::Login)))),
        (401, r#"{"error":"temporarily_unavailable"}"#, None),
        (400, r#"{"error":"invalid_grant","error_description":"Busy, try again"}"#, Some(transient)),
        (400, r#"{"error":"invalid_grant"}"#, Some(Verdict::Dead)),
    ] {
        let read = read_refresh(&answer(status, body), clock(), &reading);
        match verdict {
            Some(verdict) => assert_eq!(read, Refreshed::Not(verdict), "{status} {body}"),
            None => assert_ne!(read, Refreshed::Not(Verdict::Dead), "{status} {body}"),
        }
    }
    for reading in [reading.clone(), Reading { retry: reading.refused.clone(), ..Reading::default() }] {
        let nonce = read_refresh(&answer(401, r#"{"error":"use_dpop_nonce"}"#), clock(), &reading);
        assert_eq!(nonce, Refreshed::UseNonce, "the same request is good with a nonce");
    }
    let beside = r#"{"error":"bad_refresh_token","access_token":"AT"}"#;
    assert!(matches!(read_refresh(&answer(200, beside), clock(), &reading), Refreshed::Fresh(_)));
}

/// Some put all they have into a member of the answer, or have names of their own.
#[test]
fn tokens_stand_where_the_profile_says_and_are_found_there_in_broken_answers_too() {
    let at = |pointer: &str| Pointer::new(pointer).ok();
    let take = Take { access_token: at("/user/token"), refresh_token: at("/user/again"), ..Take::default() };
    let reading = Reading { take, ..Reading::default() };
    let whole = r#"{"ok":true,"access_token":"none","user":{"token":"AT","again":"RT"},"expires_in":60}"#;
    let of = |read: &TokenAnswer| {
        let Tokens { access, refresh, lifetime, .. } = &read.tokens;
        let access = access.as_ref().map(|token| token.expose().to_owned());
        (access, refresh.as_ref().map(|token| token.expose().to_owned()), *lifetime)
    };
    let all = (Some("AT".to_owned()), Some("RT".to_owned()), Some(Duration::from_secs(60)));
    assert_eq!(of(&read_tokens(&answer(200, whole), clock(), &reading).unwrap()), all);
    let cut = whole.replace("60}", "60,");
    let Refreshed::Fresh(fresh) = read_refresh(&answer(200, &cut), clock(), &reading) else { panic!() };
    assert_eq!(of(&fresh), all);
    let nothing = r#"{"access_token":"AT","refresh_token":"RT"}"#;
    assert!(read_tokens(&answer(200, nothing), clock(), &reading).is_err());
}
