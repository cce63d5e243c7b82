use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};

use serde_json::Value;

use super::Provider;
use super::error::{ErrorKind, Refusal};
use super::form::Form;
use crate::reason::Trouble;
use crate::tokens::{AccessToken, RefreshToken, Secret};
use crate::verdict::RevocationAnswer;
use crate::wire::answer::Answer;
use crate::wire::message::Message;

#[derive(Clone, Copy, Debug)]
pub enum TokenToEnd<'a> {
    Access(&'a AccessToken),
    Refresh(&'a RefreshToken),
}

/// What an introspection says of a token (RFC 7662).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activity {
    Active,
    Inactive,
    Unknown,
}

impl Provider {
    /// `None` where the provider has no such endpoint.
    pub fn revoke(&self, token: TokenToEnd<'_>) -> Option<Message> {
        let endpoint = self.metadata.revocation_endpoint.as_ref()?;
        Some(self.post(endpoint, about(token), &self.client.extra.revoke))
    }

    pub fn introspect(&self, token: TokenToEnd<'_>) -> Option<Message> {
        let endpoint = self.metadata.introspection_endpoint.as_ref()?;
        Some(self.post(endpoint, about(token), &BTreeMap::new()))
    }

    /// Only `openid` tokens without another audience open it (OpenID Connect Core, section 5.3; RFC 8707).
    pub fn opens_userinfo(&self) -> bool {
        let for_another = self.client.audience.is_some() || !self.client.resources.is_empty();
        self.metadata.userinfo_endpoint.is_some() && self.client.asks_for("openid") && !for_another
    }

    /// The page on which to sign out at the provider (OpenID Connect RP-Initiated Logout). It revokes no tokens.
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

pub fn read_revocation(answer: &Answer<'_>) -> RevocationAnswer {
    if answer.is_success() {
        return RevocationAnswer::Done;
    }
    let status = answer.status;
    match Refusal::of(answer, &answer.read()) {
        Refusal::Provider { error, .. } if error.code == "unsupported_token_type" => {
            RevocationAnswer::Unsupported
        }
        // RFC 7009 has no such answer, but a token that is no good needs no revocation.
        Refusal::Provider { error, .. }
            if error.kind() == ErrorKind::Grant || error.code == "invalid_token" =>
        {
            RevocationAnswer::Done
        }
        Refusal::Trouble { trouble: Trouble::Misconfigured, .. } => RevocationAnswer::Unsupported,
        Refusal::Provider { .. } | Refusal::Trouble { trouble: Trouble::Suspect, .. } => {
            RevocationAnswer::Refused { status }
        }
        Refusal::Trouble { trouble, .. } => RevocationAnswer::Trouble { trouble, status: Some(status) },
        Refusal::UseNonce => RevocationAnswer::Trouble { trouble: Trouble::Status, status: Some(status) },
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

/// The claims, if they are about that person (OpenID Connect Core, section 5.3.2).
pub fn read_userinfo(answer: &Answer<'_>, subject: Option<&str>) -> Option<Value> {
    let body = answer.read();
    let claims = body.json().filter(|json| answer.is_success() && json.is_object())?;
    let found: Option<String> = claims.get("sub").and_then(Value::as_str).map(str::to_string);
    (found.is_some() && (subject.is_none() || found.as_deref() == subject)).then(|| claims.clone())
}

fn about(token: TokenToEnd<'_>) -> Form {
    let (text, hint) = match token {
        TokenToEnd::Access(token) => (token.expose(), "access_token"),
        TokenToEnd::Refresh(token) => (token.expose(), "refresh_token"),
    };
    Form::default().with("token", text).with("token_type_hint", hint)
}
