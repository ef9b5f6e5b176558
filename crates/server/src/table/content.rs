//! What stands in the table: for every key what a look-up by it answers.
//!
//! Whoever is listed is found by the name that the list has for him. That leaves the keys to be asked for one by one that
//! are not such names, and those that several entries have.

use std::collections::{HashMap, HashSet};
use std::ops::ControlFlow;

use netinfo_directory::Result;
use netinfo_lookup::{Source, Table, View};
use netinfo_table::{Builder, Section, Use};
use netinfo_wire::lookup::{Answer, Category, Entry, EntryBuf, Key, Query};

use crate::lookups;
use crate::node::Running;

/// A table.
pub(crate) struct Content {
    /// Its bytes.
    pub(crate) image: Vec<u8>,
    /// Entries in it.
    pub(crate) entries: usize,
}

/// Names by which entries are found, besides that which they bear, by that.
type Aliases = HashMap<Vec<u8>, Vec<Vec<u8>>>;

/// Makes a table of what the domains served here hold now; with `elsewhere` there are others on other machines. It takes several snapshots: whoever uses it makes sure that nothing has
/// changed meanwhile.
///
/// # Errors
/// When a domain cannot be read, or when there is too much for a table.
pub(crate) fn make(
    node: &Running,
    elsewhere: bool,
) -> std::result::Result<Content, Box<dyn std::error::Error + Send + Sync>> {
    let chain = lookups::find(node)?;
    let sources = || -> Result<Vec<Box<dyn Source + '_>>> {
        chain.iter().map(|served| Ok(Box::new(lookups::source(served, false)?) as _)).collect()
    };
    let maker = Maker { view: View::new(sources()?), records: sources()? };
    let order = &node.lookups.agents.order;
    let mut left = node.limits.table_records;
    let fits = maker.fits(Table::Users, &mut left) && maker.fits(Table::Groups, &mut left);
    if !fits {
        let limit = node.limits.table_records;
        tracing::info!(
            limit,
            "more users and groups than the table takes: they are answered over the socket"
        );
    }
    let people = |table: &Table| matches!(table, Table::Users | Table::Groups);
    let alone =
        |tables: &[Table]| tables.iter().all(|table| order.is_domains(*table) && (fits || !people(table)));
    let mut builder = Builder::new();
    let (mut users, mut services, mut groups) = (0, 0, 0);
    // Nearer users and services hide those of other machines, which are asked for where there are none. But groups have
    // members everywhere. What others are asked about besides the domains is all asked for.
    if alone(&[Table::Users]) {
        users = maker.users(&mut builder);
    }
    if alone(&[Table::Services]) {
        services = maker.services(&mut builder);
    }
    if alone(&[Table::Users, Table::Groups]) && !elsewhere {
        groups = maker.groups(&mut builder);
        maker.groups_of_users(&mut builder);
    }
    for (section, tables) in [
        (Section::Passwd, &[Table::Users][..]),
        (Section::Services, &[Table::Services]),
        (Section::Group, &[Table::Users, Table::Groups]),
        (Section::Initgroups, &[Table::Users, Table::Groups]),
    ] {
        if elsewhere || !alone(tables) {
            builder.look_ups_incomplete(section);
            builder.list_incomplete(section);
        }
    }
    let image = builder.finish()?;
    Ok(Content { image, entries: users + groups + services })
}

struct Maker<'s> {
    view: View<'s>,
    /// The same sources once more, for the keys in their records.
    records: Vec<Box<dyn Source + 's>>,
}

impl Maker<'_> {
    /// Whether a table has no more records than there is room `left` for, which it takes up.
    fn fits(&self, table: Table, left: &mut usize) -> bool {
        self.records.iter().all(|source| {
            let mut fits = true;
            let listed = source.list(table, 0, &mut |_, _| match left.checked_sub(1) {
                Some(less) => {
                    *left = less;
                    ControlFlow::Continue(())
                }
                None => {
                    fits = false;
                    ControlFlow::Break(())
                }
            });
            fits && listed.is_ok()
        })
    }

    fn users(&self, builder: &mut Builder) -> usize {
        let Some(listed) = self.listed(Category::Passwd, Section::Passwd, builder) else { return 0 };
        let aliases = self.aliases(Category::Passwd, Section::Passwd, Table::Users, &listed, builder);
        let add = |builder: &mut Builder, entry: &EntryBuf, purpose| {
            let Entry::Passwd(user) = entry.as_entry() else { return };
            let aliases = names(&aliases, user.name);
            let (name, passwd, uid, gid) = (user.name, user.passwd, user.uid, user.gid);
            let (gecos, home, shell, aliases) = (user.gecos, user.home, user.shell, &aliases);
            let user = netinfo_table::Passwd { name, passwd, uid, gid, gecos, home, shell, aliases };
            builder.passwd(&user, purpose);
        };
        let odd = self.odd_numbers(Table::Users, b"uid");
        self.add((Category::Passwd, Section::Passwd), builder, &listed, &odd, add)
    }

    fn groups(&self, builder: &mut Builder) -> usize {
        let Some(listed) = self.listed(Category::Group, Section::Group, builder) else { return 0 };
        let aliases = self.aliases(Category::Group, Section::Group, Table::Groups, &listed, builder);
        let add = |builder: &mut Builder, entry: &EntryBuf, purpose| {
            let Entry::Group(group) = entry.as_entry() else { return };
            let aliases = names(&aliases, group.name);
            let members: Vec<&[u8]> = group.members.iter().collect();
            let (name, passwd, gid) = (group.name, group.passwd, group.gid);
            let group = netinfo_table::Group { name, passwd, gid, aliases: &aliases, members: &members };
            builder.group(&group, purpose);
        };
        let odd = self.odd_numbers(Table::Groups, b"gid");
        self.add((Category::Group, Section::Group), builder, &listed, &odd, add)
    }

    fn services(&self, builder: &mut Builder) -> usize {
        let Some(listed) = self.listed(Category::Service, Section::Services, builder) else { return 0 };
        let add = |builder: &mut Builder, entry: &EntryBuf, purpose| {
            let Entry::Service(service) = entry.as_entry() else { return };
            let aliases: Vec<&[u8]> = service.aliases.iter().collect();
            let (name, protocol, port) = (service.name, service.protocol, service.port);
            builder.service(&netinfo_table::Service { name, protocol, port, aliases: &aliases }, purpose);
        };
        let odd = self.odd_numbers(Table::Services, b"port");
        self.add((Category::Service, Section::Services), builder, &listed, &odd, add)
    }

    /// All entries of a category in their order; `None`, and a section that says so, if they cannot be told.
    fn listed(&self, category: Category, section: Section, builder: &mut Builder) -> Option<Vec<EntryBuf>> {
        let mut listed = Vec::new();
        match self.view.each(category, |entry| listed.push(entry)) {
            Answer::Found(()) => Some(listed),
            _ => {
                builder.look_ups_incomplete(section);
                builder.list_incomplete(section);
                None
            }
        }
    }

    /// Adds all entries: first those that win a key over others that come before them.
    fn add(
        &self,
        (category, section): (Category, Section),
        builder: &mut Builder,
        listed: &[EntryBuf],
        odd: &HashSet<Vec<u8>>,
        add: impl Fn(&mut Builder, &EntryBuf, Use),
    ) -> usize {
        let mut winners = HashSet::new();
        for key in contested(listed) {
            let query = Query { category, key: key.as_key() };
            match self.view.find(&query) {
                Answer::Found(entry) => {
                    if winners.insert(entry.as_bytes().to_vec()) {
                        add(builder, &entry, Use::Find);
                    }
                }
                // Both are written so that they are not found by it.
                Answer::NotFound => {}
                _ => builder.look_ups_incomplete(section),
            }
        }
        for entry in listed {
            let purpose = match () {
                () if winners.contains(entry.as_bytes()) => Use::List,
                () if odd.contains(entry.as_entry().name()) => Use::Unnumbered,
                () => Use::Both,
            };
            add(builder, entry, purpose);
        }
        listed.len()
    }

    /// Names of records whose number is written so that no look-up asks for it, such as `0501`.
    fn odd_numbers(&self, table: Table, property: &[u8]) -> HashSet<Vec<u8>> {
        let mut odd = HashSet::new();
        self.each_record(table, |record| {
            let Some((name, number)) = record.first(b"name").zip(record.first(property)) else { return };
            let digits = number.strip_prefix(b"-").unwrap_or(number);
            let plain = digits == b"0" || digits.first().is_some_and(|first| (b'1'..=b'9').contains(first));
            if !plain || !digits.iter().all(u8::is_ascii_digit) {
                odd.insert(name.to_vec());
            }
        });
        odd
    }

    /// Names in records that no listed entry bears, and what a look-up by each finds.
    fn aliases(
        &self,
        category: Category,
        section: Section,
        table: Table,
        listed: &[EntryBuf],
        builder: &mut Builder,
    ) -> Aliases {
        let known: HashSet<&[u8]> = listed.iter().map(|entry| entry.as_entry().name()).collect();
        let mut others: HashSet<Vec<u8>> = HashSet::new();
        let mut note = |name: &[u8]| {
            if !known.contains(name) && !others.contains(name) {
                others.insert(name.to_vec());
            }
        };
        let complete = self.each_record(table, |record| match category {
            Category::Passwd => keys_of_user(&record).for_each(&mut note),
            _ => record.values(b"name").for_each(&mut note),
        });
        if !complete {
            builder.look_ups_incomplete(section);
        }
        let mut aliases = Aliases::new();
        for name in others {
            match self.view.find(&Query { category, key: Key::Name(&name) }) {
                Answer::Found(entry) => {
                    aliases.entry(entry.as_entry().name().to_vec()).or_default().push(name);
                }
                Answer::NotFound => {}
                _ => builder.look_ups_incomplete(section),
            }
        }
        aliases
    }

    /// The groups of every user, and of everybody else who is in a group.
    fn groups_of_users(&self, builder: &mut Builder) {
        let mut users: HashSet<Vec<u8>> = HashSet::new();
        let mut note = |name: &[u8]| _ = !users.contains(name) && users.insert(name.to_vec());
        let complete = self.each_record(Table::Users, |record| keys_of_user(&record).for_each(&mut note))
            & self.each_record(Table::Groups, |record| record.values(b"users").for_each(&mut note));
        if !complete {
            builder.look_ups_incomplete(Section::Initgroups);
        }
        for user in users {
            match self.view.initgroups(&user) {
                Answer::Found(gids) => builder.groups_of(&user, &gids),
                Answer::NotFound => {}
                _ => builder.look_ups_incomplete(Section::Initgroups),
            }
        }
    }

    /// Hands out all records of a table; whether all sources could be read.
    fn each_record(&self, table: Table, mut each: impl FnMut(netinfo_lookup::Record<'_>)) -> bool {
        let mut complete = true;
        for source in &self.records {
            let listed = source.list(table, 0, &mut |_, record| {
                each(record);
                ControlFlow::Continue(())
            });
            complete &= listed.is_ok();
        }
        complete
    }
}

/// The names by which a look-up may find a user: people's names are looked up if they have a blank.
fn keys_of_user<'r>(record: &netinfo_lookup::Record<'r>) -> impl Iterator<Item = &'r [u8]> + use<'r> {
    record.values(b"name").chain(record.values(b"realname").filter(|name| name.contains(&b' ')))
}

fn names<'a>(aliases: &'a Aliases, name: &[u8]) -> Vec<&'a [u8]> {
    aliases.get(name).into_iter().flatten().map(Vec::as_slice).collect()
}

/// A key that is not the name of the entry.
#[derive(PartialEq, Eq, Hash)]
enum OtherKey {
    Number(u32),
    Service(Vec<u8>, Vec<u8>),
    Port(u16, Vec<u8>),
}

impl OtherKey {
    fn as_key(&self) -> Key<'_> {
        match self {
            Self::Number(number) => Key::Number(*number),
            Self::Service(name, protocol) => Key::Service { name, protocol },
            Self::Port(port, protocol) => Key::Port { port: *port, protocol },
        }
    }

    /// All of an entry.
    fn of(entry: &Entry<'_>) -> Vec<Self> {
        match entry {
            Entry::Passwd(user) => vec![Self::Number(user.uid)],
            Entry::Group(group) => vec![Self::Number(group.gid)],
            Entry::Service(service) => {
                let protocols = [service.protocol.to_vec(), Vec::new()];
                let names = || std::iter::once(service.name).chain(service.aliases.iter());
                let each = |protocol: Vec<u8>| {
                    let names = names().map(move |name| (name.to_vec(), protocol.clone()));
                    names.map(|(name, protocol)| Self::Service(name, protocol)).collect::<Vec<_>>()
                };
                let ports = protocols.clone().into_iter().map(|protocol| Self::Port(service.port, protocol));
                protocols.clone().into_iter().flat_map(each).chain(ports).collect()
            }
            _ => Vec::new(),
        }
    }
}

/// The keys that several entries have, in the order of the entries.
fn contested(listed: &[EntryBuf]) -> Vec<OtherKey> {
    let mut seen: HashMap<OtherKey, bool> = HashMap::new();
    let mut contested = Vec::new();
    for key in listed.iter().flat_map(|entry| OtherKey::of(&entry.as_entry())) {
        match seen.get_mut(&key) {
            None => _ = seen.insert(key, false),
            Some(told) if !*told => {
                *told = true;
                contested.push(key);
            }
            Some(_) => {}
        }
    }
    contested
}
