//! Bytes without meaning, and calls with too much of it, on every port.

use std::io::Write;
use std::net::{SocketAddr, TcpStream, UdpSocket};
use std::os::unix::net::UnixStream;
use std::thread;
use std::time::{Duration, Instant};

use netinfo_testkit::{Caller, Node};
use netinfo_wire::netinfo::{Binding, LookupArgs, Procedure};
use netinfo_wire::rpc::{AuthSys, Credential, put_call};
use netinfo_wire::{control, netinfo, nibind, portmap};

use super::Target;
use crate::load::Rng;

const TIME: Duration = Duration::from_secs(3);

/// A call message that means something, or almost.
fn call(rng: &mut Rng) -> Vec<u8> {
    let programs = [
        (netinfo::PROGRAM, netinfo::VERSION),
        (nibind::PROGRAM, nibind::VERSION),
        (portmap::PROGRAM, 2 + rng.below(3) as u32),
        (control::PROGRAM, control::VERSION),
    ];
    let (prog, vers) = programs[rng.below(programs.len())];
    let machine = vec![0x5A; rng.below(300)];
    let cred = match rng.below(3) {
        0 => Credential::Sys(AuthSys { machine: &machine, ..AuthSys::default() }),
        _ => Credential::None,
    };
    let mut out = Vec::new();
    put_call(&mut out, rng.next() as u32, prog, vers, rng.below(31) as u32, &cred);
    match rng.below(4) {
        0 => LookupArgs { id: netinfo::Id::new(0, 0), key: b"name", value: b"users" }.encode(&mut out),
        1 => Binding { tag: b"local", addr: [127, 0, 0, 1].into() }.encode(&mut out),
        2 => out.extend((0..rng.below(200)).map(|_| rng.next() as u8)),
        _ => out.extend_from_slice(&[0xff; 32][..rng.below(33)]),
    }
    // Some bytes are other ones.
    for _ in 0..rng.below(3) {
        let at = rng.below(out.len());
        out[at] = rng.next() as u8;
    }
    out
}

/// A stream of records and of what looks like them.
fn stream(rng: &mut Rng) -> Vec<u8> {
    let mut out = Vec::new();
    for _ in 0..1 + rng.below(20) {
        let message = call(rng);
        let len = message.len() as u32;
        let mark = match rng.below(20) {
            0 => rng.next() as u32,
            1 => len,
            _ => len | 0x8000_0000,
        };
        out.extend_from_slice(&mark.to_be_bytes());
        out.extend_from_slice(&message);
    }
    out
}

fn ports(node: &Node) -> Vec<SocketAddr> {
    vec![
        node.domain("local").tcp,
        node.ipcserver().tcp,
        node.binder().tcp,
        node.endpoints().portmap.unwrap().tcp,
    ]
}

fn attackers(count: usize, rng: &mut Rng, work: impl Fn(Rng, Instant) -> usize + Sync) -> usize {
    let until = Instant::now() + TIME;
    thread::scope(|scope| {
        let threads: Vec<_> = (0..count)
            .map(|_| {
                let (rng, work) = (rng.fork(), &work);
                scope.spawn(move || work(rng, until))
            })
            .collect();
        threads.into_iter().map(|t| t.join().unwrap()).sum()
    })
}

/// Writes garbage to a stream and reads what comes back, if anything.
fn pester(stream: &mut (impl Write + std::io::Read), rng: &mut Rng) {
    let bytes = match rng.below(3) {
        0 => (0..rng.below(2000)).map(|_| rng.next() as u8).collect(),
        1 => b"GET / HTTP/1.1\r\nHost: directory\r\n\r\n".to_vec(),
        _ => self::stream(rng),
    };
    let _ = stream.write_all(&bytes);
    if rng.percent(30) {
        let _ = stream.read(&mut [0; 4096]);
    }
}

#[test]
fn garbage_on_every_port_changes_nothing() {
    let mut rng = Rng::from_environment("garbage");
    let mut target = Target::start("");
    let before = crate::load::wire::read_all(&mut Caller::tcp(target.address));
    let (_, streams) = target.attacked("garbage on TCP and the UNIX socket", |target| {
        let (ports, socket) = (ports(&target.node), target.node.socket());
        attackers(3, &mut rng, |mut rng, until| {
            let mut made = 0;
            while Instant::now() < until {
                made += 1;
                let patience = Some(Duration::from_millis(20));
                if rng.percent(20) {
                    // As the superuser: only bytes that are no call.
                    let mut stream = UnixStream::connect(&socket).unwrap();
                    stream.set_read_timeout(patience).unwrap();
                    let bytes: Vec<u8> = (0..rng.below(500)).map(|_| rng.next() as u8).collect();
                    let _ = stream.write_all(&bytes);
                    continue;
                }
                let mut stream = TcpStream::connect(ports[rng.below(ports.len())]).unwrap();
                stream.set_read_timeout(patience).unwrap();
                for _ in 0..1 + rng.below(4) {
                    pester(&mut stream, &mut rng);
                }
            }
            made
        })
    });
    println!("{streams} streams of garbage");
    let after = crate::load::wire::read_all(&mut Caller::tcp(target.address));
    assert_eq!(before, after);
}

#[test]
fn floods_of_datagrams_leave_others_served() {
    let mut rng = Rng::from_environment("datagrams");
    let mut target = Target::start("");
    let (_, sent) = target.attacked("floods of datagrams", |target| {
        let endpoints = target.node.endpoints();
        let mut ports = vec![target.node.domain("local").udp, target.node.binder().udp];
        ports.extend([endpoints.ipcserver.unwrap().udp, endpoints.portmap.unwrap().udp]);
        attackers(2, &mut rng, |mut rng, until| {
            let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
            let messages: Vec<Vec<u8>> = (0..200).map(|_| call(&mut rng)).collect();
            let long = vec![0xEE; 20_000];
            let mut sent = 0;
            while Instant::now() < until {
                let message = if sent % 50 == 0 { &long } else { &messages[sent % messages.len()] };
                let _ = socket.send_to(message, ports[sent % ports.len()]);
                sent += 1;
            }
            sent
        })
    });
    println!("{sent} datagrams");
    // UDP itself is served again, as soon as there is room for a datagram.
    let mut caller = Caller::udp(target.node.domain("local").udp);
    caller.set_patience(Duration::from_millis(500));
    let ping = &crate::load::wire::call(1, Procedure::Ping, &[])[4..];
    assert!((0..20).any(|_| caller.exchange(ping).is_ok()));
}
