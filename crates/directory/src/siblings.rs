//! Order among siblings: every child has a 64-bit position; a new one gets a position between its neighbours'.
//!
//! Appending and prepending cost one look; where the gap between two neighbours is used up, the siblings are numbered
//! anew.

use heed::RwTxn;

use crate::error::{Error, Result};
use crate::store::Store;
use crate::store::keys::{be_u32, be_u64, child_key};

/// Position of an only child.
pub(crate) const FIRST: u64 = 1 << 63;
/// Distance between neighbours.
pub(crate) const STEP: u64 = 1 << 20;

/// The position for a new child of `parent` (which has `count` children) before the child now at index `wanted`.
pub(crate) fn position(
    store: &Store,
    txn: &mut RwTxn<'_>,
    parent: u32,
    count: u32,
    wanted: u32,
) -> Result<u64> {
    if let Some(position) = free_position(store, txn, parent, count, wanted)? {
        return Ok(position);
    }
    renumber(store, txn, parent)?;
    free_position(store, txn, parent, count, wanted)?
        .ok_or_else(|| Error::damaged(format!("no place among the children of directory {parent}")))
}

/// `None` when the neighbours leave no gap.
fn free_position(
    store: &Store,
    txn: &RwTxn<'_>,
    parent: u32,
    count: u32,
    wanted: u32,
) -> Result<Option<u64>> {
    let (low, high) = (child_key(parent, 0), child_key(parent, u64::MAX));
    let range = (std::ops::Bound::Included(&low[..]), std::ops::Bound::Included(&high[..]));
    let at = |entry: Option<heed::Result<(&[u8], &[u8])>>| -> Result<Option<u64>> {
        Ok(entry.transpose()?.map(|(key, _)| be_u64(&key[4..])))
    };
    if wanted >= count {
        let last = at(store.children.rev_range(txn, &range)?.next())?;
        return Ok(last.map_or(Some(FIRST), |p| p.checked_add(STEP)));
    }
    let mut children = store.children.range(txn, &range)?;
    if wanted == 0 {
        let first = at(children.next())?;
        return Ok(first.map_or(Some(FIRST), |p| p.checked_sub(STEP)));
    }
    let mut children = children.skip(wanted as usize - 1);
    let (before, after) = (at(children.next())?, at(children.next())?);
    Ok(match (before, after) {
        (Some(before), Some(after)) if after - before > 1 => Some(before + (after - before) / 2),
        (Some(_), Some(_)) => None,
        (Some(before), None) => before.checked_add(STEP),
        (None, _) => Some(FIRST),
    })
}

/// Spreads the children of `parent` evenly, keeping their order.
fn renumber(store: &Store, txn: &mut RwTxn<'_>, parent: u32) -> Result<()> {
    let prefix = parent.to_be_bytes();
    let mut children = Vec::new();
    for entry in store.children.prefix_iter(txn, &prefix)? {
        let (key, value) = entry?;
        children.push((be_u64(&key[4..]), be_u32(value)));
    }
    for (position, _) in &children {
        store.children.delete(txn, &child_key(parent, *position))?;
    }
    let mut position = FIRST - (children.len() as u64 / 2) * STEP;
    for (_, object) in children {
        store.children.put(txn, &child_key(parent, position), &object.to_be_bytes())?;
        if let Some(record) = store.record(txn, object)? {
            let header = crate::record::Header { position, ..record.header() };
            store.save_header(txn, object, header)?;
        }
        position += STEP;
    }
    Ok(())
}
