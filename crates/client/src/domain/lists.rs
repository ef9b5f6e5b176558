//! LIST, LISTALL and READALL element by element. A reply may be as long as the database; only one element of it
//! is held at a time.

use netinfo_wire::netinfo::{
    Entry, Id, MAX_IDS, NameArgs, NameList, Object, Procedure, PropList, Property, Status, put_checksum,
};
use netinfo_wire::xdr::{Error as XdrError, Reader};

use super::Domain;
use super::elements::Elements;
use crate::error::{Error, Result};

/// What a READALL result says besides its objects.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Transfer {
    /// Checksum of the database; 0 if the caller's copy is current.
    pub checksum: u32,
    /// Highest object id.
    pub highest_id: u32,
    /// How many objects came.
    pub objects: u64,
}

/// The methods fail with [`Error::Status`] if the server says so, with errors of a call, and with those of the closure,
/// after which the connection is closed.
impl Domain {
    /// LIST: values of the property `key` of each child, in order. Returns the directory's own id.
    pub fn list_each(
        &mut self,
        object: u32,
        key: &[u8],
        mut each: impl FnMut(Entry) -> Result<()>,
    ) -> Result<Id> {
        let args = NameArgs { id: Id::new(object, 0), name: key };
        let mut list = Counted::new(self.connection.name());
        let call = self.call_of(Procedure::List);
        self.connection.call_streaming(
            call,
            |buf| args.encode(buf),
            |data| list.feed(data, Order::SelfLast, read_entry, &mut each),
        )?;
        list.finish(Order::SelfLast, read_entry, &mut each)
    }

    /// LIST: values of the property `key` of each child, collected, and the directory's own id.
    pub fn list(&mut self, object: u32, key: &[u8]) -> Result<(Vec<Entry>, Id)> {
        let mut entries = Vec::new();
        let id = self.list_each(object, key, |entry| {
            entries.push(entry);
            Ok(())
        })?;
        Ok((entries, id))
    }

    /// LISTALL: all properties of each child, in order. Returns the directory's own id.
    pub fn list_all_each(
        &mut self,
        object: u32,
        mut each: impl FnMut(Vec<Property>) -> Result<()>,
    ) -> Result<Id> {
        let id = Id::new(object, 0);
        let mut list = Counted::new(self.connection.name());
        let call = self.call_of(Procedure::ListAll);
        self.connection.call_streaming(
            call,
            |buf| id.encode(buf),
            |data| list.feed(data, Order::SelfFirst, read_properties, &mut each),
        )?;
        list.finish(Order::SelfFirst, read_properties, &mut each)
    }

    /// READALL: every object of the database, unless the server's checksum is `checksum`. The order is the
    /// server's.
    pub fn read_all(
        &mut self,
        checksum: u32,
        mut each: impl FnMut(Object<'_>) -> Result<()>,
    ) -> Result<Transfer> {
        let mut objects = Objects::new(self.connection.name());
        let mut call = self.call_of(Procedure::ReadAll);
        call.timeout = self.connection.timeouts().write;
        self.connection.call_streaming(
            call,
            |buf| put_checksum(buf, checksum),
            |data| objects.feed(data, &mut each),
        )?;
        objects.finish(&mut each)
    }
}

fn read_entry(r: &mut Reader<'_>) -> Result<Entry, XdrError> {
    let id = r.u32()?;
    let names = r.bool()?.then(|| NameList::read(r)).transpose()?;
    Ok(Entry { id, names: names.map(|names| names.to_vec()) })
}

fn read_properties(r: &mut Reader<'_>) -> Result<Vec<Property>, XdrError> {
    Ok(PropList::read(r)?.to_vec())
}

/// Where a result has the directory's own id.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Order {
    SelfFirst,
    SelfLast,
}

/// A counted list between a status and an id, in either order.
struct Counted {
    endpoint: String,
    elements: Elements,
    status: Option<Status>,
    id: Option<Id>,
    /// Elements still to come, once the count is known.
    left: Option<u32>,
}

impl Counted {
    fn new(endpoint: &str) -> Self {
        let elements = Elements::default();
        Self { endpoint: endpoint.to_owned(), elements, status: None, id: None, left: None }
    }

    fn feed<T>(
        &mut self,
        data: &[u8],
        order: Order,
        read: impl Fn(&mut Reader<'_>) -> Result<T, XdrError>,
        each: &mut impl FnMut(T) -> Result<()>,
    ) -> Result<()> {
        self.elements.feed(data);
        self.advance(false, order, read, each)
    }

    fn finish<T>(
        mut self,
        order: Order,
        read: impl Fn(&mut Reader<'_>) -> Result<T, XdrError>,
        each: &mut impl FnMut(T) -> Result<()>,
    ) -> Result<Id> {
        self.advance(true, order, read, each)?;
        match (self.status, self.id) {
            (Some(Status::Ok), Some(id)) => Ok(id),
            (Some(status), _) if status != Status::Ok => Err(status.into()),
            _ => Err(Error::from_xdr(&self.endpoint, XdrError::Truncated)),
        }
    }

    /// Decodes as far as the bytes go; with `last`, a missing part is an error.
    fn advance<T>(
        &mut self,
        last: bool,
        order: Order,
        read: impl Fn(&mut Reader<'_>) -> Result<T, XdrError>,
        each: &mut impl FnMut(T) -> Result<()>,
    ) -> Result<()> {
        if self.status.is_none() {
            self.status = self.elements.next(&self.endpoint, last, |r| r.u32())?.map(Status::from_code);
        }
        if self.status != Some(Status::Ok) {
            return Ok(());
        }
        if order == Order::SelfFirst && self.id.is_none() {
            self.id = self.elements.next(&self.endpoint, last, Id::read)?;
        }
        if self.left.is_none() && (order == Order::SelfLast || self.id.is_some()) {
            self.left = self.elements.next(&self.endpoint, last, |r| {
                let len = r.u32()?;
                if len > MAX_IDS { Err(XdrError::TooLong { len, max: MAX_IDS }) } else { Ok(len) }
            })?;
        }
        while let Some(left @ 1..) = self.left {
            let Some(element) = self.elements.next(&self.endpoint, last, &read)? else { return Ok(()) };
            self.left = Some(left - 1);
            each(element)?;
        }
        if order == Order::SelfLast && self.left == Some(0) && self.id.is_none() {
            self.id = self.elements.next(&self.endpoint, last, Id::read)?;
        }
        Ok(())
    }
}

/// The object list of READALL.
struct Objects {
    endpoint: String,
    elements: Elements,
    status: Option<Status>,
    /// What leads the objects, once it has come; `objects` counts along.
    transfer: Option<Transfer>,
    done: bool,
}

impl Objects {
    fn new(endpoint: &str) -> Self {
        let elements = Elements::default();
        Self { endpoint: endpoint.to_owned(), elements, status: None, transfer: None, done: false }
    }

    fn feed(&mut self, data: &[u8], each: &mut impl FnMut(Object<'_>) -> Result<()>) -> Result<()> {
        self.elements.feed(data);
        self.advance(false, each)
    }

    fn finish(mut self, each: &mut impl FnMut(Object<'_>) -> Result<()>) -> Result<Transfer> {
        self.advance(true, each)?;
        match (self.status, self.transfer) {
            (Some(Status::Ok), Some(transfer)) if self.done => Ok(transfer),
            (Some(status), _) if status != Status::Ok => Err(status.into()),
            _ => Err(Error::from_xdr(&self.endpoint, XdrError::Truncated)),
        }
    }

    /// Decodes as far as the bytes go; with `last`, a missing part is an error.
    fn advance(&mut self, last: bool, each: &mut impl FnMut(Object<'_>) -> Result<()>) -> Result<()> {
        if self.status.is_none() {
            self.status = self.elements.next(&self.endpoint, last, |r| r.u32())?.map(Status::from_code);
        }
        if self.status != Some(Status::Ok) {
            return Ok(());
        }
        if self.transfer.is_none() {
            self.transfer = self.elements.next(&self.endpoint, last, |r| {
                Ok(Transfer { checksum: r.u32()?, highest_id: r.u32()?, objects: 0 })
            })?;
        }
        let Some(transfer) = self.transfer.as_mut() else { return Ok(()) };
        while !self.done {
            // The object borrows from the buffer, so it is handed out from within.
            let object = self.elements.next(&self.endpoint, last, |r| {
                Ok(if r.bool()? { Some(Object::read(r).map(&mut *each)?) } else { None })
            })?;
            match object {
                None => return Ok(()),
                Some(None) => self.done = true,
                Some(Some(handled)) => {
                    transfer.objects += 1;
                    handled?;
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use netinfo_wire::netinfo::{IdListBuf, PropListBuf, put_more, put_readall_head, put_status};
    use netinfo_wire::xdr::put_u32;

    fn sample(objects: u32) -> Vec<u8> {
        let mut buf = Vec::new();
        put_status(&mut buf, Status::Ok);
        put_readall_head(&mut buf, 77, objects - 1);
        for object in 0..objects {
            let mut props = PropListBuf::new();
            props.push(b"name", [vec![b'n'; object as usize * 11]]);
            let children: IdListBuf = [object + 1].into_iter().collect();
            let (id, parent) = (Id::new(object, 3), 0);
            Object { id, props: props.as_list(), parent, children: children.as_list() }.encode(&mut buf);
        }
        put_more(&mut buf, false);
        buf
    }

    fn transfer(bytes: &[u8], step: usize) -> Result<(Transfer, Vec<u32>)> {
        let mut objects = Objects::new("test");
        let mut seen = Vec::new();
        let mut each = |object: Object<'_>| {
            seen.push(object.id.object);
            Ok(())
        };
        for chunk in bytes.chunks(step) {
            objects.feed(chunk, &mut each)?;
        }
        let transfer = objects.finish(&mut each)?;
        Ok((transfer, seen))
    }

    #[test]
    fn objects_split_anywhere() {
        let bytes = sample(50);
        for step in [1, 13, 4096, 1 << 20] {
            let (transfer, seen) = transfer(&bytes, step).unwrap();
            assert_eq!(transfer, Transfer { checksum: 77, highest_id: 49, objects: 50 });
            assert_eq!(seen, (0..50).collect::<Vec<_>>());
        }
    }

    #[test]
    fn a_transfer_cut_short_is_an_error() {
        let bytes = sample(5);
        for end in 1..bytes.len() {
            assert!(matches!(transfer(&bytes[..end], 64), Err(Error::Malformed { .. })), "{end}");
        }
        let mut busy = Vec::new();
        put_status(&mut busy, Status::MasterBusy);
        assert!(matches!(transfer(&busy, 4), Err(Error::Status(Status::MasterBusy))));
    }

    #[test]
    fn entries_split_anywhere_and_cut_short() {
        let mut bytes = Vec::new();
        put_status(&mut bytes, Status::Ok);
        put_u32(&mut bytes, 2);
        for word in [4, 0, 5, 1, 1] {
            put_u32(&mut bytes, word);
        }
        netinfo_wire::netinfo::put_name(&mut bytes, b"bob");
        put_u32(&mut bytes, 9);
        put_u32(&mut bytes, 1);
        let list = |bytes: &[u8], step| {
            let mut list = Counted::new("test");
            let mut entries = Vec::new();
            let mut each = |entry: Entry| {
                entries.push((entry.id, entry.names));
                Ok(())
            };
            for chunk in bytes.chunks(step) {
                list.feed(chunk, Order::SelfLast, read_entry, &mut each)?;
            }
            let id = list.finish(Order::SelfLast, read_entry, &mut each)?;
            Ok::<_, Error>((entries, id))
        };
        for step in [1, 4, 100] {
            let (entries, id) = list(&bytes, step).unwrap();
            assert_eq!(entries, [(4, None), (5, Some(vec![b"bob".to_vec()]))]);
            assert_eq!(id, Id::new(9, 1));
        }
        for end in 0..bytes.len() {
            assert!(list(&bytes[..end], 4).is_err(), "{end}");
        }
        let mut stat = Vec::new();
        put_status(&mut stat, Status::NoDir);
        assert!(matches!(list(&stat, 4), Err(Error::Status(Status::NoDir))));
    }
}
