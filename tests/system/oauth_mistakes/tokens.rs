//! The code is good, and the token endpoint gives no tokens for it.

use std::time::Duration;

use api::Code;
use serde_json::{Value, json};

use super::{Stage, all, each, issuers, profiles};
use crate::harness::{Issuer, Say, merged};

/// RFC 6749, section 5.2; RFC 8707, section 2; and what is said in place of an answer.
#[test]
fn every_answer_without_tokens_is_told_and_costs_nothing() {
    let error = Say::error;
    let text = |status, body: &str| Say::Body(status, "text/plain", body.as_bytes().to_vec());
    let json = |body: &str| Say::Body(200, "application/json", body.as_bytes().to_vec());
    let rows = [
        (error(400, "invalid_grant"), Code::SignInRefused),
        (error(400, "invalid_request"), Code::Misconfigured),
        (error(400, "invalid_client"), Code::ClientRefused),
        (error(401, "invalid_client"), Code::ClientRefused),
        (error(400, "unauthorized_client"), Code::ClientRefused),
        (error(400, "unsupported_grant_type"), Code::WayUnsupported),
        (error(400, "invalid_scope"), Code::ScopeRefused),
        (error(400, "invalid_target"), Code::Misconfigured),
        (error(400, "something_of_its_own"), Code::Misconfigured),
        (error(400, "access_denied"), Code::SignInDenied),
        // An error in an envelope that says success.
        (error(200, "invalid_grant"), Code::SignInRefused),
        (error(503, "temporarily_unavailable"), Code::ServerError),
        (error(400, "temporarily_unavailable"), Code::ServerError),
        (Say::page(200), Code::NotJson),
        (Say::page(404), Code::Misconfigured),
        (Say::page(500), Code::ServerError),
        (Say::page(511), Code::NotJson),
        (text(200, ""), Code::AnswerUnreadable),
        (text(200, "ok"), Code::NotJson),
        (text(500, ""), Code::ServerError),
        (json("{"), Code::AnswerCutShort),
        (json("{}"), Code::AnswerUnreadable),
        (json("[1]"), Code::AnswerUnreadable),
        (json("{'access_token': 'x'}"), Code::AnswerGarbled),
        (json("ok"), Code::AnswerGarbled),
        (Say::tokens(json!({"access_token": "", "refresh_token": null})), Code::AnswerUnreadable),
        (Say::tokens(json!({"access_token": 7, "refresh_token": null})), Code::AnswerUnreadable),
        (
            Say::tokens(json!({"access_token": "canary\r\nX-Evil: 1", "refresh_token": null})),
            Code::AnswerUnreadable,
        ),
        (Say::CutShort(json!({"access_token": "canary-cut"})), Code::AnswerCutShort),
        (Say::HangUp, Code::Unanswered),
        (Say::Hang, Code::TimedOut),
        (Say::Redirect("http://127.0.0.1:9/".to_owned()), Code::Redirected),
        (Say::TooMany(7), Code::SignInLater),
        (Say::Body(200, "application/json", vec![b' '; 10 << 20]), Code::AnswerTooLarge),
    ];
    let issuers = issuers(&rows);
    let stage = Stage::with(&profiles(&issuers, ""));
    each(&rows, &issuers, |(say, code), profile, issuer| {
        let what = format!("{say:.80?}");
        let failure = stage.fails(profile, issuer, |visit| {
            issuer.says("/token", say.clone());
            assert_eq!(visit.comes_back(issuer).status, 303);
            let page = visit.calls("/done");
            assert!(page.body.contains("That did not work"), "{what}: {page:?}");
        });
        assert_eq!(failure.code, *code, "{what}: {failure:?}");
        assert_eq!(failure.retry_in_ms, None, "nobody else tries it again: {what}");
        let asked_to_wait = matches!(say, Say::TooMany(_)).then_some("7s");
        assert_eq!(failure.details.get("wait").map(String::as_str), asked_to_wait, "{what}");
        let codes = issuer.asked("/token authorization_code");
        assert_eq!(codes.len(), 2, "{what}: a code is sent once, whatever comes of it");
    });
    stage.ends_discreetly(&all(&issuers));
}

/// A provider's own words are repeated when they are words, and never when they could be something else.
#[test]
fn what_a_provider_adds_is_repeated_only_when_it_is_plain() {
    let long = format!("token {} is not known", "canary".repeat(10));
    let rows = [
        ("The code has expired.", true),
        ("验证码已过期。", true),
        ("colour \u{1b}[31mred", false),
        ("two\nlines", false),
        ("right\u{202e}left", false),
        (long.as_str(), false),
        ("", false),
    ];
    let issuers = issuers(&rows);
    let stage = Stage::with(&profiles(&issuers, ""));
    each(&rows, &issuers, |(description, repeated), profile, issuer| {
        let said = json!({"error": "invalid_grant", "error_description": description});
        issuer.says("/token", Say::json(400, &said));
        let visit = stage.begin(profile).unwrap();
        visit.comes_back(issuer);
        let failure = stage.finish(profile).unwrap_err();
        stage.is_told(profile, &failure);
        let message = failure.details.get("message").map(String::as_str);
        assert_eq!(message, repeated.then_some(*description), "{failure:?}");
    });
    for issuer in &issuers {
        issuer.is_secret(&"canary".repeat(10));
    }
    stage.ends_discreetly(&all(&issuers));
}

/// Some servers quote what they were sent.
#[test]
fn what_was_sent_is_not_repeated_though_the_provider_does() {
    type Quote = fn(&str) -> Value;
    let rows: [Quote; 3] = [
        |code| json!({"error": "invalid_grant", "error_description": format!("no such code: {code}")}),
        |code| json!({"error": "invalid_grant", "error_description": format!("'{code}'")}),
        |code| json!({"error": code}),
    ];
    let issuers = issuers(&rows);
    let stage = Stage::with(&profiles(&issuers, ""));
    each(&rows, &issuers, |quote, profile, issuer| {
        let visit = stage.begin(profile).unwrap();
        // Short enough to be taken for a word.
        let code = issuer.code(&visit.nonce);
        assert!(code.len() <= 32);
        issuer.says("/token", Say::json(400, &quote(&code)));
        assert_eq!(visit.comes_back_with(issuer, &[("code", &code)]).status, 303);
        let failure = stage.finish(profile).unwrap_err();
        stage.is_told(profile, &failure);
    });
    stage.ends_discreetly(&all(&issuers));
}

/// What a provider may leave out, or write in its own way, is no reason to fail.
#[test]
fn tokens_that_are_given_in_another_way_are_tokens() {
    let hour = Duration::from_secs(3600);
    let rows = [
        (json!({"token_type": "bearer"}), "", hour),
        (json!({"token_type": "BEARER"}), "", hour),
        (json!({"token_type": null}), "", hour),
        (json!({"expires_in": "3600"}), "", hour),
        (json!({"expires_in": 3600.7}), "", hour),
        (json!({"expires_in": null, "valid_ms": 3_600_000}), VALID_MS, hour),
        (json!({"expires_in": 7200, "valid_ms": null}), VALID_MS, 2 * hour),
        (json!({"expires_in": "01:00:00"}), "", hour),
        (json!({"expires_in": "60m"}), "", hour),
        (json!({"id_token": null}), "", hour),
        (json!({"scope": "openid"}), "", hour),
    ];
    let issuers: Vec<Issuer> = issuers(&rows);
    let numbered = rows.iter().zip(&issuers).enumerate();
    let profiles: String =
        numbered.map(|(n, ((_, more, _), issuer))| issuer.profile(&format!("p{n}"), more)).collect();
    let stage = Stage::with(&profiles);
    each(&rows, &issuers, |(fields, _, lifetime), profile, issuer| {
        issuer.says("/token", Say::tokens(fields.clone()));
        stage.sign_in(profile, issuer);
        for _ in 0..2 {
            let access = stage.keeper.session(profile).access.unwrap();
            let told = Duration::from_millis(access.lifetime_ms);
            assert_eq!(told.as_secs(), lifetime.as_secs(), "{fields}");
            let request = api::Request::Refresh { profile: profile.to_owned(), by: api::Asker::Person };
            assert!(stage.ask(request).is_ok(), "{fields}");
        }
    });
    stage.ends_discreetly(&all(&issuers));
}

/// With the refresh token another access token is bought, so the sign-in is one.
#[test]
fn a_sign_in_that_brings_only_a_good_refresh_token_is_one() {
    let rows = [
        json!({"access_token": "canary with spaces"}),
        json!({"access_token": 7}),
        json!({"access_token": ""}),
        json!({"token_type": "mac"}),
    ];
    let issuers = issuers(&rows);
    let stage = Stage::with(&profiles(&issuers, ""));
    each(&rows, &issuers, |fields, profile, issuer| {
        issuer.says_once("/token", Say::tokens(merged(fields.clone(), json!({"id_token": null}))));
        stage.sign_in(profile, issuer);
        let refreshes = issuer.asked("/token refresh_token");
        assert_eq!(refreshes[0].form["refresh_token"], issuer.refresh_tokens()[0], "{fields}");
    });
    stage.ends_discreetly(&all(&issuers));
}

const VALID_MS: &str = "take.lifetime = { at = \"/valid_ms\", unit = \"milliseconds\" }";
