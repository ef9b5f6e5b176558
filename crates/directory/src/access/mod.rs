//! Who may read and change what: one set of answers for all front-ends.
//!
//! An [`Access`] answers for one session over one snapshot; [`Access::entry`] answers for one directory of it. Questions
//! name NetInfo properties, whatever a front-end calls them. `docs/access.md` describes the rules to administrators.
//!
//! | module | holds |
//! |---|---|
//! | `entry` | the decisions for one directory |
//! | `lists` | `_locked`, `_writers`, `_writers_<property>` of the NetInfo protocol |
//! | `public` | what anonymous callers read of POSIX entries |

mod entry;
mod lists;
mod public;

pub use entry::EntryAccess;
pub(crate) use lists::{Counters, Lists, count};

use crate::error::{Error, Result};
use crate::model::{ROOT, is_secret};
use crate::record::RecordRef;
use crate::session::{Governance, Session};
use crate::store::Store;

/// Something to be done with a directory or with a property of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    /// Tell the values.
    Read,
    /// Find directories by the values, or sort by them.
    Search,
    /// Tell whether a value is among them.
    Compare,
    /// Change the values.
    Write,
    /// Make a child.
    Add,
    /// Remove the directory, or move it elsewhere.
    Delete,
}

/// A tree to be read inside a transaction.
#[derive(Clone, Copy)]
pub(crate) struct Tree<'a> {
    pub(crate) store: &'a Store,
    pub(crate) txn: &'a heed::RoTxn<'a>,
}

impl<'a> Tree<'a> {
    /// A directory, secrets masked.
    pub(crate) fn record(&self, object: u32) -> Result<RecordRef<'a>> {
        self.store.record(self.txn, object)?.ok_or(Error::NoSuchDirectory)
    }
}

/// Answers for one session over one snapshot.
pub struct Access<'a> {
    tree: Tree<'a>,
    session: &'a Session,
    anonymous: Anonymous,
}

/// What the root's `_anonymous` lets anonymous callers read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Anonymous {
    None,
    Posix,
    Read,
}

impl<'a> Access<'a> {
    pub(crate) fn new(tree: Tree<'a>, session: &'a Session) -> Result<Self> {
        let anonymous = match tree.record(ROOT)?.first_value(b"_anonymous") {
            Some(b"none") => Anonymous::None,
            Some(b"read") => Anonymous::Read,
            _ => Anonymous::Posix,
        };
        Ok(Self { tree, session, anonymous })
    }

    /// Whether the session reads, searches and compares everything but secrets, so that no directory has to be asked for.
    #[must_use]
    pub fn reads_everything(&self) -> bool {
        self.session.governance == Governance::Lists
            || !self.session.is_anonymous()
            || self.anonymous == Anonymous::Read
    }

    /// The decisions for the directory `record`, which has to be of the snapshot.
    pub fn entry<'e>(&'e self, record: &RecordRef<'e>) -> Result<EntryAccess<'e>> {
        EntryAccess::new(self, *record)
    }

    /// The decisions for a directory.
    pub fn object(&self, object: u32) -> Result<EntryAccess<'_>> {
        EntryAccess::new(self, self.tree.record(object)?)
    }

    /// Whether the property may be read, searched and compared by this session at all.
    fn hides(&self, property: &[u8]) -> bool {
        is_secret(property) && !self.session.sees_secrets()
    }
}
