//! Records that are too long, or never end.

use std::io::Write;
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

use netinfo_wire::netinfo::Procedure;
use netinfo_wire::record::{MAX_EMPTY_FRAGMENTS, put_fragment_header};

use super::{Target, is_closed, send_until};
use crate::load::wire;

const SOON: Duration = Duration::from_secs(10);

/// A fragment that is not the last.
fn fragment(len: usize) -> Vec<u8> {
    let mut out = Vec::with_capacity(len + 4);
    put_fragment_header(&mut out, len as u32, false);
    out.resize(len + 4, 0xA5);
    out
}

#[test]
fn records_that_are_too_long_cost_their_sender_the_connection() {
    let mut target = Target::start("[limits]\nrecord_size = \"1 MiB\"\n");
    target.attacked("2 GiB announced", |target| {
        for _ in 0..200 {
            let mut stream = target.connect();
            stream.write_all(&[0x7f, 0xff, 0xff, 0xff]).unwrap();
            assert!(is_closed(&mut stream, SOON));
        }
    });
    target.attacked("longer than allowed, in fragments", |target| {
        thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| {
                    let mut stream = target.connect();
                    let mut pieces = std::iter::repeat_with(|| fragment(10_000));
                    let sent = send_until(&mut stream, &mut pieces, Instant::now() + SOON);
                    // What the kernel has room for goes beyond what the daemon takes.
                    assert!(sent < 64 << 20, "{sent} bytes taken");
                    assert!(is_closed(&mut stream, SOON));
                });
            }
        });
    });
    // The longest record that is allowed is answered.
    let mut stream = target.connect();
    let mut call = wire::call(7, Procedure::Ping, &vec![0; (1 << 20) - 40]);
    stream.write_all(&call).unwrap();
    let mut reply = [0; 28];
    std::io::Read::read_exact(&mut stream, &mut reply).unwrap();
    assert_eq!(reply[4..8], [0, 0, 0, 7]);
    call = wire::call(8, Procedure::Ping, &vec![0; (1 << 20) - 39]);
    let _ = stream.write_all(&call);
    assert!(is_closed(&mut stream, SOON));
}

#[test]
fn records_that_never_end_stay_within_bounds() {
    let mut target = Target::start("");
    target.attacked("empty fragments without end", |target| {
        let until = Instant::now() + Duration::from_secs(2);
        let mut closed = 0;
        while Instant::now() < until {
            let mut stream = target.connect();
            let mut pieces = std::iter::repeat_with(|| vec![0; 4 * (MAX_EMPTY_FRAGMENTS as usize + 1)]);
            send_until(&mut stream, &mut pieces, until);
            closed += u64::from(is_closed(&mut stream, SOON));
        }
        assert!(closed > 10, "{closed} closed");
    });
    target.attacked("fragments of one byte without end", |target| {
        let until = Instant::now() + Duration::from_secs(3);
        thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| {
                    let pieces = fragment(1).repeat(4000);
                    let mut stream = target.connect();
                    send_until(&mut stream, &mut std::iter::repeat_with(|| pieces.clone()), until);
                });
            }
        });
    });
    // Each of these records is allowed, but not all of them at once.
    let (_, survivors) = target.attacked("many records almost as long as allowed", |target| {
        let mut streams: Vec<TcpStream> = (0..24).map(|_| target.connect()).collect();
        let until = Instant::now() + SOON;
        let piece = fragment(1 << 18);
        for _ in 0..60 {
            for stream in &mut streams {
                send_until(stream, &mut std::iter::once(piece.clone()), until);
            }
        }
        let open =
            streams.iter_mut().filter_map(|s| (!is_closed(s, Duration::from_millis(50))).then_some(()));
        open.count()
    });
    assert!((1..24).contains(&survivors), "{survivors} of 24 are left");
}

#[test]
fn half_records_are_given_up() {
    let mut target = Target::start("[limits]\nstall_seconds = 1\n");
    target.attacked("half records", |target| {
        let call = wire::call(1, Procedure::Ping, &[]);
        let mut streams: Vec<TcpStream> = (0..300)
            .map(|n| {
                let mut stream = target.connect();
                stream.write_all(&call[..1 + n % (call.len() - 1)]).unwrap();
                stream
            })
            .collect();
        // One that stands between two records may rest.
        let mut resting = target.connect();
        resting.write_all(&call).unwrap();
        assert!(!is_closed(&mut resting, Duration::from_millis(2500)));
        let open =
            streams.iter_mut().filter_map(|s| (!is_closed(s, Duration::from_millis(500))).then_some(()));
        assert_eq!(open.count(), 0, "half records still held");
    });
    assert!(target.connections()[0] <= 3, "{:?}", target.connections());
}
