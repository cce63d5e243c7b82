use std::borrow::Cow;

use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use serde::Serialize;

use crate::broken::Broken;
use crate::reply::{Fields, Reply};

#[derive(Clone, Debug)]
pub(super) struct Refusal {
    pub(super) status: StatusCode,
    pub(super) error: &'static str,
    pub(super) description: Cow<'static, str>,
    challenge: Option<String>,
    nonce: Option<String>,
}

pub(super) enum Stop {
    Refused(Refusal),
    Broken(Broken),
}

impl Refusal {
    pub(super) fn new(
        status: StatusCode,
        error: &'static str,
        description: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self { status, error, description: description.into(), challenge: None, nonce: None }
    }

    pub(super) fn bad(error: &'static str, description: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, error, description)
    }

    pub(super) fn invalid_request(description: impl Into<Cow<'static, str>>) -> Self {
        Self::bad("invalid_request", description)
    }

    /// One and the same for every code and refresh token that is not good, so that nobody learns why.
    pub(super) fn invalid_grant() -> Self {
        Self::bad("invalid_grant", "the grant is invalid, expired or revoked")
    }

    pub(super) fn challenging(mut self, challenge: impl Into<String>) -> Self {
        self.challenge = Some(challenge.into());
        self
    }

    pub(super) fn with_nonce(mut self, nonce: String) -> Self {
        self.nonce = Some(nonce);
        self
    }

    pub(super) fn reply(self) -> Reply {
        let body = Fields::default()
            .with("error", self.error)
            .with("error_description", self.description.into_owned());
        let reply = json(self.status, &body);
        let reply = with_text(reply, header::WWW_AUTHENTICATE, self.challenge);
        with_text(reply, DPOP_NONCE, self.nonce)
    }
}

impl Stop {
    pub(super) fn said(outcome: Result<Reply, Self>) -> Result<Reply, Broken> {
        match outcome {
            Ok(reply) => Ok(reply),
            Err(Self::Refused(refusal)) => Ok(refusal.reply()),
            Err(Self::Broken(broken)) => Err(broken),
        }
    }
}

impl From<Refusal> for Stop {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<Broken> for Stop {
    fn from(broken: Broken) -> Self {
        Self::Broken(broken)
    }
}

pub(super) fn json(status: StatusCode, body: &impl Serialize) -> Reply {
    let reply = Reply::json(status, "application/json", body);
    reply.with(header::CACHE_CONTROL, HeaderValue::from_static("no-store"))
}

pub(super) fn with_text(reply: Reply, name: HeaderName, text: Option<String>) -> Reply {
    match text.map(HeaderValue::try_from) {
        Some(Ok(value)) => reply.with(name, value),
        _ => reply,
    }
}

pub(super) const DPOP_NONCE: HeaderName = HeaderName::from_static("dpop-nonce");
