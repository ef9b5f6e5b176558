//! Object classes of an entry.

use netinfo_schema::definition::ClassKind;
use netinfo_schema::{ObjectClass, Schema};
use smallvec::SmallVec;

use super::Entry;
use crate::context::OBJECT_CLASS;
use crate::namespace::Layout;
use crate::tree::Inner;

/// The names of an entry's classes.
pub(crate) struct Classes<'e> {
    pub(crate) names: SmallVec<[&'e str; 6]>,
    /// They are stored, not implied by the entry's place.
    pub(crate) stored: bool,
}

/// Attributes that are made up where a class demands them.
const MADE_UP: [&str; 4] = ["cn", "sn", "homeDirectory", "gidNumber"];

impl Classes<'_> {
    /// The classes that the schema knows.
    pub(crate) fn known<'s>(&self, schema: &'s Schema) -> impl Iterator<Item = &'s ObjectClass> {
        self.names.iter().filter_map(|name| schema.class(name))
    }

    /// Whether one of them has the attribute of this name.
    pub(crate) fn allow(&self, schema: &Schema, attribute: &str) -> bool {
        schema.attribute(attribute).is_some_and(|attribute| {
            self.known(schema).any(|class| class.allows_everything() || class.allows(attribute.id()))
        })
    }

    /// Whether one of them demands the attribute of this name.
    pub(crate) fn demand(&self, schema: &Schema, attribute: &str) -> bool {
        schema
            .attribute(attribute)
            .is_some_and(|attribute| self.known(schema).any(|class| class.must().contains(&attribute.id())))
    }
}

impl<'t> Entry<'t> {
    /// The classes: those stored; else those of its place, as far as the entry has what they demand.
    pub(crate) fn classes(&self) -> Classes<'t> {
        let is_class = |name: &[u8]| name.eq_ignore_ascii_case(OBJECT_CLASS.as_bytes());
        if let Some(property) = self.record.properties().find(|property| is_class(property.name)) {
            let names: SmallVec<_> =
                property.values.filter_map(|value| std::str::from_utf8(value).ok()).collect();
            if !names.is_empty() {
                return Classes { names, stored: true };
            }
        }
        let names = match self.own() {
            None => self.root_classes(),
            Some(Inner::Containers) => self.container_classes(),
            Some(Inner::Context(_)) => self.implied_classes(),
        };
        Classes { names, stored: false }
    }

    /// Names of the entry's object classes, the structural one first unless they are stored in another order.
    pub fn class_names(&self) -> impl Iterator<Item = &'t str> {
        self.classes().names.into_iter()
    }

    /// Whether the entry is of this class: names it, or one derived from it.
    pub fn is_of_class(&self, class: &ObjectClass) -> bool {
        self.classes().known(self.schema()).any(|own| own.is_subclass_of(class))
    }

    /// The class that says what the entry is.
    pub fn structural_class(&self) -> Option<&'t ObjectClass> {
        let classes = self.classes();
        netinfo_schema::check::structural_class(self.schema(), &classes.names)
            .ok()
            .or_else(|| classes.known(self.schema()).find(|class| class.kind() == ClassKind::Structural))
    }

    fn root_classes(&self) -> SmallVec<[&'t str; 6]> {
        let suffix = self.tree.namespace().root_suffix();
        let kind = suffix.and_then(|suffix| suffix.lowest().first()).map(|(kind, _)| kind.as_str());
        let attribute = kind.and_then(|kind| self.schema().attribute(kind)).map(|known| known.name());
        let class = match attribute {
            Some("dc") => Some("domain"),
            Some("o") => Some("organization"),
            Some("ou") => Some("organizationalUnit"),
            Some("c") => Some("country"),
            Some("l") => Some("locality"),
            Some("cn") => Some("container"),
            _ => None,
        };
        class.into_iter().chain(["extensibleObject"]).collect()
    }

    fn container_classes(&self) -> SmallVec<[&'t str; 6]> {
        let unit = self.tree.namespace().layout() == Layout::Rfc2307
            && self.tree.unit(&self.record, Inner::Containers).is_some();
        let class = match self.naming().first() {
            _ if unit => "organizationalUnit",
            Some((name, _)) if name == "ou" => "organizationalUnit",
            Some((name, _)) if name == "cn" => "container",
            _ => return SmallVec::from_iter(["extensibleObject"]),
        };
        SmallVec::from_iter([class, "extensibleObject"])
    }

    fn implied_classes(&self) -> SmallVec<[&'t str; 6]> {
        let context = self.context();
        let list = context.classes[self.tree.namespace().class_list()];
        let mut names: SmallVec<[&'t str; 6]> = SmallVec::new();
        if context.table.is_empty() && self.naming().first().is_some_and(|(name, _)| name == "cn") {
            names.push("container");
        }
        for name in list.split(',') {
            let structural = names.is_empty();
            if structural || self.schema().class(name).is_some_and(|class| self.has_demanded(class)) {
                names.push(name);
            }
        }
        names
    }

    fn has_demanded(&self, class: &ObjectClass) -> bool {
        class.must().iter().all(|&id| {
            let attribute = self.schema().attribute_by_id(id);
            MADE_UP.contains(&attribute.name())
                || attribute.name() == OBJECT_CLASS
                || self.context().columns_of(id).iter().any(|column| {
                    self.record.first_value(column.property.as_bytes()).is_some_and(|value| !value.is_empty())
                })
                || self.property_of(attribute).is_some()
        })
    }
}
