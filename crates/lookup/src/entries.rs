//! A record as a typed entry: which property becomes which field, and which records are passed over.

use std::net::{Ipv4Addr, Ipv6Addr};

use netinfo_wire::lookup::{
    Alias, Category, Entry, EntryBuf, Ether, Group, Host, List, ListBuf, MAX_KEY, Network, Passwd, Protocol,
    Rpc, Service, Shadow,
};

use crate::keys::MAC;
use crate::source::Record;

/// Group id of a user whose record has none: that of nobody.
const NOBODY: u32 = u32::MAX - 1;
/// Login name of the superuser.
const ROOT: &[u8] = b"root";
/// Protocols of one service that are seen.
pub(crate) const MAX_PROTOCOLS: usize = 32;
/// Seconds of a day.
const DAY: i64 = 86_400;
/// An `expire` below this is a number of days already: nobody's account expired on the second day of 1970.
const SECONDS: i64 = 100_000;
/// "Not set" among the fields of a shadow entry.
const UNSET: i64 = -1;
/// What a field says of a password that exists, and of one that does not.
const HAS_PASSWORD: &[u8] = b"x";
const NO_PASSWORD: &[u8] = b"*";

/// What a query says beyond the key, where a record holds several entries.
#[derive(Clone, Copy, Default)]
pub(crate) struct Want<'q> {
    /// Protocol of a service; any if empty.
    pub(crate) protocol: &'q [u8],
    /// Ethernet address.
    pub(crate) mac: Option<[u8; MAC]>,
}

/// The name that an entry made of this record bears; `None` if none can be made of it.
///
/// Who the superuser of a machine is, its own domain says and no other: users called `root`, or of uid 0, are known from
/// the `nearest` source only.
pub(crate) fn canonical<'r>(
    category: Category,
    record: &Record<'r>,
    want: Want<'_>,
    nearest: bool,
) -> Option<&'r [u8]> {
    let name = record.first(b"name").filter(|name| is_name(name))?;
    let complete = match category {
        Category::Passwd | Category::Shadow => {
            let superuser = |uid| uid == 0 || record.values(b"name").any(|name| name == ROOT);
            is_plain(name) && number(record, b"uid").is_some_and(|uid| nearest || !superuser(uid))
        }
        Category::Group => is_plain(name) && number(record, b"gid").is_some(),
        Category::Host => addresses(record).next().is_some(),
        Category::Network => network(record).is_some(),
        Category::Service => port(record).is_some() && protocol(record, want.protocol).is_some(),
        Category::Protocol | Category::Rpc => number(record, b"number").is_some(),
        Category::Ether => mac(record, want.mac).is_some(),
        Category::Alias | Category::Netgroup => true,
    };
    complete.then_some(name)
}

/// The entry, of a record that has a [`canonical`] name; a group without its members. `None` if it is too large.
pub(crate) fn build(
    category: Category,
    record: &Record<'_>,
    want: Want<'_>,
    nearest: bool,
) -> Option<EntryBuf> {
    let name = record.first(b"name").unwrap_or_default();
    let mut aliases = ListBuf::new();
    if matches!(
        category,
        Category::Host | Category::Network | Category::Service | Category::Protocol | Category::Rpc
    ) {
        let others = record.values(b"name").skip(1).filter(|name| is_name(name));
        fill(&mut aliases, others)?;
    }
    let aliases = aliases.as_list();
    let mut list = ListBuf::new();
    let id = |key| number(record, key).unwrap_or(NOBODY);
    let entry = match category {
        Category::Passwd => passwd(record, name),
        Category::Shadow => shadow(record, name),
        Category::Group => {
            Entry::Group(Group { name, passwd: mark(record), gid: id(b"gid"), members: List::default() })
        }
        Category::Host => {
            fill(&mut list, addresses(record))?;
            Entry::Host(Host { name, aliases, addresses: list.as_list() })
        }
        Category::Network => {
            Entry::Network(Network { name, aliases, number: network(record).unwrap_or_default() })
        }
        Category::Service => Entry::Service(Service {
            name,
            aliases,
            port: port(record).unwrap_or_default(),
            protocol: protocol(record, want.protocol).unwrap_or_default(),
        }),
        Category::Protocol => Entry::Protocol(Protocol { name, aliases, number: id(b"number") }),
        Category::Rpc => Entry::Rpc(Rpc { name, aliases, number: id(b"number") }),
        Category::Ether => Entry::Ether(Ether { name, address: mac(record, want.mac).unwrap_or_default() }),
        Category::Alias => {
            fill(&mut list, record.values(b"members").filter(|m| is_name(m)))?;
            Entry::Alias(Alias { name, members: list.as_list(), local: nearest })
        }
        // Netgroups are put together from many records.
        Category::Netgroup => return None,
    };
    EntryBuf::new(&entry)
}

fn passwd<'r>(record: &Record<'r>, name: &'r [u8]) -> Entry<'r> {
    Entry::Passwd(Passwd {
        name,
        passwd: mark(record),
        uid: number(record, b"uid").unwrap_or(NOBODY),
        gid: number(record, b"gid").unwrap_or(NOBODY),
        gecos: field(record, b"realname"),
        home: home(record),
        shell: field(record, b"shell"),
    })
}

/// Users of Active Directory have their home on UNIX apart: `home` may be a share of Windows.
fn home<'r>(record: &Record<'r>) -> &'r [u8] {
    match field(record, b"unixHomeDirectory") {
        [] => field(record, b"home"),
        home => home,
    }
}

/// `change` says when a password is to be changed, not when it was: there is no field for that.
fn shadow<'r>(record: &Record<'r>, name: &'r [u8]) -> Entry<'r> {
    let hash = record.first(b"passwd").filter(|hash| hash.is_empty() || is_plain(hash));
    let expire = record.first(b"expire").and_then(decimal).filter(|&seconds| seconds > 0);
    let day = |expire| if expire >= SECONDS { expire / DAY } else { expire };
    Entry::Shadow(Shadow {
        name,
        passwd: hash.unwrap_or(NO_PASSWORD),
        last_change: UNSET,
        min: UNSET,
        max: UNSET,
        warn: UNSET,
        inactive: UNSET,
        expire: expire.map_or(UNSET, day),
    })
}

/// Adds strings to a list; `None` if they are too many.
pub(crate) fn fill<S: AsRef<[u8]>>(list: &mut ListBuf, strings: impl Iterator<Item = S>) -> Option<()> {
    for string in strings {
        list.push(string.as_ref()).then_some(())?;
    }
    Some(())
}

/// Whether a text can be the name of anything: nothing in it ends a string of C, or a line.
pub(crate) fn is_name(name: &[u8]) -> bool {
    !name.is_empty() && name.len() <= MAX_KEY as usize && !name.iter().any(|b| matches!(b, 0 | b'\n'))
}

/// Whether a text can be a field of a line of `passwd` or `group`.
fn is_plain(text: &[u8]) -> bool {
    !text.is_empty() && !text.iter().any(|b| matches!(b, 0 | b'\n' | b':'))
}

/// Whether a text can be the name of a member of a group.
pub(crate) fn is_member(name: &[u8]) -> bool {
    is_name(name) && is_plain(name) && !name.contains(&b',')
}

/// A text field, up to what would end it in a line of `passwd`.
fn field<'r>(record: &Record<'r>, key: &[u8]) -> &'r [u8] {
    let text = record.first(key).unwrap_or_default();
    let end = text.iter().position(|b| matches!(b, 0 | b'\n' | b':')).unwrap_or(text.len());
    text.get(..end).unwrap_or(text)
}

/// What stands in place of a password.
fn mark(record: &Record<'_>) -> &'static [u8] {
    if record.first(b"passwd").is_some() { HAS_PASSWORD } else { NO_PASSWORD }
}

/// A whole number in decimal, a sign allowed, nothing else.
fn decimal(text: &[u8]) -> Option<i64> {
    std::str::from_utf8(text).ok()?.parse().ok()
}

/// An id: negative ones count from above, and the highest, which means "no id" to the system, is none.
pub(crate) fn number(record: &Record<'_>, key: &[u8]) -> Option<u32> {
    let number = decimal(record.first(key)?)?;
    let id = u32::try_from(number).or_else(|_| i32::try_from(number).map(i32::cast_unsigned)).ok()?;
    (id != u32::MAX).then_some(id)
}

fn port(record: &Record<'_>) -> Option<u16> {
    let port = decimal(record.first(b"port")?)?;
    u16::try_from(port).ok().filter(|&port| port != 0)
}

/// The protocols of a service that can be told: the first ones.
pub(crate) fn protocols<'r>(record: &Record<'r>) -> impl Iterator<Item = &'r [u8]> + use<'r> {
    record.values(b"protocol").filter(|p| is_name(p)).take(MAX_PROTOCOLS)
}

fn protocol<'r>(record: &Record<'r>, wanted: &[u8]) -> Option<&'r [u8]> {
    protocols(record).find(|p| wanted.is_empty() || *p == wanted)
}

/// All addresses of a host: those of version 4 first.
fn addresses<'r>(record: &Record<'r>) -> impl Iterator<Item = Vec<u8>> + use<'r> {
    let text = |value: &'r [u8]| std::str::from_utf8(value).ok();
    let v4 = record.values(b"ip_address").filter_map(move |v| text(v)?.parse::<Ipv4Addr>().ok());
    let v6 = record.values(b"ipv6_address").filter_map(move |v| text(v)?.parse::<Ipv6Addr>().ok());
    v4.map(|a| a.octets().to_vec()).chain(v6.map(|a| a.octets().to_vec()))
}

/// The number of a network, left-justified: parts that are not written are zero.
fn network(record: &Record<'_>) -> Option<u32> {
    let text = std::str::from_utf8(record.first(b"address")?).ok().filter(|text| !text.contains('+'))?;
    let mut octets = [0; 4];
    for (i, part) in text.split('.').enumerate() {
        *octets.get_mut(i)? = part.parse().ok()?;
    }
    Some(u32::from_be_bytes(octets))
}

/// The Ethernet address that is wanted, or the first, if the record has it.
fn mac(record: &Record<'_>, wanted: Option<[u8; MAC]>) -> Option<[u8; MAC]> {
    record.values(b"en_address").filter_map(parse_mac).find(|mac| wanted.is_none_or(|w| w == *mac))
}

/// Six octets in hexadecimal, of one digit or two.
fn parse_mac(text: &[u8]) -> Option<[u8; MAC]> {
    let text = std::str::from_utf8(text).ok()?;
    let mut octets = [0; MAC];
    let mut parts = text.split(':');
    for octet in &mut octets {
        let part = parts.next().filter(|p| (1..=2).contains(&p.len()) && !p.starts_with('+'))?;
        *octet = u8::from_str_radix(part, 16).ok()?;
    }
    parts.next().is_none().then_some(octets)
}

#[cfg(test)]
mod tests;
