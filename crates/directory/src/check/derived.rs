//! The value index and the stamps: whether they are what the records ask for.

use std::collections::HashMap;

use super::Checker;
use crate::error::Result;
use crate::model::Property;
use crate::pending;
use crate::record::RecordRef;
use crate::stamp;
use crate::store::keys::be_u32;
use crate::store::state::State;
use crate::values::set::{self, Set, chunk_key, chunk_of};
use crate::values::update::Keys;

/// Entries of `pieces` that the records of one chunk ask for.
type Pieces = HashMap<Vec<u8>, Set>;

impl Checker<'_> {
    /// The notes about pending entries: whether each is about a directory, once, and tells the entries it asks for.
    pub(super) fn pending(&mut self) -> Result<()> {
        for note in pending::notes(self.store, self.txn)? {
            let note = match note {
                Ok(note) => note,
                Err(error) => {
                    self.fault("pending", None, error.to_string());
                    continue;
                }
            };
            let mut indexed = Vec::new();
            match self.store.record(self.txn, note.object) {
                Ok(Some(record)) => {
                    let record = record.to_record();
                    match note.entered(&record.properties) {
                        Ok(entered) => indexed = entered.unwrap_or_default(),
                        Err(error) => {
                            self.fault("pending", note.object, error.to_string());
                            continue;
                        }
                    }
                    if !note.fits(record.header.parent, &indexed, &record.properties) {
                        self.fault("pending", note.object, "its pending entries are not those it asks for");
                    }
                }
                Ok(None) => self.fault("pending", note.object, "entries are pending, but there is no record"),
                // Told with the record.
                Err(_) => {}
            }
            if self.indexed.insert(note.object, indexed).is_some() {
                self.fault("pending", note.object, "its entries are pending twice");
            }
        }
        Ok(())
    }

    /// The properties according to which a directory is in the indexes: those of its record, if nothing is pending.
    pub(super) fn indexed_as(&self, object: u32, record: RecordRef<'_>) -> Vec<Property> {
        self.indexed.get(&object).cloned().unwrap_or_else(|| record.to_record().properties)
    }

    /// The value index: every entry that is asked for is there, and as many are there as are asked for.
    pub(super) fn values(&mut self) -> Result<()> {
        let (mut asked, mut pieces_seen) = (0, 0);
        let (mut chunk, mut pieces) = (0, Pieces::new());
        for entry in self.store.records.iter(self.txn)? {
            let (key, bytes) = entry?;
            let object = be_u32(key);
            if chunk_of(object) != chunk {
                pieces_seen += self.pieces(chunk, std::mem::take(&mut pieces))?;
                chunk = chunk_of(object);
            }
            if let Ok(record) = RecordRef::parse(object, bytes) {
                asked += self.values_of(object, record, &mut pieces)?;
            }
        }
        pieces_seen += self.pieces(chunk, pieces)?;
        let mut found = 0;
        for entry in self.store.values.iter(self.txn)? {
            found += set::len(entry?.1);
        }
        if found != asked {
            self.fault("values", None, format!("{found} entries where the records have {asked}"));
        }
        let stored = self.store.pieces.len(self.txn)?;
        if stored != pieces_seen {
            let more = stored - pieces_seen;
            self.fault("values", None, format!("{more} sets of pieces for directories that do not exist"));
        }
        Ok(())
    }

    /// Looks for the values of one directory, notes its pieces, and tells how many values it has.
    fn values_of(&mut self, object: u32, record: RecordRef<'_>, pieces: &mut Pieces) -> Result<u64> {
        let (mut asked, mut missing) = (0, 0);
        for (value, key) in Keys::of(object, &self.indexed_as(object, record)).iter() {
            if value {
                asked += 1;
                let found = self.store.values.get(self.txn, key)?;
                missing += u64::from(!found.is_some_and(|bytes| set::has(bytes, object)));
            } else if let Some(set) = pieces.get_mut(key) {
                set.insert(object);
            } else {
                let mut set = Set::default();
                set.insert(object);
                pieces.insert(key.to_vec(), set);
            }
        }
        if missing > 0 {
            self.fault("values", object, format!("{missing} of its values are not in the value index"));
        }
        Ok(asked)
    }

    /// Compares a chunk's pieces with those stored; tells how many are stored.
    fn pieces(&mut self, chunk: u32, mut asked: Pieces) -> Result<u64> {
        let (mut stored, mut wrong, mut room) = (0, 0, Vec::new());
        for entry in self.store.pieces.prefix_iter(self.txn, &chunk_key(chunk))? {
            let (key, bytes) = entry?;
            stored += 1;
            room.clear();
            match asked.remove(key) {
                Some(set) => {
                    set.encode(&mut room);
                    wrong += u64::from(room != bytes);
                }
                None => wrong += 1,
            }
        }
        wrong += asked.len() as u64;
        if wrong > 0 {
            let first = chunk << set::CHUNK_BITS;
            self.fault(
                "values",
                None,
                format!("{wrong} sets of pieces of values are wrong for directories from {first} on"),
            );
        }
        Ok(stored)
    }

    /// The stamps, and the tables by which they are found.
    pub(super) fn stamps(&mut self, state: &State) -> Result<()> {
        let (mut uuids, mut times) = (0, 0);
        for entry in self.store.stamps.iter(self.txn)? {
            let (key, bytes) = entry?;
            let object = be_u32(key);
            if self.store.records.get(self.txn, key)?.is_none() {
                self.fault("stamp", object, "its stamp is there, but no record");
            }
            let stamp = match stamp::parse(object, bytes) {
                Ok(stamp) => stamp,
                Err(error) => {
                    self.fault("stamp", object, error.to_string());
                    continue;
                }
            };
            if stamp::derived_object(&state.uuid, &stamp.uuid) != Some(object) {
                uuids += 1;
                if self.store.uuids.get(self.txn, &stamp.uuid)?.map(be_u32) != Some(object) {
                    self.fault("stamp", object, "its uuid does not lead to it");
                }
            }
            if stamp.modified != 0 {
                times += 1;
                if self.store.times.get(self.txn, &stamp::time_key(stamp.modified, object))?.is_none() {
                    self.fault("stamp", object, "the time of its last change does not lead to it");
                }
            }
        }
        let found = (self.store.uuids.len(self.txn)?, self.store.times.len(self.txn)?);
        if found != (uuids, times) {
            let text =
                format!("{} uuids and {} times where the stamps have {uuids} and {times}", found.0, found.1);
            self.fault("stamp", None, text);
        }
        Ok(())
    }
}
