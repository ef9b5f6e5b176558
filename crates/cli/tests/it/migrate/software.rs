//! What other programs make of exports.

use std::fs;
use std::process::Command;

use netinfo_testkit::Node;
use netinfo_testkit::namespace::need_root;

use super::{data, file};
use crate::tool::Tool;

/// Runs a shell command that must succeed.
fn shell(command: &str) -> String {
    let output = Command::new("sh").args(["-c", command]).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{command}\n{}{}", text(&output.stdout), text(&output.stderr));
    text(&output.stdout)
}

/// Loads an export into an OpenLDAP database, with these options of slapadd, and writes the database as another file.
fn through_slapd(node: &Node, suffix: &str, ldif: &str, options: &str) -> String {
    let database = node.dir().join("slapd");
    fs::create_dir(&database).unwrap();
    let schemas = ["core", "cosine", "inetorgperson", "nis", "misc"];
    let schemas: String = schemas.map(|name| format!("include /etc/ldap/schema/{name}.schema\n")).concat();
    let configuration = file(node.dir(), "slapd.conf");
    let extra = data("slapd/extra.schema");
    let text = format!(
        "{schemas}include {extra}\nmodulepath /usr/lib/ldap\nmoduleload back_mdb\nmoduleload ppolicy\ndatabase mdb\nmaxsize 268435456\n\
         suffix {suffix}\ndirectory {}\n",
        database.display()
    );
    fs::write(&configuration, text).unwrap();
    shell(&format!("/usr/sbin/slapadd {options} -f {configuration} -l {ldif}"));
    let back = file(node.dir(), "back.ldif");
    shell(&format!("/usr/sbin/slapcat -f {configuration} -l {back}"));
    back
}

#[test]
fn openldap_takes_administrative_files() {
    let node = Node::start();
    let tool = Tool::local(&node);
    tool.ok("domain create flat --suffix dc=flat,dc=example");
    for name in ["group", "hosts", "bootptab", "networks", "services", "protocols", "rpc", "fstab", "exports"]
    {
        tool.run(&format!("-d flat import {}", data(&format!("flat/{name}"))));
    }
    fs::write(
        node.dir().join("master.passwd"),
        "_apt:*:42:65534::0:0::/nonexistent:/bin/false\nbo:*:43:43::0:0:Bo:/:/bin/sh\n",
    )
    .unwrap();
    tool.ok(&format!("-d flat import {}", node.dir().join("master.passwd").display()));
    let ldif = file(node.dir(), "flat.ldif");
    let told = tool.run(&format!("-d flat export ldif --output {ldif}")).err;
    assert!(told.contains("  _writers_passwd: 2 records, the first is "), "{told}");
    assert_eq!(told.lines().count(), 2, "{told}");
    // OpenLDAP's class of RPC programs demands a description, which hardly any has.
    let back = through_slapd(&node, "dc=flat,dc=example", &ldif, "-s");
    let names = |file: &str| {
        let text = fs::read_to_string(file).unwrap();
        let count = text.lines().filter(|line| line.starts_with("dn:")).count();
        assert!(text.contains("uid: _apt\n") && text.contains("cn: _apt\n"), "{text}");
        count
    };
    assert_eq!(names(&back), names(&ldif));
    assert!(names(&ldif) > 40);
}

#[test]
fn openldap_takes_an_export() {
    let node = Node::start();
    let tool = Tool::local(&node);
    tool.ok("domain create org --suffix dc=example,dc=com --layout rfc2307");
    tool.ok(&format!("-d org import {}", data("ldif/org.ldif")));
    let ldif = file(node.dir(), "org.ldif");
    tool.ok(&format!("-d org export ldif --output {ldif}"));
    let back = through_slapd(&node, "dc=example,dc=com", &ldif, "-q");
    assert_eq!(tool.run(&format!("diff {back} org")).out, "", "what OpenLDAP exports is what it was given");
}

#[test]
fn getent_takes_exported_files() {
    need_root("it mounts files over /etc");
    let node = Node::start();
    let tool = Tool::local(&node);
    tool.run(&format!("import {}", data("flat/group")));
    fs::write(node.dir().join("in"), "ana:xOAFZqRz5RduI:7501:7020:Ana Lima,Room 1:/home/ana:/bin/tcsh\n")
        .unwrap();
    tool.ok(&format!("import passwd {}", node.dir().join("in").display()));
    let (passwd, group) = (file(node.dir(), "passwd"), file(node.dir(), "group"));
    tool.ok(&format!("export passwd --output {passwd}"));
    tool.ok(&format!("export group --output {group}"));
    let found = shell(&format!(
        "unshare -m sh -c 'mount --bind {passwd} /etc/passwd && mount --bind {group} /etc/group && getent passwd && getent group'"
    ));
    assert!(
        found.contains("ana:") && found.contains(":7501:7020:Ana Lima,Room 1:/home/ana:/bin/tcsh"),
        "{found}"
    );
    let groups = fs::read_to_string(&group).unwrap();
    // The C library has no negative numbers.
    for line in groups.lines().filter(|line| !line.contains(":-")) {
        assert!(found.lines().any(|told| told == line), "{line} is not in\n{found}");
    }
}
