//! Where servers are reached. This host is reached by the socket of its daemon if there is one, like the rest of
//! this project does it; every other host, and this one without a socket, by ports.

use std::cell::OnceCell;
use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;

use netinfo_client::rpc::Timeouts;
use netinfo_client::{Domain, Error, Finder, Result, Server, Status};
use nix::ifaddrs::getifaddrs;
use nix::net::if_::InterfaceFlags;

/// Environment variable naming the daemon's socket; empty for "use ports".
pub const SOCKET_VARIABLE: &str = "NETINFO_SOCKET";
/// Where the daemon's socket is looked for.
const SOCKETS: [&str; 2] = ["/run/netinfo/netinfod.sock", "netinfo-data/netinfod.sock"];
/// The domain every host has.
pub(crate) const LOCAL: &[u8] = b"local";

/// How servers are reached.
#[derive(Clone, Debug, Default)]
pub struct Reach {
    /// Ports.
    pub finder: Finder,
    /// The socket of the daemon of this host.
    pub socket: Option<PathBuf>,
    /// Addresses of this host, once they were asked for.
    own: OnceCell<Vec<Ipv4Addr>>,
}

/// A domain on a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// The server.
    pub(crate) server: Server,
    /// Tag of the domain there.
    pub(crate) tag: Vec<u8>,
}

impl Place {
    /// The domain `tag` of the host with this address.
    pub(crate) fn at(addr: Ipv4Addr, tag: &[u8]) -> Self {
        Self { server: Server::Host(IpAddr::V4(addr)), tag: tag.to_vec() }
    }

    /// The address of the server.
    pub(crate) const fn addr(&self) -> Option<IpAddr> {
        match &self.server {
            Server::Host(addr) => Some(*addr),
            Server::Port(addr) => Some(addr.ip()),
            Server::Local(_) => None,
        }
    }
}

impl Reach {
    /// By the usual ports, and by `socket` on this host.
    pub fn new(socket: Option<PathBuf>) -> Self {
        Self { socket, ..Self::default() }
    }

    /// As the environment says.
    pub fn from_environment() -> Self {
        let named = std::env::var_os(SOCKET_VARIABLE).map(PathBuf::from);
        let socket = named.map_or_else(
            || SOCKETS.into_iter().map(PathBuf::from).find(|path| path.exists()),
            |path| (!path.as_os_str().is_empty()).then_some(path),
        );
        Self::new(socket)
    }

    /// Opens a connection to a domain.
    pub(crate) fn open(&self, place: &Place, timeouts: Timeouts) -> Result<Domain> {
        let finder = Finder { timeouts, ..self.finder };
        let tag = String::from_utf8_lossy(&place.tag);
        let Server::Host(addr) = &place.server else { return finder.open(&place.server, Some(&tag)) };
        if !self.is_own(*addr) {
            return finder.open_host(*addr, &place.tag);
        }
        if let Some(socket) = &self.socket {
            match finder.open(&Server::Local(socket.clone()), Some(&tag)) {
                // A stale socket is no reason to give up.
                Err(Error::Connect { .. }) => {}
                opened => return opened,
            }
        }
        // Historical hosts have the port of `local` on the loopback.
        let addr = if place.tag == LOCAL { IpAddr::V4(Ipv4Addr::LOCALHOST) } else { *addr };
        finder.open_host(addr, &place.tag)
    }

    /// Whether an address is one of this host.
    pub(crate) fn is_own(&self, addr: IpAddr) -> bool {
        addr.is_loopback() || matches!(addr, IpAddr::V4(addr) if self.own().contains(&addr))
    }

    /// The addresses of this host without loopback: those of its interfaces, and those its daemon announces.
    pub(crate) fn own(&self) -> &[Ipv4Addr] {
        self.own.get_or_init(|| {
            let mut own = interfaces();
            for addr in self.announced().unwrap_or_default() {
                if !own.contains(&addr) && !addr.is_loopback() {
                    own.push(addr);
                }
            }
            own
        })
    }

    /// The addresses that the daemon behind the socket announces.
    fn announced(&self) -> Result<Vec<Ipv4Addr>> {
        let socket = self.socket.as_ref().ok_or(Error::Status(Status::Failed))?;
        let mut local = self.finder.open(&Server::Local(socket.clone()), None)?;
        let statistics = local.statistics()?;
        let values = statistics.iter().find(|p| p.name == b"ip_address").map(|p| p.values.as_slice());
        Ok(values.unwrap_or_default().iter().filter_map(|value| address(value)).collect())
    }
}

/// A dotted address.
pub(crate) fn address(text: &[u8]) -> Option<Ipv4Addr> {
    std::str::from_utf8(text).ok()?.parse().ok()
}

/// IPv4 addresses of the interfaces that are up, without loopback.
fn interfaces() -> Vec<Ipv4Addr> {
    let usable = getifaddrs().into_iter().flatten().filter(|i| {
        i.flags.contains(InterfaceFlags::IFF_UP) && !i.flags.contains(InterfaceFlags::IFF_LOOPBACK)
    });
    usable.filter_map(|i| Some(i.address?.as_sockaddr_in()?.ip())).collect()
}

/// The name of a host, or its address if that has no name.
pub(crate) fn host_name(addr: Ipv4Addr) -> String {
    dns_lookup::lookup_addr(&IpAddr::V4(addr)).unwrap_or_else(|_| addr.to_string())
}
