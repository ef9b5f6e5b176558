//! Which changes make which answers obsolete.

use heed::RwTxn;

use super::{Question, Remembered};
use crate::model::Property;
use crate::store::Store;
use crate::values::terms::{Entry, each_entry, put_value};
use crate::values::update::differing;

/// Stands for a parent in questions about the whole domain. No directory has this number.
const ANYWHERE: u32 = u32::MAX;
/// A batch of more directories than this forgets everything rather than what it changes.
pub(crate) const FORGETTING: usize = 256;

impl Remembered {
    /// Which directory has an entry under this key of the value index, wherever it lies?
    pub(crate) fn value_question(&self, key: &[u8]) -> Question {
        self.question(ANYWHERE, b"", key)
    }
}

/// A directory with these properties comes or goes.
pub(crate) fn mark(store: &Store, txn: &RwTxn<'_>, parent: u32, properties: &[Property]) {
    let mut marks = Marks::new(store, txn, parent);
    properties.iter().for_each(|property| marks.values(&property.name, &property.values));
}

/// A directory gets other properties.
pub(crate) fn mark_change(store: &Store, txn: &RwTxn<'_>, parent: u32, old: &[Property], new: &[Property]) {
    if old.len() != new.len() || old.iter().zip(new).any(|(old, new)| old.name != new.name) {
        // Another property may be the first of its name now.
        mark(store, txn, parent, old);
        return mark(store, txn, parent, new);
    }
    let mut marks = Marks::new(store, txn, parent);
    for (old, new) in old.iter().zip(new) {
        // Of a property of thousands of values mostly one is another.
        let (gone, come) = differing(&old.values, &new.values);
        marks.values(&old.name, gone);
        marks.values(&old.name, come);
    }
}

/// What was remembered of who has some values holds no longer.
struct Marks<'m> {
    remembered: &'m Remembered,
    writer: usize,
    parent: u32,
    key: Vec<u8>,
    scratch: Vec<u8>,
}

impl<'m> Marks<'m> {
    fn new(store: &'m Store, txn: &RwTxn<'_>, parent: u32) -> Self {
        let (key, scratch) = (Vec::new(), Vec::new());
        Self { remembered: &store.remembered, writer: txn.id(), parent, key, scratch }
    }

    fn values(&mut self, name: &[u8], values: &[Vec<u8>]) {
        let Self { remembered, writer, parent, key, scratch } = self;
        for value in values {
            remembered.mark(*writer, remembered.question(*parent, name, value));
        }
        each_entry(name, values.iter().map(Vec::as_slice), scratch, |entry| {
            if let Entry::Value(fold) = entry {
                key.clear();
                put_value(name, fold, key);
                remembered.mark(*writer, remembered.value_question(key));
            }
        });
    }
}
