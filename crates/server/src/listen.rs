//! Opening the daemon's sockets, before privileges are dropped.
//!
//! * [`ipcserver`], [`portmap`], [`binder`], [`domain`] – TCP and UDP sockets by the policy of each,
//! * [`ldap`], [`ldaps`] – TCP sockets,
//! * [`local()`], [`ldapi`], [`lookup`], [`login`] – UNIX sockets,
//! * [`pair`] – the socket options and number choices behind them.
//!
//! A daemon without privilege falls back to numbers the system chooses and says so in one line per
//! service, and so does a second daemon of one machine for the domain `local`; an address somebody asked
//! for explicitly is had or is an error.
//!
//! Default numbers: 945 for the ipcserver, 111 for the portmapper, 389 and 636 for LDAP, on IPv4 and IPv6. Domains and the
//! binder are found through the binder's port table, whose addresses are IPv4, so their own ports are IPv4
//! by default; everything is reachable over IPv6 through the ipcserver.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::config::{Listen, ListenAddr};
use crate::endpoints::{PairAddress, client_address};

pub mod local;
pub mod pair;

pub use local::{LocalListener, RUN_DIR, ldapi, local, login, lookup};
pub use pair::{Origin, Pair, bind_pair, bind_tcp, reserved_pair};

/// Port of the ipcserver.
pub const IPCSERVER_PORT: u16 = 945;

/// Port of the portmapper (RFC 1833 §3.2).
pub const PORTMAP_PORT: u16 = 111;

/// Port of the domain with the tag `local` (NetInfo protocol, ports).
pub const LOCAL_DOMAIN_PORT: u16 = 1033;

/// Port of LDAP (RFC 4511 §5.2).
pub const LDAP_PORT: u16 = 389;

/// Port of LDAP over TLS.
pub const LDAPS_PORT: u16 = 636;

/// Socket on which rpcbind serves this machine.
const RPCBIND_SOCKET: &str = "/run/rpcbind.sock";

/// How long to wait for a running portmapper on the loopback to take a connection.
const RPCBIND_PATIENCE: Duration = Duration::from_millis(500);

/// The sockets of one service.
#[derive(Debug, Default)]
pub struct Bound {
    /// One pair per address; none when the service listens nowhere.
    pub pairs: Vec<Pair>,
    /// What is not as configured, one line each; already logged.
    pub notices: Vec<String>,
}

/// The TCP sockets of one service.
#[derive(Debug, Default)]
pub struct BoundTcp {
    /// One non-blocking listener per address, with the address it has; none when the service listens nowhere.
    pub listeners: Vec<(TcpListener, SocketAddr)>,
    /// What is not as configured, one line each; already logged.
    pub notices: Vec<String>,
}

/// What a domain's root directory says about its sockets.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DomainPort {
    /// Its `port` property: this number for TCP and UDP.
    pub port: Option<u16>,
    /// Whether it trusts this machine alone (`trusted_networks` empty, or all of it in 127).
    pub loopback_only: bool,
}

/// Why something cannot listen where it was told to.
#[derive(Debug, thiserror::Error)]
pub enum ListenError {
    /// Somebody else has the port.
    #[error(
        "cannot listen on {address} for {what}: the {protocol} port is in use; stop the other process \
         (ss -lntup shows it), or choose another address with --listen {what}=ADDR:PORT"
    )]
    InUse {
        /// The service.
        what: String,
        /// The address.
        address: SocketAddr,
        /// `TCP` or `UDP`.
        protocol: &'static str,
    },
    /// The port needs privilege.
    #[error(
        "cannot listen on {address} for {what}: a port below 1024 needs root or CAP_NET_BIND_SERVICE; \
         choose a higher one with --listen {what}=ADDR:PORT"
    )]
    Permission {
        /// The service.
        what: String,
        /// The address.
        address: SocketAddr,
    },
    /// The address belongs to no interface.
    #[error("cannot listen on {address} for {what}: {ip} is not an address of this machine", ip = .address.ip())]
    NotOurs {
        /// The service.
        what: String,
        /// The address.
        address: SocketAddr,
    },
    /// Anything else the system reports.
    #[error("cannot listen on {address} for {what}: {source}")]
    Socket {
        /// The service.
        what: String,
        /// The address.
        address: SocketAddr,
        /// What the system reported.
        source: io::Error,
    },
    /// None of the addresses could be used.
    #[error("cannot listen for {what}: this machine supports none of the addresses")]
    Nothing {
        /// The service.
        what: String,
    },
    /// Another daemon answers on the UNIX socket.
    #[error(
        "cannot listen on {path}: another netinfod answers there; choose another path with --listen {what}=PATH"
    )]
    Alive {
        /// The service.
        what: &'static str,
        /// The socket.
        path: PathBuf,
    },
    /// Something that is not a socket is in the way.
    #[error(
        "cannot listen on {path}: a file that is not a socket is there; remove it, or choose another path with --listen {what}=PATH"
    )]
    NotASocket {
        /// The service.
        what: &'static str,
        /// The file.
        path: PathBuf,
    },
    /// The path does not fit a socket address.
    #[error("cannot listen on {path}: the path of a socket has at most {max} bytes; choose a shorter one with --listen {what}=PATH", max = local::MAX_PATH)]
    PathTooLong {
        /// The service.
        what: &'static str,
        /// The path.
        path: PathBuf,
    },
    /// The UNIX socket could not be made.
    #[error("cannot listen on {path}: {source}")]
    Unix {
        /// The socket.
        path: PathBuf,
        /// What the system reported.
        source: io::Error,
    },
}

impl Bound {
    /// What a client on this machine uses; `None` when the service listens nowhere.
    pub fn client_address(&self) -> Option<PairAddress> {
        let tcp: Vec<SocketAddr> = self.pairs.iter().map(|pair| pair.tcp_addr).collect();
        let udp: Vec<SocketAddr> = self.pairs.iter().map(|pair| pair.udp_addr).collect();
        PairAddress::of(&tcp, &udp)
    }

    fn notice(&mut self, text: String) {
        notice(&mut self.notices, text);
    }
}

impl BoundTcp {
    /// What a client on this machine uses; `None` when the service listens nowhere.
    pub fn client_address(&self) -> Option<SocketAddr> {
        let all: Vec<SocketAddr> = self.listeners.iter().map(|(_, address)| *address).collect();
        client_address(&all)
    }

    fn notice(&mut self, text: String) {
        notice(&mut self.notices, text);
    }
}

fn notice(notices: &mut Vec<String>, text: String) {
    tracing::warn!(target: "netinfod", "{text}");
    notices.push(text);
}

/// Opens the ipcserver: port 945 on all addresses by default.
///
/// # Errors
/// [`ListenError`], fit to be shown as is.
pub fn ipcserver(listen: &Listen) -> Result<Bound, ListenError> {
    numbered("ipcserver", listen, IPCSERVER_PORT)
}

/// Opens the portmapper: port 111 on all addresses by default, or nothing where rpcbind runs.
///
/// # Errors
/// [`ListenError`], fit to be shown as is.
pub fn portmap(listen: &Listen) -> Result<Bound, ListenError> {
    if *listen == Listen::Default && rpcbind_runs() {
        tracing::info!(target: "netinfod", "rpcbind runs; no portmapper of our own");
        return Ok(Bound::default());
    }
    numbered("portmap", listen, PORTMAP_PORT)
}

/// Opens the binder's own port: reserved by default.
///
/// # Errors
/// [`ListenError`], fit to be shown as is.
pub fn binder(listen: &Listen) -> Result<Bound, ListenError> {
    match explicit(listen) {
        Some(addresses) => bind_pair(&addresses, "binder", Origin::Explicit),
        None if *listen == Listen::Off => Ok(Bound::default()),
        None => reserved_pair(Ipv4Addr::UNSPECIFIED.into(), "binder"),
    }
}

/// Opens the own port of the domain `tag`: where `listen` says; else its `port` property; else 1033 for
/// `local`; else reserved (NetInfo protocol, ports). Where 1033 is in use, as by another daemon of this machine,
/// `local` takes a number the system chooses, and a notice says so.
///
/// # Errors
/// [`ListenError`], fit to be shown as is.
pub fn domain(tag: &str, listen: &Listen, asked: DomainPort) -> Result<Bound, ListenError> {
    let what = format!("domain.{tag}");
    let ip: IpAddr = if asked.loopback_only { Ipv4Addr::LOCALHOST } else { Ipv4Addr::UNSPECIFIED }.into();
    match (explicit(listen), asked.port.filter(|port| *port != 0)) {
        (Some(addresses), _) => bind_pair(&addresses, &what, Origin::Explicit),
        (None, _) if *listen == Listen::Off => Ok(Bound::default()),
        (None, Some(port)) => bind_pair(&[SocketAddr::new(ip, port)], &what, Origin::Explicit),
        (None, None) if tag == "local" => {
            bind_pair(&[SocketAddr::new(ip, LOCAL_DOMAIN_PORT)], &what, Origin::Preferred)
        }
        (None, None) => reserved_pair(ip, &what),
    }
}

/// Opens LDAP: port 389 on all addresses by default. Without privilege, or where another server has the port, it takes
/// a number the system chooses, and a notice says so.
///
/// # Errors
/// [`ListenError`], fit to be shown as is.
pub fn ldap(listen: &Listen) -> Result<BoundTcp, ListenError> {
    numbered_tcp("ldap", listen, LDAP_PORT)
}

/// Opens LDAP over TLS: as [`ldap`], with port 636.
///
/// # Errors
/// [`ListenError`], fit to be shown as is.
pub fn ldaps(listen: &Listen) -> Result<BoundTcp, ListenError> {
    numbered_tcp("ldaps", listen, LDAPS_PORT)
}

/// Whether the system's portmapper serves this machine.
pub fn rpcbind_runs() -> bool {
    runs_at(Path::new(RPCBIND_SOCKET), SocketAddr::from((Ipv4Addr::LOCALHOST, PORTMAP_PORT)))
}

fn runs_at(socket: &Path, address: SocketAddr) -> bool {
    UnixStream::connect(socket).is_ok() || TcpStream::connect_timeout(&address, RPCBIND_PATIENCE).is_ok()
}

/// A service with one well-known number on all addresses.
fn numbered(what: &str, listen: &Listen, port: u16) -> Result<Bound, ListenError> {
    match explicit(listen) {
        Some(addresses) => bind_pair(&addresses, what, Origin::Explicit),
        None if *listen == Listen::Off => Ok(Bound::default()),
        None => bind_pair(&everywhere(port), what, Origin::Default),
    }
}

/// The same for TCP alone.
fn numbered_tcp(what: &str, listen: &Listen, port: u16) -> Result<BoundTcp, ListenError> {
    match explicit(listen) {
        Some(addresses) => bind_tcp(&addresses, what, Origin::Explicit),
        None if *listen == Listen::Off => Ok(BoundTcp::default()),
        None => bind_tcp(&everywhere(port), what, Origin::Preferred),
    }
}

fn everywhere(port: u16) -> [SocketAddr; 2] {
    let all = [IpAddr::from(Ipv4Addr::UNSPECIFIED), IpAddr::from(Ipv6Addr::UNSPECIFIED)];
    all.map(|ip| SocketAddr::new(ip, port))
}

/// The socket addresses somebody asked for. (The UNIX socket is [`local()`]'s alone.)
fn explicit(listen: &Listen) -> Option<Vec<SocketAddr>> {
    let Listen::At(addresses) = listen else { return None };
    let sockets = addresses.iter().filter_map(|address| match address {
        ListenAddr::Socket(address) => Some(*address),
        ListenAddr::Unix(_) => None,
    });
    Some(sockets.collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::ListenName;
    use std::net::TcpListener;
    use std::os::unix::net::UnixListener;

    fn at(text: &str) -> Listen {
        Listen::parse(&ListenName::Ipcserver, text).unwrap()
    }

    #[test]
    fn off_opens_nothing() {
        for bound in [
            ipcserver(&Listen::Off),
            portmap(&Listen::Off),
            binder(&Listen::Off),
            domain("network", &Listen::Off, DomainPort { port: Some(4), loopback_only: false }),
        ] {
            let bound = bound.unwrap();
            assert!(bound.pairs.is_empty());
            assert_eq!(bound.client_address(), None);
        }
    }

    #[test]
    fn explicit_addresses_are_used_by_every_service() {
        let listen = at("127.0.0.3:0");
        let asked = DomainPort { port: Some(1), loopback_only: true };
        for bound in [ipcserver(&listen), portmap(&listen), binder(&listen), domain("local", &listen, asked)]
        {
            let bound = bound.unwrap();
            let address = bound.client_address().unwrap();
            assert_eq!(address.tcp.ip(), IpAddr::from([127, 0, 0, 3]));
            assert_eq!(address.tcp, address.udp);
            assert_ne!(address.tcp.port(), 0);
            assert!(bound.notices.is_empty());
        }
    }

    #[test]
    fn ldap_has_its_number_or_says_which() {
        assert_eq!(ldap(&Listen::Off).unwrap().client_address(), None);
        let given = ldaps(&at("127.0.0.3:0")).unwrap();
        assert_eq!(given.client_address().unwrap().ip(), IpAddr::from([127, 0, 0, 3]));
        // Whoever has the port, this test or another server: at the second attempt it is in use.
        let _first = ldap(&Listen::Default).unwrap();
        let second = ldap(&Listen::Default).unwrap();
        let address = second.client_address().unwrap();
        assert_ne!(address.port(), LDAP_PORT);
        let notice = second.notices.last().unwrap();
        assert!(notice.ends_with(&format!("; ldap uses {address} instead")), "{notice}");
        assert!(second.listeners.iter().all(|(_, other)| other.port() == address.port()));
    }

    #[test]
    fn domain_has_the_port_its_root_names() {
        let free = bind_pair(&["127.0.0.1:0".parse().unwrap()], "x", Origin::Explicit).unwrap().pairs[0]
            .tcp_addr
            .port();
        let asked = DomainPort { port: Some(free), loopback_only: true };
        let bound = domain("network", &Listen::Default, asked).unwrap();
        let address = bound.client_address().unwrap();
        assert_eq!(address.tcp, SocketAddr::from(([127, 0, 0, 1], free)));
        assert_eq!(address.udp, address.tcp);
        let error = domain("network", &Listen::Default, asked).unwrap_err();
        assert!(error.to_string().contains("--listen domain.network=ADDR:PORT"), "{error}");
    }

    #[test]
    fn second_local_domain_of_a_machine_gets_another_port() {
        let asked = DomainPort { port: None, loopback_only: true };
        // Whoever has the port, this test or a daemon on this machine: at the second attempt it is in use.
        let _first = domain("local", &Listen::Default, asked).unwrap();
        let second = domain("local", &Listen::Default, asked).unwrap();
        let address = second.client_address().unwrap();
        assert_ne!(address.tcp.port(), LOCAL_DOMAIN_PORT);
        assert_eq!(
            second.notices,
            [format!("port 1033 is in use; domain.local uses {} instead", address.tcp)]
        );
    }

    #[test]
    fn portmapper_of_the_system_is_noticed() {
        let dir = tempfile::tempdir().unwrap();
        let socket = dir.path().join("rpcbind.sock");
        let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        assert!(!runs_at(&socket, closed));
        let open = TcpListener::bind("127.0.0.1:0").unwrap();
        assert!(runs_at(&socket, open.local_addr().unwrap()));
        let _rpcbind = UnixListener::bind(&socket).unwrap();
        assert!(runs_at(&socket, closed));
    }
}
