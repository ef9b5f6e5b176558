//! The value index of a whole domain, gathered so that it can be put into the store in order.

use std::collections::HashMap;

use heed::{PutFlags, RwTxn};

use super::set::{self, CHUNK, Set, chunk_key, chunk_of};
use super::terms::{Entry, GRAM, TRIGRAM, each_entry, put_piece, put_property};
use crate::error::Result;
use crate::model::Property;
use crate::store::{Store, Table};

/// Bytes of values that are gathered before they are put into the store.
pub(crate) const VALUES_GATHERED: usize = 160 << 20;
/// Bytes of pieces, likewise.
const PIECES_GATHERED: usize = 32 << 20;
/// Properties that numbers of 16 bits are enough for.
const PROPERTIES: usize = 1 << 16;

/// Entries on their way into the store.
#[derive(Default)]
pub(crate) struct Bulk {
    numbers: HashMap<Vec<u8>, u16>,
    /// By number of the property: its name, and its values.
    properties: Vec<(Vec<u8>, Values)>,
    /// By chunk: see [`pack`].
    pieces: HashMap<u32, Vec<u64>>,
    values_size: usize,
    pieces_size: usize,
    scratch: Vec<u8>,
}

/// Values of a property: folds one behind the other, each behind its length, and an item for each entry.
#[derive(Default)]
struct Values {
    folds: Vec<u8>,
    items: Vec<Item>,
}

/// An object with a value.
#[derive(Clone, Copy)]
struct Item {
    /// The first bytes of the fold: most comparisons need no more.
    head: u64,
    start: u32,
    object: u32,
}

impl Values {
    fn fold(&self, item: &Item) -> &[u8] {
        let start = item.start as usize;
        &self.folds[start + 1..][..usize::from(self.folds[start])]
    }
}

/// An entry of `pieces` as a number: property, kind, piece, and the object in its chunk.
fn pack(property: u16, kind: u8, gram: [u8; GRAM], object: u32) -> u64 {
    let gram = u64::from(u32::from_be_bytes([0, gram[0], gram[1], gram[2]]));
    u64::from(property) << 48 | u64::from(kind) << 40 | gram << 12 | u64::from(object % CHUNK)
}

fn unpack(packed: u64) -> (u16, Entry<'static>, u32) {
    let [_, a, b, c] = ((packed >> 12) as u32 & 0xFF_FFFF).to_be_bytes();
    let kind = (packed >> 40) as u8;
    let entry = if kind == TRIGRAM { Entry::Gram([a, b, c]) } else { Entry::Kind(kind) };
    ((packed >> 48) as u16, entry, packed as u32 % CHUNK)
}

impl Bulk {
    /// Adds a directory; `true` when it is time to [`Bulk::drain`].
    pub(crate) fn add(&mut self, object: u32, properties: &[Property]) -> bool {
        let pieces = self.pieces.entry(chunk_of(object)).or_default();
        let before = pieces.len();
        for Property { name, values } in properties {
            let number = match self.numbers.get(&name[..]) {
                Some(number) => *number,
                None => {
                    let number = self.properties.len() as u16;
                    self.numbers.insert(name.clone(), number);
                    self.properties.push((name.clone(), Values::default()));
                    number
                }
            };
            let list = &mut self.properties[usize::from(number)].1;
            each_entry(name, values.iter().map(Vec::as_slice), &mut self.scratch, |entry| match entry {
                Entry::Value(fold) => {
                    let mut head = [0; 8];
                    let kept = fold.len().min(8);
                    head[..kept].copy_from_slice(&fold[..kept]);
                    let start = list.folds.len() as u32;
                    list.items.push(Item { head: u64::from_be_bytes(head), start, object });
                    list.folds.push(fold.len() as u8);
                    list.folds.extend_from_slice(fold);
                    self.values_size += 1 + fold.len() + size_of::<Item>();
                }
                Entry::Kind(kind) => pieces.push(pack(number, kind, [0; GRAM], object)),
                Entry::Gram(gram) => pieces.push(pack(number, TRIGRAM, gram, object)),
            });
        }
        self.pieces_size += (pieces.len() - before) * size_of::<u64>();
        // A directory has no more properties than this leaves room for.
        self.values_size >= VALUES_GATHERED
            || self.pieces_size >= PIECES_GATHERED
            || self.properties.len() >= PROPERTIES / 2
    }

    /// Puts into the store what there is much of, in the order of its tables.
    pub(crate) fn drain(&mut self, store: &Store, txn: &mut RwTxn<'_>) -> Result<()> {
        if self.properties.len() >= PROPERTIES / 2 {
            return self.finish(store, txn);
        }
        let order = self.order();
        if self.values_size >= VALUES_GATHERED {
            self.drain_values(&order, store, txn)?;
        }
        if self.pieces_size >= PIECES_GATHERED {
            // Directories mostly come by their ids: there will be more of the last chunk.
            let newest = self.pieces.keys().max().copied();
            let newest = newest.and_then(|chunk| self.pieces.remove_entry(&chunk));
            self.drain_pieces(&order, store, txn)?;
            self.pieces_size = newest.as_ref().map_or(0, |(_, list)| list.len() * size_of::<u64>());
            let whole = self.pieces_size < PIECES_GATHERED / 2;
            self.pieces.extend(newest);
            if !whole {
                self.drain_pieces(&order, store, txn)?;
            }
        }
        Ok(())
    }

    /// Puts all the rest into the store.
    pub(crate) fn finish(&mut self, store: &Store, txn: &mut RwTxn<'_>) -> Result<()> {
        let order = self.order();
        self.drain_values(&order, store, txn)?;
        self.drain_pieces(&order, store, txn)?;
        *self = Self::default();
        Ok(())
    }

    /// The properties in the order of the tables: what stands for each in keys, and its number.
    fn order(&self) -> Vec<(Vec<u8>, u16)> {
        let key = |name: &[u8]| {
            let mut key = Vec::new();
            put_property(name, &mut key);
            key
        };
        let numbered = (0..).zip(&self.properties);
        let mut order: Vec<_> = numbered.map(|(number, (name, _))| (key(name), number)).collect();
        order.sort_unstable();
        order
    }

    fn drain_values(&mut self, order: &[(Vec<u8>, u16)], store: &Store, txn: &mut RwTxn<'_>) -> Result<()> {
        let mut writer = Writer::new(store.values, txn)?;
        for (key, number) in order {
            writer.values(key, std::mem::take(&mut self.properties[usize::from(*number)].1))?;
        }
        self.values_size = 0;
        Ok(())
    }

    fn drain_pieces(&mut self, order: &[(Vec<u8>, u16)], store: &Store, txn: &mut RwTxn<'_>) -> Result<()> {
        let mut writer = Writer::new(store.pieces, txn)?;
        let mut ranks = vec![0u16; order.len()];
        for (rank, (_, number)) in (0u16..).zip(order) {
            ranks[usize::from(*number)] = rank;
        }
        let mut chunks: Vec<(u32, Vec<u64>)> = self.pieces.drain().collect();
        chunks.sort_unstable_by_key(|(chunk, _)| *chunk);
        for (chunk, mut list) in chunks {
            for packed in &mut list {
                let rank = u64::from(ranks[(*packed >> 48) as usize]);
                *packed = *packed & (u64::MAX >> 16) | rank << 48;
            }
            list.sort_unstable();
            writer
                .pieces(chunk, &list, |rank| &self.properties[usize::from(order[usize::from(rank)].1)].0)?;
        }
        self.pieces_size = 0;
        Ok(())
    }
}

/// Puts sorted entries into a table, set by set.
struct Writer<'a, 'e> {
    table: Table,
    txn: &'a mut RwTxn<'e>,
    /// The last key in the table.
    last: Vec<u8>,
    room: Vec<u8>,
}

impl<'a, 'e> Writer<'a, 'e> {
    fn new(table: Table, txn: &'a mut RwTxn<'e>) -> Result<Self> {
        let last = table.last(txn)?.map(|(key, _)| key.to_vec()).unwrap_or_default();
        Ok(Self { table, txn, last, room: Vec::new() })
    }

    fn values(&mut self, property: &[u8], mut values: Values) -> Result<()> {
        let mut items = std::mem::take(&mut values.items);
        items.sort_unstable_by(|a, b| {
            let folds = || values.fold(a).cmp(values.fold(b));
            a.head.cmp(&b.head).then_with(folds).then(a.object.cmp(&b.object))
        });
        let mut key = Vec::new();
        for same in items.chunk_by(|a, b| {
            let chunk = chunk_of(a.object) == chunk_of(b.object);
            chunk && a.head == b.head && values.fold(a) == values.fold(b)
        }) {
            key.clear();
            key.extend_from_slice(property);
            key.extend_from_slice(values.fold(&same[0]));
            key.push(0);
            key.extend_from_slice(&chunk_key(chunk_of(same[0].object)));
            self.put(&key, same.iter().map(|item| item.object))?;
        }
        Ok(())
    }

    fn pieces<'n>(&mut self, chunk: u32, list: &[u64], name: impl Fn(u16) -> &'n Vec<u8>) -> Result<()> {
        let mut key = Vec::new();
        for same in list.chunk_by(|a, b| a >> 12 == b >> 12) {
            let (rank, entry, _) = unpack(same[0]);
            key.clear();
            key.extend_from_slice(&chunk_key(chunk));
            put_piece(name(rank), entry, &mut key);
            self.put(&key, same.iter().map(|packed| unpack(*packed).2))?;
        }
        Ok(())
    }

    /// Adds objects, at least one, to the set under a key. What belongs behind all others is put there without a search.
    fn put(&mut self, key: &[u8], mut objects: impl ExactSizeIterator<Item = u32>) -> Result<()> {
        let behind = key > &self.last[..];
        self.room.clear();
        match objects.len() {
            1 if behind => {
                let object = objects.next().unwrap_or_default();
                self.room.extend_from_slice(&set::single(object));
            }
            _ => {
                let there = if behind { None } else { self.table.get(self.txn, key)? };
                let mut set = there.map(Set::decode).unwrap_or_default();
                objects.for_each(|object| {
                    set.insert(object);
                });
                set.encode(&mut self.room);
            }
        }
        if !behind {
            return Ok(self.table.put(self.txn, key, &self.room)?);
        }
        self.last.clear();
        self.last.extend_from_slice(key);
        Ok(self.table.put_with_flags(self.txn, PutFlags::APPEND, key, &self.room)?)
    }
}
