//! What was agreed.

use super::client::Client;
use super::scopes::Scopes;
use crate::people::Person;

/// What was agreed at a sign-in. It holds for all tokens that come from it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Terms {
    pub(crate) client: Client,
    pub(crate) person: Person,
    pub(crate) scopes: Scopes,
    /// The key that the refresh token is bound to.
    pub(crate) jkt: Option<String>,
    pub(crate) nonce: Option<String>,
    /// The client asked for the stricter sign-in.
    pub(crate) stepped_up: bool,
    pub(crate) signed_in_s: i64,
}

/// What an access token is good for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Lent {
    pub(crate) scopes: Scopes,
    /// The key that the access token is bound to.
    pub(crate) jkt: Option<String>,
}
