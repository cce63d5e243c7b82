//! Checks on an ID token (OpenID Connect Core, sections 3.1.3.7 and 12.2) whose signature the adapter has verified
//! with a key and an algorithm that were allowed before it looked at the token.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;
use sha2::{Digest, Sha256, Sha384, Sha512};

use super::authorize::is_same;
use super::metadata::Metadata;
use crate::recipe::lifetime::number;
use crate::recipe::reading;
use crate::tokens::{AccessToken, Identity, Secret};

/// What an ID token says of who signed in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    pub identity: Identity,
    /// What people know themselves by, if the provider tells.
    pub name: Option<String>,
}

/// What an ID token is held against.
#[derive(Clone, Copy, Debug)]
pub struct Expected<'a> {
    pub issuer: &'a str,
    pub client_id: &'a str,
    /// Of the sign-in; `None` for a token that came by another way than a browser.
    pub nonce: Option<&'a Secret>,
    /// The access token that came along.
    pub access_token: Option<&'a AccessToken>,
    /// With which the signature was verified.
    pub algorithm: &'a str,
    /// Seconds since 1970, by the best estimate of the provider's clock.
    pub now: i64,
    /// Whom the session belongs to, when this comes of a refresh. Then nothing else of the token is looked at but for
    /// whom and by whom it is: some providers repeat the one of the sign-in, whose times have passed.
    pub before: Option<&'a Identity>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IdTokenProblem {
    /// It belongs to another access token.
    AccessToken,
    Algorithm,
    Audience,
    Expired,
    Issuer,
    /// A claim is not there, or is no such thing.
    Missing(&'static str),
    /// It was issued for another sign-in.
    Nonce,
    /// It is not valid yet.
    NotYet,
    /// A refresh brought somebody else's.
    Subject,
}

/// With which a signature may be made: ours, those that the provider names, and nothing that anybody could make who
/// knows only what is public. RS256 is what a provider has that names nothing.
pub fn algorithms(metadata: &Metadata) -> Vec<&'static str> {
    let named = &metadata.id_token_signing_alg_values_supported;
    if named.is_empty() {
        return Vec::from(["RS256"]);
    }
    ASYMMETRIC.into_iter().filter(|ours| named.iter().any(|name| name == ours)).collect()
}

/// Checks the claims, and tells who it is.
pub fn check(claims: &Value, expected: &Expected<'_>) -> Result<Person, IdTokenProblem> {
    if !ASYMMETRIC.contains(&expected.algorithm) {
        return Err(IdTokenProblem::Algorithm);
    }
    let text = |name: &'static str| claims.get(name).and_then(Value::as_str);
    let issuer = text("iss").ok_or(IdTokenProblem::Missing("iss"))?;
    if issuer != expected.issuer {
        return Err(IdTokenProblem::Issuer);
    }
    let subject = text("sub").filter(|subject| !subject.is_empty()).ok_or(IdTokenProblem::Missing("sub"))?;
    check_audience(claims, expected.client_id)?;
    if let Some(before) = expected.before {
        if before.subject != subject || before.issuer != issuer {
            return Err(IdTokenProblem::Subject);
        }
    } else {
        check_times(claims, expected.now)?;
    }
    if let Some(nonce) = expected.nonce {
        let found = text("nonce").ok_or(IdTokenProblem::Missing("nonce"))?;
        if !is_same(found, nonce.expose()) {
            return Err(IdTokenProblem::Nonce);
        }
    }
    let of_sign_in = expected.access_token.filter(|_| expected.before.is_none());
    if let (Some(token), Some(hash)) = (of_sign_in, claims.get("at_hash")) {
        let ours = half_hash(token, expected.algorithm);
        if hash.as_str() != Some(&ours) {
            return Err(IdTokenProblem::AccessToken);
        }
    }
    let identity = Identity { issuer: issuer.to_string(), subject: subject.to_string() };
    Ok(Person { identity, name: name(claims) })
}

/// What people know themselves by, in the claims of an ID token or of the userinfo endpoint (OpenID Connect Core,
/// section 5.1): the first that can be shown.
pub fn name(claims: &Value) -> Option<String> {
    let mut names = ["preferred_username", "email", "name"]
        .into_iter()
        .filter_map(|claim| claims.get(claim).and_then(Value::as_str));
    names.find(|name| is_showable(name)).map(str::to_string)
}

/// Whether a person can be shown as that; some subjects are as long as a token.
pub fn is_showable(text: &str) -> bool {
    !text.trim().is_empty()
        && text.chars().count() <= LONGEST_NAME
        && !text.chars().any(reading::is_invisible)
}

fn check_audience(claims: &Value, client_id: &str) -> Result<(), IdTokenProblem> {
    let azp = claims.get("azp").map(|azp| azp.as_str() == Some(client_id));
    let for_us = match claims.get("aud").ok_or(IdTokenProblem::Missing("aud"))? {
        Value::String(one) => one == client_id,
        Value::Array(list) => {
            list.iter().any(|one| one.as_str() == Some(client_id)) && (list.len() == 1 || azp.is_some())
        }
        Value::Bool(_) | Value::Null | Value::Number(_) | Value::Object(_) => false,
    };
    if for_us && azp != Some(false) { Ok(()) } else { Err(IdTokenProblem::Audience) }
}

fn check_times(claims: &Value, now: i64) -> Result<(), IdTokenProblem> {
    let time = |name: &'static str| claims.get(name).and_then(number);
    let (now, leeway) = (now as f64, LEEWAY as f64);
    let exp = time("exp").ok_or(IdTokenProblem::Missing("exp"))?;
    let iat = time("iat").ok_or(IdTokenProblem::Missing("iat"))?;
    if exp + leeway <= now {
        return Err(IdTokenProblem::Expired);
    }
    if iat - leeway > now || time("nbf").is_some_and(|nbf| nbf - leeway > now) {
        return Err(IdTokenProblem::NotYet);
    }
    Ok(())
}

/// The left half of the hash that goes with the signature (OpenID Connect Core, section 3.1.3.6).
fn half_hash(token: &AccessToken, algorithm: &str) -> String {
    let token = token.expose();
    let half = |hash: &[u8]| URL_SAFE_NO_PAD.encode(&hash[..hash.len() / 2]);
    match algorithm {
        "EdDSA" | "Ed25519" | "ES512" | "PS512" | "RS512" => half(&Sha512::digest(token)),
        "ES384" | "PS384" | "RS384" => half(&Sha384::digest(token)),
        _ => half(&Sha256::digest(token)),
    }
}

/// How far apart the two clocks may be, in seconds.
pub const LEEWAY: i64 = 120;

const LONGEST_NAME: usize = 64;

/// What the adapter can verify, all with a public key.
pub const ASYMMETRIC: [&str; 9] =
    ["ES256", "ES384", "EdDSA", "PS256", "PS384", "PS512", "RS256", "RS384", "RS512"];
