//! Linux.

pub mod clock;
pub mod disk;
pub mod error;
pub mod files;
pub mod folders;
pub mod name;
pub mod peer;
pub mod process;
pub mod signals;
pub mod user;
