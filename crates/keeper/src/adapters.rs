//! The world outside: adapters turn wishes into calls and answers into values, and decide nothing about a session.

pub mod clock;
pub mod config_file;
pub mod hints;
pub(crate) mod http;
pub mod journal;
pub(crate) mod patience;
pub(crate) mod provider;
pub mod vault;
