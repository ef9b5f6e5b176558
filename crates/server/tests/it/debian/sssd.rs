//! SSSD (sssd-ldap, libnss-sss, libpam-sss): users, groups, netgroups, services, passwords, sudo rules and maps.

use netinfo_testkit::software::Daemon;

use super::{
    Office, authenticates, autofs, change_password, configure_machine, documented, getent, groups, members,
    run, sudo, try_run, write,
};

/// Starts SSSD as documented, for this schema (`rfc2307` or `rfc2307bis`).
fn start(office: &Office, schema: &str) -> Daemon {
    let documented = documented(office, "/etc/sssd/sssd.conf");
    start_with(&documented.replace("ldap_schema = rfc2307\n", &format!("ldap_schema = {schema}\n")))
}

fn start_with(configuration: &str) -> Daemon {
    configure_machine("sss", "pam_sss.so");
    write("/etc/sssd/sssd.conf", &format!("{configuration}debug_level = 6\n"));
    for name in ["db", "mc", "pipes/private", "gpo_cache", "pubconf/krb5.include.d", "secrets"] {
        std::fs::create_dir_all(format!("/var/lib/sss/{name}")).unwrap();
    }
    std::fs::create_dir_all("/var/log/sssd").unwrap();
    let mut daemon = Daemon::start(&["sssd", "-i", "--logger=stderr"]);
    // Somebody in no group of the tests: SSSD counts members it has met before twice.
    daemon.wait_for("serving", || !getent("passwd", &["frank"]).is_empty());
    daemon
}

#[test]
fn users_groups_netgroups_and_services_are_found() {
    Office::with(|office| {
        // As nobody: this much is for everybody.
        let documented = documented(office, "/etc/sssd/sssd.conf");
        let lines = documented.lines().filter(|line| !line.starts_with("ldap_default_"));
        let _sssd = start_with(&lines.map(|line| format!("{line}\n")).collect::<String>());
        let alice = "alice:*:5001:5000:Alice Liddell,Room 100,x2000,:/home/alice:/bin/bash";
        assert_eq!(getent("passwd", &["alice"]), alice);
        assert_eq!(getent("passwd", &["5001"]), alice);
        assert_eq!(getent("passwd", &["ALICE"]), "", "this client tells cases apart");
        assert_eq!(getent("passwd", &["nobody-there"]), "");
        assert_eq!(
            getent("passwd", &["svc-backup"]),
            "svc-backup:*:5900:5000:Backup service:/var/empty:/usr/sbin/nologin"
        );
        assert_eq!(getent("passwd", &["zola"]), "zola:*:5027:5000:Zola Brontë:/home/zola:/bin/sh");
        assert!(getent("group", &["engineering"]).starts_with("engineering:*:5100:"));
        assert_eq!(members("5100"), ["alice", "bob", "erin", "judy"]);
        assert_eq!(getent("group", &["empty"]), "empty:*:5104:");
        assert_eq!(groups("alice"), [5000, 5100, 5102, 5103]);
        assert_eq!(groups("bob"), [5001, 5100, 5105]);
        assert_eq!(groups("zola"), [5000]);
        let trusted = "trusted (fileserver,-,example.com) ( ,alice,) (ws1,bob,) ( ,carol,example.com)";
        assert_eq!(getent("netgroup", &["trusted"]), trusted);
        assert_eq!(getent("netgroup", &["loop-a"]), "loop-a (ws2,,)");
        assert_eq!(getent("services", &["ssh"]), "ssh 22/tcp");
        assert_eq!(getent("services", &["53/udp"]), "domain 53/udp nameserver");
    });
}

#[test]
fn changes_are_seen_once_the_cache_is_dropped() {
    Office::with(|office| {
        let _sssd = start(office, "rfc2307");
        assert!(getent("passwd", &["bob"]).ends_with("/bin/zsh"));
        assert_eq!(groups("carol"), [5000, 5101]);
        office.modify(
            "dn: uid=bob,ou=people,dc=example,dc=com\n\
             changetype: modify\n\
             replace: loginShell\n\
             loginShell: /bin/rc\n\
             \n\
             dn: cn=wheel,ou=groups,dc=example,dc=com\n\
             changetype: modify\n\
             add: memberUid\n\
             memberUid: carol\n\
             \n\
             dn: uid=zola,ou=people,dc=example,dc=com\n\
             changetype: delete\n\
             \n\
             dn: uid=newcomer,ou=people,dc=example,dc=com\n\
             changetype: add\n\
             objectClass: account\n\
             objectClass: posixAccount\n\
             cn: New Comer\n\
             uidNumber: 5901\n\
             gidNumber: 5000\n\
             homeDirectory: /home/newcomer\n",
        );
        run(&["sss_cache", "-E"]);
        assert!(getent("passwd", &["bob"]).ends_with("/bin/rc"));
        assert_eq!(groups("carol"), [5000, 5101, 5102]);
        assert_eq!(getent("passwd", &["zola"]), "");
        assert_eq!(getent("passwd", &["newcomer"]), "newcomer:*:5901:5000:New Comer:/home/newcomer:");
    });
}

#[test]
fn members_by_name_and_nested_groups_are_found() {
    Office::with(|office| {
        office.modify(
            "dn: cn=lab,ou=groups,dc=example,dc=com\n\
             changetype: add\n\
             objectClass: groupOfNames\n\
             objectClass: posixGroup\n\
             gidNumber: 5200\n\
             member: uid=alice,ou=people,dc=example,dc=com\n\
             member: uid=bob,ou=people,dc=example,dc=com\n\
             \n\
             dn: cn=campus,ou=groups,dc=example,dc=com\n\
             changetype: add\n\
             objectClass: groupOfNames\n\
             objectClass: posixGroup\n\
             gidNumber: 5201\n\
             member: cn=lab,ou=groups,dc=example,dc=com\n\
             member: uid=carol,ou=people,dc=example,dc=com\n",
        );
        let _sssd = start(office, "rfc2307bis");
        assert_eq!(members("lab"), ["alice", "bob"]);
        assert_eq!(members("campus"), ["alice", "bob", "carol"]);
        let of = |user: &str| -> Vec<u32> {
            groups(user).into_iter().filter(|group| (5200..5300).contains(group)).collect()
        };
        assert_eq!(of("alice"), [5200, 5201]);
        assert_eq!(of("carol"), [5201]);
        assert_eq!(of("dave"), [0; 0]);
    });
}

#[test]
fn passwords_of_every_scheme_let_in_and_can_be_changed() {
    Office::with(|office| {
        let _sssd = start(office, "rfc2307");
        for (user, password, right) in office.passwords() {
            assert_eq!(authenticates(&user, &password), right, "{user}");
        }
        for user in ["alice", "bob", "kai", "lena", "peggy"] {
            assert!(!authenticates(user, "something else"), "{user}");
        }
        let changed = change_password(5003, "carol", "Christmas1843", "Dombey1848");
        assert_eq!(changed.code, Some(0), "{changed:?}");
        assert!(authenticates("carol", "Dombey1848"));
        assert!(!authenticates("carol", "Christmas1843"));
        // Somebody who does not know the old one changes nothing.
        let refused = change_password(5004, "dave", "a wrong one", "another");
        assert_ne!(refused.code, Some(0), "{refused:?}");
        assert!(authenticates("dave", "open the pod bay doors"));
        let account = try_run(&["pamtester", "office", "carol", "acct_mgmt"], "");
        assert_eq!(account.code, Some(0), "{account:?}");
    });
}

#[test]
fn sudo_rules_and_maps_are_found() {
    Office::with(|office| {
        let _sssd = start(office, "rfc2307");
        sudo::check_rules();
        autofs::check_maps();
    });
}
