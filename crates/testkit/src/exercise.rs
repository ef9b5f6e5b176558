//! What must hold for any bytes at all, one function per family of decoders. Property tests and fuzz
//! targets call these with whatever they make up; a broken promise panics.
//!
//! The promises: no decoder panics; what decodes encodes to bytes that decode to the same value; owned
//! results stay within [`MAX_EXPANSION`] bytes of heap per byte of input (and [`SMALL`]).

pub mod ldap;
mod lookup;

pub use lookup::lookup;

use netinfo_wire::netinfo::{self, Entry, OwnedBinding, Property};
use netinfo_wire::record::{self, Decoder, Piece, Pieces};
use netinfo_wire::rpc::{self, Outcome};
use netinfo_wire::{MAX_EXPANSION, control, login, nibind, portmap};

/// Heap in bytes that even a short list may take: vectors begin with room for a few elements.
pub const SMALL: usize = 1024;

/// Encodes with `put` into a new buffer.
fn encoded(put: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut buf = Vec::new();
    put(&mut buf);
    buf
}

/// [`rpc::parse_call`].
pub fn rpc_call(bytes: &[u8]) {
    let Ok(call) = rpc::parse_call(bytes) else { return };
    let mut again = encoded(|buf| rpc::put_call(buf, call.xid, call.prog, call.vers, call.proc, &call.cred));
    again.extend_from_slice(call.args);
    assert_eq!(rpc::parse_call(&again), Ok(call));
}

/// [`rpc::parse_reply`].
pub fn rpc_reply(bytes: &[u8]) {
    let Ok(reply) = rpc::parse_reply(bytes) else { return };
    let again = encoded(|buf| match reply.outcome {
        Outcome::Success(results) => {
            rpc::put_accepted(buf, reply.xid, rpc::AcceptStat::Success);
            buf.extend_from_slice(results);
        }
        Outcome::Failed(stat) => rpc::put_accepted(buf, reply.xid, stat),
        Outcome::Denied(rpc::Denial::Auth(auth)) => rpc::put_denied(buf, reply.xid, auth),
        Outcome::Denied(rpc::Denial::RpcMismatch { .. }) => rpc::put_rpc_mismatch(buf, reply.xid),
    });
    let again = rpc::parse_reply(&again);
    if !matches!(reply.outcome, Outcome::Denied(rpc::Denial::RpcMismatch { .. })) {
        assert_eq!(again, Ok(reply));
    }
}

/// [`Decoder`] and [`Pieces`]: the first byte chooses how the rest is cut up. However it is cut, the
/// same records come out.
pub fn record(bytes: &[u8]) {
    const LIMIT: usize = 4096;
    let Some((first, stream)) = bytes.split_first() else { return };
    let step = usize::from(*first).max(1);
    let whole = records(stream, usize::MAX, LIMIT);
    assert_eq!(records(stream, step, LIMIT), whole);
    let pieces = pieces(stream, step);
    // Where a record is over the limit, the decoder stops and the pieces go on.
    assert!(pieces.starts_with(&whole), "{pieces:?} {whole:?}");
    let again = encoded(|buf| {
        for record in &whole {
            let mark = record::begin(buf);
            buf.extend_from_slice(record);
            record::end(buf, mark);
        }
    });
    assert_eq!(records(&again, step, LIMIT), whole);
}

fn records(stream: &[u8], step: usize, limit: usize) -> Vec<Vec<u8>> {
    let mut decoder = Decoder::new(limit);
    let mut found = Vec::new();
    for mut input in stream.chunks(step.min(stream.len()).max(1)) {
        while !input.is_empty() {
            let Ok((taken, record)) = decoder.next(input) else { return found };
            assert!(taken > 0 && (record.is_some() || taken == input.len()));
            found.extend(record.map(<[u8]>::to_vec));
            input = &input[taken..];
            assert!(decoder.buffered() <= limit);
        }
    }
    found
}

fn pieces(stream: &[u8], step: usize) -> Vec<Vec<u8>> {
    let mut pieces = Pieces::new();
    let (mut found, mut record) = (Vec::new(), Vec::new());
    for mut input in stream.chunks(step.min(stream.len()).max(1)) {
        loop {
            let Ok((taken, piece)) = pieces.next(input) else { return found };
            input = &input[taken..];
            match piece {
                Piece::Data(data) => record.extend_from_slice(data),
                Piece::End => found.push(std::mem::take(&mut record)),
                Piece::NeedMore => break,
            }
        }
    }
    found
}

/// Decodes, encodes, decodes again, compares.
macro_rules! round_trip {
    ($bytes:expr, $($ty:ty),*) => { $(
        if let Ok(value) = <$ty>::decode($bytes) {
            assert_eq!(<$ty>::decode(&encoded(|buf| value.encode(buf))), Ok(value));
        }
    )* };
}

/// Arguments of all NetInfo procedures.
pub fn netinfo_args(bytes: &[u8]) {
    use netinfo_wire::netinfo::*;
    round_trip!(
        bytes,
        Id,
        CreateArgs<'_>,
        DestroyArgs,
        PropListArgs<'_>,
        LookupArgs<'_>,
        NameArgs<'_>,
        CreatePropArgs<'_>,
        PropArgs,
        WritePropArgs<'_>,
        PropNameArgs<'_>,
        CreateNameArgs<'_>,
        NameIndexArgs,
        WriteNameArgs<'_>,
        Binding<'_>,
        PropList<'_>
    );
    let _ = decode_checksum(bytes);
    if let Ok(list) = PropList::decode(bytes) {
        assert_eq!(list.iter().count(), list.len());
        for (name, values) in list {
            assert!(!name.contains(&0));
            assert_eq!(values.iter().count(), values.len());
        }
        assert_eq!(list.to_vec().iter().collect::<PropListBuf>().as_list(), list);
    }
}

/// Bytes of heap behind a value, by capacity.
pub trait Heap {
    /// The bytes.
    fn heap(&self) -> usize;
}

impl Heap for u8 {
    fn heap(&self) -> usize {
        0
    }
}

impl Heap for u32 {
    fn heap(&self) -> usize {
        0
    }
}

impl<T: Heap> Heap for Vec<T> {
    fn heap(&self) -> usize {
        self.capacity() * size_of::<T>() + self.iter().map(Heap::heap).sum::<usize>()
    }
}

impl Heap for Property {
    fn heap(&self) -> usize {
        self.name.heap() + self.values.heap()
    }
}

impl Heap for Entry {
    fn heap(&self) -> usize {
        self.names.as_ref().map_or(0, Heap::heap)
    }
}

impl Heap for OwnedBinding {
    fn heap(&self) -> usize {
        self.tag.heap()
    }
}

/// Asserts that an owned result is within the promised bound.
fn bounded(bytes: &[u8], heap: usize) {
    assert!(heap <= MAX_EXPANSION * bytes.len() + SMALL, "{heap} bytes from {}", bytes.len());
}

/// Results of all NetInfo procedures.
pub fn netinfo_results(bytes: &[u8]) {
    let heap = |value: Option<usize>| bounded(bytes, value.unwrap_or_default());
    heap(netinfo::decode_children_res(bytes).ok().map(|(ids, _)| ids.heap()));
    heap(netinfo::decode_lookup_res(bytes).ok().map(|(ids, _)| ids.heap()));
    heap(netinfo::decode_list_res(bytes).ok().map(|(entries, _)| entries.heap()));
    heap(netinfo::decode_listall_res(bytes).ok().map(|(_, lists)| lists.heap()));
    heap(netinfo::decode_proplist_res(bytes).ok().map(|(_, props)| props.heap()));
    heap(netinfo::decode_namelist_res(bytes).ok().map(|(names, _)| names.heap()));
    heap(netinfo::decode_readname_res(bytes).ok().map(|(_, name)| name.heap()));
    heap(netinfo::decode_rparent_res(bytes).ok().map(|binding| binding.heap()));
    heap(netinfo::decode_statistics(bytes).ok().map(|props| props.heap()));
    let _ = netinfo::decode_status(bytes);
    let _ = netinfo::decode_id_res(bytes);
    let _ = netinfo::decode_parent_res(bytes);
    let _ = netinfo::decode_create_res(bytes);
    if let Ok(all) = netinfo::ReadAll::decode(bytes) {
        let objects: Vec<_> = all.map_while(Result::ok).collect();
        let again = encoded(|buf| {
            netinfo::put_status(buf, netinfo::Status::Ok);
            netinfo::put_readall_head(buf, 0, 0);
            objects.iter().for_each(|object| object.encode(buf));
            netinfo::put_more(buf, false);
        });
        let again: Result<Vec<_>, _> = netinfo::ReadAll::decode(&again).into_iter().flatten().collect();
        assert_eq!(again, Ok(objects));
    }
}

/// Arguments and results of the binder.
pub fn nibind(bytes: &[u8]) {
    round_trip!(bytes, nibind::Registration<'_>, nibind::CloneArgs<'_>, nibind::BindArgs<'_>);
    let _ = nibind::decode_tag(bytes);
    let _ = nibind::decode_status(bytes);
    if let Ok(addrs) = nibind::decode_getregister_res(bytes) {
        assert_eq!(
            nibind::decode_getregister_res(&encoded(|b| nibind::put_getregister_res(b, addrs))),
            Ok(addrs)
        );
    }
    if let Ok(list) = nibind::decode_listreg_res(bytes) {
        let again = encoded(|buf| nibind::put_listreg_res(buf, list.iter().copied()));
        assert_eq!(nibind::decode_listreg_res(&again), Ok(list));
    }
}

/// Arguments and results of portmapper and rpcbind, and universal addresses.
pub fn portmap(bytes: &[u8]) {
    use portmap::{rpcbind, uaddr, v2};
    round_trip!(bytes, v2::Mapping, v2::CallItArgs<'_>, v2::CallItResult<'_>);
    round_trip!(bytes, rpcbind::Rpcb<'_>, rpcbind::CallItResult<'_>, rpcbind::Netbuf<'_>);
    if let Ok(list) = v2::decode_dump(bytes) {
        bounded(bytes, list.capacity() * size_of::<v2::Mapping>());
        assert_eq!(v2::decode_dump(&encoded(|buf| v2::put_dump(buf, list.iter().copied()))), Ok(list));
    }
    if let Ok(list) = rpcbind::decode_dump(bytes) {
        bounded(bytes, list.capacity() * size_of::<rpcbind::Rpcb<'_>>());
        assert_eq!(
            rpcbind::decode_dump(&encoded(|buf| rpcbind::put_dump(buf, list.iter().copied()))),
            Ok(list)
        );
    }
    if let Ok(list) = rpcbind::decode_addr_list(bytes) {
        bounded(bytes, list.capacity() * size_of::<rpcbind::AddrEntry<'_>>());
        let again = encoded(|buf| rpcbind::put_addr_list(buf, list.iter().copied()));
        assert_eq!(rpcbind::decode_addr_list(&again), Ok(list));
    }
    if let Ok(stats) = rpcbind::decode_statistics(bytes) {
        assert_eq!(
            rpcbind::decode_statistics(&encoded(|buf| rpcbind::put_statistics(buf, &stats))),
            Ok(stats)
        );
    }
    let _ = (v2::decode_port(bytes), v2::decode_done(bytes), rpcbind::decode_time(bytes));
    let text = rpcbind::decode_text(bytes).unwrap_or(bytes);
    if let Ok(addr) = uaddr::parse(text) {
        assert_eq!(uaddr::parse(uaddr::format(addr).as_bytes()), Ok(addr));
    }
}

/// Arguments and results of the control program; the first byte chooses how a stream is cut up.
pub fn control(bytes: &[u8]) {
    round_trip!(bytes, control::Response<'_>, control::UploadChunk<'_>);
    let _ = control::decode_request(bytes);
    let _ = control::decode_upload_commit(bytes);
    if let Ok(begun) = control::decode_upload_begun(bytes) {
        assert_eq!(
            control::decode_upload_begun(&encoded(|buf| control::put_upload_begun(buf, begun))),
            Ok(begun)
        );
    }
    let Some((first, stream)) = bytes.split_first() else { return };
    let whole = stream_items(stream, stream.len());
    assert_eq!(stream_items(stream, usize::from(*first)), whole);
    assert_eq!(stream_items(&whole, usize::from(*first)), whole);
}

/// Questions and answers of the login program.
pub fn login(bytes: &[u8]) {
    round_trip!(bytes, login::Authenticate<'_>, login::Account<'_>, login::Change<'_>);
    round_trip!(bytes, login::Answer<'_>, login::Keys<'_>);
    let _ = login::decode_keys_args(bytes);
    if let Ok(account) = login::Account::decode(bytes) {
        bounded(bytes, (account.one_of.capacity() + account.all_of.capacity()) * size_of::<&[u8]>());
    }
    if let Ok(keys) = login::Keys::decode(bytes) {
        bounded(bytes, keys.keys.capacity() * size_of::<&[u8]>());
    }
}

/// The elements of a stream that arrives in pieces of `step` bytes, encoded again.
fn stream_items(stream: &[u8], step: usize) -> Vec<u8> {
    let mut decoder = control::StreamDecoder::new();
    let mut items = Vec::new();
    for piece in stream.chunks(step.max(1)) {
        decoder.feed(piece);
        loop {
            match decoder.next_item() {
                Ok(Some(item)) => item.encode(&mut items),
                Ok(None) => break,
                Err(_) => return items,
            }
        }
    }
    items
}

/// Every function above.
pub fn all(bytes: &[u8]) {
    for exercise in [
        rpc_call,
        rpc_reply,
        record,
        netinfo_args,
        netinfo_results,
        nibind,
        portmap,
        control,
        lookup,
        login,
        ldap::all,
    ] {
        exercise(bytes);
    }
}
