//! Signing in with a code on another device (RFC 8628).

use api::{Code, Failure, Grant, Problem};
use session::limits;
use session::oauth;
use session::oauth::device::{Device, Next, Polling, Step};
use session::oauth::token::TokenAnswer;
use session::patience::Patience;
use session::time::Timestamp;
use session::tokens::{Account, Secret};
use session::wire::message::Message;
use tokio::sync::oneshot;

use super::refusal::refused;
use super::sign_in::{cancelled, no_endpoint};
use crate::adapters::clock;
use crate::adapters::provider::{Begun, NotSignedIn, Provider, Shown, SignedIn, Ties};
use crate::config::Oauth;

impl Provider {
    pub(in crate::adapters::provider) async fn sign_in_on_device(
        &self,
        oauth: &Oauth,
        mut ties: Ties,
    ) -> Result<SignedIn, NotSignedIn> {
        if !matches!(oauth.grant, Grant::AuthorizationCode | Grant::DeviceCode) {
            return Err(self.wrong_way(Problem::NotWithCode).into());
        }
        let host = self.profile.host();
        let provider = self.ready_for_sign_in(oauth).await?;
        let Some(message) = provider.device() else {
            return Err(self.wrong_way(no_endpoint("device_authorization_endpoint")).into());
        };
        let proof_key = self.new_key(oauth, &provider)?.map(|(_, written)| written);
        let received =
            self.say(&message, None).await.map_err(|trouble| Failure::provider(trouble, None, &host))?;
        let device = Device::read(&received.answer())
            .map_err(|refusal| refused(&refusal, &message, &host, &provider.client))?;
        let began = clock::now();
        let shown = Shown::Device {
            user_code: device.user_code.clone(),
            verification_uri: device.verification_uri.clone(),
            verification_uri_complete: device.verification_uri_complete.clone(),
        };
        if ties.begun.send(Begun { shown, lasts: device.expires_in, by_hand: None }).is_err() {
            return Err(cancelled().into());
        }
        let polling = Polling::new(&device, began);
        let poll = provider.poll(&device);
        let answer =
            self.poll(oauth, &provider, polling, &poll, proof_key.as_ref(), &mut ties.wanted).await?;
        let account = Account { proof_key, ..Account::default() };
        self.take(&provider, answer, account, None, ties.demand.as_ref()).await
    }

    async fn poll(
        &self,
        oauth: &Oauth,
        provider: &oauth::Provider,
        mut polling: Polling,
        message: &Message,
        proof_key: Option<&Secret>,
        wanted: &mut oneshot::Receiver<()>,
    ) -> Result<TokenAnswer, Failure> {
        let host = self.profile.host();
        loop {
            match polling.next(clock::now()) {
                Next::Expired => return Err(Failure::new(Code::SignInExpired)),
                Next::Wait(at) => tokio::select! {
                    _ = &mut *wanted => return Err(cancelled()),
                    () = until(at) => continue,
                },
                // Keys are fetched before the tokens, which could otherwise be lost.
                Next::Poll if self.lacks_keys(provider) => {
                    let mut patience =
                        Patience::new(self.profile.timeout.min(polling.left(clock::now()) / 2));
                    tokio::select! {
                        _ = &mut *wanted => return Err(cancelled()),
                        () = self.refresh_keys(provider, limits::KEYS_AGAIN, &mut patience) => {}
                    }
                    let in_need = provider.client.asks_for("openid") && self.lacks_keys(provider);
                    if in_need && polling.put_off(clock::now()) {
                        continue;
                    }
                }
                Next::Poll => {}
            }
            let step = match self.say(message, proof_key).await {
                Ok(received) => {
                    polling.on_answer(&received.answer(), received.clock(), &oauth.reading, clock::now())
                }
                Err(_) => polling.on_trouble(clock::now()),
            };
            match step {
                Step::Tokens(answer) => return Ok(answer),
                Step::Denied => return Err(Failure::new(Code::SignInDenied).with("host", &host)),
                Step::Expired => return Err(Failure::new(Code::SignInExpired)),
                Step::Problem(refusal) => return Err(refused(&refusal, message, &host, &provider.client)),
                Step::UseNonce => drop(polling.on_trouble(clock::now())),
                Step::Wait(_) => {}
            }
        }
    }
}

/// Timers stop while the machine sleeps and this clock does not, so each timer is short.
async fn until(at: Timestamp) {
    loop {
        let left = clock::now().until(at);
        if left.is_zero() {
            return;
        }
        tokio::time::sleep(left.min(limits::NAP)).await;
    }
}
