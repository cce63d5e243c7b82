//! Proof of possession (RFC 9449): what is signed, and the nonces. The adapter has the key, and signs.

use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::address::Address;
use super::challenge::{self, Meaning};
use super::error::{ErrorKind, ProviderError};
use crate::bounds;
use crate::tokens::{AccessToken, Secret};
use crate::wire::answer::Answer;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicKey {
    x: String,
    y: String,
}

#[derive(Clone, Copy, Debug)]
pub struct Proof<'a> {
    pub method: &'a str,
    pub url: &'a str,
    pub jti: [u8; 16],
    /// Seconds since 1970, by the best estimate of the provider's clock.
    pub iat: i64,
    /// Only at a protected resource.
    pub access_token: Option<&'a AccessToken>,
    pub nonce: Option<&'a str>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Nonces(BTreeMap<String, String>);

impl PublicKey {
    /// The coordinates of the point, big end first.
    pub fn new(x: &[u8; 32], y: &[u8; 32]) -> Self {
        Self { x: URL_SAFE_NO_PAD.encode(x), y: URL_SAFE_NO_PAD.encode(y) }
    }

    /// Only what belongs to the key: a `kid` would be the provider's to give.
    pub fn jwk(&self) -> Value {
        json!({ "kty": "EC", "crv": "P-256", "x": self.x, "y": self.y })
    }

    pub fn thumbprint(&self) -> String {
        thumbprint(&self.jwk()).unwrap_or_default()
    }
}

impl Proof<'_> {
    pub fn signing_input(&self, key: &PublicKey) -> String {
        let header = json!({ "typ": "dpop+jwt", "alg": "ES256", "jwk": key.jwk() });
        let encoded = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        [encoded(&header), encoded(&self.claims())].join(".")
    }

    /// The `DPoP` header, from the 64 bytes of a JWS signature (r and s).
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
    pub fn get(&self, url: &str) -> Option<&str> {
        self.0.get(&Address::read(url)?.origin()).map(String::as_str)
    }

    /// Takes the `DPoP-Nonce` of every answer, good or bad, because servers renew them at any time.
    pub fn heard(&mut self, url: &str, nonce: &str) {
        let Some(address) = Address::read(url).filter(|_| is_nonce(nonce)) else { return };
        if self.0.len() >= bounds::ORIGINS {
            self.0.clear();
        }
        self.0.insert(address.origin(), nonce.to_string());
    }

    /// Whether to send the request again: once, and only with a nonce that was not in the proof already.
    pub fn again(&mut self, url: &str, sent: Option<&str>, offered: Option<&str>, retried: bool) -> bool {
        let Some(offered) = offered.filter(|offered| is_nonce(offered)) else { return false };
        self.heard(url, offered);
        !retried && sent != Some(offered)
    }
}

/// The thumbprint of a public key (RFC 7638, RFC 8037); `None` for an unknown kind of key.
pub fn thumbprint(jwk: &Value) -> Option<String> {
    let names: &[&str] = match jwk.get("kty")?.as_str()? {
        "EC" => &["crv", "kty", "x", "y"],
        "OKP" => &["crv", "kty", "x"],
        "RSA" => &["e", "kty", "n"],
        _ => return None,
    };
    // Written by hand, because the order of the members counts.
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

/// The URL without query and fragment (RFC 9449, section 4.2).
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
        && text.len() <= bounds::NONCE
        && text.bytes().all(|byte| byte.is_ascii_graphic() && !b"\"\\".contains(&byte))
}

/// Whether the answer or its challenges ask for a proof with a nonce (RFC 9449, sections 8 and 9).
pub fn wants_nonce(answer: &Answer<'_>, challenges: &str) -> bool {
    let said = || {
        let body = answer.read();
        body.json().and_then(ProviderError::of).is_some_and(|error| error.kind() == ErrorKind::Nonce)
    };
    let challenged = || challenge::meaning(answer.status, &challenge::parse(challenges)) == Meaning::UseNonce;
    matches!(answer.status, 400 | 401) && (challenged() || said())
}

/// Whether the answer refuses the proof itself (RFC 9449, sections 5 and 7.1).
pub fn refuses_proof(answer: &Answer<'_>, challenges: &str) -> bool {
    let is_it = |code: &str| code == "invalid_dpop_proof";
    let said = || answer.read().json().and_then(ProviderError::of).is_some_and(|error| is_it(&error.code));
    let challenged = || {
        let challenges = challenge::parse(challenges);
        challenges.iter().filter_map(|challenge| challenge.get("error")).any(is_it)
    };
    matches!(answer.status, 400 | 401) && (challenged() || said())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 9449, sections 8 and 9: a token endpoint says it in the body, a resource in its challenge.
    #[test]
    fn a_nonce_is_wanted_where_it_is_asked_for() {
        let wants = |status, challenges, body: &str| wants_nonce(&Answer::new(status, "", body), challenges);
        let (asked, other) = (r#"{"error":"use_dpop_nonce"}"#, r#"{"error":"invalid_grant"}"#);
        let (challenge, bearer) = ("DPoP error=\"use_dpop_nonce\"", "Bearer error=\"invalid_token\"");
        for (status, challenges, body, wanted) in [
            (400, "", asked, true),
            (401, challenge, "", true),
            (401, bearer, asked, true),
            (400, "", other, false),
            (401, bearer, other, false),
            (401, "", "", false),
            (200, challenge, asked, false),
            (403, challenge, asked, false),
        ] {
            assert_eq!(wants(status, challenges, body), wanted, "{status} {challenges} {body}");
        }
    }

    /// RFC 9449, sections 5 and 7.1.
    #[test]
    fn a_proof_is_refused_in_the_body_or_in_the_challenge() {
        let refuses =
            |status, challenges, body: &str| refuses_proof(&Answer::new(status, "", body), challenges);
        let (said, challenge) = (r#"{"error":"invalid_dpop_proof"}"#, "DPoP error=\"invalid_dpop_proof\"");
        assert!(refuses(400, "", said) && refuses(401, challenge, "") && refuses(401, challenge, said));
        assert!(!refuses(401, "DPoP", "{}") && !refuses(403, challenge, said));
    }

    /// The key of RFC 9449's examples.
    fn key() -> PublicKey {
        let bytes = |text: &str| URL_SAFE_NO_PAD.decode(text).unwrap().try_into().unwrap();
        PublicKey::new(
            &bytes("l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs"),
            &bytes("9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA"),
        )
    }

    fn proof(url: &str) -> Proof<'_> {
        Proof { method: "POST", url, jti: [7; 16], iat: 1_562_262_616, access_token: None, nonce: None }
    }

    fn parts(signing_input: &str) -> [Value; 2] {
        let (header, claims) = signing_input.split_once('.').unwrap();
        [header, claims].map(|part| serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap())
    }

    /// RFC 7638, section 3.1; RFC 8037, appendix A.3; RFC 9449, section 6.1.
    #[test]
    fn thumbprints_are_those_of_the_standards() {
        let rsa = json!({
            "kty": "RSA",
            "n": "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZ\
                  CiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZg\
                  nYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqb\
                  w0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw",
            "e": "AQAB",
            "alg": "RS256",
            "kid": "2011-04-29",
        });
        assert_eq!(thumbprint(&rsa).as_deref(), Some("NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"));
        let okp = json!({
            "kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
        });
        assert_eq!(thumbprint(&okp).as_deref(), Some("kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"));
        assert_eq!(key().thumbprint(), "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I");
        assert_eq!(thumbprint(&json!({ "kty": "oct", "k": "AAAA" })), None);
        assert_eq!(thumbprint(&json!({ "kty": "EC", "crv": "P-256", "x": "AA" })), None);
    }

    /// RFC 9449, sections 4.2 and 7.1.
    #[test]
    fn a_proof_says_what_it_has_to_and_nothing_else() {
        let [header, claims] = parts(&proof("https://server.example.com/token").signing_input(&key()));
        assert_eq!(
            header,
            json!({
                "typ": "dpop+jwt",
                "alg": "ES256",
                "jwk": {
                    "kty": "EC",
                    "crv": "P-256",
                    "x": "l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs",
                    "y": "9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA",
                },
            })
        );
        assert_eq!(
            claims,
            json!({
                "jti": "BwcHBwcHBwcHBwcHBwcHBw",
                "htm": "POST",
                "htu": "https://server.example.com/token",
                "iat": 1_562_262_616,
            })
        );
        let token = AccessToken::new("Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU");
        let proof = Proof {
            method: "GET",
            access_token: Some(&token),
            nonce: Some("eyJ7S_zG.eyJH0-Z.HX4w-7v"),
            ..proof("https://resource.example.org/protectedresource")
        };
        let [_, claims] = parts(&proof.signing_input(&key()));
        assert_eq!(claims["ath"], "fUHyO2r2Z3DZ53EsNrWBb0xWXoaNy59IiKCAqksmQEo");
        assert_eq!(claims["nonce"], "eyJ7S_zG.eyJH0-Z.HX4w-7v");
        assert!(!alloc::format!("{proof:?}").contains("Kz~8"));
        assert_eq!(Proof::signed("a.b", &[0xff, 0xfe]).expose(), "a.b.__4");
    }

    #[test]
    fn a_proof_names_the_address_without_query_and_fragment() {
        for (url, named) in [
            ("https://a.example/token?x=1#y", "https://a.example/token"),
            ("https://a.example/token#y?z", "https://a.example/token"),
            ("HTTPS://A.Example:443/Token", "https://a.example/Token"),
            ("http://127.0.0.1:3100/me", "http://127.0.0.1:3100/me"),
            ("https://a.example", "https://a.example/"),
            ("https://a.example?x", "https://a.example/"),
        ] {
            assert_eq!(parts(&proof(url).signing_input(&key()))[1]["htu"], named, "{url}");
        }
    }

    #[test]
    fn a_nonce_is_for_its_origin_and_buys_one_more_try() {
        let (token, path) = ("https://a.example/token", "https://A.example:443/other");
        let mut nonces = Nonces::default();
        assert_eq!(nonces.get(token), None);
        assert!(nonces.again(token, None, Some("n1"), false));
        assert_eq!(nonces.get(path), Some("n1"));
        assert_eq!(nonces.get("https://b.example/token"), None);
        assert_eq!(nonces.get("http://a.example/token"), None);
        assert!(nonces.again(token, Some("n1"), Some("n2"), false), "the old one ran out");
        assert!(!nonces.again(token, Some("n2"), Some("n3"), true), "once");
        assert_eq!(nonces.get(token), Some("n3"), "the next request has it all the same");
        assert!(!nonces.again(token, Some("n3"), Some("n3"), false), "it would only say the same");
        assert!(!nonces.again(token, None, None, false), "there is nothing to put in");
        nonces.heard(token, "n4");
        assert_eq!(nonces.get(token), Some("n4"));
        for nonsense in ["", "a b", "a\"b", "a\\b", "a\nb", &"n".repeat(2000)] {
            nonces.heard(token, nonsense);
            assert!(!nonces.again(token, None, Some(nonsense), false));
            assert_eq!(nonces.get(token), Some("n4"), "{nonsense}");
        }
    }

    #[test]
    fn a_thousand_origins_do_not_pile_up() {
        let mut nonces = Nonces::default();
        for number in 0..1000 {
            let url = alloc::format!("https://{number}.example/");
            nonces.heard(&url, "n");
            assert_eq!(nonces.get(&url), Some("n"));
        }
        assert!(nonces.0.len() <= bounds::ORIGINS);
    }
}
