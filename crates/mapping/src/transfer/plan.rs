//! What becomes of the attributes of entries that are alike, found out once.
//!
//! Entries of one shape — below the same kind of directory, named by the same type, with the same descriptions in the
//! same order, as many values of each (none, one or several) and the same classes — become the same properties in the same
//! order, whatever their values are. [`Plan`] is that order. It is tried on the first entry of its shape beside the long
//! way, and is only kept if both come to the same.

use std::collections::HashMap;

use netinfo_directory::{Property, StampBuf};
use netinfo_schema::{AttributeDescription, Schema, Syntax, dn};

use super::given::{Descriptions, Meaning, known, note};
use crate::context::{Context, NAME, OBJECT_CLASS, RDN};
use crate::transform::Transform;
use crate::tree::Tree;
use crate::write::{self, Given};

/// Most shapes that are remembered, and the longest.
const SHAPES: usize = 4096;
const SHAPE_LENGTH: usize = 4096;
/// Most values of an attribute: so few are compared with each other faster than they are hashed.
const VALUES: usize = 16;

/// The plans of an import.
#[derive(Default)]
pub(super) struct Plans<'s> {
    /// By shape; `None` for shapes that have to go the long way.
    known: HashMap<Box<[u8]>, Option<usize>>,
    plans: Vec<Plan<'s>>,
    /// The shape that came last, and its plan.
    recent: (Vec<u8>, Option<usize>),
    /// The shape that is looked at.
    shape: Vec<u8>,
}

/// What is known of the shape of an entry.
pub(super) enum Found {
    /// This plan, by number.
    Plan(usize),
    /// It has none.
    None,
    /// Nobody has tried yet.
    Untried,
}

impl<'s> Plans<'s> {
    /// Looks for the plan of an entry below directories of the context `number`.
    pub(super) fn find(&mut self, number: usize, kind: &str, attributes: &[Given<'_>]) -> Found {
        shape_of(number, kind, attributes, &mut self.shape);
        if self.shape == self.recent.0 {
            return self.recent.1.map_or(Found::None, Found::Plan);
        }
        match self.known.get(&self.shape[..]) {
            Some(plan) => {
                self.recent.0.clone_from(&self.shape);
                self.recent.1 = *plan;
                plan.map_or(Found::None, Found::Plan)
            }
            None if self.shape.len() > SHAPE_LENGTH || self.known.len() >= SHAPES => Found::None,
            None => Found::Untried,
        }
    }

    /// The plan with this number.
    pub(super) fn get(&self, number: usize) -> &Plan<'s> {
        &self.plans[number]
    }

    /// Keeps the plan of the shape that was looked for last.
    pub(super) fn keep(&mut self, plan: Option<Plan<'s>>) {
        let number = plan.map(|plan| {
            self.plans.push(plan);
            self.plans.len() - 1
        });
        self.known.insert(self.shape[..].into(), number);
    }
}

/// All that decides what an entry becomes, apart from its values and where exactly it stands.
fn shape_of(number: usize, kind: &str, attributes: &[Given<'_>], shape: &mut Vec<u8>) {
    shape.clear();
    shape.extend_from_slice(&number.to_le_bytes());
    shape.extend_from_slice(kind.as_bytes());
    for given in attributes {
        // Neither octet is part of a description, or of a type.
        shape.extend_from_slice(&[0, given.values.len().min(2) as u8]);
        shape.extend_from_slice(given.description);
        if is_class(given.description) {
            for value in &given.values {
                shape.push(0);
                shape.extend_from_slice(&(value.len() as u32).to_le_bytes());
                shape.extend_from_slice(value);
            }
        }
    }
}

fn is_class(description: &[u8]) -> bool {
    description.eq_ignore_ascii_case(OBJECT_CLASS.as_bytes())
}

/// What an entry becomes: its properties, and what was known of it.
pub(super) type Made = (Vec<Property>, Option<StampBuf>);

/// What an attribute becomes.
enum Role<'s> {
    /// A part of the stamp, or nothing.
    Server(Meaning<'s>),
    /// A property.
    User { place: usize, property: Vec<u8>, transform: Transform, syntax: Option<Syntax>, password: bool },
}

/// What the attributes of entries of one shape become, in their order.
pub(super) struct Plan<'s> {
    roles: Vec<Role<'s>>,
    /// How many of them are properties.
    properties: usize,
    /// The attribute that the entry is named by.
    named: usize,
    /// The property that says so, if it is not the usual one.
    rdn: Option<Property>,
}

impl<'s> Plan<'s> {
    /// The plan for entries like this one, if there can be one.
    pub(super) fn new(
        tree: &Tree<'s>,
        descriptions: &mut Descriptions<'s>,
        number: usize,
        kind: &str,
        attributes: &[Given<'_>],
    ) -> Option<Self> {
        let (schema, context) = (tree.schema(), tree.context(number));
        // Lists of members depend on each other.
        if matches!(context.table, "groups" | "netgroups") {
            return None;
        }
        let key = context.property_for(schema, false, &AttributeDescription::parse(kind)?, b"");
        if context.table.is_empty() && key != NAME {
            return None;
        }
        let mut meanings: Vec<(&[u8], Meaning<'s>)> = Vec::new();
        let mut roles = Vec::new();
        for given in attributes {
            let meaning = descriptions.meaning(given.description);
            if !meaning.is_server() {
                let apart = meanings.iter().all(|(other, known)| {
                    !descriptions.is_same((other, known), (given.description, &meaning))
                });
                let plain = !meaning.is_class() || is_class(given.description);
                if !apart || !plain || splits(context, meaning) {
                    return None;
                }
                meanings.push((given.description, meaning));
            }
            roles.push((given.description, meaning));
        }
        let classes = meanings.iter().filter(|(description, _)| is_class(description)).count();
        let (mut class, mut other) = (0, classes);
        let mut made = Vec::with_capacity(roles.len());
        for (description, meaning) in roles {
            if meaning.is_server() {
                made.push(Role::Server(meaning));
                continue;
            }
            let parsed = AttributeDescription::parse(std::str::from_utf8(description).ok()?)?;
            let property = context.property_for(schema, false, &parsed, b"");
            let transform = context.slot(schema, tree.mode(), false, &property).transform();
            let next = if is_class(description) { &mut class } else { &mut other };
            let (syntax, password) = (meaning.syntax(), meaning.password);
            made.push(Role::User { place: *next, property, transform, syntax, password });
            *next += 1;
        }
        Self::of(made, meanings.len(), key)
    }

    fn of(roles: Vec<Role<'s>>, properties: usize, key: Vec<u8>) -> Option<Self> {
        let names: Vec<&[u8]> = roles.iter().filter_map(Role::property).collect();
        let distinct = (0..names.len()).all(|at| !names[..at].contains(&names[at]));
        let is_named = |role: &Role<'_>| role.property() == Some(&key);
        let named = roles.iter().position(is_named)?;
        let is_copied = matches!(roles[named], Role::User { transform: Transform::Copy, .. });
        if !distinct || !is_copied || names.contains(&RDN) {
            return None;
        }
        let rdn = (key != NAME).then(|| Property::new(RDN, [key]));
        Some(Self { roles, properties, named, rdn })
    }

    /// Whether it holds for an entry of its shape that is named by `value`: nothing is wrong with its values, and that one
    /// is the first of its attribute.
    pub(super) fn fits(&self, value: &[u8], attributes: &[Given<'_>]) -> bool {
        let named = attributes.get(self.named).and_then(|given| given.values.first());
        if attributes.len() != self.roles.len() || named.is_none_or(|first| **first != *value) {
            return false;
        }
        self.roles.iter().zip(attributes).all(|(role, given)| {
            let Role::User { syntax, password, .. } = role else { return true };
            let values = &given.values;
            let is_sound = |value: &[u8]| {
                !value.is_empty()
                    && syntax.is_none_or(|syntax| syntax.validate(value).is_ok())
                    && !(*password && write::is_cleartext(value))
            };
            !values.is_empty()
                && values.len() <= VALUES
                && values.iter().all(|value| is_sound(value))
                && (1..values.len()).all(|at| !values[..at].contains(&values[at]))
        })
    }

    /// What becomes of an entry that it [holds for](Self::fits).
    pub(super) fn apply(&self, schema: &Schema, attributes: Vec<Given<'_>>) -> Made {
        let mut stamp = StampBuf::default();
        let mut properties = Vec::with_capacity(self.properties + 1);
        properties.resize_with(self.properties, Property::default);
        for (role, given) in self.roles.iter().zip(attributes) {
            match role {
                Role::Server(Meaning { attribute: Some(known), .. }) => {
                    note(&mut stamp, schema, known, &given)
                }
                Role::Server(_) => {}
                Role::User { place, property, transform, .. } => {
                    let stored = |value: std::borrow::Cow<'_, [u8]>| match transform {
                        Transform::Copy => value.into_owned(),
                        transform => transform.store(&value).into_owned(),
                    };
                    let values = given.values.into_iter().map(stored).collect();
                    properties[*place] = Property { name: property.clone(), values };
                }
            }
        }
        properties.extend(self.rdn.clone());
        (properties, known(stamp))
    }
}

impl Role<'_> {
    fn property(&self) -> Option<&[u8]> {
        match self {
            Self::Server(_) => None,
            Self::User { property, .. } => Some(property),
        }
    }
}

/// Whether the values of an attribute go to one property or another, depending on what they look like.
fn splits(context: &Context, meaning: Meaning<'_>) -> bool {
    meaning.attribute.is_some_and(|known| context.splits(known.id()))
}

/// The one type and value of a relative name that has no more; `None` for others.
pub(super) fn only_part(rdn: &[u8]) -> Option<(&str, std::borrow::Cow<'_, [u8]>)> {
    let mut parts = dn::parts(rdn).ok()?;
    let (part, _) = parts.next()?.ok()?;
    parts.next().is_none().then_some((part.kind, part.value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_many_shapes_are_remembered_and_none_that_is_long() {
        let mut plans = Plans::default();
        let mut find = |name: &str, keep: bool| {
            let given = [Given::new(name.as_bytes(), [&b"v"[..]])];
            let untried = matches!(plans.find(0, "cn", &given), Found::Untried);
            if keep {
                plans.keep(None);
            }
            untried
        };
        assert!(!find(&"x".repeat(SHAPE_LENGTH), false));
        assert!((0..SHAPES).all(|number| find(&format!("x-{number}"), true)));
        assert!(!find("x-7", false) && !find("y", false), "one is known, for the other there is no room");
    }
}
