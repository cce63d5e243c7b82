//! The client as it is registered with the provider, and what it asks for.

use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::form::Form;
use crate::tokens::Secret;
use crate::wire::escape::escape;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientRegistration {
    pub id: String,
    /// In an app on a person's machine this is no secret (RFC 8252, section 8.5), but some providers demand one.
    pub secret: Option<Secret>,
    pub auth: ClientAuth,
    pub scopes: Vec<String>,
    /// Whom the access token is for, with providers from before RFC 8707.
    pub audience: Option<String>,
    pub resources: Vec<String>,
    pub extra: Extra,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ClientAuth {
    #[default]
    None,
    SecretBasic,
    SecretPost,
}

/// They never replace what the exchange itself sends.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Extra {
    pub authorize: BTreeMap<String, String>,
    pub device: BTreeMap<String, String>,
    pub refresh: BTreeMap<String, String>,
    pub revoke: BTreeMap<String, String>,
    pub token: BTreeMap<String, String>,
}

impl ClientRegistration {
    pub fn public(id: &str) -> Self {
        Self {
            id: id.to_string(),
            secret: None,
            auth: ClientAuth::None,
            scopes: Vec::new(),
            audience: None,
            resources: Vec::new(),
            extra: Extra::default(),
        }
    }

    pub fn asks_for(&self, scope: &str) -> bool {
        self.scopes.iter().any(|asked| asked == scope)
    }

    pub(super) fn scope(&self) -> Option<String> {
        (!self.scopes.is_empty()).then(|| self.scopes.join(" "))
    }

    pub(super) fn put_target(&self, form: &mut Form) {
        form.put_some("audience", self.audience.as_deref());
        form.put_resources(&self.resources);
    }

    /// Fills the form or returns a header. A client whose secret is missing counts as a public one.
    pub(super) fn authenticate(&self, form: &mut Form) -> Option<(String, Secret)> {
        match (self.auth, &self.secret) {
            (ClientAuth::SecretBasic, Some(secret)) => {
                let mut pair = String::new();
                // RFC 6749, section 2.3.1: each half is escaped as in a form, so that an id can contain `:`.
                escape(&mut pair, &self.id);
                pair.push(':');
                escape(&mut pair, secret.expose());
                let pair = Secret::new(pair);
                let value = ["Basic ", &STANDARD.encode(pair.expose())].concat();
                return Some(("Authorization".to_string(), Secret::new(value)));
            }
            (ClientAuth::SecretPost, Some(secret)) => {
                form.put("client_id", &self.id);
                form.put("client_secret", secret.expose());
            }
            (ClientAuth::None, _) | (_, None) => form.put("client_id", &self.id),
        }
        None
    }
}

impl ClientAuth {
    /// A provider that names no method takes `client_secret_basic` (RFC 8414, section 2).
    pub fn suited(supported: &[String], has_secret: bool) -> Self {
        let supports = |name: &str| supported.iter().any(|method| method == name);
        if !has_secret {
            Self::None
        } else if supports("client_secret_post") && !supports("client_secret_basic") {
            Self::SecretPost
        } else {
            Self::SecretBasic
        }
    }
}
