//! Replay of what the historical tools printed: every recorded command line in order, as real processes under the
//! tools' names, against a node with the same two domains.

use std::ffi::OsString;
use std::fs::{self, File, Permissions};
use std::io::Write;
use std::net::Ipv4Addr;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use netinfo_client::Finder;
use netinfo_testkit::namespace::isolated;
use netinfo_testkit::{Node, golden};
use nix::mount::{MsFlags, mount};
use serde_json::{Value, json};

/// User and group id that own nothing.
const NOBODY: u32 = 65_534;

/// Names of the tools.
const TOOLS: [&str; 8] = ["nicl", "nidomain", "nidump", "nifind", "nigrep", "niload", "nireport", "niutil"];

/// What a command did, or what it was recorded to do.
#[derive(Debug, PartialEq, Eq)]
struct Done {
    stdout: String,
    stderr: String,
    exit: i64,
}

#[test]
fn tools_print_what_they_printed_by_ports() {
    replay("");
}

#[test]
fn tools_print_what_they_printed_by_the_socket() {
    replay("/run/netinfo/netinfod.sock");
}

/// Who may write, and by which password. The lines are of the same form as the recorded ones.
#[test]
fn tools_are_told_who_may_write() {
    let mut lines = Vec::new();
    let mut line = |user: &str, argv: &str, stdin: &str, stdout: &str, stderr: &str, exit: u8| {
        let argv: Vec<&str> = argv.split(' ').collect();
        lines.push(json!({"argv": argv, "user": user, "stdin": stdin, "stdout": stdout, "stderr": stderr, "exit": exit, "compare": "exact"}));
    };
    let network = "-t localhost/network";
    line("root", &format!("niutil -create {network} /users/joe"), "", "", "", 0);
    for property in ["uid 1001", "_writers joe", "passwd joO.lyUOYMtRU"] {
        line("root", &format!("niutil -createprop {network} /users/joe {property}"), "", "", "", 0);
    }
    let denied = "niutil: can't modify phone in directory /users/joe: Permission denied\n";
    let wrong = "niutil: can't modify phone in directory /users/joe: Authentication error\n";
    let write = format!("{network} /users/joe phone 1");
    line("nobody", &format!("niutil -createprop {write}"), "", "", denied, 104);
    line("nobody", &format!("niutil -createprop -u joe -P nopw {write}"), "", "", wrong, 120);
    line("nobody", &format!("niutil -createprop -u joe -P joepw {write}"), "", "", "", 0);
    line("nobody", &format!("nicl {network} -create /users/joe phone 2"), "", "", "Access Restricted\n", 161);
    line("nobody", &format!("nicl {network} -create /users/x"), "", "", "create: Access Restricted\n", 161);
    line("nobody", &format!("nicl {network} -delete /users/joe"), "", "", "Delete: Access Restricted\n", 161);
    line("nobody", &format!("nicl -u joe -P joepw {network} -append /users/joe phone 3"), "", "", "", 0);
    line("nobody", &format!("nicl {network}"), "auth joe joepw\nmerge /users/joe phone 4\n", "", "", 0);
    line("nobody", &format!("niutil -readprop {network} /users/joe phone"), "", "1 3 4\n", "", 0);
    line(
        "nobody",
        &format!("niutil -destroy {network} /users"),
        "",
        "",
        "niutil: can't destroy directory /users: Permission denied\n",
        104,
    );
    line("nobody", "nidomain -m mine", "", "", "nidomain: operation failed - Permission denied\n", 1);
    play("", lines);
}

/// A password on the command line is not to be seen there for longer than it takes to read it.
#[test]
fn passwords_are_wiped_off_the_command_line() {
    let node = Node::start();
    let tool = node.dir().join("nicl");
    symlink(env!("CARGO_BIN_EXE_netinfo"), &tool).unwrap();
    let program = OsString::from(env!("CARGO_BIN_EXE_netinfo"));
    for (program, before) in [(tool.into_os_string(), &[][..]), (program, &["tool", "nicl"][..])] {
        let mut child = Command::new(program)
            .args(before)
            .args(["-u", "somebody", "-P", "swordfish", "."])
            .env("NETINFO_SOCKET", node.socket())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdin = child.stdin.take().unwrap();
        stdin.write_all(b"echo ready\n").unwrap();
        // Output is buffered until the end; by the time a line has been read the arguments have long been.
        let file = format!("/proc/{}/cmdline", child.id());
        let deadline = Instant::now() + Duration::from_secs(10);
        let wiped =
            |seen: &str| !seen.contains("swordfish") && !seen.contains("somebody") && seen.contains("-P");
        let mut seen = String::new();
        // A program that has only just begun has no arguments yet.
        while !wiped(&seen) && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(5));
            seen = String::from_utf8_lossy(&fs::read(&file).unwrap()).into_owned();
        }
        assert!(wiped(&seen), "{seen}");
        drop(stdin);
        assert_eq!(child.wait_with_output().unwrap().stdout, b"ready\n");
    }
}

/// `make install`, without building.
#[test]
fn installing_puts_the_links() {
    let root = tempfile::tempdir().unwrap();
    let binaries = root.path().join("built");
    fs::create_dir(&binaries).unwrap();
    symlink(env!("CARGO_BIN_EXE_netinfo"), binaries.join("netinfo")).unwrap();
    symlink(netinfo_testkit::node::program(), binaries.join("netinfod")).unwrap();
    let bin = root.path().join("opt/bin");
    fs::create_dir_all(&bin).unwrap();
    fs::write(bin.join("nicl"), "an original").unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scripts/install.sh");
    let mut install = Command::new(script);
    install.env("BINARIES", &binaries).env("DESTDIR", root.path()).env("PREFIX", "/opt");
    assert!(install.output().unwrap().status.success());
    // What is written first can be used, and what an administrator has written stays.
    let configuration = root.path().join("etc/netinfo/netinfod.toml");
    let mut check = Command::new(root.path().join("opt/sbin/netinfod"));
    assert!(check.arg("check-config").arg(&configuration).status().unwrap().success());
    fs::write(&configuration, "data = \"/elsewhere\"\n").unwrap();
    assert!(install.output().unwrap().status.success());
    assert_eq!(fs::read_to_string(&configuration).unwrap(), "data = \"/elsewhere\"\n");
    for tool in TOOLS.iter().filter(|tool| **tool != "nicl") {
        assert_eq!(fs::read_link(bin.join(tool)).unwrap(), Path::new("netinfo"), "{tool}");
    }
    assert_eq!(fs::read(bin.join("nicl")).unwrap(), b"an original");
    assert!(root.path().join("opt/sbin/netinfod").is_file());
    assert!(root.path().join("opt/share/man/man1/netinfo.1").is_file());
    assert_eq!(
        fs::read_link(root.path().join("opt/share/man/man1/nicl.1")).unwrap(),
        Path::new("netinfo-tool.1")
    );
    let unit = fs::read_to_string(root.path().join("etc/systemd/system/netinfod.service")).unwrap();
    assert!(
        unit.contains("ExecStart=!/opt/sbin/netinfod serve --config /etc/netinfo/netinfod.toml\n"),
        "{unit}"
    );
    let completions = root.path().join("opt/share/bash-completion/completions/netinfo");
    assert!(fs::read_to_string(completions).unwrap().contains("enable-login"));
    let usage = Command::new(bin.join("nireport")).output().unwrap();
    assert_eq!(usage.stderr, b"usage: nireport [-T timeout] [-t] domain directory property...\n");
}

/// Replays all recorded lines with this socket of the daemon; none means ports.
fn replay(socket: &str) {
    let lines = golden::tools();
    assert!(lines.len() >= 120, "{} lines", lines.len());
    play(socket, lines);
}

/// Runs lines in order against a node with two domains, as the recordings had them.
fn play(socket: &str, lines: Vec<Value>) {
    isolated(|| {
        let mut node = Node::builder().historical().default_listen().start();
        node.create_master("network");
        node.restart();
        name_hosts(node.dir());
        for (tag, serves) in [("local", ["./local", "../network"]), ("network", ["./network", "alpha/local"])]
        {
            let mut domain = Finder::default().open_host(Ipv4Addr::LOCALHOST.into(), tag.as_bytes()).unwrap();
            domain.set_property(2, b"serves", &serves).unwrap();
        }
        let tools = node.dir().join("bin");
        fs::create_dir(&tools).unwrap();
        fs::set_permissions(&tools, Permissions::from_mode(0o755)).unwrap();
        TOOLS.iter().for_each(|tool| symlink(env!("CARGO_BIN_EXE_netinfo"), tools.join(tool)).unwrap());
        let wrong: Vec<String> = lines
            .iter()
            .enumerate()
            .filter_map(|(index, line)| {
                let (done, recorded) = (run(&tools, socket, line), recorded(line));
                let same = same(line["compare"].as_str().unwrap_or_default(), &done, &recorded);
                (!same).then(|| {
                    format!("{} {}\n  got      {done:?}\n  recorded {recorded:?}", index + 1, line["argv"])
                })
            })
            .collect();
        assert!(wrong.is_empty(), "{} of {} differ:\n{}", wrong.len(), lines.len(), wrong.join("\n"));
    });
}

/// Gives this machine its name, for this namespace only.
fn name_hosts(dir: &Path) {
    let hosts = dir.join("hosts");
    fs::write(&hosts, "10.0.0.1 alpha\n127.0.0.1 localhost\n").unwrap();
    let none: Option<&str> = None;
    mount(Some(&hosts), "/etc/hosts", none, MsFlags::MS_BIND, none).unwrap();
}

fn run(tools: &Path, socket: &str, line: &Value) -> Done {
    let argv: Vec<&str> =
        line["argv"].as_array().unwrap().iter().map(|word| word.as_str().unwrap()).collect();
    let input = tools.join("input");
    fs::write(&input, line["stdin"].as_str().unwrap_or_default()).unwrap();
    let mut command = Command::new(tools.join(argv[0]));
    command.args(&argv[1..]).arg0(argv[0]).stdin(File::open(&input).unwrap()).current_dir("/");
    command.env("LANG", "C").env("TERM", "dumb").env("NETINFO_SOCKET", socket);
    if line["user"] == "nobody" {
        command.uid(NOBODY).gid(NOBODY);
    }
    let output = command.output().unwrap();
    Done {
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        exit: output.status.code().unwrap_or(-1).into(),
    }
}

fn recorded(line: &Value) -> Done {
    let text = |field: &str| line[field].as_str().unwrap_or_default().to_owned();
    Done { stdout: text("stdout"), stderr: text("stderr"), exit: line["exit"].as_i64().unwrap() }
}

/// Compares as the recording asks for.
fn same(rule: &str, done: &Done, recorded: &Done) -> bool {
    let keys = |text: &str| text.lines().map(|l| l.split(':').next().unwrap().to_owned()).collect::<Vec<_>>();
    match rule {
        "exact" => done == recorded,
        "ports" => {
            let plain = |done: &Done| (without_numbers(&done.stdout), done.stderr.clone(), done.exit);
            plain(done) == plain(recorded)
        }
        "keys" => done.exit == recorded.exit && keys(&done.stdout) == keys(&recorded.stdout),
        "status" => done.exit == recorded.exit && done.stdout == recorded.stdout,
        "loose" => done.exit == recorded.exit,
        other => panic!("unknown rule {other}"),
    }
}

/// A text in which every port is `N`.
fn without_numbers(text: &str) -> String {
    let mut plain = String::new();
    for word in text.split_inclusive([' ', '\n']) {
        match word.split_once('=') {
            Some((key @ ("udp" | "tcp"), value)) => {
                plain.extend([key, "=N"]);
                plain.extend(value.chars().filter(|c| !c.is_ascii_digit()));
            }
            _ => plain.push_str(word),
        }
    }
    plain
}
