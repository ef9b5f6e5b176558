//! A domain as a caller sees it: the procedures with plain Rust values.

use netinfo_testkit::Caller;
use netinfo_testkit::endpoints::Pair;
use netinfo_wire::netinfo::{
    Answer, CreateArgs, CreateNameArgs, CreatePropArgs, Created, DestroyArgs, Entry, Failure, INDEX_NULL, Id,
    LookupArgs, NameArgs, NameIndexArgs, NameListBuf, Procedure, PropArgs, PropListArgs, PropListBuf,
    PropNameArgs, Property, Status, WriteNameArgs, WritePropArgs, decode_children_res, decode_create_res,
    decode_id_res, decode_list_res, decode_listall_res, decode_lookup_res, decode_namelist_res,
    decode_parent_res, decode_proplist_res, decode_readname_res, put_checksum,
};

/// Properties as tests write them.
pub(crate) type Props<'a> = &'a [(&'a str, &'a [&'a str])];

/// What a call gives, or the status of the server.
pub(crate) type Reply<T> = Result<T, Status>;

/// A caller that speaks to one domain.
pub(crate) struct Tree {
    pub(crate) caller: Caller,
}

impl Tree {
    /// From an ordinary port, as nobody.
    pub(crate) fn anonymous(domain: Pair) -> Self {
        Self { caller: Caller::tcp(domain.tcp) }
    }

    /// From a reserved port of this machine: the superuser.
    pub(crate) fn privileged(domain: Pair) -> Self {
        Self { caller: Caller::tcp_privileged(domain.tcp) }
    }

    /// From an ordinary port, with uid and password.
    pub(crate) fn user(domain: Pair, uid: u32, password: &str) -> Self {
        Self { caller: Caller::tcp(domain.tcp).with_password(uid, password.as_bytes()) }
    }

    /// The current id of a directory that exists.
    pub(crate) fn at(&mut self, object: u32) -> Id {
        self.self_id(Id::new(object, 0)).unwrap()
    }

    /// Makes a directory at the end of `parent`, whatever its instance, and returns its object id.
    pub(crate) fn make(&mut self, parent: u32, props: Props<'_>) -> u32 {
        let parent = self.at(parent);
        self.create(parent, props).unwrap().id.object
    }

    /// Sets one property of a directory, whatever its instance: replaces the values, or appends it.
    pub(crate) fn set(&mut self, object: u32, name: &str, values: &[&str]) {
        let id = self.at(object);
        let known = self.read(object).unwrap().iter().position(|property| property.name == name.as_bytes());
        match known {
            Some(index) => self.write_prop(id, index as u32, values).unwrap(),
            None => self.create_prop(id, name, values, INDEX_NULL).unwrap(),
        };
    }

    /// Removes the first property of this name, whatever the instance.
    pub(crate) fn unset(&mut self, object: u32, name: &str) {
        let id = self.at(object);
        let index = self.read(object).unwrap().iter().position(|p| p.name == name.as_bytes()).unwrap();
        self.destroy_prop(id, index as u32).unwrap();
    }

    pub(crate) fn self_id(&mut self, id: Id) -> Reply<Id> {
        self.call(Procedure::SelfId, |args| id.encode(args), decode_id_res)
    }

    pub(crate) fn parent(&mut self, object: u32) -> Reply<(u32, Id)> {
        self.call(Procedure::Parent, |args| Id::new(object, 0).encode(args), decode_parent_res)
    }

    pub(crate) fn children(&mut self, object: u32) -> Reply<(Vec<u32>, Id)> {
        self.call(Procedure::Children, |args| Id::new(object, 0).encode(args), decode_children_res)
    }

    pub(crate) fn read(&mut self, object: u32) -> Reply<Vec<Property>> {
        let read = self.call(Procedure::Read, |args| Id::new(object, 0).encode(args), decode_proplist_res);
        read.map(|(_, properties)| properties)
    }

    pub(crate) fn read_prop(&mut self, object: u32, index: u32) -> Reply<Vec<Vec<u8>>> {
        let args = PropArgs { id: Id::new(object, 0), prop_index: index };
        self.call(Procedure::ReadProp, |buf| args.encode(buf), decode_namelist_res).map(|(values, _)| values)
    }

    pub(crate) fn read_name(&mut self, object: u32, index: u32, value: u32) -> Reply<Vec<u8>> {
        let args = NameIndexArgs { id: Id::new(object, 0), prop_index: index, name_index: value };
        self.call(Procedure::ReadName, |buf| args.encode(buf), decode_readname_res).map(|(_, value)| value)
    }

    pub(crate) fn lookup(&mut self, object: u32, key: &str, value: &str) -> Reply<Vec<u32>> {
        let args = LookupArgs { id: Id::new(object, 0), key: key.as_bytes(), value: value.as_bytes() };
        self.call(Procedure::Lookup, |buf| args.encode(buf), decode_lookup_res).map(|(hits, _)| hits)
    }

    pub(crate) fn lookup_read(&mut self, object: u32, key: &str, value: &str) -> Reply<(Id, Vec<Property>)> {
        let args = LookupArgs { id: Id::new(object, 0), key: key.as_bytes(), value: value.as_bytes() };
        self.call(Procedure::LookupRead, |buf| args.encode(buf), decode_proplist_res)
    }

    pub(crate) fn list(&mut self, object: u32, name: &str) -> Reply<Vec<Entry>> {
        let args = NameArgs { id: Id::new(object, 0), name: name.as_bytes() };
        self.call(Procedure::List, |buf| args.encode(buf), decode_list_res).map(|(entries, _)| entries)
    }

    pub(crate) fn list_all(&mut self, object: u32) -> Reply<Vec<Vec<Property>>> {
        self.call(Procedure::ListAll, |args| Id::new(object, 0).encode(args), decode_listall_res)
            .map(|(_, lists)| lists)
    }

    /// READALL with a checksum: the bytes after the status.
    pub(crate) fn read_all(&mut self, checksum: u32) -> Reply<Vec<u8>> {
        let mut args = Vec::new();
        put_checksum(&mut args, checksum);
        let results = self.caller.netinfo(Procedure::ReadAll, &args);
        match Status::from_code(u32::from_be_bytes(*results.first_chunk().unwrap())) {
            Status::Ok => Ok(results[4..].to_vec()),
            status => Err(status),
        }
    }

    pub(crate) fn create(&mut self, parent: Id, props: Props<'_>) -> Reply<Created> {
        self.create_at(parent, props, INDEX_NULL, None)
    }

    pub(crate) fn create_at(
        &mut self,
        parent: Id,
        props: Props<'_>,
        position: u32,
        target: Option<Id>,
    ) -> Reply<Created> {
        let props = properties(props);
        let args = CreateArgs { parent, props: props.as_list(), position, target };
        self.call(Procedure::Create, |buf| args.encode(buf), decode_create_res)
    }

    pub(crate) fn destroy(&mut self, parent: Id, id: Id) -> Reply<Id> {
        self.call(Procedure::Destroy, |args| DestroyArgs { parent, id }.encode(args), decode_id_res)
    }

    pub(crate) fn write(&mut self, id: Id, props: Props<'_>) -> Reply<Id> {
        let props = properties(props);
        let args = PropListArgs { id, props: props.as_list() };
        self.call(Procedure::Write, |buf| args.encode(buf), decode_id_res)
    }

    pub(crate) fn create_prop(&mut self, id: Id, name: &str, list: &[&str], position: u32) -> Reply<Id> {
        let values = values(list);
        let args = CreatePropArgs { id, name: name.as_bytes(), values: values.as_list(), position };
        self.call(Procedure::CreateProp, |buf| args.encode(buf), decode_id_res)
    }

    pub(crate) fn destroy_prop(&mut self, id: Id, index: u32) -> Reply<Id> {
        let args = PropArgs { id, prop_index: index };
        self.call(Procedure::DestroyProp, |buf| args.encode(buf), decode_id_res)
    }

    pub(crate) fn rename_prop(&mut self, id: Id, index: u32, name: &str) -> Reply<Id> {
        let args = PropNameArgs { id, prop_index: index, name: name.as_bytes() };
        self.call(Procedure::RenameProp, |buf| args.encode(buf), decode_id_res)
    }

    pub(crate) fn write_prop(&mut self, id: Id, index: u32, list: &[&str]) -> Reply<Id> {
        let values = values(list);
        let args = WritePropArgs { id, prop_index: index, values: values.as_list() };
        self.call(Procedure::WriteProp, |buf| args.encode(buf), decode_id_res)
    }

    pub(crate) fn create_name(&mut self, id: Id, index: u32, name: &str, position: u32) -> Reply<Id> {
        let args = CreateNameArgs { id, prop_index: index, name: name.as_bytes(), position };
        self.call(Procedure::CreateName, |buf| args.encode(buf), decode_id_res)
    }

    pub(crate) fn destroy_name(&mut self, id: Id, index: u32, value: u32) -> Reply<Id> {
        let args = NameIndexArgs { id, prop_index: index, name_index: value };
        self.call(Procedure::DestroyName, |buf| args.encode(buf), decode_id_res)
    }

    pub(crate) fn write_name(&mut self, id: Id, index: u32, value: u32, name: &str) -> Reply<Id> {
        let args = WriteNameArgs { id, prop_index: index, name_index: value, name: name.as_bytes() };
        self.call(Procedure::WriteName, |buf| args.encode(buf), decode_id_res)
    }

    fn call<T>(
        &mut self,
        procedure: Procedure,
        encode: impl FnOnce(&mut Vec<u8>),
        decode: impl FnOnce(&[u8]) -> Answer<T>,
    ) -> Reply<T> {
        let mut args = Vec::new();
        encode(&mut args);
        match decode(&self.caller.netinfo(procedure, &args)) {
            Ok(value) => Ok(value),
            Err(Failure::Status(status)) => Err(status),
            Err(Failure::Malformed(error)) => panic!("{procedure:?}: {error}"),
        }
    }
}

/// The values of a property, as text.
pub(crate) fn text(properties: &[Property], name: &str) -> Vec<String> {
    let property = properties.iter().find(|property| property.name == name.as_bytes());
    let values = property.map(|property| property.values.as_slice()).unwrap_or_default();
    values.iter().map(|value| String::from_utf8_lossy(value).into_owned()).collect()
}

fn properties(props: Props<'_>) -> PropListBuf {
    let mut list = PropListBuf::new();
    for (name, values) in props {
        assert!(list.push(name.as_bytes(), values.iter()));
    }
    list
}

fn values(names: &[&str]) -> NameListBuf {
    let mut list = NameListBuf::new();
    for name in names {
        assert!(list.push(name.as_bytes()));
    }
    list
}
