//! sudo with its rules in the directory: its own look-ups (sudo-ldap) with nslcd for names, groups and netgroups.

use super::{Office, configure, nslcd, spaced, try_run, write_public};

/// What sudo says a user may do here.
fn rules(user: &str) -> String {
    let ran = try_run(&["sudo", "-l", "-U", user], "");
    assert!(ran.err.is_empty(), "{ran:?}");
    let rules = ran.out.split_once("may run the following commands on alpha:");
    rules.map(|(_, rules)| spaced(rules)).unwrap_or_default()
}

/// Whether a user gets to run `id` as root, and does so as root.
fn runs_as_root(uid: u32, gid: u32) -> bool {
    let (uid, gid) = (uid.to_string(), gid.to_string());
    let user = ["setpriv", "--reuid", &uid, "--regid", &gid, "--init-groups"];
    let ran = try_run(&[&user[..], &["sudo", "-n", "/usr/bin/id", "-u"]].concat(), "");
    assert!(ran.code == Some(1) || ran.out == "0\n", "{ran:?}");
    ran.code == Some(0)
}

/// Rules by user, number, group, netgroup, network and time; this machine is in 192.0.2.0/24.
pub(super) fn check_rules() {
    write_public("/etc/sudoers", "Defaults !lecture\n");
    let restart = "(root) NOPASSWD: /usr/bin/systemctl restart *, !/usr/bin/systemctl restart slapd";
    let timed = "(carol : ops) NOTBEFORE=20240101000000Z NOTAFTER=20300101000000Z /usr/bin/less";
    let all = "(ALL) ALL";
    // By group, or as a member of a netgroup.
    assert_eq!(rules("alice"), format!("{all} {restart}"));
    assert_eq!(rules("bob"), format!("{restart} {timed}"));
    assert_eq!(rules("dave"), restart);
    assert_eq!(rules("erin"), "");
    assert!(runs_as_root(5001, 5000));
    assert!(!runs_as_root(5002, 5001));
    assert!(!runs_as_root(5005, 5000));
}

#[test]
fn rules_are_found_by_user_group_netgroup_and_time() {
    Office::with(|office| {
        let _nslcd = nslcd::start(office);
        configure(office, "/etc/sudo-ldap.conf");
        check_rules();
        // What has run out is no longer found, and a negated user is no user.
        office.modify(
            "dn: cn=bob-temp,ou=SUDOers,dc=example,dc=com\n\
             changetype: modify\n\
             replace: sudoNotAfter\n\
             sudoNotAfter: 20250101000000Z\n\
             \n\
             dn: cn=ops-restart,ou=SUDOers,dc=example,dc=com\n\
             changetype: modify\n\
             replace: sudoUser\n\
             sudoUser: ALL\n\
             sudoUser: !bob\n",
        );
        assert_eq!(rules("bob"), "");
        assert!(rules("erin").contains("systemctl restart"));
    });
}
