//! What was agreed at a sign-in, for all tokens that come from it.

use super::client::Client;
use super::scopes::Scopes;
use crate::people::Person;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Terms {
    pub(crate) client: Client,
    pub(crate) person: Person,
    pub(crate) scopes: Scopes,
    pub(crate) jkt: Option<String>,
    pub(crate) nonce: Option<String>,
    pub(crate) stepped_up: bool,
    pub(crate) signed_in_s: i64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Lent {
    pub(crate) scopes: Scopes,
    /// The key that it is bound to.
    pub(crate) jkt: Option<String>,
}
