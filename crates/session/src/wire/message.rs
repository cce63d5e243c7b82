//! A request to a provider, as it is to be sent.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use crate::tokens::Secret;

/// A request as it is to be sent. Printing it shows no secret: all that was filled in is in types that cannot print.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    pub method: String,
    /// To be appended to the profile's URL; of an OAuth message, the whole URL of the endpoint.
    pub path: String,
    /// Neither names nor values are escaped yet.
    pub query: Vec<(String, Secret)>,
    pub headers: Vec<(String, Secret)>,
    pub body: Option<Secret>,
    /// Of the body.
    pub content_type: Option<&'static str>,
}

impl Message {
    /// Asks for a document, in JSON.
    pub fn get(url: &str) -> Self {
        let mut message = Self::bare("GET", url);
        message.headers.push(("Accept".to_string(), Secret::new("application/json")));
        message
    }

    /// With nothing in it but where it goes.
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
