//! Procedures that change: arguments to [`Change`], outcomes to replies.

use netinfo_directory::{Change, Id as CoreId, Outcome, Property, Result as CoreResult, Target};
use netinfo_wire::netinfo::{
    CreateArgs, CreateNameArgs, CreatePropArgs, DestroyArgs, Id, NameIndexArgs, NameList, Procedure,
    PropArgs, PropList, PropListArgs, PropNameArgs, Status, WriteNameArgs, WritePropArgs, put_id, put_status,
};
use netinfo_wire::rpc::{AcceptStat, put_accepted};

use super::{Refusal, reads::wire, status_of};

fn target(id: Id) -> Target {
    Target { object: id.object, instance: Some(id.instance) }
}

fn values(list: NameList<'_>) -> Vec<Vec<u8>> {
    list.iter().map(<[u8]>::to_vec).collect()
}

fn properties(list: PropList<'_>) -> Vec<Property> {
    list.iter().map(|(name, list)| Property { name: name.to_vec(), values: values(list) }).collect()
}

/// The change a call asks for, and the `target_id` of a CREATE, which does not influence what is done.
pub(crate) fn change(procedure: Procedure, args: &[u8]) -> Result<(Change, Option<CoreId>), Refusal> {
    let mut target_id = None;
    let change = match procedure {
        Procedure::Create => {
            let a = CreateArgs::decode(args)?;
            target_id = a.target.map(|id| CoreId { object: id.object, instance: id.instance });
            Change::Create { parent: target(a.parent), properties: properties(a.props), position: a.position }
        }
        Procedure::Destroy => {
            let a = DestroyArgs::decode(args)?;
            Change::Destroy { parent: target(a.parent), child: target(a.id) }
        }
        Procedure::Write => {
            let a = PropListArgs::decode(args)?;
            Change::Write { directory: target(a.id), properties: properties(a.props) }
        }
        Procedure::CreateProp => {
            let a = CreatePropArgs::decode(args)?;
            let property = Property { name: a.name.to_vec(), values: values(a.values) };
            Change::CreateProperty { directory: target(a.id), property, position: a.position }
        }
        Procedure::DestroyProp => {
            let a = PropArgs::decode(args)?;
            Change::DestroyProperty { directory: target(a.id), index: a.prop_index }
        }
        Procedure::WriteProp => {
            let a = WritePropArgs::decode(args)?;
            Change::WriteProperty { directory: target(a.id), index: a.prop_index, values: values(a.values) }
        }
        Procedure::RenameProp => {
            let a = PropNameArgs::decode(args)?;
            Change::RenameProperty { directory: target(a.id), index: a.prop_index, name: a.name.to_vec() }
        }
        Procedure::CreateName => {
            let a = CreateNameArgs::decode(args)?;
            let value = a.name.to_vec();
            Change::CreateValue { directory: target(a.id), index: a.prop_index, value, position: a.position }
        }
        Procedure::DestroyName => {
            let a = NameIndexArgs::decode(args)?;
            Change::DestroyValue { directory: target(a.id), index: a.prop_index, value_index: a.name_index }
        }
        Procedure::WriteName => {
            let a = WriteNameArgs::decode(args)?;
            let value = a.name.to_vec();
            Change::WriteValue {
                directory: target(a.id),
                index: a.prop_index,
                value_index: a.name_index,
                value,
            }
        }
        _ => return Err(Refusal::Garbage),
    };
    Ok((change, target_id))
}

/// The reply to a change.
pub(crate) fn encode_outcome(
    xid: u32,
    procedure: Procedure,
    result: &CoreResult<Vec<Outcome>>,
    out: &mut Vec<u8>,
) {
    put_accepted(out, xid, AcceptStat::Success);
    match result {
        Ok(outcomes) => {
            put_status(out, Status::Ok);
            for outcome in outcomes {
                if let Some(created) = outcome.created.filter(|_| procedure == Procedure::Create) {
                    put_id(out, wire(created));
                }
                put_id(out, wire(outcome.id));
            }
        }
        Err(error) => put_status(out, status_of(error)),
    }
}
