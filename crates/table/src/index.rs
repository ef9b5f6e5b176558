//! Indexes: slots in which the records of keys are found.

use crate::layout::{HEADER, MAX_PROBES, SLOT, UNUSED};

/// What a look through an index came to.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Probe<T> {
    /// The record.
    Hit(T),
    /// An unused slot.
    Miss,
    /// Bytes that no writer leaves behind.
    Damaged,
}

/// Looks through `slots` for the key with this hash. `record` says whether the record at an offset has the key.
///
/// The number of slots is a power of two, or 0.
pub(crate) fn probe<T>(slots: &[u8], hash: u32, record: impl Fn(u32) -> Option<Option<T>>) -> Probe<T> {
    let (slots, _) = slots.as_chunks::<SLOT>();
    if slots.is_empty() {
        return Probe::Miss;
    }
    let mask = slots.len() - 1;
    for step in 0..MAX_PROBES {
        let slot = u64::from_le_bytes(slots[(hash as usize + step) & mask]);
        let (found, place) = (slot as u32, (slot >> 32) as u32);
        if place == UNUSED {
            return Probe::Miss;
        }
        // No record is in the header; zeros are what a torn file has.
        if (place as usize) < HEADER {
            return Probe::Damaged;
        }
        if found == hash {
            match record(place) {
                Some(Some(record)) => return Probe::Hit(record),
                Some(None) => {}
                None => return Probe::Damaged,
            }
        }
    }
    Probe::Damaged
}

/// Puts the keys with these hashes and places into slots. `same` says whether two of them, given by number, are the same
/// key: the first is kept. `None` if a key would be too far from its place.
pub(crate) fn fill(
    keys: &[(u32, u32)],
    slots: usize,
    same: impl Fn(usize, usize) -> bool,
) -> Option<Vec<u8>> {
    let mut owners = vec![u32::MAX; slots];
    for (number, (hash, _)) in keys.iter().enumerate() {
        let mut step = 0;
        loop {
            if step == MAX_PROBES {
                return None;
            }
            let owner = &mut owners[(*hash as usize + step) & (slots - 1)];
            if *owner == u32::MAX {
                *owner = number as u32;
                break;
            }
            if keys[*owner as usize].0 == *hash && same(*owner as usize, number) {
                break;
            }
            step += 1;
        }
    }
    let slot = |owner: u32| keys.get(owner as usize).copied().unwrap_or((0, UNUSED));
    let bytes = |(hash, place): (u32, u32)| (u64::from(place) << 32 | u64::from(hash)).to_le_bytes();
    Some(owners.into_iter().flat_map(|owner| bytes(slot(owner))).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(slots: &[u8], hash: u32, key: u32) -> Probe<u32> {
        probe(slots, hash, |place| (place != 666).then(|| (place == key).then_some(place)))
    }

    #[test]
    fn keys_with_one_hash_stand_side_by_side() {
        let slots = fill(&[(7, 210), (7, 220), (8, 230)], 8, |_, _| false).unwrap();
        for (hash, place) in [(7, 210), (7, 220), (8, 230)] {
            assert_eq!(at(&slots, hash, place), Probe::Hit(place));
        }
        assert_eq!(at(&slots, 7, 240), Probe::Miss);
        assert_eq!(at(&slots, 4, 210), Probe::Miss);
    }

    #[test]
    fn the_first_of_equal_keys_is_kept() {
        let slots = fill(&[(7, 210), (7, 220)], 4, |_, _| true).unwrap();
        assert_eq!(at(&slots, 7, 210), Probe::Hit(210));
        assert_eq!(at(&slots, 7, 220), Probe::Miss);
    }

    #[test]
    fn an_index_without_slots_has_no_keys() {
        assert_eq!(at(&[], 7, 210), Probe::Miss);
    }

    #[test]
    fn too_long_a_way_is_refused_by_the_writer_and_given_up_by_the_reader() {
        let many = [(7, 210); MAX_PROBES + 1];
        assert!(fill(&many[1..], 1024, |_, _| false).is_some());
        assert!(fill(&many, 1024, |_, _| false).is_none());
        let full = [0x11; 1024 * SLOT];
        assert_eq!(at(&full, 7, 210), Probe::Damaged);
    }

    #[test]
    fn damage_is_no_miss() {
        let slots = fill(&[(7, 666)], 4, |_, _| false).unwrap();
        assert_eq!(at(&slots, 7, 210), Probe::Damaged);
        assert_eq!(at(&[0; 4 * SLOT], 7, 210), Probe::Damaged);
    }
}
