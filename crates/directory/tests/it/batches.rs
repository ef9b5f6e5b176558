//! Batches, and domains that are filled.

use std::collections::BTreeMap;

use netinfo_directory::{Batch, Change, Error, Filled, Property, ROOT, Result, StampBuf, Target, Term};

use crate::support::{Fixture, NOW, assert_clean};

fn create(parent: u32, name: &str) -> Change {
    let properties = vec![Property::new("name", [name])];
    Change::Create { parent: Target::any(parent), properties, position: u32::MAX }
}

#[test]
fn a_batch_sees_what_it_has_done_and_keeps_it() {
    let fixture = Fixture::new("local");
    let (object, users) = fixture
        .domain
        .batch(&fixture.root, NOW, |batch| {
            let users = batch.apply(create(ROOT, "users"))?.created.unwrap().object;
            let ana = batch.apply(create(users, "ana"))?.created.unwrap().object;
            assert_eq!(batch.lookup(users, b"name", b"ana")?, [ana]);
            assert_eq!(batch.lookup(users, b"passwd", b"ana")?, [0; 0]);
            assert_eq!(batch.children(users)?, [ana]);
            assert_eq!(batch.properties(ana)?, [Property::new("name", ["ana"])]);
            // A refusal leaves the rest alone.
            let refused =
                batch.apply(Change::Destroy { parent: Target::any(ROOT), child: Target::any(users) });
            assert!(matches!(refused, Err(Error::NotEmpty)));
            assert!(matches!(batch.properties(9999), Err(Error::NoSuchDirectory)));
            assert_eq!(batch.id(users)?.instance, 1);
            Ok((ana, users))
        })
        .unwrap();
    let view = fixture.domain.read(&fixture.root).unwrap();
    assert_eq!(view.path(&[b"users", b"ana"]).unwrap(), Some(object));
    assert_eq!(view.parent(object).unwrap(), users);
}

#[test]
fn a_batch_that_fails_or_is_discarded_leaves_nothing() {
    let fixture = Fixture::new("local");
    let sequence = || fixture.domain.read(&fixture.root).unwrap().sequence().unwrap();
    let before = sequence();
    let failed = fixture.domain.batch(&fixture.root, NOW, |batch| {
        batch.apply(create(ROOT, "users"))?;
        Err::<(), _>(Error::Busy)
    });
    assert!(matches!(failed, Err(Error::Busy)));
    fixture
        .domain
        .batch(&fixture.root, NOW, |batch| {
            batch.apply(create(ROOT, "users"))?;
            batch.discard();
            Ok(())
        })
        .unwrap();
    assert_eq!(sequence(), before);
    assert_eq!(fixture.domain.read(&fixture.root).unwrap().path(&[b"users"]).unwrap(), None);
}

/// Changes as an import makes them, and others in between; some are refused.
fn import_like(random: &mut impl FnMut(u32) -> u32, first: u32, made: u32) -> Change {
    let any = |random: &mut dyn FnMut(u32) -> u32| Target::any(first + random(made + 1 - first));
    let parent = Target::any(first + random(2));
    let stamp =
        |n: u32| StampBuf { uuid: [n as u8; 16], created: 1, modified: u64::from(n), ..StampBuf::default() };
    match random(10) {
        0 => Change::Destroy { parent, child: any(random) },
        1 => Change::Move {
            from: parent,
            child: any(random),
            to: Target::any(first + random(2)),
            position: random(3),
        },
        2 => Change::Write {
            directory: any(random),
            properties: vec![Property::new("k", [random(9).to_string()])],
        },
        3 => Change::SetStamp { directory: any(random), stamp: stamp(1 + random(199)) },
        4 | 5 => Change::SetStamp { directory: Target::any(made), stamp: stamp(1 + random(199)) },
        _ => {
            let parent = if random(9) == 0 { any(random) } else { parent };
            let position = if random(3) == 0 { random(4) } else { u32::MAX };
            Change::Create { parent, properties: vec![Property::new("name", [made.to_string()])], position }
        }
    }
}

#[test]
fn a_batch_makes_what_single_changes_make() {
    let (one, many) = (Fixture::new("local"), Fixture::new("local"));
    let parents = [&one, &many].map(|fixture| [fixture.create(ROOT, vec![]), fixture.create(ROOT, vec![])]);
    let first = parents[0][0];
    assert_eq!(parents, [[first, first + 1]; 2]);
    let mut state = 7u64;
    let mut random = move |below: u32| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as u32 % below
    };
    let work = move |batch: &mut Batch<'_, '_, '_>| {
        let (mut told, mut made) = (Vec::new(), first + 1);
        for _ in 0..1500 {
            let change = import_like(&mut random, first, made);
            let result = batch.apply(change.clone());
            made = result.as_ref().ok().and_then(|o| o.created).map_or(made, |id| id.object.max(made));
            let parent = first + random(2);
            told.push((change, result.map_err(|e| e.to_string()), parent, batch.id(parent)?));
        }
        Ok(told)
    };
    let told = many.domain.batch(&many.root, NOW, work).unwrap();
    let refused = told.iter().filter(|(_, result, ..)| result.is_err()).count();
    assert!((100..1000).contains(&refused), "{refused}");
    for (change, expected, parent, id) in told {
        let result = one.domain.write_blocking(&one.root, vec![change.clone()], NOW);
        assert_eq!(result.map(|list| list[0]).map_err(|e| e.to_string()), expected, "{change:?}");
        assert_eq!(one.domain.read(&one.root).unwrap().id(parent).unwrap(), id);
    }
    let told = |fixture: &Fixture| {
        assert_clean(&fixture.domain);
        let view = fixture.domain.read(&fixture.root).unwrap();
        let mut list = Vec::new();
        view.walk(|record, children| {
            let object = record.id().object;
            let stamp = view.stamp(object)?;
            // Nobody knows the uuids that have been made.
            let given = (stamp.created == 1).then_some((stamp.uuid, stamp.modified));
            list.push((record.id(), children.to_vec(), record.child_count(), given, stamp.created != 0));
            Ok(true)
        })
        .unwrap();
        let mut feed = Vec::new();
        fixture.domain.changes(&fixture.root, 0, usize::MAX, |change| feed.push(change)).unwrap();
        (list, feed, view.checksum().unwrap())
    };
    assert_eq!(told(&one), told(&many));
}

/// Directories below two others, by object id: which of the two, and the values of `k`.
type Expected = BTreeMap<u32, (u32, Vec<String>)>;

/// Makes one change that `random` chooses, in a batch and in what is expected of it.
fn step(
    batch: &mut Batch<'_, '_, '_>,
    expected: &mut Expected,
    parents: [u32; 2],
    mut random: impl FnMut(usize) -> usize,
) -> Result<()> {
    let values: Vec<String> = (0..random(4)).map(|_| format!("value {}", random(30))).collect();
    let properties = vec![Property::new("k", values.clone()), Property::new("passwd", ["x"])];
    let (kind, parent) = (random(8), parents[random(2)]);
    let chosen = expected.keys().nth(random(expected.len().max(1))).copied();
    match chosen {
        Some(object) if kind == 0 => {
            let (parent, child) = (Target::any(expected[&object].0), Target::any(object));
            batch.apply(Change::Destroy { parent, child })?;
            expected.remove(&object);
        }
        Some(object) if kind == 1 => {
            let (from, child) = (Target::any(expected[&object].0), Target::any(object));
            batch.apply(Change::Move { from, child, to: Target::any(parent), position: 0 })?;
            expected.get_mut(&object).unwrap().0 = parent;
        }
        Some(object) if kind < 4 => {
            batch.apply(Change::Write { directory: Target::any(object), properties })?;
            expected.get_mut(&object).unwrap().1 = values;
        }
        _ => {
            let parent_target = Target::any(parent);
            let change = Change::Create { parent: parent_target, properties, position: u32::MAX };
            let object = batch.apply(change)?.created.unwrap().object;
            expected.insert(object, (parent, values));
        }
    }
    Ok(())
}

#[test]
fn batches_of_any_size_are_found_at_once_and_afterwards() {
    let fixture = Fixture::new("local");
    let parents = [fixture.create(ROOT, vec![]), fixture.create(ROOT, vec![])];
    let mut expected = Expected::new();
    let mut state = 0x9E37_79B9_u64;
    let mut random = move |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % below
    };
    // Small ones leave notes, large ones make their entries and those of the notes.
    for size in [5, 20, 100, 3, 200, 40] {
        let mut known = expected.clone();
        let mut choose = random;
        expected = fixture
            .domain
            .batch(&fixture.root, NOW, move |batch| {
                for _ in 0..size {
                    step(batch, &mut known, parents, &mut choose)?;
                    let (parent, value) = (parents[choose(2)], format!("value {}", choose(30)));
                    let has = |(_, (above, values)): &(&u32, &(u32, Vec<String>))| {
                        *above == parent && values.contains(&value)
                    };
                    let found: Vec<u32> = known.iter().filter(has).map(|(object, _)| *object).collect();
                    assert_eq!(batch.lookup(parent, b"k", value.as_bytes())?, found);
                }
                Ok(known)
            })
            .unwrap();
        random(2);
        assert_clean(&fixture.domain);
        let view = fixture.domain.read(&fixture.root).unwrap();
        for (object, (parent, values)) in &expected {
            for value in values {
                assert!(view.lookup(*parent, b"k", value.as_bytes()).unwrap().contains(object));
                let mut found = roaring::RoaringBitmap::new();
                let term = Term::Equal { property: b"k", value: value.as_bytes() };
                view.collect(term, &mut found).unwrap();
                assert!(found.contains(*object));
            }
        }
    }
}

#[test]
fn a_domain_is_filled_in_the_order_of_its_ids() {
    let fixture = Fixture::new("local");
    let uuid = [7; 16];
    let stamp = StampBuf { uuid, created: 5, modified: 6, creator: b"x".to_vec(), modifier: b"y".to_vec() };
    let directory = |parent: u32, name: &str| Filled {
        parent,
        properties: vec![Property::new("name", [name])],
        stamp: None,
    };
    let mut directories = vec![
        directory(ROOT, "root"),
        directory(ROOT, "users"),
        directory(1, "ana"),
        directory(ROOT, "groups"),
        Filled { stamp: Some(stamp.clone()), ..directory(1, "bo") },
        Filled { stamp: Some(StampBuf { uuid: [0; 16], ..stamp.clone() }), ..directory(ROOT, "cy") },
    ]
    .into_iter();
    let count = fixture.domain.fill(&fixture.root, move || Ok(directories.next())).unwrap();
    assert_eq!(count, 6);
    let view = fixture.domain.read(&fixture.root).unwrap();
    let children = |object| view.children(object).unwrap().map(Result::unwrap).collect::<Vec<u32>>();
    assert_eq!((children(ROOT), children(1)), (vec![1, 3, 5], vec![2, 4]));
    assert_eq!(view.record(1).unwrap().child_count(), 2);
    assert_eq!(view.lookup(1, b"name", b"bo").unwrap(), [4]);
    assert_eq!((view.by_uuid(uuid).unwrap(), view.stamp(4).unwrap()), (Some(4), stamp.as_stamp()));
    let derived = view.stamp(5).unwrap();
    assert_eq!((derived.created, view.by_uuid(derived.uuid).unwrap()), (5, Some(5)), "{derived:?}");
    drop(view);
    fixture.write(create(1, "cy")).unwrap();
    assert_clean(&fixture.domain);
}

#[test]
fn what_cannot_be_filled_changes_nothing() {
    let fixture = Fixture::new("local");
    let before = fixture.domain.read(&fixture.root).unwrap().checksum().unwrap();
    let filled = |parents: Vec<u32>| {
        let mut parents = parents.into_iter();
        let next =
            move || Ok(parents.next().map(|parent| Filled { parent, properties: vec![], stamp: None }));
        fixture.domain.fill(&fixture.root, next).unwrap_err().to_string()
    };
    assert!(filled(vec![]).contains("no root directory"));
    assert!(filled(vec![0, 2, 0]).contains("stands below 2, which is not there"));
    assert!(filled(vec![0, 1]).contains("stands below 1, which is not there"));
    assert_eq!(fixture.domain.read(&fixture.root).unwrap().checksum().unwrap(), before);
}
