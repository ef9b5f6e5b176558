//! Attribute types.

use crate::definition::{AttributeDefinition, Usage, label};
use crate::matching::Rule;
use crate::syntax::Syntax;

/// An attribute type's place in its schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AttributeId(pub(super) u32);

impl AttributeId {
    pub(super) fn place(self) -> usize {
        self.0 as usize
    }
}

/// An attribute type with what it inherits from its supertypes.
#[derive(Debug, Clone)]
pub struct AttributeType {
    pub(super) id: AttributeId,
    pub(super) definition: AttributeDefinition,
    pub(super) syntax: Syntax,
    pub(super) bound: Option<u32>,
    pub(super) equality: Option<Rule>,
    pub(super) ordering: Option<Rule>,
    pub(super) substrings: Option<Rule>,
    pub(super) ancestors: Box<[AttributeId]>,
    pub(super) descendants: Box<[AttributeId]>,
}

impl AttributeType {
    /// Its place in the schema.
    pub fn id(&self) -> AttributeId {
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

    /// Syntax of values.
    pub fn syntax(&self) -> Syntax {
        self.syntax
    }

    /// Suggested least upper bound of a value's length, in characters. It is not enforced.
    pub fn bound(&self) -> Option<u32> {
        self.bound
    }

    /// Rule for equality filters, and for telling values apart. None: values are compared octet by octet where they
    /// must be, and equality filters are Undefined.
    pub fn equality(&self) -> Option<Rule> {
        self.equality
    }

    /// Rule for filters with greater and less.
    pub fn ordering(&self) -> Option<Rule> {
        self.ordering
    }

    /// Rule for substring filters.
    pub fn substrings(&self) -> Option<Rule> {
        self.substrings
    }

    /// Whether entries have one value at most.
    pub fn is_single_value(&self) -> bool {
        self.definition.single_value
    }

    /// Whether the attribute is collective (RFC 3671).
    pub fn is_collective(&self) -> bool {
        self.definition.collective
    }

    /// Whether only the server writes it.
    pub fn is_no_user_modification(&self) -> bool {
        self.definition.no_user_modification
    }

    /// Whether it is not to be used any more.
    pub fn is_obsolete(&self) -> bool {
        self.definition.obsolete
    }

    /// What it is for.
    pub fn usage(&self) -> Usage {
        self.definition.usage
    }

    /// Whether it is returned only when asked for.
    pub fn is_operational(&self) -> bool {
        self.definition.usage.is_operational()
    }

    /// Whether it is `other` or a subtype of it: whether a request for `other` includes it.
    pub fn is_subtype_of(&self, other: &Self) -> bool {
        self.id == other.id || self.ancestors.contains(&other.id)
    }

    /// Its supertypes, the nearest first.
    pub fn ancestors(&self) -> &[AttributeId] {
        &self.ancestors
    }

    /// Its subtypes, near and far: what a filter with its name looks at as well.
    pub fn descendants(&self) -> &[AttributeId] {
        &self.descendants
    }

    /// The definition it was made of.
    pub fn definition(&self) -> &AttributeDefinition {
        &self.definition
    }
}
