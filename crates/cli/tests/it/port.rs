//! `netinfo port`: what is printed, for whom, and how it ends.

use std::io::{BufRead, BufReader};
use std::net::{TcpListener, UdpSocket};
use std::process::{Command, Stdio};

use netinfo_testkit::Node;
use netinfo_testkit::namespace::isolated;
use serde_json::{Value, json};

use crate::tool::Tool;

/// The program beside a daemon that is not there.
fn tool() -> Tool {
    Tool::with(["--socket", "/nonexistent/socket"])
}

/// The words of each line of a table, below its headline.
fn rows(text: &str) -> Vec<Vec<&str>> {
    let lines = text.lines().skip_while(|line| !line.trim_start().starts_with("PROTO"));
    lines.skip(1).take_while(|line| !line.is_empty()).map(|line| line.split_whitespace().collect()).collect()
}

#[test]
fn exit_codes() {
    isolated(|| {
        let _listener = TcpListener::bind("127.0.0.1:945").unwrap();
        assert_eq!(tool().run("port 945").code, 0);
        assert_eq!(tool().run("port 945/udp").code, 1);
        assert_eq!(tool().run("port 944 945").code, 0);
        let nothing = tool().run("port 946-1000");
        assert_eq!(
            (nothing.code, nothing.out.as_str()),
            (1, "946-1000: 0 of 55 ports in use\n\nnothing is there\n")
        );
        for (wrong, reason) in [
            ("port 70000", "70000 is not a port (1-65535)"),
            ("port 9-3", "the range 9-3 ends before it begins"),
            ("port no-such-service", "no service is registered under the name no-such-service"),
            ("port --probe", "name the ports to probe"),
            ("port 945 --registry /nonexistent", "cannot read the registry /nonexistent"),
            ("port 945 --probe no.such.host.invalid", "cannot find host"),
            ("port --bogus", "unexpected argument"),
        ] {
            let error = tool().fails(2, wrong);
            assert!(error.contains(reason), "{wrong}: {error}");
        }
    });
}

#[test]
fn a_port_nobody_uses() {
    isolated(|| {
        let run = tool().run("port 389");
        assert_eq!(run.code, 1);
        insta::assert_snapshot!(run.out, @"
        389: System port (0-1023), assigned by IANA (registry of 2026-09-17)
          ldap/tcp,udp: Lightweight Directory Access Protocol
          LDAP, the directory protocol that took NetInfo's place on the Mac (Open Directory). netinfod
          serves its domains here too; StartTLS upgrades a connection in place.

        nothing is there
        ");
        assert!(tool().run("port").out.ends_with("nothing listens\n"));
        assert_eq!(tool().run("port").code, 1);
    });
}

#[test]
fn everything_that_listens() {
    isolated(|| {
        let node = Node::builder().default_listen().address(None).start();
        let _other = UdpSocket::bind("127.0.0.1:53").unwrap();
        let tool = Tool::local(&node);
        let text = tool.ok("port");
        let pid = node.pid().to_string();
        let of = |port: &str| {
            rows(&text)
                .into_iter()
                .filter(|row| row.iter().any(|word| word.ends_with(port)))
                .collect::<Vec<_>>()
        };
        let own = of(":945");
        assert!(
            own.iter().any(|row| row[..6] == ["*", "tcp", "0.0.0.0:945", "ipcserver", "netinfod", &pid]),
            "{text}"
        );
        assert_eq!(own.len(), 4, "{text}");
        assert!(of(":1033").iter().all(|row| row[0] == "*" && row[3] == "netinfo-local"), "{text}");
        let other = of(":53");
        assert_eq!((other.len(), &other[0][..3]), (1, &["udp", "127.0.0.1:53", "domain"][..]), "{text}");

        let list = tool.json("port");
        let ports = list["ports"].as_array().unwrap();
        let port = |number: u16| ports.iter().find(|port| port["port"] == number).unwrap();
        assert_eq!((&port(945)["netinfo"], &port(53)["netinfo"]), (&json!(true), &json!(false)));
        assert_eq!(port(945)["sockets"][0]["processes"][0]["name"], "netinfod");
        assert_eq!(list["hidden_sockets"], 0);

        let probed = tool.json("port --probe 945");
        let verdicts: Vec<&Value> = probed["ports"][0]["probes"].as_array().unwrap().iter().collect();
        assert_eq!(verdicts.len(), 4);
        assert!(verdicts.iter().all(|probe| probe["verdict"] == "netinfo"), "{probed}");
        assert_eq!(verdicts[0]["rpc"]["make"], "netinfod");
        let remote = tool.ok("port 945/tcp --probe 10.0.0.1");
        assert!(
            remote.contains("\nprobe 10.0.0.1:945/tcp: NetInfo server of this project, netinfo-open-"),
            "{remote}"
        );
        assert_eq!(tool.run("port 946 --probe 10.0.0.1").code, 1);
    });
}

#[test]
fn without_privilege() {
    isolated(|| {
        let _listener = TcpListener::bind("127.0.0.1:945").unwrap();
        let _socket = UdpSocket::bind("[::1]:945").unwrap();
        let run = tool().unprivileged().run("port 945");
        assert_eq!((run.code, run.err.as_str()), (0, ""));
        assert!(rows(&run.out).iter().all(|row| row.contains(&"?") && row.contains(&"root")), "{}", run.out);
        assert!(
            run.out.ends_with("\n2 sockets belong to processes you may not look into; run as root\n"),
            "{}",
            run.out
        );
        let one = tool().unprivileged().run("port 945/tcp").out;
        assert!(
            one.ends_with("\n1 socket belongs to processes you may not look into; run as root\n"),
            "{one}"
        );
        assert_eq!(tool().unprivileged().json("port 945")["hidden_sockets"], 2);
    });
}

#[test]
fn not_netinfo_though_it_sits_on_945() {
    isolated(|| {
        let listener = TcpListener::bind("127.0.0.1:945").unwrap();
        std::thread::spawn(move || {
            use std::io::Write;
            for stream in listener.incoming() {
                let _ = stream.unwrap().write_all(b"SSH-2.0-x\r\n");
            }
        });
        let text = tool().ok("port 945");
        assert!(text.contains("945: this is not NetInfo by its name, though it sits on 945: "), "{text}");
        let text = tool().ok("port 945 --probe");
        assert!(text.contains("\nprobe 127.0.0.1:945/tcp: SSH: says \"SSH-2.0-x\\r\\n\"\n"), "{text}");
        let finding = "945: this is not NetInfo though it sits on 945: SSH: says \"SSH-2.0-x\\r\\n\" at 127.0.0.1:945/tcp\n";
        assert!(text.contains(finding), "{text}");
        // The table of everything tells this too, and nothing else of the kind.
        assert!(tool().ok("port").contains("945: this is not NetInfo by its name"));
    });
}

#[test]
fn a_registry_of_ones_own() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("names.csv");
    std::fs::write(
        &file,
        "Service Name,Port Number,Transport Protocol,Description\nour-own,944-946,tcp,\"Ours,\n and nobody else's\"\n",
    )
    .unwrap();
    let file = file.to_str().unwrap();
    let text = tool().run(&format!("port 945 --registry {file}")).out;
    let head = format!("945: System port (0-1023), assigned by IANA (registry of {file})\n");
    assert!(text.starts_with(&head), "{text}");
    assert!(text.contains("\n  our-own/tcp: Ours, and nobody else's\n"), "{text}");
    let ports = tool().run(&format!("--json port our-own --registry {file}")).out;
    assert!(ports.starts_with('{'), "{ports}");
}

#[test]
fn services_of_the_domain() {
    let node = Node::start();
    let tool = Tool::local(&node);
    for line in [
        "mkdir /services",
        "mkdir /services/ours",
        "set /services/ours port 65432",
        "set /services/ours protocol tcp udp",
    ] {
        tool.ok(line);
    }
    let run = tool.run("port 65432");
    assert_eq!(run.code, 1);
    let expected = "65432: Dynamic port (49152-65535), never assigned\n  /services: ours (tcp,udp)\n\nnothing is there\n";
    assert_eq!(run.out, expected);
}

#[test]
fn what_comes_and_goes_is_shown() {
    isolated(|| {
        let first = TcpListener::bind("127.0.0.1:945").unwrap();
        let mut child = Command::new(env!("CARGO_BIN_EXE_netinfo"))
            .args(["port", "945", "--watch", "--socket", "/nonexistent/socket"])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
        assert!(lines.any(|line| line.contains("tcp    listening  127.0.0.1:945")));
        let second = UdpSocket::bind("127.0.0.1:945").unwrap();
        let come = lines.by_ref().find(|line| line.contains(" + ")).unwrap();
        assert!(come.contains("Z + udp  listening  127.0.0.1:945  "), "{come}");
        drop((first, second));
        let gone = lines.by_ref().find(|line| line.contains(" - tcp")).unwrap();
        assert!(gone.contains("Z - tcp  listening  127.0.0.1:945  "), "{gone}");
        child.kill().unwrap();
        child.wait().unwrap();
    });
}
