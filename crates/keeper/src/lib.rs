//! The session keeper: the process that owns every session, its socket, and the client that all faces use.

pub mod api;
pub mod client;
pub mod config;
pub mod paths;
pub mod secret;
pub mod words;
