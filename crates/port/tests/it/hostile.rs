//! Servers that answer slowly, endlessly, or with nonsense: a probe ends all the same, and says what it met.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::thread;
use std::time::{Duration, Instant};

use netinfo_port::limits::{ANSWER_WAIT, MAX_BANNER, MAX_CONNECTIONS, PROBE_TIME};
use netinfo_port::probe::{self, Verdict};
use netinfo_port::{Inspection, Registry, Transport, report::Probing};
use netinfo_wire::record;
use netinfo_wire::rpc::{AcceptStat, parse_call, put_accepted};
use netinfo_wire::{netinfo, nibind};

/// Time for what is not waiting.
const SLACK: Duration = Duration::from_secs(5);

/// A server that does this with each connection, in a thread of its own.
fn server(each: impl Fn(TcpStream) + Clone + Send + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let each = each.clone();
            thread::spawn(move || each(stream.unwrap()));
        }
    });
    address
}

fn ask(address: SocketAddr) -> Verdict {
    let begin = Instant::now();
    let verdict = probe::ask(address, Transport::Tcp).verdict;
    assert!(begin.elapsed() < PROBE_TIME + SLACK, "{:?}", begin.elapsed());
    verdict
}

/// Says this after the first bytes have come, and then waits for the end.
fn says(answer: &'static [u8]) -> SocketAddr {
    server(move |mut stream| {
        let mut buf = [0; 4096];
        if stream.read(&mut buf).is_ok() {
            let _ = stream.write_all(answer);
            while stream.read(&mut buf).is_ok_and(|n| n > 0) {}
        }
    })
}

#[test]
fn who_speaks_first() {
    let address = server(|mut stream| {
        let _ = stream.write_all(b"SSH-2.0-OpenSSH_9.2\r\n");
        thread::sleep(SLACK);
    });
    let said = b"SSH-2.0-OpenSSH_9.2\r\n".to_vec();
    assert_eq!(ask(address), Verdict::Speaks { sounds_like: Some("SSH"), said });
    let flood = server(|mut stream| while stream.write_all(&[b'x'; 65536]).is_ok() {});
    let Verdict::Speaks { sounds_like: None, said } = ask(flood) else { panic!("it speaks") };
    assert!(said.len() <= MAX_BANNER);
}

#[test]
fn who_answers_in_another_protocol() {
    let verdict = ask(says(b"HTTP/1.1 400 Bad Request\r\n\r\n"));
    assert!(matches!(verdict, Verdict::Speaks { sounds_like: Some("HTTP"), .. }), "{verdict:?}");
    let verdict = ask(says(b"what?\n"));
    assert!(
        matches!(&verdict, Verdict::Speaks { sounds_like: None, said } if said == b"what?\n"),
        "{verdict:?}"
    );
    assert!(verdict.summary().contains("worth investigating"));
}

#[test]
fn who_says_nothing() {
    let silent = server(|mut stream| while stream.read(&mut [0; 4096]).is_ok_and(|n| n > 0) {});
    let begin = Instant::now();
    assert_eq!(ask(silent), Verdict::Silent);
    assert!(begin.elapsed() < ANSWER_WAIT * 4 + SLACK);
    assert_eq!(ask(server(drop)), Verdict::HangsUp);
}

#[test]
fn records_without_an_end() {
    // Fragments that are never the last, of nothing, or of more than there is.
    let endless = |piece: &'static [u8]| {
        ask(server(move |mut stream| {
            if stream.read(&mut [0; 4096]).is_ok() {
                while stream.write_all(piece).is_ok() {}
            }
        }))
    };
    for piece in [&[0, 0, 0, 0][..], &[0, 0, 0, 1, 7], &[0x80, 0, 0xff, 0xff, 1]] {
        let verdict = endless(piece);
        assert!(matches!(verdict, Verdict::Speaks { sounds_like: None, .. }), "{verdict:?}");
    }
}

#[test]
fn one_byte_at_a_time() {
    let tarpit = server(|mut stream| {
        if stream.read(&mut [0; 4096]).is_ok() {
            while stream.write_all(&[0x30]).is_ok() {
                thread::sleep(Duration::from_millis(100));
            }
        }
    });
    assert!(matches!(ask(tarpit), Verdict::Speaks { .. }));
}

/// Answers every call with these results.
fn rpc(results: &'static [u8]) -> SocketAddr {
    server(move |mut stream| {
        let mut buf = [0; 4096];
        while let Ok(n @ 1..) = stream.read(&mut buf) {
            let Ok(call) = parse_call(&buf[4..n]) else { return };
            let mut answer = Vec::new();
            let mark = record::begin(&mut answer);
            put_accepted(&mut answer, call.xid, AcceptStat::Success);
            answer.extend_from_slice(results);
            record::end(&mut answer, mark);
            if stream.write_all(&answer).is_err() {
                return;
            }
        }
    })
}

#[test]
fn lists_that_lie() {
    // A count of billions, strings that are longer than the answer, nothing at all.
    for results in
        [&[0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff][..], &[0, 0, 0, 0, 0, 0, 0, 1, 0xff, 0xff, 0xff, 0xff], b""]
    {
        let verdict = ask(rpc(results));
        let Verdict::Rpc(found) = &verdict else { panic!("{verdict:?}") };
        assert_eq!(found.binder.as_deref(), Some(&[][..]));
        assert!(verdict.summary().starts_with("NetInfo server that does not tell its version"));
    }
}

#[test]
fn a_program_that_is_not_ours() {
    let address = server(|mut stream| {
        let mut buf = [0; 4096];
        while let Ok(n @ 1..) = stream.read(&mut buf) {
            let call = parse_call(&buf[4..n]).unwrap();
            assert!([nibind::PROGRAM, netinfo::PROGRAM, 100_000].contains(&call.prog));
            let mut answer = Vec::new();
            let mark = record::begin(&mut answer);
            put_accepted(&mut answer, call.xid, AcceptStat::ProgUnavail);
            record::end(&mut answer, mark);
            stream.write_all(&answer).unwrap();
        }
    });
    let verdict = ask(address);
    assert_eq!((verdict.word(), verdict.is_netinfo()), ("rpc", false));
}

#[test]
fn few_connections_are_made() {
    let (tell, hear) = std::sync::mpsc::channel();
    let address = server(move |mut stream| {
        tell.send(()).unwrap();
        let _ = stream.read(&mut [0; 4096]);
    });
    assert_eq!(ask(address), Verdict::HangsUp);
    assert!((2..=MAX_CONNECTIONS as usize).contains(&hear.try_iter().count()));
}

#[test]
fn datagrams_of_nonsense() {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap();
    thread::spawn(move || {
        let mut buf = [0; 4096];
        while let Ok((_, peer)) = socket.recv_from(&mut buf) {
            for _ in 0..100 {
                let _ = socket.send_to(b"HTTP/1.1 what", peer);
            }
        }
    });
    let begin = Instant::now();
    let verdict = probe::ask(address, Transport::Udp).verdict;
    assert!(matches!(verdict, Verdict::Speaks { sounds_like: Some("HTTP"), .. }), "{verdict:?}");
    assert!(begin.elapsed() < PROBE_TIME);
    let silent = UdpSocket::bind("127.0.0.1:0").unwrap();
    assert_eq!(probe::ask(silent.local_addr().unwrap(), Transport::Udp).verdict, Verdict::NoAnswer);
}

#[test]
fn not_too_many_at_once() {
    let registry = Registry::embedded();
    let mut inspection = Inspection::new(vec!["600-1023".parse().unwrap()], &registry);
    inspection.probing = Probing::Host("127.0.0.1".into());
    let error = inspection.run().unwrap_err().to_string();
    assert_eq!(error, "at most 16 ports are probed at once, not 424");
}
