//! The kinds of filters and their parts.

use std::fmt::{self, DebugList};

use super::{Filter, MAX_SUBSTRINGS};
use crate::ber::{self, Reader, Tag};
use crate::ldap::list::{Kind, List};
use crate::ldap::{Error, at};
use crate::redact::{Hidden, Text, debug_fields};

pub(super) const AND: Tag = Tag::context_constructed(0);
pub(super) const OR: Tag = Tag::context_constructed(1);
pub(super) const NOT: Tag = Tag::context_constructed(2);
pub(super) const EQUALITY: Tag = Tag::context_constructed(3);
pub(super) const SUBSTRINGS: Tag = Tag::context_constructed(4);
pub(super) const GREATER_OR_EQUAL: Tag = Tag::context_constructed(5);
pub(super) const LESS_OR_EQUAL: Tag = Tag::context_constructed(6);
pub(super) const PRESENT: Tag = Tag::context(7);
pub(super) const APPROX: Tag = Tag::context_constructed(8);
pub(super) const EXTENSIBLE: Tag = Tag::context_constructed(9);

pub(super) const INITIAL: Tag = Tag::context(0);
pub(super) const ANY: Tag = Tag::context(1);
pub(super) const FINAL: Tag = Tag::context(2);

pub(super) const RULE: Tag = Tag::context(1);
pub(super) const TYPE: Tag = Tag::context(2);
pub(super) const VALUE: Tag = Tag::context(3);
pub(super) const DN_ATTRIBUTES: Tag = Tag::context(4);

/// A filter, opened.
#[derive(Clone, Copy, PartialEq)]
pub enum Node<'a> {
    /// All of these; true if there are none (RFC 4526).
    And(Children<'a>),
    /// Any of these; false if there are none (RFC 4526).
    Or(Children<'a>),
    /// Not this.
    Not(Filter<'a>),
    /// A value equals.
    Equality(Assertion<'a>),
    /// A value contains pieces in order.
    Substrings(Substrings<'a>),
    /// A value is not less.
    GreaterOrEqual(Assertion<'a>),
    /// A value is not greater.
    LessOrEqual(Assertion<'a>),
    /// The attribute with this description has a value.
    Present(&'a [u8]),
    /// A value equals, roughly.
    Approx(Assertion<'a>),
    /// A value matches by a named rule.
    Extensible(ExtensibleMatch<'a>),
    /// A kind of filter that the protocol does not have: Undefined (RFC 4511 §4.5.1.7).
    Unknown(Tag),
}

impl fmt::Debug for Node<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::And(children) => f.debug_tuple("And").field(children).finish(),
            Self::Or(children) => f.debug_tuple("Or").field(children).finish(),
            Self::Not(filter) => f.debug_tuple("Not").field(&filter.node()).finish(),
            Self::Equality(assertion) => f.debug_tuple("Equality").field(assertion).finish(),
            Self::Substrings(substrings) => f.debug_tuple("Substrings").field(substrings).finish(),
            Self::GreaterOrEqual(assertion) => f.debug_tuple("GreaterOrEqual").field(assertion).finish(),
            Self::LessOrEqual(assertion) => f.debug_tuple("LessOrEqual").field(assertion).finish(),
            Self::Present(attribute) => f.debug_tuple("Present").field(&Text(attribute)).finish(),
            Self::Approx(assertion) => f.debug_tuple("Approx").field(assertion).finish(),
            Self::Extensible(matching) => f.debug_tuple("Extensible").field(matching).finish(),
            Self::Unknown(tag) => f.debug_tuple("Unknown").field(tag).finish(),
        }
    }
}

/// An attribute and a value to compare with (`AttributeValueAssertion`, RFC 4511 §4.1.6).
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Assertion<'a> {
    /// Attribute description.
    pub attribute: &'a [u8],
    /// The value.
    pub value: &'a [u8],
}

debug_fields!(Assertion { attribute: text, value: hidden });

impl<'a> Assertion<'a> {
    /// Reads both parts from inside the enclosing element.
    ///
    /// # Errors
    /// [`Error::Malformed`].
    pub fn decode(contents: &'a [u8]) -> Result<Self, Error> {
        let mut r = Reader::new(contents);
        let attribute = r.octets().map_err(at("attribute of the assertion"))?;
        let value = r.octets().map_err(at("value of the assertion"))?;
        r.finish_extensible().map_err(at("assertion"))?;
        Ok(Self { attribute, value })
    }

    /// Appends the assertion with this tag around it.
    pub fn encode(&self, buf: &mut Vec<u8>, tag: Tag) {
        let assertion = ber::begin(buf, tag);
        ber::put(buf, Tag::OCTET_STRING, self.attribute);
        ber::put(buf, Tag::OCTET_STRING, self.value);
        ber::end(buf, assertion);
    }
}

/// An attribute and pieces that one of its values must contain in this order, without overlap.
#[derive(Clone, Copy, PartialEq)]
pub struct Substrings<'a> {
    /// Attribute description.
    pub attribute: &'a [u8],
    /// The pieces, at least one: at most one initial, which is first, at most one final, which is last.
    pub pieces: List<'a, SubstringKind>,
}

debug_fields!(Substrings { attribute: text, pieces: shown });

impl<'a> Substrings<'a> {
    fn decode(contents: &'a [u8]) -> Result<Self, Error> {
        let mut r = Reader::new(contents);
        let attribute = r.octets().map_err(at("attribute of the substring filter"))?;
        let pieces: List<'_, SubstringKind> = List::read(&mut r, Tag::SEQUENCE)?;
        r.finish_extensible().map_err(at("substring filter"))?;
        if pieces.is_empty() {
            return Err(Error::Invalid("substring filter without substrings"));
        }
        let last = pieces.len() - 1;
        for (index, piece) in pieces.iter().enumerate() {
            match piece {
                Substring::Initial(_) if index != 0 => {
                    return Err(Error::Invalid("substring filter with an initial that is not first"));
                }
                Substring::Final(_) if index != last => {
                    return Err(Error::Invalid("substring filter with a final that is not last"));
                }
                _ => {}
            }
        }
        Ok(Self { attribute, pieces })
    }
}

/// A piece of a substring filter.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Substring<'a> {
    /// The value begins with this.
    Initial(&'a [u8]),
    /// The value has this somewhere after the pieces before.
    Any(&'a [u8]),
    /// The value ends with this.
    Final(&'a [u8]),
}

impl<'a> Substring<'a> {
    /// The bytes to look for.
    pub const fn value(self) -> &'a [u8] {
        match self {
            Self::Initial(value) | Self::Any(value) | Self::Final(value) => value,
        }
    }
}

impl fmt::Debug for Substring<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self {
            Self::Initial(_) => "Initial",
            Self::Any(_) => "Any",
            Self::Final(_) => "Final",
        };
        f.debug_tuple(name).field(&Hidden(self.value())).finish()
    }
}

/// [`Substring`] as an element of a list.
#[derive(Clone, Copy, Debug)]
pub enum SubstringKind {}

impl Kind for SubstringKind {
    type Item<'a> = Substring<'a>;

    const WHAT: &'static str = "substrings";
    const MAX: usize = MAX_SUBSTRINGS;

    fn read<'a>(r: &mut Reader<'a>) -> Result<Substring<'a>, Error> {
        let (tag, value) = r.element().map_err(at("substring"))?;
        match tag {
            INITIAL => Ok(Substring::Initial(value)),
            ANY => Ok(Substring::Any(value)),
            FINAL => Ok(Substring::Final(value)),
            _ => Err(Error::Number { what: "substring", number: tag.number().into() }),
        }
    }

    fn put(buf: &mut Vec<u8>, item: Substring<'_>) {
        let tag = match item {
            Substring::Initial(_) => INITIAL,
            Substring::Any(_) => ANY,
            Substring::Final(_) => FINAL,
        };
        ber::put(buf, tag, item.value());
    }

    fn show(item: &Substring<'_>, to: &mut DebugList<'_, '_>) {
        to.entry(item);
    }
}

/// A value and the rule to match it by (`MatchingRuleAssertion`); rule or attribute is there.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct ExtensibleMatch<'a> {
    /// The matching rule; the attribute's equality rule if there is none.
    pub rule: Option<&'a [u8]>,
    /// Attribute description; all attributes the rule applies to if there is none.
    pub attribute: Option<&'a [u8]>,
    /// The value.
    pub value: &'a [u8],
    /// Match the attributes of the entry's DN as well.
    pub dn_attributes: bool,
}

debug_fields!(ExtensibleMatch {
    rule: text_option,
    attribute: text_option,
    value: hidden,
    dn_attributes: shown,
});

impl<'a> ExtensibleMatch<'a> {
    fn decode(contents: &'a [u8]) -> Result<Self, Error> {
        let mut r = Reader::new(contents);
        let rule = r.optional(RULE).map_err(at("matching rule"))?;
        let attribute = r.optional(TYPE).map_err(at("attribute of the extensible match"))?;
        let value = r.contents(VALUE).map_err(at("value of the extensible match"))?;
        let dn_attributes = r.boolean_or(DN_ATTRIBUTES, false).map_err(at("dnAttributes"))?;
        r.finish_extensible().map_err(at("extensible match"))?;
        if rule.is_none() && attribute.is_none() {
            return Err(Error::Invalid("extensible match with neither rule nor attribute"));
        }
        Ok(Self { rule, attribute, value, dn_attributes })
    }
}

/// The filters inside an and or an or.
#[derive(Clone, Copy, Default)]
pub struct Children<'a> {
    r: Reader<'a>,
}

impl<'a> Children<'a> {
    pub(super) const fn new(contents: &'a [u8]) -> Self {
        Self { r: Reader::new(contents) }
    }

    /// Whether there are none left.
    pub const fn is_empty(&self) -> bool {
        self.r.is_empty()
    }
}

impl<'a> Iterator for Children<'a> {
    type Item = Filter<'a>;

    #[inline]
    fn next(&mut self) -> Option<Filter<'a>> {
        Filter::shallow(&mut self.r).ok()
    }
}

impl PartialEq for Children<'_> {
    fn eq(&self, other: &Self) -> bool {
        Iterator::eq(*self, *other)
    }
}

impl fmt::Debug for Children<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.map(Filter::node)).finish()
    }
}

impl<'a> Filter<'a> {
    /// Opens a filter that is neither and, or, nor not.
    pub(super) fn item(self) -> Result<Node<'a>, Error> {
        let contents = self.contents;
        Ok(match self.tag {
            EQUALITY => Node::Equality(Assertion::decode(contents)?),
            SUBSTRINGS => Node::Substrings(Substrings::decode(contents)?),
            GREATER_OR_EQUAL => Node::GreaterOrEqual(Assertion::decode(contents)?),
            LESS_OR_EQUAL => Node::LessOrEqual(Assertion::decode(contents)?),
            PRESENT => Node::Present(contents),
            APPROX => Node::Approx(Assertion::decode(contents)?),
            EXTENSIBLE => Node::Extensible(ExtensibleMatch::decode(contents)?),
            // A known number in the wrong form is an error, not a kind of filter to come.
            tag if tag.class() == ber::Class::Context && tag.number() > EXTENSIBLE.number() => {
                Node::Unknown(tag)
            }
            tag => return Err(Error::Number { what: "kind of filter", number: tag.octet().into() }),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn substrings(pieces: &[u8]) -> Result<(), Error> {
        let mut bytes = Vec::new();
        let filter = ber::begin(&mut bytes, SUBSTRINGS);
        ber::put(&mut bytes, Tag::OCTET_STRING, b"cn");
        ber::put(&mut bytes, Tag::SEQUENCE, pieces);
        ber::end(&mut bytes, filter);
        Filter::decode(&bytes).map(|_| ())
    }

    #[test]
    fn the_order_of_substrings_is_checked() {
        assert_eq!(substrings(b"\x80\x01a\x81\x01b\x81\x01c\x82\x01d"), Ok(()));
        assert_eq!(substrings(b"\x82\x01d"), Ok(()));
        for bad in [&b""[..], b"\x81\x01b\x80\x01a", b"\x80\x01a\x80\x01a", b"\x82\x01d\x81\x01b"] {
            assert!(matches!(substrings(bad), Err(Error::Invalid(_))), "{bad:?}");
        }
        assert_eq!(substrings(b"\x83\x01a"), Err(Error::Number { what: "substring", number: 3 }));
        assert_eq!(substrings(&b"\x81\x01a".repeat(MAX_SUBSTRINGS)), Ok(()));
        let error = Error::TooMany { what: "substrings", limit: MAX_SUBSTRINGS };
        assert_eq!(substrings(&b"\x81\x01a".repeat(MAX_SUBSTRINGS + 1)), Err(error));
    }

    #[test]
    fn an_extensible_match_names_rule_or_attribute() {
        assert!(Filter::decode(b"\xa9\x06\x81\x01r\x83\x01v").is_ok());
        assert!(Filter::decode(b"\xa9\x03\x83\x01v").is_err());
        let all = Filter::decode(b"\xa9\x0c\x81\x01r\x82\x01a\x83\x01v\x84\x01\x01").unwrap();
        let Node::Extensible(matching) = all.node() else { panic!() };
        assert!(matching.dn_attributes && matching.rule == Some(b"r") && matching.attribute == Some(b"a"));
    }

    #[test]
    fn kinds_to_come_are_undefined_and_wrong_forms_are_errors() {
        assert_eq!(Filter::decode(b"\xaa\x01x").unwrap().node(), Node::Unknown(Tag::context_constructed(10)));
        for bad in [&b"\xa7\x01a"[..], b"\x83\x01a", b"\x04\x01a", b"\x30\0"] {
            assert!(matches!(Filter::decode(bad), Err(Error::Number { .. })), "{bad:?}");
        }
    }

    #[test]
    fn debug_hides_values() {
        let filter = Filter::decode(b"\xa2\x14\xa3\x12\x04\x0cuserPassword\x04\x02hi").unwrap();
        let text = format!("{:?} {filter:?}", filter.node());
        assert!(text.contains("userPassword") && !text.contains("hi\"") && !text.contains("104"), "{text}");
    }
}
