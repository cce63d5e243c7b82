//! A request to a provider. Its secrets are in types that cannot print.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use crate::tokens::Secret;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    pub method: String,
    /// Appended to the profile's URL; with OAuth the whole URL of the endpoint.
    pub path: String,
    /// Names and values are not escaped yet.
    pub query: Vec<(String, Secret)>,
    pub headers: Vec<(String, Secret)>,
    pub body: Option<Secret>,
    pub content_type: Option<&'static str>,
}

impl Message {
    pub fn get(url: &str) -> Self {
        let mut message = Self::bare("GET", url);
        message.headers.push(("Accept".to_string(), Secret::new("application/json")));
        message
    }

    pub(crate) fn bare(method: &str, path: &str) -> Self {
        Self {
            method: method.to_string(),
            path: path.to_string(),
            query: Vec::new(),
            headers: Vec::new(),
            body: None,
            content_type: None,
        }
    }
}

pub(crate) fn with_scheme(scheme: &str, token: &str) -> Secret {
    Secret::new(if scheme.is_empty() { token.to_string() } else { format!("{scheme} {token}") })
}
