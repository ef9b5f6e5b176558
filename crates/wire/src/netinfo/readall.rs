//! The result of READALL: a whole database as a linked list of objects.

use super::result::expect_ok;
use super::{Answer, Id, IdList, PropList, put_id};
use crate::xdr::{Error, Reader, put_bool, put_u32};

/// One directory as READALL transfers it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Object<'a> {
    /// Object id and instance.
    pub id: Id,
    /// Its properties.
    pub props: PropList<'a>,
    /// Object id of its parent; the root names itself.
    pub parent: u32,
    /// Object ids of its children.
    pub children: IdList<'a>,
}

impl<'a> Object<'a> {
    /// Reads one at a position, after the word that said one more follows.
    ///
    /// # Errors
    /// [`Error::Truncated`] or [`Error::TooLong`].
    pub fn read(r: &mut Reader<'a>) -> Result<Self, Error> {
        Ok(Self { id: Id::read(r)?, props: PropList::read(r)?, parent: r.u32()?, children: IdList::read(r)? })
    }

    /// Appends the object, preceded by the word that says one more follows. A server that writes
    /// objects piece by piece does the same: [`put_more`], [`put_id`], properties, parent, children.
    pub fn encode(&self, buf: &mut Vec<u8>) {
        put_more(buf, true);
        put_id(buf, self.id);
        self.props.encode(buf);
        put_u32(buf, self.parent);
        self.children.encode(buf);
    }
}

/// Appends the link of the object list: whether one more object follows.
pub fn put_more(buf: &mut Vec<u8>, more: bool) {
    put_bool(buf, more);
}

/// Appends what leads the objects of a successful result, after the status. Checksum 0 with an empty
/// list says that the caller's copy is current.
pub fn put_readall_head(buf: &mut Vec<u8>, checksum: u32, highest_id: u32) {
    put_u32(buf, checksum);
    put_u32(buf, highest_id);
}

/// A READALL result, its objects decoded one at a time.
#[derive(Clone, Debug)]
pub struct ReadAll<'a> {
    /// Checksum of the database; 0 if the caller's copy is current.
    pub checksum: u32,
    /// Highest object id in the database.
    pub highest_id: u32,
    r: Reader<'a>,
    done: bool,
}

impl<'a> ReadAll<'a> {
    /// Reads what leads the objects.
    ///
    /// # Errors
    /// [`Failure`](super::Failure).
    pub fn decode(results: &'a [u8]) -> Answer<Self> {
        let mut r = Reader::new(results);
        expect_ok(&mut r)?;
        Ok(Self { checksum: r.u32()?, highest_id: r.u32()?, r, done: false })
    }

    /// The next object; `None` after the last.
    ///
    /// # Errors
    /// [`Error`]. After [`Error::Truncated`] the position is still before the object, see
    /// [`ReadAll::remaining`].
    pub fn next_object(&mut self) -> Result<Option<Object<'a>>, Error> {
        if self.done {
            return Ok(None);
        }
        let mut r = self.r;
        let object = r.bool()?.then(|| Object::read(&mut r)).transpose()?;
        self.done = object.is_none();
        self.r = r;
        Ok(object)
    }

    /// The bytes not decoded yet.
    pub const fn remaining(&self) -> &'a [u8] {
        self.r.remaining()
    }
}

impl<'a> Iterator for ReadAll<'a> {
    type Item = Result<Object<'a>, Error>;

    /// As [`ReadAll::next_object`]; ends after an error.
    fn next(&mut self) -> Option<Self::Item> {
        let item = self.next_object().transpose();
        self.done |= matches!(item, Some(Err(_)));
        item
    }
}
