//! A whole table, found by the properties by which look-ups look.

use std::collections::HashMap;
use std::sync::Arc;

use netinfo_lookup::INDEXED;

use crate::cache::Kept;
use crate::item::Item;

/// A listing with its index.
#[derive(Debug)]
pub(super) struct Listing {
    pub(super) kept: Kept,
    /// Whether these are all.
    pub(super) complete: bool,
    /// For the number of an indexed property and a hash of the value, positions.
    index: HashMap<(u8, Vec<u8>), Vec<u32>>,
}

impl PartialEq for Listing {
    fn eq(&self, other: &Self) -> bool {
        self.kept == other.kept && self.complete == other.complete
    }
}

impl Eq for Listing {}

impl Listing {
    pub(super) fn new(kept: Kept, complete: bool) -> Self {
        let mut index: HashMap<(u8, Vec<u8>), Vec<u32>> = HashMap::new();
        for (position, item) in (0..).zip(kept.items.iter()) {
            for (number, key) in (0..).zip(INDEXED) {
                for value in item.record().values(key) {
                    let positions = index.entry((number, value.to_vec())).or_default();
                    if positions.last() != Some(&position) {
                        positions.push(position);
                    }
                }
            }
        }
        Self { kept, complete, index }
    }

    /// The records whose property `key` has `value`.
    pub(super) fn find(&self, key: &[u8], value: &[u8]) -> Vec<Arc<Item>> {
        let items = &self.kept.items;
        match (0..).zip(INDEXED).find(|(_, known)| *known == key) {
            Some((number, _)) => {
                let positions = self.index.get(&(number, value.to_vec())).into_iter().flatten();
                positions.filter_map(|position| items.get(*position as usize).cloned()).collect()
            }
            None => items.iter().filter(|item| item.has(key, value)).cloned().collect(),
        }
    }
}
