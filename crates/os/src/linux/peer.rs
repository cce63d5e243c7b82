use std::io;
use std::os::fd::AsFd;

use nix::sys::socket::{getsockopt, sockopt::PeerCredentials};

/// The user of the process that connected, or that listens. That may be one of another container, which has no number
/// here: what takes the number for granted fails with it.
pub fn user(socket: &impl AsFd) -> io::Result<u32> {
    Ok(getsockopt(socket, PeerCredentials)?.uid())
}
