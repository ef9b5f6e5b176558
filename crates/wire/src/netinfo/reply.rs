//! Results written straight into the reply buffer, after
//! [`put_accepted`](crate::rpc::put_accepted) with `Success`.
//!
//! A result is [`put_status`] and, if that is [`Status::Ok`], the body in the field order of the
//! protocol. Two results have no status: STATISTICS is a bare property list, RESYNC a bare status.
//! Lists whose length is known begin with [`put_count`]; the writers count as they go.

use std::net::Ipv4Addr;

use super::{Id, Status};
use crate::xdr::{patch_u32, put_opaque, put_u32};

pub use crate::xdr::put_bool;

/// Appends a status. A status other than `Ok` is the whole result.
#[inline]
pub fn put_status(buf: &mut Vec<u8>, status: Status) {
    put_u32(buf, status.code());
}

/// Appends an id.
#[inline]
pub fn put_id(buf: &mut Vec<u8>, id: Id) {
    put_u32(buf, id.object);
    put_u32(buf, id.instance);
}

/// Appends the count that begins a list.
#[inline]
pub fn put_count(buf: &mut Vec<u8>, count: u32) {
    put_u32(buf, count);
}

/// Appends a string. The caller keeps to [`MAX_NAME`](super::MAX_NAME) and stores no NUL; neither is
/// checked here, for stored names have been checked when they came in.
#[inline]
pub fn put_name(buf: &mut Vec<u8>, name: &[u8]) {
    put_opaque(buf, name);
}

/// Appends a tag and an address, the body of an RPARENT result.
pub fn put_binding(buf: &mut Vec<u8>, tag: &[u8], addr: Ipv4Addr) {
    put_name(buf, tag);
    put_u32(buf, addr.into());
}

/// The beginning of a list whose elements the caller appends itself: entries of LIST, property lists
/// of LISTALL. It holds no borrow, so elements can be written between calls.
#[derive(Debug)]
#[must_use = "the count is written by `end`"]
pub struct ListWriter {
    at: usize,
}

impl ListWriter {
    /// Leaves room for the count.
    pub fn begin(buf: &mut Vec<u8>) -> Self {
        let at = buf.len();
        put_u32(buf, 0);
        Self { at }
    }

    /// Writes the count into the buffer given to [`ListWriter::begin`].
    pub fn end(self, buf: &mut [u8], count: u32) {
        patch_u32(buf, self.at, count);
    }
}

/// Declares a writer that keeps the count in the buffer current, so that dropping it at any moment
/// leaves a well-formed list.
macro_rules! writer {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug)]
        pub struct $name<'b> {
            buf: &'b mut Vec<u8>,
            at: usize,
            count: u32,
        }

        impl<'b> $name<'b> {
            /// Begins an empty list at the end of `buf`.
            pub fn new(buf: &'b mut Vec<u8>) -> Self {
                let at = buf.len();
                put_u32(buf, 0);
                Self { buf, at, count: 0 }
            }

            /// How many elements have been added.
            pub const fn count(&self) -> u32 {
                self.count
            }

            fn add_one(&mut self) {
                self.count += 1;
                patch_u32(self.buf, self.at, self.count);
            }
        }
    };
}

writer! {
    /// Writes an id list.
    IdListWriter
}

writer! {
    /// Writes a name list.
    NameListWriter
}

writer! {
    /// Writes a property list.
    PropListWriter
}

impl IdListWriter<'_> {
    /// Adds an object id.
    pub fn id(&mut self, object: u32) {
        put_u32(self.buf, object);
        self.add_one();
    }
}

impl NameListWriter<'_> {
    /// Adds a name.
    pub fn name(&mut self, name: &[u8]) {
        put_name(self.buf, name);
        self.add_one();
    }
}

impl PropListWriter<'_> {
    /// Adds a property without values and returns the writer of its values.
    pub fn property(&mut self, name: &[u8]) -> NameListWriter<'_> {
        put_name(self.buf, name);
        self.add_one();
        NameListWriter::new(self.buf)
    }

    /// Adds a property with its values.
    pub fn property_with<V: AsRef<[u8]>>(&mut self, name: &[u8], values: impl IntoIterator<Item = V>) {
        let mut list = self.property(name);
        for value in values {
            list.name(value.as_ref());
        }
    }
}
