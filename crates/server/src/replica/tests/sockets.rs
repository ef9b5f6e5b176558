//! What goes over the wire to and from another server, which is played by a few sockets on the loopback.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use netinfo_client::{Error, Status};
use netinfo_directory::{Change, Committed, Id, Outcome, Property, Server, Target};
use netinfo_testkit::golden::transcripts;
use netinfo_wire::netinfo::{self as ni, CreateArgs, Procedure, put_status};
use netinfo_wire::nibind::{self, Addrinfo};
use netinfo_wire::portmap::{self, v2};
use netinfo_wire::record::{Decoder, put_fragment_header};
use netinfo_wire::rpc::{AcceptStat, Credential, parse_call, put_accepted};
use netinfo_wire::xdr::put_u32;

use super::super::peer::{self, Ports};
use super::super::push::{self, Push};

/// A call as the server saw it: procedure of the NetInfo program and its arguments.
type Seen = (u32, Vec<u8>);

/// A host with a portmapper, a binder and one domain, `network`.
struct Host {
    ports: Ports,
    seen: Receiver<Seen>,
}

/// Answers a call of the NetInfo program: the results.
type Answer = fn(u32) -> Vec<u8>;

impl Host {
    fn new(answer: Answer) -> Self {
        let (tell, seen) = channel();
        let domain = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let tcp_port = domain.local_addr().unwrap().port().into();
        thread::spawn(move || serve(&domain.accept().unwrap().0, answer, &tell));
        let binder = datagrams(nibind::PROGRAM, move |out, args| match nibind::decode_tag(args).unwrap() {
            b"network" => nibind::put_getregister_res(out, Addrinfo { udp_port: 1, tcp_port }),
            _ => put_status(out, Status::NoTag),
        });
        let portmap = datagrams(portmap::PROGRAM, move |out, args| {
            let asked = v2::Mapping::decode(args).unwrap();
            assert_eq!((asked.prog, asked.vers), (nibind::PROGRAM, nibind::VERSION));
            let port = if asked.prot == portmap::IPPROTO_UDP { binder.into() } else { 0 };
            put_u32(out, port);
        });
        // The port of a node of this project is none of these.
        Self { ports: Ports { portmap, ipcserver: 1 }, seen }
    }

    fn connect(&self) -> netinfo_client::Connection {
        peer::connect(&place("network"), self.ports).unwrap()
    }
}

fn place(tag: &str) -> Server {
    Server { address: Ipv4Addr::LOCALHOST, tag: tag.into() }
}

/// A UDP service; returns its port.
fn datagrams(program: u32, answer: impl Fn(&mut Vec<u8>, &[u8]) + Send + 'static) -> u16 {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = socket.local_addr().unwrap().port();
    thread::spawn(move || {
        let mut buffer = [0; 9000];
        while let Ok((len, peer)) = socket.recv_from(&mut buffer) {
            let call = parse_call(&buffer[..len]).unwrap();
            assert_eq!(call.prog, program);
            let mut out = Vec::new();
            put_accepted(&mut out, call.xid, AcceptStat::Success);
            answer(&mut out, call.args);
            socket.send_to(&out, peer).unwrap();
        }
    });
    port
}

/// A historical server of one domain: it knows no other program.
fn serve(mut stream: &TcpStream, answer: Answer, tell: &Sender<Seen>) {
    let from: SocketAddr = stream.peer_addr().unwrap();
    let root = nix::unistd::geteuid().is_root();
    assert_eq!(from.port() < 1024, root, "the superuser calls from a reserved port");
    let mut decoder = Decoder::new(1 << 20);
    let mut rest = Vec::new();
    loop {
        let (taken, record) = decoder.next(&rest).unwrap();
        let Some(message) = record.map(<[u8]>::to_vec) else {
            rest.drain(..taken);
            let mut buffer = [0; 4096];
            match stream.read(&mut buffer) {
                Ok(0) | Err(_) => return,
                Ok(len) => rest.extend_from_slice(&buffer[..len]),
            }
            continue;
        };
        rest.drain(..taken);
        let call = parse_call(&message).unwrap();
        assert!(matches!(call.cred, Credential::None));
        let mut out = Vec::new();
        if call.prog == ni::PROGRAM {
            tell.send((call.proc, call.args.to_vec())).unwrap();
            put_accepted(&mut out, call.xid, AcceptStat::Success);
            out.extend_from_slice(&answer(call.proc));
        } else {
            put_accepted(&mut out, call.xid, AcceptStat::ProgUnavail);
        }
        let mut bytes = Vec::new();
        put_fragment_header(&mut bytes, out.len() as u32, true);
        bytes.extend_from_slice(&out);
        stream.write_all(&bytes).unwrap();
    }
}

/// NI_OK and ids that a server might answer.
fn fine(procedure: u32) -> Vec<u8> {
    let mut results = Vec::new();
    if procedure != Procedure::Crashed.code() {
        put_status(&mut results, Status::Ok);
        [5, 0, 3, 2].into_iter().for_each(|word| put_u32(&mut results, word));
    }
    results
}

fn create(object: u32) -> push::Call {
    let change = Change::Create {
        parent: Target { object: 3, instance: Some(1) },
        properties: vec![Property::new("name", ["zoe"])],
        position: u32::MAX,
    };
    let outcome = Outcome { id: Id { object: 3, instance: 2 }, created: Some(Id { object, instance: 0 }) };
    match push::push(&Committed { sequence: 7, at: 0, by: Vec::new(), change, outcome }) {
        Push::Call(call) => call,
        Push::Nothing | Push::Copy => panic!("a CREATE has a call"),
    }
}

#[test]
fn a_clone_is_found_and_told() {
    let host = Host::new(fine);
    let mut clone = host.connect();
    peer::crashed(&mut clone, 77).unwrap();
    peer::push(&mut clone, &create(5)).unwrap();
    peer::resync(&mut clone).unwrap();
    assert_eq!(host.seen.recv().unwrap(), (Procedure::Crashed.code(), vec![0, 0, 0, 77]));
    let (procedure, args) = host.seen.recv().unwrap();
    assert_eq!(procedure, Procedure::Create.code());
    assert_eq!(CreateArgs::decode(&args).unwrap().target, Some(ni::Id::new(5, 0)));
    assert_eq!(host.seen.recv().unwrap(), (Procedure::Resync.code(), Vec::new()));
}

#[test]
fn a_directory_with_another_id_is_a_failure() {
    let host = Host::new(fine);
    let error = peer::push(&mut host.connect(), &create(6)).unwrap_err();
    assert!(error.to_string().contains("directory 6 got the id 5"), "{error}");
}

#[test]
fn refusals_are_failures_and_not_repeated() {
    let host = Host::new(|_| vec![0, 0, 0, 2]);
    let mut clone = host.connect();
    assert!(matches!(peer::push(&mut clone, &create(5)), Err(Error::Status(Status::Stale))));
    assert!(matches!(peer::resync(&mut clone), Err(Error::Status(Status::Stale))));
    assert_eq!(host.seen.try_iter().count(), 2);
    let empty = Host::new(|_| Vec::new());
    assert!(matches!(peer::push(&mut empty.connect(), &create(5)), Err(Error::Malformed { .. })));
}

#[test]
fn a_tag_that_is_not_served_is_no_reason_to_look_elsewhere() {
    let host = Host::new(fine);
    let error = peer::connect(&place("other"), host.ports).unwrap_err();
    assert!(matches!(error, Error::Status(Status::NoTag)), "{error}");
}

/// The results of the recorded READALL that transfers a database.
fn recorded_copy(_: u32) -> Vec<u8> {
    let is_copy = |call: &netinfo_testkit::golden::Recorded| {
        call.group == "replication"
            && call.text("proc_name") == "READALL"
            && call.text("to").contains("network")
    };
    let reply = transcripts().into_iter().find(is_copy).and_then(|call| call.reply).unwrap();
    let netinfo_wire::rpc::Outcome::Success(results) =
        netinfo_wire::rpc::parse_reply(&reply).unwrap().outcome
    else {
        panic!("refused");
    };
    results.to_vec()
}

#[test]
fn a_copy_of_a_historical_master_is_read() {
    let host = Host::new(recorded_copy);
    let mut objects = Vec::new();
    let transfer = peer::read_all(host.connect(), 5, |object| {
        objects.push(object.id);
        Ok(())
    });
    assert_eq!(host.seen.recv().unwrap(), (Procedure::ReadAll.code(), vec![0, 0, 0, 5]));
    let transfer = transfer.unwrap();
    assert_eq!((transfer.checksum, transfer.highest_id, transfer.objects), (16, 4, 5));
    let sum: u32 = objects.iter().map(|id| (id.object + 1) * id.instance).sum();
    assert_eq!(sum, transfer.checksum);
}
