//! The session keeper: the process that owns every session.

pub mod adapters;
pub mod config;
pub mod door;
pub mod main_loop;
pub mod process;
mod requests;
mod sign_in;
