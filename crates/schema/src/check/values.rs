//! The values of one attribute.

use std::collections::HashMap;

use super::{Finding, Violation};
use crate::options::AttributeDescription;
use crate::schema::Schema;

/// Check the syntax of values. Values of an attribute that the schema does not have are free.
pub fn values(schema: &Schema, description: &str, values: &[&[u8]]) -> Vec<Finding> {
    let Some(attribute) =
        AttributeDescription::parse(description).and_then(|parsed| parsed.attribute(schema))
    else {
        return Vec::new();
    };
    let syntax = attribute.syntax();
    let wrong = values.iter().enumerate().filter_map(|(index, value)| {
        syntax.validate(value).err().map(|error| Finding {
            attribute: description.to_owned(),
            value: Some(index),
            violation: Violation::Syntax { syntax, error },
        })
    });
    wrong.collect()
}

/// Find values that are the same as earlier ones, by the attribute's equality rule; octet by octet when it has none, is
/// not known, or cannot prepare a value.
pub fn duplicates(schema: &Schema, description: &str, values: &[&[u8]]) -> Vec<Finding> {
    let rule = AttributeDescription::parse(description)
        .and_then(|parsed| parsed.attribute(schema))
        .and_then(|attribute| attribute.equality());
    let mut seen: HashMap<(bool, Vec<u8>), usize> = HashMap::with_capacity(values.len());
    let mut findings = Vec::new();
    for (index, value) in values.iter().enumerate() {
        let mut key = Vec::with_capacity(value.len());
        let prepared = rule.is_some_and(|rule| rule.normalise(schema, value, &mut key).is_ok());
        if !prepared {
            key.extend_from_slice(value);
        }
        let first = *seen.entry((prepared, key)).or_insert(index);
        if first != index {
            findings.push(Finding {
                attribute: description.to_owned(),
                value: Some(index),
                violation: Violation::Duplicate(first),
            });
        }
    }
    findings
}

/// Check what a client writes, by the descriptions of the attributes: those that only the server writes are refused, in
/// every mode.
pub fn modification<'d>(schema: &Schema, descriptions: impl IntoIterator<Item = &'d str>) -> Vec<Finding> {
    let refused = descriptions.into_iter().filter(|description| {
        AttributeDescription::parse(description)
            .and_then(|parsed| parsed.attribute(schema))
            .is_some_and(|attribute| attribute.is_no_user_modification())
    });
    refused
        .map(|description| Finding {
            attribute: description.to_owned(),
            value: None,
            violation: Violation::NotModifiable,
        })
        .collect()
}
