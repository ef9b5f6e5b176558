//! Procedures that read one directory or look one up.

use netinfo_directory::{Error, Id as CoreId, ROOT, RecordRef, Values, View};
use netinfo_wire::netinfo::{
    Id, IdListWriter, LookupArgs, NameIndexArgs, Procedure, PropArgs, Status, cut, put_count, put_id,
    put_name, put_status,
};
use netinfo_wire::xdr::put_u32;

use super::Refusal;

/// Whether a procedure is answered here.
pub(super) fn answers(procedure: Procedure) -> bool {
    use Procedure::{ListProps, Lookup, LookupRead, Parent, Read, ReadName, ReadProp, Root, SelfId};
    matches!(procedure, Root | SelfId | Parent | Read | ListProps | ReadProp | ReadName | Lookup | LookupRead)
}

/// Writes a whole result behind the head of the reply.
pub(super) fn answer(
    view: &View<'_>,
    procedure: Procedure,
    args: &[u8],
    out: &mut Vec<u8>,
) -> Result<(), Refusal> {
    match procedure {
        Procedure::Root => ok_id(out, view.id(ROOT)?),
        Procedure::SelfId => {
            let id = Id::decode(args)?;
            ok_id(out, view.resolve(id.object, id.instance)?);
        }
        Procedure::Parent => {
            let record = view.record(Id::decode(args)?.object)?;
            put_status(out, Status::Ok);
            put_u32(out, record.parent());
            put_id(out, wire(record.id()));
        }
        Procedure::Read => {
            let object = Id::decode(args)?.object;
            put_status(out, Status::Ok);
            let mark = out.len();
            put_id(out, Id::new(object, 0));
            let id = view.render(object, out, put_properties)?;
            out[mark + 4..mark + 8].copy_from_slice(&id.instance.to_be_bytes());
        }
        Procedure::ListProps => {
            let record = view.record(Id::decode(args)?.object)?;
            put_status(out, Status::Ok);
            put_count(out, record.property_count() as u32);
            record.properties().for_each(|p| put_name(out, cut(p.name)));
            put_id(out, wire(record.id()));
        }
        Procedure::ReadProp => {
            let args = PropArgs::decode(args)?;
            let record = view.record(args.id.object)?;
            let property = record.properties().nth(args.prop_index as usize).ok_or(Error::NoSuchProperty)?;
            put_status(out, Status::Ok);
            put_values(out, property.values);
            put_id(out, wire(record.id()));
        }
        Procedure::ReadName => {
            let args = NameIndexArgs::decode(args)?;
            let record = view.record(args.id.object)?;
            let property = record.properties().nth(args.prop_index as usize).ok_or(Error::NoSuchProperty)?;
            let mut values = property.values;
            let value = values.nth(args.name_index as usize).ok_or(Error::NoSuchValue)?;
            ok_id(out, record.id());
            put_name(out, cut(value));
        }
        Procedure::Lookup => lookup(view, &LookupArgs::decode(args)?, out)?,
        Procedure::LookupRead => {
            let args = LookupArgs::decode(args)?;
            let directory = view.id(args.id.object)?;
            let hit =
                view.lookup_first(directory.object, args.key, args.value)?.ok_or(Error::NoSuchDirectory)?;
            ok_id(out, directory);
            view.render(hit, out, put_properties)?;
        }
        // The others are answered elsewhere.
        _ => return Err(Refusal::Garbage),
    }
    Ok(())
}

fn lookup(view: &View<'_>, args: &LookupArgs<'_>, out: &mut Vec<u8>) -> Result<(), Refusal> {
    let directory = view.id(args.id.object)?;
    let hits = view.lookup(directory.object, args.key, args.value)?;
    if hits.is_empty() {
        return Err(Error::NoSuchDirectory.into());
    }
    put_status(out, Status::Ok);
    let mut list = IdListWriter::new(out);
    hits.into_iter().for_each(|hit| list.id(hit));
    put_id(out, wire(directory));
    Ok(())
}

pub(super) fn wire(id: CoreId) -> Id {
    Id::new(id.object, id.instance)
}

fn ok_id(out: &mut Vec<u8>, id: CoreId) {
    put_status(out, Status::Ok);
    put_id(out, wire(id));
}

pub(super) fn put_values(out: &mut Vec<u8>, values: Values<'_>) {
    put_count(out, values.len() as u32);
    for value in values {
        put_name(out, cut(value));
    }
}

/// A property list, copied from the store's bytes into the reply.
pub(super) fn put_properties(record: &RecordRef<'_>, out: &mut Vec<u8>) {
    put_count(out, record.property_count() as u32);
    for property in record.properties() {
        put_name(out, cut(property.name));
        put_values(out, property.values);
    }
}
