//! The common currency of the readers.

use std::fmt;

/// Where a record stands in the tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// Below the container of this name, which is a child of the root: `users`, `groups`, `machines` … Flat files have
    /// nothing else.
    In(&'static str),
    /// The root of the stream: of a domain, or of the subtree that was written.
    Root,
    /// Below another record of the same stream, by its number in it, counted from 0. A parent comes before its
    /// children, and children come in their order.
    Below(u64),
}

/// What a directory was known by where the record comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Identity {
    /// Object id.
    pub object: u32,
    /// Instance number.
    pub instance: u32,
}

/// One directory to be, with its properties in the order to store them.
#[derive(Clone, PartialEq, Eq)]
pub struct Record {
    /// Where it stands.
    pub place: Place,
    /// Property names with their values. In a record of a container `name` comes first and has at least one value, the
    /// canonical name; other records may have anything.
    pub properties: Vec<(Vec<u8>, Vec<Vec<u8>>)>,
    /// Formats that hold whole domains know ids and instances.
    pub identity: Option<Identity>,
    /// The line the record began on, from 1; in formats without lines the number of the record, from 1.
    pub line: u64,
}

impl Record {
    pub(crate) const fn new(container: &'static str, line: u64) -> Self {
        Self { place: Place::In(container), properties: Vec::new(), identity: None, line }
    }

    /// The container of a record that stands in one.
    pub const fn container(&self) -> Option<&'static str> {
        match self.place {
            Place::In(container) => Some(container),
            Place::Root | Place::Below(_) => None,
        }
    }

    /// Append a property with one value.
    pub(crate) fn with(self, property: &str, value: impl Into<Vec<u8>>) -> Self {
        self.with_values(property, vec![value.into()])
    }

    /// Append a property with several values.
    pub(crate) fn with_values(mut self, property: &str, values: Vec<Vec<u8>>) -> Self {
        self.properties.push((property.into(), values));
        self
    }

    /// The values of a property; empty if the record does not have it.
    pub fn values(&self, property: &str) -> &[Vec<u8>] {
        self.properties.iter().find(|(name, _)| name == property.as_bytes()).map_or(&[], |(_, values)| values)
    }

    /// The first value of a property.
    pub fn first(&self, property: &str) -> Option<&[u8]> {
        self.values(property).first().map(Vec::as_slice)
    }
}

/// Whether values of a property prove who somebody is, so that they are not shown in messages.
fn is_secret(property: &[u8]) -> bool {
    const SECRETS: [&[u8]; 4] = [b"passwd", b"ShadowHashData", b"HeimdalSRPKey", b"KerberosKeys"];
    SECRETS.contains(&property)
}

/// As text with escapes; values of secret properties are not shown.
impl fmt::Debug for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.place {
            Place::In(container) => write!(f, "{container}:{} {{", self.line)?,
            Place::Root => write!(f, "root:{} {{", self.line)?,
            Place::Below(parent) => write!(f, "below {parent}:{} {{", self.line)?,
        }
        for (property, values) in &self.properties {
            write!(f, " {}:", property.escape_ascii())?;
            for value in values {
                if is_secret(property) {
                    f.write_str(" (hidden)")?;
                } else {
                    write!(f, " \"{}\"", value.escape_ascii())?;
                }
            }
        }
        f.write_str(" }")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_hides_passwords() {
        let record = Record::new("users", 3).with("name", "ana").with("passwd", "xOAFZqRz5RduI");
        assert_eq!(format!("{record:?}"), r#"users:3 { name: "ana" passwd: (hidden) }"#);
    }

    #[test]
    fn values_are_found_by_property() {
        let record = Record::new("groups", 1).with("name", "g").with_values("users", vec![]);
        assert_eq!(record.first("name"), Some(&b"g"[..]));
        assert_eq!(record.first("users"), None);
        assert!(record.values("gid").is_empty());
    }
}
