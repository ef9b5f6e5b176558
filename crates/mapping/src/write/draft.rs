//! An entry while it is edited: its properties, seen as attributes.

use std::borrow::Cow;
use std::cell::Cell;

use netinfo_directory::{Change, LIST_LIMIT, Property, RecordRef, Target, Values};
use netinfo_schema::{AttributeDescription, AttributeId, AttributeType, Schema};

use super::{Given, is_password};
use crate::context::{Context, NAME, OBJECT_CLASS, RDN, Slot};
use crate::entry::Entry;
use crate::error::{Reason, Refusal};
use crate::transform::Transform;
use crate::tree::Tree;

/// Most values that are added or removed one by one; more are written together with those that stay.
const SINGLE_LIMIT: usize = 4;

/// One property, and which one it was.
#[derive(Debug, Clone)]
pub(super) struct Item {
    pub(super) name: Vec<u8>,
    pub(super) values: Vec<Vec<u8>>,
    /// Its place among the stored properties.
    origin: Option<usize>,
    /// What it was when it was last looked at.
    kind: Cell<Option<Kind>>,
}

impl Item {
    fn new(name: Vec<u8>, values: Vec<Vec<u8>>) -> Self {
        Self { name, values, origin: None, kind: Cell::default() }
    }
}

/// Which attribute a property is: none, one that the schema does not have, or one of this type; in this context, and with
/// names mirrored or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Kind {
    number: usize,
    mirrored: bool,
    hidden: bool,
    attribute: Option<AttributeId>,
}

/// An attribute as it would be published: description and values.
pub(super) type Published<'d> = (Cow<'d, str>, Vec<Cow<'d, [u8]>>);

/// The properties of an entry under a pen.
pub(crate) struct Draft<'t> {
    pub(super) tree: &'t Tree<'t>,
    /// Number of the context.
    pub(super) number: usize,
    /// `name` repeats another property by which the entry is named.
    pub(super) mirrored: bool,
    /// The directory, unless it is new.
    target: Option<Target>,
    /// The same as it is stored.
    stored: Option<RecordRef<'t>>,
    pub(super) items: Vec<Item>,
}

impl<'t> Draft<'t> {
    /// An entry that does not exist yet.
    pub(super) fn new(tree: &'t Tree<'t>, number: usize) -> Self {
        Self { tree, number, mirrored: false, target: None, stored: None, items: Vec::new() }
    }

    /// An entry that exists.
    pub(super) fn of(entry: &Entry<'t>) -> Self {
        let record = *entry.record();
        let items = record
            .properties()
            .enumerate()
            .map(|(at, property)| Item {
                name: property.name.to_vec(),
                values: property.values.map(<[u8]>::to_vec).collect(),
                origin: Some(at),
                kind: Cell::default(),
            })
            .collect();
        Self {
            tree: entry.tree,
            number: entry.number(),
            mirrored: entry.is_mirrored(),
            target: Some(record.id().into()),
            stored: Some(record),
            items,
        }
    }

    pub(super) fn schema(&self) -> &'t Schema {
        self.tree.schema()
    }

    pub(crate) fn context(&self) -> &'t Context {
        self.tree.context(self.number)
    }

    pub(super) fn slot<'p>(&self, property: &'p [u8]) -> Slot<'p>
    where
        't: 'p,
    {
        self.context().slot(self.schema(), self.tree.mode(), self.mirrored, property)
    }

    fn kind(&self, item: &Item) -> Kind {
        let (number, mirrored) = (self.number, self.mirrored);
        if let Some(kind) = item.kind.get().filter(|kind| (kind.number, kind.mirrored) == (number, mirrored))
        {
            return kind;
        }
        let slot = self.slot(&item.name);
        let hidden = matches!(slot, Slot::Hidden);
        let kind = Kind { number, mirrored, hidden, attribute: slot.attribute() };
        item.kind.set(Some(kind));
        kind
    }

    /// The first property of this name.
    pub(super) fn property(&self, name: &[u8]) -> Option<&Item> {
        self.items.iter().find(|item| item.name == name)
    }

    /// The values of the first property of this name.
    pub(crate) fn values(&self, name: &[u8]) -> Vec<Vec<u8>> {
        self.property(name).map_or_else(Vec::new, |item| item.values.clone())
    }

    /// Places of the properties that hold an attribute.
    pub(super) fn places(&self, description: &AttributeDescription<'_>) -> Vec<usize> {
        let wanted = description.attribute(self.schema()).map(AttributeType::id);
        let holds = |item: &Item| {
            // The type tells most attributes apart, without a look at what they are called.
            let kind = self.kind(item);
            !kind.hidden
                && kind.attribute == wanted
                && AttributeDescription::parse(&self.slot(&item.name).description())
                    .is_some_and(|own| own.is_same(description, self.schema()))
        };
        (0..self.items.len()).filter(|at| holds(&self.items[*at])).collect()
    }

    /// Whether the attribute has a value.
    pub(super) fn has(&self, description: &AttributeDescription<'_>) -> bool {
        self.places(description).iter().any(|at| {
            let transform = self.slot(&self.items[*at].name).transform();
            self.items[*at].values.iter().any(|value| transform.publish(value).is_some())
        })
    }

    /// Puts values behind the others of their attribute.
    pub(super) fn push_all<'v>(
        &mut self,
        description: &AttributeDescription<'_>,
        values: impl IntoIterator<Item = &'v [u8]>,
    ) -> Result<(), Refusal> {
        let splits = self.splits(description);
        let is_class = description.name().eq_ignore_ascii_case(OBJECT_CLASS);
        let mut known = None;
        for value in values {
            let value = if is_class { class_name(self.schema(), value) } else { value };
            let at = match known.filter(|_| !splits) {
                Some(at) => at,
                None => self.place_for(description, value, splits),
            };
            known = Some(at);
            let stored = self.slot(&self.items[at].name).transform().store(value).into_owned();
            if self.items[at].values.len() >= LIST_LIMIT {
                let message = format!("{}: at most {LIST_LIMIT} values are kept", description.name());
                return Err(Refusal::new(Reason::ConstraintViolation, message));
            }
            self.items[at].values.push(stored);
        }
        Ok(())
    }

    /// The place of the property that takes a further value of an attribute.
    fn place_for(&mut self, description: &AttributeDescription<'_>, value: &[u8], splits: bool) -> usize {
        let places = self.places(description);
        let name = self.context().property_for(self.schema(), self.mirrored, description, value);
        let fitting = places.iter().find(|at| self.items[**at].name == name);
        match fitting.or_else(|| places.first().filter(|_| !splits)) {
            Some(at) => *at,
            None => {
                self.items.push(Item::new(name, Vec::new()));
                self.items.len() - 1
            }
        }
    }

    /// Whether the values of the attribute are spread over several properties by what they look like.
    fn splits(&self, description: &AttributeDescription<'_>) -> bool {
        description.attribute(self.schema()).is_some_and(|known| self.context().splits(known.id()))
    }

    /// Removes the attribute; whether it had a value, be it one that is not published.
    pub(super) fn remove(&mut self, description: &AttributeDescription<'_>) -> bool {
        let places = self.places(description);
        let had = places.iter().any(|at| !self.items[*at].values.is_empty());
        let mut at = 0;
        self.items.retain(|_| {
            at += 1;
            !places.contains(&(at - 1))
        });
        had
    }

    /// Puts the values of a property that is no attribute; none removes it.
    pub(super) fn set(&mut self, name: &[u8], values: Vec<Vec<u8>>) {
        match self.items.iter().position(|item| item.name == name) {
            Some(at) if values.is_empty() => drop(self.items.remove(at)),
            Some(at) => self.items[at].values = values,
            None if values.is_empty() => {}
            None => self.items.push(Item::new(name.to_vec(), values)),
        }
    }

    /// Puts a value behind those of a property.
    pub(crate) fn append(&mut self, name: &[u8], value: &[u8]) {
        match self.items.iter_mut().find(|item| item.name == name) {
            Some(item) => item.values.push(value.to_vec()),
            None => self.set(name, vec![value.to_vec()]),
        }
    }

    /// Keeps those values of a property that `keep` keeps; without any the property goes.
    pub(super) fn retain(&mut self, name: &[u8], keep: impl Fn(&Self, &[u8]) -> bool) {
        let Some(item) = self.property(name) else { return };
        let kept: Vec<Vec<u8>> = item.values.iter().filter(|value| keep(self, value)).cloned().collect();
        if kept.len() < item.values.len() {
            self.set(name, kept);
        }
    }

    /// Brings a value to the front of a property, adding it if it is not there.
    pub(super) fn put_first(&mut self, name: &[u8], published: &[u8]) {
        let slot = self.slot(name);
        let (transform, rule) = match slot {
            Slot::Known { attribute, transform, .. } => (transform, attribute.equality()),
            _ => (Transform::Copy, None),
        };
        let schema = self.schema();
        let stored = transform.store(published).into_owned();
        let same = |value: &Vec<u8>| {
            transform.publish(value).is_some_and(|value| crate::name::equal(schema, rule, published, &value))
        };
        match self.items.iter_mut().find(|item| item.name == name) {
            Some(item) => {
                // The spelling of the name is the one that counts.
                match item.values.iter().position(same) {
                    Some(0) => item.values[0] = stored,
                    Some(at) => {
                        item.values.remove(at);
                        item.values.insert(0, stored);
                    }
                    None => item.values.insert(0, stored),
                }
            }
            None => self.items.push(Item::new(name.to_vec(), vec![stored])),
        }
    }

    /// All user attributes as they would be published, each once.
    pub(super) fn published(&self) -> Vec<Published<'_>> {
        let mut published: Vec<(Slot<'_>, Published<'_>)> = Vec::new();
        for item in &self.items {
            let slot = self.slot(&item.name);
            if matches!(slot, Slot::Hidden) {
                continue;
            }
            let transform = slot.transform();
            let values = item.values.iter().filter_map(|value| transform.publish(value));
            match published.iter_mut().find(|(known, _)| known.is_same(&slot)) {
                Some((_, (_, known))) => known.extend(values),
                None => published.push((slot, (slot.description(), values.collect()))),
            }
        }
        published
            .into_iter()
            .map(|(_, attribute)| attribute)
            .filter(|(_, values)| !values.is_empty())
            .collect()
    }

    /// Classes that are stored.
    pub(super) fn stored_classes(&self) -> Vec<&[u8]> {
        let item = self.items.iter().find(|item| item.name.eq_ignore_ascii_case(OBJECT_CLASS.as_bytes()));
        item.map_or_else(Vec::new, |item| item.values.iter().map(Vec::as_slice).collect())
    }

    /// Whether the entry exists, and has stored no classes, neither before nor now.
    pub(super) fn has_implied_classes(&self) -> bool {
        let mut before = self.stored.iter().flat_map(RecordRef::properties);
        let had = before.any(|property| property.name.eq_ignore_ascii_case(OBJECT_CLASS.as_bytes()));
        self.target.is_some() && !had && self.stored_classes().is_empty()
    }

    /// The properties of a new directory.
    pub(crate) fn into_properties(self) -> Vec<Property> {
        self.items.into_iter().map(|item| Property { name: item.name, values: item.values }).collect()
    }

    /// The properties by which the entry is named.
    pub(super) fn keys(&self) -> Vec<Vec<u8>> {
        match self.property(RDN) {
            Some(item) if !item.values.is_empty() => item.values.clone(),
            _ => vec![NAME.to_vec()],
        }
    }

    /// What has to be changed in the stored directory; the first change names the instance that was read.
    pub(super) fn changes(self) -> Vec<Change> {
        let Some(target) = self.target else { return Vec::new() };
        let mut changes = Vec::new();
        let before: Vec<Values<'_>> =
            self.stored.iter().flat_map(RecordRef::properties).map(|property| property.values).collect();
        for item in &self.items {
            if let Some(at) = item.origin
                && let Some(&before) = before.get(at)
                && !before.eq(item.values.iter().map(Vec::as_slice))
            {
                let before: Vec<Vec<u8>> = before.map(<[u8]>::to_vec).collect();
                edit(&mut changes, at, &before, &item.values);
            }
        }
        for at in (0..before.len()).rev() {
            if !self.items.iter().any(|item| item.origin == Some(at)) {
                changes.push(Change::DestroyProperty { directory: ANYWHERE, index: at as u32 });
            }
        }
        for item in self.items.into_iter().filter(|item| item.origin.is_none()) {
            let property = Property { name: item.name, values: item.values };
            changes.push(Change::CreateProperty { directory: ANYWHERE, property, position: u32::MAX });
        }
        for (at, change) in changes.iter_mut().enumerate() {
            let own = if at == 0 { target } else { Target::any(target.object) };
            aim(change, own);
        }
        changes
    }

    /// As [`Draft::changes`], writing all properties at once: for entries whose properties get other names.
    pub(super) fn rewrite(self) -> Vec<Change> {
        let Some(directory) = self.target else { return Vec::new() };
        vec![Change::Write { directory, properties: self.into_properties() }]
    }
}

/// Stands for the directory until all changes are there.
const ANYWHERE: Target = Target { object: 0, instance: None };

/// Changes from one list of values to another, in few words when little changes.
fn edit(changes: &mut Vec<Change>, at: usize, before: &[Vec<u8>], after: &[Vec<u8>]) {
    let index = at as u32;
    if let Some(added) = after.strip_prefix(before)
        && added.len() <= SINGLE_LIMIT
    {
        changes.extend(added.iter().map(|value| Change::CreateValue {
            directory: ANYWHERE,
            index,
            value: value.clone(),
            position: u32::MAX,
        }));
        return;
    }
    if before.len() == after.len() + 1 {
        let gap = before.iter().zip(after).position(|(old, new)| old != new).unwrap_or(after.len());
        if before[gap + 1..] == after[gap..] {
            let value_index = gap as u32;
            changes.push(Change::DestroyValue { directory: ANYWHERE, index, value_index });
            return;
        }
    }
    changes.push(Change::WriteProperty { directory: ANYWHERE, index, values: after.to_vec() });
}

fn aim(change: &mut Change, target: Target) {
    match change {
        Change::WriteProperty { directory, .. }
        | Change::CreateValue { directory, .. }
        | Change::DestroyValue { directory, .. }
        | Change::DestroyProperty { directory, .. }
        | Change::CreateProperty { directory, .. } => *directory = target,
        _ => {}
    }
}

/// The description of a given attribute, with what the schema and the domain say against it.
pub(super) fn description<'g>(
    tree: &Tree<'_>,
    given: &'g Given<'_>,
) -> Result<AttributeDescription<'g>, Refusal> {
    use netinfo_schema::check::{Mode, modification};
    let shown = || String::from_utf8_lossy(given.description).into_owned();
    let undefined = |why: &str| Refusal::new(Reason::UndefinedAttributeType, format!("{}: {why}", shown()));
    let text = std::str::from_utf8(given.description).ok();
    let parsed = text.and_then(AttributeDescription::parse);
    let (Some(text), Some(parsed)) = (text, parsed) else {
        return Err(undefined("this is no attribute description"));
    };
    // Nothing can be said against the very names that users give.
    if tree.namespace().contexts().spells(given.description) {
        return Ok(parsed);
    }
    if parsed.attribute(tree.schema()).is_none() && tree.mode() == Mode::Strict {
        return Err(undefined("the attribute type is not defined"));
    }
    if let Some(finding) = modification(tree.schema(), [text]).into_iter().next() {
        return Err(finding.into());
    }
    if is_password(tree.schema(), given.description) && parsed.options().next().is_some() {
        return Err(Refusal::new(
            Reason::ConstraintViolation,
            format!("{}: passwords have no options", shown()),
        ));
    }
    Ok(parsed)
}

/// A class by the name that the schema has for it: clients compare names, and not all without regard to case.
fn class_name<'v>(schema: &'v Schema, value: &'v [u8]) -> &'v [u8] {
    let known = std::str::from_utf8(value).ok().and_then(|name| schema.class(name));
    known.map_or(value, |class| class.name().as_bytes())
}
