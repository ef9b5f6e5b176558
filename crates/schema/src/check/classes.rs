//! The object classes of an entry.

use super::{Attribute, Finding, Mode, Violation};
use crate::definition::ClassKind;
use crate::options::AttributeDescription;
use crate::schema::{AttributeType, ObjectClass, Schema};

/// OID of `objectClass`.
pub(super) const OBJECT_CLASS: &str = "2.5.4.0";

/// OID of `posixGroup`. RFC 2307bis made it auxiliary; entries with it alone are so common that it stands in for a
/// structural class where there is none.
const POSIX_GROUP: &str = "1.3.6.1.1.1.2.2";

/// The class that says what an entry of these classes is: the structural one from which no other of them is derived.
/// Names that are not known are passed over.
///
/// # Errors
///
/// When there is none, or two are not derived from each other.
pub fn structural_class<'s>(schema: &'s Schema, classes: &[&str]) -> Result<&'s ObjectClass, Violation> {
    let known: Vec<&ObjectClass> = classes.iter().filter_map(|name| schema.class(name)).collect();
    structural(&known)
}

fn structural<'s>(classes: &[&'s ObjectClass]) -> Result<&'s ObjectClass, Violation> {
    let mut found: Option<&ObjectClass> = None;
    for &class in classes.iter().filter(|class| class.kind() == ClassKind::Structural) {
        found = match found {
            Some(other) if other.is_subclass_of(class) => Some(other),
            Some(other) if !class.is_subclass_of(other) => {
                return Err(Violation::StructuralClasses(other.name().to_owned(), class.name().to_owned()));
            }
            _ => Some(class),
        };
    }
    found
        .or_else(|| classes.iter().copied().find(|class| class.oid() == POSIX_GROUP))
        .ok_or(Violation::NoStructuralClass)
}

/// OID of `cn`, by which groups are named. RFC 2307 has it in `posixGroup`, the draft in the class beside it.
const COMMON_NAME: &str = "2.5.4.3";

/// The known classes of an entry, without superclasses that are not named: what a class inherits it has itself.
pub(super) struct Classes<'s> {
    pub(super) known: Vec<&'s ObjectClass>,
    /// An auxiliary class stands in for the structural one.
    stand_in: bool,
}

impl<'s> Classes<'s> {
    /// Find the classes of an entry, and what is wrong with them.
    pub(super) fn new(
        schema: &'s Schema,
        mode: Mode,
        attributes: &[Attribute<'_>],
        findings: &mut Vec<Finding>,
    ) -> Self {
        let mut known: Vec<&ObjectClass> = Vec::new();
        let mut named = false;
        for attribute in attributes.iter().filter(|attribute| is_object_class(schema, attribute.description))
        {
            for (index, value) in attribute.values.iter().enumerate() {
                named = true;
                let name = String::from_utf8_lossy(value);
                match schema.class(&name) {
                    Some(class) if !known.iter().any(|other| other.id() == class.id()) => known.push(class),
                    Some(_) => {}
                    None if mode == Mode::Open => {}
                    None => findings.push(Finding {
                        attribute: attribute.description.to_owned(),
                        value: Some(index),
                        violation: Violation::UnknownClass(name.into_owned()),
                    }),
                }
            }
        }
        let structural = if named { structural(&known) } else { Err(Violation::NoClass) };
        let stand_in = structural.as_ref().is_ok_and(|class| class.kind() == ClassKind::Auxiliary);
        if mode == Mode::Strict {
            findings.extend(structural.err().map(|violation| Finding {
                attribute: "objectClass".to_owned(),
                value: None,
                violation,
            }));
        }
        Self { known, stand_in }
    }

    /// Whether one of the classes has the attribute.
    pub(super) fn allow(&self, attribute: &AttributeType) -> bool {
        self.known.iter().any(|class| class.allows_everything() || class.allows(attribute.id()))
            || (self.stand_in && attribute.oid() == COMMON_NAME)
    }
}

fn is_object_class(schema: &Schema, description: &str) -> bool {
    AttributeDescription::parse(description).is_some_and(|description| {
        description.name().eq_ignore_ascii_case("objectClass")
            || description.attribute(schema).is_some_and(|attribute| attribute.oid() == OBJECT_CLASS)
    })
}
