//! Providers that are not OAuth: a recipe says what goes where.

use api::secret::Password;
use api::{Code, Failure, Problem};
use session::patience::Patience;
use session::reason::Trouble;
use session::recipe::{Recipe, SignInRefusal};
use session::tokens::{AccessToken, Account, RefreshToken, Secret};
use session::verdict::Beat;
use session::verdict::RevocationAnswer;
use session::verdict::Verdict;
use session::wire::meaning::silence;
use session::wire::message::Message;
use url::Url;

use super::oauth::unsupported;
use super::{Bought, Provider, SignedIn, Unwanted};
use crate::adapters::http::{self, Client, Received};

impl Provider {
    pub(super) async fn sign_in_by_recipe(
        &self,
        recipe: &Recipe,
        username: String,
        password: &Password,
    ) -> Result<SignedIn, Failure> {
        let Some(message) = recipe.sign_in(&username, &Secret::new(password.expose())) else {
            return Err(unsupported(Problem::NotWithPassword));
        };
        let host = self.profile.host();
        let troubled = |trouble| Failure::provider(trouble, None, &host);
        let url = self.url_of(&message.path).map_err(troubled)?;
        let client = self.client(&url, &mut Patience::new(self.profile.timeout)).await;
        let client = client.map_err(|none| none.failure(&host))?;
        let received = self.exchange(&client, &url, &message).await.map_err(troubled)?;
        let tokens = recipe
            .read_sign_in(&received.answer(), received.clock())
            .map_err(|refusal| refused(refusal, &host))?;
        Ok(SignedIn { tokens, account: Account::named(&username) })
    }

    pub(super) async fn refresh_by_recipe(&self, recipe: &Recipe, token: &RefreshToken) -> Bought {
        let message = recipe.refresh(token);
        let (client, url) = match self.way_below(&message.path).await {
            Ok(way) => way,
            Err(trouble @ Trouble::Misconfigured) => {
                return Verdict::Misconfigured { trouble, status: None }.into();
            }
            Err(trouble) => return Verdict::Unsent { trouble, status: None, retry_after: None }.into(),
        };
        match self.exchange(&client, &url, &message).await {
            Ok(received) => {
                let verdict = recipe.read_refresh(&received.answer(), received.clock());
                Bought::read(verdict, &received, &[token.expose()])
            }
            Err(trouble @ Trouble::Misconfigured) => Verdict::Misconfigured { trouble, status: None }.into(),
            Err(trouble) => Verdict::Transient { trouble, status: None, retry_after: None }.into(),
        }
    }

    pub(super) async fn beat_by_recipe(&self, recipe: &Recipe, token: &AccessToken) -> Beat {
        let Some(message) = recipe.heartbeat(token) else {
            return Beat::Silent { trouble: Trouble::Misconfigured, status: None };
        };
        match self.ask(&message).await {
            Ok(received) => match recipe.heartbeat_good(&received.answer()) {
                Some(true) => Beat::Good,
                Some(false) => Beat::SaysNo,
                None => silence(received.status),
            },
            Err(trouble) => Beat::Silent { trouble, status: None },
        }
    }

    pub(super) async fn revoke_by_recipe(&self, recipe: &Recipe, unwanted: &Unwanted) -> RevocationAnswer {
        let Some(message) = recipe.sign_out(unwanted.refresh.as_ref(), unwanted.access.as_ref()) else {
            return RevocationAnswer::Unsupported;
        };
        match self.ask(&message).await {
            Ok(received) => RevocationAnswer::of_status(received.status),
            Err(trouble) => RevocationAnswer::Trouble { trouble, status: None },
        }
    }

    async fn ask(&self, message: &Message) -> Result<Received, Trouble> {
        let (client, url) = self.way_below(&message.path).await?;
        self.exchange(&client, &url, message).await
    }

    async fn way_below(&self, path: &str) -> Result<(Client, Url), Trouble> {
        let url = self.url_of(path)?;
        let client = self.client(&url, &mut Patience::new(self.profile.timeout)).await?;
        Ok((client, url))
    }

    fn url_of(&self, path: &str) -> Result<Url, Trouble> {
        http::join(&self.profile.url, path).map_err(|()| Trouble::Misconfigured)
    }

    async fn exchange(&self, client: &Client, url: &Url, message: &Message) -> Result<Received, Trouble> {
        http::exchange(client, url, message, &[], &mut Patience::new(self.profile.timeout)).await
    }
}

fn refused(refusal: SignInRefusal, host: &str) -> Failure {
    let (failure, message) = match refusal {
        SignInRefusal::Refused { status, message } => {
            (Failure::new(Code::SignInRefused).with("host", host).with("status", status), message)
        }
        SignInRefusal::Trouble { trouble, status, retry_after, message } => {
            (Failure::sign_in(trouble, status, retry_after, host), message)
        }
    };
    match message {
        Some(message) => failure.with("message", message),
        None => failure,
    }
}
