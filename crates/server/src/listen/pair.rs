//! TCP and UDP sockets for one service: options, numbers, fallbacks.

use std::io;
use std::net::{IpAddr, SocketAddr, TcpListener, UdpSocket};

use nix::errno::Errno;
use socket2::{Domain, Protocol, Socket, Type};

use super::{Bound, BoundTcp, ListenError};
use crate::endpoints::reachable;
use crate::limits::{LISTEN_BACKLOG, UDP_RECEIVE_BUFFER};
use crate::{reserved, udp};

/// How often to look for a number that is free for TCP and UDP (and IPv4 and IPv6) alike.
pub const EPHEMERAL_TRIES: usize = 64;

/// A TCP listener and a UDP socket for the same service, both non-blocking. Usually on the same number.
#[derive(Debug)]
pub struct Pair {
    /// The TCP listener.
    pub tcp: TcpListener,
    /// The UDP socket, with the local address of each datagram available ([`udp`]).
    pub udp: UdpSocket,
    /// Address of the TCP listener.
    pub tcp_addr: SocketAddr,
    /// Address of the UDP socket.
    pub udp_addr: SocketAddr,
}

/// Who chose an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// Nobody: without privilege another number will do.
    Default,
    /// Nobody, and clients find another number as well: it will also do when this one is in use.
    Preferred,
    /// Somebody: this one or none.
    Explicit,
}

/// Opens TCP and UDP on the same number at each of `addresses`, for the service `what` (a `--listen`
/// name). Port 0 takes a number the system chooses. IPv6 addresses take IPv6 traffic alone, so that both
/// wildcards fit together; on a machine without IPv6 the loopback and wildcard are passed over.
///
/// # Errors
/// [`ListenError`]. A number that nobody asked for is no error when `origin` allows another one: the pairs then
/// share a number the system chose, and a notice says why.
pub fn bind_pair(addresses: &[SocketAddr], what: &str, origin: Origin) -> Result<Bound, ListenError> {
    let mut bound = Bound::default();
    for address in addresses {
        let pair = if address.port() == 0 { ephemeral(*address) } else { both(*address) };
        match pair {
            Ok(pair) => bound.pairs.push(pair),
            Err(failure) if failure.no_ipv6() => {
                bound.notice(format!("no IPv6 here; {what} uses IPv4 alone"))
            }
            Err(failure) => {
                let Some(why) = origin.gives_way(&failure) else { return Err(failure.explain(what)) };
                // The pairs so far are closed first: their numbers are not wanted any more.
                bound.pairs.clear();
                bound.pairs = same_ephemeral(addresses).map_err(|failure| failure.explain(what))?;
                if let Some(instead) = bound.client_address() {
                    let wanted = address.port();
                    bound.notice(format!("port {wanted} {why}; {what} uses {} instead", instead.tcp));
                }
                break;
            }
        }
    }
    if bound.pairs.is_empty() {
        return Err(ListenError::Nothing { what: what.to_owned() });
    }
    Ok(bound)
}

/// Opens TCP at each of `addresses`, for the service `what` (a `--listen` name), as [`bind_pair`] does for TCP and UDP.
///
/// # Errors
/// [`ListenError`].
pub fn bind_tcp(addresses: &[SocketAddr], what: &str, origin: Origin) -> Result<BoundTcp, ListenError> {
    let mut bound = BoundTcp::default();
    for address in addresses {
        match named_tcp(*address) {
            Ok(listener) => bound.listeners.push(listener),
            Err(failure) if failure.no_ipv6() => {
                bound.notice(format!("no IPv6 here; {what} uses IPv4 alone"));
            }
            Err(failure) => {
                let Some(why) = origin.gives_way(&failure) else { return Err(failure.explain(what)) };
                bound.listeners.clear();
                bound.listeners = same_ephemeral_tcp(addresses).map_err(|failure| failure.explain(what))?;
                if let Some(instead) = bound.client_address() {
                    let wanted = address.port();
                    bound.notice(format!("port {wanted} {why}; {what} uses {instead} instead"));
                }
                break;
            }
        }
    }
    if bound.listeners.is_empty() {
        return Err(ListenError::Nothing { what: what.to_owned() });
    }
    Ok(bound)
}

/// Opens TCP and UDP at `ip` on reserved ports, each the highest free one (so they may differ), or without
/// privilege on a number the system chooses, which a notice tells.
///
/// # Errors
/// [`ListenError`].
pub fn reserved_pair(ip: IpAddr, what: &str) -> Result<Bound, ListenError> {
    let at = |port| SocketAddr::new(ip, port);
    let opened = reserved::scan(|port| tcp(at(port)))
        .and_then(|tcp| reserved::scan(|port| udp_socket(at(port))).and_then(|udp| Pair::new(tcp, udp)));
    let mut bound = Bound::default();
    match opened {
        Ok(pair) => bound.pairs.push(pair),
        Err(error) if matches!(error.kind(), io::ErrorKind::PermissionDenied | io::ErrorKind::AddrInUse) => {
            let pair = ephemeral(at(0)).map_err(|failure| failure.explain(what))?;
            let instead = reachable(pair.tcp_addr);
            let why = match error.kind() {
                io::ErrorKind::AddrInUse => "all reserved ports are in use",
                _ => "a reserved port needs privilege",
            };
            bound.notice(format!("{why}; {what} uses {instead} instead"));
            bound.pairs.push(pair);
        }
        Err(source) => return Err(Failure { address: at(0), protocol: "TCP", source }.explain(what)),
    }
    Ok(bound)
}

impl Origin {
    /// Why a number that could not be had is exchanged for another one; `None` when it is not.
    fn gives_way(self, failure: &Failure) -> Option<&'static str> {
        match self {
            Self::Default | Self::Preferred if failure.denied() => Some("needs privilege"),
            Self::Preferred if failure.in_use() => Some("is in use"),
            _ => None,
        }
    }
}

impl Pair {
    fn new(tcp: TcpListener, udp: UdpSocket) -> io::Result<Self> {
        let (tcp_addr, udp_addr) = (tcp.local_addr()?, udp.local_addr()?);
        Ok(Self { tcp, udp, tcp_addr, udp_addr })
    }
}

/// A socket that could not be opened.
#[derive(Debug)]
struct Failure {
    address: SocketAddr,
    protocol: &'static str,
    source: io::Error,
}

impl Failure {
    fn denied(&self) -> bool {
        self.source.kind() == io::ErrorKind::PermissionDenied
    }

    fn in_use(&self) -> bool {
        self.source.kind() == io::ErrorKind::AddrInUse
    }

    /// Whether the kernel has no IPv6 at all: then not even these two addresses exist.
    fn no_ipv6(&self) -> bool {
        let IpAddr::V6(ip) = self.address.ip() else { return false };
        let missing = [Errno::EADDRNOTAVAIL, Errno::EAFNOSUPPORT].map(|errno| Some(errno as i32));
        (ip.is_unspecified() || ip.is_loopback()) && missing.contains(&self.source.raw_os_error())
    }

    fn explain(self, what: &str) -> ListenError {
        let (what, address) = (what.to_owned(), self.address);
        match self.source.kind() {
            io::ErrorKind::AddrInUse => ListenError::InUse { what, address, protocol: self.protocol },
            io::ErrorKind::PermissionDenied => ListenError::Permission { what, address },
            io::ErrorKind::AddrNotAvailable => ListenError::NotOurs { what, address },
            _ => ListenError::Socket { what, address, source: self.source },
        }
    }
}

/// TCP and UDP at `address`.
fn both(address: SocketAddr) -> Result<Pair, Failure> {
    let fail = |protocol| move |source| Failure { address, protocol, source };
    let tcp = tcp(address).map_err(fail("TCP"))?;
    let udp = udp_socket(address).map_err(fail("UDP"))?;
    Pair::new(tcp, udp).map_err(fail("TCP"))
}

/// TCP and UDP at the address of `address`, on one number the system chooses.
fn ephemeral(address: SocketAddr) -> Result<Pair, Failure> {
    let any = SocketAddr::new(address.ip(), 0);
    let mut tries = 0;
    loop {
        let fail = |protocol| move |source| Failure { address: any, protocol, source };
        let tcp = tcp(any).map_err(fail("TCP"))?;
        let chosen = tcp.local_addr().map_err(fail("TCP"))?;
        match udp_socket(chosen) {
            Ok(udp) => return Pair::new(tcp, udp).map_err(fail("UDP")),
            Err(error) if error.kind() == io::ErrorKind::AddrInUse && tries < EPHEMERAL_TRIES => tries += 1,
            Err(error) => return Err(fail("UDP")(error)),
        }
    }
}

/// TCP and UDP at each of `addresses`, on one number for all which the system chooses.
fn same_ephemeral(addresses: &[SocketAddr]) -> Result<Vec<Pair>, Failure> {
    let mut tries = 0;
    loop {
        match try_same_ephemeral(addresses) {
            Err(failure) if failure.in_use() && tries < EPHEMERAL_TRIES => tries += 1,
            other => return other,
        }
    }
}

fn try_same_ephemeral(addresses: &[SocketAddr]) -> Result<Vec<Pair>, Failure> {
    let mut pairs: Vec<Pair> = Vec::with_capacity(addresses.len());
    for address in addresses {
        let pair = match pairs.first() {
            Some(first) => both(SocketAddr::new(address.ip(), first.tcp_addr.port())),
            None => ephemeral(*address),
        };
        match pair {
            Ok(pair) => pairs.push(pair),
            Err(failure) if failure.no_ipv6() => {}
            Err(failure) => return Err(failure),
        }
    }
    Ok(pairs)
}

/// TCP at `address`, with the address it came to have.
fn named_tcp(address: SocketAddr) -> Result<(TcpListener, SocketAddr), Failure> {
    let fail = |source| Failure { address, protocol: "TCP", source };
    let listener = tcp(address).map_err(fail)?;
    let bound = listener.local_addr().map_err(fail)?;
    Ok((listener, bound))
}

/// TCP at each of `addresses`, on one number for all which the system chooses.
fn same_ephemeral_tcp(addresses: &[SocketAddr]) -> Result<Vec<(TcpListener, SocketAddr)>, Failure> {
    let mut tries = 0;
    'again: loop {
        let mut listeners: Vec<(TcpListener, SocketAddr)> = Vec::with_capacity(addresses.len());
        for address in addresses {
            let port = listeners.first().map_or(0, |(_, first)| first.port());
            match named_tcp(SocketAddr::new(address.ip(), port)) {
                Ok(listener) => listeners.push(listener),
                Err(failure) if failure.no_ipv6() => {}
                Err(failure) if failure.in_use() && tries < EPHEMERAL_TRIES => {
                    tries += 1;
                    continue 'again;
                }
                Err(failure) => return Err(failure),
            }
        }
        return Ok(listeners);
    }
}

/// A non-blocking TCP listener. `SO_REUSEADDR` lets a restarted daemon have its port back at once.
fn tcp(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(LISTEN_BACKLOG)?;
    Ok(socket.into())
}

/// A non-blocking UDP socket. Without `SO_REUSEADDR`, which for UDP would share the port with strangers.
fn udp_socket(address: SocketAddr) -> io::Result<UdpSocket> {
    let socket = Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    socket.set_nonblocking(true)?;
    // The kernel grants as much as its own limit allows, which is good enough.
    socket.set_recv_buffer_size(UDP_RECEIVE_BUFFER)?;
    socket.bind(&address.into())?;
    let socket = UdpSocket::from(socket);
    udp::enable_packet_info(&socket)?;
    Ok(socket)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::fd::AsFd;

    fn addresses(list: &[&str]) -> Vec<SocketAddr> {
        list.iter().map(|text| text.parse().unwrap()).collect()
    }

    fn explicit(list: &[&str]) -> Result<Bound, ListenError> {
        bind_pair(&addresses(list), "ipcserver", Origin::Explicit)
    }

    #[test]
    fn pair_has_one_number_and_does_not_block() {
        let bound = explicit(&["127.0.0.1:0"]).unwrap();
        let pair = &bound.pairs[0];
        assert_eq!(pair.tcp_addr, pair.udp_addr);
        assert_eq!(pair.tcp.accept().unwrap_err().kind(), io::ErrorKind::WouldBlock);
        assert_eq!(pair.udp.recv(&mut [0; 8]).unwrap_err().kind(), io::ErrorKind::WouldBlock);
        for fd in [pair.tcp.as_fd(), pair.udp.as_fd()] {
            let flags = nix::fcntl::fcntl(fd, nix::fcntl::FcntlArg::F_GETFD).unwrap();
            assert_eq!(flags & libc::FD_CLOEXEC, libc::FD_CLOEXEC);
        }
    }

    #[test]
    fn both_wildcards_fit_on_one_number() {
        let v4 = explicit(&["0.0.0.0:0"]).unwrap();
        let port = v4.pairs[0].tcp_addr.port();
        match explicit(&[&format!("[::]:{port}")]) {
            Ok(v6) => assert_eq!(v6.pairs[0].udp_addr, SocketAddr::from(([0u16; 8], port))),
            Err(error) => assert!(matches!(error, ListenError::Nothing { .. }), "{error}"),
        }
        assert_eq!(v4.client_address().unwrap().tcp, SocketAddr::from(([127, 0, 0, 1], port)));
    }

    #[test]
    fn shared_ephemeral_number_covers_all_addresses() {
        let pairs = same_ephemeral(&addresses(&["0.0.0.0:945", "[::]:945"])).unwrap();
        let port = pairs[0].tcp_addr.port();
        assert!(pairs.iter().all(|pair| pair.tcp_addr.port() == port && pair.udp_addr.port() == port));
    }

    #[test]
    fn port_in_use_is_named_with_a_way_out() {
        let taken = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = taken.local_addr().unwrap().to_string();
        let error = explicit(&[&address]).unwrap_err().to_string();
        assert!(
            error.starts_with(&format!("cannot listen on {address} for ipcserver: the TCP port is in use"))
        );
        assert!(error.contains("--listen ipcserver=ADDR:PORT"), "{error}");

        let taken = UdpSocket::bind("127.0.0.1:0").unwrap();
        let error = explicit(&[&taken.local_addr().unwrap().to_string()]).unwrap_err();
        assert!(matches!(error, ListenError::InUse { protocol: "UDP", .. }), "{error}");
    }

    #[test]
    fn preferred_port_in_use_gives_way_and_a_default_one_does_not() {
        let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
        let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
        for taken in [tcp.local_addr().unwrap(), udp.local_addr().unwrap()] {
            let bound = bind_pair(&[taken], "domain.local", Origin::Preferred).unwrap();
            let instead = bound.client_address().unwrap();
            assert_eq!(instead.tcp, instead.udp);
            assert_ne!(instead.tcp, taken);
            assert_eq!(
                bound.notices,
                [format!("port {} is in use; domain.local uses {} instead", taken.port(), instead.tcp)]
            );
            for origin in [Origin::Default, Origin::Explicit] {
                let error = bind_pair(&[taken], "ipcserver", origin).unwrap_err();
                assert!(matches!(error, ListenError::InUse { .. }), "{error}");
            }
        }
        let foreign = addresses(&["203.0.113.77:1033"]);
        let error = bind_pair(&foreign, "domain.local", Origin::Preferred).unwrap_err();
        assert!(matches!(error, ListenError::NotOurs { .. }), "{error}");
    }

    #[test]
    fn foreign_address_is_refused() {
        for foreign in ["203.0.113.77:0", "[2001:db8::77]:0"] {
            let error = explicit(&["127.0.0.1:0", foreign]).unwrap_err();
            assert!(!matches!(error, ListenError::Nothing { .. }), "{error}");
            assert!(error.to_string().contains("203.0.113.77") || error.to_string().contains("2001:db8::77"));
        }
        let error = explicit(&["203.0.113.77:0"]).unwrap_err().to_string();
        assert!(error.ends_with("203.0.113.77 is not an address of this machine"), "{error}");
    }

    #[test]
    fn missing_ipv6_is_told_from_a_foreign_address() {
        let failure = |address: &str, errno: Errno| Failure {
            address: address.parse().unwrap(),
            protocol: "TCP",
            source: errno.into(),
        };
        assert!(failure("[::]:945", Errno::EAFNOSUPPORT).no_ipv6());
        assert!(failure("[::1]:945", Errno::EADDRNOTAVAIL).no_ipv6());
        assert!(!failure("[2001:db8::1]:945", Errno::EADDRNOTAVAIL).no_ipv6());
        assert!(!failure("[::]:945", Errno::EADDRINUSE).no_ipv6());
        assert!(!failure("0.0.0.0:945", Errno::EADDRNOTAVAIL).no_ipv6());
    }

    #[test]
    fn reserved_numbers_are_distinct_and_in_range_when_privileged() {
        let ip = IpAddr::from([127, 0, 0, 1]);
        let (first, second) =
            (reserved_pair(ip, "domain.a").unwrap(), reserved_pair(ip, "domain.b").unwrap());
        if !nix::unistd::geteuid().is_root() {
            assert!(first.notices[0].contains("domain.a uses 127.0.0.1:"), "{:?}", first.notices);
            return;
        }
        let ports =
            [&first, &second].map(|bound| (bound.pairs[0].tcp_addr.port(), bound.pairs[0].udp_addr.port()));
        assert_ne!(ports[0].0, ports[1].0);
        assert_ne!(ports[0].1, ports[1].1);
        for port in ports.iter().flat_map(|(tcp, udp)| [tcp, udp]) {
            assert!((reserved::LOWEST..=reserved::HIGHEST).contains(port), "{port}");
        }
    }
}
