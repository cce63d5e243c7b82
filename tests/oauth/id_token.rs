//! ID tokens, after their signature was verified.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64;
use serde_json::{Value, json};
use session::interaction::{Interaction, Need};
use session::oauth::id_token::{
    Expected, Header, Holder, IdTokenProblem, LEEWAY, Person, Tried, algorithms, check, header, holder, meets,
};
use session::oauth::metadata::Metadata;
use session::reason::Oddity;
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

/// Row T22: nothing that anybody could make who knows only what is public.
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

/// Row B15: a refresh never turns one person into another, and never ends a session over a token that proves nothing.
/// OpenID Connect Core, section 12.2, asks for more; but the token that was sent is spent by then.
#[test]
fn only_a_verified_token_of_another_person_is_another_persons() {
    use Holder::{Another, Odd, Same};
    use Oddity::{IdTokenAudience, IdTokenIssuer, IdTokenSubject, IdTokenUnreadable, IdTokenUnverified};
    let before = check(&claims(), &expected()).unwrap().identity;
    let table = [
        ("of_their_own", json!(1), Same),
        ("exp", json!(NOW - 86_400), Same),
        ("exp", json!(null), Same),
        ("iat", json!(NOW + 86_400), Same),
        ("nbf", json!(NOW + 86_400), Same),
        ("nonce", json!("another"), Same),
        ("at_hash", json!("77QmUPtjPfzWtF2AnpK9RR"), Same),
        ("sub", json!("bob"), Another),
        ("sub", json!("Alice"), Another),
        ("sub", json!(""), Odd(IdTokenSubject)),
        ("sub", json!(7), Odd(IdTokenSubject)),
        ("sub", json!(null), Odd(IdTokenSubject)),
        ("iss", json!("https://id.example/"), Odd(IdTokenIssuer)),
        ("iss", json!(null), Odd(IdTokenIssuer)),
        ("aud", json!("other"), Odd(IdTokenAudience)),
        ("aud", json!(["desktop", "other"]), Odd(IdTokenAudience)),
        ("aud", json!(null), Odd(IdTokenAudience)),
        ("azp", json!("other"), Odd(IdTokenAudience)),
    ];
    for (name, value, held) in table {
        let claims = with(name, value.clone());
        assert_eq!(holder(Tried::Verified(&claims), ISSUER, "desktop", &before), held, "{name} {value}");
    }
    // Somebody else's, but not for us, or not by whom we know: that proves nothing either.
    let mut foreign = with("sub", json!("bob"));
    foreign["aud"] = json!("other");
    assert_eq!(holder(Tried::Verified(&foreign), ISSUER, "desktop", &before), Odd(IdTokenAudience));
    assert_eq!(holder(Tried::Unproved, ISSUER, "desktop", &before), Odd(IdTokenUnverified));
    assert_eq!(holder(Tried::Unreadable, ISSUER, "desktop", &before), Odd(IdTokenUnreadable));
    // The same name at another provider is somebody else.
    let elsewhere = with("iss", json!("https://other.example"));
    assert_eq!(holder(Tried::Verified(&elsewhere), "https://other.example", "desktop", &before), Another);
}

/// Row H8.
/// To revoke a refresh token ends more than that one with many providers, so it is done only where it is not ours.
#[test]
fn only_what_was_made_for_another_sign_in_is_given_back() {
    use IdTokenProblem::{AccessToken, Algorithm, Audience, Expired, Issuer, Missing, Nonce, NotYet};
    assert!(Nonce.is_of_another_sign_in());
    for problem in [AccessToken, Algorithm, Audience, Expired, Issuer, Missing("sub"), NotYet] {
        assert!(!problem.is_of_another_sign_in(), "{problem:?}");
    }
}

/// RFC 7515, section 4.1.
#[test]
fn a_header_is_read_from_a_signed_token_and_nothing_else() {
    let encoded = |text: &str| BASE64.encode(text);
    let token = |head: &str, rest: &str| Secret::new(format!("{}.{rest}", encoded(head)));
    let some = |algorithm: &str, key: Option<&str>| {
        Some(Header { algorithm: algorithm.to_owned(), key: key.map(str::to_owned) })
    };
    for (token, read) in [
        (token(r#"{"alg":"RS256","kid":"k1"}"#, "e30.AA"), some("RS256", Some("k1"))),
        (token(r#"{"alg":"none"}"#, "e30."), some("none", None)),
        (token(r#"{"alg":"ES256","kid":7}"#, "e30.AA"), some("ES256", None)),
        (token(r#"{"alg":"ES256"}"#, "e30"), None),
        (token(r#"{"alg":"ES256"}"#, "e30.A A"), None),
        (token(r#"{"alg":"ES256"}"#, ".AA"), None),
        (token(r#"{"alg":7}"#, "e30.AA"), None),
        (token("[]", "e30.AA"), None),
        // Encrypted.
        (token(r#"{"alg":"RSA-OAEP","enc":"A256GCM"}"#, "a.b.c.d"), None),
        (token(&format!(r#"{{"alg":"{}"}}"#, "x".repeat(9000)), "e30.AA"), None),
        (Secret::new("garbage"), None),
        (Secret::new(""), None),
        (Secret::new("a.b.c"), None),
    ] {
        assert_eq!(header(&token), read, "{}", token.expose());
    }
}

/// RFC 9470, section 5; OpenID Connect Core, section 3.1.2.1.
#[test]
fn a_sign_in_is_held_against_what_was_demanded() {
    let demand = |acr: Option<&str>, max_age| Interaction {
        acr_values: acr.map(str::to_owned),
        max_age,
        ..Interaction::of(Need::StepUp)
    };
    let said = |acr: Value, auth_time: Value| {
        let mut claims = claims();
        claims["acr"] = acr;
        claims["auth_time"] = auth_time;
        claims
    };
    for (claims, demand, met) in [
        (claims(), demand(None, None), true),
        (said(json!("gold"), json!(null)), demand(Some("silver gold"), None), true),
        (said(json!("bronze"), json!(null)), demand(Some("silver gold"), None), false),
        (said(json!(null), json!(null)), demand(Some("gold"), None), false),
        (said(json!(null), json!(NOW - 5)), demand(None, Some(5)), true),
        (said(json!(null), json!(NOW - LEEWAY)), demand(None, Some(0)), true),
        (said(json!(null), json!(NOW - LEEWAY - 6)), demand(None, Some(5)), false),
        (said(json!(null), json!(null)), demand(None, Some(86_400)), false),
        (said(json!("gold"), json!(NOW - 9000)), demand(Some("gold"), Some(60)), false),
        (said(json!("bronze"), json!(NOW)), demand(Some("gold"), Some(60)), false),
        (said(json!("gold"), json!(NOW)), demand(Some("gold"), Some(u64::MAX)), true),
    ] {
        assert_eq!(meets(&claims, &demand, NOW), met, "{claims} {demand:?}");
    }
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
    }
}
