//! Object classes.

use super::AttributeId;
use crate::definition::{ClassDefinition, ClassKind, label};

/// An object class's place in its schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClassId(pub(super) u32);

impl ClassId {
    pub(super) fn place(self) -> usize {
        self.0 as usize
    }
}

/// OID of the class whose entries may have any attribute (RFC 4512 §4.3).
const EXTENSIBLE_OBJECT: &str = "1.3.6.1.4.1.1466.101.120.111";

/// An object class with what it inherits from its superclasses.
#[derive(Debug, Clone)]
pub struct ObjectClass {
    pub(super) id: ClassId,
    pub(super) definition: ClassDefinition,
    pub(super) ancestors: Box<[ClassId]>,
    pub(super) must: Box<[AttributeId]>,
    pub(super) may: Box<[AttributeId]>,
}

impl ObjectClass {
    /// Its place in the schema.
    pub fn id(&self) -> ClassId {
        self.id
    }

    /// Object identifier.
    pub fn oid(&self) -> &str {
        &self.definition.oid
    }

    /// The first name; the OID if it has none.
    pub fn name(&self) -> &str {
        label(&self.definition.names, &self.definition.oid)
    }

    /// All names.
    pub fn names(&self) -> &[String] {
        &self.definition.names
    }

    /// Kind of class.
    pub fn kind(&self) -> ClassKind {
        self.definition.kind
    }

    /// Whether it is not to be used any more.
    pub fn is_obsolete(&self) -> bool {
        self.definition.obsolete
    }

    /// All its superclasses, each once, the nearest first.
    pub fn ancestors(&self) -> &[ClassId] {
        &self.ancestors
    }

    /// Whether it is `other` or derived from it: whether an entry of it is one of `other`.
    pub fn is_subclass_of(&self, other: &Self) -> bool {
        self.id == other.id || self.ancestors.contains(&other.id)
    }

    /// Attributes that entries of the class must have, its own and inherited ones, in order of ids.
    pub fn must(&self) -> &[AttributeId] {
        &self.must
    }

    /// Attributes that entries of the class may have besides, its own and inherited ones, in order of ids.
    pub fn may(&self) -> &[AttributeId] {
        &self.may
    }

    /// Whether entries of the class may or must have the attribute.
    pub fn allows(&self, attribute: AttributeId) -> bool {
        self.may.binary_search(&attribute).is_ok() || self.must.binary_search(&attribute).is_ok()
    }

    /// Whether entries of the class may have any user attribute (`extensibleObject`).
    pub fn allows_everything(&self) -> bool {
        self.definition.oid == EXTENSIBLE_OBJECT
    }

    /// The definition it was made of.
    pub fn definition(&self) -> &ClassDefinition {
        &self.definition
    }
}
