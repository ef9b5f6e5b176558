//! Modifications.

use super::{Changes, Modification};
use crate::error::{Reason, Refusal};
use crate::tree::Tree;

/// Changes attributes of an entry, one step after another. `permissive`: values that are added although they are there,
/// or removed although they are not, are no errors.
///
/// No changes come of modifications that change nothing.
///
/// # Errors
///
/// See [`Reason`].
pub fn modify(_tree: &Tree<'_>, _object: u32, _steps: &[Modification<'_>], _permissive: bool) -> Changes {
    Err(Refusal::new(Reason::UnwillingToPerform, "not available yet"))
}
