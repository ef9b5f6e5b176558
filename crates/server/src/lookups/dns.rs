//! Hosts in the DNS, in look-ups: names by A and AAAA records, addresses by PTR records. What was answered is remembered for
//! as long as it says; views read that only, and note what is missing, as with domains on other machines.
//!
//! The name to which an address leads must lead back to it: who answers for an address may write any name there.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use netinfo_directory::Property;
use netinfo_lookup::{Record, Source, Table, Unavailable};
use netinfo_upstream::{Question, Want, Wants};
use simple_dns::TYPE;

use super::answers::{Answers, is_host_name};
use crate::dns::{self, Resolvers};
use crate::limits::{DNS_AWAY_KEPT, DNS_KEPT, DNS_NOTHING_KEPT, DNS_PATIENCE, DNS_REMEMBERED, DNS_VALUES};

/// What is remembered of the DNS.
#[derive(Default)]
pub(crate) struct Resolver {
    remembered: Mutex<HashMap<Question, Remembered>>,
}

/// A host, if there is one, or why that is not known.
type Outcome = Result<Option<Arc<Host>>, String>;

struct Remembered {
    until: Instant,
    outcome: Outcome,
}

/// A host as it was answered.
struct Host {
    properties: Vec<Property>,
}

impl Host {
    /// With the name it was asked by before its other names.
    fn new(name: &str, answers: &Answers) -> Self {
        let text = |address: &IpAddr| address.to_string();
        let of = |v4| answers.addresses.iter().filter(move |address| address.is_ipv4() == v4).map(text);
        let names = std::iter::once(name.to_owned()).chain(answers.aliases.iter().cloned());
        let mut properties = vec![Property::new("name", names.take(DNS_VALUES))];
        for (key, v4) in [("ip_address", true), ("ipv6_address", false)] {
            let values: Vec<String> = of(v4).take(DNS_VALUES).collect();
            if !values.is_empty() {
                properties.push(Property::new(key, values));
            }
        }
        Self { properties }
    }

    fn has(&self, address: &str) -> bool {
        self.properties.iter().any(|p| p.values.iter().any(|value| value == address.as_bytes()))
    }
}

impl Resolver {
    /// What is known of a question; `stale` answers, too, if that is good enough.
    fn known(&self, question: &Question, stale: bool) -> Option<Outcome> {
        let remembered = self.remembered.lock().unwrap_or_else(PoisonError::into_inner);
        let known = remembered.get(question).filter(|known| stale || known.until > Instant::now())?;
        Some(known.outcome.clone())
    }

    /// Asks what is wanted, and remembers what comes of it. Waits for [`DNS_PATIENCE`] at most.
    pub(crate) fn ask(&self, wants: &[Want]) {
        let deadline = Instant::now() + DNS_PATIENCE;
        for want in wants {
            if let Want::Find(question) = want {
                self.ask_one(question, deadline);
            }
        }
    }

    fn ask_one(&self, question: &Question, deadline: Instant) {
        let found = match std::str::from_utf8(&question.value) {
            Ok(name) if question.key == b"name" => by_name(name, deadline),
            Ok(address) => self.by_address(address, deadline),
            Err(_) => Ok((None, DNS_NOTHING_KEPT)),
        };
        match found {
            Ok((host, time)) => self.remember(question.clone(), Ok(host), time),
            Err(error) => self.remember(question.clone(), Err(error.to_string()), DNS_AWAY_KEPT),
        }
    }

    /// The host of an address, if its name leads back to it. It is remembered by that name, too.
    fn by_address(&self, text: &str, deadline: Instant) -> io::Result<(Option<Arc<Host>>, Duration)> {
        let Ok(address) = text.parse() else { return Ok((None, DNS_NOTHING_KEPT)) };
        let resolvers = dns::configured()?;
        let mut answers = Answers::default();
        answers.ask(&resolvers, &reverse(address), &[TYPE::PTR], deadline)?;
        let Some(name) = answers.pointer.take() else { return Ok((None, DNS_NOTHING_KEPT)) };
        let (host, time) = addresses_of(&name, &name, &resolvers, deadline)?;
        let question = Question { table: Table::Machines, key: b"name".to_vec(), value: name.into_bytes() };
        self.remember(question, Ok(host.clone()), time);
        let confirmed = host.filter(|host| host.has(text));
        let time = if confirmed.is_some() { time.min(kept(answers.time)) } else { DNS_NOTHING_KEPT };
        Ok((confirmed, time))
    }

    fn remember(&self, question: Question, outcome: Outcome, time: Duration) {
        let mut remembered = self.remembered.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        if remembered.len() >= DNS_REMEMBERED && !remembered.contains_key(&question) {
            remembered.retain(|_, known| known.until > now);
        }
        if remembered.len() >= DNS_REMEMBERED {
            // All of them are still good: these are asked for again.
            remembered.clear();
        }
        remembered.insert(question, Remembered { until: now + time, outcome });
    }
}

/// The host of a name; one without a dot is looked for in the domains that are searched.
fn by_name(name: &str, deadline: Instant) -> io::Result<(Option<Arc<Host>>, Duration)> {
    let resolvers = dns::configured()?;
    if name.contains('.') {
        return addresses_of(name, name.trim_end_matches('.'), &resolvers, deadline);
    }
    for domain in &resolvers.search {
        let found = addresses_of(name, &format!("{name}.{domain}"), &resolvers, deadline)?;
        if found.0.is_some() {
            return Ok(found);
        }
    }
    Ok((None, DNS_NOTHING_KEPT))
}

/// The host with the addresses of `full`, called `name`.
fn addresses_of(
    name: &str,
    full: &str,
    resolvers: &Resolvers,
    deadline: Instant,
) -> io::Result<(Option<Arc<Host>>, Duration)> {
    let mut answers = Answers::default();
    answers.ask(resolvers, full, &[TYPE::A, TYPE::AAAA], deadline)?;
    if answers.addresses.is_empty() {
        return Ok((None, DNS_NOTHING_KEPT));
    }
    if name != full.trim_end_matches('.') && !name.ends_with('.') {
        answers.aliases.insert(0, full.to_owned());
    }
    Ok((Some(Arc::new(Host::new(name, &answers))), kept(answers.time)))
}

/// For how long an answer is kept that is good for so many seconds.
fn kept(seconds: Option<u32>) -> Duration {
    let (least, most) = DNS_KEPT;
    seconds.map_or(most, |seconds| Duration::from_secs(seconds.into()).clamp(least, most))
}

/// The name at which the DNS has the name of an address (RFC 1035 section 3.5, RFC 3596 section 2.5).
fn reverse(address: IpAddr) -> String {
    match address {
        IpAddr::V4(v4) => {
            let [a, b, c, d] = v4.octets();
            format!("{d}.{c}.{b}.{a}.in-addr.arpa")
        }
        IpAddr::V6(v6) => {
            let nibbles = v6.octets().into_iter().rev().flat_map(|octet| [octet & 15, octet >> 4]);
            let mut name: String = nibbles.map(|nibble| format!("{nibble:x}.")).collect();
            name.push_str("ip6.arpa");
            name
        }
    }
}

/// Whether the DNS can be asked for this at all: hosts by names in lower case, and by addresses of others than this host.
fn is_asked(table: Table, key: &[u8], value: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(value) else { return false };
    let elsewhere = |address: IpAddr| !address.is_loopback() && !address.is_unspecified();
    table == Table::Machines
        && match key {
            // An address is no name.
            b"name" => {
                is_host_name(text.strip_suffix('.').unwrap_or(text))
                    && text.parse::<IpAddr>().is_err()
                    && !text.bytes().any(|b| b.is_ascii_uppercase())
            }
            b"ip_address" => text.parse::<Ipv4Addr>().is_ok_and(|address| elsewhere(address.into())),
            b"ipv6_address" => text
                .parse::<Ipv6Addr>()
                .is_ok_and(|address| elsewhere(address.into()) && address.to_ipv4_mapped().is_none()),
            _ => false,
        }
}

/// What is remembered of the DNS, as one look-up sees it.
pub(crate) struct DnsSource<'r> {
    resolver: &'r Resolver,
    wants: &'r Wants,
}

impl<'r> DnsSource<'r> {
    /// Reads what `resolver` remembers, and notes in `wants` what it does not.
    pub(crate) fn new(resolver: &'r Resolver, wants: &'r Wants) -> Self {
        Self { resolver, wants }
    }
}

impl Source for DnsSource<'_> {
    fn name(&self) -> &str {
        "dns"
    }

    /// There are none in its records.
    fn shows_secrets(&self) -> bool {
        true
    }

    fn find(
        &self,
        table: Table,
        key: &[u8],
        value: &[u8],
        each: &mut dyn FnMut(Record<'_>) -> ControlFlow<()>,
    ) -> Result<(), Unavailable> {
        if !is_asked(table, key, value) {
            return Ok(());
        }
        let question = Question { table, key: key.to_vec(), value: value.to_vec() };
        let want = Want::Find(question.clone());
        let asked = self.wants.has_asked(&want);
        match self.resolver.known(&question, asked) {
            Some(Ok(None)) => {}
            Some(Ok(Some(host))) => {
                let name = host.properties.first().and_then(|name| name.values.first());
                let id = name.map_or(0, |name| netinfo_upstream::identity(name));
                let _ = each(Record::Listed { id, properties: &host.properties });
            }
            Some(Err(reason)) => return Err(Unavailable(reason)),
            None if asked => return Err(Unavailable("no answer".into())),
            None => {
                self.wants.note(want);
                return Err(Unavailable("to be asked".into()));
            }
        }
        Ok(())
    }

    /// Nobody can list the DNS.
    fn list(
        &self,
        _: Table,
        _: u64,
        _: &mut dyn FnMut(u64, Record<'_>) -> ControlFlow<()>,
    ) -> Result<(), Unavailable> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_addresses() {
        assert_eq!(reverse("10.0.0.5".parse().unwrap()), "5.0.0.10.in-addr.arpa");
        let v6 = reverse("2001:db8::567".parse().unwrap());
        assert_eq!(v6, "7.6.5.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa");
    }

    #[test]
    fn what_is_no_host_is_not_asked_for() {
        let asked = |key: &str, value: &str| is_asked(Table::Machines, key.as_bytes(), value.as_bytes());
        assert!(
            asked("name", "www.example.com") && asked("name", "www.example.com.") && asked("name", "www")
        );
        assert!(asked("ip_address", "10.0.0.5") && asked("ipv6_address", "fe80::1"));
        for name in ["", "WWW", "a..b", "a b", "10.0.0.5", "::1", ".", "a/b"] {
            assert!(!asked("name", name), "{name}");
        }
        assert!(!asked("ip_address", "127.0.0.1") && !asked("ipv6_address", "::ffff:10.0.0.5"));
        assert!(!asked("en_address", "0:1:2:3:4:5") && !asked("ip_address", "fe80::1"));
        assert!(!is_asked(Table::Users, b"name", b"jane"));
    }

    #[test]
    fn answers_are_kept_within_bounds() {
        assert_eq!(kept(Some(0)), DNS_KEPT.0);
        assert_eq!(kept(Some(60)), Duration::from_secs(60));
        assert_eq!(kept(Some(u32::MAX)), DNS_KEPT.1);
        let resolver = Resolver::default();
        let question = |n: usize| Question {
            table: Table::Machines,
            key: b"name".to_vec(),
            value: n.to_string().into_bytes(),
        };
        for n in 0..DNS_REMEMBERED + 5 {
            resolver.remember(question(n), Ok(None), DNS_NOTHING_KEPT);
            assert!(matches!(resolver.known(&question(n), false), Some(Ok(None))));
        }
        assert!(resolver.remembered.lock().unwrap().len() <= DNS_REMEMBERED);
        resolver.remember(question(1), Err("away".into()), Duration::ZERO);
        assert!(resolver.known(&question(1), false).is_none(), "it is asked again");
        assert!(matches!(resolver.known(&question(1), true), Some(Err(_))));
    }
}
