//! Names and OIDs to places, without regard to case and without allocation.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use crate::text::Lower;

/// Names in lower case, and OIDs.
#[derive(Debug, Clone, Default)]
pub(super) struct Names {
    places: HashMap<Box<[u8]>, u32, BuildHasherDefault<Fnv>>,
}

/// FNV-1a: quick for short names. Only administrators choose the names in a schema, so that nobody can crowd a bucket.
struct Fnv(u64);

impl Default for Fnv {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl Hasher for Fnv {
    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }

    fn finish(&self) -> u64 {
        self.0
    }
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
