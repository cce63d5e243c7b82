//! Who asks: the client as it is registered with the provider, and what it asks for.

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
    /// Of an app on somebody's machine this is no secret (RFC 8252, section 8.5), but some providers demand one.
    pub secret: Option<Secret>,
    pub auth: ClientAuth,
    pub scopes: Vec<String>,
    /// Whom the access token is for, in the words of providers that came before RFC 8707.
    pub audience: Option<String>,
    /// Whom the access token is for (RFC 8707).
    pub resources: Vec<String>,
    pub extra: Extra,
}

/// How the client names itself at the token endpoint and its kin.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ClientAuth {
    /// A public client: its id stands in the body.
    #[default]
    None,
    /// `client_secret_basic`.
    SecretBasic,
    /// `client_secret_post`.
    SecretPost,
}

/// Parameters beyond the standard ones. They never replace what the exchange itself sends.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Extra {
    pub authorize: BTreeMap<String, String>,
    pub device: BTreeMap<String, String>,
    pub refresh: BTreeMap<String, String>,
    pub revoke: BTreeMap<String, String>,
    /// Of every way to sign in that ends at the token endpoint.
    pub token: BTreeMap<String, String>,
}

impl ClientRegistration {
    /// A client without a secret, which asks for nothing in particular.
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

    /// What a new access token is for, and may do.
    pub(super) fn put_target(&self, form: &mut Form) {
        form.put_some("audience", self.audience.as_deref());
        form.put_resources(&self.resources);
    }

    /// Names the client in the form, or in the header that is returned. A secret that is missing is not invented: the
    /// client then counts as a public one.
    pub(super) fn authenticate(&self, form: &mut Form) -> Option<(String, Secret)> {
        match (self.auth, &self.secret) {
            (ClientAuth::SecretBasic, Some(secret)) => {
                let mut pair = String::new();
                // RFC 6749, section 2.3.1: each half is escaped as in a form, so that a `:` can stand in an id.
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
    /// What suits the provider when nobody has chosen. A provider that says nothing takes `client_secret_basic` (RFC
    /// 8414, section 2).
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
