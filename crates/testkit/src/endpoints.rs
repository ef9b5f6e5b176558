//! The endpoints file of a daemon, as a program outside of it reads it.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;

use serde::Deserialize;

/// Where everything listens.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Endpoints {
    /// The endpoint of every RPC program.
    pub ipcserver: Option<Pair>,
    /// The binder's own port.
    pub binder: Option<Pair>,
    /// The portmapper, if this daemon is it.
    pub portmap: Option<Pair>,
    /// The UNIX socket.
    pub local: Option<PathBuf>,
    /// LDAP, with StartTLS.
    pub ldap: Option<SocketAddr>,
    /// LDAP over TLS.
    pub ldaps: Option<SocketAddr>,
    /// LDAP on a UNIX socket.
    pub ldapi: Option<PathBuf>,
    /// The UNIX socket of look-ups.
    pub lookup: Option<PathBuf>,
    /// The UNIX socket of login modules.
    pub login: Option<PathBuf>,
    /// The served domains by tag.
    pub domains: BTreeMap<String, Domain>,
}

/// One TCP and UDP service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub struct Pair {
    /// Address for TCP.
    pub tcp: SocketAddr,
    /// Address for UDP.
    pub udp: SocketAddr,
}

/// One served domain.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Domain {
    /// Its own ports, if it has any.
    #[serde(flatten)]
    pub address: Option<Pair>,
    /// `master` or `clone`.
    pub role: String,
}
