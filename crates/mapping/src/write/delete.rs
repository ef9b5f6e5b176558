//! Deletions.

use super::Changes;
use crate::error::{Reason, Refusal};
use crate::tree::Tree;

/// Removes an entry that has none below it.
///
/// # Errors
///
/// See [`Reason`].
pub fn delete(_tree: &Tree<'_>, _object: u32) -> Changes {
    Err(Refusal::new(Reason::UnwillingToPerform, "not available yet"))
}

/// Removes an entry and all below it, at most `limit` of them together.
///
/// # Errors
///
/// See [`Reason`].
pub fn delete_tree(_tree: &Tree<'_>, _object: u32, _limit: usize) -> Changes {
    Err(Refusal::new(Reason::UnwillingToPerform, "not available yet"))
}
