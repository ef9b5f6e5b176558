//! Matching rules (RFC 4517 §4, RFC 4530 §2, RFC 4523 §3).
//!
//! A rule turns a value into a *key*: two values match when their keys are equal, and for rules that order, the order of
//! keys octet by octet is the order of values. So indexes hold keys, and a filter's assertion is turned into a key once.
//!
//! | module | holds |
//! |---|---|
//! | `rules` | the table of rules |
//! | `keys` | values to keys, for each family of rules |
//! | `pattern`, `search` | substrings: their parts, and looking for them in keys |
//! | `certificate` | serial number and issuer of certificates |

mod certificate;
mod keys;
mod pattern;
mod rules;
mod search;

use std::cmp::Ordering;

pub use pattern::{Anchor, Fragment, Pattern};
pub(crate) use rules::Family;
pub use rules::{Rule, RuleKind};

use crate::error::ValueError;
use crate::prepare::Key;
use crate::schema::Schema;

/// How deep names can be in names (a `member` in a relative name of a `member`, …).
pub const NAME_DEPTH_LIMIT: usize = 4;

impl Rule {
    /// Append the key of `value` to `key`. On an error nothing is appended.
    ///
    /// Rules for substrings give the key in which their [`Pattern`]s search.
    ///
    /// # Errors
    ///
    /// When the value cannot be prepared: it matches nothing, and an assertion with it is Undefined. Rules for bits have
    /// no keys ([`ValueError::NotApplicable`]).
    pub fn normalise(self, schema: &Schema, value: &[u8], key: &mut Vec<u8>) -> Result<(), ValueError> {
        let mut buffer = Key::new();
        key.extend_from_slice(self.prepared(schema, value, &mut buffer)?);
        Ok(())
    }

    /// Whether `value` matches `assertion`: is equal to it; for an ordering rule, is less than it (RFC 4517 §4.1); for
    /// a substrings rule, contains the parts of it (an assertion with asterisks, RFC 4517 §3.3.30); for a rule of bits,
    /// has all or one of its bits.
    ///
    /// # Errors
    ///
    /// When either cannot be prepared: the result is Undefined.
    pub fn matches(self, schema: &Schema, assertion: &[u8], value: &[u8]) -> Result<bool, ValueError> {
        match self.kind() {
            RuleKind::Equality => Ok(self.compare(schema, assertion, value)?.is_eq()),
            RuleKind::Ordering => Ok(self.compare(schema, value, assertion)?.is_lt()),
            RuleKind::Substrings => Pattern::parse(self, assertion)?.matches(value),
            RuleKind::Bits => {
                let (mask, value) = (keys::bit_mask(assertion)?, keys::bit_mask(value)?);
                Ok(if self == Self::BitAnd { value & mask == mask } else { value & mask != 0 })
            }
        }
    }

    /// The order of two values, by the rule or, for an equality rule, by its keys: equal means that they match.
    ///
    /// # Errors
    ///
    /// When either cannot be prepared, or when the rule is for substrings or bits.
    pub fn compare(self, schema: &Schema, left: &[u8], right: &[u8]) -> Result<Ordering, ValueError> {
        if !matches!(self.kind(), RuleKind::Equality | RuleKind::Ordering) {
            return Err(ValueError::NotApplicable);
        }
        let (mut left_buffer, mut right_buffer) = (Key::new(), Key::new());
        let left = self.prepared(schema, left, &mut left_buffer)?;
        Ok(left.cmp(self.prepared(schema, right, &mut right_buffer)?))
    }

    /// The order of a key that [`Rule::normalise`] made and a value: what a filter does with every value it meets.
    ///
    /// # Errors
    ///
    /// When the value cannot be prepared, or when the rule is for substrings or bits.
    pub fn compare_key(self, schema: &Schema, key: &[u8], value: &[u8]) -> Result<Ordering, ValueError> {
        if !matches!(self.kind(), RuleKind::Equality | RuleKind::Ordering) {
            return Err(ValueError::NotApplicable);
        }
        let mut buffer = Key::new();
        Ok(key.cmp(self.prepared(schema, value, &mut buffer)?))
    }

    /// Whether `value` begins with `initial`, contains all of `any` in this order and without overlap, and ends with
    /// `last`. [`Pattern`] does it for many values.
    ///
    /// # Errors
    ///
    /// When one of them cannot be prepared, or when the rule is not for substrings.
    pub fn substring(
        self,
        initial: Option<&[u8]>,
        any: &[&[u8]],
        last: Option<&[u8]>,
        value: &[u8],
    ) -> Result<bool, ValueError> {
        pattern::substring(self, initial, any, last, value)
    }

    /// The key of `value`: itself when it is its own, or made in `buffer`.
    fn prepared<'v>(
        self,
        schema: &Schema,
        value: &'v [u8],
        buffer: &'v mut Key,
    ) -> Result<&'v [u8], ValueError> {
        if keys::is_own_key(self.family(), value) {
            return Ok(value);
        }
        self.key(schema, value, 0, buffer)?;
        Ok(buffer)
    }

    /// Append the key of a value that stands in `depth` names.
    pub(crate) fn key(
        self,
        schema: &Schema,
        value: &[u8],
        depth: usize,
        key: &mut Key,
    ) -> Result<(), ValueError> {
        keys::key(self.family(), schema, value, depth, key)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::Variant;

    fn ordered(rule: Rule, values: &[&str]) {
        let schema = Schema::builtin(Variant::default()).unwrap();
        for pair in values.windows(2) {
            let order = rule.compare(&schema, pair[0].as_bytes(), pair[1].as_bytes());
            assert_eq!(order, Ok(Ordering::Less), "{} < {}", pair[0], pair[1]);
            assert_eq!(rule.compare(&schema, pair[1].as_bytes(), pair[0].as_bytes()), Ok(Ordering::Greater));
        }
    }

    fn same(rule: Rule, values: &[&str]) {
        let schema = Schema::builtin(Variant::default()).unwrap();
        for value in values {
            assert_eq!(rule.matches(&schema, values[0].as_bytes(), value.as_bytes()), Ok(true), "{value}");
        }
    }

    fn different(rule: Rule, one: &str, other: &str) {
        let schema = Schema::builtin(Variant::default()).unwrap();
        assert_eq!(rule.matches(&schema, one.as_bytes(), other.as_bytes()), Ok(false), "{one} {other}");
    }

    #[test]
    fn strings() {
        same(Rule::CaseIgnore, &["Alice Liddell", "alice   LIDDELL", " ALICE LIDDELL "]);
        same(Rule::CaseIgnoreIa5, &["A@Example.com", "a@example.COM"]);
        different(Rule::CaseExact, "Alice", "alice");
        same(Rule::CaseExactIa5, &["a b", " a  b"]);
        same(Rule::NumericString, &["15 079", "15079"]);
        same(Rule::TelephoneNumber, &["+1 555 0100", "+1-555-0100", "+15550100"]);
        same(Rule::CaseIgnoreList, &["Main St.$Anytown", "MAIN  st.$ anytown "]);
        different(Rule::CaseIgnoreList, "a$b", "ab");
        different(Rule::CaseIgnoreList, r"a\24b", "a$b");
        ordered(Rule::CaseIgnoreOrdering, &["", "a", "A b", "ab", "B", "z", "é"]);
        ordered(Rule::CaseExactOrdering, &["A", "B", "a"]);
        ordered(Rule::OctetStringOrdering, &["", "a", "aa", "b"]);
    }

    #[test]
    fn numbers() {
        ordered(
            Rule::IntegerOrdering,
            &[
                "-123456789012345678901234567890",
                "-100",
                "-99",
                "-10",
                "-9",
                "-1",
                "0",
                "1",
                "9",
                "10",
                "99",
                "5028",
            ],
        );
        let long = |digits: usize| format!("1{}", "0".repeat(digits));
        ordered(
            Rule::IntegerOrdering,
            &[&long(62), &long(63), &long(64), &long(254), &long(255), &long(256), &long(70_000)],
        );
        same(Rule::Boolean, &["TRUE", "TRUE"]);
        different(Rule::Boolean, "TRUE", "FALSE");
        same(Rule::BitString, &["'0101'B", "'0101'B"]);
        different(Rule::BitString, "'0101'B", "'01010'B");
        let schema = Schema::empty();
        assert_eq!(Rule::BitAnd.matches(&schema, b"2", b"514"), Ok(true));
        assert_eq!(Rule::BitAnd.matches(&schema, b"3", b"514"), Ok(false));
        assert_eq!(Rule::BitOr.matches(&schema, b"3", b"514"), Ok(true));
        assert_eq!(Rule::BitAnd.matches(&schema, b"2147483648", b"-2147483646"), Ok(true));
        assert!(Rule::BitAnd.matches(&schema, b"x", b"1").is_err());
        assert!(Rule::Integer.matches(&schema, b"05001", b"5001").is_err());
    }

    #[test]
    fn times_and_identifiers() {
        same(
            Rule::GeneralizedTime,
            &["20260101120000Z", "2026010112Z", "20260101130000.0+01", "202601010600-0600"],
        );
        ordered(
            Rule::GeneralizedTimeOrdering,
            &[
                "20251231235959.9Z",
                "20260101000000Z",
                "20260101000000.05Z",
                "20260101000000.5Z",
                "20260101000001Z",
            ],
        );
        same(Rule::Uuid, &["597ae2f6-16a6-1027-98f4-d28b5365dc14", "597AE2F6-16A6-1027-98F4-D28B5365DC14"]);
        ordered(
            Rule::UuidOrdering,
            &["097ae2f6-16a6-1027-98f4-d28b5365dc14", "A97AE2F6-16A6-1027-98F4-D28B5365DC14"],
        );
        same(Rule::ObjectIdentifier, &["2.5.4.3", "cn", "commonName", "CN"]);
        same(Rule::ObjectIdentifier, &["posixAccount", "1.3.6.1.1.1.2.0"]);
        same(Rule::ObjectIdentifier, &["notKnownHere", "NOTKNOWNHERE"]);
        same(Rule::ObjectIdentifierFirstComponent, &["cn", "( 2.5.4.3 NAME 'cn' )", "(2.5.4.3)"]);
        same(Rule::IntegerFirstComponent, &["3", "( 3 FORM x )"]);
        same(Rule::DistinguishedName, &["UID=grace, OU=People", "uid=Grace,ou=people"]);
        same(Rule::UniqueMember, &["cn=a#'01'B", "CN=A#'01'B"]);
        different(Rule::UniqueMember, "cn=a#'01'B", "cn=a");
    }

    #[test]
    fn rules_do_only_what_they_are_for() {
        let schema = Schema::empty();
        assert_eq!(Rule::CaseIgnoreSubstrings.compare(&schema, b"", b""), Err(ValueError::NotApplicable));
        assert_eq!(Rule::BitOr.compare_key(&schema, b"", b""), Err(ValueError::NotApplicable));
        assert_eq!(Rule::BitOr.normalise(&schema, b"1", &mut Vec::new()), Err(ValueError::NotApplicable));
        assert_eq!(Rule::CaseIgnore.substring(None, &[b"a"], None, b"a"), Err(ValueError::NotApplicable));
        assert_eq!(Rule::IntegerOrdering.matches(&schema, b"5", b"4"), Ok(true));
        assert_eq!(Rule::IntegerOrdering.matches(&schema, b"5", b"5"), Ok(false));
        assert_eq!(Rule::CaseIgnoreSubstrings.matches(&schema, b"a*c", b"Abc"), Ok(true));
    }

    #[test]
    fn errors_append_nothing() {
        let mut key = b"prefix".to_vec();
        for rule in Rule::ALL {
            if rule.normalise(&Schema::empty(), b"\xff(", &mut key).is_err() {
                assert_eq!(key, b"prefix");
            }
            key.truncate(6);
        }
    }

    /// Texts that are values of many syntaxes, so that rules often have something to say.
    fn value() -> impl Strategy<Value = Vec<u8>> {
        prop_oneof![
            "[-+ aAbBßé$\\\\2]{0,8}".prop_map(String::into_bytes),
            "-?[0-9]{1,24}".prop_map(String::into_bytes),
            "20(2[0-9]|00)(01|1[0-2])[0-2][0-9]([0-2][0-9]){0,3}([.,][0-9]{1,3})?(Z|[+-]0[0-9](30)?)"
                .prop_map(String::into_bytes),
            "'[01]{0,9}'B|TRUE|FALSE".prop_map(String::into_bytes),
            "(cn|CN|2.5.4.3|uid)=[a-cA-C ]{0,3}([,+](ou|OU|sn)=[a-c]{0,2}){0,2}".prop_map(String::into_bytes),
            "[0-9a-fA-F]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9A-F]{4}-[0-9a-f]{12}".prop_map(String::into_bytes),
            any::<Vec<u8>>(),
        ]
    }

    proptest! {
        #[test]
        fn keys_say_what_matches(left in value(), right in value()) {
            let schema = Schema::empty();
            for &rule in Rule::ALL {
                let (mut left_key, mut right_key) = (Vec::new(), Vec::new());
                let keys = rule.normalise(&schema, &left, &mut left_key)
                    .and_then(|()| rule.normalise(&schema, &right, &mut right_key));
                if let Ok(order) = rule.compare(&schema, &left, &right) {
                    prop_assert_eq!(keys, Ok(()));
                    prop_assert_eq!(order, left_key.cmp(&right_key));
                    prop_assert_eq!(rule.compare_key(&schema, &left_key, &right), Ok(order));
                    prop_assert_eq!(rule.compare(&schema, &right, &left), Ok(order.reverse()));
                    let expected = if rule.kind() == RuleKind::Equality { order.is_eq() } else { order.is_gt() };
                    prop_assert_eq!(rule.matches(&schema, &left, &right), Ok(expected));
                }
            }
        }

        #[test]
        fn integers_are_in_order(left: i128, right: i128) {
            let (text_left, text_right) = (left.to_string(), right.to_string());
            let order = Rule::IntegerOrdering.compare(&Schema::empty(), text_left.as_bytes(), text_right.as_bytes());
            prop_assert_eq!(order, Ok(left.cmp(&right)));
        }

        #[test]
        fn bits_are_those_of_the_numbers(mask: i64, value: i64) {
            let (text_mask, text_value) = (mask.to_string(), value.to_string());
            let all = Rule::BitAnd.matches(&Schema::empty(), text_mask.as_bytes(), text_value.as_bytes());
            prop_assert_eq!(all, Ok(value & mask == mask));
            let one = Rule::BitOr.matches(&Schema::empty(), text_mask.as_bytes(), text_value.as_bytes());
            prop_assert_eq!(one, Ok(value & mask != 0));
        }
    }
}
