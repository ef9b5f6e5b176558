//! Storing what was read.

use std::collections::HashSet;
use std::net::IpAddr;
use std::sync::mpsc;

use netinfo_directory::{
    Change, Credentials, Domain, Error, Origin, Outcome, Property, ROOT, RecordRef, Result, Role, Session,
    Target,
};
use netinfo_formats::{Place, Record};

use super::collect::Collected;
use super::summary::{FileSummary, Summary};

/// The containers below the root, in order.
pub const CONTAINERS: [&str; 10] = [
    "users",
    "groups",
    "machines",
    "networks",
    "protocols",
    "rpcs",
    "services",
    "aliases",
    "mounts",
    "printers",
];

/// The mail aliases, each with its one member.
pub const ALIASES: [(&str, &str); 8] = [
    ("administrator", "root"),
    ("postmaster", "root"),
    ("nobody", "root"),
    ("dumper", "root"),
    ("manager", "root"),
    ("operator", "root"),
    ("MAILER-DAEMON", "postmaster"),
    ("MAILER-AGENT", "postmaster"),
];

/// Value of `_seeded` once a seeding is complete: the format of what it made.
pub const FORMAT: &str = "1";

/// Most records queued at the writer at a time: some commits' worth.
pub const IN_FLIGHT: usize = 4 * netinfo_directory::GROUP_JOBS;

/// Root property that says how far the seeding is.
const SEEDED: &[u8] = b"_seeded";

/// Directories of a new domain: the root, `/machines` and this host.
const NEW_DOMAIN: u64 = 3;

/// What `getpwuid(0)` is expected to find where no file has it. The password matches nothing.
const ROOT_USER: [(&str, &str); 9] = [
    ("name", "root"),
    ("passwd", "*"),
    ("uid", "0"),
    ("gid", "0"),
    ("change", "0"),
    ("expire", "0"),
    ("realname", "System Administrator"),
    ("home", "/root"),
    ("shell", "/bin/sh"),
];

/// Stores what was `collected` in a master domain and returns once all of it is on disk. `now_ms` is the time in
/// milliseconds since the epoch. Blocks; for a domain that does not serve anybody yet.
///
/// # Errors
/// What the domain reports. What is stored until then stays, [`is_needed`] remains true, and running it again takes
/// up where it stopped. A single record that the domain refuses for its size is no error but a skipped line.
pub fn apply(domain: &Domain, collected: &Collected, now_ms: u64) -> Result<Summary> {
    let seeding = Seeding::new(domain, now_ms)?;
    seeding.begin()?;
    let summary = seeding.load_all(collected)?;
    seeding.finish()?;
    Ok(summary)
}

/// Whether a seeding of `domain` ran to its end.
///
/// # Errors
/// What the domain reports.
pub fn is_complete(domain: &Domain) -> Result<bool> {
    let session = internal(domain)?;
    let view = domain.read(&session)?;
    let root = view.record(ROOT)?;
    Ok(root.first_value(SEEDED).is_some())
}

/// Whether `domain` is to be seeded: a seeding was interrupted, or it is a master with nothing in it but what a new
/// one has.
///
/// # Errors
/// What the domain reports.
pub fn is_needed(domain: &Domain) -> Result<bool> {
    let session = internal(domain)?;
    let view = domain.read(&session)?;
    let root = view.record(ROOT)?;
    if let Some(seeded) = root.property(SEEDED) {
        return Ok(seeded.values.is_empty());
    }
    let untouched = view.directories()? == NEW_DOMAIN && root.properties().all(|p| p.name == b"master");
    Ok(untouched && domain.role() == Role::Master)
}

fn internal(domain: &Domain) -> Result<Session> {
    domain.authenticate(Credentials::None, Origin::Internal)
}

/// One run over one domain.
pub(super) struct Seeding<'d> {
    domain: &'d Domain,
    session: Session,
    at: u64,
}

impl<'d> Seeding<'d> {
    pub(super) fn new(domain: &'d Domain, at: u64) -> Result<Self> {
        Ok(Self { domain, session: internal(domain)?, at })
    }

    /// Shuts out the network, says that a seeding is under way, and makes the containers: all or nothing.
    pub(super) fn begin(&self) -> Result<()> {
        let mut changes = Vec::new();
        {
            let view = self.domain.read(&self.session)?;
            let root = view.record(ROOT)?;
            if root.property(SEEDED).is_none() {
                for name in ["trusted_networks".as_bytes(), SEEDED] {
                    if root.property(name).is_none() {
                        changes.push(create_property(ROOT, Property::new(name, [""; 0])));
                    }
                }
            }
            let mut names = Vec::new();
            for child in view.children(ROOT)? {
                names.push(view.record(child?)?.first_value(b"name").unwrap_or_default().to_vec());
            }
            let mut place = 0;
            for container in CONTAINERS {
                if let Some(at) = names.iter().position(|name| name == container.as_bytes()) {
                    place = at + 1;
                    continue;
                }
                names.insert(place, container.into());
                changes.push(Change::Create {
                    parent: Target::any(ROOT),
                    properties: vec![Property::new("name", [container])],
                    position: u32::try_from(place).unwrap_or(u32::MAX),
                });
                place += 1;
            }
        }
        self.write(changes)
    }

    /// Stores the records of every file, the aliases, and a user root if there is none.
    pub(super) fn load_all(&self, collected: &Collected) -> Result<Summary> {
        let mut summary = Summary::default();
        for source in &collected.sources {
            let mut file = source.summary.clone();
            match source.container {
                Some("machines") => {
                    let (ours, others) = self.split_ours(&source.records)?;
                    self.merge_ours(&ours)?;
                    file.merged = ours.len();
                    self.load("machines", &mut file, others)?;
                }
                Some(container) => self.load(container, &mut file, &source.records)?,
                None => {}
            }
            summary.files.push(file);
        }
        summary.root_made = self.ensure_root()?;
        let aliases = ALIASES.map(|(name, member)| record("aliases", &[("name", name), ("members", member)]));
        self.load("aliases", &mut FileSummary::default(), &aliases)?;
        Ok(summary)
    }

    /// Gives `_seeded` its value.
    pub(super) fn finish(&self) -> Result<()> {
        let change = {
            let view = self.domain.read(&self.session)?;
            let root = view.record(ROOT)?;
            let place = root.properties().position(|p| p.name == SEEDED);
            let complete = root.first_value(SEEDED).is_some();
            match place.and_then(|index| u32::try_from(index).ok()) {
                _ if complete => return Ok(()),
                Some(index) => {
                    Change::WriteProperty { directory: root.id().into(), index, values: vec![FORMAT.into()] }
                }
                None => create_property(ROOT, Property::new(SEEDED, [FORMAT])),
            }
        };
        self.write(vec![change])
    }

    /// Stores those of `records` that are new to `container`, many at a time, and waits for all of them.
    fn load<'r>(
        &self,
        container: &str,
        file: &mut FileSummary,
        records: impl IntoIterator<Item = &'r Record>,
    ) -> Result<()> {
        let parent = self.container(container)?;
        let known = self.known(parent)?;
        let mut seen = HashSet::new();
        let (done, results) = mpsc::channel();
        let mut waiting = 0;
        let mut failed = None;
        for record in records {
            let key = key(record.first("name"), record.first("port"));
            if known.contains(&key) {
                file.present += 1;
                continue;
            }
            if !seen.insert(key) {
                let name = record.first("name").unwrap_or_default().escape_ascii();
                file.skip(record.line, format!("an earlier line defines \"{name}\""));
                continue;
            }
            if waiting == IN_FLIGHT {
                waiting -= 1;
                failed = take(&results, file);
            }
            if failed.is_some() {
                break;
            }
            let (done, line) = (done.clone(), record.line);
            let report = move |result: Result<Vec<Outcome>>| drop(done.send((line, result.map(drop))));
            self.domain.write(&self.session, vec![create(parent, record)], self.at, Box::new(report));
            waiting += 1;
        }
        drop(done);
        for _ in 0..waiting {
            let error = take(&results, file);
            failed = failed.or(error);
        }
        failed.map_or(Ok(()), Err)
    }

    /// What the children of `parent` are known by.
    fn known(&self, parent: u32) -> Result<HashSet<Vec<u8>>> {
        let view = self.domain.read(&self.session)?;
        let mut known = HashSet::new();
        for child in view.children(parent)? {
            let record = view.record(child?)?;
            known.insert(key(record.first_value(b"name"), record.first_value(b"port")));
        }
        Ok(known)
    }

    fn container(&self, name: &str) -> Result<u32> {
        let view = self.domain.read(&self.session)?;
        view.child_named(ROOT, name.as_bytes())?.ok_or(Error::NoSuchDirectory)
    }

    fn ensure_root(&self) -> Result<bool> {
        let users = self.container("users")?;
        let there = self.domain.read(&self.session)?.child_named(users, b"root")?.is_some();
        if !there {
            let mut change = create(users, &record("users", &ROOT_USER));
            if let Change::Create { position, .. } = &mut change {
                *position = 0;
            }
            self.write(vec![change])?;
        }
        Ok(!there)
    }

    /// The record that says where this domain is served.
    fn own_machine(&self) -> Result<Option<u32>> {
        let machines = self.container("machines")?;
        let served = format!("./{}", self.domain.tag());
        self.domain.read(&self.session)?.lookup_first(machines, b"serves", served.as_bytes())
    }

    /// Tells the `hosts` entries about this machine from the others. An entry that is also called `localhost` is about
    /// the loopback, whatever else it is called.
    fn split_ours<'r>(&self, records: &'r [Record]) -> Result<(Vec<&'r Record>, Vec<&'r Record>)> {
        let Some(own) = self.own_machine()? else { return Ok((Vec::new(), records.iter().collect())) };
        let view = self.domain.read(&self.session)?;
        let own = view.record(own)?;
        let own_names = |name: &[u8]| has_name(&own, name);
        let ours = |record: &&Record| {
            let names = record.values("name");
            let loopback = names.iter().any(|name| name == b"localhost") && !own_names(b"localhost");
            !loopback && names.iter().any(|name| own_names(name))
        };
        Ok(records.iter().partition(ours))
    }

    /// Adds names and addresses to the record of this machine. A loopback address, which many systems put next to
    /// their own name, says nothing to others: it is added only where there is no other address of its kind, or where
    /// this machine has no other name than `localhost`.
    fn merge_ours(&self, ours: &[&Record]) -> Result<()> {
        let Some(own) = self.own_machine()? else { return Ok(()) };
        let write = {
            let view = self.domain.read(&self.session)?;
            let own = view.record(own)?;
            let mut properties: Vec<Property> =
                own.properties().map(|p| Property::new(p.name, p.values)).collect();
            let before = properties.clone();
            let all = has_name(&own, b"localhost");
            for (name, values) in ours.iter().flat_map(|record| &record.properties) {
                add(&mut properties, name, values, all);
            }
            (properties != before).then(|| Change::Write { directory: own.id().into(), properties })
        };
        write.map_or(Ok(()), |change| self.write(vec![change]))
    }

    fn write(&self, changes: Vec<Change>) -> Result<()> {
        if changes.is_empty() {
            return Ok(());
        }
        self.domain.write_blocking(&self.session, changes, self.at).map(drop)
    }
}

type Results = mpsc::Receiver<(u64, Result<()>)>;

/// Takes one result; the error that ends the seeding, if it is one.
fn take(results: &Results, file: &mut FileSummary) -> Option<Error> {
    match results.recv() {
        Ok((_, Ok(()))) => file.loaded += 1,
        Ok((line, Err(refusal @ Error::TooLarge { .. }))) => file.skip(line, refusal.to_string()),
        Ok((_, Err(error))) => return Some(error),
        Err(mpsc::RecvError) => return Some(Error::Busy),
    }
    None
}

/// What makes two records the same one.
fn key(name: Option<&[u8]>, port: Option<&[u8]>) -> Vec<u8> {
    [name.unwrap_or_default(), b"\0", port.unwrap_or_default()].concat()
}

fn record(container: &'static str, properties: &[(&str, &str)]) -> Record {
    let property = |&(name, value): &(&str, &str)| (name.into(), vec![value.into()]);
    let properties = properties.iter().map(property).collect();
    Record { place: Place::In(container), properties, identity: None, line: 0 }
}

fn create(parent: u32, record: &Record) -> Change {
    let properties = record.properties.iter().map(|(name, values)| Property::new(&name[..], values.clone()));
    Change::Create { parent: Target::any(parent), properties: properties.collect(), position: u32::MAX }
}

fn create_property(directory: u32, property: Property) -> Change {
    Change::CreateProperty { directory: Target::any(directory), property, position: u32::MAX }
}

fn has_name(record: &RecordRef<'_>, name: &[u8]) -> bool {
    record.property(b"name").is_some_and(|p| p.values.into_iter().any(|v| v.eq_ignore_ascii_case(name)))
}

/// Adds `values` to the property `name`, each once; loopback addresses last, and unless `all` are wanted only where
/// there would be no value without them.
fn add(properties: &mut Vec<Property>, name: &[u8], values: &[Vec<u8>], all: bool) {
    let place = properties.iter().position(|p| p.name == name).unwrap_or(properties.len());
    if place == properties.len() {
        properties.push(Property::new(name, [""; 0]));
    }
    let known = &mut properties[place].values;
    let (loopback, others): (Vec<_>, Vec<_>) = values.iter().partition(|value| is_loopback(value));
    let loopback = if all || (known.is_empty() && others.is_empty()) { loopback } else { Vec::new() };
    for value in others.into_iter().chain(loopback) {
        if !known.iter().any(|v| v.eq_ignore_ascii_case(value)) {
            known.push(value.clone());
        }
    }
}

fn is_loopback(address: &[u8]) -> bool {
    let address = std::str::from_utf8(address).ok().and_then(|text| text.parse::<IpAddr>().ok());
    address.is_some_and(|address| address.is_loopback())
}
