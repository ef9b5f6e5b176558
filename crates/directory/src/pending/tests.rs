//! Pending entries, looked at before the writer makes them.

use proptest::prelude::*;
use roaring::RoaringBitmap;

use super::note::{NOTE_HEAD, properties};
use super::*;
use crate::access::Counters;
use crate::apply::{Applier, Policy};
use crate::change::Change;
use crate::check::{Finding, Observer, check};
use crate::model::Target;
use crate::session::{Principal, Session};
use crate::store::keys::child_key;
use crate::values::Term;
use crate::view::View;

const NAMES: [&[u8]; 3] = [b"name", b"cn", b"passwd"];

struct Fixture {
    store: Store,
    counters: Counters,
    _dir: tempfile::TempDir,
}

/// Collects what a check finds.
struct Findings(Vec<Finding>);

impl Observer for Findings {
    fn progress(&mut self, _: u64, _: u64) {}

    fn finding(&mut self, finding: Finding) {
        self.0.push(finding);
    }
}

impl Fixture {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(&dir.path().join("x"), 64 << 20, true).unwrap();
        let this = Self { store, counters: Counters::default(), _dir: dir };
        this.with(|applier| applier.create_root(1).unwrap());
        this
    }

    fn with<T>(&self, work: impl FnOnce(&mut Applier<'_, '_>) -> T) -> T {
        let policy = Policy { historical: false, feed_retention: 100 };
        let mut applier = Applier::begin(&self.store, &self.store.env, &self.counters, policy).unwrap();
        let result = work(&mut applier);
        applier.commit().unwrap();
        result
    }

    fn apply(&self, change: Change) -> Result<crate::change::Outcome> {
        self.with(|applier| applier.apply(&Session::of(Principal::Superuser), change, 5))
    }

    fn create(&self, parent: u32, properties: Vec<Property>) -> u32 {
        let change = Change::Create { parent: Target::any(parent), properties, position: u32::MAX };
        self.apply(change).unwrap().created.unwrap().object
    }

    fn settle(&self) {
        self.with(|applier| settle(&self.store, &mut applier.txn).unwrap());
    }

    fn blocks(&self) -> Vec<Vec<u8>> {
        let txn = self.store.env.read_txn().unwrap();
        self.store.pending.iter(&txn).unwrap().map(|block| block.unwrap().1.to_vec()).collect()
    }

    /// Compares what the indexes say with what the records say.
    fn compare(&self) {
        let txn = self.store.env.read_txn().unwrap();
        let mut findings = Findings(Vec::new());
        check(&self.store, &txn, &mut findings).unwrap();
        assert_eq!(findings.0, []);
        let view = View::new(&self.store, false).unwrap();
        let records: Vec<_> = self.store.records.iter(&txn).unwrap().map(|e| be_u32(e.unwrap().0)).collect();
        for (name, value) in NAMES.iter().flat_map(|name| VALUES.iter().map(move |value| (*name, *value))) {
            let has = |object: &&u32| {
                let record = view.record(**object).unwrap();
                record.properties().any(|p| p.name == name && !p.secret && p.values.contains(value))
            };
            let mut found = RoaringBitmap::new();
            view.collect(Term::Equal { property: name, value }, &mut found).unwrap();
            assert!(records.iter().filter(has).all(|object| found.contains(*object)));
            for parent in &records {
                let expected = view.children(*parent).unwrap().map(Result::unwrap).filter(|child| {
                    let record = view.record(*child).unwrap();
                    !is_secret(name) && record.property(name).is_some_and(|p| p.values.contains(value))
                });
                let expected: Vec<_> = expected.collect();
                assert_eq!(view.lookup(*parent, name, value).unwrap(), expected);
                assert_eq!(view.lookup_first(*parent, name, value).unwrap(), expected.first().copied());
                let mut sorted = expected;
                sorted.sort_unstable();
                assert_eq!(children_with(&self.store, &txn, *parent, name, value).unwrap(), sorted);
            }
        }
    }
}

const VALUES: [&[u8]; 4] = [b"alice", b"Alice", b"bob", b"/home/x"];

/// The notes byte by byte, as the description of the format has them.
#[test]
fn notes_in_the_store() {
    let f = Fixture::new();
    f.settle();
    let alice = f.create(ROOT, vec![Property::new("name", ["Al"]), Property::new("passwd", ["secret"])]);
    let index = crc32c::crc32c(b"\0\0\0\0\0\x04nameAl");
    let values = crc32c::crc32c(b"\x04nameal\0");
    let mut notes = [&alice.to_le_bytes()[..], &[2, 0, 0xFF, 0xFF, 0xFF, 0xFF]].concat();
    notes.extend([index.to_le_bytes(), values.to_le_bytes()].concat());
    assert_eq!(f.blocks(), [[&crc32c::crc32c(&notes).to_le_bytes()[..], &notes].concat()]);
    f.compare();
    f.settle();
    assert!(f.blocks().is_empty());
    f.compare();

    let target = Target::any(alice);
    f.apply(Change::WriteProperty { directory: target, index: 0, values: vec![] }).unwrap();
    // None in front is the same, and one behind.
    let old = [&[0, 0, 1, 0, 4, 0, 0, 0][..], b"name", &[1, 0, 0, 0, 2, 0, 0, 0], b"Al"].concat();
    let notes = [&alice.to_le_bytes()[..], &[0, 0, old.len() as u8 - 4, 0, 0, 0x80], &old].concat();
    assert_eq!(f.blocks(), [[&crc32c::crc32c(&notes).to_le_bytes()[..], &notes].concat()]);
    f.compare();
    f.apply(Change::Destroy { parent: Target::any(ROOT), child: target }).unwrap();
    assert!(f.blocks().is_empty());
    f.compare();
}

/// Notes fill blocks, blocks are limited; who needs a long note gets none.
#[test]
fn blocks_are_limited() {
    let f = Fixture::new();
    let most = BLOCKS_LIMIT as usize * BLOCK / NOTE_HEAD;
    f.with(|applier| {
        let (mut largest, mut known) = (0, Known::default());
        for n in 0..most as u32 {
            let properties: Vec<_> = (0..60).map(|k| Property::new("k", [format!("{n} {k}")])).collect();
            enter(&f.store, &mut applier.txn, &mut known, 100 + n, ROOT, &properties[..]).unwrap();
            let blocks = f.store.pending.len(&applier.txn).unwrap();
            assert!(blocks <= BLOCKS_LIMIT);
            if blocks < largest {
                break;
            }
            largest = blocks;
        }
        assert_eq!(largest, BLOCKS_LIMIT);
        f.store.clear_tree(&mut applier.txn).unwrap();
        let long = [Property::new("k", (0..NOTE_LIMIT / 4 + 1).map(|n| n.to_string()))];
        enter(&f.store, &mut applier.txn, &mut Known::default(), 7, ROOT, &long).unwrap();
        assert!(is_empty(&f.store, &applier.txn).unwrap());
        assert_eq!(f.store.index.len(&applier.txn).unwrap(), NOTE_LIMIT as u64 / 4 + 1);
        f.store.clear_tree(&mut applier.txn).unwrap();
        (applier.state.directories, applier.state.next_object, applier.state.checksum) = (0, 0, 0);
        applier.create_root(1).unwrap();
    });
    let key = child_key(ROOT, 0);
    assert!(f.store.children.get(&f.store.env.read_txn().unwrap(), &key).unwrap().is_none());
    f.compare();
}

#[derive(Debug, Clone)]
enum Step {
    Create(u8, Vec<(usize, Vec<usize>)>),
    Write(u8, Vec<(usize, Vec<usize>)>),
    Move(u8, u8),
    Destroy(u8),
    Settle,
}

fn step() -> impl Strategy<Value = Step> {
    let list = || {
        let values = proptest::collection::vec(0..VALUES.len(), 0..3);
        proptest::collection::vec((0..NAMES.len(), values), 0..4)
    };
    prop_oneof![
        4 => (0..4u8, list()).prop_map(|(parent, list)| Step::Create(parent, list)),
        4 => (0..8u8, list()).prop_map(|(object, list)| Step::Write(object, list)),
        2 => (1..8u8, 0..8u8).prop_map(|(object, to)| Step::Move(object, to)),
        2 => (1..8u8).prop_map(Step::Destroy),
        1 => Just(Step::Settle),
    ]
}

fn listed(list: Vec<(usize, Vec<usize>)>) -> Vec<Property> {
    let property = |(name, values): (usize, Vec<usize>)| Property {
        name: NAMES[name].to_vec(),
        values: values.into_iter().map(|value| VALUES[value].to_vec()).collect(),
    };
    list.into_iter().map(property).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn pending_or_made_all_look_ups_are_right(steps in proptest::collection::vec(step(), 1..14)) {
        let f = Fixture::new();
        let parent = |object: u8| {
            let txn = f.store.env.read_txn().unwrap();
            let record = f.store.record(&txn, object.into()).unwrap();
            Target::any(record.map_or(0, |record| record.parent()))
        };
        for step in steps {
            // Refusals are as good as changes.
            let _ = match step {
                Step::Create(parent, list) => f.apply(Change::Create {
                    parent: Target::any(parent.into()),
                    properties: listed(list),
                    position: 0,
                }),
                Step::Write(object, list) => f.apply(Change::Write {
                    directory: Target::any(object.into()),
                    properties: listed(list),
                }),
                Step::Move(object, to) => f.apply(Change::Move {
                    from: parent(object),
                    child: Target::any(object.into()),
                    to: Target::any(to.into()),
                    position: 0,
                }),
                Step::Destroy(object) => {
                    f.apply(Change::Destroy { parent: parent(object), child: Target::any(object.into()) })
                }
                Step::Settle => {
                    f.settle();
                    continue;
                }
            };
            f.compare();
        }
        f.settle();
        f.compare();
    }
}

#[test]
fn notes_one_behind_the_other() {
    let list = [Property::new("name", ["a", ""]), Property::new("passwd", ["secret"])];
    let mut old = Vec::new();
    put_properties(&list, &mut old);
    let mut hashes = Vec::new();
    put_hashes(7, 1, &[], &list, &mut hashes);
    assert_eq!(hashes.len() / 4, 4, "two in each index");
    let part = Part::of(&list, &list[1..]).unwrap();
    assert_eq!((part.differing(&list), part.differing(&list[1..])), (&list[..1], &[][..]));
    let mut first = Vec::new();
    put_properties(part.differing(&list), &mut first);
    let mut block = Vec::new();
    Note { object: 7, hashes: &hashes, indexed: None }.encode(&mut block);
    Note { object: 9, hashes: &[], indexed: Some(Indexed { part: None, bytes: &old }) }.encode(&mut block);
    let last = Note { object: 8, hashes: &[], indexed: Some(Indexed { part: Some(part), bytes: &first }) };
    let before = block.len();
    last.encode(&mut block);
    assert_eq!(block.len() - before, last.len());
    let all: Vec<_> = Notes(&block).collect();
    assert_eq!(all.iter().map(|note| note.object).collect::<Vec<_>>(), [7, 9, 8]);
    assert!(all[0].has(term_hash(&IndexKey::new(1, b"name", b"a"))) && all[0].fits(1, &[], &list));
    assert!(!all[0].has(term_hash(&IndexKey::new(2, b"name", b"a"))) && !all[0].fits(2, &[], &list));
    assert_eq!(all[0].entered(&list).unwrap(), None);
    let secret = Property { name: b"passwd".to_vec(), values: Vec::new() };
    assert_eq!(all[1].entered(&[]).unwrap().unwrap(), [list[0].clone(), secret]);
    assert!(all[1].fits(1, &list, &[]) && !all[1].fits(1, &[], &list));
    assert_eq!(all[2].entered(&list[1..]).unwrap().unwrap(), list);
    assert!(all[2].entered(&[]).is_err(), "the record has less than is said to be the same");
    assert!(all[2].fits(1, &list, &list[1..]) && !all[2].fits(1, &list[1..], &list));
}

/// A note of a store of format 3 has all properties, and the hashes of all entries.
#[test]
fn notes_of_an_older_store() {
    let f = Fixture::new();
    f.settle();
    let of = |name| vec![Property::new("name", [name]), Property::new("cn", ["bob"])];
    let object = f.create(ROOT, of("alice"));
    f.settle();
    f.apply(Change::Write { directory: Target::any(object), properties: of("Alice") }).unwrap();
    let (mut hashes, mut bytes) = (Vec::new(), Vec::new());
    put_hashes(object, ROOT, &[], &of("Alice"), &mut hashes);
    put_properties(&of("alice"), &mut bytes);
    let mut block = vec![0; 4];
    Note { object, hashes: &hashes, indexed: Some(Indexed { part: None, bytes: &bytes }) }.encode(&mut block);
    f.with(|applier| put_block(&f.store, &mut applier.txn, 0, block).unwrap());
    f.compare();
    f.apply(Change::Write { directory: Target::any(object), properties: of("bob") }).unwrap();
    f.compare();
    f.settle();
    f.compare();
}

/// Many changes in a transaction, of the same directories, too: each finds the note of the one before.
#[test]
fn what_is_known_of_the_notes_is_right() {
    let f = Fixture::new();
    let directory =
        |n: u32| vec![Property::new("name", [VALUES[n as usize % 3]]), Property::new("cn", ["x"])];
    let objects: Vec<_> = (0..150).map(|n| f.create(ROOT, directory(n))).collect();
    f.settle();
    let session = Session::of(Principal::Superuser);
    for round in 1..3 {
        f.with(|applier| {
            for (n, object) in objects.iter().enumerate().filter(|(n, _)| n % 3 != round) {
                let properties = directory(n as u32 + round as u32);
                let change = Change::Write { directory: Target::any(*object), properties };
                applier.apply(&session, change.clone(), 5).unwrap();
                applier.apply(&session, change, 5).unwrap();
            }
            let found = applier.known.places.clone().unwrap();
            applier.known.places = None;
            let place = applier.known.place(&f.store, &applier.txn, objects[0]).unwrap();
            assert_eq!(place, found.get(&objects[0]).copied());
            assert_eq!(applier.known.places.as_ref(), Some(&found));
        });
        assert!(f.blocks().len() > 1);
        f.compare();
    }
    // As they were in the beginning: there is nothing to make.
    for (n, object) in objects.iter().enumerate() {
        let (directory, properties) = (Target::any(*object), directory(n as u32));
        f.apply(Change::Write { directory, properties }).unwrap();
    }
    assert!(f.blocks().is_empty());
    f.compare();
}

proptest! {
    #[test]
    fn garbage_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..200), hash: u32) {
        for note in Notes(&bytes) {
            let _ = (note.has(hash), note.entered(&[]).is_ok(), note.fits(1, &[], &[]));
        }
        let _ = (properties(&bytes), body(&[], &bytes).is_ok());
    }
}
