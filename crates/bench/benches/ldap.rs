//! Instructions from an LDAP request's bytes to its answer's bytes, in a directory of ten thousand users. No socket, no
//! clock, no luck. A modification is counted up to where the core takes over.
//!
//! Run by `scripts/instructions.sh`, which installs the runner; compares with the run before.

#![allow(missing_docs, unused_qualifications, reason = "so is what the macros make")]

use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use gungraun::prelude::*;
use netinfo_bench::data::TAG;
use netinfo_bench::ldap::netinfod::Netinfod;
use netinfo_bench::ldap::requests::{Operation, Ring, bind};
use netinfo_bench::ldap::tree;
use netinfo_directory::{Node, Options, Origin};
use netinfo_ldap::{Connection, Engine, Page, Peer, Settings, Step};
use netinfo_wire::ber::Frame;
use netinfo_wire::ldap::{Message, frame};

/// Address space that valgrind can give.
const MAP_SIZE: usize = 512 << 20;
const USERS: u32 = 10_000;
const NOW: u64 = 1_767_323_045_000;
/// A user whose password takes no time to check.
const CALLER: u32 = 3;
/// Fewest bytes of an answer.
const ANSWER_MIN: usize = 14;

/// A client of a domain, with the bytes of its requests.
struct Fixture {
    client: Connection,
    requests: Vec<u8>,
    out: Vec<u8>,
    _node: Node,
}

/// Where the domain is: the environment is cleared for the runs, so the usual variable for temporary files is of no use.
fn folder() -> PathBuf {
    PathBuf::from("/tmp/netinfo-bench-ldap-instructions")
}

/// Fills the domain, which the benchmarks only read.
fn fill() {
    remove();
    Netinfod::prepare(Path::new("netinfod"), folder()).load(USERS).expect("a filled domain");
}

fn remove() {
    if folder().exists() {
        std::fs::remove_dir_all(folder()).expect("the folder is ours");
    }
}

fn several(operation: Operation, count: usize) -> Fixture {
    let options = Options { map_size: MAP_SIZE, ..Options::default() };
    let (node, _) = Node::open(&folder(), options, false).expect("the domain made before");
    let domain = node.domain(TAG).expect("the domain made before");
    let engine = Arc::new(Engine::new(Settings::default()));
    assert!(engine.set_domains([domain]).is_empty(), "the domain has to be served");
    let origin = Origin::Network { address: [127, 0, 0, 1].into(), own: true, privileged_port: false };
    let client = Connection::new(engine, Peer::new(origin, None));
    let dn = match operation {
        Operation::Modify => tree::ADMIN.to_owned(),
        _ => tree::user_dn(CALLER),
    };
    let mut login = Vec::new();
    Message::new(1, bind(&dn)).encode(&mut login);
    let requests = Ring::of(operation, USERS, 0, 32).expect("requests");
    let requests = requests.requests(7, count).to_vec();
    let mut fixture = Fixture { client, requests, out: Vec::with_capacity(64 * 1024), _node: node };
    answer(&mut fixture.client, &login, &mut fixture.out);
    // Once beforehand: what is done only once is not what a request costs.
    assert!(
        answers(&mut fixture) >= ANSWER_MIN || operation == Operation::Modify,
        "requests have to be answered"
    );
    fixture
}

fn one(operation: Operation) -> Fixture {
    several(operation, 1)
}

fn sixteen(operation: Operation) -> Fixture {
    several(operation, 16)
}

/// What a server does with requests that came together, between reading and sending. Returns the length of the answers.
fn answers(fixture: &mut Fixture) -> usize {
    let Fixture { client, requests, out, .. } = fixture;
    out.clear();
    let mut rest = &requests[..];
    while let Ok(Frame::Complete(length)) = frame(rest, usize::MAX) {
        let (message, after) = rest.split_at(length);
        answer(client, message, out);
        rest = after;
    }
    client.release();
    out.len()
}

fn answer(client: &mut Connection, message: &[u8], out: &mut Vec<u8>) {
    let mut step = client.handle(message, NOW, out);
    loop {
        step = match step {
            Step::Done => return,
            Step::Work(work) => client.resume(work.run(), NOW, out),
            Step::Pages(mut pages) => loop {
                if pages.next(NOW, out) == Page::Last {
                    return;
                }
            },
            // The writer's part is not counted.
            Step::Write(write) => {
                let refused = Err(netinfo_directory::Error::Busy);
                client.settle(write.ticket, refused, NOW, out)
            }
            step => panic!("{step:?}"),
        }
    }
}

#[library_benchmark]
#[bench::search_all(args = (Operation::SearchAll), setup = one)]
#[bench::search_two(args = (Operation::SearchTwo), setup = one)]
#[bench::read(args = (Operation::Read), setup = one)]
#[bench::miss(args = (Operation::Miss), setup = one)]
#[bench::member_uid(args = (Operation::MemberUid), setup = one)]
#[bench::substring7(args = (Operation::Substring7), setup = one)]
#[bench::modify(args = (Operation::Modify), setup = one)]
fn request(mut fixture: Fixture) -> Fixture {
    black_box(answers(black_box(&mut fixture)));
    // Given back, so that closing the domain is not counted.
    fixture
}

#[library_benchmark]
#[bench::search_all(args = (Operation::SearchAll), setup = sixteen)]
#[bench::search_two(args = (Operation::SearchTwo), setup = sixteen)]
#[bench::read(args = (Operation::Read), setup = sixteen)]
#[bench::miss(args = (Operation::Miss), setup = sixteen)]
#[bench::member_uid(args = (Operation::MemberUid), setup = sixteen)]
fn sixteen_requests(mut fixture: Fixture) -> Fixture {
    black_box(answers(black_box(&mut fixture)));
    fixture
}

library_benchmark_group!(
    name = requests,
    setup = fill(),
    teardown = remove(),
    benchmarks = [request, sixteen_requests]
);
main!(library_benchmark_groups = requests);
