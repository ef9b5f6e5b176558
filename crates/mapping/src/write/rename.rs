//! Renaming and moving.

use super::Changes;
use crate::error::{Reason, Refusal};
use crate::tree::Tree;

/// A new name for an entry.
#[derive(Debug, Clone, Copy)]
pub struct Rename<'a> {
    /// The new relative name.
    pub rdn: &'a [u8],
    /// Whether the former one is removed; else its values stay as further values.
    pub delete_old: bool,
    /// DN of the entry below which it comes, if that is another.
    pub superior: Option<&'a [u8]>,
}

/// Renames an entry, or moves it with all below it.
///
/// # Errors
///
/// See [`Reason`].
pub fn rename(_tree: &Tree<'_>, _object: u32, _rename: Rename<'_>) -> Changes {
    Err(Refusal::new(Reason::UnwillingToPerform, "not available yet"))
}
