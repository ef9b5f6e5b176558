//! Names and OIDs to places, without regard to case and without allocation.

use std::collections::HashMap;

use crate::text::Lower;

/// Names in lower case, and OIDs.
#[derive(Debug, Clone, Default)]
pub(super) struct Names {
    places: HashMap<Box<[u8]>, u32>,
}

impl Names {
    pub(super) fn get(&self, name: &str) -> Option<usize> {
        let lower = Lower::new(name)?;
        self.places.get(lower.as_bytes()).map(|&place| place as usize)
    }

    /// The place that had the name already, if any did.
    pub(super) fn insert(&mut self, name: &str, place: usize) -> Option<usize> {
        let lower = name.to_ascii_lowercase().into_bytes().into_boxed_slice();
        let previous = self.places.insert(lower, place as u32)?;
        Some(previous as usize)
    }
}
