//! Which directories changes concern.

use netinfo_directory::{Change, Committed, Error, View};
use roaring::RoaringBitmap;

use crate::context::NamingContext;
use crate::failure::Outcome;

/// Changes read from the feed at once.
const CHUNK: usize = 1024;

/// The directories that came, went or became different by the changes after `since`, up to `until`. `None` if not all of
/// these changes are kept any more.
pub(super) fn between(context: &NamingContext, since: u64, until: u64) -> Outcome<Option<RoaringBitmap>> {
    let mut touched = RoaringBitmap::new();
    let mut at = since;
    while at < until {
        let before = at;
        let read = context.domain().changes(context.internal(), at, CHUNK, |committed| {
            at = committed.sequence;
            if at <= until {
                touched.extend(directory(&committed));
            }
        });
        match read {
            // The feed ends before `until`: it is of other data.
            Ok(()) if at == before => return Ok(None),
            Ok(()) => {}
            Err(Error::Stale) => return Ok(None),
            Err(error) => return Err(error.into()),
        }
    }
    Ok(Some(touched))
}

/// The directory that a change makes different. Its parent, which has one child more or less, is the same as an entry.
fn directory(committed: &Committed) -> Option<u32> {
    match &committed.change {
        Change::Create { .. } => committed.outcome.created.map(|id| id.object),
        Change::Destroy { child, .. } | Change::Move { child, .. } => Some(child.object),
        change => Some(change.directory().object),
    }
}

/// Adds everything below a directory, if that exists.
pub(super) fn add_below(view: &View<'_>, object: u32, found: &mut RoaringBitmap) -> Outcome<()> {
    let mut parents = vec![object];
    while let Some(parent) = parents.pop() {
        for child in view.children(parent)? {
            let child = child?;
            if found.insert(child) {
                parents.push(child);
            }
        }
    }
    Ok(())
}
