//! Calls that come together are looked at ahead; what is answered, and in which order, does not depend on it.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::Duration;

use netinfo_wire::netinfo::{Id, LookupArgs, PROGRAM, Procedure, VERSION};
use netinfo_wire::record::put_fragment_header;
use netinfo_wire::rpc::{Credential, put_call};

use crate::users::Office;

/// Rounds of the calls: many more calls than are looked at together.
const ROUNDS: u32 = 9;

/// One record of a call, as one fragment or as two.
fn record(xid: u32, procedure: u32, args: &[u8], split: bool) -> Vec<u8> {
    let mut call = Vec::new();
    put_call(&mut call, xid, PROGRAM, VERSION, procedure, &Credential::None);
    call.extend_from_slice(args);
    let (front, back) = call.split_at(if split { 30 } else { 0 });
    let mut out = Vec::new();
    for (part, last) in [(front, false), (back, true)] {
        if last || split {
            put_fragment_header(&mut out, part.len() as u32, last);
            out.extend_from_slice(part);
        }
    }
    out
}

fn lookup(id: u32, key: &str, value: &str) -> Vec<u8> {
    let mut args = Vec::new();
    LookupArgs { id: Id::new(id, 0), key: key.as_bytes(), value: value.as_bytes() }.encode(&mut args);
    args
}

fn id(object: u32) -> Vec<u8> {
    let mut args = Vec::new();
    Id::new(object, 0).encode(&mut args);
    args
}

/// Sends all of it at once, and gives what comes back.
fn answers(to: SocketAddr, input: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(to).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    stream.write_all(input).unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    let mut out = Vec::new();
    stream.read_to_end(&mut out).unwrap();
    out
}

#[test]
fn calls_that_come_together_are_answered_as_alone() {
    let mut office = Office::historical();
    let subject = office.root.make(0, &[("name", &["subject"]), ("k", &["v"])]);
    let child = office.root.make(subject, &[("name", &["child"]), ("uid", &["7"]), ("passwd", &["x"])]);
    let domain = office.domain.tcp;
    let calls: Vec<(u32, Vec<u8>)> = vec![
        (Procedure::Ping as u32, vec![]),
        (Procedure::LookupRead as u32, lookup(subject, "name", "child")),
        (Procedure::Lookup as u32, lookup(subject, "uid", "7")),
        (Procedure::LookupRead as u32, lookup(subject, "uid", "8")),
        (Procedure::LookupRead as u32, lookup(4_000, "name", "child")),
        (Procedure::Lookup as u32, lookup(subject, "passwd", "x")),
        (Procedure::LookupRead as u32, lookup(0, "name", "subject")[..21].to_vec()),
        (Procedure::Read as u32, id(child)),
        (Procedure::Read as u32, id(4_000)),
        (Procedure::Read as u32, vec![1, 2]),
        (Procedure::Children as u32, id(0)),
        (99, vec![]),
    ];
    let (mut together, mut alone) = (Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        for (n, (procedure, args)) in (0..).zip(&calls) {
            // One in five is in two fragments, which nobody looks at ahead.
            let bytes = record(round * 100 + n, *procedure, args, (round + n) % 5 == 4);
            alone.extend(answers(domain, &bytes));
            together.extend(bytes);
        }
    }
    assert!(alone.len() > 24 * ROUNDS as usize * calls.len(), "all of them are answered");
    assert!(answers(domain, &together) == alone);
    // A record that never ends is looked at as little as one that is too short to be a call.
    together.extend([0x80, 0, 0, 4, 1, 2, 3, 4]);
    together.extend([0x80, 0, 1, 0, 0, 0, 0, 1]);
    assert!(answers(domain, &together) == alone);
}
