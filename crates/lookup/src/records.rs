//! The historical query: records as they are stored, by any of their properties. Passwords are masked in it.

use std::ops::ControlFlow;

use netinfo_wire::lookup::{Answer, MAX_PAGE, Pattern};
use netinfo_wire::netinfo::{NameList, PropListBuf};

use crate::source::{Record, Source, Table};
use crate::view::View;

/// Bytes of properties after which an answer ends.
pub const RECORDS_BYTES: usize = 1 << 20;

/// Some of the records that were asked for.
#[derive(Clone, Default)]
pub struct Records {
    /// Their properties.
    pub records: Vec<PropListBuf>,
    /// Whether there are more.
    pub more: bool,
    bytes: usize,
    skip: u32,
    single: bool,
}

impl Records {
    /// Takes a record; says whether another one is wanted.
    fn add(&mut self, record: &Record<'_>) -> ControlFlow<()> {
        if self.skip > 0 {
            self.skip -= 1;
            return ControlFlow::Continue(());
        }
        if self.bytes >= RECORDS_BYTES || self.records.len() >= MAX_PAGE as usize {
            self.more = true;
            return ControlFlow::Break(());
        }
        let mut list = PropListBuf::new();
        for (name, values) in record.properties() {
            self.bytes += name.len() + values.clone().map(<[u8]>::len).sum::<usize>();
            let masked = netinfo_directory::is_secret(name);
            list.push(name, values.map(|value| if masked { netinfo_directory::MASK } else { value }));
        }
        self.records.push(list);
        if self.single { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}

/// The table of a category by its historical name.
fn table(category: &[u8]) -> Option<Table> {
    Some(match category {
        b"user" => Table::Users,
        b"group" => Table::Groups,
        b"host" | b"bootparam" | b"bootp" => Table::Machines,
        b"network" => Table::Networks,
        b"service" => Table::Services,
        b"protocol" => Table::Protocols,
        b"rpc" => Table::Rpcs,
        b"mount" => Table::Mounts,
        b"printer" => Table::Printers,
        b"alias" => Table::Aliases,
        b"netdomain" => Table::Netdomains,
        b"netgroup" => Table::Netgroups,
        _ => return None,
    })
}

impl View<'_> {
    /// Records of a historical category that have every property of the pattern with every value listed: from all sources
    /// in their order, none hidden. A property without values must be there, whatever its values.
    ///
    /// Records are found by the first value of `name`, or of the first property with a value; users without a hit by
    /// `name` by `realname`.
    #[must_use]
    pub fn records(&self, pattern: &Pattern<'_>) -> Answer<Records> {
        let Some(table) = table(pattern.category) else { return Answer::NotFound };
        let name = pattern.properties.iter().find(|(key, values)| *key == b"name" && !values.is_empty());
        let key = name.or_else(|| pattern.properties.iter().find(|(_, values)| !values.is_empty()));
        let mut found = Records { skip: pattern.skip, single: pattern.single, ..Records::default() };
        for (_, source) in self.covering(table) {
            let flow = match key {
                Some((key, values)) => by_key(source, table, (key, values), pattern, &mut found),
                None => by_list(source, table, pattern, &mut found),
            };
            if flow.is_break() {
                break;
            }
        }
        if found.records.is_empty() { Answer::NotFound } else { Answer::Found(found) }
    }
}

fn by_key(
    source: &dyn Source,
    table: Table,
    (key, values): (&[u8], NameList<'_>),
    pattern: &Pattern<'_>,
    found: &mut Records,
) -> ControlFlow<()> {
    let value = values.iter().next().unwrap_or_default();
    let keys: &[&[u8]] = match table {
        Table::Users if key == b"name" => &[b"name", b"realname"],
        _ => &[key],
    };
    let mut flow = ControlFlow::Continue(());
    for property in keys {
        let mut hits = 0;
        // A source that is away has no records to show.
        let _ = source.find(table, property, value, &mut |record| {
            hits += 1;
            if fits(&record, pattern, Some((key, value))) {
                flow = found.add(&record);
            }
            flow
        });
        if hits > 0 || flow.is_break() {
            break;
        }
    }
    flow
}

fn by_list(source: &dyn Source, table: Table, pattern: &Pattern<'_>, found: &mut Records) -> ControlFlow<()> {
    let mut flow = ControlFlow::Continue(());
    let _ = source.list(table, 0, &mut |_, record| {
        if fits(&record, pattern, None) {
            flow = found.add(&record);
        }
        flow
    });
    flow
}

/// Whether a record has what the pattern lists; the key and the value that it was found by it has, wherever.
fn fits(record: &Record<'_>, pattern: &Pattern<'_>, found_by: Option<(&[u8], &[u8])>) -> bool {
    pattern.properties.iter().all(|(key, wanted)| {
        let found = found_by.filter(|(by, _)| *by == key).map(|(_, value)| value);
        let mut wanted_still = wanted.iter().filter(|wanted| Some(*wanted) != found).peekable();
        if found.is_some() && wanted_still.peek().is_none() {
            return true;
        }
        // Nobody is to find a password out by asking for it.
        if netinfo_directory::is_secret(key) && !wanted.is_empty() {
            return false;
        }
        let mut own = record.properties().filter(|(name, _)| *name == key);
        own.next().is_some_and(|(_, values)| wanted_still.all(|w| values.clone().any(|v| v == w)))
    })
}
