//! Server-side sorting (RFC 2891): keys of entries that can be compared octet by octet.

use netinfo_mapping::{Namespace, Result as Mapped};
use netinfo_schema::{Rule, RuleKind, Schema};
use netinfo_wire::ldap::ResultCode;
use netinfo_wire::ldap::control::paging::SortRequest;

use super::described::Described;
use super::ground::Subject;

/// The keys a result is sorted by.
#[derive(Debug, Clone)]
pub(crate) struct Order {
    keys: Vec<SortKey>,
}

/// An attribute to sort by.
#[derive(Debug, Clone)]
struct SortKey {
    attribute: Described,
    rule: Rule,
    reverse: bool,
}

/// Why a result cannot be sorted: a code of the sort response, and the attribute it is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Unsortable {
    pub(crate) code: ResultCode,
    pub(crate) attribute: Option<Vec<u8>>,
}

impl Order {
    /// Reads a sort request. Attributes without an ordering rule are sorted by the keys of their equality rule.
    pub(crate) fn new(namespace: &Namespace, request: &SortRequest<'_>) -> Result<Self, Unsortable> {
        let schema = namespace.schema();
        let mut keys: Vec<SortKey> = Vec::with_capacity(request.keys.len());
        for key in request.keys {
            let fail = |code| Unsortable { code, attribute: Some(key.attribute.to_vec()) };
            let attribute = Described::parse(namespace, key.attribute)
                .filter(|attribute| attribute.is_known())
                .ok_or_else(|| fail(ResultCode::NoSuchAttribute))?;
            if keys.iter().any(|earlier| earlier.attribute.is_same(&attribute)) {
                return Err(fail(ResultCode::UnwillingToPerform));
            }
            let rule =
                rule(schema, &attribute, key.rule).ok_or_else(|| fail(ResultCode::InappropriateMatching))?;
            keys.push(SortKey { attribute, rule, reverse: key.reverse });
        }
        Ok(Self { keys })
    }

    /// The key of an entry: of every attribute its least value; entries without one come after all others.
    pub(crate) fn key(&self, subject: &Subject<'_>) -> Mapped<Vec<u8>> {
        let mut out = Vec::with_capacity(32 * self.keys.len());
        let mut least: Vec<u8> = Vec::new();
        let mut candidate = Vec::new();
        for key in &self.keys {
            let mut found = false;
            subject.values(&key.attribute, &mut |value| {
                candidate.clear();
                if key.rule.normalise(subject.schema(), value, &mut candidate).is_ok()
                    && (!found || candidate < least)
                {
                    std::mem::swap(&mut least, &mut candidate);
                    found = true;
                }
                true
            })?;
            put(&mut out, found.then_some(&least[..]), key.reverse);
        }
        Ok(out)
    }

    /// The key of an entry whose first attribute has this value, without anything after it: no key of such an entry is
    /// less. `None` if it is no value of the attribute.
    pub(crate) fn bound(&self, schema: &Schema, value: &[u8]) -> Option<Vec<u8>> {
        let first = self.keys.first()?;
        let (mut key, mut out) = (Vec::new(), Vec::new());
        first.rule.normalise(schema, value, &mut key).ok()?;
        put(&mut out, Some(&key), first.reverse);
        Some(out)
    }
}

/// The rule asked for if it orders values of the attribute; the attribute's own if none is asked for.
fn rule(schema: &Schema, attribute: &Described, name: Option<&[u8]>) -> Option<Rule> {
    let own = || attribute.ordering(schema).or_else(|| attribute.equality(schema));
    let Some(name) = name else { return own() };
    let rule = Rule::find(std::str::from_utf8(name).ok()?)?;
    let fits = matches!(rule.kind(), RuleKind::Ordering | RuleKind::Equality)
        && attribute.attribute(schema).is_some_and(|kind| rule.applies_to(kind.syntax()));
    fits.then_some(rule)
}

/// Octets below which nothing in an escaped key is: a key ends with two of them.
const END: u8 = 0;
/// Stands behind a zero octet of a key.
const ESCAPED: u8 = 0xff;
/// Begins the key of an attribute that is there.
const PRESENT: u8 = 1;
/// Begins, and is, the key of an attribute that is missing.
const MISSING: u8 = 2;

/// Appends one attribute's part of a key, such that parts one behind the other compare as a whole.
fn put(out: &mut Vec<u8>, key: Option<&[u8]>, reverse: bool) {
    let start = out.len();
    match key {
        None => out.push(MISSING),
        Some(key) => {
            out.push(PRESENT);
            for &byte in key {
                out.push(byte);
                if byte == END {
                    out.push(ESCAPED);
                }
            }
            out.extend_from_slice(&[END, END]);
        }
    }
    if reverse {
        out[start..].iter_mut().for_each(|byte| *byte = !*byte);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn keys_compare_as_lists(
            a in proptest::collection::vec(proptest::option::of(proptest::collection::vec(0u8..3, 0..4)), 2),
            b in proptest::collection::vec(proptest::option::of(proptest::collection::vec(0u8..3, 0..4)), 2),
            reverse in any::<[bool; 2]>(),
        ) {
            let whole = |parts: &[Option<Vec<u8>>]| {
                let mut out = Vec::new();
                for (part, reverse) in parts.iter().zip(reverse) {
                    put(&mut out, part.as_deref(), reverse);
                }
                out
            };
            let mut expected = std::cmp::Ordering::Equal;
            for ((a, b), reverse) in a.iter().zip(&b).zip(reverse) {
                // What is missing is greater than anything.
                let part = (a.is_none(), a).cmp(&(b.is_none(), b));
                expected = expected.then(if reverse { part.reverse() } else { part });
            }
            prop_assert_eq!(whole(&a).cmp(&whole(&b)), expected);
        }
    }
}
