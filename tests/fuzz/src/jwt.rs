//! A JWT, and what its claims are taken for: the token, or a line with nothing and the claims as JSON.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;
use session::bounds;
use session::interaction::{Interaction, Need};
use session::oauth::id_token::{ASYMMETRIC, Expected, Holder, LEEWAY, Tried, check, header, holder, meets};
use session::oauth::token::{Reading, read_tokens};
use session::tokens::{AccessToken, Identity, Secret};
use session::wire::answer::Answer;
use session::wire::jwt;

use crate::input::{NOW, assert_showable, assert_silent, clock, line, text};

pub fn hold(input: &[u8]) {
    let (first, claims) = line(input);
    let token = if first.trim().is_empty() { signed(claims) } else { first.trim().to_owned() };
    read(&token);
    if let Some(claims) = jwt::claims(&token) {
        believed(&claims);
    }
    if first.trim().is_empty() {
        // What was written is read, unless it is no object.
        let written = serde_json::from_slice::<Value>(claims).ok().filter(Value::is_object);
        assert_eq!(jwt::claims(&token), written.filter(|_| token.len() <= bounds::JWT));
    }
}

fn signed(claims: &[u8]) -> String {
    let [header, claims] =
        [&br#"{"alg":"ES256","kid":"1"}"#[..], claims].map(|part| URL_SAFE_NO_PAD.encode(part));
    format!("{header}.{claims}.c2ln")
}

fn read(token: &str) {
    let is_long = token.len() > bounds::JWT;
    let parts = token.split('.').count();
    assert!(jwt::times(token).is_none() || (!is_long && parts == 3));
    assert_eq!(jwt::times(token).is_some(), jwt::claims(token).is_some());
    if let Some(algorithm) = jwt::algorithm(token) {
        assert!(algorithm.bytes().all(|byte| byte.is_ascii_alphanumeric()), "{algorithm} is shown");
    }
    if let Some(header) = header(&Secret::new(token)) {
        assert!(!is_long && parts == 3, "{header:?}");
    }
    // Whatever a token says of its own end, what came with it is kept.
    let body = serde_json::json!({ "access_token": token, "refresh_token": "r" }).to_string();
    let answer = Answer::new(200, "", &body);
    let Ok(tokens) = read_tokens(&answer, clock(), &Reading::default()) else {
        panic!("there is a refresh token")
    };
    assert_silent(&tokens);
    assert!(tokens.tokens.lifetime.is_none_or(|lifetime| lifetime > Duration::ZERO));
}

fn believed(claims: &Value) {
    let said = |name: &str| claims.get(name).and_then(Value::as_str);
    let (nonce, access) = (Secret::new("n-1"), AccessToken::new("at"));
    for algorithm in ["ES256", "RS512", "EdDSA", "HS256", "none", ""] {
        let expected = Expected {
            issuer: ISSUER,
            client_id: CLIENT,
            nonce: Some(&nonce),
            access_token: Some(&access),
            algorithm,
            now: NOW,
        };
        let Ok(person) = check(claims, &expected) else { continue };
        assert!(ASYMMETRIC.contains(&algorithm), "{algorithm} needs no secret of ours");
        assert_eq!((said("iss"), said("nonce")), (Some(ISSUER), Some("n-1")));
        assert!(is_for_us(claims), "{claims}");
        let exp = number(claims, "exp").unwrap_or(f64::NEG_INFINITY);
        assert!(exp > (NOW - LEEWAY) as f64, "{claims} is over");
        assert!(!person.identity.subject.is_empty() && said("sub") == Some(&person.identity.subject));
        if let Some(name) = person.name {
            assert_showable(&name);
            assert!(name.chars().count() <= bounds::NAME);
        }
    }
    let before = Identity { issuer: ISSUER.to_owned(), subject: "7".to_owned() };
    if holder(Tried::Verified(claims), ISSUER, CLIENT, &before) == Holder::Another {
        assert!(said("iss") == Some(ISSUER) && is_for_us(claims) && said("sub") != Some("7"), "{claims}");
    }
    for tried in [Tried::Unproved, Tried::Unreadable] {
        assert!(matches!(holder(tried, ISSUER, CLIENT, &before), Holder::Odd(_)), "nothing is proved");
    }
    let demand = Interaction {
        acr_values: Some("gold".to_owned()),
        max_age: Some(60),
        ..Interaction::of(Need::StepUp)
    };
    if meets(claims, &demand, NOW) {
        assert_eq!(said("acr"), Some("gold"));
        assert!(number(claims, "auth_time").is_some_and(|at| at + 60.0 + LEEWAY as f64 >= NOW as f64));
    }
}

/// OpenID Connect Core, section 3.1.3.7, rules 3 to 5.
fn is_for_us(claims: &Value) -> bool {
    let audience = &claims["aud"];
    let is_among = audience.as_array().is_some_and(|all| all.iter().any(|one| one == CLIENT));
    (is_among || audience == CLIENT) && claims.get("azp").is_none_or(|party| party == CLIENT)
}

fn number(claims: &Value, name: &str) -> Option<f64> {
    let value = claims.get(name)?;
    value.as_f64().or_else(|| text(value.as_str()?.as_bytes()).trim().parse().ok())
}

const ISSUER: &str = "https://id.example";
const CLIENT: &str = "app";
