//! Writes: what a client asks of entries, as changes of directories.
//!
//! Each function reads the tree as it is and gives the changes for one proposal, which the core makes all or not at all.
//! The changes name the instances of the directories that were read: if another write comes in between, the core refuses
//! with `Stale`, and the caller derives them anew from a new snapshot. Access is decided by the core when it makes them.
//!
//! Passwords: [`cleartext_passwords`] finds those that have to be hashed before; a value that is left in the clear is
//! refused.

mod add;
mod checks;
mod delete;
mod draft;
mod integrity;
mod members;
mod modify;
mod naming;
mod passwords;
mod rename;

use std::borrow::Cow;

pub use add::add;
pub(crate) use add::{adopted, new_entry};
pub use delete::{delete, delete_tree};
pub(crate) use members::{NETGROUP_LISTS, NETGROUP_TRIPLES, netgroup_lists};
pub use modify::modify;
pub use passwords::{cleartext_passwords, published_password};
pub(crate) use passwords::{is_cleartext, is_password};
pub use rename::{Rename, rename};

use netinfo_directory::Change;

use crate::error::Refusal;

/// Changes for one proposal; or why there are none.
pub type Changes = Result<Vec<Change>, Refusal>;

/// An attribute that a client sends.
#[derive(Clone, PartialEq, Eq)]
pub struct Given<'a> {
    /// Type and options.
    pub description: &'a [u8],
    /// Values.
    pub values: Vec<Cow<'a, [u8]>>,
}

impl std::fmt::Debug for Given<'_> {
    /// Values may be passwords: only their number is shown.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {} values", String::from_utf8_lossy(self.description), self.values.len())
    }
}

impl<'a> Given<'a> {
    /// An attribute of these values.
    pub fn new(description: &'a [u8], values: impl IntoIterator<Item = &'a [u8]>) -> Self {
        Self { description, values: values.into_iter().map(Cow::Borrowed).collect() }
    }
}

/// What a modification does (RFC 4511 §4.6, RFC 4525).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// Adds the values.
    Add,
    /// Removes the values, or all of them when none is named.
    Delete,
    /// These become the values; none removes the attribute.
    Replace,
    /// Adds the one number to each value.
    Increment,
}

/// One step of a modify request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Modification<'a> {
    /// What is done.
    pub operation: Operation,
    /// To which attribute, with which values.
    pub attribute: Given<'a>,
}
