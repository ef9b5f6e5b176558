//! Moving a directory, with all below it, to another place in the domain.

use crate::apply::Applier;
use crate::change::Outcome;
use crate::error::{Error, Result};
use crate::index::Terms;
use crate::model::{ROOT, Target};
use crate::pending;
use crate::record::Header;
use crate::session::Session;
use crate::siblings;
use crate::store::keys::{IndexKey, child_key};

/// The directories that a move is about; the instances they had before it are filled in.
pub(crate) struct Places<'c> {
    pub(crate) from: Target,
    pub(crate) child: &'c mut Target,
    pub(crate) to: &'c mut Target,
    pub(crate) position: u32,
}

impl Applier<'_, '_> {
    pub(crate) fn move_directory(&mut self, session: &Session, places: Places<'_>) -> Result<Outcome> {
        let Places { from, child, to, position } = places;
        let before = self.current(from)?;
        let target = self.current(*to)?;
        self.access(session, &before.properties).directory()?;
        let same = from.object == to.object;
        if !same {
            self.access(session, &target.properties).directory()?;
        }
        let moved = self.current(*child)?;
        if moved.header.parent != from.object || child.object == ROOT {
            return Err(Error::Unrelated);
        }
        self.refuse_loop(child.object, to.object)?;
        child.instance = Some(moved.header.instance);
        to.instance = Some(target.header.instance);

        let key = child.object.to_be_bytes();
        self.store.children.delete(&mut self.txn, &child_key(from.object, moved.header.position))?;
        let siblings = target.header.children - u32::from(same);
        let position = siblings::position(self.store, &mut self.txn, to.object, siblings, position)?;
        self.store.children.put(&mut self.txn, &child_key(to.object, position), &key)?;
        if !same {
            pending::finish(
                self.store,
                &mut self.txn,
                &mut self.known,
                child.object,
                from.object,
                &moved.properties,
            )?;
            for (name, value) in Terms::of(&moved.properties).iter() {
                let (old, new) =
                    (IndexKey::new(from.object, name, value), IndexKey::new(to.object, name, value));
                for parent in [from.object, to.object] {
                    let remembered = &self.store.remembered;
                    remembered.mark(self.txn.id(), remembered.question(parent, name, value));
                }
                self.store.index.delete_one_duplicate(&mut self.txn, old.as_bytes(), &key)?;
                self.store.index.put(&mut self.txn, new.as_bytes(), &key)?;
            }
        }
        let header = self.raised(child.object, moved.header)?;
        let header = Header { parent: to.object, position, ..header };
        self.store.save_header(&mut self.txn, child.object, header)?;
        // The old parent may be a child of the new one, whose children may just have been numbered anew.
        let header = self.current(Target::any(from.object))?.header;
        let id = self.touch(from.object, header, if same { 0 } else { -1 })?;
        if !same {
            self.touch(to.object, target.header, 1)?;
        }
        Ok(Outcome { id, created: None })
    }

    /// Whoever is on the way from the new parent to the root must not be moved below it.
    fn refuse_loop(&self, child: u32, to: u32) -> Result<()> {
        let (mut at, mut left) = (to, self.state.directories);
        while at != ROOT {
            if at == child {
                return Err(Error::Loop);
            }
            left = left.checked_sub(1).ok_or_else(|| Error::damaged("the tree has a loop"))?;
            let record = self.store.record(&self.txn, at)?;
            at = record.ok_or_else(|| Error::damaged(format!("record {at} is missing")))?.parent();
        }
        Ok(())
    }
}
