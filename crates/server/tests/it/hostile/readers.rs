//! Replies that nobody reads, or slowly.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

use netinfo_server::limits::MAX_READALL;
use netinfo_testkit::Caller;
use netinfo_wire::netinfo::{Id, NameArgs, Procedure, Status, put_checksum};
use netinfo_wire::record::Decoder;

use socket2::{Domain, Socket, Type};

use super::{Target, named, send_until};
use crate::load::change::Change;
use crate::load::wire;

/// Children of the large directory.
const MANY: usize = 12_000;
/// Bytes of the value that is listed of each.
const VALUE: usize = 1000;

/// A call that lists the values of all children.
fn list(object: u32) -> Vec<u8> {
    let mut args = Vec::new();
    NameArgs { id: Id::new(object, 0), name: b"note" }.encode(&mut args);
    wire::call(1, Procedure::List, &args)
}

/// A daemon with a large directory.
fn with_a_large_directory(config: &str) -> (Target, u32) {
    let target = Target::start(config);
    let object = target.fill(0, 1, |_| named("large"))[0];
    target.fill(object, MANY, |n| {
        let mut properties = named(&format!("d{n}"));
        properties.push((b"note".to_vec(), vec![vec![b'x'; VALUE]]));
        properties
    });
    (target, object)
}

/// A connection for which the kernel takes as little as it can: what is not read stays with the daemon.
fn deaf(target: &Target) -> TcpStream {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    socket.connect(&target.address.into()).unwrap();
    socket.into()
}

/// Reads a whole reply, with pauses; returns its length.
fn read_slowly(stream: &mut TcpStream, pause: Duration) -> usize {
    let mut decoder = Decoder::new(1 << 30);
    let mut buffer = vec![0; 65_536];
    loop {
        let got = stream.read(&mut buffer).unwrap();
        assert_ne!(got, 0, "closed within a reply");
        let (taken, record) = decoder.next(&buffer[..got]).unwrap();
        if let Some(record) = record {
            assert_eq!(taken, got);
            return record.len();
        }
        thread::sleep(pause);
    }
}

#[test]
fn slow_readers_of_long_lists_hold_up_nobody() {
    let (mut target, large) = with_a_large_directory("[store]\nchange_feed_retention = 1000\n");
    let domain = target.node.data().join("local.domain/data.mdb");
    let size = || std::fs::metadata(&domain).unwrap().len();
    let (effect, grown) = target.attacked("slow readers of long lists", |target| {
        let call = list(large);
        let mut streams: Vec<TcpStream> = (0..150).map(|_| target.connect()).collect();
        for stream in &mut streams {
            stream.write_all(&call).unwrap();
        }
        thread::sleep(Duration::from_millis(300));
        // What is kept for them is known: the numbers of all children, for those whose turn has come.
        let held = target.held();
        assert!(held > 5 * 4 * MANY as u64, "{held} bytes held");
        // While they are in the middle of their replies, others write. If one of them pinned what it lists, no page
        // that is replaced could be used again.
        let before = size();
        let object = target.fill(0, 1, |_| named("often written"))[0];
        let mut root = Caller::unix(&target.node.socket());
        let mut instance = 0;
        for round in 0..60u32 {
            let changes: Vec<Change> = (0..64)
                .map(|n| {
                    instance += 1;
                    let id = Id::new(object, instance - 1);
                    let value = vec![b'a' + (round % 26) as u8; 5000 + n];
                    let properties = vec![
                        (b"name".to_vec(), vec![b"often written".to_vec()]),
                        (b"v".to_vec(), vec![value]),
                    ];
                    Change::Write { id, properties }
                })
                .collect();
            wire::send(&mut root, &changes, 1).unwrap();
            for (change, xid) in changes.iter().zip(1..) {
                wire::receive(&mut root, change, xid).unwrap().unwrap();
            }
        }
        let grown = size() - before;
        // Slow as they are, their replies are whole.
        let mut first = streams.swap_remove(0);
        assert!(read_slowly(&mut first, Duration::ZERO) > MANY * VALUE);
        grown
    });
    println!("{} MB more on disk", grown >> 20);
    // 3840 changes of 5 kB, of which the feed keeps 1000.
    assert!(grown < 24 << 20, "{grown} bytes more on disk");
    assert!(effect.threads < 40, "{effect}");
}

#[test]
fn requests_of_those_who_never_read_are_not_taken_for_ever() {
    let (mut target, large) = with_a_large_directory("[limits]\nstall_seconds = 2\n");
    let mut read = Vec::new();
    Id::new(0, 0).encode(&mut read);
    let calls = [
        wire::call(1, Procedure::Ping, &[]).repeat(1000),
        wire::call(1, Procedure::ListAll, &read).repeat(500),
        wire::call(1, Procedure::Statistics, &[]).repeat(500),
        list(large).repeat(500),
    ];
    target.attacked("requests of those who never read", |target| {
        let mut streams: Vec<TcpStream> = (0..20).map(|_| deaf(target)).collect();
        thread::scope(|scope| {
            for (n, stream) in streams.iter_mut().enumerate() {
                let calls = &calls[n % calls.len()];
                scope.spawn(move || {
                    let until = Instant::now() + Duration::from_secs(30);
                    let sent = send_until(stream, &mut std::iter::repeat_with(|| calls.clone()), until);
                    assert!(Instant::now() < until, "after {sent} bytes still connected");
                });
            }
        });
    });
    assert!(target.connections()[0] <= 3, "{:?}", target.connections());
}

#[test]
fn unread_replies_of_all_connections_together_are_bounded() {
    let mut target = Target::start("[limits]\nheld = \"64 MiB\"\n");
    let big = (b"big".to_vec(), (0..90).map(|_| vec![b'b'; 60_000]).collect::<Vec<_>>());
    let object = target.fill(0, 1, |_| vec![named("big")[0].clone(), big.clone()])[0];
    let mut read = Vec::new();
    Id::new(object, 0).encode(&mut read);
    let call = wire::call(1, Procedure::Read, &read).repeat(4);
    let (_, closed) = target.attacked("unread replies of many", |target| {
        let mut streams: Vec<TcpStream> = Vec::new();
        for _ in 0..60 {
            let mut stream = deaf(target);
            stream.write_all(&call).unwrap();
            streams.push(stream);
        }
        thread::sleep(Duration::from_millis(500));
        // What was sent to them first is still there to be read, so a closed one shows when it is written to.
        let closed = |s: &mut TcpStream| {
            (0..3).any(|_| {
                thread::sleep(Duration::from_millis(5));
                s.write_all(&call).is_err()
            })
        };
        streams.iter_mut().filter_map(|s| closed(s).then_some(())).count()
    });
    println!("{closed} of 60 closed");
    assert!((10..60).contains(&closed));
}

#[test]
fn stalled_copies_of_the_whole_domain_give_up_their_places() {
    let (mut target, _) = with_a_large_directory("[limits]\nstall_seconds = 2\n");
    let mut args = Vec::new();
    put_checksum(&mut args, 0);
    let call = wire::call(1, Procedure::ReadAll, &args);
    target.attacked("stalled copies of the whole domain", |target| {
        let mut streams: Vec<TcpStream> = (0..MAX_READALL).map(|_| target.connect()).collect();
        for stream in &mut streams {
            stream.write_all(&call).unwrap();
        }
        thread::sleep(Duration::from_millis(300));
        let mut caller = Caller::tcp(target.address);
        assert_eq!(caller.status(Procedure::ReadAll, &args), Status::MasterBusy);
        let until = Instant::now() + Duration::from_secs(15);
        while caller.status(Procedure::ReadAll, &args) == Status::MasterBusy {
            assert!(Instant::now() < until, "the places are never given up");
            thread::sleep(Duration::from_millis(50));
        }
    });
}
