//! ID tokens: their signature, with keys that the provider publishes. What they must say is checked in
//! `session::oauth::id_token`.

use std::time::Duration;

use jsonwebtoken::jwk::{Jwk, JwkSet, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde_json::Value;
use session::oauth;
use session::oauth::id_token::{self, Expected, IdTokenProblem, Person};
use session::recipe::Message;
use session::time::Timestamp;
use session::tokens::{AccessToken, Identity, Secret};

use crate::clock;
use crate::provider::Provider;

/// The provider's keys as they were last published.
#[derive(Default)]
pub(super) struct Keys {
    set: Option<JwkSet>,
    /// Not before then are they asked for again because of a token that none of them made.
    next: Timestamp,
}

/// What there is to verify with.
enum Signed {
    By(Algorithm, Value),
    /// By nobody who is known at the moment: the keys cannot be had, or are older than the signature.
    Unknown(String),
}

impl Provider {
    /// Who the ID token says that somebody is, or why that cannot be believed. With `before` it came of a refresh.
    pub(super) async fn person(
        &self,
        id_token: &Secret,
        nonce: Option<&Secret>,
        before: Option<&Identity>,
        access_token: Option<&AccessToken>,
        provider: &oauth::Provider,
    ) -> Result<Person, String> {
        let Some(issuer) = &provider.metadata.issuer else {
            return Err("the issuer is not known: write it into the profile".to_owned());
        };
        let (algorithm, claims) = match self.verify(id_token, provider).await? {
            Signed::By(algorithm, claims) => (format!("{algorithm:?}"), claims),
            // What a refresh brings came over the same TLS as the tokens themselves (OpenID Connect Core, section
            // 3.1.3.7, rule 6), and to drop a new refresh token would end the session: over keys that a cache still
            // has, or an algorithm that came into use today.
            Signed::Unknown(problem) => match before.and_then(|_| unverified(id_token)) {
                Some(claims) => ("RS256".to_owned(), claims),
                None => return Err(problem),
            },
        };
        let expected = Expected {
            issuer,
            client_id: &provider.client.id,
            nonce,
            access_token,
            algorithm: &algorithm,
            now: self.oauth.now(),
            before,
        };
        id_token::check(&claims, &expected).map_err(words)
    }

    async fn verify(&self, id_token: &Secret, provider: &oauth::Provider) -> Result<Signed, String> {
        let header = jsonwebtoken::decode_header(id_token.expose())
            .map_err(|_| "it is no signed token of a kind that is known".to_owned())?;
        let allowed = id_token::algorithms(&provider.metadata);
        let named = format!("{:?}", header.alg);
        if !allowed.contains(&named.as_str()) {
            let problem = format!("it is signed with {named}, which this provider does not name");
            return if is_asymmetric(header.alg) { Ok(Signed::Unknown(problem)) } else { Err(problem) };
        }
        let kid = header.kid.as_deref();
        if let Some(claims) = self.try_keys(id_token, header.alg, kid) {
            return Ok(Signed::By(header.alg, claims));
        }
        if let Err(problem) = self.fetch_keys(provider).await {
            return Ok(Signed::Unknown(problem));
        }
        if let Some(claims) = self.try_keys(id_token, header.alg, kid) {
            return Ok(Signed::By(header.alg, claims));
        }
        let problem = "none of the provider’s keys made its signature".to_owned();
        if self.has_key(header.alg, kid) { Err(problem) } else { Ok(Signed::Unknown(problem)) }
    }

    /// There is one that would have to have made the signature.
    fn has_key(&self, algorithm: Algorithm, kid: Option<&str>) -> bool {
        let facts = self.oauth.lock();
        facts.keys.set.as_ref().is_some_and(|set| set.keys.iter().any(|key| fits(key, algorithm, kid)))
    }

    fn try_keys(&self, id_token: &Secret, algorithm: Algorithm, kid: Option<&str>) -> Option<Value> {
        let facts = self.oauth.lock();
        let keys = facts.keys.set.as_ref()?.keys.iter();
        let mut fitting = keys.filter(|key| fits(key, algorithm, kid));
        fitting.find_map(|key| {
            let mut validation = Validation::new(algorithm);
            // These are checked, all of them, by the core.
            validation.required_spec_claims.clear();
            validation.validate_exp = false;
            validation.validate_aud = false;
            let key = DecodingKey::from_jwk(key).ok()?;
            jsonwebtoken::decode::<Value>(id_token.expose(), &key, &validation).ok().map(|data| data.claims)
        })
    }

    /// At most once a minute, however many tokens come with a key that nobody knows.
    async fn fetch_keys(&self, provider: &oauth::Provider) -> Result<(), String> {
        let Some(uri) = &provider.metadata.jwks_uri else {
            return Err("the provider publishes no keys".to_owned());
        };
        {
            let mut facts = self.oauth.lock();
            if clock::now() < facts.keys.next {
                return Ok(());
            }
            facts.keys.next = clock::now() + REFETCH;
        }
        let cannot = |problem: String| format!("the provider’s keys cannot be had: {problem}");
        let received = match self.say(&Message::get(uri), None).await {
            Ok(received) if received.status == 200 => received,
            outcome => {
                // Nothing was learned, so the next token may ask again.
                self.oauth.lock().keys.next = Timestamp::default();
                return Err(cannot(outcome.map_or_else(
                    |trouble| crate::words::word(&trouble),
                    |received| format!("status {}", received.status),
                )));
            }
        };
        let set = read_keys(&received.body).ok_or_else(|| cannot("they are not readable".to_owned()))?;
        self.oauth.lock().keys.set = Some(set);
        Ok(())
    }
}

/// A key of a kind that is not known must not spoil the others.
fn read_keys(body: &[u8]) -> Option<JwkSet> {
    let document: Value = serde_json::from_slice(body).ok()?;
    let keys = document.get("keys")?.as_array()?;
    let keys = keys.iter().filter_map(|key| serde_json::from_value::<Jwk>(key.clone()).ok()).collect();
    Some(JwkSet { keys })
}

/// The algorithm is the key's to say, where it says one, and never only the token's.
fn fits(key: &Jwk, algorithm: Algorithm, kid: Option<&str>) -> bool {
    let named = kid.is_none_or(|kid| key.common.key_id.as_deref() == Some(kid));
    let for_signatures = !matches!(key.common.public_key_use, Some(PublicKeyUse::Encryption));
    let alike = key
        .common
        .key_algorithm
        .is_none_or(|own| own.to_string().parse::<Algorithm>().is_ok_and(|own| own == algorithm));
    named && for_signatures && alike
}

/// Not made with a secret, which a public key could be taken for.
fn is_asymmetric(algorithm: Algorithm) -> bool {
    !matches!(algorithm, Algorithm::HS256 | Algorithm::HS384 | Algorithm::HS512)
}

fn unverified(id_token: &Secret) -> Option<Value> {
    jsonwebtoken::dangerous::insecure_decode::<Value>(id_token.expose()).ok().map(|data| data.claims)
}

fn words(problem: IdTokenProblem) -> String {
    match problem {
        IdTokenProblem::AccessToken => "it belongs to another access token".to_owned(),
        IdTokenProblem::Algorithm => "its signature is of a kind that proves nothing".to_owned(),
        IdTokenProblem::Audience => "it is for another client".to_owned(),
        IdTokenProblem::Expired => "it has run out".to_owned(),
        IdTokenProblem::Issuer => "it is of another issuer".to_owned(),
        IdTokenProblem::Missing(claim) => format!("it says no `{claim}`"),
        IdTokenProblem::Nonce => "it was issued for another sign-in".to_owned(),
        IdTokenProblem::NotYet => "it is not valid yet: compare the clocks".to_owned(),
        IdTokenProblem::Subject => "it is somebody else’s".to_owned(),
    }
}

const REFETCH: Duration = Duration::from_secs(60);
