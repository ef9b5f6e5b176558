//! Passwords in requests.

use std::borrow::Cow;

use netinfo_schema::{AttributeDescription, Schema};

use super::Given;
use crate::transform::Transform;

/// OID of `userPassword`.
const USER_PASSWORD: &str = "2.5.4.35";

/// The values that are passwords in the clear: those of `userPassword` that do not begin with the name of a scheme. They
/// must be hashed, and put back, before the request is turned into changes.
pub fn cleartext_passwords<'i, 'a>(
    schema: &Schema,
    attributes: impl IntoIterator<Item = &'i mut Given<'a>>,
) -> Vec<&'i mut Cow<'a, [u8]>>
where
    'a: 'i,
{
    let passwords = attributes.into_iter().filter(|given| is_password(schema, given.description));
    passwords.flat_map(|given| &mut given.values).filter(|value| is_cleartext(value)).collect()
}

/// A stored hash as `userPassword` has it: with its scheme. `None` for what is no hash, but says that nobody gets in.
pub fn published_password(stored: &[u8]) -> Option<Cow<'_, [u8]>> {
    Transform::Password.publish(stored)
}

/// Whether this is a description of `userPassword`.
pub(crate) fn is_password(schema: &Schema, description: &[u8]) -> bool {
    std::str::from_utf8(description)
        .ok()
        .and_then(AttributeDescription::parse)
        .and_then(|parsed| parsed.attribute(schema))
        .is_some_and(|attribute| attribute.oid() == USER_PASSWORD)
}

/// Whether a value does not begin with the name of a scheme in braces (RFC 2307 §5.3).
pub(crate) fn is_cleartext(value: &[u8]) -> bool {
    let Some(rest) = value.strip_prefix(b"{") else { return true };
    let Some(end) = rest.iter().position(|byte| *byte == b'}') else { return true };
    end == 0
        || !rest[..end]
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'/'))
}

#[cfg(test)]
mod tests {
    use netinfo_schema::Variant;

    use super::*;

    #[test]
    fn schemes_are_told_from_passwords() {
        for hashed in [&b"{SSHA}abc"[..], b"{CRYPT}*", b"{PBKDF2-SHA256}1$a$b", b"{nosuch}"] {
            assert!(!is_cleartext(hashed));
        }
        for clear in [&b"plain honey"[..], b"", b"{}x", b"{not closed", b"{a b}c", b"x{SSHA}"] {
            assert!(is_cleartext(clear));
        }
    }

    #[test]
    fn passwords_are_found_by_any_name() {
        let schema = Schema::builtin(Variant::default()).unwrap();
        let values = [&b"secret"[..], b"{SSHA}abc"];
        let mut attributes = [
            Given::new(b"cn", values),
            Given::new(b"USERPASSWORD", values),
            Given::new(b"2.5.4.35;x-a", values),
        ];
        let found = cleartext_passwords(&schema, &mut attributes);
        assert_eq!(found.len(), 2);
        for value in found {
            *value = Cow::Borrowed(b"{ARGON2}x");
        }
        assert_eq!(attributes[0].values[0], &b"secret"[..]);
        assert_eq!(attributes[1].values, [&b"{ARGON2}x"[..], b"{SSHA}abc"]);
        assert!(!format!("{attributes:?}").contains("secret"));
    }
}
