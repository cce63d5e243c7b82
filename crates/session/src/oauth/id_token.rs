//! What an ID token proves (OpenID Connect Core, sections 3.1.3.7 and 12.2). The adapter tries its signature, with keys
//! that the provider publishes and an algorithm that was allowed before anybody looked at the token.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;
use sha2::{Digest, Sha256, Sha384, Sha512};

use super::authorize::is_same;
use super::metadata::Metadata;
use crate::interaction::Interaction;
use crate::reason::Oddity;
use crate::tokens::{AccessToken, Identity, Secret};
use crate::wire::lifetime::number;
use crate::wire::meaning;

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
}

/// With what a token was signed, as it says itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    pub algorithm: String,
    pub key: Option<String>,
}

/// What is known of a token once its signature was tried.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Tried<'a> {
    /// Nobody who is known has signed it, or nobody at all.
    Unproved,
    /// It is no signed token, or its claims are none.
    Unreadable,
    /// A key that the provider publishes made it, with an algorithm that was allowed before.
    Verified(&'a Value),
}

/// Whose the tokens of a refresh are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holder {
    /// Another person's, beyond doubt.
    Another,
    /// Nothing says that they are not the same person's, and something is odd.
    Odd(Oddity),
    Same,
}

impl IdTokenProblem {
    /// The token, which the provider has signed, says that it was made for another sign-in. Then what came with it is
    /// given back. Whatever else is wrong is refused and left alone: with many providers to revoke one refresh token
    /// ends everything that the person has with this client, and so the session from before, over a slash too many in
    /// an issuer or a key that was published a minute late.
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

/// Reads the header of a signed token; `None` for what is encrypted, or no token at all.
pub fn header(token: &Secret) -> Option<Header> {
    let mut parts = token.expose().split('.');
    let (header, claims, signature) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() || header.len() > LONGEST_HEADER || claims.is_empty() {
        return None;
    }
    URL_SAFE_NO_PAD.decode(signature).ok()?;
    let header: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(header).ok()?).ok()?;
    Some(Header {
        algorithm: header.get("alg")?.as_str()?.to_string(),
        key: header.get("kid").and_then(Value::as_str).map(str::to_string),
    })
}

/// Whose the tokens are that a refresh brought.
///
/// Only a verified token, of this issuer and for this client, can say that they are somebody else's. Whatever else is
/// odd about one ends nothing: the tokens came over the same TLS (OpenID Connect Core, section 3.1.3.7, rule 6), the
/// refresh token that was sent is spent by then, and to drop the new one would end the session over keys that a cache
/// still has. Its times and hashes are not looked at: some providers repeat the token of the sign-in.
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

/// Whether a sign-in is what was demanded: strong enough, and recent enough (RFC 9470, section 5). Tokens that say
/// nothing of it have not met it.
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

/// With which a signature may be made: ours, those that the provider names, and nothing that anybody could make who
/// knows only what is public. RS256 is what a provider has that names nothing.
pub fn algorithms(metadata: &Metadata) -> Vec<&'static str> {
    let named = &metadata.id_token_signing_alg_values_supported;
    if named.is_empty() {
        return Vec::from(["RS256"]);
    }
    ASYMMETRIC.into_iter().filter(|ours| named.iter().any(|name| name == ours)).collect()
}

/// Checks the claims of a sign-in, and tells who it is.
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

const LONGEST_HEADER: usize = 8 * 1024;

/// What the adapter can verify, all with a public key.
pub const ASYMMETRIC: [&str; 9] =
    ["ES256", "ES384", "EdDSA", "PS256", "PS384", "PS512", "RS256", "RS384", "RS512"];
