//! The fast way in: a fresh domain filled with an export of LDAP entries, in one commit, with its indexes made at the end.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::thread;

use netinfo_directory::{Domain, Error as CoreError, Filled, Property, ROOT, View};
use netinfo_mapping::transfer::Loader;
use netinfo_mapping::{Namespace, Reason, Tree};

use crate::entries::{given, hash_passwords, is_kept, keep_disabled};
use crate::error::{Error, Result};
use crate::import::{Target, Watch};
use crate::item::{Attributes, Item, What};
use crate::local::{Local, session};
use crate::report::{Done, FileReport, Kind, Outcome};
use crate::source::block::{Block, Entry, Next};
use crate::source::{Format, Part};
use crate::waiting::WAITING_LIMIT;
use crate::words::shown;

/// A domain with at most so many directories is fresh: it has what is made with it.
const FRESH: u64 = 64;
/// Batches that wait: read and not mapped, or mapped and not stored.
const WAITING: usize = 8;

/// Whether a part can be loaded so into a domain.
///
/// # Errors
/// When the domain cannot be read.
pub fn fits(part: &Part, domain: &Domain) -> Result<bool> {
    Ok(part.format == Format::Ldif && domain.read(&session(domain)?)?.directories()? <= FRESH)
}

/// What the mapping hands to the store.
enum Work {
    Filled(Vec<Filled>),
    /// The reader has failed: nothing is to be stored.
    Stop,
}

/// Loads a part into the domain of `local`, and reports as an import does.
///
/// # Errors
/// When nothing more can be done: the domain is then as it was.
pub fn load(part: &Part, local: &mut Local, watch: &mut dyn Watch) -> Result<FileReport> {
    let mut file = FileReport::new(&part.name, part.format.name());
    let domain = local.domain().clone();
    let session = session(&domain)?;
    let read = Arc::new(AtomicU64::new(0));
    let size = part.size();
    let rest = thread::scope(|scope| {
        let (send, batches) = mpsc::sync_channel(WAITING);
        let (fill, filled) = mpsc::sync_channel::<Work>(WAITING);
        let (done_with, spare) = mpsc::channel();
        let counter = read.clone();
        let reader = scope.spawn(move || read_blocks(part, counter, &send, &spare));
        let storing = scope.spawn({
            let (domain, session) = (domain.clone(), session.clone());
            move || domain.fill(&session, each_of(filled))
        });
        let mut mapping = |file: &mut FileReport| -> Result<Vec<Item>> {
            let view = domain.read(&session)?;
            let namespace = Namespace::new(&view, domain.tag())?;
            let tree = namespace.tree(&view);
            let mut mapper = Mapper::new(&tree, &view);
            let mut items = 0;
            let stored = mapper.existing(&fill);
            while let (true, Ok(mut block)) = (stored, batches.recv()) {
                items += block.len() as u64;
                if !mapper.block(&mut block, &fill, file) {
                    break;
                }
                // The reader has ended if nobody wants it.
                let _ = done_with.send(block);
                watch.progress(read.load(Ordering::Relaxed), size, items);
            }
            Ok(mapper.rest)
        };
        let rest = mapping(&mut file);
        drop(batches);
        let read = reader.join().unwrap_or_else(|_| Err(Error::Invalid("the reader has failed".into())));
        if read.is_err() || rest.is_err() {
            // Nobody takes it if storing has failed.
            let _ = fill.send(Work::Stop);
        }
        drop(fill);
        let stored = storing.join().unwrap_or(Err(CoreError::Busy));
        read?;
        let rest = rest?;
        stored?;
        Ok::<_, Error>(rest)
    })?;
    // What could not be loaded so: entries that were there already, and changes.
    local.begin()?;
    let mut rest = rest.into_iter().peekable();
    while rest.peek().is_some() {
        let batch = rest.by_ref().take(crate::import::BATCH_ITEMS).collect();
        file.add(local.apply(batch)?);
    }
    file.add(local.settle()?);
    Ok(file)
}

/// Gives the directories of all work, one after the other.
fn each_of(work: Receiver<Work>) -> impl FnMut() -> Result<Option<Filled>, CoreError> + Send {
    let mut waiting = Vec::new().into_iter();
    move || loop {
        if let Some(next) = waiting.next() {
            return Ok(Some(next));
        }
        match work.recv() {
            Ok(Work::Filled(batch)) => waiting = batch.into_iter(),
            Ok(Work::Stop) => return Err(CoreError::Busy),
            Err(_) => return Ok(None),
        }
    }
}

/// Reads a part until nobody takes its blocks; `spare` are those that are done with.
fn read_blocks(
    part: &Part,
    read: Arc<AtomicU64>,
    send: &SyncSender<Block>,
    spare: &Receiver<Block>,
) -> Result<()> {
    let mut next = part.blocks(read)?;
    while let Some(block) = next(spare.try_recv().unwrap_or_default()) {
        if send.send(block).is_err() {
            break;
        }
    }
    Ok(())
}

/// Makes directories of entries, with the ids they will have.
struct Mapper<'t> {
    loader: Loader<'t>,
    view: &'t View<'t>,
    next: u32,
    /// The directories there were.
    fresh: u32,
    /// What comes after everything has been loaded.
    rest: Vec<Item>,
    /// Bytes of entries in it that came before the one above them.
    early: usize,
    /// Changes have come: the rest is not loaded.
    changes: bool,
}

impl<'t> Mapper<'t> {
    fn new(tree: &'t Tree<'t>, view: &'t View<'t>) -> Self {
        Self {
            loader: Loader::new(tree),
            view,
            next: 0,
            fresh: 0,
            rest: Vec::new(),
            early: 0,
            changes: false,
        }
    }

    /// Hands over what is there already; `false` if nobody takes it.
    fn existing(&mut self, fill: &SyncSender<Work>) -> bool {
        let mut ids = std::collections::HashMap::new();
        let mut filled = Vec::new();
        let mut objects = Vec::new();
        let walked = self.view.walk(|record, _| {
            let object = record.id().object;
            let new = filled.len() as u32;
            ids.insert(object, new);
            let parent = ids.get(&record.parent()).copied().unwrap_or(ROOT);
            let properties = record.properties().map(|p| Property::new(p.name, p.values)).collect();
            let stamp = self.view.stamp(object)?;
            let known = (stamp.created != 0).then(|| stamp.into());
            filled.push(Filled { parent, properties, stamp: known });
            objects.push((object, new));
            Ok(true)
        });
        let kept = objects.iter().try_for_each(|(object, new)| self.loader.keep(*object, *new));
        if walked.is_err() || kept.is_err() {
            let _ = fill.send(Work::Stop);
            return false;
        }
        self.next = filled.len() as u32;
        self.fresh = self.next;
        fill.send(Work::Filled(filled)).is_ok()
    }

    /// Maps a block and hands it over; `false` if nobody takes it.
    fn block(&mut self, block: &mut Block, fill: &SyncSender<Work>, file: &mut FileReport) -> bool {
        let mut done = Done::default();
        let mut filled = Vec::with_capacity(block.len());
        block.each(|next| match next {
            Next::Entry(entry) => match self.alike(&entry, &mut done) {
                Some(loaded) => filled.push(loaded),
                None => {
                    let what = What::Entry(entry.dn().to_vec(), entry.owned());
                    filled.extend(self.item(Item { line: entry.line(), what }, &mut done));
                }
            },
            Next::Item(item) => filled.extend(self.item(item, &mut done)),
            Next::Problem(problem) => {
                done.unread(&problem);
            }
        });
        done.counts.add_many(Outcome::Created, filled.len() as u64);
        file.add(done);
        fill.send(Work::Filled(filled)).is_ok()
    }

    /// An entry that is like others before it.
    fn alike(&mut self, entry: &Entry<'_>, done: &mut Done) -> Option<Filled> {
        if self.changes || !entry.attributes().all(|(name, mut values)| is_kept(name, &mut values)) {
            return None;
        }
        let loaded = self.loader.load_alike(self.next, entry.dn(), entry.given()).ok()?;
        crate::passwords::flag(&loaded.properties, entry.line(), || shown(entry.dn()), done);
        self.next += 1;
        Some(Filled { parent: loaded.parent, properties: loaded.properties, stamp: loaded.stamp })
    }

    /// Anything else.
    fn item(&mut self, item: Item, done: &mut Done) -> Option<Filled> {
        self.changes |= matches!(item.what, What::Change(..));
        match item.what {
            What::Entry(dn, mut attributes) if !self.changes => match self.loader.find(&dn) {
                Ok(Some(object)) if object < self.fresh => {
                    self.rest.push(Item { line: item.line, what: What::Entry(dn, attributes) });
                    None
                }
                _ => self.entry(item.line, &dn, &mut attributes, done),
            },
            what => {
                self.rest.push(Item { line: item.line, what });
                None
            }
        }
    }

    fn entry(
        &mut self,
        line: u64,
        dn: &[u8],
        attributes: &mut Attributes,
        done: &mut Done,
    ) -> Option<Filled> {
        hash_passwords(self.view, None, attributes, line, "", done);
        keep_disabled(attributes);
        match self.loader.load(self.next, dn, given(attributes)) {
            Ok(loaded) => {
                for warning in loaded.warnings {
                    done.note(Kind::Warning, line, &shown(dn), vec![warning]);
                }
                crate::passwords::flag(&loaded.properties, line, || shown(dn), done);
                self.next += 1;
                Some(Filled { parent: loaded.parent, properties: loaded.properties, stamp: loaded.stamp })
            }
            Err(refusal) if matches!(refusal.reason, Reason::NoSuchObject) && self.early < WAITING_LIMIT => {
                // Perhaps that above it comes later.
                let what = What::Entry(dn.to_vec(), std::mem::take(attributes));
                let item = Item { line, what };
                self.early += item.weight();
                self.rest.push(item);
                None
            }
            Err(refusal) => {
                done.tell(Outcome::Failed, line, &shown(dn), vec![refusal.message]);
                None
            }
        }
    }
}

/// The settings that an export suggests for a domain made for it: its suffix, and how its directories are named.
#[must_use]
pub fn settings<'a>(names: impl Iterator<Item = &'a [u8]>) -> Option<(String, bool)> {
    let names: Vec<String> =
        names.take(SCANNED).map(|name| String::from_utf8_lossy(name).into_owned()).collect();
    let first = names.first()?;
    let ends = |name: &str, suffix: &str| {
        let (name, suffix) = (plain(name), plain(suffix));
        name == suffix || name.ends_with(&format!(",{suffix}"))
    };
    let from_dc = first.to_ascii_lowercase().find("dc=").map_or(first.as_str(), |at| &first[at..]);
    let suffix = if names.iter().all(|name| ends(name, first)) { first.as_str() } else { from_dc };
    let unix = names.iter().any(|name| {
        let name = plain(name);
        ["ou=people,", "ou=group,", "ou=groups,"].iter().any(|start| {
            name.strip_prefix(start)
                .or_else(|| name.split_once(&format!(",{start}")).map(|(_, rest)| rest))
                .is_some_and(|rest| ends(rest, suffix))
        })
    });
    (!suffix.is_empty()).then(|| (suffix.to_owned(), unix))
}

/// Entries that are looked at for the settings of a domain.
pub const SCANNED: usize = 1000;

fn plain(name: &str) -> String {
    let parts = name.split(',').map(|part| part.trim().to_ascii_lowercase());
    parts.collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exports_suggest_settings() {
        let of = |names: &[&str]| settings(names.iter().map(|name| name.as_bytes()));
        let org = ["dc=example, dc=com", "ou=people,dc=example,dc=com", "uid=a,ou=people,dc=example,dc=com"];
        assert_eq!(of(&org), Some(("dc=example, dc=com".into(), true)));
        let apple = ["cn=users,dc=od,dc=net", "uid=a,cn=users,dc=od,dc=net", "cn=groups,dc=od,dc=net"];
        assert_eq!(of(&apple), Some(("dc=od,dc=net".into(), false)));
        assert_eq!(of(&["o=Acme", "ou=Group,o=Acme"]), Some(("o=Acme".into(), true)));
        assert_eq!(of(&[]), None);
    }
}
