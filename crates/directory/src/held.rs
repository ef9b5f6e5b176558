//! What a batch holds back: the next change would most likely write it again.
//!
//! An import makes one directory after another below the same one, and then says when and by whom each was made. The
//! directory above would be saved for each of its children, and each child would get a stamp only to lose it. So both wait:
//! the directory above until a change concerns anything else, the stamp until it is known that none is given.

use std::rc::Rc;

use crate::apply::Applier;
use crate::change::Change;
use crate::error::Result;
use crate::model::Property;
use crate::record::Header;
use crate::siblings::STEP;
use crate::stamp::StampBuf;

/// What is held back. Nobody reads it from the store meanwhile: whoever might has it [released](Applier::release).
#[derive(Default)]
pub(crate) struct Held {
    above: Option<Above>,
    /// The directory that was made last, and the stamp it gets if no other is given.
    stamp: Option<(u32, StampBuf)>,
}

/// A directory that has got children which its record does not count yet.
pub(crate) struct Above {
    pub(crate) object: u32,
    /// As it will be saved, but for the version.
    pub(crate) header: Header,
    pub(crate) properties: Rc<[Property]>,
    /// Position of the last child, if it is known.
    pub(crate) last: Option<u64>,
}

impl Above {
    /// Position for another child before the one now at index `wanted`, where it can be told without a look.
    pub(crate) fn position(&self, wanted: u32) -> Option<u64> {
        if wanted >= self.header.children { self.last?.checked_add(STEP) } else { None }
    }
}

impl Held {
    /// The directory `object`, if it is held back.
    pub(crate) fn above(&mut self, object: u32) -> Option<&mut Above> {
        self.above.as_mut().filter(|above| above.object == object)
    }

    /// The header of the directory `object`, if it is held back.
    pub(crate) fn header(&self, object: u32) -> Option<Header> {
        self.above.as_ref().filter(|above| above.object == object).map(|above| above.header)
    }

    /// Holds back the directory above one that was made.
    pub(crate) fn put_above(&mut self, above: Above) {
        self.above = Some(above);
    }

    /// Holds back the stamp of a directory that was made.
    pub(crate) fn put_stamp(&mut self, object: u32, stamp: StampBuf) {
        self.stamp = Some((object, stamp));
    }

    /// The directory `object` has got another stamp than the one held back for it.
    pub(crate) fn drop_stamp(&mut self, object: u32) {
        self.stamp.take_if(|(held, _)| *held == object);
    }

    /// The stamp of the directory `object`, if it is held back.
    pub(crate) fn stamp(&self, object: u32) -> Option<&StampBuf> {
        self.stamp.as_ref().filter(|(held, _)| *held == object).map(|(_, stamp)| stamp)
    }

    /// Whether the stamp of the directory `object` is held back.
    pub(crate) fn has_stamp(&self, object: u32) -> bool {
        self.stamp(object).is_some()
    }
}

impl Applier<'_, '_> {
    /// Puts into the store what a change may look at there, or everything.
    pub(crate) fn release(&mut self, next: Option<&Change>) -> Result<()> {
        let Some(held) = &mut self.held else { return Ok(()) };
        let gives_stamp =
            |object| matches!(next, Some(Change::SetStamp { directory, .. }) if directory.object == object);
        let stamp = held.stamp.take_if(|(object, _)| !gives_stamp(*object));
        let is_above = |above: &mut Above| match next {
            Some(Change::Create { parent, .. }) => parent.object == above.object,
            Some(Change::SetStamp { directory, .. }) => directory.object != above.object,
            _ => false,
        };
        let above = held.above.take_if(|above| !is_above(above));
        if let Some((object, stamp)) = stamp {
            self.put_new_stamp(object, stamp.as_stamp())?;
        }
        if let Some(Above { object, header, .. }) = above {
            let version = self.next_version(object, Some(header.version))?;
            self.store.save_header(&mut self.txn, object, Header { version, ..header })?;
        }
        Ok(())
    }
}
