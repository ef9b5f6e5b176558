//! What the driver knows of a client.

use std::fmt;
use std::net::SocketAddr;

use netinfo_directory::Origin;

/// The other end of a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Peer {
    /// Where it is. A privileged source port proves nothing over LDAP and is disregarded.
    pub origin: Origin,
    /// Address and port, for logs; absent on a local socket.
    pub address: Option<SocketAddr>,
    /// The client's certificate, if the connection is protected by TLS and it has shown one that was verified.
    pub certificate: Option<Certificate>,
    /// Whether the connection is protected by TLS.
    pub tls: bool,
}

/// A verified client certificate.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Certificate {
    /// Its subject as text (RFC 4514).
    pub subject: String,
    /// Directory names among the subject's alternative names, as text (RFC 4514).
    pub names: Vec<String>,
}

impl Peer {
    /// A peer whose connection is not protected by TLS.
    pub const fn new(origin: Origin, address: Option<SocketAddr>) -> Self {
        Self { origin, address, certificate: None, tls: false }
    }

    /// Whether nobody can listen: TLS, or a socket of this machine.
    pub const fn is_confidential(&self) -> bool {
        self.tls || matches!(self.origin, Origin::Local { .. } | Origin::Internal)
    }

    /// Whether the peer is on this very machine.
    pub fn is_own(&self) -> bool {
        match self.origin {
            Origin::Internal | Origin::Local { .. } => true,
            Origin::Network { address, own, .. } => own || address.is_loopback(),
        }
    }

    /// The user id the kernel vouches for, on a local socket.
    pub const fn uid(&self) -> Option<u32> {
        match self.origin {
            Origin::Local { uid } => Some(uid),
            Origin::Internal | Origin::Network { .. } => None,
        }
    }
}

/// For logs.
impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.address, self.origin) {
            (Some(address), _) => address.fmt(f),
            (None, Origin::Local { uid }) => write!(f, "local socket, uid {uid}"),
            (None, Origin::Network { address, .. }) => address.fmt(f),
            (None, Origin::Internal) => f.write_str("this program"),
        }
    }
}
