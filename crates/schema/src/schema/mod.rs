//! A whole schema: its attribute types and object classes resolved against each other.
//!
//! A [`Schema`] never changes; [`Schema::change`] makes another one. So a server keeps one behind a pointer that it
//! swaps, and every operation sees one schema from beginning to end. Ids are places in one schema and mean nothing in
//! another; names and OIDs do.

mod attribute;
mod build;
mod class;
mod names;
mod publish;

use std::collections::HashSet;

pub use attribute::{AttributeId, AttributeType};
pub use class::{ClassId, ObjectClass};

use crate::definition::Definition;
use crate::error::{Fault, LineError, Problem};
use crate::table::{self, Variant};
use names::Names;

/// Most elements a schema has: far more than the largest in use.
pub const ELEMENTS_LIMIT: usize = 16_384;

/// Most superiors, near and far, that an element has.
pub const SUPERIORS_LIMIT: usize = 128;

/// Attribute types and object classes, found by name or OID.
#[derive(Debug, Clone)]
pub struct Schema {
    attributes: Vec<AttributeType>,
    classes: Vec<ObjectClass>,
    attribute_names: Names,
    class_names: Names,
}

/// Why the built-in schema cannot be made: its tables are damaged.
#[derive(Debug, thiserror::Error)]
pub enum BuiltinError {
    /// A row cannot be read.
    #[error("the schema table is malformed: {0}")]
    Table(#[from] LineError),
    /// The definitions contradict each other; the first contradiction.
    #[error("the schema table is inconsistent: {0}")]
    Inconsistent(#[from] Problem),
}

/// An element to take out of a schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Removal<'a> {
    /// The attribute type of this name or OID.
    Attribute(&'a str),
    /// The object class of this name or OID.
    Class(&'a str),
}

impl Schema {
    /// The built-in schema. Made once, when a server starts: it takes some milliseconds.
    ///
    /// # Errors
    ///
    /// When the embedded tables are damaged.
    pub fn builtin(variant: Variant) -> Result<Self, BuiltinError> {
        Self::new(table::builtin(variant)?).map_err(|problems| match problems.into_iter().next() {
            Some(problem) => problem.into(),
            None => LineError::new(0, "no problem is named").into(),
        })
    }

    /// A schema without elements. Rules and syntaxes are there all the same.
    pub fn empty() -> Self {
        Self {
            attributes: Vec::new(),
            classes: Vec::new(),
            attribute_names: Names::default(),
            class_names: Names::default(),
        }
    }

    /// A schema of these elements, in any order.
    ///
    /// # Errors
    ///
    /// All that is wrong with them.
    pub fn new(definitions: Vec<Definition>) -> Result<Self, Vec<Problem>> {
        build::build(definitions)
    }

    /// This schema and more elements.
    ///
    /// # Errors
    ///
    /// All that is wrong: names or OIDs that exist, superiors, syntaxes, rules or attributes that do not.
    pub fn extend(&self, definitions: Vec<Definition>) -> Result<Self, Vec<Problem>> {
        self.change(&[], definitions)
    }

    /// This schema without some elements.
    ///
    /// # Errors
    ///
    /// When they do not exist, or others refer to them.
    pub fn remove(&self, removals: &[Removal<'_>]) -> Result<Self, Vec<Problem>> {
        self.change(removals, Vec::new())
    }

    /// This schema without some elements and with others, in one step: so an element is replaced.
    ///
    /// # Errors
    ///
    /// As [`Schema::extend`] and [`Schema::remove`].
    pub fn change(&self, removals: &[Removal<'_>], additions: Vec<Definition>) -> Result<Self, Vec<Problem>> {
        let mut problems = Vec::new();
        let (mut attributes, mut classes) = (HashSet::new(), HashSet::new());
        for removal in removals {
            let found = match removal {
                Removal::Attribute(name) => {
                    self.attribute(name).map(|attribute| attributes.insert(attribute.id()))
                }
                Removal::Class(name) => self.class(name).map(|class| classes.insert(class.id())),
            };
            if found.is_none() {
                let (Removal::Attribute(name) | Removal::Class(name)) = removal;
                problems.push(Problem { element: (*name).to_owned(), fault: Fault::NotDefined });
            }
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        let kept_attributes = self
            .attributes()
            .filter(|attribute| !attributes.contains(&attribute.id()))
            .map(|attribute| attribute.definition().clone().into());
        let kept_classes = self
            .classes()
            .filter(|class| !classes.contains(&class.id()))
            .map(|class| class.definition().clone().into());
        Self::new(kept_attributes.chain(kept_classes).chain(additions).collect())
    }

    /// The attribute type with this name (in any case) or OID. Options are no part of a name: see
    /// [`AttributeDescription`](crate::AttributeDescription).
    pub fn attribute(&self, name: &str) -> Option<&AttributeType> {
        self.attribute_names.get(name).and_then(|place| self.attributes.get(place))
    }

    /// The attribute type with this id.
    ///
    /// # Panics
    ///
    /// When the id is one of another, larger schema.
    pub fn attribute_by_id(&self, id: AttributeId) -> &AttributeType {
        &self.attributes[id.place()]
    }

    /// The object class with this name (in any case) or OID.
    pub fn class(&self, name: &str) -> Option<&ObjectClass> {
        self.class_names.get(name).and_then(|place| self.classes.get(place))
    }

    /// The object class with this id.
    ///
    /// # Panics
    ///
    /// When the id is one of another, larger schema.
    pub fn class_by_id(&self, id: ClassId) -> &ObjectClass {
        &self.classes[id.place()]
    }

    /// All attribute types, in the order of their definitions.
    pub fn attributes(&self) -> impl Iterator<Item = &AttributeType> {
        self.attributes.iter()
    }

    /// All object classes, in the order of their definitions.
    pub fn classes(&self) -> impl Iterator<Item = &ObjectClass> {
        self.classes.iter()
    }

    /// The OID of the element with this name: an object class, else an attribute type, else a matching rule.
    pub fn oid_of(&self, name: &str) -> Option<&str> {
        self.class(name)
            .map(ObjectClass::oid)
            .or_else(|| self.attribute(name).map(AttributeType::oid))
            .or_else(|| crate::matching::Rule::find(name).map(crate::matching::Rule::oid))
    }

    /// These classes and all their superclasses, each once. Names that are not known are left out.
    pub fn expand_classes<'n>(&self, names: impl IntoIterator<Item = &'n str>) -> Vec<&ObjectClass> {
        let mut seen = HashSet::new();
        let mut expanded = Vec::new();
        for class in names.into_iter().filter_map(|name| self.class(name)) {
            for id in std::iter::once(class.id()).chain(class.ancestors().iter().copied()) {
                if seen.insert(id) {
                    expanded.push(self.class_by_id(id));
                }
            }
        }
        expanded
    }
}
