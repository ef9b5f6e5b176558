//! Filters to text (RFC 4515).

use std::fmt::{self, Display, Formatter, Write};

use super::text::is_rule;
use super::{Children, ExtensibleMatch, Filter, FilterBuf, Node, Substring, Substrings};
use crate::ldap::is_attribute_description;

/// The text form. Values are shown: this is for sending and for people who may see them, not for logs.
///
/// It parses to an equal filter, except where the encoding holds what the grammar cannot express: names
/// that are none are escaped, an empty initial or final piece becomes an empty piece in the middle, and
/// a kind of filter that the protocol does not have becomes `(?=undefined)`.
impl Display for Filter<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.node().fmt(f)
    }
}

impl Display for FilterBuf {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.as_filter().fmt(f)
    }
}

impl Display for Node<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_char('(')?;
        match self {
            Self::And(children) => list(f, '&', children)?,
            Self::Or(children) => list(f, '|', children)?,
            Self::Not(filter) => write!(f, "!{filter}")?,
            Self::Equality(a) => item(f, a.attribute, "=", a.value)?,
            Self::GreaterOrEqual(a) => item(f, a.attribute, ">=", a.value)?,
            Self::LessOrEqual(a) => item(f, a.attribute, "<=", a.value)?,
            Self::Approx(a) => item(f, a.attribute, "~=", a.value)?,
            Self::Present(attribute) => write!(f, "{}=*", Description(attribute))?,
            Self::Substrings(filter) => substrings(f, filter)?,
            Self::Extensible(matching) => extensible(f, matching)?,
            Self::Unknown(_) => f.write_str("?=undefined")?,
        }
        f.write_char(')')
    }
}

fn list(f: &mut Formatter<'_>, operator: char, children: &Children<'_>) -> fmt::Result {
    f.write_char(operator)?;
    children.into_iter().try_for_each(|child| child.fmt(f))
}

fn item(f: &mut Formatter<'_>, attribute: &[u8], operator: &str, value: &[u8]) -> fmt::Result {
    write!(f, "{}{operator}{}", Description(attribute), Value(value))
}

fn substrings(f: &mut Formatter<'_>, filter: &Substrings<'_>) -> fmt::Result {
    write!(f, "{}=", Description(filter.attribute))?;
    for piece in filter.pieces {
        match piece {
            Substring::Initial(value) if !value.is_empty() => Value(value).fmt(f)?,
            Substring::Final(value) if !value.is_empty() => write!(f, "*{}", Value(value))?,
            piece => write!(f, "*{}", Value(piece.value()))?,
        }
    }
    match filter.pieces.iter().last() {
        Some(Substring::Final(value)) if !value.is_empty() => Ok(()),
        _ => f.write_char('*'),
    }
}

fn extensible(f: &mut Formatter<'_>, matching: &ExtensibleMatch<'_>) -> fmt::Result {
    if let Some(attribute) = matching.attribute {
        Description(attribute).fmt(f)?;
    }
    if matching.dn_attributes {
        f.write_str(":dn")?;
    }
    if let Some(rule) = matching.rule {
        write!(f, ":{}", Rule(rule))?;
    }
    write!(f, ":={}", Value(matching.value))
}

/// An attribute description as it is, or escaped if it is none.
struct Description<'a>(&'a [u8]);

impl Display for Description<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        name(f, self.0, is_attribute_description(self.0))
    }
}

/// A matching rule as it is, or escaped if it is none.
struct Rule<'a>(&'a [u8]);

impl Display for Rule<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        name(f, self.0, is_rule(self.0))
    }
}

fn name(f: &mut Formatter<'_>, name: &[u8], valid: bool) -> fmt::Result {
    match std::str::from_utf8(name) {
        Ok(text) if valid => f.write_str(text),
        _ => name.iter().try_for_each(|byte| escaped(f, *byte)),
    }
}

/// A value with what must be escaped escaped (RFC 4515 §3): the special characters, NUL, and what is
/// not UTF-8.
struct Value<'a>(&'a [u8]);

impl Display for Value<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for chunk in self.0.utf8_chunks() {
            for c in chunk.valid().chars() {
                match c {
                    '(' | ')' | '*' | '\\' | '\0' => escaped(f, c as u8)?,
                    c => f.write_char(c)?,
                }
            }
            chunk.invalid().iter().try_for_each(|byte| escaped(f, *byte))?;
        }
        Ok(())
    }
}

fn escaped(f: &mut Formatter<'_>, byte: u8) -> fmt::Result {
    write!(f, "\\{byte:02x}")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 4515 §4, and what else the grammar has: each is its own canonical text.
    const SAME: &[&str] = &[
        "(cn=Babs Jensen)",
        "(!(cn=Tim Howes))",
        "(&(objectClass=Person)(|(sn=Jensen)(cn=Babs J*)))",
        "(o=univ*of*mich*)",
        "(seeAlso=)",
        "(cn:caseExactMatch:=Fred Flintstone)",
        "(cn:=Betty Rubble)",
        "(sn:dn:2.4.6.8.10:=Barney Rubble)",
        "(o:dn:=Ace Industry)",
        "(:1.2.3:=Wilma Flintstone)",
        "(:dn:2.4.6.8.10:=Dino)",
        "(o=Parens R Us \\28for all your parenthetical needs\\29)",
        "(cn=*\\2a*)",
        "(filename=C:\\5cMyFile)",
        "(sn=Lučić)",
        "(1.3.6.1.4.1.1466.0=\u{4}\u{2}Hi)",
        "(&)",
        "(|)",
        "(cn=*)",
        "(cn=a*)",
        "(cn=*a)",
        "(cn=**)",
        "(cn=a**b*)",
        "(cn~=x)",
        "(uidNumber>=1000)",
        "(uidNumber<=1000)",
        "(userCertificate;binary=\\ff\\00)",
        "(_shadow_passwd=a)",
        "(sudoUser=%#20)",
        "(cn= a )",
    ];

    #[test]
    fn text_there_and_back() {
        for text in SAME {
            assert_eq!(FilterBuf::parse(text).unwrap().to_string(), *text);
        }
    }

    #[test]
    fn other_spellings() {
        for (text, canonical) in [
            // RFC 4515 §4: four bytes of zeros and a four, all escaped; the canonical form escapes less.
            ("(bin=\\00\\00\\00\\04)", "(bin=\\00\\00\\00\u{4})"),
            ("(sn=Lu\\c4\\8di\\c4\\87)", "(sn=Lučić)"),
            ("(1.3.6.1.4.1.1466.0=\\04\\02\\48\\69)", "(1.3.6.1.4.1.1466.0=\u{4}\u{2}Hi)"),
            ("(cn:DN:=x)", "(cn:dn:=x)"),
            ("(cn=\\2A\\2a)", "(cn=\\2a\\2a)"),
        ] {
            assert_eq!(FilterBuf::parse(text).unwrap().to_string(), canonical);
        }
    }

    #[test]
    fn what_the_grammar_does_not_have() {
        for (bytes, text) in [
            (&b"\xaa\x01x"[..], "(?=undefined)"),
            (b"\x87\x04a)(b", "(\\61\\29\\28\\62=*)"),
            (b"\x87\0", "(=*)"),
            (b"\xa4\x07\x04\x01a\x30\x02\x80\0", "(a=**)"),
            (b"\xa4\x0a\x04\x01a\x30\x05\x81\x01b\x82\0", "(a=*b**)"),
            (b"\xa9\x06\x81\x01:\x83\x01v", "(:\\3a:=v)"),
            (b"\xa9\x07\x81\x02dn\x83\x01v", "(:\\64\\6e:=v)"),
        ] {
            assert_eq!(Filter::decode(bytes).unwrap().to_string(), text);
        }
    }
}
