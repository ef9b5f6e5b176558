//! Distinguished names taken apart and put together (RFC 4514).

use std::borrow::Cow;

use netinfo_schema::{Schema, dn};
use smallvec::SmallVec;

/// Most relative names of a name: how deep an entry can be.
pub const DEPTH_LIMIT: usize = 128;
/// Most attributes of one relative name.
pub const PARTS_LIMIT: usize = 16;
/// Longest name that is read, in bytes.
pub const NAME_LIMIT: usize = 8_192;

/// Why a text is no name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// It is not of the form.
    #[error("this is no distinguished name")]
    Malformed,
    /// It is longer than [`NAME_LIMIT`].
    #[error("the name is longer than {NAME_LIMIT} bytes")]
    TooLong,
    /// It has more than [`DEPTH_LIMIT`] relative names.
    #[error("the name has more than {DEPTH_LIMIT} parts")]
    TooDeep,
    /// A relative name has more than [`PARTS_LIMIT`] attributes.
    #[error("a relative name has more than {PARTS_LIMIT} attributes")]
    TooWide,
    /// One relative name was wanted, and there is none, or more.
    #[error("this is not one relative name")]
    NotOne,
}

/// One attribute type and value of a relative name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part<'a> {
    /// The type as it is written: a name or an OID.
    pub kind: &'a str,
    /// The value without its escapes.
    pub value: Cow<'a, [u8]>,
}

/// A relative name: one part, or several in the order they are written.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Rdn<'a> {
    /// The parts; at least one.
    pub parts: SmallVec<[Part<'a>; 1]>,
}

/// A distinguished name taken apart.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Name<'a> {
    /// The relative names, from the entry upward.
    pub rdns: SmallVec<[Rdn<'a>; 6]>,
}

impl<'a> Name<'a> {
    /// Reads the text form.
    ///
    /// # Errors
    ///
    /// When it is none, or exceeds a limit.
    pub fn parse(text: &'a [u8]) -> Result<Self, NameError> {
        if text.len() > NAME_LIMIT {
            return Err(NameError::TooLong);
        }
        if let Some(name) = Self::plain(text) {
            return Ok(name);
        }
        let mut name = Self::default();
        for part in dn::parts(text).map_err(|_| NameError::Malformed)? {
            let (assertion, begins) = part.map_err(|_| NameError::Malformed)?;
            if begins {
                if name.rdns.len() == DEPTH_LIMIT {
                    return Err(NameError::TooDeep);
                }
                name.rdns.push(Rdn::default());
            }
            let rdn = name.rdns.last_mut().ok_or(NameError::Malformed)?;
            if rdn.parts.len() == PARTS_LIMIT {
                return Err(NameError::TooWide);
            }
            rdn.parts.push(Part { kind: assertion.kind, value: assertion.value });
        }
        Ok(name)
    }
}

/// What an octet can be in a name without escapes, spaces and more than one attribute in a relative name.
#[derive(Clone, Copy, PartialEq)]
enum Octet {
    /// Anything in a type.
    Letter,
    /// In a type, not in front.
    Digit,
    /// In a value.
    Mark,
    Other,
}

const OCTETS: [Octet; 256] = {
    let mut octets = [Octet::Other; 256];
    let mut at = 0;
    while at < 256 {
        octets[at] = match at as u8 {
            b'a'..=b'z' | b'A'..=b'Z' => Octet::Letter,
            b'0'..=b'9' | b'-' => Octet::Digit,
            b'.' | b'_' | b'@' | b'/' | b':' => Octet::Mark,
            _ => Octet::Other,
        };
        at += 1;
    }
    octets
};

impl<'a> Name<'a> {
    /// Reads what most names are: types and values of letters, digits and a few marks. `None` if it is not so simple.
    fn plain(text: &'a [u8]) -> Option<Self> {
        let mut name = Self::default();
        let mut rest = text;
        loop {
            let kind = rest
                .iter()
                .position(|byte| !matches!(OCTETS[usize::from(*byte)], Octet::Letter | Octet::Digit))?;
            let (kind, value) = rest.split_at(kind);
            let first = OCTETS[usize::from(*kind.first()?)];
            let value = value.strip_prefix(b"=").filter(|_| first == Octet::Letter)?;
            let end = value.iter().position(|byte| {
                !matches!(OCTETS[usize::from(*byte)], Octet::Letter | Octet::Digit | Octet::Mark)
            });
            let (value, more) = value.split_at(end.unwrap_or(value.len()));
            if value.is_empty() || name.rdns.len() == DEPTH_LIMIT {
                return None;
            }
            let kind = std::str::from_utf8(kind).ok()?;
            let part = Part { kind, value: Cow::Borrowed(value) };
            name.rdns.push(Rdn { parts: SmallVec::from_buf([part]) });
            match more.split_first() {
                None => return Some(name),
                Some((b',', more)) => rest = more,
                Some(_) => return None,
            }
        }
    }
}

impl<'a> Rdn<'a> {
    /// Reads one relative name.
    ///
    /// # Errors
    ///
    /// When it is none, or exceeds a limit.
    pub fn parse(text: &'a [u8]) -> Result<Self, NameError> {
        let mut name = Name::parse(text)?;
        match name.rdns.len() {
            1 => Ok(name.rdns.remove(0)),
            _ => Err(NameError::NotOne),
        }
    }

    /// Whether both are the same relative name: the same attributes with values equal by their rules, in any order.
    pub fn is_same(&self, other: &Rdn<'_>, schema: &Schema) -> bool {
        self.parts.len() == other.parts.len()
            && self.parts.iter().all(|part| other.parts.iter().any(|known| part.is_same(known, schema)))
    }
}

impl Part<'_> {
    /// Whether both are the same attribute with values equal by its rule.
    pub fn is_same(&self, other: &Part<'_>, schema: &Schema) -> bool {
        match (schema.attribute(self.kind), schema.attribute(other.kind)) {
            (Some(one), Some(two)) => {
                one.id() == two.id() && equal(schema, one.equality(), &self.value, &other.value)
            }
            (None, None) => {
                self.kind.eq_ignore_ascii_case(other.kind) && equal(schema, None, &self.value, &other.value)
            }
            _ => false,
        }
    }
}

/// Whether two values are the same by a rule; octet by octet when one cannot be prepared. Attributes without a rule, or
/// not known to the schema, are compared as names are (RFC 4514 does not say how): without regard to case.
pub(crate) fn equal(schema: &Schema, rule: Option<netinfo_schema::Rule>, one: &[u8], two: &[u8]) -> bool {
    one == two || rule.unwrap_or(netinfo_schema::Rule::CaseIgnore).matches(schema, one, two) == Ok(true)
}

/// Appends `value` as it stands in a name (RFC 4514 §2.4).
pub fn write_value(value: &[u8], out: &mut Vec<u8>) {
    if std::str::from_utf8(value).is_err() {
        return write_octets(value, out);
    }
    let last = value.len().saturating_sub(1);
    for (at, &byte) in value.iter().enumerate() {
        match byte {
            b' ' if at == 0 || at == last => hex_escape(byte, out),
            b'#' if at == 0 => out.extend_from_slice(b"\\#"),
            b'"' | b'+' | b',' | b';' | b'<' | b'>' | b'\\' => out.extend_from_slice(&[b'\\', byte]),
            0..=0x1f | 0x7f => hex_escape(byte, out),
            _ => out.push(byte),
        }
    }
}

/// A value that is no text: every octet above 0x7f as an escape.
fn write_octets(value: &[u8], out: &mut Vec<u8>) {
    for &byte in value {
        if byte.is_ascii_alphanumeric() { out.push(byte) } else { hex_escape(byte, out) }
    }
}

fn hex_escape(byte: u8, out: &mut Vec<u8>) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    out.extend_from_slice(&[b'\\', DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn plain_names_are_plain() {
        for plain in ["uid=alice,ou=people,dc=example,dc=com", "cn=a.b_c@d:e/f-1"] {
            assert!(Name::plain(plain.as_bytes()).is_some(), "{plain}");
        }
        for other in [
            "",
            "cn",
            "cn=",
            "cn=a,",
            "=a",
            "1a=b",
            "cn=a b",
            "cn=a+sn=b",
            "cn=a=b",
            r"cn=\41",
            "cn=#0401",
            "cn=é",
        ] {
            assert!(Name::plain(other.as_bytes()).is_none(), "{other}");
        }
    }

    #[test]
    fn limits() {
        let deep = |n: usize| vec!["cn=x"; n].join(",");
        assert_eq!(Name::parse(deep(DEPTH_LIMIT).as_bytes()).map(|name| name.rdns.len()), Ok(DEPTH_LIMIT));
        assert_eq!(Name::parse(deep(DEPTH_LIMIT + 1).as_bytes()), Err(NameError::TooDeep));
        let wide = |n: usize| vec!["cn=x"; n].join("+");
        assert!(Rdn::parse(wide(PARTS_LIMIT).as_bytes()).is_ok());
        assert_eq!(Rdn::parse(wide(PARTS_LIMIT + 1).as_bytes()), Err(NameError::TooWide));
        let long = |n: usize| format!("cn={}", "x".repeat(n - 3));
        assert!(Name::parse(long(NAME_LIMIT).as_bytes()).is_ok());
        assert_eq!(Name::parse(long(NAME_LIMIT + 1).as_bytes()), Err(NameError::TooLong));
        assert_eq!(Rdn::parse(b"cn=a,cn=b"), Err(NameError::NotOne));
        assert_eq!(Rdn::parse(b""), Err(NameError::NotOne));
    }

    proptest! {
        #[test]
        fn values_are_read_as_they_were_written(value in proptest::collection::vec(any::<u8>(), 0..20)) {
            let mut text = b"cn=".to_vec();
            write_value(&value, &mut text);
            text.extend_from_slice(b",dc=example");
            let name = Name::parse(&text).unwrap();
            prop_assert_eq!(&name.rdns[0].parts[0].value[..], &value[..]);
        }

        #[test]
        fn plain_names_are_read_as_all_others(
            text in "([a-zA-Z][a-zA-Z0-9-]{0,3}=[a-zA-Z0-9._@:/-]{0,4},){0,4}[a-c0-9=,._@ #+;é\\\\\"-]{0,8}",
        ) {
            if let Some(name) = Name::plain(text.as_bytes()) {
                let parts: Vec<_> = dn::parts(text.as_bytes()).unwrap().map(Result::unwrap).collect();
                prop_assert_eq!(name.rdns.len(), parts.len());
                for (rdn, (assertion, begins)) in name.rdns.iter().zip(parts) {
                    prop_assert!(begins);
                    prop_assert_eq!(&rdn.parts[..], &[Part { kind: assertion.kind, value: assertion.value }]);
                }
            }
        }

        #[test]
        fn arbitrary_bytes_never_panic(text in proptest::collection::vec(any::<u8>(), 0..60)) {
            let _ = Name::parse(&text);
        }
    }
}
