//! The tables for those who read entries of other directories: which attribute a property is there, and how values differ.

use std::borrow::Cow;

use crate::table;
use crate::transform::Transform;

/// A property of the directories below one of the root's, and its attribute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pair {
    /// Name of the property.
    pub property: &'static str,
    /// Name of the attribute.
    pub attribute: &'static str,
    transform: Transform,
}

impl Pair {
    /// The value of the property for one of the attribute.
    #[must_use]
    pub fn store<'v>(&self, value: &'v [u8]) -> Cow<'v, [u8]> {
        self.transform.store(value)
    }

    /// The value of the attribute by which one of the property is found.
    #[must_use]
    pub fn assertion<'v>(&self, value: &'v [u8]) -> Cow<'v, [u8]> {
        self.transform.assertion(value)
    }
}

/// The published properties of what lies in the root's child `directory`, in the order of the table.
pub fn pairs(directory: &str) -> impl Iterator<Item = Pair> + '_ {
    let row = table::containers().find(|row| row.directory == directory);
    let wanted = row.map(|row| row.table).filter(|table| !table.is_empty());
    table::attributes().filter(move |row| wanted == Some(row.table)).filter_map(|row| {
        let (attribute, transform) = row.attribute?;
        Some(Pair { property: row.property, attribute, transform })
    })
}

/// The value of `pwdAccountLockedTime` for accounts that an administrator has locked; other times pass.
const LOCKED_FOR_GOOD: &[u8] = b"000001010000Z";
/// "Disabled" among the bits of `userAccountControl`.
const AD_DISABLED: u32 = 2;

/// Whether an attribute of this name and value says, in the words of some other server, that an account is disabled.
#[must_use]
pub fn disables(attribute: &str, value: &[u8]) -> bool {
    let is = |name: &str| attribute.eq_ignore_ascii_case(name);
    if is("nsAccountLock") || is("loginDisabled") {
        value.eq_ignore_ascii_case(b"TRUE")
    } else if is("pwdAccountLockedTime") {
        value == LOCKED_FOR_GOOD
    } else if is("userAccountControl") {
        let bits = std::str::from_utf8(value).ok().and_then(|text| text.trim().parse::<u32>().ok());
        bits.is_some_and(|bits| bits & AD_DISABLED != 0)
    } else {
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_and_what_is_unknown() {
        let uid = pairs("users").find(|pair| pair.property == "uid").unwrap();
        assert_eq!(uid.attribute, "uidNumber");
        assert_eq!(&uid.assertion(b"-2")[..], b"4294967294");
        assert!(pairs("users").all(|pair| !pair.attribute.is_empty()));
        assert_eq!(pairs("nowhere").count(), 0);
        assert_eq!(pairs("people").count(), 0, "they have the common table");
    }

    #[test]
    fn disabled_accounts() {
        for (attribute, value, expected) in [
            ("nsAccountLock", "true", true),
            ("nsaccountlock", "FALSE", false),
            ("loginDisabled", "TRUE", true),
            ("pwdAccountLockedTime", "000001010000Z", true),
            ("pwdAccountLockedTime", "20260102030405Z", false),
            ("userAccountControl", "514", true),
            ("userAccountControl", "512", false),
            ("userAccountControl", "two", false),
            ("description", "TRUE", false),
        ] {
            assert_eq!(disables(attribute, value.as_bytes()), expected, "{attribute}: {value}");
        }
    }
}
