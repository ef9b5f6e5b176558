//! Substrings (RFC 4517 §4.2, RFC 4518 §2.6.1).
//!
//! The RFC prepares a value with one space at either end and two for every inner sequence of spaces, so that a part which
//! ends with a space and the next one which begins with a space both find theirs. Keys have single spaces only and none
//! at the ends; [`Search`] counts every space of a key twice and the ends of the key once, which comes to the same.

use super::Rule;
use super::search::{Part, Search};
use crate::error::ValueError;
use crate::prepare::Key;

/// The parts of a substring assertion, prepared once for many values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    rule: Rule,
    initial: Option<Part>,
    any: Vec<Part>,
    last: Option<Part>,
}

/// Octets that are in the key of every value a pattern matches: what a substring index can look for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fragment<'p> {
    /// Where in the key.
    pub anchor: Anchor,
    /// The octets; not empty.
    pub octets: &'p [u8],
}

/// Where in a key a fragment is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Anchor {
    /// At the beginning.
    Start,
    /// Anywhere.
    Inside,
    /// At the end.
    End,
}

impl Pattern {
    /// Prepare the parts of an assertion.
    ///
    /// # Errors
    ///
    /// When a part cannot be prepared, or when the rule is not for substrings.
    pub fn new(
        rule: Rule,
        initial: Option<&[u8]>,
        any: &[&[u8]],
        last: Option<&[u8]>,
    ) -> Result<Self, ValueError> {
        Ok(Self {
            rule,
            initial: initial.map(|part| Part::new(rule, part)).transpose()?,
            any: any.iter().map(|part| Part::new(rule, part)).collect::<Result<_, _>>()?,
            last: last.map(|part| Part::new(rule, part)).transpose()?,
        })
    }

    /// Prepare an assertion in its text form, parts with asterisks between them (RFC 4517 §3.3.30).
    ///
    /// # Errors
    ///
    /// When it is not of this form, when a part cannot be prepared, or when the rule is not for substrings.
    pub fn parse(rule: Rule, assertion: &[u8]) -> Result<Self, ValueError> {
        crate::syntax::Syntax::SubstringAssertion.validate(assertion)?;
        let parts: Vec<Vec<u8>> = assertion.split(|&byte| byte == b'*').map(unescape).collect();
        let [initial, any @ .., last] = parts.as_slice() else {
            return Err(ValueError::Malformed("a substring assertion"));
        };
        let any: Vec<&[u8]> = any.iter().map(Vec::as_slice).collect();
        Self::new(rule, not_empty(initial), &any, not_empty(last))
    }

    /// Whether `value` has the parts.
    ///
    /// # Errors
    ///
    /// When the value cannot be prepared.
    pub fn matches(&self, value: &[u8]) -> Result<bool, ValueError> {
        let mut buffer = Key::new();
        Ok(self.matches_key(value_key(self.rule, value, &mut buffer)?))
    }

    /// Whether the value of this key has the parts. The key is one that [`Rule::normalise`] makes for the pattern's rule.
    pub fn matches_key(&self, key: &[u8]) -> bool {
        let mut search = Search::new(key);
        self.initial.as_ref().is_none_or(|part| search.initial(part))
            && self.any.iter().all(|part| search.any(part))
            && self.last.as_ref().is_none_or(|part| search.last(part))
    }

    /// Octets that every matching value's key has, for an index.
    pub fn fragments(&self) -> impl Iterator<Item = Fragment<'_>> {
        let initial = self.initial.iter().map(|part| (Anchor::Start, part));
        let any = self.any.iter().map(|part| (Anchor::Inside, part));
        let last = self.last.iter().map(|part| (Anchor::End, part));
        initial
            .chain(any)
            .chain(last)
            .filter(|(_, part)| !part.core.is_empty())
            .map(|(anchor, part)| Fragment { anchor, octets: &part.core })
    }
}

/// [`Pattern`] for one value, without keeping the parts.
pub(super) fn substring(
    rule: Rule,
    initial: Option<&[u8]>,
    any: &[&[u8]],
    last: Option<&[u8]>,
    value: &[u8],
) -> Result<bool, ValueError> {
    let initial = initial.map(|part| Part::new(rule, part)).transpose()?;
    let last = last.map(|part| Part::new(rule, part)).transpose()?;
    let mut buffer = Key::new();
    let mut search = Search::new(value_key(rule, value, &mut buffer)?);
    let mut found = initial.is_none_or(|part| search.initial(&part));
    for part in any {
        // Also when the result is known: a part that cannot be prepared makes it Undefined.
        let part = Part::new(rule, part)?;
        found = found && search.any(&part);
    }
    Ok(found && last.is_none_or(|part| search.last(&part)))
}

fn value_key<'v>(rule: Rule, value: &'v [u8], buffer: &'v mut Key) -> Result<&'v [u8], ValueError> {
    if super::keys::is_own_key(rule.family(), value) {
        return Ok(value);
    }
    super::keys::text_key(rule.family(), value, buffer)?;
    Ok(buffer)
}

fn not_empty(part: &[u8]) -> Option<&[u8]> {
    (!part.is_empty()).then_some(part)
}

/// `\2A` is an asterisk, `\5C` a backslash.
fn unescape(part: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(part.len());
    let mut rest = part;
    while let [first, tail @ ..] = rest {
        match rest {
            [b'\\', high, low, tail @ ..] => {
                out.push(if (*high, *low) == (b'2', b'A') || (*high, *low) == (b'2', b'a') {
                    b'*'
                } else {
                    b'\\'
                });
                rest = tail;
            }
            _ => {
                out.push(*first);
                rest = tail;
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::matching::search::find;

    const RULE: Rule = Rule::CaseIgnoreSubstrings;

    fn matches(assertion: &str, value: &str) -> bool {
        let pattern = Pattern::parse(RULE, assertion.as_bytes()).unwrap();
        pattern.matches(value.as_bytes()).unwrap()
    }

    #[test]
    fn parts_are_found_in_order_without_overlap() {
        assert!(matches("*li*ell", "Alice Liddell"));
        assert!(matches("a*e*l", "Alice Liddell") && matches("alice*", "ALICE"));
        assert!(!matches("*lid*ali*", "Alice Liddell"));
        assert!(!matches("aba*aba", "ababa") && matches("aba*aba", "abaaba"));
        assert!(!matches("*aa*aa*", "aaa"));
        assert!(matches(r"*\2a*", "a*b") && !matches(r"*\2a*", "ab"));
        assert!(matches("*É*", "cafés"));
    }

    #[test]
    fn spaces_in_parts_count_as_the_rfc_says() {
        assert!(matches("foo *", "foo  bar") && matches("* bar", "foo  bar"));
        assert!(matches("*foo * bar*", "foo bar"), "each side has a space of its own");
        assert!(!matches("*foo * * bar*", "foo bar"), "but there are only two");
        assert!(matches("foo *", "foo") && matches("* *", "foo"), "ends count as spaces");
        assert!(!matches("*oo b*", "foob") && !matches("* oo*", "foo"));
        assert!(matches(" foo*", "foo") && matches("*foo ", "foo"));
        assert!(matches("*o  b*", "foo bar"));
        assert!(matches("* * * * *", "a b"), "one at either end and two inside");
        assert!(!matches("* * * * * *", "a b"));
    }

    #[test]
    fn other_families() {
        let schema = crate::Schema::empty();
        let found = |rule: Rule, assertion: &str, value: &str| {
            rule.matches(&schema, assertion.as_bytes(), value.as_bytes())
        };
        assert_eq!(found(Rule::TelephoneNumberSubstrings, "*555-01*", "+1 555 0100"), Ok(true));
        assert_eq!(found(Rule::NumericStringSubstrings, "12*", "1 2 3"), Ok(true));
        assert_eq!(found(Rule::CaseExactIa5Substrings, "/home/*", "/HOME/alice"), Ok(false));
        assert_eq!(found(Rule::CaseIgnoreListSubstrings, "main*usa", "Main St.$USA"), Ok(true));
        assert_eq!(found(Rule::CaseIgnoreListSubstrings, "*st.usa*", "Main St.$USA"), Ok(false));
        assert_eq!(found(Rule::OctetStringSubstrings, "a*", "A"), Ok(false));
    }

    #[test]
    fn fragments_are_what_an_index_looks_for() {
        let pattern = Pattern::new(RULE, Some(b"Al "), &[b" ", b"  X  y "], Some(b"z")).unwrap();
        let fragments: Vec<_> =
            pattern.fragments().map(|fragment| (fragment.anchor, fragment.octets)).collect();
        assert_eq!(fragments, [(Anchor::Start, &b"al"[..]), (Anchor::Inside, b"x y"), (Anchor::End, b"z")]);
    }

    /// The RFC's own form: one space at either end, two inside.
    fn spelled_out(key: &str) -> String {
        if key.is_empty() { "  ".to_owned() } else { format!(" {} ", key.replace(' ', "  ")) }
    }

    /// The RFC's own form of a part.
    fn part_spelled_out(part: &str, initial: bool, last: bool) -> String {
        let core = part.split(' ').filter(|word| !word.is_empty()).collect::<Vec<_>>().join("  ");
        if core.is_empty() {
            return if part.is_empty() { String::new() } else { " ".to_owned() };
        }
        let leading = if initial || part.starts_with(' ') { " " } else { "" };
        let trailing = if last || part.ends_with(' ') { " " } else { "" };
        format!("{leading}{core}{trailing}")
    }

    /// Search in the RFC's own form.
    fn reference(initial: Option<&str>, any: &[String], last: Option<&str>, value: &str) -> bool {
        let key = value.split(' ').filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
        let value = spelled_out(&key);
        let mut rest = value.as_str();
        if let Some(initial) = initial {
            match rest.strip_prefix(&part_spelled_out(initial, true, false)) {
                Some(behind) => rest = behind,
                None => return false,
            }
        }
        for part in any {
            let part = part_spelled_out(part, false, false);
            match rest.find(&part) {
                Some(at) => rest = &rest[at + part.len()..],
                None => return false,
            }
        }
        last.is_none_or(|last| rest.ends_with(&part_spelled_out(last, false, true)))
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]
        #[test]
        fn search_does_as_if_spaces_were_spelled_out(
            initial in prop::option::of("[ab ]{1,3}"),
            any in prop::collection::vec("[ab ]{1,3}", 0..4),
            last in prop::option::of("[ab ]{1,3}"),
            value in "[ab ]{0,9}",
        ) {
            let parts: Vec<&[u8]> = any.iter().map(String::as_bytes).collect();
            let expected = reference(initial.as_deref(), &any, last.as_deref(), &value);
            let initial = initial.as_ref().map(String::as_bytes);
            let last = last.as_ref().map(String::as_bytes);
            let pattern = Pattern::new(RULE, initial, &parts, last).unwrap();
            prop_assert_eq!(pattern.matches(value.as_bytes()), Ok(expected));
            prop_assert_eq!(RULE.substring(initial, &parts, last, value.as_bytes()), Ok(expected));
            if expected {
                let mut key = Vec::new();
                RULE.normalise(&crate::Schema::empty(), value.as_bytes(), &mut key).unwrap();
                for fragment in pattern.fragments() {
                    prop_assert!(find(&key, fragment.octets).is_some());
                }
            }
        }

        #[test]
        fn arbitrary_bytes_never_panic(part: Vec<u8>, value: Vec<u8>) {
            for &rule in Rule::ALL {
                let _ = rule.substring(Some(&part), &[&part], Some(&part), &value);
                let _ = Pattern::parse(rule, &part);
            }
        }
    }
}
