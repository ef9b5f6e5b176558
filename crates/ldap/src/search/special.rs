//! Entries that stand for others: aliases (RFC 4512 §2.6), referrals (RFC 3296); and subentries (RFC 3672).

use netinfo_directory::{PropertyRef, RecordRef};
use netinfo_mapping::name::Name;
use netinfo_wire::ldap::{Message, Response, Scope, UrisBuf};

use super::ground::Subject;
use crate::failure::Outcome;
use crate::referral;

/// What an entry is besides an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Special {
    /// Nothing.
    Plain,
    /// Another name of an entry.
    Alias,
    /// The place of entries that another server holds.
    Referral,
    /// Administrative information about entries.
    Subentry,
}

/// Names and OIDs of the classes.
const CLASSES: [(&str, &str, Special); 3] = [
    ("alias", "2.5.6.1", Special::Alias),
    ("referral", "2.16.840.1.113730.3.2.6", Special::Referral),
    ("subentry", "2.5.17.0", Special::Subentry),
];

/// Names and OID of the attribute with the name that an alias stands for.
const ALIASED: [&str; 3] = ["aliasedObjectName", "aliasedEntryName", "2.5.4.1"];

/// Property that holds the classes of an entry that stores them. Those that do not are never special.
pub(crate) const OBJECT_CLASS: &[u8] = b"objectClass";

/// What the stored classes of a directory make it.
pub(crate) fn of(record: &RecordRef<'_>) -> Special {
    let Some(classes) = record.property(OBJECT_CLASS) else { return Special::Plain };
    for class in classes.values {
        // The first letters tell most classes apart.
        if !matches!(class.first(), Some(b'a' | b'A' | b'r' | b'R' | b's' | b'S' | b'2')) {
            continue;
        }
        let known = CLASSES
            .iter()
            .find(|(name, oid, _)| class.eq_ignore_ascii_case(name.as_bytes()) || class == oid.as_bytes());
        if let Some((_, _, special)) = known {
            return *special;
        }
    }
    Special::Plain
}

/// Names and OIDs of a class, for looking for its entries.
pub(crate) fn names(special: Special) -> Option<[&'static str; 2]> {
    CLASSES.iter().find(|row| row.2 == special).map(|row| [row.0, row.1])
}

/// The name an alias stands for.
pub(crate) fn target(record: &RecordRef<'_>) -> Option<Vec<u8>> {
    let named = |property: &PropertyRef<'_>| {
        ALIASED.iter().any(|name| property.name.eq_ignore_ascii_case(name.as_bytes()))
    };
    record.properties().find(named)?.values.next().map(<[u8]>::to_vec)
}

/// Appends a reference to where a search goes on (RFC 3296 §5.2). Nothing if the referral leads nowhere.
pub(crate) fn write_reference(
    subject: &Subject<'_>,
    scope: Scope,
    id: u32,
    out: &mut Vec<u8>,
) -> Outcome<()> {
    let Some(urls) = referral::urls_of(subject.record()) else { return Ok(()) };
    let own = subject.dn()?;
    let Ok(name) = Name::parse(own.as_bytes()) else { return Ok(()) };
    // What is one level below the base here is the base there.
    let scope = match scope {
        Scope::Base | Scope::One => Scope::Base,
        Scope::Subtree | Scope::Subordinate => Scope::Subtree,
    };
    let urls = referral::adjusted(&urls, &name, 0, Some(scope));
    let uris: UrisBuf = urls.iter().map(String::as_bytes).collect();
    Message::new(id, Response::SearchReference(uris.as_list())).encode(out);
    Ok(())
}
