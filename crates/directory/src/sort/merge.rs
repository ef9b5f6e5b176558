//! Several sorted lists made one.

use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::collections::binary_heap::PeekMut;

use super::buffer::Sorted;
use super::run::{Entries, RunReader};
use crate::error::Result;

/// Where sorted entries come from.
pub(super) enum Input {
    File(RunReader),
    Memory(Sorted),
}

/// A sorted list and its first entry. Ordered the other way round: a heap has the largest on top.
pub(super) struct Source {
    key: Vec<u8>,
    object: u32,
    input: Input,
}

impl Source {
    pub(super) fn new(input: Input) -> Self {
        Self { key: Vec::new(), object: 0, input }
    }

    /// Goes on to the next entry; false if there is none.
    fn advance(&mut self) -> Result<bool> {
        let next = match &mut self.input {
            Input::File(run) => run.next(&mut self.key)?,
            Input::Memory(sorted) => sorted.next(&mut self.key)?,
        };
        self.object = next.unwrap_or_default();
        Ok(next.is_some())
    }
}

impl Ord for Source {
    fn cmp(&self, other: &Self) -> Ordering {
        other.key.cmp(&self.key).then(other.object.cmp(&self.object))
    }
}

impl PartialOrd for Source {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Source {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Source {}

/// All entries of several lists in order, equal ones once.
pub(crate) struct Merged {
    sources: BinaryHeap<Source>,
    /// The object of the entry that was given last.
    last: Option<u32>,
}

impl Merged {
    pub(super) fn new(sources: impl IntoIterator<Item = Source>) -> Result<Self> {
        let mut heap = BinaryHeap::new();
        for mut source in sources {
            if source.advance()? {
                heap.push(source);
            }
        }
        Ok(Self { sources: heap, last: None })
    }

    /// Whether there is a file among the lists.
    pub(crate) fn is_large(&self) -> bool {
        self.sources.len() > 1
    }

    /// Puts the next key into `key`, which must have the one before in it, and returns its object.
    ///
    /// # Errors
    /// When a run cannot be read.
    pub(crate) fn next(&mut self, key: &mut Vec<u8>) -> Result<Option<u32>> {
        loop {
            let Some(mut top) = self.sources.peek_mut() else { return Ok(None) };
            let object = top.object;
            let again = self.last == Some(object) && top.key == *key;
            if !again {
                key.clone_from(&top.key);
                self.last = Some(object);
            }
            if !top.advance()? {
                PeekMut::pop(top);
            }
            if !again {
                return Ok(Some(object));
            }
        }
    }
}

impl Entries for Merged {
    fn next(&mut self, key: &mut Vec<u8>) -> Result<Option<u32>> {
        Self::next(self, key)
    }
}
