//! Every procedure that writes: what it does, what it refuses, and which error comes first.

use netinfo_directory::{Change, Error, Id, LIST_LIMIT, NAME_LIMIT, Property, ROOT, Session, Target};

use crate::support::*;

fn at(object: u32, instance: u32) -> Target {
    Target { object, instance: Some(instance) }
}

/// One change of each kind to the same directory; indices may be out of range.
fn each_edit(directory: Target, index: u32, value_index: u32) -> Vec<Change> {
    let value = b"v".to_vec();
    vec![
        Change::Create { parent: directory, properties: vec![], position: END },
        Change::Destroy { parent: directory, child: Target::any(2) },
        Change::Write { directory, properties: vec![] },
        Change::CreateProperty { directory, property: p("q", &[]), position: END },
        Change::DestroyProperty { directory, index },
        Change::RenameProperty { directory, index, name: b"q".to_vec() },
        Change::WriteProperty { directory, index, values: vec![value.clone()] },
        Change::CreateValue { directory, index, value: value.clone(), position: END },
        Change::DestroyValue { directory, index, value_index },
        Change::WriteValue { directory, index, value_index, value },
    ]
}

fn nothing_changed(f: &Fixture, work: impl FnOnce()) {
    let sequence = || f.domain.read(&f.root).unwrap().sequence().unwrap();
    let before = (picture(&f.domain, &f.root), f.checksum(), sequence());
    work();
    assert_eq!((picture(&f.domain, &f.root), f.checksum(), sequence()), before);
}

#[test]
fn existence_comes_before_the_instance_before_the_index_before_access() {
    let f = Fixture::new("local");
    let stranger = f.anonymous();
    let locked = f.create(ROOT, vec![p("a", &["1"]), p("_locked", &[])]);
    nothing_changed(&f, || {
        for session in [&f.root, &stranger] {
            for change in each_edit(at(99, 0), 99, 99) {
                refused!(f.write_as(session, change), Error::NoSuchDirectory);
            }
            for change in each_edit(at(locked, 7), 99, 99) {
                refused!(f.write_as(session, change), Error::Stale);
            }
            for change in each_edit(at(locked, 0), 2, 99).split_off(4) {
                refused!(f.write_as(session, change), Error::NoSuchProperty);
            }
            for change in each_edit(at(locked, 0), END, END).split_off(4) {
                refused!(f.write_as(session, change), Error::NoSuchProperty);
            }
            for change in each_edit(at(locked, 0), 0, 1).split_off(8) {
                refused!(f.write_as(session, change), Error::NoSuchValue);
            }
            for change in each_edit(at(locked, 0), 1, 0).split_off(8) {
                refused!(f.write_as(session, change), Error::NoSuchValue);
            }
        }
    });
}

#[test]
fn destroy_asks_for_the_parent_first_and_for_children_before_kinship() {
    let f = Fixture::new("local");
    let outer = f.create(ROOT, vec![]);
    let inner = f.create(outer, vec![p("_locked", &[])]);
    let stranger = f.anonymous();
    let destroy = |session: &Session, parent, child| f.write_as(session, Change::Destroy { parent, child });
    nothing_changed(&f, || {
        refused!(destroy(&f.root, at(99, 0), at(98, 0)), Error::NoSuchDirectory);
        refused!(destroy(&f.root, at(outer, 0), at(98, 0)), Error::Stale);
        refused!(destroy(&stranger, at(outer, 1), at(98, 0)), Error::Permission);
        refused!(destroy(&f.root, at(outer, 1), at(98, 0)), Error::NoSuchDirectory);
        refused!(destroy(&f.root, at(outer, 1), at(inner, 5)), Error::Stale);
        refused!(destroy(&f.root, at(ROOT, 4), at(outer, 1)), Error::NotEmpty);
        // A directory with children that is somebody else's child, too: its children count first.
        refused!(destroy(&f.root, at(outer, 1), at(1, 1)), Error::NotEmpty);
        refused!(destroy(&f.root, at(outer, 1), at(2, 0)), Error::Unrelated);
        // Parent and child may be the same directory, and the root nobody's child.
        refused!(destroy(&f.root, at(outer, 1), at(outer, 1)), Error::NotEmpty);
        refused!(destroy(&f.root, at(2, 0), at(2, 0)), Error::Unrelated);
        refused!(destroy(&f.root, at(ROOT, 4), at(ROOT, 4)), Error::NotEmpty);
        refused!(destroy(&f.root, at(inner, 0), at(inner, 0)), Error::ReadOnly);
    });
    // The child's own lists, `_locked` among them, are not asked.
    let done = destroy(&f.root, at(outer, 1), at(inner, 0)).unwrap();
    assert_eq!((done.id, done.created), (Id { object: outer, instance: 2 }, None));
    assert!(f.children(outer).is_empty());
    refused!(f.domain.read(&f.root).unwrap().record(inner).map(drop), Error::NoSuchDirectory);
    assert_clean(&f.domain);
}

#[test]
fn a_root_without_children_is_still_nobodys_child() {
    let f = Fixture::new("local");
    f.write(Change::Destroy { parent: Target::any(1), child: Target::any(2) }).unwrap();
    f.write(Change::Destroy { parent: Target::any(0), child: Target::any(1) }).unwrap();
    let root = Target::any(ROOT);
    refused!(f.write(Change::Destroy { parent: root, child: root }), Error::Unrelated);
    f.write(Change::Write { directory: root, properties: vec![] }).unwrap();
    assert_eq!(f.create(ROOT, vec![]), 1);
    assert_clean(&f.domain);
}

#[test]
fn edits_do_what_their_names_say() {
    let f = Fixture::new("local");
    let d = f.create(ROOT, vec![p("a", &["1", "2"]), p("b", &[])]);
    let directory = Target::any(d);
    let mut instance = 0;
    let mut step = |change: Change, expected: &[Property]| {
        let done = f.write(change).unwrap();
        instance += 1;
        assert_eq!((done.id, done.created), (Id { object: d, instance }, None));
        assert_eq!(f.properties(d), expected);
    };
    let bytes = |s: &str| s.as_bytes().to_vec();
    let property = |name| p(name, &["x"]);
    let insert = |name, position| Change::CreateProperty { directory, property: property(name), position };
    step(insert("c", 1), &[p("a", &["1", "2"]), property("c"), p("b", &[])]);
    step(insert("a", 0), &[property("a"), p("a", &["1", "2"]), property("c"), p("b", &[])]);
    step(Change::DestroyProperty { directory, index: 0 }, &[p("a", &["1", "2"]), property("c"), p("b", &[])]);
    step(
        Change::RenameProperty { directory, index: 1, name: bytes("a") },
        &[p("a", &["1", "2"]), property("a"), p("b", &[])],
    );
    step(Change::DestroyProperty { directory, index: 1 }, &[p("a", &["1", "2"]), p("b", &[])]);
    let value = |value, position| Change::CreateValue { directory, index: 0, value: bytes(value), position };
    step(value("0", 0), &[p("a", &["0", "1", "2"]), p("b", &[])]);
    step(value("1", 2), &[p("a", &["0", "1", "1", "2"]), p("b", &[])]);
    step(value("9", 1000), &[p("a", &["0", "1", "1", "2", "9"]), p("b", &[])]);
    step(value("", END), &[p("a", &["0", "1", "1", "2", "9", ""]), p("b", &[])]);
    step(
        Change::WriteValue { directory, index: 0, value_index: 5, value: bytes("z") },
        &[p("a", &["0", "1", "1", "2", "9", "z"]), p("b", &[])],
    );
    step(
        Change::DestroyValue { directory, index: 0, value_index: 1 },
        &[p("a", &["0", "1", "2", "9", "z"]), p("b", &[])],
    );
    step(Change::WriteProperty { directory, index: 0, values: vec![] }, &[p("a", &[]), p("b", &[])]);
    step(value("only", 0), &[p("a", &["only"]), p("b", &[])]);
    step(Change::DestroyValue { directory, index: 0, value_index: 0 }, &[p("a", &[]), p("b", &[])]);
    // A write that changes nothing counts like any other.
    step(Change::WriteProperty { directory, index: 0, values: vec![] }, &[p("a", &[]), p("b", &[])]);
    step(Change::Write { directory, properties: vec![p("", &["", ""])] }, &[p("", &["", ""])]);
    step(Change::Write { directory, properties: vec![] }, &[]);
    step(insert("n", END), &[property("n")]);
    assert_clean(&f.domain);
}

#[test]
fn names_and_values_are_bytes_and_nothing_is_merged() {
    let f = Fixture::new("local");
    let odd = Property::new(vec![0xFF, 0, b'\n'], [vec![0; 3], vec![], vec![0xC3]]);
    let list = vec![odd.clone(), odd.clone(), p("name", &["x", "x"]), p("name", &["y"]), p("", &[])];
    let first = f.create(ROOT, list.clone());
    let second = f.create(ROOT, list.clone());
    assert_eq!(f.properties(first), list);
    let view = f.domain.read(&f.root).unwrap();
    let find = |key: &[u8], value: &[u8]| view.lookup(ROOT, key, value).unwrap();
    assert_eq!(find(b"name", b"x"), [first, second]);
    assert_eq!(find(b"name", b"X"), []);
    // Only the first property of a name counts in look-ups.
    assert_eq!(find(b"name", b"y"), []);
    assert_eq!(find(&odd.name, &[0xC3]), [first, second]);
    assert_eq!(find(&odd.name, b""), [first, second]);
    assert_eq!(find(b"", b""), []);
    assert_eq!(view.lookup_first(ROOT, b"name", b"x").unwrap(), Some(first));
    assert_eq!(view.lookup_first(first, b"name", b"x").unwrap(), None);
    assert_eq!(view.lookup(99, b"name", b"x").unwrap(), []);
}

#[test]
fn a_listing_shows_the_first_property_with_values() {
    let f = Fixture::new("local");
    let d = f.create(ROOT, vec![p("k", &[]), p("k", &["2"]), p("k", &["3"]), p("e", &[])]);
    let view = f.domain.read(&f.root).unwrap();
    let record = view.record(d).unwrap();
    let listed = |key: &[u8]| netinfo_directory::View::listed(&record, key).map(Iterator::collect);
    assert_eq!(listed(b"k"), Some(vec![&b"2"[..]]));
    assert_eq!(listed(b"e"), None);
    assert_eq!(listed(b"none"), None);
    // A look-up goes by the very first property, values or not.
    assert_eq!(view.lookup(ROOT, b"k", b"2").unwrap(), []);
}

#[test]
fn look_ups_follow_every_kind_of_edit() {
    let f = Fixture::new("local");
    let d = f.create(ROOT, vec![p("k", &["1", "1"]), p("k", &["2"])]);
    let directory = Target::any(d);
    let found = |value: &str| {
        f.domain.read(&f.root).unwrap().lookup_first(ROOT, b"k", value.as_bytes()).unwrap().is_some()
    };
    assert!(found("1") && !found("2"));
    // One of two equal values goes, the other stays.
    f.write(Change::DestroyValue { directory, index: 0, value_index: 0 }).unwrap();
    assert!(found("1"));
    f.write(Change::RenameProperty { directory, index: 0, name: b"j".to_vec() }).unwrap();
    assert!(!found("1") && found("2"));
    f.write(Change::CreateProperty { directory, property: p("k", &["3"]), position: 0 }).unwrap();
    assert!(found("3") && !found("2"));
    f.write(Change::DestroyProperty { directory, index: 0 }).unwrap();
    assert!(!found("3") && found("2"));
    let long = vec![b'x'; 5000];
    f.write(Change::WriteProperty { directory, index: 1, values: vec![long.clone()] }).unwrap();
    let find = |value: &[u8]| f.domain.read(&f.root).unwrap().lookup(ROOT, b"k", value).unwrap();
    assert_eq!(find(&long), [d]);
    assert_eq!(find(&long[1..]), []);
    f.write(Change::Destroy { parent: Target::any(ROOT), child: directory }).unwrap();
    assert_eq!(find(&long), []);
    assert_clean(&f.domain);
}

#[test]
fn ids_are_the_lowest_free_and_start_at_instance_0() {
    let f = Fixture::new("local");
    let parent = f.create(ROOT, vec![]);
    let ids: Vec<u32> = (0..6).map(|_| f.create(parent, vec![])).collect();
    assert_eq!(ids, [4, 5, 6, 7, 8, 9]);
    for gone in [8, 5, 9] {
        f.add(gone, p("a", &[]));
        f.write(Change::Destroy { parent: Target::any(parent), child: at(gone, 1) }).unwrap();
    }
    for expected in [5, 8, 9, 10] {
        let done = f.write(create(ROOT, vec![])).unwrap();
        assert_eq!(done.created, Some(Id { object: expected, instance: 0 }));
    }
    assert_eq!(f.children(parent), [4, 6, 7]);
    // An instance of before the reuse matches again: that is how the protocol is.
    f.write(Change::Write { directory: at(5, 0), properties: vec![] }).unwrap();
    assert_clean(&f.domain);
}

#[test]
fn positions_count_from_0_and_end_at_the_end() {
    let f = Fixture::new("local");
    let parent = f.create(ROOT, vec![]);
    let insert = |position| {
        let change = Change::Create { parent: Target::any(parent), properties: vec![], position };
        f.write(change).unwrap().created.unwrap().object
    };
    let (a, b, c, d, e) = (insert(0), insert(0), insert(1), insert(3), insert(END));
    assert_eq!(f.children(parent), [b, c, a, d, e]);
    assert_eq!(insert(5), 9);
    assert_eq!(insert(1), 10);
    assert_eq!(f.children(parent), [b, 10, c, a, d, e, 9]);
}

#[test]
fn instances_wrap() {
    let f = Fixture::new("local");
    let mut objects: Vec<_> = picture_objects(&f);
    objects[1].id.instance = u32::MAX;
    let mut objects = objects.into_iter();
    f.domain.replace(&f.root, move || Ok(objects.next())).unwrap();
    let object = f.id(1);
    assert_eq!(object.instance, u32::MAX);
    let change = Change::Write { directory: object.into(), properties: vec![] };
    assert_eq!(f.write(change).unwrap().id, Id { object: 1, instance: 0 });
    let record = feed(&f.domain, f.domain.read(&f.root).unwrap().sequence().unwrap() - 1).unwrap();
    assert_eq!(record[0].change.directory(), object.into());
    assert_eq!(f.checksum(), 3);
    assert_clean(&f.domain);
}

fn picture_objects(f: &Fixture) -> Vec<netinfo_directory::TransferObject> {
    crate::copies::objects(&f.domain)
}

#[test]
fn what_no_protocol_could_carry_is_refused() {
    let f = Fixture::new("local");
    let d = f.create(ROOT, vec![p("a", &[])]);
    let directory = Target::any(d);
    let long = vec![b'x'; NAME_LIMIT + 1];
    let many = vec![Vec::new(); LIST_LIMIT + 1];
    nothing_changed(&f, || {
        let refused = [
            create(ROOT, vec![Property::new(long.clone(), [""])]),
            Change::CreateProperty { directory, property: Property::new("v", [&long[..]]), position: END },
            Change::RenameProperty { directory, index: 0, name: long.clone() },
            Change::CreateValue { directory, index: 0, value: long.clone(), position: END },
            Change::WriteProperty { directory, index: 0, values: many.clone() },
            Change::Write { directory, properties: vec![Property::default(); LIST_LIMIT + 1] },
        ];
        for change in refused {
            refused!(f.write(change), Error::TooLarge { .. });
        }
    });
    let most = vec![Vec::new(); LIST_LIMIT];
    f.write(Change::WriteProperty { directory, index: 0, values: most }).unwrap();
    refused!(
        f.write(Change::CreateValue { directory, index: 0, value: vec![], position: END }),
        Error::TooLarge { .. }
    );
    f.create(d, vec![Property::new(&long[1..], [&long[1..]])]);
    assert_clean(&f.domain);
}
