//! What is the operating system's own: one module a concern, each behind an interface without the system's names.
//!
//! Nothing is decided here. Another system is another folder beside `linux` with the same names in it.

#[cfg(target_os = "linux")]
mod linux;

#[cfg(target_os = "linux")]
pub use linux::{clock, disk, error, files, folders, name, peer, process, signals, user};

#[cfg(not(target_os = "linux"))]
compile_error!(
    "this system has no folder in crates/os/src yet; crates/os/src/linux shows what belongs into one"
);
