//! Modifications.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use netinfo_directory::ROOT;
use netinfo_schema::check::Mode;
use netinfo_schema::{AttributeDescription, Rule, Syntax};

use super::draft::{Draft, description};
use super::members::Lists;
use super::{Changes, Given, Modification, Operation, checks, naming};
use crate::context::{OBJECT_CLASS, Slot};
use crate::entry::Entry;
use crate::error::{Reason, Refusal};
use crate::name::Name;
use crate::transform::Transform;
use crate::tree::Tree;

/// Changes attributes of an entry, one step after another. `permissive`: values that are added although they are there,
/// or removed although they are not, are no errors.
///
/// No changes come of modifications that change nothing.
///
/// # Errors
///
/// See [`Reason`].
pub fn modify(tree: &Tree<'_>, object: u32, steps: &[Modification<'_>], permissive: bool) -> Changes {
    let entry = tree.entry(object)?;
    let mut draft = Draft::of(&entry);
    let named = names(&draft);
    let classes = draft
        .stored_classes()
        .into_iter()
        .map(|name| String::from_utf8_lossy(name).into_owned())
        .collect::<Vec<_>>();
    let lists = Lists::of(&draft);
    for step in steps {
        let description = description(tree, &step.attribute)?;
        if object == ROOT && step.operation == Operation::Add {
            keeps_suffix(tree, &description)?;
        }
        materialise(&entry, &mut draft, &description)?;
        apply(&mut draft, step, &description, permissive)?;
    }
    if let Some(named) = named {
        naming::keep(&mut draft, &named)?;
    }
    lists.synchronise(&mut draft)?;
    checks::same_kind(tree, &classes, &draft)?;
    checks::no_worse(&entry, &draft)?;
    let parent = entry.record().parent();
    for step in steps.iter().filter(|step| matches!(step.operation, Operation::Add | Operation::Replace)) {
        let description = description(tree, &step.attribute)?;
        for value in &step.attribute.values {
            checks::unique(tree, parent, Some(object), &description, value)?;
        }
    }
    Ok(draft.changes())
}

/// The suffix gives the root of a domain a value that is not stored: where there can be one only, no other comes to it.
fn keeps_suffix(tree: &Tree<'_>, description: &AttributeDescription<'_>) -> Result<(), Refusal> {
    let suffix = tree.namespace().suffix().as_bytes();
    let Some(attribute) = description.attribute(tree.schema()).filter(|known| known.is_single_value()) else {
        return Ok(());
    };
    let named = Name::parse(suffix)?.rdns.first().is_some_and(|rdn| {
        rdn.parts
            .iter()
            .any(|part| tree.schema().attribute(part.kind).is_some_and(|own| own.id() == attribute.id()))
    });
    if named {
        let message = format!("{}: the suffix gives the only value", description.name());
        return Err(Refusal::new(Reason::ConstraintViolation, message));
    }
    Ok(())
}

/// The values by which an entry is named; `None` when it has no name.
fn names(draft: &Draft<'_>) -> Option<Vec<(String, Vec<u8>)>> {
    draft
        .keys()
        .iter()
        .map(|key| {
            let slot = draft.slot(key);
            if matches!(slot, Slot::Hidden) {
                return None;
            }
            let value = slot.transform().publish(draft.property(key)?.values.first()?)?.into_owned();
            Some((slot.description().into_owned(), value))
        })
        .collect()
}

/// Stores what the attribute was so far without being stored, so that a change of it changes that.
fn materialise(
    entry: &Entry<'_>,
    draft: &mut Draft<'_>,
    description: &AttributeDescription<'_>,
) -> Result<(), Refusal> {
    let Some(attribute) = description.attribute(draft.schema()) else { return Ok(()) };
    let name = attribute.name();
    if draft.has(description) {
        return Ok(());
    }
    if name == OBJECT_CLASS {
        let names: Vec<Vec<u8>> = entry.class_names().map(|name| name.as_bytes().to_vec()).collect();
        draft.set(OBJECT_CLASS.as_bytes(), names);
    } else if name == "member" && draft.context().table == "groups" {
        let wanted = entry.tree.namespace().wanted(name);
        let mut values = Vec::new();
        if let Some(wanted) = wanted {
            entry.values(&wanted, &mut |value| {
                values.push(value.to_vec());
                true
            })?;
        }
        draft.set(b"member", values);
    }
    Ok(())
}

fn apply(
    draft: &mut Draft<'_>,
    step: &Modification<'_>,
    description: &AttributeDescription<'_>,
    permissive: bool,
) -> Result<(), Refusal> {
    let given = &step.attribute;
    match step.operation {
        Operation::Add if given.values.is_empty() => {
            Err(Refusal::new(Reason::Protocol, format!("{}: no value is to be added", description.name())))
        }
        Operation::Add => {
            checks::values(draft.tree, given)?;
            if !permissive {
                checks::distinct(draft.schema(), given)?;
            }
            add(draft, given, description, permissive)
        }
        Operation::Delete if given.values.is_empty() => match draft.remove(description) || permissive {
            true => Ok(()),
            false => Err(no_such(description)),
        },
        Operation::Delete => delete(draft, given, description, permissive),
        Operation::Replace => {
            checks::values(draft.tree, given)?;
            checks::distinct(draft.schema(), given)?;
            replace(draft, given, description)
        }
        Operation::Increment => increment(draft, given, description),
    }
}

fn no_such(description: &AttributeDescription<'_>) -> Refusal {
    let message = format!("{}: the entry has no such attribute or value", description.name());
    Refusal::new(Reason::NoSuchAttribute, message)
}

/// Keys of values, equal for values that are.
struct Keys<'s> {
    schema: &'s netinfo_schema::Schema,
    rule: Option<Rule>,
    transform: Transform,
}

impl<'s> Keys<'s> {
    fn new(draft: &Draft<'s>, description: &AttributeDescription<'_>) -> Self {
        let attribute = description.attribute(draft.schema());
        let columns = attribute.map_or(&[][..], |known| draft.context().columns_of(known.id()));
        Self {
            schema: draft.schema(),
            rule: attribute.and_then(|known| known.equality()),
            transform: columns.first().map_or(Transform::Copy, |column| column.transform),
        }
    }

    fn of(&self, published: &[u8]) -> Vec<u8> {
        let mut key = vec![1];
        if self.rule.is_some_and(|rule| rule.normalise(self.schema, published, &mut key).is_ok()) {
            return key;
        }
        [b"\0", published].concat()
    }

    fn of_assertion(&self, value: &[u8]) -> Vec<u8> {
        self.of(&self.transform.assertion(value))
    }
}

/// Keys of all values of an attribute, and where they are.
fn known_values(
    draft: &Draft<'_>,
    description: &AttributeDescription<'_>,
    keys: &Keys<'_>,
) -> HashMap<Vec<u8>, Vec<(usize, usize)>> {
    let mut known: HashMap<Vec<u8>, Vec<(usize, usize)>> = HashMap::new();
    for place in draft.places(description) {
        let item = &draft.items[place];
        let transform = draft.slot(&item.name).transform();
        for (at, value) in item.values.iter().enumerate() {
            if let Some(published) = transform.publish(value) {
                known.entry(keys.of(&published)).or_default().push((place, at));
            }
        }
    }
    known
}

fn add(
    draft: &mut Draft<'_>,
    given: &Given<'_>,
    description: &AttributeDescription<'_>,
    permissive: bool,
) -> Result<(), Refusal> {
    let keys = Keys::new(draft, description);
    let mut known: HashSet<Vec<u8>> = known_values(draft, description, &keys).into_keys().collect();
    let mut added: Vec<&[u8]> = Vec::with_capacity(given.values.len());
    for value in &given.values {
        if known.insert(keys.of_assertion(value)) {
            added.push(value);
        } else if !permissive {
            let message = format!("{}: the entry has the value already", description.name());
            return Err(Refusal::new(Reason::AttributeOrValueExists, message));
        }
    }
    draft.push_all(description, added)
}

fn delete(
    draft: &mut Draft<'_>,
    given: &Given<'_>,
    description: &AttributeDescription<'_>,
    permissive: bool,
) -> Result<(), Refusal> {
    let keys = Keys::new(draft, description);
    let mut known = known_values(draft, description, &keys);
    let mut gone: HashMap<usize, Vec<usize>> = HashMap::new();
    for value in &given.values {
        match known.remove(&keys.of_assertion(value)) {
            Some(found) => found.into_iter().for_each(|(place, at)| gone.entry(place).or_default().push(at)),
            None if permissive => {}
            None => return Err(no_such(description)),
        }
    }
    for (place, values) in gone {
        let item = &mut draft.items[place];
        let removed: HashSet<usize> = values.into_iter().collect();
        let mut at = 0;
        item.values.retain(|_| {
            at += 1;
            !removed.contains(&(at - 1))
        });
    }
    let places = draft.places(description);
    drop_emptied(draft, &places);
    Ok(())
}

fn replace(
    draft: &mut Draft<'_>,
    given: &Given<'_>,
    description: &AttributeDescription<'_>,
) -> Result<(), Refusal> {
    let places = draft.places(description);
    for &place in &places {
        draft.items[place].values.clear();
    }
    draft.push_all(description, given.values.iter().map(|value| &value[..]))?;
    drop_emptied(draft, &places);
    Ok(())
}

/// Drops those of the items at `places` that have no value left.
fn drop_emptied(draft: &mut Draft<'_>, places: &[usize]) {
    let mut at = 0;
    draft.items.retain(|item| {
        at += 1;
        !item.values.is_empty() || !places.contains(&(at - 1))
    });
}

/// RFC 4525: the number is added to every value.
fn increment(
    draft: &mut Draft<'_>,
    given: &Given<'_>,
    description: &AttributeDescription<'_>,
) -> Result<(), Refusal> {
    let refuse =
        |reason: Reason, why: &str| Err(Refusal::new(reason, format!("{}: {why}", description.name())));
    let [amount] = &given.values[..] else {
        return refuse(Reason::Protocol, "one number is to be added");
    };
    let attribute = description.attribute(draft.schema());
    if attribute.is_none_or(|known| known.syntax() != Syntax::Integer) && draft.tree.mode() == Mode::Strict {
        return refuse(Reason::ConstraintViolation, "it is no number");
    }
    let number = |text: &[u8]| std::str::from_utf8(text).ok().and_then(|text| text.parse::<i64>().ok());
    let Some(amount) = number(amount) else {
        return refuse(Reason::InvalidAttributeSyntax, "the amount is no number");
    };
    let places = draft.places(description);
    if !draft.has(description) {
        return Err(no_such(description));
    }
    for place in places {
        let transform = draft.slot(&draft.items[place].name).transform();
        for value in &mut draft.items[place].values {
            let published = transform.publish(value).map(Cow::into_owned).unwrap_or_default();
            let Some(sum) = number(&published).and_then(|known| known.checked_add(amount)) else {
                return refuse(Reason::ConstraintViolation, "a value is no number, or becomes too large");
            };
            *value = transform.store(sum.to_string().as_bytes()).into_owned();
        }
    }
    Ok(())
}
