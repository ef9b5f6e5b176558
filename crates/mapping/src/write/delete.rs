//! Deletions.

use netinfo_directory::{Change, ROOT, Target};

use super::Changes;
use super::integrity::Integrity;
use crate::error::{Reason, Refusal};
use crate::tree::Tree;

/// Removes an entry that has none below it. Groups of the domain do not name it any more, unless the root says otherwise.
///
/// # Errors
///
/// See [`Reason`].
pub fn delete(tree: &Tree<'_>, object: u32) -> Changes {
    if tree.view().record(object)?.child_count() > 0 {
        return Err(Refusal::new(Reason::NotAllowedOnNonLeaf, "the entry has entries below it"));
    }
    delete_tree(tree, object, 1)
}

/// Removes an entry and all below it, at most `limit` of them together.
///
/// # Errors
///
/// See [`Reason`].
pub fn delete_tree(tree: &Tree<'_>, object: u32, limit: usize) -> Changes {
    if object == ROOT {
        return Err(Refusal::new(Reason::UnwillingToPerform, "the root of a domain cannot be removed"));
    }
    let mut gone = vec![object];
    let mut at = 0;
    while let Some(&directory) = gone.get(at) {
        for child in tree.view().children(directory)? {
            gone.push(child?);
        }
        if gone.len() > limit {
            let message = format!("there are more than {limit} entries below it");
            return Err(Refusal::new(Reason::UnwillingToPerform, message));
        }
        at += 1;
    }
    let mut changes = Vec::with_capacity(gone.len());
    let mut integrity = Integrity::new(tree);
    // Children stand behind their parents: from the end nothing has children any more.
    for &directory in gone.iter().rev() {
        let record = tree.view().record(directory)?;
        let child = match record.child_count() {
            0 => record.id().into(),
            // Its instance grows with every child that goes.
            _ => Target::any(directory),
        };
        changes.push(Change::Destroy { parent: Target::any(record.parent()), child });
        integrity.note(directory, None)?;
    }
    changes.extend(integrity.changes(&gone)?);
    Ok(changes)
}
