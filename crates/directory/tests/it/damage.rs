//! Stores damaged behind the core's back: each kind is found by name, and repaired.

use std::collections::BTreeMap;
use std::path::Path;

use heed::RwTxn;
use netinfo_directory::{Change, Credentials, Domain, Error, LOST_AND_FOUND, Node, ROOT, Target};

use crate::raw::{Raw, seal, with_store};
use crate::support::*;

/// What is known of the example: its directories by name.
pub(crate) struct Example {
    pub(crate) users: u32,
    pub(crate) alice: u32,
    pub(crate) bob: u32,
    groups: u32,
    staff: u32,
}

/// `/users/{alice,bob}` with passwords, `/groups/staff/sub`, and two free ids.
fn example() -> (Fixture, Example) {
    let f = Fixture::new("local");
    let users = f.path(&["users"]);
    let alice = f.user("alice", "501", vec![p("passwd", &["xOAFZqRz5RduI"])]);
    let gone = f.create(users, vec![]);
    let bob = f.user("bob", "502", vec![p("passwd", &[]), p("shell", &["/bin/sh", "/bin/sh"])]);
    let last = f.create(users, vec![]);
    let groups = f.path(&["groups"]);
    let staff = f.path(&["groups", "staff"]);
    f.path(&["groups", "staff", "sub"]);
    for child in [gone, last] {
        f.write(Change::Destroy { parent: Target::any(users), child: Target::any(child) }).unwrap();
    }
    (f, Example { users, alice, bob, groups, staff })
}

fn at(dir: &Path) -> std::path::PathBuf {
    dir.join("local.domain")
}

fn kinds(domain: &Domain) -> Vec<&'static str> {
    let mut kinds: Vec<_> = check(domain).1.into_iter().map(|f| f.kind).collect();
    kinds.sort_unstable();
    kinds.dedup();
    kinds
}

/// A domain that was damaged and repaired, and what it held before.
pub(crate) struct Repaired {
    pub(crate) f: Fixture,
    before: BTreeMap<u32, Plain>,
    after: BTreeMap<u32, Plain>,
}

impl Repaired {
    /// The directories have the properties they had, except for these.
    fn kept_all_but(&self, lost: &[u32]) -> &Self {
        for (object, d) in self.before.iter().filter(|(o, _)| !lost.contains(o)) {
            assert_eq!(self.after[object].properties, d.properties, "{object}");
        }
        self
    }

    /// The whole tree is what it was.
    pub(crate) fn unchanged(&self) -> &Self {
        assert_eq!(self.after, self.before);
        self
    }

    fn lost_and_found(&self) -> Vec<u32> {
        let view = self.f.domain.read(&self.f.root).unwrap();
        let home = view.child_named(ROOT, LOST_AND_FOUND.as_bytes()).unwrap().expect("no /lost+found");
        view.children(home).unwrap().map(|c| c.unwrap()).collect()
    }
}

/// Damages the example, demands that exactly `expected` kinds are found, and repairs.
pub(crate) fn damaged(expected: &[&str], damage: impl FnOnce(&Raw, &mut RwTxn<'_>, &Example)) -> Repaired {
    let (f, example) = example();
    assert_clean(&f.domain);
    let before = picture(&f.domain, &f.root);
    let uuid = f.domain.read(&f.root).unwrap().uuid().unwrap();
    let sequence = f.domain.read(&f.root).unwrap().sequence().unwrap();
    let dir = f.close();
    with_store(&at(dir.path()), |raw, txn| damage(raw, txn, &example));
    let node = open(dir.path(), options());
    let domain = node.domain("local").unwrap();
    let f = Fixture { root: internal(&domain), domain, node, dir };
    assert_eq!(kinds(&f.domain), expected);

    let mut findings = Findings::default();
    let report = f.domain.repair(&f.root, &mut findings).unwrap();
    assert!(report.repaired && report.findings > 0 && report.findings == findings.0.len() as u64);
    assert_clean(&f.domain);
    let view = f.domain.read(&f.root).unwrap();
    assert_eq!(view.uuid().unwrap(), uuid);
    assert!(view.sequence().unwrap() > sequence);
    drop(view);
    // A replica that followed the feed must take a full copy.
    refused!(feed(&f.domain, sequence), Error::Stale);
    let after = picture(&f.domain, &f.root);
    // The store is usable: ids are given out, everything is found, a second repair has nothing to do.
    let probe = f.create(ROOT, vec![p("name", &["probe"])]);
    assert_eq!(probe, (0..).find(|o| !after.contains_key(o)).unwrap());
    for (object, d) in after.iter().filter(|(o, _)| **o != ROOT) {
        let view = f.domain.read(&f.root).unwrap();
        if let Some(name) = d.properties.iter().find(|p| p.name == b"name").and_then(|p| p.values.first()) {
            assert!(view.lookup(d.parent, b"name", name).unwrap().contains(object));
        }
    }
    let report = f.domain.repair(&f.root, &mut Findings::default()).unwrap();
    assert!(!report.repaired && report.findings == 0);
    let f = f.reopen(|_| {});
    assert_clean(&f.domain);
    f.write(Change::Destroy { parent: Target::any(ROOT), child: Target::any(probe) }).unwrap();
    Repaired { f, before, after }
}

fn key(object: u32) -> [u8; 4] {
    object.to_be_bytes()
}

fn child_key(raw: &Raw, txn: &RwTxn<'_>, object: u32) -> Vec<u8> {
    let record = raw.get(txn, "records", &key(object));
    let parent = u32::from_le_bytes(record[16..20].try_into().unwrap());
    let position = u64::from_le_bytes(record[24..32].try_into().unwrap());
    [&key(parent)[..], &position.to_be_bytes()].concat()
}

/// Writes another parent into a record; nothing else.
fn set_parent(raw: &Raw, txn: &mut RwTxn<'_>, object: u32, parent: u32) {
    raw.edit_record(txn, object, |b| b[16..20].copy_from_slice(&parent.to_le_bytes()));
}

#[test]
fn a_flipped_byte_in_a_leafs_record() {
    let r = damaged(&["index", "link", "record", "state", "values"], |raw, txn, e| {
        let mut bytes = raw.get(txn, "records", &key(e.alice));
        bytes[40] ^= 4;
        raw.put(txn, "records", &key(e.alice), &bytes);
    });
    let alice = r.before.values().position(|d| d.properties.contains(&p("name", &["alice"]))).unwrap();
    let lost: Vec<u32> = r.before.keys().copied().filter(|o| !r.after.contains_key(o)).collect();
    assert_eq!(lost, [alice as u32]);
    r.kept_all_but(&lost);
    // Its bytes are put aside, as they were.
    let (before, dir) = (r.before.clone(), r.f.close());
    let kept = with_store(&at(dir.path()), |raw, txn| raw.dump(txn, "quarantine"));
    assert_eq!(kept.len(), 1);
    assert_eq!(kept[0].0, key(lost[0]));
    assert!(!before[&lost[0]].properties.is_empty() && kept[0].1.len() > 36);
}

#[test]
fn a_flipped_byte_in_a_branchs_record_costs_the_branch_nothing_else() {
    let mut children = vec![];
    let mut users = 0;
    let r = damaged(&["index", "link", "orphan", "record", "state", "values"], |raw, txn, e| {
        let mut bytes = raw.get(txn, "records", &key(e.users));
        bytes[0] ^= 1;
        raw.put(txn, "records", &key(e.users), &bytes);
        (users, children) = (e.users, vec![e.alice, e.bob]);
    });
    r.kept_all_but(&[users]);
    assert_eq!(r.lost_and_found(), children);
    // /groups/staff/sub is where it was.
    let view = r.f.domain.read(&r.f.root).unwrap();
    assert!(view.path(&[b"groups", b"staff", b"sub"]).unwrap().is_some());
}

#[test]
fn a_sealed_record_that_is_nonsense() {
    type Edit = fn(&mut Vec<u8>);
    let edits: [Edit; 5] = [
        |b| b[32] += 1,                            // one property more than there are
        |b| b[6] = 1,                              // a reserved byte
        |b| b.push(0),                             // something behind the end
        |b| b[5] ^= 1,                             // secrets that are not there
        |b| b[36..40].copy_from_slice(&[0xFF; 4]), // a property longer than the record
    ];
    for (i, edit) in edits.into_iter().enumerate() {
        let (f, e) = example();
        let dir = f.close();
        with_store(&at(dir.path()), |raw, txn| raw.edit_record(txn, e.staff, edit));
        let node = open(dir.path(), options());
        let domain = node.domain("local").unwrap();
        let found = kinds(&domain);
        // Secrets that are promised and missing are reported as such.
        assert!(found.contains(if i == 3 { &"secrets" } else { &"record" }), "{i}: {found:?}");
        // Reading it does not hurt.
        let view = domain.read(&internal(&domain)).unwrap();
        if let Ok(record) = view.record(e.staff) {
            record.properties().for_each(|p| assert!(p.values.len() < 100));
        }
        drop(view);
        domain.repair(&internal(&domain), &mut Findings::default()).unwrap();
        assert_clean(&domain);
    }
}

#[test]
fn a_missing_index_entry() {
    damaged(&["index"], |raw, txn, e| {
        let term = [&key(e.users)[..], &[0, 5], b"shell/bin/sh"].concat();
        raw.delete(txn, "index", &term);
    })
    .unchanged();
}

#[test]
fn a_stray_index_entry() {
    damaged(&["index"], |raw, txn, e| {
        let term = [&key(e.users)[..], &[0, 4], b"nameghost"].concat();
        raw.put(txn, "index", &term, &key(e.bob));
    })
    .unchanged();
    // As many as there should be, but another one.
    damaged(&["index"], |raw, txn, e| {
        let term = |value: &str| [&key(e.users)[..], &[0, 4], b"name", value.as_bytes()].concat();
        raw.delete(txn, "index", &term("bob"));
        raw.put(txn, "index", &term("eve"), &key(e.bob));
    })
    .unchanged();
}

#[test]
fn a_wrong_number_of_children() {
    let mut users = 0;
    let r = damaged(&["link"], |raw, txn, e| {
        raw.edit_record(txn, e.users, |b| b[20] += 1);
        users = e.users;
    });
    r.kept_all_but(&[]);
    // Repair changed that directory, so its instance says so.
    assert_eq!(r.after[&users].instance, r.before[&users].instance + 1);
}

#[test]
fn a_child_that_is_not_listed() {
    damaged(&["link"], |raw, txn, e| {
        let key = child_key(raw, txn, e.bob);
        raw.delete(txn, "children", &key);
    })
    .unchanged();
}

#[test]
fn a_child_that_is_listed_twice() {
    damaged(&["link"], |raw, txn, e| {
        let stray = [&key(e.groups)[..], &5u64.to_be_bytes()].concat();
        raw.put(txn, "children", &stray, &key(e.bob));
    })
    .unchanged();
}

#[test]
fn a_listed_child_that_does_not_exist() {
    damaged(&["link"], |raw, txn, e| {
        let stray = [&key(e.groups)[..], &5u64.to_be_bytes()].concat();
        raw.put(txn, "children", &stray, &key(77));
    })
    .unchanged();
    damaged(&["link"], |raw, txn, e| {
        let stray = [&key(78)[..], &5u64.to_be_bytes()].concat();
        raw.put(txn, "children", &stray, &key(e.bob));
    })
    .unchanged();
}

#[test]
fn an_orphan() {
    let mut staff = 0;
    let r = damaged(&["index", "link", "orphan"], |raw, txn, e| {
        set_parent(raw, txn, e.staff, 77);
        staff = e.staff;
    });
    r.kept_all_but(&[]);
    assert_eq!(r.lost_and_found(), [staff]);
    // What hangs below it stays there.
    assert_eq!(r.after[&staff].children, r.before[&staff].children);
}

/// The lowest id of the lost branch is not its top: only the top moves.
#[test]
fn an_orphans_children_stay_with_it_whatever_their_ids() {
    let f = Fixture::new("local");
    let low = f.create(ROOT, vec![]);
    let high = f.create(ROOT, vec![p("name", &["high"])]);
    f.write(Change::Destroy { parent: Target::any(ROOT), child: Target::any(low) }).unwrap();
    assert_eq!(f.create(high, vec![p("name", &["low"])]), low);
    let dir = f.close();
    with_store(&at(dir.path()), |raw, txn| set_parent(raw, txn, high, 77));
    let node = open(dir.path(), options());
    let domain = node.domain("local").unwrap();
    let root = internal(&domain);
    domain.repair(&root, &mut Findings::default()).unwrap();
    assert_clean(&domain);
    let view = domain.read(&root).unwrap();
    let path = [LOST_AND_FOUND.as_bytes(), b"high", b"low"];
    assert_eq!(view.path(&path).unwrap(), Some(low));
}

#[test]
fn a_loop_of_two() {
    let mut loop_of = (0, 0);
    let r = damaged(&["index", "link", "orphan"], |raw, txn, e| {
        // /groups and /groups/staff have each other as parents; the links are as they would be.
        let position = raw.get(txn, "records", &key(e.groups))[24..32].to_vec();
        let old = child_key(raw, txn, e.groups);
        raw.delete(txn, "children", &old);
        set_parent(raw, txn, e.groups, e.staff);
        let place: Vec<u8> = position.into_iter().rev().collect();
        raw.put(txn, "children", &[&key(e.staff)[..], &place].concat(), &key(e.groups));
        loop_of = (e.groups, e.staff);
    });
    r.kept_all_but(&[]);
    let (groups, staff) = loop_of;
    assert_eq!(r.lost_and_found(), [groups]);
    assert_eq!(r.after[&groups].children, [staff]);
    assert_eq!(r.after[&staff].children.len(), 1);
}

#[test]
fn a_directory_that_is_its_own_parent() {
    let mut staff = 0;
    let r = damaged(&["index", "link", "orphan"], |raw, txn, e| {
        set_parent(raw, txn, e.staff, e.staff);
        staff = e.staff;
    });
    assert_eq!(r.lost_and_found(), [staff]);
    r.kept_all_but(&[]);
}

#[test]
fn lost_secrets_lock_the_user_out() {
    type Damage = fn(&Raw, &mut RwTxn<'_>, &Example);
    let ways: [Damage; 3] = [
        |raw, txn, e| raw.delete(txn, "secrets", &key(e.alice)),
        |raw, txn, e| {
            let mut bytes = raw.get(txn, "secrets", &key(e.alice));
            bytes[9] ^= 1;
            raw.put(txn, "secrets", &key(e.alice), &bytes);
        },
        |raw, txn, e| raw.delete(txn, "secrets", &key(e.bob)),
    ];
    for (way, damage) in ways.into_iter().enumerate() {
        let (mut victim, mut uid) = (0, 501);
        let r = damaged(&["secrets"], |raw, txn, e| {
            damage(raw, txn, e);
            (victim, uid) = if way == 2 { (e.bob, 502) } else { (e.alice, 501) };
        });
        r.kept_all_but(&[victim]);
        let passwd = r.after[&victim].properties.iter().find(|p| p.name == b"passwd").unwrap();
        assert_eq!(*passwd, p("passwd", &["*"]));
        assert_eq!(r.after[&victim].instance, r.before[&victim].instance + 1);
        for password in ["password", "*", ""] {
            let credentials = Credentials::UidPassword { uid, password: password.as_bytes() };
            refused!(r.f.domain.authenticate(credentials, from("127.0.0.1", false)), Error::Authentication);
        }
    }
}

#[test]
fn secrets_that_do_not_match_their_record() {
    let r = damaged(&["record"], |raw, txn, e| {
        let mut bytes = raw.get(txn, "secrets", &key(e.alice));
        bytes.extend([0; 4]);
        seal(&key(e.alice), &mut bytes);
        raw.put(txn, "secrets", &key(e.alice), &bytes);
    });
    assert_eq!(r.before.len(), r.after.len() + 1);
}

#[test]
fn secrets_of_nobody() {
    damaged(&["secrets"], |raw, txn, e| {
        let mut bytes = vec![0; 8];
        seal(&key(e.staff), &mut bytes);
        raw.put(txn, "secrets", &key(e.staff), &bytes);
    })
    .unchanged();
}

#[test]
fn a_wrong_checksum_or_count_in_the_state() {
    damaged(&["state"], |raw, txn, _| raw.edit_state(txn, |b| b[28] ^= 1)).unchanged();
    damaged(&["state"], |raw, txn, _| raw.edit_state(txn, |b| b[56] += 1)).unchanged();
}

#[test]
fn a_wrong_list_of_free_ids() {
    damaged(&["free"], |raw, txn, e| raw.put(txn, "free", &key(e.bob), &[])).unchanged();
    damaged(&["free"], |raw, txn, _| {
        let first = raw.dump(txn, "free")[0].0.clone();
        raw.delete(txn, "free", &first);
    })
    .unchanged();
    damaged(&["free"], |raw, txn, _| raw.put(txn, "free", &key(5000), &[])).unchanged();
    damaged(&["free"], |raw, txn, _| raw.edit_state(txn, |b| b[32] += 1)).unchanged();
    damaged(&["free"], |raw, txn, _| raw.edit_state(txn, |b| b[32] -= 1)).unchanged();
}

#[test]
fn wrong_store_versions() {
    let version = |raw: &Raw, txn: &RwTxn<'_>, object: u32| {
        let record = raw.get(txn, "records", &key(object));
        record[12..16].iter().rev().copied().collect::<Vec<u8>>()
    };
    damaged(&["version"], |raw, txn, e| {
        let key = version(raw, txn, e.bob);
        raw.delete(txn, "versions", &key);
    })
    .unchanged();
    damaged(&["version"], |raw, txn, e| {
        let bob = version(raw, txn, e.bob);
        raw.put(txn, "versions", &bob, &key(e.alice));
    })
    .unchanged();
    damaged(&["version"], |raw, txn, e| raw.put(txn, "versions", &key(9000), &key(e.alice))).unchanged();
}

#[test]
fn a_bad_feed() {
    damaged(&["feed"], |raw, txn, _| {
        let (key, mut bytes) = raw.dump(txn, "changes").swap_remove(4);
        bytes[20] ^= 1;
        raw.put(txn, "changes", &key, &bytes);
    })
    .unchanged();
    damaged(&["feed"], |raw, txn, _| raw.delete(txn, "changes", &5u64.to_be_bytes())).unchanged();
    damaged(&["feed"], |raw, txn, _| {
        let (key, _) = raw.dump(txn, "changes").pop().unwrap();
        raw.delete(txn, "changes", &key);
    })
    .unchanged();
    damaged(&["feed"], |raw, txn, _| {
        let (_, bytes) = raw.dump(txn, "changes").pop().unwrap();
        raw.put(txn, "changes", &900u64.to_be_bytes(), &bytes);
    })
    .unchanged();
    damaged(&["feed"], |raw, txn, _| raw.edit_state(txn, |b| b[48] += 1)).unchanged();
}

/// The root's children name it as their parent still, so they stay where they are; its own properties are lost.
#[test]
fn a_lost_root_is_made_anew() {
    let r = damaged(&["link", "orphan", "record", "state", "values"], |raw, txn, _| {
        let mut bytes = raw.get(txn, "records", &key(0));
        bytes[10] ^= 1;
        raw.put(txn, "records", &key(0), &bytes);
    });
    r.kept_all_but(&[0]);
    assert_eq!(r.after[&0].children, r.before[&0].children);
    assert!(r.after[&0].properties.is_empty());
    let r = damaged(
        &["free", "link", "orphan", "record", "stamp", "state", "values", "version"],
        |raw, txn, _| {
            raw.delete(txn, "records", &key(0));
        },
    );
    r.kept_all_but(&[0]);
    assert_eq!(r.after[&0].children, r.before[&0].children);
}

/// A network domain whose root is gone has no master any more: it is not served, but rescued and repaired.
#[test]
fn a_lost_root_of_a_network_domain() {
    let f = Fixture::new("network");
    let kept = f.create(ROOT, vec![p("name", &["kept"])]);
    let dir = f.close();
    with_store(&dir.path().join("network.domain"), |raw, txn| raw.put(txn, "records", &key(0), b"junk"));
    let (node, failed) = Node::open(dir.path(), options(), false).unwrap();
    assert!(matches!(&failed[..], [(tag, Error::Damaged(_))] if tag == "network"), "{failed:?}");
    let domain = node.rescue("network").unwrap();
    let root = internal(&domain);
    assert!(domain.repair(&root, &mut Findings::default()).unwrap().repaired);
    assert_clean(&domain);
    let view = domain.read(&root).unwrap();
    assert_eq!(view.child_named(ROOT, b"kept").unwrap(), Some(kept));
    refused!(node.rescue("other"), Error::NoSuchDomain(_));
    refused!(node.rescue("../network"), Error::BadTag(_));
}

#[test]
fn reading_what_is_damaged_says_so_and_hurts_nothing_else() {
    let (f, e) = example();
    let dir = f.close();
    with_store(&at(dir.path()), |raw, txn| {
        let mut bytes = raw.get(txn, "records", &key(e.alice));
        bytes[40] ^= 4;
        raw.put(txn, "records", &key(e.alice), &bytes);
    });
    let node = open(dir.path(), options());
    let domain = node.domain("local").unwrap();
    let root = internal(&domain);
    let view = domain.read(&root).unwrap();
    refused!(view.record(e.alice).map(drop), Error::Damaged(_));
    assert!(view.record(e.bob).is_ok());
    assert_eq!(view.child_named(e.users, b"bob").unwrap(), Some(e.bob));
    drop(view);
    let write = |object| Change::Write { directory: Target::any(object), properties: vec![] };
    refused!(write_to(&domain, write(e.alice)), Error::Damaged(_));
    write_to(&domain, write(e.bob)).unwrap();
    refused!(domain.backup(&root, &mut Vec::new(), &mut |_, _| {}).map(drop), Error::Damaged(_));
}

fn write_to(domain: &Domain, change: Change) -> netinfo_directory::Result<netinfo_directory::Outcome> {
    write(domain, &internal(domain), change)
}
