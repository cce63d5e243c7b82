//! The state machine of one session, and the messages it exchanges, as pure functions.
//!
//! Nothing here reads a clock, a file, a socket or a random number: time and events come in as arguments, and what
//! is to be done comes out as effects. `no_std` is how the compiler holds us to that (the one build that has std is
//! the one that writes the page's TypeScript types, whose derive macro asks for it).
//!
//! From the ground up: the words that everything is said in (`reason`, `verdict`, `tokens`, …); `wire`, what a request
//! and an answer are; [`recipe`] and [`oauth`], what is sent and what comes back means; `core`, one session; `shared`,
//! what is decided for several sessions at once.

#![cfg_attr(not(feature = "ts"), no_std)]

extern crate alloc;

mod core;
mod dice;
pub mod interaction;
pub mod limits;
pub mod oauth;
pub mod reason;
pub mod recipe;
mod shared;
pub mod time;
pub mod tokens;
pub mod verdict;
pub mod wire;

pub use self::core::{Session, binding, event, note, policy, view};
pub use self::shared::{breaker, custody, edits, lane, looks, patience, queue, revocation};
