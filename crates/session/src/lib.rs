//! The state machine of one session, and the messages it exchanges, as pure functions.
//!
//! Nothing here reads a clock, a file, a socket or a random number: time and events come in as arguments, and what
//! is to be done comes out as effects. `no_std` is how the compiler holds us to that (the one build that has std is
//! the one that writes the page's TypeScript types, whose derive macro asks for it).

#![cfg_attr(not(feature = "ts"), no_std)]

extern crate alloc;

pub mod binding;
pub mod breaker;
pub mod custody;
mod demand;
mod dice;
pub mod edits;
pub mod event;
pub mod farewell;
mod heartbeat;
pub mod lane;
pub mod limits;
pub mod looks;
pub mod note;
pub mod oauth;
pub mod patience;
pub mod policy;
pub mod reason;
pub mod recipe;
mod refresh;
pub mod session;
mod sign_in;
mod stored;
pub mod time;
pub mod tokens;
pub mod verdict;
mod view;

pub use session::Session;
