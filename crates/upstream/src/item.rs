//! Records as they come from a parent, and what they were asked by.

use netinfo_directory::{MASK, Property, is_secret};
use netinfo_lookup::{Record, Table};

/// Beginnings of stored passwords that lock an account altogether.
const LOCKED: [&[u8]; 3] = [b"!", b"*LK*", b"*LOCKED*"];
/// What stands for a password that is not shown.
const HIDDEN: &[u8] = b"*";
/// What stands for one that locks the account.
const LOCK: &[u8] = b"!";

/// Which records are wanted: those of a table whose property `key` has `value`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Question {
    /// The table.
    pub table: Table,
    /// Name of the property.
    pub key: Vec<u8>,
    /// One of its values.
    pub value: Vec<u8>,
}

/// A record without secrets: it can be kept and told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Item {
    /// What tells it from others of its table.
    pub(crate) id: u64,
    /// Its properties.
    pub(crate) properties: Vec<Property>,
}

impl Item {
    /// A record of a parent. Of a password nothing is left but that there is one (`*`) or that it locks the account (`!`);
    /// other secrets are left out.
    #[must_use]
    pub(crate) fn new(id: u64, properties: Vec<Property>) -> Self {
        let properties = properties.into_iter().filter_map(|mut property| {
            if property.name == b"passwd" {
                let first = property.values.first()?;
                let locked = LOCKED.iter().any(|mark| first.starts_with(mark));
                property.values = vec![if locked { LOCK } else { HIDDEN }.to_vec()];
                return Some(property);
            }
            (!is_secret(&property.name)).then_some(property)
        });
        Self { id, properties: properties.collect() }
    }

    /// The record as look-ups see it.
    #[must_use]
    pub(crate) fn record(&self) -> Record<'_> {
        Record::Listed { id: self.id, properties: &self.properties }
    }

    /// Whether the first property `key` has `value`.
    #[must_use]
    pub(crate) fn has(&self, key: &[u8], value: &[u8]) -> bool {
        self.record().values(key).any(|own| own == value)
    }

    /// The first value of a property.
    #[must_use]
    pub(crate) fn first(&self, key: &[u8]) -> Option<&[u8]> {
        self.record().first(key)
    }

    /// Bytes that it takes, about.
    #[must_use]
    pub(crate) fn bytes(&self) -> usize {
        let of = |p: &Property| p.name.len() + p.values.iter().map(|v| v.len() + 24).sum::<usize>() + 48;
        self.properties.iter().map(of).sum::<usize>() + 32
    }
}

/// Whether a stored password can be compared with one: it is shown, and no mark.
pub(crate) fn is_shown(stored: &[u8]) -> bool {
    stored != MASK && stored != HIDDEN && !stored.is_empty()
}

/// Whether a stored password locks the account.
pub(crate) fn is_locked(stored: &[u8]) -> bool {
    LOCKED.iter().any(|mark| stored.starts_with(mark))
}

/// FNV-1a of 64 bits: what stands for the identity of a record that has no number. It is in files, so that it must not
/// change.
#[must_use]
pub fn fnv(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_do_not_stay() {
        for (stored, left) in [
            ("$argon2id$v=19$secret", Some("*")),
            ("ab01cdefghijk", Some("*")),
            ("********", Some("*")),
            ("!$6$x$secret", Some("!")),
            ("*LK*secret", Some("!")),
            ("", Some("*")),
        ] {
            let item = Item::new(1, vec![Property::new("passwd", [stored]), Property::new("uid", ["1"])]);
            assert_eq!(item.first(b"passwd"), left.map(str::as_bytes), "{stored}");
            assert_eq!(item.first(b"uid"), Some(&b"1"[..]));
        }
        let secrets =
            ["_shadow_passwd", "net_passwd", "_app_passwords"].map(|name| Property::new(name, ["x"]));
        assert_eq!(Item::new(1, secrets.to_vec()).properties, []);
        assert_eq!(Item::new(1, vec![Property::new("passwd", [""; 0])]).properties, []);
    }

    #[test]
    fn identities_stay_as_they_are() {
        assert_eq!(fnv(b""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(fnv(b"a"), 0xaf63_dc4c_8601_ec8c);
    }
}
