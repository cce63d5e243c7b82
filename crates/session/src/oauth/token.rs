use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::time::Duration;

use serde_json::Value;

use super::Provider;
use super::authorize::{AuthorizationCode, Started};
use super::client::ClientRegistration;
use super::error::{ErrorKind, ProviderError, Refusal};
use super::form::Form;
use crate::bounds;
use crate::interaction::{Interaction, Need};
use crate::reason::Trouble;
use crate::tokens::{AccessToken, RefreshLife, RefreshToken, Secret, TokenType, Tokens};
use crate::verdict::Verdict;
use crate::wire::answer::Body;
use crate::wire::answer::{Answer, Clock};
use crate::wire::lifetime::{self, Lifetime, Unit};
use crate::wire::meaning;
use crate::wire::message::Message;
use crate::wire::message::with_scheme;
use crate::wire::pointer::Pointer;
use crate::wire::refresh_life;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenAnswer {
    /// Without an access token only where it cannot be used; then with a refresh token.
    pub tokens: Tokens,
    /// Absent where it is what was asked for (RFC 6749, section 5.1).
    pub scope: Option<String>,
    pub id_token: Option<Secret>,
}

impl TokenAnswer {
    pub fn lacks_id_token(&self, client: &ClientRegistration) -> bool {
        let granted = |scope: &String| scope.split_whitespace().any(|word| word == "openid");
        client.asks_for("openid") && self.scope.as_ref().is_none_or(granted) && self.id_token.is_none()
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refreshed {
    Fresh(TokenAnswer),
    Not(Verdict),
    UseNonce,
}

impl Provider {
    pub fn redeem(&self, started: &Started, code: &AuthorizationCode) -> Message {
        let mut form = Form::grant("authorization_code")
            .with("code", code.0.expose())
            .with("redirect_uri", started.redirect_uri())
            .with("code_verifier", started.verifier().expose());
        form.put_resources(&self.client.resources);
        self.ask_for_tokens(form)
    }

    pub fn refresh(&self, token: &RefreshToken) -> Message {
        let mut form = Form::grant("refresh_token").with("refresh_token", token.expose());
        form.put_resources(&self.client.resources);
        self.post(&self.metadata.token_endpoint, form, &self.client.extra.refresh)
    }

    /// RFC 9700, section 2.4, forbids this grant to new clients, but some servers know no other.
    pub fn password(&self, username: &str, password: &Secret) -> Message {
        let mut form = Form::grant("password").with("username", username).with("password", password.expose());
        form.put_some("scope", self.client.scope().as_deref());
        self.client.put_target(&mut form);
        self.ask_for_tokens(form)
    }

    pub fn client_credentials(&self) -> Message {
        let mut form = Form::grant("client_credentials");
        form.put_some("scope", self.client.scope().as_deref());
        self.client.put_target(&mut form);
        self.ask_for_tokens(form)
    }

    pub(super) fn ask_for_tokens(&self, form: Form) -> Message {
        self.post(&self.metadata.token_endpoint, form, &self.client.extra.token)
    }
}

pub fn scheme(kind: TokenType) -> &'static str {
    match kind {
        TokenType::Bearer => "Bearer",
        TokenType::Dpop => "DPoP",
    }
}

pub fn authorization(token: &AccessToken) -> (String, Secret) {
    ("Authorization".to_string(), with_scheme(scheme(token.token_type()), token.expose()))
}

/// `None` for a type that must not be shown as a bearer (RFC 6749, section 7.1). Many servers omit the word or invent
/// one (`jwt`, `access_token`, the kind of a user) and still take the token as a bearer.
fn token_type(json: &Value) -> Option<TokenType> {
    let kind = json.get("token_type").and_then(Value::as_str).unwrap_or_default().trim().to_ascii_lowercase();
    if OF_ANOTHER_KIND.contains(&kind.as_str()) {
        return None;
    }
    Some(if kind == "dpop" { TokenType::Dpop } else { TokenType::Bearer })
}

impl Refreshed {
    /// A client of its own (RFC 6749, section 4.4) buys tokens with its secret: a refused grant is a refused client.
    #[must_use]
    pub fn of_client(self, status: u16) -> Self {
        match self {
            Self::Fresh(mut answer) => {
                answer.tokens.refresh = None;
                answer.tokens.refresh_life = None;
                Self::Fresh(answer)
            }
            Self::Not(Verdict::Dead) => {
                Self::Not(Verdict::Misconfigured { trouble: Trouble::Misconfigured, status: Some(status) })
            }
            Self::Not(_) | Self::UseNonce => self,
        }
    }

    /// What the session is told when no other try follows at once.
    pub fn into_verdict(self) -> Verdict {
        match self {
            Self::Fresh(answer) => Verdict::Fresh(answer.tokens),
            Self::Not(verdict) => verdict,
            Self::UseNonce => {
                Verdict::Transient { trouble: Trouble::Status, status: None, retry_after: None }
            }
        }
    }
}

/// `told` is where the answer states the lifetime, for providers that have a way of their own.
pub fn read_tokens(
    answer: &Answer<'_>,
    clock: Clock<'_>,
    told: Option<&Lifetime>,
) -> Result<TokenAnswer, Refusal> {
    let body = answer.read();
    tokens(answer, &body, clock, told).ok_or_else(|| Refusal::of(answer, &body))
}

/// Only `invalid_grant`, in the provider's JSON and with its proper status, condemns the token that was sent.
pub fn read_refresh(answer: &Answer<'_>, clock: Clock<'_>, told: Option<&Lifetime>) -> Refreshed {
    let body = answer.read();
    let salvaged = || salvage(answer, told).and_then(|left| tokens_in(&left, clock, told));
    if let Some(fresh) = tokens(answer, &body, clock, told).or_else(salvaged) {
        return Refreshed::Fresh(fresh);
    }
    let not = Refreshed::Not;
    let interaction = |need| {
        let claims = body.json().and_then(|json| text(json, "claims"));
        let claims = claims.filter(|claims| claims.len() <= bounds::DEMAND).map(str::to_string);
        Refreshed::Not(Verdict::Interaction(Interaction { claims, ..Interaction::of(need) }))
    };
    if let Some(error) = body.json().and_then(ProviderError::of) {
        match (error.kind(), answer.status) {
            (ErrorKind::Nonce, 400 | 401) => return Refreshed::UseNonce,
            (ErrorKind::Grant, 400 | 401) => match error.detail.as_deref() {
                None => return not(Verdict::Dead),
                Some(detail) if ABOUT_THE_TOKEN.contains(&detail) => return not(Verdict::Dead),
                Some(detail) => return interaction(need(detail)),
            },
            (ErrorKind::Interaction(need), 400 | 401 | 403) => return interaction(need),
            // Some servers say this of a dead refresh token, so it is not certain.
            (ErrorKind::Misconfigured, _) if error.code == "invalid_request" => {}
            (ErrorKind::Misconfigured, 200..300 | 400 | 401 | 403) => {
                let status = Some(answer.status);
                return not(Verdict::Misconfigured { trouble: Trouble::Misconfigured, status });
            }
            (ErrorKind::Unavailable, 200..500) => return not(meaning::transient(answer, Trouble::Status)),
            (ErrorKind::SlowDown, 200..500) => return not(meaning::transient(answer, Trouble::RateLimited)),
            _ => {}
        }
        if answer.is_success() {
            return not(meaning::suspect(answer, &body));
        }
    }
    not(meaning::neither_fresh_nor_dead(answer, &body))
}

/// A new refresh token is kept even alone, because the one that it replaces is spent.
pub(super) fn tokens(
    answer: &Answer<'_>,
    body: &Body,
    clock: Clock<'_>,
    told: Option<&Lifetime>,
) -> Option<TokenAnswer> {
    let json = body.json().filter(|_| answer.is_success())?;
    tokens_in(json, clock, told)
}

fn tokens_in(json: &Value, clock: Clock<'_>, told: Option<&Lifetime>) -> Option<TokenAnswer> {
    let kind = token_type(json);
    let access = text(json, "access_token")
        .filter(|token| kind.is_some() && token.bytes().all(|byte| byte.is_ascii_graphic()));
    let refresh = json.get("refresh_token").and_then(meaning::refresh_token);
    if access.is_none() && refresh.is_none() {
        return None;
    }
    let tokens = Tokens {
        access: access.map(|access| AccessToken::new(access).of_type(kind.unwrap_or_default())),
        lifetime: access.and_then(|access| lifetime(json, access, clock, told)),
        refresh_life: refresh_life(json, refresh.as_ref(), clock),
        refresh,
        odd: None,
    };
    Some(TokenAnswer {
        tokens,
        scope: text(json, "scope").map(str::to_string),
        id_token: text(json, "id_token").map(Secret::new),
    })
}

fn salvage(answer: &Answer<'_>, told: Option<&Lifetime>) -> Option<Value> {
    let names = ["/refresh_token", "/access_token", "/token_type", "/expires_in", "/scope", "/id_token"];
    let places: Vec<Pointer> =
        names.into_iter().chain(REFRESH_LIFE).filter_map(|name| Pointer::new(name).ok()).collect();
    let places: Vec<&Pointer> = places.iter().chain(told.map(|told| &told.at)).collect();
    answer.salvage(places.first()?, &places)
}

/// `expires_in` in seconds (RFC 6749, section 5.1), unless the profile knows another place and the answer has it.
fn lifetime(json: &Value, token: &str, clock: Clock<'_>, told: Option<&Lifetime>) -> Option<Duration> {
    let usual = || Pointer::new("/expires_in").ok().map(|at| Lifetime { at, unit: Unit::Seconds });
    let told = told.filter(|told| told.at.find(json).is_some_and(|value| !value.is_null()));
    lifetime::of(told.cloned().or_else(usual).as_ref(), json, token, clock)
}

/// No standard has a word for it.
fn refresh_life(json: &Value, token: Option<&RefreshToken>, clock: Clock<'_>) -> Option<RefreshLife> {
    let known = REFRESH_LIFE.into_iter().filter_map(|name| Pointer::new(name).ok());
    let field = known
        .map(|at| Lifetime { at, unit: Unit::Seconds })
        .find(|field| field.at.find(json).is_some_and(|value| !value.is_null()));
    refresh_life::of(field.as_ref(), json, token.map(RefreshToken::expose), clock)
}

fn text<'a>(json: &'a Value, name: &str) -> Option<&'a str> {
    json.get(name)?.as_str().map(str::trim).filter(|text| !text.is_empty())
}

fn need(detail: &str) -> Need {
    match detail {
        "invalid_rapt" | "rapt_required" | "user_password_expired" => Need::Login,
        _ => ErrorKind::of(detail).need().unwrap_or(Need::Other),
    }
}

/// Signed for (an older draft), not shown at all (RFC 8693, section 2.2.1), shown with a key (RFC 9200).
const OF_ANOTHER_KIND: [&str; 3] = ["mac", "n_a", "pop"];

/// Keycloak; Entra, GitHub, Okta and others; QuickBooks.
const REFRESH_LIFE: [&str; 3] =
    ["/refresh_expires_in", "/refresh_token_expires_in", "/x_refresh_token_expires_in"];

/// What providers add to `invalid_grant` when they mean the token. Anything else asks for a person.
const ABOUT_THE_TOKEN: [&str; 2] = ["bad_token", "token_expired"];
