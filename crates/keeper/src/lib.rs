//! The session keeper: the process that owns every session, its socket, and the client that all faces use.

pub mod api;
pub mod client;
pub mod clock;
pub mod config;
pub mod journal;
pub mod lock;
pub mod paths;
pub mod secret;
pub mod vault;
pub mod words;
