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
pub mod clocks;
pub mod device;
pub mod dpop;
pub mod endings;
pub mod error;
mod form;
pub mod id_token;
pub mod metadata;
pub mod probe;
pub mod token;

use alloc::collections::BTreeMap;
use alloc::string::String;

use crate::wire::message::Message;

use client::ClientRegistration;
use form::Form;
use metadata::Metadata;

/// Whom a session is with, and as whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Provider {
    pub metadata: Metadata,
    pub client: ClientRegistration,
}

impl Provider {
    /// To that endpoint, in the name of the client, with what the profile adds.
    fn post(&self, endpoint: &str, mut form: Form, extra: &BTreeMap<String, String>) -> Message {
        let authorization = self.client.authenticate(&mut form);
        form.put_all(extra);
        let mut message = form.message(endpoint);
        message.headers.extend(authorization);
        message
    }
}
