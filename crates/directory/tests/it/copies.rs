//! Backups, restores and whole-domain copies.

use std::io::{self, Cursor, Read};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use netinfo_directory::{
    BackupHeader, Change, Domain, Error, Id, Property, ROOT, Result, Target, TransferObject, UNUSED_LIMIT,
};

use crate::support::*;

/// Every directory of a domain, ready to travel.
pub(crate) fn objects(domain: &Domain) -> Vec<TransferObject> {
    let picture = picture(domain, &internal(domain));
    picture
        .into_iter()
        .map(|(object, d)| TransferObject {
            id: Id { object, instance: d.instance },
            parent: d.parent,
            children: d.children,
            properties: d.properties,
            stamp: None,
        })
        .collect()
}

/// Puts all of one domain in place of another.
pub(crate) fn copy(from: &Domain, to: &Domain) {
    replace(to, objects(from)).unwrap();
}

fn replace(domain: &Domain, objects: Vec<TransferObject>) -> Result<()> {
    let mut objects = objects.into_iter();
    domain.replace(&internal(domain), move || Ok(objects.next()))
}

fn backup(domain: &Domain) -> (BackupHeader, Vec<u8>) {
    let mut out = Vec::new();
    let header = domain.backup(&internal(domain), &mut out, &mut |_, _| {}).unwrap();
    (header, out)
}

fn restore(domain: &Domain, bytes: impl Into<Vec<u8>>) -> Result<BackupHeader> {
    domain.restore(&internal(domain), Cursor::new(bytes.into()), |_, _| {})
}

/// A domain with gaps among its ids, an order that is not that of the ids, secrets, and some size.
fn furnished() -> Fixture {
    let f = Fixture::new("local");
    for i in 0..20 {
        f.user(&format!("u{i}"), &i.to_string(), vec![p("passwd", &[&format!("hash {i}")])]);
    }
    let users = f.path(&["users"]);
    let parent = Target::any(users);
    for gone in [5, 9, 17] {
        f.write(Change::Destroy { parent, child: Target::any(gone) }).unwrap();
    }
    f.write(Change::Create { parent, properties: vec![p("name", &["first"])], position: 0 }).unwrap();
    f.create(users, vec![Property::new("big", [vec![7u8; 50_000]]), p("", &[]), p("passwd", &[])]);
    f
}

#[test]
fn a_restored_domain_is_the_one_backed_up() {
    let f = furnished();
    let told = Arc::new(Mutex::new(Vec::new()));
    let mut steps = Vec::new();
    let mut bytes = Vec::new();
    let header = f.domain.backup(&f.root, &mut bytes, &mut |done, total| steps.push((done, total))).unwrap();
    let view = f.domain.read(&f.root).unwrap();
    let total = view.directories().unwrap();
    assert_eq!(header.tag, "local");
    assert_eq!((header.checksum, header.directories), (view.checksum().unwrap(), total));
    assert_eq!((header.uuid, header.sequence), (view.uuid().unwrap(), view.sequence().unwrap()));
    assert_eq!(steps, (1..=total).map(|n| (n, total)).collect::<Vec<_>>());

    let other = Fixture::new("local");
    other.create(ROOT, vec![p("name", &["to be replaced"])]);
    let seen = told.clone();
    let progress = move |done, total| seen.lock().unwrap().push((done, total));
    let restored = other.domain.restore(&other.root, Cursor::new(bytes.clone()), progress).unwrap();
    assert_eq!(restored, header);
    assert_eq!(*told.lock().unwrap(), steps);
    assert_eq!(picture(&other.domain, &other.root), picture(&f.domain, &f.root));
    assert_eq!(other.checksum(), f.checksum());
    assert_eq!(other.domain.read(&other.root).unwrap().uuid().unwrap(), header.uuid);
    assert_clean(&other.domain);
    // Free ids came along: both give out the same next.
    for _ in 0..3 {
        assert_eq!(f.create(ROOT, vec![]), other.create(ROOT, vec![]));
    }
    // And so did the secrets, no wider open than before.
    let users = other.path(&["users"]);
    let view = other.domain.read(&other.anonymous()).unwrap();
    assert!(view.lookup_first(users, b"passwd", b"hash 3").unwrap().is_none());
    drop(view);
    let other = other.reopen(|_| {});
    assert_eq!(picture(&other.domain, &other.root), picture(&f.domain, &f.root));
}

#[test]
fn the_feed_starts_anew_behind_a_copy_and_watchers_hear_of_it() {
    let f = furnished();
    let (_, bytes) = backup(&f.domain);
    let before = f.domain.read(&f.root).unwrap().sequence().unwrap();
    let heard = Arc::new(AtomicU64::new(0));
    let ear = heard.clone();
    f.domain.watch(Arc::new(move |sequence| ear.store(sequence, Ordering::SeqCst)));
    restore(&f.domain, bytes).unwrap();
    let after = f.domain.read(&f.root).unwrap().sequence().unwrap();
    assert_eq!(after, before + 1);
    assert_eq!(heard.load(Ordering::SeqCst), after);
    refused!(feed(&f.domain, before), Error::Stale);
    refused!(feed(&f.domain, 0), Error::Stale);
    assert_eq!(feed(&f.domain, after).unwrap(), []);
    f.add(ROOT, p("a", &[]));
    assert_eq!(feed(&f.domain, after).unwrap()[0].sequence, after + 1);
}

#[test]
fn a_backup_shows_one_moment_while_writers_go_on() {
    let f = Fixture::new("local");
    // Each proposal writes both halves of a pair; a moment in between does not exist.
    let pair = [f.create(ROOT, vec![p("n", &["0"])]), f.create(ROOT, vec![p("n", &["0"])])];
    let stop = AtomicBool::new(false);
    let mut backups = Vec::new();
    let sequence = || f.domain.read(&f.root).unwrap().sequence().unwrap();
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                for n in 0u64.. {
                    let value = |object| {
                        let values = vec![n.to_string().into()];
                        Change::WriteProperty { directory: Target::any(object), index: 0, values }
                    };
                    let mut changes =
                        vec![value(pair[0]), create(ROOT, vec![p("x", &["y"])]), value(pair[1])];
                    if n > 100 {
                        changes.remove(1);
                    }
                    f.domain.write_blocking(&f.root, changes, NOW).unwrap();
                    if stop.load(Ordering::Relaxed) {
                        break;
                    }
                }
            });
        }
        for _ in 0..12 {
            // Half way through each backup something is written.
            let mut bytes = Vec::new();
            let mut wait = |done, _| {
                let start = sequence();
                while done == 2 && sequence() == start {
                    thread::yield_now();
                }
            };
            let header = f.domain.backup(&f.root, &mut bytes, &mut wait).unwrap();
            assert!(header.sequence < sequence());
            backups.push((header, bytes));
        }
        stop.store(true, Ordering::Relaxed);
    });
    let other = Fixture::new("local");
    for (header, bytes) in backups {
        restore(&other.domain, bytes).unwrap();
        assert_eq!(other.properties(pair[0]), other.properties(pair[1]));
        assert_eq!(other.checksum(), header.checksum);
        let view = other.domain.read(&other.root).unwrap();
        assert_eq!(view.directories().unwrap(), header.directories);
        assert_clean(&other.domain);
    }
}

/// What `work` does must be refused as unusable and leave the domain as it is.
fn untouched(f: &Fixture, work: impl FnOnce() -> Result<()>) -> String {
    let state = || {
        let view = f.domain.read(&f.root).unwrap();
        (view.uuid().unwrap(), view.sequence().unwrap(), view.checksum().unwrap())
    };
    let (before, picture_before) = (state(), picture(&f.domain, &f.root));
    let text = match work() {
        Err(Error::Unusable(text)) => text,
        other => panic!("{other:?}"),
    };
    assert_eq!(state(), before);
    assert_eq!(picture(&f.domain, &f.root), picture_before);
    text
}

#[test]
fn damaged_backups_are_refused_and_change_nothing() {
    let f = Fixture::new("local");
    f.user("alice", "501", vec![p("passwd", &["x"])]);
    let (_, bytes) = backup(&f.domain);
    let target = furnished();
    for len in 0..bytes.len() {
        untouched(&target, || restore(&target.domain, &bytes[..len]).map(drop));
    }
    for at in 0..bytes.len() {
        let mut flipped = bytes.clone();
        flipped[at] ^= 1 << (at % 8);
        untouched(&target, || restore(&target.domain, flipped).map(drop));
    }
    assert_clean(&target.domain);
    restore(&target.domain, bytes).unwrap();
    assert_eq!(picture(&target.domain, &target.root), picture(&f.domain, &f.root));
}

#[test]
fn a_refusal_says_why() {
    let f = furnished();
    let (_, bytes) = backup(&f.domain);
    let says = |bytes: &[u8]| untouched(&f, || restore(&f.domain, bytes).map(drop));
    assert!(says(b"").contains("not a NetInfo backup"));
    assert!(says(&[0x1F; 4000]).contains("not a NetInfo backup"));
    let mut newer = bytes.clone();
    newer[8..12].copy_from_slice(&3u32.to_le_bytes());
    assert!(says(&newer).contains("newer version"));
    assert!(says(&bytes[..bytes.len() - 1]).contains("truncated"));
    assert!(says(&bytes[..bytes.len() / 2]).contains("truncated"));
    let mut flipped = bytes.clone();
    let middle = bytes.len() / 2;
    flipped[middle] ^= 0x10;
    assert!(says(&flipped).contains("fails its checksum"));
    // The length of the first frame behind the header, whose tag has five bytes.
    let mut huge = bytes.clone();
    huge[54..58].copy_from_slice(&u32::MAX.to_le_bytes());
    assert!(says(&huge).contains("too large"));
    let mut wrong = bytes;
    *wrong.last_mut().unwrap() ^= 1;
    assert!(says(&wrong).contains("digest"));
}

#[test]
fn a_source_that_fails_changes_nothing() {
    struct Broken(Cursor<Vec<u8>>);
    impl Read for Broken {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            match self.0.read(buffer)? {
                0 => Err(io::Error::other("the cable is out")),
                n => Ok(n),
            }
        }
    }
    let f = furnished();
    let (_, bytes) = backup(&f.domain);
    let before = picture(&f.domain, &f.root);
    let half = Broken(Cursor::new(bytes[..bytes.len() / 2].to_vec()));
    let error = f.domain.restore(&f.root, half, |_, _| {}).unwrap_err();
    assert!(error.to_string().contains("the cable is out"), "{error}");
    assert_eq!(picture(&f.domain, &f.root), before);
    f.create(ROOT, vec![]);
    assert_clean(&f.domain);
}

#[test]
fn copies_may_come_in_any_order() {
    let f = furnished();
    let target = Fixture::new("local");
    let expected = picture(&f.domain, &f.root);
    let mut random = Random(11);
    for _ in 0..20 {
        let mut objects = objects(&f.domain);
        for i in (1..objects.len()).rev() {
            objects.swap(i, random.below(i + 1));
        }
        replace(&target.domain, objects).unwrap();
        assert_eq!(picture(&target.domain, &target.root), expected);
        assert_clean(&target.domain);
    }
    // Children always before their parents, and a chain as deep as it is long.
    let mut chain: Vec<TransferObject> = (0..3000)
        .map(|n| TransferObject {
            id: Id { object: n, instance: n },
            parent: n.saturating_sub(1),
            children: if n < 2999 { vec![n + 1] } else { vec![] },
            properties: vec![],
            stamp: None,
        })
        .collect();
    chain.reverse();
    replace(&target.domain, chain).unwrap();
    assert_eq!(picture(&target.domain, &target.root).len(), 3000);
    assert_clean(&target.domain);
}

#[test]
fn copies_that_do_not_fit_together_are_refused() {
    let f = furnished();
    let good = objects(&f.domain);
    let says = |edit: &dyn Fn(&mut Vec<TransferObject>)| {
        let mut objects = good.clone();
        edit(&mut objects);
        untouched(&f, || replace(&f.domain, objects))
    };
    assert!(says(&|o| o.clear()).contains("0 is missing"));
    assert!(says(&|o| drop(o.remove(2))).contains("2 is missing"));
    assert!(says(&|o| drop(o.remove(1))).contains("missing"));
    assert!(says(&|o| o.push(o[2].clone())).contains("twice"));
    assert!(says(&|o| o.insert(0, o[2].clone())).contains("twice"));
    assert!(says(&|o| o[0].children.push(2)).contains("2"));
    assert!(says(&|o| o[2].children.push(0)).contains("0 is missing"));
    assert!(says(&|o| o[2].parent = 0).contains("names 0 as its parent, but is listed by 1"));
    assert!(says(&|o| o[0].parent = 1).contains("parent"));
    assert!(says(&|o| o[0].children.push(1)).contains("two parents"));
    // Two that have each other as parents, and nobody else.
    let pair = |a: u32, b: u32| TransferObject {
        id: Id { object: a, instance: 0 },
        parent: b,
        children: vec![b],
        properties: vec![],
        stamp: None,
    };
    assert!(says(&|o| o.extend([pair(70, 71), pair(71, 70)])).contains("no parent"));
    let far = |o: &mut Vec<TransferObject>, id: u32| {
        o[0].children.push(id);
        let (id, parent) = (Id { object: id, instance: 0 }, 0);
        o.push(TransferObject { id, parent, children: vec![], properties: vec![], stamp: None });
    };
    for special in [u32::MAX, u32::MAX - 1] {
        assert!(says(&|o| far(o, special)).contains("cannot be used"));
    }
    let limit = UNUSED_LIMIT as u32;
    assert!(says(&|o| far(o, u32::MAX - 2)).contains("unused"));
    assert!(says(&|o| far(o, limit + 100)).contains("unused"));
    assert_clean(&f.domain);
    let mut objects = good.clone();
    far(&mut objects, 1000);
    replace(&f.domain, objects).unwrap();
    assert_clean(&f.domain);
}

#[test]
fn a_copy_obeys_the_limits_of_a_directory() {
    let f = furnished();
    let mut objects = objects(&f.domain);
    objects[1].properties.push(Property::new("v", [vec![0u8; 70_000]]));
    refused!(replace(&f.domain, objects), Error::TooLarge { .. });
    assert_clean(&f.domain);
}
