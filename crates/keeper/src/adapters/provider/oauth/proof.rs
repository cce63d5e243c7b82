//! Proofs of possession (RFC 9449), and another try with the provider's nonce.

use std::future::Future;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use session::oauth::clocks::explains_refusal;
use session::oauth::dpop::{Proof, PublicKey};
use session::oauth::dpop::{refuses_proof, wants_nonce};
use session::reason::Trouble;
use session::tokens::{AccessToken, Secret};
use url::Url;
use zeroize::Zeroizing;

use super::Known;
use crate::adapters::http::Received;

pub(super) struct Key {
    pair: EcdsaKeyPair,
    public: PublicKey,
}

impl Key {
    /// The secret is base64url of PKCS #8.
    pub(super) fn generate() -> Option<(Self, Secret)> {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).ok()?;
        let document = pair.to_pkcs8v1().ok()?;
        let written = Secret::new(URL_SAFE_NO_PAD.encode(document.as_ref()));
        Some((Self::of(pair)?, written))
    }

    pub(super) fn read(written: &Secret) -> Option<Self> {
        let document = Zeroizing::new(URL_SAFE_NO_PAD.decode(written.expose()).ok()?);
        Self::of(EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &document).ok()?)
    }

    pub(super) fn thumbprint(&self) -> String {
        self.public.thumbprint()
    }

    fn of(pair: EcdsaKeyPair) -> Option<Self> {
        // An uncompressed point: 4, x, y (SEC 1, section 2.3.3).
        let point = pair.public_key().as_ref();
        let (x, y) = point.strip_prefix(&[4])?.split_at_checked(32)?;
        let public = PublicKey::new(x.try_into().ok()?, y.try_into().ok()?);
        Some(Self { pair, public })
    }

    fn sign(&self, proof: &Proof<'_>) -> Option<Secret> {
        let input = proof.signing_input(&self.public);
        let signature = self.pair.sign(&SystemRandom::new(), input.as_bytes()).ok()?;
        Some(Proof::signed(&input, signature.as_ref()))
    }
}

pub(in crate::adapters::provider) struct Proving<'a> {
    known: &'a Known,
    method: &'a str,
    url: &'a Url,
    token: Option<&'a AccessToken>,
    key: Option<Key>,
    /// There is a key that cannot be read. Without a proof the provider would refuse.
    broken: bool,
}

impl<'a> Proving<'a> {
    pub(super) fn new(
        known: &'a Known,
        method: &'a str,
        url: &'a Url,
        token: Option<&'a AccessToken>,
        proof_key: Option<&Secret>,
    ) -> Self {
        let bearer = token.is_some_and(|token| token.token_type() == session::tokens::TokenType::Bearer);
        let wanted = proof_key.filter(|_| !bearer);
        let key = wanted.and_then(Key::read);
        Self { known, method, url, token, broken: wanted.is_some() && key.is_none(), key }
    }

    pub(in crate::adapters::provider) async fn send<F>(
        &self,
        send: impl Fn(Option<(String, Secret)>) -> F,
    ) -> Result<Received, Trouble>
    where
        F: Future<Output = Result<Received, Trouble>>,
    {
        if self.broken {
            return Err(Trouble::Misconfigured);
        }
        let Some(key) = &self.key else {
            let received = send(None).await?;
            self.known.heard(self.url, &received);
            return Ok(received);
        };
        let (mut nonce_sent, mut dated_anew) = (false, false);
        loop {
            let nonce = self.known.lock().nonces.get(self.url.as_str()).map(str::to_owned);
            let dated = self.known.now(self.url.as_str());
            let proof = self.proof(key, nonce.as_deref(), dated).ok_or(Trouble::Misconfigured)?;
            let received = send(Some(("DPoP".to_owned(), proof))).await?;
            self.known.heard(self.url, &received);
            let challenges = received.header("www-authenticate").unwrap_or_default();
            if self.asks_for_nonce(&received, challenges, nonce.as_deref(), nonce_sent) {
                nonce_sent = true;
                continue;
            }
            let by_its_date = refuses_proof(&received.answer(), challenges)
                && received.date().is_some_and(|theirs| explains_refusal(dated, theirs));
            if by_its_date && !dated_anew {
                dated_anew = true;
                continue;
            }
            return Ok(received);
        }
    }

    /// Returns whether the answer refused the request only for lack of this nonce.
    fn asks_for_nonce(&self, received: &Received, challenges: &str, sent: Option<&str>, again: bool) -> bool {
        let offered = received.header("dpop-nonce");
        let nonces = &mut self.known.lock().nonces;
        if wants_nonce(&received.answer(), challenges) {
            return nonces.again(self.url.as_str(), sent, offered, again);
        }
        if let Some(offered) = offered {
            nonces.heard(self.url.as_str(), offered);
        }
        false
    }

    fn proof(&self, key: &Key, nonce: Option<&str>, dated: i64) -> Option<Secret> {
        let mut jti = [0; 16];
        aws_lc_rs::rand::fill(&mut jti).ok()?;
        key.sign(&Proof {
            method: self.method,
            url: self.url.as_str(),
            jti,
            iat: dated,
            access_token: self.token,
            nonce,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_the_same_after_it_was_written_down() {
        let (key, written) = Key::generate().unwrap();
        assert_eq!(Key::read(&written).unwrap().thumbprint(), key.thumbprint());
        assert!(Key::read(&Secret::new("AAAA")).is_none() && Key::read(&Secret::new("!")).is_none());
        let other = Key::generate().unwrap().0;
        assert_ne!(other.thumbprint(), key.thumbprint());
    }
}
