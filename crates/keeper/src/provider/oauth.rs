//! Providers of OAuth 2.0 and OpenID Connect. What messages say and mean is decided in `session::oauth`; here they are
//! sent, proved and verified.

pub(super) mod discovery;
mod identity;
pub(super) mod landing;
mod loopback;
mod proof;
mod refusal;
mod sign_in;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use reqwest::Method;
use reqwest::header::{ACCEPT, HeaderValue};
use session::event::Beat;
use session::farewell::Told;
use session::oauth;
use session::oauth::challenge::{self, Meaning};
use session::oauth::dpop::Nonces;
use session::oauth::endings::{Activity, Revoked, Token, read_introspection, read_revocation, read_userinfo};
use session::oauth::error::Refusal;
use session::oauth::token::{Refreshed, TokenAnswer, read_refresh};
use session::reason::Trouble;
use session::recipe::Message;
use session::time::Timestamp;
use session::tokens::{AccessToken, Account, RefreshToken, Secret, Tokens};
use session::verdict::Verdict;
use tokio::task::AbortHandle;
use url::Url;

use super::json::silent_with;
use super::{Opening, Opinion, Provider, Unwanted};
use crate::api::{Code, Failure, Grant};
use crate::clock;
use crate::config::{Oauth, Probe};
use crate::http::{self, Received};

use identity::Keys;
use proof::Proving;

/// What was learned of a provider since the profile began. All of it can be learned again.
#[derive(Default)]
pub(super) struct Known(Mutex<Facts>);

#[derive(Default)]
struct Facts {
    provider: Option<Arc<oauth::Provider>>,
    /// When it is to be described anew.
    stale: Timestamp,
    keys: Keys,
    /// The port of the latest sign-in at a browser, which may be open still.
    landing: Option<AbortHandle>,
    nonces: Nonces,
    /// The provider's clock minus ours, in seconds.
    skew: i64,
    /// It has said that introspection is not for us.
    no_introspection: bool,
}

impl Known {
    fn lock(&self) -> MutexGuard<'_, Facts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The provider, if it has been described.
    pub(super) fn provider(&self) -> Option<Arc<oauth::Provider>> {
        self.lock().provider.clone()
    }

    /// A description that has grown old may be why something failed: it is asked for anew before the next try.
    pub(super) fn doubt(&self) {
        self.lock().stale = Timestamp::default();
    }

    pub(super) fn lacks_device(&self) -> bool {
        self.provider().is_some_and(|provider| provider.metadata.device_authorization_endpoint.is_none())
    }

    /// Seconds since 1970, by the best estimate of the provider's clock.
    fn now(&self) -> i64 {
        clock::wall_ms() / 1000 + self.lock().skew
    }

    fn heard(&self, received: &Received) {
        if let Some(date) = received.date() {
            self.lock().skew = date - clock::wall_ms() / 1000;
        }
    }
}

impl Provider {
    /// Sends a message to an endpoint of the provider, with a proof where there is a key.
    async fn say(&self, message: &Message, proof_key: Option<&Secret>) -> Result<Received, Trouble> {
        let url = Url::parse(&message.path).map_err(|_| Trouble::Misconfigured)?;
        let client = self.http.about_tokens(&url, self.profile.ca_file.as_deref()).map_err(|problem| {
            tracing::warn!(profile = self.profile.name, ?problem, "no HTTP client");
            Trouble::Misconfigured
        })?;
        let proving = Proving::new(&self.oauth, &message.method, &url, None, proof_key);
        let (client, url, timeout) = (&client, &url, self.profile.timeout);
        let received = proving
            .send(|proof| async move {
                http::exchange(client, url, message, &proof.into_iter().collect::<Vec<_>>(), timeout).await
            })
            .await?;
        self.oauth.heard(&received);
        Ok(received)
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
    ) -> Verdict {
        let provider = match self.described(oauth).await {
            Ok(provider) => provider,
            Err(undescribed) => return undescribed.verdict(),
        };
        // What such a client was given is its secret: that is what buys the next token.
        let by_secret = oauth.grant == Grant::ClientCredentials;
        let (provider, message) = if by_secret {
            let provider = Arc::new(with_secret(&provider, token));
            let message = provider.client_credentials();
            (provider, message)
        } else {
            let message = provider.refresh(token);
            (provider, message)
        };
        let received = match self.say(&message, account.proof_key.as_ref()).await {
            Ok(received) => received,
            Err(trouble) => return Verdict::Transient { trouble, status: None, retry_after: None },
        };
        let mut refreshed = read_refresh(&received.answer(), received.clock(), oauth.lifetime.as_ref());
        if let Refreshed::Fresh(answer) = &refreshed
            && let Err(problem) = self.is_still(account, answer, &provider).await
        {
            tracing::warn!(profile = self.profile.name, problem, "a refresh brought another identity");
            return Verdict::Misconfigured { trouble: Trouble::Identity, status: Some(received.status) };
        }
        if let Refreshed::Fresh(answer) = &mut refreshed
            && by_secret
        {
            // It stays that, also where a provider sends a refresh token (RFC 6749, section 4.4.3, says not to).
            answer.tokens.refresh = None;
        }
        let verdict = refreshed.into_verdict();
        if matches!(verdict, Verdict::Misconfigured { .. }) {
            self.oauth.doubt();
        }
        if verdict == Verdict::Dead && by_secret {
            // There is no refresh token whose end this could be: the client itself is refused.
            let status = Some(received.status);
            return Verdict::Misconfigured { trouble: Trouble::Misconfigured, status };
        }
        verdict
    }

    /// Nobody else's tokens are taken. Those that came are revoked: whoever they belong to did not give them to us.
    async fn is_still(
        &self,
        account: &Account,
        answer: &TokenAnswer,
        provider: &oauth::Provider,
    ) -> Result<(), String> {
        let (Some(id_token), Some(before)) = (&answer.id_token, &account.identity) else { return Ok(()) };
        let checked = self.person(id_token, None, Some(before), None, provider).await;
        let Err(problem) = checked else { return Ok(()) };
        self.give_back(provider, &answer.tokens).await;
        Err(problem)
    }

    /// Nobody here will use these.
    async fn give_back(&self, provider: &oauth::Provider, tokens: &Tokens) {
        let unwanted = Unwanted { refresh: tokens.refresh.clone(), access: tokens.access.clone() };
        for message in revocations(provider, &unwanted, false) {
            drop(self.say(&message, None).await);
        }
    }

    pub(super) async fn probe(&self, oauth: &Oauth, token: &AccessToken, account: &Account) -> Beat {
        let silent = |trouble, status| Beat::Silent { trouble, status };
        let provider = match self.described(oauth).await {
            Ok(provider) => provider,
            Err(undescribed) => return silent(undescribed.trouble(), None),
        };
        let probe = oauth.probe.unwrap_or_else(|| self.best_probe(&provider));
        match probe {
            Probe::Introspection => {
                let Some(message) = provider.introspect(Token::Access(token)) else {
                    return silent(Trouble::Misconfigured, None);
                };
                match self.say(&message, account.proof_key.as_ref()).await {
                    Ok(received) => match read_introspection(&received.answer()) {
                        Activity::Active => Beat::Good,
                        Activity::Inactive => Beat::SaysNo,
                        Activity::Unknown => {
                            // Most public clients may not ask; the next heartbeat asks something else.
                            self.oauth.lock().no_introspection = matches!(received.status, 400..500);
                            silent_with(received.status)
                        }
                    },
                    Err(trouble) => silent(trouble, None),
                }
            }
            Probe::Userinfo => {
                let Some(opening) = userinfo(&provider) else {
                    return silent(Trouble::Misconfigured, None);
                };
                let subject = account.identity.as_ref().map(|identity| identity.subject.as_str());
                self.look(oauth, &opening, token, account, |received| {
                    read_userinfo(&received.answer(), subject).is_some()
                })
                .await
            }
            Probe::Resource => {
                let readable = self.profile.resources.iter().find(|resource| resource.method == "GET");
                let url = readable.and_then(|resource| http::join(&self.profile.url, &resource.path).ok());
                let Some(url) = url else { return Beat::Good };
                let opening = Opening { method: Method::GET, url, headers: Vec::new(), body: None };
                self.look(oauth, &opening, token, account, |received| received.status < 400).await
            }
            // The core asks nobody where nothing is to be asked.
            Probe::None => Beat::Good,
        }
    }

    /// Opens something with the token, and says what that tells about it.
    async fn look(
        &self,
        oauth: &Oauth,
        opening: &Opening,
        token: &AccessToken,
        account: &Account,
        is_good: impl Fn(&Received) -> bool,
    ) -> Beat {
        match self.open(opening, token, account, self.profile.timeout).await {
            Ok(received) => match opinion(oauth, &received) {
                Opinion::Rejected => Beat::SaysNo,
                Opinion::Fine if is_good(&received) => Beat::Good,
                Opinion::Demands(_) | Opinion::Fine => silent_with(received.status),
            },
            Err(trouble) => Beat::Silent { trouble, status: None },
        }
    }

    /// Introspection tells of every token; the userinfo endpoint only of those that are not for somebody else.
    fn best_probe(&self, provider: &oauth::Provider) -> Probe {
        let may_introspect = !self.oauth.lock().no_introspection;
        if provider.metadata.introspection_endpoint.is_some() && may_introspect {
            Probe::Introspection
        } else if provider.opens_userinfo() {
            Probe::Userinfo
        } else {
            Probe::Resource
        }
    }

    pub(super) async fn revoke(&self, oauth: &Oauth, unwanted: &Unwanted) -> Told {
        let provider = match self.described(oauth).await {
            Ok(provider) => provider,
            Err(undescribed) => return Told::Trouble { trouble: undescribed.trouble(), status: None },
        };
        let by_client = oauth.grant == Grant::ClientCredentials;
        // Its secret is what it was given in place of a refresh token.
        let with_secret =
            unwanted.refresh.as_ref().filter(|_| by_client).map(|secret| with_secret(&provider, secret));
        let messages = revocations(with_secret.as_ref().unwrap_or(&provider), unwanted, by_client);
        let mut told = Told::Unsupported;
        for message in messages {
            // A revocation needs no proof: it opens nothing.
            told = told.and(match self.say(&message, None).await {
                Ok(received) => match read_revocation(&received.answer()) {
                    Revoked::Done => Told::Heard,
                    Revoked::Unsupported => Told::Unsupported,
                    Revoked::Not(refusal) => not_told(&refusal, received.status),
                },
                Err(trouble) => Told::Trouble { trouble, status: None },
            });
            if matches!(told, Told::Trouble { .. }) {
                break;
            }
        }
        told
    }
}

/// The refresh token first: with most providers everything else goes with it (RFC 7009, section 2.1).
fn revocations(provider: &oauth::Provider, unwanted: &Unwanted, no_refresh: bool) -> Vec<Message> {
    let refresh = unwanted.refresh.as_ref().filter(|_| !no_refresh);
    let refresh = refresh.and_then(|token| provider.revoke(Token::Refresh(token)));
    let access = unwanted.access.as_ref().and_then(|token| provider.revoke(Token::Access(token)));
    refresh.into_iter().chain(access).collect()
}

fn not_told(refusal: &Refusal, status: u16) -> Told {
    match refusal {
        Refusal::Trouble { trouble: Trouble::Suspect | Trouble::Misconfigured, .. }
        | Refusal::Provider { .. } => Told::Refused { status },
        Refusal::Trouble { trouble, .. } => Told::Trouble { trouble: *trouble, status: Some(status) },
        Refusal::UseNonce => Told::Trouble { trouble: Trouble::Status, status: Some(status) },
    }
}

/// What asks the userinfo endpoint, where there is one.
fn userinfo(provider: &oauth::Provider) -> Option<Opening> {
    let url = Url::parse(provider.metadata.userinfo_endpoint.as_deref()?).ok()?;
    let headers = vec![(ACCEPT, HeaderValue::from_static("application/json"))];
    Some(Opening { method: Method::GET, url, headers, body: None })
}

/// The client as the owner of that secret.
fn with_secret(provider: &oauth::Provider, secret: &RefreshToken) -> oauth::Provider {
    let mut provider = provider.clone();
    provider.client.secret = Some(Secret::new(secret.expose()));
    if provider.client.auth == oauth::client::ClientAuth::None {
        let supported = &provider.metadata.token_endpoint_auth_methods_supported;
        provider.client.auth = oauth::client::ClientAuth::suited(supported, true);
    }
    provider
}

/// What a resource's answer says about the token: its challenges first, then the profile's rules.
pub(super) fn opinion(oauth: &Oauth, received: &Received) -> Opinion {
    let challenges = challenge::parse(received.header("www-authenticate").unwrap_or_default());
    match challenge::meaning(received.status, &challenges) {
        Meaning::NeedsInteraction(interaction) => Opinion::Demands(interaction),
        Meaning::Refresh | Meaning::UseNonce => Opinion::Rejected,
        Meaning::Nothing if oauth.rejects.iter().any(|rule| rule.holds(&received.answer())) => {
            Opinion::Rejected
        }
        Meaning::Nothing => Opinion::Fine,
    }
}

pub(super) fn unsupported(problem: &str) -> Failure {
    Failure::new(Code::WayUnsupported).with("problem", problem)
}

/// How long a description is good for. Endpoints hardly ever move, and keys are asked for by themselves.
const DESCRIBED_FOR: Duration = Duration::from_secs(24 * 3600);
