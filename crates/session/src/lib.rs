//! The state machine of one session, and the messages it exchanges, as pure functions: time and events come in as
//! arguments, and what is to be done comes out as effects. Nothing here reads a clock, a file, a socket or a random
//! number, and `no_std` makes the compiler check that. (The derive macro of the TypeScript types needs std, so the
//! build that writes them has it.)
//!
//! From the bottom up: plain types (`reason`, `verdict`, `tokens`, …); `wire`, requests and answers; [`recipe`] and
//! [`oauth`], what they mean; `core`, one session; `shared`, what is decided for several sessions at once.

#![cfg_attr(not(feature = "ts"), no_std)]

extern crate alloc;

pub mod bounds;
mod core;
mod dice;
pub mod forecast;
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
pub use self::shared::{
    admission, breaker, callers, custody, edits, lane, looks, moving, network, patience, queue, revocation,
    wrapping,
};
