//! Attribute descriptions: a type and options (RFC 4512 §2.5).

use crate::schema::{AttributeType, Schema};
use crate::text::is_oid;

/// Longest attribute description that is read, in bytes.
pub const ATTRIBUTE_DESCRIPTION_LIMIT: usize = 1_024;

/// What stands for the name of an entry wherever entries are written down (RFC 2849): no attribute can be called so.
const ENTRY_NAME: &str = "dn";

/// The transfer option for values in their binary encoding (RFC 4522). It does not make a subtype.
const BINARY: &str = "binary";

/// A type and options as they are written, borrowed: `cn;lang-de`.
///
/// ```
/// # use netinfo_schema::AttributeDescription;
/// let description = AttributeDescription::parse("userCertificate;binary").unwrap();
/// assert_eq!(description.name(), "userCertificate");
/// assert!(description.is_binary());
/// ```
#[derive(Debug, Clone, Copy)]
pub struct AttributeDescription<'a> {
    name: &'a str,
    /// What follows the first semicolon.
    options: Option<&'a str>,
}

impl<'a> AttributeDescription<'a> {
    /// Read a description. None when it is none: the name is no name or OID, or it is `dn`, which stands for an entry's own
    /// name; an option is empty or has other characters than letters, digits, hyphens and underscores; it is too long.
    pub fn parse(text: &'a str) -> Option<Self> {
        if text.len() > ATTRIBUTE_DESCRIPTION_LIMIT {
            return None;
        }
        let (name, options) = match text.split_once(';') {
            Some((name, options)) => (name, Some(options)),
            None => (text, None),
        };
        let parsed = Self { name, options };
        let valid = is_oid(name) && !name.eq_ignore_ascii_case(ENTRY_NAME);
        (valid && parsed.options().all(is_option)).then_some(parsed)
    }

    /// The type as it is written: a name or an OID.
    pub fn name(&self) -> &'a str {
        self.name
    }

    /// The options, in any order and case.
    pub fn options(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        self.options.into_iter().flat_map(|options| options.split(';'))
    }

    /// Whether the option stands there, in any case.
    pub fn has_option(&self, option: &str) -> bool {
        self.options().any(|own| own.eq_ignore_ascii_case(option))
    }

    /// Whether the option `binary` stands there.
    pub fn is_binary(&self) -> bool {
        self.has_option(BINARY)
    }

    /// The type, if the schema has it.
    pub fn attribute<'s>(&self, schema: &'s Schema) -> Option<&'s AttributeType> {
        schema.attribute(self.name)
    }

    /// Whether it is `other` or a subtype of it: its type is, and it has all options of `other` except `binary`. An
    /// option of `other` that ends with a hyphen (`lang-en-`) is there when one begins with it (RFC 3866 §3.1). Types which
    /// the schema does not have are told apart by their names.
    pub fn is_subtype_of(&self, other: &AttributeDescription<'_>, schema: &Schema) -> bool {
        let types = match (self.attribute(schema), other.attribute(schema)) {
            (Some(own), Some(other)) => own.is_subtype_of(other),
            (None, None) => self.name.eq_ignore_ascii_case(other.name),
            _ => false,
        };
        types && other.options().all(|wanted| wanted.eq_ignore_ascii_case(BINARY) || self.offers(wanted))
    }

    /// Whether both are the same type with the same options, `binary` apart: whether values belong together.
    pub fn is_same(&self, other: &AttributeDescription<'_>, schema: &Schema) -> bool {
        let types = match (self.attribute(schema), other.attribute(schema)) {
            (Some(own), Some(other)) => own.id() == other.id(),
            (None, None) => self.name.eq_ignore_ascii_case(other.name),
            _ => false,
        };
        let covers = |one: &AttributeDescription<'_>, other: &AttributeDescription<'_>| {
            other.options().all(|option| option.eq_ignore_ascii_case(BINARY) || one.has_option(option))
        };
        types && covers(self, other) && covers(other, self)
    }

    fn offers(&self, wanted: &str) -> bool {
        self.options().any(|own| {
            own.eq_ignore_ascii_case(wanted)
                || wanted.ends_with('-')
                    && (own.get(..wanted.len()).is_some_and(|head| head.eq_ignore_ascii_case(wanted))
                        || own.eq_ignore_ascii_case(&wanted[..wanted.len() - 1]))
        })
    }
}

fn is_option(option: &str) -> bool {
    !option.is_empty()
        && option.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Variant;

    fn description(text: &str) -> AttributeDescription<'_> {
        AttributeDescription::parse(text).unwrap()
    }

    #[test]
    fn descriptions_have_a_type_and_options() {
        let read = description("2.5.4.3;lang-DE;x-y");
        assert_eq!((read.name(), read.options().collect::<Vec<_>>()), ("2.5.4.3", vec!["lang-DE", "x-y"]));
        assert!(read.has_option("LANG-de") && !read.is_binary());
        for bad in ["", ";x", "cn;", "cn;;x", "cn;a b", "1", "c n", "cn;é", "dn", "Dn;x"] {
            assert!(AttributeDescription::parse(bad).is_none(), "{bad}");
        }
        let long = format!("cn;{}", "x".repeat(ATTRIBUTE_DESCRIPTION_LIMIT - 3));
        assert!(AttributeDescription::parse(&long).is_some());
        assert!(AttributeDescription::parse(&format!("{long}x")).is_none());
    }

    #[test]
    fn options_make_subtypes() {
        let schema = Schema::builtin(Variant::default()).unwrap();
        let includes = |wanted, own| description(own).is_subtype_of(&description(wanted), &schema);
        assert!(
            includes("cn", "cn;lang-de")
                && includes("name", "CN;lang-de")
                && includes("name;lang-de", "cn;x;LANG-de")
        );
        assert!(
            !includes("cn;lang-de", "cn")
                && !includes("cn", "name")
                && !includes("cn;lang-en", "cn;lang-en-us")
        );
        assert!(includes("cn;lang-en-", "cn;lang-en-us") && includes("cn;lang-en-", "cn;lang-en"));
        assert!(
            includes("userCertificate;binary", "userCertificate")
                && includes("userCertificate", "userCertificate;binary")
        );
        assert!(
            includes("unknown", "UNKNOWN;x") && !includes("unknown", "other") && !includes("unknown", "cn")
        );
        let same = |one, other| description(one).is_same(&description(other), &schema);
        assert!(
            same("cn;a;b", "commonName;B;A")
                && same("userCertificate;binary", "2.5.4.36")
                && !same("cn", "cn;a")
        );
    }
}
