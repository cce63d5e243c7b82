//! The session keeper: the process that owns every session.

pub mod adapters;
#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod alone;
pub mod config;
pub mod door;
pub mod main_loop;
pub mod process;
mod requests;
mod room;
mod sign_in;
