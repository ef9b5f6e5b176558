//! Tests of the privilege policy. Those that become another user run this test program again as a child.

use super::*;
use crate::reserved;
use std::os::unix::fs::{PermissionsExt, symlink};

fn account(name: &str) -> Account {
    Account::look_up(name).unwrap().unwrap_or_else(|| panic!("this machine has no user {name}"))
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn port_limit_never_exceeds_1024_and_follows_the_system_below() {
    assert_eq!(limit_from(Some("1024\n")), 1024);
    assert_eq!(limit_from(Some("0\n")), 0);
    assert_eq!(limit_from(Some("600\n")), 600);
    assert_eq!(limit_from(Some("65536\n")), 1024);
    assert_eq!(limit_from(Some("4000\n")), 1024);
    assert_eq!(limit_from(Some("x")), 1024);
    assert_eq!(limit_from(None), 1024);
    assert!(privileged_port_limit() <= 1024);
}

#[test]
fn barriers_are_found_by_class() {
    let nobody = account("nobody");
    let stranger = Account { uid: Uid::from_raw(54321), gid: Gid::from_raw(54321), groups: vec![], ..nobody };
    let base = tempfile::tempdir().unwrap();
    let inner = base.path().join("inner");
    fs::create_dir(&inner).unwrap();
    let data = inner.join("data");
    set_mode(base.path(), 0o711);

    set_mode(&inner, 0o711);
    assert!(can_reach(&stranger, &data).unwrap());
    set_mode(&inner, 0o710);
    assert_eq!(first_barrier(&stranger, &data).unwrap(), Some(inner.clone()));
    assert!(!can_reach(&stranger, &data).unwrap());

    let gid = Gid::from_raw(fs::metadata(&inner).unwrap().gid());
    let member = Account { groups: vec![gid], ..stranger.clone() };
    assert!(can_reach(&member, &data).unwrap());
    // The group's bits decide for a member even when everybody else may pass.
    set_mode(&inner, 0o701);
    assert!(!can_reach(&member, &data).unwrap());

    // The directory itself does not matter: it is given away.
    set_mode(&inner, 0o711);
    fs::create_dir(&data).unwrap();
    set_mode(&data, 0o700);
    assert!(can_reach(&stranger, &data).unwrap());
    set_mode(base.path(), 0o700);
    assert_eq!(first_barrier(&stranger, &data.join("deep/er")).unwrap(), Some(base.path().to_owned()));
    let root = Account { uid: Uid::from_raw(0), ..stranger };
    assert!(can_reach(&root, &data).unwrap());
}

#[test]
fn links_lead_to_the_barriers_behind_them() {
    let stranger = Account {
        name: "stranger".into(),
        uid: Uid::from_raw(54321),
        gid: Gid::from_raw(54321),
        groups: vec![],
    };
    let base = tempfile::tempdir().unwrap();
    set_mode(base.path(), 0o711);
    let closed = base.path().join("closed");
    fs::create_dir_all(closed.join("data")).unwrap();
    set_mode(&closed, 0o700);
    let link = base.path().join("link");
    symlink(closed.join("data"), &link).unwrap();
    assert_eq!(first_barrier(&stranger, &link).unwrap(), Some(closed.clone()));
    assert_eq!(first_barrier(&stranger, &link.join("below")).unwrap(), Some(closed.clone()));
    set_mode(&closed, 0o711);
    assert!(can_reach(&stranger, &link).unwrap());
}

#[test]
fn policy_refuses_what_was_named_and_cannot_be_had() {
    let dir = tempfile::tempdir().unwrap();
    let named = |name: &str| UserChoice::Named(name.to_owned());
    let error = choose(&named("no-such-user-here"), dir.path()).unwrap_err();
    if !geteuid().is_root() {
        assert!(matches!(error, PrivilegeError::NotRoot { .. }), "{error}");
        return;
    }
    assert!(error.to_string().contains("useradd --system no-such-user-here"), "{error}");
    assert_eq!(choose(&named("root"), dir.path()).unwrap(), None);

    set_mode(dir.path(), 0o700);
    let error = choose(&named("nobody"), &dir.path().join("data")).unwrap_err().to_string();
    assert!(error.contains(&format!("chmod o+x {}", dir.path().display())), "{error}");
    set_mode(dir.path(), 0o711);
    let chosen = choose(&named("nobody"), &dir.path().join("data")).unwrap();
    assert_eq!(chosen, Some(account("nobody")));
}

#[test]
fn default_user_that_is_out_of_reach_leaves_root() {
    let dir = tempfile::tempdir().unwrap();
    set_mode(dir.path(), 0o700);
    // Either there is no user "netinfo", or it cannot get here.
    assert_eq!(choose(&UserChoice::Default, &dir.path().join("data")).unwrap(), None);
}

#[test]
fn tree_is_given_away_without_following_links() {
    if !geteuid().is_root() {
        eprintln!("needs root");
        return;
    }
    let base = tempfile::tempdir().unwrap();
    let (outside, data) = (base.path().join("outside"), base.path().join("data"));
    fs::create_dir_all(data.join("a/b")).unwrap();
    fs::create_dir(&outside).unwrap();
    fs::write(outside.join("secret"), "s").unwrap();
    fs::write(data.join("a/b/file"), "f").unwrap();
    symlink(outside.join("secret"), data.join("link")).unwrap();
    symlink(&outside, data.join("a/link")).unwrap();
    let (uid, gid) = (Uid::from_raw(54321), Gid::from_raw(54322));
    chown_tree(&data, uid, gid).unwrap();
    let owner = |path: &Path| {
        let stat = fs::symlink_metadata(path).unwrap();
        (stat.uid(), stat.gid())
    };
    for given in ["", "a", "a/b", "a/b/file", "link", "a/link"] {
        assert_eq!(owner(&data.join(given)), (54321, 54322), "{given}");
    }
    assert_eq!(owner(&outside), (0, 0));
    assert_eq!(owner(&outside.join("secret")), (0, 0));

    // A second name for a foreign file is not given away.
    fs::hard_link(outside.join("secret"), data.join("hard")).unwrap();
    let error = chown_tree(&data, uid, gid).unwrap_err().to_string();
    assert!(error.contains("data/hard to its user") && error.contains("hard links"), "{error}");
    assert_eq!(owner(&outside.join("secret")), (0, 0));

    // Nor is anything behind a link in place of the directory itself.
    symlink(&outside, base.path().join("alias")).unwrap();
    chown_tree(&base.path().join("alias"), uid, gid).unwrap_err();
    assert_eq!(owner(&outside), (0, 0));
}

#[test]
fn nesting_is_bounded() {
    let base = tempfile::tempdir().unwrap();
    let me = (geteuid(), nix::unistd::getegid());
    let deep = (0..MAX_TREE_DEPTH).fold(base.path().to_owned(), |path, _| path.join("d"));
    fs::create_dir_all(&deep).unwrap();
    chown_tree(base.path(), me.0, me.1).unwrap();
    fs::create_dir(deep.join("d")).unwrap();
    let error = chown_tree(base.path(), me.0, me.1).unwrap_err().to_string();
    assert!(error.contains("nested too deeply"), "{error}");
}

#[test]
fn threads_forbid_dropping() {
    let waiting = std::sync::Arc::new(std::sync::Barrier::new(2));
    let other = std::thread::spawn({
        let waiting = waiting.clone();
        move || waiting.wait()
    });
    let error = drop_to(&account("nobody"), &[]).unwrap_err();
    assert!(matches!(error, PrivilegeError::Threads(2..)), "{error}");
    waiting.wait();
    other.join().unwrap();
}

const CHILD: &str = "NETINFO_TEST_DROPPING_CHILD";

#[test]
fn dropped_process_keeps_ports_and_nothing_else() {
    if std::env::var_os(CHILD).is_some() {
        return after_dropping();
    }
    if !geteuid().is_root() {
        eprintln!("needs root");
        return;
    }
    let output = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "privileges::tests::dropped_process_keeps_ports_and_nothing_else", "--nocapture"])
        .env(CHILD, "1")
        .output()
        .unwrap();
    let text =
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{text}");
    assert!(text.contains("dropped and checked"), "{text}");
}

/// In the child: becomes nobody and looks at what is left.
fn after_dropping() {
    let nobody = account("nobody");
    let keep = Capability::CAP_NET_BIND_SERVICE;
    let expected: HashSet<Capability> =
        caps::read(None, CapSet::Permitted).unwrap().into_iter().filter(|cap| *cap == keep).collect();
    become_user(&nobody, &[keep]).unwrap();

    let ids = nix::unistd::getresuid().unwrap();
    assert_eq!((ids.real, ids.effective, ids.saved), (nobody.uid, nobody.uid, nobody.uid));
    let ids = nix::unistd::getresgid().unwrap();
    assert_eq!((ids.real, ids.effective, ids.saved), (nobody.gid, nobody.gid, nobody.gid));
    assert_eq!(nix::unistd::getgroups().unwrap(), nobody.groups);
    // Threads started from here on inherit exactly this.
    std::thread::spawn(move || {
        for set in [CapSet::Permitted, CapSet::Effective] {
            assert_eq!(caps::read(None, set).unwrap(), expected);
        }
        assert!(caps::read(None, CapSet::Inheritable).unwrap().is_empty());
        assert!(caps::read(None, CapSet::Bounding).unwrap().is_subset(&expected));
        if expected.contains(&keep) {
            reserved::outgoing_tcp([127, 0, 0, 1].into()).unwrap();
        }
    })
    .join()
    .unwrap();
    assert!(nix::sys::prctl::get_no_new_privs().unwrap());
    assert_eq!(fs::read("/etc/shadow").unwrap_err().kind(), io::ErrorKind::PermissionDenied);
    assert_eq!(setuid(Uid::from_raw(0)), Err(nix::errno::Errno::EPERM));
    println!("dropped and checked");
}
