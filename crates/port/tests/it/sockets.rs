//! Sockets and their holders, as `ss` tells them too.

use std::collections::BTreeSet;
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::process::Command;

use netinfo_port::report::Held;
use netinfo_port::{Inspection, Registry, Report, Selection, State};
use netinfo_testkit::namespace::isolated;

/// A socket as both tell it: transport, state, own address, peer, process ids.
type Line = (String, String, String, String, BTreeSet<u32>);

fn look(words: &[&str]) -> Report {
    let selections: Vec<Selection> = words.iter().map(|word| word.parse().unwrap()).collect();
    Inspection::new(selections, &Registry::embedded()).run().unwrap()
}

fn ours(report: &Report) -> BTreeSet<Line> {
    let state = |held: &Held| match held.socket.state {
        State::Listening => "listening",
        State::Connected => "connected",
        _ => "other",
    };
    let line = |held: &Held| {
        let pids = held.holders.iter().map(|(process, _)| process.pid).collect();
        let socket = &held.socket;
        (socket.transport.to_string(), state(held).into(), socket.local_text(), socket.remote_text(), pids)
    };
    report.sockets().map(line).collect()
}

/// What `ss -tuanp` shows, in the same form.
fn theirs() -> BTreeSet<Line> {
    let output = Command::new("ss").arg("-Htuanp").output().expect("this test needs ss (package iproute2)");
    assert!(output.status.success());
    let line = |line: &str| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let state = match words[1] {
            "LISTEN" | "UNCONN" => "listening",
            "ESTAB" => "connected",
            _ => "other",
        };
        let remote = if words[5].ends_with(":*") { "" } else { words[5] };
        let plain = |address: &str| {
            address.replace("[::ffff:", "").replacen("]:", ":", usize::from(address.contains("ffff:")))
        };
        let holders = words.get(6).copied().unwrap_or_default();
        let pids = holders.split("pid=").skip(1).map(|rest| rest.split(',').next().unwrap().parse().unwrap());
        (words[0].into(), state.into(), plain(words[4]), plain(remote), pids.collect())
    };
    String::from_utf8(output.stdout).unwrap().lines().map(line).collect()
}

#[test]
fn the_same_sockets_as_ss() {
    isolated(|| {
        let four = TcpListener::bind("127.0.0.1:945").unwrap();
        let six = TcpListener::bind("[::1]:1033").unwrap();
        let both = TcpListener::bind("[::]:0").unwrap();
        let _any = UdpSocket::bind("0.0.0.0:945").unwrap();
        let _any_six = UdpSocket::bind("[::]:600").unwrap();
        let asked = UdpSocket::bind("127.0.0.1:0").unwrap();
        asked.connect("127.0.0.1:945").unwrap();
        let mut open = Vec::new();
        for listener in [&four, &six, &both] {
            let port = listener.local_addr().unwrap().port();
            let host = if port == 945 { "127.0.0.1" } else { "::1" };
            let client = TcpStream::connect((host, port)).unwrap();
            open.push((client, listener.accept().unwrap()));
        }
        let mapped = TcpStream::connect(("127.0.0.1", both.local_addr().unwrap().port())).unwrap();
        open.push((mapped, both.accept().unwrap()));
        // A child holds them too.
        let mut sleeper = Command::new("sleep").arg("60").spawn().unwrap();

        let theirs = theirs();
        let all = ours(&look(&["1-65535"]));
        assert!(theirs.len() >= 14, "{theirs:?}");
        assert_eq!(all, theirs);
        let listening: BTreeSet<Line> = theirs.iter().filter(|line| line.1 == "listening").cloned().collect();
        assert_eq!(ours(&look(&[])), listening);

        let of_945: BTreeSet<Line> = theirs
            .iter()
            .filter(|line| line.2.ends_with(":945") || line.3.ends_with(":945"))
            .cloned()
            .collect();
        let report = look(&["945"]);
        assert_eq!(ours(&report), of_945);
        assert!(of_945.iter().all(|line| line.4 == BTreeSet::from([std::process::id()])));
        assert!(report.is_something() && !report.ports[0].is_netinfo() && report.hidden == 0);
        assert!(ours(&look(&["945/udp"])).iter().all(|line| line.0 == "udp"));
        let nothing = look(&["946", "2000-3000"]);
        assert!(!nothing.is_something());
        assert_eq!(nothing.ports.iter().map(|port| port.port).collect::<Vec<_>>(), [946]);

        sleeper.kill().unwrap();
        sleeper.wait().unwrap();
    });
}

#[test]
fn what_is_over_is_nothing() {
    isolated(|| {
        let listener = TcpListener::bind("127.0.0.1:945").unwrap();
        let client = TcpStream::connect("127.0.0.1:945").unwrap();
        let (server, _) = listener.accept().unwrap();
        drop((server, listener));
        drop(client);
        let report = look(&["945"]);
        assert!(report.sockets().all(|held| held.socket.state == State::Remnant), "{report:?}");
        assert_eq!(report.sockets().count(), 1);
        assert!(report.sockets().all(|held| held.user.is_none() && !held.hidden));
        assert!(!report.is_something());
    });
}

#[test]
fn shared_sockets_have_all_their_holders() {
    isolated(|| {
        use std::os::fd::OwnedFd;
        let listener = TcpListener::bind("127.0.0.1:945").unwrap();
        // The same socket as standard input of another process, as service managers hand it on.
        let input = OwnedFd::from(listener.try_clone().unwrap());
        let mut child = Command::new("sleep").arg("60").stdin(input).spawn().unwrap();
        let report = look(&["945/tcp"]);
        let pids: BTreeSet<u32> =
            report.sockets().flat_map(|held| &held.holders).map(|(process, _)| process.pid).collect();
        assert_eq!(pids, BTreeSet::from([child.id(), std::process::id()]));
        child.kill().unwrap();
        child.wait().unwrap();
    });
}
