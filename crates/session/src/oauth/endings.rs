//! Signing out, and questions about tokens.

use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};

use serde_json::Value;

use super::Provider;
use super::error::{Kind, Refusal};
use super::form::Form;
use crate::reason::Trouble;
use crate::shared::revocation::Told;
use crate::tokens::{AccessToken, RefreshToken, Secret};
use crate::wire::answer::Answer;
use crate::wire::message::Message;

/// A token, and what it is.
#[derive(Clone, Copy, Debug)]
pub enum Token<'a> {
    Access(&'a AccessToken),
    Refresh(&'a RefreshToken),
}

/// What came of a revocation. Whatever it is, nothing is left on this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Revoked {
    /// It is dead, or was never alive (RFC 7009, section 2.2).
    Done,
    /// The provider revokes no such thing.
    Unsupported,
    /// Worth another try, or worth telling.
    Not(Refusal),
}

/// What an introspection says of a token (RFC 7662).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activity {
    Active,
    Inactive,
    /// Whoever answered did not answer that.
    Unknown,
}

impl Provider {
    /// `None` where the provider has no such endpoint.
    pub fn revoke(&self, token: Token<'_>) -> Option<Message> {
        let endpoint = self.metadata.revocation_endpoint.as_ref()?;
        Some(self.post(endpoint, about(token), &self.client.extra.revoke))
    }

    /// `None` where the provider has no such endpoint.
    pub fn introspect(&self, token: Token<'_>) -> Option<Message> {
        let endpoint = self.metadata.introspection_endpoint.as_ref()?;
        Some(self.post(endpoint, about(token), &BTreeMap::new()))
    }

    /// Whether there is a userinfo endpoint that the client's tokens open: those that `openid` was asked for with, and
    /// that are for nobody else (OpenID Connect Core, section 5.3; RFC 8707).
    pub fn opens_userinfo(&self) -> bool {
        let for_another = self.client.audience.is_some() || !self.client.resources.is_empty();
        self.metadata.userinfo_endpoint.is_some() && self.client.asks_for("openid") && !for_another
    }

    /// What to open in the browser to sign out at the provider too (OpenID Connect RP-Initiated Logout). It revokes
    /// nothing: that is asked for by itself.
    pub fn logout_url(
        &self,
        id_token: Option<&Secret>,
        redirect_uri: Option<&str>,
        state: Option<&str>,
    ) -> Option<Secret> {
        let endpoint = self.metadata.end_session_endpoint.as_ref()?;
        let mut form = Form::default();
        form.put_some("id_token_hint", id_token.map(Secret::expose));
        form.put("client_id", &self.client.id);
        form.put_some("post_logout_redirect_uri", redirect_uri);
        form.put_some("state", state);
        Some(form.url(endpoint))
    }
}

pub fn read_revocation(answer: &Answer<'_>) -> Revoked {
    if answer.is_success() {
        return Revoked::Done;
    }
    match Refusal::of(answer, &answer.read()) {
        Refusal::Provider { error, .. } if error.code == "unsupported_token_type" => Revoked::Unsupported,
        // RFC 7009 has no such answer, but a token that is no good needs no revocation.
        Refusal::Provider { error, .. } if error.kind() == Kind::Grant || error.code == "invalid_token" => {
            Revoked::Done
        }
        Refusal::Trouble { trouble: Trouble::Misconfigured, .. } => Revoked::Unsupported,
        refusal @ (Refusal::Provider { .. } | Refusal::Trouble { .. } | Refusal::UseNonce) => {
            Revoked::Not(refusal)
        }
    }
}

impl Revoked {
    /// What that means for a sign-out, and whether the provider is told of it again. `status` is the answer's.
    pub fn told(&self, status: u16) -> Told {
        match self {
            Self::Done => Told::Heard,
            Self::Unsupported => Told::Unsupported,
            Self::Not(
                Refusal::Trouble { trouble: Trouble::Suspect | Trouble::Misconfigured, .. }
                | Refusal::Provider { .. },
            ) => Told::Refused { status },
            Self::Not(Refusal::Trouble { trouble, .. }) => {
                Told::Trouble { trouble: *trouble, status: Some(status) }
            }
            Self::Not(Refusal::UseNonce) => Told::Trouble { trouble: Trouble::Status, status: Some(status) },
        }
    }
}

pub fn read_introspection(answer: &Answer<'_>) -> Activity {
    let body = answer.read();
    let active = body.json().filter(|_| answer.is_success()).and_then(|json| json.get("active"));
    match active.and_then(Value::as_bool) {
        Some(true) => Activity::Active,
        Some(false) => Activity::Inactive,
        None => Activity::Unknown,
    }
}

/// The claims, when they are about that person (OpenID Connect Core, section 5.3.2).
pub fn read_userinfo(answer: &Answer<'_>, subject: Option<&str>) -> Option<Value> {
    let body = answer.read();
    let claims = body.json().filter(|json| answer.is_success() && json.is_object())?;
    let found: Option<String> = claims.get("sub").and_then(Value::as_str).map(str::to_string);
    (found.is_some() && (subject.is_none() || found.as_deref() == subject)).then(|| claims.clone())
}

fn about(token: Token<'_>) -> Form {
    let (text, hint) = match token {
        Token::Access(token) => (token.expose(), "access_token"),
        Token::Refresh(token) => (token.expose(), "refresh_token"),
    };
    Form::default().with("token", text).with("token_type_hint", hint)
}
