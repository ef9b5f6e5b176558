//! What is remembered of the indexes is right for every snapshot, however reads and writes fall together.

use std::io::Cursor;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use netinfo_directory::{Change, Property, RecordRef, Session, Target, Term, View};
use roaring::RoaringBitmap;

use crate::support::*;

const VALUES: [&str; 4] = ["a", "b", "c", "d"];

/// Asks one snapshot everything, also what it has been asked before, and returns how many had an answer.
fn ask(view: &View<'_>, directories: &[u32]) -> usize {
    let mut answers = 0;
    for &directory in directories {
        let children: Vec<u32> = view.children(directory).unwrap().map(|child| child.unwrap()).collect();
        for value in VALUES {
            let has = |child: &u32| {
                let record = view.record(*child).unwrap();
                record.property(b"k").is_some_and(|p| p.values.contains(value.as_bytes()))
            };
            let expected: Vec<u32> = children.iter().copied().filter(has).collect();
            let value = value.as_bytes();
            assert_eq!(view.lookup(directory, b"k", value).unwrap(), expected);
            assert_eq!(view.lookup_first(directory, b"k", value).unwrap(), expected.first().copied());
            assert_eq!(view.lookup(directory, b"k", value).unwrap(), expected, "asked again");
            answers += usize::from(!expected.is_empty());
        }
    }
    answers
}

/// The candidates for a value, wherever they are.
fn candidates(view: &View<'_>, property: &[u8], value: &[u8]) -> RoaringBitmap {
    let mut found = RoaringBitmap::new();
    view.collect(Term::Equal { property, value }, &mut found).unwrap();
    found
}

/// Asks one snapshot who has which value, in the whole domain, and returns how many answers had nobody to spare.
fn ask_anywhere(view: &View<'_>) -> usize {
    let objects = 0..=view.highest_object().unwrap();
    let records: Vec<_> = objects.filter_map(|object| view.record(object).ok()).collect();
    let mut exact = 0;
    for value in VALUES {
        let value = value.as_bytes();
        let has = |record: &&RecordRef<'_>| {
            record
                .properties()
                .any(|p| p.name.split(|b| *b == b';').next() == Some(b"k") && p.values.contains(value))
        };
        let expected: RoaringBitmap = records.iter().filter(has).map(|r| r.id().object).collect();
        for property in [&b"k"[..], b"K"] {
            let found = candidates(view, property, &value.to_ascii_uppercase());
            assert!(found.is_superset(&expected), "{found:?} has not all of {expected:?}");
            let again = candidates(view, property, value);
            assert!(again.is_superset(&expected), "asked again: {again:?} has not all of {expected:?}");
            exact += usize::from(again == expected);
        }
    }
    exact
}

/// The properties of a directory, in a form of the test's own.
fn written(record: &RecordRef<'_>, out: &mut Vec<u8>) {
    for property in record.properties() {
        out.extend_from_slice(property.name);
        property.values.for_each(|value| {
            out.push(b'=');
            out.extend_from_slice(value);
        });
        out.push(b'\n');
    }
}

/// Has every directory of a snapshot written twice: as the record says, and not a byte more.
fn ask_for_renderings(view: &View<'_>) {
    for object in 0..=view.highest_object().unwrap() {
        let record = view.record(object).ok();
        let expected = record.map(|record| {
            let mut out = b"before ".to_vec();
            written(&record, &mut out);
            (record.id(), out)
        });
        for _ in 0..2 {
            let mut out = b"before ".to_vec();
            let id = view.render(object, &mut out, written);
            assert_eq!(id.ok().map(|id| (id, out)), expected);
        }
    }
}

/// Makes the writer make all entries of the indexes.
fn settle(f: &Fixture, directory: u32) {
    f.domain
        .batch(&f.root, 1, move |batch| {
            for n in 0..100 {
                let properties = vec![Property::new("name", ["busy"]), Property::new("n", [n.to_string()])];
                batch.apply(Change::Write { directory: Target::any(directory), properties })?;
            }
            Ok(())
        })
        .unwrap();
}

/// A sequence of numbers that look random.
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (self.0 >> 33) as usize % n
    }
}

#[test]
fn answers_fit_their_snapshots() {
    let f = Fixture::new("x");
    let directories = [f.path(&["one"]), f.path(&["two"])];
    let busy = f.path(&["busy"]);
    let (done, asked) = (AtomicBool::new(false), AtomicUsize::new(0));
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                let mut old: Option<(View<'_>, View<'_>)> = None;
                while !done.load(Ordering::Relaxed) {
                    let view = f.domain.read(&f.root).unwrap();
                    asked.fetch_add(ask(&view, &directories), Ordering::Relaxed);
                    ask_anywhere(&view);
                    ask_for_renderings(&view);
                    let masked = f.domain.read(&f.anonymous()).unwrap();
                    ask_for_renderings(&masked);
                    // A snapshot from before is asked after newer ones have been.
                    if let Some((old, masked)) = old.replace((view, masked)) {
                        ask(&old, &directories);
                        ask_anywhere(&old);
                        ask_for_renderings(&old);
                        ask_for_renderings(&masked);
                    }
                }
            });
        }
        let mut dice = Dice(7);
        for step in 0..1500 {
            let directory = directories[dice.below(2)];
            let name = ["k", "k", "k", "k;lang-de"][dice.below(4)];
            let value = Property::new(name, [VALUES[dice.below(4)]]);
            let children = f.children(directory);
            let child = (!children.is_empty()).then(|| children[dice.below(children.len())]);
            match (dice.below(4), child) {
                (0, Some(child)) => {
                    f.write(Change::Destroy { parent: Target::any(directory), child: Target::any(child) })
                }
                (1, Some(child)) => {
                    let to = Target::any(directories[dice.below(2)]);
                    let (from, child) = (Target::any(directory), Target::any(child));
                    f.write(Change::Move { from, child, to, position: END })
                }
                (2, Some(child)) => {
                    f.write(Change::Write { directory: Target::any(child), properties: vec![value] })
                }
                _ if children.len() < 6 => f.write(create(directory, vec![value])),
                _ => continue,
            }
            .unwrap();
            // Now and then there is time to ask between two changes.
            if step % 16 == 0 {
                settle(&f, busy);
                let view = f.domain.read(&f.root).unwrap();
                ask(&view, &directories);
                assert_eq!(ask_anywhere(&view), 2 * VALUES.len(), "nothing is pending");
            }
        }
        done.store(true, Ordering::Relaxed);
    });
    assert!(asked.load(Ordering::Relaxed) > 0);
    assert_clean(&f.domain);
}

#[test]
fn answers_end_with_what_they_were_about() {
    let f = Fixture::new("x");
    let one = f.path(&["one"]);
    let first = f.create(one, vec![Property::new("k", ["a"])]);
    let mut backup = Vec::new();
    f.domain.backup(&f.root, &mut backup, &mut |_, _| {}).unwrap();
    let before = f.domain.read(&f.root).unwrap();
    let answer = |view: &View<'_>, value: &str| {
        let found = view.lookup_first(one, b"k", value.as_bytes()).unwrap();
        assert_eq!(candidates(view, b"k", value.as_bytes()).min(), found);
        found
    };
    assert_eq!(answer(&before, "a"), Some(first));

    f.write(Change::Write { directory: Target::any(first), properties: vec![Property::new("k", ["b"])] })
        .unwrap();
    let changed = f.domain.read(&f.root).unwrap();
    assert_eq!((answer(&changed, "a"), answer(&changed, "b")), (None, Some(first)));
    assert_eq!((answer(&before, "a"), answer(&before, "b")), (Some(first), None));

    // The whole tree at once.
    f.domain.restore(&f.root, Cursor::new(backup), |_, _| {}).unwrap();
    let restored = f.domain.read(&f.root).unwrap();
    assert_eq!((answer(&restored, "a"), answer(&restored, "b")), (Some(first), None));
    assert_eq!((answer(&changed, "a"), answer(&changed, "b")), (None, Some(first)));
    f.write(Change::Destroy { parent: Target::any(one), child: Target::any(first) }).unwrap();
    assert_eq!(answer(&f.domain.read(&f.root).unwrap(), "a"), None);
}

#[test]
fn what_some_may_not_see_is_not_remembered_for_them() {
    let f = Fixture::new("x");
    let user =
        f.create(f.path(&["one"]), vec![Property::new("name", ["u"]), Property::new("passwd", ["hash"])]);
    let rendered = |session: &Session| {
        let mut out = Vec::new();
        f.domain.read(session).unwrap().render(user, &mut out, written).unwrap();
        String::from_utf8(out).unwrap()
    };
    for _ in 0..2 {
        assert_eq!(rendered(&f.root), "name=u\npasswd=hash\n");
        assert_eq!(rendered(&f.anonymous()), "name=u\npasswd=********\n");
    }
}

#[test]
fn renderings_end_with_what_they_were_made_of() {
    let f = Fixture::new("x");
    let one = f.path(&["one"]);
    let first = f.create(one, vec![Property::new("k", ["a"])]);
    let mut backup = Vec::new();
    f.domain.backup(&f.root, &mut backup, &mut |_, _| {}).unwrap();
    let before = f.domain.read(&f.anonymous()).unwrap();
    ask_for_renderings(&before);
    let check = |change: Change| {
        f.write(change).unwrap();
        ask_for_renderings(&f.domain.read(&f.anonymous()).unwrap());
        ask_for_renderings(&before);
    };
    check(Change::Write { directory: Target::any(first), properties: vec![Property::new("k", ["b"])] });
    // Raises the instance of both parents and leaves their properties alone.
    check(create(first, vec![Property::new("k", ["c"])]));
    let to = Target::any(f.path(&["two"]));
    check(Change::Move { from: Target::any(one), child: Target::any(first), to, position: END });
    f.domain.restore(&f.root, Cursor::new(backup), |_, _| {}).unwrap();
    let restored = f.domain.read(&f.anonymous()).unwrap();
    ask_for_renderings(&restored);
    check(Change::Destroy { parent: Target::any(one), child: Target::any(first) });
    ask_for_renderings(&restored);
}
