//! Changes as the calls that repeat them at a clone (NetInfo protocol, "what is pushed").
//!
//! Arguments are those of the original call, with the instances from before the change; CREATE tells the id that the new
//! directory got. Changes that came by another protocol look the same. Two kinds have no call: a stamp is nothing a clone could know,
//! and after a move it has to copy everything.

use netinfo_directory::{Change, Committed, Property, Target};
use netinfo_wire::netinfo::{
    CreateArgs, CreateNameArgs, CreatePropArgs, DestroyArgs, Id, NameIndexArgs, NameListBuf, Procedure,
    PropArgs, PropListArgs, PropListBuf, PropNameArgs, WriteNameArgs, WritePropArgs, cut,
};
use zeroize::Zeroizing;

/// One call to a clone.
pub(super) struct Call {
    pub(super) procedure: Procedure,
    /// Encoded arguments; they may hold passwords.
    pub(super) args: Zeroizing<Vec<u8>>,
    /// Object id of the directory that a CREATE made.
    pub(super) created: Option<u32>,
}

/// How a change is told to a clone.
pub(super) enum Push {
    /// By this call.
    Call(Call),
    /// Not at all: clones know nothing of it.
    Nothing,
    /// No procedure does it: the clone has to copy everything.
    Copy,
}

/// How a change is told.
pub(super) fn push(committed: &Committed) -> Push {
    let mut args = Zeroizing::new(Vec::with_capacity(128));
    let created = committed.outcome.created.map(|id| id.object);
    match encode(committed, &mut args) {
        Ok(procedure) => Push::Call(Call { procedure, args, created }),
        Err(other) => other,
    }
}

/// The procedure that repeats a change, and its arguments; what else is to be done where there is none.
fn encode(committed: &Committed, args: &mut Vec<u8>) -> Result<Procedure, Push> {
    let id = id(committed.change.directory());
    Ok(match &committed.change {
        Change::Create { properties: list, position, .. } => {
            let target = committed.outcome.created.map(|id| Id::new(id.object, id.instance));
            let props = properties(list);
            CreateArgs { parent: id, props: props.as_list(), position: *position, target }.encode(args);
            Procedure::Create
        }
        Change::Destroy { child, .. } => {
            DestroyArgs { parent: id, id: self::id(*child) }.encode(args);
            Procedure::Destroy
        }
        Change::Write { properties: list, .. } => {
            PropListArgs { id, props: properties(list).as_list() }.encode(args);
            Procedure::Write
        }
        Change::CreateProperty { property, position, .. } => {
            let list = values(&property.values);
            let (name, values) = (cut(&property.name), list.as_list());
            CreatePropArgs { id, name, values, position: *position }.encode(args);
            Procedure::CreateProp
        }
        Change::DestroyProperty { index, .. } => {
            PropArgs { id, prop_index: *index }.encode(args);
            Procedure::DestroyProp
        }
        Change::WriteProperty { index, values: list, .. } => {
            WritePropArgs { id, prop_index: *index, values: values(list).as_list() }.encode(args);
            Procedure::WriteProp
        }
        Change::RenameProperty { index, name, .. } => {
            PropNameArgs { id, prop_index: *index, name: cut(name) }.encode(args);
            Procedure::RenameProp
        }
        Change::CreateValue { index, value, position, .. } => {
            CreateNameArgs { id, prop_index: *index, name: cut(value), position: *position }.encode(args);
            Procedure::CreateName
        }
        Change::DestroyValue { index, value_index, .. } => {
            NameIndexArgs { id, prop_index: *index, name_index: *value_index }.encode(args);
            Procedure::DestroyName
        }
        Change::WriteValue { index, value_index, value, .. } => {
            WriteNameArgs { id, prop_index: *index, name_index: *value_index, name: cut(value) }.encode(args);
            Procedure::WriteName
        }
        Change::Move { .. } => return Err(Push::Copy),
        Change::SetStamp { .. } => return Err(Push::Nothing),
    })
}

/// The directory with the instance the feed has filled in.
fn id(target: Target) -> Id {
    Id::new(target.object, target.instance.unwrap_or(0))
}

fn values(list: &[Vec<u8>]) -> NameListBuf {
    let mut names = NameListBuf::default();
    for value in list {
        names.push(cut(value));
    }
    names
}

fn properties(list: &[Property]) -> PropListBuf {
    let mut props = PropListBuf::default();
    for property in list {
        props.push(cut(&property.name), property.values.iter().map(|value| cut(value)));
    }
    props
}
