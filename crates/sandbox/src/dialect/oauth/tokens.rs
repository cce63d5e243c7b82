use serde_json::json;

use super::words::{FOREIGN_ISSUER, STEPPED_UP};
use crate::broken::Broken;
use crate::exchange::Exchange;
use crate::jose::{half_sha256, unsigned};
use crate::ledger::{Lent, Terms};
use crate::mint::Claim;
use crate::people::Person;
use crate::reply::Fields;
use crate::settings::{TokenFormat, ms};
use crate::tweaks::{Confusion, Flaw};

pub(super) fn access(exchange: &Exchange<'_>, terms: &Terms, lent: &Lent) -> Result<String, Broken> {
    if exchange.settings.dialects.oauth.access_format == TokenFormat::Opaque {
        return exchange.mint.opaque();
    }
    let lifetime_ms = ms(exchange.settings.access_ttl);
    let claim = Claim::new(exchange.asked.now.unix_s, lifetime_ms, exchange.tweaks.expiry)?;
    let claims = Fields::default()
        .with("iss", exchange.issuer())
        .with("sub", subject(terms.person))
        .with("aud", format!("{}/api", exchange.issuer()))
        .with("client_id", terms.client.id())
        .with("scope", lent.scopes.to_string())
        .with("jti", claim.jti)
        .with("iat", claim.iat)
        .with("exp", claim.exp)
        .with("auth_time", terms.signed_in_s)
        .with_some("acr", terms.stepped_up.then_some(STEPPED_UP))
        .with_some("cnf", lent.jkt.as_ref().map(|jkt| json!({"jkt": jkt})));
    exchange.mint.signer.sign("at+jwt", &claims)
}

pub(super) fn id_token(
    exchange: &Exchange<'_>,
    family: u64,
    terms: &Terms,
    access: &str,
) -> Result<String, Broken> {
    let flaw = exchange.tweaks.oauth.id_token;
    let unless = |flawed: Flaw, right: String, wrong: &str| {
        if flaw == Some(flawed) { wrong.to_owned() } else { right }
    };
    let now = exchange.asked.now.unix_s;
    let exp = if flaw == Some(Flaw::Exp) { now - LIFETIME_S } else { now + LIFETIME_S };
    let nonce = terms.nonce.clone().map(|nonce| unless(Flaw::Nonce, nonce, "the-nonce-of-another"));
    let claims = Fields::default()
        .with("iss", unless(Flaw::Iss, exchange.issuer(), FOREIGN_ISSUER))
        .with("sub", unless(Flaw::Sub, subject(terms.person), "user-0"))
        .with("aud", unless(Flaw::Aud, terms.client.id().to_owned(), "another-client"))
        .with("exp", exp)
        .with("iat", now)
        .with("auth_time", terms.signed_in_s)
        .with_some("nonce", nonce)
        .with("at_hash", unless(Flaw::AtHash, half_sha256(access.as_bytes()), &half_sha256(b"")))
        .with_some("acr", terms.stepped_up.then_some(STEPPED_UP))
        .with("amr", json!(["pwd"]))
        .with("sid", session(family));
    let signer = &exchange.mint.signer;
    match (exchange.tweaks.oauth.alg, flaw) {
        (Some(Confusion::Hs256), _) => Ok(signer.confuse("JWT", &claims)),
        (Some(Confusion::None), _) => Ok(unsigned("JWT", &claims)),
        (None, Some(Flaw::Kid)) => {
            signer.sign_as(&json!({"alg": "ES256", "typ": "JWT", "kid": "unknown"}), &claims)
        }
        (None, Some(Flaw::Signature)) => {
            // A good signature, of something else.
            let signed = signer.sign("JWT", &claims)?;
            let other = signer.sign("JWT", &claims.with("extra", true))?;
            let (message, _) = signed.rsplit_once('.').unwrap_or_default();
            let (_, signature) = other.rsplit_once('.').unwrap_or_default();
            Ok(format!("{message}.{signature}"))
        }
        (None, _) => signer.sign("JWT", &claims),
    }
}

/// Who somebody is to clients: never reassigned, and plain ASCII, which names are not.
pub(super) fn subject(person: Person) -> String {
    format!("user-{}", person.number())
}

/// What an id_token calls the family it belongs to.
pub(super) fn session(family: u64) -> String {
    format!("session-{family}")
}

const LIFETIME_S: i64 = 3_600;
