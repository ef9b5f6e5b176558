//! What a record says of its password is kept true when the password is changed, whatever the front-end.

use super::{Standing, lockout};
use crate::access::Tree;
use crate::apply::Applier;
use crate::change::Change;
use crate::error::Result;
use crate::model::{Id, Property, Target};
use crate::record::RecordRef;
use crate::session::Session;

/// The property passwords are kept in.
const PASSWORD: &[u8] = b"passwd";
/// The properties that say when a password was changed, and when it is to be.
const NOTES: [&[u8]; 2] = [b"change", b"shadowlastchange"];

/// Whether a change brings a new password, and does not say itself when that was.
pub(crate) fn is_new_password(before: &[Property], after: &[Property]) -> bool {
    let password = |list: &[Property]| list.iter().find(|p| p.name == PASSWORD).cloned();
    let is_note = |p: &&Property| NOTES.iter().any(|note| p.name.eq_ignore_ascii_case(note));
    let new = password(after);
    new.is_some() && new != password(before) && before.iter().filter(is_note).eq(after.iter().filter(is_note))
}

/// Notes in records whose password has been changed by `session` that it is new: users may not do that themselves. Tells
/// which directories have been written. Servers of a domain tell each other what to write; the historical server noted
/// nothing.
pub(crate) fn note_new_passwords(
    applier: &mut Applier<'_, '_>,
    session: &Session,
    at: u64,
) -> Result<Vec<Id>> {
    let objects = std::mem::take(&mut applier.new_passwords);
    if session.is_update() || applier.policy.historical {
        return Ok(Vec::new());
    }
    let by = Session { alias: Some(session.name().into()), ..Session::internal() };
    let mut written = Vec::new();
    for object in objects {
        // One by one, because each counts the properties anew.
        while let Some(change) = next_note(applier, object, at)? {
            written.push(applier.apply(&by, change, at)?.id);
        }
    }
    applier.new_passwords.clear();
    Ok(written)
}

fn next_note(applier: &Applier<'_, '_>, object: u32, at: u64) -> Result<Option<Change>> {
    let record = Tree { store: applier.store, txn: &applier.txn }.record(object)?;
    let notes = Standing::of(&record, at).after_change();
    let missing = notes.into_iter().find(|(name, value)| record.first_value(name) != Some(value));
    // Nor do wrong passwords matter that were tried for the old one.
    Ok(missing.map(|(name, value)| write(&record, name, value)).or_else(|| lockout::forgotten(&record)))
}

/// The change that leaves a property with one value.
fn write(record: &RecordRef<'_>, name: Vec<u8>, value: Vec<u8>) -> Change {
    let directory = Target::from(record.id());
    match record.properties().position(|property| property.name == name) {
        Some(index) => Change::WriteProperty { directory, index: index as u32, values: vec![value] },
        None => {
            let property = Property { name, values: vec![value] };
            Change::CreateProperty { directory, property, position: u32::MAX }
        }
    }
}
