//! One tree with several faces.

use netinfo_wire::netinfo::Property;

use super::{SUFFIX, Server, Way, values};

fn property<'p>(properties: &'p [Property], name: &str) -> Vec<&'p [u8]> {
    let found = properties.iter().find(|property| property.name == name.as_bytes());
    found.into_iter().flat_map(|property| property.values.iter().map(Vec::as_slice)).collect()
}

#[test]
fn what_ldap_writes_is_seen_by_netinfo() {
    let server = Server::start();
    let ldif = format!(
        "dn: ou=people,{SUFFIX}\nobjectClass: organizationalUnit\nou: people\n\n\
         dn: uid=alice,ou=people,{SUFFIX}\nobjectClass: inetOrgPerson\nobjectClass: posixAccount\nuid: alice\n\
         cn: Alice Liddell\nsn: Liddell\nuidNumber: 1001\ngidNumber: 100\nhomeDirectory: /home/alice\n\
         loginShell: /bin/zsh\nuserPassword: secret\nmail: alice@example.com\n"
    );
    server.ok(Way::Plain, "ldapadd", &[], &ldif);
    let mut tree = server.tree();
    let users = tree.lookup(0, "name", "users").unwrap()[0];
    let (_, alice) = tree.lookup_read(users, "name", "alice").unwrap();
    for (name, value) in [
        ("uid", "1001"),
        ("gid", "100"),
        ("home", "/home/alice"),
        ("shell", "/bin/zsh"),
        ("realname", "Alice Liddell"),
    ] {
        assert_eq!(property(&alice, name), [value.as_bytes()], "{name}");
    }
    assert!(property(&alice, "passwd")[0].starts_with(b"$argon2id$"));
    assert_eq!(property(&alice, "mail"), [b"alice@example.com"]);
    // Acting as that user over NetInfo, with the password set over LDAP.
    let mut own = crate::tree::Tree::user(server.node.domain("network"), 1001, "secret");
    assert_eq!(own.lookup(0, "name", "users").unwrap(), [users]);

    server.ok(Way::Plain, "ldapmodrdn", &["-r", &format!("uid=alice,ou=people,{SUFFIX}"), "uid=ally"], "");
    assert!(tree.lookup(users, "name", "ally").is_ok());
    server.ok(Way::Plain, "ldapdelete", &[&format!("uid=ally,ou=people,{SUFFIX}")], "");
    assert!(tree.lookup(users, "name", "ally").is_err());
}

#[test]
fn what_netinfo_writes_is_seen_by_ldap() {
    let server = Server::start();
    let mut tree = server.tree();
    let users = tree.make(0, &[("name", &["users"])]);
    let groups = tree.make(0, &[("name", &["groups"])]);
    let bob = tree.make(
        users,
        &[
            ("name", &["bob", "bobby"]),
            ("uid", &["1002"]),
            ("gid", &["20"]),
            ("home", &["/home/bob"]),
            ("realname", &["Bob"]),
        ],
    );
    tree.make(groups, &[("name", &["staff"]), ("gid", &["20"]), ("users", &["bob"])]);
    let search = |filter: &str| server.ok(Way::Plain, "ldapsearch", &["-LLL", "-b", SUFFIX, filter], "");
    let found = search("(&(objectClass=posixAccount)(uid=bob))");
    assert_eq!(values(&found, "dn"), [format!("uid=bob,ou=people,{SUFFIX}")]);
    assert_eq!(values(&found, "uid"), ["bob", "bobby"]);
    assert_eq!(
        (values(&found, "uidNumber"), values(&found, "homeDirectory")),
        (vec!["1002"], vec!["/home/bob"])
    );
    assert_eq!(values(&search("(&(objectClass=posixGroup)(memberUid=bob))"), "cn"), ["staff"]);
    // Either name of a directory leads there.
    for base in [format!("uid=bob,cn=users,{SUFFIX}"), format!("uid=BOB,ou=people,{SUFFIX}")] {
        let found =
            server.ok(Way::Plain, "ldapsearch", &["-LLL", "-b", &base, "-s", "base", "uidNumber"], "");
        assert_eq!(values(&found, "uidNumber"), ["1002"], "{base}");
    }
    tree.set(bob, "shell", &["/bin/ksh"]);
    assert_eq!(values(&search("(uid=bob)"), "loginShell"), ["/bin/ksh"]);
    // Settings take effect at once.
    tree.set(0, "_layout", &["apple"]);
    assert_eq!(values(&search("(uid=bob)"), "dn"), [format!("uid=bob,cn=users,{SUFFIX}")]);
    tree.set(0, "_suffix", &["o=Other"]);
    let moved = server.ok(Way::Plain, "ldapsearch", &["-LLL", "-b", "o=other", "(uid=bob)", "1.1"], "");
    assert_eq!(values(&moved, "dn"), ["uid=bob,cn=users,o=Other"]);
    server.fails(32, Way::Plain, "ldapsearch", &["-b", SUFFIX], "");
}

#[test]
fn domains_come_and_go() {
    let server = Server::start();
    let contexts = || {
        let out = server.ok(
            Way::Anonymous,
            "ldapsearch",
            &["-LLL", "-s", "base", "-b", "", "namingContexts", "defaultNamingContext"],
            "",
        );
        (
            values(&out, "defaultNamingContext").concat(),
            values(&out, "namingContexts").iter().map(ToString::to_string).collect::<Vec<_>>(),
        )
    };
    let (default, all) = contexts();
    assert_eq!((default.as_str(), all), (SUFFIX, vec![SUFFIX.to_owned(), "dc=local".to_owned()]));
    server.node.create_master("third");
    assert_eq!(contexts().1, [SUFFIX, "dc=third", "dc=local"]);
    server.ok(Way::Socket, "ldapsearch", &["-b", "dc=third"], "");
    server.request(r#"{"op":"destroy-domain","tag":"third"}"#);
    assert_eq!(contexts().1, [SUFFIX, "dc=local"]);
    server.fails(32, Way::Socket, "ldapsearch", &["-b", "dc=third"], "");
}
