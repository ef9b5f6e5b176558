//! The interactive mode, fed by a pipe.

use netinfo_testkit::Node;

use crate::tool::Tool;

#[test]
fn lines_are_carried_out_in_the_current_directory() {
    let node = Node::start();
    let tool = Tool::local(&node);
    let script =
        "mkdir /a\nmkdir a/b\ncd a\npwd\nset b text 'two words'\ncat b\ncd ..\nls\ncd\nrm -r a\nls\n";
    insta::assert_snapshot!(tool.run_with(&["shell"], script, &[]).ok("shell"), @r"
    /a
    name: b
    text: two words
    machines
    a
    machines
    ");
}

#[test]
fn a_script_ends_with_its_first_failure() {
    let node = Node::start();
    let tool = Tool::local(&node);
    let run = tool.run_with(&["shell"], "ls\ncat /nothing\nmkdir /never\n", &[]);
    assert_eq!((run.code, run.out.as_str()), (3, "machines\n"));
    assert!(run.err.starts_with("netinfo: cannot find /nothing: No such directory"), "{run:?}");
    assert_eq!(tool.ok("ls"), "machines\n");
    assert_eq!(tool.run_with(&["shell"], "nonsense\n", &[]).code, 2);
    assert_eq!(tool.run_with(&["shell"], "exit\nnonsense\n", &[]).code, 0);
    assert_eq!(tool.run_with(&["shell"], "", &[]).code, 0);
}

#[test]
fn the_server_is_reached_before_the_first_line() {
    let nowhere = Tool::with(["--socket", "/nonexistent/socket"]);
    assert_eq!(nowhere.run_with(&["shell"], "pwd\n", &[]).code, 5);
}

#[test]
fn a_daemon_that_comes_back_is_found_again() {
    use std::io::{BufRead, BufReader, Write};
    use std::process::{Command, Stdio};

    let mut node = Node::start();
    let mut child = Command::new(env!("CARGO_BIN_EXE_netinfo"))
        .args(["--socket", node.socket().to_str().unwrap(), "shell"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    let mut output = BufReader::new(child.stdout.take().unwrap()).lines();
    writeln!(input, "ls").unwrap();
    assert_eq!(output.next().unwrap().unwrap(), "machines");
    node.restart();
    writeln!(input, "ls").unwrap();
    assert_eq!(output.next().unwrap().unwrap(), "machines");
    drop(input);
    assert!(child.wait().unwrap().success());
}
