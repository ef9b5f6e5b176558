//! Whole domains: folders of historical servers, and text.

use std::fs;
use std::path::Path;
use std::process::Command;

use netinfo_testkit::Node;

use super::{data, file};
use crate::tool::Tool;

/// Unpacks a folder of a historical server, and returns its path.
fn unpack(name: &str, into: &Path) -> String {
    let status = Command::new("tar")
        .args(["xzf", &data(&format!("nidb/{name}.nidb.tar.gz")), "-C"])
        .arg(into)
        .status();
    assert!(status.unwrap().success());
    let folders = fs::read_dir(into).unwrap().map(|entry| entry.unwrap().path());
    let mut folders = folders.filter(|path| path.extension().is_some_and(|ending| ending == "nidb"));
    folders.next().unwrap().display().to_string()
}

/// Lines of JSON without what a domain says of its master.
fn lines(text: &str) -> Vec<&str> {
    text.lines().skip(1).collect()
}

#[test]
fn a_folder_becomes_a_domain() {
    let node = Node::start();
    let tool = Tool::local(&node);
    let folder = unpack("site", node.dir());
    let expected = tool.ok(&format!("convert {folder} jsonl:-"));
    let directories = expected.lines().count();
    assert!(
        tool.ok(&format!("import --as-domain site {folder}")).contains(&format!("{directories} created"))
    );
    assert_eq!(lines(&tool.ok("-d site export jsonl")), lines(&expected), "ids, instances and order");
    assert!(tool.fails(1, &format!("import --as-domain site {folder}")).contains("exists already"));
    assert_eq!(tool.ok(&format!("diff {folder} site")), "", "the master had the name of this machine");
    let data = node.dir().join("other");
    let offline = Tool::offline(&data);
    offline.ok(&format!("import nidb {folder} --as-domain copy"));
    assert_eq!(lines(&offline.ok("-d copy export jsonl")), lines(&expected));
    assert!(offline.ok("check").contains("sound"));
    assert_eq!(offline.json("domain list")[0]["role"], "master");
    // Into a domain that is there it adds what is missing.
    assert!(tool.ok(&format!("import {folder}")).contains(" created"));
    assert!(tool.ok(&format!("import {folder}")).contains(&format!("{directories} unchanged")));
}

#[test]
fn a_name_that_another_domain_has_is_refused() {
    let node = Node::start();
    let tool = Tool::local(&node);
    tool.ok("domain create site --suffix dc=example,dc=com");
    let raw = file(node.dir(), "site.raw");
    tool.ok(&format!("-d site export raw --output {raw}"));
    let text = fs::read_to_string(&raw).unwrap();
    assert!(text.contains("dc=example,dc=com"), "{text}");
    fs::write(&raw, text.replace("dc=example,dc=com", "DC=Example, dc=com")).unwrap();
    let ldif = file(node.dir(), "site.ldif");
    fs::write(&ldif, "dn: dc=example,dc=com\nobjectClass: domain\ndc: example\n").unwrap();
    // A domain without a suffix is named by its tag.
    let unnamed = file(node.dir(), "unnamed.raw");
    fs::write(&unnamed, "{\n  \"master\" = ( \"a/b\" );\n}\n").unwrap();

    let data = node.dir().join("other");
    let offline = Tool::offline(&data);
    offline.ok("domain create site --suffix dc=example,dc=com");
    for tool in [&tool, &offline] {
        let refused = tool.fails(1, &format!("import --as-domain copy {raw}"));
        assert!(refused.contains("is that of the domain \"site\""), "{refused}");
        assert!(
            refused.contains("hint: give one of the two another name: netinfo domain set site --suffix DN"),
            "{refused}"
        );
        assert!(!tool.ok("domain list").contains("copy"), "a domain that is refused is not left behind");
    }
    // As the hint says it.
    tool.ok("domain set site --suffix dc=second");
    let refused = tool.fails(1, &format!("import --as-domain second {unnamed}"));
    assert!(refused.contains("\"dc=second\" is that of the domain \"site\""), "{refused}");
    tool.ok(&format!("import --as-domain copy {raw}"));
    let refused = offline.fails(1, &format!("-d copy import {ldif}"));
    assert!(refused.contains("is that of the domain \"site\""), "{refused}");
    assert!(!offline.ok("domain list").contains("copy"));
}

#[test]
fn text_brings_a_domain_back() {
    let node = Node::start();
    let tool = Tool::local(&node);
    tool.run(&format!("import {}", data("flat")));
    for name in ["all.raw", "all.jsonl", "all.json5"] {
        let out = file(node.dir(), name);
        let format = name.rsplit_once('.').unwrap().1;
        tool.ok(&format!("export {format} --output {out}"));
        assert_eq!(tool.ok(&format!("diff {out} local")), "", "{name}");
        assert!(tool.ok(&format!("import {out}")).contains(" unchanged"), "{name}");
        let users = file(node.dir(), "users.raw");
        let _ = fs::remove_file(&users);
        tool.ok(&format!("export raw /users --output {users}"));
        let data = node.dir().join(format!("{format}.data"));
        let offline = Tool::offline(&data);
        offline.ok(&format!("-d new import --into /users {users}"));
        assert_eq!(offline.run("-d new export passwd").out, tool.run("export passwd").out, "{name}");
    }
}
