//! Machines that may add themselves: rules in the domain that say which.
//!
//! A machine asks whether the domain serves it (BIND). If the domain does not know its address, and a rule below
//! `/config/host_rules` allows it, the machine is added to `/machines` with a `serves` value for its own domain. A rule is a
//! directory with these properties:
//!
//! | property | meaning |
//! |---|---|
//! | `name` | what the rule is called |
//! | `network` | IPv4 networks, `10.0.0.0/24` or one address; without one the rule allows nothing |
//! | `pattern` | names of machines it is for, with `*` and `?`; without one, any |
//! | `most` | how many machines it may add |
//! | `until` | seconds since 1970 after which it allows nothing |
//!
//! Machines added by a rule have its name in `added_by`, by which they are counted. A rule with a value that cannot be read
//! allows nothing.

use std::net::Ipv4Addr;

use crate::change::Change;
use crate::error::Result;
use crate::model::{Property, ROOT, Target};
use crate::record::RecordRef;
use crate::view::View;

/// Directories from the root to the rules.
pub const HOST_RULES: [&str; 2] = ["config", "host_rules"];
/// Rules that are looked at, at most.
pub const HOST_RULES_LIMIT: usize = 100;
/// Machines that one rule adds if it does not say how many.
pub const HOST_RULE_MOST: usize = 1000;
/// Longest name of a machine that is taken from the machine itself, in bytes (RFC 1123 section 2.1).
pub const HOST_NAME_LIMIT: usize = 255;

/// A machine that asks.
#[derive(Debug, Clone, Copy)]
pub struct Newcomer<'a> {
    /// Its address.
    pub address: Ipv4Addr,
    /// The name it gives itself, if any.
    pub name: Option<&'a [u8]>,
    /// Tag of its own domain.
    pub tag: &'a [u8],
}

/// What is to be done for a newcomer.
#[derive(Debug)]
pub struct Admission {
    /// Adds the machine.
    pub change: Change,
    /// Its name there.
    pub name: String,
    /// The rule that allows it.
    pub rule: String,
}

impl View<'_> {
    /// Whether `/machines` has a record with this address.
    pub fn knows_machine(&self, address: Ipv4Addr) -> Result<bool> {
        let Some(machines) = self.child_named(ROOT, b"machines")? else { return Ok(false) };
        Ok(self.lookup_first(machines, b"ip_address", address.to_string().as_bytes())?.is_some())
    }

    /// How to add a machine that the domain does not know, if a rule allows it at `now` (seconds since 1970).
    pub fn admission(&self, newcomer: &Newcomer<'_>, now: u64) -> Result<Option<Admission>> {
        let [config, rules] = HOST_RULES;
        let Some(rules) = self.path(&[config.as_bytes(), rules.as_bytes()])? else { return Ok(None) };
        let Some(machines) = self.child_named(ROOT, b"machines")? else { return Ok(None) };
        if self.knows_machine(newcomer.address)? || newcomer.address.is_loopback() || !is_tag(newcomer.tag) {
            return Ok(None);
        }
        let given = newcomer.name.filter(|name| is_name(name)).map(<[u8]>::to_ascii_lowercase);
        for rule in self.children(rules)?.take(HOST_RULES_LIMIT) {
            let Some(rule) = Rule::of(&self.record(rule?)?) else { continue };
            let added = self.lookup(machines, b"added_by", rule.name.as_bytes())?.len();
            if !rule.allows(newcomer.address, given.as_deref(), now) || added >= rule.most {
                continue;
            }
            let name = self.free_name(machines, given, newcomer.address)?;
            let serves = [name.as_bytes(), b"/", newcomer.tag].concat();
            let properties = vec![
                Property::new("name", [name.as_str()]),
                Property::new("ip_address", [newcomer.address.to_string()]),
                Property::new("serves", [serves]),
                Property::new("added_by", [rule.name.as_str()]),
            ];
            let change = Change::Create { parent: Target::any(machines), properties, position: u32::MAX };
            return Ok(Some(Admission { change, name, rule: rule.name }));
        }
        Ok(None)
    }

    /// The name a newcomer gives itself, unless another machine has it; else one made of its address.
    fn free_name(&self, machines: u32, given: Option<Vec<u8>>, address: Ipv4Addr) -> Result<String> {
        if let Some(name) = given
            && self.lookup_first(machines, b"name", &name)?.is_none()
        {
            return Ok(String::from_utf8_lossy(&name).into_owned());
        }
        let [a, b, c, d] = address.octets();
        Ok(format!("host-{a}-{b}-{c}-{d}"))
    }
}

/// A rule that can be read.
#[derive(Debug, PartialEq, Eq)]
struct Rule {
    name: String,
    networks: Vec<(u32, u32)>,
    pattern: Option<Vec<u8>>,
    most: usize,
    until: Option<u64>,
}

impl Rule {
    fn of(record: &RecordRef<'_>) -> Option<Self> {
        let text = |value: &[u8]| std::str::from_utf8(value).ok().map(str::to_owned);
        let networks = record.property(b"network")?.values.map(|value| network(&text(value)?));
        let most = record.first_value(b"most").map(|value| text(value)?.parse().ok());
        let until = record.first_value(b"until").map(|value| text(value)?.parse().ok());
        Some(Self {
            name: record.first_value(b"name").and_then(text)?,
            networks: networks.collect::<Option<_>>()?,
            pattern: record.first_value(b"pattern").map(<[u8]>::to_ascii_lowercase),
            most: most.map_or(Some(HOST_RULE_MOST), |most| most)?,
            until: match until {
                Some(until) => Some(until?),
                None => None,
            },
        })
    }

    fn allows(&self, address: Ipv4Addr, name: Option<&[u8]>, now: u64) -> bool {
        let inside = self.networks.iter().any(|(network, mask)| u32::from(address) & mask == *network);
        let named = self.pattern.as_ref().is_none_or(|pattern| name.is_some_and(|name| fits(pattern, name)));
        inside && named && self.until.is_none_or(|until| now <= until)
    }
}

/// Address and mask of an IPv4 network: `A.B.C.D/BITS`, or one address. Bits beyond the mask have to be 0.
#[must_use]
pub fn network(text: &str) -> Option<(u32, u32)> {
    let (address, bits) = match text.split_once('/') {
        Some((address, bits)) => (address, bits.parse().ok().filter(|bits: &u32| *bits <= 32)?),
        None => (text, 32),
    };
    let address = u32::from(address.parse::<Ipv4Addr>().ok()?);
    let mask = u32::MAX.checked_shl(32 - bits).unwrap_or(0);
    (address & !mask == 0).then_some((address, mask))
}

/// Whether `name` fits a pattern in which `*` stands for any text and `?` for one byte.
fn fits(pattern: &[u8], name: &[u8]) -> bool {
    // Where the last `*` was, and where the text it stands for ends so far: going back further is never needed.
    let (mut p, mut n) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while n < name.len() {
        match pattern.get(p) {
            Some(b'*') => {
                star = Some((p, n));
                p += 1;
            }
            Some(byte) if *byte == b'?' || name.get(n) == Some(byte) => (p, n) = (p + 1, n + 1),
            _ => {
                let Some((at, end)) = star else { return false };
                star = Some((at, end + 1));
                (p, n) = (at + 1, end + 1);
            }
        }
    }
    pattern.iter().skip(p).all(|byte| *byte == b'*')
}

fn is_name(name: &[u8]) -> bool {
    let good = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_');
    let start = name.first().is_some_and(u8::is_ascii_alphanumeric);
    start
        && name.len() <= HOST_NAME_LIMIT
        && name.iter().all(good)
        && !name.eq_ignore_ascii_case(b"localhost")
}

fn is_tag(tag: &[u8]) -> bool {
    std::str::from_utf8(tag).is_ok_and(|tag| crate::node::check_tag(tag).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Credentials, Domain, Node, Options, Origin};

    fn domain() -> (tempfile::TempDir, Node, std::sync::Arc<Domain>) {
        let folder = tempfile::tempdir().unwrap();
        let options = Options { map_size: 1 << 24, ..Options::default() };
        let (node, _) = Node::open(&folder.path().join("data"), options, true).unwrap();
        let domain = node.create_master("local", 1).unwrap();
        (folder, node, domain)
    }

    fn make(domain: &Domain, parent: u32, properties: &[(&str, &str)]) -> u32 {
        let session = domain.authenticate(Credentials::None, Origin::Internal).unwrap();
        let properties = properties.iter().map(|(key, value)| Property::new(*key, [*value])).collect();
        let change = Change::Create { parent: Target::any(parent), properties, position: u32::MAX };
        domain.write_blocking(&session, vec![change], 1).unwrap()[0].created.unwrap().object
    }

    /// Name and rule of a machine that is let in, and adds it.
    fn ask(domain: &Domain, address: &str, name: Option<&str>) -> Option<(String, String)> {
        let session = domain.authenticate(Credentials::None, Origin::Internal).unwrap();
        let newcomer =
            Newcomer { address: address.parse().unwrap(), name: name.map(str::as_bytes), tag: b"local" };
        let admission = domain.read(&session).unwrap().admission(&newcomer, 1000).unwrap()?;
        domain.write_blocking(&session, vec![admission.change], 1).unwrap();
        assert!(domain.read(&session).unwrap().serves_child(newcomer.address, b"local").unwrap());
        Some((admission.name, admission.rule))
    }

    #[test]
    fn rules() {
        let (_folder, _node, domain) = domain();
        let pair = |name: &str, rule: &str| Some((name.to_owned(), rule.to_owned()));
        assert_eq!(ask(&domain, "10.0.0.5", Some("ada")), None, "no rules");
        let config = make(&domain, ROOT, &[("name", "config")]);
        let rules = make(&domain, config, &[("name", "host_rules")]);
        make(&domain, rules, &[("name", "empty")]);
        make(&domain, rules, &[("name", "bad"), ("network", "10.0.0.0/8"), ("most", "many")]);
        make(&domain, rules, &[("name", "past"), ("network", "10.0.0.0/8"), ("until", "999")]);
        make(
            &domain,
            rules,
            &[("name", "lab"), ("network", "10.0.0.0/24"), ("pattern", "WS*"), ("most", "2")],
        );
        assert_eq!(ask(&domain, "10.0.0.5", Some("ada")), None, "another name");
        assert_eq!(ask(&domain, "10.0.0.5", None), None, "no name");
        assert_eq!(ask(&domain, "10.0.1.5", Some("ws1")), None, "another network");
        assert_eq!(ask(&domain, "10.0.0.5", Some("WS1")), pair("ws1", "lab"));
        assert_eq!(ask(&domain, "10.0.0.5", Some("ws1")), None, "known already");
        assert_eq!(ask(&domain, "10.0.0.6", Some("ws1")), pair("host-10-0-0-6", "lab"));
        assert_eq!(ask(&domain, "10.0.0.7", Some("ws3")), None, "two are the most");
        make(&domain, rules, &[("name", "all"), ("network", "0.0.0.0/0"), ("until", "1000")]);
        assert_eq!(ask(&domain, "10.0.0.8", Some("a/b")), pair("host-10-0-0-8", "all"));
        assert_eq!(ask(&domain, "127.0.0.8", None), None);
    }

    #[test]
    fn networks() {
        assert_eq!(network("10.0.0.0/8"), Some((0x0a00_0000, 0xff00_0000)));
        assert_eq!(network("0.0.0.0/0"), Some((0, 0)));
        assert_eq!(network("10.0.0.1"), Some((0x0a00_0001, u32::MAX)));
        for bad in ["10.0.0.1/8", "10.0.0.0/33", "10.0.0/8", "", "10.0.0.0/"] {
            assert_eq!(network(bad), None, "{bad}");
        }
    }

    #[test]
    fn patterns() {
        for (pattern, name) in [("*", ""), ("ws*", "ws"), ("w?1*x", "ws1yxx"), ("a*b*c", "a-b-b-c"), ("", "")]
        {
            assert!(fits(pattern.as_bytes(), name.as_bytes()), "{pattern} {name}");
        }
        for (pattern, name) in [("ws", "ws1"), ("ws?", "ws"), ("a*b", "a-b-c"), ("", "x")] {
            assert!(!fits(pattern.as_bytes(), name.as_bytes()), "{pattern} {name}");
        }
        let (pattern, name) = ("a*".repeat(1000), "a".repeat(3000) + "b");
        assert!(fits(pattern.as_bytes(), name.as_bytes()));
    }
}
