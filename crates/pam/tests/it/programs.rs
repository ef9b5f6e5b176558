//! Programs that people use.

use netinfo_testkit::sshd::Sshd;

use crate::setting::{PASSWORD, with_setting};

const NEW: &str = "battery staple";

#[test]
fn su() {
    with_setting(|setting| {
        let su = |user: &str, answers: &[(&str, &str)]| {
            setting.run(20501, &format!("su {user} -c 'id -u'"), answers)
        };
        su("bob", &[("assword: ", PASSWORD)]).succeeds("20601");
        su("bob", &[("assword: ", "wrong")]).fails("Authentication failure");
        su("expired", &[("assword: ", PASSWORD)]).fails("expired");
        su("locked", &[("assword: ", PASSWORD)]).fails("failure");
        su("clash", &[("assword: ", PASSWORD)]).fails("");
        // A password that has to be changed is changed on the way in.
        let all = [
            ("assword: ", PASSWORD),
            ("Current password: ", PASSWORD),
            ("New password: ", NEW),
            ("Retype new password: ", NEW),
        ];
        su("due", &all).succeeds("20504");
        assert_eq!(setting.value("local", "due", "change").as_deref(), Some("0"));
        su("due", &[("assword: ", NEW)]).succeeds("20504");
    });
}

#[test]
fn passwd() {
    with_setting(|setting| {
        let full =
            |old, new| [("Current password: ", old), ("New password: ", new), ("Retype new password: ", new)];
        setting.run(20601, "passwd", &full(PASSWORD, NEW)).succeeds("password updated successfully");
        setting.login("bob", NEW).succeeds("successfully");
        setting.run(20601, "passwd", &full(PASSWORD, NEW)[..1]).fails("");
        setting.run(20601, "passwd alice", &[]).fails("");
        // The superuser needs no old one and is held to less.
        setting
            .run(0, "passwd bob", &[("New password: ", "short"), ("Retype new password: ", "short")])
            .succeeds("updated");
        setting.login("bob", "short").succeeds("successfully");
        setting.run(0, "passwd expired", &full("", NEW)[1..]).succeeds("updated");
    });
}

#[test]
fn sshd() {
    with_setting(|setting| {
        setting.service("sshd", "mkhomedir skel=/nowhere");
        let sshd = Sshd::start(&setting.dir().join("ssh"), "UsePAM yes\nPasswordAuthentication yes");
        let said = |user: &str, password: &str| sshd.by_password(user, password, "id -u; pwd");
        let home = setting.dir().join("homes/bob");
        said("bob", PASSWORD).succeeds(&format!("20601\n{}", home.display()));
        assert!(home.is_dir());
        said("bob", "wrong").fails("Permission denied");
        said("expired", PASSWORD).fails("");
        said("clash", PASSWORD).fails("Permission denied");
        said("elsewhere", PASSWORD).fails("Permission denied");
        let log = setting.node.log();
        assert!(log.contains("user=bob service=\"sshd\" host=\"127.0.0.1\""), "{log}");
    });
}
