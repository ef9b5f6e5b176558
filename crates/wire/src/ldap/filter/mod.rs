//! Search filters (RFC 4511 §4.5.1.7): a tree that stays encoded.
//!
//! A [`Filter`] is checked completely when it is decoded, within [`MAX_FILTER_DEPTH`],
//! [`MAX_FILTER_NODES`] and [`MAX_FILTER_BYTES`], and is walked lazily by [`Filter::node`]. The text form
//! (RFC 4515) is read by [`FilterBuf::parse`] and written by [`Filter`]'s `Display`.
//!
//! * [`node`] — the kinds of filters; [`values`] — the filters of the matched values control;
//! * [`text`] — from text; [`format`](mod@format) — to text.

pub mod format;
pub mod node;
pub mod text;
pub mod values;

use std::fmt;

pub use node::{Assertion, Children, ExtensibleMatch, Node, Substring, Substrings};
pub use text::{ParseError, ParseErrorKind};
pub use values::ValuesFilter;

use super::{Error, at};
use crate::ber::{self, Reader, Tag};
use crate::redact::Hidden;

/// How deep filters may be nested: a filter without children has depth 1.
pub const MAX_FILTER_DEPTH: usize = 64;
/// Most filters in a filter, itself included.
pub const MAX_FILTER_NODES: usize = 4096;
/// Longest filter in encoded bytes.
pub const MAX_FILTER_BYTES: usize = 256 * 1024;
/// Most pieces of one substring filter.
pub const MAX_SUBSTRINGS: usize = 256;

/// A filter, borrowed from the message it came in.
#[derive(Clone, Copy)]
pub struct Filter<'a> {
    tag: Tag,
    contents: &'a [u8],
}

impl<'a> Filter<'a> {
    /// The filter that every entry matches: `(objectClass=*)`, which also servers without RFC 4526 know.
    pub const ALL: Filter<'static> = Filter { tag: node::PRESENT, contents: b"objectClass" };

    /// Decodes a filter that nothing follows.
    ///
    /// # Errors
    /// [`Error::Malformed`], [`Error::Invalid`]; [`Error::TooDeep`], [`Error::TooMany`],
    /// [`Error::TooLong`] beyond the limits of this module.
    pub fn decode(bytes: &'a [u8]) -> Result<Self, Error> {
        let mut r = Reader::new(bytes);
        let filter = Self::read(&mut r)?;
        r.finish().map_err(at("filter"))?;
        Ok(filter)
    }

    /// Reads one at a position, as part of a longer message.
    ///
    /// # Errors
    /// Those of [`Self::decode`].
    pub fn read(r: &mut Reader<'a>) -> Result<Self, Error> {
        let before = r.remaining().len();
        let filter = Self::shallow(r)?;
        if before - r.remaining().len() > MAX_FILTER_BYTES {
            return Err(Error::TooLong { what: "filter", limit: MAX_FILTER_BYTES });
        }
        filter.check(1, &mut 0)?;
        Ok(filter)
    }

    /// Tag and contents of the next filter, unchecked.
    fn shallow(r: &mut Reader<'a>) -> Result<Self, Error> {
        let (tag, contents) = r.element().map_err(at("filter"))?;
        Ok(Self { tag, contents })
    }

    /// Checks this filter at `depth` and all below; `nodes` counts them.
    fn check(self, depth: usize, nodes: &mut usize) -> Result<(), Error> {
        if depth > MAX_FILTER_DEPTH {
            return Err(Error::TooDeep { limit: MAX_FILTER_DEPTH });
        }
        *nodes += 1;
        if *nodes > MAX_FILTER_NODES {
            return Err(Error::TooMany { what: "filters", limit: MAX_FILTER_NODES });
        }
        let mut inner = Reader::new(self.contents);
        match self.tag {
            node::AND | node::OR => {
                while !inner.is_empty() {
                    Self::shallow(&mut inner)?.check(depth + 1, nodes)?;
                }
                Ok(())
            }
            node::NOT => {
                Self::shallow(&mut inner)?.check(depth + 1, nodes)?;
                inner.finish().map_err(at("not filter"))
            }
            _ => self.item().map(|_| ()),
        }
    }

    /// What kind of filter this is, with its parts.
    pub fn node(self) -> Node<'a> {
        match self.tag {
            node::AND => Node::And(Children::new(self.contents)),
            node::OR => Node::Or(Children::new(self.contents)),
            // Decoding has checked that it is there; what no decoder lets through matches nothing.
            node::NOT => Children::new(self.contents).next().map_or(Node::Unknown(self.tag), Node::Not),
            _ => self.item().unwrap_or(Node::Unknown(self.tag)),
        }
    }

    /// Appends the filter.
    pub fn encode(self, buf: &mut Vec<u8>) {
        ber::put(buf, self.tag, self.contents);
    }

    /// Bytes of the filter's encoding.
    pub const fn encoded_len(self) -> usize {
        ber::len_of(self.contents.len())
    }
}

/// Two filters are equal if they are the same tree, however lengths are encoded.
impl PartialEq for Filter<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.node() == other.node()
    }
}

impl fmt::Debug for Filter<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Filter").field(&self.tag).field(&Hidden(self.contents)).finish()
    }
}

/// An owned filter.
#[derive(Clone)]
pub struct FilterBuf {
    tag: Tag,
    bytes: Vec<u8>,
    /// Where the contents begin in `bytes`.
    contents: usize,
}

impl FilterBuf {
    /// The filter, borrowed.
    pub fn as_filter(&self) -> Filter<'_> {
        Filter { tag: self.tag, contents: self.bytes.get(self.contents..).unwrap_or_default() }
    }

    /// Takes over the encoding of a filter that has been checked.
    fn from_checked(bytes: Vec<u8>) -> Result<Self, Error> {
        let filter = Filter::shallow(&mut Reader::new(&bytes))?;
        Ok(Self { tag: filter.tag, contents: bytes.len() - filter.contents.len(), bytes })
    }
}

impl From<Filter<'_>> for FilterBuf {
    fn from(filter: Filter<'_>) -> Self {
        Self { tag: filter.tag, bytes: filter.contents.to_vec(), contents: 0 }
    }
}

impl PartialEq for FilterBuf {
    fn eq(&self, other: &Self) -> bool {
        self.as_filter() == other.as_filter()
    }
}

impl fmt::Debug for FilterBuf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_filter().fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `depth - 1` times not around a presence filter.
    fn nested(depth: usize) -> Vec<u8> {
        let mut bytes = b"\x87\x01a".to_vec();
        for _ in 1..depth {
            let inner = std::mem::take(&mut bytes);
            ber::put(&mut bytes, node::NOT, &inner);
        }
        bytes
    }

    fn or_of(children: usize) -> Vec<u8> {
        let mut bytes = Vec::new();
        ber::put(&mut bytes, node::OR, &b"\x87\x01a".repeat(children));
        bytes
    }

    #[test]
    fn depth_is_limited() {
        assert!(Filter::decode(&nested(MAX_FILTER_DEPTH)).is_ok());
        let error = Error::TooDeep { limit: MAX_FILTER_DEPTH };
        assert_eq!(Filter::decode(&nested(MAX_FILTER_DEPTH + 1)), Err(error));
        assert_eq!(Filter::decode(&nested(3000)), Err(error));
    }

    #[test]
    fn nodes_are_limited() {
        assert!(Filter::decode(&or_of(MAX_FILTER_NODES - 1)).is_ok());
        let error = Error::TooMany { what: "filters", limit: MAX_FILTER_NODES };
        assert_eq!(Filter::decode(&or_of(MAX_FILTER_NODES)), Err(error));
    }

    #[test]
    fn bytes_are_limited() {
        let mut bytes = Vec::new();
        ber::put(&mut bytes, node::PRESENT, &vec![b'a'; MAX_FILTER_BYTES - 5]);
        assert_eq!(bytes.len(), MAX_FILTER_BYTES);
        assert!(Filter::decode(&bytes).is_ok());
        bytes.clear();
        ber::put(&mut bytes, node::PRESENT, &vec![b'a'; MAX_FILTER_BYTES - 4]);
        assert_eq!(Filter::decode(&bytes), Err(Error::TooLong { what: "filter", limit: MAX_FILTER_BYTES }));
    }

    #[test]
    fn not_has_exactly_one_filter() {
        assert!(Filter::decode(b"\xa2\x03\x87\x01a").is_ok());
        assert!(Filter::decode(b"\xa2\0").is_err());
        assert!(Filter::decode(b"\xa2\x06\x87\x01a\x87\x01b").is_err());
        assert!(Filter::decode(b"\x87\x01a\0\0").is_err());
    }

    #[test]
    fn equality_does_not_depend_on_the_form_of_lengths() {
        let short = Filter::decode(b"\xa0\x03\x87\x01a").unwrap();
        let long = Filter::decode(b"\xa0\x81\x04\x87\x81\x01a").unwrap();
        assert_eq!(short, long);
        assert_eq!(FilterBuf::from(long), FilterBuf::from(short));
        assert_ne!(short, Filter::decode(b"\xa1\x03\x87\x01a").unwrap());
        assert_eq!(Filter::ALL.node(), Node::Present(b"objectClass"));
    }
}
