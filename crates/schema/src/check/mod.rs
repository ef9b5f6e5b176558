//! Checks of entries against the schema (RFC 4512 §2.4, §2.5; RFC 4511 §4.6, §4.7).
//!
//! A check finds all that is wrong, each with the attribute and the value it is about; a front-end says it in its own
//! protocol, by an exhaustive match on [`Violation`].

mod classes;
mod values;

use std::collections::{HashMap, HashSet};
use std::fmt;

use classes::Classes;
pub use classes::structural_class;
pub use values::{duplicates, modification, values};

use crate::error::ValueError;
use crate::options::AttributeDescription;
use crate::schema::{AttributeId, ObjectClass, Schema};
use crate::syntax::Syntax;

/// How a domain takes what its schema does not provide for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Mode {
    /// Everything is checked.
    Strict,
    /// Classes need not be there, be known or be complete, and attributes need not be allowed or known. What the schema
    /// says of an attribute it knows is checked all the same: syntax, and the number of values.
    Open,
}

/// One attribute of an entry.
#[derive(Debug, Clone, Copy)]
pub struct Attribute<'a> {
    /// Type and options. One description stands once in an entry.
    pub description: &'a str,
    /// Its values. Without any the attribute counts as absent.
    pub values: &'a [&'a [u8]],
}

/// One thing that is wrong with an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The attribute it is about, as the entry or the schema names it.
    pub attribute: String,
    /// The value it is about, counted from 0.
    pub value: Option<usize>,
    /// What is wrong.
    pub violation: Violation,
}

/// What is wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Violation {
    /// The entry has no object class.
    #[error("an entry has at least one object class")]
    NoClass,
    /// An object class is not defined.
    #[error("the object class {0} is not defined")]
    UnknownClass(String),
    /// No class says what the entry is.
    #[error("an entry has a structural object class")]
    NoStructuralClass,
    /// Two structural classes, neither derived from the other.
    #[error("the structural object classes {0} and {1} are not derived from each other")]
    StructuralClasses(String, String),
    /// A class demands the attribute.
    #[error("the object class {0} demands it")]
    Missing(String),
    /// No class of the entry has the attribute.
    #[error("no object class of the entry allows it")]
    NotAllowed,
    /// The attribute type is not defined.
    #[error("the attribute type is not defined")]
    UnknownAttribute,
    /// The attribute's name or options are malformed.
    #[error("this is no attribute description")]
    BadDescription,
    /// Several values of an attribute that has one at most.
    #[error("it has {0} values, and one is allowed")]
    SingleValue(usize),
    /// A value is not of its syntax.
    #[error("{error}; its syntax is {}", syntax.name())]
    Syntax {
        /// The syntax.
        syntax: Syntax,
        /// What is wrong.
        error: ValueError,
    },
    /// The same value as another, which is given.
    #[error("the value is the same as value {0}")]
    Duplicate(usize),
    /// Only the server writes the attribute.
    #[error("only the server writes it")]
    NotModifiable,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.attribute)?;
        if let Some(value) = self.value {
            write!(f, ", value {value}")?;
        }
        write!(f, ": {}", self.violation)
    }
}

/// Check a whole entry: [`structure`], and the [`values`] of all its attributes.
pub fn entry(schema: &Schema, mode: Mode, attributes: &[Attribute<'_>]) -> Vec<Finding> {
    let mut findings = structure(schema, mode, attributes);
    for attribute in attributes {
        findings.extend(values(schema, attribute.description, attribute.values));
    }
    findings
}

/// Check classes, attributes and numbers of values, but not the values themselves (except those of `objectClass`): all
/// that a change of one attribute can upset in others.
pub fn structure(schema: &Schema, mode: Mode, attributes: &[Attribute<'_>]) -> Vec<Finding> {
    let mut findings = Vec::new();
    let classes = Classes::new(schema, mode, attributes, &mut findings);
    let mut present = HashSet::new();
    let mut counts: HashMap<(AttributeId, Vec<String>), usize> = HashMap::new();
    for attribute in attributes.iter().filter(|attribute| !attribute.values.is_empty()) {
        let finding =
            |violation| Finding { attribute: attribute.description.to_owned(), value: None, violation };
        let Some(description) = AttributeDescription::parse(attribute.description) else {
            findings.push(finding(Violation::BadDescription));
            continue;
        };
        let Some(known) = description.attribute(schema) else {
            if mode == Mode::Strict {
                findings.push(finding(Violation::UnknownAttribute));
            }
            continue;
        };
        present.insert(known.id());
        if mode == Mode::Strict && !known.is_operational() && !classes.allow(known) {
            findings.push(finding(Violation::NotAllowed));
        }
        if known.is_single_value() {
            let mut options: Vec<String> = description.options().map(str::to_ascii_lowercase).collect();
            options.retain(|option| option != "binary");
            options.sort_unstable();
            let count = counts.entry((known.id(), options)).or_default();
            *count += attribute.values.len();
            if *count > 1 {
                findings.push(finding(Violation::SingleValue(*count)));
            }
        }
    }
    if mode == Mode::Strict {
        missing(schema, &classes.known, &present, &mut findings);
    }
    findings
}

/// Attributes that classes demand, each once.
fn missing(
    schema: &Schema,
    classes: &[&ObjectClass],
    present: &HashSet<AttributeId>,
    findings: &mut Vec<Finding>,
) {
    let mut reported = HashSet::new();
    for class in classes {
        for &attribute in class.must() {
            // Its absence is reported by name already.
            let is_object_class = schema.attribute_by_id(attribute).oid() == classes::OBJECT_CLASS;
            if !is_object_class && !present.contains(&attribute) && reported.insert(attribute) {
                findings.push(Finding {
                    attribute: schema.attribute_by_id(attribute).name().to_owned(),
                    value: None,
                    violation: Violation::Missing(class.name().to_owned()),
                });
            }
        }
    }
}
