//! A dialect is a variant of [`Dialect`], a field of `PerDialect`, and a module with a [`Grammar`].

mod flask;
mod grammar;
mod heartbeat;
mod nestjs;
mod oauth;
mod pages;
mod simplejwt;

pub(crate) use self::grammar::{Grammar, Route};
use crate::name::Dialect;

pub(crate) fn grammar_of(dialect: Dialect) -> &'static Grammar {
    match dialect {
        Dialect::Flask => &flask::GRAMMAR,
        Dialect::Heartbeat => &heartbeat::GRAMMAR,
        Dialect::NestJs => &nestjs::GRAMMAR,
        Dialect::OAuth => &oauth::GRAMMAR,
        Dialect::SimpleJwt => &simplejwt::GRAMMAR,
    }
}
