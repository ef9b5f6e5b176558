//! Additions.

use netinfo_directory::{Change, ROOT, Target};
use netinfo_schema::AttributeDescription;

use super::draft::{Draft, description};
use super::{Changes, Given, checks, members, naming};
use crate::context::{COMMON, NAME, OBJECT_CLASS, RDN};
use crate::error::{Reason, Refusal};
use crate::name::{Name, Rdn};
use crate::resolve::Resolution;
use crate::tree::{Inner, Tree};

/// A new entry with this DN and these attributes. The values by which it is named may be among the attributes or not.
///
/// The root, and directories below it whose contents have a meaning, are there before anybody adds their entries: they
/// can be added once, as long as no object classes are stored, and get the attributes. Otherwise the first change
/// creates the directory.
///
/// # Errors
///
/// See [`Reason`].
pub fn add(tree: &Tree<'_>, dn: &[u8], attributes: &[Given<'_>]) -> Changes {
    let name = Name::parse(dn)?;
    let parent = match tree.resolve_name(&name)? {
        Resolution::Outside => return Err(Refusal::no_such_object(None)),
        Resolution::Found(object) => return adopt(tree, object, name.rdns.first(), attributes),
        Resolution::Missing { nearest, rest: 1 } => nearest,
        Resolution::Missing { nearest, .. } => return Err(Refusal::no_such_object(Some(nearest))),
    };
    let Some(rdn) = name.rdns.first() else { return Err(Refusal::no_such_object(None)) };
    for given in attributes {
        check(tree, given)?;
    }
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
pub(crate) fn new_entry<'t>(
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

/// What can be said of one attribute alone.
fn check(tree: &Tree<'_>, given: &Given<'_>) -> Result<(), Refusal> {
    checks::values(tree, given)?;
    checks::distinct(tree.schema(), given)
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
        if draft.has(&description) {
            let message = format!("{}: the attribute is given twice", description.name());
            return Err(Refusal::new(Reason::AttributeOrValueExists, message));
        }
        draft.push_all(&description, given.values.iter().map(|value| &value[..]))?;
    }
    Ok(())
}

/// Gives attributes to a directory that has its entry only from its place.
fn adopt(tree: &Tree<'_>, object: u32, rdn: Option<&Rdn<'_>>, attributes: &[Given<'_>]) -> Changes {
    for given in attributes {
        check(tree, given)?;
    }
    let draft = adopted(tree, object, rdn, attributes)?;
    if let Some(finding) = checks::structure(&draft).into_iter().next() {
        return Err(finding.into());
    }
    Ok(draft.changes())
}

/// A directory that has its entry only from its place, with attributes.
pub(crate) fn adopted<'t>(
    tree: &'t Tree<'t>,
    object: u32,
    rdn: Option<&Rdn<'_>>,
    attributes: &[Given<'_>],
) -> Result<Draft<'t>, Refusal> {
    let entry = tree.entry(object)?;
    let mut draft = Draft::of(&entry);
    let has_class =
        attributes.iter().any(|given| given.description.eq_ignore_ascii_case(OBJECT_CLASS.as_bytes()));
    let meaning = match entry.own() {
        None => true,
        Some(own @ Inner::Containers) => tree.inner_of(own, entry.record()) != Inner::Context(COMMON),
        Some(_) => false,
    };
    if !meaning || !has_class || !draft.stored_classes().is_empty() {
        return Err(Refusal::new(Reason::EntryAlreadyExists, "there is such an entry already"));
    }
    if let Some(rdn) = rdn.filter(|_| object != ROOT) {
        name_anew(&mut draft, rdn);
    }
    for given in attributes {
        let parsed = description(tree, given)?;
        if !draft.places(&parsed).iter().any(|at| draft.items[*at].name == NAME) {
            draft.remove(&parsed);
        }
    }
    let name = draft.property(NAME).filter(|_| object != ROOT).map(|item| item.values.clone());
    if name.is_some() && !draft.mirrored {
        draft.items.retain(|item| item.name != NAME);
    }
    fill(&mut draft, attributes)?;
    if let Some(name) = name.and_then(|values| values.into_iter().next()) {
        if draft.mirrored { draft.set(NAME, vec![name]) } else { draft.put_first(NAME, &name) }
    }
    let suffix = tree.namespace().root_suffix().filter(|_| object == ROOT);
    for (kind, value) in suffix.map_or(&[][..], |suffix| suffix.lowest()) {
        if let Some(description) = AttributeDescription::parse(kind)
            && !draft.has(&description)
        {
            draft.push_all(&description, [&value[..]])?;
        }
    }
    Ok(draft)
}

/// Names a directory below the root as the request does: by its `ou`, if that is how it is spelled there.
fn name_anew(draft: &mut Draft<'_>, rdn: &Rdn<'_>) {
    let [part] = &rdn.parts[..] else { return };
    if draft.schema().attribute(part.kind).is_some_and(|attribute| attribute.name() == "ou") {
        draft.set(b"ou", vec![part.value.to_vec()]);
        draft.set(RDN, vec![b"ou".to_vec()]);
        draft.mirrored = true;
    }
}
