//! Netgroups: who is said to be in one by the records of users, machines and domains, and what the group's own record says.

use std::collections::HashSet;
use std::ops::ControlFlow;

use netinfo_wire::lookup::{Answer, Entry, EntryBuf, Innetgr, ListBuf, Netgroup, Triple};

use crate::entries::is_name;
use crate::source::{Record, Table};
use crate::view::View;

/// Most netgroups that one may hold, directly or not.
pub const MAX_NETGROUPS: usize = 1024;
/// Most members of a netgroup.
pub const MAX_TRIPLES: usize = 32_768;

/// What matches nobody.
const NOTHING: &[u8] = b"-";

/// Members of a netgroup while they are gathered.
#[derive(Default)]
struct Gathered {
    triples: ListBuf,
    seen: HashSet<[Vec<u8>; 3]>,
    /// Groups still to be looked at, and all that were found.
    waiting: Vec<Vec<u8>>,
    groups: HashSet<Vec<u8>>,
    found: bool,
    away: bool,
    full: bool,
}

impl Gathered {
    fn add(&mut self, triple: [&[u8]; 3]) {
        self.found = true;
        if !self.seen.insert(triple.map(<[u8]>::to_vec)) {
            return;
        }
        if self.seen.len() > MAX_TRIPLES {
            self.full = true;
            return;
        }
        for field in triple {
            self.full |= !self.triples.push(field);
        }
    }

    fn add_group(&mut self, name: &[u8]) {
        if !is_name(name) || self.groups.contains(name) {
            return;
        }
        if self.groups.len() >= MAX_NETGROUPS {
            self.full = true;
            return;
        }
        self.groups.insert(name.to_vec());
        self.waiting.push(name.to_vec());
    }

    /// What a netgroup's own record says: triples, or lists of hosts, users and domains; and groups within it.
    fn add_record(&mut self, record: &Record<'_>) {
        self.found = true;
        let mut triples = record.values(b"netgrouptriplet").filter_map(parse).peekable();
        if triples.peek().is_some() {
            triples.for_each(|triple| self.add(triple));
        } else {
            record.values(b"hosts").for_each(|host| self.add([host, NOTHING, NOTHING]));
            record.values(b"users").for_each(|user| self.add([NOTHING, user, NOTHING]));
            record.values(b"domains").for_each(|domain| self.add([NOTHING, NOTHING, domain]));
        }
        record.values(b"netgroups").for_each(|group| self.add_group(group));
    }
}

/// Reads `(host,user,domain)`, blanks allowed.
fn parse(text: &[u8]) -> Option<[&[u8]; 3]> {
    let inner = text.trim_ascii().strip_prefix(b"(")?.strip_suffix(b")")?;
    let mut fields = inner.split(|&b| b == b',').map(<[u8]>::trim_ascii);
    let triple = [fields.next()?, fields.next()?, fields.next()?];
    fields.next().is_none().then_some(triple)
}

impl View<'_> {
    /// A netgroup with all that the groups in it hold, gathered from all sources.
    pub(crate) fn netgroup(&self, name: &[u8]) -> Answer<EntryBuf> {
        let mut gathered = Gathered::default();
        gathered.add_group(name);
        while let Some(group) = gathered.waiting.pop() {
            self.gather(&group, &mut gathered);
        }
        match gathered {
            Gathered { full: true, .. } => Answer::TooLarge,
            Gathered { found: true, triples, .. } => {
                let entry = Entry::Netgroup(Netgroup { name, triples: triples.as_list() });
                EntryBuf::new(&entry).map_or(Answer::TooLarge, Answer::Found)
            }
            Gathered { away: true, .. } => Answer::TryAgain,
            _ => Answer::NotFound,
        }
    }

    /// Adds what one group holds without the groups in it.
    fn gather(&self, group: &[u8], gathered: &mut Gathered) {
        for source in &self.sources {
            for table in [Table::Machines, Table::Users, Table::Netdomains] {
                if !source.covers(table) {
                    continue;
                }
                let asked = source.find(table, b"netgroups", group, &mut |record| {
                    for name in record.values(b"name").filter(|name| is_name(name)) {
                        gathered.add(match table {
                            Table::Machines => [name, NOTHING, NOTHING],
                            Table::Users => [NOTHING, name, NOTHING],
                            _ => [NOTHING, NOTHING, name],
                        });
                    }
                    ControlFlow::Continue(())
                });
                gathered.away |= asked.is_err();
            }
            if !source.covers(Table::Netgroups) {
                continue;
            }
            let asked = source.find(Table::Netgroups, b"name", group, &mut |record| {
                gathered.add_record(&record);
                ControlFlow::Continue(())
            });
            gathered.away |= asked.is_err();
        }
    }

    /// Whether somebody is in a netgroup: one of its members matches all that is asked for. An empty field matches
    /// anything, `-` nothing; upper and lower case are the same in host and domain names.
    #[must_use]
    pub fn innetgr(&self, asked: &Innetgr<'_>) -> Answer<()> {
        let group = match self.netgroup(asked.group) {
            Answer::Found(group) => group,
            other => return other.map(drop),
        };
        let Entry::Netgroup(group) = group.as_entry() else { return Answer::NotFound };
        if group.iter().any(|triple| matches(&triple, asked)) { Answer::Found(()) } else { Answer::NotFound }
    }
}

fn matches(triple: &Triple<'_>, asked: &Innetgr<'_>) -> bool {
    let field = |field: &[u8], asked: Option<&[u8]>, same: fn(&[u8], &[u8]) -> bool| match asked {
        None => true,
        Some(_) if field.is_empty() => true,
        Some(_) if field == NOTHING => false,
        Some(asked) => same(field, asked),
    };
    field(triple.host, asked.host, <[u8]>::eq_ignore_ascii_case)
        && field(triple.user, asked.user, |a, b| a == b)
        && field(triple.domain, asked.domain, <[u8]>::eq_ignore_ascii_case)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn triples() {
        assert_eq!(parse(b" (a, b ,c) "), Some([&b"a"[..], b"b", b"c"]));
        assert_eq!(parse(b"(,-,)"), Some([&b""[..], b"-", b""]));
        for bad in [&b"(a,b)"[..], b"(a,b,c,d)", b"a,b,c", b"", b"("] {
            assert_eq!(parse(bad), None);
        }
    }

    #[test]
    fn every_field_that_is_asked_for_must_match() {
        let triple = Triple { host: b"Ws1", user: b"", domain: b"-" };
        let asked = |host: Option<&'static str>, user: Option<&'static str>, domain: Option<&'static str>| {
            let [host, user, domain] = [host, user, domain].map(|f| f.map(str::as_bytes));
            matches(&triple, &Innetgr { group: b"g", host, user, domain })
        };
        assert!(asked(None, None, None));
        assert!(asked(Some("ws1"), None, None));
        assert!(asked(Some("ws1"), Some("anybody"), None));
        assert!(!asked(Some("ws2"), Some("anybody"), None));
        assert!(!asked(Some("ws1"), None, Some("-")));
    }
}
