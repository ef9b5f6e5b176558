//! Changes of the schema through the subschema entry: more attribute types and object classes, or fewer of those added
//! before. They are kept in the domain's root directory.

use std::sync::Arc;

use netinfo_directory::{Change, Property, ROOT, Target};
use netinfo_schema::definition::{AttributeDefinition, ClassDefinition, Definition};
use netinfo_schema::{Fault, Schema};
use netinfo_wire::ldap::request::ModifyRequest;
use netinfo_wire::ldap::{ModifyOp, ResultCode};

use super::derive::Derived;
use crate::context::NamingContext;
use crate::failure::{Failure, Outcome};
use crate::operation::{Operation, Place};

/// Root property with the definitions: RFC 4512 texts, each behind its kind and a colon.
const DEFINITIONS: &[u8] = b"_schema_definitions";

/// What kind of definition an attribute of the subschema holds.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Attribute,
    Class,
}

impl Kind {
    fn of(attribute: &[u8]) -> Outcome<Self> {
        if attribute.eq_ignore_ascii_case(b"attributeTypes") || attribute == b"2.5.21.5" {
            Ok(Self::Attribute)
        } else if attribute.eq_ignore_ascii_case(b"objectClasses") || attribute == b"2.5.21.6" {
            Ok(Self::Class)
        } else {
            let message = "only attributeTypes and objectClasses of the subschema can be changed";
            Err(Failure::new(ResultCode::UnwillingToPerform, message))
        }
    }

    const fn prefix(self) -> &'static str {
        match self {
            Self::Attribute => "attributeTypes:",
            Self::Class => "objectClasses:",
        }
    }

    /// Reads a definition of this kind.
    fn read(self, text: &str) -> Outcome<Definition> {
        let read = match self {
            Self::Attribute => text.parse::<AttributeDefinition>().map(Definition::Attribute),
            Self::Class => text.parse::<ClassDefinition>().map(Definition::Class),
        };
        read.map_err(|error| Failure::new(ResultCode::InvalidAttributeSyntax, error.to_string()))
    }
}

/// One definition of the domain.
struct Own {
    kind: Kind,
    definition: Definition,
    /// As it is kept.
    text: Vec<u8>,
}

impl Own {
    /// Reads a value of the root property; `None` for what cannot be read, which stays as it is.
    fn read(value: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(value).ok()?;
        let (kind, body) = text.split_once(':')?;
        let kind = Kind::of(kind.trim().as_bytes()).ok()?;
        Some(Self { kind, definition: kind.read(body.trim()).ok()?, text: value.to_vec() })
    }
}

/// Changes for a modification of the subschema of `context`.
pub(super) fn derive(
    operation: &mut Operation<'_, '_>,
    context: Arc<NamingContext>,
    request: &ModifyRequest<'_>,
) -> Outcome<Derived> {
    let session = operation.session(&context)?;
    let place = Place { namespace: context.namespace(), context, session };
    let view = place.context.domain().read(place.context.internal())?;
    let access = place.context.domain().access(&view, &place.session)?;
    if !access.object(ROOT)?.writes(DEFINITIONS) {
        let message = "the schema can be changed by administrators only";
        return Err(Failure::new(ResultCode::InsufficientAccessRights, message));
    }
    let root = view.record(ROOT)?;
    let place_of = root.properties().position(|property| property.name == DEFINITIONS);
    let kept: Vec<&[u8]> = root.property(DEFINITIONS).map(|p| p.values.collect()).unwrap_or_default();
    let mut unread: Vec<Vec<u8>> =
        kept.iter().filter(|value| Own::read(value).is_none()).map(|value| value.to_vec()).collect();
    let mut own: Vec<Own> = kept.iter().filter_map(|value| Own::read(value)).collect();
    let builtin = Schema::builtin(place.namespace.variant())
        .map_err(|error| Failure::new(ResultCode::Unspecified, error.to_string()))?;
    for change in request.changes {
        let kind = Kind::of(change.attribute.name)?;
        match change.op {
            ModifyOp::Add => add(&mut own, kind, change.attribute.values)?,
            ModifyOp::Delete if !change.attribute.values.is_empty() => {
                delete(&mut own, &builtin, kind, change.attribute.values)?;
            }
            ModifyOp::Delete | ModifyOp::Replace | ModifyOp::Increment => {
                let message = "definitions are added and deleted one by one";
                return Err(Failure::new(ResultCode::UnwillingToPerform, message));
            }
        }
    }
    builtin.extend(own.iter().map(|own| own.definition.clone()).collect()).map_err(refused)?;
    let mut values: Vec<Vec<u8>> = own.into_iter().map(|own| own.text).collect();
    values.append(&mut unread);
    let directory = Target { object: ROOT, instance: Some(root.id().instance) };
    let change = match place_of.and_then(|index| u32::try_from(index).ok()) {
        Some(index) if values.is_empty() => Change::DestroyProperty { directory, index },
        Some(index) => Change::WriteProperty { directory, index, values },
        None => {
            let property = Property { name: DEFINITIONS.to_vec(), values };
            Change::CreateProperty { directory, property, position: u32::MAX }
        }
    };
    drop(view);
    Ok(Derived { place, changes: vec![change], target: None, names: Vec::new(), pre_read: None })
}

fn add(own: &mut Vec<Own>, kind: Kind, values: netinfo_wire::ldap::Values<'_>) -> Outcome<()> {
    for value in values {
        let text = text(value)?;
        let definition = kind.read(text)?;
        own.push(Own { kind, definition, text: format!("{} {text}", kind.prefix()).into_bytes() });
    }
    Ok(())
}

/// Deletes definitions, found by their object identifiers (RFC 4517 §4.2.27).
fn delete(
    own: &mut Vec<Own>,
    builtin: &Schema,
    kind: Kind,
    values: netinfo_wire::ldap::Values<'_>,
) -> Outcome<()> {
    for value in values {
        let text = text(value)?;
        let first = text.trim_start_matches(['(', ' ']).split([' ', ')']).next().unwrap_or_default();
        let found = own.iter().position(|own| own.kind == kind && oid_of(&own.definition) == first);
        let known = match kind {
            Kind::Attribute => builtin.attribute(first).is_some(),
            Kind::Class => builtin.class(first).is_some(),
        };
        match found {
            Some(index) => drop(own.remove(index)),
            None if known => {
                let message = format!("{first} is part of the server and cannot be deleted");
                return Err(Failure::new(ResultCode::UnwillingToPerform, message));
            }
            None => {
                let message = format!("{first} is not defined");
                return Err(Failure::new(ResultCode::NoSuchAttribute, message));
            }
        }
    }
    Ok(())
}

fn text(value: &[u8]) -> Outcome<&str> {
    let text = std::str::from_utf8(value);
    text.map(str::trim)
        .map_err(|_| Failure::new(ResultCode::InvalidAttributeSyntax, "a definition is not UTF-8"))
}

fn oid_of(definition: &Definition) -> &str {
    match definition {
        Definition::Attribute(attribute) => &attribute.oid,
        Definition::Class(class) => &class.oid,
    }
}

/// What is wrong with the schema as it would be.
fn refused(problems: Vec<netinfo_schema::Problem>) -> Failure {
    let duplicate = problems
        .iter()
        .any(|problem| matches!(problem.fault, Fault::DuplicateOid(_) | Fault::DuplicateName(_)));
    let code = if duplicate { ResultCode::AttributeOrValueExists } else { ResultCode::ConstraintViolation };
    let words: Vec<String> = problems.iter().map(ToString::to_string).collect();
    Failure::new(code, words.join("; "))
}
