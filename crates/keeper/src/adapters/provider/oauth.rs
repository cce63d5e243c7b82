mod desk;
pub(super) mod discovery;
mod identity;
mod key_set;
pub(super) mod landing;
pub(super) mod loopback;
mod on_device;
mod proof;
mod refusal;
mod sign_in;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use api::{Code, Failure, Grant, Problem};
use reqwest::Method;
use reqwest::header::{ACCEPT, HeaderValue};
use session::limits;
use session::oauth;
use session::oauth::clocks::Clocks;
use session::oauth::dpop::Nonces;
use session::oauth::endings::{TokenToEnd, read_revocation};
use session::oauth::id_token::Holder;
use session::oauth::probe::{self, Opinion, Probe};
use session::oauth::token::{Refreshed, read_refresh};
use session::patience::Patience;
use session::reason::Trouble;
use session::time::Timestamp;
use session::tokens::{AccessToken, Account, RefreshToken, Secret};
use session::verdict::Beat;
use session::verdict::RevocationAnswer;
use session::verdict::Verdict;
use session::wire::message::Message;
use tokio::task::AbortHandle;
use url::Url;

use super::{Bought, Opening, Provider, Unwanted};
use crate::adapters::clock;
use crate::adapters::http::{self, Client, Received};
use crate::config::{self, Oauth};

use identity::Keys;
use proof::Proving;

#[derive(Default)]
pub(super) struct Known(Mutex<Facts>);

#[derive(Default)]
struct Facts {
    provider: Option<Arc<oauth::Provider>>,
    stale: Timestamp,
    keys: Keys,
    landing: Option<AbortHandle>,
    nonces: Nonces,
    clocks: Clocks,
    no_introspection: bool,
}

impl Known {
    fn lock(&self) -> MutexGuard<'_, Facts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn provider(&self) -> Option<Arc<oauth::Provider>> {
        self.lock().provider.clone()
    }

    /// An outdated description may have caused the failure, so it is fetched again before the next try.
    pub(super) fn doubt(&self) {
        self.lock().stale = Timestamp::default();
    }

    pub(super) fn lacks_device(&self) -> bool {
        self.provider().is_some_and(|provider| provider.metadata.device_authorization_endpoint.is_none())
    }

    /// Seconds since 1970, by the estimated clock of that server.
    fn now(&self, url: &str) -> i64 {
        self.lock().clocks.at(url, clock::now()).unwrap_or_else(|| clock::wall_ms() / 1000)
    }

    fn heard(&self, url: &Url, received: &Received) {
        if let Some(date) = received.date() {
            self.lock().clocks.heard(url.as_str(), date, clock::now());
        }
    }
}

impl Provider {
    /// Each attempt has the full timeout of a message.
    async fn say(&self, message: &Message, proof_key: Option<&Secret>) -> Result<Received, Trouble> {
        let way = self.way_to(&message.path, &mut Patience::new(self.profile.timeout)).await?;
        self.say_there(way, message, proof_key).await
    }

    async fn say_there(
        &self,
        (client, url): (Client, Url),
        message: &Message,
        proof_key: Option<&Secret>,
    ) -> Result<Received, Trouble> {
        let proving = Proving::new(&self.oauth, &message.method, &url, None, proof_key);
        let (client, url, timeout) = (&client, &url, self.profile.timeout);
        let send = |proof: Option<(String, Secret)>| async move {
            let more: Vec<_> = proof.into_iter().collect();
            http::exchange(client, url, message, &more, &mut Patience::new(timeout)).await
        };
        proving.send(send).await
    }

    async fn document(&self, address: &str, patience: &mut Patience) -> Result<Received, Trouble> {
        let (client, url) = self.way_to(address, patience).await?;
        let received = http::exchange(&client, &url, &Message::get(address), &[], patience).await?.whole()?;
        self.oauth.heard(&url, &received);
        Ok(received)
    }

    async fn way_to(&self, address: &str, patience: &mut Patience) -> Result<(Client, Url), Trouble> {
        let url = Url::parse(address).map_err(|_| Trouble::Misconfigured)?;
        let client = self.client(&url, patience).await?;
        Ok((client, url))
    }

    pub(super) fn proving<'a>(
        &'a self,
        method: &'a str,
        url: &'a Url,
        token: Option<&'a AccessToken>,
        account: &'a Account,
    ) -> Proving<'a> {
        Proving::new(&self.oauth, method, url, token, account.proof_key.as_ref())
    }

    pub(super) async fn refresh_by_oauth(
        &self,
        oauth: &Oauth,
        token: &RefreshToken,
        account: &Account,
    ) -> Bought {
        // After the token is sent nothing else is waited for, so metadata come first, within one timeout.
        let mut patience = Patience::new(self.profile.timeout);
        let provider = match self.described(oauth, &mut patience).await {
            Ok(provider) => provider,
            Err(undescribed) => return undescribed.verdict().into(),
        };
        if account.identity.is_some() {
            self.refresh_keys(&provider, limits::DESCRIBED, &mut patience).await;
        }
        // A client of this grant keeps its secret in place of a refresh token.
        let by_secret = oauth.grant == Grant::ClientCredentials;
        let message = if by_secret {
            with_secret(&provider, token).client_credentials()
        } else {
            provider.refresh(token)
        };
        let way = match self.way_to(&message.path, &mut patience).await {
            Ok(way) => way,
            Err(trouble) => return Verdict::Unsent { trouble, status: None, retry_after: None }.into(),
        };
        let received = match self.say_there(way, &message, account.proof_key.as_ref()).await {
            Ok(received) => received,
            Err(trouble) => {
                return Verdict::Transient { trouble, status: None, retry_after: None }.into();
            }
        };
        let status = received.status;
        let refreshed = read_refresh(&received.answer(), received.clock(), &oauth.reading);
        let mut refreshed = if by_secret { refreshed.of_client(status) } else { refreshed };
        if let Refreshed::Fresh(answer) = &mut refreshed {
            match self.holder(account, answer, &provider) {
                Holder::Same => {}
                Holder::Odd(what) => answer.tokens.odd = Some(what),
                Holder::Another => {
                    tracing::warn!(profile = self.profile.name, "a refresh brought somebody else's tokens");
                    let refresh = answer.tokens.refresh.clone().or_else(|| by_secret.then(|| token.clone()));
                    return Bought {
                        verdict: Verdict::Misconfigured { trouble: Trouble::Identity, status: Some(status) },
                        give_back: Some(Unwanted { refresh, access: answer.tokens.access.clone() }),
                        said: None,
                    };
                }
            }
        }
        let verdict = refreshed.into_verdict();
        if matches!(verdict, Verdict::Misconfigured { .. }) {
            self.oauth.doubt();
        }
        let secret = provider.client.secret.as_ref().map(Secret::expose).filter(|secret| !secret.is_empty());
        let sent: Vec<&str> = secret.into_iter().chain([token.expose()]).collect();
        Bought::read(verdict, &received, &sent)
    }

    pub(super) async fn probe(&self, oauth: &Oauth, token: &AccessToken, account: &Account) -> Beat {
        let silent = |trouble| Beat::Silent { trouble, status: None };
        let provider = match self.described(oauth, &mut Patience::new(self.profile.timeout)).await {
            Ok(provider) => provider,
            Err(undescribed) => return silent(undescribed.trouble()),
        };
        match self.chosen_probe(oauth, &provider) {
            Probe::Introspection => {
                let Some(message) = provider.introspect(TokenToEnd::Access(token)) else {
                    return silent(Trouble::Misconfigured);
                };
                match self.say(&message, account.proof_key.as_ref()).await {
                    Ok(received) => {
                        let forbidden = probe::forbids_introspection(&received.answer());
                        self.oauth.lock().no_introspection = forbidden;
                        probe::introspected(&received.answer())
                    }
                    Err(trouble) => silent(trouble),
                }
            }
            Probe::Userinfo => {
                let Some(opening) = userinfo(&provider) else { return silent(Trouble::Misconfigured) };
                let subject = account.identity.as_ref().map(|identity| identity.subject.as_str());
                match self.look_at(&opening, token, account, self.profile.timeout).await {
                    Ok(received) => probe::shown(&received.answer(), &opinion(oauth, &received), subject),
                    Err(trouble) => silent(trouble),
                }
            }
            Probe::Resource => {
                let readable = self.profile.resources.iter().find(|resource| resource.method == "GET");
                let url = readable.and_then(|resource| http::join(&self.profile.url, &resource.path).ok());
                let Some(url) = url else { return Beat::Good };
                let opening = Opening { method: Method::GET, url, headers: Vec::new(), body: None };
                match self.look_at(&opening, token, account, self.profile.timeout).await {
                    Ok(received) => probe::opened(&received.answer(), &opinion(oauth, &received)),
                    Err(trouble) => silent(trouble),
                }
            }
            Probe::None => Beat::Good,
        }
    }

    fn chosen_probe(&self, oauth: &Oauth, provider: &oauth::Provider) -> Probe {
        let may_introspect = !self.oauth.lock().no_introspection;
        oauth.probe.unwrap_or_else(|| provider.best_probe(may_introspect))
    }

    pub(super) fn probed_host(&self, oauth: &Oauth) -> String {
        let described = self.oauth.provider();
        let asked = described.and_then(|provider| match self.chosen_probe(oauth, &provider) {
            Probe::Introspection => Url::parse(provider.metadata.introspection_endpoint.as_deref()?).ok(),
            Probe::Userinfo => userinfo(&provider).map(|opening| opening.url),
            Probe::Resource => Some(self.profile.url.clone()),
            Probe::None => None,
        });
        asked.map_or_else(|| self.profile.host(), |url| config::host(&url))
    }

    pub(super) async fn revoke_by_oauth(&self, oauth: &Oauth, unwanted: &Unwanted) -> RevocationAnswer {
        let provider = match self.described(oauth, &mut Patience::new(self.profile.timeout)).await {
            Ok(provider) => provider,
            Err(undescribed) => {
                return RevocationAnswer::Trouble { trouble: undescribed.trouble(), status: None };
            }
        };
        let by_client = oauth.grant == Grant::ClientCredentials;
        let with_secret =
            unwanted.refresh.as_ref().filter(|_| by_client).map(|secret| with_secret(&provider, secret));
        let messages = revocations(with_secret.as_ref().unwrap_or(&provider), unwanted, by_client);
        let mut told = RevocationAnswer::Unsupported;
        for message in messages {
            // A revocation needs no proof.
            told = told.and(match self.say(&message, None).await {
                Ok(received) => read_revocation(&received.answer()),
                Err(trouble) => RevocationAnswer::Trouble { trouble, status: None },
            });
            if matches!(told, RevocationAnswer::Trouble { .. }) {
                break;
            }
        }
        told
    }
}

/// Revoking the refresh token usually revokes the rest (RFC 7009, section 2.1).
fn revocations(provider: &oauth::Provider, unwanted: &Unwanted, no_refresh: bool) -> Vec<Message> {
    let refresh = unwanted.refresh.as_ref().filter(|_| !no_refresh);
    let refresh = refresh.and_then(|token| provider.revoke(TokenToEnd::Refresh(token)));
    let access = unwanted.access.as_ref().and_then(|token| provider.revoke(TokenToEnd::Access(token)));
    refresh.into_iter().chain(access).collect()
}

fn userinfo(provider: &oauth::Provider) -> Option<Opening> {
    let url = Url::parse(provider.metadata.userinfo_endpoint.as_deref()?).ok()?;
    let headers = vec![(ACCEPT, HeaderValue::from_static("application/json"))];
    Some(Opening { method: Method::GET, url, headers, body: None })
}

fn with_secret(provider: &oauth::Provider, secret: &RefreshToken) -> oauth::Provider {
    let mut provider = provider.clone();
    provider.client.secret = Some(Secret::new(secret.expose()));
    if provider.client.auth == oauth::client::ClientAuth::None {
        let supported = &provider.metadata.token_endpoint_auth_methods_supported;
        provider.client.auth = oauth::client::ClientAuth::suited(supported, true);
    }
    provider
}

pub(super) fn opinion(oauth: &Oauth, received: &Received) -> Opinion {
    let challenges = received.header("www-authenticate").unwrap_or_default();
    probe::opinion(&received.answer(), challenges, &oauth.rejects)
}

pub(super) fn unsupported(problem: Problem) -> Failure {
    Failure::new(Code::WayUnsupported).because(problem)
}
