//! The tree as access control reads it: inside a snapshot, or inside the transaction of a change.

use heed::RoTxn;

use crate::error::{Error, Result};
use crate::model::ROOT;
use crate::pending;
use crate::record::RecordRef;
use crate::settings::flag;
use crate::store::Store;

/// A tree to be read inside a transaction. Secrets are masked.
#[derive(Clone, Copy)]
pub(crate) struct Tree<'a> {
    pub(crate) store: &'a Store,
    pub(crate) txn: &'a RoTxn<'a>,
}

impl<'a> Tree<'a> {
    pub(crate) fn record(&self, object: u32) -> Result<RecordRef<'a>> {
        self.store.record(self.txn, object)?.ok_or(Error::NoSuchDirectory)
    }

    /// The children of `directory` that have `name` among the values of `name`; in no order.
    pub(crate) fn children_named(&self, directory: u32, name: &[u8]) -> Result<Vec<RecordRef<'a>>> {
        let hits = pending::children_with(self.store, self.txn, directory, b"name", name)?;
        hits.into_iter().map(|object| self.record(object)).collect()
    }

    /// The first child of `directory` with this name.
    pub(crate) fn child_named(&self, directory: u32, name: &[u8]) -> Result<Option<u32>> {
        let hits = self.children_named(directory, name)?;
        Ok(hits.iter().min_by_key(|r| r.header().position).map(|r| r.id().object))
    }

    /// As [`View::root_flag`](crate::View::root_flag).
    pub(crate) fn root_flag(&self, name: &[u8], default: bool) -> Result<bool> {
        Ok(flag(self.record(ROOT)?.first_value(name), default))
    }
}

/// What a directory is called in a path: its first name; if it has none, the first value of the property that its `_rdn` says
/// names it.
pub(crate) fn step<'r>(record: &RecordRef<'r>) -> Option<&'r [u8]> {
    record.first_value(b"name").or_else(|| record.first_value(record.first_value(b"_rdn")?))
}

/// The path of a directory, `/` and `\` in names escaped by `\`; a directory without a name shows its object id (`#57`).
pub(crate) fn path_of(tree: Tree<'_>, record: &RecordRef<'_>) -> Result<Vec<u8>> {
    let mut steps = Vec::new();
    let mut at = *record;
    while at.id().object != ROOT {
        let mut text = Vec::new();
        match step(&at) {
            Some(name) => {
                for &byte in name {
                    if matches!(byte, b'/' | b'\\') {
                        text.push(b'\\');
                    }
                    text.push(byte);
                }
            }
            None => text.extend_from_slice(format!("#{}", at.id().object).as_bytes()),
        }
        steps.push(text);
        at = tree.record(at.parent())?;
    }
    let mut path = Vec::new();
    for step in steps.iter().rev() {
        path.push(b'/');
        path.extend_from_slice(step);
    }
    if path.is_empty() {
        path.push(b'/');
    }
    Ok(path)
}
