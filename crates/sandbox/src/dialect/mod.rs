//! The dialects: each a set of routes under its own prefix, and the words in which it says yes and no.
//!
//! What is common to all (who may sign in, which token is good, what a refresh does to it) is in [`crate::exchange`];
//! a dialect only translates. A new one is a module with a [`Grammar`], a variant of [`Dialect`] and a field of
//! [`PerDialect`].

mod flask;
mod heartbeat;
mod nestjs;
mod oauth;
mod simplejwt;

use axum::http::{Method, StatusCode};

use crate::broken::Broken;
use crate::exchange::{Exchange, RequestKind};
use crate::mint::Claim;
use crate::name::{Dialect, Endpoint};
use crate::people::Person;
use crate::reply::{Fields, Reply};
use crate::settings::TokenFormat;

pub(crate) struct Grammar {
    pub(crate) routes: &'static [Route],
    pub(crate) names: Names,
    pub(crate) refresh_format: TokenFormat,
    /// What the dialect's JWTs say.
    pub(crate) claims: fn(RequestKind, Person, &Claim) -> Fields,
    /// How a dead token is refused: a refresh token at the refresh, an access token elsewhere.
    pub(crate) refuse: fn(Endpoint) -> Reply,
    pub(crate) not_found: fn(&Method, &str) -> Reply,
    /// Tells requests apart whose path is the same, by what they ask for; only where a dialect has such.
    pub(crate) by_body: Option<ByBody>,
    /// The answer to too many requests, told the wait in seconds if there is one.
    pub(crate) throttled: fn(Option<u64>) -> Reply,
}

/// By the route's path and the body.
pub(crate) type ByBody = fn(&str, &[u8]) -> Option<Endpoint>;

pub(crate) struct Route {
    pub(crate) method: Method,
    /// Below the dialect's prefix; whole where a standard puts it elsewhere.
    pub(crate) path: &'static str,
    pub(crate) endpoint: Endpoint,
    pub(crate) answer: fn(&mut Exchange<'_>) -> Result<Reply, Broken>,
}

/// What a dialect calls the things in an answer with tokens.
pub(crate) struct Names {
    pub(crate) access: &'static str,
    pub(crate) refresh: &'static str,
    /// Empty where no lifetime is told.
    pub(crate) lifetime: &'static str,
}

impl Dialect {
    pub(crate) fn grammar(self) -> &'static Grammar {
        match self {
            Self::Flask => &flask::GRAMMAR,
            Self::Heartbeat => &heartbeat::GRAMMAR,
            Self::NestJs => &nestjs::GRAMMAR,
            Self::OAuth => &oauth::GRAMMAR,
            Self::SimpleJwt => &simplejwt::GRAMMAR,
        }
    }
}

impl Grammar {
    pub(crate) fn route(&self, method: &Method, path: &str) -> Option<&'static Route> {
        self.routes.iter().find(|route| route.method == *method && route.path == path)
    }
}

/// The page that Flask and Django show alike for a path that they do not have.
fn not_found_page() -> Reply {
    let page = "\n<!doctype html>\n<html lang=\"en\">\n<head>\n  <title>Not Found</title>\n</head>\n<body>\n  \
                <h1>Not Found</h1><p>The requested resource was not found on this server.</p>\n</body>\n</html>\n";
    Reply::html(StatusCode::NOT_FOUND, page)
}

fn too_many_page() -> Reply {
    let page = "<!doctype html>\n<title>429 Too Many Requests</title>\n<h1>Too Many Requests</h1>\n";
    Reply::html(StatusCode::TOO_MANY_REQUESTS, page)
}
