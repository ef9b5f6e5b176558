//! Distinguished names as attribute values: reading their string form (RFC 4514) and making keys of them.
//!
//! A key is made of the names of attribute types as the schema knows them first, in lower case, and of the values as
//! their types' equality rules prepare them; parts of a relative name are in order. It is the same for all spellings of
//! one name. It is no string form: values which are not text have the octets of their own keys.

use std::borrow::Cow;

use smallvec::SmallVec;

use crate::error::ValueError;
use crate::matching::{NAME_DEPTH_LIMIT, Rule};
use crate::prepare::Key;
use crate::schema::Schema;
use crate::syntax::{Form, bits};
use crate::text::is_oid;

const ERROR: ValueError = ValueError::Malformed("a distinguished name");

/// One attribute type and value of a relative name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assertion<'a> {
    /// The type as it is written: a name or an OID.
    pub kind: &'a str,
    /// The value without its escapes.
    pub value: Cow<'a, [u8]>,
    /// The value is the hexadecimal text of a BER element that is no string.
    pub encoded: bool,
}

/// The parts of a name, one after another from the left.
#[derive(Debug, Clone)]
pub struct Parts<'a> {
    text: &'a str,
    at: usize,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Start,
    /// Behind a comma.
    NextName,
    /// Behind a plus sign.
    NextPart,
    End,
}

/// One part: an assertion, and whether it begins a new relative name (or belongs to the one before, behind a plus sign).
pub type Part<'a> = (Assertion<'a>, bool);

/// Read a name. Spaces around separators are taken, as RFC 2253 had it.
///
/// # Errors
///
/// When the octets are not UTF-8; the parts are read, and refused, by the iterator.
pub fn parts(name: &[u8]) -> Result<Parts<'_>, ValueError> {
    Ok(Parts { text: crate::syntax::utf8(name)?, at: 0, state: State::Start })
}

/// A value of the DN syntax.
pub(crate) fn validate(value: &[u8]) -> Result<(), ValueError> {
    parts(value)?.try_for_each(|part| part.map(|_| ()))
}

/// A value of the Name And Optional UID syntax.
pub(crate) fn validate_with_uid(value: &[u8]) -> Result<(), ValueError> {
    validate(split_uid(value).0)
}

/// Append the key of a name to `key`. `depth` is the number of names this one is a value in.
pub(crate) fn normalise(schema: &Schema, name: &[u8], depth: usize, key: &mut Key) -> Result<(), ValueError> {
    let mut relative: SmallVec<[Assertion<'_>; 2]> = SmallVec::new();
    let mut first = true;
    for part in parts(name)? {
        let (assertion, begins) = part?;
        if begins && !relative.is_empty() {
            relative_key(schema, &relative, depth, &mut first, key)?;
            relative.clear();
        }
        relative.push(assertion);
    }
    if relative.is_empty() { Ok(()) } else { relative_key(schema, &relative, depth, &mut first, key) }
}

/// Append the key of a name with an optional UID to `key`.
pub(crate) fn normalise_with_uid(schema: &Schema, value: &[u8], key: &mut Key) -> Result<(), ValueError> {
    let (name, uid) = split_uid(value);
    normalise(schema, name, 0, key)?;
    if let Some(uid) = uid {
        key.push(0);
        key.extend_from_slice(uid);
    }
    Ok(())
}

/// Append the key of one relative name, behind a comma unless it is the first.
pub(crate) fn relative_key(
    schema: &Schema,
    relative: &[Assertion<'_>],
    depth: usize,
    first: &mut bool,
    key: &mut Key,
) -> Result<(), ValueError> {
    if !std::mem::take(first) {
        key.push(b',');
    }
    if let [one] = relative {
        return assertion_key(schema, one, depth, key);
    }
    let mut keys = relative
        .iter()
        .map(|assertion| {
            let mut part = Key::new();
            assertion_key(schema, assertion, depth, &mut part).map(|()| part)
        })
        .collect::<Result<Vec<_>, _>>()?;
    keys.sort_unstable();
    keys.dedup();
    for (index, part) in keys.iter().enumerate() {
        if index > 0 {
            key.push(b'+');
        }
        key.extend_from_slice(part);
    }
    Ok(())
}

fn assertion_key(
    schema: &Schema,
    assertion: &Assertion<'_>,
    depth: usize,
    key: &mut Key,
) -> Result<(), ValueError> {
    let attribute = schema.attribute(assertion.kind);
    let kind = attribute.map_or(assertion.kind, |attribute| attribute.name());
    key.extend(kind.bytes().map(|byte| byte.to_ascii_lowercase()));
    key.push(b'=');
    if assertion.encoded {
        key.extend_from_slice(&assertion.value);
        return Ok(());
    }
    let rule = match attribute.map(|attribute| (attribute.equality(), attribute.syntax().form())) {
        Some((Some(rule), _)) => rule,
        Some((None, Form::Octets | Form::Certificate)) => Rule::OctetString,
        _ => Rule::CaseIgnore,
    };
    let mut value = Key::new();
    rule.key(schema, &assertion.value, depth + 1, &mut value)?;
    for byte in value {
        if matches!(byte, b',' | b'+' | b'=' | b'#' | b'\\' | 0..=0x1f | 0x7f) {
            key.push(b'\\');
            key.extend(
                [byte >> 4, byte & 15].map(|digit| if digit < 10 { b'0' + digit } else { b'a' + digit - 10 }),
            );
        } else {
            key.push(byte);
        }
    }
    Ok(())
}

/// Split `name#'0101'B` into the name and the digits.
fn split_uid(value: &[u8]) -> (&[u8], Option<&[u8]>) {
    let split = value
        .windows(2)
        .rposition(|window| window == b"#'")
        .and_then(|at| bits(&value[at + 1..]).ok().map(|digits| (&value[..at], Some(digits))));
    split.unwrap_or((value, None))
}

impl<'a> Iterator for Parts<'a> {
    type Item = Result<Part<'a>, ValueError>;

    fn next(&mut self) -> Option<Self::Item> {
        let state = self.state;
        if state == State::Start && self.text.trim_matches(' ').is_empty() {
            self.state = State::End;
        }
        if self.state == State::End {
            return None;
        }
        let part = self.part();
        if part.is_err() {
            self.state = State::End;
        }
        Some(part.map(|assertion| (assertion, state != State::NextPart)))
    }
}

impl<'a> Parts<'a> {
    fn part(&mut self) -> Result<Assertion<'a>, ValueError> {
        let rest = &self.text[self.at..];
        let (kind, _) = rest.split_once('=').ok_or(ERROR)?;
        self.at += kind.len() + 1;
        let kind = kind.trim_matches(' ');
        let kind = match kind.get(..4) {
            Some(prefix) if prefix.eq_ignore_ascii_case("oid.") => &kind[4..],
            _ => kind,
        };
        if !is_oid(kind) {
            return Err(ERROR);
        }
        let rest = &self.text[self.at..];
        let value = rest.trim_start_matches(' ');
        self.at += rest.len() - value.len();
        if value.starts_with('#') { self.encoded(kind) } else { self.string(kind) }
    }

    /// Pass the separator at `end` bytes from here.
    fn separate(&mut self, end: usize) {
        self.state = match self.text.as_bytes().get(self.at + end) {
            None => State::End,
            Some(b'+') => State::NextPart,
            Some(_) => State::NextName,
        };
        self.at += end + 1;
    }

    fn string(&mut self, kind: &'a str) -> Result<Assertion<'a>, ValueError> {
        let bytes = &self.text.as_bytes()[self.at..];
        let mut owned: Option<Vec<u8>> = None;
        // Bytes of the value up to its last significant one: spaces at the end count only when escaped.
        let mut significant = 0;
        let mut at = 0;
        while let Some(&byte) = bytes.get(at) {
            match byte {
                b',' | b'+' => break,
                b'"' | b';' | b'<' | b'>' | 0 => return Err(ERROR),
                b'\\' => {
                    let (byte, len) = escaped(&bytes[at + 1..]).ok_or(ERROR)?;
                    let value = owned.get_or_insert_with(|| bytes[..at].to_vec());
                    value.push(byte);
                    significant = value.len();
                    at += 1 + len;
                    continue;
                }
                _ => {}
            }
            if let Some(value) = &mut owned {
                value.push(byte);
            }
            if byte != b' ' {
                significant = owned.as_ref().map_or(at + 1, Vec::len);
            }
            at += 1;
        }
        self.separate(at);
        let value = match owned {
            None => Cow::Borrowed(&bytes[..significant]),
            Some(mut value) => {
                value.truncate(significant);
                Cow::Owned(value)
            }
        };
        Ok(Assertion { kind, value, encoded: false })
    }

    /// A value as `#` and the hexadecimal octets of its BER encoding. Of strings the content is taken.
    fn encoded(&mut self, kind: &'a str) -> Result<Assertion<'a>, ValueError> {
        let rest = &self.text[self.at..];
        let end = rest.find([',', '+']).unwrap_or(rest.len());
        let text = rest[..end].trim_end_matches(' ');
        self.separate(end);
        let digits = &text.as_bytes()[1..];
        if digits.is_empty() || !digits.len().is_multiple_of(2) {
            return Err(ERROR);
        }
        let octets = digits
            .chunks_exact(2)
            .map(|pair| hex(pair[0]).zip(hex(pair[1])).map(|(high, low)| high << 4 | low))
            .collect::<Option<Vec<u8>>>()
            .ok_or(ERROR)?;
        // OCTET STRING, UTF8String, NumericString, PrintableString, IA5String, VisibleString with a short length.
        if let [4 | 12 | 18 | 19 | 22 | 26, len @ ..=0x7f, content @ ..] = octets.as_slice()
            && content.len() == usize::from(*len)
        {
            return Ok(Assertion { kind, value: Cow::Owned(content.to_vec()), encoded: false });
        }
        Ok(Assertion { kind, value: Cow::Owned(text.to_ascii_lowercase().into_bytes()), encoded: true })
    }
}

/// The byte that an escape stands for, and the length of the escape without its backslash.
fn escaped(rest: &[u8]) -> Option<(u8, usize)> {
    match *rest {
        [byte @ (b' ' | b'"' | b'#' | b'+' | b',' | b';' | b'<' | b'=' | b'>' | b'\\'), ..] => {
            Some((byte, 1))
        }
        [high, low, ..] => Some((hex(high)? << 4 | hex(low)?, 2)),
        _ => None,
    }
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

/// Whether a name as deep in other names as this is read any more.
pub(crate) fn is_too_deep(depth: usize) -> bool {
    depth > NAME_DEPTH_LIMIT
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::Variant;

    fn read(name: &str) -> Result<Vec<(String, String, bool)>, ValueError> {
        parts(name.as_bytes())?
            .map(|part| {
                part.map(|(assertion, begins)| {
                    (
                        assertion.kind.to_owned(),
                        String::from_utf8_lossy(&assertion.value).into_owned(),
                        begins,
                    )
                })
            })
            .collect()
    }

    fn values(name: &str) -> Vec<String> {
        read(name).unwrap().into_iter().map(|(_, value, _)| value).collect()
    }

    #[test]
    fn names_of_the_rfc_are_read() {
        assert_eq!(values("UID=jsmith,DC=example,DC=net"), ["jsmith", "example", "net"]);
        let parts = read("OU=Sales+CN=J.  Smith,DC=example,DC=net").unwrap();
        assert_eq!(parts.iter().map(|part| part.2).collect::<Vec<_>>(), [true, false, true, true]);
        assert_eq!(values(r#"CN=James \"Jim\" Smith\, III,DC=net"#), [r#"James "Jim" Smith, III"#, "net"]);
        assert_eq!(values(r"CN=Before\0dAfter,DC=net"), ["Before\rAfter", "net"]);
        assert_eq!(values("1.3.6.1.4.1.1466.0=#04024869"), ["Hi"]);
        assert_eq!(values(r"CN=Lu\C4\8Di\C4\87"), ["Lučić"]);
        assert_eq!(values(r"cn=\20leading, ou = x\  + l=\  "), [" leading", "x ", " "]);
        assert_eq!(values(""), [""; 0]);
        assert_eq!(values("cn=a=b"), ["a=b"]);
    }

    #[test]
    fn what_is_no_name_is_refused() {
        for bad in [
            "cn",
            "=x",
            "cn=a,",
            "cn=a,,ou=b",
            "cn=a;ou=b",
            r"cn=a\",
            r"cn=a\x",
            "cn=#",
            "cn=#0",
            "cn=#zz",
            "c n=a",
            "cn;lang-de=a",
            "cn=a<b",
            "cn=\"a\"",
            "cn=a+",
            "é=a",
        ] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn all_spellings_have_one_key() {
        let schema = Schema::builtin(Variant::default()).unwrap();
        let key = |name: &str| {
            let mut key = Key::new();
            normalise(&schema, name.as_bytes(), 0, &mut key).unwrap();
            String::from_utf8_lossy(&key).into_owned()
        };
        assert_eq!(key("UID=Alice, OU=People,DC=Example"), "uid=alice,ou=people,dc=example");
        assert_eq!(
            key("userid=ALICE,2.5.4.11=people,domainComponent=example"),
            "uid=alice,ou=people,dc=example"
        );
        assert_eq!(key("ipServiceProtocol=udp + cn=tempo"), key("CN=Tempo+ipserviceprotocol=UDP"));
        assert_eq!(key(r"cn=O'Neil\2C  Pat"), key(r"cn=o'neil\, pat"));
        assert_eq!(key(r"cn=a\+b"), r"cn=a\2bb");
        assert_ne!(key(r"cn=a\+cn=b"), key("cn=a+cn=b"));
        assert_eq!(key("cn=#0C0141"), key("cn=a"));
        assert_eq!(key("unknown=Two  Words"), "unknown=two words");
        assert_eq!(key("cn=a+cn=A"), "cn=a");
    }

    #[test]
    fn names_in_names_are_read_to_a_limit() {
        let schema = Schema::builtin(Variant::default()).unwrap();
        let name = |depth| format!("{}cn=x", "member=".repeat(depth));
        assert_eq!(normalise(&schema, name(NAME_DEPTH_LIMIT).as_bytes(), 0, &mut Key::new()), Ok(()));
        assert!(normalise(&schema, name(NAME_DEPTH_LIMIT + 1).as_bytes(), 0, &mut Key::new()).is_err());
        assert!(normalise(&schema, name(100_000).as_bytes(), 0, &mut Key::new()).is_err());
    }

    #[test]
    fn unique_identifiers_stand_behind_names() {
        assert_eq!(split_uid(b"cn=a#'0101'B"), (&b"cn=a"[..], Some(&b"0101"[..])));
        assert_eq!(split_uid(b"cn=a#b"), (&b"cn=a#b"[..], None));
        assert_eq!(validate_with_uid(b"1.3.6.1.4.1.1466.0=#04024869,O=Test,C=GB#'0101'B"), Ok(()));
        assert!(validate_with_uid(b"x#'0101'B").is_err());
    }

    proptest! {
        #[test]
        fn arbitrary_text_never_panics(name in "[a-c=,+\\\\# \"0-2é']{0,20}") {
            let schema = Schema::empty();
            let _ = normalise(&schema, name.as_bytes(), 0, &mut Key::new());
            let _ = normalise_with_uid(&schema, name.as_bytes(), &mut Key::new());
        }
    }
}
