//! `trusted_networks` and its kin: lists of partial network numbers or names under `/networks`.

use std::net::{IpAddr, Ipv4Addr};

use crate::error::Result;
use crate::model::ROOT;
use crate::session::Origin;
use crate::view::View;

/// What the root's `trusted_networks` says about connections.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trust {
    /// The property is absent: everybody may connect.
    Everybody,
    /// Only peers in these networks; those of the host itself always.
    Networks(Vec<Ipv4Addr>),
}

impl Trust {
    /// Whether a caller from there may connect.
    #[must_use]
    pub fn admits(&self, origin: Origin) -> bool {
        match origin {
            Origin::Network { own: false, address, .. } if !address.is_loopback() => self.has(address),
            _ => true,
        }
    }

    /// Whether an address is in the networks.
    pub(crate) fn has(&self, peer: IpAddr) -> bool {
        match (self, peer) {
            (Self::Everybody, _) => true,
            (Self::Networks(list), IpAddr::V4(peer)) => list.iter().any(|&n| network_matches(n, peer)),
            (Self::Networks(list), IpAddr::V6(peer)) => {
                peer.to_ipv4_mapped().is_some_and(|peer| list.iter().any(|&n| network_matches(n, peer)))
            }
        }
    }
}

impl View<'_> {
    /// Who may connect to this domain.
    pub fn trust(&self) -> Result<Trust> {
        Ok(self.network_list(b"trusted_networks")?.map_or(Trust::Everybody, Trust::Networks))
    }

    /// Whether the domain serves the loopback interface only: `trusted_networks` is there and every value begins with `127`.
    pub fn is_loopback_only(&self) -> Result<bool> {
        let root = self.record(ROOT)?;
        Ok(root
            .property(b"trusted_networks")
            .is_some_and(|p| p.values.into_iter().all(|v| v.starts_with(b"127"))))
    }

    /// Networks named by a property of the root directory; `None` when the property is absent.
    pub(crate) fn network_list(&self, property: &[u8]) -> Result<Option<Vec<Ipv4Addr>>> {
        let root = self.record(ROOT)?;
        let Some(property) = root.property(property) else { return Ok(None) };
        let mut networks = Vec::new();
        for value in property.values {
            let network = if value.first().is_some_and(u8::is_ascii_digit) {
                classful_network(value)
            } else {
                self.named_network(value)?
            };
            networks.extend(network);
        }
        Ok(Some(networks))
    }

    fn named_network(&self, name: &[u8]) -> Result<Option<Ipv4Addr>> {
        let Some(networks) = self.child_named(ROOT, b"networks")? else { return Ok(None) };
        let Some(network) = self.child_named(networks, name)? else { return Ok(None) };
        Ok(self.record(network)?.first_value(b"address").and_then(classful_network))
    }
}

/// Reads a partial, classful network number: the dotted parts (decimal, octal with a leading `0`, or `0x` hex) are the
/// bytes of a number that is shifted up to the class's width. Zero and nonsense are `None`.
pub(crate) fn classful_network(text: &[u8]) -> Option<Ipv4Addr> {
    let text = std::str::from_utf8(text).ok()?;
    let text = text.strip_suffix('.').unwrap_or(text);
    let mut number: u32 = 0;
    for (i, part) in text.split('.').enumerate() {
        let value = if let Some(hex) = part.strip_prefix("0x").or_else(|| part.strip_prefix("0X")) {
            u32::from_str_radix(hex, 16).ok()?
        } else if part.len() > 1 && part.starts_with('0') {
            u32::from_str_radix(part, 8).ok()?
        } else {
            part.parse().ok()?
        };
        if i >= 4 || value > 0xFF {
            return None;
        }
        number = number << 8 | value;
    }
    let address = match number {
        0 => return None,
        1..0x80 => number << 24,
        0x80..0x1_0000 => number << 16,
        0x1_0000..0x100_0000 => number << 8,
        _ => number,
    };
    Some(address.into())
}

/// Compares octets from the left; a zero octet of the network ends the comparison with success; the fourth is never
/// looked at.
fn network_matches(network: Ipv4Addr, peer: Ipv4Addr) -> bool {
    let (n, p) = (network.octets(), peer.octets());
    if n[0] != p[0] {
        return false;
    }
    for i in 1..3 {
        if n[i] == 0 {
            return true;
        }
        if n[i] != p[i] {
            return false;
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classful_numbers() {
        let network = |s: &str| classful_network(s.as_bytes()).map(|a| a.to_string());
        assert_eq!(network("127").as_deref(), Some("127.0.0.0"));
        assert_eq!(network("10.1").as_deref(), Some("10.1.0.0"));
        assert_eq!(network("192.168.7").as_deref(), Some("192.168.7.0"));
        assert_eq!(network("17.1.2.3").as_deref(), Some("17.1.2.3"));
        assert_eq!(network("10.").as_deref(), Some("10.0.0.0"));
        assert_eq!(network("0x0a").as_deref(), Some("10.0.0.0"));
        assert_eq!(network("012").as_deref(), Some("10.0.0.0"));
        for bad in ["", "0", "300", "1.2.3.4.5", "x", "10..1"] {
            assert_eq!(network(bad), None, "{bad}");
        }
    }

    #[test]
    fn matching_is_by_leading_octets() {
        let admits = |n: &str, p: &str| {
            let origin = |own| Origin::Network {
                address: IpAddr::V4(p.parse().unwrap()),
                own,
                privileged_port: false,
            };
            let trust = Trust::Networks(vec![n.parse().unwrap()]);
            assert!(trust.admits(origin(true)) && trust.admits(Origin::Internal));
            trust.admits(origin(false))
        };
        assert!(admits("192.168.7.0", "192.168.7.200"));
        assert!(!admits("192.168.7.0", "192.168.8.1"));
        assert!(admits("10.0.1.0", "10.99.99.99"));
        assert!(admits("17.1.2.3", "17.1.2.4"));
        assert!(!Trust::Networks(vec![]).has("10.0.0.1".parse().unwrap()));
        assert!(Trust::Everybody.has("10.0.0.1".parse().unwrap()));
        let mapped: IpAddr = "::ffff:192.168.7.9".parse().unwrap();
        assert!(Trust::Networks(vec!["192.168.7.0".parse().unwrap()]).has(mapped));
    }
}
