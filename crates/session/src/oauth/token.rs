use alloc::string::{String, ToString};
use alloc::vec::Vec;

use serde_json::Value;

use super::Provider;
use super::authorize::{AuthorizationCode, Started};
use super::client::ClientRegistration;
use super::error::{ErrorKind, ProviderError, Refusal};
use super::form::Form;
use crate::bounds;
use crate::interaction::{Interaction, Need};
use crate::reason::Trouble;
use crate::tokens::{AccessToken, RefreshToken, Secret, TokenType, Tokens};
use crate::verdict::Verdict;
use crate::wire::answer::Body;
use crate::wire::answer::{Answer, Clock};
use crate::wire::lifetime::{Lifetime, Unit};
use crate::wire::matching::{Match, one_holds, refuses};
use crate::wire::meaning;
use crate::wire::message::Message;
use crate::wire::message::with_scheme;
use crate::wire::pointer::Pointer;
use crate::wire::take::{Lives, Take};

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

/// How a provider answers where it differs from the standard.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Reading {
    pub take: Take,
    /// Answers to a refresh that are a definite no, besides `invalid_grant`.
    pub refused: Vec<Match>,
    /// Answers that mean "later", whatever else they look like.
    pub retry: Vec<Match>,
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

pub fn read_tokens(answer: &Answer<'_>, clock: Clock<'_>, reading: &Reading) -> Result<TokenAnswer, Refusal> {
    let body = answer.read();
    tokens(answer, &body, clock, reading).ok_or_else(|| Refusal::of(answer, &body))
}

/// Only `invalid_grant`, in the provider's JSON and with its proper status, condemns the token that was sent, and what the
/// profile says of this provider.
pub fn read_refresh(answer: &Answer<'_>, clock: Clock<'_>, reading: &Reading) -> Refreshed {
    let body = answer.read();
    let salvaged = || salvage(answer, reading).and_then(|left| tokens_in(&left, clock, reading));
    if let Some(fresh) = tokens(answer, &body, clock, reading).or_else(salvaged) {
        return Refreshed::Fresh(fresh);
    }
    let not = Refreshed::Not;
    let error = body.json().and_then(ProviderError::of);
    let kind = error.as_ref().map(ProviderError::kind);
    if kind == Some(ErrorKind::Nonce) && matches!(answer.status, 400 | 401) {
        return Refreshed::UseNonce;
    }
    if one_holds(&reading.retry, answer, &body) {
        return not(meaning::transient(answer, meaning::later(answer.status)));
    }
    let interaction = |need| {
        let claims = body.json().and_then(|json| text(json, "claims"));
        let claims = claims.filter(|claims| claims.len() <= bounds::DEMAND).map(str::to_string);
        Refreshed::Not(Verdict::Interaction(Interaction { claims, ..Interaction::of(need) }))
    };
    if let Some(error) = &error {
        match (error.kind(), answer.status) {
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
    }
    // A rule, however wide, is for what the standard has no word for.
    if !meaning::is_about_the_request(answer, &body) && refuses(&reading.refused, answer, &body) {
        return not(Verdict::Dead);
    }
    if error.is_some() && answer.is_success() {
        return not(meaning::suspect(answer, &body));
    }
    not(meaning::neither_fresh_nor_dead(answer, &body))
}

/// A new refresh token is kept even alone, because the one that it replaces is spent.
pub(super) fn tokens(
    answer: &Answer<'_>,
    body: &Body,
    clock: Clock<'_>,
    reading: &Reading,
) -> Option<TokenAnswer> {
    let json = body.json().filter(|_| answer.is_success())?;
    tokens_in(json, clock, reading)
}

fn tokens_in(json: &Value, clock: Clock<'_>, reading: &Reading) -> Option<TokenAnswer> {
    let kind = token_type(json);
    let take = reading.take_from(json);
    let access = take.access_token.as_ref().and_then(|at| text_of(at.find(json)?));
    let access = access.filter(|token| kind.is_some() && token.bytes().all(|byte| byte.is_ascii_graphic()));
    let refresh = take.refresh_token.as_ref().and_then(|at| at.find(json)).and_then(meaning::refresh_token);
    if access.is_none() && refresh.is_none() {
        return None;
    }
    let Lives { lifetime, refresh_life, odd } = take.lives(json, access, refresh.as_ref(), clock);
    let access = access.map(|access| AccessToken::new(access).of_type(kind.unwrap_or_default()));
    let tokens = Tokens { access, lifetime, refresh_life, refresh, odd };
    Some(TokenAnswer {
        tokens,
        scope: text(json, "scope").map(str::to_string),
        id_token: text(json, "id_token").map(Secret::new),
    })
}

fn salvage(answer: &Answer<'_>, reading: &Reading) -> Option<Value> {
    let names = ["/token_type", "/scope", "/id_token"].into_iter().chain(REFRESH_LIFE).chain([EXPIRES_IN]);
    let places: Vec<Pointer> = names.filter_map(|name| Pointer::new(name).ok()).collect();
    let take = reading.take_from(&Value::Null);
    let places: Vec<&Pointer> = take.places().into_iter().chain(&places).collect();
    answer.salvage(take.refresh_token.as_ref()?, &places)
}

impl Reading {
    /// Where it stands in this answer: as the profile says, or else where the standard or a habit has it (RFC 6749, section
    /// 5.1). No standard has a word for how long a refresh token lives.
    fn take_from(&self, json: &Value) -> Take {
        let at = |own: &Option<Pointer>, usual| own.clone().or_else(|| Pointer::new(usual).ok());
        let is_there = |life: &&Lifetime| life.at.find(json).is_some_and(|value| !value.is_null());
        let life = |own: &Option<Lifetime>, usual: &[&str]| {
            let known = usual.iter().filter_map(|name| Pointer::new(name).ok());
            let known: Vec<Lifetime> = known.map(|at| Lifetime { at, unit: Unit::Seconds }).collect();
            let there = own.iter().chain(&known).find(is_there);
            there.or(own.as_ref()).cloned()
        };
        Take {
            access_token: at(&self.take.access_token, "/access_token"),
            refresh_token: at(&self.take.refresh_token, "/refresh_token"),
            lifetime: life(&self.take.lifetime, &[EXPIRES_IN]),
            refresh_lifetime: life(&self.take.refresh_lifetime, &REFRESH_LIFE),
        }
    }
}

fn text<'a>(json: &'a Value, name: &str) -> Option<&'a str> {
    text_of(json.get(name)?)
}

fn text_of(value: &Value) -> Option<&str> {
    value.as_str().map(str::trim).filter(|text| !text.is_empty())
}

fn need(detail: &str) -> Need {
    match detail {
        "invalid_rapt" | "rapt_required" | "user_password_expired" => Need::Login,
        _ => ErrorKind::of(detail).need().unwrap_or(Need::Other),
    }
}

/// Signed for (an older draft), not shown at all (RFC 8693, section 2.2.1), shown with a key (RFC 9200).
const OF_ANOTHER_KIND: [&str; 3] = ["mac", "n_a", "pop"];

const EXPIRES_IN: &str = "/expires_in";

/// Keycloak; Entra, GitHub, Okta and others; QuickBooks.
const REFRESH_LIFE: [&str; 3] =
    ["/refresh_expires_in", "/refresh_token_expires_in", "/x_refresh_token_expires_in"];

/// What providers add to `invalid_grant` when they mean the token. Anything else asks for a person.
const ABOUT_THE_TOKEN: [&str; 2] = ["bad_token", "token_expired"];
