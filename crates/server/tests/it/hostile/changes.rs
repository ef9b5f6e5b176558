//! Changes too large to be decoded all at once.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use netinfo_wire::netinfo::{Id, MAX_NAMES, Procedure};
use netinfo_wire::xdr::put_u32;

use super::Target;
use crate::load::wire;

/// A WRITE whose property list takes many times its length once decoded: millions of values without a byte.
fn swelling(object: u32, lists: u32) -> Vec<u8> {
    let mut args = Vec::new();
    Id::new(object, 0).encode(&mut args);
    put_u32(&mut args, lists);
    for _ in 0..lists {
        put_u32(&mut args, 0);
        put_u32(&mut args, MAX_NAMES);
        args.resize(args.len() + 4 * MAX_NAMES as usize, 0);
    }
    wire::call(1, Procedure::Write, &args)
}

#[test]
fn changes_that_swell_are_taken_a_few_at_a_time() {
    let mut target = Target::start("");
    let call = swelling(target.users, 48);
    println!("requests of {} kB", call.len() / 1000);
    let (_, answered) = target.attacked("changes that swell", |target| {
        let answered = AtomicUsize::new(0);
        thread::scope(|scope| {
            for _ in 0..6 {
                scope.spawn(|| {
                    let mut stream = TcpStream::connect(target.address).unwrap();
                    stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
                    // Whether the request is refused, or its connection closed for the memory all of them hold, others
                    // are served.
                    let sent = stream.write_all(&call);
                    if sent.and_then(|()| stream.read_exact(&mut [0; 32])).is_ok() {
                        answered.fetch_add(1, Ordering::SeqCst);
                    }
                });
            }
        });
        answered.into_inner()
    });
    println!("{answered} of 6 answered");
    assert!(answered > 0);
}

#[test]
fn a_change_of_one_connection_does_not_wait_for_the_large_ones_of_others_for_ever() {
    let mut target = Target::start("");
    let large = swelling(target.users, 30);
    target.attacked("small changes beside large ones", |target| {
        thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| {
                    let mut stream = TcpStream::connect(target.address).unwrap();
                    for _ in 0..2 {
                        if stream.write_all(&large).and_then(|()| stream.read_exact(&mut [0; 32])).is_err() {
                            return;
                        }
                    }
                });
            }
            for n in 0..5 {
                let made = target.fill(0, 1, |_| super::named(&format!("small{n}")));
                assert_eq!(made.len(), 1);
            }
        });
    });
}
