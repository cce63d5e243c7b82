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

use std::ops::{Index, IndexMut};

use axum::http::{Method, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use self::oauth::DeviceState;
pub(crate) use self::oauth::{Answer, Ledger};
use crate::exchange::{Exchange, RequestKind};
use crate::invalid::Invalid;
use crate::mint::{Broken, Claim};
use crate::people::Person;
use crate::reply::{Fields, Reply};
use crate::settings::TokenFormat;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Dialect {
    Flask,
    Heartbeat,
    NestJs,
    OAuth,
    SimpleJwt,
}

/// What a request is for, the same word in all dialects.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Endpoint {
    /// OAuth only: what a server says of itself, and its keys.
    Discovery,
    /// OAuth only: where a sign-in begins: the page, a pushed request, a device's request for a code.
    Authorize,
    /// OAuth only: the person's answer, and with it what is sent back through the browser.
    Consent,
    /// Where the first tokens come from; in OAuth the token endpoint, for anything but the next two.
    Login,
    /// OAuth only: a device asks whether its code was entered.
    Poll,
    Refresh,
    Heartbeat,
    Resource,
    Logout,
    /// A path that the dialect does not have.
    Other,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct PerDialect<T> {
    pub flask: T,
    pub heartbeat: T,
    pub nestjs: T,
    pub oauth: T,
    pub simplejwt: T,
}

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
    pub const ALL: [Self; 5] = [Self::Flask, Self::Heartbeat, Self::NestJs, Self::OAuth, Self::SimpleJwt];
    /// Those whose sign-in is a JSON request.
    pub const JSON: [Self; 4] = [Self::Flask, Self::Heartbeat, Self::NestJs, Self::SimpleJwt];

    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|dialect| dialect.name() == name)
    }

    /// Also the first segment of its paths.
    pub fn name(self) -> &'static str {
        match self {
            Self::Flask => "flask",
            Self::Heartbeat => "heartbeat",
            Self::NestJs => "nestjs",
            Self::OAuth => "oauth",
            Self::SimpleJwt => "simplejwt",
        }
    }

    pub(crate) fn grammar(self) -> &'static Grammar {
        match self {
            Self::Flask => &flask::GRAMMAR,
            Self::Heartbeat => &heartbeat::GRAMMAR,
            Self::NestJs => &nestjs::GRAMMAR,
            Self::OAuth => &oauth::GRAMMAR,
            Self::SimpleJwt => &simplejwt::GRAMMAR,
        }
    }

    pub(crate) fn parse(field: &str, value: &Value) -> Result<Self, Invalid> {
        let names = Self::ALL.map(Self::name).join(", ");
        Self::deserialize(value).map_err(|_| Invalid::field(field, value, format!("one of {names}")))
    }
}

impl Endpoint {
    pub const ALL: [Self; 10] = [
        Self::Discovery,
        Self::Authorize,
        Self::Consent,
        Self::Login,
        Self::Poll,
        Self::Refresh,
        Self::Heartbeat,
        Self::Resource,
        Self::Logout,
        Self::Other,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::Discovery => "discovery",
            Self::Authorize => "authorize",
            Self::Consent => "consent",
            Self::Login => "login",
            Self::Poll => "poll",
            Self::Refresh => "refresh",
            Self::Heartbeat => "heartbeat",
            Self::Resource => "resource",
            Self::Logout => "logout",
            Self::Other => "other",
        }
    }

    /// Whether an access token is asked for.
    pub(crate) fn is_protected(self) -> bool {
        matches!(self, Self::Heartbeat | Self::Resource)
    }
}

impl Grammar {
    pub(crate) fn route(&self, method: &Method, path: &str) -> Option<&'static Route> {
        self.routes.iter().find(|route| route.method == *method && route.path == path)
    }
}

impl<T> Index<Dialect> for PerDialect<T> {
    type Output = T;

    fn index(&self, dialect: Dialect) -> &T {
        match dialect {
            Dialect::Flask => &self.flask,
            Dialect::Heartbeat => &self.heartbeat,
            Dialect::NestJs => &self.nestjs,
            Dialect::OAuth => &self.oauth,
            Dialect::SimpleJwt => &self.simplejwt,
        }
    }
}

impl<T> IndexMut<Dialect> for PerDialect<T> {
    fn index_mut(&mut self, dialect: Dialect) -> &mut T {
        match dialect {
            Dialect::Flask => &mut self.flask,
            Dialect::Heartbeat => &mut self.heartbeat,
            Dialect::NestJs => &mut self.nestjs,
            Dialect::OAuth => &mut self.oauth,
            Dialect::SimpleJwt => &mut self.simplejwt,
        }
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
