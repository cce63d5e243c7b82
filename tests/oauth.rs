//! OAuth and OpenID Connect messages, against the examples of the standards and against what real servers say.
//!
//! What a refused refresh means is the most expensive question here: a wrong "dead" costs a sign-in.

#![allow(clippy::unwrap_used)]

#[path = "oauth/bounds.rs"]
mod bounds;
#[path = "oauth/device.rs"]
mod device;
#[path = "oauth/endings.rs"]
mod endings;
#[path = "oauth/id_token.rs"]
mod id_token;
#[path = "oauth/metadata.rs"]
mod metadata;
#[path = "oauth/oddities.rs"]
mod oddities;
#[path = "oauth/probe.rs"]
mod probe;
#[path = "oauth/reading.rs"]
mod reading;
#[path = "oauth/sign_in.rs"]
mod sign_in;
#[path = "oauth/token.rs"]
mod token;

use serde_json::json;
use session::oauth::Provider;
use session::oauth::authorize::{Randomness, Started};
use session::oauth::client::{ClientAuth, ClientRegistration};
use session::oauth::metadata::Metadata;
use session::tokens::Secret;
use session::wire::answer::{Answer, Clock};
use session::wire::message::Message;

const JSON: &str = "application/json";
const HTML: &str = "text/html; charset=utf-8";
const PAGE: &str = "<!doctype html><html><body><h1>Welcome to the hotel</h1></body></html>";
const ISSUER: &str = "https://id.example";
const REDIRECT: &str = "http://127.0.0.1:47123/callback";

/// What must never be seen in anything that is printed.
const CANARY: &str = "CANARY7f3e";

fn provider() -> Provider {
    let json = json!({
        "issuer": ISSUER,
        "authorization_endpoint": "https://id.example/auth",
        "token_endpoint": "https://id.example/token",
        "device_authorization_endpoint": "https://id.example/device/auth",
        "end_session_endpoint": "https://id.example/session/end",
        "introspection_endpoint": "https://id.example/introspection",
        "jwks_uri": "https://id.example/jwks",
        "pushed_authorization_request_endpoint": "https://id.example/request",
        "revocation_endpoint": "https://id.example/revocation",
        "userinfo_endpoint": "https://id.example/me",
        "authorization_response_iss_parameter_supported": true,
    });
    let metadata = Metadata::read(json.to_string().as_bytes(), ISSUER, false).unwrap();
    let scopes = vec!["openid".into(), "offline_access".into()];
    Provider { metadata, client: ClientRegistration { scopes, ..ClientRegistration::public("desktop") } }
}

fn confidential(auth: ClientAuth) -> Provider {
    let mut provider = provider();
    provider.client.secret = Some(Secret::new("s:e cret"));
    provider.client.auth = auth;
    provider
}

fn started(provider: &Provider) -> Started {
    Started::new(provider, REDIRECT, &Randomness { state: [1; 32], nonce: [2; 32], verifier: VERIFIER })
}

fn answer(status: u16, body: &str) -> Answer<'_> {
    Answer::new(status, if body.starts_with('<') { HTML } else { JSON }, body)
}

fn clock() -> Clock<'static> {
    Clock { date: None, jwt: &|_| None }
}

/// `METHOD url [header: value] body`; every message asks for JSON, so that is not said.
fn say(message: &Message) -> String {
    assert!(message.query.is_empty());
    let mut said = format!("{} {}", message.method, message.path);
    let mut asks_for_json = false;
    for (name, value) in &message.headers {
        if name == "Accept" {
            assert_eq!(value.expose(), JSON);
            asks_for_json = true;
        } else {
            said += &format!(" [{name}: {}]", value.expose());
        }
    }
    assert!(asks_for_json, "{said}");
    if let Some(body) = &message.body {
        assert_eq!(message.content_type, Some("application/x-www-form-urlencoded"));
        said += " ";
        said += body.expose();
    }
    said
}

/// RFC 7636, appendix B.
const VERIFIER: [u8; 32] = [
    116, 24, 223, 180, 151, 153, 224, 37, 79, 250, 96, 125, 216, 173, 187, 186, 22, 212, 37, 77, 105, 214,
    191, 240, 91, 88, 5, 88, 83, 132, 141, 121,
];
