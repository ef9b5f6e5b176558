//! Changing a folder of the modern layout, as the historical engine does.

use std::path::Path;

use super::Datum;
use super::error::{StoreError, StoreErrorKind};
use super::finding::Finding;
use super::stored::{Attribute, StoredRecord};

/// How a folder is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// To read: nothing in the folder is changed, and a folder that a crash left in the middle of a change is refused.
    ReadOnly,
    /// To read and change.
    ReadWrite,
}

/// What a store has done, and how large it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Statistics {
    /// Σ (id + 1) · serial over all records.
    pub checksum: u32,
    /// The version that the last change made.
    pub version: u32,
    /// The highest id in use.
    pub max_id: u32,
    /// Records fetched since the store was opened.
    pub fetch_count: u32,
    /// Records saved since then.
    pub save_count: u32,
    /// Records removed since then.
    pub remove_count: u32,
}

/// An open folder of the modern layout. Other processes that use the folder's lock are kept out while it is open.
///
/// After a crash at any moment the next opening finds every operation done or not begun; operations that work on a
/// whole subtree are a sequence of such.
#[derive(Debug)]
pub struct Store {
    mode: Mode,
}

impl Store {
    /// Opens a folder. If it is opened for changes, whatever a crash left is finished first.
    ///
    /// # Errors
    ///
    /// `InvalidDatastore` if there is no `Config`, or for reading if a change is pending; `DuplicateRecord`;
    /// `NoRootRecord`; `Locked` if another process has the folder open; `ReadFailed`, `WriteFailed`.
    pub fn open(folder: &Path, mode: Mode) -> Result<Self, StoreError> {
        let _ = (folder, mode);
        Err(StoreErrorKind::Failed.into())
    }

    /// Makes a new folder with a root without properties (serial 1, version 1) and opens it for changes. Parents of
    /// the folder must exist.
    ///
    /// # Errors
    ///
    /// `WriteFailed`, also if the folder exists and holds a database.
    pub fn create(folder: &Path) -> Result<Self, StoreError> {
        let _ = folder;
        Err(StoreErrorKind::Failed.into())
    }

    /// Ends the work. For changes: writes `Index` and `Clean`. A store that is dropped without is like one whose process died
    /// between two operations: nothing is lost, and the next opening reads all records.
    ///
    /// # Errors
    ///
    /// `WriteFailed`.
    pub fn close(self) -> Result<(), StoreError> {
        Err(StoreErrorKind::Failed.into())
    }

    /// How it was opened.
    pub const fn mode(&self) -> Mode {
        self.mode
    }

    /// What was odd when it was opened, and what was repaired.
    pub fn findings(&self) -> &[Finding] {
        &[]
    }

    /// Counts and numbers.
    pub fn statistics(&self) -> Statistics {
        Statistics::default()
    }

    /// The ids of all records, ascending.
    pub fn ids(&self) -> impl Iterator<Item = u32> + '_ {
        std::iter::empty()
    }

    /// A record.
    ///
    /// # Errors
    ///
    /// `InvalidPath` if there is none with this id.
    pub fn fetch(&mut self, id: u32) -> Result<StoredRecord, StoreError> {
        let _ = id;
        Err(StoreErrorKind::Failed.into())
    }

    /// The id of the record that the change with this version number made, if it was not changed since.
    pub fn with_version(&self, version: u32) -> Option<u32> {
        let _ = version;
        None
    }

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
        let _ = (parent, meta, key, value);
        Err(StoreErrorKind::Failed.into())
    }

    /// Stores a fetched record that was changed: its attributes, meta-attributes, parent and children are taken as they
    /// are. Its serial must be the stored one; it and the version are counted up in `record` too.
    ///
    /// # Errors
    ///
    /// `Stale` with another serial; `InvalidPath` if it is not there any more; `InvalidRecord` if it is too large;
    /// `WriteFailed`.
    pub fn save(&mut self, record: &mut StoredRecord) -> Result<(), StoreError> {
        let _ = record;
        Err(StoreErrorKind::Failed.into())
    }

    /// Makes a directory as the last child of `parent`, with the smallest free id and serial 1. Of `record` the
    /// attributes and meta-attributes count.
    ///
    /// # Errors
    ///
    /// `InvalidPath` if there is no such parent; `InvalidRecord`, `WriteFailed`.
    pub fn create_child(&mut self, parent: u32, record: StoredRecord) -> Result<u32, StoreError> {
        let _ = (parent, record);
        Err(StoreErrorKind::Failed.into())
    }

    /// Removes a directory with everything below it, from the leaves up.
    ///
    /// # Errors
    ///
    /// `InvalidRecordId` for the root; `InvalidPath` if it is not there; `WriteFailed`.
    pub fn remove(&mut self, id: u32) -> Result<(), StoreError> {
        let _ = id;
        Err(StoreErrorKind::Failed.into())
    }

    /// Makes a directory the last child of another parent; it keeps its id.
    ///
    /// # Errors
    ///
    /// `InvalidRecordId` for the root; `InvalidPath`; `ConstraintViolation` if the new parent is the directory itself
    /// or below it; `WriteFailed`.
    pub fn move_to(&mut self, id: u32, parent: u32) -> Result<(), StoreError> {
        let _ = (id, parent);
        Err(StoreErrorKind::Failed.into())
    }

    /// Copies a directory with everything below it to be the last child of `parent`, under new ids, a directory before
    /// its children. The id of the copy.
    ///
    /// # Errors
    ///
    /// As [`create_child`](Self::create_child); `ConstraintViolation` if `parent` is the directory itself or below it.
    pub fn copy_to(&mut self, id: u32, parent: u32) -> Result<u32, StoreError> {
        let _ = (id, parent);
        Err(StoreErrorKind::Failed.into())
    }

    /// Repair by hand: appends an id to the list of children of `parent`, and nothing else.
    ///
    /// # Errors
    ///
    /// `InvalidPath`; `ConstraintViolation` for an id that a list cannot have; `WriteFailed`.
    pub fn attach(&mut self, parent: u32, id: u32) -> Result<(), StoreError> {
        let _ = (parent, id);
        Err(StoreErrorKind::Failed.into())
    }

    /// Repair by hand: takes an id out of the list of children of `parent`, and nothing else.
    ///
    /// # Errors
    ///
    /// `InvalidPath`; `WriteFailed`.
    pub fn detach(&mut self, parent: u32, id: u32) -> Result<(), StoreError> {
        let _ = (parent, id);
        Err(StoreErrorKind::Failed.into())
    }

    /// Repair by hand: sets the parent that the record `id` names, and nothing else.
    ///
    /// # Errors
    ///
    /// `InvalidPath` if there is no record `id`; `WriteFailed`.
    pub fn set_parent(&mut self, id: u32, parent: u32) -> Result<(), StoreError> {
        let _ = (id, parent);
        Err(StoreErrorKind::Failed.into())
    }

    /// Sets a property, by its NetInfo name, to these values. It keeps its place among the properties, a new one comes
    /// last; the list of their order is made anew.
    ///
    /// # Errors
    ///
    /// `InvalidPath`; `InvalidRecord`; `WriteFailed`.
    pub fn set_property(&mut self, id: u32, name: &[u8], values: &[Vec<u8>]) -> Result<(), StoreError> {
        let _ = (id, name, values);
        Err(StoreErrorKind::Failed.into())
    }

    /// Removes the properties of this NetInfo name. Whether there was one.
    ///
    /// # Errors
    ///
    /// As [`set_property`](Self::set_property).
    pub fn remove_property(&mut self, id: u32, name: &[u8]) -> Result<bool, StoreError> {
        let _ = (id, name);
        Err(StoreErrorKind::Failed.into())
    }

    /// The first property of a record that matches, by its NetInfo name.
    ///
    /// # Errors
    ///
    /// `InvalidPath` if there is no such record.
    pub fn property(&self, id: u32, name: &[u8]) -> Result<Option<&Attribute>, StoreError> {
        let _ = (id, name);
        Err(StoreErrorKind::Failed.into())
    }
}
