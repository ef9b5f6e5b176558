//! The NetInfo protocol: program 200100000 version 2, 29 procedures.
//!
//! * [`procedure`] — the procedures and which of them write;
//! * [`status`] — the status codes with the texts of the historical client library;
//! * [`list`] — [`NameList`], [`PropList`], [`IdList`]: validated once, then iterated without copying;
//! * [`args`] — arguments, decoded by servers and encoded by clients;
//! * [`reply`] — results written by servers straight into the reply buffer;
//! * [`result`] — results decoded by clients into owned values;
//! * [`readall`] — the object list of READALL, one object at a time.
//!
//! Strings are bytes without any character set. The protocol's strings are NUL-terminated in the
//! historical implementation, so a string that contains a NUL is cut there when it is handed out.

pub mod args;
pub mod list;
pub mod procedure;
pub mod readall;
pub mod reply;
pub mod result;
pub mod status;

pub use args::{
    Binding, CreateArgs, CreateNameArgs, CreatePropArgs, DestroyArgs, LookupArgs, NameArgs, NameIndexArgs,
    PropArgs, PropListArgs, PropNameArgs, WriteNameArgs, WritePropArgs,
};
pub use list::{IdList, IdListBuf, NameList, NameListBuf, PropList, PropListBuf};
pub use procedure::Procedure;
pub use readall::{Object, ReadAll, put_more, put_readall_head};
pub use reply::{
    IdListWriter, ListWriter, NameListWriter, PropListWriter, put_binding, put_bool, put_count, put_id,
    put_name, put_status,
};
pub use result::{
    Answer, Created, Entry, Failure, OwnedBinding, Property, decode_children_res, decode_create_res,
    decode_id_res, decode_list_res, decode_listall_res, decode_lookup_res, decode_namelist_res,
    decode_parent_res, decode_proplist_res, decode_readname_res, decode_rparent_res, decode_statistics,
    decode_status,
};
pub use status::Status;

use crate::xdr::{Error, Reader, put_u32};

/// Program number.
pub const PROGRAM: u32 = 200_100_000;
/// The only version of the program.
pub const VERSION: u32 = 2;

/// Longest string, in bytes.
pub const MAX_NAME: u32 = 65_535;
/// Most names in a name list.
pub const MAX_NAMES: u32 = 65_535;
/// Most properties in a property list.
pub const MAX_PROPERTIES: u32 = 65_535;
/// Most elements in an id list, an entry list or a list of property lists.
pub const MAX_IDS: u32 = 1_048_576;

/// `NI_INDEX_NULL`: "at the end" where a position is asked for, nothing elsewhere.
pub const INDEX_NULL: u32 = 0xffff_ffff;

/// A directory at one moment: its object id and the instance number that every write increments.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default, PartialOrd, Ord)]
pub struct Id {
    /// Object id, unique in the domain.
    pub object: u32,
    /// Instance number; reads ignore it, writes must give the current one.
    pub instance: u32,
}

impl Id {
    /// The id with these two numbers.
    pub const fn new(object: u32, instance: u32) -> Self {
        Self { object, instance }
    }

    /// Decodes the argument of SELF, PARENT, READ, CHILDREN, LISTPROPS and LISTALL. Bytes after it are
    /// ignored.
    ///
    /// # Errors
    /// [`Error::Truncated`].
    pub fn decode(args: &[u8]) -> Result<Self, Error> {
        Self::read(&mut Reader::new(args))
    }

    /// Appends the id.
    pub fn encode(&self, buf: &mut Vec<u8>) {
        put_id(buf, *self);
    }

    /// Reads one at a position, as part of a longer message.
    ///
    /// # Errors
    /// [`Error::Truncated`].
    pub fn read(r: &mut Reader<'_>) -> Result<Self, Error> {
        Ok(Self { object: r.u32()?, instance: r.u32()? })
    }
}

/// Decodes the argument of READALL and CRASHED: a checksum.
///
/// # Errors
/// [`Error::Truncated`].
pub fn decode_checksum(args: &[u8]) -> Result<u32, Error> {
    Reader::new(args).u32()
}

/// Appends the argument of READALL and CRASHED.
pub fn put_checksum(buf: &mut Vec<u8>, checksum: u32) {
    put_u32(buf, checksum);
}

/// The bytes of `name` before its first NUL.
#[inline]
pub fn cut(name: &[u8]) -> &[u8] {
    // Hardly any name goes past this.
    if !has_nul(name) {
        return name;
    }
    name.split(|b| *b == 0).next().unwrap_or(name)
}

/// Whether there is a NUL, eight bytes at a time: most names are shorter than what a general search is made for.
#[inline]
fn has_nul(name: &[u8]) -> bool {
    const LOW: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x8080_8080_8080_8080;
    let (words, rest) = name.as_chunks::<8>();
    // The highest bit of a byte that is zero, and of none before it, is set by the subtraction and was not set before.
    let nul = words
        .iter()
        .map(|w| u64::from_le_bytes(*w))
        .fold(0, |nul, w| nul | (w.wrapping_sub(LOW) & !w & HIGH));
    nul != 0 || rest.contains(&0)
}

/// Reads one string at a position, as part of a longer message; it is cut at its first NUL.
///
/// # Errors
/// [`Error::TooLong`] above [`MAX_NAME`], [`Error::Truncated`].
#[inline]
pub fn name<'a>(r: &mut Reader<'a>) -> Result<&'a [u8], Error> {
    Ok(cut(r.opaque(MAX_NAME)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn names_are_cut_at_the_first_nul(name in proptest::collection::vec(prop_oneof![Just(0u8), Just(1), Just(0x80), any::<u8>()], 0..40)) {
            let first = name.iter().position(|b| *b == 0).unwrap_or(name.len());
            prop_assert_eq!(cut(&name), &name[..first]);
            prop_assert_eq!(has_nul(&name), first < name.len());
        }
    }
}
