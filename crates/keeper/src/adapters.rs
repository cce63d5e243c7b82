//! The world outside: each adapter turns what is wanted into calls and what comes back into values. None decides
//! anything about a session.

pub mod clock;
pub mod config_file;
pub mod hints;
pub(crate) mod http;
pub mod journal;
pub(crate) mod patience;
pub(crate) mod provider;
pub mod vault;
