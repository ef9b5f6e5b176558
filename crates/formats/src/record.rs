//! The common currency of the readers.

use std::fmt;

/// One directory to be: a child of `container`, with its properties in the order to store them.
#[derive(Clone, PartialEq, Eq)]
pub struct Record {
    /// The container below the root: `users`, `groups`, `machines`, `networks`, `protocols`, `rpcs` or `services`.
    pub container: &'static str,
    /// Property names with their values. `name` comes first and has at least one value, the canonical name.
    pub properties: Vec<(Vec<u8>, Vec<Vec<u8>>)>,
    /// The line the record began on, from 1.
    pub line: u64,
}

impl Record {
    pub(crate) const fn new(container: &'static str, line: u64) -> Self {
        Self { container, properties: Vec::new(), line }
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

/// As text with escapes; values of `passwd` are not shown.
impl fmt::Debug for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{} {{", self.container, self.line)?;
        for (property, values) in &self.properties {
            write!(f, " {}:", property.escape_ascii())?;
            for value in values {
                match property.as_slice() {
                    b"passwd" => f.write_str(" (hidden)")?,
                    _ => write!(f, " \"{}\"", value.escape_ascii())?,
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
