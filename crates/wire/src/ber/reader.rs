//! The cursor over encoded bytes.

use std::fmt;

use super::{Error, MAX_INT, MAX_INTEGER_OCTETS, MAX_LENGTH_OCTETS, Tag};
use crate::redact::Hidden;

/// A cursor over encoded elements. Copying it remembers a position. Methods that fail do not move it.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct Reader<'a> {
    rest: &'a [u8],
}

impl fmt::Debug for Reader<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Reader").field(&Hidden(self.rest)).finish()
    }
}

/// Tag and length at the front of `bytes`: the tag, the octets both take, the length of the contents.
#[inline]
pub(super) fn header(bytes: &[u8]) -> Result<(Tag, usize, usize), Error> {
    let (first, rest) = bytes.split_first().ok_or(Error::Truncated)?;
    let tag = Tag::from_octet(*first).ok_or(Error::HighTag)?;
    let (first, rest) = rest.split_first().ok_or(Error::Truncated)?;
    if *first < 0x80 {
        return Ok((tag, 2, usize::from(*first)));
    }
    let octets = usize::from(*first & 0x7f);
    if octets == 0 {
        return Err(Error::Indefinite);
    }
    if octets > MAX_LENGTH_OCTETS {
        return Err(Error::LongLength);
    }
    let length = rest.get(..octets).ok_or(Error::Truncated)?;
    let length = length.iter().fold(0usize, |length, octet| length << 8 | usize::from(*octet));
    Ok((tag, 2 + octets, length))
}

impl<'a> Reader<'a> {
    /// A cursor at the beginning of `bytes`.
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// The bytes not read yet.
    pub const fn remaining(&self) -> &'a [u8] {
        self.rest
    }

    /// Whether everything has been read.
    pub const fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// The tag of the next element; `None` at the end and where no valid tag follows.
    #[inline]
    pub fn peek(&self) -> Option<Tag> {
        self.rest.first().and_then(|octet| Tag::from_octet(*octet))
    }

    /// The next element, whatever it is: its tag and its contents.
    ///
    /// # Errors
    /// [`Error::Truncated`], [`Error::HighTag`], [`Error::Indefinite`], [`Error::LongLength`].
    #[inline]
    pub fn element(&mut self) -> Result<(Tag, &'a [u8]), Error> {
        let (tag, header, length) = header(self.rest)?;
        let end = header.checked_add(length).ok_or(Error::Truncated)?;
        let contents = self.rest.get(header..end).ok_or(Error::Truncated)?;
        self.rest = self.rest.get(end..).unwrap_or_default();
        Ok((tag, contents))
    }

    /// The contents of the next element, which must have this tag: an octet string, say.
    ///
    /// # Errors
    /// [`Error::Missing`] at the end, [`Error::Tag`] for another element, and those of [`Self::element`].
    #[inline]
    pub fn contents(&mut self, expected: Tag) -> Result<&'a [u8], Error> {
        match self.peek() {
            Some(found) if found != expected => Err(Error::Tag { expected, found }),
            None if self.is_empty() => Err(Error::Missing(expected)),
            _ => self.element().map(|(_, contents)| contents),
        }
    }

    /// The contents of the next element if it has this tag.
    ///
    /// # Errors
    /// Those of [`Self::element`].
    #[inline]
    pub fn optional(&mut self, tag: Tag) -> Result<Option<&'a [u8]>, Error> {
        if self.peek() == Some(tag) { self.element().map(|(_, contents)| Some(contents)) } else { Ok(None) }
    }

    /// A cursor over the elements inside the next element, which must have this tag.
    ///
    /// # Errors
    /// Those of [`Self::contents`].
    #[inline]
    pub fn nested(&mut self, tag: Tag) -> Result<Self, Error> {
        self.contents(tag).map(Self::new)
    }

    /// An octet string.
    ///
    /// # Errors
    /// Those of [`Self::contents`].
    #[inline]
    pub fn octets(&mut self) -> Result<&'a [u8], Error> {
        self.contents(Tag::OCTET_STRING)
    }

    /// An integer or enumerated value under this tag, of at most 64 bits.
    ///
    /// # Errors
    /// [`Error::IntegerSize`], and those of [`Self::contents`].
    #[inline]
    pub fn integer(&mut self, tag: Tag) -> Result<i64, Error> {
        let before = *self;
        let result = self.contents(tag).and_then(integer);
        if result.is_err() {
            *self = before;
        }
        result
    }

    /// An integer that must fit 32 bits with a sign.
    ///
    /// # Errors
    /// [`Error::Range`], and those of [`Self::integer`].
    pub fn int32(&mut self, tag: Tag) -> Result<i32, Error> {
        let before = *self;
        let number = self.integer(tag)?;
        i32::try_from(number).map_err(|_| {
            *self = before;
            Error::Range(number)
        })
    }

    /// An integer from 0 to [`MAX_INT`].
    ///
    /// # Errors
    /// [`Error::Range`], and those of [`Self::integer`].
    pub fn unsigned(&mut self, tag: Tag) -> Result<u32, Error> {
        let before = *self;
        let result = self.contents(tag).and_then(unsigned);
        if result.is_err() {
            *self = before;
        }
        result
    }

    /// An enumerated value that must fit 32 bits with a sign.
    ///
    /// # Errors
    /// Those of [`Self::int32`].
    pub fn enumerated(&mut self) -> Result<i32, Error> {
        self.int32(Tag::ENUMERATED)
    }

    /// A boolean under this tag: any octet but 0 is true.
    ///
    /// # Errors
    /// [`Error::BooleanSize`], and those of [`Self::contents`].
    pub fn boolean(&mut self, tag: Tag) -> Result<bool, Error> {
        let before = *self;
        match self.contents(tag)? {
            [octet] => Ok(*octet != 0),
            contents => {
                *self = before;
                Err(Error::BooleanSize(contents.len()))
            }
        }
    }

    /// A boolean under this tag that may be left out.
    ///
    /// # Errors
    /// Those of [`Self::boolean`].
    pub fn boolean_or(&mut self, tag: Tag, default: bool) -> Result<bool, Error> {
        if self.peek() == Some(tag) { self.boolean(tag) } else { Ok(default) }
    }

    /// Ends an element that nothing may follow.
    ///
    /// # Errors
    /// [`Error::Trailing`] if bytes remain.
    pub const fn finish(self) -> Result<(), Error> {
        match self.rest.len() {
            0 => Ok(()),
            n => Err(Error::Trailing(n)),
        }
    }

    /// Ends an element that later versions of the protocol may extend (RFC 4511 §4): what follows is
    /// ignored, but it must be elements.
    ///
    /// # Errors
    /// Those of [`Self::element`].
    #[inline]
    pub fn finish_extensible(mut self) -> Result<(), Error> {
        while !self.is_empty() {
            self.element()?;
        }
        Ok(())
    }
}

/// Two's complement, most significant octet first (X.690 §8.3).
#[inline]
fn integer(contents: &[u8]) -> Result<i64, Error> {
    let first = contents.first().filter(|_| contents.len() <= MAX_INTEGER_OCTETS);
    let first = first.ok_or(Error::IntegerSize(contents.len()))?;
    let sign = if *first & 0x80 == 0 { 0 } else { -1 };
    Ok(contents.iter().fold(sign, |number, octet| number << 8 | i64::from(*octet)))
}

/// An integer from 0 to [`MAX_INT`] from its contents alone.
pub(crate) fn unsigned(contents: &[u8]) -> Result<u32, Error> {
    let number = integer(contents)?;
    u32::try_from(number).ok().filter(|number| *number <= MAX_INT).ok_or(Error::Range(number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_in_every_form() {
        for bytes in [&b"\x04\x02hi"[..], b"\x04\x81\x02hi", b"\x04\x82\0\x02hi", b"\x04\x84\0\0\0\x02hi"] {
            let mut r = Reader::new(bytes);
            assert_eq!(r.octets(), Ok(&b"hi"[..]));
            assert_eq!(r.finish(), Ok(()));
        }
        assert_eq!(Reader::new(b"\x04\x80hi\0\0").octets(), Err(Error::Indefinite));
        assert_eq!(Reader::new(b"\x04\x85\0\0\0\0\x02hi").octets(), Err(Error::LongLength));
        assert_eq!(Reader::new(b"\x04\xffhi").octets(), Err(Error::LongLength));
        assert_eq!(Reader::new(b"\x04\x84\xff\xff\xff\xff").octets(), Err(Error::Truncated));
        assert_eq!(MAX_LENGTH_OCTETS, 4);
    }

    #[test]
    fn truncation_and_foreign_tags_leave_the_cursor() {
        let mut r = Reader::new(b"\x04\x03hi");
        assert_eq!(r.octets(), Err(Error::Truncated));
        assert_eq!(r.remaining(), b"\x04\x03hi");
        let expected = Tag::INTEGER;
        assert_eq!(r.integer(expected), Err(Error::Tag { expected, found: Tag::OCTET_STRING }));
        assert_eq!(Reader::new(b"").octets(), Err(Error::Missing(Tag::OCTET_STRING)));
        assert_eq!(Reader::new(b"\x1f\x81\x01\0").element(), Err(Error::HighTag));
        assert_eq!(Reader::new(b"\x1f\x81\x01\0").octets(), Err(Error::HighTag));
        assert_eq!(Reader::new(b"\x04").octets(), Err(Error::Truncated));
        assert_eq!(Reader::new(b"\x04\x82\x01").octets(), Err(Error::Truncated));
    }

    #[test]
    fn integers() {
        let read = |bytes| Reader::new(bytes).integer(Tag::INTEGER);
        assert_eq!(read(b"\x02\x01\0"), Ok(0));
        assert_eq!(read(b"\x02\x01\xff"), Ok(-1));
        assert_eq!(read(b"\x02\x02\0\x80"), Ok(128));
        assert_eq!(read(b"\x02\x04\0\0\0\x05"), Ok(5));
        assert_eq!(read(b"\x02\x08\x80\0\0\0\0\0\0\0"), Ok(i64::MIN));
        assert_eq!(read(b"\x02\0"), Err(Error::IntegerSize(0)));
        assert_eq!(read(b"\x02\x09\0\0\0\0\0\0\0\0\x01"), Err(Error::IntegerSize(MAX_INTEGER_OCTETS + 1)));
        assert_eq!(Reader::new(b"\x02\x05\x01\0\0\0\0").int32(Tag::INTEGER), Err(Error::Range(1 << 32)));
        let mut r = Reader::new(b"\x02\x01\xff");
        assert_eq!(r.unsigned(Tag::INTEGER), Err(Error::Range(-1)));
        assert_eq!(r.int32(Tag::INTEGER), Ok(-1));
        assert_eq!(Reader::new(b"\x02\x04\x7f\xff\xff\xff").unsigned(Tag::INTEGER), Ok(MAX_INT));
        assert_eq!(Reader::new(b"\x02\x05\0\x80\0\0\0").unsigned(Tag::INTEGER), Err(Error::Range(1 << 31)));
    }

    #[test]
    fn booleans_and_what_may_be_left_out() {
        assert_eq!(Reader::new(b"\x01\x01\0").boolean(Tag::BOOLEAN), Ok(false));
        assert_eq!(Reader::new(b"\x01\x01\x01").boolean(Tag::BOOLEAN), Ok(true));
        assert_eq!(Reader::new(b"\x01\x02\xff\xff").boolean(Tag::BOOLEAN), Err(Error::BooleanSize(2)));
        assert_eq!(Reader::new(b"\x04\0").boolean_or(Tag::BOOLEAN, true), Ok(true));
        let mut r = Reader::new(b"\x80\x01x\x04\x01y");
        assert_eq!(r.optional(Tag::context(1)), Ok(None));
        assert_eq!(r.optional(Tag::context(0)), Ok(Some(&b"x"[..])));
        assert_eq!(r.finish(), Err(Error::Trailing(3)));
        assert_eq!(r.finish_extensible(), Ok(()));
        assert_eq!(Reader::new(b"\x04\x02y").finish_extensible(), Err(Error::Truncated));
    }
}
