use std::io;
use std::os::fd::AsFd;

/// The user of the process that connected, or that listens.
pub fn user(socket: &impl AsFd) -> io::Result<u32> {
    let peer = rustix::net::sockopt::socket_peercred(socket)?;
    Ok(peer.uid.as_raw())
}
