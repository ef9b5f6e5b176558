//! What the tests share: records written as text, sources of them in memory, and domains filled with them.

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

use netinfo_directory::{
    Change, Credentials, Domain, Node, Options, Origin, Property, ROOT, Session, Target,
};
use netinfo_lookup::{DomainSource, Record, Source, Table, Unavailable, View};
use netinfo_wire::lookup::{Answer, Category, Entry, EntryBuf, Key, Query};
use tempfile::TempDir;

/// Milliseconds since the epoch, for everything that happens in the tests.
pub(crate) const NOW: u64 = 1_800_000_000_000;

/// All tables that tests fill.
const TABLES: [Table; 12] = [
    Table::Users,
    Table::Groups,
    Table::Machines,
    Table::Networks,
    Table::Services,
    Table::Protocols,
    Table::Rpcs,
    Table::Aliases,
    Table::Netdomains,
    Table::Netgroups,
    Table::Mounts,
    Table::Printers,
];

/// A record: `users name=jane uid=501`. `key=a;b` has two values, `key` none; `_` in a value is a blank.
pub(crate) fn record(line: &str) -> (Table, Vec<Property>) {
    let mut words = line.split_whitespace();
    let table = words.next().unwrap();
    let table = *TABLES.iter().find(|t| t.directory() == table).unwrap();
    let properties = words.map(|word| match word.split_once('=') {
        Some((key, values)) => Property::new(key, values.split(';').map(|value| value.replace('_', " "))),
        None => Property::new(word, [""; 0]),
    });
    (table, properties.collect())
}

/// A source in memory.
#[derive(Clone, Default, Debug)]
pub(crate) struct Memory {
    pub(crate) records: Vec<(Table, Vec<Property>)>,
    pub(crate) secrets: bool,
    /// It cannot be asked.
    pub(crate) away: bool,
}

impl Memory {
    pub(crate) fn new(lines: &[&str]) -> Self {
        let records = lines.iter().map(|line| record(line)).collect();
        Self { records, secrets: false, away: false }
    }

    pub(crate) fn away() -> Self {
        Self { away: true, ..Self::default() }
    }

    fn in_table(&self, table: Table) -> impl Iterator<Item = (u64, Record<'_>)> {
        let numbered = (0..).zip(&self.records).filter(move |(_, (t, _))| *t == table);
        numbered.map(|(id, (_, properties))| (id, Record::Listed { id, properties }))
    }
}

impl Source for Memory {
    fn name(&self) -> &str {
        "memory"
    }

    fn shows_secrets(&self) -> bool {
        self.secrets
    }

    fn find(
        &self,
        table: Table,
        key: &[u8],
        value: &[u8],
        each: &mut dyn FnMut(Record<'_>) -> ControlFlow<()>,
    ) -> Result<(), Unavailable> {
        if self.away {
            return Err(Unavailable("away".into()));
        }
        let mut hits = self.in_table(table).filter(|(_, record)| record.values(key).any(|v| v == value));
        let _ = hits.try_for_each(|(_, record)| each(record));
        Ok(())
    }

    fn list(
        &self,
        table: Table,
        from: u64,
        each: &mut dyn FnMut(u64, Record<'_>) -> ControlFlow<()>,
    ) -> Result<(), Unavailable> {
        if self.away {
            return Err(Unavailable("away".into()));
        }
        let mut rest = self.in_table(table).filter(|(id, _)| *id >= from);
        let _ = rest.try_for_each(|(id, record)| each(id, record));
        Ok(())
    }
}

/// The sources, seen as one.
pub(crate) fn view(sources: &[Memory]) -> View<'_> {
    View::new(sources.iter().map(|source| Box::new(source) as Box<dyn Source + '_>).collect())
}

/// A node with domains that hold these records, the nearest first.
pub(crate) struct World {
    pub(crate) domains: Vec<Arc<Domain>>,
    _node: Node,
    _dir: TempDir,
}

impl World {
    pub(crate) fn new(domains: &[(&str, &[&str])]) -> Self {
        let shm = Path::new("/dev/shm");
        let dir = tempfile::tempdir_in(shm).or_else(|_| tempfile::tempdir()).unwrap();
        let options = Options { map_size: 1 << 30, ..Options::default() };
        let (node, _) = Node::open(dir.path(), options, true).unwrap();
        let domains = domains.iter().map(|(tag, lines)| {
            let domain = node.domain(tag).unwrap_or_else(|| node.create_master(tag, NOW).unwrap());
            fill(&domain, lines);
            domain
        });
        let domains = domains.collect();
        Self { domains, _node: node, _dir: dir }
    }

    pub(crate) fn sources(&self, secrets: bool) -> Vec<Box<dyn Source + '_>> {
        self.domains
            .iter()
            .map(|domain| {
                let session = match secrets {
                    true => internal(domain),
                    false => domain.anonymous(Origin::Internal),
                };
                let source = DomainSource::new(domain.tag(), domain.read(&session).unwrap());
                Box::new(source) as Box<dyn Source + '_>
            })
            .collect()
    }

    pub(crate) fn view(&self, secrets: bool) -> View<'_> {
        View::new(self.sources(secrets))
    }
}

pub(crate) fn internal(domain: &Domain) -> Session {
    domain.authenticate(Credentials::None, Origin::Internal).unwrap()
}

/// Creates the records in a domain, and the tables they are in.
pub(crate) fn fill(domain: &Domain, lines: &[&str]) {
    let session = internal(domain);
    let create = |parent: u32, properties| Change::Create {
        parent: Target::any(parent),
        properties,
        position: u32::MAX,
    };
    let write = |changes| domain.write_blocking(&session, changes, NOW).unwrap();
    let mut changes = Vec::new();
    for line in lines {
        let (table, properties) = record(line);
        let known = domain.read(&session).unwrap().child_named(ROOT, table.directory().as_bytes()).unwrap();
        let directory = known.unwrap_or_else(|| {
            let made = write(vec![create(ROOT, vec![Property::new("name", [table.directory()])])]);
            made[0].created.unwrap().object
        });
        changes.push(create(directory, properties));
    }
    write(changes);
}

pub(crate) fn find(view: &View<'_>, category: Category, key: Key<'_>) -> Answer<EntryBuf> {
    view.find(&Query { category, key })
}

pub(crate) fn by_name(view: &View<'_>, category: Category, name: &str) -> String {
    told(&find(view, category, Key::Name(name.as_bytes())))
}

pub(crate) fn by_number(view: &View<'_>, category: Category, number: u32) -> String {
    told(&find(view, category, Key::Number(number)))
}

/// An answer in a line.
pub(crate) fn told(answer: &Answer<EntryBuf>) -> String {
    match answer {
        Answer::Found(entry) => line(&entry.as_entry()),
        Answer::NotFound => "not found".into(),
        Answer::TryAgain => "try again".into(),
        Answer::Refused => "refused".into(),
        Answer::TooLarge => "too large".into(),
    }
}

/// An entry in a line, as the files of `/etc` would have it.
pub(crate) fn line(entry: &Entry<'_>) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let list = |list: netinfo_wire::lookup::List<'_>| list.iter().map(text).collect::<Vec<_>>().join(",");
    let name = text(entry.name());
    match entry {
        Entry::Passwd(p) => {
            let [passwd, gecos, home, shell] = [p.passwd, p.gecos, p.home, p.shell].map(text);
            format!("{name}:{passwd}:{}:{}:{gecos}:{home}:{shell}", p.uid, p.gid)
        }
        Entry::Shadow(s) => format!("{name}:{}:{}:{}", text(s.passwd), s.last_change, s.expire),
        Entry::Group(g) => format!("{name}:{}:{}:{}", text(g.passwd), g.gid, list(g.members)),
        Entry::Host(h) => {
            let addresses: Vec<_> = h.addresses.iter().map(|a| format!("{a:?}")).collect();
            format!("{name} {} {}", list(h.aliases), addresses.join(" "))
        }
        Entry::Network(n) => format!("{name} {} {:#x}", list(n.aliases), n.number),
        Entry::Service(s) => format!("{name} {} {}/{}", list(s.aliases), s.port, text(s.protocol)),
        Entry::Protocol(p) => format!("{name} {} {}", list(p.aliases), p.number),
        Entry::Rpc(r) => format!("{name} {} {}", list(r.aliases), r.number),
        Entry::Ether(e) => format!("{name} {:x?}", e.address),
        Entry::Alias(a) => format!("{name}: {} {}", list(a.members), if a.local { "local" } else { "" }),
        Entry::Netgroup(n) => {
            let triples = n.iter().map(|t| format!("({},{},{})", text(t.host), text(t.user), text(t.domain)));
            format!("{name} {}", triples.collect::<Vec<_>>().join(" "))
        }
    }
}
