//! ID tokens, after their signature was verified.

use serde_json::{Value, json};
use session::oauth::id_token::{Expected, IdTokenProblem, LEEWAY, Person, algorithms, check};
use session::oauth::metadata::Metadata;
use session::tokens::{AccessToken, Identity, Secret};

use crate::ISSUER;

const NOW: i64 = 1_795_224_656;

/// OpenID Connect Core, sections 3.1.3.7 and 12.2.
#[test]
fn every_claim_is_held_against_what_is_expected() {
    use IdTokenProblem::{Audience, Expired, Issuer, Missing, Nonce, NotYet};
    let table = [
        ("iss", json!("https://id.example"), Ok(())),
        ("iss", json!("https://id.example/"), Err(Issuer)),
        ("iss", json!("https://evil.example"), Err(Issuer)),
        ("iss", json!(null), Err(Missing("iss"))),
        ("sub", json!(""), Err(Missing("sub"))),
        ("sub", json!(7), Err(Missing("sub"))),
        ("sub", json!(null), Err(Missing("sub"))),
        ("aud", json!("desktop"), Ok(())),
        ("aud", json!(["desktop"]), Ok(())),
        ("aud", json!(["desktop", "other"]), Err(Audience)),
        ("aud", json!(["other"]), Err(Audience)),
        ("aud", json!([]), Err(Audience)),
        ("aud", json!("other"), Err(Audience)),
        ("aud", json!("Desktop"), Err(Audience)),
        ("aud", json!({ "desktop": true }), Err(Audience)),
        ("azp", json!("desktop"), Ok(())),
        ("azp", json!("other"), Err(Audience)),
        ("azp", json!(null), Err(Audience)),
        ("exp", json!(NOW + 1), Ok(())),
        ("exp", json!(NOW - LEEWAY + 1), Ok(())),
        ("exp", json!(NOW - LEEWAY), Err(Expired)),
        ("exp", json!(0), Err(Expired)),
        ("exp", json!("tomorrow"), Err(Missing("exp"))),
        ("exp", json!(null), Err(Missing("exp"))),
        ("iat", json!(NOW + LEEWAY), Ok(())),
        ("iat", json!(NOW + LEEWAY + 1), Err(NotYet)),
        ("iat", json!(null), Err(Missing("iat"))),
        ("nbf", json!(NOW), Ok(())),
        ("nbf", json!(NOW + LEEWAY + 1), Err(NotYet)),
        ("nonce", json!("N"), Ok(())),
        ("nonce", json!("n"), Err(Nonce)),
        ("nonce", json!("NN"), Err(Nonce)),
        ("nonce", json!(""), Err(Nonce)),
        ("nonce", json!(null), Err(Missing("nonce"))),
        ("of_their_own", json!({ "x": [1] }), Ok(())),
    ];
    let nonce = Secret::new("N");
    let expected = Expected { nonce: Some(&nonce), ..expected() };
    for (name, value, result) in table {
        assert_eq!(check(&with(name, value.clone()), &expected).map(|_| ()), result, "{name} {value}");
    }
    let mut several = with("aud", json!(["other", "desktop"]));
    several["azp"] = json!("desktop");
    assert!(check(&several, &expected).is_ok());
    assert_eq!(check(&json!([]), &expected), Err(Missing("iss")));
}

#[test]
fn a_token_without_a_browser_needs_no_nonce() {
    assert!(check(&with("nonce", json!("whatever")), &expected()).is_ok());
    assert!(check(&with("nonce", json!(null)), &expected()).is_ok());
}

/// OpenID Connect Core, section 3.1.3.6; the example of appendix A.3.
#[test]
fn the_hash_ties_it_to_its_access_token() {
    let token = AccessToken::new("jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y");
    let with_hash = with("at_hash", json!("77QmUPtjPfzWtF2AnpK9RQ"));
    let expect = |algorithm| Expected { access_token: Some(&token), algorithm, ..expected() };
    for algorithm in ["RS256", "ES256", "PS256"] {
        assert!(check(&with_hash, &expect(algorithm)).is_ok(), "{algorithm}");
    }
    for algorithm in ["RS384", "RS512", "ES384", "EdDSA"] {
        assert_eq!(check(&with_hash, &expect(algorithm)), Err(IdTokenProblem::AccessToken), "{algorithm}");
    }
    for (algorithm, hash) in [
        ("ES384", "jtAeDp945y1dDqU3nkIVGNZP1HjH_MFs"),
        ("EdDSA", "q7nS86GgvvFaZkzALLWqJYaJIKw2wCDAVfCAsm5CrBM"),
        ("PS512", "q7nS86GgvvFaZkzALLWqJYaJIKw2wCDAVfCAsm5CrBM"),
    ] {
        assert!(check(&with("at_hash", json!(hash)), &expect(algorithm)).is_ok(), "{algorithm}");
    }
    for hash in [json!("77QmUPtjPfzWtF2AnpK9RR"), json!(""), json!(null), json!(7)] {
        assert_eq!(
            check(&with("at_hash", hash.clone()), &expect("RS256")),
            Err(IdTokenProblem::AccessToken),
            "{hash}"
        );
    }
    assert!(check(&claims(), &expect("RS256")).is_ok(), "not every provider says it");
    assert!(check(&with_hash, &expected()).is_ok(), "nothing to hold it against");
}

/// T22: nothing that anybody could make who knows only what is public.
#[test]
fn only_signatures_of_the_providers_own_are_good() {
    let allowed = |named: &[&str]| {
        let id_token_signing_alg_values_supported = named.iter().map(|name| (*name).to_owned()).collect();
        algorithms(&Metadata { id_token_signing_alg_values_supported, ..Metadata::default() })
    };
    assert_eq!(allowed(&["RS256", "HS256"]), ["RS256"]);
    assert_eq!(allowed(&["none", "HS256", "HS512", "rs256"]), [""; 0]);
    assert_eq!(allowed(&["PS512", "EdDSA", "ES256", "XX1"]), ["ES256", "EdDSA", "PS512"]);
    assert_eq!(allowed(&[]), ["RS256"]);
    for algorithm in ["none", "HS256", "HS384", "HS512", "", "rs256"] {
        let expected = Expected { algorithm, ..expected() };
        assert_eq!(check(&claims(), &expected), Err(IdTokenProblem::Algorithm), "{algorithm}");
    }
}

/// FAILURES B15: a refresh never turns one person into another. OpenID Connect Core, section 12.2, asks for more; but
/// some providers repeat the token of the sign-in, and a session must not be lost over that.
#[test]
fn a_refresh_brings_the_same_person_and_nothing_else_is_asked_of_it() {
    use IdTokenProblem::{Algorithm, Audience, Issuer, Missing, Subject};
    let before = check(&claims(), &expected()).unwrap().identity;
    let table = [
        ("of_their_own", json!(1), Ok(())),
        ("exp", json!(NOW - 86_400), Ok(())),
        ("exp", json!(null), Ok(())),
        ("iat", json!(NOW + 86_400), Ok(())),
        ("iat", json!(null), Ok(())),
        ("nbf", json!(NOW + 86_400), Ok(())),
        ("nonce", json!(null), Ok(())),
        ("nonce", json!("another"), Ok(())),
        ("at_hash", json!("77QmUPtjPfzWtF2AnpK9RR"), Ok(())),
        ("sub", json!("bob"), Err(Subject)),
        ("sub", json!("Alice"), Err(Subject)),
        ("sub", json!(""), Err(Missing("sub"))),
        ("sub", json!(null), Err(Missing("sub"))),
        ("iss", json!("https://other.example"), Err(Issuer)),
        ("iss", json!(null), Err(Missing("iss"))),
        ("aud", json!("other"), Err(Audience)),
        ("aud", json!(null), Err(Missing("aud"))),
        ("azp", json!("other"), Err(Audience)),
    ];
    let token = AccessToken::new("AT");
    let expected = Expected { before: Some(&before), access_token: Some(&token), ..expected() };
    for (name, value, result) in table {
        let mut claims = with(name, value.clone());
        if value.is_null() {
            claims.as_object_mut().unwrap().remove(name);
        }
        assert_eq!(
            check(&claims, &expected).map(|person| person.identity),
            result.map(|()| before.clone()),
            "{name} {value}"
        );
    }
    // The same name at another provider is somebody else.
    let elsewhere = Expected { issuer: "https://other.example", ..expected };
    assert_eq!(check(&with("iss", json!("https://other.example")), &elsewhere), Err(Subject));
    let unsigned = Expected { algorithm: "none", ..expected };
    assert_eq!(check(&claims(), &unsigned), Err(Algorithm));
    let at_sign_in = Expected { before: None, ..expected };
    assert_eq!(check(&with("exp", json!(NOW - 86_400)), &at_sign_in), Err(IdTokenProblem::Expired));
}

#[test]
fn people_are_told_the_name_they_know_themselves_by() {
    let person = |claims: Value| check(&claims, &expected()).unwrap();
    let identity = Identity { issuer: ISSUER.into(), subject: "alice".into() };
    assert_eq!(person(claims()), Person { identity, name: None });
    let mut named = with("name", json!("Alice"));
    assert_eq!(person(named.clone()).name.as_deref(), Some("Alice"));
    named["email"] = json!("alice@example.test");
    assert_eq!(person(named.clone()).name.as_deref(), Some("alice@example.test"));
    for unusable in [json!(7), json!(""), json!("a\u{202e}b"), json!("x".repeat(65)), json!(" ")] {
        named["preferred_username"] = unusable;
        assert_eq!(person(named.clone()).name.as_deref(), Some("alice@example.test"));
    }
}

fn claims() -> Value {
    json!({ "iss": ISSUER, "sub": "alice", "aud": "desktop", "exp": NOW + 300, "iat": NOW, "nonce": "N" })
}

fn with(name: &str, value: Value) -> Value {
    let mut claims = claims();
    claims[name] = value;
    claims
}

fn expected() -> Expected<'static> {
    Expected {
        issuer: ISSUER,
        client_id: "desktop",
        nonce: None,
        access_token: None,
        algorithm: "RS256",
        now: NOW,
        before: None,
    }
}
