//! Results as clients decode them, into owned values.
//!
//! Every decoder takes the results of a successful reply
//! ([`Outcome::Success`](crate::rpc::Outcome)); bytes after them are ignored. Heap use stays within
//! [`MAX_EXPANSION`](crate::MAX_EXPANSION): counts are checked against the bytes that are there before
//! anything is reserved.

use std::fmt;
use std::net::Ipv4Addr;

use super::args::Binding;
use super::{Id, IdList, MAX_IDS, NameList, PropList, Status, name};
use crate::xdr::{Error, Reader};

/// A result that a client asked for, or why there is none.
pub type Answer<T> = Result<T, Failure>;

/// Why there is no result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// The server answered with this status; never [`Status::Ok`].
    #[error("{0}")]
    Status(Status),
    /// The bytes are not a result of this procedure.
    #[error("malformed NetInfo result: {0}")]
    Malformed(#[from] Error),
}

/// A property: its name and its values in order. `Debug` does not show values, which may be passwords.
#[derive(Clone, PartialEq, Eq, Default, Hash)]
pub struct Property {
    /// The name.
    pub name: Vec<u8>,
    /// The values.
    pub values: Vec<Vec<u8>>,
}

impl fmt::Debug for Property {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} <{} values>", self.name.escape_ascii(), self.values.len())
    }
}

impl Property {
    /// A property from anything that looks like bytes.
    pub fn new<V: AsRef<[u8]>>(name: impl AsRef<[u8]>, values: impl IntoIterator<Item = V>) -> Self {
        Self {
            name: name.as_ref().to_vec(),
            values: values.into_iter().map(|value| value.as_ref().to_vec()).collect(),
        }
    }
}

/// One child in the result of LIST.
#[derive(Clone, PartialEq, Eq)]
pub struct Entry {
    /// Object id of the child.
    pub id: u32,
    /// Values of the property; `None` if the child does not have it.
    pub names: Option<Vec<Vec<u8>>>,
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} <{:?} values>", self.id, self.names.as_ref().map(Vec::len))
    }
}

/// Result of CREATE.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Created {
    /// The new directory.
    pub id: Id,
    /// The parent after the change.
    pub parent: Id,
}

/// Result of RPARENT: where the parent domain is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnedBinding {
    /// Tag of the parent domain.
    pub tag: Vec<u8>,
    /// Address of the host that serves it.
    pub addr: Ipv4Addr,
}

impl NameList<'_> {
    /// The names, copied.
    pub fn to_vec(&self) -> Vec<Vec<u8>> {
        exactly(self.iter().map(<[u8]>::to_vec))
    }
}

impl PropList<'_> {
    /// The properties, copied.
    pub fn to_vec(&self) -> Vec<Property> {
        exactly(self.iter().map(|(name, values)| Property { name: name.to_vec(), values: values.to_vec() }))
    }
}

/// Collects without spare capacity: `collect` makes room for four elements at least, which for many
/// short lists within a list is several times what they need.
fn exactly<T>(elements: impl ExactSizeIterator<Item = T>) -> Vec<T> {
    let mut all = Vec::with_capacity(elements.len());
    all.extend(elements);
    all
}

/// Reads the status that leads a result; anything but `Ok` is the failure.
pub(crate) fn expect_ok(r: &mut Reader<'_>) -> Answer<()> {
    match Status::from_code(r.u32()?) {
        Status::Ok => Ok(()),
        status => Err(Failure::Status(status)),
    }
}

/// Declares result decoders: name, returned type, and how the body after the status is read.
macro_rules! results {
    ($($(#[$doc:meta])* fn $name:ident($r:ident) -> $ty:ty $body:block)*) => { $(
        $(#[$doc])*
        ///
        /// # Errors
        /// [`Failure::Status`] if the server says so, [`Failure::Malformed`] if the bytes are no such result.
        pub fn $name(results: &[u8]) -> Answer<$ty> {
            let $r = &mut Reader::new(results);
            expect_ok($r)?;
            let value: Result<$ty, Error> = $body;
            Ok(value?)
        }
    )* };
}

results! {
    /// A bare status: RESYNC, and most binder procedures.
    fn decode_status(r) -> () { Ok(()) }

    /// ROOT, SELF, and all writes but CREATE: the current id.
    fn decode_id_res(r) -> Id { Id::read(r) }

    /// PARENT: object id of the parent, and the directory's own id.
    fn decode_parent_res(r) -> (u32, Id) { Ok((r.u32()?, Id::read(r)?)) }

    /// CHILDREN: object ids of the children, and the directory's own id.
    fn decode_children_res(r) -> (Vec<u32>, Id) { ids_and_self(r) }

    /// LOOKUP: object ids of the hits, and the id of the searched directory.
    fn decode_lookup_res(r) -> (Vec<u32>, Id) { ids_and_self(r) }

    /// LIST: one entry per child, and the id of the listed directory.
    fn decode_list_res(r) -> (Vec<Entry>, Id) {
        let count = r.count(MAX_IDS, 8)?;
        let mut entries = Vec::with_capacity(count as usize);
        for _ in 0..count {
            let id = r.u32()?;
            let names = if r.bool()? { Some(NameList::read(r)?.to_vec()) } else { None };
            entries.push(Entry { id, names });
        }
        Ok((entries, Id::read(r)?))
    }

    /// LISTALL: the id of the listed directory, and the properties of each child.
    fn decode_listall_res(r) -> (Id, Vec<Vec<Property>>) {
        let id = Id::read(r)?;
        let count = r.count(MAX_IDS, 4)?;
        let mut lists = Vec::with_capacity(count as usize);
        for _ in 0..count {
            lists.push(PropList::read(r)?.to_vec());
        }
        Ok((id, lists))
    }

    /// READ and LOOKUPREAD: the id (of the searched directory for LOOKUPREAD) and the properties.
    fn decode_proplist_res(r) -> (Id, Vec<Property>) { Ok((Id::read(r)?, PropList::read(r)?.to_vec())) }

    /// CREATE: the new directory and its parent.
    fn decode_create_res(r) -> Created { Ok(Created { id: Id::read(r)?, parent: Id::read(r)? }) }

    /// READPROP (values) and LISTPROPS (property names), and the directory's own id.
    fn decode_namelist_res(r) -> (Vec<Vec<u8>>, Id) { Ok((NameList::read(r)?.to_vec(), Id::read(r)?)) }

    /// READNAME: the directory's own id and the value.
    fn decode_readname_res(r) -> (Id, Vec<u8>) { Ok((Id::read(r)?, name(r)?.to_vec())) }

    /// RPARENT: where the parent domain is.
    fn decode_rparent_res(r) -> OwnedBinding {
        Binding::decode(r.remaining()).map(|b| OwnedBinding { tag: b.tag.to_vec(), addr: b.addr })
    }
}

/// STATISTICS: a bare property list; this result has no status.
///
/// # Errors
/// [`Failure::Malformed`].
pub fn decode_statistics(results: &[u8]) -> Answer<Vec<Property>> {
    Ok(PropList::decode(results)?.to_vec())
}

fn ids_and_self(r: &mut Reader<'_>) -> Result<(Vec<u32>, Id), Error> {
    Ok((IdList::read(r)?.iter().collect(), Id::read(r)?))
}
