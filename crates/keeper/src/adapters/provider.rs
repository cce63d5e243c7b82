//! Sends the messages of `session::recipe` or `session::oauth`, and keeps only what can be fetched again.

mod json;
mod oauth;

use std::iter::once;
use std::sync::Arc;
use std::time::Duration;

use api::secret::Password;
use api::{Failure, Grant, Problem, Way};
use reqwest::Method;
use reqwest::header::{HeaderName, HeaderValue};
use session::bounds;
use session::interaction::Interaction;
use session::oauth::token;
use session::patience::Patience;
use session::reason::Trouble;
use session::tokens::{AccessToken, Account, RefreshToken, Secret, Tokens};
use session::verdict::Beat;
use session::verdict::RevocationAnswer;
use session::verdict::Verdict;
use session::wire::meaning::said;
use tokio::sync::oneshot;
use url::Url;

use crate::adapters::http::{self, Client, Http, NoClient, Received};
use crate::adapters::patience::within;
use crate::config::{Profile, Protocol};

pub(crate) use oauth::discovery::{describe, discover};
pub(crate) use oauth::landing::Landing;
pub(crate) use oauth::loopback::ByHand;
pub(crate) use session::oauth::probe::Opinion;

pub(crate) struct Provider {
    profile: Arc<Profile>,
    http: Http,
    oauth: oauth::Known,
}

pub(crate) struct SignedIn {
    pub(crate) tokens: Tokens,
    pub(crate) account: Account,
}

/// The result of a refresh. The caller revokes `give_back`, so that the answer is not delayed.
pub(crate) struct Bought {
    pub(crate) verdict: Verdict,
    /// Tokens of another person.
    pub(crate) give_back: Option<Unwanted>,
    /// What the provider says of a refusal.
    pub(crate) said: Option<String>,
}

pub(crate) struct SignInEnd {
    pub(crate) outcome: Result<SignedIn, Failure>,
    pub(crate) give_back: Option<Unwanted>,
    pub(crate) landing: Landing,
}

struct NotSignedIn {
    failure: Failure,
    give_back: Option<Unwanted>,
}

#[derive(Clone, Debug)]
pub(crate) enum Shown {
    Browser {
        url: Secret,
        /// The lifetime of a pushed request (RFC 9126), within which the URL must be opened.
        kept_for: Option<Duration>,
    },
    Device {
        user_code: String,
        verification_uri: String,
        verification_uri_complete: Option<String>,
    },
}

pub(crate) struct Begun {
    pub(crate) shown: Shown,
    pub(crate) lasts: Duration,
    /// Where a browser is to come back.
    pub(crate) by_hand: Option<ByHand>,
}

pub(crate) enum How {
    Browser,
    Device,
    Typed { username: String, password: Password },
}

pub(crate) struct Ties {
    pub(crate) begun: oneshot::Sender<Begun>,
    /// Dropped to cancel. It is only checked while waiting for a person, because an exchange is always finished.
    pub(crate) wanted: oneshot::Receiver<()>,
    pub(crate) demand: Option<Interaction>,
}

pub(crate) struct Opening {
    pub(crate) method: Method,
    pub(crate) url: Url,
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
    pub(crate) body: Option<String>,
}

pub(crate) struct Unwanted {
    pub(crate) refresh: Option<RefreshToken>,
    pub(crate) access: Option<AccessToken>,
}

impl Provider {
    pub(crate) fn new(profile: Arc<Profile>, http: Http) -> Self {
        Self { profile, http, oauth: oauth::Known::default() }
    }

    pub(crate) fn ways(&self) -> Vec<Way> {
        let Protocol::Oauth(oauth) = &self.profile.protocol else { return vec![Way::Password] };
        match oauth.grant {
            Grant::AuthorizationCode if self.oauth.lacks_device() => vec![Way::Browser],
            Grant::AuthorizationCode => vec![Way::Browser, Way::Device],
            Grant::ClientCredentials if oauth.client.secret.is_some() => vec![Way::Unattended],
            Grant::ClientCredentials => vec![Way::ClientSecret],
            Grant::DeviceCode => vec![Way::Device],
            Grant::Password => vec![Way::Password],
        }
    }

    pub(crate) async fn sign_in(&self, how: How, ties: Ties) -> SignInEnd {
        let mut landing = Landing::none();
        let outcome = match (&self.profile.protocol, how) {
            (Protocol::Recipe(recipe), How::Typed { username, password }) => {
                self.sign_in_by_recipe(recipe, username, &password).await.map_err(NotSignedIn::from)
            }
            (Protocol::Recipe(_), How::Browser | How::Device) => {
                Err(oauth::unsupported(Problem::ByPassword).into())
            }
            (Protocol::Oauth(oauth), How::Browser) => {
                self.sign_in_at_browser(oauth, ties, &mut landing).await
            }
            (Protocol::Oauth(oauth), How::Device) => self.sign_in_on_device(oauth, ties).await,
            (Protocol::Oauth(oauth), How::Typed { username, password }) => {
                self.sign_in_by_typing(oauth, &username, &password).await
            }
        };
        match outcome {
            Ok(signed_in) => SignInEnd { outcome: Ok(signed_in), give_back: None, landing },
            Err(NotSignedIn { failure, give_back }) => {
                self.oauth.doubt();
                SignInEnd { outcome: Err(failure), give_back, landing }
            }
        }
    }

    pub(crate) async fn refresh(&self, token: &RefreshToken, account: &Account) -> Bought {
        match &self.profile.protocol {
            Protocol::Oauth(oauth) => self.refresh_by_oauth(oauth, token, account).await,
            Protocol::Recipe(recipe) => self.refresh_by_recipe(recipe, token).await,
        }
    }

    pub(crate) async fn heartbeat(&self, token: &AccessToken, account: &Account) -> Beat {
        match &self.profile.protocol {
            Protocol::Oauth(oauth) => self.probe(oauth, token, account).await,
            Protocol::Recipe(recipe) => self.beat_by_recipe(recipe, token).await,
        }
    }

    pub(crate) fn heartbeat_host(&self) -> String {
        match &self.profile.protocol {
            Protocol::Oauth(oauth) => self.probed_host(oauth),
            Protocol::Recipe(_) => self.profile.host(),
        }
    }

    pub(crate) async fn revoke(&self, unwanted: &Unwanted) -> RevocationAnswer {
        match &self.profile.protocol {
            Protocol::Oauth(oauth) => self.revoke_by_oauth(oauth, unwanted).await,
            Protocol::Recipe(recipe) => self.revoke_by_recipe(recipe, unwanted).await,
        }
    }

    async fn client(&self, url: &Url, patience: &mut Patience) -> Result<Client, NoClient> {
        self.http.about_tokens(url, self.profile.ca_file.as_deref(), patience).await
    }

    /// Waits for a free place, and reads the whole answer.
    pub(crate) async fn open(
        &self,
        opening: &Opening,
        token: &AccessToken,
        account: &Account,
        patience: Duration,
    ) -> Result<Received, Trouble> {
        let opened = async {
            let _place = self.http.place(&opening.url).await;
            self.reach(opening, token, account).await
        };
        within(&mut Patience::new(patience), opened).await.unwrap_or(Err(Trouble::TimedOut))
    }

    /// Like [`Provider::open`], but does not queue behind requests of callers.
    async fn look_at(
        &self,
        opening: &Opening,
        token: &AccessToken,
        account: &Account,
        patience: Duration,
    ) -> Result<Received, Trouble> {
        let answer = self.reach(opening, token, account);
        within(&mut Patience::new(patience), answer).await.unwrap_or(Err(Trouble::TimedOut))
    }

    async fn reach(
        &self,
        opening: &Opening,
        token: &AccessToken,
        account: &Account,
    ) -> Result<Received, Trouble> {
        let (ca_file, mut patience) = (self.profile.ca_file.as_deref(), Patience::new(self.profile.timeout));
        let client = self.http.about_resources(&opening.url, ca_file, &mut patience).await?;
        let send = |more: Vec<(String, Secret)>| {
            let mut request = client.request(opening.method.clone(), opening.url.clone());
            for (name, value) in &opening.headers {
                request = request.header(name, value);
            }
            if let Some(body) = &opening.body {
                request = request.body(body.clone());
            }
            for (name, value) in &more {
                request = http::header(request, name, value);
            }
            let authentic = http::is_authentic(&opening.url);
            http::receive(&client, request, authentic, bounds::ANSWER)
        };
        match &self.profile.protocol {
            Protocol::Oauth(_) => {
                let proving = self.proving(opening.method.as_str(), &opening.url, Some(token), account);
                proving.send(|proof| send(once(token::authorization(token)).chain(proof).collect())).await
            }
            Protocol::Recipe(recipe) => send(vec![recipe.authorization(token)]).await,
        }
    }

    pub(crate) fn opinion(&self, received: &Received) -> Opinion {
        match &self.profile.protocol {
            Protocol::Oauth(oauth) => oauth::opinion(oauth, received),
            Protocol::Recipe(recipe) if recipe.rejects(&received.answer()) => Opinion::Rejected,
            Protocol::Recipe(_) => Opinion::Fine,
        }
    }

    /// The header's name and the scheme of its value, which is empty for the bare token.
    pub(crate) fn authorization(&self, token: Option<&AccessToken>) -> (String, String) {
        match &self.profile.protocol {
            Protocol::Oauth(_) => {
                let kind = token.map(AccessToken::token_type).unwrap_or_default();
                ("Authorization".to_owned(), token::scheme(kind).to_owned())
            }
            Protocol::Recipe(recipe) => {
                (recipe.authorization.header.clone(), recipe.authorization.scheme.clone())
            }
        }
    }

    /// RP-Initiated Logout of OpenID Connect, if the provider has it.
    pub(crate) fn logout_url(&self, account: &Account) -> Option<Secret> {
        self.oauth.provider()?.logout_url(account.id_token.as_ref(), None, None)
    }

    pub(crate) fn has_browser_logout(&self) -> bool {
        self.oauth.provider().is_some_and(|provider| provider.metadata.end_session_endpoint.is_some())
    }
}

impl From<Verdict> for Bought {
    fn from(verdict: Verdict) -> Self {
        Self { verdict, give_back: None, said: None }
    }
}

impl Bought {
    fn read(verdict: Verdict, received: &Received, sent: &[&str]) -> Self {
        let is_refused = !matches!(verdict, Verdict::Fresh(_));
        // Some servers quote what they were sent.
        let quotes = |said: &String| sent.iter().any(|secret| said.contains(secret));
        let said = said(&received.answer()).filter(|said| is_refused && !quotes(said));
        Self { verdict, give_back: None, said }
    }
}

impl From<Failure> for NotSignedIn {
    fn from(failure: Failure) -> Self {
        Self { failure, give_back: None }
    }
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::path::Path;

    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    use session::breaker::Outcome;

    use super::*;
    use crate::alone::{alone, passes};
    use crate::config::Config;
    use api::Code;

    fn provider(lines: &str) -> Provider {
        let text = format!("[profile.a]\nurl = 'https://127.0.0.1:9'\n{lines}");
        let config = Config::read(&text, Path::new("/nowhere.toml"));
        assert!(config.mistakes.is_empty(), "{:?}", config.mistakes);
        Provider::new(Arc::new(config.profiles[0].clone()), Http::default())
    }

    async fn assert_unsent(provider: &Provider, why: Trouble, about: &str) {
        let Bought { verdict, .. } = provider.refresh(&RefreshToken::new("rt"), &Account::default()).await;
        assert_eq!(verdict, Verdict::Unsent { trouble: why, status: None, retry_after: None }, "{about}");
        assert_eq!(Outcome::of(why), Outcome::Unknown, "nobody has answered");
    }

    /// Row G5.
    #[tokio::test]
    async fn certificates_that_cannot_be_read_are_a_fault_of_this_machine() {
        for (name, lines) in PROTOCOLS {
            let provider = provider(&format!("ca_file = '/nowhere/ca.pem'\n{lines}"));
            assert_unsent(&provider, Trouble::Certificates, name).await;
        }
    }

    /// Row H5.
    /// The limit applies to a whole process, so the test starts another one.
    #[test]
    fn a_client_for_which_no_descriptor_is_left_is_a_fault_of_this_machine() {
        passes(alone(module_path!(), "short_of_descriptors").env(SHORT, "1"));
    }

    const SHORT: &str = "PILOTLIGHT_TEST_SHORT";

    #[test]
    fn short_of_descriptors() {
        if std::env::var_os(SHORT).is_none() {
            return;
        }
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let maximum = getrlimit(Resource::Nofile).maximum;
        setrlimit(Resource::Nofile, Rlimit { current: Some(64), maximum }).unwrap();
        let _taken: Vec<_> = std::iter::from_fn(|| File::open("/").ok()).collect();
        for (name, lines) in PROTOCOLS {
            runtime.block_on(assert_unsent(&provider(lines), Trouble::Descriptors, name));
        }
    }

    #[tokio::test]
    async fn a_profile_without_a_password_says_so() {
        let provider = provider("preset = 'nestjs'\n[profile.a.recipe]\nlogin = false\n");
        let how = How::Typed { username: String::new(), password: Password::new(String::new()) };
        let (begun, _) = oneshot::channel();
        let (_wanting, wanted) = oneshot::channel();
        let end = provider.sign_in(how, Ties { begun, wanted, demand: None }).await;
        assert_eq!(end.outcome.err().map(|failure| failure.code), Some(Code::WayUnsupported));
    }

    const PROTOCOLS: [(&str, &str); 3] = [
        ("a recipe", "preset = 'nestjs'\n"),
        ("a description", "[profile.a.oauth]\nissuer = 'https://127.0.0.1:9'\nclient_id = 'x'\n"),
        (
            "by hand",
            "[profile.a.oauth]\nclient_id = 'x'\nissuer = 'https://127.0.0.1:9'\nendpoints = { token = 'https://127.0.0.1:9/t' }\n",
        ),
    ];
}
