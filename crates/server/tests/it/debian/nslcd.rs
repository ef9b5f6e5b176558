//! nslcd (libnss-ldapd, libpam-ldapd): every database of libc that can come from a directory, and passwords.

use netinfo_testkit::software::Daemon;

use super::{
    Office, Ran, authenticates, change_password, configure_machine, documented, getent, groups, members,
    try_run, write,
};

/// Starts nslcd for the entries below the suffix.
pub(super) fn start(office: &Office) -> Daemon {
    configure_machine("ldap", "pam_ldap.so");
    // More pages than one.
    write("/etc/nslcd.conf", &documented(office, "/etc/nslcd.conf").replace("pagesize 100", "pagesize 10"));
    std::fs::create_dir_all("/run/nslcd").unwrap();
    let mut daemon = Daemon::start(&["nslcd", "-d"]);
    daemon.wait_for("serving", || !getent("passwd", &["bob"]).is_empty());
    daemon
}

#[test]
fn users_and_groups_are_found_and_listed() {
    Office::with(|office| {
        let _nslcd = start(office);
        let alice = "alice:x:5001:5000:Alice Liddell,Room 100,x2000,:/home/alice:/bin/bash";
        assert_eq!(getent("passwd", &["alice"]), alice);
        assert_eq!(getent("passwd", &["5001"]), alice);
        assert_eq!(getent("passwd", &["nobody-there"]), "");
        assert_eq!(getent("shadow", &["alice"]), "alice:*:19000:0:90:7:::0");
        assert_eq!(getent("shadow", &["svc-backup"]), "", "has no such class");
        let list = try_run(&["getent", "passwd"], "");
        // More than a page of them.
        let ours = list.out.lines().filter(|line| line.contains(":/home/")).filter(|line| {
            let number = line.split(':').nth(2).and_then(|number| number.parse::<u32>().ok());
            number.is_some_and(|number| (5001..=5029).contains(&number))
        });
        assert_eq!(ours.count(), 29, "{}", list.out);
        assert!(getent("group", &["engineering"]).starts_with("engineering:*:5100:"));
        assert_eq!(members("5100"), ["alice", "bob", "erin", "judy"]);
        assert_eq!(members("ghosts"), ["bob", "nosuchuser"]);
        assert_eq!(groups("alice"), [5000, 5100, 5102, 5103]);
        assert_eq!(groups("bob"), [5001, 5100, 5105]);
    });
}

#[test]
fn the_other_databases_are_found() {
    Office::with(|office| {
        let _nslcd = start(office);
        for (database, key, expected) in [
            ("services", "ssh", "ssh 22/tcp"),
            ("services", "53/udp", "domain 53/udp nameserver"),
            ("services", "newdate/tcp", "tempo 103/tcp newdate"),
            ("services", "1103", "tempo 1103/udp newdate"),
            ("protocols", "6", "tcp 6"),
            ("protocols", "udp", "udp 17"),
            ("rpc", "100003", "nfs 100003 nfsprog"),
            ("rpc", "rpcbind", "portmapper 100000 portmap rpcbind"),
            ("networks", "lab", "lab-net 192.0.2.0 lab"),
            ("ethers", "printer7", "0:0:5e:0:53:77 printer7"),
            ("ethers", "0:0:5e:0:53:65", "0:0:5e:0:53:65 ws1.example.com"),
            ("hosts", "192.0.2.20", "192.0.2.20 fileserver.example.com fileserver fs nfs"),
            (
                "ahostsv4",
                "od.example.com",
                "192.0.2.10 STREAM od.example.com 192.0.2.10 DGRAM 192.0.2.10 RAW",
            ),
            ("ahostsv6", "fs", "2001:db8::20 STREAM fs 2001:db8::20 DGRAM 2001:db8::20 RAW"),
            (
                "netgroup",
                "trusted",
                "trusted (fileserver,-,example.com) ( ,alice,) (ws1,bob,) ( ,carol,example.com)",
            ),
            ("netgroup", "loop-a", "loop-a (ws2,,)"),
            ("aliases", "eng-all", "eng-all: alice, bob, erin@example.net"),
        ] {
            assert_eq!(getent(database, &[key]), expected, "{database} {key}");
        }
        for (database, key) in [("hosts", "192.0.2.99"), ("networks", "nowhere"), ("netgroup", "nobody")] {
            assert_eq!(getent(database, &[key]), "", "{database} {key}");
        }
    });
}

#[test]
fn changes_are_seen_at_once() {
    Office::with(|office| {
        let _nslcd = start(office);
        assert!(getent("passwd", &["bob"]).ends_with("/bin/zsh"));
        office.modify(
            "dn: uid=bob,ou=people,dc=example,dc=com\n\
             changetype: modify\n\
             replace: loginShell\n\
             loginShell: /bin/rc\n\
             \n\
             dn: uid=zola,ou=people,dc=example,dc=com\n\
             changetype: modrdn\n\
             newrdn: uid=emile\n\
             deleteoldrdn: 1\n",
        );
        assert!(getent("passwd", &["bob"]).ends_with("/bin/rc"));
        assert_eq!(getent("passwd", &["zola"]), "");
        assert!(getent("passwd", &["emile"]).starts_with("emile:x:5027:"));
    });
}

#[test]
fn passwords_let_in_and_can_be_changed() {
    Office::with(|office| {
        let _nslcd = start(office);
        for (user, password, right) in office.passwords() {
            assert_eq!(authenticates(&user, &password), right, "{user}");
        }
        assert!(!authenticates("carol", "something else"));
        let changed = change_password(5003, "carol", "Christmas1843", "Dombey1848");
        assert_eq!(changed.code, Some(0), "{changed:?}");
        assert!(authenticates("carol", "Dombey1848"));
        assert!(!authenticates("carol", "Christmas1843"));
        let refused = change_password(5004, "dave", "a wrong one", "another");
        assert_ne!(refused.code, Some(0), "{refused:?}");
        assert!(authenticates("dave", "open the pod bay doors"));
        // Her password has been too old for years; his never is.
        let account = login("alice", "Wonderland-42!");
        assert!(account.err.contains("new one required"), "{account:?}");
        let account = login("bob", "canwefix");
        assert!(account.out.contains("account management done"), "{account:?}");
    });
}

/// Lets somebody in, as `login` does.
fn login(user: &str, password: &str) -> Ran {
    try_run(&["pamtester", "office", user, "authenticate", "acct_mgmt"], &format!("{password}\n"))
}
