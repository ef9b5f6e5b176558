//! Which server is asked, and what happens when none answers.

use netinfo_testkit::Node;

use crate::tool::Tool;

#[test]
fn exit_codes_tell_what_went_wrong() {
    let nowhere = Tool::with(["--socket", "/nonexistent/socket"]);
    let run = nowhere.run("ls");
    assert_eq!((run.code, run.out.as_str()), (5, ""));
    insta::assert_snapshot!(run.err, @r#"
    netinfo: cannot open domain "local": cannot connect to /nonexistent/socket: No such file or directory
    hint: netinfod is not running, or its socket is elsewhere
    "#);
    nowhere.fails(5, "status");
    nowhere.fails(2, "nonsense");
    nowhere.fails(2, "ls --data /x");
    let help = nowhere.ok("--help");
    assert!(help.contains("Exit codes:\n  0  done"));
    assert!(nowhere.ok("--version").starts_with("netinfo "));
    Tool::with(["--server", "127.0.0.1:1"]).fails(5, "ls");
    Tool::with(["--server", "no.such.host.invalid"]).fails(5, "ls");
}

#[test]
fn servers_are_asked_by_port_and_socket() {
    let node = Node::start();
    let tool = Tool::local(&node);
    tool.ok("domain create network");
    tool.ok("-d network mkdir /here");
    let common = node.ipcserver().tcp.to_string();
    let own = node.domain("network").tcp.to_string();
    assert_eq!(Tool::with(["--server", &common, "-d", "network"]).ok("ls"), "machines\nhere\n");
    assert_eq!(Tool::with(["--server", &common]).ok("ls"), "machines\n");
    assert_eq!(Tool::with(["--server", &own]).ok("ls"), "machines\nhere\n");
    let socket = node.socket();
    let run = Tool::with([]).run_with(&["ls"], "", &[("NETINFO_SOCKET", socket.to_str().unwrap())]);
    assert_eq!(run.ok("NETINFO_SOCKET"), "machines\n");
    assert!(Tool::with(["--server", &common]).fails(2, "status").contains("this machine only"));
}

#[test]
fn large_directories_are_listed_and_searched() {
    let node = Node::start();
    let tool = Tool::local(&node);
    let mut script = String::from("mkdir /many\n");
    for i in 0..200 {
        script.push_str(&format!("mkdir /many/entry{i} number={i}\n"));
    }
    tool.run_with(&["shell"], &script, &[]).ok("shell");
    assert_eq!(tool.ok("ls /many").lines().count(), 200);
    assert_eq!(tool.ok("find number=123"), "/many/entry123\n");
    assert_eq!(tool.ok("find number~14?").lines().count(), 10);
    assert_eq!(tool.ok("tree").lines().count(), 1 + 2 + 1 + 200);
    tool.ok("rm -r /many");
    assert_eq!(tool.ok("ls"), "machines\n");
}

#[test]
fn a_reader_that_leaves_is_no_error() {
    let node = Node::start();
    let socket = node.socket();
    let line = format!(
        "{} --socket {} completions bash | head -n 1",
        env!("CARGO_BIN_EXE_netinfo"),
        socket.display()
    );
    let output = std::process::Command::new("sh").args(["-c", &line]).output().unwrap();
    assert!(output.status.success());
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
}
