//! Instructions from a call's bytes to its reply's bytes: decode, look up, encode. No socket, no clock, no luck.
//!
//! Run by `scripts/instructions.sh`, which installs the runner; compares with the run before.

#![allow(missing_docs, unused_qualifications, reason = "so is what the macros make")]

use std::hint::black_box;
use std::path::PathBuf;
use std::sync::Arc;

use gungraun::prelude::*;
use netinfo_bench::calls::Call;
use netinfo_bench::data::{TAG, fill_with};
use netinfo_bench::echo::REPLY_MIN;
use netinfo_directory::{Credentials, Domain, Error, Node, Options, Origin, RecordRef, Session, View};
use netinfo_wire::netinfo::{
    Id, LookupArgs, Procedure, Status, cut, put_count, put_id, put_name, put_status,
};
use netinfo_wire::record;
use netinfo_wire::rpc::{AcceptStat, parse_call, put_accepted};

/// Address space that valgrind can give.
const MAP_SIZE: usize = 256 << 20;
const USERS: u32 = 10_000;

/// A domain to read, with the bytes of one call.
struct Fixture {
    domain: Arc<Domain>,
    session: Session,
    call: Vec<u8>,
    out: Vec<u8>,
    _node: Node,
    _dir: tempfile::TempDir,
}

fn fixture(call: Call) -> Fixture {
    let dir = tempfile::tempdir_in(scratch()).expect("a folder for the database");
    let options = Options { map_size: MAP_SIZE, ..Options::default() };
    fill_with(dir.path(), USERS, options.clone()).expect("a filled domain");
    let (node, _) = Node::open(dir.path(), options, false).expect("the domain just made");
    let domain = node.domain(TAG).expect("the domain just made");
    let origin = Origin::Network { address: [127, 0, 0, 1].into(), own: true, privileged_port: false };
    let session = domain.authenticate(Credentials::None, origin).expect("an anonymous session");
    let ring = call.ring(USERS);
    // The record's header is the connection's affair.
    let call = ring.calls(17, 1)[4..].to_vec();
    let mut fixture =
        Fixture { domain, session, call, out: Vec::with_capacity(8192), _node: node, _dir: dir };
    // Once beforehand: what is done only once is not what a call costs.
    assert!(answer(&mut fixture, 1) >= REPLY_MIN, "the call has to be answered");
    fixture
}

/// The environment is cleared for the runs, so the usual variable for temporary files is of no use.
fn scratch() -> PathBuf {
    PathBuf::from("/tmp")
}

/// What a server does with calls that came together, between reading and sending. Returns the length of the replies.
fn answer(fixture: &mut Fixture, calls: usize) -> usize {
    let Fixture { domain, session, call, out, .. } = fixture;
    out.clear();
    let mut kept: Option<View<'_>> = None;
    for _ in 0..calls {
        let call = parse_call(call).expect("a call");
        let mark = record::begin(out);
        put_accepted(out, call.xid, AcceptStat::Success);
        let procedure = Procedure::try_from(call.proc).expect("a procedure");
        if procedure != Procedure::Ping {
            let view = kept.get_or_insert_with(|| domain.snapshot(session).expect("a snapshot"));
            match procedure {
                Procedure::LookupRead => lookup_read(view, call.args, out).expect("a user"),
                _ => read(view, call.args, out).expect("a user"),
            }
        }
        record::end(out, mark);
    }
    out.len()
}

fn lookup_read(view: &View<'_>, args: &[u8], out: &mut Vec<u8>) -> Result<(), Error> {
    let args = LookupArgs::decode(args).expect("arguments");
    let directory = view.id(args.id.object)?;
    let hit = view.lookup_first(directory.object, args.key, args.value)?.ok_or(Error::NoSuchDirectory)?;
    put_status(out, Status::Ok);
    put_id(out, Id::new(directory.object, directory.instance));
    view.render(hit, out, put_properties)?;
    Ok(())
}

fn read(view: &View<'_>, args: &[u8], out: &mut Vec<u8>) -> Result<(), Error> {
    let object = Id::decode(args).expect("an id").object;
    put_status(out, Status::Ok);
    let mark = out.len();
    put_id(out, Id::new(object, 0));
    let id = view.render(object, out, put_properties)?;
    out[mark + 4..mark + 8].copy_from_slice(&id.instance.to_be_bytes());
    Ok(())
}

fn put_properties(record: &RecordRef<'_>, out: &mut Vec<u8>) {
    put_count(out, record.property_count() as u32);
    for property in record.properties() {
        put_name(out, cut(property.name));
        put_count(out, property.values.len() as u32);
        property.values.for_each(|value| put_name(out, cut(value)));
    }
}

#[library_benchmark]
#[bench::lookup_read_name(args = (Call::LookupReadName), setup = fixture)]
#[bench::lookup_read_uid(args = (Call::LookupReadUid), setup = fixture)]
#[bench::read(args = (Call::Read), setup = fixture)]
#[bench::ping(args = (Call::Ping), setup = fixture)]
fn call(mut fixture: Fixture) -> Fixture {
    black_box(answer(black_box(&mut fixture), 1));
    // Given back, so that closing the domain is not counted.
    fixture
}

#[library_benchmark]
#[bench::lookup_read_name(args = (Call::LookupReadName), setup = fixture)]
fn sixteen_calls(mut fixture: Fixture) -> Fixture {
    black_box(answer(black_box(&mut fixture), 16));
    fixture
}

library_benchmark_group!(name = calls, benchmarks = [call, sixteen_calls]);
main!(library_benchmark_groups = calls);
