//! A new domain, and the protocol's worked example.

use netinfo_directory::{BY_VERSION, Change, Error, Id, ROOT, Role, Target, VERSION_OF};

use crate::support::*;

#[test]
fn a_new_master_is_as_the_protocol_says() {
    let f = Fixture::new("network");
    let picture = picture(&f.domain, &f.root);
    let plain = |instance, parent, children: &[u32], properties| Plain {
        instance,
        parent,
        children: children.to_vec(),
        properties,
    };
    assert_eq!(picture.len(), 3);
    assert_eq!(picture[&0], plain(3, 0, &[1], vec![p("master", &["host/network"])]));
    assert_eq!(picture[&1], plain(1, 0, &[2], vec![p("name", &["machines"])]));
    let host = vec![p("name", &["host"]), p("ip_address", &["192.0.2.1"]), p("serves", &["./network"])];
    assert_eq!(picture[&2], plain(0, 1, &[], host));
    assert_eq!(f.checksum(), 5);
    assert_eq!(f.domain.role(), Role::Master);
    assert_eq!(f.domain.tag(), "network");
    assert_clean(&f.domain);
    let view = f.domain.read(&f.root).unwrap();
    assert_eq!(view.sequence().unwrap(), 3);
    assert_eq!(view.domain_servers().unwrap(), [b"192.0.2.1/network"]);
}

#[test]
fn a_host_without_addresses_keeps_an_empty_property() {
    let f = Fixture::with("local", |o| o.addresses.clear());
    assert_eq!(f.properties(2)[1], p("ip_address", &[]));
    assert_eq!(f.checksum(), 5);
}

#[test]
fn a_host_without_addresses_is_master_of_its_domains() {
    let f = Fixture::with("network", |o| o.addresses.clear());
    assert_eq!(f.domain.role(), Role::Master);
}

#[test]
fn a_new_clone_is_a_stub_that_names_its_master() {
    let f = Fixture::new("local");
    let clone = f.node.create_clone("copy", "server", "192.0.2.9".parse().unwrap(), "network", NOW).unwrap();
    let picture = picture(&clone, &internal(&clone));
    assert_eq!(picture[&0].properties, [p("master", &["server/network"])]);
    let server = [p("name", &["server"]), p("ip_address", &["192.0.2.9"]), p("serves", &["./network"])];
    assert_eq!(picture[&2].properties, server);
    let instances: Vec<_> = picture.values().map(|d| d.instance).collect();
    assert_eq!(instances, [3, 1, 0]);
    assert_eq!(clone.read(&f.root).unwrap().checksum().unwrap(), 5);
    assert_eq!(
        clone.role(),
        Role::Clone { master: Some("192.0.2.9".parse().unwrap()), tag: "network".into() }
    );
    let ids = [&f.domain, &clone].map(|d| d.read(&f.root).unwrap().uuid().unwrap());
    assert_ne!(ids[0], ids[1]);
}

#[test]
fn special_object_numbers_ask_for_store_versions() {
    let f = Fixture::new("local");
    let resolve = |object, instance| f.domain.read(&f.root).unwrap().resolve(object, instance);
    let id = |object, instance| Id { object, instance };
    // Root, /machines and the machine were saved last as 4, 6 and 5.
    for (object, version) in [(0, 4), (1, 6), (2, 5)] {
        assert_eq!(resolve(VERSION_OF, object).unwrap(), id(object, version));
        assert_eq!(resolve(BY_VERSION, version).unwrap(), id(object, version));
    }
    assert_eq!(resolve(BY_VERSION, u32::MAX).unwrap(), id(1, 6));
    assert_eq!(resolve(VERSION_OF, 77).unwrap(), id(77, u32::MAX));
    for passed in [0, 1, 2, 3, 7] {
        refused!(resolve(BY_VERSION, passed), Error::NoSuchDirectory);
    }
    assert_eq!(resolve(2, 99).unwrap(), id(2, 0));
    refused!(resolve(77, 0), Error::NoSuchDirectory);
    // A destroyed directory takes its version with it; its parent gets one new one.
    f.write(Change::Destroy { parent: Target::any(1), child: Target::any(2) }).unwrap();
    refused!(resolve(BY_VERSION, 5), Error::NoSuchDirectory);
    refused!(resolve(BY_VERSION, 6), Error::NoSuchDirectory);
    assert_eq!(resolve(BY_VERSION, u32::MAX).unwrap(), id(1, 7));
    // A create takes two: the child's, then the parent's.
    f.create(ROOT, vec![]);
    assert_eq!(resolve(VERSION_OF, 2).unwrap(), id(2, 8));
    assert_eq!(resolve(VERSION_OF, 0).unwrap(), id(0, 9));
    // They stand for nothing when writing or reading.
    for object in [BY_VERSION, VERSION_OF] {
        let directory = Target { object, instance: Some(u32::MAX) };
        refused!(f.write(Change::DestroyProperty { directory, index: 0 }), Error::NoSuchDirectory);
        refused!(f.domain.read(&f.root).unwrap().record(object).map(drop), Error::NoSuchDirectory);
    }
}

#[test]
fn store_versions_go_on_after_a_restart() {
    let f = Fixture::new("local").reopen(|_| {});
    f.add(2, p("a", &[]));
    let view = f.domain.read(&f.root).unwrap();
    assert_eq!(view.resolve(BY_VERSION, u32::MAX).unwrap(), Id { object: 2, instance: 7 });
}

/// The protocol's table of ids, instances and checksums, line by line.
#[test]
fn the_worked_trace_of_checksums() {
    let f = Fixture::new("network");
    let at = |object, instance| Target { object, instance: Some(instance) };
    let id = |object, instance| Id { object, instance };
    let create = |parent| Change::Create { parent, properties: vec![p("name", &["x"])], position: END };

    let done = f.write(create(at(0, 3))).unwrap();
    assert_eq!((done.id, done.created, f.checksum()), (id(0, 4), Some(id(3, 0)), 6));
    let done = f.write(create(at(3, 0))).unwrap();
    assert_eq!((done.id, done.created, f.checksum()), (id(3, 1), Some(id(4, 0)), 10));
    let change = Change::CreateProperty { directory: at(4, 0), property: p("a", &["1"]), position: END };
    assert_eq!((f.write(change).unwrap().id, f.checksum()), (id(4, 1), 15));
    let change = Change::WriteValue { directory: at(4, 1), index: 1, value_index: 0, value: b"2".to_vec() };
    assert_eq!((f.write(change).unwrap().id, f.checksum()), (id(4, 2), 20));
    let change = Change::Destroy { parent: at(3, 1), child: at(4, 2) };
    let done = f.write(change).unwrap();
    assert_eq!((done.id, done.created, f.checksum()), (id(3, 2), None, 14));
    let done = f.write(create(at(3, 2))).unwrap();
    assert_eq!((done.id, done.created, f.checksum()), (id(3, 3), Some(id(4, 0)), 18));
    refused!(f.write(Change::Write { directory: at(4, 1), properties: vec![] }), Error::Stale);
    assert_eq!(f.checksum(), 18);
    assert_clean(&f.domain);
    let f = f.reopen(|_| {});
    assert_eq!((f.checksum(), f.id(0), f.id(3), f.id(4)), (18, id(0, 4), id(3, 3), id(4, 0)));
}

#[test]
fn a_snapshot_keeps_its_moment_and_its_domain() {
    let f = Fixture::new("local");
    let made = f.create(ROOT, vec![p("name", &["users"])]);
    let view = f.domain.snapshot(&f.root).unwrap();
    let before = view.id(made).unwrap();
    f.add(made, p("later", &[]));
    let after = f.id(made);
    assert_eq!((view.id(made).unwrap(), view.record(made).unwrap().id()), (before, before));
    assert_ne!(after, before);
    // The id told last is not told for another directory.
    assert_eq!(view.id(ROOT).unwrap().object, ROOT);
    let _dir = f.close();
    assert_eq!(view.id(made).unwrap(), before);
    assert_eq!(view.lookup_first(ROOT, b"name", b"users").unwrap(), Some(made));
}
