//! What a filter says of an entry.

use std::cmp::Ordering;

use netinfo_mapping::Result;
use netinfo_schema::{AttributeDescription, AttributeType};
use netinfo_wire::ldap::Dn;

use super::described::Described;
use super::filter::{Compare, Comparison, Filter, Matching};
use super::ground::Subject;
use super::truth::Truth;

impl Filter {
    /// What the filter says of an entry.
    ///
    /// # Errors
    /// When the store fails.
    pub(crate) fn evaluate(&self, subject: &Subject<'_>) -> Result<Truth> {
        match self {
            Self::And(children) => combine(children, subject, Truth::True, Truth::False),
            Self::Or(children) => combine(children, subject, Truth::False, Truth::True),
            Self::Not(child) => Ok(!child.evaluate(subject)?),
            Self::Constant(truth) => Ok(*truth),
            Self::Present(attribute) => values(subject, attribute, |_| Some(true)),
            Self::Class(class) => Ok(subject.is_of(*class).into()),
            Self::Compare(compare) => {
                values(subject, &compare.attribute, |value| compare.says(subject, value))
            }
            Self::Substrings(parts) => {
                values(subject, &parts.attribute, |value| parts.pattern.matches(value).ok())
            }
            Self::Matching(matching) => matching.says(subject),
            Self::Chain(chain) if !subject.may_search(&chain.attribute) => Ok(Truth::Undefined),
            Self::Chain(chain) => Ok(match &chain.found {
                Some(found) => found.contains(subject.object()).into(),
                None => Truth::Undefined,
            }),
        }
    }
}

/// And or or: `neutral` if there are no children, `decisive` as soon as one says so.
fn combine(children: &[Filter], subject: &Subject<'_>, neutral: Truth, decisive: Truth) -> Result<Truth> {
    let mut result = neutral;
    for child in children {
        match child.evaluate(subject)? {
            truth if truth == decisive => return Ok(decisive),
            Truth::Undefined => result = Truth::Undefined,
            _ => {}
        }
    }
    Ok(result)
}

/// What an item says: True as soon as `says` is `Some(true)` of a value; False if it is `Some(false)` of all; Undefined if
/// it cannot be told of one, if the attribute is hidden, or if neither the schema nor the entry knows it.
fn values(
    subject: &Subject<'_>,
    attribute: &Described,
    mut says: impl FnMut(&[u8]) -> Option<bool>,
) -> Result<Truth> {
    if !subject.may_search(attribute) {
        return Ok(Truth::Undefined);
    }
    let mut result = if attribute.is_known() { Truth::False } else { Truth::Undefined };
    let mut first = true;
    subject.values(attribute, &mut |value| {
        match says(value) {
            Some(true) => {
                result = Truth::True;
                return false;
            }
            Some(false) if first => result = Truth::False,
            Some(false) => {}
            None => result = Truth::Undefined,
        }
        first = false;
        true
    })?;
    Ok(result)
}

impl Compare {
    /// Whether a value compares as it should; `None` if it cannot be compared.
    fn says(&self, subject: &Subject<'_>, value: &[u8]) -> Option<bool> {
        let order = self.rule.compare_key(subject.schema(), &self.key, value).ok()?;
        Some(match self.comparison {
            Comparison::Equal => order == Ordering::Equal,
            Comparison::AtLeast => order != Ordering::Greater,
            Comparison::AtMost => order != Ordering::Less,
        })
    }
}

impl Matching {
    fn says(&self, subject: &Subject<'_>) -> Result<Truth> {
        let schema = subject.schema();
        let matches = |value: &[u8]| self.rule.matches(schema, &self.value, value).ok();
        let mut result = match &self.attribute {
            Some(attribute) => values(subject, attribute, matches)?,
            None => {
                let mut result = Truth::False;
                subject.all_values(
                    |kind| self.rule.applies_to(kind.syntax()),
                    |value| {
                        if matches(value) == Some(true) {
                            result = Truth::True;
                        }
                        !result.is_true()
                    },
                )?;
                result
            }
        };
        if self.names && !result.is_true() {
            result = Truth::any([result, self.says_of_names(subject)?]);
        }
        Ok(result)
    }

    /// What the rule says of the parts of the entry's name (RFC 4511 §4.5.1.7.7, `dnAttributes`).
    fn says_of_names(&self, subject: &Subject<'_>) -> Result<Truth> {
        let schema = subject.schema();
        let name = subject.dn()?;
        let Ok(name) = Dn::parse(name.as_ref()) else { return Ok(Truth::Undefined) };
        let mut result = Truth::False;
        for pair in name.rdns().flat_map(|rdn| rdn.pairs()) {
            let Some(description) = AttributeDescription::parse(pair.attribute) else { continue };
            let kind = description.attribute(schema);
            let meant = match &self.attribute {
                Some(attribute) => attribute.covers(kind, &description),
                None => kind.is_some_and(|kind| self.rule.applies_to(kind.syntax())),
            };
            if !meant {
                continue;
            }
            let value = pair.value();
            let Some(value) = value.octets() else { continue };
            match self.rule.matches(schema, &self.value, value) {
                Ok(true) => return Ok(Truth::True),
                Ok(false) => {}
                Err(_) => result = Truth::Undefined,
            }
        }
        Ok(result)
    }
}

/// An attribute whose values are looked at one by one.
pub(crate) struct Own<'a> {
    /// Its type, if the schema has it.
    pub(crate) kind: Option<&'a AttributeType>,
    /// Its description.
    pub(crate) description: AttributeDescription<'a>,
}

/// Whether a filter item of the matched values control lets a value of an attribute through (RFC 3876 §2).
pub(crate) fn lets_through(filter: &Filter, subject: &Subject<'_>, own: &Own<'_>, value: &[u8]) -> bool {
    let schema = subject.schema();
    let covers = |attribute: &Described| attribute.covers(own.kind, &own.description);
    match filter {
        Filter::Constant(truth) => truth.is_true() && own.kind.is_some_and(|kind| kind.oid() == "2.5.4.0"),
        Filter::Present(attribute) => covers(attribute),
        Filter::Class(class) => {
            let named = std::str::from_utf8(value).ok().and_then(|name| schema.class(name));
            own.kind.is_some_and(|kind| kind.oid() == "2.5.4.0")
                && named.is_some_and(|named| named.is_subclass_of(schema.class_by_id(*class)))
        }
        Filter::Compare(compare) => {
            covers(&compare.attribute) && compare.says(subject, value).unwrap_or(false)
        }
        Filter::Substrings(parts) => {
            covers(&parts.attribute) && parts.pattern.matches(value).unwrap_or(false)
        }
        Filter::Matching(matching) => {
            let meant = match &matching.attribute {
                Some(attribute) => covers(attribute),
                None => own.kind.is_some_and(|kind| matching.rule.applies_to(kind.syntax())),
            };
            meant && matching.rule.matches(schema, &matching.value, value).unwrap_or(false)
        }
        Filter::Chain(_) | Filter::And(_) | Filter::Or(_) | Filter::Not(_) => false,
    }
}
