//! Entries gathered in memory.

use std::collections::HashMap;

use super::run::Entries;
use crate::error::Result;

/// Places at which first parts are remembered.
const PLACES: usize = 64;

/// Entries in the order they came in.
#[derive(Default)]
pub(super) struct Buffer {
    /// First parts by number.
    firsts: Vec<Box<[u8]>>,
    numbers: HashMap<Box<[u8]>, u32>,
    /// The number of the first part that came last at each place.
    recent: Vec<u32>,
    /// Second parts, one behind the other.
    seconds: Vec<u8>,
    items: Vec<Item>,
    /// Bytes of first parts, and what else they take.
    firsts_size: usize,
}

#[derive(Clone, Copy)]
struct Item {
    /// The first bytes of the second part: most comparisons need no more.
    head: u64,
    /// Where the second part begins, its length, and the number of the first part.
    start: u32,
    len: u16,
    first: u32,
    object: u32,
}

/// Bytes that a first part takes besides its own.
const FIRST: usize = 96;

impl Buffer {
    /// With room for so many bytes of entries of the usual length: it is not moved while it grows. Memory is taken when
    /// it is written to.
    pub(super) fn with_room(room: usize) -> Self {
        let items = Vec::with_capacity(room / size_of::<Item>());
        Self { items, seconds: Vec::with_capacity(room / 2), ..Self::default() }
    }

    pub(super) fn add(&mut self, place: usize, first: &[u8], second: &[u8], object: u32) {
        let first = self.number(place % PLACES, first);
        let mut head = [0; 8];
        let kept = second.len().min(8);
        head[..kept].copy_from_slice(&second[..kept]);
        // A buffer is sorted long before its bytes have no place in 32 bits, and keys of LMDB are shorter than 512.
        let (start, len) = (self.seconds.len() as u32, second.len() as u16);
        self.seconds.extend_from_slice(second);
        self.items.push(Item { head: u64::from_be_bytes(head), start, len, first, object });
    }

    fn number(&mut self, place: usize, first: &[u8]) -> u32 {
        if self.recent.is_empty() {
            self.recent.resize(PLACES, 0);
        }
        let recent = self.recent[place];
        if self.firsts.get(recent as usize).is_some_and(|known| **known == *first) {
            return recent;
        }
        let number = match self.numbers.get(first) {
            Some(number) => *number,
            None => {
                let number = self.firsts.len() as u32;
                self.firsts.push(first.into());
                self.numbers.insert(first.into(), number);
                self.firsts_size += 2 * first.len() + FIRST;
                number
            }
        };
        self.recent[place] = number;
        number
    }

    /// Bytes of memory, roughly.
    pub(super) fn size(&self) -> usize {
        self.seconds.len() + self.items.len() * size_of::<Item>() + self.firsts_size
    }

    /// The entries in order.
    pub(super) fn sorted(self) -> Sorted {
        let Self { firsts, numbers, seconds, items, .. } = self;
        drop(numbers);
        let mut order: Vec<u32> = (0..firsts.len() as u32).collect();
        order.sort_unstable_by(|a, b| firsts[*a as usize].cmp(&firsts[*b as usize]));
        // Where the entries of each first part begin.
        let mut begins = vec![0usize; firsts.len()];
        items.iter().for_each(|item| begins[item.first as usize] += 1);
        let mut begin = 0;
        for first in &order {
            begin += std::mem::replace(&mut begins[*first as usize], begin);
        }
        let mut list = items.clone();
        for item in &items {
            let place = &mut begins[item.first as usize];
            list[*place] = *item;
            *place += 1;
        }
        drop(items);
        let second = |item: &Item| &seconds[item.start as usize..][..usize::from(item.len)];
        for same in list.chunk_by_mut(|a, b| a.first == b.first) {
            same.sort_unstable_by(|a, b| {
                let heads = a.head.cmp(&b.head);
                heads.then_with(|| second(a).cmp(second(b))).then(a.object.cmp(&b.object))
            });
        }
        Sorted { firsts, seconds, list, next: 0 }
    }
}

/// Entries in order.
pub(super) struct Sorted {
    firsts: Vec<Box<[u8]>>,
    seconds: Vec<u8>,
    list: Vec<Item>,
    next: usize,
}

impl Entries for Sorted {
    fn next(&mut self, key: &mut Vec<u8>) -> Result<Option<u32>> {
        let Some(item) = self.list.get(self.next) else { return Ok(None) };
        self.next += 1;
        key.clear();
        key.extend_from_slice(&self.firsts[item.first as usize]);
        key.extend_from_slice(&self.seconds[item.start as usize..][..usize::from(item.len)]);
        Ok(Some(item.object))
    }
}
