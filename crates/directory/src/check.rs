//! Verification of everything a domain's store holds, and repair of what can be derived.
//!
//! A check reads one snapshot, so it can run beside writers. A repair runs on the writer's thread in one transaction: it
//! puts unreadable records aside, re-attaches directories whose parent is lost, and rebuilds every table that follows
//! from the records.

mod derived;
mod lists;

use std::collections::{BTreeMap, HashMap, HashSet};

use heed::RoTxn;

use self::lists::Lists;
use crate::bulk::Bulk;
use crate::domain::Domain;
use crate::error::{Error, Result};
use crate::feed;
use crate::index::Terms;
use crate::model::{Property, ROOT, is_secret};
use crate::record::{Header, Record, RecordRef, sealed};
use crate::session::Session;
use crate::siblings::{FIRST, STEP};
use crate::stamp::{self, StampBuf};
use crate::store::Store;
use crate::store::keys::{IndexKey, be_u32, be_u64, child_key};
use crate::store::state::State;

/// Name of the directory under the root that repair attaches orphans to.
pub const LOST_AND_FOUND: &str = "lost+found";

/// Something wrong in a store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Short, stable word for the kind of fault, such as `record` or `index`.
    pub kind: &'static str,
    /// The directory it is about, if any.
    pub object: Option<u32>,
    /// The fault in words.
    pub text: String,
}

/// Summary of a check.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CheckReport {
    /// Directories whose records were read.
    pub directories: u64,
    /// Number of faults.
    pub findings: u64,
    /// Whether a repair was made.
    pub repaired: bool,
}

/// Told of progress (directories done, total) and of findings as they come.
pub trait Observer {
    /// Some directories were examined.
    fn progress(&mut self, done: u64, total: u64);
    /// A fault was found.
    fn finding(&mut self, finding: Finding);
}

impl Domain {
    /// Verifies every record, index entry and link in one snapshot.
    pub fn check(&self, session: &Session, observer: &mut dyn Observer) -> Result<CheckReport> {
        if !session.is_superuser() {
            return Err(Error::Permission);
        }
        let txn = self.store().env.read_txn()?;
        check(self.store(), &txn, observer)
    }

    /// Checks and, if there is a finding, repairs. Faults found are counted in the report; afterwards the store is clean.
    pub fn repair(&self, session: &Session, observer: &mut dyn Observer) -> Result<CheckReport> {
        let mut report = self.check(session, observer)?;
        if report.findings > 0 {
            self.exclusive(repair)?;
            report.repaired = true;
        }
        Ok(report)
    }
}

/// What the checker remembers of every record.
struct Known {
    header: Header,
    /// Children found in the children table.
    listed: u32,
}

struct Checker<'a> {
    store: &'a Store,
    txn: &'a RoTxn<'a>,
    observer: &'a mut dyn Observer,
    findings: u64,
    known: HashMap<u32, Known>,
    lists: Lists<'a>,
    /// Records that cannot be read. They still take an id and a store version.
    unreadable: u64,
    /// Of directories with pending entries: the properties according to which they are in the indexes.
    indexed: HashMap<u32, Vec<Property>>,
}

pub(crate) fn check(store: &Store, txn: &RoTxn<'_>, observer: &mut dyn Observer) -> Result<CheckReport> {
    let (known, indexed, lists) = (HashMap::new(), HashMap::new(), Lists::default());
    let mut checker = Checker { store, txn, observer, findings: 0, known, lists, unreadable: 0, indexed };
    checker.pending()?;
    let terms = checker.records()?;
    checker.index(terms)?;
    checker.children()?;
    checker.reachable()?;
    checker.secrets()?;
    checker.values()?;
    let state = store.state(txn)?;
    checker.stamps(&state)?;
    checker.numbers(&state)?;
    checker.feed(&state)?;
    Ok(CheckReport { directories: checker.known.len() as u64, findings: checker.findings, repaired: false })
}

impl Checker<'_> {
    fn fault(&mut self, kind: &'static str, object: impl Into<Option<u32>>, text: impl Into<String>) {
        self.findings += 1;
        self.observer.finding(Finding { kind, object: object.into(), text: text.into() });
    }

    /// Reads every record; returns how many index entries they ought to have.
    fn records(&mut self) -> Result<u64> {
        let total = self.store.records.len(self.txn)?;
        let mut terms = 0;
        for (done, entry) in self.store.records.iter(self.txn)?.enumerate() {
            let (key, bytes) = entry?;
            let object = be_u32(key);
            match RecordRef::parse(object, bytes) {
                Ok(record) => terms += self.record(object, record)?,
                Err(error) => {
                    self.unreadable += 1;
                    self.fault("record", object, error.to_string());
                }
            }
            if done % 1024 == 0 {
                self.observer.progress(done as u64, total);
            }
        }
        self.observer.progress(total, total);
        Ok(terms)
    }

    fn record(&mut self, object: u32, record: RecordRef<'_>) -> Result<u64> {
        let header = record.header();
        match self.store.record_with_secrets(self.txn, object) {
            Ok(Some(whole)) if !whole.is_well_formed() => {
                self.fault("record", object, "its parts do not fit together");
            }
            Ok(_) => {}
            Err(error) => self.fault("secrets", object, error.to_string()),
        }
        let version = self.store.versions.get(self.txn, &header.version.to_be_bytes())?;
        if version.map(be_u32) != Some(object) {
            self.fault("version", object, format!("store version {} is not recorded for it", header.version));
        }
        let mut count = 0;
        if object != ROOT {
            let place = self.store.children.get(self.txn, &child_key(header.parent, header.position))?;
            if place.map(be_u32) != Some(object) {
                self.fault("link", object, format!("not among the children of its parent {}", header.parent));
            }
            let properties = self.indexed_as(object, record);
            for (name, value) in Terms::of(&properties).iter() {
                count += 1;
                let key = IndexKey::new(header.parent, name, value);
                if !self.lists.has(self.store, self.txn, key.as_bytes(), object)? {
                    let name = String::from_utf8_lossy(name).into_owned();
                    self.fault(
                        "index",
                        object,
                        format!("a value of property \"{name}\" is not in the index"),
                    );
                }
            }
        }
        self.known.insert(object, Known { header, listed: 0 });
        Ok(count)
    }

    /// With every expected entry present, the index is right exactly if it has no others.
    fn index(&mut self, expected: u64) -> Result<()> {
        let entries = self.store.index.len(self.txn)?;
        if entries != expected {
            self.fault("index", None, format!("{entries} entries where the records have {expected}"));
        }
        Ok(())
    }

    fn children(&mut self) -> Result<()> {
        for entry in self.store.children.iter(self.txn)? {
            let (key, value) = entry?;
            let (parent, position, child) =
                (be_u32(key), be_u64(key.get(4..).unwrap_or_default()), be_u32(value));
            match self.known.get(&child).map(|k| k.header) {
                None => self.fault("link", parent, format!("lists a child {child} that has no record")),
                Some(header) if header.parent != parent || header.position != position => {
                    self.fault("link", parent, format!("lists a child {child} that is somebody else's"));
                }
                Some(_) => {}
            }
            match self.known.get_mut(&parent) {
                Some(known) => known.listed += 1,
                None => self.fault("link", child, format!("its parent {parent} has no record")),
            }
        }
        let wrong: Vec<_> = self
            .known
            .iter()
            .filter(|(_, k)| k.listed != k.header.children)
            .map(|(o, k)| (*o, k.listed))
            .collect();
        for (object, listed) in wrong {
            self.fault("link", object, format!("its number of children is wrong; {listed} are listed"));
        }
        Ok(())
    }

    /// Every directory must lead to the root.
    fn reachable(&mut self) -> Result<()> {
        if !self.known.contains_key(&ROOT) {
            self.fault("record", ROOT, "there is no root directory");
        }
        let lost = unreachable(self.known.iter().map(|(o, k)| (*o, k.header.parent)).collect());
        for object in lost {
            self.fault("orphan", object, "does not lead to the root");
        }
        Ok(())
    }

    fn secrets(&mut self) -> Result<()> {
        for entry in self.store.secrets.iter(self.txn)? {
            let (key, bytes) = entry?;
            let object = be_u32(key);
            if !sealed(object, bytes) {
                self.fault("secrets", object, "fail their checksum");
            }
            let owner = self.store.record(self.txn, object);
            if matches!(owner, Ok(record) if !record.is_some_and(|r| r.has_secrets())) {
                self.fault("secrets", object, "belong to no record");
            }
        }
        Ok(())
    }

    /// The state record, the versions and the free ids.
    fn numbers(&mut self, state: &State) -> Result<()> {
        let sums = Sums::of(self.known.iter().map(|(o, k)| (*o, k.header)));
        if (state.checksum, state.directories) != (sums.checksum, self.known.len() as u64) {
            let (is, ought) = (state.checksum, sums.checksum);
            self.fault(
                "state",
                None,
                format!(
                    "checksum {is} and {} directories; counted {ought} and {}",
                    state.directories,
                    self.known.len()
                ),
            );
        }
        let stored = self.known.len() as u64 + self.unreadable;
        let versions = self.store.versions.len(self.txn)?;
        if versions != stored {
            self.fault("version", None, format!("{versions} store versions for {stored} directories"));
        }
        let mut free = 0u64;
        for entry in self.store.free.iter(self.txn)? {
            let object = be_u32(entry?.0);
            free += 1;
            if self.known.contains_key(&object) || object >= state.next_object {
                self.fault("free", object, "listed as free, but in use or never used");
            }
        }
        if sums.next_object > state.next_object || free + stored != u64::from(state.next_object) {
            self.fault(
                "free",
                None,
                format!("{free} free ids and {stored} directories do not make {}", state.next_object),
            );
        }
        Ok(())
    }

    fn feed(&mut self, state: &State) -> Result<()> {
        let mut expected = state.first_kept;
        for entry in self.store.changes.iter(self.txn)? {
            let (key, bytes) = entry?;
            let sequence = be_u64(key);
            if sequence != expected || feed::decode(sequence, bytes).is_err() {
                self.fault("feed", None, format!("change record {expected} is missing or damaged"));
                expected = sequence;
            }
            expected = expected.saturating_add(1);
        }
        let last = expected.saturating_sub(1);
        if last != state.sequence {
            self.fault("feed", None, format!("ends at {last} instead of {}", state.sequence));
        }
        Ok(())
    }
}

/// The numbers that follow from all headers.
struct Sums {
    checksum: u32,
    next_object: u32,
}

impl Sums {
    fn of(headers: impl Iterator<Item = (u32, Header)>) -> Self {
        let mut sums = Self { checksum: 0, next_object: 1 };
        for (object, header) in headers {
            sums.checksum = sums.checksum.wrapping_add(object.wrapping_add(1).wrapping_mul(header.instance));
            sums.next_object = sums.next_object.max(object.saturating_add(1));
        }
        sums
    }
}

/// The directories whose chain of parents does not end at the root, sorted.
fn unreachable(parents: HashMap<u32, u32>) -> Vec<u32> {
    let mut good: HashMap<u32, bool> = HashMap::from([(ROOT, parents.contains_key(&ROOT))]);
    let mut trail = Vec::new();
    for start in parents.keys() {
        let mut at = *start;
        let verdict = loop {
            if let Some(known) = good.get(&at) {
                break *known;
            }
            trail.push(at);
            good.insert(at, false); // met again on this trail: a loop
            match parents.get(&at) {
                Some(parent) => at = *parent,
                None => break false,
            }
        };
        for object in trail.drain(..) {
            good.insert(object, verdict);
        }
    }
    let mut lost: Vec<u32> =
        parents.keys().filter(|o| **o != ROOT && !good.get(o).is_some_and(|g| *g)).copied().collect();
    lost.sort_unstable();
    lost
}

/// Rebuilds everything that follows from the readable records.
fn repair(store: &Store) -> Result<()> {
    let mut txn = store.env.write_txn()?;
    let mut state = store.state(&txn)?;
    let stamps = stamps(store, &txn)?;
    let mut records = salvage(store, &mut txn)?;
    records.entry(ROOT).or_insert_with(|| Record {
        header: Header { instance: 1, ..Header::default() },
        properties: Vec::new(),
    });
    adopt_orphans(&mut records)?;
    let mut families: BTreeMap<u32, Vec<(u64, u32)>> = BTreeMap::new();
    for (object, record) in records.iter().filter(|(o, _)| **o != ROOT) {
        families.entry(record.header.parent).or_default().push((record.header.position, *object));
    }
    for family in families.values_mut() {
        family.sort_unstable();
        let mut place = FIRST - (family.len() as u64 / 2) * STEP;
        for (_, object) in family.iter() {
            if let Some(record) = records.get_mut(object) {
                record.header.position = place;
            }
            place += STEP;
        }
    }
    store.clear_tree(&mut txn)?;
    let stamps = stamps.into_iter().filter(|(object, _)| records.contains_key(object)).collect::<Vec<_>>();
    rebuild(store, &mut txn, &mut state, records, &families)?;
    for (object, stamp) in stamps {
        match stamp::put(store, &mut txn, &state.uuid, object, stamp.as_stamp()) {
            Ok(()) | Err(Error::DuplicateUuid) => {}
            Err(error) => return Err(error),
        }
    }
    store.changes.clear(&mut txn)?;
    state.sequence += 1;
    state.first_kept = state.sequence + 1;
    store.put_state(&mut txn, &state)?;
    Ok(txn.commit()?)
}

/// The stamps that can be read.
fn stamps(store: &Store, txn: &RoTxn<'_>) -> Result<Vec<(u32, StampBuf)>> {
    let mut stamps = Vec::new();
    for entry in store.stamps.iter(txn)? {
        let (key, bytes) = entry?;
        let object = be_u32(key);
        if let Ok(stamp) = stamp::parse(object, bytes) {
            stamps.push((object, stamp.into()));
        }
    }
    Ok(stamps)
}

/// Takes every readable record out; the others go to quarantine, lost secrets are dropped from their records.
fn salvage(store: &Store, txn: &mut heed::RwTxn<'_>) -> Result<BTreeMap<u32, Record>> {
    let mut records = BTreeMap::new();
    let mut bad = Vec::new();
    for entry in store.records.iter(txn)? {
        let (key, bytes) = entry?;
        let object = be_u32(key);
        match RecordRef::parse(object, bytes) {
            Ok(record) => match store.record_with_secrets(txn, object).ok().flatten() {
                Some(whole) if whole.is_well_formed() => drop(records.insert(object, whole.to_record())),
                Some(_) => bad.push((object, bytes.to_vec())),
                None => drop(records.insert(object, without_secrets(record))),
            },
            Err(_) => bad.push((object, bytes.to_vec())),
        }
    }
    for (object, bytes) in bad {
        store.quarantine.put(txn, &object.to_be_bytes(), &bytes)?;
    }
    Ok(records)
}

/// Lost password material becomes a value that no password matches.
fn without_secrets(record: RecordRef<'_>) -> Record {
    let mut record = record.to_record();
    record.header.instance = record.header.instance.wrapping_add(1);
    for property in record.properties.iter_mut().filter(|p| is_secret(&p.name)) {
        property.values = vec![b"*".to_vec()];
    }
    record
}

/// Attaches directories that do not lead to the root to `/lost+found`.
fn adopt_orphans(records: &mut BTreeMap<u32, Record>) -> Result<()> {
    let lost = unreachable(records.iter().map(|(o, r)| (*o, r.header.parent)).collect());
    if lost.is_empty() {
        return Ok(());
    }
    let name = [Property::new("name", [LOST_AND_FOUND])];
    let existing = records
        .iter()
        .find(|(o, r)| **o != ROOT && r.header.parent == ROOT && r.properties.starts_with(&name));
    let home = match existing {
        Some((object, _)) => *object,
        None => {
            let free =
                (1..).find(|id| !records.contains_key(id)).ok_or_else(|| Error::damaged("no id is free"))?;
            let header = Header { parent: ROOT, position: u64::MAX, ..Header::default() };
            records.insert(free, Record { header, properties: name.to_vec() });
            free
        }
    };
    for object in tops(records, &lost) {
        if let Some(record) = records.get_mut(&object) {
            record.header.parent = home;
            record.header.position = u64::from(object);
        }
    }
    Ok(())
}

/// The directories to move of those that do not lead to the root: the topmost of each lost branch, and of each loop the
/// one with the lowest id. What hangs below them stays below them.
fn tops(records: &BTreeMap<u32, Record>, lost: &[u32]) -> Vec<u32> {
    let mut seen = HashSet::new();
    let mut tops = Vec::new();
    for start in lost {
        let (mut trail, mut at) = (Vec::new(), *start);
        let top = loop {
            if !seen.insert(at) {
                // Met on this trail: a loop. Met before: its top is known.
                let turn = trail.iter().position(|o| *o == at);
                break turn.and_then(|turn| trail[turn..].iter().min().copied());
            }
            trail.push(at);
            match records.get(&at).map(|r| r.header.parent).filter(|p| records.contains_key(p)) {
                Some(parent) => at = parent,
                None => break Some(at),
            }
        };
        tops.extend(top);
    }
    tops
}

fn rebuild(
    store: &Store,
    txn: &mut heed::RwTxn<'_>,
    state: &mut State,
    records: BTreeMap<u32, Record>,
    families: &BTreeMap<u32, Vec<(u64, u32)>>,
) -> Result<()> {
    (state.checksum, state.directories, state.version) = (0, 0, 0);
    let mut expected = 0;
    let mut bulk = Bulk::new(store);
    for (object, mut record) in records {
        for gap in expected..object {
            store.free.put(txn, &gap.to_be_bytes(), &[])?;
        }
        expected = object + 1;
        let children = families.get(&object).map_or(0, |f| f.len() as u32);
        if children != record.header.children {
            record.header.children = children;
            record.header.instance = record.header.instance.wrapping_add(1);
        }
        state.version += 1;
        record.header.version = state.version;
        store.versions.put(txn, &state.version.to_be_bytes(), &object.to_be_bytes())?;
        if object != ROOT {
            let parent = record.header.parent;
            store.children.put(txn, &child_key(parent, record.header.position), &object.to_be_bytes())?;
        }
        state.exchange(object, 0, record.header.instance);
        state.directories += 1;
        store.save(txn, object, &record, false)?;
        let parent = (object != ROOT).then_some(record.header.parent);
        if bulk.add(parent, object, &record.properties)? {
            bulk.drain(store, txn)?;
        }
    }
    state.next_object = expected;
    bulk.finish(store, txn)
}
