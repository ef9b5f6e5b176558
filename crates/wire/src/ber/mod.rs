//! The part of the Basic Encoding Rules (ITU-T X.690) that LDAP uses (RFC 4511 §5.1): single-octet
//! tags, definite lengths, primitive octet strings.
//!
//! * [`Tag`] — class, number and form of an element;
//! * [`Reader`] — walks a byte slice and borrows from it;
//! * [`frame`] — finds where a message on a stream ends, before it has all arrived;
//! * `put_*`, [`begin`], [`end`], [`undo`] — append to a `Vec<u8>`, lengths patched in afterwards.
//!
//! Readers accept lengths and integers that are not minimal, and any octet but 0 as true, because
//! clients send them; writers write the shortest form, and 255 for true (RFC 4511 §5.1).

mod frame;
mod reader;
mod writer;

use std::fmt;

pub use frame::{Frame, FrameError, frame};
pub use reader::Reader;
pub(crate) use reader::unsigned;
pub use writer::{
    Mark, begin, begin_long, end, len_of, put, put_boolean, put_header, put_integer, put_null, undo,
};

/// The most octets a length may take after the octet that counts them: messages are below 4 GiB.
pub const MAX_LENGTH_OCTETS: usize = 4;

/// The most octets of an integer: 64 bits.
pub const MAX_INTEGER_OCTETS: usize = 8;

/// The highest tag number that fits a single octet; LDAP has none above it.
pub const MAX_TAG_NUMBER: u8 = 30;

/// `maxInt` of RFC 4511 §4.1.1: the highest message id, size limit and time limit.
pub const MAX_INT: u32 = 2_147_483_647;

const CONSTRUCTED: u8 = 0x20;
const NUMBER: u8 = 0x1f;
const CONTEXT: u8 = 0x80;
const APPLICATION: u8 = 0x40;

/// The identifier octet of an element (X.690 §8.1.2).
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Tag(u8);

/// Who defines the meaning of a tag number (X.690 §8.1.2.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Class {
    /// ASN.1 itself.
    Universal,
    /// The protocol: in LDAP, the operations.
    Application,
    /// The enclosing element.
    Context,
    /// Nobody here.
    Private,
}

impl Tag {
    /// Truth values.
    pub const BOOLEAN: Self = Self(0x01);
    /// Whole numbers.
    pub const INTEGER: Self = Self(0x02);
    /// Bytes.
    pub const OCTET_STRING: Self = Self(0x04);
    /// Nothing.
    pub const NULL: Self = Self(0x05);
    /// One of a list of numbers.
    pub const ENUMERATED: Self = Self(0x0a);
    /// Elements in order, and lists.
    pub const SEQUENCE: Self = Self(0x30);
    /// Lists without an order.
    pub const SET: Self = Self(0x31);

    /// A primitive tag of the enclosing element.
    ///
    /// # Panics
    /// If `number` exceeds [`MAX_TAG_NUMBER`]; numbers come from the protocol's definition, not from input.
    pub const fn context(number: u8) -> Self {
        assert!(number <= MAX_TAG_NUMBER);
        Self(CONTEXT | number)
    }

    /// A constructed tag of the enclosing element.
    ///
    /// # Panics
    /// As [`Self::context`].
    pub const fn context_constructed(number: u8) -> Self {
        Self(Self::context(number).0 | CONSTRUCTED)
    }

    /// A primitive tag of the protocol.
    ///
    /// # Panics
    /// As [`Self::context`].
    pub const fn application(number: u8) -> Self {
        assert!(number <= MAX_TAG_NUMBER);
        Self(APPLICATION | number)
    }

    /// A constructed tag of the protocol.
    ///
    /// # Panics
    /// As [`Self::context`].
    pub const fn application_constructed(number: u8) -> Self {
        Self(Self::application(number).0 | CONSTRUCTED)
    }

    /// The tag of this octet; `None` if it begins a tag of several octets.
    pub const fn from_octet(octet: u8) -> Option<Self> {
        if octet & NUMBER > MAX_TAG_NUMBER { None } else { Some(Self(octet)) }
    }

    /// The octet on the wire.
    pub const fn octet(self) -> u8 {
        self.0
    }

    /// The class.
    pub const fn class(self) -> Class {
        match self.0 >> 6 {
            0 => Class::Universal,
            1 => Class::Application,
            2 => Class::Context,
            _ => Class::Private,
        }
    }

    /// The number within the class.
    pub const fn number(self) -> u8 {
        self.0 & NUMBER
    }

    /// Whether the contents are elements.
    pub const fn is_constructed(self) -> bool {
        self.0 & CONSTRUCTED != 0
    }
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#04x}", self.0)
    }
}

impl fmt::Debug for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tag({self})")
    }
}

/// Why bytes are not the element that was expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The bytes end before the element does.
    #[error("element ends early")]
    Truncated,
    /// A tag of more than one octet.
    #[error("tag number above {MAX_TAG_NUMBER}")]
    HighTag,
    /// A length that is not announced (RFC 4511 §5.1 forbids it).
    #[error("indefinite length")]
    Indefinite,
    /// A length of more than [`MAX_LENGTH_OCTETS`] octets.
    #[error("length of more than {MAX_LENGTH_OCTETS} octets")]
    LongLength,
    /// Another element than the expected one.
    #[error("tag {found} where {expected} is expected")]
    Tag {
        /// What belongs here.
        expected: Tag,
        /// What is there.
        found: Tag,
    },
    /// The enclosing element ends where this one is expected.
    #[error("element {0} is missing")]
    Missing(Tag),
    /// An integer of no octets, or of more than [`MAX_INTEGER_OCTETS`].
    #[error("integer of {0} octets")]
    IntegerSize(usize),
    /// A number outside the range of its type.
    #[error("number {0} is out of range")]
    Range(i64),
    /// A boolean that is not of one octet.
    #[error("boolean of {0} octets")]
    BooleanSize(usize),
    /// The element is complete and bytes are left over.
    #[error("{0} bytes left over after the element")]
    Trailing(usize),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_have_class_number_and_form() {
        let tag = Tag::application_constructed(3);
        assert_eq!((tag.octet(), tag.class(), tag.number()), (0x63, Class::Application, 3));
        assert!(tag.is_constructed() && !Tag::application(10).is_constructed());
        assert_eq!(Tag::application(10).octet(), 0x4a);
        assert_eq!(Tag::context(7).octet(), 0x87);
        assert_eq!(Tag::context_constructed(0).octet(), 0xa0);
        assert_eq!(Tag::SEQUENCE.class(), Class::Universal);
        assert_eq!(Tag::from_octet(0xc1).map(Tag::class), Some(Class::Private));
    }

    #[test]
    fn tags_of_several_octets_do_not_exist() {
        assert_eq!(MAX_TAG_NUMBER, 30);
        for octet in 0..=255 {
            assert_eq!(Tag::from_octet(octet).is_none(), octet & 0x1f == 31);
        }
    }
}
