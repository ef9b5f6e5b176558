//! Command lines that make no sense, and servers that are not there.

use crate::bench::Bench;

/// Runs a line, which must end with this code after a usage text, and returns what comes before that.
#[track_caller]
fn usage(line: &str, code: u8) -> String {
    let words: Vec<&str> = line.split(' ').collect();
    let run = Bench::alone().run(&words, b"");
    let text = String::from_utf8([run.out, run.err].concat()).unwrap();
    assert_eq!(run.code, code, "{line}: {text}");
    let (before, usage) = text.split_once("usage:").unwrap();
    assert!(usage.contains(words[0]), "{line}: {text}");
    before.to_owned()
}

#[test]
fn tools_explain_themselves() {
    for tool in ["lookupd", "nidomain", "nidump", "nifind", "nigrep", "niload", "nireport", "niutil"] {
        assert_eq!(usage(tool, 1), "");
    }
    assert_eq!(usage("nicl", 0), "");
    assert_eq!(usage("nicl -q", 0), "");
}

#[test]
fn command_lines_that_make_no_sense() {
    for line in [
        "lookupd -q",
        "lookupd -d",
        "niutil -bogus . /",
        "niutil -t",
        "nidump -x .",
        "nidump passwd",
        "nidump nosuch .",
        "nidump -r -r / .",
        "nidump -t localhost/x -T 4 passwd",
        "niload passwd",
        "nigrep x",
        "nireport .",
        "nireport -x . / name",
        "nifind -a",
        "nidomain -x",
        "nidomain -l a b",
        "nidomain -g",
        "nidomain -c one",
        "nidomain -a one",
        "nidomain -m one two three",
        "nidomain -d",
        "nidomain -u",
    ] {
        assert_eq!(usage(line, 1), "", "{line}");
    }
    for (line, complaint) in [
        ("niutil -list", "niutil: insufficient number of arguments for -list\n"),
        ("niutil -read . / -T", "niutil: insufficient number of arguments for -T\n"),
        ("niload -x passwd .", "niload unknown option: -x\n"),
        ("niload passwd . more", "niload: unknown argument: more\n"),
        ("niload ethers .", "niload: unknown format: ethers\n"),
        ("nigrep ( .", "Bad expression: (\n"),
        ("nireport . /users", "no properties\n"),
        ("nifind -x /users", "unknown option: x\n"),
    ] {
        assert_eq!(usage(line, 1), complaint, "{line}");
    }
    let run = Bench::alone().run(&["nigrep", "-T", "-1", "x", "."], b"");
    assert_eq!((run.code, run.err.as_slice()), (1, &b"can't use negative timeout value.\n"[..]));
    let run = Bench::alone().run(&["niutil", "."], b"");
    assert_eq!((run.code, run.err.len()), (0, 0));
}

#[test]
fn tags_that_make_no_sense() {
    Bench::alone().play(
        "
$ niutil -read -t network /
! niutil: incorrect format for domain network (Bad format)
! usage: -t <host>/<tag>
! <host> can be a host name or IP address
[217]
$ niutil -read -t /network /
! niutil: incorrect format for domain /network (No host)
! usage: -t <host>/<tag>
! <host> can be a host name or IP address
[218]
$ nireport -t localhost/ / name
! nireport: incorrect format for domain localhost/ (No tag)
! usage: -t <host>/<tag>
! <host> can be a host name or IP address
[219]
$ niload -t passwd nosuchhost.invalid/x
! Can't find address for nosuchhost.invalid
! niload: incorrect format for domain nosuchhost.invalid/x (Host not found)
! usage: -t <host>/<tag>
! <host> can be a host name or IP address
[1]
$ nicl -t network -read /
! nicl: incorrect format for domain network (Bad format)
! usage: -t <host>/<tag>
! <host> can be a host name or IP address
! open(network): Invalid Datastore
[233]
",
    );
}

#[test]
fn domains_that_are_not_there() {
    Bench::with_node().play(
        "
$ niutil -read /nosuch /
! niutil: can't connect to server for domain /nosuch
[199]
$ nicl nosuch -read /
! nicl: can't connect to server for domain nosuch
! open(nosuch): Invalid Datastore
[233]
$ nicl -t localhost/nosuch -read /
! nicl: can't connect to server localhost/nosuch: Communication failure
! open(localhost/nosuch): Invalid Datastore
[233]
$ niload passwd nosuch
! niload: can't connect to server for domain nosuch
[1]
$ nifind /x nosuch
! error: can't open domain nosuch
[1]
",
    );
    let run = Bench::with_node().run(&["nigrep", "x", "nosuch"], b"");
    assert!(run.err.starts_with(b"nigrep: can't connect to server for domain nosuch\nusage: nigrep"));
    assert_eq!(run.code, 1);
    let run = Bench::with_node().run(&["nidump", "passwd", "-t", "localhost/nosuch"], b"");
    assert!(
        run.err
            .starts_with(b"nidump: can't connect to server localhost/nosuch: Communication failure\nusage:")
    );
    assert_eq!(run.code, 1);
}
