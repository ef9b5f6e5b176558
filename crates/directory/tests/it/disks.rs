//! Disks that are full or read-only, and maps that are too small.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use netinfo_directory::{Change, Domain, Error, Node, Property, ROOT, Target};
use nix::mount::{MsFlags, mount};

use crate::support::*;

/// Runs the test `name` again in a mount namespace of its own, where it may mount what it likes.
fn in_a_namespace(name: &str) {
    assert!(
        nix::unistd::geteuid().is_root(),
        "this test mounts a small filesystem in a namespace of its own, which only root may do: run the tests as root"
    );
    let dir = tempfile::tempdir().unwrap();
    pass_child(&["unshare", "--mount"], name, dir.path());
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0, "the mount has come out of its namespace");
}

/// Mounts a filesystem of `size` in memory.
fn small_disk(at: &Path, size: &str) {
    let options = format!("size={size}");
    mount(Some("tmpfs"), at, Some("tmpfs"), MsFlags::empty(), Some(options.as_str())).unwrap();
}

/// Fills the disk to the last byte.
fn fill(dir: &Path) -> PathBuf {
    let path = dir.join("filling");
    let mut file = File::create(&path).unwrap();
    for size in [1 << 16, 4096, 512, 1] {
        while file.write_all(&vec![0; size]).is_ok() {}
    }
    path
}

/// Writes directories until the disk is full; the names of those that were acknowledged.
fn write_until_full(domain: &Arc<Domain>, tag: &str, size: usize) -> Vec<String> {
    let root = internal(domain);
    let mut acknowledged = Vec::new();
    for n in 0.. {
        let name = format!("{tag}{n}");
        let properties = vec![p("name", &[&name]), Property::new("pad", [vec![b'x'; size]])];
        match write(domain, &root, create(ROOT, properties)) {
            Ok(_) => acknowledged.push(name),
            Err(Error::NoSpace(text)) => {
                assert!(text.contains("full"), "{text}");
                break;
            }
            Err(other) => panic!("{other:?}"),
        }
        assert!(n < 5000, "the disk does not get full");
    }
    acknowledged
}

/// All that was acknowledged is there, and nothing else.
fn assert_holds(domain: &Domain, names: &[String]) {
    let root = internal(domain);
    let view = domain.read(&root).unwrap();
    for name in names {
        let found = view.child_named(ROOT, name.as_bytes()).unwrap().expect("an acknowledged write is lost");
        assert_eq!(view.record(found).unwrap().first_value(b"name"), Some(name.as_bytes()));
    }
    assert_eq!(view.children(ROOT).unwrap().count(), names.len() + 1);
    drop(view);
    assert_clean(domain);
}

#[test]
fn a_full_disk_refuses_writes_and_nothing_else() {
    let Some(dir) = child_directory() else {
        return in_a_namespace("disks::a_full_disk_refuses_writes_and_nothing_else");
    };
    small_disk(&dir, "4m");
    let ballast = dir.join("ballast");
    fs::write(&ballast, vec![0; 2 << 20]).unwrap();
    let data = dir.join("data");
    let node = open(&data, options());
    let domain = node.create_master("local", NOW).unwrap();
    let root = internal(&domain);
    let mut names = write_until_full(&domain, "large", 60_000);
    fill(&dir);
    names.extend(write_until_full(&domain, "small", 10));
    assert!(names.len() > 10);
    assert_holds(&domain, &names);
    // Reads go on, more at once than ever before.
    let views: Vec<_> = (0..1500).map(|_| domain.read(&root).unwrap()).collect();
    assert!(views.iter().all(|v| v.child_named(ROOT, names[0].as_bytes()).unwrap().is_some()));
    drop(views);
    // Many writers at once are all told the same.
    let refused = AtomicUsize::new(0);
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..5 {
                    let change = create(ROOT, vec![Property::new("pad", [vec![b'x'; 60_000]])]);
                    refused!(write(&domain, &root, change), Error::NoSpace(_));
                    refused.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
    });
    assert_eq!(refused.into_inner(), 40);
    let mut backup = Vec::new();
    domain.backup(&root, &mut backup, &mut |_, _| {}).unwrap();
    refused!(domain.restore(&root, std::io::Cursor::new(backup.clone()), |_, _| {}), Error::NoSpace(_));
    assert_holds(&domain, &names);
    refused!(node.create_master("other", NOW).map(drop), Error::NoSpace(_));

    // A restart on the full disk.
    drop((domain, node));
    let node = open(&data, options());
    let domain = node.domain("local").unwrap();
    assert_holds(&domain, &names);
    let views: Vec<_> = (0..1500).map(|_| domain.read(&root).unwrap()).collect();
    drop(views);
    let change = create(ROOT, vec![Property::new("pad", [vec![b'x'; 60_000]])]);
    refused!(write(&domain, &root, change), Error::NoSpace(_));

    // And with room again everything works.
    fs::remove_file(ballast).unwrap();
    write(&domain, &root, create(ROOT, vec![p("name", &["after"])])).unwrap();
    names.push("after".into());
    assert_holds(&domain, &names);
    for name in &names {
        let child = domain.read(&root).unwrap().child_named(ROOT, name.as_bytes()).unwrap().unwrap();
        let change = Change::Destroy { parent: Target::any(ROOT), child: Target::any(child) };
        write(&domain, &root, change).unwrap();
    }
    assert_holds(&domain, &[]);
    domain.restore(&root, std::io::Cursor::new(backup), |_, _| {}).unwrap();
    names.pop();
    assert_holds(&domain, &names);
}

#[test]
fn a_data_directory_cannot_be_made_on_a_full_disk() {
    let Some(dir) = child_directory() else {
        return in_a_namespace("disks::a_data_directory_cannot_be_made_on_a_full_disk");
    };
    small_disk(&dir, "256k");
    let node = open(&dir.join("data"), options());
    let ballast = fill(&dir);
    refused!(node.create_master("local", NOW).map(drop), Error::NoSpace(_));
    fs::remove_file(&ballast).unwrap();
    // The remains of the failed attempt are no hindrance, to this process or the next.
    drop(node);
    let node = open(&dir.join("data"), options());
    fs::create_dir_all(dir.join("data/local.new")).unwrap();
    drop(node.create_master("local", NOW).unwrap());
}

#[test]
fn a_read_only_directory_is_refused_in_words() {
    let Some(dir) = child_directory() else {
        return in_a_namespace("disks::a_read_only_directory_is_refused_in_words");
    };
    small_disk(&dir, "8m");
    let data = dir.join("data");
    drop(open(&data, options()).create_master("local", NOW).unwrap());
    let again = |flags| mount(None::<&str>, &dir, None::<&str>, MsFlags::MS_REMOUNT | flags, None::<&str>);
    again(MsFlags::MS_RDONLY).unwrap();
    let Err(Error::Unusable(text)) = Node::open(&data, options(), true) else { panic!("it opened") };
    assert!(text.contains("read-only") && text.contains(data.to_str().unwrap()), "{text}");
    assert!(matches!(Node::open(&dir.join("new"), options(), true), Err(Error::Unusable(_))));
    again(MsFlags::empty()).unwrap();
    open(&data, options());
}

/// The same without a mount: the store's map is too small for more.
#[test]
fn a_full_map_refuses_writes_and_can_be_raised() {
    let f = Fixture::with("local", |o| o.map_size = 1 << 20);
    let mut names = write_until_full(&f.domain, "n", 20_000);
    assert!(names.len() > 5);
    assert_holds(&f.domain, &names);
    let f = f.reopen(|o| o.map_size = 1 << 20);
    assert_holds(&f.domain, &names);
    let f = f.reopen(|o| o.map_size = 64 << 20);
    for n in 0..20 {
        let name = format!("more{n}");
        f.create(ROOT, vec![p("name", &[&name]), Property::new("pad", [vec![b'x'; 20_000]])]);
        names.push(name);
    }
    assert_holds(&f.domain, &names);
    // A map smaller than the data is as large as the data.
    let f = f.reopen(|o| o.map_size = 1 << 16);
    assert_holds(&f.domain, &names);
}

/// A proposal that does not fit takes none of its group down with it, and its writer is told why.
#[test]
fn a_group_that_does_not_fit_is_made_one_by_one() {
    let f = Fixture::with("local", |o| o.map_size = 1 << 20);
    let results = crate::groups::in_one_group(
        &f,
        (0..30).map(|n| {
            let size = if n % 3 == 1 { 600_000 / 12 } else { 10 };
            let pads = if n % 3 == 1 { 24 } else { 1 };
            let pad = Property::new("pad", vec![vec![b'x'; size]; pads]);
            vec![create(ROOT, vec![p("name", &[&format!("n{n}")]), pad])]
        }),
    );
    let mut names = Vec::new();
    for (n, result) in results.into_iter().enumerate() {
        match n % 3 {
            1 => refused!(result, Error::NoSpace(_)),
            _ => drop(result.unwrap()),
        }
        if n % 3 != 1 {
            names.push(format!("n{n}"));
        }
    }
    assert_holds(&f.domain, &names);
}

#[test]
fn a_map_size_may_be_any_number() {
    for map_size in [1, 4095, (8 << 20) + 1] {
        let f = Fixture::with("local", |o| o.map_size = map_size.max(1 << 18));
        assert_clean(&f.reopen(|o| o.map_size = map_size).domain);
    }
}
