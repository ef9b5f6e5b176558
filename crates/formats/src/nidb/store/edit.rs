//! Operations on the tree.

use std::collections::HashSet;

use super::Store;
use crate::nidb::datum::Datum;
use crate::nidb::error::{StoreError, StoreErrorKind};
use crate::nidb::order;
use crate::nidb::stored::{Attribute, ORDER_KEY, StoredRecord};

impl Store {
    /// The first child, in order, with this value of an attribute (or meta-attribute, `key` without underscore).
    ///
    /// # Errors
    ///
    /// `InvalidPath` if there is no such parent.
    pub fn find_child(
        &self,
        parent: u32,
        meta: bool,
        key: &Datum,
        value: &Datum,
    ) -> Result<Option<u32>, StoreError> {
        let fits = |record: &StoredRecord| {
            let list = if meta { &record.metas } else { &record.attributes };
            list.iter().any(|attribute| {
                attribute.key.matches(key) && attribute.values.iter().any(|found| found.matches(value))
            })
        };
        let children = &self.record(parent)?.children;
        Ok(children.iter().copied().find(|child| self.records.get(child).is_some_and(fits)))
    }

    /// Stores a fetched record that was changed: its attributes, meta-attributes, parent and children are taken as they
    /// are. Its serial must be the stored one; it and the version are counted up in `record` too.
    ///
    /// # Errors
    ///
    /// `Stale` with another serial; `InvalidPath` if it is not there any more; `ConstraintViolation` if its list of
    /// children cannot be; `InvalidRecord` if it is too large; `WriteFailed`.
    pub fn save(&mut self, record: &mut StoredRecord) -> Result<(), StoreError> {
        let stored = self.record(record.id)?;
        if stored.serial != record.serial {
            return Err(StoreErrorKind::Stale.into());
        }
        if stored.children != record.children {
            check_children(record)?;
        }
        *record = self.store(record.clone())?;
        Ok(())
    }

    /// Makes a directory as the last child of `parent`, with the smallest free id and serial 1. Of `record` the
    /// attributes and meta-attributes count.
    ///
    /// # Errors
    ///
    /// `InvalidPath` if there is no such parent; `InvalidRecord`, `WriteFailed`.
    pub fn create_child(&mut self, parent: u32, record: StoredRecord) -> Result<u32, StoreError> {
        self.record(parent)?;
        let id = self.next_id()?;
        let links = StoredRecord { id, parent, ..StoredRecord::default() };
        self.store(StoredRecord { attributes: record.attributes, metas: record.metas, ..links })?;
        self.change(parent, |parent| parent.children.push(id))?;
        Ok(id)
    }

    fn next_id(&mut self) -> Result<u32, StoreError> {
        while self.records.contains_key(&self.free_id) {
            self.free_id = self.free_id.checked_add(1).ok_or(StoreErrorKind::InvalidRecordId)?;
        }
        Ok(self.free_id)
    }

    /// Changes a stored record.
    fn change(&mut self, id: u32, change: impl FnOnce(&mut StoredRecord)) -> Result<(), StoreError> {
        let mut record = self.record(id)?.clone();
        change(&mut record);
        self.store(record).map(|_| ())
    }

    /// Changes the list of children of a record, if it is there and the list is not as it should be already.
    fn change_list(&mut self, id: u32, change: impl FnOnce(&mut Vec<u32>)) -> Result<(), StoreError> {
        let Some(mut record) = self.records.get(&id).cloned() else { return Ok(()) };
        change(&mut record.children);
        if self.records.get(&id).is_some_and(|stored| stored.children == record.children) {
            return Ok(());
        }
        self.store(record).map(|_| ())
    }

    /// A directory and everything below it, parents first, each once.
    fn subtree(&self, id: u32) -> Result<Vec<u32>, StoreError> {
        self.record(id)?;
        let (mut order, mut seen, mut stack) = (Vec::new(), HashSet::new(), vec![id]);
        while let Some(id) = stack.pop() {
            let Some(record) = self.records.get(&id) else { continue };
            if seen.insert(id) {
                order.push(id);
                stack.extend(record.children.iter().rev());
            }
        }
        Ok(order)
    }

    /// Removes a directory with everything below it, from the leaves up.
    ///
    /// # Errors
    ///
    /// `InvalidRecordId` for the root; `InvalidPath` if it is not there; `ConstraintViolation` if the root is below it,
    /// which is so in a damaged folder only; `WriteFailed`.
    pub fn remove(&mut self, id: u32) -> Result<(), StoreError> {
        if id == 0 {
            return Err(StoreErrorKind::InvalidRecordId.into());
        }
        self.writable()?;
        let doomed = self.subtree(id)?;
        if doomed.contains(&0) {
            return Err(StoreError::about(StoreErrorKind::ConstraintViolation, "the root is below it"));
        }
        for id in doomed.into_iter().rev() {
            let parent = self.record(id)?.parent;
            self.erase(id)?;
            self.change_list(parent, |children| children.retain(|child| *child != id))?;
        }
        Ok(())
    }

    /// Makes a directory the last child of another parent; it keeps its id.
    ///
    /// # Errors
    ///
    /// `InvalidRecordId` for the root; `InvalidPath`; `ConstraintViolation` if the new parent is the directory itself
    /// or below it; `WriteFailed`.
    pub fn move_to(&mut self, id: u32, parent: u32) -> Result<(), StoreError> {
        if id == 0 {
            return Err(StoreErrorKind::InvalidRecordId.into());
        }
        self.record(parent)?;
        self.outside(id, parent)?;
        let old = self.record(id)?.parent;
        if old != parent {
            // What the directory names as its parent counts, should the rest not come to pass.
            self.change(id, |record| record.parent = parent)?;
        }
        self.change_list(parent, |children| {
            children.retain(|child| *child != id);
            children.push(id);
        })?;
        if old == parent { Ok(()) } else { self.change_list(old, |list| list.retain(|child| *child != id)) }
    }

    /// Refuses a parent that is the directory itself or below it.
    fn outside(&self, id: u32, parent: u32) -> Result<(), StoreError> {
        if self.subtree(id)?.contains(&parent) {
            let detail = format!("directory {parent} is directory {id}, or below it");
            return Err(StoreError::about(StoreErrorKind::ConstraintViolation, detail));
        }
        Ok(())
    }

    /// Copies a directory with everything below it to be the last child of `parent`, under new ids, a directory before
    /// its children. The id of the copy.
    ///
    /// # Errors
    ///
    /// As [`create_child`](Self::create_child); `ConstraintViolation` if `parent` is the directory itself or below it.
    pub fn copy_to(&mut self, id: u32, parent: u32) -> Result<u32, StoreError> {
        self.outside(id, parent)?;
        let mut copies = std::collections::HashMap::new();
        let mut top = None;
        for source in self.subtree(id)? {
            let record = self.fetch(source)?;
            let home = copies.get(&record.parent).copied().unwrap_or(parent);
            let copy = self.create_child(if source == id { parent } else { home }, record)?;
            copies.insert(source, copy);
            top.get_or_insert(copy);
        }
        top.ok_or_else(|| StoreErrorKind::InvalidPath.into())
    }

    /// Repair by hand: appends an id to the list of children of `parent`, and nothing else.
    ///
    /// # Errors
    ///
    /// `InvalidPath`; `ConstraintViolation` for an id that a list cannot have; `WriteFailed`.
    pub fn attach(&mut self, parent: u32, id: u32) -> Result<(), StoreError> {
        let mut record = self.record(parent)?.clone();
        record.children.push(id);
        check_children(&record)?;
        self.store(record).map(|_| ())
    }

    /// Repair by hand: takes an id out of the list of children of `parent`, and nothing else.
    ///
    /// # Errors
    ///
    /// `InvalidPath`; `WriteFailed`.
    pub fn detach(&mut self, parent: u32, id: u32) -> Result<(), StoreError> {
        self.change(parent, |record| record.children.retain(|child| *child != id))
    }

    /// Repair by hand: sets the parent that the record `id` names, and nothing else.
    ///
    /// # Errors
    ///
    /// `InvalidPath` if there is no record `id`; `WriteFailed`.
    pub fn set_parent(&mut self, id: u32, parent: u32) -> Result<(), StoreError> {
        self.change(id, |record| record.parent = parent)
    }

    /// Sets a property, by its NetInfo name, to these values. It keeps its place among the properties, a new one comes
    /// last; of several with this name the first one is left. The list of their order is made anew.
    ///
    /// # Errors
    ///
    /// `InvalidPath`; `InvalidKey` for the name of the list of the order, and for names and values with a NUL;
    /// `InvalidRecord`; `WriteFailed`.
    pub fn set_property(&mut self, id: u32, name: &[u8], values: &[Vec<u8>]) -> Result<(), StoreError> {
        check_texts(name, values)?;
        let mut new = Some(order::part(name, values));
        self.change_properties(id, |parts| {
            parts.retain_mut(|(meta, attribute)| {
                if order::name((*meta, attribute)) != name {
                    return true;
                }
                new.take().map(|(_, value)| *attribute = value).is_some()
            });
            parts.extend(new);
            true
        })
        .map(|_| ())
    }

    /// Removes the properties of this NetInfo name. Whether there was one.
    ///
    /// # Errors
    ///
    /// `InvalidPath`; `WriteFailed`.
    pub fn remove_property(&mut self, id: u32, name: &[u8]) -> Result<bool, StoreError> {
        self.change_properties(id, |parts| {
            let before = parts.len();
            parts.retain(|(meta, attribute)| order::name((*meta, attribute)) != name);
            parts.len() != before
        })
    }

    /// Lets the attributes and meta-attributes be changed in the order of NetInfo; they are saved if the answer is yes.
    fn change_properties(
        &mut self,
        id: u32,
        change: impl FnOnce(&mut Vec<(bool, Attribute)>) -> bool,
    ) -> Result<bool, StoreError> {
        let mut record = self.record(id)?.clone();
        let mut parts: Vec<_> = order::ordered(&record)
            .0
            .into_iter()
            .map(|(meta, attribute)| (meta, attribute.clone()))
            .collect();
        if !change(&mut parts) {
            return Ok(false);
        }
        order::set_ordered(&mut record, parts);
        self.store(record).map(|_| true)
    }
}

/// A name that is taken by the format cannot be set, nor can names and values with a NUL.
pub(crate) fn check_texts(name: &[u8], values: &[Vec<u8>]) -> Result<(), StoreError> {
    let why = if name.strip_prefix(b"_") == Some(ORDER_KEY) {
        "the name is taken by the format"
    } else if name.contains(&0) || values.iter().any(|value| value.contains(&0)) {
        "names and values have no NUL"
    } else {
        return Ok(());
    };
    Err(StoreError::about(StoreErrorKind::InvalidKey, why))
}

/// A list of children never has the root, the directory itself, its parent, or an id twice.
fn check_children(record: &StoredRecord) -> Result<(), StoreError> {
    let mut seen = HashSet::new();
    let wrong = record
        .children
        .iter()
        .find(|child| [0, record.id, record.parent].contains(child) || !seen.insert(**child));
    match wrong {
        None => Ok(()),
        Some(child) => {
            let detail = format!("directory {} cannot have the child {child} there", record.id);
            Err(StoreError::about(StoreErrorKind::ConstraintViolation, detail))
        }
    }
}
