//! The value index of a whole domain, gathered so that it can be put into the store in order.

use std::collections::HashMap;

use heed::RwTxn;

use super::set::{CHUNK, Set, chunk_key, chunk_of};
use super::terms::{Entry, GRAM, TRIGRAM, each_entry, put_piece, put_property};
use super::update::table;
use crate::error::Result;
use crate::model::Property;
use crate::store::Store;

/// Bytes that are gathered before they are put into the store.
pub(crate) const GATHERED: usize = 192 << 20;
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
    size: usize,
    scratch: Vec<u8>,
}

/// Values of a property: folds one behind the other, and an item for each entry.
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
    len: u8,
    object: u32,
}

impl Values {
    fn fold(&self, item: &Item) -> &[u8] {
        &self.folds[item.start as usize..][..usize::from(item.len)]
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
                    let (start, len) = (list.folds.len() as u32, fold.len() as u8);
                    list.items.push(Item { head: u64::from_be_bytes(head), start, len, object });
                    list.folds.extend_from_slice(fold);
                    self.size += fold.len() + size_of::<Item>();
                }
                Entry::Kind(kind) => pieces.push(pack(number, kind, [0; GRAM], object)),
                Entry::Gram(gram) => pieces.push(pack(number, TRIGRAM, gram, object)),
            });
        }
        self.size += (pieces.len() - before) * size_of::<u64>();
        // A directory has no more properties than this leaves room for.
        self.size >= GATHERED || self.properties.len() >= PROPERTIES / 2
    }

    /// Puts what was gathered into the store, in the order of its tables.
    pub(crate) fn drain(&mut self, store: &Store, txn: &mut RwTxn<'_>) -> Result<()> {
        let (properties, mut pieces) =
            (std::mem::take(&mut self.properties), std::mem::take(&mut self.pieces));
        (self.numbers, self.size) = (HashMap::new(), 0);
        // Names that differ in case only are one property, so entries of a later one may meet those of an earlier.
        let mut order: Vec<(Vec<u8>, u16)> = (0..)
            .zip(&properties)
            .map(|(number, (name, _))| {
                let mut key = Vec::new();
                put_property(name, &mut key);
                (key, number)
            })
            .collect();
        order.sort_unstable();
        let mut writer = Writer { store, txn, room: Vec::new() };
        let mut ranks = vec![0u16; properties.len()];
        for (rank, (key, number)) in (0u16..).zip(&order) {
            ranks[usize::from(*number)] = rank;
            writer.values(key, &properties[usize::from(*number)].1)?;
        }
        let mut chunks: Vec<u32> = pieces.keys().copied().collect();
        chunks.sort_unstable();
        for chunk in chunks {
            let mut list = pieces.remove(&chunk).unwrap_or_default();
            for packed in &mut list {
                let rank = u64::from(ranks[(*packed >> 48) as usize]);
                *packed = *packed & (u64::MAX >> 16) | rank << 48;
            }
            list.sort_unstable();
            writer.pieces(chunk, &list, |rank| &properties[usize::from(order[usize::from(rank)].1)].0)?;
        }
        Ok(())
    }
}

/// Puts sorted entries into the store, set by set.
struct Writer<'a, 'e> {
    store: &'a Store,
    txn: &'a mut RwTxn<'e>,
    room: Vec<u8>,
}

impl Writer<'_, '_> {
    fn values(&mut self, property: &[u8], values: &Values) -> Result<()> {
        let mut items = values.items.clone();
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
            self.put(true, &key, same.iter().map(|item| item.object))?;
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
            self.put(false, &key, same.iter().map(|packed| unpack(*packed).2))?;
        }
        Ok(())
    }

    fn put(&mut self, value: bool, key: &[u8], objects: impl Iterator<Item = u32>) -> Result<()> {
        let table = table(self.store, value);
        let mut set = table.get(self.txn, key)?.map(Set::decode).unwrap_or_default();
        objects.for_each(|object| {
            set.insert(object);
        });
        self.room.clear();
        set.encode(&mut self.room);
        Ok(table.put(self.txn, key, &self.room)?)
    }
}
