//! Directories whose entries in the indexes are still to be made.
//!
//! The entries of one directory lie all over the indexes: making them dirties dozens of pages, each of which has to be on
//! the disk before the change is. So a change leaves a note of a few bytes per entry, on a page that all changes of a
//! commit share, and the writer makes the entries of many directories together when it has time, or when there are
//! [`BLOCKS_KEPT`] of notes. Whoever asks an index looks through the notes as well: they hold a hash of every entry that
//! is asked for, and what the indexes have instead.
//!
//! [`settle`] makes the entries. A batch keeps its directories in memory ([`Gathered`]) and makes their entries in the end: a
//! note for each would cost more than they do.

mod gathered;
mod note;
mod settle;
#[cfg(test)]
mod tests;

use std::collections::HashMap;

use heed::{RoTxn, RwTxn};

use crate::error::{Error, Result};
use crate::index::Terms;
use crate::model::{Property, ROOT, is_secret};
use crate::record::RecordRef;
use crate::remembered::{mark, mark_change};
use crate::store::Store;
use crate::store::keys::{IndexKey, be_u32};
use crate::values::update::{self, related};

pub(crate) use gathered::Gathered;
pub(crate) use note::Note;
use note::{Indexed, Notes, Part, put_hashes, put_properties};
pub(crate) use settle::settle;

/// Blocks of notes from which on the writer settles them even if it is busy.
pub(crate) const BLOCKS_KEPT: u64 = 24;
/// Blocks of notes that one transaction may come to: then they are settled within it.
const BLOCKS_LIMIT: u64 = 64;
/// Longest block, bytes: what LMDB can put on one page of its own.
const BLOCK: usize = 4000;
/// Longest note. Directories with longer ones get their entries at once.
const NOTE_LIMIT: usize = 1500;

/// What a write transaction knows of the directories whose entries are still to be made.
#[derive(Default)]
pub(crate) struct Known {
    /// In a batch: those whose entries are made in the end. Otherwise they leave notes.
    pub(crate) gathered: Option<Gathered>,
    /// The block of each note, once somebody has looked for one.
    places: Option<HashMap<u32, u32>>,
}

impl Known {
    /// The number of the block with the note about a directory.
    fn place(&mut self, store: &Store, txn: &RoTxn<'_>, object: u32) -> Result<Option<u32>> {
        if let Some(places) = &self.places {
            return Ok(places.get(&object).copied());
        }
        let mut places = HashMap::new();
        for block in store.pending.iter(txn)? {
            let (key, bytes) = block?;
            places.extend(Notes(body(key, bytes)?).map(|note| (note.object, be_u32(key))));
        }
        let place = places.get(&object).copied();
        self.places = Some(places);
        Ok(place)
    }
}

/// The hash of an entry of `index`.
pub(crate) fn term_hash(key: &IndexKey) -> u32 {
    crc32c::crc32c(key.as_bytes())
}

/// The hash of an entry of `values`; its key without the chunk.
pub(crate) fn value_hash(key: &[u8]) -> u32 {
    crc32c::crc32c(key)
}

/// Whether nothing is pending: the usual case.
pub(crate) fn is_empty(store: &Store, txn: &RoTxn<'_>) -> Result<bool> {
    Ok(store.pending.len(txn)? == 0)
}

/// All notes.
pub(crate) fn notes<'t>(
    store: &Store,
    txn: &'t RoTxn<'_>,
) -> Result<impl Iterator<Item = Result<Note<'t>>> + use<'t>> {
    let blocks = store.pending.iter(txn)?;
    Ok(blocks.flat_map(|block| {
        let block = block.map_err(Error::from).and_then(|(key, bytes)| body(key, bytes));
        let (notes, error) = match block {
            Ok(notes) => (notes, None),
            Err(error) => (&[][..], Some(Err(error))),
        };
        Notes(notes).map(Ok).chain(error)
    }))
}

/// Whether entries of a directory are pending.
pub(crate) fn is_noted(store: &Store, txn: &RoTxn<'_>, object: u32) -> Result<bool> {
    let mut found = false;
    notes(store, txn)?.try_for_each(|note| {
        found |= note?.object == object;
        Ok::<_, Error>(())
    })?;
    Ok(found)
}

/// The notes in a block whose checksum is right.
fn body<'t>(key: &[u8], bytes: &'t [u8]) -> Result<&'t [u8]> {
    match bytes.split_first_chunk() {
        Some((sum, notes)) if u32::from_le_bytes(*sum) == crc32c::crc32c(notes) => Ok(notes),
        _ => Err(Error::damaged(format!("block {} of pending entries fails its checksum", be_u32(key)))),
    }
}

fn damaged(object: u32) -> Error {
    Error::damaged(format!("the pending entries of record {object} cannot be read"))
}

/// Object ids of the children of `parent` whose first property `name` has `value`, in order of the ids.
pub(crate) fn children_with(
    store: &Store,
    txn: &RoTxn<'_>,
    parent: u32,
    name: &[u8],
    value: &[u8],
) -> Result<Vec<u32>> {
    found(store, txn, &IndexKey::new(parent, name, value), (parent, name, value))
}

/// As [`children_with`]; `term` is the key of the entry.
fn found(
    store: &Store,
    txn: &RoTxn<'_>,
    term: &IndexKey,
    (parent, name, value): (u32, &[u8], &[u8]),
) -> Result<Vec<u32>> {
    let mut hits = Vec::new();
    for hit in store.index.get_duplicates(txn, term.as_bytes())?.into_iter().flatten() {
        hits.push(be_u32(hit?.1));
    }
    if !is_empty(store, txn)? {
        let hash = term_hash(term);
        // Most of the time there are hundreds of notes, none of which has it.
        notes(store, txn)?.try_for_each(|note| {
            let note = note?;
            let found = hits.binary_search(&note.object);
            if found.is_err() && !note.has(hash) {
                return Ok(());
            }
            let record = store.record(txn, note.object)?;
            match (found, record.is_some_and(|record| matches(&record, parent, name, value))) {
                (Err(at), true) => hits.insert(at, note.object),
                (Ok(at), false) => drop(hits.remove(at)),
                _ => {}
            }
            Ok::<_, Error>(())
        })?;
    }
    Ok(hits)
}

/// Whether a record asks for an entry of `index`.
fn matches(record: &RecordRef<'_>, parent: u32, name: &[u8], value: &[u8]) -> bool {
    record.id().object != ROOT
        && record.parent() == parent
        && !is_secret(name)
        && record.property(name).is_some_and(|property| property.values.contains(value))
}

/// Notes a directory that is in no index.
pub(crate) fn enter(
    store: &Store,
    txn: &mut RwTxn<'_>,
    known: &mut Known,
    object: u32,
    parent: u32,
    properties: &[Property],
) -> Result<()> {
    if !forgets(store, txn, known) {
        mark(store, txn, parent, properties);
    }
    if let Some(gathered) = &mut known.gathered {
        gathered.add(object, parent, None, properties);
        return Ok(());
    }
    note(store, txn, known, object, parent, None, properties)
}

/// Notes that the properties of a directory have changed.
pub(crate) fn change(
    store: &Store,
    txn: &mut RwTxn<'_>,
    known: &mut Known,
    object: u32,
    parent: u32,
    old: &[Property],
    new: &[Property],
) -> Result<()> {
    if !forgets(store, txn, known) {
        mark_change(store, txn, parent, old, new);
    }
    let before = take(store, txn, known, object, old)?;
    if let Some(gathered) = &mut known.gathered {
        gathered.add(object, parent, before.unwrap_or_else(|| Some(old.to_vec())), new);
        return Ok(());
    }
    match before {
        Some(indexed) => note(store, txn, known, object, parent, indexed.as_deref(), new),
        None => note(store, txn, known, object, parent, Some(old), new),
    }
}

/// Takes a directory with these properties out of the indexes.
pub(crate) fn leave(
    store: &Store,
    txn: &mut RwTxn<'_>,
    known: &mut Known,
    object: u32,
    parent: u32,
    properties: &[Property],
) -> Result<()> {
    if !forgets(store, txn, known) {
        mark(store, txn, parent, properties);
    }
    match take(store, txn, known, object, properties)? {
        Some(indexed) => at_once(store, txn, object, parent, &indexed.unwrap_or_default(), &[]),
        None => at_once(store, txn, object, parent, properties, &[]),
    }
}

/// Makes the entries of a directory with these properties if they are still to be made.
pub(crate) fn finish(
    store: &Store,
    txn: &mut RwTxn<'_>,
    known: &mut Known,
    object: u32,
    parent: u32,
    properties: &[Property],
) -> Result<()> {
    match take(store, txn, known, object, properties)? {
        Some(indexed) => at_once(store, txn, object, parent, &indexed.unwrap_or_default(), properties),
        None => Ok(()),
    }
}

/// Forgets all that was remembered if there are many directories to change; whether it did.
fn forgets(store: &Store, txn: &RwTxn<'_>, known: &Known) -> bool {
    let large = known.gathered.as_ref().is_some_and(Gathered::is_large);
    if large {
        store.remembered.mark_all(txn.id());
    }
    large
}

/// Notes a directory without a note, or changes the indexes where the note would be too long.
fn note(
    store: &Store,
    txn: &mut RwTxn<'_>,
    known: &mut Known,
    object: u32,
    parent: u32,
    indexed: Option<&[Property]>,
    new: &[Property],
) -> Result<()> {
    let old = indexed.unwrap_or_default();
    let Some(part) = Part::of(old, new) else { return at_once(store, txn, object, parent, old, new) };
    let (gone, come) = (part.differing(old), part.differing(new));
    if indexed.is_some() && same_entries(gone, come) {
        return Ok(());
    }
    let (mut hashes, mut bytes) = (Vec::new(), Vec::new());
    let roughly = come.iter().map(|p| p.values.len()).sum::<usize>() * 4;
    if roughly <= NOTE_LIMIT {
        put_hashes(object, parent, old, new, &mut hashes);
        put_properties(gone, &mut bytes);
    }
    if roughly + hashes.len() + bytes.len() > NOTE_LIMIT {
        return at_once(store, txn, object, parent, old, new);
    }
    let indexed = indexed.map(|_| Indexed { part: Some(part), bytes: &bytes });
    append(store, txn, known, Note { object, hashes: &hashes, indexed })?;
    if store.pending.len(txn)? > BLOCKS_LIMIT {
        known.places = None;
        settle(store, txn)?;
    }
    Ok(())
}

/// Whether two lists surely ask for the same entries: where they differ, it is in values that no index has.
fn same_entries(old: &[Property], new: &[Property]) -> bool {
    let same =
        |(old, new): (&Property, &Property)| old == new || old.name == new.name && is_secret(&old.name);
    old.len() == new.len() && old.iter().zip(new).all(same)
}

/// Puts a note behind the others.
fn append(store: &Store, txn: &mut RwTxn<'_>, known: &mut Known, note: Note<'_>) -> Result<()> {
    let mut notes = vec![0; 4];
    let mut number = 0;
    if let Some((key, bytes)) = store.pending.last(txn)? {
        let last = body(key, bytes)?;
        number = be_u32(key);
        if 4 + last.len() + note.len() <= BLOCK {
            notes.extend_from_slice(last);
        } else {
            number += 1;
        }
    }
    note.encode(&mut notes);
    if let Some(places) = &mut known.places {
        places.insert(note.object, number);
    }
    put_block(store, txn, number, notes)
}

/// Stores a block; there is room for the checksum in front of the notes.
fn put_block(store: &Store, txn: &mut RwTxn<'_>, number: u32, mut block: Vec<u8>) -> Result<()> {
    let sum = crc32c::crc32c(&block[4..]);
    block[..4].copy_from_slice(&sum.to_le_bytes());
    Ok(store.pending.put(txn, &number.to_be_bytes(), &block)?)
}

/// Properties according to which a directory is in the indexes; `None` if it is in none.
type Properties = Option<Vec<Property>>;

/// Takes out the note about a directory with these properties, if there is one, or what was gathered of it.
fn take(
    store: &Store,
    txn: &mut RwTxn<'_>,
    known: &mut Known,
    object: u32,
    present: &[Property],
) -> Result<Option<Properties>> {
    if let Some(indexed) = known.gathered.as_mut().and_then(|gathered| gathered.remove(object)) {
        return Ok(Some(indexed));
    }
    let Some(number) = known.place(store, txn, object)? else { return Ok(None) };
    let key = number.to_be_bytes();
    let notes = store.pending.get(txn, &key)?.map_or(Ok(&[][..]), |bytes| body(&key, bytes))?;
    let Some(note) = Notes(notes).find(|note| note.object == object) else { return Ok(None) };
    let mut rest = vec![0; 4];
    Notes(notes).filter(|note| note.object != object).for_each(|note| note.encode(&mut rest));
    let indexed = note.entered(present)?;
    if rest.len() > 4 {
        put_block(store, txn, number, rest)?;
    } else {
        store.pending.delete(txn, &key)?;
    }
    if let Some(places) = &mut known.places {
        places.remove(&object);
    }
    Ok(Some(indexed))
}

/// Brings the indexes from one list of properties to another.
fn at_once(
    store: &Store,
    txn: &mut RwTxn<'_>,
    object: u32,
    parent: u32,
    old: &[Property],
    new: &[Property],
) -> Result<()> {
    if object != ROOT {
        let (before, after) = related(old, new);
        let (before, after) = (Terms::of(before), Terms::of(after));
        for (name, value) in before.missing_in(&after) {
            let key = IndexKey::new(parent, name, value);
            store.index.delete_one_duplicate(txn, key.as_bytes(), &object.to_be_bytes())?;
        }
        for (name, value) in after.missing_in(&before) {
            let key = IndexKey::new(parent, name, value);
            store.index.put(txn, key.as_bytes(), &object.to_be_bytes())?;
        }
    }
    update::change(store, txn, object, old, new)
}
