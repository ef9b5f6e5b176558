//! A whole folder in memory.

use std::collections::BTreeMap;
use std::path::Path;

use super::error::{StoreError, StoreErrorKind};
use super::finding::Finding;
use super::load::{self, Loaded};
use super::stored::{Properties, StoredRecord};
use super::{stream, tree};
use crate::{Problem, Record};

/// Which generation of the format a folder is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// `Config` and `Store.N`: Mac OS X 10.0 to 10.5.
    Modern,
    /// `Collection`, slots of 512 bytes: late NEXTSTEP, OPENSTEP, Rhapsody.
    Collection512,
    /// `collection`, slots of 256 bytes: older systems.
    Collection256,
}

/// A directory of a folder.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Directory {
    /// Its id; the root is 0.
    pub id: u32,
    /// Its instance number.
    pub instance: u32,
    /// The version of the database that its last change made. In the legacy layout, which has none, that which the
    /// conversion of the server gives.
    pub version: u32,
    /// The id of its parent; the root's is 0.
    pub parent: u32,
    /// The ids of its children, in order.
    pub children: Vec<u32>,
    /// Its properties in the order of NetInfo. Names and values are bytes.
    pub properties: Properties,
}

/// The directories of a folder, as the historical server would serve them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Database {
    /// The layout they were read from.
    pub layout: Layout,
    /// The directories by id. The root is there.
    pub directories: BTreeMap<u32, Directory>,
    /// Everything odd about the folder.
    pub findings: Vec<Finding>,
    /// The checksum that a historical server reports after it has opened this folder. It differs from
    /// [`checksum`](Self::checksum) after a crash that left a newer version of a record, until the next start.
    pub opened_checksum: u32,
}

impl Database {
    /// Reads a folder of either layout. The folder is not changed, not even after a crash: what a server would repair
    /// is repaired in memory, and told.
    ///
    /// # Errors
    ///
    /// `InvalidDatastore` if the folder is no database, `ReadFailed` if it cannot be read at all, `NoRootRecord` if
    /// there is no directory 0. Whatever else is wrong is a [`Finding`].
    pub fn read(folder: &Path) -> Result<Self, StoreError> {
        let (files, mut findings) = load::open(folder)?;
        let mut loaded = load::load(&files)?;
        findings.extend(loaded.findings);
        loaded.findings = findings;
        Self::of(loaded)
    }

    pub(crate) fn of(loaded: Loaded) -> Result<Self, StoreError> {
        if !loaded.records.contains_key(&0) {
            return Err(StoreErrorKind::NoRootRecord.into());
        }
        Ok(Self {
            layout: loaded.layout,
            directories: loaded.records.into_iter().map(|(id, record)| (id, record.into())).collect(),
            findings: loaded.findings.into_vec(),
            opened_checksum: loaded.opened_checksum,
        })
    }

    /// Makes lists of children and parents agree, as the historical server does after a crash; each directory that is
    /// changed has its instance counted up. What was wrong; what a folder must not have before it is written.
    pub fn mend(&mut self) -> Vec<Finding> {
        let mut tree = tree::of(&self.directories);
        let findings = tree::mend(&mut tree).into_vec();
        let mut version = self.directories.values().map(|directory| directory.version).max().unwrap_or(0);
        for (id, links) in tree {
            let Some(directory) = self.directories.get_mut(&id) else { continue };
            if (directory.parent, &directory.children) != (links.parent, &links.children) {
                (directory.parent, directory.children) = (links.parent, links.children);
                version = version.wrapping_add(1);
                directory.version = version;
                directory.instance = directory.instance.wrapping_add(1);
            }
        }
        findings
    }

    /// Σ (id + 1) · instance over all directories, modulo 2³².
    pub fn checksum(&self) -> u32 {
        self.directories
            .values()
            .fold(0, |sum: u32, directory| sum.wrapping_add(super::term(directory.id, directory.instance)))
    }

    /// The highest id in use.
    pub fn highest_id(&self) -> u32 {
        self.directories.keys().next_back().copied().unwrap_or(0)
    }

    /// Ids of the directories that can be reached from the root, parents first, children in their order.
    pub fn preorder(&self) -> Vec<u32> {
        tree::preorder(|id| self.directories.get(&id).map(|directory| directory.children.as_slice()))
    }

    /// The directories as a stream: those that can be reached from the root, parents first, children in their order,
    /// with id and instance. The line of a record is its number in the stream, from 1. Directories that cannot be
    /// reached are problems, and so are names and values with a NUL: as servers do, the record has what is before it.
    pub fn records(&self) -> impl Iterator<Item = Result<Record, Problem>> + '_ {
        stream::records(self)
    }
}

impl From<StoredRecord> for Directory {
    fn from(record: StoredRecord) -> Self {
        let properties = record.properties();
        let StoredRecord { id, serial, version, parent, children, .. } = record;
        Self { id, instance: serial, version, parent, children, properties }
    }
}

/// The size alone: properties may be secret.
impl std::fmt::Debug for Directory {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { id, instance, parent, .. } = self;
        let (children, properties) = (self.children.len(), self.properties.len());
        write!(f, "Directory {{ {id}/{instance} in {parent}, {children} children, {properties} properties }}")
    }
}
