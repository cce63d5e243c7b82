//! The keys that a provider publishes (RFC 7517), and what they have signed.

use api::Problem;
use jsonwebtoken::jwk::{AlgorithmParameters, Jwk, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey, crypto};
use serde_json::Value;
use session::bounds;
use session::oauth::id_token::{ASYMMETRIC, Header};
use session::tokens::Secret;

/// Those that signatures can be checked with.
#[derive(Default)]
pub(super) struct KeySet(Vec<Jwk>);

impl KeySet {
    pub(super) fn read(body: &[u8]) -> Option<Self> {
        let document: Value = serde_json::from_slice(body).ok()?;
        let keys = document.get("keys")?.as_array()?.iter();
        let known = keys.filter_map(|key| serde_json::from_value::<Jwk>(key.clone()).ok());
        Some(Self(known.filter(is_for_signatures).take(bounds::KEYS).collect()))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// By its own algorithm, if that is one which needs no secret. Keys with the token's key ID come first, because the
    /// number of tries is limited.
    pub(super) fn verifies(&self, token: &Secret, header: &Header) -> bool {
        let named = ASYMMETRIC.into_iter().find(|ours| *ours == header.algorithm);
        let algorithm = named.and_then(|named| named.parse::<Algorithm>().ok());
        let signed = token.expose().rsplit_once('.');
        let (Some(algorithm), Some((message, signature))) = (algorithm, signed) else { return false };
        let kid = header.key.as_deref();
        let named = self.0.iter().filter(|key| kid.is_some() && key.common.key_id.as_deref() == kid);
        let nameless = self.0.iter().filter(|key| kid.is_none() || key.common.key_id.is_none());
        named.chain(nameless).filter(|key| fits(key, algorithm)).take(bounds::KEY_TRIES).any(|key| {
            let key = DecodingKey::from_jwk(key).ok();
            key.is_some_and(|key| {
                crypto::verify(signature, message.as_bytes(), &key, algorithm).is_ok_and(|good| good)
            })
        })
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }
}

/// Only known words are repeated.
pub(super) fn not_taken(named: &str) -> Problem {
    let algorithm = named.to_owned();
    match named.parse::<Algorithm>() {
        _ if named == "none" => Problem::IdTokenUnsigned,
        Ok(Algorithm::HS256 | Algorithm::HS384 | Algorithm::HS512) => Problem::IdTokenSecret { algorithm },
        Ok(_) => Problem::IdTokenUnnamed { algorithm },
        Err(_) => Problem::IdTokenUnknown,
    }
}

/// What a later standard adds is passed over, and so is a secret, which has no place among these.
fn is_for_signatures(key: &Jwk) -> bool {
    use AlgorithmParameters::{EllipticCurve, OctetKeyPair, RSA};
    let is_public = matches!(key.algorithm, EllipticCurve(_) | OctetKeyPair(_) | RSA(_));
    is_public && !matches!(key.common.public_key_use, Some(PublicKeyUse::Encryption))
}

/// The key's algorithm is checked too, never the token's alone.
fn fits(key: &Jwk, algorithm: Algorithm) -> bool {
    let own = key.common.key_algorithm;
    own.is_none_or(|own| own.to_string().parse::<Algorithm>().is_ok_and(|own| own == algorithm))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_is_read_up_to_its_bound_and_what_is_no_key_of_ours_does_not_count() {
        let key = r#"{"kty":"RSA","n":"AQ","e":"AQAB"}"#;
        let encryption = r#"{"kty":"RSA","n":"AQ","e":"AQAB","use":"enc"}"#;
        let read = |keys: Vec<&str>| {
            let body = format!(r#"{{"keys":[{}]}}"#, keys.join(","));
            KeySet::read(body.as_bytes()).unwrap().len()
        };
        assert_eq!(read(vec![key; bounds::KEYS]), bounds::KEYS);
        assert_eq!(read(vec![key; bounds::KEYS + 1]), bounds::KEYS);
        let others = [vec![encryption; bounds::KEYS], vec!["7", LATER, SECRET, key]].concat();
        assert_eq!(read(others), 1);
        for body in ["", "[]", "{}", r#"{"keys":{}}"#] {
            assert!(KeySet::read(body.as_bytes()).is_none(), "{body}");
        }
    }

    const LATER: &str = r#"{"kty":"AKP","pub":"AQ"}"#;
    const SECRET: &str = r#"{"kty":"oct","k":"AQ"}"#;

    #[test]
    fn what_a_stranger_wrote_is_not_repeated() {
        let owned = |algorithm: &str| algorithm.to_owned();
        for (algorithm, told) in [
            ("none", Problem::IdTokenUnsigned),
            ("HS256", Problem::IdTokenSecret { algorithm: owned("HS256") }),
            ("ES384", Problem::IdTokenUnnamed { algorithm: owned("ES384") }),
            ("\u{202e}x", Problem::IdTokenUnknown),
        ] {
            assert_eq!(not_taken(algorithm), told);
        }
    }
}
