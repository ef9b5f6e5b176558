//! OpenLDAP's tools.

use std::fs;

use super::{ADMIN, PASSWORD, SUFFIX, Server, Way, run, values};

const ALICE: &str = "uid=alice,ou=people,dc=example,dc=com";

const TREE: &str = "\
dn: ou=people,dc=example,dc=com
objectClass: organizationalUnit
ou: people

dn: ou=groups,dc=example,dc=com
objectClass: organizationalUnit
ou: groups

dn: uid=alice,ou=people,dc=example,dc=com
objectClass: inetOrgPerson
objectClass: posixAccount
uid: alice
cn: Alice Liddell
sn: Liddell
uidNumber: 1001
gidNumber: 100
homeDirectory: /home/alice
mail: alice@example.com
jpegPhoto:: /9j/4AAQSkZJRgABAQ==
description;lang-de: Rotk\u{e4}ppchens Freundin
";

/// Adds, searches, compares, changes, renames and deletes, and asks who it is.
fn exercise(server: &Server, way: Way) {
    assert!(server.ok(way, "ldapadd", &[], TREE).contains("adding new entry"));
    server.fails(68, way, "ldapadd", &[], TREE);
    let find = |filter: &str, attributes: &[&str]| {
        let words = [&["-LLL", "-o", "ldif-wrap=no", "-b", SUFFIX, filter][..], attributes].concat();
        server.ok(way, "ldapsearch", &words, "")
    };
    let found = find("(uid=ALICE)", &[]);
    assert!(found.starts_with(&format!("dn: {ALICE}\nobjectClass: inetOrgPerson\n")), "{found}");
    assert_eq!(values(&found, "uidNumber"), ["1001"]);
    assert_eq!(values(&found, "jpegPhoto:"), ["/9j/4AAQSkZJRgABAQ=="]);
    assert!(found.contains("description;lang-de:: "), "{found}");
    assert_eq!(
        find("(uid=alice)", &["mail", "nonesuch"]),
        format!("dn: {ALICE}\nmail: alice@example.com\n\n")
    );
    assert_eq!(
        find("(&(objectClass=posixAccount)(mail=*@EXAMPLE.com))", &["1.1"]),
        format!("dn: {ALICE}\n\n")
    );
    assert_eq!(find("(nonesuch=x)", &[]), "");

    assert_eq!(server.fails(6, way, "ldapcompare", &["-z", ALICE, "sn:liddell"], ""), "");
    assert_eq!(server.fails(5, way, "ldapcompare", &["-z", ALICE, "sn:Other"], ""), "");
    let change = format!(
        "dn: {ALICE}\nchangetype: modify\nreplace: mail\nmail: a@example.com\nmail: b@example.com\n-\n\
         increment: uidNumber\nuidNumber: 5\n-\ndelete: jpegPhoto\n-\nadd: telephoneNumber\n\
         telephoneNumber: +49 30 1234\n"
    );
    // The controls show the entry before and after.
    let changed =
        server.ok(way, "ldapmodify", &["-e", "preread=mail", "-e", "postread=mail,uidNumber"], &change);
    assert!(changed.contains("mail: alice@example.com") && changed.contains("uidNumber: 1006"), "{changed}");
    assert_eq!(
        values(&find("(telephoneNumber=+49301234)", &["mail"]), "mail"),
        ["a@example.com", "b@example.com"]
    );
    server.fails(
        16,
        way,
        "ldapmodify",
        &[],
        &format!("dn: {ALICE}\nchangetype: modify\ndelete: jpegPhoto\n"),
    );
    server.fails(122, way, "ldapmodify", &["-e", "!assert=(sn=Other)"], &change);

    let moved = "uid=al,ou=groups,dc=example,dc=com";
    server.ok(way, "ldapmodrdn", &["-r", "-s", "ou=groups,dc=example,dc=com", ALICE, "uid=al"], "");
    assert_eq!(find("(sn=Liddell)", &["uid"]), format!("dn: {moved}\nuid: al\n\n"));
    server.ok(way, "ldapmodrdn", &["-r", "-s", "ou=people,dc=example,dc=com", moved, "uid=alice"], "");
    server.fails(32, way, "ldapmodrdn", &[moved, "uid=x"], "");
    server.fails(66, way, "ldapdelete", &["ou=people,dc=example,dc=com"], "");
    server.ok(way, "ldapdelete", &[ALICE, "ou=groups,dc=example,dc=com"], "");
    server.fails(32, way, "ldapdelete", &[ALICE], "");
    server.ok(way, "ldapdelete", &["-r", "ou=people,dc=example,dc=com"], "");
    assert_eq!(find("(ou=people)", &[]), "");
}

#[test]
fn by_every_way() {
    let server = Server::start();
    for way in [Way::Plain, Way::Tls, Way::StartTls, Way::Socket] {
        exercise(&server, way);
    }
}

#[test]
fn who_they_are() {
    let server = Server::start();
    for way in [Way::Plain, Way::Tls, Way::StartTls] {
        assert_eq!(server.ok(way, "ldapwhoami", &[], ""), format!("dn:{ADMIN}\n"));
    }
    let root = "dn:uidNumber=0,cn=peercred,cn=external,cn=auth";
    let told = server.ok(Way::Socket, "ldapwhoami", &[], "");
    assert_eq!(told.replace("gidNumber=0+", "").trim_end(), root);
    // Nobody listens there: who does not insist on StartTLS goes on without.
    assert!(server.fails(1, Way::Socket, "ldapwhoami", &["-ZZ"], "").contains("Protocol error (2)"));
    assert_eq!(server.ok(Way::Socket, "ldapwhoami", &["-Z"], ""), told);
    let somebody = ["-X", "dn:uid=nobody,dc=nowhere"];
    assert!(server.fails(50, Way::Socket, "ldapwhoami", &somebody, "").contains("Insufficient access (50)"));
    assert_eq!(server.ok(Way::Anonymous, "ldapwhoami", &[], ""), "anonymous\n");
    let wrong = ["-D", ADMIN, "-w", "wrong"];
    assert!(server.fails(49, Way::Anonymous, "ldapwhoami", &wrong, "").contains("Invalid credentials (49)"));
    server.fails(49, Way::Anonymous, "ldapwhoami", &["-D", "uid=nobody,dc=nowhere", "-w", "wrong"], "");
    let log = server.node.log();
    assert!(log.contains("127.0.0.1:") && !log.contains("wrong\""), "{log}");
}

#[test]
fn passwords_are_set_and_changed() {
    let server = Server::start();
    server.ok(Way::Plain, "ldapadd", &[], TREE);
    let binds = |password: &str| {
        server.run(Way::Anonymous, "ldapwhoami", &["-D", ALICE, "-w", password], "").code == 0
    };
    server.ok(Way::StartTls, "ldappasswd", &["-s", "first", ALICE], "");
    assert!(binds("first") && !binds("other"));
    // By the user herself.
    let own = ["-D", ALICE, "-w", "first", "-a", "first", "-s", "the second"];
    server.ok(Way::Anonymous, "ldappasswd", &own, "");
    assert!(binds("the second") && !binds("first"));
    // One that the server makes up.
    let told = server.ok(Way::Socket, "ldappasswd", &[ALICE], "");
    let made = told.trim().strip_prefix("New password: ").unwrap();
    assert!(made.len() >= 8 && binds(made) && !binds("the second"));
    // By modify, in the clear or hashed by somebody else.
    let set = |value: &str| {
        let change =
            format!("dn: {ALICE}\nchangetype: modify\nreplace: userPassword\nuserPassword: {value}\n");
        server.ok(Way::Plain, "ldapmodify", &[], &change);
    };
    set("third");
    assert!(binds("third") && !binds(made));
    set("{SSHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g+9VXQ");
    assert!(!binds("third"));
    set("{CRYPT}abNANd1rDfiNc");
    assert!(binds(PASSWORD));
    // Nobody but superusers reads it.
    let read = |way, more: &[&str]| {
        let words = [&["-LLL", "-b", ALICE, "-s", "base", "(objectClass=*)", "userPassword"], more].concat();
        server.run(way, "ldapsearch", &words, "").out
    };
    assert!(read(Way::Plain, &[]).contains("userPassword::"));
    let with = server.run(
        Way::Anonymous,
        "ldapsearch",
        &["-D", ALICE, "-w", PASSWORD, "-LLL", "-b", ALICE, "(userPassword=*)", "userPassword"],
        "",
    );
    assert!(!with.out.contains("userPassword"), "{with:?}");
    assert!(!read(Way::Anonymous, &[]).contains("userPassword"));
}

#[test]
fn passwords_are_proved_without_being_sent() {
    let server = Server::start();
    server.ok(Way::Plain, "ldapadd", &[], TREE);
    let stored = "{PBKDF2-SHA256}10000$AAECAwQFBgcICQoLDA0ODw$klDY3oMwBlytvmoFXJS5EvAc1a/li1a6TqQ4q6z/sQQ";
    let change = format!("dn: {ALICE}\nchangetype: modify\nreplace: userPassword\nuserPassword: {stored}\n");
    server.ok(Way::Plain, "ldapmodify", &[], &change);
    // Cyrus SASL is the client.
    let prove = |name: &str, password: &str, more: &[&str]| {
        let url = server.url(Way::Plain);
        let words = ["-H", &url, "-Q", "-Y", "SCRAM-SHA-256", "-U", name, "-w", password];
        run("ldapwhoami", &[&words[..], more].concat(), "", &server.environment())
    };
    let alice = prove("alice", "Xyzzy-9 plugh", &[]);
    assert_eq!(
        (alice.code, alice.out.as_str()),
        (0, "dn:uid=alice,ou=people,dc=example,dc=com\n"),
        "{alice:?}"
    );
    let by_name = prove(&format!("dn:{ALICE}"), "Xyzzy-9 plugh", &[]);
    assert_eq!(by_name.out, alice.out, "{by_name:?}");
    for (name, password) in [("alice", "Xyzzy-9 Plugh"), ("nobody", "Xyzzy-9 plugh")] {
        let refused = prove(name, password, &[]);
        assert_eq!(refused.code, 49, "{refused:?}");
        assert!(refused.err.contains("Invalid credentials (49)"), "{refused:?}");
    }
    // Acting as somebody else is the superusers' right.
    let other = prove("alice", "Xyzzy-9 plugh", &["-X", "u:root"]);
    assert_eq!(other.code, 50, "{other:?}");
    assert!(other.err.contains("Insufficient access (50)"), "{other:?}");
    let log = server.node.log();
    assert!(!log.contains("lugh") && log.contains("authentication failed"), "{log}");
}

#[test]
fn extended_operations_and_controls() {
    let server = Server::start();
    let people: String =
        (0..25).map(|n| format!("\ndn: cn=p{n:02},{SUFFIX}\nobjectClass: device\ncn: p{n:02}\n")).collect();
    server.ok(Way::Plain, "ldapadd", &[], &people);
    let whoami = server.ok(Way::Plain, "ldapexop", &["whoami"], "");
    assert!(whoami.contains("dn:cn=admin"), "{whoami}");
    let unknown = server.fails(1, Way::Plain, "ldapexop", &["1.2.3.4"], "");
    assert!(unknown.contains("Protocol error (2)"), "{unknown}");
    let search = |words: &[&str]| {
        let words = [&["-LLL", "-b", SUFFIX][..], words].concat();
        server.ok(Way::Plain, "ldapsearch", &words, "")
    };
    let paged = search(&["-E", "pr=7/noprompt", "(cn=p*)", "cn"]);
    assert_eq!(values(&paged, "cn").len(), 25, "{paged}");
    let sorted = search(&["-E", "sss=-cn", "(cn=p*)", "cn"]);
    assert_eq!(values(&sorted, "cn")[..2], ["p24", "p23"]);
    // Windows of a sorted list: about a place, and about a value. The tool asks on its input for further ones, until it
    // is told something else.
    let window = |vlv: &str, next: &str| {
        let mut words = vec!["10".to_owned(), "ldapsearch".to_owned()];
        words.extend(server.options(Way::Plain));
        words.extend(["-LLL", "-b", SUFFIX, "-E", "sss=cn", "-E", vlv, "(cn=p*)", "cn"].map(str::to_owned));
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        run("timeout", &words, next, &server.environment()).out
    };
    let about = window("vlv=1/2/10/0", "q\n");
    assert_eq!(values(&about, "cn"), ["p08", "p09", "p10", "p11"], "{about}");
    assert!(about.contains("# vlvResultpos=10 count=25 "), "{about}");
    let further = window("vlv=0/1:p20", "0/1/3/25\nq\n");
    assert_eq!(values(&further, "cn"), ["p20", "p21", "p02", "p03"], "{further}");
    server.fails(4, Way::Plain, "ldapsearch", &["-z", "3", "-b", SUFFIX, "(cn=p*)"], "");
    server.ok(Way::Plain, "ldapdelete", &["-M", "cn=p00,dc=example,dc=com"], "");
}

#[test]
fn files_name_their_content() {
    let server = Server::start();
    let photo = server.node.dir().join("photo.jpg");
    let bytes: Vec<u8> = (0..60_000_u32).map(|n| (n * 7) as u8).collect();
    fs::write(&photo, &bytes).unwrap();
    server.ok(Way::Plain, "ldapadd", &[], TREE);
    let change = format!(
        "dn: {ALICE}\nchangetype: modify\nreplace: jpegPhoto\njpegPhoto:< file://{}\n",
        photo.display()
    );
    server.ok(Way::Plain, "ldapmodify", &[], &change);
    // `-t` puts binary values into files of their own.
    let place = format!("file://{}/", server.node.dir().display());
    let found = server.ok(
        Way::Tls,
        "ldapsearch",
        &[
            "-LLL",
            "-o",
            "ldif-wrap=no",
            "-tt",
            "-T",
            server.node.dir().to_str().unwrap(),
            "-b",
            ALICE,
            "(uid=*)",
            "jpegPhoto",
        ],
        "",
    );
    let file = found.lines().find_map(|line| line.strip_prefix("jpegPhoto:< file://")).unwrap();
    assert_eq!(fs::read(file).unwrap(), bytes, "{place}");
}
