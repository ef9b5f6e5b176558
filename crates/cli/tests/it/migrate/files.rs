//! Administrative files: in, out, and compared.

use std::fs;

use netinfo_testkit::Node;
use serde_json::{Value, json};

use super::{data, file};
use crate::tool::Tool;

/// The last line of what an import says.
fn last(text: &str) -> &str {
    text.lines().last().unwrap_or_default()
}

#[test]
fn the_files_of_this_machine_come_in_and_go_out() {
    let node = Node::start();
    let tool = Tool::local(&node);
    let before = tool.json("domain list")[0]["directories"].clone();
    let dry = tool.run("import /etc --dry-run");
    assert!(dry.out.contains("users/root: created") && dry.out.contains("+ uid: 0"), "{dry:?}");
    assert!(!dry.out.contains("$y$") && !dry.out.contains("$6$"), "passwords are not shown");
    assert_eq!(tool.json("domain list")[0]["directories"], before, "a dry run changes nothing");

    let wet = tool.run("import /etc");
    assert_eq!(last(&wet.out), last(&dry.out), "a dry run says what is done");
    let again = tool.run("import /etc").out;
    assert!(last(&again).contains(" unchanged") && !last(&again).contains("created"), "{again}");
    assert!(!last(&again).contains("changed, "), "{again}");

    let diff = tool.run("diff /etc local");
    let lines: Vec<_> = diff.out.lines().filter(|line| !line.starts_with("    ")).collect();
    assert!(
        lines.iter().all(|line| line.starts_with("~ machines/") || line.starts_with("+ machines/")),
        "{lines:?}"
    );
    for (format, name) in [("passwd", "passwd"), ("group", "group"), ("services", "services")] {
        let out = file(node.dir(), name);
        tool.ok(&format!("export {format} --output {out}"));
        assert_eq!(tool.ok(&format!("diff {format}:{out} local")), "", "{format}");
    }
}

#[test]
fn shadow_passwords_come_with_the_users() {
    let node = Node::start();
    let tool = Tool::local(&node);
    let dir = node.dir().join("old");
    fs::create_dir(&dir).unwrap();
    fs::write(
        dir.join("passwd"),
        "ana:x:501:20:Ana:/home/ana:/bin/sh\nbo:x:502:20::/:/bin/sh\ncy:x:503:20::/:/bin/sh\n",
    )
    .unwrap();
    fs::write(
        dir.join("shadow"),
        "ana:xOAFZqRz5RduI:::::::\nbo:!$1$a$b:::::::\ncy:Kerberos-or-what:::::::\n",
    )
    .unwrap();
    let report = file(node.dir(), "report.json");
    let said = tool.ok(&format!("import {} --report {report}", dir.display()));
    assert!(said.contains("passwd: 3 created"), "{said}");
    assert!(said.contains("users/cy: password: no password can be checked"), "{said}");
    assert!(!said.contains("xOAFZqRz5RduI") && !said.contains("Kerberos-or-what"), "{said}");
    let report: Value = serde_json::from_str(&fs::read_to_string(report).unwrap()).unwrap();
    assert_eq!(report["counts"]["created"], json!(3));
    let notes = report["files"][0]["notes"].as_array().unwrap();
    assert_eq!(
        (notes.len(), &notes[0]["kind"], &notes[0]["name"]),
        (1, &json!("password"), &json!("users/cy"))
    );
    let out = tool.ok("export master.passwd");
    assert!(out.contains("ana:xOAFZqRz5RduI:") && out.contains("cy:Kerberos-or-what:"), "{out}");
    // Others see no password.
    let server = node.ipcserver().tcp.to_string();
    let remote = Tool::with(["--server", &server]).unprivileged().ok("export passwd");
    assert!(remote.contains("ana:*:501") && !remote.contains("xOAF"), "{remote}");
}

#[test]
fn policies_say_what_becomes_of_what_is_there() {
    let node = Node::start();
    let tool = Tool::local(&node);
    let passwd = file(node.dir(), "passwd");
    fs::write(&passwd, "ana:*:501:20:Ana:/home/ana:/bin/sh\n").unwrap();
    tool.ok(&format!("import {passwd}"));
    tool.ok("set /users/ana note kept");
    fs::write(&passwd, "ana:*:777:20:Ana:/home/ana:/bin/zsh\nbo:*:502:20:Bo:/:/bin/sh\n").unwrap();
    assert!(tool.ok(&format!("import --skip {passwd}")).contains("1 created, 1 skipped"));
    assert!(tool.ok("user show ana").contains("uid: 501\n"));
    let dry = tool.ok(&format!("import --dry-run {passwd}"));
    assert!(dry.contains("- uid: 501") && dry.contains("+ uid: 777"), "{dry}");
    assert!(tool.ok(&format!("import {passwd}")).contains("1 changed, 1 unchanged"));
    let ana = tool.ok("user show ana");
    assert!(ana.contains("uid: 777\n") && ana.contains("note: kept\n"), "{ana}");
    assert!(tool.ok(&format!("import --replace {passwd}")).contains("1 changed, 1 unchanged"));
    assert!(!tool.ok("user show ana").contains("note"));
    tool.ok(&format!("import --into /old/site {passwd}"));
    assert_eq!(tool.ok("ls /old/site/users"), "ana\nbo\n");
    assert!(tool.fails(2, &format!("import --skip --replace {passwd}")).contains("cannot be used with"));
}

#[test]
fn one_bad_line_is_told_and_the_rest_is_taken() {
    let node = Node::start();
    let tool = Tool::local(&node);
    let bad = file(node.dir(), "passwd");
    fs::write(&bad, "ana:*:501:20::/:/bin/sh\nbo:*:many:20::/:/bin/sh\n").unwrap();
    let run = tool.run(&format!("import {bad}"));
    assert_eq!((run.code, last(&run.out)), (1, "  line 2: failed: uid: \"many\" is not a number"), "{run:?}");
    assert!(run.out.contains("passwd: 1 created, 1 failed"), "{run:?}");
    let said = tool.ok(&format!("import {}", data("flat")));
    assert!(said.contains("line 10: skipped: ") && last(&said).contains("created"), "{said}");
    let again = tool.run(&format!("import {}", data("flat")));
    assert!(last(&again.out).starts_with("together: ") && !last(&again.out).contains("created"), "{again:?}");
    assert_eq!(
        tool.ok("check"),
        format!("local: {} directories, sound\n", tool.json("domain list")[0]["directories"])
    );
    for name in
        ["group", "aliases", "fstab", "exports", "printcap", "netgroup", "services", "networks", "rpc"]
    {
        let out = file(node.dir(), name);
        // Formats that have no place for a line that could not be read have lost nothing else.
        tool.run(&format!("export {name} --output {out}"));
        assert_eq!(tool.run(&format!("diff {name}:{out} local")).out, "", "{name}");
    }
}

#[test]
fn lines_that_are_no_records_are_skipped_and_told() {
    let node = Node::start();
    let tool = Tool::local(&node);
    let (passwd, group) = (file(node.dir(), "passwd"), file(node.dir(), "group"));
    fs::write(&passwd, "ana:*:501:20:Ana:/home/ana:/bin/sh\n+::::::\n-mallory::::::\n+@admins\n").unwrap();
    fs::write(&group, "staff:*:20:ana\n+:::\n").unwrap();
    let report = file(node.dir(), "report.json");
    let said = tool.ok(&format!("import {passwd} --report {report}"));
    assert!(said.contains("passwd: 1 created, 3 skipped\n"), "{said}");
    assert!(said.contains("  line 4: skipped: NIS line skipped\n"), "{said}");
    let report: Value = serde_json::from_str(&fs::read_to_string(report).unwrap()).unwrap();
    assert_eq!((&report["counts"]["skipped"], &report["counts"]["failed"]), (&json!(3), &json!(0)));
    assert_eq!(report["files"][0]["notes"][0]["kind"], "skipped");
    let run = tool.run(&format!("convert {group} jsonl:-"));
    assert_eq!((run.code, run.out.lines().count()), (0, 1), "{run:?}");
    assert!(run.err.contains("line 2: skipped: NIS line skipped"), "{run:?}");
}

#[test]
fn exports_are_reported_as_imports_are() {
    let node = Node::start();
    let tool = Tool::local(&node);
    tool.ok("user add ana");
    tool.ok("set /users/ana shoe_size 44");
    let (out, report) = (file(node.dir(), "out.passwd"), file(node.dir(), "report.json"));
    for (output, name) in [(format!("--output {out}"), out.as_str()), (String::new(), "-")] {
        let run = tool.run(&format!("export passwd {output} --report {report}"));
        assert!(run.code == 0 && run.err.contains("shoe_size: the format has no place for it"), "{run:?}");
        let report: Value = serde_json::from_str(&fs::read_to_string(&report).unwrap()).unwrap();
        let file = &report["files"][0];
        assert_eq!(report["counts"], json!({ "written": 1, "lost": 1 }));
        assert_eq!(
            (&file["counts"], &file["file"], &file["format"]),
            (&report["counts"], &json!(name), &json!("passwd"))
        );
        assert_eq!((&file["lost"][0]["property"], &file["dropped_causes"]), (&json!("shoe_size"), &json!(0)));
    }
    let run = tool.run(&format!("export passwd --report {out}/report"));
    assert!(run.code == 1 && run.err.contains(&format!("cannot write {out}/report")), "{run:?}");
}

#[test]
fn other_servers_are_written_to_over_the_network() {
    let node = Node::start();
    let server = node.ipcserver().tcp.to_string();
    let passwd = file(node.dir(), "passwd");
    fs::write(&passwd, "ana:*:501:20:Ana:/home/ana:/bin/sh\nbo:*:502:20::/:/bin/sh\n").unwrap();
    let group = file(node.dir(), "group");
    fs::write(&group, "staff:*:20:ana\n").unwrap();
    let remote = Tool::with(["--server", &server]);
    assert!(remote.ok(&format!("import {passwd}")).contains("2 created"));
    assert!(remote.ok(&format!("import {passwd}")).contains("2 unchanged"));
    assert!(remote.ok(&format!("import {group}")).contains("1 created"));
    assert_eq!(Tool::local(&node).ok("user list").lines().count(), 3);
    let stranger = Tool::with(["--server", &server]).unprivileged();
    fs::write(&passwd, "cy:*:503:20::/:/bin/sh\n").unwrap();
    assert!(stranger.fails(4, &format!("import {passwd}")).contains("ermission"));
    assert!(stranger.ok(&format!("import --dry-run {passwd}")).contains("users/cy: created"));
}

#[test]
fn formats_are_told_and_mistakes_are_explained() {
    let node = Node::start();
    let tool = Tool::local(&node);
    let strange = file(node.dir(), "strange");
    fs::write(&strange, "what is this\n").unwrap();
    assert!(tool.fails(1, &format!("import {strange}")).contains("it cannot be told what format"));
    assert!(tool.fails(2, &format!("import nothing {strange}")).contains("the formats are passwd, "));
    tool.fails(3, "import /nonexistent/passwd");
    assert!(tool.fails(1, &format!("import {}", node.dir().display())).contains("no folder of a known kind"));
    assert!(tool.fails(2, "export nidb").contains("--output"));
    tool.fails(3, "export passwd /nowhere");
    assert!(tool.fails(2, &format!("convert /etc/passwd {strange}")).contains("FORMAT:FILE"));
    assert_eq!(tool.ok("convert passwd:/etc/passwd group:-"), "");
    assert!(tool.ok("convert /etc/passwd passwd:-").contains("root:"));
}

#[test]
fn duplicates_are_found() {
    let node = Node::start();
    let tool = Tool::local(&node);
    assert_eq!(tool.ok("check --duplicates"), "");
    let passwd = file(node.dir(), "passwd");
    fs::write(&passwd, "ana:*:501:20::/:/bin/sh\nbo:*:501:20::/:/bin/sh\n").unwrap();
    tool.ok(&format!("import {passwd}"));
    let run = tool.run("check --duplicates");
    assert_eq!((run.code, run.out.as_str()), (1, "/users: uid 501: ana, bo\n"));
}
