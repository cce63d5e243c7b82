//! What the dialects and their endpoints are called.

use std::ops::{Index, IndexMut};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::invalid::Invalid;

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
