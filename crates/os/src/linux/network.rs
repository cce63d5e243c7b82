use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, UdpSocket};
use std::os::fd::{AsRawFd, OwnedFd, RawFd};

use nix::ifaddrs::{InterfaceAddress, getifaddrs};
use nix::net::if_::InterfaceFlags;
use rustix::io::Errno;
use rustix::net::netlink::SocketAddrNetlink;
use rustix::net::{AddressFamily, RecvFlags, SocketFlags, SocketType, bind, recv, socket_with};

/// Becomes readable when links, addresses or routes change. What has changed, it does not say.
#[derive(Debug)]
pub struct Changes(OwnedFd);

/// An interface, and the address of this machine on it.
pub type WayOut = (String, IpAddr);

impl Changes {
    pub fn watch() -> io::Result<Self> {
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let socket = socket_with(AddressFamily::NETLINK, SocketType::RAW, flags, None)?;
        bind(&socket, &SocketAddrNetlink::new(0, GROUPS))?;
        Ok(Self(socket))
    }

    /// What it has told so far is known.
    pub fn clear(&self) -> io::Result<()> {
        let mut told = [0_u8; 8192];
        loop {
            match recv(&self.0, &mut told[..], RecvFlags::empty()) {
                // More has changed than it could keep, which is a change as well.
                Ok(_) | Err(Errno::NOBUFS | Errno::INTR) => {}
                Err(Errno::AGAIN) => return Ok(()),
                Err(error) => return Err(error.into()),
            }
        }
    }
}

impl AsRawFd for Changes {
    fn as_raw_fd(&self) -> RawFd {
        self.0.as_raw_fd()
    }
}

/// Where what is sent to the world would leave this machine. Nothing is sent to find out.
pub fn ways_out() -> Vec<WayOut> {
    let interfaces: Vec<InterfaceAddress> = getifaddrs().map(Iterator::collect).unwrap_or_default();
    let here = [IpAddr::V4(Ipv4Addr::UNSPECIFIED), IpAddr::V6(Ipv6Addr::UNSPECIFIED)];
    let sources = here.into_iter().zip(WORLD).filter_map(|(here, there)| source(here, there).ok());
    sources.filter_map(|source| way_out(source, &interfaces)).collect()
}

/// The kernel looks up the route when a socket for datagrams is connected.
fn source(here: IpAddr, there: IpAddr) -> io::Result<IpAddr> {
    let socket = UdpSocket::bind((here, 0))?;
    socket.connect((there, 9))?;
    Ok(socket.local_addr()?.ip())
}

/// A route may lead over a link that is down.
fn way_out(source: IpAddr, interfaces: &[InterfaceAddress]) -> Option<WayOut> {
    let works = InterfaceFlags::IFF_UP | InterfaceFlags::IFF_RUNNING;
    let mut fitting = interfaces.iter().filter(|interface| interface.flags.contains(works));
    let found = fitting.find(|interface| address(interface) == Some(source))?;
    (!found.flags.contains(InterfaceFlags::IFF_LOOPBACK)).then(|| (found.interface_name.clone(), source))
}

fn address(interface: &InterfaceAddress) -> Option<IpAddr> {
    let address = interface.address.as_ref()?;
    let v4 = address.as_sockaddr_in().map(|address| IpAddr::V4(address.ip()));
    v4.or_else(|| address.as_sockaddr_in6().map(|address| IpAddr::V6(address.ip())))
}

/// Addresses of documents, which are nobody's (RFC 5737, RFC 3849).
const WORLD: [IpAddr; 2] =
    [IpAddr::V4(Ipv4Addr::new(203, 0, 113, 1)), IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1))];

/// Links, and the addresses and routes of both families: `RTMGRP_LINK` and so on, of `linux/rtnetlink.h`.
const GROUPS: u32 = 0x1 | 0x10 | 0x40 | 0x100 | 0x400;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_way_out_has_an_address_of_this_machine_and_is_not_the_loopback() {
        for (name, address) in ways_out() {
            assert!(!name.is_empty() && !address.is_loopback() && !address.is_unspecified(), "{name}");
        }
    }

    #[test]
    fn changes_can_be_watched_and_cleared() {
        let changes = Changes::watch().unwrap();
        changes.clear().unwrap();
        changes.clear().unwrap();
    }
}
