//! Bringing a store of an older format to the present one.

use std::ops::Bound;

use heed::RwTxn;

use super::Store;
use super::keys::be_u32;
use crate::bulk::Bulk;
use crate::error::Result;
use crate::record::RecordRef;

/// Fills what format `found` had not. From 2 on that is nothing: nothing is pending in format 2, and notes of
/// format 3 are read as they are.
pub(crate) fn upgrade(store: &Store, txn: &mut RwTxn<'_>, found: u32) -> Result<()> {
    if found < 2 { index_values(store, txn) } else { Ok(()) }
}

/// Fills what format 1 had not: the value index. Its directories have no stamps. Records that cannot be read are passed
/// over; a check reports them.
fn index_values(store: &Store, txn: &mut RwTxn<'_>) -> Result<()> {
    let total = store.records.len(txn)?;
    tracing::info!(directories = total, path = %store.path.display(), "bringing a domain to a new format");
    let mut bulk = Bulk::new(store);
    let mut next = Some(0u32);
    while let Some(start) = next.take() {
        let mut full = false;
        let start = start.to_be_bytes();
        let range = (Bound::Included(&start[..]), Bound::Unbounded);
        for entry in store.records.range(txn, &range)? {
            let (key, bytes) = entry?;
            let object = be_u32(key);
            if full {
                next = Some(object);
                break;
            }
            if let Ok(record) = RecordRef::parse(object, bytes) {
                full = bulk.add(None, object, &record.to_record().properties)?;
            }
        }
        bulk.drain(store, txn)?;
    }
    bulk.finish(store, txn)
}
