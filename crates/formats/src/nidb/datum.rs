//! Typed values, as the modern layout stores keys and values.

use std::borrow::Cow;
use std::fmt;

/// Type numbers of a [`Datum`].
pub mod kind {
    /// Nothing; marks a free slot too.
    pub const NIL: u32 = 0;
    /// Bytes.
    pub const BLOB: u32 = 1;
    /// One byte, 0 for no.
    pub const BOOLEAN: u32 = 2;
    /// Signed integer of 1, 2, 4 or 8 bytes, big-endian.
    pub const INTEGER: u32 = 3;
    /// Unsigned integer of 1, 2, 4 or 8 bytes, big-endian.
    pub const UNSIGNED: u32 = 4;
    /// Floating point number of 4 bytes.
    pub const FLOAT: u32 = 5;
    /// Text that ends with a NUL: what NetInfo servers write.
    pub const STRING: u32 = 6;
    /// UTF-8 text that ends with a NUL.
    pub const UTF8: u32 = 7;
    /// The same as [`STRING`], compared without regard to case.
    pub const CASELESS_STRING: u32 = 8;
    /// The same as [`UTF8`], compared without regard to case.
    pub const CASELESS_UTF8: u32 = 9;
    /// Id of a directory, 4 bytes.
    pub const DIRECTORY_ID: u32 = 253;
    /// A whole record.
    pub const RECORD: u32 = 256;
}

/// One typed value: a key, or a value of a property.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Datum {
    /// One of [`kind`], or a number that is not known.
    pub kind: u32,
    /// The bytes as stored: texts with their NUL.
    pub data: Vec<u8>,
}

impl Datum {
    /// Text as NetInfo servers store it: type 6, with a NUL behind it.
    pub fn text(bytes: impl Into<Vec<u8>>) -> Self {
        let mut data = bytes.into();
        data.push(0);
        Self { kind: kind::STRING, data }
    }

    /// A signed integer of 32 bits.
    pub fn integer(number: i32) -> Self {
        Self { kind: kind::INTEGER, data: number.to_be_bytes().to_vec() }
    }

    /// Whether it is one of the four types of text.
    pub const fn is_text(&self) -> bool {
        matches!(self.kind, kind::STRING..=kind::CASELESS_UTF8)
    }

    /// Whether upper and lower case are the same in it.
    const fn is_caseless(&self) -> bool {
        matches!(self.kind, kind::CASELESS_STRING | kind::CASELESS_UTF8)
    }

    /// The number, of types 3, 4 and 253 with a length that numbers have.
    pub fn number(&self) -> Option<i128> {
        let bytes = self.data.as_slice();
        if !matches!(bytes.len(), 1 | 2 | 4 | 8) {
            return None;
        }
        let unsigned = bytes.iter().fold(0_i128, |sum, byte| (sum << 8) | i128::from(*byte));
        match self.kind {
            kind::UNSIGNED => Some(unsigned),
            kind::DIRECTORY_ID => (bytes.len() == 4).then_some(unsigned),
            kind::INTEGER => {
                let bits = 8 * bytes.len();
                let negative = bytes[0] & 0x80 != 0;
                Some(if negative { unsigned - (1 << bits) } else { unsigned })
            }
            _ => None,
        }
    }

    /// As a NetInfo value: text without its NUL, numbers in decimal, anything else as it is.
    pub fn bytes(&self) -> Cow<'_, [u8]> {
        if self.is_text() {
            return Cow::Borrowed(self.data.strip_suffix(&[0]).unwrap_or(&self.data));
        }
        match self.number() {
            Some(number) => Cow::Owned(number.to_string().into_bytes()),
            None => Cow::Borrowed(&self.data),
        }
    }

    /// Whether the engine takes both for equal: texts without their last byte, without regard to case if one of both
    /// says so; other types must be the same.
    pub fn matches(&self, other: &Self) -> bool {
        if self.data.len() != other.data.len() {
            return false;
        }
        if !(self.is_text() && other.is_text()) {
            return self == other;
        }
        let end = self.data.len().saturating_sub(1);
        let (a, b) = (&self.data[..end], &other.data[..end]);
        if self.is_caseless() || other.is_caseless() { a.eq_ignore_ascii_case(b) } else { a == b }
    }
}

/// The type and the length alone: values may be secret.
impl fmt::Debug for Datum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Datum {{ kind: {}, {} bytes }}", self.kind, self.data.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_lose_one_nul() {
        assert_eq!(*Datum::text("ana").bytes(), b"ana"[..]);
        assert_eq!(*Datum { kind: kind::UTF8, data: b"a\0\0".to_vec() }.bytes(), b"a\0"[..]);
        assert_eq!(*Datum { kind: kind::STRING, data: b"a".to_vec() }.bytes(), b"a"[..]);
        assert_eq!(*Datum { kind: kind::BLOB, data: b"a\0".to_vec() }.bytes(), b"a\0"[..]);
    }

    #[test]
    fn numbers_become_decimal() {
        assert_eq!(*Datum::integer(-2).bytes(), b"-2"[..]);
        assert_eq!(Datum { kind: kind::UNSIGNED, data: vec![0xff; 8] }.number(), Some(i128::from(u64::MAX)));
        assert_eq!(Datum { kind: kind::INTEGER, data: vec![0x80] }.number(), Some(-128));
        assert_eq!(Datum { kind: kind::INTEGER, data: vec![0x80; 3] }.number(), None);
        assert_eq!(Datum { kind: kind::DIRECTORY_ID, data: vec![0, 0, 1, 0] }.number(), Some(256));
    }

    #[test]
    fn case_counts_unless_one_side_says_it_does_not() {
        let caseless = Datum { kind: kind::CASELESS_STRING, data: b"ANA\0".to_vec() };
        assert!(caseless.matches(&Datum::text("ana")));
        assert!(Datum::text("ana").matches(&caseless));
        assert!(!Datum::text("ana").matches(&Datum::text("Ana")));
        assert!(!Datum { kind: kind::BLOB, data: b"ana\0".to_vec() }.matches(&Datum::text("ana")));
        assert!(
            Datum { kind: kind::STRING, data: Vec::new() }.matches(&Datum { kind: kind::UTF8, data: vec![] })
        );
    }

    #[test]
    fn debug_shows_no_values() {
        assert_eq!(format!("{:?}", Datum::text("secret")), "Datum { kind: 6, 7 bytes }");
    }
}
