//! The session keeper: the process that owns every session, its socket, and the client that all faces use.

pub mod agent;
pub mod api;
pub mod browser;
pub mod client;
pub mod clock;
pub mod config;
pub mod descriptors;
mod failure;
pub mod files;
mod http;
pub mod journal;
pub mod keeper;
pub mod lock;
pub mod log;
pub mod paths;
mod patience;
pub mod privacy;
mod provider;
pub mod secret;
pub mod vault;
pub mod words;

pub use session::limits;
