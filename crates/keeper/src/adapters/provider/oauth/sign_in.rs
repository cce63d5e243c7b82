use std::sync::Arc;

use api::secret::Password;
use api::{Code, Failure, Grant, Problem};
use session::interaction::Interaction;
use session::limits;
use session::oauth;
use session::oauth::authorize::{Ask, CallbackProblem, Randomness, Started, read_push};
use session::oauth::endings::read_userinfo;
use session::oauth::id_token::{self, is_showable};
use session::oauth::token::{TokenAnswer, read_tokens};
use session::patience::Patience;
use session::reason::Oddity;
use session::tokens::{AccessToken, Account, RefreshToken, Secret, Tokens};
use session::wire::message::Message;
use tokio::sync::oneshot;

use super::identity::Unproved;
use super::landing::Landing;
use super::loopback::{Loopback, Serving};
use super::proof::Key;
use super::refusal::{provider_said, refused};
use super::{unsupported, userinfo, with_secret};
use crate::adapters::patience::within;
use crate::adapters::provider::{Begun, NotSignedIn, Provider, Shown, SignedIn, Ties, Unwanted};
use crate::config::Oauth;

impl Provider {
    /// RFC 8252, with PKCE (RFC 7636).
    pub(in crate::adapters::provider) async fn sign_in_at_browser(
        &self,
        oauth: &Oauth,
        mut ties: Ties,
        landing: &mut Landing,
    ) -> Result<SignedIn, NotSignedIn> {
        let AtBrowser { provider, started, mut serving, proof_key, shown } =
            self.begin_at_browser(oauth, &ties).await?;
        let begun = Begun { shown, lasts: limits::AT_BROWSER, by_hand: Some(serving.by_hand()) };
        if ties.begun.send(begun).is_err() {
            serving.close();
            return Err(cancelled().into());
        }
        let mut patience = Patience::new(limits::AT_BROWSER);
        let answer = match wait_for_person(&mut patience, serving.callback(), &mut ties.wanted).await {
            Ok(answer) => answer,
            Err(failure) => {
                serving.close();
                return Err(failure.into());
            }
        };
        *landing = serving.into_landing();
        let code = answer.map_err(|problem| self.returned(&problem, &provider))?;
        // Nothing is spent yet, so this is the last chance to fetch the keys.
        if self.lacks_keys(&provider) {
            let mut patience = Patience::new(self.profile.timeout);
            self.refresh_keys(&provider, limits::KEYS_AGAIN, &mut patience).await;
        }
        let message = provider.redeem(&started, &code);
        let answer = self.buy(oauth, &provider, &message, proof_key.as_ref()).await?;
        // Some providers add an ID token that was not requested.
        let nonce = provider.client.asks_for("openid").then(|| started.nonce());
        let account = Account { proof_key, ..Account::default() };
        self.take(&provider, answer, account, nonce, ties.demand.as_ref()).await
    }

    async fn begin_at_browser(&self, oauth: &Oauth, ties: &Ties) -> Result<AtBrowser, Failure> {
        if !matches!(oauth.grant, Grant::AuthorizationCode) {
            return Err(self.wrong_way(Problem::NotAtBrowser));
        }
        let provider = self.ready_for_sign_in(oauth).await?;
        if provider.metadata.authorization_endpoint.is_none() {
            return Err(self.wrong_way(no_endpoint("authorization_endpoint")));
        }
        if let Some(before) = self.oauth.lock().landing.take() {
            before.abort();
        }
        let loopback = Loopback::bind(&oauth.redirect).await?;
        let key = self.new_key(oauth, &provider)?;
        let jkt = key.as_ref().map(|(key, _)| key.thumbprint());
        let started = Started::new(&provider, &loopback.redirect_uri(), &randomness()?);
        let ask = Ask {
            login_hint: self.profile.user.as_deref(),
            dpop_jkt: jkt.as_deref(),
            interaction: ties.demand.as_ref(),
            ..Ask::default()
        };
        let proof_key = key.map(|(_, written)| written);
        let shown = self.address_to_open(&provider, &started, ask, proof_key.as_ref()).await?;
        let serving =
            loopback.serve(started.clone(), limits::finish_sign_in(self.profile.timeout) + limits::REPORT);
        self.oauth.lock().landing = Some(serving.abort_handle());
        Ok(AtBrowser { provider: (*provider).clone(), started, serving, proof_key, shown })
    }

    /// Uses a pushed request where possible (RFC 9126), and an ordinary one if the provider refuses to have it pushed. What
    /// it says of the request itself it would say again at its page, where only the person sees it.
    async fn address_to_open(
        &self,
        provider: &oauth::Provider,
        started: &Started,
        ask: Ask<'_>,
        proof_key: Option<&Secret>,
    ) -> Result<Shown, Failure> {
        let missing = || self.wrong_way(no_endpoint("authorization_endpoint"));
        let host = self.profile.host();
        if let Some(message) = started.push(provider, ask) {
            let (failure, is_final) = match self.say(&message, proof_key).await {
                Ok(received) => match read_push(&received.answer()) {
                    Ok(pushed) => {
                        let url = started.pushed_url(provider, &pushed).ok_or_else(missing)?;
                        let kept_for = pushed.expires_in.filter(|kept| *kept < limits::AT_BROWSER);
                        return Ok(Shown::Browser { url, kept_for });
                    }
                    Err(refusal) => {
                        let is_final = refusal.would_be_said_at_the_page();
                        (refused(&refusal, &message, &host, &provider.client), is_final)
                    }
                },
                Err(trouble) => (Failure::provider(trouble, None, &host), false),
            };
            if is_final || provider.metadata.require_pushed_authorization_requests {
                return Err(failure);
            }
            tracing::info!(?failure, "the pushed request was refused");
        } else if provider.metadata.require_pushed_authorization_requests {
            return Err(self.wrong_way(Problem::NoPushEndpoint));
        }
        let url = started.url(provider, ask).ok_or_else(missing)?;
        Ok(Shown::Browser { url, kept_for: None })
    }

    /// Fetches the keys first, because tokens could be lost while waiting for them later. Each has its whole time.
    pub(super) async fn ready_for_sign_in(&self, oauth: &Oauth) -> Result<Arc<oauth::Provider>, Failure> {
        let patience = || Patience::new(self.profile.timeout);
        let described = self.described(oauth, &mut patience()).await;
        let provider = described.map_err(|undescribed| undescribed.failure(&self.profile.host()))?;
        self.refresh_keys(&provider, limits::KEYS_AGAIN, &mut patience()).await;
        Ok(provider)
    }

    fn returned(&self, problem: &CallbackProblem, provider: &oauth::Provider) -> Failure {
        let host = self.profile.host();
        let wrong = |problem| Failure::new(Code::Misconfigured).with("host", &host).because(problem);
        match problem {
            CallbackProblem::Issuer => {
                let issuer = provider.metadata.issuer.as_deref().unwrap_or_default();
                Failure::new(Code::WrongIssuer).with("issuer", issuer).with("host", &host)
            }
            CallbackProblem::MissingCode => wrong(Problem::NoCode),
            CallbackProblem::Refused(error) => provider_said(error, None, &host, &provider.client),
            CallbackProblem::Repeated(name) => wrong(Problem::Repeated { parameter: (*name).to_owned() }),
            CallbackProblem::State | CallbackProblem::TooLong => wrong(Problem::NotOurs),
        }
    }

    /// RFC 6749, sections 4.3 and 4.4.
    pub(in crate::adapters::provider) async fn sign_in_by_typing(
        &self,
        oauth: &Oauth,
        username: &str,
        password: &Password,
    ) -> Result<SignedIn, NotSignedIn> {
        if matches!(oauth.grant, Grant::AuthorizationCode | Grant::DeviceCode) {
            return Err(self.wrong_way(Problem::NotByTyping).into());
        }
        let provider = self.ready_for_sign_in(oauth).await?;
        let proof_key = self.new_key(oauth, &provider)?.map(|(_, written)| written);
        if oauth.grant == Grant::Password {
            let message = provider.password(username, &Secret::new(password.expose()));
            let answer = self.buy(oauth, &provider, &message, proof_key.as_ref()).await?;
            let account = Account { proof_key, ..Account::named(username) };
            return self.take(&provider, answer, account, None, None).await;
        }
        let typed = Some(password.expose()).filter(|typed| !typed.is_empty());
        let configured = oauth.client.secret.as_ref().map(Secret::expose);
        let Some(secret) = typed.or(configured).map(RefreshToken::new) else {
            let failure = Failure::new(Code::BadRequest).because(Problem::NoClientSecret);
            return Err(failure.into());
        };
        let provider = with_secret(&provider, &secret);
        let message = provider.client_credentials();
        let answer = self.buy(oauth, &provider, &message, proof_key.as_ref()).await?;
        let account = Account { proof_key, ..Account::named(&provider.client.id) };
        // There is no refresh token, so the vault keeps the secret (RFC 6749, section 4.4.3).
        let answer = TokenAnswer { tokens: Tokens { refresh: Some(secret), ..answer.tokens }, ..answer };
        let mut signed_in = self.take(&provider, answer, account, None, None).await?;
        // Without a person no ID token is expected.
        signed_in.tokens.odd = signed_in.tokens.odd.filter(|what| *what != Oddity::IdTokenMissing);
        Ok(signed_in)
    }

    async fn buy(
        &self,
        oauth: &Oauth,
        provider: &oauth::Provider,
        message: &Message,
        proof_key: Option<&Secret>,
    ) -> Result<TokenAnswer, Failure> {
        let host = self.profile.host();
        let received =
            self.say(message, proof_key).await.map_err(|trouble| Failure::provider(trouble, None, &host))?;
        read_tokens(&received.answer(), received.clock(), &oauth.reading)
            .map_err(|refusal| refused(&refusal, message, &host, &provider.client))
    }

    /// Tokens with an unverified ID token are not used; those of another sign-in are revoked.
    pub(super) async fn take(
        &self,
        provider: &oauth::Provider,
        answer: TokenAnswer,
        mut account: Account,
        nonce: Option<&Secret>,
        demand: Option<&Interaction>,
    ) -> Result<SignedIn, NotSignedIn> {
        let lacks_id_token = answer.lacks_id_token(&provider.client);
        let TokenAnswer { mut tokens, id_token, .. } = answer;
        let Some(id_token) = id_token.filter(|_| provider.metadata.issuer.is_some()) else {
            tokens.odd = lacks_id_token.then_some(Oddity::IdTokenMissing).or(tokens.odd);
            return Ok(SignedIn { tokens, account });
        };
        let (person, claims) = match self.person(&id_token, nonce, tokens.access.as_ref(), provider) {
            Ok(person) => person,
            Err(Unproved { problem, of_another }) => {
                let failure = Failure::new(Code::IdentityUnverified);
                return Err(NotSignedIn {
                    failure: failure.with("host", self.profile.host()).because(problem),
                    give_back: of_another
                        .then(|| Unwanted { refresh: tokens.refresh, access: tokens.access }),
                });
            }
        };
        let now = self.oauth.now(&provider.metadata.token_endpoint);
        let unmet = demand.is_some_and(|demand| !id_token::meets(&claims, demand, now));
        tokens.odd = unmet.then_some(Oddity::StepUpUnmet).or(tokens.odd);
        let subject = person.identity.subject.clone();
        account.identity = Some(person.identity);
        account.id_token = Some(id_token);
        account.user = account.user.or(person.name);
        if account.user.is_none() {
            account.user = self.name(provider, tokens.access.as_ref(), &account).await;
        }
        account.user = account.user.or(Some(subject).filter(|it| is_showable(it)));
        Ok(SignedIn { tokens, account })
    }

    /// OpenID Connect Core, section 5.4. A failure here does not fail the sign-in.
    async fn name(
        &self,
        provider: &oauth::Provider,
        token: Option<&AccessToken>,
        account: &Account,
    ) -> Option<String> {
        let opening = userinfo(provider).filter(|_| provider.opens_userinfo())?;
        let received = self.look_at(&opening, token?, account, limits::NAME).await.ok()?;
        let subject = account.identity.as_ref().map(|identity| identity.subject.as_str());
        id_token::name(&read_userinfo(&received.answer(), subject)?)
    }

    pub(super) fn new_key(
        &self,
        oauth: &Oauth,
        provider: &oauth::Provider,
    ) -> Result<Option<(Key, Secret)>, Failure> {
        if !oauth.dpop.unwrap_or_else(|| provider.metadata.supports_dpop()) {
            return Ok(None);
        }
        let failed = || Failure::new(Code::Internal).because(Problem::NoKey);
        Key::generate().map(Some).ok_or_else(failed)
    }

    pub(super) fn wrong_way(&self, problem: Problem) -> Failure {
        unsupported(problem).with("host", self.profile.host())
    }
}

struct AtBrowser {
    provider: oauth::Provider,
    started: Started,
    serving: Serving,
    proof_key: Option<Secret>,
    shown: Shown,
}

pub(super) fn no_endpoint(endpoint: &str) -> Problem {
    Problem::NoEndpoint { endpoint: endpoint.to_owned() }
}

fn randomness() -> Result<Randomness, Failure> {
    let mut randomness = Randomness { state: [0; 32], nonce: [0; 32], verifier: [0; 32] };
    for bytes in [&mut randomness.state, &mut randomness.nonce, &mut randomness.verifier] {
        aws_lc_rs::rand::fill(bytes)
            .map_err(|_| Failure::new(Code::Internal).because(Problem::NoRandomness { said: None }))?;
    }
    Ok(randomness)
}

pub(super) fn cancelled() -> Failure {
    Failure::new(Code::SignInCancelled)
}

/// An answer that arrived during a sleep is seen before the deadline.
async fn wait_for_person<T>(
    patience: &mut Patience,
    callback: impl Future<Output = T>,
    wanted: &mut oneshot::Receiver<()>,
) -> Result<T, Failure> {
    let waiting = async {
        tokio::select! {
            biased;
            answer = callback => Ok(answer),
            _ = wanted => Err(cancelled()),
        }
    };
    within(patience, waiting).await.unwrap_or_else(|| Err(Failure::new(Code::SignInExpired)))
}

#[cfg(test)]
mod tests {
    use std::thread;
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn an_answer_that_came_during_a_sleep_is_taken() {
        let (sender, answer) = oneshot::channel();
        let (_wanting, mut wanted) = oneshot::channel();
        let mut patience = Patience::new(Duration::from_secs(1));
        let freeze = async {
            thread::sleep(limits::GLANCE + limits::LATE);
            tokio::task::yield_now().await;
            sender.send(7).unwrap();
        };
        let waiting = wait_for_person(&mut patience, answer, &mut wanted);
        let (came, ()) = tokio::join!(waiting, freeze);
        assert_eq!(came.unwrap(), Ok(7));
    }

    #[tokio::test]
    async fn a_sign_in_that_nobody_wants_and_one_that_nobody_ends_are_told_apart() {
        let (wanting, mut wanted) = oneshot::channel();
        let soon = || Patience::new(Duration::from_millis(100));
        let never = std::future::pending::<()>;
        let expired = wait_for_person(&mut soon(), never(), &mut wanted).await.unwrap_err();
        assert_eq!(expired.code, Code::SignInExpired);
        drop(wanting);
        let cancelled = wait_for_person(&mut soon(), never(), &mut wanted).await.unwrap_err();
        assert_eq!(cancelled.code, Code::SignInCancelled);
    }
}
