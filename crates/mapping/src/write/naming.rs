//! The names of entries that are written.

use netinfo_directory::ROOT;
use netinfo_schema::AttributeDescription;
use netinfo_schema::check::{self, Mode};

use super::draft::Draft;
use crate::context::{COMMON, NAME, RDN};
use crate::entry::is_computed;
use crate::error::{Reason, Refusal};
use crate::name::Rdn;
use crate::namespace::Layout;
use crate::tree::{DSID, Inner, Tree};

/// Refuses names that no entry can be given.
pub(super) fn check(tree: &Tree<'_>, rdn: &Rdn<'_>) -> Result<(), Refusal> {
    let refuse = |why: String| Err(Refusal::new(Reason::NamingViolation, why));
    for (at, part) in rdn.parts.iter().enumerate() {
        match tree.schema().attribute(part.kind) {
            None if tree.mode() == Mode::Strict => {
                return Err(Refusal::new(
                    Reason::UndefinedAttributeType,
                    format!("{}: the attribute type is not defined", part.kind),
                ));
            }
            Some(attribute) if attribute.is_operational() || is_computed(attribute.name()) => {
                return refuse(format!("entries cannot be named by {}", attribute.name()));
            }
            Some(attribute) if attribute.oid() == "2.5.4.35" || attribute.oid() == "2.5.4.0" => {
                return refuse(format!("entries cannot be named by {}", attribute.name()));
            }
            _ if part.kind.eq_ignore_ascii_case(DSID) => {
                return refuse(format!("{DSID} is given by the server"));
            }
            _ => {}
        }
        if part.value.is_empty() {
            return Err(Refusal::new(Reason::InvalidDnSyntax, format!("{}: the name is empty", part.kind)));
        }
        if let Some(finding) = check::values(tree.schema(), part.kind, &[&part.value]).into_iter().next() {
            return Err(Refusal::new(Reason::InvalidDnSyntax, Refusal::from(finding).message));
        }
        if rdn.parts[..at].iter().any(|other| other.kind.eq_ignore_ascii_case(part.kind)) {
            return refuse(format!("{} stands twice in the name", part.kind));
        }
    }
    Ok(())
}

/// Makes the values of `rdn` the first of their properties, and notes by which the entry is named. `own`: what the entry
/// is to its parent.
pub(super) fn apply(draft: &mut Draft<'_>, own: Inner, rdn: &Rdn<'_>) -> Result<(), Refusal> {
    let schema = draft.schema();
    let descriptions: Vec<AttributeDescription<'_>> =
        rdn.parts.iter().filter_map(|part| AttributeDescription::parse(part.kind)).collect();
    let directory = directory_of(draft.tree, own, rdn);
    let context = draft.context();
    let keys_of = |mirrored: bool| -> Vec<Vec<u8>> {
        descriptions
            .iter()
            .zip(&rdn.parts)
            .map(|(description, part)| context.property_for(schema, mirrored, description, &part.value))
            .collect()
    };
    let by_name = keys_of(false).iter().any(|key| key == NAME);
    let mirrored = context.table.is_empty() && !by_name;
    if mirrored && !draft.mirrored {
        // What was `cn` so far stays `cn`.
        free_name(draft);
    } else if !mirrored && draft.mirrored {
        draft.set(NAME, Vec::new());
    }
    draft.mirrored = mirrored;
    let keys = keys_of(mirrored);
    for ((description, part), key) in descriptions.iter().zip(&rdn.parts).zip(&keys) {
        take_elsewhere(draft, description, key, &part.value);
        draft.put_first(key, &part.value);
    }
    let implied = keys == [NAME] && !has_unit(draft.tree, own, rdn);
    draft.set(RDN, if implied { Vec::new() } else { keys });
    if mirrored {
        draft.set(NAME, directory.into_iter().collect());
    }
    Ok(())
}

/// Whether the layout would call a directory of this name by its unit: `cn=Users` is `ou=people`, unless the entry says that
/// it is named otherwise.
fn has_unit(tree: &Tree<'_>, own: Inner, rdn: &Rdn<'_>) -> bool {
    let [part] = &rdn.parts[..] else { return false };
    let contexts = tree.namespace().contexts();
    own == Inner::Containers
        && tree.namespace().layout() == Layout::Rfc2307
        && !contexts.get(contexts.inside(&part.value)).unit.is_empty()
}

/// Turns the property `name` into `cn`, which it stands for.
fn free_name(draft: &mut Draft<'_>) {
    let Some(at) = draft.items.iter().position(|item| item.name == NAME) else { return };
    let mut values = draft.items.remove(at).values;
    if let Some(item) = draft.items.iter_mut().find(|item| item.name == b"cn") {
        values.append(&mut item.values);
        item.values = values;
    } else {
        draft.set(b"cn", values);
    }
}

/// Removes a value from the properties of its attribute other than `key`.
fn take_elsewhere(draft: &mut Draft<'_>, description: &AttributeDescription<'_>, key: &[u8], value: &[u8]) {
    let schema = draft.schema();
    let rule = description.attribute(schema).and_then(|attribute| attribute.equality());
    for at in draft.places(description) {
        if draft.items[at].name != key {
            let transform = draft.slot(&draft.items[at].name).transform();
            draft.items[at].values.retain(|stored| {
                !transform.publish(stored).is_some_and(|own| crate::name::equal(schema, rule, value, &own))
            });
        }
    }
    draft.items.retain(|item| !item.values.is_empty() || item.name == key);
}

/// By which name NetInfo knows an entry that is not named by `name`: a directory below the root that has a meaning by the
/// name it has there, others by their first value.
fn directory_of(tree: &Tree<'_>, own: Inner, rdn: &Rdn<'_>) -> Option<Vec<u8>> {
    let [part] = &rdn.parts[..] else { return Some(rdn.parts.first()?.value.to_vec()) };
    let contexts = tree.namespace().contexts();
    let is_unit = tree.schema().attribute(part.kind).is_some_and(|attribute| attribute.name() == "ou");
    if own == Inner::Containers {
        if is_unit && let Some(directory) = contexts.directory_of_unit(&part.value) {
            return Some(directory.as_bytes().to_vec());
        }
        // Another directory of that name may have the meaning already.
        let lower = part.value.to_ascii_lowercase();
        if contexts.inside(&lower) != COMMON {
            let exists = tree.view().child_named(ROOT, &lower).ok().flatten().is_some();
            return (!exists && is_unit).then_some(lower);
        }
    }
    Some(part.value.to_vec())
}

/// Whether the values by which the entry was named are still there; they come first again.
pub(super) fn keep(draft: &mut Draft<'_>, named: &[(String, Vec<u8>)]) -> Result<(), Refusal> {
    let keys = draft.keys();
    for (key, (kind, value)) in keys.iter().zip(named) {
        let slot = draft.slot(key);
        let rule = match slot {
            crate::context::Slot::Known { attribute, .. } => attribute.equality(),
            _ => None,
        };
        let transform = slot.transform();
        let schema = draft.schema();
        let is_name = |stored: &Vec<u8>| {
            transform.publish(stored).is_some_and(|own| crate::name::equal(schema, rule, value, &own))
        };
        let item = draft.items.iter_mut().find(|item| item.name == *key);
        match item.and_then(|item| Some((item.values.iter().position(is_name)?, item))) {
            Some((0, _)) => {}
            Some((at, item)) => item.values[..=at].rotate_right(1),
            None => {
                return Err(Refusal::new(
                    Reason::NotAllowedOnRdn,
                    format!("{kind}: the entry is named by this value; rename it instead"),
                ));
            }
        }
    }
    Ok(())
}
