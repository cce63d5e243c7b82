//! What an ID token proves (OpenID Connect Core, sections 3.1.3.7 and 12.2). The adapter verifies its signature.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;
use sha2::{Digest, Sha256, Sha384, Sha512};

use super::authorize::is_same;
use super::metadata::Metadata;
use crate::bounds;
use crate::interaction::Interaction;
use crate::reason::Oddity;
use crate::tokens::{AccessToken, Identity, Secret};
use crate::wire::jwt;
use crate::wire::lifetime::number;
use crate::wire::meaning;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    pub identity: Identity,
    pub name: Option<String>,
}

#[derive(Clone, Copy, Debug)]
pub struct Expected<'a> {
    pub issuer: &'a str,
    pub client_id: &'a str,
    /// `None` for a token that did not come through a browser.
    pub nonce: Option<&'a Secret>,
    pub access_token: Option<&'a AccessToken>,
    pub algorithm: &'a str,
    /// Seconds since 1970, by the best estimate of the provider's clock.
    pub now: i64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IdTokenProblem {
    AccessToken,
    Algorithm,
    Audience,
    Expired,
    Issuer,
    Missing(&'static str),
    Nonce,
    NotYet,
}

/// As the token itself says, which proves nothing yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    pub algorithm: String,
    pub key: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Tried<'a> {
    Unproved,
    Unreadable,
    Verified(&'a Value),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holder {
    Another,
    /// Something is wrong, but nothing says that they are another person's.
    Odd(Oddity),
    Same,
}

impl IdTokenProblem {
    /// Only then are the tokens given back. For any other problem nothing is revoked: with many providers that ends
    /// everything that the person has with this client, over a slash in an issuer or a key that was published late.
    pub fn is_of_another_sign_in(self) -> bool {
        match self {
            Self::Nonce => true,
            Self::AccessToken
            | Self::Algorithm
            | Self::Audience
            | Self::Expired
            | Self::Issuer
            | Self::Missing(_)
            | Self::NotYet => false,
        }
    }
}

/// `None` for what is encrypted, or no token at all.
pub fn header(token: &Secret) -> Option<Header> {
    let header = jwt::header(token.expose())?;
    Some(Header {
        algorithm: header.get("alg")?.as_str()?.to_string(),
        key: header.get("kid").and_then(Value::as_str).map(str::to_string),
    })
}

/// Only a verified token of this issuer for this client can say that the tokens of a refresh are another person's.
/// Otherwise nothing ends: the tokens came over the same TLS (OpenID Connect Core, section 3.1.3.7, rule 6), and the
/// old refresh token is spent. Times and hashes are not checked: some providers repeat the first ID token.
pub fn holder(tried: Tried<'_>, issuer: &str, client_id: &str, before: &Identity) -> Holder {
    let claims = match tried {
        Tried::Unproved => return Holder::Odd(Oddity::IdTokenUnverified),
        Tried::Unreadable => return Holder::Odd(Oddity::IdTokenUnreadable),
        Tried::Verified(claims) => claims,
    };
    let text = |name| claims.get(name).and_then(Value::as_str);
    if text("iss") != Some(issuer) {
        return Holder::Odd(Oddity::IdTokenIssuer);
    }
    if check_audience(claims, client_id).is_err() {
        return Holder::Odd(Oddity::IdTokenAudience);
    }
    match text("sub").filter(|subject| !subject.is_empty()) {
        None => Holder::Odd(Oddity::IdTokenSubject),
        Some(subject) if subject == before.subject && issuer == before.issuer => Holder::Same,
        Some(_) => Holder::Another,
    }
}

/// Strong and recent enough (RFC 9470, section 5). A token that does not say so has not met the demand.
pub fn meets(claims: &Value, demand: &Interaction, now: i64) -> bool {
    let strong = demand.acr_values.as_deref().is_none_or(|wanted| {
        let acr = claims.get("acr").and_then(Value::as_str);
        acr.is_some_and(|acr| wanted.split_whitespace().any(|wanted| wanted == acr))
    });
    let recent = demand.max_age.is_none_or(|age| {
        let signed_in = claims.get("auth_time").and_then(number);
        signed_in.is_some_and(|signed_in| signed_in + age as f64 + LEEWAY as f64 >= now as f64)
    });
    strong && recent
}

/// Never a symmetric one, whose key others may know. A provider that names none has RS256.
pub fn algorithms(metadata: &Metadata) -> Vec<&'static str> {
    let named = &metadata.id_token_signing_alg_values_supported;
    if named.is_empty() {
        return Vec::from(["RS256"]);
    }
    ASYMMETRIC.into_iter().filter(|ours| named.iter().any(|name| name == ours)).collect()
}

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
    check_times(claims, expected.now)?;
    if let Some(nonce) = expected.nonce {
        let found = text("nonce").ok_or(IdTokenProblem::Missing("nonce"))?;
        if !is_same(found, nonce.expose()) {
            return Err(IdTokenProblem::Nonce);
        }
    }
    if let (Some(token), Some(hash)) = (expected.access_token, claims.get("at_hash")) {
        let ours = half_hash(token, expected.algorithm);
        if hash.as_str() != Some(&ours) {
            return Err(IdTokenProblem::AccessToken);
        }
    }
    let identity = Identity { issuer: issuer.to_string(), subject: subject.to_string() };
    Ok(Person { identity, name: name(claims) })
}

/// The first name that can be shown (OpenID Connect Core, section 5.1).
pub fn name(claims: &Value) -> Option<String> {
    let mut names = ["preferred_username", "email", "name"]
        .into_iter()
        .filter_map(|claim| claims.get(claim).and_then(Value::as_str));
    names.find(|name| is_showable(name)).map(str::to_string)
}

/// Some subjects are as long as a token.
pub fn is_showable(text: &str) -> bool {
    !text.trim().is_empty()
        && text.chars().count() <= bounds::NAME
        && !text.chars().any(meaning::is_invisible)
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

/// The left half of the hash (OpenID Connect Core, section 3.1.3.6).
fn half_hash(token: &AccessToken, algorithm: &str) -> String {
    let token = token.expose();
    let half = |hash: &[u8]| URL_SAFE_NO_PAD.encode(&hash[..hash.len() / 2]);
    match algorithm {
        "EdDSA" | "Ed25519" | "ES512" | "PS512" | "RS512" => half(&Sha512::digest(token)),
        "ES384" | "PS384" | "RS384" => half(&Sha384::digest(token)),
        _ => half(&Sha256::digest(token)),
    }
}

/// Seconds that the two clocks may be apart.
pub const LEEWAY: i64 = 120;

pub const ASYMMETRIC: [&str; 9] =
    ["ES256", "ES384", "EdDSA", "PS256", "PS384", "PS512", "RS256", "RS384", "RS512"];
