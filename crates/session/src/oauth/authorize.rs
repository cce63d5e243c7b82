//! Signing in at a browser: the address to open, and the callback. State, issuer and verifier are fixed when the
//! sign-in begins, so that nothing that arrives later can change what is expected (RFC 9700, section 4.4).

use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::hint::black_box;
use core::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::Provider;
use super::client::ClientRegistration;
use super::error::{ProviderError, Refusal};
use super::form::{self, Form};
use crate::bounds;
use crate::interaction::{Interaction, Need};
use crate::tokens::Secret;
use crate::wire::answer::Answer;
use crate::wire::lifetime::number;
use crate::wire::message::Message;

/// From the adapter's source of randomness, and never used twice.
pub struct Randomness {
    pub state: [u8; 32],
    pub nonce: [u8; 32],
    pub verifier: [u8; 32],
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Started {
    state: Secret,
    nonce: Secret,
    verifier: Secret,
    redirect_uri: String,
    issuer: Option<String>,
    issuer_must_be_named: bool,
}

#[derive(Clone, Copy, Debug, Default)]
pub struct Ask<'a> {
    /// Replaces what the scopes call for; empty for no `prompt` at all.
    pub prompt: Option<&'a str>,
    pub login_hint: Option<&'a str>,
    /// The thumbprint of the key to which the code is bound (RFC 9449, section 10).
    pub dpop_jkt: Option<&'a str>,
    pub interaction: Option<&'a Interaction>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuthorizationCode(pub(super) Secret);

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pushed {
    request_uri: Secret,
    pub expires_in: Option<Duration>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CallbackProblem {
    /// Not the answer to this sign-in. Any page can call a loopback address, so the adapter goes on listening.
    State,
    /// From another provider than was asked (RFC 9207), or without saying from which.
    Issuer,
    Refused(ProviderError),
    Repeated(&'static str),
    MissingCode,
    TooLong,
}

impl Started {
    pub fn new(provider: &Provider, redirect_uri: &str, randomness: &Randomness) -> Self {
        let text = |bytes: &[u8; 32]| Secret::new(URL_SAFE_NO_PAD.encode(bytes));
        Self {
            state: text(&randomness.state),
            nonce: text(&randomness.nonce),
            verifier: text(&randomness.verifier),
            redirect_uri: redirect_uri.to_string(),
            issuer: provider.metadata.issuer.clone(),
            issuer_must_be_named: provider.metadata.authorization_response_iss_parameter_supported,
        }
    }

    /// `None` where the provider has no page for it.
    pub fn url(&self, provider: &Provider, ask: Ask<'_>) -> Option<Secret> {
        let endpoint = provider.metadata.authorization_endpoint.as_ref()?;
        Some(self.parameters(provider, ask).url(endpoint))
    }

    /// `None` where the provider does not take requests this way (RFC 9126).
    pub fn push(&self, provider: &Provider, ask: Ask<'_>) -> Option<Message> {
        let endpoint = provider.metadata.pushed_authorization_request_endpoint.as_ref()?;
        Some(provider.post(endpoint, self.parameters(provider, ask), &BTreeMap::new()))
    }

    pub fn pushed_url(&self, provider: &Provider, pushed: &Pushed) -> Option<Secret> {
        let endpoint = provider.metadata.authorization_endpoint.as_ref()?;
        let form = Form::default()
            .with("client_id", &provider.client.id)
            .with("request_uri", pushed.request_uri.expose());
        Some(form.url(endpoint))
    }

    pub fn read_callback(&self, query: &str) -> Result<AuthorizationCode, CallbackProblem> {
        if query.len() > bounds::QUERY {
            return Err(CallbackProblem::TooLong);
        }
        match once(query, "state") {
            Ok(Some(state)) if is_same(state.expose(), self.state.expose()) => {}
            Ok(_) | Err(_) => return Err(CallbackProblem::State),
        }
        let issuer = once(query, "iss")?;
        match (&issuer, &self.issuer) {
            (Some(named), Some(ours)) if named.expose() != ours => return Err(CallbackProblem::Issuer),
            (None, _) if self.issuer_must_be_named => return Err(CallbackProblem::Issuer),
            (Some(_) | None, _) => {}
        }
        let (error, description) = (once(query, "error")?, once(query, "error_description")?);
        if let Some(error) = error {
            let description = description.as_ref().map(Secret::expose);
            return Err(CallbackProblem::Refused(ProviderError::new(error.expose(), description)));
        }
        let code = once(query, "code")?.filter(|code| !code.expose().is_empty());
        code.map(AuthorizationCode).ok_or(CallbackProblem::MissingCode)
    }

    /// Of our own address, as a person copies it out of a browser that could not come here. Some leave out the scheme.
    pub fn query_of<'a>(&self, copied: &'a str) -> Option<&'a str> {
        let address = copied.trim().split('#').next()?;
        let ours = self.redirect_uri.as_str();
        let rest = address.strip_prefix(ours).or_else(|| address.strip_prefix(ours.strip_prefix("http://")?));
        rest?.strip_prefix('?')
    }

    pub fn nonce(&self) -> &Secret {
        &self.nonce
    }

    pub(super) fn verifier(&self) -> &Secret {
        &self.verifier
    }

    pub fn redirect_uri(&self) -> &str {
        &self.redirect_uri
    }

    fn parameters(&self, provider: &Provider, ask: Ask<'_>) -> Form {
        let client = &provider.client;
        let mut form = Form::default()
            .with("response_type", "code")
            .with("client_id", &client.id)
            .with("redirect_uri", &self.redirect_uri)
            .with("state", self.state.expose())
            .with("code_challenge", &challenge_of(&self.verifier))
            .with("code_challenge_method", "S256");
        let more = ask.interaction.and_then(|interaction| interaction.scope.as_deref());
        form.put_some("scope", scope(client.scope(), more).as_deref());
        let openid = client.asks_for("openid");
        if openid {
            form.put("nonce", self.nonce.expose());
        }
        form.put_some("dpop_jkt", ask.dpop_jkt);
        form.put_some("login_hint", ask.login_hint);
        if let Some(interaction) = ask.interaction {
            form.put_some("acr_values", interaction.acr_values.as_deref());
            form.put_some("max_age", interaction.max_age.map(|age| age.to_string()).as_deref());
            form.put_some("claims", interaction.claims.as_deref());
        }
        form.put_some("prompt", Self::prompt(client, ask).as_deref().filter(|prompt| !prompt.is_empty()));
        client.put_target(&mut form);
        form.put_all(&client.extra.authorize);
        form
    }

    fn prompt(client: &ClientRegistration, ask: Ask<'_>) -> Option<String> {
        if let Some(prompt) = ask.prompt {
            return Some(prompt.to_string());
        }
        // OpenID Connect Core, section 11: without it there is no refresh token.
        let offline = client.asks_for("openid") && client.asks_for("offline_access");
        let own = client.extra.authorize.get("prompt").map(String::as_str);
        let usual = own.or(offline.then_some("consent")).unwrap_or_default();
        let demanded = ask.interaction.and_then(|interaction| prompt_for(interaction.need));
        let mut words = Vec::new();
        for word in demanded.into_iter().chain(usual.split_whitespace()) {
            // `none` goes with no other word (section 3.1.2.1), so a demand replaces it.
            if !words.contains(&word) && (word != "none" || demanded.is_none()) {
                words.push(word);
            }
        }
        (!words.is_empty()).then(|| words.join(" "))
    }
}

pub fn read_push(answer: &Answer<'_>) -> Result<Pushed, Refusal> {
    let body = answer.read();
    if answer.is_success()
        && let Some(json) = body.json()
        && let Some(request_uri) = json.get("request_uri").and_then(Value::as_str)
    {
        let seconds = json.get("expires_in").and_then(number).filter(|seconds| *seconds > 0.0);
        let expires_in = seconds.map(|seconds| Duration::from_secs(seconds as u64));
        return Ok(Pushed { request_uri: Secret::new(request_uri), expires_in });
    }
    Err(Refusal::of(answer, &body))
}

/// The S256 code challenge (RFC 7636, section 4.2).
fn challenge_of(verifier: &Secret) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.expose()))
}

fn scope(ours: Option<String>, more: Option<&str>) -> Option<String> {
    let Some(more) = more else { return ours };
    let mut scope = ours.unwrap_or_default();
    for word in more.split_whitespace() {
        if !scope.split(' ').any(|asked| asked == word) {
            if !scope.is_empty() {
                scope.push(' ');
            }
            scope.push_str(word);
        }
    }
    Some(scope).filter(|scope| !scope.is_empty())
}

fn prompt_for(need: Need) -> Option<&'static str> {
    match need {
        Need::AccountSelection => Some("select_account"),
        Need::Consent | Need::Scope => Some("consent"),
        Need::Login => Some("login"),
        Need::Other | Need::StepUp => None,
    }
}

/// The parameter may stand there only once (RFC 6749, section 3.1).
fn once(query: &str, name: &'static str) -> Result<Option<Secret>, CallbackProblem> {
    let mut values = form::pairs(query).flatten().filter(|(other, _)| other == name).map(|(_, value)| value);
    let value = values.next();
    if values.next().is_some() { Err(CallbackProblem::Repeated(name)) } else { Ok(value) }
}

/// Takes as long for a wrong text as for the right one.
pub(super) fn is_same(one: &str, other: &str) -> bool {
    let (one, other) = (one.as_bytes(), other.as_bytes());
    let differences = one.iter().zip(other).fold(0, |differences, (a, b)| black_box(differences | (a ^ b)));
    one.len() == other.len() && differences == 0
}
