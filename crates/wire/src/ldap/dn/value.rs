//! The pairs of an RDN and their values.

use std::borrow::Cow;
use std::fmt;

use super::format::{put_ber_value, put_value};
use super::parse::{self, Separator};
use crate::ber::{Class, Reader};
use crate::ldap::filter::text::hex_pair;
use crate::redact::{Hidden, Text};

/// Universal tag numbers of the string types whose contents are the characters: octet, UTF-8, numeric,
/// printable, teletex, IA5, visible.
const PLAIN_STRINGS: [u8; 7] = [4, 12, 18, 19, 20, 22, 26];

/// An attribute type and a value.
#[derive(Clone, Copy)]
pub struct Pair<'a> {
    /// The type, by name or number.
    pub attribute: &'a str,
    /// The value as it stands in the text, escaped.
    raw: &'a [u8],
}

impl<'a> Pair<'a> {
    /// The value. Borrowed from the text if it has no escapes.
    pub fn value(&self) -> Value<'a> {
        match self.raw.split_first() {
            Some((b'#', digits)) => Value::Ber(
                digits.chunks_exact(2).filter_map(|pair| hex_pair(*pair.first()?, *pair.get(1)?)).collect(),
            ),
            _ => Value::String(unescape(self.raw)),
        }
    }
}

fn unescape(raw: &[u8]) -> Cow<'_, [u8]> {
    if !raw.contains(&b'\\') {
        return Cow::Borrowed(raw);
    }
    let mut value = Vec::with_capacity(raw.len());
    let mut rest = raw;
    while let Some((byte, after)) = rest.split_first() {
        rest = after;
        match parse::escape(after).filter(|_| *byte == b'\\') {
            Some((escaped, taken)) => {
                value.push(escaped);
                rest = after.get(taken..).unwrap_or_default();
            }
            None => value.push(*byte),
        }
    }
    Cow::Owned(value)
}

/// Types are compared without regard to case, values byte by byte.
impl PartialEq for Pair<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.attribute.eq_ignore_ascii_case(other.attribute) && self.value() == other.value()
    }
}

impl Eq for Pair<'_> {}

/// The canonical text.
impl fmt::Display for Pair<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = Vec::new();
        match self.value() {
            Value::String(value) => put_value(&mut text, &value),
            Value::Ber(ber) => put_ber_value(&mut text, &ber),
        }
        write!(f, "{}={}", self.attribute, String::from_utf8_lossy(&text))
    }
}

impl fmt::Debug for Pair<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Pair").field(&Text(self.attribute.as_bytes())).field(&Hidden(self.raw)).finish()
    }
}

/// The value of a pair.
#[derive(Clone, PartialEq, Eq)]
pub enum Value<'a> {
    /// Written as text: the value in LDAP's own encoding. Usually UTF-8, but escapes can spell any bytes.
    String(Cow<'a, [u8]>),
    /// Written as `#` and digits: a BER element, unchecked.
    Ber(Vec<u8>),
}

impl Value<'_> {
    /// The value in LDAP's own encoding: the string, or the contents of a BER element of one of the
    /// string types whose contents are just that. `None` for any other element.
    pub fn octets(&self) -> Option<&[u8]> {
        match self {
            Self::String(value) => Some(value),
            Self::Ber(ber) => {
                let mut r = Reader::new(ber);
                let (tag, contents) = r.element().ok()?;
                let plain = tag.class() == Class::Universal && !tag.is_constructed();
                (plain && PLAIN_STRINGS.contains(&tag.number()) && r.is_empty()).then_some(contents)
            }
        }
    }
}

impl fmt::Debug for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::String(value) => f.debug_tuple("String").field(&Hidden(value)).finish(),
            Self::Ber(ber) => f.debug_tuple("Ber").field(&Hidden(ber)).finish(),
        }
    }
}

/// The pairs of an RDN.
#[derive(Clone, Debug)]
pub struct Pairs<'a> {
    text: &'a str,
    /// Where the next pair begins; `None` after the last.
    at: Option<usize>,
}

impl<'a> Pairs<'a> {
    pub(super) const fn new(text: &'a str) -> Self {
        Self { text, at: Some(0) }
    }
}

impl<'a> Iterator for Pairs<'a> {
    type Item = Pair<'a>;

    fn next(&mut self) -> Option<Pair<'a>> {
        let pair = parse::pair(self.text, self.at.take()?).ok()?;
        self.at = (pair.separator != Separator::End).then_some(pair.next);
        Some(Pair { attribute: pair.attribute, raw: pair.value })
    }
}
