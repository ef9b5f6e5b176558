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
    /// Those of `pieces` are left out.
    without_pieces: bool,
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

    /// As [`Keys::of`], those of `values` only.
    pub(crate) fn of_values<'p>(object: u32, properties: impl IntoIterator<Item = &'p Property>) -> Self {
        let mut keys = Self { without_pieces: true, ..Self::default() };
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
            if self.without_pieces && !matches!(entry, Entry::Value(_)) {
                return;
            }
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

    /// A key of `values` without the chunk at its end.
    pub(crate) fn without_chunk(key: &[u8]) -> &[u8] {
        &key[..key.len().saturating_sub(CHUNK_KEY)]
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

/// So many properties that differ are told from the others one by one.
const FEW: usize = 16;

/// The properties of both lists that bear on which entries are in the one and not in the other: those that differ, and their
/// namesakes. What stays as it is, mostly nearly all, costs a comparison.
pub(crate) fn related<'p>(
    old: &'p [Property],
    new: &'p [Property],
) -> (Vec<&'p Property>, Vec<&'p Property>) {
    let (gone, come) = differing(old, new);
    if gone.len() + come.len() > FEW {
        return (old.iter().collect(), new.iter().collect());
    }
    let same = |a: &Property, b: &Property| stem(&a.name).eq_ignore_ascii_case(stem(&b.name));
    let bears = |p: &&Property| gone.iter().chain(come).any(|other| same(p, other));
    (old.iter().filter(bears).collect(), new.iter().filter(bears).collect())
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
