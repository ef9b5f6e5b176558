//! Uploads left behind, and the daemon's end amid all that.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

use netinfo_server::limits::{DRAIN_TIMEOUT, MAX_STREAMS, MAX_UPLOADS};
use netinfo_testkit::Caller;
use netinfo_wire::control::{
    PROGRAM, Procedure, Response, UploadChunk, VERSION, decode_upload_begun, put_request, put_upload_commit,
};
use netinfo_wire::netinfo::{self, Id, Status};
use netinfo_wire::record::Decoder;

use super::{Target, named};
use crate::load::wire;

fn begin(caller: &mut Caller) -> Result<u64, Status> {
    let mut args = Vec::new();
    put_request(&mut args, br#"{"op":"restore","domain":"local"}"#);
    let results = caller.call(PROGRAM, VERSION, Procedure::UploadBegin.code(), &args).unwrap();
    decode_upload_begun(&results).unwrap().map_err(|response| response.status)
}

fn add(caller: &mut Caller, handle: u64) -> Status {
    let mut args = Vec::new();
    UploadChunk { handle, data: &[7; 1000] }.encode(&mut args);
    let results = caller.call(PROGRAM, VERSION, Procedure::UploadChunk.code(), &args).unwrap();
    Response::decode(&results).unwrap().status
}

fn commit(caller: &mut Caller, handle: u64) -> Status {
    let mut args = Vec::new();
    put_upload_commit(&mut args, handle);
    let results = caller.call(PROGRAM, VERSION, Procedure::UploadCommit.code(), &args).unwrap();
    Response::decode(&results).unwrap().status
}

/// Files in the data directory that hold uploads.
fn files(target: &Target) -> usize {
    let names = std::fs::read_dir(target.node.data()).unwrap().map(|e| e.unwrap().file_name());
    names.filter(|name| name.to_string_lossy().starts_with("upload.")).count()
}

fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let until = Instant::now() + Duration::from_secs(10);
    while !holds() {
        assert!(Instant::now() < until, "{what}");
        thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn an_upload_is_its_connections_own_and_ends_with_it() {
    let mut target = Target::start("");
    let socket = target.node.socket();
    let mut one = Caller::unix(&socket);
    let handles: Vec<u64> = (0..MAX_UPLOADS).map(|_| begin(&mut one).unwrap()).collect();
    assert_eq!(files(&target), MAX_UPLOADS);
    assert_eq!(begin(&mut one), Err(Status::MasterBusy));
    assert_eq!(add(&mut one, handles[0]), Status::Ok);

    let mut other = Caller::unix(&socket);
    assert_eq!(add(&mut other, handles[0]), Status::BadOp);
    assert_eq!(commit(&mut other, handles[0]), Status::BadOp);
    assert_eq!(begin(&mut other), Err(Status::MasterBusy));

    // What was uploaded is no backup; the attempt to restore it takes its place away.
    assert_ne!(commit(&mut one, handles[0]), Status::Ok);
    assert_eq!(files(&target), MAX_UPLOADS - 1);
    drop(one);
    eventually("abandoned uploads stay", || files(&target) == 0);
    let handle = begin(&mut other).unwrap();
    assert_eq!(add(&mut other, handle), Status::Ok);

    // A daemon that is killed removes what it left at its next start.
    target.node.kill9();
    assert_eq!(files(&target), 1);
    target.node.launch();
    assert_eq!(files(&target), 0);
}

#[test]
fn long_answers_are_made_for_a_few_at_a_time() {
    let target = Target::start("");
    target
        .fill(0, 200, |n| vec![named(&n.to_string())[0].clone(), (b"v".to_vec(), vec![vec![b'v'; 60_000]])]);
    let mut args = Vec::new();
    put_request(&mut args, br#"{"op":"backup","domain":"local"}"#);
    let mut callers: Vec<Caller> = (0..=MAX_STREAMS).map(|_| Caller::unix(&target.node.socket())).collect();
    let mut message = Vec::new();
    let cred = netinfo_wire::rpc::Credential::None;
    netinfo_wire::rpc::put_call(&mut message, 1, PROGRAM, VERSION, Procedure::Stream.code(), &cred);
    message.extend_from_slice(&args);
    let (last, first) = callers.split_last_mut().unwrap();
    for caller in first.iter_mut() {
        caller.send(&message, &[]).unwrap();
    }
    thread::sleep(Duration::from_millis(200));
    let refused = last.exchange(&message).unwrap();
    assert!(refused.len() < 500, "{} bytes", refused.len());
    assert!(refused.windows(4).any(|w| w == Status::MasterBusy.code().to_be_bytes()));
    for caller in first {
        assert!(caller.receive().unwrap().len() > 200 * 60_000);
    }
}

/// Calls as fast as answers come until the connection ends; returns how many were answered, and whether the end came
/// between two replies.
fn call_until_closed(mut stream: TcpStream) -> (usize, bool) {
    let mut args = Vec::new();
    Id::new(0, 0).encode(&mut args);
    let calls = wire::call(1, netinfo::Procedure::Read, &args).repeat(20);
    let mut decoder = Decoder::new(1 << 20);
    let mut buffer = [0; 16_384];
    let (mut sent, mut answered) = (0, 0);
    loop {
        if sent - answered < 200 && stream.write_all(&calls).is_ok() {
            sent += 20;
        }
        let got = match stream.read(&mut buffer) {
            Ok(0) => return (answered, decoder.is_idle()),
            Ok(got) => got,
            Err(_) => return (answered, false),
        };
        let mut rest = &buffer[..got];
        while let (taken, Some(_)) = decoder.next(rest).unwrap() {
            answered += 1;
            rest = &rest[taken..];
        }
    }
}

#[test]
fn a_daemon_told_to_stop_finishes_what_it_took_and_stops() {
    let mut target = Target::start("");
    // One that does not read its reply, and one that says nothing.
    let mut deaf = target.connect();
    let mut args = Vec::new();
    Id::new(target.users, 0).encode(&mut args);
    deaf.write_all(&wire::call(1, netinfo::Procedure::ListAll, &args).repeat(2000)).unwrap();
    let _idle = target.connect();
    let streams: Vec<TcpStream> = (0..8).map(|_| target.connect()).collect();
    let (took, ends) = thread::scope(|scope| {
        let callers: Vec<_> = streams.into_iter().map(|s| scope.spawn(|| call_until_closed(s))).collect();
        thread::sleep(Duration::from_millis(500));
        let took = target.node.terminate();
        (took, callers.into_iter().map(|c| c.join().unwrap()).collect::<Vec<_>>())
    });
    println!("ended in {took:.1?}: {ends:?}");
    assert!(took < DRAIN_TIMEOUT + Duration::from_secs(2), "{took:?}");
    // Replies are whole, and the end is an end, not a reset that takes replies away.
    assert!(ends.iter().all(|(answered, whole)| *answered > 0 && *whole), "{ends:?}");
}
