//! Properties and values.

use netinfo_formats::nidb::{Attribute, Datum, StoreErrorKind, StoredRecord};

use super::tree;
use crate::io::Io;
use crate::nicl::session::{Call, Fault, Session};
use crate::text::atoi;

/// `create PATH [KEY [VAL...]]`: the directory is there by now.
pub(super) fn create(session: &mut Session, call: &Call<'_>, _: &mut Io<'_>) -> Result<(), Fault> {
    match call.args.split_first() {
        Some((key, values)) => Ok(session.store.assign(call.object, key, values)?),
        None => Ok(()),
    }
}

/// `append PATH KEY VAL...`
pub(super) fn append(session: &mut Session, call: &Call<'_>, _: &mut Io<'_>) -> Result<(), Fault> {
    let mut values = known(session, call)?.unwrap_or_default();
    values.extend_from_slice(call.rest(1));
    Ok(session.store.extend(call.object, call.arg(0), &values)?)
}

/// `merge PATH KEY VAL...`
pub(super) fn merge(session: &mut Session, call: &Call<'_>, _: &mut Io<'_>) -> Result<(), Fault> {
    let mut values = known(session, call)?.unwrap_or_default();
    let before = values.len();
    for value in call.rest(1) {
        if !values.contains(value) {
            values.push(value.clone());
        }
    }
    if values.len() == before {
        return Ok(());
    }
    Ok(session.store.extend(call.object, call.arg(0), &values)?)
}

/// `insert PATH KEY VAL INDEX`
pub(super) fn insert(session: &mut Session, call: &Call<'_>, io: &mut Io<'_>) -> Result<(), Fault> {
    let Some(mut values) = known(session, call)? else {
        let kind = StoreErrorKind::InvalidKey;
        io.complain(&[b"Insert failed: ", call.arg(0), b": ", kind.name().as_bytes()]);
        return Err(Fault::Said(kind.code()));
    };
    let index = usize::try_from(atoi(call.arg(2))).unwrap_or(values.len()).min(values.len());
    values.insert(index, call.arg(1).to_vec());
    Ok(session.store.extend(call.object, call.arg(0), &values)?)
}

/// `rename PATH OLD NEW`
pub(super) fn rename(session: &mut Session, call: &Call<'_>, io: &mut Io<'_>) -> Result<(), Fault> {
    let mut record = session.store.fetch(call.object)?;
    let (was_meta, old) = key_of(call.arg(0));
    let (is_meta, new) = key_of(call.arg(1));
    let Some(index) = position(list(&mut record, was_meta), old) else {
        return Err(no_such_key(call.arg(0), io));
    };
    if was_meta == is_meta {
        if let Some(attribute) = list(&mut record, was_meta).get_mut(index) {
            attribute.key = Datum::text(new);
        }
    } else {
        let mut moved = list(&mut record, was_meta).remove(index);
        moved.key = Datum::text(new);
        list(&mut record, is_meta).push(moved);
    }
    Ok(session.store.rewrite(record)?)
}

/// `delete PATH [KEY [VAL...]]`
pub(super) fn delete(session: &mut Session, call: &Call<'_>, io: &mut Io<'_>) -> Result<(), Fault> {
    let Some((key, values)) = call.args.split_first() else { return tree::remove(session, call, io) };
    let mut record = session.store.fetch(call.object)?;
    let (meta, name) = key_of(key);
    let attributes = list(&mut record, meta);
    let index = position(attributes, name);
    match index.and_then(|index| attributes.get_mut(index)) {
        None if values.is_empty() => return Ok(()),
        None => return Err(no_such_key(key, io)),
        Some(_) if values.is_empty() => index.into_iter().for_each(|index| drop(attributes.remove(index))),
        Some(attribute) => {
            for value in values {
                let first = attribute.values.iter().position(|known| *known.bytes() == **value);
                first.into_iter().for_each(|first| drop(attribute.values.remove(first)));
            }
        }
    }
    Ok(session.store.rewrite(record)?)
}

/// `setrdn PATH KEY`: the property by which the directory is named; `name` is the usual one.
pub(super) fn set_rdn(session: &mut Session, call: &Call<'_>, _: &mut Io<'_>) -> Result<(), Fault> {
    let mut record = session.store.fetch(call.object)?;
    let known = position(&record.metas, b"rdn");
    match (known, call.arg(0)) {
        (None, b"name") => return Ok(()),
        (Some(index), b"name") => drop(record.metas.remove(index)),
        (known, key) => {
            let new = Attribute::text(b"rdn", [key]);
            match known.and_then(|index| record.metas.get_mut(index)) {
                Some(attribute) => *attribute = new,
                None => record.metas.push(new),
            }
        }
    }
    Ok(session.store.rewrite(record)?)
}

/// The values of the property that the first argument names.
fn known(session: &mut Session, call: &Call<'_>) -> Result<Option<Vec<Vec<u8>>>, Fault> {
    let record = session.store.fetch(call.object)?;
    let attribute = record.property(call.arg(0));
    Ok(attribute.map(|a| a.values.iter().map(|value| value.bytes().into_owned()).collect()))
}

/// Whether a key is that of a meta-attribute, and the key without its underscore.
fn key_of(key: &[u8]) -> (bool, &[u8]) {
    key.strip_prefix(b"_").map_or((false, key), |key| (true, key))
}

fn list(record: &mut StoredRecord, meta: bool) -> &mut Vec<Attribute> {
    if meta { &mut record.metas } else { &mut record.attributes }
}

fn position(attributes: &[Attribute], key: &[u8]) -> Option<usize> {
    let key = Datum::text(key);
    attributes.iter().position(|attribute| attribute.key.matches(&key))
}

fn no_such_key(key: &[u8], io: &mut Io<'_>) -> Fault {
    io.complain(&[b"No such key: ", key]);
    Fault::Said(StoreErrorKind::InvalidKey.code())
}
