//! Procedures whose results grow with the domain: CHILDREN, LIST, LISTALL and READALL.
//!
//! Small results are written at once. Long ones are sent a page at a time: the list of children is fixed first, then
//! pages are read from snapshots of their own, each when the one before it has been sent, so that a slow reader pins
//! neither snapshot nor thread. A child that has gone by then is reported as the protocol has it for children that
//! cannot be read. READALL alone must be of one moment; it keeps its snapshot, and its time is bounded instead.

use std::sync::Arc;

use netinfo_directory::{Error, Session, View};
use netinfo_wire::netinfo::{
    Id, NameArgs, Procedure, Status, decode_checksum, put_count, put_id, put_more, put_readall_head,
    put_status,
};
use netinfo_wire::rpc::{AcceptStat, Call, put_accepted};
use netinfo_wire::xdr::{put_bool, put_u32};

use super::reads::{put_properties, put_values, wire};
use super::{Context, Refusal, Step, status_of};
use crate::limits::READALL_DEADLINE;
use crate::node::Running;
use crate::replica;
use crate::served::Served;
use crate::stream::{PIECE, Page, Sink, Stream};

/// Children read from one snapshot, and the most that are listed at once. A page ends earlier once it has [`PIECE`]
/// bytes.
const PAGE: usize = 256;

/// What is listed of each child.
#[derive(Clone)]
enum What {
    Ids,
    Names(Vec<u8>),
    Everything,
}

/// CHILDREN, LIST, LISTALL.
pub(super) fn call(
    served: &Arc<Served>,
    reader: &Session,
    procedure: Procedure,
    call: &Call<'_>,
    out: &mut Vec<u8>,
) -> Result<Option<Step>, Refusal> {
    let (id, what) = match procedure {
        Procedure::Children => (Id::decode(call.args)?, What::Ids),
        Procedure::ListAll => (Id::decode(call.args)?, What::Everything),
        _ => {
            let args = NameArgs::decode(call.args)?;
            (args.id, What::Names(args.name.to_vec()))
        }
    };
    let view = served.domain.read(reader)?;
    let record = view.record(id.object)?;
    if record.child_count() as usize <= PAGE {
        let own = wire(record.id());
        let children = view.children(id.object)?.collect::<Result<Vec<_>, _>>()?;
        let mark = out.len();
        head(out, &what, own, children.len());
        if put_children(&view, &what, &children, out) == children.len() {
            tail(out, &what, own);
            return Ok(None);
        }
        out.truncate(mark);
    }
    let (served, reader) = (served.clone(), reader.clone());
    let mut listing = Listing { served, reader, xid: call.xid, own: id, what, children: None, next: 0 };
    Ok(Some(Step::Pages(Box::new(move |out| listing.page(out)))))
}

/// A long result on its way.
struct Listing {
    served: Arc<Served>,
    reader: Session,
    xid: u32,
    own: Id,
    what: What,
    /// All children, once the first page was made.
    children: Option<Vec<u32>>,
    next: usize,
}

impl Listing {
    /// Writes the next page.
    fn page(&mut self, out: &mut Vec<u8>) -> Page {
        if self.served.is_gone() {
            return Page::Failed;
        }
        let served = self.served.clone();
        let Ok(view) = served.domain.read(&self.reader) else { return Page::Failed };
        let children = match self.children.take() {
            Some(children) => children,
            None => match self.begin(&view, out) {
                Ok(children) => children,
                Err(error) => {
                    put_status(out, status_of(&error));
                    return Page::Last;
                }
            },
        };
        self.next += put_children(&view, &self.what, &children[self.next..], out);
        if self.next < children.len() {
            let kept = children.capacity() * size_of::<u32>();
            self.children = Some(children);
            return Page::More(kept);
        }
        tail(out, &self.what, self.own);
        Page::Last
    }

    /// Fixes the list of children, and writes what comes before them.
    fn begin(&mut self, view: &View<'_>, out: &mut Vec<u8>) -> Result<Vec<u32>, Error> {
        put_accepted(out, self.xid, AcceptStat::Success);
        self.own = wire(view.id(self.own.object)?);
        let mut children = view.children(self.own.object)?.collect::<Result<Vec<_>, _>>()?;
        // The list waits as long as its reader does.
        children.shrink_to_fit();
        head(out, &self.what, self.own, children.len());
        Ok(children)
    }
}

fn head(out: &mut Vec<u8>, what: &What, own: Id, count: usize) {
    put_status(out, Status::Ok);
    if matches!(what, What::Everything) {
        put_id(out, own);
    }
    put_count(out, count as u32);
}

fn tail(out: &mut Vec<u8>, what: &What, own: Id) {
    if !matches!(what, What::Everything) {
        put_id(out, own);
    }
}

/// Writes one page of children and returns how many those were.
fn put_children(view: &View<'_>, what: &What, children: &[u32], out: &mut Vec<u8>) -> usize {
    let end = out.len() + PIECE;
    let most = if matches!(what, What::Ids) { PIECE } else { PAGE };
    for (done, &child) in children.iter().enumerate() {
        if done == most || out.len() >= end {
            return done;
        }
        match what {
            What::Ids => put_u32(out, child),
            What::Names(key) => match view.record(child) {
                Ok(record) => {
                    put_u32(out, child);
                    let names = View::listed(&record, key);
                    put_bool(out, names.is_some());
                    if let Some(names) = names {
                        put_values(out, names);
                    }
                }
                Err(_) => {
                    put_u32(out, 0);
                    put_bool(out, false);
                }
            },
            What::Everything => match view.record(child) {
                Ok(record) => put_properties(&record, out),
                Err(_) => put_count(out, 0),
            },
        }
    }
    children.len()
}

/// READALL: nothing if the caller's checksum is current, else every directory, parents first.
pub(super) fn readall(
    node: &Arc<Running>,
    context: &Context,
    served: &Arc<Served>,
    reader: &Session,
    call: &Call<'_>,
    out: &mut Vec<u8>,
) -> Result<Option<Step>, Refusal> {
    let checksum = decode_checksum(call.args)?;
    let view = served.domain.read(reader)?;
    let clone = served.domain.role() != netinfo_directory::Role::Master;
    if clone && !replica::clone_gives_copies(node, served, &view)? {
        return Err(Error::NotMaster.into());
    }
    let caller = context.caller.peer.map(|peer| peer.ip());
    if view.checksum()? == checksum {
        put_status(out, Status::Ok);
        put_readall_head(out, 0, 0);
        put_more(out, false);
        replica::begin_read_all(node, served, &view, caller, false)?.complete(view.sequence()?);
        return Ok(None);
    }
    let permit = node.readall_permits.clone().try_acquire_owned().map_err(|_| Error::Busy)?;
    let replica = replica::begin_read_all(node, served, &view, caller, true)?;
    let (served, reader, xid) = (served.clone(), reader.clone(), call.xid);
    let make = move |sink: &mut Sink| {
        let _permit = permit;
        put_accepted(sink.buffer(), xid, AcceptStat::Success);
        match write_all(&served, &reader, sink) {
            Ok(sequence) => {
                sink.finish();
                replica.complete(sequence);
            }
            Err(error) => {
                tracing::warn!(%error, tag = served.domain.tag(), "READALL cut short");
                sink.fail();
            }
        }
    };
    Ok(Some(Step::Stream(Stream { make: Box::new(make), deadline: Some(READALL_DEADLINE) })))
}

/// Writes the result; returns the last change in it.
fn write_all(served: &Served, reader: &Session, sink: &mut Sink) -> netinfo_directory::Result<u64> {
    let view = served.domain.read(reader)?;
    put_status(sink.buffer(), Status::Ok);
    put_readall_head(sink.buffer(), view.checksum()?, view.highest_object()?);
    view.walk(|record, children| {
        let out = sink.buffer();
        put_more(out, true);
        put_id(out, wire(record.id()));
        put_properties(&record, out);
        put_u32(out, record.parent());
        put_count(out, children.len() as u32);
        children.iter().for_each(|child| put_u32(out, *child));
        if !sink.flush_when_full() {
            return Err(Error::Busy);
        }
        Ok(true)
    })?;
    put_more(sink.buffer(), false);
    view.sequence()
}
