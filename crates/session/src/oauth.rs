//! OAuth 2.0 and OpenID Connect: functions that make a [`Message`] or read an [`Answer`](crate::wire::answer::Answer),
//! and cannot send, wait, sign or verify. Answers are read leniently, as servers differ, except where that helps an
//! attacker: the issuer, the state, a token's address and a signature's algorithm are compared to the letter.

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

use client::ClientRegistration;

use crate::wire::message::Message;

use form::Form;
use metadata::Metadata;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Provider {
    pub metadata: Metadata,
    pub client: ClientRegistration,
}

impl Provider {
    fn post(&self, endpoint: &str, mut form: Form, extra: &BTreeMap<String, String>) -> Message {
        let authorization = self.client.authenticate(&mut form);
        form.put_all(extra);
        let mut message = form.message(endpoint);
        message.headers.extend(authorization);
        message
    }
}
