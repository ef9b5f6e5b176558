//! Home directories that are made at the first login.

use std::fs;
use std::os::unix::fs::MetadataExt;

use crate::setting::with_setting;

#[test]
fn made_when_asked_for() {
    with_setting(|setting| {
        let skel = setting.dir().join("skel");
        fs::create_dir_all(&skel).unwrap();
        fs::write(skel.join(".profile"), "text").unwrap();
        let open =
            |uid: u32, service: &str, user: &str| setting.pamtester(uid, service, user, "open_session", &[]);
        let home = |user: &str| setting.dir().join("homes").join(user);
        open(0, "plain", "alice").succeeds("successfully opened");
        assert!(!home("alice").exists());
        setting.service("homes", &format!("mkhomedir skel={} umask=027", skel.display()));
        let made = open(0, "homes", "alice");
        made.succeeds("Created the home directory");
        let stat = fs::metadata(home("alice")).unwrap();
        assert_eq!((stat.uid(), stat.gid(), stat.mode() & 0o7777), (20501, 20000, 0o750));
        let stat = fs::metadata(home("alice").join(".profile")).unwrap();
        assert_eq!((stat.uid(), stat.mode() & 0o7777), (20501, 0o640));
        let again = open(0, "homes", "alice");
        again.succeeds("successfully opened");
        assert!(!again.text.contains("Created"), "{again:?}");
        // Nobody else can make one, and the system's own users are left alone.
        open(20601, "homes", "bob").fails("Permission denied");
        setting.service("homes", "mkhomedir minimum_uid=20602");
        open(0, "homes", "bob").succeeds("successfully opened");
        assert!(!home("bob").exists());
    });
}
