//! Which directories changes concern.

use netinfo_directory::{Change, Committed, Error, View};
use roaring::RoaringBitmap;

use crate::context::NamingContext;
use crate::failure::Outcome;

/// Changes read from the feed at once.
const CHUNK: usize = 1024;

/// The directories that a range of changes concerns, by object id.
#[derive(Debug, Default)]
pub(crate) struct Touched {
    /// Those that came, went, or became different.
    pub(crate) directories: RoaringBitmap,
    /// Those of them that were moved: what is below them has another name now.
    pub(crate) moved: RoaringBitmap,
}

impl Touched {
    /// What the changes after `since`, up to `until`, concern. `None` if not all of them are kept any more.
    pub(crate) fn between(context: &NamingContext, since: u64, until: u64) -> Outcome<Option<Self>> {
        let mut touched = Self::default();
        let mut at = since;
        while at < until {
            let before = at;
            let read = context.domain().changes(context.internal(), at, CHUNK, |committed| {
                at = committed.sequence;
                if at <= until {
                    touched.note(&committed);
                }
            });
            match read {
                // The feed ends before `until`, or does not reach back to `since`: other data, then.
                Ok(()) if at == before => return Ok(None),
                Ok(()) => {}
                Err(Error::Stale) => return Ok(None),
                Err(error) => return Err(error.into()),
            }
        }
        Ok(Some(touched))
    }

    fn note(&mut self, committed: &Committed) {
        let object = match &committed.change {
            Change::Create { .. } => committed.outcome.created.map(|id| id.object),
            Change::Destroy { child, .. } => Some(child.object),
            Change::Move { child, .. } => {
                self.moved.insert(child.object);
                Some(child.object)
            }
            change => Some(change.directory().object),
        };
        self.directories.extend(object);
    }
}

/// Adds everything below a directory, if that exists.
pub(crate) fn add_below(view: &View<'_>, object: u32, found: &mut RoaringBitmap) -> Outcome<()> {
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
