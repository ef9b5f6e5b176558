//! Stamps, moves, and directories named before they are made.

use heed::DatabaseFlags;
use heed::types::Bytes;
use netinfo_directory::{CREATED, Change, Error, ROOT, Stamp, StampBuf, Target, Term};
use roaring::RoaringBitmap;

use crate::raw::{TABLES, with_store};
use crate::support::*;

fn stamp(f: &Fixture, object: u32) -> StampBuf {
    f.domain.read(&f.root).unwrap().stamp(object).unwrap().into()
}

fn by_uuid(f: &Fixture, uuid: [u8; 16]) -> Option<u32> {
    f.domain.read(&f.root).unwrap().by_uuid(uuid).unwrap()
}

fn at(f: &Fixture, session: &netinfo_directory::Session, change: Change, at: u64) {
    f.domain.write_blocking(session, vec![change], at).unwrap();
}

fn move_to(from: u32, child: u32, to: u32) -> Change {
    Change::Move { from: Target::any(from), child: Target::any(child), to: Target::any(to), position: END }
}

#[test]
fn every_change_is_noted() {
    let f = Fixture::new("local");
    let users = f.path(&["users"]);
    f.user("alice", "501", vec![]);
    f.add(users, p("_writers", &["*"]));
    let before = stamp(&f, users);
    let alice = f.local(501);
    at(&f, &alice, create(users, vec![p("name", &["bob"])]), NOW + 1);
    let bob = f.children(users)[1];
    let first = stamp(&f, bob);
    let expected = Stamp {
        uuid: first.uuid,
        created: NOW + 1,
        modified: NOW + 1,
        creator: b"alice",
        modifier: b"alice",
    };
    assert_eq!(first.as_stamp(), expected);
    assert_eq!(by_uuid(&f, first.uuid), Some(bob));
    assert_eq!(stamp(&f, users), before, "a child is no change to its parent");
    at(&f, &f.root, Change::Write { directory: Target::any(bob), properties: vec![] }, NOW + 2);
    assert_eq!(stamp(&f, bob).as_stamp(), Stamp { modified: NOW + 2, modifier: b"root", ..expected });
    at(&f, &f.root, move_to(users, bob, ROOT), NOW + 3);
    let moved = stamp(&f, bob);
    assert_eq!(moved.as_stamp(), Stamp { modified: NOW + 3, modifier: b"root", ..expected });
    assert_clean(&f.domain);
    at(&f, &f.root, Change::Destroy { parent: Target::any(ROOT), child: Target::any(bob) }, NOW + 4);
    assert_eq!(by_uuid(&f, first.uuid), None);
    refused!(f.domain.read(&f.root).unwrap().stamp(bob), Error::NoSuchDirectory);
    assert_eq!(f.create(ROOT, vec![]), bob, "the id is used again");
    assert_ne!(stamp(&f, bob).uuid, first.uuid);
    assert_clean(&f.domain);
}

#[test]
fn stamps_can_be_given() {
    let f = Fixture::new("local");
    let a = f.create(ROOT, vec![]);
    let given = StampBuf {
        uuid: [9; 16],
        created: 5,
        modified: 0,
        creator: b"import".to_vec(),
        modifier: vec![b'x'; 300],
    };
    let set = |object: u32, stamp: &StampBuf| Change::SetStamp {
        directory: Target::any(object),
        stamp: stamp.clone(),
    };
    refused!(f.write_as(&f.anonymous(), set(a, &given)), Error::Permission);
    let (before, id) = (stamp(&f, a), f.id(a));
    let outcome = f.write(set(a, &given)).unwrap();
    assert_eq!((outcome.id, f.id(a)), (id, id), "no instance is raised");
    assert_eq!(stamp(&f, a), StampBuf { modifier: vec![b'x'; 255], ..given.clone() });
    assert_eq!((by_uuid(&f, [9; 16]), by_uuid(&f, before.uuid)), (Some(a), None));
    // A uuid belongs to one directory, also one that only follows from the object id.
    let b = f.create(ROOT, vec![]);
    refused!(f.write(set(b, &given)), Error::DuplicateUuid);
    let derived = stamp(&f, ROOT).uuid;
    refused!(f.write(set(b, &StampBuf { uuid: derived, ..given.clone() })), Error::DuplicateUuid);
    refused!(f.write(set(900, &given)), Error::NoSuchDirectory);
    refused!(
        f.write(Change::SetStamp {
            directory: Target { object: a, instance: Some(77) },
            stamp: given.clone()
        }),
        Error::Stale
    );
    f.write(set(a, &given)).unwrap();
    assert_clean(&f.domain);
    let f = f.reopen(|_| {});
    assert_eq!(by_uuid(&f, [9; 16]), Some(a));
}

#[test]
fn a_stamp_without_uuid_leaves_that_of_the_directory() {
    let f = Fixture::new("local");
    let given = StampBuf { uuid: [0; 16], created: 5, modified: 6, creator: b"x".to_vec(), modifier: vec![] };
    let set = |object: u32| Change::SetStamp { directory: Target::any(object), stamp: given.clone() };
    let a = f.create(ROOT, vec![]);
    let start = f.domain.read(&f.root).unwrap().sequence().unwrap();
    for object in [a, ROOT] {
        let before = stamp(&f, object).uuid;
        f.write(set(object)).unwrap();
        assert_eq!(stamp(&f, object), StampBuf { uuid: before, ..given.clone() });
        assert_eq!(by_uuid(&f, before), Some(object));
    }
    let told = feed(&f.domain, start).unwrap();
    assert!(
        matches!(&told[0].change, Change::SetStamp { stamp, .. } if stamp.uuid != [0; 16]),
        "copies get it"
    );
    // In a batch the stamp of a new directory is held back until it is known that no other is given.
    let stamp_it = given.clone();
    let made = f.domain.batch(&f.root, NOW, move |batch| {
        let made = batch.apply(create(ROOT, vec![p("name", &["b"])]))?.created.unwrap().object;
        batch.apply(Change::SetStamp { directory: Target::any(made), stamp: stamp_it })?;
        Ok(made)
    });
    let b = stamp(&f, made.unwrap());
    assert!(b.uuid != [0; 16] && b.created == 5, "{b:?}");
    assert_clean(&f.domain);
}

#[test]
fn a_proposal_names_what_it_makes() {
    let f = Fixture::new("local");
    let given = StampBuf { uuid: [9; 16], created: 5, ..StampBuf::default() };
    let changes = vec![
        create(ROOT, vec![p("name", &["outer"])]),
        create(CREATED, vec![p("name", &["inner"])]),
        Change::SetStamp { directory: Target::any(CREATED), stamp: given.clone() },
    ];
    let start = f.domain.read(&f.root).unwrap().sequence().unwrap();
    let outcomes = f.domain.write_blocking(&f.root, changes, NOW).unwrap();
    let made: Vec<u32> = outcomes.iter().filter_map(|o| o.created).map(|id| id.object).collect();
    let view = f.domain.read(&f.root).unwrap();
    assert_eq!(view.path(&[b"outer", b"inner"]).unwrap(), Some(made[1]));
    assert_eq!(view.parent(made[1]).unwrap(), made[0]);
    let up: Vec<u32> = view.ancestors(made[1]).unwrap().map(|o| o.unwrap()).collect();
    assert_eq!(up, [made[0], ROOT]);
    assert_eq!(view.ancestors(ROOT).unwrap().count(), 0);
    assert_eq!(view.stamp(made[1]).unwrap(), given.as_stamp());
    drop(view);
    let told = feed(&f.domain, start).unwrap();
    assert_eq!(told[1].change.directory().object, made[0], "the feed tells ids");
    // Where nothing was made before, there is no such directory.
    refused!(f.write(create(CREATED, vec![])), Error::NoSuchDirectory);
    let two = vec![create(CREATED, vec![]), create(ROOT, vec![])];
    refused!(f.domain.write_blocking(&f.root, two, NOW), Error::NoSuchDirectory);
}

#[test]
fn a_move_takes_all_below_along() {
    let f = Fixture::new("local");
    let (a, b) = (f.path(&["a"]), f.path(&["b"]));
    let (sub, leaf) = (f.path(&["a", "sub"]), f.path(&["a", "sub", "leaf"]));
    let before = [a, b, sub, leaf].map(|o| f.id(o).instance);
    let sums = f.checksum();
    let outcome = f.write(move_to(a, sub, b)).unwrap();
    assert_eq!((outcome.id, outcome.created), (f.id(a), None));
    let after = [a, b, sub, leaf].map(|o| f.id(o).instance);
    assert_eq!(after, [before[0] + 1, before[1] + 1, before[2] + 1, before[3]]);
    assert_eq!(f.checksum(), sums + (a + 1) + (b + 1) + (sub + 1));
    let view = f.domain.read(&f.root).unwrap();
    assert_eq!(view.path(&[b"b", b"sub", b"leaf"]).unwrap(), Some(leaf));
    assert_eq!(view.path(&[b"a", b"sub"]).unwrap(), None);
    let mut out = RoaringBitmap::new();
    view.collect(Term::Equal { property: b"name", value: b"SUB" }, &mut out).unwrap();
    assert_eq!(out.into_iter().collect::<Vec<_>>(), [sub]);
    drop(view);
    refused!(f.write(move_to(b, sub, leaf)), Error::Loop);
    refused!(f.write(move_to(b, sub, sub)), Error::Loop);
    refused!(f.write(move_to(a, sub, b)), Error::Unrelated);
    refused!(f.write(move_to(ROOT, ROOT, b)), Error::Unrelated);
    refused!(f.write(move_to(b, 900, a)), Error::NoSuchDirectory);
    // Among the same children only the order changes.
    let c = f.create(b, vec![]);
    let last = Change::Move { from: Target::any(b), child: Target::any(c), to: Target::any(b), position: 0 };
    f.write(last).unwrap();
    assert_eq!(f.children(b), [c, sub]);
    assert_clean(&f.domain);
}

#[test]
fn a_move_needs_the_right_to_both_parents() {
    let f = Fixture::new("local");
    f.user("alice", "501", vec![]);
    let (mine, other) = (f.path(&["mine"]), f.path(&["other"]));
    f.add(mine, p("_writers", &["alice"]));
    let child = f.path(&["mine", "child"]);
    let alice = f.local(501);
    refused!(f.write_as(&alice, move_to(mine, child, other)), Error::Permission);
    f.add(other, p("_writers", &["alice"]));
    f.write_as(&alice, move_to(mine, child, other)).unwrap();
    f.add(mine, p("_locked", &[]));
    refused!(f.write(move_to(other, child, mine)), Error::ReadOnly);
    assert_clean(&f.domain);
}

/// Moves to where the children have to be numbered anew, the old parent among them.
#[test]
fn moves_into_a_gap_that_is_used_up() {
    let f = Fixture::new("local");
    let from = f.create(ROOT, vec![]);
    for n in 0..30 {
        let child = f.create(from, vec![p("n", &[&n.to_string()])]);
        let change = Change::Move {
            from: Target::any(from),
            child: Target::any(child),
            to: Target::any(ROOT),
            position: 1,
        };
        f.write(change).unwrap();
        assert_eq!(f.children(ROOT)[1], child);
    }
    assert_clean(&f.domain);
}

#[test]
fn copies_keep_stamps() {
    let f = Fixture::new("local");
    let alice = f.user("alice", "501", vec![]);
    let given = StampBuf { uuid: [9; 16], created: 5, modified: 6, creator: b"x".to_vec(), modifier: vec![] };
    f.write(Change::SetStamp { directory: Target::any(alice), stamp: given.clone() }).unwrap();
    let mut bytes = Vec::new();
    f.domain.backup(&f.root, &mut bytes, &mut |_, _| {}).unwrap();
    let target = Fixture::new("other");
    target.domain.restore(&target.root, std::io::Cursor::new(bytes), |_, _| {}).unwrap();
    for object in picture(&f.domain, &f.root).into_keys() {
        let (here, there) = (stamp(&f, object), stamp(&target, object));
        assert_eq!(here, there);
        assert_eq!(by_uuid(&target, here.uuid), Some(object));
    }
    assert_clean(&target.domain);
    // Over the NetInfo protocol there are none: each directory has the uuid that follows from its id.
    let clone = Fixture::new("local");
    crate::copies::copy(&f.domain, &clone.domain);
    let derived = stamp(&clone, alice);
    assert_eq!(derived, StampBuf { uuid: derived.uuid, ..StampBuf::default() });
    assert_eq!((derived.uuid[6] >> 4, by_uuid(&clone, derived.uuid)), (8, Some(alice)));
    assert_clean(&clone.domain);
}

#[test]
fn two_directories_of_a_copy_cannot_have_one_uuid() {
    let f = Fixture::new("local");
    f.create(ROOT, vec![]);
    let mut objects = crate::copies::objects(&f.domain);
    for object in &mut objects {
        object.stamp = Some(StampBuf { uuid: [1; 16], ..StampBuf::default() });
    }
    let mut objects = objects.into_iter();
    let error = f.domain.replace(&f.root, move || Ok(objects.next())).unwrap_err().to_string();
    assert!(error.contains("has the uuid of another"), "{error}");
    assert_clean(&f.domain);
}

/// A backup of format 1: one root, without a stamp.
#[test]
fn backups_without_stamps_are_read() {
    use sha2::{Digest, Sha256};
    let frame = [[0u8, 0, 0, 0], [3, 0, 0, 0], [0; 4], [0; 4], [0; 4]].concat();
    let mut bytes = b"NIBACKUP".to_vec();
    bytes.extend(1u32.to_le_bytes());
    bytes.extend([7; 16]);
    bytes.extend(3u32.to_le_bytes());
    bytes.extend(1u64.to_le_bytes());
    bytes.extend(1u64.to_le_bytes());
    bytes.extend(b"\x05local");
    bytes.extend((frame.len() as u32).to_le_bytes());
    bytes.extend(crc32c::crc32c(&frame).to_le_bytes());
    bytes.extend(&frame);
    bytes.extend(0u32.to_le_bytes());
    bytes.extend(1u64.to_le_bytes());
    let digest = Sha256::digest(&bytes);
    bytes.extend(digest);
    let f = Fixture::new("local");
    f.domain.restore(&f.root, std::io::Cursor::new(bytes), |_, _| {}).unwrap();
    assert_eq!(f.id(ROOT).instance, 3);
    assert_eq!(stamp(&f, ROOT).created, 0);
    assert_clean(&f.domain);
}

/// Stores as programs wrote them that knew neither stamps nor the value index, or no pending entries.
#[test]
fn older_stores_are_brought_up_to_date() {
    older_store(1, &["values", "pieces", "pending", "stamps", "uuids", "times"]);
    older_store(2, &["pending"]);
}

/// A store of an older format, which has not these tables.
fn older_store(format: u8, newer: &[&str]) {
    let f = Fixture::new("local");
    let alice = f.user("alice", "501", vec![p("passwd", &["x"])]);
    let before = picture(&f.domain, &f.root);
    let dir = f.close();
    let path = dir.path().join("local.domain");
    let tables: Vec<_> = with_store(&path, |raw, txn| {
        raw.edit_state(txn, |bytes| bytes[8] = format);
        TABLES.map(|name| (name, raw.dump(txn, name))).into()
    });
    std::fs::remove_file(path.join("data.mdb")).unwrap();
    std::fs::remove_file(path.join("lock.mdb")).unwrap();
    let env = crate::raw::environment(&path);
    let mut txn = env.write_txn().unwrap();
    for (name, entries) in tables.into_iter().filter(|(name, _)| !newer.contains(name)) {
        let mut options = env.database_options().types::<Bytes, Bytes>();
        let many = DatabaseFlags::DUP_SORT | DatabaseFlags::DUP_FIXED;
        options.name(name).flags(if name == "index" { many } else { DatabaseFlags::empty() });
        let table = options.create(&mut txn).unwrap();
        for (key, value) in entries {
            table.put(&mut txn, &key, &value).unwrap();
        }
    }
    txn.commit().unwrap();
    env.prepare_for_closing().wait();

    let node = open(dir.path(), options());
    let domain = node.domain("local").unwrap();
    let f = Fixture { root: internal(&domain), domain, node, dir };
    assert_clean(&f.domain);
    assert_eq!(picture(&f.domain, &f.root), before);
    assert_eq!(stamp(&f, alice).uuid[6] >> 4, if format == 1 { 8 } else { 7 });
    let mut out = RoaringBitmap::new();
    let view = f.domain.read(&f.root).unwrap();
    view.collect(Term::Equal { property: b"name", value: b"ALICE" }, &mut out).unwrap();
    assert!(out.contains(alice));
    drop(view);
    let f = f.reopen(|_| {});
    assert_clean(&f.domain);
}
