//! OAuth 2.0 and OpenID Connect, as messages and what their answers mean.
//!
//! Each exchange is a pair of functions: one makes the [`Message`], one reads the [`Answer`](crate::recipe::Answer).
//! Randomness, time and signatures come in as arguments; nothing here can send, wait, sign or verify. What a lenient
//! reading costs nobody is read leniently, because servers differ; what a lenient reading would give to an attacker
//! (the issuer, the state, the address that a token is sent to, the algorithm of a signature) is compared to the
//! letter.

mod address;
pub mod authorize;
pub mod challenge;
pub mod client;
pub mod device;
pub mod dpop;
pub mod endings;
pub mod error;
mod form;
pub mod id_token;
pub mod metadata;
pub mod token;

use alloc::string::{String, ToString};

use crate::recipe::Message;
use crate::recipe::message::with_scheme;
use crate::tokens::{AccessToken, Secret};

use client::Client;
use form::Form;
use metadata::Metadata;
use token::TokenType;

/// Whom a session is with, and as whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Provider {
    pub metadata: Metadata,
    pub client: Client,
}

impl Provider {
    /// The name and the value of the header that opens a protected resource.
    pub fn authorization(kind: TokenType, token: &AccessToken) -> (String, Secret) {
        ("Authorization".to_string(), with_scheme(kind.scheme(), token.expose()))
    }

    /// To that endpoint, in the name of the client.
    fn post(&self, endpoint: &str, mut form: Form) -> Message {
        let authorization = self.client.authenticate(&mut form);
        let mut message = form.message(endpoint);
        message.headers.extend(authorization);
        message
    }
}
