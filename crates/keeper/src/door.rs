//! Where the keeper is found: its lock, its socket, and the home that both are in.

pub mod lock;
pub(crate) mod place;
pub(crate) mod socket;
