//! Lists of byte strings that stay encoded.

use std::fmt;

use super::{MAX_LIST, MAX_STRING};
use crate::xdr::{Error, Reader, UNIT, put_opaque, put_u32};

/// A list of byte strings: aliases, members, addresses. Checked completely when it is decoded, walked lazily.
#[derive(Clone, Copy, Default)]
pub struct List<'a> {
    len: u32,
    /// Exactly the encoded strings; every length in here has been checked.
    raw: &'a [u8],
}

impl<'a> List<'a> {
    /// Reads one at a position, as part of a longer message.
    ///
    /// # Errors
    /// [`Error::TooLong`] above [`MAX_LIST`] or [`MAX_STRING`], [`Error::Truncated`].
    pub fn read(r: &mut Reader<'a>) -> Result<Self, Error> {
        let len = r.count(MAX_LIST, UNIT)?;
        let before = r.remaining();
        for _ in 0..len {
            r.opaque(MAX_STRING)?;
        }
        Ok(Self { len, raw: consumed(before, r.remaining()) })
    }

    /// How many strings.
    pub const fn len(&self) -> usize {
        self.len as usize
    }

    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The strings in order.
    pub const fn iter(&self) -> Strings<'a> {
        Strings { left: self.len, r: Reader::new(self.raw) }
    }

    /// Appends the list.
    pub fn encode(&self, buf: &mut Vec<u8>) {
        put_u32(buf, self.len);
        // Padding is not checked when it is read, and must not be repeated to others.
        for string in self.iter() {
            put_opaque(buf, string);
        }
    }
}

/// The bytes of `before` that are no longer in `after`, its suffix.
pub(super) fn consumed<'a>(before: &'a [u8], after: &[u8]) -> &'a [u8] {
    before.get(..before.len().saturating_sub(after.len())).unwrap_or_default()
}

/// Iterator over a [`List`].
#[derive(Clone, Debug)]
pub struct Strings<'a> {
    left: u32,
    r: Reader<'a>,
}

impl<'a> Iterator for Strings<'a> {
    type Item = &'a [u8];

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        self.left = self.left.checked_sub(1)?;
        self.r.opaque(MAX_STRING).ok()
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left as usize, Some(self.left as usize))
    }
}

impl ExactSizeIterator for Strings<'_> {}

impl<'a> IntoIterator for List<'a> {
    type Item = &'a [u8];
    type IntoIter = Strings<'a>;

    fn into_iter(self) -> Strings<'a> {
        self.iter()
    }
}

impl PartialEq for List<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.len == other.len && self.iter().eq(other.iter())
    }
}

impl Eq for List<'_> {}

impl fmt::Debug for List<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<{} strings>", self.len)
    }
}

/// A [`List`] under construction.
#[derive(Clone, Default)]
pub struct ListBuf {
    len: u32,
    raw: Vec<u8>,
}

impl ListBuf {
    /// An empty list.
    pub const fn new() -> Self {
        Self { len: 0, raw: Vec::new() }
    }

    /// Adds a string at the end; `false`, and nothing is added, if the list is full or the string longer than
    /// [`MAX_STRING`].
    pub fn push(&mut self, string: &[u8]) -> bool {
        let fits = self.len < MAX_LIST && string.len() <= MAX_STRING as usize;
        if fits {
            put_opaque(&mut self.raw, string);
            self.len += 1;
        }
        fits
    }

    /// The list, to be put into an entry.
    pub fn as_list(&self) -> List<'_> {
        List { len: self.len, raw: &self.raw }
    }
}

impl fmt::Debug for ListBuf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_list().fmt(f)
    }
}

impl<S: AsRef<[u8]>> FromIterator<S> for ListBuf {
    fn from_iter<I: IntoIterator<Item = S>>(strings: I) -> Self {
        let mut list = Self::new();
        for string in strings {
            list.push(string.as_ref());
        }
        list
    }
}
