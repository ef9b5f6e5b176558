//! Clients that share no code with ours: `rpcinfo`, and a C program made by `rpcgen` with libtirpc.
//!
//! Needs root, and the packages rpcbind (with rpcinfo), rpcsvc-proto, gcc and libtirpc-dev.

use std::fs;
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use netinfo_testkit::namespace::isolated;
use netinfo_testkit::node::Builder;
use netinfo_testkit::{Node, data};
use netinfo_wire::netinfo::Procedure;

use crate::tree::Tree;

const BINDER: &str = "200100001";
const NETINFO: &str = "200100000";

/// Ends a helper process with the test.
struct Helper(Child);

impl Drop for Helper {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Standard output of a command that succeeds.
fn run(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|e| panic!("this test needs {command:?}: {e}"));
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {error}");
    String::from_utf8(output.stdout).unwrap()
}

fn rpcinfo(arguments: &[&str]) -> String {
    run(Command::new("rpcinfo").args(arguments))
}

/// The words of the lines `rpcinfo -p` prints of a program, sorted: version, protocol, port.
fn listed(program: &str) -> Vec<[String; 3]> {
    let text = rpcinfo(&["-p", "127.0.0.1"]);
    let lines = text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    let mut found: Vec<_> = lines
        .filter(|words| words[0] == program)
        .map(|words| [words[1], words[2], words[3]].map(str::to_owned))
        .collect();
    found.sort();
    found
}

/// An address as RFC 5665 writes it.
fn universal(address: SocketAddr) -> String {
    format!("{}.{}.{}", address.ip(), address.port() / 256, address.port() % 256)
}

/// On the well-known ports, which are the namespace's own.
fn well_known() -> Builder {
    Node::builder().default_listen().arg("--user").arg("root")
}

/// What every client of the binder and of a domain sees, whoever the portmapper is.
fn ask_with_rpcinfo(node: &Node) {
    let binder = node.binder();
    let expected = [("tcp", binder.tcp.port()), ("udp", binder.udp.port())]
        .map(|(protocol, port)| ["1".to_owned(), protocol.to_owned(), port.to_string()]);
    assert_eq!(listed(BINDER), expected);
    assert_eq!(listed(NETINFO), [] as [[String; 3]; 0], "domains are never registered");
    let ready = format!("program {BINDER} version 1 ready and waiting\n");
    for protocol in ["udp", "tcp"] {
        assert_eq!(rpcinfo(&["-T", protocol, "127.0.0.1", BINDER, "1"]), ready);
        // Without a version rpcinfo asks for 0 to learn which there are.
        assert_eq!(rpcinfo(&["-T", protocol, "127.0.0.1", BINDER]), ready);
    }
    assert_eq!(rpcinfo(&["-u", "127.0.0.1", BINDER, "1"]), ready);
    assert_eq!(rpcinfo(&["-t", "127.0.0.1", BINDER, "1"]), ready);
    let domain = node.domain("network");
    let ready = format!("program {NETINFO} version 2 ready and waiting\n");
    for (protocol, address) in [("tcp", domain.tcp), ("udp", domain.udp)] {
        assert_eq!(rpcinfo(&["-a", &universal(address), "-T", protocol, NETINFO, "2"]), ready);
        let address = if protocol == "tcp" { node.ipcserver().tcp } else { node.ipcserver().udp };
        assert_eq!(rpcinfo(&["-a", &universal(address), "-T", protocol, NETINFO, "2"]), ready);
    }
}

#[test]
fn rpcinfo_understands_our_portmapper() {
    isolated(|| {
        let node = well_known().start();
        node.create_master("network");
        assert_eq!(node.endpoints().portmap.unwrap().tcp.port(), 111);
        ask_with_rpcinfo(&node);
        // The portmapper itself, in all its versions, as short and long lists show it.
        let versions: Vec<_> =
            listed("100000").into_iter().map(|[version, protocol, _]| version + &protocol).collect();
        assert_eq!(versions, ["2tcp", "2udp", "3tcp", "3udp", "4tcp", "4udp"]);
        let text = rpcinfo(&["127.0.0.1"]);
        assert!(text.lines().any(|line| line.contains(BINDER)), "{text}");
        let short = rpcinfo(&["-s", "127.0.0.1"]);
        assert!(short.lines().any(|line| line.contains(BINDER) && line.contains("tcp")), "{short}");
        let addresses = rpcinfo(&["-l", "127.0.0.1", BINDER, "1"]);
        assert!(addresses.contains(&universal(node.binder().tcp)), "{addresses}");
    });
}

#[test]
fn programs_register_with_our_portmapper_as_with_any() {
    isolated(|| {
        let _node = well_known().start();
        // rpcinfo -d deletes; a program that is not there, or is ours, cannot be deleted.
        let delete = |program: &str| Command::new("rpcinfo").args(["-d", program, "1"]).output().unwrap();
        assert!(!delete(BINDER).status.success());
        assert_eq!(listed(BINDER).len(), 2);
    });
}

#[test]
fn rpcinfo_finds_us_through_rpcbind() {
    isolated(|| {
        // As root rpcinfo takes any reserved port for itself, ours among them, which would then rest for a minute.
        fs::write("/proc/sys/net/ipv4/tcp_max_tw_buckets", "0").unwrap();
        let rpcbind = Path::new("/usr/sbin/rpcbind");
        assert!(rpcbind.exists(), "this test needs {}", rpcbind.display());
        let _rpcbind = Helper(Command::new(rpcbind).arg("-f").spawn().unwrap());
        let deadline = Instant::now() + Duration::from_secs(10);
        while TcpStream::connect("127.0.0.1:111").is_err() {
            assert!(Instant::now() < deadline, "rpcbind does not answer");
            std::thread::sleep(Duration::from_millis(10));
        }
        let mut node = well_known().start();
        node.create_master("network");
        assert_eq!(node.endpoints().portmap, None, "there is one already");
        ask_with_rpcinfo(&node);
        node.restart();
        ask_with_rpcinfo(&node);
        node.terminate();
        assert_eq!(listed(BINDER), [] as [[String; 3]; 0]);
        // After a crash the entries stay; the next start puts the new ports in their place.
        node.launch();
        node.kill9();
        assert_eq!(listed(BINDER).len(), 2);
        node.launch();
        ask_with_rpcinfo(&node);
    });
}

/// Compiles the client in `dir`.
fn compile(dir: &Path) -> PathBuf {
    for file in ["netinfo.x", "walk.c"] {
        fs::copy(data("rpcgen").join(file), dir.join(file)).unwrap();
    }
    for (option, output) in [("-h", "netinfo.h"), ("-c", "netinfo_xdr.c"), ("-l", "netinfo_clnt.c")] {
        run(Command::new("rpcgen").current_dir(dir).args([option, "netinfo.x", "-o", output]));
    }
    let mut gcc = Command::new("gcc");
    gcc.current_dir(dir).args(["-std=gnu11", "-I.", "-I/usr/include/tirpc", "walk.c", "netinfo_xdr.c"]);
    run(gcc.args(["netinfo_clnt.c", "-ltirpc", "-o", "walk"]));
    dir.join("walk")
}

/// What the client prints about the domain at `server`.
fn walk(program: &Path, server: SocketAddr) -> Vec<String> {
    let text = run(Command::new(program).args([server.ip().to_string(), server.port().to_string()]));
    text.lines().map(str::to_owned).collect()
}

#[test]
fn a_generated_client_reads_what_was_written() {
    let node = Node::start();
    let domain = node.create_master("network");
    let mut root = Tree::privileged(domain);
    let users = root.make(0, &[("name", &["users"])]);
    let mut expected = Vec::new();
    // So many that long replies come in several fragments, and values of every padding.
    for number in 0..300_u32 {
        let (name, uid) = (format!("user{}{number}", "x".repeat(number as usize % 5)), number.to_string());
        let shell = "s".repeat(number as usize);
        root.make(
            users,
            &[("name", &[&name, "other"]), ("uid", &[&uid]), ("shell", &[&shell]), ("none", &[])],
        );
        expected.push(format!("{name}:{uid}"));
    }
    assert!(root.caller.netinfo(Procedure::ReadAll, &[0; 4]).len() > 65_536);
    let dir = tempfile::tempdir().unwrap();
    assert_eq!(walk(&compile(dir.path()), domain.tcp), expected);
}

#[test]
fn a_generated_client_reads_the_users_of_this_machine() {
    let node = Node::builder().seed("machine").start();
    let passwd = fs::read_to_string("/etc/passwd").unwrap();
    let mut expected: Vec<_> = passwd
        .lines()
        .map(|line| line.split(':').collect::<Vec<_>>())
        .filter(|fields| fields.len() == 7)
        .map(|fields| format!("{}:{}", fields[0], fields[2]))
        .collect();
    assert!(expected.contains(&"root:0".to_owned()));
    // On the domain's own port, and as the default domain of the common one.
    let dir = tempfile::tempdir().unwrap();
    let program = compile(dir.path());
    let mut found = [node.domain("local").tcp, node.ipcserver().tcp].map(|server| walk(&program, server));
    expected.sort();
    for list in &mut found {
        list.sort();
        assert_eq!(*list, expected, "{}", node.log());
    }
}
