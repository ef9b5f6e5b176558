//! What the schema and the domain say of an entry that is to be written.

use std::borrow::Cow;

use netinfo_schema::check::{self, Attribute, Finding, Mode, Violation, structural_class};
use netinfo_schema::{AttributeDescription, Schema};

use super::draft::Draft;
use super::passwords::is_cleartext;
use super::{Given, is_password};
use crate::entry::Entry;
use crate::error::{Reason, Refusal};
use crate::tree::Tree;

/// The values of one given attribute: of their syntax, hashed, none without octets.
pub(super) fn values(tree: &Tree<'_>, given: &Given<'_>) -> Result<(), Refusal> {
    let description = String::from_utf8_lossy(given.description);
    let borrowed: Vec<&[u8]> = given.values.iter().map(|value| &value[..]).collect();
    if let Some(finding) = check::values(tree.schema(), &description, &borrowed).into_iter().next() {
        return Err(finding.into());
    }
    if borrowed.iter().any(|value| value.is_empty()) {
        let message = format!("{description}: values without octets are not kept");
        return Err(Refusal::new(Reason::InvalidAttributeSyntax, message));
    }
    if is_password(tree.schema(), given.description) && borrowed.iter().any(|value| is_cleartext(value)) {
        return Err(Refusal::new(Reason::ConstraintViolation, "passwords are kept only as hashes"));
    }
    Ok(())
}

/// No value stands twice among those given.
pub(super) fn distinct(schema: &Schema, given: &Given<'_>) -> Result<(), Refusal> {
    let borrowed: Vec<&[u8]> = given.values.iter().map(|value| &value[..]).collect();
    let description = String::from_utf8_lossy(given.description);
    match check::duplicates(schema, &description, &borrowed).into_iter().next() {
        Some(finding) => Err(finding.into()),
        None => Ok(()),
    }
}

/// Classes and attributes of a whole entry. Where no classes are stored, the place of the entry says what it is, and only
/// the number of values counts.
pub(super) fn structure(draft: &Draft<'_>) -> Vec<Finding> {
    let published = draft.published();
    let borrowed: Vec<(&str, Vec<&[u8]>)> = published
        .iter()
        .map(|(description, values)| (&**description, values.iter().map(|value| &**value).collect()))
        .collect();
    let attributes: Vec<Attribute<'_>> =
        borrowed.iter().map(|(description, values)| Attribute { description, values }).collect();
    let mode = if draft.has_implied_classes() { Mode::Open } else { draft.tree.mode() };
    let mut findings = check::structure(draft.schema(), mode, &attributes);
    // Short names that repeat DNs are shown only where the classes have them.
    let repeats = draft.context().table == "groups"
        && [&b"member"[..], b"uniqueMember"].iter().any(|name| draft.property(name).is_some());
    findings.retain(|finding| {
        !(repeats && finding.attribute == "memberUid" && finding.violation == Violation::NotAllowed)
    });
    findings
}

/// What is wrong now and was not before: an entry that came otherwise than through these checks can still be changed.
pub(super) fn no_worse(entry: &Entry<'_>, draft: &Draft<'_>) -> Result<(), Refusal> {
    let found = structure(draft);
    if found.is_empty() {
        return Ok(());
    }
    let before = structure(&Draft::of(entry));
    match found.into_iter().find(|finding| !before.contains(finding)) {
        Some(finding) => Err(finding.into()),
        None => Ok(()),
    }
}

/// The structural class stays what it is (RFC 4512 §2.4.2).
pub(super) fn same_kind(tree: &Tree<'_>, before: &[String], draft: &Draft<'_>) -> Result<(), Refusal> {
    if tree.mode() != Mode::Strict || before.is_empty() {
        return Ok(());
    }
    let schema = tree.schema();
    let old: Vec<&str> = before.iter().map(String::as_str).collect();
    let new: Vec<Cow<'_, str>> = draft.stored_classes().into_iter().map(String::from_utf8_lossy).collect();
    let new: Vec<&str> = new.iter().map(|name| &**name).collect();
    match (structural_class(schema, &old), structural_class(schema, &new)) {
        (Ok(old), Ok(new)) if old.id() != new.id() => {
            let message = format!("the structural object class {} cannot become {}", old.name(), new.name());
            Err(Refusal::new(Reason::ObjectClassModsProhibited, message))
        }
        _ => Ok(()),
    }
}

/// Whether the domain lets no two entries of a directory share a value of this attribute.
pub(super) fn is_unique(tree: &Tree<'_>, description: &AttributeDescription<'_>) -> bool {
    let attribute = description.attribute(tree.schema());
    tree.namespace().unique.iter().any(|name| match (attribute, tree.schema().attribute(name)) {
        (Some(attribute), Some(unique)) => attribute.id() == unique.id(),
        _ => name.eq_ignore_ascii_case(description.name()),
    })
}

/// No other entry below `parent` has this value, if the domain wants it so.
pub(super) fn unique(
    tree: &Tree<'_>,
    parent: u32,
    object: Option<u32>,
    description: &AttributeDescription<'_>,
    value: &[u8],
) -> Result<(), Refusal> {
    let Some(wanted) =
        is_unique(tree, description).then(|| tree.namespace().wanted(description.name())).flatten()
    else {
        return Ok(());
    };
    let lookups = tree.lookups(&wanted, value)?;
    let mut candidates = roaring::RoaringBitmap::new();
    for lookup in &lookups.terms {
        tree.view().collect(lookup.term(), &mut candidates)?;
    }
    let rule = description.attribute(tree.schema()).and_then(|attribute| attribute.equality());
    let assertion = wanted.assertion(value);
    for candidate in candidates.into_iter().filter(|rival| Some(*rival) != object) {
        let Ok(record) = tree.view().record(candidate) else { continue };
        if record.parent() != parent {
            continue;
        }
        let mut taken = false;
        tree.entry(candidate)?.values(&wanted, &mut |own| {
            taken = crate::name::equal(tree.schema(), rule, &assertion, own);
            !taken
        })?;
        if taken {
            let message = format!("{}: another entry has this value", wanted.name());
            return Err(Refusal::new(Reason::ConstraintViolation, message));
        }
    }
    Ok(())
}
