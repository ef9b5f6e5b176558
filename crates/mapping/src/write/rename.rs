//! Renaming and moving.

use netinfo_directory::{Change, ROOT, Target};
use netinfo_schema::AttributeDescription;

use super::draft::Draft;
use super::integrity::{Integrity, NewName};
use super::{Changes, checks, naming};
use crate::context::{COMMON, NAME, RDN, Slot};
use crate::entry::Entry;
use crate::error::{Reason, Refusal};
use crate::name::{Name, Rdn};
use crate::resolve::Resolution;
use crate::tree::{Inner, Tree};

/// A new name for an entry.
#[derive(Debug, Clone, Copy)]
pub struct Rename<'a> {
    /// The new relative name.
    pub rdn: &'a [u8],
    /// Whether the former one is removed; else its values stay as further values.
    pub delete_old: bool,
    /// DN of the entry below which it comes, if that is another.
    pub superior: Option<&'a [u8]>,
}

/// Renames an entry, or moves it with all below it. Groups of the domain call it by its new name, unless the root says
/// otherwise.
///
/// # Errors
///
/// See [`Reason`].
pub fn rename(tree: &Tree<'_>, object: u32, rename: Rename<'_>) -> Changes {
    let unwilling = |why: &str| Err(Refusal::new(Reason::UnwillingToPerform, why));
    let rdn = Rdn::parse(rename.rdn)?;
    naming::check(tree, &rdn)?;
    if object == ROOT {
        return unwilling("the root of a domain is named by its suffix");
    }
    let entry = tree.entry(object)?;
    let old_parent = entry.record().parent();
    let old_own = tree.place(old_parent)?.inner;
    let old_inner = tree.inner_of(old_own, entry.record());
    if old_own == Inner::Containers && old_inner != Inner::Context(COMMON) {
        return unwilling("what lies in this directory has its meaning from the directory's name");
    }
    let parent = match rename.superior {
        Some(superior) => new_parent(tree, object, superior)?,
        None => old_parent,
    };
    let own = tree.place(parent)?.inner;
    match tree.child(parent, own, &rdn)? {
        Some(other) if other != object => {
            return Err(Refusal::new(Reason::EntryAlreadyExists, "there is an entry of that name already"));
        }
        _ => {}
    }
    let same_meaning = tree.context(own.number()).table == tree.context(old_own.number()).table;
    if !same_meaning && entry.record().child_count() > 0 {
        return unwilling("attributes mean something else there, and the entry has others below it");
    }
    let mut draft = edited(&entry, own, same_meaning, rename.delete_old, &rdn)?;
    naming::apply(&mut draft, own, &rdn)?;
    checks::no_worse(&entry, &draft)?;
    let new = new_name(&draft, &rdn, &tree.place(parent)?.dn);
    let mut changes = if same_meaning { draft.changes() } else { draft.rewrite() };
    if parent != old_parent {
        // The first change checks the instance.
        let child = if changes.is_empty() { entry.record().id().into() } else { Target::any(object) };
        let (from, to) = (Target::any(old_parent), Target::any(parent));
        changes.push(Change::Move { from, child, to, position: u32::MAX });
    }
    let mut integrity = Integrity::new(tree);
    integrity.note(object, Some(&new))?;
    changes.extend(integrity.changes(&[object])?);
    Ok(changes)
}

/// The directory of the new superior: in this domain, and not below the entry itself.
fn new_parent(tree: &Tree<'_>, object: u32, superior: &[u8]) -> Result<u32, Refusal> {
    let parent = match tree.resolve_name(&Name::parse(superior)?)? {
        Resolution::Found(parent) => parent,
        Resolution::Missing { nearest, .. } => return Err(Refusal::no_such_object(Some(nearest))),
        Resolution::Outside => {
            return Err(Refusal::new(Reason::AffectsMultipleDsas, "the new superior is not in this domain"));
        }
    };
    let mut above = parent;
    while above != ROOT {
        if above == object {
            return Err(Refusal::new(Reason::UnwillingToPerform, "an entry cannot come below itself"));
        }
        above = tree.view().record(above)?.parent();
    }
    Ok(parent)
}

/// The entry without its old name, if that is to go, in the properties that hold its attributes at the new place.
fn edited<'t>(
    entry: &Entry<'t>,
    own: Inner,
    same_meaning: bool,
    delete_old: bool,
    rdn: &Rdn<'_>,
) -> Result<Draft<'t>, Refusal> {
    let mut draft = Draft::of(entry);
    if delete_old {
        drop_name(&mut draft, rdn);
    }
    if !same_meaning {
        translate(&mut draft, own)?;
    }
    Ok(draft)
}

/// Removes the values by which the entry is named, unless they are in the new name.
fn drop_name(draft: &mut Draft<'_>, rdn: &Rdn<'_>) {
    for key in draft.keys() {
        let Slot::Known { attribute, transform, .. } = draft.slot(&key) else { continue };
        let schema = draft.schema();
        let kept = rdn
            .parts
            .iter()
            .filter(|part| schema.attribute(part.kind).is_some_and(|other| other.id() == attribute.id()));
        let first = draft.property(&key).and_then(|item| transform.publish(item.values.first()?));
        let stays = first.as_ref().is_none_or(|first| {
            kept.into_iter().any(|part| crate::name::equal(schema, attribute.equality(), &part.value, first))
        });
        if !stays && let Some(item) = draft.items.iter_mut().find(|item| item.name == key) {
            item.values.remove(0);
        }
    }
    let keys = draft.keys();
    draft.items.retain(|item| !item.values.is_empty() || !keys.contains(&item.name));
}

/// Puts all attributes into the properties of another context.
fn translate(draft: &mut Draft<'_>, own: Inner) -> Result<(), Refusal> {
    let mut target = Draft::new(draft.tree, own.number());
    // What is no attribute stays what it is; the names are given anew.
    for item in &draft.items {
        let is_name = item.name == RDN || (draft.mirrored && item.name == NAME);
        if matches!(draft.slot(&item.name), Slot::Hidden) && !is_name {
            target.set(&item.name, item.values.clone());
        }
    }
    for (description, values) in draft.published() {
        if let Some(parsed) = AttributeDescription::parse(&description) {
            target.push_all(&parsed, values.iter().map(|value| &value[..]))?;
        }
    }
    // Hidden password values: a mask means that the value stays.
    if let Some(passwd) = draft.property(b"passwd") {
        let values = passwd.values.clone();
        target.set(b"passwd", values);
    }
    draft.number = target.number;
    draft.mirrored = false;
    draft.items = std::mem::take(&mut target.items);
    Ok(())
}

fn new_name(draft: &Draft<'_>, rdn: &Rdn<'_>, above: &[u8]) -> NewName {
    let mut dn = Vec::new();
    for (at, part) in rdn.parts.iter().enumerate() {
        if at > 0 {
            dn.push(b'+');
        }
        let known = draft.schema().attribute(part.kind).map_or(part.kind, |attribute| attribute.name());
        dn.extend_from_slice(known.as_bytes());
        dn.push(b'=');
        crate::name::write_value(&part.value, &mut dn);
    }
    if !above.is_empty() {
        dn.push(b',');
        dn.extend_from_slice(above);
    }
    NewName { short: draft.property(NAME).and_then(|item| item.values.first().cloned()), dn }
}
