//! Universal addresses (RFC 5665 §5.2.3): an IP address as text, then the port as two decimal octets,
//! all separated by dots: `192.0.2.1.0.111`, `2001:db8::1.0.111`.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use crate::xdr::Error;

/// Longest universal address in bytes: an IPv6 address with an embedded IPv4 address (45), two octets
/// and their dots.
pub const MAX_UADDR: u32 = 53;

/// Longest transport identifier ("udp", "tcp6", …) and similar text in bytes.
pub const MAX_TEXT: u32 = 255;

/// The universal address of a socket address. Scope and flow of an IPv6 address have no place in it.
pub fn format(addr: SocketAddr) -> String {
    let [high, low] = addr.port().to_be_bytes();
    format!("{}.{high}.{low}", addr.ip())
}

/// The socket address of a universal address. An IPv6 zone (`%…`), which some systems append, is
/// dropped: it means nothing on another host.
///
/// # Errors
/// [`Error::NotText`] if it is not a universal address.
pub fn parse(text: &[u8]) -> Result<SocketAddr, Error> {
    let text = std::str::from_utf8(text).map_err(|_| Error::NotText)?;
    let (rest, low) = text.rsplit_once('.').ok_or(Error::NotText)?;
    let (ip, high) = rest.rsplit_once('.').ok_or(Error::NotText)?;
    let port = u16::from_be_bytes([octet(high)?, octet(low)?]);
    let ip = match ip.split_once('%') {
        Some((ip, _zone)) => IpAddr::V6(ip.parse::<Ipv6Addr>().map_err(|_| Error::NotText)?),
        None => ip.parse::<IpAddr>().map_err(|_| Error::NotText)?,
    };
    Ok(SocketAddr::new(ip, port))
}

/// A decimal octet without sign; leading zeros are accepted.
fn octet(text: &str) -> Result<u8, Error> {
    if text.is_empty() || text.len() > 3 || !text.bytes().all(|b| b.is_ascii_digit()) {
        return Err(Error::NotText);
    }
    text.parse().map_err(|_| Error::NotText)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_directions() {
        for (text, addr) in [
            ("192.0.2.1.0.111", "192.0.2.1:111"),
            ("0.0.0.0.255.255", "0.0.0.0:65535"),
            ("2001:db8::1.3.177", "[2001:db8::1]:945"),
            ("::.0.111", "[::]:111"),
            ("::ffff:192.0.2.1.4.9", "[::ffff:192.0.2.1]:1033"),
        ] {
            let addr: SocketAddr = addr.parse().unwrap();
            assert_eq!(parse(text.as_bytes()), Ok(addr));
            assert_eq!(format(addr), text);
        }
        assert_eq!(parse(b"fe80::1%eth0.0.111"), Ok("[fe80::1]:111".parse().unwrap()));
    }

    #[test]
    fn refused() {
        for text in [
            "",
            ".",
            "1.2.3.4",
            "1.2.3.4.5",
            "1.2.3.4.0.256",
            "1.2.3.4.+1.1",
            "1.2.3.4.0.0001",
            "::1",
            "x.0.1",
        ] {
            assert_eq!(parse(text.as_bytes()), Err(Error::NotText), "{text}");
        }
        assert_eq!(parse(b"\xff.0.1"), Err(Error::NotText));
    }

    #[test]
    fn the_longest_address_fits() {
        let longest = "ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255.255.255";
        assert_eq!(longest.len(), MAX_UADDR as usize);
        assert!(parse(longest.as_bytes()).is_ok());
    }
}
