//! Finds out what is at an address by asking it, with a handful of small packets.
//!
//! * [`verdict`] — what can be found out;
//! * [`tcp`], [`udp`] — the order of the questions over each transport;
//! * [`rpc`] — ONC RPC: which programs answer; NetInfo's binder and domains, the portmapper;
//! * [`ldap`] — LDAP's root DSE, with or without TLS;
//! * [`tls`] — a handshake that trusts anybody, because nothing is told to the other side;
//! * [`speech`] — what a server says unasked, and who says such things;
//! * [`budget`] — the time and the questions that are left.
//!
//! Nothing is asked that changes anything or needs a privilege: null procedures, lists, statistics, and the one entry
//! of LDAP that is there for everybody. Questions come from an ordinary port, even for the superuser.

pub mod budget;
pub mod ldap;
pub mod rpc;
pub mod speech;
pub mod tcp;
pub mod tls;
pub mod udp;
pub mod verdict;

use std::net::{SocketAddr, ToSocketAddrs};

use crate::Error;
use crate::limits::MAX_TARGETS;
use crate::socket::Transport;

pub use verdict::Verdict;

/// What was found out about one address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Probe {
    /// The address.
    pub target: SocketAddr,
    /// The transport.
    pub transport: Transport,
    /// What is there.
    pub verdict: Verdict,
}

/// Asks at an address.
pub fn ask(target: SocketAddr, transport: Transport) -> Probe {
    let verdict = match transport {
        Transport::Tcp => tcp::ask(target),
        Transport::Udp => udp::ask(target),
    };
    Probe { target, transport, verdict }
}

/// Asks at several addresses, all at the same time.
pub fn ask_all(targets: &[(SocketAddr, Transport)]) -> Vec<Probe> {
    std::thread::scope(|scope| {
        let threads: Vec<_> =
            targets.iter().map(|(target, transport)| scope.spawn(|| ask(*target, *transport))).collect();
        threads.into_iter().filter_map(|thread| thread.join().ok()).collect()
    })
}

/// The addresses of a host, at most [`MAX_TARGETS`], each with port 0.
///
/// # Errors
/// [`Error::UnknownHost`].
pub fn resolve(host: &str) -> Result<Vec<SocketAddr>, Error> {
    let unknown = |source| Error::UnknownHost { host: host.to_owned(), source };
    let name = host.strip_prefix('[').and_then(|h| h.strip_suffix(']')).unwrap_or(host);
    let mut found: Vec<SocketAddr> = (name, 0).to_socket_addrs().map_err(unknown)?.collect();
    found.dedup();
    found.truncate(MAX_TARGETS);
    if found.is_empty() {
        return Err(unknown(std::io::Error::other("it has no address")));
    }
    Ok(found)
}
