use axum::http::Method;

use crate::broken::Broken;
use crate::exchange::Exchange;
use crate::name::Endpoint;
use crate::reply::Reply;
use crate::speech::Speech;

pub(crate) struct Grammar {
    pub(crate) routes: &'static [Route],
    pub(crate) speech: Speech,
    /// How a dead token is refused: a refresh token at the refresh, an access token elsewhere.
    pub(crate) refuse: fn(Endpoint) -> Reply,
    pub(crate) not_found: fn(&Method, &str) -> Reply,
    pub(crate) by_body: Option<ByBody>,
    /// The answer to too many requests, told the wait in seconds if there is one.
    pub(crate) throttled: fn(Option<u64>) -> Reply,
}

pub(crate) struct Route {
    method: Method,
    /// Below the dialect's prefix; whole where a standard puts it elsewhere.
    pub(crate) path: &'static str,
    pub(crate) endpoint: Endpoint,
    pub(crate) answer: Answering,
}

/// Told by path and body, where one path serves several purposes.
type ByBody = fn(&str, &[u8]) -> Option<Endpoint>;
type Answering = fn(&mut Exchange<'_>) -> Result<Reply, Broken>;

impl Grammar {
    pub(crate) fn route(&self, method: &Method, path: &str) -> Option<&'static Route> {
        self.routes.iter().find(|route| route.method == *method && route.path == path)
    }
}

pub(super) const fn get(path: &'static str, endpoint: Endpoint, answer: Answering) -> Route {
    Route { method: Method::GET, path, endpoint, answer }
}

pub(super) const fn post(path: &'static str, endpoint: Endpoint, answer: Answering) -> Route {
    Route { method: Method::POST, path, endpoint, answer }
}
