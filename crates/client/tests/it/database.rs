//! A database in memory that executes enough of the NetInfo protocol to edit trees.

use std::sync::Mutex;

use netinfo_wire::netinfo::{
    self, CreateArgs, CreatePropArgs, DestroyArgs, Id, IdListBuf, LookupArgs, NameArgs, Procedure, PropArgs,
    PropListBuf, PropNameArgs, Property, Status, WritePropArgs, put_bool, put_count, put_id, put_status,
};
use netinfo_wire::rpc::{AcceptStat, Call};
use netinfo_wire::xdr::put_u32;

use crate::fake::{Action, Fake};
use netinfo_client::Domain;

#[derive(Clone, Default)]
struct Directory {
    instance: u32,
    parent: u32,
    children: Vec<u32>,
    props: Vec<Property>,
}

/// Directories by object id; ids are never used again.
#[derive(Default)]
pub(crate) struct Database {
    directories: Vec<Option<Directory>>,
    /// Writes still to be answered with `Stale`, as if another writer had been faster.
    pub(crate) interference: u32,
    pub(crate) writes: u32,
}

impl Database {
    pub(crate) fn new() -> Self {
        Self { directories: vec![Some(Directory::default())], ..Self::default() }
    }

    fn get(&self, object: u32) -> Result<&Directory, Status> {
        self.directories.get(object as usize).and_then(Option::as_ref).ok_or(Status::NoDir)
    }

    /// The directory to be written, with its instance checked and increased.
    fn current(&mut self, id: Id) -> Result<&mut Directory, Status> {
        self.writes += 1;
        let slot =
            self.directories.get_mut(id.object as usize).and_then(Option::as_mut).ok_or(Status::NoDir)?;
        if self.interference > 0 {
            self.interference -= 1;
            slot.instance += 1;
        }
        if slot.instance != id.instance {
            return Err(Status::Stale);
        }
        slot.instance += 1;
        Ok(slot)
    }

    fn id(&self, object: u32) -> Result<Id, Status> {
        Ok(Id::new(object, self.get(object)?.instance))
    }

    fn matching(&self, args: &LookupArgs<'_>) -> Result<Vec<u32>, Status> {
        let hit = |child: &u32| {
            let props = &self.get(*child).unwrap().props;
            props
                .iter()
                .find(|p| p.name == args.key)
                .is_some_and(|p| p.values.iter().any(|v| v == args.value))
        };
        let hits: Vec<u32> = self.get(args.id.object)?.children.iter().copied().filter(hit).collect();
        if hits.is_empty() { Err(Status::NoDir) } else { Ok(hits) }
    }

    fn execute(&mut self, procedure: Procedure, args: &[u8], out: &mut Vec<u8>) -> Result<(), Status> {
        let body = match procedure {
            Procedure::Root => encoded(|b| self.id(0).map(|id| put_id(b, id)))?,
            Procedure::SelfId => {
                encoded(|b| self.id(Id::decode(args).unwrap().object).map(|id| put_id(b, id)))?
            }
            Procedure::Parent => {
                let object = Id::decode(args).unwrap().object;
                let parent = self.get(object)?.parent;
                encoded(|b| {
                    put_u32(b, parent);
                    self.id(object).map(|id| put_id(b, id))
                })?
            }
            Procedure::Read => {
                let id = Id::decode(args).unwrap();
                let props: PropListBuf = self.get(id.object)?.props.iter().collect();
                encoded(|b| {
                    put_id(b, self.id(id.object)?);
                    props.as_list().encode(b);
                    Ok(())
                })?
            }
            Procedure::Children | Procedure::Lookup => {
                let (object, ids) = if procedure == Procedure::Lookup {
                    let args = LookupArgs::decode(args).unwrap();
                    (args.id.object, self.matching(&args)?)
                } else {
                    let object = Id::decode(args).unwrap().object;
                    (object, self.get(object)?.children.clone())
                };
                let ids: IdListBuf = ids.into_iter().collect();
                encoded(|b| {
                    ids.as_list().encode(b);
                    self.id(object).map(|id| put_id(b, id))
                })?
            }
            Procedure::LookupRead => {
                let args = LookupArgs::decode(args).unwrap();
                let hit = *self.matching(&args)?.first().unwrap();
                let props: PropListBuf = self.get(hit)?.props.iter().collect();
                encoded(|b| {
                    put_id(b, self.id(args.id.object)?);
                    props.as_list().encode(b);
                    Ok(())
                })?
            }
            Procedure::List => self.list(&NameArgs::decode(args).unwrap())?,
            _ => self.execute_write(procedure, args)?,
        };
        out.extend(body);
        Ok(())
    }

    fn list(&self, args: &NameArgs<'_>) -> Result<Vec<u8>, Status> {
        let children = &self.get(args.id.object)?.children;
        encoded(|b| {
            put_count(b, children.len() as u32);
            for child in children {
                put_u32(b, *child);
                let property = self.get(*child)?.props.iter().find(|p| p.name == args.name);
                put_bool(b, property.is_some());
                if let Some(property) = property {
                    let values: netinfo::NameListBuf = property.values.iter().collect();
                    values.as_list().encode(b);
                }
            }
            self.id(args.id.object).map(|id| put_id(b, id))
        })
    }

    fn execute_write(&mut self, procedure: Procedure, args: &[u8]) -> Result<Vec<u8>, Status> {
        let id = match procedure {
            Procedure::Create => {
                let args = CreateArgs::decode(args).unwrap();
                let object = self.directories.len() as u32;
                self.current(args.parent)?.children.push(object);
                let props = args.props.to_vec();
                let new = Directory { parent: args.parent.object, props, ..Directory::default() };
                self.directories.push(Some(new));
                return encoded(|b| {
                    put_id(b, Id::new(object, 0));
                    self.id(args.parent.object).map(|id| put_id(b, id))
                });
            }
            Procedure::Destroy => {
                let args = DestroyArgs::decode(args).unwrap();
                let child = self.get(args.id.object)?.clone();
                if child.instance != args.id.instance {
                    return Err(Status::Stale);
                }
                if !child.children.is_empty() {
                    return Err(Status::NotEmpty);
                }
                self.current(args.parent)?.children.retain(|c| *c != args.id.object);
                self.directories[args.id.object as usize] = None;
                args.parent
            }
            Procedure::CreateProp => {
                let args = CreatePropArgs::decode(args).unwrap();
                let values = args.values.to_vec();
                self.current(args.id)?.props.push(Property { name: args.name.to_vec(), values });
                args.id
            }
            Procedure::WriteProp => {
                let args = WritePropArgs::decode(args).unwrap();
                let slot = self.current(args.id)?;
                slot.props.get_mut(args.prop_index as usize).ok_or(Status::NoProp)?.values =
                    args.values.to_vec();
                args.id
            }
            Procedure::RenameProp => {
                let args = PropNameArgs::decode(args).unwrap();
                let slot = self.current(args.id)?;
                slot.props.get_mut(args.prop_index as usize).ok_or(Status::NoProp)?.name = args.name.to_vec();
                args.id
            }
            Procedure::DestroyProp => {
                let args = PropArgs::decode(args).unwrap();
                self.current(args.id)?.props.remove(args.prop_index as usize);
                args.id
            }
            other => panic!("{other:?} is not part of this database"),
        };
        encoded(|b| self.id(id.object).map(|id| put_id(b, id)))
    }
}

fn encoded(fill: impl FnOnce(&mut Vec<u8>) -> Result<(), Status>) -> Result<Vec<u8>, Status> {
    let mut body = Vec::new();
    put_status(&mut body, Status::Ok);
    fill(&mut body)?;
    Ok(body)
}

/// A server of the NetInfo program over `database`.
pub(crate) fn execute(database: &Mutex<Database>, call: &Call<'_>) -> Action {
    if call.prog != netinfo::PROGRAM {
        return Action::Fail(AcceptStat::ProgUnavail);
    }
    let mut results = Vec::new();
    let procedure = Procedure::try_from(call.proc).unwrap();
    if let Err(status) = database.lock().unwrap().execute(procedure, call.args, &mut results) {
        put_status(&mut results, status);
    }
    Action::Reply(results)
}

/// A domain over a database in memory, and that database.
pub(crate) fn domain(database: Database) -> (Domain, std::sync::Arc<Mutex<Database>>) {
    let database = std::sync::Arc::new(Mutex::new(database));
    let shared = database.clone();
    let fake = Fake::tcp(move |call, _, _| execute(&shared, call));
    (Domain::new(fake.connection()), database)
}
