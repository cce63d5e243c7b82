//! Names that are in no directory and end with their process (abstract sockets).

use std::io;
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::net::{SocketAddr, UnixListener};
use std::path::PathBuf;

#[derive(Debug)]
pub struct Claim {
    /// No connection is accepted.
    _listener: UnixListener,
}

/// Fails with `AddrInUse` where another process has the name.
pub fn take(name: &str) -> io::Result<Claim> {
    let listener = UnixListener::bind_addr(&SocketAddr::from_abstract_name(name)?)?;
    Ok(Claim { _listener: listener })
}

/// Tells apart containers that share names but not files.
pub fn file_systems() -> PathBuf {
    std::fs::read_link("/proc/self/ns/mnt").unwrap_or_default()
}
