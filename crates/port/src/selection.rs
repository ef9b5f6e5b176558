//! Which ports are asked for.

use std::fmt;
use std::ops::RangeInclusive;
use std::str::FromStr;

use crate::meaning::Registry;
use crate::socket::{Socket, Transport};

/// Some ports of one transport or of both.
///
/// ```
/// use netinfo_port::Selection;
///
/// assert!("389/tcp".parse::<Selection>().is_ok());
/// assert!("600-1023".parse::<Selection>().is_ok());
/// assert_eq!("70000".parse::<Selection>().unwrap_err().to_string(), "70000 is not a port (1-65535)");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selection {
    ports: RangeInclusive<u16>,
    transport: Option<Transport>,
}

/// Why text does not name ports.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SelectionError {
    /// Not a number from 1 to 65535.
    #[error("{0} is not a port (1-65535)")]
    Number(String),
    /// The range ends before it begins.
    #[error("the range {0} ends before it begins")]
    Backwards(String),
    /// Neither `tcp` nor `udp` behind the slash.
    #[error("{0} is not a transport: tcp or udp")]
    Transport(String),
    /// Neither a number nor a name of the registry.
    #[error("no service is registered under the name {0}")]
    Name(String),
}

impl Selection {
    /// One port of both transports.
    pub const fn port(port: u16) -> Self {
        Self { ports: port..=port, transport: None }
    }

    /// Ports of one transport, or of both.
    pub const fn new(ports: RangeInclusive<u16>, transport: Option<Transport>) -> Self {
        Self { ports, transport }
    }

    /// Reads what a user writes: as [`FromStr`], and names of services, each of which may stand for several ports.
    ///
    /// # Errors
    /// [`SelectionError`].
    pub fn read(text: &str, registry: &Registry) -> Result<Vec<Self>, SelectionError> {
        let (name, transport) = split(text)?;
        if !name.starts_with(|c: char| c.is_ascii_alphabetic()) {
            return Ok(vec![text.parse()?]);
        }
        let ports = registry.ports_named(name);
        if ports.is_empty() {
            return Err(SelectionError::Name(name.to_owned()));
        }
        Ok(ports.into_iter().map(|ports| Self { ports, transport }).collect())
    }

    /// Whether text looks like ports rather than like the name of a host.
    pub fn looks_like(text: &str) -> bool {
        text.parse::<Self>().is_ok()
    }

    /// The ports, first to last.
    pub const fn ports(&self) -> &RangeInclusive<u16> {
        &self.ports
    }

    /// The only port, if it is one.
    pub fn single(&self) -> Option<u16> {
        (self.ports.start() == self.ports.end()).then_some(*self.ports.start())
    }

    /// The only transport asked for, if it is one.
    pub const fn transport(&self) -> Option<Transport> {
        self.transport
    }

    /// Whether a transport is asked for.
    pub fn wants(&self, transport: Transport) -> bool {
        self.transport.is_none_or(|wanted| wanted == transport)
    }

    /// Which of the ports a socket uses: its own, else that of its peer.
    pub fn port_of(&self, socket: &Socket) -> Option<u16> {
        if !self.wants(socket.transport) {
            return None;
        }
        let ends = [Some(socket.local.port()), socket.remote.map(|remote| remote.port())];
        ends.into_iter().flatten().find(|port| self.ports.contains(port))
    }
}

fn split(text: &str) -> Result<(&str, Option<Transport>), SelectionError> {
    match text.split_once('/') {
        None => Ok((text, None)),
        Some((ports, transport)) => {
            let parsed = transport.parse().map_err(|()| SelectionError::Transport(transport.to_owned()))?;
            Ok((ports, Some(parsed)))
        }
    }
}

impl FromStr for Selection {
    type Err = SelectionError;

    fn from_str(text: &str) -> Result<Self, SelectionError> {
        let (ports, transport) = split(text)?;
        let number = |text: &str| {
            let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
            let port = if digits { text.parse::<u16>().ok() } else { None };
            port.filter(|port| *port != 0).ok_or_else(|| SelectionError::Number(text.to_owned()))
        };
        let ports = match ports.split_once(['-', '–']) {
            Some((first, last)) => number(first)?..=number(last)?,
            None => number(ports)?..=number(ports)?,
        };
        if ports.is_empty() {
            return Err(SelectionError::Backwards(text.to_owned()));
        }
        Ok(Self { ports, transport })
    }
}

impl fmt::Display for Selection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.single() {
            Some(port) => write!(f, "{port}")?,
            None => write!(f, "{}-{}", self.ports.start(), self.ports.end())?,
        }
        self.transport.map_or(Ok(()), |transport| write!(f, "/{transport}"))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_users_write() {
        let read = |text: &str| text.parse::<Selection>().map(|s| s.to_string()).map_err(|e| e.to_string());
        for good in ["945", "389/tcp", "53/udp", "600-1023", "1-65535/tcp"] {
            assert_eq!(read(good), Ok(good.to_owned()));
        }
        assert_eq!(read("7-7/TCP"), Ok("7/tcp".into()));
        assert_eq!(read("600–1023"), Ok("600-1023".into()));
        assert_eq!(read("0"), Err("0 is not a port (1-65535)".into()));
        assert_eq!(read("+5"), Err("+5 is not a port (1-65535)".into()));
        assert_eq!(read("9-3"), Err("the range 9-3 ends before it begins".into()));
        assert_eq!(read("9/sctp"), Err("sctp is not a transport: tcp or udp".into()));
        for bad in ["", "-", "1-", "-1", "/tcp", "1-2-3", "1.5"] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn names_of_services() {
        let registry = Registry::embedded();
        let read = |text: &str| Selection::read(text, &registry).map_err(|e| e.to_string());
        assert_eq!(read("ldap"), Ok(vec![Selection::port(389)]));
        assert_eq!(read("LDAPS/tcp").unwrap()[0].to_string(), "636/tcp");
        assert_eq!(
            read("no-such-service"),
            Err("no service is registered under the name no-such-service".into())
        );
        assert_eq!(read("945"), Ok(vec![Selection::port(945)]));
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in ".{0,24}") {
            if let Ok(selection) = text.parse::<Selection>() {
                prop_assert_eq!(selection.to_string().parse::<Selection>(), Ok(selection));
            }
        }

        #[test]
        fn any_selection_survives_its_text(first in 1..=u16::MAX, last in 1..=u16::MAX, which in 0..3usize) {
            let transport = [None, Some(Transport::Tcp), Some(Transport::Udp)][which];
            let selection = Selection::new(first.min(last)..=first.max(last), transport);
            prop_assert_eq!(selection.to_string().parse::<Selection>(), Ok(selection));
        }
    }
}
