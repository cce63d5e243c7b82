//! Signatures of ID tokens, good ones and others.

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64;
use serde_json::{Value, json};

pub(super) struct Signer(EcdsaKeyPair);

/// How a signature is not what it should be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Forged {
    /// By a key that nobody knows.
    ByStranger,
    /// With the public key as the secret, which anybody can do.
    ByPublicKey,
    #[default]
    No,
    /// There is none.
    Unsigned,
}

impl Signer {
    pub(super) fn new() -> Self {
        Self(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap())
    }

    pub(super) fn jwk(&self) -> Value {
        let point = self.0.public_key().as_ref();
        let (x, y) = (BASE64.encode(&point[1..33]), BASE64.encode(&point[33..]));
        json!({"kty": "EC", "crv": "P-256", "x": x, "y": y, "kid": "k1", "use": "sig", "alg": "ES256"})
    }

    pub(super) fn sign(&self, header: &Value, claims: &Value, forged: Forged) -> String {
        let alg = match forged {
            Forged::ByPublicKey => Some("HS256"),
            Forged::Unsigned => Some("none"),
            Forged::ByStranger | Forged::No => None,
        };
        let mut header = header.clone();
        if let Some(alg) = alg {
            header["alg"] = json!(alg);
        }
        let message = format!("{}.{}", BASE64.encode(header.to_string()), BASE64.encode(claims.to_string()));
        let by = |key: &Self| key.0.sign(&SystemRandom::new(), message.as_bytes()).unwrap();
        let signature = match forged {
            Forged::ByStranger => BASE64.encode(by(&Self::new())),
            Forged::ByPublicKey => {
                let secret = hmac::Key::new(hmac::HMAC_SHA256, self.0.public_key().as_ref());
                BASE64.encode(hmac::sign(&secret, message.as_bytes()))
            }
            Forged::No => BASE64.encode(by(self)),
            Forged::Unsigned => String::new(),
        };
        format!("{message}.{signature}")
    }
}

/// OpenID Connect Core, section 3.1.3.6.
pub(super) fn half_hash(access_token: &str) -> String {
    BASE64.encode(&digest(&SHA256, access_token.as_bytes()).as_ref()[..16])
}
