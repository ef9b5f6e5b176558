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
mod settle;
#[cfg(test)]
mod tests;

use heed::{RoTxn, RwTxn};

use crate::error::{Error, Result};
use crate::index::Terms;
use crate::model::{Property, ROOT, is_secret};
use crate::record::RecordRef;
use crate::remembered::{mark, mark_change};
use crate::store::Store;
use crate::store::keys::{IndexKey, be_u32};
use crate::values::update;

pub(crate) use gathered::Gathered;
pub(crate) use settle::settle;

/// Blocks of notes from which on the writer settles them even if it is busy.
pub(crate) const BLOCKS_KEPT: u64 = 24;
/// Blocks of notes that one transaction may come to: then they are settled within it.
const BLOCKS_LIMIT: u64 = 64;
/// Longest block, bytes: what LMDB can put on one page of its own.
const BLOCK: usize = 4000;
/// Longest note. Directories with longer ones get their entries at once.
const NOTE_LIMIT: usize = 1500;
/// Bytes of a note in front of its hashes: object id, number of hashes, length of the rest.
const NOTE_HEAD: usize = 10;
/// Stands for the length of what the indexes have of a directory that they have nothing of.
const NOTHING: u32 = u32::MAX;

/// A note about one directory.
#[derive(Clone, Copy)]
pub(crate) struct Note<'t> {
    pub(crate) object: u32,
    /// Hashes of the entries that its record asks for, little-endian.
    hashes: &'t [u8],
    /// The properties according to which it is in the indexes, in stored form.
    indexed: Option<&'t [u8]>,
}

impl Note<'_> {
    /// Whether its record may ask for an entry with this hash.
    pub(crate) fn has(&self, hash: u32) -> bool {
        self.hashes.chunks_exact(4).any(|bytes| bytes == hash.to_le_bytes())
    }

    /// The properties according to which it is in the indexes. Secret ones come without values.
    pub(crate) fn indexed(&self) -> Result<Vec<Property>> {
        let Some(bytes) = self.indexed else { return Ok(Vec::new()) };
        properties(bytes).ok_or_else(|| damaged(self.object))
    }

    /// Whether the hashes are those that a record with these properties asks for.
    pub(crate) fn fits(&self, parent: u32, properties: &[Property]) -> bool {
        let mut expected = Vec::new();
        put_hashes(self.object, parent, properties, &mut expected);
        self.hashes == expected
    }

    fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.object.to_le_bytes());
        out.extend_from_slice(&((self.hashes.len() / 4) as u16).to_le_bytes());
        let rest = self.indexed.map_or(NOTHING, |bytes| bytes.len() as u32);
        out.extend_from_slice(&rest.to_le_bytes());
        out.extend_from_slice(self.hashes);
        out.extend_from_slice(self.indexed.unwrap_or_default());
    }
}

/// The notes of a block, one after the other; ends before one that is cut off.
struct Notes<'t>(&'t [u8]);

impl<'t> Iterator for Notes<'t> {
    type Item = Note<'t>;

    fn next(&mut self) -> Option<Note<'t>> {
        let (head, rest) = self.0.split_first_chunk::<NOTE_HEAD>()?;
        let object = u32::from_le_bytes([head[0], head[1], head[2], head[3]]);
        let count = usize::from(u16::from_le_bytes([head[4], head[5]]));
        let len = u32::from_le_bytes([head[6], head[7], head[8], head[9]]);
        let (hashes, rest) = rest.split_at_checked(count * 4)?;
        let (indexed, rest) = match len {
            NOTHING => (None, rest),
            len => rest.split_at_checked(len as usize).map(|(bytes, rest)| (Some(bytes), rest))?,
        };
        self.0 = rest;
        Some(Note { object, hashes, indexed })
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
        for note in notes(store, txn)? {
            let note = note?;
            let found = hits.binary_search(&note.object);
            if found.is_err() && !note.has(hash) {
                continue;
            }
            let record = store.record(txn, note.object)?;
            match (found, record.is_some_and(|record| matches(&record, parent, name, value))) {
                (Err(at), true) => hits.insert(at, note.object),
                (Ok(at), false) => drop(hits.remove(at)),
                _ => {}
            }
        }
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
    gathered: Option<&mut Gathered>,
    object: u32,
    parent: u32,
    properties: &[Property],
) -> Result<()> {
    if !forgets(store, txn, gathered.as_deref()) {
        mark(store, txn, parent, properties);
    }
    if let Some(gathered) = gathered {
        gathered.add(object, parent, None, properties);
        return Ok(());
    }
    note(store, txn, object, parent, None, properties)
}

/// Notes that the properties of a directory have changed.
pub(crate) fn change(
    store: &Store,
    txn: &mut RwTxn<'_>,
    mut gathered: Option<&mut Gathered>,
    object: u32,
    parent: u32,
    old: &[Property],
    new: &[Property],
) -> Result<()> {
    if !forgets(store, txn, gathered.as_deref()) {
        mark_change(store, txn, parent, old, new);
    }
    let before = take(store, txn, gathered.as_deref_mut(), object)?;
    if let Some(gathered) = gathered {
        gathered.add(object, parent, before.unwrap_or_else(|| Some(old.to_vec())), new);
        return Ok(());
    }
    match before {
        Some(indexed) => note(store, txn, object, parent, indexed.as_deref(), new),
        None => note(store, txn, object, parent, Some(old), new),
    }
}

/// Takes a directory with these properties out of the indexes.
pub(crate) fn leave(
    store: &Store,
    txn: &mut RwTxn<'_>,
    gathered: Option<&mut Gathered>,
    object: u32,
    parent: u32,
    properties: &[Property],
) -> Result<()> {
    if !forgets(store, txn, gathered.as_deref()) {
        mark(store, txn, parent, properties);
    }
    match take(store, txn, gathered, object)? {
        Some(indexed) => at_once(store, txn, object, parent, &indexed.unwrap_or_default(), &[]),
        None => at_once(store, txn, object, parent, properties, &[]),
    }
}

/// Makes the entries of a directory with these properties if they are still to be made.
pub(crate) fn finish(
    store: &Store,
    txn: &mut RwTxn<'_>,
    gathered: Option<&mut Gathered>,
    object: u32,
    parent: u32,
    properties: &[Property],
) -> Result<()> {
    match take(store, txn, gathered, object)? {
        Some(indexed) => at_once(store, txn, object, parent, &indexed.unwrap_or_default(), properties),
        None => Ok(()),
    }
}

/// Forgets all that was remembered if there are many directories to change; whether it did.
fn forgets(store: &Store, txn: &RwTxn<'_>, gathered: Option<&Gathered>) -> bool {
    let large = gathered.is_some_and(Gathered::is_large);
    if large {
        store.remembered.mark_all(txn.id());
    }
    large
}

/// Notes a directory without a note, or changes the indexes where the note would be too long.
fn note(
    store: &Store,
    txn: &mut RwTxn<'_>,
    object: u32,
    parent: u32,
    indexed: Option<&[Property]>,
    new: &[Property],
) -> Result<()> {
    let (mut hashes, mut old) = (Vec::new(), Vec::new());
    let roughly = new.iter().map(|p| p.values.len()).sum::<usize>() * 4;
    if roughly <= NOTE_LIMIT {
        put_hashes(object, parent, new, &mut hashes);
        put_properties(indexed.unwrap_or_default(), &mut old);
    }
    if roughly + hashes.len() + old.len() > NOTE_LIMIT {
        return at_once(store, txn, object, parent, indexed.unwrap_or_default(), new);
    }
    let indexed = indexed.map(|_| &old[..]);
    append(store, txn, Note { object, hashes: &hashes, indexed })?;
    if store.pending.len(txn)? > BLOCKS_LIMIT {
        settle(store, txn)?;
    }
    Ok(())
}

/// Puts a note behind the others.
fn append(store: &Store, txn: &mut RwTxn<'_>, note: Note<'_>) -> Result<()> {
    let mut notes = vec![0; 4];
    let mut number = 0;
    if let Some((key, bytes)) = store.pending.last(txn)? {
        let last = body(key, bytes)?;
        let more = NOTE_HEAD + note.hashes.len() + note.indexed.map_or(0, <[u8]>::len);
        number = be_u32(key);
        if 4 + last.len() + more <= BLOCK {
            notes.extend_from_slice(last);
        } else {
            number += 1;
        }
    }
    note.encode(&mut notes);
    put_block(store, txn, number, notes)
}

/// Stores a block; there is room for the checksum in front of the notes.
fn put_block(store: &Store, txn: &mut RwTxn<'_>, number: u32, mut block: Vec<u8>) -> Result<()> {
    let sum = crc32c::crc32c(&block[4..]);
    block[..4].copy_from_slice(&sum.to_le_bytes());
    Ok(store.pending.put(txn, &number.to_be_bytes(), &block)?)
}

/// Properties according to which a directory is in the indexes; `None` if it is in none.
type Indexed = Option<Vec<Property>>;

/// Takes out the note about a directory, if there is one, or what was gathered of it.
fn take(
    store: &Store,
    txn: &mut RwTxn<'_>,
    gathered: Option<&mut Gathered>,
    object: u32,
) -> Result<Option<Indexed>> {
    if let Some(indexed) = gathered.and_then(|gathered| gathered.remove(object)) {
        return Ok(Some(indexed));
    }
    let mut found = None;
    for block in store.pending.iter(txn)? {
        let (key, bytes) = block?;
        let notes = body(key, bytes)?;
        if let Some(note) = Notes(notes).find(|note| note.object == object) {
            let mut rest = vec![0; 4];
            Notes(notes).filter(|note| note.object != object).for_each(|note| note.encode(&mut rest));
            let indexed = note.indexed.map(|_| note.indexed()).transpose()?;
            found = Some((be_u32(key), rest, indexed));
            break;
        }
    }
    let Some((number, rest, indexed)) = found else { return Ok(None) };
    if rest.len() > 4 {
        put_block(store, txn, number, rest)?;
    } else {
        store.pending.delete(txn, &number.to_be_bytes())?;
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
        let (before, after) = (Terms::of(old), Terms::of(new));
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

/// Appends the hashes of all entries of `index` and `values` that a directory asks for.
fn put_hashes(object: u32, parent: u32, properties: &[Property], out: &mut Vec<u8>) {
    if object != ROOT {
        for (name, value) in Terms::of(properties).iter() {
            out.extend_from_slice(&term_hash(&IndexKey::new(parent, name, value)).to_le_bytes());
        }
    }
    for key in update::Keys::of(object, properties).values() {
        out.extend_from_slice(&value_hash(key).to_le_bytes());
    }
}

/// Appends properties in stored form: names and values as they are, of secret ones no values.
fn put_properties(properties: &[Property], out: &mut Vec<u8>) {
    let count = |n: usize| (n as u32).to_le_bytes();
    for Property { name, values } in properties {
        let values = if is_secret(name) { &[][..] } else { values };
        out.extend_from_slice(&count(name.len()));
        out.extend_from_slice(name);
        out.extend_from_slice(&count(values.len()));
        for value in values {
            out.extend_from_slice(&count(value.len()));
            out.extend_from_slice(value);
        }
    }
}

fn properties(mut bytes: &[u8]) -> Option<Vec<Property>> {
    fn number(bytes: &mut &[u8]) -> Option<u32> {
        let (number, rest) = bytes.split_first_chunk()?;
        *bytes = rest;
        Some(u32::from_le_bytes(*number))
    }
    fn text(bytes: &mut &[u8]) -> Option<Vec<u8>> {
        let len = number(bytes)? as usize;
        let (text, rest) = bytes.split_at_checked(len)?;
        *bytes = rest;
        Some(text.to_vec())
    }
    let mut list = Vec::new();
    while !bytes.is_empty() {
        let name = text(&mut bytes)?;
        let count = number(&mut bytes)?;
        let values = (0..count).map(|_| text(&mut bytes)).collect::<Option<_>>()?;
        list.push(Property { name, values });
    }
    Some(list)
}
