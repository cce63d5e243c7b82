//! Proof of possession (RFC 9449): what is to be signed, and which nonce goes into it.
//!
//! The key and the signature are the adapter's. The same key serves a session as long as its refresh token lives.

use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::address::Address;
use crate::tokens::{AccessToken, Secret};

/// The public half of an ES256 key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicKey {
    x: String,
    y: String,
}

/// What one proof says.
#[derive(Clone, Copy, Debug)]
pub struct Proof<'a> {
    pub method: &'a str,
    /// The URL as it is requested.
    pub url: &'a str,
    /// Random, and never used twice.
    pub jti: [u8; 16],
    /// Seconds since 1970, by the best estimate of the provider's clock.
    pub iat: i64,
    /// At a protected resource, the token that is shown with it.
    pub access_token: Option<&'a AccessToken>,
    pub nonce: Option<&'a str>,
}

/// The newest nonce of each origin.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Nonces(BTreeMap<String, String>);

impl PublicKey {
    /// The coordinates of the point, big end first.
    pub fn new(x: &[u8; 32], y: &[u8; 32]) -> Self {
        Self { x: URL_SAFE_NO_PAD.encode(x), y: URL_SAFE_NO_PAD.encode(y) }
    }

    /// Nothing but what belongs to the key: a `kid` would be the provider's to give.
    pub fn jwk(&self) -> Value {
        json!({ "kty": "EC", "crv": "P-256", "x": self.x, "y": self.y })
    }

    /// What stands for the key elsewhere: `dpop_jkt`, and `cnf.jkt` in a token.
    pub fn thumbprint(&self) -> String {
        thumbprint(&self.jwk()).unwrap_or_default()
    }
}

impl Proof<'_> {
    /// What is to be signed with ES256.
    pub fn signing_input(&self, key: &PublicKey) -> String {
        let header = json!({ "typ": "dpop+jwt", "alg": "ES256", "jwk": key.jwk() });
        let encoded = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        [encoded(&header), encoded(&self.claims())].join(".")
    }

    /// The value of the `DPoP` header, given the 64 bytes of the signature (r and s, as JWS has them).
    pub fn signed(signing_input: &str, signature: &[u8]) -> Secret {
        Secret::new([signing_input, &URL_SAFE_NO_PAD.encode(signature)].join("."))
    }

    fn claims(&self) -> Value {
        let mut claims = Map::new();
        claims.insert("jti".into(), URL_SAFE_NO_PAD.encode(self.jti).into());
        claims.insert("htm".into(), self.method.into());
        claims.insert("htu".into(), target(self.url).into());
        claims.insert("iat".into(), self.iat.into());
        if let Some(token) = self.access_token {
            claims.insert("ath".into(), URL_SAFE_NO_PAD.encode(Sha256::digest(token.expose())).into());
        }
        if let Some(nonce) = self.nonce {
            claims.insert("nonce".into(), nonce.into());
        }
        Value::Object(claims)
    }
}

impl Nonces {
    /// For a request to that URL.
    pub fn get(&self, url: &str) -> Option<&str> {
        self.0.get(&Address::read(url)?.origin()).map(String::as_str)
    }

    /// To be told of the `DPoP-Nonce` of every answer, good or bad: servers renew them as they please.
    pub fn heard(&mut self, url: &str, nonce: &str) {
        let Some(address) = Address::read(url).filter(|_| is_nonce(nonce)) else { return };
        let origin = address.origin();
        if self.0.len() < MOST_ORIGINS || self.0.contains_key(&origin) {
            self.0.insert(origin, nonce.to_string());
        }
    }

    /// The answer demands a nonce. Whether to send the request again: once, and only when it came with one that was
    /// not in the proof already.
    pub fn again(&mut self, url: &str, sent: Option<&str>, offered: Option<&str>, retried: bool) -> bool {
        let Some(offered) = offered.filter(|offered| is_nonce(offered)) else { return false };
        self.heard(url, offered);
        !retried && sent != Some(offered)
    }
}

/// The thumbprint of a public key (RFC 7638, RFC 8037); `None` for a key of a kind that nobody here knows.
pub fn thumbprint(jwk: &Value) -> Option<String> {
    let names: &[&str] = match jwk.get("kty")?.as_str()? {
        "EC" => &["crv", "kty", "x", "y"],
        "OKP" => &["crv", "kty", "x"],
        "RSA" => &["e", "kty", "n"],
        _ => return None,
    };
    // Written by hand, because the order is part of it.
    let mut text = String::new();
    for name in names {
        text.push(if text.is_empty() { '{' } else { ',' });
        text.push_str(&Value::from(*name).to_string());
        text.push(':');
        text.push_str(&Value::from(jwk.get(*name)?.as_str()?).to_string());
    }
    text.push('}');
    Some(URL_SAFE_NO_PAD.encode(Sha256::digest(text)))
}

/// The URL without query and fragment, its origin as every parser writes it (RFC 9449, section 4.2).
fn target(url: &str) -> String {
    match Address::read(url) {
        Some(address) if address.path().is_empty() => address.origin() + "/",
        Some(address) => address.origin() + address.path(),
        None => url.split(['?', '#']).next().unwrap_or_default().to_string(),
    }
}

/// RFC 9449, section 8.1.
fn is_nonce(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= LONGEST_NONCE
        && text.bytes().all(|byte| byte.is_ascii_graphic() && !b"\"\\".contains(&byte))
}

const MOST_ORIGINS: usize = 64;

const LONGEST_NONCE: usize = 1024;
