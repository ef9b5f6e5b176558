//! One socket of this machine.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

/// A transport protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Transport {
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
}

impl Transport {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Tcp, Self::Udp];

    /// `tcp` or `udp`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::Udp => "udp",
        }
    }
}

impl fmt::Display for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Transport {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|t| text.eq_ignore_ascii_case(t.name())).ok_or(())
    }
}

/// What a socket is doing: the states of TCP (RFC 9293 §3.3.2), and whether a UDP socket has a peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// Waits for connections or, for UDP, for datagrams from anybody.
    Listening,
    /// Connected.
    Connected,
    /// On the way to a connection.
    Opening,
    /// The peer has ended the connection, and the process here has not closed it yet.
    PeerClosed,
    /// On the way out; no process may hold it any more.
    Closing,
    /// A remnant of a connection that is over (`TIME_WAIT`); no process holds it.
    Remnant,
}

impl State {
    /// The state behind the kernel's number, the same in `/proc/net/tcp` and in `sock_diag`. `None` for numbers
    /// without a meaning, and for a TCP socket that neither listens nor is connected.
    pub const fn from_code(transport: Transport, code: u8) -> Option<Self> {
        Some(match (transport, code) {
            (_, 1) => Self::Connected,
            (_, 2 | 3 | 12) => Self::Opening,
            (_, 4 | 5 | 9 | 11) => Self::Closing,
            (_, 6) => Self::Remnant,
            (Transport::Udp, 7) => Self::Listening,
            (_, 8) => Self::PeerClosed,
            (_, 10) => Self::Listening,
            _ => return None,
        })
    }

    /// The word shown.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Listening => "listening",
            Self::Connected => "connected",
            Self::Opening => "opening",
            Self::PeerClosed => "peer closed",
            Self::Closing => "closing",
            Self::Remnant => "time-wait",
        }
    }
}

/// A socket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Socket {
    /// Its protocol.
    pub transport: Transport,
    /// What it is doing.
    pub state: State,
    /// Its own address; `0.0.0.0` or `::` is every address.
    pub local: SocketAddr,
    /// The other end, if it has one.
    pub remote: Option<SocketAddr>,
    /// Whether an IPv6 socket leaves IPv4 to others; `None` where the system does not tell.
    pub v6_only: Option<bool>,
    /// User id of the socket's maker.
    pub uid: u32,
    /// The number by which processes refer to it; 0 if none can.
    pub inode: u64,
    /// Number of its maker's control group, by which the unit is known even if the process is not.
    pub group: Option<u64>,
}

impl Socket {
    /// Whether it waits for others.
    pub fn listens(&self) -> bool {
        self.state == State::Listening
    }

    /// Whether it was reached from outside of this machine, or can be.
    pub fn is_reachable(&self) -> bool {
        !self.local.ip().to_canonical().is_loopback()
    }

    /// Where it is reached from this machine: its own address, or the loopback address if that is every address.
    pub fn reached_at(&self) -> SocketAddr {
        let ip = match self.local.ip().to_canonical() {
            ip if !ip.is_unspecified() => ip,
            IpAddr::V6(_) if self.v6_only != Some(true) => std::net::Ipv4Addr::LOCALHOST.into(),
            IpAddr::V6(_) => std::net::Ipv6Addr::LOCALHOST.into(),
            IpAddr::V4(_) => std::net::Ipv4Addr::LOCALHOST.into(),
        };
        SocketAddr::new(ip, self.local.port())
    }

    /// Its own address as text: `*` is every address of both families.
    pub fn local_text(&self) -> String {
        match self.local.ip() {
            IpAddr::V6(ip) if ip.is_unspecified() && self.v6_only == Some(false) => {
                format!("*:{}", self.local.port())
            }
            _ => address(self.local),
        }
    }

    /// The other end as text; empty without one.
    pub fn remote_text(&self) -> String {
        self.remote.map(address).unwrap_or_default()
    }

    /// The order in which sockets are shown.
    pub(crate) fn order(&self) -> impl Ord + use<> {
        (self.local.port(), self.transport, self.state, self.local, self.remote, self.inode)
    }
}

/// An address, with IPv4 in its own notation even where an IPv6 socket carries it.
fn address(address: SocketAddr) -> String {
    SocketAddr::new(address.ip().to_canonical(), address.port()).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn socket(local: &str, v6_only: Option<bool>) -> Socket {
        let local = local.parse().unwrap();
        let (transport, state) = (Transport::Tcp, State::Listening);
        Socket { transport, state, local, remote: None, v6_only, uid: 0, inode: 1, group: None }
    }

    #[test]
    fn addresses() {
        let shown = |local: &str, only| {
            let socket = socket(local, only);
            (socket.local_text(), socket.reached_at().to_string(), socket.is_reachable())
        };
        assert_eq!(shown("0.0.0.0:945", None), ("0.0.0.0:945".into(), "127.0.0.1:945".into(), true));
        assert_eq!(shown("[::]:945", Some(false)), ("*:945".into(), "127.0.0.1:945".into(), true));
        assert_eq!(shown("[::]:945", Some(true)), ("[::]:945".into(), "[::1]:945".into(), true));
        assert_eq!(shown("[::]:945", None).0, "[::]:945");
        assert!(!shown("127.0.0.1:9", None).2);
        let mapped = shown("[::ffff:127.0.0.1]:9", Some(false));
        assert_eq!(mapped, ("127.0.0.1:9".into(), "127.0.0.1:9".into(), false));
    }

    #[test]
    fn states() {
        use Transport::{Tcp, Udp};
        assert_eq!(State::from_code(Tcp, 10), Some(State::Listening));
        assert_eq!(State::from_code(Udp, 7), Some(State::Listening));
        assert_eq!(State::from_code(Tcp, 7), None);
        assert_eq!(State::from_code(Udp, 1), Some(State::Connected));
        for code in [0, 13, 255] {
            assert_eq!(State::from_code(Tcp, code), None);
        }
    }
}
