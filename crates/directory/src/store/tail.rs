//! Appending to a table.

use heed::{PutFlags, RwTxn};

use super::Table;
use crate::error::Result;

/// The end of a table that grows in order: what belongs behind everything else is put there without a search for its
/// place, and the pages come out full. Nobody else may write to the table meanwhile.
pub(crate) struct Tail {
    table: Table,
    /// The last key in the table; empty if there is none.
    key: Vec<u8>,
    /// The last of its duplicates, as far as it came this way.
    value: Option<Vec<u8>>,
}

impl Tail {
    pub(crate) fn new(table: Table, txn: &RwTxn<'_>) -> Result<Self> {
        let key = table.last(txn)?.map(|(key, _)| key.to_vec()).unwrap_or_default();
        Ok(Self { table, key, value: None })
    }

    /// Whether a key belongs behind all that are there.
    pub(crate) fn is_behind(&self, key: &[u8]) -> bool {
        key > &self.key[..]
    }

    /// Puts an entry in its place.
    pub(crate) fn put(&mut self, txn: &mut RwTxn<'_>, key: &[u8], value: &[u8]) -> Result<()> {
        if !self.is_behind(key) {
            return Ok(self.table.put(txn, key, value)?);
        }
        self.table.put_with_flags(txn, PutFlags::APPEND, key, value)?;
        self.key.clear();
        self.key.extend_from_slice(key);
        self.value = None;
        Ok(())
    }

    /// Puts an entry of a table with duplicates in its place.
    pub(crate) fn put_duplicate(&mut self, txn: &mut RwTxn<'_>, key: &[u8], value: &[u8]) -> Result<()> {
        let same = key == &self.key[..];
        if same && self.value.as_ref().is_some_and(|last| value > &last[..]) {
            self.table.put_with_flags(txn, PutFlags::APPEND_DUP, key, value)?;
        } else {
            let behind = self.is_behind(key);
            self.put(txn, key, value)?;
            if !behind {
                return Ok(());
            }
        }
        let last = self.value.get_or_insert_default();
        last.clear();
        last.extend_from_slice(value);
        Ok(())
    }

    /// What stands under a key.
    pub(crate) fn get<'t>(&self, txn: &'t RwTxn<'_>, key: &[u8]) -> Result<Option<&'t [u8]>> {
        Ok(self.table.get(txn, key)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{DEFAULT_MAP_SIZE, Store};

    #[test]
    fn entries_get_to_their_places_in_any_order() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("x"), DEFAULT_MAP_SIZE, true).unwrap();
        let mut txn = store.env.write_txn().unwrap();
        let mut tail = Tail::new(store.versions, &txn).unwrap();
        for key in [5u8, 7, 6, 7, 9, 1] {
            assert_eq!(
                tail.is_behind(&[key]),
                ![6, 1].contains(&key) && tail.get(&txn, &[key]).unwrap().is_none()
            );
            tail.put(&mut txn, &[key], &[key]).unwrap();
        }
        let keys: Vec<u8> = store.versions.iter(&txn).unwrap().map(|entry| entry.unwrap().0[0]).collect();
        assert_eq!(keys, [1, 5, 6, 7, 9]);
        assert!(!Tail::new(store.versions, &txn).unwrap().is_behind(&[9]));

        let mut tail = Tail::new(store.index, &txn).unwrap();
        for (key, value) in
            [(3u8, 1u8), (3, 2), (3, 5), (3, 4), (4, 9), (4, 8), (3, 6), (4, 9), (4, 10), (5, 1)]
        {
            tail.put_duplicate(&mut txn, &[key], &[0, 0, 0, value]).unwrap();
        }
        let entries = store
            .index
            .iter(&txn)
            .unwrap()
            .map(|entry| entry.map(|(key, value)| (key[0], value[3])).unwrap());
        let expected = [(3, 1), (3, 2), (3, 4), (3, 5), (3, 6), (4, 8), (4, 9), (4, 10), (5, 1)];
        assert_eq!(entries.collect::<Vec<_>>(), expected);
    }
}
