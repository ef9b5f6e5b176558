//! Both indexes of a whole domain, made in order.
//!
//! The name index and the values are sorted outside of memory, and put into the store when everything has come.
//! Directories mostly come by their ids, and so whole chunks of [`pieces`](pieces::Pieces) are put there on the way.

mod pieces;

use std::sync::mpsc;
use std::thread;

use heed::RwTxn;

use crate::error::{Error, Result};
use crate::index::each_term;
use crate::model::Property;
use crate::sort::{Merged, Sorter};
use crate::store::Store;
use crate::store::keys::IndexKey;
use crate::store::tail::Tail;
use crate::values::set::{self, Set, chunk_key, chunk_of};
use crate::values::terms::{Entry, each_entry, put_property};
use pieces::Pieces;

/// Bytes of entries that are merged before they are handed to whoever puts them into the store.
const BLOCK: usize = 256 << 10;
/// Such blocks that wait.
const BLOCKS_WAITING: usize = 4;

/// Entries on their way into the store.
pub(crate) struct Bulk {
    index: Sorter,
    values: Sorter,
    pieces: Pieces,
    /// Room to work in.
    scratch: Vec<u8>,
    first: Vec<u8>,
}

impl Bulk {
    /// For the indexes of `store`.
    pub(crate) fn new(store: &Store) -> Self {
        Self {
            index: Sorter::new(store.path()),
            values: Sorter::new(store.path()),
            pieces: Pieces::default(),
            scratch: Vec::new(),
            first: Vec::new(),
        }
    }

    /// Adds a directory: to the index of its parent's children, if one is given, and to the value index. `true` when it
    /// is time to [`Bulk::drain`].
    pub(crate) fn add(&mut self, parent: Option<u32>, object: u32, properties: &[Property]) -> Result<bool> {
        if let Some(parent) = parent {
            let mut result = Ok(());
            each_term(properties, |place, name, value| {
                if result.is_ok() {
                    let key = IndexKey::new(parent, name, value);
                    let (first, second) = key.parts();
                    result = self.index.add(place, first, second, object);
                }
            });
            result?;
        }
        let mut full = false;
        for (place, Property { name, values }) in properties.iter().enumerate() {
            self.first.clear();
            put_property(name, &mut self.first);
            let mut pieces = self.pieces.of(object, place, &self.first);
            let (first, sorter) = (&self.first, &mut self.values);
            let mut result = Ok(());
            each_entry(name, values.iter().map(Vec::as_slice), &mut self.scratch, |entry| match entry {
                Entry::Value(fold) if result.is_ok() => result = sorter.add(place, first, fold, object),
                Entry::Value(_) => {}
                Entry::Kind(_) | Entry::Gram(_) => pieces.add(entry),
            });
            full |= pieces.end();
            result?;
        }
        Ok(full)
    }

    /// Puts into the store what there is much of.
    pub(crate) fn drain(&mut self, store: &Store, txn: &mut RwTxn<'_>) -> Result<()> {
        self.pieces.drain(store, txn)
    }

    /// Puts all the rest into the store.
    pub(crate) fn finish(self, store: &Store, txn: &mut RwTxn<'_>) -> Result<()> {
        let mut tail = Tail::new(store.index, txn)?;
        each_merged(self.index.finish()?, |key, object| tail.put_duplicate(txn, key, &object.to_be_bytes()))?;
        let mut sets = Sets {
            tail: Tail::new(store.values, txn)?,
            key: Vec::new(),
            objects: Vec::new(),
            room: Vec::new(),
        };
        each_merged(self.values.finish()?, |key, object| sets.add(txn, key, object))?;
        sets.flush(txn)?;
        self.pieces.finish(store, txn)
    }
}

/// Values on their way into the store: the directories of one value and one chunk.
struct Sets {
    tail: Tail,
    /// Property and fold.
    key: Vec<u8>,
    objects: Vec<u32>,
    room: Vec<u8>,
}

impl Sets {
    fn add(&mut self, txn: &mut RwTxn<'_>, key: &[u8], object: u32) -> Result<()> {
        let same =
            self.objects.last().is_some_and(|last| chunk_of(*last) == chunk_of(object)) && self.key == key;
        if !same {
            self.flush(txn)?;
            self.key.clear();
            self.key.extend_from_slice(key);
        }
        self.objects.push(object);
        Ok(())
    }

    fn flush(&mut self, txn: &mut RwTxn<'_>) -> Result<()> {
        let Some(last) = self.objects.last() else { return Ok(()) };
        let len = self.key.len();
        self.key.push(0);
        self.key.extend_from_slice(&chunk_key(chunk_of(*last)));
        self.room.clear();
        set::of_sorted(&self.objects, &mut self.room);
        put_set(&mut self.tail, txn, &self.key, &mut self.room)?;
        self.key.truncate(len);
        self.objects.clear();
        Ok(())
    }
}

/// Adds a set in stored form to that under a key. `set` is of no use afterwards.
fn put_set(tail: &mut Tail, txn: &mut RwTxn<'_>, key: &[u8], set: &mut Vec<u8>) -> Result<()> {
    if !tail.is_behind(key)
        && let Some(there) = tail.get(txn, key)?
    {
        let mut both = Set::decode(there);
        both.unite(&Set::decode(set));
        set.clear();
        both.encode(set);
    }
    tail.put(txn, key, set)
}

/// Calls `each` with all entries in order. If there are many, they are read and merged by another thread meanwhile.
fn each_merged(mut entries: Merged, mut each: impl FnMut(&[u8], u32) -> Result<()>) -> Result<()> {
    let mut key = Vec::new();
    if !entries.is_large() {
        while let Some(object) = entries.next(&mut key)? {
            each(&key, object)?;
        }
        return Ok(());
    }
    thread::scope(|scope| {
        let (send, blocks) = mpsc::sync_channel(BLOCKS_WAITING);
        let merging = scope.spawn(move || -> Result<()> {
            loop {
                let mut block = Vec::with_capacity(BLOCK + BLOCK / 8);
                while block.len() < BLOCK
                    && let Some(object) = entries.next(&mut key)?
                {
                    block.extend_from_slice(&object.to_le_bytes());
                    block.extend_from_slice(&(key.len() as u16).to_le_bytes());
                    block.extend_from_slice(&key);
                }
                // Nobody takes it if the store has failed.
                if block.is_empty() || send.send(block).is_err() {
                    return Ok(());
                }
            }
        });
        let put = blocks.iter().try_for_each(|block| each_of(&block, &mut each));
        drop(blocks);
        let merged = merging.join().map_err(|_| Error::Storage("a thread that merges has failed".into()))?;
        put.and(merged)
    })
}

/// The entries of a block.
fn each_of(mut block: &[u8], each: &mut impl FnMut(&[u8], u32) -> Result<()>) -> Result<()> {
    while let Some(([a, b, c, d, len @ ..], rest)) = block.split_first_chunk::<6>() {
        let (key, rest) = rest.split_at(usize::from(u16::from_le_bytes(*len)).min(rest.len()));
        each(key, u32::from_le_bytes([*a, *b, *c, *d]))?;
        block = rest;
    }
    Ok(())
}
