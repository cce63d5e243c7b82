//! The system, behind interfaces that do not name it. Nothing is decided here. Another one is a folder beside `linux`.

#[cfg(target_os = "linux")]
mod linux;

#[cfg(target_os = "linux")]
pub use linux::{clock, disk, error, files, folders, name, network, peer, process, signals, user};

#[cfg(not(target_os = "linux"))]
compile_error!(
    "this system has no folder in crates/os/src yet; crates/os/src/linux shows what belongs into one"
);
