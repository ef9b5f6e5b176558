//! The procedures that change the database. They name a directory by its full id: a write with an instance that
//! is not current fails with [`Status::Stale`](crate::Status::Stale). The helpers of [`edit`](crate::edit) deal
//! with that.

use netinfo_wire::netinfo::{
    CreateArgs, CreateNameArgs, CreatePropArgs, Created, DestroyArgs, Id, NameIndexArgs, NameListBuf,
    Procedure, PropArgs, PropListArgs, PropListBuf, PropNameArgs, Property, WriteNameArgs, WritePropArgs,
    decode_create_res, decode_id_res,
};

use super::Domain;
use crate::error::Result;

/// Every method returns the changed directory's new id, and fails with [`Error::Status`](crate::Error::Status) if the
/// server says so (`Stale`, `Perm`, `RdOnly`, `AuthError` among others) and with the errors of a call. A position at
/// or above the number of elements, such as [`INDEX_NULL`](super::INDEX_NULL), means the end.
impl Domain {
    /// CREATE: a new child of `parent`.
    pub fn create(&mut self, parent: Id, properties: &[Property], position: u32) -> Result<Created> {
        let props: PropListBuf = properties.iter().collect();
        let args = CreateArgs { parent, props: props.as_list(), position, target: None };
        self.call(Procedure::Create, |buf| args.encode(buf), decode_create_res)
    }

    /// DESTROY: removes a directory without children; returns the parent's new id.
    pub fn destroy(&mut self, parent: Id, id: Id) -> Result<Id> {
        let args = DestroyArgs { parent, id };
        self.call(Procedure::Destroy, |buf| args.encode(buf), decode_id_res)
    }

    /// WRITE: replaces all properties.
    pub fn write(&mut self, id: Id, properties: &[Property]) -> Result<Id> {
        let props: PropListBuf = properties.iter().collect();
        let args = PropListArgs { id, props: props.as_list() };
        self.call(Procedure::Write, |buf| args.encode(buf), decode_id_res)
    }

    /// CREATEPROP: inserts a property.
    pub fn create_prop(&mut self, id: Id, property: &Property, position: u32) -> Result<Id> {
        let values: NameListBuf = property.values.iter().collect();
        let args = CreatePropArgs { id, name: &property.name, values: values.as_list(), position };
        self.call(Procedure::CreateProp, |buf| args.encode(buf), decode_id_res)
    }

    /// DESTROYPROP: removes the property at `prop_index`.
    pub fn destroy_prop(&mut self, id: Id, prop_index: u32) -> Result<Id> {
        let args = PropArgs { id, prop_index };
        self.call(Procedure::DestroyProp, |buf| args.encode(buf), decode_id_res)
    }

    /// WRITEPROP: replaces the values of the property at `prop_index`.
    pub fn write_prop<V: AsRef<[u8]>>(&mut self, id: Id, prop_index: u32, values: &[V]) -> Result<Id> {
        let values: NameListBuf = values.iter().collect();
        let args = WritePropArgs { id, prop_index, values: values.as_list() };
        self.call(Procedure::WriteProp, |buf| args.encode(buf), decode_id_res)
    }

    /// RENAMEPROP: renames the property at `prop_index`.
    pub fn rename_prop(&mut self, id: Id, prop_index: u32, name: &[u8]) -> Result<Id> {
        let args = PropNameArgs { id, prop_index, name };
        self.call(Procedure::RenameProp, |buf| args.encode(buf), decode_id_res)
    }

    /// CREATENAME: inserts a value into the property at `prop_index`.
    pub fn create_name(&mut self, id: Id, prop_index: u32, name: &[u8], position: u32) -> Result<Id> {
        let args = CreateNameArgs { id, prop_index, name, position };
        self.call(Procedure::CreateName, |buf| args.encode(buf), decode_id_res)
    }

    /// DESTROYNAME: removes the value at `name_index` of the property at `prop_index`, which stays.
    pub fn destroy_name(&mut self, id: Id, prop_index: u32, name_index: u32) -> Result<Id> {
        let args = NameIndexArgs { id, prop_index, name_index };
        self.call(Procedure::DestroyName, |buf| args.encode(buf), decode_id_res)
    }

    /// WRITENAME: replaces the value at `name_index` of the property at `prop_index`.
    pub fn write_name(&mut self, id: Id, prop_index: u32, name_index: u32, name: &[u8]) -> Result<Id> {
        let args = WriteNameArgs { id, prop_index, name_index, name };
        self.call(Procedure::WriteName, |buf| args.encode(buf), decode_id_res)
    }
}
