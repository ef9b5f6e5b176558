//! Making the entries that are pending: of many directories together, in the order of the tables, so that each page is
//! written once for all of them.

use std::ops::Range;

use heed::RwTxn;

use super::Properties;
use crate::bulk::Bulk;
use crate::error::Result;
use crate::index::Terms;
use crate::model::{Property, ROOT};
use crate::store::Store;
use crate::store::keys::IndexKey;
use crate::values::set::Set;
use crate::values::update::{self, Keys, related};

/// Makes all entries that are pending. A directory whose record cannot be read keeps its note; a check reports it.
pub(crate) fn settle(store: &Store, txn: &mut RwTxn<'_>) -> Result<()> {
    Work::of_notes(store, txn)?.carry_out(store, txn)
}

/// What is to be done, by table.
pub(super) struct Work {
    /// Entries of directories that the indexes have nothing of.
    new: Bulk,
    full: bool,
    keys: Vec<u8>,
    items: Vec<Item>,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    Index,
    Values,
    Pieces,
}

struct Item {
    place: Place,
    key: Range<usize>,
    object: u32,
    /// Whether the entry is to come or to go.
    come: bool,
}

impl Work {
    /// What the notes ask for, which are taken away.
    pub(super) fn of_notes(store: &Store, txn: &mut RwTxn<'_>) -> Result<Self> {
        let mut work = Self { new: Bulk::new(store), full: false, keys: Vec::new(), items: Vec::new() };
        let mut kept = vec![0; 4];
        for note in super::notes(store, txn)? {
            let note = note?;
            match store.record(txn, note.object) {
                Ok(Some(record)) => {
                    let record = record.to_record();
                    let indexed = note.entered(&record.properties)?;
                    work.add(note.object, record.header.parent, indexed, &record.properties)?;
                }
                _ => note.encode(&mut kept),
            }
        }
        store.pending.clear(txn)?;
        if kept.len() > 4 {
            super::put_block(store, txn, 0, kept)?;
        }
        Ok(work)
    }

    /// Adds a directory, as the indexes have it and as it is.
    pub(super) fn add(
        &mut self,
        object: u32,
        parent: u32,
        indexed: Properties,
        properties: &[Property],
    ) -> Result<()> {
        match indexed {
            Some(old) => self.compare(object, parent, &old, properties),
            None => self.full |= self.new.add((object != ROOT).then_some(parent), object, properties)?,
        }
        Ok(())
    }

    /// Makes some of the entries, if there are many.
    pub(super) fn drain(&mut self, store: &Store, txn: &mut RwTxn<'_>) -> Result<()> {
        if std::mem::take(&mut self.full) { self.new.drain(store, txn) } else { Ok(()) }
    }

    fn compare(&mut self, object: u32, parent: u32, old: &[Property], new: &[Property]) {
        let (old, new) = related(old, new);
        if object != ROOT {
            let (before, after) = (Terms::of(old.clone()), Terms::of(new.clone()));
            for (from, to, come) in [(&before, &after, false), (&after, &before, true)] {
                for (name, value) in from.missing_in(to) {
                    self.push(Place::Index, IndexKey::new(parent, name, value).as_bytes(), object, come);
                }
            }
        }
        let (before, after) = (Keys::of(object, old), Keys::of(object, new));
        for (from, to, come) in [(&before, &after, false), (&after, &before, true)] {
            for key in from.iter().filter(|key| !to.has(*key)) {
                let place = if key.0 { Place::Values } else { Place::Pieces };
                self.push(place, key.1, object, come);
            }
        }
    }

    fn push(&mut self, place: Place, key: &[u8], object: u32, come: bool) {
        let start = self.keys.len();
        self.keys.extend_from_slice(key);
        self.items.push(Item { place, key: start..self.keys.len(), object, come });
    }

    /// Makes the entries.
    pub(super) fn carry_out(mut self, store: &Store, txn: &mut RwTxn<'_>) -> Result<()> {
        self.new.finish(store, txn)?;
        let keys = &self.keys;
        let place = |item: &Item| (item.place, &keys[item.key.clone()]);
        self.items.sort_unstable_by(|a, b| place(a).cmp(&place(b)).then(a.object.cmp(&b.object)));
        let mut room = Vec::new();
        for same in self.items.chunk_by(|a, b| place(a) == place(b)) {
            let (kind, key) = place(&same[0]);
            if kind == Place::Index {
                for item in same {
                    let object = item.object.to_be_bytes();
                    match item.come {
                        true => store.index.put(txn, key, &object)?,
                        false => drop(store.index.delete_one_duplicate(txn, key, &object)?),
                    }
                }
                continue;
            }
            let table = update::table(store, kind == Place::Values);
            let mut set = table.get(txn, key)?.map(Set::decode).unwrap_or_default();
            for item in same {
                match item.come {
                    true => set.insert(item.object),
                    false => set.remove(item.object),
                };
            }
            if set.is_empty() {
                table.delete(txn, key)?;
            } else {
                room.clear();
                set.encode(&mut room);
                table.put(txn, key, &room)?;
            }
        }
        Ok(())
    }
}
