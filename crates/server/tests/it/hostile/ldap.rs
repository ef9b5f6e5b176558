//! LDAP: what its clients can do wrong on purpose.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

use netinfo_server::limits::{self, IDLE_CONNECTION_MEMORY};
use netinfo_wire::ldap::{FilterBuf, Request, ResultCode, Scope, SearchRequest};

use super::Target;
use crate::ldap::wire::{Client, bind, message, search};
use crate::load::Rng;

const TIME: Duration = Duration::from_secs(3);
/// Idle connections.
const CROWD: usize = 10_000;
/// TLS connections: each has keys and buffers.
const TLS_CROWD: usize = 300;
/// Suffix of the domain `local`.
const SUFFIX: &str = "dc=local";

/// Everybody reads everything, so that there is something to ask for.
fn target(config: &str) -> Target {
    let target = Target::start(config);
    target.request(r#"{"op":"configure-domain","tag":"local","settings":{"anonymous":["read"]}}"#);
    target
}

fn attackers(rng: &mut Rng, work: impl Fn(Rng, Instant) -> usize + Sync) -> usize {
    let until = Instant::now() + TIME;
    thread::scope(|scope| {
        let threads: Vec<_> = (0..3)
            .map(|_| {
                let (rng, work) = (rng.fork(), &work);
                scope.spawn(move || work(rng, until))
            })
            .collect();
        threads.into_iter().map(|t| t.join().unwrap()).sum()
    })
}

/// Requests that mean something, or almost.
fn almost(rng: &mut Rng) -> Vec<u8> {
    let mut bytes = match rng.below(4) {
        0 => bind(rng.next() as u32 >> 1, "uid=user1,cn=users,dc=local", ""),
        1 => search(1 + rng.below(9) as u32, SUFFIX, Scope::Subtree, "(&(uid=user1)(!(cn=*a*b*)))"),
        2 => search(1, "cn=users,dc=local", Scope::One, "(|(uid>=user4)(description:1.2.3:=x))"),
        _ => message(3, Request::Abandon(1)),
    };
    for _ in 0..rng.below(4) {
        let at = rng.below(bytes.len());
        bytes[at] = rng.next() as u8;
    }
    bytes
}

#[test]
fn garbage_on_ldap_changes_nothing() {
    let mut rng = Rng::from_environment("LDAP garbage");
    let mut target = target("");
    let (_, made) = target.attacked("garbage on LDAP and LDAP over TLS", |target| {
        let ports = [target.node.ldap(), target.node.ldaps()];
        attackers(&mut rng, |mut rng, until| {
            let mut made = 0;
            while Instant::now() < until {
                let mut stream = TcpStream::connect(ports[rng.below(2)]).unwrap();
                stream.set_read_timeout(Some(Duration::from_millis(20))).unwrap();
                for _ in 0..1 + rng.below(4) {
                    let bytes = match rng.below(4) {
                        0 => (0..rng.below(2000)).map(|_| rng.next() as u8).collect(),
                        // The beginning of a TLS handshake, with nonsense inside.
                        1 => {
                            [&[0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3][..], &[rng.next() as u8; 505]].concat()
                        }
                        _ => almost(&mut rng),
                    };
                    let _ = stream.write_all(&bytes);
                }
                let _ = stream.read(&mut [0; 4096]);
                made += 1;
            }
            made
        })
    });
    println!("{made} connections");
    let mut client = Client::connect(target.node.ldap());
    client.send(&search(5, SUFFIX, Scope::Subtree, "(uid=user7)"));
    assert_eq!(client.result(5), (vec!["uid=user7,cn=users,dc=local".to_owned()], ResultCode::Success));
}

#[test]
fn filter_bombs_are_refused() {
    let mut target = target("");
    target.attacked("filters of great depth and width", |target| {
        let until = Instant::now() + TIME;
        // As deep as text can be made, and far beyond what is taken.
        let deep = nested(100_000);
        let wide = format!("(|{})", "(description=*a*b*c*d*)".repeat(5000));
        let wide = FilterBuf::parse(&wide).map(|filter| {
            message(
                9,
                Request::Search(SearchRequest::new(SUFFIX.as_bytes(), Scope::Subtree, filter.as_filter())),
            )
        });
        while Instant::now() < until {
            let mut client = Client::connect(target.node.ldap());
            client.send(&deep);
            // Too deep, and by the limit of those who have not bound also too long.
            assert!(!matches!(client.receive(), Ok(Some(crate::ldap::wire::Said::Entry(..)))));
            if let Ok(wide) = &wide {
                let mut client = Client::connect(target.node.ldap());
                client.send(wide);
                let _ = client.receive();
            }
        }
    });
}

/// A search whose filter is a "not" within a "not", so many times.
fn nested(depth: usize) -> Vec<u8> {
    // From the inside: lengths grow, so the parts are put together from behind.
    let mut reversed: Vec<u8> = b"ssalCtcejbo".to_vec();
    let mut len = reversed.len();
    let mut wrap = |tag: u8, reversed: &mut Vec<u8>| {
        let bytes = len.to_be_bytes();
        let significant = &bytes[bytes.iter().position(|b| *b != 0).unwrap_or(7)..];
        reversed.extend(significant.iter().rev());
        reversed.push(0x80 | significant.len() as u8);
        reversed.push(tag);
        len = reversed.len();
    };
    wrap(0x87, &mut reversed);
    for _ in 0..depth {
        wrap(0xa2, &mut reversed);
    }
    let filter: Vec<u8> = reversed.into_iter().rev().collect();
    let mut search = vec![4, 0, 10, 1, 2, 10, 1, 0, 2, 1, 0, 2, 1, 0, 1, 1, 0];
    search.extend(filter);
    search.extend([0x30, 0]);
    let framed = |tag: u8, content: Vec<u8>| {
        let mut out = vec![tag, 0x84];
        out.extend((content.len() as u32).to_be_bytes());
        out.extend(content);
        out
    };
    let mut body = vec![2, 1, 7];
    body.extend(framed(0x63, search));
    framed(0x30, body)
}

#[test]
fn large_results_that_nobody_reads_take_little() {
    let mut target = target("");
    let (effect, _clients) =
        target.attacked("results of 500 entries, a thousand times, that nobody reads", |target| {
            let ask = search(1, SUFFIX, Scope::Subtree, "(objectClass=*)").repeat(20);
            let mut clients: Vec<TcpStream> = Vec::new();
            for _ in 0..50 {
                let mut stream = TcpStream::connect(target.node.ldap()).unwrap();
                stream.write_all(&ask).unwrap();
                clients.push(stream);
            }
            thread::sleep(TIME);
            clients
        });
    assert!(effect.memory < 64 << 20, "{effect}");
}

#[test]
fn storms_of_binds_leave_others_served() {
    let mut target = target("");
    target.attacked("binds with wrong passwords", |target| {
        let until = Instant::now() + TIME;
        thread::scope(|scope| {
            for slot in 0..20_u32 {
                scope.spawn(move || {
                    let mut n = slot;
                    while Instant::now() < until {
                        let mut client = Client::connect(target.node.ldap());
                        n += 20;
                        client.bind(&format!("uid=user{},cn=users,dc=local", n % 600), "wrong");
                    }
                });
            }
        });
    });
}

/// Connections of the crowd that ask something at the same time.
const GROUP: usize = 200;

#[test]
fn ten_thousand_ldap_connections_cost_little() {
    let descriptors = limits::raise_descriptor_limit().unwrap();
    assert!(descriptors as usize > CROWD + 500, "{descriptors} descriptors are not enough: raise ulimit -Hn");
    let mut target = target("");
    let ask = search(1, "cn=user1,cn=users,dc=local", Scope::Base, "(objectClass=*)");
    let (effect, mut streams) = target.attacked("10,000 idle LDAP connections", |target| {
        let mut streams: Vec<TcpStream> = Vec::with_capacity(CROWD);
        while streams.len() < CROWD {
            let known = streams.len();
            for _ in 0..GROUP {
                let mut stream = TcpStream::connect(target.node.ldap()).unwrap();
                stream.write_all(&ask).unwrap();
                streams.push(stream);
            }
            read_something(&mut streams[known..]);
        }
        streams
    });
    let each = effect.memory as usize / CROWD;
    println!("{each} bytes for each");
    assert!(each <= IDLE_CONNECTION_MEMORY, "{each} bytes for each");
    // All of them can still be used, and leave together.
    target.attacked("10,000 LDAP connections come to life and leave", |target| {
        for some in streams.chunks_mut(GROUP) {
            some.iter_mut().for_each(|stream| stream.write_all(&ask).unwrap());
            read_something(some);
        }
        drop(streams);
        let until = Instant::now() + Duration::from_secs(20);
        while target.request(r#"{"op":"status"}"#)["connections"]["current"].as_u64().unwrap() > 5 {
            assert!(Instant::now() < until, "connections are not noticed to be gone");
            thread::sleep(Duration::from_millis(20));
        }
    });
}

fn read_something(streams: &mut [TcpStream]) {
    let mut reply = [0; 4096];
    for stream in streams {
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        assert!(stream.read(&mut reply).unwrap() > 0);
    }
}

#[test]
fn handshakes_that_do_not_go_on_take_little() {
    let mut target = target("[limits]\nstall_seconds = 2\n");
    let (effect, _streams) = target.attacked("TLS handshakes that do not go on", |target| {
        let mut streams = Vec::new();
        for _ in 0..TLS_CROWD {
            let mut stream = TcpStream::connect(target.node.ldaps()).unwrap();
            // A record of 16 KiB is announced and does not come.
            stream.write_all(&[0x16, 3, 1, 0x40, 0, 1, 0, 0x3f, 0xfc]).unwrap();
            stream.write_all(&[0; 8000]).unwrap();
            streams.push(stream);
        }
        thread::sleep(Duration::from_secs(1));
        streams
    });
    assert!(effect.memory as usize / TLS_CROWD < 64 << 10, "{effect}");
}
