//! Additions.

use netinfo_directory::{Change, ROOT, Target};
use netinfo_schema::AttributeDescription;

use super::draft::{Draft, description};
use super::{Changes, Given, checks, members, naming};
use crate::context::OBJECT_CLASS;
use crate::error::{Reason, Refusal};
use crate::name::{Name, Rdn};
use crate::resolve::Resolution;
use crate::tree::{Inner, Tree};

/// A new entry with this DN and these attributes. The values by which it is named may be among the attributes or not. The
/// entry of the suffix can be added once: the root gets the attributes.
///
/// The first change creates the directory, unless it is the root.
///
/// # Errors
///
/// See [`Reason`].
pub fn add(tree: &Tree<'_>, dn: &[u8], attributes: &[Given<'_>]) -> Changes {
    let name = Name::parse(dn)?;
    let parent = match tree.resolve_name(&name)? {
        Resolution::Outside => return Err(Refusal::no_such_object(None)),
        Resolution::Found(ROOT) => return adopt(tree, attributes),
        Resolution::Found(_) => {
            return Err(Refusal::new(Reason::EntryAlreadyExists, "there is such an entry already"));
        }
        Resolution::Missing { nearest, rest: 1 } => nearest,
        Resolution::Missing { nearest, .. } => return Err(Refusal::no_such_object(Some(nearest))),
    };
    let Some(rdn) = name.rdns.first() else { return Err(Refusal::no_such_object(None)) };
    let draft = new_entry(tree, tree.place(parent)?.inner, rdn, attributes)?;
    if let Some(finding) = checks::structure(&draft).into_iter().next() {
        return Err(finding.into());
    }
    for given in attributes {
        let description = description(tree, given)?;
        for value in &given.values {
            checks::unique(tree, parent, None, &description, value)?;
        }
    }
    let properties = draft.into_properties();
    Ok(vec![Change::Create { parent: Target::any(parent), properties, position: u32::MAX }])
}

/// The properties of a new entry which is `own` to its parent.
pub(super) fn new_entry<'t>(
    tree: &'t Tree<'t>,
    own: Inner,
    rdn: &Rdn<'_>,
    attributes: &[Given<'_>],
) -> Result<Draft<'t>, Refusal> {
    naming::check(tree, rdn)?;
    let mut draft = Draft::new(tree, own.number());
    // Named first: where values go may depend on it.
    naming::apply(&mut draft, own, rdn)?;
    let by_name = std::mem::take(&mut draft.items);
    fill(&mut draft, attributes)?;
    for item in by_name {
        match draft.items.iter().any(|known| known.name == item.name) {
            true => {}
            false => draft.items.push(item),
        }
    }
    naming::apply(&mut draft, own, rdn)?;
    members::mirror_new(&mut draft)?;
    Ok(draft)
}

/// Puts attributes into an empty entry, object classes first.
fn fill(draft: &mut Draft<'_>, attributes: &[Given<'_>]) -> Result<(), Refusal> {
    let is_class = |given: &&Given<'_>| given.description.eq_ignore_ascii_case(OBJECT_CLASS.as_bytes());
    let (classes, others): (Vec<_>, Vec<_>) = attributes.iter().partition(is_class);
    for given in classes.into_iter().chain(others) {
        let description = description(draft.tree, given)?;
        if given.values.is_empty() {
            let message = format!("{}: an attribute is added without values", description.name());
            return Err(Refusal::new(Reason::ConstraintViolation, message));
        }
        checks::values(draft.tree, given)?;
        checks::distinct(draft.schema(), given)?;
        if draft.has(&description) {
            let message = format!("{}: the attribute is given twice", description.name());
            return Err(Refusal::new(Reason::AttributeOrValueExists, message));
        }
        for value in &given.values {
            draft.push(&description, value)?;
        }
    }
    Ok(())
}

/// The attributes of the suffix, for a root that has no classes yet.
fn adopt(tree: &Tree<'_>, attributes: &[Given<'_>]) -> Changes {
    let entry = tree.entry(ROOT)?;
    let mut draft = Draft::of(&entry);
    let has_class =
        attributes.iter().any(|given| given.description.eq_ignore_ascii_case(OBJECT_CLASS.as_bytes()));
    if !draft.stored_classes().is_empty() || !has_class {
        return Err(Refusal::new(Reason::EntryAlreadyExists, "there is such an entry already"));
    }
    for given in attributes {
        let parsed = description(tree, given)?;
        draft.remove(&parsed);
    }
    fill(&mut draft, attributes)?;
    let lowest = tree.namespace().root_suffix().map_or(&[][..], |suffix| suffix.lowest());
    for (kind, value) in lowest {
        if let Some(description) = AttributeDescription::parse(kind)
            && !draft.has(&description)
        {
            draft.push(&description, value)?;
        }
    }
    if let Some(finding) = checks::structure(&draft).into_iter().next() {
        return Err(finding.into());
    }
    Ok(draft.changes())
}
