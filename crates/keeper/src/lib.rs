//! The session keeper: the process that owns every session, its socket, and the client that all faces use.

pub mod api;
mod secret;
