//! From a query to the properties and values by which records are looked up. Domains are searched by exact values, so what
//! may be written in several ways is asked for in each of them.

use std::net::{Ipv4Addr, Ipv6Addr};

use netinfo_wire::lookup::{Category, Key, Query};

/// A property and a value that it may have.
pub(crate) type Spelling = (&'static [u8], Vec<u8>);

/// Bytes of an Ethernet address.
pub(crate) const MAC: usize = 6;

/// What to look up for a query, in this order. Nothing if the category is not looked up by such a key.
pub(crate) fn spellings(query: &Query<'_>) -> Vec<Spelling> {
    match (query.category, query.key) {
        (Category::Host | Category::Ether, Key::Name(name)) => host_names(name),
        (Category::Service, Key::Service { name, .. } | Key::Name(name)) => vec![(b"name", name.to_vec())],
        (Category::Service, Key::Port { port, .. }) if port != 0 => {
            vec![(b"port", port.to_string().into_bytes())]
        }
        (_, Key::Name(name)) => vec![(b"name", name.to_vec())],
        (Category::Passwd | Category::Shadow, Key::Number(uid)) => ids(b"uid", uid),
        (Category::Group, Key::Number(gid)) => ids(b"gid", gid),
        (Category::Protocol | Category::Rpc, Key::Number(number)) => {
            vec![(b"number", number.to_string().into_bytes())]
        }
        (Category::Network, Key::Number(number)) => networks(number),
        (Category::Host, Key::Address(address)) => addresses(address),
        (Category::Ether, Key::Address(address)) => macs(address),
        _ => Vec::new(),
    }
}

/// What else to look up when nothing was found under [`spellings`]: people's names. Only those with a blank in them, so
/// that nobody's real name is taken for a login name.
pub(crate) fn second_spellings(query: &Query<'_>) -> Vec<Spelling> {
    match (query.category, query.key) {
        (Category::Passwd, Key::Name(name)) if name.contains(&b' ') => vec![(b"realname", name.to_vec())],
        _ => Vec::new(),
    }
}

/// Host names are kept in lower case; those that are not can be found as they are.
fn host_names(name: &[u8]) -> Vec<Spelling> {
    let lower = name.to_ascii_lowercase();
    let mut list: Vec<Spelling> = vec![(b"name", lower)];
    if list[0].1 != name {
        list.push((b"name", name.to_vec()));
    }
    list
}

/// User and group ids beyond the positive numbers may be stored as negative ones.
fn ids(property: &'static [u8], id: u32) -> Vec<Spelling> {
    let mut list = vec![(property, id.to_string().into_bytes())];
    if id.cast_signed() < 0 {
        list.push((property, id.cast_signed().to_string().into_bytes()));
    }
    list
}

/// A network number with or without its trailing zero parts; one that is right-justified is moved to the left.
fn networks(number: u32) -> Vec<Spelling> {
    let left = match number {
        0 => 0,
        number => number << (8 * (number.leading_zeros() / 8)),
    };
    let octets = left.to_be_bytes();
    let needed = octets.iter().rposition(|&octet| octet != 0).map_or(1, |last| last + 1);
    (needed..=octets.len())
        .map(|parts| {
            let parts: Vec<_> = octets[..parts].iter().map(u8::to_string).collect();
            (&b"address"[..], parts.join(".").into_bytes())
        })
        .collect()
}

fn addresses(address: &[u8]) -> Vec<Spelling> {
    if let Ok(octets) = <[u8; 4]>::try_from(address) {
        return vec![(b"ip_address", Ipv4Addr::from(octets).to_string().into_bytes())];
    }
    let Ok(octets) = <[u8; 16]>::try_from(address) else { return Vec::new() };
    let v6 = Ipv6Addr::from(octets);
    let mut list: Vec<Spelling> = vec![(b"ipv6_address", v6.to_string().into_bytes())];
    if let Some(v4) = v6.to_ipv4_mapped() {
        list.push((b"ip_address", v4.to_string().into_bytes()));
    }
    list
}

/// An Ethernet address, each octet below 16 with and without a leading zero, in lower and in upper case.
fn macs(address: &[u8]) -> Vec<Spelling> {
    let Ok(octets) = <[u8; MAC]>::try_from(address) else { return Vec::new() };
    let short: Vec<usize> = (0..MAC).filter(|&i| octets[i] < 16).collect();
    let mut list: Vec<Spelling> = Vec::new();
    for padded in 0..1_u32 << short.len() {
        let text: Vec<String> = (0..MAC)
            .map(|i| match short.iter().position(|&s| s == i) {
                Some(bit) if padded >> bit & 1 == 0 => format!("{:x}", octets[i]),
                _ => format!("{:02x}", octets[i]),
            })
            .collect();
        let text = text.join(":");
        let upper = text.to_ascii_uppercase();
        if upper != text {
            list.push((b"en_address", upper.into_bytes()));
        }
        list.push((b"en_address", text.into_bytes()));
    }
    list
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(category: Category, key: Key<'_>) -> Vec<String> {
        let list = spellings(&Query { category, key });
        list.into_iter().map(|(p, v)| format!("{}={}", p.escape_ascii(), v.escape_ascii())).collect()
    }

    #[test]
    fn numbers() {
        assert_eq!(asked(Category::Passwd, Key::Number(501)), ["uid=501"]);
        assert_eq!(asked(Category::Group, Key::Number(4_294_967_294)), ["gid=4294967294", "gid=-2"]);
        assert_eq!(asked(Category::Protocol, Key::Number(6)), ["number=6"]);
        assert_eq!(asked(Category::Service, Key::Port { port: 80, protocol: b"" }), ["port=80"]);
        assert_eq!(asked(Category::Service, Key::Port { port: 0, protocol: b"" }), [""; 0]);
        assert_eq!(asked(Category::Alias, Key::Number(6)), [""; 0]);
    }

    #[test]
    fn networks_lose_their_zeros() {
        let ten = ["address=10", "address=10.0", "address=10.0.0", "address=10.0.0.0"];
        assert_eq!(asked(Category::Network, Key::Number(0x0a00_0000)), ten);
        assert_eq!(asked(Category::Network, Key::Number(10)), ten);
        assert_eq!(asked(Category::Network, Key::Number(0xac10_0000))[0], "address=172.16");
        assert_eq!(asked(Category::Network, Key::Number(0xc0a8_0001)), ["address=192.168.0.1"]);
        assert_eq!(asked(Category::Network, Key::Number(0)).len(), 4);
    }

    #[test]
    fn hosts() {
        assert_eq!(asked(Category::Host, Key::Name(b"WWW")), ["name=www", "name=WWW"]);
        assert_eq!(asked(Category::Host, Key::Address(&[10, 0, 0, 5])), ["ip_address=10.0.0.5"]);
        let mapped = Ipv4Addr::new(10, 0, 0, 5).to_ipv6_mapped().octets();
        let both = ["ipv6_address=::ffff:10.0.0.5", "ip_address=10.0.0.5"];
        assert_eq!(asked(Category::Host, Key::Address(&mapped)), both);
    }

    #[test]
    fn ethernet_addresses_in_all_spellings() {
        let list = asked(Category::Ether, Key::Address(&[0, 5, 2, 0xfe, 0xef, 0x4b]));
        assert_eq!(list.len(), 16);
        for text in ["0:5:2:fe:ef:4b", "00:05:02:fe:ef:4b", "00:05:02:FE:EF:4B", "0:05:2:fe:ef:4b"] {
            assert!(list.contains(&format!("en_address={text}")), "{text}");
        }
        assert_eq!(asked(Category::Ether, Key::Address(&[0; 4])), [""; 0]);
    }

    #[test]
    fn people_are_found_by_their_names_only_if_no_login_could_be_meant() {
        let second =
            |name: &[u8]| second_spellings(&Query { category: Category::Passwd, key: Key::Name(name) }).len();
        assert_eq!(second(b"Jane Doe"), 1);
        assert_eq!(second(b"jane"), 0);
    }
}
