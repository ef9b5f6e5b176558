//! Directories of a batch, kept in memory until its end.

use std::cell::OnceCell;
use std::collections::{BTreeMap, HashMap};

use heed::{RoTxn, RwTxn};

use super::settle::Work;
use super::{Known, Properties, found, matches, note, term_hash};
use crate::error::Result;
use crate::index::each_term;
use crate::model::{Property, ROOT};
use crate::remembered::FORGETTING;
use crate::store::Store;
use crate::store::keys::IndexKey;

/// Directories whose entries in the indexes are still to be made.
#[derive(Default)]
pub(crate) struct Gathered {
    /// What the indexes have of each.
    indexed: BTreeMap<u32, Properties>,
    /// Made when somebody looks for one of them: many a batch knows where everything belongs.
    asked: OnceCell<Asked>,
}

/// Who asks for which entries of the name index.
#[derive(Default)]
struct Asked {
    /// By hash of an entry: the last of those in `list` that may ask for it.
    last: HashMap<u32, usize>,
    /// A directory, and where the one before it with the same hash is.
    list: Vec<(u32, Option<usize>)>,
}

impl Asked {
    fn add(&mut self, object: u32, parent: u32, properties: &[Property]) {
        if object == ROOT {
            return;
        }
        each_term(properties, |_, name, value| {
            let hash = term_hash(&IndexKey::new(parent, name, value));
            let before = self.last.insert(hash, self.list.len());
            self.list.push((object, before));
        });
    }
}

impl Gathered {
    /// Adds a directory that has these properties now.
    pub(super) fn add(&mut self, object: u32, parent: u32, indexed: Properties, properties: &[Property]) {
        self.indexed.insert(object, indexed);
        if let Some(asked) = self.asked.get_mut() {
            asked.add(object, parent, properties);
        }
    }

    /// Who asks for which entries, all directories included that are here.
    fn asked(&self, store: &Store, txn: &RoTxn<'_>) -> Result<&Asked> {
        if let Some(asked) = self.asked.get() {
            return Ok(asked);
        }
        let mut asked = Asked::default();
        for object in self.indexed.keys() {
            if let Some(record) = store.record(txn, *object)? {
                asked.add(*object, record.parent(), &record.to_record().properties);
            }
        }
        Ok(self.asked.get_or_init(|| asked))
    }

    /// Whether there are so many that nothing need be remembered of before.
    pub(super) fn is_large(&self) -> bool {
        self.indexed.len() > FORGETTING
    }

    pub(super) fn remove(&mut self, object: u32) -> Option<Properties> {
        self.indexed.remove(&object)
    }

    /// As [`super::children_with`], with these directories as they are now.
    pub(crate) fn children_with(
        &self,
        store: &Store,
        txn: &RoTxn<'_>,
        parent: u32,
        name: &[u8],
        value: &[u8],
    ) -> Result<Vec<u32>> {
        let term = IndexKey::new(parent, name, value);
        let mut hits = found(store, txn, &term, (parent, name, value))?;
        let fits = |object: u32| -> Result<bool> {
            Ok(store.record(txn, object)?.is_some_and(|record| matches(&record, parent, name, value)))
        };
        let mut kept = Vec::with_capacity(hits.len());
        for object in hits.drain(..) {
            if !self.indexed.contains_key(&object) || fits(object)? {
                kept.push(object);
            }
        }
        let asked = self.asked(store, txn)?;
        let mut next = asked.last.get(&term_hash(&term)).copied();
        while let Some((object, before)) = next.and_then(|at| asked.list.get(at).copied()) {
            next = before;
            if let Err(at) = kept.binary_search(&object)
                && self.indexed.contains_key(&object)
                && fits(object)?
            {
                kept.insert(at, object);
            }
        }
        Ok(kept)
    }

    /// Leaves notes about them.
    pub(crate) fn leave_notes(self, store: &Store, txn: &mut RwTxn<'_>) -> Result<()> {
        let mut known = Known::default();
        for (object, indexed) in self.indexed {
            let Some(record) = store.record(txn, object)? else { continue };
            let record = record.to_record();
            note(
                store,
                txn,
                &mut known,
                object,
                record.header.parent,
                indexed.as_deref(),
                &record.properties,
            )?;
        }
        Ok(())
    }

    /// Makes their entries, and all others that are pending.
    pub(crate) fn settle(self, store: &Store, txn: &mut RwTxn<'_>) -> Result<()> {
        let mut work = Work::of_notes(store, txn)?;
        for (object, indexed) in self.indexed {
            let Some(record) = store.record(txn, object)? else { continue };
            let record = record.to_record();
            work.add(object, record.header.parent, indexed, &record.properties)?;
            work.drain(store, txn)?;
        }
        work.carry_out(store, txn)
    }
}
