//! Messages that no library sends, and when connections end.

use std::io::Read;
use std::net::Shutdown;
use std::time::{Duration, Instant};

use netinfo_wire::ldap::request::ExtendedRequest;
use netinfo_wire::ldap::{Request, ResultCode, Scope, oid};
use nix::sys::signal::Signal;

use super::wire::{Client, Said, bind, message, search};
use super::{ADMIN, PASSWORD, SUFFIX, Server};

/// The notice that the server closes the connection.
fn notice(code: ResultCode) -> Said {
    Said::Notice(code, oid::NOTICE_OF_DISCONNECTION.to_owned())
}

fn start_tls(id: u32) -> Vec<u8> {
    message(id, Request::Extended(ExtendedRequest { name: oid::START_TLS, value: None }))
}

/// Adds so many entries below the suffix.
fn fill(server: &Server, count: usize) {
    let mut client = Client::connect(server.node.ldap());
    assert_eq!(client.bind(ADMIN, PASSWORD), ResultCode::Success);
    let numbers: Vec<u32> = (2..2 + count as u32).collect();
    for some in numbers.chunks(256) {
        client.send(
            &some.iter().flat_map(|n| add_device(*n, &format!("cn=d{n},{SUFFIX}"))).collect::<Vec<u8>>(),
        );
        some.iter().for_each(|n| assert_eq!(client.result(*n).1, ResultCode::Success));
    }
}

#[test]
fn pipelined_requests_are_answered_in_order() {
    let server = Server::start();
    let mut client = Client::connect(server.node.ldap());
    // Everything in one piece, beginning with a bind that takes a while.
    let mut all = bind(1, ADMIN, PASSWORD);
    for n in 2..200 {
        let dn = format!("cn=n{n},{SUFFIX}");
        match n % 2 {
            0 => all.extend(add_device(n, &dn)),
            _ => all.extend(search(n, &format!("cn=n{},{SUFFIX}", n - 1), Scope::Base, "(objectClass=*)")),
        }
    }
    client.send(&all);
    assert_eq!(client.result(1), (vec![], ResultCode::Success));
    for n in 2..200 {
        let (entries, code) = client.result(n);
        assert_eq!(code, ResultCode::Success, "{n}");
        // A search sees what was added before it.
        let expected = if n % 2 == 0 { vec![] } else { vec![format!("cn=n{},{SUFFIX}", n - 1)] };
        assert_eq!(entries, expected);
    }
    // The same byte by byte.
    for byte in search(500, SUFFIX, Scope::Base, "(objectClass=*)") {
        client.send(&[byte]);
    }
    assert_eq!(client.result(500).0, [SUFFIX]);
}

fn add_device(id: u32, dn: &str) -> Vec<u8> {
    use netinfo_wire::ber::{Tag, begin, end, put, put_integer};
    let mut bytes = Vec::new();
    let outer = begin(&mut bytes, Tag::SEQUENCE);
    put_integer(&mut bytes, Tag::INTEGER, id.into());
    let add = begin(&mut bytes, Tag::application_constructed(8));
    put(&mut bytes, Tag::OCTET_STRING, dn.as_bytes());
    let list = begin(&mut bytes, Tag::SEQUENCE);
    let one = begin(&mut bytes, Tag::SEQUENCE);
    put(&mut bytes, Tag::OCTET_STRING, b"objectClass");
    let values = begin(&mut bytes, Tag::SET);
    put(&mut bytes, Tag::OCTET_STRING, b"device");
    for mark in [values, one, list, add, outer] {
        end(&mut bytes, mark);
    }
    bytes
}

#[test]
fn nothing_unprotected_gets_in_behind_start_tls() {
    let server = Server::start();
    let mut client = Client::connect(server.node.ldap());
    let mut both = start_tls(1);
    both.extend(search(2, SUFFIX, Scope::Subtree, "(objectClass=*)"));
    client.send(&both);
    // The search is not answered, neither in the clear nor later.
    let mut rest = Vec::new();
    loop {
        match client.receive() {
            Ok(Some(Said::Result(1, _) | Said::Notice(..))) => {}
            Ok(Some(said)) => rest.push(said),
            Ok(None) | Err(_) => break,
        }
    }
    assert_eq!(rest, []);
    // Bytes that come after the answer and are no handshake end the connection.
    let mut client = Client::connect(server.node.ldap());
    client.send(&start_tls(1));
    assert_eq!(client.result(1).1, ResultCode::Success);
    client.send(&search(2, SUFFIX, Scope::Subtree, "(objectClass=*)"));
    let mut end = Vec::new();
    let _ = client.stream.read_to_end(&mut end);
    assert!(end.is_empty() || end[0] == 0x15, "{end:?} is neither nothing nor an alert");
}

#[test]
fn what_is_no_message_ends_the_connection_with_a_notice() {
    let server = Server::start();
    for garbage in [
        &b"GET / HTTP/1.1\r\n\r\n"[..],
        &[0x30, 0x84, 0xff, 0xff, 0xff, 0xff],
        &[0x30, 0x03, 0x04, 0x01, 0x00],
    ] {
        let mut client = Client::connect(server.node.ldap());
        client.send(garbage);
        assert_eq!(client.expect(), notice(ResultCode::ProtocolError), "{garbage:?}");
        assert_eq!(client.receive().unwrap(), None);
    }
    // The limit is lower before a bind than after it.
    let mut client = Client::connect(server.node.ldap());
    let million = [0x30, 0x83, 0x0f, 0x42, 0x40];
    client.send(&million);
    assert_eq!(client.expect(), notice(ResultCode::ProtocolError));
    let mut client = Client::connect(server.node.ldap());
    assert_eq!(client.bind(ADMIN, PASSWORD), ResultCode::Success);
    client.send(&million);
    client.stream.set_read_timeout(Some(Duration::from_millis(300))).unwrap();
    assert!(client.receive().is_err(), "it waits for the rest");
}

#[test]
fn a_client_that_stalls_or_rests_is_closed_as_configured() {
    let server = Server::configured("[limits]\nstall_seconds = 1\nidle_seconds = 2\n");
    let begin = Instant::now();
    let mut stalling = Client::connect(server.node.ldap());
    stalling.send(&[0x30, 0x10, 0x02]);
    let mut resting = Client::connect(server.node.ldap());
    let mut handshake = Client::connect(server.node.ldaps());
    assert!(matches!(stalling.expect(), Said::Notice(..)));
    assert!(begin.elapsed() >= Duration::from_millis(900) && begin.elapsed() < Duration::from_secs(2));
    assert!(matches!(resting.expect(), Said::Notice(..)));
    assert!(begin.elapsed() >= Duration::from_millis(1900));
    // A handshake has to come in time, too; it is not waited for here.
    handshake.stream.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
    assert!(handshake.stream.read(&mut [0; 10]).is_err());
}

#[test]
fn a_client_that_says_all_at_once_is_answered() {
    let server = Server::start();
    fill(&server, 10);
    let mut client = Client::connect(server.node.ldap());
    let mut all = bind(1, ADMIN, PASSWORD);
    all.extend(search(2, SUFFIX, Scope::Subtree, "(cn=d*)"));
    client.send(&all);
    client.stream.shutdown(Shutdown::Write).unwrap();
    assert_eq!(client.result(1).1, ResultCode::Success);
    assert_eq!(client.result(2).0.len(), 10);
    assert_eq!(client.receive().unwrap(), None);
}

#[test]
fn a_long_search_is_abandoned() {
    let server = Server::start();
    fill(&server, 3000);
    let mut client = Client::connect(server.node.ldap());
    assert_eq!(client.bind(ADMIN, PASSWORD), ResultCode::Success);
    for _ in 0..50 {
        client.send(&search(7, SUFFIX, Scope::Subtree, "(objectClass=*)"));
        let first = client.expect();
        assert!(matches!(first, Said::Entry(7, _)), "{first:?}");
        client.send(&message(8, Request::Abandon(7)));
        client.send(&search(9, SUFFIX, Scope::Base, "(objectClass=*)"));
        let mut entries = 1;
        loop {
            match client.expect() {
                Said::Entry(7, _) => entries += 1,
                Said::Entry(9, _) => {}
                // It may have been complete before the request was read.
                Said::Result(7, code) => assert_eq!(code, ResultCode::Success),
                Said::Result(9, code) => break assert_eq!(code, ResultCode::Success),
                said => panic!("{said:?}"),
            }
        }
        if entries < 3000 {
            return;
        }
    }
    panic!("no search of fifty was abandoned in time");
}

#[test]
fn connections_are_told_when_the_daemon_stops() {
    let mut server = Server::start();
    let mut idle = Client::connect(server.node.ldap());
    assert_eq!(idle.bind(ADMIN, PASSWORD), ResultCode::Success);
    let file = server.node.ldapi();
    assert!(file.exists());
    server.node.signal(Signal::SIGTERM);
    assert_eq!(idle.expect(), notice(ResultCode::Unavailable));
    assert_eq!(idle.receive().unwrap(), None);
    assert!(server.node.wait().success());
    assert!(!file.exists(), "the socket is left behind");
}

#[test]
fn too_many_connections_are_told() {
    let server = Server::configured("[limits]\nconnections = 20\n");
    let mut first = Client::connect(server.node.ldap());
    assert_eq!(first.bind(ADMIN, PASSWORD), ResultCode::Success);
    std::thread::sleep(Duration::from_millis(20));
    let _others: Vec<Client> = (0..20).map(|_| Client::connect(server.node.ldap())).collect();
    assert_eq!(first.expect(), notice(ResultCode::Unavailable));
}
