//! Copies that go wrong leave everything as it was.

use std::sync::Arc;

use netinfo_client::domain::Transfer;
use netinfo_client::{Error as ClientError, Result as ClientResult};
use netinfo_directory::{Credentials, Domain, Id, Node, Options, Origin, Property, TransferObject};

use super::super::copy::{CheckError, Outcome, take};
use super::super::limits::COPY_QUEUE;

type Each<'a> = &'a mut dyn FnMut(TransferObject) -> ClientResult<()>;

struct Fixture {
    domain: Arc<Domain>,
    _node: Node,
    _dir: tempfile::TempDir,
}

impl Fixture {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let (node, _) =
            Node::open(dir.path(), Options { map_size: 1 << 26, ..Options::default() }, true).unwrap();
        let domain =
            node.create_clone("network", "alpha", "192.0.2.1".parse().unwrap(), "network", 0).unwrap();
        Self { domain, _node: node, _dir: dir }
    }

    fn checksum(&self) -> u32 {
        let session = self.domain.authenticate(Credentials::None, Origin::Internal).unwrap();
        self.domain.read(&session).unwrap().checksum().unwrap()
    }

    fn take(&self, read: impl FnOnce(Each<'_>) -> ClientResult<Transfer>) -> Result<Outcome, CheckError> {
        take(read, || Some(self.domain.clone()), || false)
    }
}

/// A root and `count` directories below it, instance 1 each.
fn tree(count: u32) -> Vec<TransferObject> {
    let id = |object| Id { object, instance: 1 };
    let mut all = vec![TransferObject {
        id: id(0),
        parent: 0,
        children: (1..=count).collect(),
        properties: vec![Property::new("master", ["alpha/network"])],
        stamp: None,
    }];
    all.extend((1..=count).map(|n| TransferObject {
        id: id(n),
        parent: 0,
        children: Vec::new(),
        properties: vec![Property::new("name", [n.to_string()])],
        stamp: None,
    }));
    all
}

fn checksum(count: u32) -> u32 {
    (1..=count + 1).sum()
}

fn transfer(checksum: u32, count: u32) -> Transfer {
    Transfer { checksum, highest_id: count, objects: u64::from(count) + 1 }
}

#[test]
fn a_copy_longer_than_the_queue() {
    let fixture = Fixture::new();
    let count = COPY_QUEUE as u32 * 4;
    let taken = fixture.take(|each| {
        // The order does not matter.
        tree(count).into_iter().rev().try_for_each(each)?;
        Ok(transfer(checksum(count), count))
    });
    assert_eq!(taken.unwrap(), Outcome::Copied { directories: u64::from(count) + 1 });
    assert_eq!(fixture.checksum(), checksum(count));
}

#[test]
fn a_copy_whose_checksum_is_0_is_a_copy() {
    let fixture = Fixture::new();
    let mut objects = tree(1);
    objects.iter_mut().for_each(|object| object.id.instance = 0);
    let taken = fixture.take(|each| {
        objects.into_iter().try_for_each(each)?;
        Ok(transfer(0, 1))
    });
    assert_eq!(taken.unwrap(), Outcome::Copied { directories: 2 });
    assert_eq!(fixture.checksum(), 0);
}

#[test]
fn what_cannot_be_used_changes_nothing() {
    let fixture = Fixture::new();
    let before = fixture.checksum();
    let wrong = fixture.take(|each| {
        tree(3).into_iter().try_for_each(each)?;
        Ok(transfer(checksum(3) + 1, 3))
    });
    assert!(
        matches!(&wrong, Err(CheckError::Core(error)) if error.to_string().contains("checksum")),
        "{wrong:?}"
    );

    let lost = fixture.take(|each| {
        tree(3).into_iter().try_for_each(each)?;
        Err(ClientError::Closed { endpoint: "master".into() })
    });
    assert!(matches!(lost, Err(CheckError::Master(ClientError::Closed { .. }))), "{lost:?}");

    let unfit = fixture.take(|each| {
        let mut objects = tree(COPY_QUEUE as u32 * 4);
        objects[1].parent = 2;
        objects.into_iter().try_for_each(each)?;
        Ok(transfer(1, 1))
    });
    assert!(
        matches!(&unfit, Err(CheckError::Core(error)) if error.to_string().contains("parent")),
        "{unfit:?}"
    );

    let empty = fixture.take(|_| Ok(transfer(7, 0)));
    assert!(matches!(empty, Err(CheckError::Core(_))), "{empty:?}");
    assert_eq!(fixture.take(|_| Ok(Transfer::default())).unwrap(), Outcome::Current);
    assert_eq!(fixture.checksum(), before);
}

#[test]
fn a_copy_stops_when_it_is_told_to_or_the_domain_is_gone() {
    let fixture = Fixture::new();
    let before = fixture.checksum();
    let read = |each: Each<'_>| {
        tree(3).into_iter().try_for_each(each)?;
        Ok(transfer(checksum(3), 3))
    };
    let left = std::cell::Cell::new(2);
    let stop = || {
        left.set(left.get() - 1);
        left.get() < 0
    };
    assert!(matches!(take(read, || Some(fixture.domain.clone()), stop), Err(CheckError::Stopped)));
    assert!(matches!(take(read, || None, || false), Err(CheckError::Stopped)));
    assert_eq!(fixture.checksum(), before);
}
