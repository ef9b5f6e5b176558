//! The small words of schema descriptions: names and object identifiers (RFC 4512 §1.4).

/// Longest name or object identifier the schema accepts, in bytes.
pub const NAME_LIMIT: usize = 128;

/// Whether `text` is a short name: a letter, then letters, digits and hyphens (`keystring`). An underscore is taken
/// too, since schemas in use have it.
pub(crate) fn is_descriptor(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.first().is_some_and(u8::is_ascii_alphabetic)
        && bytes.iter().all(|&byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
}

/// Whether `text` is an object identifier in dotted decimals: at least two arcs, none with a leading zero
/// (`numericoid`).
pub(crate) fn is_numeric_oid(text: &str) -> bool {
    text.contains('.') && text.split('.').all(is_number)
}

/// Whether `text` is a number without a leading zero.
pub(crate) fn is_number(text: &str) -> bool {
    let bytes = text.as_bytes();
    !bytes.is_empty() && bytes.iter().all(u8::is_ascii_digit) && (bytes.len() == 1 || bytes[0] != b'0')
}

/// Whether `text` can stand for an object identifier: numeric, or a short name.
pub(crate) fn is_oid(text: &str) -> bool {
    is_descriptor(text) || is_numeric_oid(text)
}

/// Whether `text` can identify an element: a numeric OID, or the form `name-oid` that some servers give to elements
/// without a registered one.
pub(crate) fn is_element_oid(text: &str) -> bool {
    is_numeric_oid(text)
        || (is_descriptor(text) && text.len() > 4 && text[text.len() - 4..].eq_ignore_ascii_case("-oid"))
}

/// Lower-case copy of a name on the stack, for look-ups without allocation.
pub(crate) struct Lower {
    bytes: [u8; NAME_LIMIT],
    len: usize,
}

impl Lower {
    /// None when `name` is longer than any name can be.
    pub(crate) fn new(name: &str) -> Option<Self> {
        let mut bytes = [0; NAME_LIMIT];
        bytes.get_mut(..name.len())?.copy_from_slice(name.as_bytes());
        bytes[..name.len()].make_ascii_lowercase();
        Some(Self { bytes, len: name.len() })
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numeric_oids_have_arcs_without_leading_zeros() {
        for good in ["2.5.4.3", "0.9.2342", "1.3.6.1.4.1.1466.115.121.1.15"] {
            assert!(is_numeric_oid(good), "{good}");
        }
        for bad in ["", "2", "2.", ".5", "2..5", "2.05", "2.5.a", "-1.2"] {
            assert!(!is_numeric_oid(bad), "{bad}");
        }
    }

    #[test]
    fn descriptors_begin_with_a_letter() {
        assert!(is_descriptor("x-a1") && is_descriptor("nIVersionNumber") && is_descriptor("a_b"));
        assert!(!is_descriptor("1a") && !is_descriptor("") && !is_descriptor("é") && !is_descriptor("a b"));
        assert!(is_element_oid("mail-OID") && !is_element_oid("-oid") && !is_element_oid("mail"));
    }

    #[test]
    fn names_over_the_limit_cannot_be_looked_up() {
        assert!(Lower::new(&"a".repeat(NAME_LIMIT)).is_some());
        assert!(Lower::new(&"a".repeat(NAME_LIMIT + 1)).is_none());
    }
}
