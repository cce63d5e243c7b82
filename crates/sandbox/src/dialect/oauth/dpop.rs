//! Proofs that whoever sends a token holds the key that it is bound to (RFC 9449).

use axum::http::StatusCode;
use url::Url;

use super::refusal::{Refusal, Stop};
use crate::exchange::Exchange;
use crate::jose::{PublicKey, Signed, sha256};
use crate::settings::{Dpop, ms};

/// In which of its two roles this server is shown a proof. Each has nonces of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    Server,
    Resource,
}

struct Expected<'a> {
    method: &'a str,
    url: &'a str,
    access: Option<&'a str>,
    now_s: i64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Proof {
    jkt: String,
    jti: String,
    nonce: Option<String>,
}

pub(super) fn shown(
    exchange: &mut Exchange<'_>,
    role: Role,
    access: Option<&str>,
) -> Result<Option<String>, Stop> {
    let settings = &exchange.settings.oauth;
    let head = &exchange.asked.head;
    let mut proofs = head.headers.get_all("dpop").iter();
    let Some(proof) = proofs.next().filter(|_| settings.dpop != Dpop::Off) else { return Ok(None) };
    if proofs.next().is_some() {
        return Err(invalid(role, "there are two proofs").into());
    }
    let url = format!("http://127.0.0.1:{}{}", exchange.settings.port, head.uri.path());
    let (now, now_s) = (exchange.now_ms(), exchange.asked.now.unix_s);
    let expected = Expected { method: head.method.as_str(), url: &url, access, now_s };
    let proof = proof.to_str().ok().ok_or("it is not text").and_then(|proof| read(proof, &expected));
    let proof = proof.map_err(|why| invalid(role, why))?;
    if settings.dpop_nonce {
        let current = nonce(exchange, role)?;
        let nonces = match role {
            Role::Server => &exchange.ledger.server_nonce,
            Role::Resource => &exchange.ledger.resource_nonce,
        };
        if !proof.nonce.as_deref().is_some_and(|nonce| nonces.knows(nonce)) {
            let refusal =
                Refusal::new(status(role), "use_dpop_nonce", "the proof must hold this server's nonce");
            return Err(refusal.with_nonce(current).into());
        }
    }
    let name = format!("{} {}", proof.jkt, proof.jti);
    if !exchange.ledger.proofs.put(name, (), now + REMEMBERED_MS, now) {
        return Err(invalid(role, "it was seen before").into());
    }
    Ok(Some(proof.jkt))
}

pub(super) fn nonce(exchange: &mut Exchange<'_>, role: Role) -> Result<String, Stop> {
    let (fresh, now) = (exchange.mint.opaque()?, exchange.now_ms());
    let nonces = match role {
        Role::Server => &mut exchange.ledger.server_nonce,
        Role::Resource => &mut exchange.ledger.resource_nonce,
    };
    Ok(nonces.current(fresh, ms(exchange.settings.oauth.nonce_ttl), now))
}

fn read(proof: &str, expected: &Expected<'_>) -> Result<Proof, &'static str> {
    let signed = Signed::read(proof).ok_or("it is no signed token")?;
    if signed.header["typ"] != "dpop+jwt" {
        return Err("its `typ` is not `dpop+jwt`");
    }
    let key = PublicKey::read(&signed.header["jwk"]).ok_or("its `jwk` is no public key on P-256")?;
    if !signed.is_signed_by(&key) {
        return Err("its signature is not that of its key, by ES256");
    }
    let text = |name: &str| signed.claims[name].as_str().map(str::to_owned);
    if text("htm").as_deref() != Some(expected.method) {
        return Err("its `htm` is another method");
    }
    let url = text("htu").and_then(|url| Url::parse(&url).ok()).ok_or("its `htu` is no address")?;
    if url.as_str() != expected.url {
        return Err("its `htu` is another address");
    }
    let age = signed.claims["iat"].as_i64().map(|iat| expected.now_s.saturating_sub(iat));
    if !age.is_some_and(|age| (-OFF_S..=OFF_S).contains(&age)) {
        return Err("its `iat` is too far from now");
    }
    if text("ath") != expected.access.map(|access| sha256(access.as_bytes())) {
        return Err("its `ath` is not that of the access token");
    }
    let jti = text("jti").filter(|jti| !jti.is_empty()).ok_or("it has no `jti`")?;
    Ok(Proof { jkt: key.thumbprint(), jti, nonce: text("nonce") })
}

fn invalid(role: Role, why: &str) -> Refusal {
    Refusal::new(status(role), "invalid_dpop_proof", format!("the DPoP proof is not good: {why}"))
}

fn status(role: Role) -> StatusCode {
    match role {
        Role::Server => StatusCode::BAD_REQUEST,
        Role::Resource => StatusCode::UNAUTHORIZED,
    }
}

const OFF_S: i64 = 60;
/// Longer than a proof can be good.
const REMEMBERED_MS: u64 = 3 * 60 * 1_000;

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::jose::{Signer, unsigned};

    #[test]
    fn a_proof_is_for_one_request_of_one_key() {
        let signer = Signer::new().unwrap();
        let proof = made(&signer, &json!({}), &json!({}));
        let read_as = |method, url, access, now_s| read(&proof, &Expected { method, url, access, now_s });
        let good = read_as("POST", "http://127.0.0.1:1/oauth/token", None, 1_000).unwrap();
        assert_eq!((good.jkt, good.jti, good.nonce), (signer.public().thumbprint(), "j".into(), None));
        assert!(read_as("GET", "http://127.0.0.1:1/oauth/token", None, 1_000).is_err());
        assert!(read_as("POST", "http://127.0.0.1:2/oauth/token", None, 1_000).is_err());
        assert!(read_as("POST", "http://127.0.0.1:1/oauth/revoke", None, 1_000).is_err());
        assert!(read_as("POST", "http://127.0.0.1:1/oauth/token", Some("a"), 1_000).is_err());
        assert!(read_as("POST", "http://127.0.0.1:1/oauth/token", None, 1_061).is_err());
        assert!(read_as("POST", "http://127.0.0.1:1/oauth/token", None, 939).is_err());
    }

    #[test]
    fn what_is_wrong_with_a_proof_is_told() {
        let (signer, other) = (Signer::new().unwrap(), Signer::new().unwrap());
        let expected = Expected {
            method: "POST",
            url: "http://127.0.0.1:1/oauth/token",
            access: Some("a"),
            now_s: 1_000,
        };
        let told = |proof: &str| read(proof, &expected).unwrap_err();
        let ath = json!({"ath": sha256(b"a")});
        assert!(read(&made(&signer, &json!({}), &ath), &expected).is_ok());
        assert_eq!(
            told(&made(&signer, &json!({}), &json!({"ath": sha256(b"b")}))),
            "its `ath` is not that of the access token"
        );
        assert_eq!(told(&made(&signer, &json!({"typ": "JWT"}), &ath)), "its `typ` is not `dpop+jwt`");
        assert_eq!(
            told(&made(&signer, &json!({"alg": "none"}), &ath)),
            "its signature is not that of its key, by ES256"
        );
        let foreign = json!({"jwk": other.public().jwk()});
        assert_eq!(told(&made(&signer, &foreign, &ath)), "its signature is not that of its key, by ES256");
        let mut private = signer.public().jwk();
        private["d"] = json!("AA");
        assert_eq!(
            told(&made(&signer, &json!({"jwk": private}), &ath)),
            "its `jwk` is no public key on P-256"
        );
        let with_query = json!({"ath": sha256(b"a"), "htu": "http://127.0.0.1:1/oauth/token?x=1"});
        assert_eq!(told(&made(&signer, &json!({}), &with_query)), "its `htu` is another address");
        let anonymous = json!({"ath": sha256(b"a"), "jti": ""});
        assert_eq!(told(&made(&signer, &json!({}), &anonymous)), "it has no `jti`");
        assert_eq!(told(&unsigned("dpop+jwt", &json!({}))), "its `jwk` is no public key on P-256");
        assert_eq!(told("nonsense"), "it is no signed token");
    }

    fn made(signer: &Signer, header: &Value, claims: &Value) -> String {
        let mut full_header = json!({"typ": "dpop+jwt", "alg": "ES256", "jwk": signer.public().jwk()});
        let mut full_claims =
            json!({"htm": "POST", "htu": "http://127.0.0.1:1/oauth/token", "iat": 1_000, "jti": "j"});
        for (whole, part) in [(&mut full_header, header), (&mut full_claims, claims)] {
            whole.as_object_mut().unwrap().extend(part.as_object().unwrap().clone());
        }
        signer.sign_as(&full_header, &full_claims).unwrap()
    }
}
