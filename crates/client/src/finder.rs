//! From "this host" and "that domain" to an open connection.
//!
//! A node of this project serves all its domains on one port, 945, and on a UNIX socket; BIND selects one of them. A
//! historical host has a port for each domain, known to its binder, which is known to its portmapper. The domain
//! `local` of a host is at a fixed port for the host itself (NetInfo client library, establishing a connection).

use std::io::ErrorKind;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::path::{Path, PathBuf};
use std::time::Duration;

use netinfo_wire::nibind;

use crate::Status;
use crate::binder::{self, Binder};
use crate::domain::Domain;
use crate::error::{Error, Result, plain};
use crate::limits::{IPCSERVER_PORT, LOCAL_PORT, PROBE_TIMEOUT};
use crate::portmap;
use crate::rpc::{Connection, Endpoint, Timeouts};

/// A server as a user names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Server {
    /// The UNIX socket of a daemon on this host.
    Local(PathBuf),
    /// A host, whose ports are to be found.
    Host(IpAddr),
    /// One port of a host: a node's common endpoint, or the port of one domain.
    Port(SocketAddr),
}

impl Server {
    /// The UNIX socket of a daemon on this host.
    pub fn local_socket(path: impl AsRef<Path>) -> Self {
        Self::Local(path.as_ref().to_owned())
    }

    /// Parses `HOST` or `HOST:PORT`; an IPv6 address with a port stands in brackets. A name may have several
    /// addresses, all of which are returned in the resolver's order, IPv4 first: historical hosts have no other.
    ///
    /// # Errors
    /// [`Error::UnknownHost`].
    pub fn parse(text: &str) -> Result<Vec<Self>> {
        if let Ok(addr) = text.parse::<SocketAddr>() {
            return Ok(vec![Self::Port(addr)]);
        }
        let bare = text.strip_prefix('[').and_then(|t| t.strip_suffix(']')).unwrap_or(text);
        if let Ok(addr) = bare.parse::<IpAddr>() {
            return Ok(vec![Self::Host(addr)]);
        }
        match text.rsplit_once(':').map(|(host, port)| (host, port.parse::<u16>())) {
            Some((host, Ok(port))) if port != 0 => {
                Ok(addresses(host)?.into_iter().map(|ip| Self::Port(SocketAddr::new(ip, port))).collect())
            }
            _ => Ok(addresses(text)?.into_iter().map(Self::Host).collect()),
        }
    }
}

/// The addresses of a host.
fn addresses(host: &str) -> Result<Vec<IpAddr>> {
    let unknown = |source| Error::UnknownHost { host: host.to_owned(), source };
    let mut found: Vec<IpAddr> =
        (host, 0).to_socket_addrs().map_err(unknown)?.map(|addr| addr.ip()).collect();
    found.sort_by_key(IpAddr::is_ipv6);
    found.dedup();
    if found.is_empty() { Err(unknown(ErrorKind::NotFound.into())) } else { Ok(found) }
}

/// Opens domains. The ports are those of the protocol unless a test or an unusual installation changes them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Finder {
    /// How long calls wait.
    pub timeouts: Timeouts,
    /// Longest wait for a TCP connection to a port that may well be closed or filtered.
    pub probe: Duration,
    /// Port of a node's common endpoint.
    pub ipcserver: u16,
    /// Port of the portmapper.
    pub portmap: u16,
    /// Port of the domain `local`.
    pub local: u16,
}

impl Default for Finder {
    fn default() -> Self {
        Self {
            timeouts: Timeouts::default(),
            probe: PROBE_TIMEOUT,
            ipcserver: IPCSERVER_PORT,
            portmap: portmap::PORT,
            local: LOCAL_PORT,
        }
    }
}

impl Finder {
    /// Opens the domain `tag` of a server; without a tag, the one the server offers by default.
    ///
    /// # Errors
    /// [`Status::NoTag`] if the server does not serve it, [`Error::OtherDomain`] if the port serves another one,
    /// [`Error::NoServer`] if the host has no NetInfo; errors of a call.
    pub fn open(&self, server: &Server, tag: Option<&str>) -> Result<Domain> {
        let tag = tag.map(str::as_bytes);
        match server {
            Server::Local(path) => {
                let mut connection =
                    Connection::open(Endpoint::Unix(path.clone()), self.timeouts, self.probe)?;
                tag.map_or(Ok(()), |tag| select(&mut connection, tag))?;
                Ok(Domain::new(connection))
            }
            Server::Port(addr) => self.open_port(*addr, tag),
            Server::Host(host) => self.open_host(*host, tag.unwrap_or(b"local")),
        }
    }

    /// Opens a port, which may be a node's common endpoint or that of one domain.
    fn open_port(&self, addr: SocketAddr, tag: Option<&[u8]>) -> Result<Domain> {
        let mut connection = Connection::open(Endpoint::Tcp(addr), self.timeouts, self.timeouts.read)?;
        let Some(tag) = tag else { return Ok(Domain::new(connection)) };
        if serves_binder(&mut connection)? {
            select(&mut connection, tag)?;
            return Ok(Domain::new(connection));
        }
        let mut domain = Domain::new(connection);
        let statistics = domain.statistics()?;
        let serves = statistics.iter().find(|p| p.name == b"tag").and_then(|p| p.values.first());
        match serves {
            Some(serves) if serves != tag => Err(Error::OtherDomain {
                endpoint: addr.to_string(),
                serves: String::from_utf8_lossy(serves).into_owned(),
                wanted: String::from_utf8_lossy(tag).into_owned(),
            }),
            _ => Ok(domain),
        }
    }

    /// Opens the domain `tag` of a host: its common endpoint, else by portmapper and binder.
    ///
    /// # Errors
    /// As [`Finder::open`].
    pub fn open_host(&self, host: IpAddr, tag: &[u8]) -> Result<Domain> {
        let mut attempts = Vec::new();
        match self.open_ipcserver(host, tag) {
            Err(error) if error.is(Status::NoTag) => return Err(error),
            Err(error) => attempts.push(format!("port {}: {}", self.ipcserver, reason(&error))),
            opened => return opened,
        }
        if tag == b"local" && host.is_loopback() {
            let local = Endpoint::Tcp(SocketAddr::new(host, self.local));
            match Connection::open(local, self.timeouts, self.probe) {
                Ok(connection) => return Ok(Domain::new(connection)),
                Err(error) => attempts.push(format!("port {}: {}", self.local, reason(&error))),
            }
        }
        match self.open_registered(host, tag) {
            Err(Error::Status(status)) => Err(status.into()),
            Err(error) => {
                attempts.push(format!("portmapper: {}", reason(&error)));
                Err(Error::NoServer { host: host.to_string(), attempts })
            }
            opened => opened,
        }
    }

    fn open_ipcserver(&self, host: IpAddr, tag: &[u8]) -> Result<Domain> {
        let endpoint = Endpoint::Tcp(SocketAddr::new(host, self.ipcserver));
        // Whatever else listens there need not answer.
        let probe = Timeouts { read: self.timeouts.read.min(self.probe), ..self.timeouts };
        let mut connection = Connection::open(endpoint, probe, self.probe)?;
        Binder::new(&mut connection).ping()?;
        connection.set_timeouts(self.timeouts);
        select(&mut connection, tag)?;
        Ok(Domain::new(connection))
    }

    /// Opens a domain the historical way.
    fn open_registered(&self, host: IpAddr, tag: &[u8]) -> Result<Domain> {
        let timeout = self.timeouts.read;
        let portmapper = SocketAddr::new(host, self.portmap);
        let program = nibind::PROGRAM;
        let port = portmap::get_port(portmapper, program, nibind::VERSION, portmap::IPPROTO_UDP, timeout)?;
        let port = port.ok_or_else(|| Error::NoServer {
            host: host.to_string(),
            attempts: vec!["no NetInfo binder is registered".into()],
        })?;
        let ports = binder::get_register_udp(SocketAddr::new(host, port), tag, timeout)?;
        let endpoint = Endpoint::Tcp(SocketAddr::new(host, binder::port(ports.tcp_port)?));
        Ok(Domain::new(Connection::open(endpoint, self.timeouts, timeout)?))
    }

    /// A connection on which the binder of a host answers, whose privileged procedures need a stream.
    ///
    /// # Errors
    /// [`Error::NoServer`]; errors of a call.
    pub fn binder(&self, host: IpAddr) -> Result<Connection> {
        let common = Endpoint::Tcp(SocketAddr::new(host, self.ipcserver));
        let opened = Connection::open(common, self.timeouts, self.probe).and_then(|mut connection| {
            Binder::new(&mut connection).ping()?;
            Ok(connection)
        });
        let first = match opened {
            Ok(connection) => return Ok(connection),
            Err(error) => format!("port {}: {}", self.ipcserver, reason(&error)),
        };
        let no_server = |second: String| Error::NoServer {
            host: host.to_string(),
            attempts: vec![first.clone(), second],
        };
        let portmapper = SocketAddr::new(host, self.portmap);
        let (program, version, timeout) = (nibind::PROGRAM, nibind::VERSION, self.timeouts.read);
        let port = portmap::get_port(portmapper, program, version, portmap::IPPROTO_TCP, timeout)
            .map_err(|error| no_server(format!("portmapper: {}", reason(&error))))?
            .ok_or_else(|| no_server("portmapper: no NetInfo binder is registered".into()))?;
        Connection::open(Endpoint::Tcp(SocketAddr::new(host, port)), self.timeouts, timeout)
    }

    /// The domains a server offers, by its binder.
    ///
    /// # Errors
    /// [`Error::Rejected`] if the port belongs to a single domain, [`Error::NoServer`]; errors of a call.
    pub fn list(&self, server: &Server) -> Result<Vec<binder::Registration>> {
        let mut connection = match server {
            Server::Local(path) => Connection::new(Endpoint::Unix(path.clone()), self.timeouts),
            Server::Port(addr) => Connection::new(Endpoint::Tcp(*addr), self.timeouts),
            Server::Host(host) => self.binder(*host)?,
        };
        Binder::new(&mut connection).list()
    }
}

/// Selects a domain of a node; [`Status::NoTag`] if it has none with this tag.
fn select(connection: &mut Connection, tag: &[u8]) -> Result<()> {
    connection
        .select(tag)
        .map_err(|error| if error.is_system_err() { Error::Status(Status::NoTag) } else { error })
}

/// Whether the binder program answers on this connection: then it is a node's common endpoint.
fn serves_binder(connection: &mut Connection) -> Result<bool> {
    match Binder::new(connection).ping() {
        Ok(()) => Ok(true),
        Err(Error::Rejected { .. } | Error::Denied { .. }) => Ok(false),
        Err(error) => Err(error),
    }
}

/// An error without the endpoint, which the caller names.
fn reason(error: &Error) -> String {
    match error {
        Error::Connect { source, .. } | Error::Io { source, .. } => match source.kind() {
            ErrorKind::TimedOut | ErrorKind::WouldBlock => "no answer".into(),
            _ => plain(source),
        },
        Error::Timeout { .. } => "no answer".into(),
        Error::Closed { .. } => "closed the connection".into(),
        Error::NoServer { attempts, .. } => attempts.join("; "),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers() {
        let one = |text: &str| Server::parse(text).unwrap().remove(0);
        assert_eq!(one("192.0.2.1"), Server::Host("192.0.2.1".parse().unwrap()));
        assert_eq!(one("192.0.2.1:1033"), Server::Port("192.0.2.1:1033".parse().unwrap()));
        assert_eq!(one("2001:db8::1"), Server::Host("2001:db8::1".parse().unwrap()));
        assert_eq!(one("[2001:db8::1]"), Server::Host("2001:db8::1".parse().unwrap()));
        assert_eq!(one("[2001:db8::1]:945"), Server::Port("[2001:db8::1]:945".parse().unwrap()));
        assert_eq!(one("localhost:9"), Server::Port("127.0.0.1:9".parse().unwrap()));
        assert!(matches!(Server::parse("no.such.host.invalid"), Err(Error::UnknownHost { .. })));
    }
}
