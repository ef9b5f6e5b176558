//! Data directories and stores that cannot be used, or only just.

use std::fs;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use netinfo_directory::{Change, Error, Node, Property, ROOT, Target};

use crate::raw::with_store;
use crate::support::*;

fn data(dir: &Path) -> PathBuf {
    dir.join("local.domain/data.mdb")
}

/// The reason why the only domain of a data directory is not served.
fn refusal(dir: &Path) -> String {
    let (node, failed) = Node::open(dir, options(), false).unwrap();
    assert!(node.domains().is_empty());
    match &failed[..] {
        [(tag, Error::Unusable(text))] if tag == "local" => text.clone(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_second_node_is_told_who_has_the_directory() {
    if let Some(dir) = child_directory() {
        let Err(Error::Unusable(text)) = Node::open(&dir, options(), false) else { panic!("it opened") };
        let parent = std::os::unix::process::parent_id();
        assert!(text.contains(&format!("in use by process {parent};")), "{text}");
        return;
    }
    let f = Fixture::new("local");
    pass_child(&[], "starts::a_second_node_is_told_who_has_the_directory", f.dir.path());
    // In the same process, too.
    let Err(Error::Unusable(text)) = Node::open(f.dir.path(), options(), false) else { panic!("it opened") };
    assert!(text.contains(&format!("process {}", std::process::id())), "{text}");
    // The lock goes with its owner; the file stays and names nobody who matters.
    let dir = f.close();
    assert!(dir.path().join("netinfo.lock").exists());
    open(dir.path(), options());
}

#[test]
fn a_data_directory_is_made_only_when_asked() {
    let dir = scratch();
    let path = dir.path().join("a/b");
    assert!(Node::open(&path, options(), false).is_err());
    assert!(!path.exists());
    open(&path, options());
    assert!(path.join("netinfo.lock").exists());
    fs::write(dir.path().join("file"), "").unwrap();
    assert!(Node::open(&dir.path().join("file"), options(), true).is_err());
}

#[test]
fn domains_are_made_and_destroyed() {
    let f = Fixture::new("local");
    let names = |node: &Node| node.domains().iter().map(|d| d.tag().to_owned()).collect::<Vec<_>>();
    f.node.create_master("network", NOW).unwrap();
    refused!(f.node.create_master("network", NOW).map(drop), Error::DuplicateTag(_));
    refused!(f.node.create_master("../evil", NOW).map(drop), Error::BadTag(_));
    refused!(f.node.destroy("other", NOW).map(drop), Error::NoSuchDomain(_));
    assert_eq!(names(&f.node), ["local", "network"]);
    // Three lives in one moment, none in the way of another.
    let mut graves = Vec::new();
    for n in 0..3 {
        let domain = f.node.domain("network").unwrap();
        write(&domain, &f.root, create(ROOT, vec![p("life", &[&n.to_string()])])).unwrap();
        drop(domain);
        graves.push(f.node.destroy("network", 9).unwrap());
        assert!(f.node.domain("network").is_none());
        f.node.create_master("network", NOW).unwrap();
    }
    graves.sort();
    graves.dedup();
    assert_eq!(graves.len(), 3);
    // A destroyed domain is whole: moved back under another tag it lives again.
    let dir = f.close();
    fs::rename(&graves[0], dir.path().join("again.domain")).unwrap();
    let (node, failed) = Node::open(dir.path(), options(), false).unwrap();
    assert_eq!(names(&node), ["again", "local", "network"]);
    assert!(failed.is_empty());
    let again = node.domain("again").unwrap();
    assert_eq!(again.read(&internal(&again)).unwrap().directories().unwrap(), 4);
}

/// A reader that holds on to a destroyed domain goes on reading; the tag is free again when it lets go.
#[test]
fn destroying_waits_for_readers_but_not_forever() {
    let f = Fixture::new("local");
    let held = f.node.create_master("network", NOW).unwrap();
    let node = Arc::new(f.node);
    let destroyer = node.clone();
    let destroyed = std::thread::spawn(move || destroyer.destroy("network", 1).unwrap());
    // Other domains are served meanwhile.
    while node.domain("network").is_some() {
        std::thread::sleep(Duration::from_millis(1));
    }
    assert!(node.domain("local").is_some() && !destroyed.is_finished());
    let grave = destroyed.join().unwrap();
    assert!(grave.join("data.mdb").exists());
    assert_eq!(held.read(&f.root).unwrap().checksum().unwrap(), 5);
    refused!(node.create_master("network", NOW).map(drop), Error::Busy);
    drop(held);
    node.create_master("network", NOW).unwrap();
}

#[test]
fn remains_of_an_unfinished_creation_are_cleared_away() {
    let f = Fixture::new("local");
    let dir = f.close();
    fs::create_dir(dir.path().join("half.new")).unwrap();
    fs::write(dir.path().join("half.new/data.mdb"), "x").unwrap();
    // What is not ours stays, and does not disturb.
    fs::write(dir.path().join("notes.new"), "mine").unwrap();
    fs::write(dir.path().join("readme"), "mine").unwrap();
    fs::create_dir(dir.path().join("other.new.d")).unwrap();
    let node = open(dir.path(), options());
    assert_eq!(node.domains().len(), 1);
    assert!(!dir.path().join("half.new").exists());
    for kept in ["notes.new", "readme", "other.new.d"] {
        assert!(dir.path().join(kept).exists(), "{kept}");
    }
    node.create_master("half", NOW).unwrap();
}

#[test]
fn what_is_no_domain_is_refused_in_words() {
    let f = Fixture::new("local");
    let dir = f.close();
    let good = fs::read(data(dir.path())).unwrap();
    let try_bytes = |bytes: &[u8]| {
        fs::write(data(dir.path()), bytes).unwrap();
        refusal(dir.path())
    };
    assert!(try_bytes(b"").contains("foreign or truncated"));
    assert!(try_bytes(b"#!/bin/sh\necho hello\n").contains("foreign or truncated"));
    assert!(try_bytes(&vec![0; 1 << 20]).contains("foreign or truncated"));
    let mut random = Random(3);
    let noise: Vec<u8> = (0..100_000).map(|_| random.below(256) as u8).collect();
    assert!(try_bytes(&noise).contains("foreign or truncated"));
    // An LMDB file of another version, or with a page size that makes no sense, in either meta page.
    for page in [0, 4096] {
        for (at, value) in [(20, 999u32), (40, 0), (40, 100), (40, 1 << 20)] {
            let mut bytes = good.clone();
            bytes[page + at..page + at + 4].copy_from_slice(&value.to_ne_bytes());
            assert!(try_bytes(&bytes).contains("foreign or truncated"));
        }
    }
    fs::remove_file(data(dir.path())).unwrap();
    assert!(refusal(dir.path()).contains("missing"));
    fs::create_dir(data(dir.path())).unwrap();
    refusal(dir.path());
    fs::remove_dir_all(dir.path().join("local.domain")).unwrap();
    fs::write(dir.path().join("local.domain"), "a file").unwrap();
    refusal(dir.path());
    fs::remove_file(dir.path().join("local.domain")).unwrap();
    fs::create_dir(dir.path().join("bad tag.domain")).unwrap();
    let (_, failed) = Node::open(dir.path(), options(), false).unwrap();
    assert!(matches!(&failed[..], [(tag, Error::BadTag(_))] if tag == "bad tag"), "{failed:?}");
}

#[test]
fn an_lmdb_file_of_another_program_is_refused() {
    let dir = scratch();
    let path = dir.path().join("local.domain");
    fs::create_dir(&path).unwrap();
    let env = crate::raw::environment(&path);
    let mut txn = env.write_txn().unwrap();
    let table: crate::raw::Table = env.create_database(&mut txn, Some("theirs")).unwrap();
    table.put(&mut txn, b"a", b"b").unwrap();
    txn.commit().unwrap();
    env.prepare_for_closing().wait();
    assert!(refusal(dir.path()).contains("not a NetInfo domain: it has no table \"meta\""));

    let env = crate::raw::environment(&path);
    let mut txn = env.write_txn().unwrap();
    let _: crate::raw::Table = env.create_database(&mut txn, Some("meta")).unwrap();
    txn.commit().unwrap();
    env.prepare_for_closing().wait();
    assert!(refusal(dir.path()).contains("no state record"));

    let env = crate::raw::environment(&path);
    let mut txn = env.write_txn().unwrap();
    let table: crate::raw::Table = env.create_database(&mut txn, Some("meta")).unwrap();
    table.put(&mut txn, b"state", b"something else altogether").unwrap();
    txn.commit().unwrap();
    env.prepare_for_closing().wait();
    assert!(refusal(dir.path()).contains("the state record is foreign"));
}

#[test]
fn a_format_from_the_future_is_refused_whatever_its_tables() {
    let f = Fixture::new("local");
    let dir = f.close();
    let path = dir.path().join("local.domain");
    let mut state = with_store(&path, |raw, txn| raw.get(txn, "meta", b"state"));
    state[8..12].copy_from_slice(&5u32.to_le_bytes());
    with_store(&path, |raw, txn| raw.put(txn, "meta", b"state", &state));
    let text = refusal(dir.path());
    assert!(text.contains("newer version (format 5, this program knows up to 4)"), "{text}");
    // Also where the state record has grown, and other tables have taken the place of ours.
    fs::remove_dir_all(&path).unwrap();
    fs::create_dir(&path).unwrap();
    state.extend([0; 40]);
    let env = crate::raw::environment(&path);
    let mut txn = env.write_txn().unwrap();
    let table: crate::raw::Table = env.create_database(&mut txn, Some("meta")).unwrap();
    table.put(&mut txn, b"state", &state).unwrap();
    txn.commit().unwrap();
    env.prepare_for_closing().wait();
    assert!(refusal(dir.path()).contains("newer version"));
}

#[test]
fn a_damaged_state_record_is_refused() {
    let f = Fixture::new("local");
    let dir = f.close();
    with_store(&dir.path().join("local.domain"), |raw, txn| {
        let mut state = raw.get(txn, "meta", b"state");
        state[30] ^= 1;
        raw.put(txn, "meta", b"state", &state);
    });
    assert!(refusal(dir.path()).contains("damaged"));
}

/// A domain with deep tables, long values and secrets, that keeps no more than one change record.
fn sizeable() -> Fixture {
    let f = Fixture::with("local", |o| o.feed_retention = 1);
    let users = f.path(&["users"]);
    for n in 0..120 {
        let name = format!("user{n}");
        let list =
            vec![p("name", &[&name]), p("passwd", &[&name]), Property::new("pad", [vec![b'x'; n * 90]])];
        f.create(users, list);
    }
    f
}

/// Opens a data directory whose file was cut to some length: refused in words, or everything is there.
fn whole_or_refused(dir: &Path, directories: u64) -> bool {
    let (node, failed) = Node::open(dir, options(), false).unwrap();
    match (node.domain("local"), &failed[..]) {
        (Some(domain), []) => {
            let root = internal(&domain);
            assert_clean(&domain);
            assert_eq!(domain.read(&root).unwrap().directories().unwrap(), directories);
            assert_eq!(picture(&domain, &root).len() as u64, directories);
            write(&domain, &root, create(ROOT, vec![p("name", &["after"])])).unwrap();
            assert_clean(&domain);
            true
        }
        (None, [(_, Error::Unusable(text))]) => {
            assert!(text.contains("truncated"), "{text}");
            false
        }
        other => panic!("{:?}", other.1),
    }
}

/// Runs in a process of its own: mapping a file that is too short would end it with a bus error.
#[test]
fn a_truncated_file_is_refused_at_every_length() {
    if let Some(dir) = child_directory() {
        let whole = fs::read(dir.join("whole")).unwrap();
        let pages = whole.len() / 4096;
        let mut lengths: Vec<usize> = vec![1, 15, 16, 151, 152, 4095, 4097, 4247, 4248, 8191, 8193];
        lengths.extend((0..=pages).map(|n| n * 4096));
        let mut random = Random(5);
        lengths.extend((0..40).map(|_| random.below(whole.len())));
        let mut opened = 0;
        for length in lengths {
            fs::write(data(&dir), &whole[..length]).unwrap();
            opened += usize::from(whole_or_refused(&dir, 124));
            if length == whole.len() {
                assert!(opened > 0, "the whole file does not open");
            }
        }
        assert!(opened < 4, "{opened} truncated files were taken for whole");
        return;
    }
    let f = sizeable();
    let dir = f.close();
    fs::copy(data(dir.path()), dir.path().join("whole")).unwrap();
    pass_child(&[], "starts::a_truncated_file_is_refused_at_every_length", dir.path());
}

/// What the newest meta page says: the number of pages by its count, and its transaction.
fn newest_meta(file: &fs::File) -> (u64, u64) {
    let read = |page: u64| {
        let mut bytes = [0u8; 16];
        file.read_exact_at(&mut bytes, page * 4096 + 136).unwrap();
        let number = |at: usize| u64::from_ne_bytes(bytes[at..at + 8].try_into().unwrap());
        (number(8), number(0) + 1)
    };
    let (transaction, pages) = read(0).max(read(1));
    (pages, transaction)
}

/// Whether the file holds fewer pages than it counts.
fn is_short(file: &Path) -> bool {
    let file = fs::File::open(file).unwrap();
    newest_meta(&file).0 * 4096 > file.metadata().unwrap().len()
}

/// Makes and destroys directories of these sizes in one transaction; not even their change records stay.
fn come_and_go(f: &Fixture, sizes: &[usize]) {
    let root = Target::any(ROOT);
    let first = f.create(ROOT, vec![]);
    f.write(Change::Destroy { parent: root, child: Target::any(first) }).unwrap();
    let mut proposals = Vec::new();
    for size in sizes {
        proposals.push(vec![create(ROOT, vec![Property::new("pad", [vec![b'x'; *size]])])]);
        proposals.push(vec![Change::Destroy { parent: root, child: Target::any(first) }]);
    }
    for result in crate::groups::in_one_group(f, proposals) {
        result.unwrap();
    }
}

/// LMDB counts pages that were taken and given back in one transaction and never writes them, so that a sound file may be
/// shorter than its count. Each such file, as a killed process would leave it, must open.
#[test]
fn a_file_with_unwritten_pages_at_its_end_opens() {
    let f = sizeable();
    let copies = scratch();
    let source = f.domain.path().join("data.mdb");
    let mut random = Random(9);
    let mut short = 0;
    for round in 0..60 {
        let sizes: Vec<usize> = (0..1 + round % 4).map(|_| 10_000 + random.below(50_000)).collect();
        come_and_go(&f, &sizes);
        if round % 7 == 0 {
            f.create(ROOT, vec![Property::new("pad", [vec![b'x'; 30_000]])]);
        }
        short += usize::from(is_short(&source));
        let copy = copies.path().join(round.to_string());
        fs::create_dir_all(copy.join("local.domain")).unwrap();
        fs::copy(&source, data(&copy)).unwrap();
        let directories = f.domain.read(&f.root).unwrap().directories().unwrap();
        assert!(whole_or_refused(&copy, directories), "round {round}: a sound file was refused");
        fs::remove_dir_all(copy).unwrap();
    }
    assert!(short > 0, "no file came out shorter than its count: the test shows nothing");
    assert_clean(&f.domain);
}

/// A short file that lacks a page it needs is not taken for one with unwritten pages.
#[test]
fn a_short_file_that_is_cut_further_is_refused() {
    if let Some(dir) = child_directory() {
        let whole = fs::read(dir.join("whole")).unwrap();
        assert!(is_short(&dir.join("whole")));
        fs::write(data(&dir), &whole).unwrap();
        assert!(whole_or_refused(&dir, 124));
        for pages in 0..whole.len() / 4096 {
            fs::write(data(&dir), &whole[..pages * 4096]).unwrap();
            whole_or_refused(&dir, 124);
        }
        return;
    }
    let f = sizeable();
    let source = f.domain.path().join("data.mdb");
    for n in 0.. {
        assert!(n < 200, "no file came out shorter than its count: the test shows nothing");
        come_and_go(&f, &[50_000]);
        if is_short(&source) {
            break;
        }
    }
    let dir = f.close();
    fs::copy(data(dir.path()), dir.path().join("whole")).unwrap();
    pass_child(&[], "starts::a_short_file_that_is_cut_further_is_refused", dir.path());
}
