use super::*;

fn entry(dn: &str, attributes: &[(&str, &[&str])]) -> Found {
    let values = |values: &[&str]| values.iter().map(|v| v.as_bytes().to_vec()).collect();
    let attributes = attributes.iter().map(|(name, list)| ((*name).to_owned(), values(list)));
    Found { dn: dn.to_owned(), attributes: attributes.collect() }
}

fn text(item: &Item, key: &str) -> String {
    let values: Vec<_> = item.record().values(key.as_bytes()).map(String::from_utf8_lossy).collect();
    values.join("|")
}

fn question(table: Table, key: &str, value: &str) -> Question {
    Question { table, key: key.into(), value: value.into() }
}

#[test]
fn users_of_rfc_2307() {
    let found = entry(
        "uid=alice,ou=people,dc=x",
        &[
            ("uid", &["ali", "alice"]),
            ("CN", &["Alice Example"]),
            ("uidNumber", &["2001"]),
            ("gidNumber", &["100"]),
            ("homeDirectory", &["/home/alice"]),
            ("loginShell", &["/bin/sh"]),
            ("shadowLastChange", &["19000"]),
            ("shadowExpire", &["19723"]),
            ("userPassword", &["{CRYPT}$6$secret"]),
        ],
    );
    let item = item(Table::Users, &found, Vec::new());
    for (key, value) in [
        ("name", "alice|ali"),
        ("realname", "Alice Example"),
        ("uid", "2001"),
        ("gid", "100"),
        ("home", "/home/alice"),
        ("shell", "/bin/sh"),
        ("shadowLastChange", "19000"),
        ("expire", "1704067200"),
        ("passwd", "*"),
        ("authentication_authority", ""),
    ] {
        assert_eq!(text(&item, key), value, "{key}");
    }
    let locked = entry("uid=a", &[("uid", &["a"]), ("userPassword", &["{CRYPT}!$6$x"])]);
    assert_eq!(text(&super::item(Table::Users, &locked, Vec::new()), "passwd"), "!");
}

#[test]
fn users_of_active_directory() {
    let found = entry(
        "CN=Bob Builder,CN=Users,DC=corp",
        &[
            ("cn", &["Bob Builder"]),
            ("sAMAccountName", &["bob"]),
            ("uidNumber", &["3001"]),
            ("gidNumber", &["3000"]),
            ("homeDirectory", &["\\\\files\\bob"]),
            ("unixHomeDirectory", &["/home/bob"]),
            ("userAccountControl", &["514"]),
            ("accountExpires", &["133485408000000000"]),
        ],
    );
    let item = item(Table::Users, &found, Vec::new());
    for (key, value) in [
        ("name", "bob"),
        ("realname", "Bob Builder"),
        ("home", "/home/bob"),
        ("authentication_authority", ";DisabledUser;"),
        ("expire", "1704067200"),
    ] {
        assert_eq!(text(&item, key), value, "{key}");
    }
    // Somebody else has set the password, which only matters where passwords end.
    for (bits, set, due) in [("512", "0", "1"), ("512", "134399439485163800", ""), ("66048", "0", "")] {
        let attributes =
            [("sAMAccountName", &["b"][..]), ("userAccountControl", &[bits]), ("pwdLastSet", &[set])];
        let found = entry("CN=b", &attributes);
        assert_eq!(text(&super::item(Table::Users, &found, Vec::new()), "change"), due);
    }
    for never in ["0", "9223372036854775807"] {
        let found = entry("CN=b", &[("sAMAccountName", &["b"]), ("accountExpires", &[never])]);
        assert_eq!(text(&super::item(Table::Users, &found, Vec::new()), "expire"), "");
    }
}

#[test]
fn other_tables() {
    let group =
        entry("cn=staff,dc=x", &[("cn", &["staff"]), ("gidNumber", &["20"]), ("memberUid", &["a", "b"])]);
    let group = item(Table::Groups, &group, vec![b"b".to_vec(), b"c".to_vec()]);
    assert_eq!((text(&group, "gid"), text(&group, "users")), ("20".into(), "a|b|c".into()));
    let host = entry(
        "cn=www.example.com,dc=x",
        &[
            ("cn", &["WWW", "www.example.com"]),
            ("ipHostNumber", &["10.0.0.1", "fe80::1"]),
            ("macAddress", &["0:5:2:FE:EF:4B"]),
        ],
    );
    let host = item(Table::Machines, &host, Vec::new());
    assert_eq!(text(&host, "name"), "www.example.com|www");
    assert_eq!(
        (text(&host, "ip_address"), text(&host, "ipv6_address")),
        ("10.0.0.1".into(), "fe80::1".into())
    );
    assert_eq!(text(&host, "en_address"), "00:05:02:fe:ef:4b");
    let service = entry(
        "cn=http+ipServiceProtocol=tcp,dc=x",
        &[("cn", &["www", "http"]), ("ipServicePort", &["80"]), ("ipServiceProtocol", &["tcp"])],
    );
    let service = item(Table::Services, &service, Vec::new());
    assert_eq!((text(&service, "name"), text(&service, "port")), ("http|www".into(), "80".into()));
    let netgroup =
        entry("cn=n", &[("cn", &["n"]), ("nisNetgroupTriple", &["(a,b,c)"]), ("memberNisNetgroup", &["m"])]);
    let netgroup = item(Table::Netgroups, &netgroup, Vec::new());
    assert_eq!(
        (text(&netgroup, "netgrouptriplet"), text(&netgroup, "netgroups")),
        ("(a,b,c)".into(), "m".into())
    );
}

#[test]
fn filters() {
    let of = |table, key, value| filter(&question(table, key, value));
    assert_eq!(
        of(Table::Users, "name", "a*(b").unwrap(),
        r"(&(|(objectClass=posixAccount)(objectClass=user))(uidNumber=*)(|(uid=a\2a\28b)(sAMAccountName=a\2a\28b)))"
    );
    let classes = "(|(objectClass=posixGroup)(objectClass=group)(objectClass=groupOfNames)\
                   (objectClass=groupOfUniqueNames)(objectClass=groupOfMembers))";
    assert_eq!(
        groups_of(Some(b"jane"), &["uid=jane,dc=x"], false),
        format!("(&{classes}(|(memberUid=jane)(member=uid=jane,dc=x)(uniqueMember=uid=jane,dc=x)))")
    );
    // Active Directory follows groups in groups itself.
    let in_chain = groups_of(Some(b"jane"), &["CN=Jane (x),dc=x"], true);
    assert_eq!(
        in_chain,
        format!(
            "(&{classes}(gidNumber=*)(|(memberUid=jane)(member:1.2.840.113556.1.4.1941:=CN=Jane \\28x\\29,dc=x)))"
        )
    );
    for text in
        [in_chain, users_and_groups(), groups_of(None, &["a", "b"], false), groups_of(Some(b"x"), &[], false)]
    {
        assert!(netinfo_wire::ldap::FilterBuf::parse(&text).is_ok(), "{text}");
    }
    assert_eq!(of(Table::Services, "port", "80").unwrap(), "(&(objectClass=ipService)(ipServicePort=80))");
    assert_eq!(of(Table::Users, "netgroups", "x"), None);
    assert_eq!(of(Table::Users, "passwd", "x"), None);
    assert_eq!(of(Table::Netdomains, "name", "x"), None);
    for (table, key) in [(Table::Users, "uid"), (Table::Machines, "ip_address"), (Table::Rpcs, "number")] {
        let text = of(table, key, "\0 \u{e4}\\").unwrap();
        assert!(netinfo_wire::ldap::FilterBuf::parse(&text).is_ok(), "{text}");
    }
}

#[test]
fn one_spelling() {
    let of = |key, value| {
        String::from_utf8(canonical(&question(Table::Machines, key, value)).value.clone()).unwrap()
    };
    assert_eq!(of("name", "WWW"), "www");
    assert_eq!(of("en_address", "0:5:2:FE:EF:4B"), "00:05:02:fe:ef:4b");
    assert_eq!(of("ip_address", "10.0.0.1"), "10.0.0.1");
}

#[test]
fn the_time_of_active_directory() {
    assert_eq!(seconds(b"20200101000001.0Z"), Some(1_577_836_801));
    assert_eq!(seconds(b"20200101000001Z"), Some(1_577_836_801));
    for bad in [&b""[..], b"Z", b"20200101000001", b"2020010100Z", b"20201301000001.0Z", b"20200101000001.xZ"]
    {
        assert_eq!(seconds(bad), None, "{}", bad.escape_ascii());
    }
}
