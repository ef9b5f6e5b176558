//! New passwords.

use crate::setting::{PASSWORD, with_setting};

const NEW: &str = "battery staple";
const CHANGED: &str = "authentication token altered successfully";

#[test]
fn by_users() {
    with_setting(|setting| {
        let change = |uid: u32, user: &str, answers: &[(&str, &str)]| {
            setting.pamtester(uid, "plain", user, "chauthtok", answers)
        };
        let full =
            |old, new| [("Current password: ", old), ("New password: ", new), ("Retype new password: ", new)];
        // The domain that owns the record is changed, and no other.
        change(20601, "bob", &full(PASSWORD, NEW)).succeeds(CHANGED);
        assert!(setting.value("network", "bob", "passwd").unwrap().starts_with("$argon2id$"));
        setting.login("bob", NEW).succeeds("successfully");
        setting.login("bob", PASSWORD).fails("failure");
        change(20501, "alice", &full(PASSWORD, NEW)).succeeds(CHANGED);
        assert!(setting.value("local", "alice", "passwd").unwrap().starts_with("$argon2id$"));
        assert_eq!(setting.value("network", "alice", "passwd").unwrap(), "{CLEARTEXT}another one");
        change(20501, "alice", &full("wrong", NEW)[..1]).fails("Authentication failure");
        change(20501, "bob", &[]).fails("Permission denied");
        change(20506, "early", &full(PASSWORD, NEW)).fails("can be changed again in");
        // What is not good enough is said, and another one asked for, for a while.
        let mut answers = vec![("Current password: ", NEW)];
        for new in ["short", "aaaaaaaaaaaa", NEW] {
            answers.extend([("New password: ", new), ("Retype new password: ", new)]);
        }
        let refused = change(20501, "alice", &answers);
        refused.fails("shorter than 8 characters");
        refused.fails("too few different characters");
        refused.fails("is the old one");
        answers.truncate(3);
        answers.extend([("New password: ", PASSWORD), ("Retype new password: ", PASSWORD)]);
        change(20501, "alice", &answers).succeeds(CHANGED);
        let differ = [
            ("Current password: ", PASSWORD),
            ("New password: ", NEW),
            ("Retype new password: ", "else"),
            ("New password: ", NEW),
            ("Retype new password: ", NEW),
        ];
        change(20501, "alice", &differ).succeeds(CHANGED);
    });
}

#[test]
fn by_the_superuser() {
    with_setting(|setting| {
        let new = |new| [("New password: ", new), ("Retype new password: ", new)];
        let change =
            |user: &str, answers: &[(&str, &str)]| setting.pamtester(0, "plain", user, "chauthtok", answers);
        change("bob", &new("abc")).succeeds(CHANGED);
        setting.login("bob", "abc").succeeds("successfully");
        change("locked", &new(NEW)).succeeds(CHANGED);
        setting.login("locked", NEW).succeeds("successfully");
        change("elsewhere", &[]).fails("User not known");
        change("clash", &[]).fails("User not known");
        assert!(setting.value("local", "clash", "passwd").unwrap().starts_with("{CLEARTEXT}"));
        // Bookkeeping in the terms that the record uses.
        setting.set("local", "aging", "change", "1");
        change("aging", &new(NEW)).succeeds(CHANGED);
        assert_eq!(setting.value("local", "aging", "change").as_deref(), Some("0"));
        let changed: u64 = setting.value("local", "aging", "shadowLastChange").unwrap().parse().unwrap();
        assert!(changed > 20_000, "{changed}");
        assert_eq!(setting.value("local", "alice", "shadowLastChange"), None);
    });
}

#[test]
fn beside_other_modules() {
    with_setting(|setting| {
        // Without a module before that asks for the new password, there is none.
        setting.stack(
            "after",
            "password [success=ok user_unknown=ignore default=die] MODULE use_authtok\npassword required pam_permit.so\n",
        );
        let all = [("Current password: ", PASSWORD)];
        setting.pamtester(20501, "after", "alice", "chauthtok", &all).fails("");
        assert!(setting.value("local", "alice", "passwd").is_some());
        setting.login("alice", PASSWORD).succeeds("successfully");
    });
}

#[test]
fn rules_of_the_domain_hold() {
    with_setting(|setting| {
        let full =
            [("Current password: ", PASSWORD), ("New password: ", NEW), ("Retype new password: ", NEW)];
        let mut domain = setting.domain("network");
        domain.set_property(0, b"_self_write", &[] as &[&str]).unwrap();
        let refused = setting.pamtester(20601, "plain", "bob", "chauthtok", &full);
        refused.fails("does not let this password be changed");
        setting.login("bob", PASSWORD).succeeds("successfully");
        domain.set_property(0, b"_self_write", &["passwd"]).unwrap();
        setting.pamtester(20601, "plain", "bob", "chauthtok", &full).succeeds(CHANGED);
    });
}
