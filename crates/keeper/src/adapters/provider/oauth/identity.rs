//! Verifies the signature of ID tokens. Their claims are checked in `session::oauth::id_token`.

use std::sync::Arc;
use std::time::Duration;

use api::Problem;
use serde_json::Value;
use session::limits;
use session::oauth;
use session::oauth::id_token::{self, Expected, Holder, IdTokenProblem, Person, Tried};
use session::oauth::token::TokenAnswer;
use session::patience::Patience;
use session::time::Timestamp;
use session::tokens::{AccessToken, Account, Secret};
use session::wire::jwt;

use super::key_set::{self, KeySet};
use crate::adapters::clock;
use crate::adapters::patience::within;
use crate::adapters::provider::Provider;

#[derive(Default)]
pub(super) struct Keys {
    set: Arc<KeySet>,
    since: Option<Timestamp>,
    /// A token was signed by none of them.
    doubted: bool,
    /// No refresh fetches them before then.
    next: Timestamp,
}

enum Signature {
    By(String, Value),
    Nobody(Problem),
    Unreadable,
}

pub(super) struct Unproved {
    pub(super) problem: Problem,
    pub(super) of_another: bool,
}

impl Provider {
    pub(super) fn person(
        &self,
        id_token: &Secret,
        nonce: Option<&Secret>,
        access_token: Option<&AccessToken>,
        provider: &oauth::Provider,
    ) -> Result<(Person, Value), Unproved> {
        let unproved = |problem| Unproved { problem, of_another: false };
        let (algorithm, claims) = match self.try_signature(id_token, provider) {
            Signature::By(algorithm, claims) => (algorithm, claims),
            Signature::Nobody(problem) => return Err(unproved(problem)),
            Signature::Unreadable => return Err(unproved(Problem::IdTokenUnreadable)),
        };
        let expected = Expected {
            issuer: provider.metadata.issuer.as_deref().unwrap_or_default(),
            client_id: &provider.client.id,
            nonce,
            access_token,
            algorithm: &algorithm,
            now: self.oauth.now(&provider.metadata.token_endpoint),
        };
        match id_token::check(&claims, &expected) {
            Ok(person) => Ok((person, claims)),
            Err(wrong) => {
                Err(Unproved { problem: problem(wrong), of_another: wrong.is_of_another_sign_in() })
            }
        }
    }

    /// Sends nothing, because the tokens are already in hand.
    pub(super) fn holder(
        &self,
        account: &Account,
        answer: &TokenAnswer,
        provider: &oauth::Provider,
    ) -> Holder {
        let (Some(id_token), Some(before)) = (&answer.id_token, &account.identity) else {
            return Holder::Same;
        };
        let signature = self.try_signature(id_token, provider);
        let tried = match &signature {
            Signature::By(_, claims) => Tried::Verified(claims),
            Signature::Nobody(_) => Tried::Unproved,
            Signature::Unreadable => Tried::Unreadable,
        };
        let issuer = provider.metadata.issuer.as_deref().unwrap_or_default();
        id_token::holder(tried, issuer, &provider.client.id, before)
    }

    fn try_signature(&self, id_token: &Secret, provider: &oauth::Provider) -> Signature {
        let Some(header) = id_token::header(id_token) else { return Signature::Unreadable };
        let allowed = id_token::algorithms(&provider.metadata);
        if !allowed.contains(&header.algorithm.as_str()) {
            return Signature::Nobody(key_set::not_taken(&header.algorithm));
        }
        let set = {
            let facts = self.oauth.lock();
            Arc::clone(&facts.keys.set)
        };
        if set.is_empty() {
            return Signature::Nobody(Problem::KeysAbsent);
        }
        if set.verifies(id_token, &header) {
            return match jwt::claims(id_token.expose()) {
                Some(claims) => Signature::By(header.algorithm, claims),
                None => Signature::Unreadable,
            };
        }
        self.oauth.lock().keys.doubted = true;
        Signature::Nobody(Problem::KeysOther)
    }

    pub(super) fn lacks_keys(&self, provider: &oauth::Provider) -> bool {
        let published = provider.metadata.jwks_uri.is_some() && provider.metadata.issuer.is_some();
        published && self.oauth.lock().keys.since.is_none()
    }

    pub(super) async fn refresh_keys(
        &self,
        provider: &oauth::Provider,
        age: Duration,
        patience: &mut Patience,
    ) {
        let (Some(uri), Some(_)) = (&provider.metadata.jwks_uri, &provider.metadata.issuer) else { return };
        if !self.oauth.lock().keys.are_wanted(age, clock::now()) {
            return;
        }
        let problem = match self.document(uri, patience).await {
            Ok(received) if received.status == 200 => {
                // A set may have thousands of keys, and this thread serves all sessions.
                let reading = tokio::task::spawn_blocking(move || KeySet::read(&received.body));
                match within(patience, reading).await {
                    Some(Ok(Some(set))) => return self.oauth.lock().keys.take(set, clock::now()),
                    _ => "they are not readable".to_owned(),
                }
            }
            Ok(received) => format!("status {}", received.status),
            Err(trouble) => api::words::word(&trouble),
        };
        tracing::info!(profile = self.profile.name, problem, "the provider's keys cannot be had");
        self.oauth.lock().keys.next = clock::now() + limits::KEYS_LATER;
    }
}

impl Keys {
    fn are_wanted(&self, age: Duration, now: Timestamp) -> bool {
        let Some(since) = self.since else { return age <= limits::KEYS_AGAIN || now >= self.next };
        let old = now.since(since) >= if self.doubted { limits::KEYS_AGAIN } else { age };
        old && (age <= limits::KEYS_AGAIN || now >= self.next)
    }

    fn take(&mut self, set: KeySet, now: Timestamp) {
        *self = Self { set: Arc::new(set), since: Some(now), doubted: false, next: now };
    }
}

fn problem(wrong: IdTokenProblem) -> Problem {
    match wrong {
        IdTokenProblem::AccessToken => Problem::IdTokenOfAnother,
        IdTokenProblem::Algorithm => Problem::IdTokenAlgorithm,
        IdTokenProblem::Audience => Problem::IdTokenAudience,
        IdTokenProblem::Expired => Problem::IdTokenExpired,
        IdTokenProblem::Issuer => Problem::IdTokenIssuer,
        IdTokenProblem::Missing(claim) => Problem::IdTokenMissing { claim: claim.to_owned() },
        IdTokenProblem::Nonce => Problem::IdTokenNonce,
        IdTokenProblem::NotYet => Problem::IdTokenEarly,
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::net::TcpListener;
    use std::path::Path;
    use std::pin::pin;
    use std::sync::mpsc;
    use std::thread;

    use session::bounds;
    use tokio::runtime::Builder;
    use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

    use super::*;
    use crate::adapters::http::Http;
    use crate::config::{Config, Protocol};

    /// Row H14.
    /// With the only blocking thread taken the set is not read, and this thread still runs.
    #[test]
    fn thousands_of_keys_are_read_where_nobody_else_waits() {
        let runtime = Builder::new_current_thread().enable_all().max_blocking_threads(1).build().unwrap();
        let (issuer, mut fetched) = publish(thousands_of_keys());
        let text = format!(
            "[profile.a]\ntimeout = '60s'\n[profile.a.oauth]\nissuer = '{issuer}'\nclient_id = 'x'\n\
             endpoints = {{ token = '{issuer}/token', jwks_uri = '{issuer}/jwks' }}\n"
        );
        let config = Config::read(&text, Path::new("/nowhere.toml"));
        let profile = Arc::new(config.profiles[0].clone());
        let Protocol::Oauth(oauth) = &profile.protocol else { panic!("{:?}", config.mistakes) };
        let provider = Provider::new(Arc::clone(&profile), Http::default());
        runtime.block_on(async {
            let patience = &mut Patience::new(profile.timeout);
            let described = provider.described(oauth, patience).await.unwrap();
            provider.way_to(&issuer, patience).await.unwrap();
            let (give_back, given_back) = mpsc::channel::<()>();
            let taken = tokio::task::spawn_blocking(move || given_back.recv());
            let everybody_else = async {
                fetched.recv().await.unwrap();
                for _ in 0..100 {
                    tokio::task::yield_now().await;
                }
            };
            let mut refreshing = pin!(provider.refresh_keys(&described, limits::KEYS_AGAIN, patience));
            tokio::select! {
                biased;
                () = &mut refreshing => panic!("everybody else has waited for the set to be read"),
                () = everybody_else => {}
            }
            give_back.send(()).unwrap();
            taken.await.unwrap().unwrap();
            refreshing.await;
            assert_eq!(provider.oauth.lock().keys.set.len(), bounds::KEYS);
        });
    }

    /// 1024 bits, so that many fit into an answer.
    fn thousands_of_keys() -> String {
        let key = |n: usize| format!(r#"{{"kty":"RSA","n":"{n:A>171}","e":"AQAB"}}"#);
        let keys: Vec<String> = (0..THOUSANDS).map(key).collect();
        format!(r#"{{"keys":[{}]}}"#, keys.join(","))
    }

    const THOUSANDS: usize = 5000;

    fn publish(body: String) -> (String, UnboundedReceiver<()>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let issuer = format!("http://{}", listener.local_addr().unwrap());
        let (tell, told) = unbounded_channel();
        thread::spawn(move || {
            for mut stream in listener.incoming().map_while(Result::ok) {
                let length = body.len();
                let head =
                    format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n");
                drop(stream.read(&mut [0; 4096]));
                drop(stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body.as_bytes())));
                drop(stream.read(&mut [0; 1]));
                tell.send(()).ok();
            }
        });
        (issuer, told)
    }

    fn at(seconds: u64) -> Timestamp {
        Timestamp::from_millis(seconds * 1000)
    }

    #[test]
    fn keys_are_asked_for_when_somebody_needs_newer_ones() {
        let (sign_in, refresh) = (limits::KEYS_AGAIN, limits::DESCRIBED);
        let mut keys = Keys::default();
        assert!(keys.are_wanted(sign_in, at(0)) && keys.are_wanted(refresh, at(0)), "there are none");
        keys.next = at(3600);
        assert!(keys.are_wanted(sign_in, at(1)), "a sign-in cannot do without");
        assert!(!keys.are_wanted(refresh, at(3599)) && keys.are_wanted(refresh, at(3600)));
        keys.take(KeySet::default(), at(4000));
        assert!(!keys.are_wanted(sign_in, at(4059)) && keys.are_wanted(sign_in, at(4060)));
        assert!(!keys.are_wanted(refresh, at(90_399)) && keys.are_wanted(refresh, at(90_400)));
        keys.doubted = true;
        assert!(!keys.are_wanted(refresh, at(4059)) && keys.are_wanted(refresh, at(4060)));
    }
}
