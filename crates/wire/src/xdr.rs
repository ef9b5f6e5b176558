//! The primitive encodings of XDR (RFC 4506): big-endian words, counted bytes, padding to four.
//!
//! [`Reader`] walks a byte slice and borrows from it; the `put_*` functions append to a `Vec<u8>`.

use crate::redact::Hidden;

/// Bytes in one XDR unit: every item is padded to a multiple of this (RFC 4506 §3).
pub const UNIT: usize = 4;

/// Why bytes are not a value of the expected type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The input ends before the value does.
    #[error("message ends early")]
    Truncated,
    /// A counted item announces more than its type allows.
    #[error("length {len} exceeds the limit of {max}")]
    TooLong {
        /// The announced count of bytes or elements.
        len: u32,
        /// The limit of the type.
        max: u32,
    },
    /// A discriminant or enumeration holds a number that its type does not have.
    #[error("{0} is not a value of this type")]
    BadValue(u32),
    /// The value is complete and bytes are left over.
    #[error("{0} bytes left over after the value")]
    Trailing(usize),
    /// Bytes that must be text, such as a universal address, are not.
    #[error("text expected")]
    NotText,
}

/// A cursor over encoded bytes. Copying it remembers a position.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Reader<'a> {
    rest: &'a [u8],
}

impl std::fmt::Debug for Reader<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Reader").field(&Hidden(self.rest)).finish()
    }
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

    /// An unsigned 32-bit integer (RFC 4506 §4.2).
    ///
    /// # Errors
    /// [`Error::Truncated`] if fewer than 4 bytes remain; the position does not move.
    #[inline]
    pub fn u32(&mut self) -> Result<u32, Error> {
        let (word, rest) = self.rest.split_first_chunk::<4>().ok_or(Error::Truncated)?;
        self.rest = rest;
        Ok(u32::from_be_bytes(*word))
    }

    /// An unsigned 64-bit integer (RFC 4506 §4.5).
    ///
    /// # Errors
    /// [`Error::Truncated`] if fewer than 8 bytes remain; the position does not move.
    #[inline]
    pub fn u64(&mut self) -> Result<u64, Error> {
        let (word, rest) = self.rest.split_first_chunk::<8>().ok_or(Error::Truncated)?;
        self.rest = rest;
        Ok(u64::from_be_bytes(*word))
    }

    /// A boolean (RFC 4506 §4.4). Any word but 0 is true: the XDR library of the historical servers
    /// and clients reads it so, and refusing 2 here would refuse what they accept.
    ///
    /// # Errors
    /// [`Error::Truncated`] if fewer than 4 bytes remain.
    #[inline]
    pub fn bool(&mut self) -> Result<bool, Error> {
        Ok(self.u32()? != 0)
    }

    /// Fixed-length opaque data of `n` bytes (RFC 4506 §4.9); its padding is skipped unseen.
    ///
    /// # Errors
    /// [`Error::Truncated`] if data and padding are not all there; the position does not move.
    #[inline]
    pub fn opaque_fixed(&mut self, n: usize) -> Result<&'a [u8], Error> {
        let padded = n.checked_next_multiple_of(UNIT).ok_or(Error::Truncated)?;
        let (data, rest) = self.rest.split_at_checked(padded).ok_or(Error::Truncated)?;
        self.rest = rest;
        Ok(data.get(..n).unwrap_or(data))
    }

    /// Variable-length opaque data or a string of at most `max` bytes (RFC 4506 §4.10, §4.11).
    ///
    /// # Errors
    /// [`Error::TooLong`] if the announced length exceeds `max`, [`Error::Truncated`] if the data or
    /// its padding is not all there.
    #[inline]
    pub fn opaque(&mut self, max: u32) -> Result<&'a [u8], Error> {
        let len = self.u32()?;
        if len > max {
            return Err(Error::TooLong { len, max });
        }
        self.opaque_fixed(usize::try_from(len).map_err(|_| Error::Truncated)?)
    }

    /// The element count of a variable-length array (RFC 4506 §4.13) of at most `max` elements, each
    /// at least `min_size` bytes on the wire. The count that comes back fits in what remains, so it is
    /// safe to reserve memory for it.
    ///
    /// # Errors
    /// [`Error::TooLong`] above `max`, [`Error::Truncated`] if so many elements cannot follow.
    #[inline]
    pub fn count(&mut self, max: u32, min_size: usize) -> Result<u32, Error> {
        let len = self.u32()?;
        if len > max {
            return Err(Error::TooLong { len, max });
        }
        let fits = usize::try_from(len).ok().and_then(|n| n.checked_mul(min_size));
        if fits.is_none_or(|bytes| bytes > self.rest.len()) {
            return Err(Error::Truncated);
        }
        Ok(len)
    }

    /// Ends the value.
    ///
    /// # Errors
    /// [`Error::Trailing`] if bytes remain.
    pub const fn finish(self) -> Result<(), Error> {
        match self.rest.len() {
            0 => Ok(()),
            n => Err(Error::Trailing(n)),
        }
    }
}

/// Appends an unsigned 32-bit integer.
#[inline]
pub fn put_u32(buf: &mut Vec<u8>, v: u32) {
    buf.extend_from_slice(&v.to_be_bytes());
}

/// Appends an unsigned 64-bit integer.
#[inline]
pub fn put_u64(buf: &mut Vec<u8>, v: u64) {
    buf.extend_from_slice(&v.to_be_bytes());
}

/// Appends a boolean as 0 or 1.
#[inline]
pub fn put_bool(buf: &mut Vec<u8>, v: bool) {
    put_u32(buf, u32::from(v));
}

/// Appends counted bytes: length, data, zero padding. Callers keep to the limit of the type; data
/// beyond `u32::MAX` bytes, which no length word can announce, is cut.
#[inline]
pub fn put_opaque(buf: &mut Vec<u8>, data: &[u8]) {
    let len = u32::try_from(data.len()).unwrap_or(u32::MAX);
    put_u32(buf, len);
    put_opaque_fixed(buf, data.get(..len as usize).unwrap_or(data));
}

/// Appends data and zero padding, without a length.
#[inline]
pub fn put_opaque_fixed(buf: &mut Vec<u8>, data: &[u8]) {
    buf.extend_from_slice(data);
    let pad = data.len().next_multiple_of(UNIT) - data.len();
    buf.extend_from_slice(&[0; UNIT][..pad]);
}

/// Overwrites the word at byte offset `at`, for counts and lengths known only afterwards.
///
/// # Panics
/// If `at..at + 4` is not inside `buf`: offsets come from the encoder itself, never from input.
#[inline]
pub fn patch_u32(buf: &mut [u8], at: usize, v: u32) {
    buf[at..at + UNIT].copy_from_slice(&v.to_be_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn words_are_big_endian() {
        let mut buf = Vec::new();
        put_u32(&mut buf, 0x0102_0304);
        put_u64(&mut buf, 0x0506_0708_090a_0b0c);
        put_bool(&mut buf, true);
        assert_eq!(buf, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 0, 0, 0, 1]);
        let mut r = Reader::new(&buf);
        assert_eq!(r.u32(), Ok(0x0102_0304));
        assert_eq!(r.u64(), Ok(0x0506_0708_090a_0b0c));
        assert_eq!(r.bool(), Ok(true));
        assert_eq!(r.finish(), Ok(()));
    }

    #[test]
    fn rfc4506_string_example() {
        let mut buf = Vec::new();
        put_opaque(&mut buf, b"sillyprog");
        assert_eq!(buf, b"\0\0\0\x09sillyprog\0\0\0");
    }

    #[test]
    fn every_non_zero_word_is_true() {
        assert_eq!(Reader::new(&[0, 0, 0, 2]).bool(), Ok(true));
        assert_eq!(Reader::new(&[0, 0, 0, 0]).bool(), Ok(false));
    }

    #[test]
    fn opaque_limits_and_missing_padding() {
        assert_eq!(Reader::new(b"\0\0\0\x05hello\0\0\0").opaque(4), Err(Error::TooLong { len: 5, max: 4 }));
        assert_eq!(Reader::new(b"\0\0\0\x05hello\0\0").opaque(5), Err(Error::Truncated));
        assert_eq!(Reader::new(b"\0\0\0\x05hello\0\0\0").opaque(5), Ok(&b"hello"[..]));
        assert_eq!(Reader::new(b"\xff\xff\xff\xff").opaque(u32::MAX), Err(Error::Truncated));
        assert_eq!(Reader::new(b"").opaque_fixed(usize::MAX), Err(Error::Truncated));
    }

    #[test]
    fn count_is_bounded_by_what_arrived() {
        let bytes = b"\0\0\0\x02aaaabbbb";
        assert_eq!(Reader::new(bytes).count(10, 4), Ok(2));
        assert_eq!(Reader::new(bytes).count(10, 5), Err(Error::Truncated));
        assert_eq!(Reader::new(bytes).count(1, 4), Err(Error::TooLong { len: 2, max: 1 }));
    }

    #[test]
    fn patch_overwrites_in_place() {
        let mut buf = vec![0; 12];
        patch_u32(&mut buf, 4, 7);
        assert_eq!(buf, [0, 0, 0, 0, 0, 0, 0, 7, 0, 0, 0, 0]);
    }

    proptest! {
        #[test]
        fn opaque_round_trips(data in proptest::collection::vec(any::<u8>(), 0..70)) {
            let mut buf = Vec::new();
            put_opaque(&mut buf, &data);
            prop_assert_eq!(buf.len() % UNIT, 0);
            let mut r = Reader::new(&buf);
            prop_assert_eq!(r.opaque(70), Ok(&data[..]));
            prop_assert_eq!(r.finish(), Ok(()));
        }
    }
}
