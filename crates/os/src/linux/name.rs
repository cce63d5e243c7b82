//! Names that are in no directory, and go with the process that has them.

use std::io;
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::net::{SocketAddr, UnixListener};
use std::path::PathBuf;

/// Nobody else has it for as long as this lives.
#[derive(Debug)]
pub struct Name {
    /// Nobody connects to it.
    _listener: UnixListener,
}

/// Takes a name.
///
/// # Errors
///
/// `AddrInUse` where another process has it; anything else where names cannot be had.
pub fn take(name: &str) -> io::Result<Name> {
    let listener = UnixListener::bind_addr(&SocketAddr::from_abstract_name(name)?)?;
    Ok(Name { _listener: listener })
}

/// Tells apart the containers that share names and not files.
pub fn file_systems() -> PathBuf {
    std::fs::read_link("/proc/self/ns/mnt").unwrap_or_default()
}
