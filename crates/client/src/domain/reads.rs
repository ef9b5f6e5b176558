//! The procedures that read. Directories are named by object id: reads ignore the instance.

use netinfo_wire::netinfo::{
    Binding, Id, LookupArgs, NameIndexArgs, OwnedBinding, Procedure, PropArgs, Property, decode_children_res,
    decode_id_res, decode_lookup_res, decode_namelist_res, decode_parent_res, decode_proplist_res,
    decode_readname_res, decode_rparent_res, decode_statistics, decode_status, put_checksum,
};
use std::net::Ipv4Addr;

use super::Domain;
use crate::Status;
use crate::error::{Error, Result};

/// The id whose instance the server does not look at.
const fn any(object: u32) -> Id {
    Id::new(object, 0)
}

/// Every method fails with [`Error::Status`] if the server says so ([`Status::NoDir`] for an unknown object), and
/// with the errors of a call.
impl Domain {
    /// PING: whether the server is there.
    pub fn ping(&mut self) -> Result<()> {
        self.call(Procedure::Ping, |_| {}, |_| Ok(()))
    }

    /// STATISTICS: what the server counts and knows about itself.
    pub fn statistics(&mut self) -> Result<Vec<Property>> {
        self.call(Procedure::Statistics, |_| {}, decode_statistics)
    }

    /// ROOT: the root directory.
    pub fn root(&mut self) -> Result<Id> {
        self.call(Procedure::Root, |_| {}, decode_id_res)
    }

    /// SELF: the current id of an object.
    pub fn self_id(&mut self, id: Id) -> Result<Id> {
        self.call(Procedure::SelfId, |buf| id.encode(buf), decode_id_res)
    }

    /// PARENT: object id of the parent, and the directory's own id. The root is its own parent.
    pub fn parent(&mut self, object: u32) -> Result<(u32, Id)> {
        self.call(Procedure::Parent, |buf| any(object).encode(buf), decode_parent_res)
    }

    /// READ: all properties, in order.
    pub fn read(&mut self, object: u32) -> Result<(Id, Vec<Property>)> {
        self.call(Procedure::Read, |buf| any(object).encode(buf), decode_proplist_res)
    }

    /// READ of many directories, with many calls under way at once. `each` gets the index and the answer.
    pub fn read_many(
        &mut self,
        objects: &[u32],
        mut each: impl FnMut(usize, Result<(Id, Vec<Property>)>) -> Result<()>,
    ) -> Result<()> {
        self.many(Procedure::Read, objects, decode_proplist_res, &mut each)
    }

    /// CHILDREN: object ids of the children, and the directory's own id.
    pub fn children(&mut self, object: u32) -> Result<(Vec<u32>, Id)> {
        self.call(Procedure::Children, |buf| any(object).encode(buf), decode_children_res)
    }

    /// CHILDREN of many directories, with many calls under way at once.
    pub fn children_many(
        &mut self,
        objects: &[u32],
        mut each: impl FnMut(usize, Result<(Vec<u32>, Id)>) -> Result<()>,
    ) -> Result<()> {
        self.many(Procedure::Children, objects, decode_children_res, &mut each)
    }

    /// LOOKUP: object ids of the children whose property `key` has `value`, and the id of the searched directory.
    /// No hit is [`Status::NoDir`].
    pub fn lookup(&mut self, object: u32, key: &[u8], value: &[u8]) -> Result<(Vec<u32>, Id)> {
        let args = LookupArgs { id: any(object), key, value };
        self.call(Procedure::Lookup, |buf| args.encode(buf), decode_lookup_res)
    }

    /// LOOKUP: the first hit.
    pub fn lookup_first(&mut self, object: u32, key: &[u8], value: &[u8]) -> Result<u32> {
        let (hits, _) = self.lookup(object, key, value)?;
        hits.first().copied().ok_or(Error::Status(Status::NoDir))
    }

    /// LOOKUPREAD: id of the searched directory, and the properties of the first hit.
    pub fn lookup_read(&mut self, object: u32, key: &[u8], value: &[u8]) -> Result<(Id, Vec<Property>)> {
        let args = LookupArgs { id: any(object), key, value };
        self.call(Procedure::LookupRead, |buf| args.encode(buf), decode_proplist_res)
    }

    /// LISTPROPS: names of the properties in order, and the directory's own id.
    pub fn list_props(&mut self, object: u32) -> Result<(Vec<Vec<u8>>, Id)> {
        self.call(Procedure::ListProps, |buf| any(object).encode(buf), decode_namelist_res)
    }

    /// READPROP: values of the property at `prop_index`, and the directory's own id.
    pub fn read_prop(&mut self, object: u32, prop_index: u32) -> Result<(Vec<Vec<u8>>, Id)> {
        let args = PropArgs { id: any(object), prop_index };
        self.call(Procedure::ReadProp, |buf| args.encode(buf), decode_namelist_res)
    }

    /// READNAME: the value at `name_index` of the property at `prop_index`, and the directory's own id.
    pub fn read_name(&mut self, object: u32, prop_index: u32, name_index: u32) -> Result<(Id, Vec<u8>)> {
        let args = NameIndexArgs { id: any(object), prop_index, name_index };
        self.call(Procedure::ReadName, |buf| args.encode(buf), decode_readname_res)
    }

    /// RPARENT: where the parent domain is. [`Status::NetRoot`] if there is none, [`Status::NoResponse`] while the
    /// server is looking for it.
    pub fn rparent(&mut self) -> Result<OwnedBinding> {
        self.call(Procedure::RParent, |_| {}, decode_rparent_res)
    }

    /// BIND: whether this domain is the parent of the domain `tag` at `addr`. On the common endpoint of this
    /// project's nodes, address 0 selects the domain instead: see [`Connection::select`](crate::Connection::select).
    pub fn bind(&mut self, tag: &[u8], addr: Ipv4Addr) -> Result<bool> {
        match self.call(Procedure::Bind, |buf| Binding { tag, addr }.encode(buf), |_| Ok(())) {
            Ok(()) => Ok(true),
            Err(error) if error.is_system_err() => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// CRASHED: tells a clone that its master has restarted with `checksum`.
    pub fn crashed(&mut self, checksum: u32) -> Result<()> {
        self.call(Procedure::Crashed, |buf| put_checksum(buf, checksum), |_| Ok(()))
    }

    /// RESYNC: makes a master refresh its clones, a clone refresh itself.
    pub fn resync(&mut self) -> Result<()> {
        self.call(Procedure::Resync, |_| {}, decode_status)
    }

    fn many<T>(
        &mut self,
        procedure: Procedure,
        objects: &[u32],
        decode: impl Fn(&[u8]) -> netinfo_wire::netinfo::Answer<T>,
        each: &mut impl FnMut(usize, Result<T>) -> Result<()>,
    ) -> Result<()> {
        let call = self.call_of(procedure);
        let name = self.connection.name().to_owned();
        self.connection.call_many(
            call,
            objects.len(),
            |index, buf| any(objects.get(index).copied().unwrap_or_default()).encode(buf),
            |index, results| {
                each(index, decode(results).map_err(|failure| Error::from_failure(&name, failure)))
            },
        )
    }
}
