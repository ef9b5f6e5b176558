//! Distinguished names as attribute values: reading their string form (RFC 4514) and making keys of them.
//!
//! A key is made of the names of attribute types as the schema knows them first, in lower case, and of the values as
//! their types' equality rules prepare them; parts of a relative name are in order. It is the same for all spellings of
//! one name. It is no string form: values which are not text have the octets of their own keys.

mod read;

use smallvec::SmallVec;

use crate::error::ValueError;
use crate::matching::{NAME_DEPTH_LIMIT, Rule};
use crate::prepare::Key;
use crate::schema::Schema;
use crate::syntax::{Form, bits};

pub use read::{Assertion, Part, Parts, parts};

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
    let is_plain = |byte: u8| !matches!(byte, b',' | b'+' | b'=' | b'#' | b'\\' | 0..=0x1f | 0x7f);
    if value.iter().all(|&byte| is_plain(byte)) {
        key.extend_from_slice(&value);
        return Ok(());
    }
    for byte in value {
        if is_plain(byte) {
            key.push(byte);
        } else {
            const DIGITS: &[u8; 16] = b"0123456789abcdef";
            key.extend_from_slice(&[b'\\', DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]);
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

/// Whether a name as deep in other names as this is read any more.
pub(crate) fn is_too_deep(depth: usize) -> bool {
    depth > NAME_DEPTH_LIMIT
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::Variant;

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
