use super::client::Client;
use super::scopes::Scopes;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Request {
    pub(crate) client: Client,
    pub(crate) redirect: String,
    pub(crate) scopes: Scopes,
    pub(crate) state: Option<String>,
    pub(crate) nonce: Option<String>,
    /// By S256.
    pub(crate) challenge: String,
    pub(crate) jkt: Option<String>,
    pub(crate) stepped_up: bool,
    pub(crate) login_hint: Option<String>,
}

/// A form that was shown, and the browser it was shown to.
#[derive(Clone, Debug)]
pub(crate) struct Page {
    pub(crate) cookie: String,
    /// `None` for the page where a device's code is entered.
    pub(crate) request: Option<Request>,
}
