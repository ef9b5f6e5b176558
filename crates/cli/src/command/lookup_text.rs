//! Entries in the notation of the files in `/etc`, and as JSON.

use std::fmt::Write as _;
use std::net::{Ipv4Addr, Ipv6Addr};

use netinfo_wire::lookup::{Entry, List};
use serde_json::{Value, json};

use crate::output::{json_bytes, safe};

/// An entry as a line, or one line for each address.
pub(super) fn text_entry(entry: &Entry<'_>) -> String {
    let name = safe(entry.name());
    match entry {
        Entry::Passwd(p) => {
            let [passwd, gecos, home, shell] = [p.passwd, p.gecos, p.home, p.shell].map(safe);
            format!("{name}:{passwd}:{}:{}:{gecos}:{home}:{shell}\n", p.uid, p.gid)
        }
        Entry::Shadow(s) => {
            let days = [s.last_change, s.min, s.max, s.warn, s.inactive, s.expire];
            let days = days.map(|day| if day < 0 { String::new() } else { day.to_string() });
            format!("{name}:{}:{}:\n", safe(s.passwd), days.join(":"))
        }
        Entry::Group(g) => format!("{name}:{}:{}:{}\n", safe(g.passwd), g.gid, joined(&g.members, ",")),
        Entry::Host(h) => {
            let mut text = String::new();
            for address in h.addresses.iter() {
                let _ = writeln!(text, "{:<15} {name}{}", address_text(address), others(&h.aliases));
            }
            text
        }
        Entry::Network(n) => {
            format!("{name:<21} {}{}\n", Ipv4Addr::from(n.number), others(&n.aliases))
        }
        Entry::Service(s) => {
            format!("{name:<21} {}/{}{}\n", s.port, safe(s.protocol), others(&s.aliases))
        }
        Entry::Protocol(p) => format!("{name:<21} {}{}\n", p.number, others(&p.aliases)),
        Entry::Rpc(r) => format!("{name:<15} {}{}\n", r.number, others(&r.aliases)),
        Entry::Ether(e) => format!("{} {name}\n", ethernet_text(&e.address)),
        Entry::Alias(a) => format!("{name}: {}\n", joined(&a.members, ", ")),
        Entry::Netgroup(n) => {
            let mut text = name;
            for triple in n.iter() {
                let [host, user, domain] = [triple.host, triple.user, triple.domain].map(safe);
                let _ = write!(text, " ({host},{user},{domain})");
            }
            text + "\n"
        }
    }
}

/// An entry as an object.
pub(super) fn json_entry(entry: &Entry<'_>) -> Value {
    let name = json_bytes(entry.name());
    match entry {
        Entry::Passwd(p) => json!({
            "name": name, "passwd": json_bytes(p.passwd), "uid": p.uid, "gid": p.gid,
            "gecos": json_bytes(p.gecos), "home": json_bytes(p.home), "shell": json_bytes(p.shell),
        }),
        Entry::Shadow(s) => {
            let day = |day: i64| (day >= 0).then_some(day);
            json!({
                "name": name, "passwd": json_bytes(s.passwd), "last_change": day(s.last_change), "min": day(s.min),
                "max": day(s.max), "warn": day(s.warn), "inactive": day(s.inactive), "expire": day(s.expire),
            })
        }
        Entry::Group(g) => json!({
            "name": name, "passwd": json_bytes(g.passwd), "gid": g.gid, "members": list(&g.members),
        }),
        Entry::Host(h) => {
            let addresses: Vec<_> = h.addresses.iter().map(address_text).collect();
            json!({ "name": name, "aliases": list(&h.aliases), "addresses": addresses })
        }
        Entry::Network(n) => json!({
            "name": name, "aliases": list(&n.aliases), "network": Ipv4Addr::from(n.number).to_string(),
        }),
        Entry::Service(s) => json!({
            "name": name, "aliases": list(&s.aliases), "port": s.port, "protocol": json_bytes(s.protocol),
        }),
        Entry::Protocol(p) => json!({ "name": name, "aliases": list(&p.aliases), "number": p.number }),
        Entry::Rpc(r) => json!({ "name": name, "aliases": list(&r.aliases), "number": r.number }),
        Entry::Ether(e) => json!({ "name": name, "address": ethernet_text(&e.address) }),
        Entry::Alias(a) => json!({ "name": name, "members": list(&a.members), "local": a.local }),
        Entry::Netgroup(n) => {
            let triple = |t: netinfo_wire::lookup::Triple<'_>| json!({ "host": json_bytes(t.host), "user": json_bytes(t.user), "domain": json_bytes(t.domain) });
            json!({ "name": name, "triples": n.iter().map(triple).collect::<Vec<_>>() })
        }
    }
}

fn list(list: &List<'_>) -> Value {
    list.iter().map(json_bytes).collect()
}

fn joined(list: &List<'_>, between: &str) -> String {
    list.iter().map(safe).collect::<Vec<_>>().join(between)
}

/// Other names behind the first one.
fn others(list: &List<'_>) -> String {
    list.iter().map(|name| format!(" {}", safe(name))).collect()
}

/// An address of 4 or 16 bytes, as entries have them.
fn address_text(address: &[u8]) -> String {
    match (<[u8; 4]>::try_from(address), <[u8; 16]>::try_from(address)) {
        (Ok(v4), _) => Ipv4Addr::from(v4).to_string(),
        (_, Ok(v6)) => Ipv6Addr::from(v6).to_string(),
        _ => String::new(),
    }
}

fn ethernet_text(address: &[u8; 6]) -> String {
    address.map(|octet| format!("{octet:x}")).join(":")
}
