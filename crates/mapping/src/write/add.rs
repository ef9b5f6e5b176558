//! Additions.

use super::{Changes, Given};
use crate::error::{Reason, Refusal};
use crate::tree::Tree;

/// A new entry with this DN and these attributes. The values by which it is named may be among the attributes or not. The
/// entry of the suffix can be added once: the root gets the attributes.
///
/// The first change creates the directory, unless it is the root.
///
/// # Errors
///
/// See [`Reason`].
pub fn add(_tree: &Tree<'_>, _dn: &[u8], _attributes: &[Given<'_>]) -> Changes {
    Err(Refusal::new(Reason::UnwillingToPerform, "not available yet"))
}
