//! The pieces of values, gathered chunk by chunk.

use std::collections::HashMap;
use std::thread::{self, JoinHandle};

use heed::RwTxn;

use super::put_set;
use crate::error::{Error, Result};
use crate::store::Store;
use crate::store::tail::Tail;
use crate::values::set::{self, CHUNK, chunk_key, chunk_of};
use crate::values::terms::{Entry, GRAM, TRIGRAM, put_kind};

/// Bytes of pieces that are gathered before they are sorted by a thread, while the next are gathered.
pub(super) const PIECES_GATHERED: usize = 32 << 20;
/// Properties that numbers of 16 bits are enough for, and one directory has not.
const PROPERTIES: usize = 1 << 15;
/// Places at which properties are remembered.
const PLACES: usize = 64;

/// Pieces on their way into the store.
#[derive(Default)]
pub(super) struct Pieces {
    /// What stands for each property in keys, by number.
    names: Vec<Vec<u8>>,
    numbers: HashMap<Vec<u8>, u16>,
    /// The property that came last at each place.
    recent: Vec<u16>,
    /// By chunk: see [`pack`].
    chunks: HashMap<u32, Vec<u64>>,
    size: usize,
    /// The pieces of the largest chunk so far: so much room the next one gets, and is not moved while it grows.
    largest: usize,
    /// Chunks that are being sorted.
    sorting: Option<JoinHandle<Sorted>>,
}

/// Sets in the order of their keys: the lengths of key and set, and both, one behind the other.
type Sorted = Vec<u8>;

/// An entry as a number: property, kind, piece, and the object in its chunk.
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

/// The pieces of a property of a directory.
pub(super) struct Of<'p> {
    list: &'p mut Vec<u64>,
    before: usize,
    size: &'p mut usize,
    property: u16,
    object: u32,
    /// There are too many properties.
    full: bool,
}

impl Of<'_> {
    /// Adds one.
    pub(super) fn add(&mut self, entry: Entry<'_>) {
        self.list.push(match entry {
            Entry::Gram(gram) => pack(self.property, TRIGRAM, gram, self.object),
            Entry::Kind(kind) => pack(self.property, kind, [0; GRAM], self.object),
            Entry::Value(_) => return,
        });
    }

    /// Ends them; true when it is time to [`Pieces::drain`].
    pub(super) fn end(self) -> bool {
        *self.size += (self.list.len() - self.before) * size_of::<u64>();
        self.full || *self.size >= PIECES_GATHERED
    }
}

impl Pieces {
    /// For the pieces of a property, which `name` stands for in keys. Those that come again and again are found faster if
    /// each comes with a `place` of its own.
    pub(super) fn of(&mut self, object: u32, place: usize, name: &[u8]) -> Of<'_> {
        let property = self.number(place % PLACES, name);
        let largest = self.largest;
        let list = self.chunks.entry(chunk_of(object)).or_insert_with(|| Vec::with_capacity(largest));
        let (before, full) = (list.len(), self.names.len() >= PROPERTIES);
        Of { list, before, size: &mut self.size, property, object, full }
    }

    fn number(&mut self, place: usize, name: &[u8]) -> u16 {
        if self.recent.is_empty() {
            self.recent.resize(PLACES, 0);
        }
        let recent = self.recent[place];
        if self.names.get(usize::from(recent)).is_some_and(|known| known == name) {
            return recent;
        }
        let number = match self.numbers.get(name) {
            Some(number) => *number,
            None => {
                let number = self.names.len() as u16;
                self.numbers.insert(name.to_vec(), number);
                self.names.push(name.to_vec());
                number
            }
        };
        self.recent[place] = number;
        number
    }

    /// Puts into the store what has been sorted, and has the rest sorted, but for a chunk that there may be more of.
    pub(super) fn drain(&mut self, store: &Store, txn: &mut RwTxn<'_>) -> Result<()> {
        self.join(store, txn)?;
        let all = self.names.len() >= PROPERTIES;
        self.largest = self.chunks.values().map(Vec::len).max().unwrap_or(0);
        // Directories mostly come by their ids: there will be more of the last chunk.
        let newest = self.chunks.keys().max().copied().filter(|_| !all);
        let newest = newest.and_then(|chunk| self.chunks.remove_entry(&chunk));
        self.size = newest.as_ref().map_or(0, |(_, list)| list.len() * size_of::<u64>());
        let mut chunks = std::mem::take(&mut self.chunks);
        if self.size >= PIECES_GATHERED / 2 {
            chunks.extend(newest);
            self.size = 0;
        } else {
            self.chunks.extend(newest);
        }
        let names = if all { std::mem::take(self).names } else { self.names.clone() };
        let thread = thread::Builder::new().name("sort".into()).spawn(move || sorted(chunks, &names));
        self.sorting = Some(thread.map_err(|e| Error::Storage(format!("cannot start a thread: {e}")))?);
        Ok(())
    }

    /// Puts all the rest into the store.
    pub(super) fn finish(mut self, store: &Store, txn: &mut RwTxn<'_>) -> Result<()> {
        self.join(store, txn)?;
        put(&sorted(self.chunks, &self.names), store, txn)
    }

    fn join(&mut self, store: &Store, txn: &mut RwTxn<'_>) -> Result<()> {
        let Some(thread) = self.sorting.take() else { return Ok(()) };
        let sets = thread.join().map_err(|_| Error::Storage("a thread that sorts has failed".into()))?;
        put(&sets, store, txn)
    }
}

/// Makes sets of pieces, in the order of the table.
fn sorted(chunks: HashMap<u32, Vec<u64>>, names: &[Vec<u8>]) -> Sorted {
    let mut order: Vec<u16> = (0u16..).take(names.len()).collect();
    order.sort_unstable_by_key(|number| &names[usize::from(*number)]);
    let mut ranks = vec![0u16; names.len()];
    for (rank, number) in (0u16..).zip(&order) {
        ranks[usize::from(*number)] = rank;
    }
    let mut chunks: Vec<(u32, Vec<u64>)> = chunks.into_iter().collect();
    chunks.sort_unstable_by_key(|(chunk, _)| *chunk);
    let (mut out, mut key, mut objects, mut room) = (Sorted::new(), Vec::new(), Vec::new(), Vec::new());
    for (chunk, mut list) in chunks {
        for packed in &mut list {
            let rank = u64::from(ranks[usize::from((*packed >> 48) as u16)]);
            *packed = *packed & (u64::MAX >> 16) | rank << 48;
        }
        list.sort_unstable();
        list.dedup();
        for same in list.chunk_by(|a, b| a >> 12 == b >> 12) {
            let (rank, entry, _) = unpack(same[0]);
            key.clear();
            key.extend_from_slice(&chunk_key(chunk));
            key.extend_from_slice(&names[usize::from(order[usize::from(rank)])]);
            put_kind(entry, &mut key);
            objects.clear();
            objects.extend(same.iter().map(|packed| unpack(*packed).2));
            room.clear();
            set::of_sorted(&objects, &mut room);
            out.extend_from_slice(&(key.len() as u16).to_le_bytes());
            out.extend_from_slice(&(room.len() as u16).to_le_bytes());
            out.extend_from_slice(&key);
            out.extend_from_slice(&room);
        }
    }
    out
}

fn put(mut sets: &[u8], store: &Store, txn: &mut RwTxn<'_>) -> Result<()> {
    let mut tail = Tail::new(store.pieces, txn)?;
    let mut room = Vec::new();
    while let Some(([a, b, c, d], rest)) = sets.split_first_chunk() {
        let (key, set) =
            (usize::from(u16::from_le_bytes([*a, *b])), usize::from(u16::from_le_bytes([*c, *d])));
        let (key, rest) = rest.split_at(key.min(rest.len()));
        let (set, rest) = rest.split_at(set.min(rest.len()));
        room.clear();
        room.extend_from_slice(set);
        put_set(&mut tail, txn, key, &mut room)?;
        sets = rest;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::DEFAULT_MAP_SIZE;
    use crate::values::set::Set;

    #[test]
    fn chunks_that_come_again_are_united_with_what_is_there() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("x"), DEFAULT_MAP_SIZE, true).unwrap();
        let mut txn = store.env.write_txn().unwrap();
        let mut pieces = Pieces::default();
        let gram = |gram: &[u8; GRAM]| Entry::Gram(*gram);
        let (mut object, mut full) = (0, false);
        while !full {
            let mut of = pieces.of(object, 0, b"\x01k");
            (0..2000).for_each(|_| of.add(gram(b"abc")));
            full = of.end();
            object += CHUNK / 2;
        }
        assert_eq!(object / (CHUNK / 2), (PIECES_GATHERED / 8 / 2000) as u32 + 1);
        pieces.drain(&store, &mut txn).unwrap();
        assert!(pieces.size < PIECES_GATHERED / 2, "only the last chunk is kept");
        let mut of = pieces.of(7, 1, b"\x01k");
        of.add(gram(b"abc"));
        of.add(gram(b"xyz"));
        assert!(!of.end());
        pieces.finish(&store, &mut txn).unwrap();
        let set = |chunk: u32, gram: &[u8]| {
            let key = [&chunk_key(chunk)[..], b"\x01k", &[TRIGRAM], gram].concat();
            store.pieces.get(&txn, &key).unwrap().map(|bytes| (Set::decode(bytes).len(), set::has(bytes, 7)))
        };
        assert_eq!(set(0, b"abc"), Some((3, true)));
        assert_eq!(set(0, b"xyz"), Some((1, true)));
        assert_eq!(set(1, b"abc"), Some((2, false)));
        assert_eq!(set(chunk_of(object - 1), b"abc").map(|(_, has)| has), Some(false));
    }

    #[test]
    fn too_many_properties_are_drained() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("x"), DEFAULT_MAP_SIZE, true).unwrap();
        let mut txn = store.env.write_txn().unwrap();
        let mut pieces = Pieces::default();
        let full = (0..PROPERTIES).position(|n| {
            let mut of = pieces.of(1, 0, format!("\x06{n:06}").as_bytes());
            of.add(Entry::Kind(1));
            of.end()
        });
        assert_eq!(full, Some(PROPERTIES - 1));
        pieces.drain(&store, &mut txn).unwrap();
        assert!(pieces.names.is_empty() && pieces.chunks.is_empty());
        pieces.finish(&store, &mut txn).unwrap();
        assert_eq!(store.pieces.len(&txn).unwrap(), PROPERTIES as u64);
    }
}
