//! `ldapvi`, which shows entries in an editor and sends what was changed there. The editor of these tests is `sed`.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use super::{ADMIN, PASSWORD, Ran, SUFFIX, Server, Way, run, values};

const TREE: &str = "\
dn: ou=people,dc=example,dc=com
objectClass: organizationalUnit
ou: people

dn: uid=alice,ou=people,dc=example,dc=com
objectClass: inetOrgPerson
uid: alice
cn: Alice Liddell
sn: Liddell
description: first
description: second

dn: uid=bob,ou=people,dc=example,dc=com
objectClass: inetOrgPerson
uid: bob
cn: Bob
sn: Builder
";

/// Runs `ldapvi` on a terminal, without which it asks no editor, with a `sed` script in the place of a person.
fn edit(server: &Server, script: &str, filter: &str) -> Ran {
    let editor = server.node.dir().join("editor");
    // It may be told a line to begin at; the file comes last.
    fs::write(&editor, format!("#!/bin/sh\nfor file; do :; done\nexec sed -i -E '{script}' \"$file\"\n"))
        .unwrap();
    fs::set_permissions(&editor, fs::Permissions::from_mode(0o755)).unwrap();
    let url = server.url(Way::Plain);
    // In the foreground of that terminal: a program in the background is stopped when it sets the terminal.
    let command = format!(
        "exec timeout --foreground 30 ldapvi -h {url} -D {ADMIN} -w {PASSWORD} --bind simple -b {SUFFIX} --noquestions '{filter}'"
    );
    let editor = editor.to_str().unwrap().to_owned();
    let environment = [("EDITOR", editor.clone()), ("VISUAL", editor), ("TERM", "dumb".to_owned())];
    run("script", &["-qec", &command, "/dev/null"], "", &environment)
}

#[test]
fn what_is_edited_is_changed() {
    let server = Server::start();
    server.ok(Way::Plain, "ldapadd", &[], TREE);
    let find = |filter: &str| {
        server.ok(Way::Plain, "ldapsearch", &["-LLL", "-o", "ldif-wrap=no", "-b", SUFFIX, filter], "")
    };

    // Values changed, taken away and added.
    let changed = edit(
        &server,
        "s/^sn: Liddell/sn: Carroll/; /^description: first/d; s/^cn: Bob/&\\ncn: Robert/",
        "(sn=*)",
    );
    assert_eq!(changed.code, 0, "{changed:?}");
    let alice = find("(uid=alice)");
    assert_eq!(values(&alice, "sn"), ["Carroll"]);
    assert_eq!(values(&alice, "description"), ["second"]);
    assert_eq!(values(&find("(uid=bob)"), "cn"), ["Bob", "Robert"]);

    // A record with `add` in the place of the key is an entry added.
    let added = edit(
        &server,
        "s/^sn: Builder/&\\n\\nadd uid=carol,ou=people,dc=example,dc=com\\nobjectClass: inetOrgPerson\\nuid: carol\\ncn: Carol\\nsn: \
         Singer\\nuserPassword: la la la/",
        "(uid=bob)",
    );
    assert_eq!(added.code, 0, "{added:?}");
    let carol = "uid=carol,ou=people,dc=example,dc=com";
    let who = server.ok(Way::Anonymous, "ldapwhoami", &["-D", carol, "-w", "la la la"], "");
    assert_eq!(who, format!("dn:{carol}\n"));

    // A name changed is an entry renamed.
    let renamed = edit(&server, "s/^0 uid=bob,/0 uid=rob,/; s/^uid: bob/uid: rob/", "(uid=bob)");
    assert_eq!(renamed.code, 0, "{renamed:?}");
    assert_eq!(find("(uid=bob)"), "");
    assert_eq!(values(&find("(uid=rob)"), "sn"), ["Builder"]);

    // An entry without a key is an entry removed.
    let removed = edit(&server, "/^0 /,$d", "(uid=rob)");
    assert_eq!(removed.code, 0, "{removed:?}");
    assert_eq!(find("(uid=rob)"), "");
    assert_eq!(values(&find("(uid=alice)"), "sn"), ["Carroll"]);
}
