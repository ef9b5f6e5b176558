//! Lists that stay encoded: checked completely when they are decoded, walked lazily afterwards.

use std::fmt;
use std::marker::PhantomData;

use super::{Error, at};
use crate::ber::{self, Reader, Tag};

/// What a list is a list of: how one element is read and written, and how many there may be.
pub trait Kind {
    /// An element, borrowed from the list.
    type Item<'a>: Copy + PartialEq;

    /// Name of the elements in errors, in the plural.
    const WHAT: &'static str;

    /// Most elements of one list.
    const MAX: usize;

    /// Reads and checks the next element.
    ///
    /// # Errors
    /// Depends on the kind.
    fn read<'a>(r: &mut Reader<'a>) -> Result<Self::Item<'a>, Error>;

    /// Appends an element.
    fn put(buf: &mut Vec<u8>, item: Self::Item<'_>);

    /// Adds an element to `Debug` output, without what may be secret.
    fn show(item: &Self::Item<'_>, to: &mut fmt::DebugList<'_, '_>);
}

/// A list borrowed from the message it came in (`SEQUENCE OF`, `SET OF`).
pub struct List<'a, K> {
    len: usize,
    /// Exactly the elements, without the header of the list.
    raw: &'a [u8],
    kind: PhantomData<fn() -> K>,
}

impl<'a, K: Kind> List<'a, K> {
    /// Checks the elements: `contents` is what is inside the header of the list.
    ///
    /// # Errors
    /// [`Error::TooMany`] above [`Kind::MAX`], and what [`Kind::read`] says of an element.
    pub fn decode(contents: &'a [u8]) -> Result<Self, Error> {
        let mut r = Reader::new(contents);
        let mut len = 0;
        while !r.is_empty() {
            if len == K::MAX {
                return Err(Error::TooMany { what: K::WHAT, limit: K::MAX });
            }
            K::read(&mut r)?;
            len += 1;
        }
        Ok(Self { len, raw: contents, kind: PhantomData })
    }

    /// Reads a list with its header at a position, as part of a longer message.
    ///
    /// # Errors
    /// [`Error::Malformed`] if no such list follows, and those of [`Self::decode`].
    pub fn read(r: &mut Reader<'a>, tag: Tag) -> Result<Self, Error> {
        Self::decode(r.contents(tag).map_err(at(K::WHAT))?)
    }

    /// As [`Self::read`], for a list that may be left out.
    ///
    /// # Errors
    /// Those of [`Self::read`].
    pub fn read_optional(r: &mut Reader<'a>, tag: Tag) -> Result<Option<Self>, Error> {
        r.optional(tag).map_err(at(K::WHAT))?.map(Self::decode).transpose()
    }

    /// Appends the list with its header.
    pub fn encode(&self, buf: &mut Vec<u8>, tag: Tag) {
        ber::put(buf, tag, self.raw);
    }
}

impl<'a, K> List<'a, K> {
    /// The list without elements.
    pub const EMPTY: Self = Self { len: 0, raw: &[], kind: PhantomData };

    /// How many elements.
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The encoded elements, without the header of the list.
    pub(super) const fn raw(&self) -> &'a [u8] {
        self.raw
    }

    /// The elements in order.
    pub const fn iter(&self) -> Iter<'a, K> {
        Iter { left: self.len, r: Reader::new(self.raw), kind: PhantomData }
    }
}

impl<K> Clone for List<'_, K> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<K> Copy for List<'_, K> {}

impl<K> Default for List<'_, K> {
    fn default() -> Self {
        Self::EMPTY
    }
}

impl<K: Kind> PartialEq for List<'_, K> {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl<K: Kind> fmt::Debug for List<'_, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut to = f.debug_list();
        self.iter().for_each(|item| K::show(&item, &mut to));
        to.finish()
    }
}

impl<'a, K: Kind> IntoIterator for List<'a, K> {
    type Item = K::Item<'a>;
    type IntoIter = Iter<'a, K>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// The elements of a [`List`].
pub struct Iter<'a, K> {
    left: usize,
    r: Reader<'a>,
    kind: PhantomData<fn() -> K>,
}

impl<'a, K: Kind> Iterator for Iter<'a, K> {
    type Item = K::Item<'a>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        self.left = self.left.checked_sub(1)?;
        // All elements were read when the list was decoded, so none fails now.
        K::read(&mut self.r).ok()
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl<K: Kind> ExactSizeIterator for Iter<'_, K> {}

impl<K> Clone for Iter<'_, K> {
    fn clone(&self) -> Self {
        Self { left: self.left, r: self.r, kind: PhantomData }
    }
}

impl<K> fmt::Debug for Iter<'_, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Iter").field("left", &self.left).finish_non_exhaustive()
    }
}

/// An owned list, to be filled by those who send it.
pub struct ListBuf<K> {
    len: usize,
    raw: Vec<u8>,
    kind: PhantomData<fn() -> K>,
}

impl<K: Kind> ListBuf<K> {
    /// An empty list.
    pub const fn new() -> Self {
        Self { len: 0, raw: Vec::new(), kind: PhantomData }
    }

    /// Appends an element. Keeping to [`Kind::MAX`] is up to the caller.
    pub fn push(&mut self, item: K::Item<'_>) {
        self.push_with(|buf| K::put(buf, item));
    }

    /// Appends one element that `put` writes exactly as [`Kind::put`] would.
    pub(super) fn push_with(&mut self, put: impl FnOnce(&mut Vec<u8>)) {
        put(&mut self.raw);
        self.len += 1;
    }

    /// The list, borrowed.
    pub fn as_list(&self) -> List<'_, K> {
        List { len: self.len, raw: &self.raw, kind: PhantomData }
    }

    /// Its octets, for whoever has put a secret into it and wipes it out again.
    pub fn into_octets(self) -> Vec<u8> {
        self.raw
    }
}

impl<K: Kind> Default for ListBuf<K> {
    fn default() -> Self {
        Self::new()
    }
}

impl<K> Clone for ListBuf<K> {
    fn clone(&self) -> Self {
        Self { len: self.len, raw: self.raw.clone(), kind: PhantomData }
    }
}

impl<K: Kind> fmt::Debug for ListBuf<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_list().fmt(f)
    }
}

impl<'a, K: Kind> FromIterator<K::Item<'a>> for ListBuf<K> {
    fn from_iter<I: IntoIterator<Item = K::Item<'a>>>(items: I) -> Self {
        let mut list = Self::new();
        items.into_iter().for_each(|item| list.push(item));
        list
    }
}

/// Declares a kind of list whose elements are octet strings; `$show` is the wrapper for `Debug`.
macro_rules! octet_kind {
    ($(#[$doc:meta])* $vis:vis $name:ident, $what:literal, $max:expr, $show:path) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug)]
        $vis enum $name {}

        impl $crate::ldap::list::Kind for $name {
            type Item<'a> = &'a [u8];

            const WHAT: &'static str = $what;
            const MAX: usize = $max;

            #[inline]
            fn read<'a>(r: &mut $crate::ber::Reader<'a>) -> Result<&'a [u8], $crate::ldap::Error> {
                r.octets().map_err($crate::ldap::at($what))
            }

            fn put(buf: &mut Vec<u8>, item: &[u8]) {
                $crate::ber::put(buf, $crate::ber::Tag::OCTET_STRING, item);
            }

            fn show(item: &&[u8], to: &mut std::fmt::DebugList<'_, '_>) {
                to.entry(&$show(item));
            }
        }
    };
}
pub(super) use octet_kind;

#[cfg(test)]
mod tests {
    use super::super::attribute::{ValueKind, Values};
    use super::*;

    octet_kind!(/// Few.
        FewKind, "things", 2, crate::redact::Text);

    #[test]
    fn lists_are_checked_once_and_walked() {
        let list: ListBuf<FewKind> = [&b"one"[..], b""].into_iter().collect();
        let list = list.as_list();
        assert_eq!((list.len(), list.is_empty()), (2, false));
        assert_eq!(list.iter().collect::<Vec<_>>(), [&b"one"[..], b""]);
        let mut buf = Vec::new();
        list.encode(&mut buf, Tag::SET);
        assert_eq!(buf, b"\x31\x07\x04\x03one\x04\0");
        let mut r = Reader::new(&buf);
        assert_eq!(List::<FewKind>::read_optional(&mut r, Tag::SEQUENCE), Ok(None));
        assert_eq!(List::read(&mut r, Tag::SET), Ok(list));
        // What is not minimal compares equal all the same.
        assert_eq!(List::decode(b"\x04\x81\x03one\x04\x82\0\0"), Ok(list));
        assert_eq!(List::<FewKind>::EMPTY, List::default());
    }

    #[test]
    fn lists_are_limited_and_elements_checked() {
        let too_many = Error::TooMany { what: "things", limit: 2 };
        assert_eq!(List::<FewKind>::decode(b"\x04\0\x04\0\x04\0"), Err(too_many));
        assert_eq!(too_many.to_string(), "more than 2 things");
        let cause = ber::Error::Tag { expected: Tag::OCTET_STRING, found: Tag::INTEGER };
        assert_eq!(List::<FewKind>::decode(b"\x02\0"), Err(Error::Malformed { what: "things", cause }));
        assert!(Values::decode(b"\x04\x02a").is_err());
    }

    #[test]
    fn debug_shows_names_but_not_values() {
        let values: ListBuf<ValueKind> = [&b"hidden"[..]].into_iter().collect();
        assert_eq!(format!("{values:?}"), "[<6 bytes>]");
        let names: ListBuf<FewKind> = [&b"cn"[..], b"\xff"].into_iter().collect();
        assert_eq!(format!("{names:?}"), r#"["cn", "\xff"]"#);
    }
}
