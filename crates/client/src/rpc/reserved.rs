//! Reserved source ports: servers take them for a sign that the caller is privileged on its host.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use nix::unistd::Uid;
use socket2::Socket;

use crate::limits::RESERVED_PORTS;

/// Whether this process may bind reserved ports and wants to: only the superuser's calls gain from it.
pub(crate) fn wanted() -> bool {
    Uid::effective().is_root()
}

/// The reserved ports in the order in which this process tries them: from a place that depends on the process
/// id, so that processes seldom meet.
pub(crate) fn ports() -> impl Iterator<Item = u16> {
    let first = *RESERVED_PORTS.start();
    let count = RESERVED_PORTS.end() - first + 1;
    let offset = (std::process::id() % u32::from(count)) as u16;
    (0..count).map(move |i| first + (offset + i) % count)
}

/// Binds `socket` to `port` on any address of the family of `peer`.
pub(crate) fn bind(socket: &Socket, peer: &SocketAddr, port: u16) -> io::Result<()> {
    let any = match peer {
        SocketAddr::V4(_) => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
        SocketAddr::V6(_) => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
    };
    socket.bind(&SocketAddr::new(any, port).into())
}

/// Whether another port may succeed where this one failed.
pub(crate) fn try_next(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::AddrInUse | io::ErrorKind::AddrNotAvailable)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reserved_port_once() {
        let mut all: Vec<_> = ports().collect();
        all.sort_unstable();
        assert_eq!(all, RESERVED_PORTS.collect::<Vec<_>>());
    }
}
