//! Attribute descriptions, looked up once.

use std::ops::Deref;
use std::sync::Arc;

use netinfo_mapping::{Namespace, Wanted};
use netinfo_schema::{AttributeDescription, AttributeType, Rule, Schema};

/// An attribute as filters and sort keys name it: a type with all its subtypes, narrowed by options.
#[derive(Debug, Clone)]
pub(crate) struct Described(Arc<Wanted>);

impl Deref for Described {
    type Target = Wanted;

    fn deref(&self) -> &Wanted {
        &self.0
    }
}

impl Described {
    /// Reads a description; `None` if it is none. The schema need not have the type.
    pub(crate) fn parse(namespace: &Namespace, text: &[u8]) -> Option<Self> {
        namespace.wanted(std::str::from_utf8(text).ok()?).map(Self)
    }

    /// Whether the schema has the type.
    pub(crate) fn is_known(&self) -> bool {
        !self.types().is_empty()
    }

    /// Whether it is narrowed by options.
    pub(crate) fn has_options(&self) -> bool {
        self.options().next().is_some()
    }

    /// The rule by which values are equal. Values of types without a definition are text.
    pub(crate) fn equality(&self, schema: &Schema) -> Option<Rule> {
        self.attribute(schema).map_or(Some(Rule::CaseIgnore), AttributeType::equality)
    }

    /// The rule by which values are ordered.
    pub(crate) fn ordering(&self, schema: &Schema) -> Option<Rule> {
        self.attribute(schema).map_or(Some(Rule::CaseIgnoreOrdering), AttributeType::ordering)
    }

    /// The rule by which values have parts.
    pub(crate) fn substrings(&self, schema: &Schema) -> Option<Rule> {
        self.attribute(schema).map_or(Some(Rule::CaseIgnoreSubstrings), AttributeType::substrings)
    }

    /// Whether an attribute of this type and description is meant: the type or a subtype, with all the options. An option
    /// that ends with a hyphen stands for all that begin so (RFC 3866 §3.1).
    pub(crate) fn covers(
        &self,
        kind: Option<&AttributeType>,
        description: &AttributeDescription<'_>,
    ) -> bool {
        let same = match kind {
            Some(kind) => self.types().contains(&kind.id()),
            None => !self.is_known() && self.name().eq_ignore_ascii_case(description.name()),
        };
        same && self.options().all(|wanted| description.options().any(|own| offers(own, wanted)))
    }

    /// Whether both mean the same attributes.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        self.name().eq_ignore_ascii_case(other.name()) && self.options().eq(other.options())
    }
}

fn offers(own: &str, wanted: &str) -> bool {
    match wanted.strip_suffix('-') {
        Some(stem) => {
            own.eq_ignore_ascii_case(stem)
                || own.get(..wanted.len()).is_some_and(|head| head.eq_ignore_ascii_case(wanted))
        }
        None => own.eq_ignore_ascii_case(wanted),
    }
}
