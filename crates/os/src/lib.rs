//! What belongs to the operating system, behind interfaces without its names. Nothing is decided here. Another system
//! is another folder beside `linux` with the same modules.

#[cfg(target_os = "linux")]
mod linux;

#[cfg(target_os = "linux")]
pub use linux::{clock, disk, error, files, folders, name, peer, process, signals, user};

#[cfg(not(target_os = "linux"))]
compile_error!(
    "this system has no folder in crates/os/src yet; crates/os/src/linux shows what belongs into one"
);
