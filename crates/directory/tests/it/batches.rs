//! Batches, and domains that are filled.

use netinfo_directory::{Change, Error, Filled, Property, ROOT, StampBuf, Target};

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
    ]
    .into_iter();
    let count = fixture.domain.fill(&fixture.root, move || Ok(directories.next())).unwrap();
    assert_eq!(count, 5);
    let view = fixture.domain.read(&fixture.root).unwrap();
    let children = |object| view.children(object).unwrap().map(Result::unwrap).collect::<Vec<u32>>();
    assert_eq!((children(ROOT), children(1)), (vec![1, 3], vec![2, 4]));
    assert_eq!(view.record(1).unwrap().child_count(), 2);
    assert_eq!(view.lookup(1, b"name", b"bo").unwrap(), [4]);
    assert_eq!((view.by_uuid(uuid).unwrap(), view.stamp(4).unwrap()), (Some(4), stamp.as_stamp()));
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
