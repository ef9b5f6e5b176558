//! Lists of the name index: who has a value that many have. Directories are asked about in the order of their ids, and so a
//! long list is gone through once for all of them.

use std::collections::HashMap;

use heed::iteration_method::MoveOnCurrentKeyDuplicates;
use heed::types::Bytes;
use heed::{RoIter, RoTxn};

use crate::error::Result;
use crate::store::Store;
use crate::store::keys::be_u32;

/// Steps after which a list is kept for the next question.
const SHORT: usize = 32;
/// Most lists that are kept; in others every question goes through from the beginning.
const KEPT: usize = 1 << 16;

/// The lists of a snapshot.
#[derive(Default)]
pub(super) struct Lists<'a> {
    kept: HashMap<Box<[u8]>, List<'a>>,
}

/// What is left of a list.
struct List<'a> {
    rest: RoIter<'a, Bytes, Bytes, MoveOnCurrentKeyDuplicates>,
    /// The last that was read of it.
    last: Option<u32>,
}

impl<'a> Lists<'a> {
    /// Whether a directory is in the list of a key. Those of one key are to be asked about in ascending order.
    pub(super) fn has(&mut self, store: &Store, txn: &'a RoTxn<'a>, key: &[u8], object: u32) -> Result<bool> {
        if let Some(list) = self.kept.get_mut(key) {
            return Ok(list.has(object).0);
        }
        let Some(rest) = store.index.get_duplicates(txn, key)? else { return Ok(false) };
        let mut list = List { rest, last: None };
        let (found, steps) = list.has(object);
        if steps > SHORT && self.kept.len() < KEPT {
            self.kept.insert(key.into(), list);
        }
        Ok(found)
    }
}

impl List<'_> {
    /// Whether a directory is in the list, and how many steps it took to find out.
    fn has(&mut self, object: u32) -> (bool, usize) {
        let mut steps = 0;
        while self.last.is_none_or(|last| last < object) {
            steps += 1;
            match self.rest.next() {
                Some(Ok((_, bytes))) => self.last = Some(be_u32(bytes)),
                _ => break,
            }
        }
        (self.last == Some(object), steps)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::DEFAULT_MAP_SIZE;

    #[test]
    fn long_lists_are_gone_through_once_and_answer_rightly() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("x"), DEFAULT_MAP_SIZE, true).unwrap();
        let mut txn = store.env.write_txn().unwrap();
        for object in 0u32..400 {
            store.index.put(&mut txn, b"many", &(2 * object).to_be_bytes()).unwrap();
        }
        store.index.put(&mut txn, b"one", &7u32.to_be_bytes()).unwrap();
        txn.commit().unwrap();
        let txn = store.env.read_txn().unwrap();
        let mut lists = Lists::default();
        for object in 0..810 {
            assert_eq!(lists.has(&store, &txn, b"many", object).unwrap(), object < 800 && object % 2 == 0);
            assert_eq!(lists.has(&store, &txn, b"one", object).unwrap(), object == 7);
            assert!(!lists.has(&store, &txn, b"none", object).unwrap());
        }
        assert_eq!(lists.kept.len(), 1);
    }
}
