//! Filters from text (RFC 4515). The encoding takes at most twice the bytes of the text and is written
//! once, without a tree in between.

use super::{FilterBuf, MAX_FILTER_BYTES, MAX_FILTER_DEPTH, MAX_FILTER_NODES, MAX_SUBSTRINGS, node};
use crate::ber::{self, Tag};
use crate::ldap::{is_attribute_description, is_oid};

/// Why and where a text is not a filter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("filter, byte {position}: {kind}")]
pub struct ParseError {
    /// Offset in bytes of what is wrong.
    pub position: usize,
    /// What is wrong.
    pub kind: ParseErrorKind,
}

/// Why a text is not a filter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParseErrorKind {
    /// A filter begins with a parenthesis.
    #[error("( expected")]
    OpenExpected,
    /// A filter ends with a parenthesis.
    #[error(") expected")]
    CloseExpected,
    /// Nothing may follow the filter.
    #[error("text after the end of the filter")]
    Trailing,
    /// One of `=`, `~=`, `>=`, `<=`, `:=` belongs here.
    #[error("comparison expected")]
    ComparisonExpected,
    /// An attribute by name or number, with options.
    #[error("attribute description expected")]
    AttributeExpected,
    /// A matching rule by name or number.
    #[error("matching rule expected")]
    RuleExpected,
    /// A backslash is followed by two hexadecimal digits.
    #[error("two hexadecimal digits expected after \\")]
    BadEscape,
    /// An asterisk that is meant must be written `\2a` here.
    #[error("* must be written \\2a here")]
    BareAsterisk,
    /// These must be written `\28` and `\00`.
    #[error("( must be written \\28 in a value, NUL \\00")]
    BareSpecial,
    /// More than [`MAX_SUBSTRINGS`] pieces.
    #[error("more than {MAX_SUBSTRINGS} substrings")]
    TooManySubstrings,
    /// Deeper than [`MAX_FILTER_DEPTH`].
    #[error("nested more than {MAX_FILTER_DEPTH} levels deep")]
    TooDeep,
    /// More than [`MAX_FILTER_NODES`].
    #[error("more than {MAX_FILTER_NODES} filters")]
    TooManyNodes,
    /// Longer than [`MAX_FILTER_BYTES`].
    #[error("more than {MAX_FILTER_BYTES} bytes")]
    TooLong,
}

impl FilterBuf {
    /// Reads a filter from text, strictly by the grammar: it is parenthesised, and blanks count.
    ///
    /// # Errors
    /// [`ParseError`]; whatever parses is within the limits of this module.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        let mut parser = Parser { text: text.as_bytes(), at: 0, nodes: 0, out: Vec::new() };
        parser.filter(1)?;
        if parser.at != text.len() {
            return Err(parser.error(ParseErrorKind::Trailing));
        }
        if parser.out.len() > MAX_FILTER_BYTES {
            return Err(ParseError { position: 0, kind: ParseErrorKind::TooLong });
        }
        // What was just written is a filter; were it not, it would be too long for its length octets.
        Self::from_checked(parser.out).map_err(|_| ParseError { position: 0, kind: ParseErrorKind::TooLong })
    }
}

impl std::str::FromStr for FilterBuf {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        Self::parse(text)
    }
}

struct Parser<'t> {
    text: &'t [u8],
    at: usize,
    nodes: usize,
    out: Vec<u8>,
}

/// How an attribute and a value are compared.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Comparison {
    Equal,
    Ordering(Tag),
    Extensible,
}

impl<'t> Parser<'t> {
    fn error(&self, kind: ParseErrorKind) -> ParseError {
        ParseError { position: self.at, kind }
    }

    fn error_at<T>(position: usize, kind: ParseErrorKind) -> Result<T, ParseError> {
        Err(ParseError { position, kind })
    }

    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn eat(&mut self, byte: u8, otherwise: ParseErrorKind) -> Result<(), ParseError> {
        if self.peek() != Some(byte) {
            return Err(self.error(otherwise));
        }
        self.at += 1;
        Ok(())
    }

    fn filter(&mut self, depth: usize) -> Result<(), ParseError> {
        if depth > MAX_FILTER_DEPTH {
            return Err(self.error(ParseErrorKind::TooDeep));
        }
        self.nodes += 1;
        if self.nodes > MAX_FILTER_NODES {
            return Err(self.error(ParseErrorKind::TooManyNodes));
        }
        self.eat(b'(', ParseErrorKind::OpenExpected)?;
        match self.peek() {
            Some(b'&') => self.list(node::AND, depth)?,
            Some(b'|') => self.list(node::OR, depth)?,
            Some(b'!') => {
                self.at += 1;
                let not = ber::begin(&mut self.out, node::NOT);
                self.filter(depth + 1)?;
                ber::end(&mut self.out, not);
            }
            _ => self.item()?,
        }
        self.eat(b')', ParseErrorKind::CloseExpected)
    }

    fn list(&mut self, tag: Tag, depth: usize) -> Result<(), ParseError> {
        self.at += 1;
        let list = ber::begin(&mut self.out, tag);
        while self.peek() == Some(b'(') {
            self.filter(depth + 1)?;
        }
        ber::end(&mut self.out, list);
        Ok(())
    }

    fn item(&mut self) -> Result<(), ParseError> {
        let left_at = self.at;
        let (left, comparison) = self.comparison()?;
        let value_at = self.at;
        let value = self.value()?;
        if comparison == Comparison::Extensible {
            return self.extensible(left, left_at, value, value_at);
        }
        if !is_attribute_description(left) {
            return Self::error_at(left_at, ParseErrorKind::AttributeExpected);
        }
        match comparison {
            Comparison::Equal if value == b"*" => ber::put(&mut self.out, node::PRESENT, left),
            Comparison::Equal if value.contains(&b'*') => self.substrings(left, value, value_at)?,
            Comparison::Ordering(tag) => self.assertion(tag, left, value, value_at)?,
            _ => self.assertion(node::EQUALITY, left, value, value_at)?,
        }
        Ok(())
    }

    /// What is left of the comparison, and which it is.
    fn comparison(&mut self) -> Result<(&'t [u8], Comparison), ParseError> {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let end = rest.iter().position(|byte| matches!(byte, b'=' | b'(' | b')' | b'*' | b'\\'));
        let Some(end) = end.filter(|end| rest.get(*end) == Some(&b'=')) else {
            self.at += end.unwrap_or(rest.len());
            return Err(self.error(ParseErrorKind::ComparisonExpected));
        };
        self.at += end + 1;
        let left = rest.get(..end).unwrap_or_default();
        Ok(match left.split_last() {
            Some((b'~', left)) => (left, Comparison::Ordering(node::APPROX)),
            Some((b'>', left)) => (left, Comparison::Ordering(node::GREATER_OR_EQUAL)),
            Some((b'<', left)) => (left, Comparison::Ordering(node::LESS_OR_EQUAL)),
            Some((b':', left)) => (left, Comparison::Extensible),
            _ => (left, Comparison::Equal),
        })
    }

    /// The value up to the closing parenthesis, still escaped.
    fn value(&mut self) -> Result<&'t [u8], ParseError> {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let end = rest.iter().position(|byte| matches!(byte, b'(' | b')' | 0)).unwrap_or(rest.len());
        self.at += end;
        if matches!(self.peek(), Some(b'(' | 0)) {
            return Err(self.error(ParseErrorKind::BareSpecial));
        }
        Ok(rest.get(..end).unwrap_or_default())
    }

    /// Appends a value, its escapes resolved, as an element.
    fn put_value(&mut self, tag: Tag, value: &[u8], value_at: usize) -> Result<(), ParseError> {
        if let Some(asterisk) = value.iter().position(|byte| *byte == b'*') {
            return Self::error_at(value_at + asterisk, ParseErrorKind::BareAsterisk);
        }
        let element = ber::begin(&mut self.out, tag);
        let mut rest = value;
        while let Some(escape) = rest.iter().position(|byte| *byte == b'\\') {
            let (plain, after) = rest.split_at(escape);
            self.out.extend_from_slice(plain);
            let digits = after.get(1..3).and_then(|digits| hex_pair(digits[0], digits[1]));
            let Some(byte) = digits else {
                return Self::error_at(value_at + value.len() - after.len(), ParseErrorKind::BadEscape);
            };
            self.out.push(byte);
            rest = after.get(3..).unwrap_or_default();
        }
        self.out.extend_from_slice(rest);
        ber::end(&mut self.out, element);
        Ok(())
    }

    fn assertion(&mut self, tag: Tag, left: &[u8], value: &[u8], value_at: usize) -> Result<(), ParseError> {
        let item = ber::begin(&mut self.out, tag);
        ber::put(&mut self.out, Tag::OCTET_STRING, left);
        self.put_value(Tag::OCTET_STRING, value, value_at)?;
        ber::end(&mut self.out, item);
        Ok(())
    }

    fn substrings(&mut self, left: &[u8], value: &[u8], mut value_at: usize) -> Result<(), ParseError> {
        let item = ber::begin(&mut self.out, node::SUBSTRINGS);
        ber::put(&mut self.out, Tag::OCTET_STRING, left);
        let list = ber::begin(&mut self.out, Tag::SEQUENCE);
        let last = value.iter().filter(|byte| **byte == b'*').count();
        let mut pieces = 0;
        for (index, piece) in value.split(|byte| *byte == b'*').enumerate() {
            let tag = match index {
                0 => node::INITIAL,
                index if index == last => node::FINAL,
                _ => node::ANY,
            };
            if tag == node::ANY || !piece.is_empty() {
                pieces += 1;
                if pieces > MAX_SUBSTRINGS {
                    return Self::error_at(value_at, ParseErrorKind::TooManySubstrings);
                }
                self.put_value(tag, piece, value_at)?;
            }
            value_at += piece.len() + 1;
        }
        ber::end(&mut self.out, list);
        ber::end(&mut self.out, item);
        Ok(())
    }

    /// `attribute[:dn][:rule]` or `[:dn]:rule`.
    fn extensible(
        &mut self,
        left: &[u8],
        left_at: usize,
        value: &[u8],
        value_at: usize,
    ) -> Result<(), ParseError> {
        let mut parts = left.split(|byte| *byte == b':');
        let attribute = parts.next().unwrap_or_default();
        let mut rule = parts.next();
        let dn_attributes = rule.is_some_and(|part| part.eq_ignore_ascii_case(b"dn"));
        if dn_attributes {
            rule = parts.next();
        }
        let attribute_valid = match rule {
            Some(_) if attribute.is_empty() => true,
            _ => is_attribute_description(attribute),
        };
        if !attribute_valid {
            return Self::error_at(left_at, ParseErrorKind::AttributeExpected);
        }
        if parts.next().is_some() || rule.is_some_and(|rule| !is_rule(rule)) {
            return Self::error_at(left_at, ParseErrorKind::RuleExpected);
        }
        let item = ber::begin(&mut self.out, node::EXTENSIBLE);
        if let Some(rule) = rule {
            ber::put(&mut self.out, node::RULE, rule);
        }
        if !attribute.is_empty() {
            ber::put(&mut self.out, node::TYPE, attribute);
        }
        self.put_value(node::VALUE, value, value_at)?;
        if dn_attributes {
            ber::put_boolean(&mut self.out, node::DN_ATTRIBUTES, true);
        }
        ber::end(&mut self.out, item);
        Ok(())
    }
}

/// Whether this can stand for a matching rule: where a rule may be, `dn` means something else.
pub(super) fn is_rule(name: &[u8]) -> bool {
    is_oid(name) && !name.eq_ignore_ascii_case(b"dn")
}

/// The byte two hexadecimal digits stand for.
pub(in crate::ldap) fn hex_pair(high: u8, low: u8) -> Option<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    Some(digit(high)? << 4 | digit(low)?)
}

#[cfg(test)]
mod tests {
    use super::super::Filter;
    use super::*;
    use ParseErrorKind::*;

    fn error(text: &str) -> (usize, ParseErrorKind) {
        let error = FilterBuf::parse(text).unwrap_err();
        (error.position, error.kind)
    }

    #[test]
    fn errors_say_where() {
        assert_eq!(error(""), (0, OpenExpected));
        assert_eq!(error("cn=x"), (0, OpenExpected));
        assert_eq!(error("(cn=x"), (5, CloseExpected));
        assert_eq!(error("(cn=x))"), (6, Trailing));
        assert_eq!(error("(cn)"), (3, ComparisonExpected));
        assert_eq!(error("(&(cn=x)"), (8, CloseExpected));
        assert_eq!(error("(!)"), (2, OpenExpected));
        assert_eq!(error("(!(a=b)(c=d))"), (7, CloseExpected));
        assert_eq!(error("(c n=x)"), (1, AttributeExpected));
        assert_eq!(error("(=x)"), (1, AttributeExpected));
        assert_eq!(error("(:=x)"), (1, AttributeExpected));
        assert_eq!(error("(:dn:=x)"), (1, AttributeExpected));
        assert_eq!(error("(cn:a b:=x)"), (1, RuleExpected));
        assert_eq!(error("(cn:dn:dn:=x)"), (1, RuleExpected));
        assert_eq!(error("(cn:dn:a:b:=x)"), (1, RuleExpected));
        assert_eq!(error("(cn=a\\2)"), (5, BadEscape));
        assert_eq!(error("(cn=a\\zz)"), (5, BadEscape));
        assert_eq!(error("(cn=a\\+1)"), (5, BadEscape));
        assert_eq!(error("(cn=a*b\\)"), (7, BadEscape));
        assert_eq!(error("(cn>=a*)"), (6, BareAsterisk));
        assert_eq!(error("(cn:=*)"), (5, BareAsterisk));
        assert_eq!(error("(cn=a(b)"), (5, BareSpecial));
        assert_eq!(error("(cn=a\0)"), (5, BareSpecial));
        assert_eq!(error("(&(a=b) (c=d))"), (7, CloseExpected));
        assert_eq!(FilterBuf::parse("(cn)").unwrap_err().to_string(), "filter, byte 3: comparison expected");
    }

    #[test]
    fn limits_are_those_of_the_encoded_form() {
        let nested = |depth: usize| format!("{}(a=*){}", "(!".repeat(depth - 1), ")".repeat(depth - 1));
        let filter = FilterBuf::parse(&nested(MAX_FILTER_DEPTH)).unwrap();
        let mut bytes = Vec::new();
        filter.as_filter().encode(&mut bytes);
        assert_eq!(Filter::decode(&bytes), Ok(filter.as_filter()));
        assert_eq!(error(&nested(MAX_FILTER_DEPTH + 1)), (2 * MAX_FILTER_DEPTH, TooDeep));
        let or_of = |children: usize| format!("(|{})", "(a=*)".repeat(children));
        assert!(FilterBuf::parse(&or_of(MAX_FILTER_NODES - 1)).is_ok());
        assert_eq!(error(&or_of(MAX_FILTER_NODES)).1, TooManyNodes);
        let pieces = |pieces: usize| format!("(a={})", "*b".repeat(pieces));
        assert!(FilterBuf::parse(&pieces(MAX_SUBSTRINGS)).is_ok());
        assert_eq!(error(&pieces(MAX_SUBSTRINGS + 1)).1, TooManySubstrings);
        assert_eq!(error(&format!("(a={})", "b".repeat(MAX_FILTER_BYTES))), (0, TooLong));
    }
}
