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

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Endpoint {
    Discovery,
    /// OAuth only: where a sign-in begins: the page, a pushed request, a device's request for a code.
    Authorize,
    Consent,
    /// Where the first tokens come from; in OAuth the token endpoint, for anything but the next two.
    Login,
    Poll,
    Refresh,
    Heartbeat,
    Resource,
    Logout,
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
