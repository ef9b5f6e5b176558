//! Keeping the value index, with every change.

use std::collections::HashSet;
use std::ops::Range;

use heed::RwTxn;

use super::set::{self, CHUNK_KEY, chunk_key, chunk_of};
use super::terms::{Entry, each_entry, put_piece, put_value, stem};
use crate::error::Result;
use crate::model::Property;
use crate::store::{Store, Table};

/// Keys of one directory's entries, chunks included, in order.
#[derive(Default)]
pub(crate) struct Keys {
    bytes: Vec<u8>,
    /// Whether it is one of `values` (or of `pieces`), and where it stands in `bytes`.
    list: Vec<(bool, Range<usize>)>,
}

impl Keys {
    /// The entries of directory `object` for these properties.
    pub(crate) fn of<'p>(object: u32, properties: impl IntoIterator<Item = &'p Property>) -> Self {
        let mut keys = Self::default();
        let mut scratch = Vec::new();
        for Property { name, values } in properties {
            keys.add(object, name, values.iter().map(Vec::as_slice), &mut scratch);
        }
        keys.sort();
        keys
    }

    fn add<'v>(
        &mut self,
        object: u32,
        property: &[u8],
        values: impl IntoIterator<Item = &'v [u8]>,
        scratch: &mut Vec<u8>,
    ) {
        let chunk = chunk_key(chunk_of(object));
        each_entry(property, values, scratch, |entry| {
            let start = self.bytes.len();
            if let Entry::Value(fold) = entry {
                put_value(property, fold, &mut self.bytes);
                self.bytes.extend_from_slice(&chunk);
            } else {
                self.bytes.extend_from_slice(&chunk);
                put_piece(property, entry, &mut self.bytes);
            }
            self.list.push((matches!(entry, Entry::Value(_)), start..self.bytes.len()));
        });
    }

    fn sort(&mut self) {
        let bytes = &self.bytes;
        self.list.sort_unstable_by(|a, b| (a.0, &bytes[a.1.clone()]).cmp(&(b.0, &bytes[b.1.clone()])));
        self.list.dedup_by(|a, b| (a.0, &bytes[a.1.clone()]) == (b.0, &bytes[b.1.clone()]));
    }

    /// The keys; whether each is one of `values`.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (bool, &[u8])> {
        self.list.iter().map(|(value, range)| (*value, &self.bytes[range.clone()]))
    }

    /// The keys of `values`, without the chunks at their ends.
    pub(crate) fn values(&self) -> impl Iterator<Item = &[u8]> {
        self.iter().filter(|(value, _)| *value).map(|(_, key)| &key[..key.len() - CHUNK_KEY])
    }

    /// Whether a key is among them.
    pub(crate) fn has(&self, key: (bool, &[u8])) -> bool {
        self.list.binary_search_by(|(value, range)| (*value, &self.bytes[range.clone()]).cmp(&key)).is_ok()
    }
}

/// The table of a key.
pub(crate) fn table(store: &Store, value: bool) -> Table {
    if value { store.values } else { store.pieces }
}

/// Follows a change of a directory's properties. What stays costs little, so that a large group can get another member.
pub(crate) fn change(
    store: &Store,
    txn: &mut RwTxn<'_>,
    object: u32,
    old: &[Property],
    new: &[Property],
) -> Result<()> {
    let (old, rest) = differing(old, new);
    let (gone, come) = (Loose::of(old), Loose::of(rest));
    let mut room = Vec::new();
    let removed = gone.missing_in(&come, object);
    let names: HashSet<Vec<u8>> = gone.names().map(|name| stem(name).to_ascii_lowercase()).collect();
    if !removed.list.is_empty() {
        // Another value, of any property of that name, may ask for the same entry.
        let same = new.iter().filter(|p| names.contains(&stem(&p.name).to_ascii_lowercase()));
        let kept = Keys::of(object, same);
        for key in removed.iter().filter(|key| !kept.has(*key)) {
            remove(table(store, key.0), txn, key.1, object, &mut room)?;
        }
    }
    for (value, key) in come.missing_in(&gone, object).iter() {
        insert(table(store, value), txn, key, object, &mut room)?;
    }
    Ok(())
}

/// What is left of both lists without equal items at either end.
pub(crate) fn differing<'p, T: PartialEq>(old: &'p [T], new: &'p [T]) -> (&'p [T], &'p [T]) {
    let start = old.iter().zip(new).take_while(|(a, b)| a == b).count();
    let (old, new) = (&old[start..], &new[start..]);
    let end = old.iter().rev().zip(new.iter().rev()).take_while(|(a, b)| a == b).count();
    (&old[..old.len() - end], &new[..new.len() - end])
}

/// Names and values as they are, sorted; a name alone for every property.
struct Loose<'p>(Vec<(&'p [u8], Option<&'p [u8]>)>);

impl<'p> Loose<'p> {
    fn of(properties: &'p [Property]) -> Self {
        let mut list = Vec::new();
        for Property { name, values } in properties {
            list.push((&name[..], None));
            list.extend(values.iter().map(|value| (&name[..], Some(&value[..]))));
        }
        list.sort_unstable();
        list.dedup();
        Self(list)
    }

    fn names(&self) -> impl Iterator<Item = &'p [u8]> + '_ {
        self.0.iter().filter(|(_, value)| value.is_none()).map(|(name, _)| *name)
    }

    /// The keys of what `other` has not.
    fn missing_in(&self, other: &Self, object: u32) -> Keys {
        let mut keys = Keys::default();
        let mut scratch = Vec::new();
        for (name, value) in self.0.iter().filter(|item| other.0.binary_search(item).is_err()) {
            keys.add(object, name, *value, &mut scratch);
        }
        keys.sort();
        keys
    }
}

/// Adds an object to the set under a key. `room` is room to work in.
fn insert(table: Table, txn: &mut RwTxn<'_>, key: &[u8], object: u32, room: &mut Vec<u8>) -> Result<()> {
    match table.get(txn, key)? {
        Some(bytes) if set::has(bytes, object) => return Ok(()),
        Some(bytes) => set::with(bytes, object, room),
        None => {
            room.clear();
            room.extend_from_slice(&set::single(object));
        }
    }
    Ok(table.put(txn, key, room)?)
}

/// Takes an object out of the set under a key.
fn remove(table: Table, txn: &mut RwTxn<'_>, key: &[u8], object: u32, room: &mut Vec<u8>) -> Result<()> {
    match table.get(txn, key)? {
        Some(bytes) if set::has(bytes, object) => {
            if set::without(bytes, object, room) {
                table.put(txn, key, room)?;
            } else {
                table.delete(txn, key)?;
            }
        }
        _ => {}
    }
    Ok(())
}
