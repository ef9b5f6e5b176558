//! What of an entry can be remembered as it is sent, and until when.
//!
//! What is remembered of a directory ([`View::rendering`](netinfo_directory::View::rendering)) holds until the directory
//! itself changes. So it may be made of nothing but the directory and what the form is made of: the namespace, the context
//! of its place, and what is asked for. What else there is to an entry is looked at each time: whether the session reads
//! all of it, what the entries above are called, whether a sibling bears the same name.

use netinfo_directory::Form;

use super::Entry;
use crate::context::RDN;
use crate::error::Result;
use crate::tree::{DSID, Inner};
use crate::wanted::Selection;

/// Tells the contexts of one selection apart: an odd number with bits all over.
const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;

impl Entry<'_> {
    /// The form in which the attributes of `selection`, and the relative name, can be remembered. `None` if they depend on
    /// other directories, on the session, or on what only the server knows.
    pub fn form(&self, selection: &Selection) -> Option<Form> {
        let digest = selection.digest()?;
        // The directories below the root are named by their place, and the root by the suffix.
        let Some(Inner::Context(number)) = self.own() else { return None };
        let is_everybodys =
            self.reads_all && self.access.as_ref().is_some_and(|access| !access.sees_secrets());
        // `member` follows from the names of users.
        let lasts = self.context().table != "groups";
        (is_everybodys && lasts).then(|| Form::new(digest ^ (number as u64).wrapping_mul(SPREAD)))
    }

    /// The relative name in front of `dn`, which [`Entry::write_dn`] wrote, if it is the directory's own and not its number.
    pub fn rdn_in<'d>(&self, dn: &'d [u8]) -> Option<&'d [u8]> {
        let above = &self.parent.as_ref()?.dn;
        let rest = if above.is_empty() { 0 } else { above.len() + 1 };
        let rdn = dn.get(..dn.len().checked_sub(rest)?)?;
        let is_number = rdn.strip_prefix(DSID.as_bytes()).is_some_and(|rest| rest.starts_with(b"="));
        (!is_number && self.record.property(RDN).is_none()).then_some(rdn)
    }

    /// Appends the DN, as [`Entry::write_dn`] does. `rdn` is what [`Entry::rdn_in`] gave in the same form, when the directory was
    /// the same: it is used where no other entry can bear that name.
    ///
    /// # Errors
    ///
    /// When the core cannot read.
    pub fn write_dn_with(&self, rdn: Option<&[u8]>, out: &mut Vec<u8>) -> Result<()> {
        let (Some(rdn), Some(parent)) = (rdn, &self.parent) else { return self.write_dn(out) };
        if !self.tree.bears_name_alone(&self.record)? {
            return self.write_dn(out);
        }
        out.extend_from_slice(rdn);
        if !parent.dn.is_empty() {
            out.push(b',');
            out.extend_from_slice(&parent.dn);
        }
        Ok(())
    }
}
