//! ES256 by hand: a server that is to send broken tokens must be able to make them, and a proof of possession is judged
//! by the key that it brings along.

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::error::Unspecified;
use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair, UnparsedPublicKey,
};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64;
use serde::Serialize;
use serde_json::{Value, json};

use crate::broken::Broken;

pub(crate) struct Signer {
    key: EcdsaKeyPair,
    random: SystemRandom,
}

/// A signed token in its three parts, with no word yet on whether the signature is good.
pub(crate) struct Signed<'a> {
    pub(crate) header: Value,
    pub(crate) claims: Value,
    message: &'a str,
    signature: Vec<u8>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PublicKey(Vec<u8>);

impl Signer {
    pub(crate) fn new() -> Result<Self, Unspecified> {
        Ok(Self {
            key: EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING)?,
            random: SystemRandom::new(),
        })
    }

    pub(crate) fn sign(&self, typ: &str, claims: &impl Serialize) -> Result<String, Broken> {
        self.sign_as(&json!({"alg": "ES256", "typ": typ, "kid": self.public().thumbprint()}), claims)
    }

    pub(crate) fn sign_as(&self, header: &Value, claims: &impl Serialize) -> Result<String, Broken> {
        let message = message(header, claims);
        let signature = self.key.sign(&self.random, message.as_bytes())?;
        Ok(format!("{message}.{}", BASE64.encode(signature.as_ref())))
    }

    /// Uses the public key as a secret, as one who takes the header's word for it would check it.
    pub(crate) fn confuse(&self, typ: &str, claims: &impl Serialize) -> String {
        let kid = self.public().thumbprint();
        let message = message(&json!({"alg": "HS256", "typ": typ, "kid": kid}), claims);
        let secret = hmac::Key::new(hmac::HMAC_SHA256, &self.public().0);
        format!("{message}.{}", BASE64.encode(hmac::sign(&secret, message.as_bytes())))
    }

    pub(crate) fn public(&self) -> PublicKey {
        PublicKey(self.key.public_key().as_ref().to_vec())
    }
}

pub(crate) fn unsigned(typ: &str, claims: &impl Serialize) -> String {
    format!("{}.", message(&json!({"alg": "none", "typ": typ}), claims))
}

impl<'a> Signed<'a> {
    pub(crate) fn read(token: &'a str) -> Option<Self> {
        let (message, signature) = token.rsplit_once('.')?;
        let (header, claims) = message.split_once('.')?;
        let json = |part: &str| serde_json::from_slice(&BASE64.decode(part).ok()?).ok();
        Some(Self {
            header: json(header)?,
            claims: json(claims)?,
            message,
            signature: BASE64.decode(signature).ok()?,
        })
    }

    pub(crate) fn is_signed_by(&self, key: &PublicKey) -> bool {
        let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, &key.0);
        self.header["alg"] == "ES256" && key.verify(self.message.as_bytes(), &self.signature).is_ok()
    }
}

impl PublicKey {
    /// Of a JWK, which must be public only.
    pub(crate) fn read(jwk: &Value) -> Option<Self> {
        if jwk["kty"] != "EC" || jwk["crv"] != "P-256" || jwk.get("d").is_some() {
            return None;
        }
        let half = |name: &str| {
            let half = BASE64.decode(jwk[name].as_str()?).ok()?;
            (half.len() == HALF).then_some(half)
        };
        Some(Self([vec![UNCOMPRESSED], half("x")?, half("y")?].concat()))
    }

    pub(crate) fn jwk(&self) -> Value {
        let kid = self.thumbprint();
        json!({
            "kty": "EC", "crv": "P-256", "x": self.x(), "y": self.y(), "use": "sig", "alg": "ES256", "kid": kid
        })
    }

    /// By RFC 7638: the members that it must have, in the order of their names.
    pub(crate) fn thumbprint(&self) -> String {
        let (x, y) = (self.x(), self.y());
        sha256(format!(r#"{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}"#).as_bytes())
    }

    fn x(&self) -> String {
        BASE64.encode(&self.0[1..=HALF])
    }

    fn y(&self) -> String {
        BASE64.encode(&self.0[1 + HALF..])
    }
}

pub(crate) fn sha256(data: &[u8]) -> String {
    BASE64.encode(digest(&SHA256, data))
}

pub(crate) fn half_sha256(data: &[u8]) -> String {
    BASE64.encode(&digest(&SHA256, data).as_ref()[..16])
}

fn message(header: &Value, claims: &impl Serialize) -> String {
    // Serialising our own plain structs to memory has no way to fail.
    let part = |bytes: Result<Vec<u8>, serde_json::Error>| BASE64.encode(bytes.unwrap_or_default());
    format!("{}.{}", part(serde_json::to_vec(header)), part(serde_json::to_vec(claims)))
}

const HALF: usize = 32;
const UNCOMPRESSED: u8 = 4;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_it_signs_is_told_from_what_it_does_not() {
        let (signer, other) = (Signer::new().unwrap(), Signer::new().unwrap());
        let key = PublicKey::read(&signer.public().jwk()).unwrap();
        assert_eq!(key, signer.public());
        let good = signer.sign("JWT", &json!({"sub": "x"})).unwrap();
        let is_good = |token: &str| Signed::read(token).is_some_and(|signed| signed.is_signed_by(&key));
        assert!(is_good(&good));
        assert_eq!(Signed::read(&good).unwrap().claims["sub"], "x");
        assert!(!is_good(&other.sign("JWT", &json!({"sub": "x"})).unwrap()));
        assert!(!is_good(&signer.confuse("JWT", &json!({}))));
        assert!(!is_good(&unsigned("JWT", &json!({}))));
        assert!(!is_good("a.b.c") && !is_good(""));
    }

    #[test]
    fn a_private_key_is_not_taken_for_a_public_one() {
        let mut jwk = Signer::new().unwrap().public().jwk();
        jwk["d"] = json!("AA");
        assert_eq!(PublicKey::read(&jwk), None);
    }

    /// The key and the thumbprint that RFC 9449 prints.
    #[test]
    fn a_thumbprint_is_that_of_the_standard() {
        let jwk = json!({
            "kty": "EC", "crv": "P-256",
            "x": "l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs",
            "y": "9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA"
        });
        let thumbprint = PublicKey::read(&jwk).unwrap().thumbprint();
        assert_eq!(thumbprint, "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I");
    }
}
