//! Which error a call gets, and where elements go (NetInfo protocol, write procedures, insertion positions).

use netinfo_testkit::Node;
use netinfo_testkit::caller::Refused;
use netinfo_wire::netinfo::{INDEX_NULL, Id, Procedure, Status};
use netinfo_wire::rpc::AcceptStat;

use crate::tree::{Reply, Tree};
use crate::users::Office;

/// A property index no directory has.
const FAR: u32 = 9;
const NOWHERE: u32 = 4_000;

/// All writes to a directory by `id`, the one with properties chosen by `prop` and `value`.
fn writes(tree: &mut Tree, id: Id, prop: u32, value: u32) -> Vec<(&'static str, Reply<()>)> {
    vec![
        ("create", tree.create(id, &[]).map(drop)),
        ("destroy", tree.destroy(id, Id::new(NOWHERE, 0)).map(drop)),
        ("write", tree.write(id, &[]).map(drop)),
        ("createprop", tree.create_prop(id, "x", &[], 0).map(drop)),
        ("destroyprop", tree.destroy_prop(id, prop).map(drop)),
        ("renameprop", tree.rename_prop(id, prop, "x").map(drop)),
        ("writeprop", tree.write_prop(id, prop, &[]).map(drop)),
        ("createname", tree.create_name(id, prop, "x", 0).map(drop)),
        ("destroyname", tree.destroy_name(id, prop, value).map(drop)),
        ("writename", tree.write_name(id, prop, value, "x").map(drop)),
    ]
}

/// A domain in which `/subject` has two properties and a child with a child.
struct Place {
    office: Office,
    subject: u32,
    child: u32,
}

impl Place {
    fn new() -> Self {
        let mut office = Office::historical();
        let subject = office.root.make(0, &[("name", &["subject"]), ("k", &["v", "w"])]);
        let child = office.root.make(subject, &[("name", &["child"])]);
        office.root.make(child, &[("name", &["grandchild"])]);
        Self { office, subject, child }
    }

    fn unchanged<T>(&mut self, work: impl FnOnce(&mut Self) -> T) -> T {
        let before = self.office.root.read_all(0).unwrap();
        let result = work(self);
        assert!(before == self.office.root.read_all(0).unwrap(), "a refused call changed something");
        result
    }
}

#[test]
fn errors_come_in_the_order_of_the_protocol() {
    let mut place = Place::new();
    let id = place.office.root.at(place.subject);
    let stale = Id::new(id.object, id.instance.wrapping_sub(1));
    let ahead = Id::new(id.object, id.instance + 1);
    let missing = Id::new(NOWHERE, 0);
    let mut wrong = place.office.user(501, "wrong");
    let mut unknown = place.office.user(999, "");
    let mut alice = place.office.user(501, "secret");
    let mut nobody = Tree::anonymous(place.office.domain);
    let mut root = Tree::privileged(place.office.domain);
    place.unchanged(|_| {
        let all = |tree: &mut Tree, id, status| {
            for (name, result) in writes(tree, id, FAR, FAR) {
                assert_eq!(result, Err(status), "{name} on {id:?}");
            }
        };
        // Authentication before everything.
        all(&mut wrong, missing, Status::AuthError);
        all(&mut wrong, id, Status::AuthError);
        all(&mut unknown, stale, Status::NoUser);
        for tree in [&mut nobody, &mut alice, &mut root] {
            all(tree, missing, Status::NoDir);
            all(tree, stale, Status::Stale);
            all(tree, ahead, Status::Stale);
        }
        // Indices before access lists.
        let indexed = ["destroyprop", "renameprop", "writeprop", "createname", "destroyname", "writename"];
        for tree in [&mut nobody, &mut alice] {
            for prop in [2, FAR, u32::MAX >> 1, INDEX_NULL] {
                for (name, result) in writes(tree, id, prop, FAR) {
                    let expected = if indexed.contains(&name) { Status::NoProp } else { Status::Perm };
                    assert_eq!(result, Err(expected), "{name}, property {prop}");
                }
            }
            for value in [2, FAR, INDEX_NULL] {
                for (name, result) in writes(tree, id, 1, value) {
                    let named = ["destroyname", "writename"].contains(&name);
                    assert_eq!(
                        result,
                        Err(if named { Status::NoName } else { Status::Perm }),
                        "{name} {value}"
                    );
                }
            }
        }
    });
}

#[test]
fn indices_come_before_locks() {
    let mut office = Office::historical();
    let locked = office.root.make(0, &[("name", &["x"]), ("_locked", &[])]);
    let id = office.root.at(locked);
    for prop in [2, INDEX_NULL] {
        for (name, result) in writes(&mut office.root, id, prop, 0).into_iter().skip(4) {
            assert_eq!(result, Err(Status::NoProp), "{name}");
        }
    }
    assert_eq!(office.root.destroy_name(id, 0, 1), Err(Status::NoName));
    assert_eq!(office.root.write_name(id, 0, 1, "x"), Err(Status::NoName));
    for (name, result) in writes(&mut office.root, id, 0, 0).into_iter().take(7) {
        assert_eq!(result, Err(Status::RdOnly), "{name}, before the child is looked at");
    }
}

#[test]
fn destroy_looks_at_the_parent_first_and_at_relations_last() {
    let mut place = Place::new();
    let domain = place.office.domain;
    let (subject, child) = (place.office.root.at(place.subject), place.office.root.at(place.child));
    let users = place.office.users;
    let users = place.office.root.at(users);
    let leaf = place.office.find("alice");
    let leaf = place.office.root.at(leaf);
    let old = |id: Id| Id::new(id.object, id.instance.wrapping_add(7));
    let missing = Id::new(NOWHERE, 0);
    place.unchanged(|_| {
        let mut root = Tree::privileged(domain);
        for (parent, id, expected) in [
            (missing, missing, Status::NoDir),
            (missing, child, Status::NoDir),
            (old(subject), missing, Status::Stale),
            (subject, missing, Status::NoDir),
            (subject, old(child), Status::Stale),
            (subject, child, Status::NotEmpty),
            // A directory with children is "not empty" even if it is not a child.
            (users, child, Status::NotEmpty),
            (users, old(child), Status::Stale),
            (subject, leaf, Status::Unrelated),
            (leaf, leaf, Status::Unrelated),
            (subject, subject, Status::NotEmpty),
            (users, Id::new(0, 0), Status::Stale),
        ] {
            assert_eq!(root.destroy(parent, id), Err(expected), "{parent:?} {id:?}");
        }
        let top = root.at(0);
        assert_eq!(root.destroy(users, top), Err(Status::NotEmpty));
        let mut nobody = Tree::anonymous(domain);
        for (parent, id, expected) in [
            (old(subject), missing, Status::Stale),
            (subject, missing, Status::Perm),
            (subject, old(child), Status::Perm),
            (subject, leaf, Status::Perm),
        ] {
            assert_eq!(nobody.destroy(parent, id), Err(expected), "{parent:?} {id:?}");
        }
    });
}

#[test]
fn the_root_is_nobodys_child() {
    let node = Node::builder().historical().start();
    let mut root = Tree::privileged(node.create_master("network"));
    let (machines, alpha) = (root.at(1), root.at(2));
    let machines = root.destroy(machines, alpha).unwrap();
    let mut top = root.at(0);
    top = root.destroy(top, machines).unwrap();
    assert_eq!(root.destroy(top, top), Err(Status::Unrelated));
    assert!(root.children(0).unwrap().0.is_empty());
    // Ids that became free are used again, the lowest first, from instance 0.
    let created = root.create(top, &[]).unwrap();
    assert_eq!((created.id, created.parent), (Id::new(1, 0), Id::new(0, top.instance + 1)));
    assert_eq!(root.make(1, &[]), 2);
    assert_eq!(root.make(1, &[]), 3);
}

#[test]
fn handles_go_stale_with_every_write_of_anybody() {
    let mut place = Place::new();
    let subject = place.subject;
    let id = place.office.root.at(subject);
    let mut other = Tree::privileged(place.office.domain);
    let after = other.write_prop(id, 1, &["other"]).unwrap();
    assert_eq!(after.instance, id.instance + 1);
    let root = &mut place.office.root;
    assert_eq!(root.write_prop(id, 1, &["mine"]), Err(Status::Stale));
    assert_eq!(root.read_prop(subject, 1).unwrap(), [b"other"]);
    // Changes that change nothing count, too; those of children, parents and failed ones do not.
    let again = root.write_prop(after, 1, &["other"]).unwrap();
    assert_eq!(again.instance, after.instance + 1);
    let child = root.at(place.child);
    let child = root.create_prop(child, "x", &[], 0).unwrap();
    let top = root.at(0);
    root.create_prop(top, "x", &[], INDEX_NULL).unwrap();
    root.rename_prop(again, FAR, "y").unwrap_err();
    assert_eq!(root.at(subject), again);
    assert_eq!(root.at(place.child), child);
    // Reads do not care.
    for instance in [0, 1, again.instance, u32::MAX] {
        assert_eq!(root.self_id(Id::new(subject, instance)), Ok(again));
    }
    // An id used again begins anew, so an old handle may fit again.
    let leaf = root.make(subject, &[]);
    let (parent, id) = (root.at(subject), Id::new(leaf, 0));
    root.destroy(parent, id).unwrap();
    assert_eq!(root.write(id, &[]), Err(Status::NoDir));
    let elsewhere = root.make(place.office.users, &[("name", &["new"])]);
    assert_eq!(elsewhere, leaf);
    assert_eq!(root.write(id, &[]), Ok(Id::new(leaf, 1)));
    assert_eq!(root.write(id, &[]), Err(Status::Stale));
}

#[test]
fn instances_wrap_into_the_checksum_as_recorded() {
    // The worked trace of the protocol description, from the checksum of a new domain.
    let node = Node::builder().historical().start();
    let mut root = Tree::privileged(node.create_master("network"));
    let mut sums = vec![checksum(&mut root)];
    let mut step = |root: &mut Tree, result: Reply<()>| {
        result.unwrap();
        sums.push(checksum(root));
    };
    let created = root.create(Id::new(0, 3), &[]).map(drop);
    step(&mut root, created);
    let created = root.create(Id::new(3, 0), &[("k", &["v"])]).map(drop);
    step(&mut root, created);
    let written = root.create_prop(Id::new(4, 0), "l", &[], 0).map(drop);
    step(&mut root, written);
    let written = root.write_name(Id::new(4, 1), 1, 0, "w").map(drop);
    step(&mut root, written);
    let destroyed = root.destroy(Id::new(3, 1), Id::new(4, 2)).map(drop);
    step(&mut root, destroyed);
    let created = root.create(Id::new(3, 2), &[]).map(drop);
    step(&mut root, created);
    assert_eq!(root.write(Id::new(4, 1), &[]), Err(Status::Stale));
    assert_eq!(sums, [5, 6, 10, 15, 20, 14, 18]);
}

fn checksum(tree: &mut Tree) -> u32 {
    let results = tree.caller.netinfo(Procedure::ReadAll, &[0; 4]);
    u32::from_be_bytes(*results[4..].first_chunk().unwrap())
}

#[test]
fn elements_go_where_they_are_told() {
    let mut place = Place::new();
    let subject = place.subject;
    let root = &mut place.office.root;
    let mut id = root.at(subject);
    // Values: v w -> 0 v 1 w end ends.
    for (value, position) in
        [("0", 0), ("1", 2), ("end", 4), ("ends", 6), ("far", 1_000_000), ("null", INDEX_NULL)]
    {
        id = root.create_name(id, 1, value, position).unwrap();
    }
    let values: Vec<_> = root.read_prop(subject, 1).unwrap();
    assert_eq!(values, ["0", "v", "1", "w", "end", "ends", "far", "null"].map(str::as_bytes));
    // Properties.
    for (name, position) in [("a", 0), ("b", 2), ("c", 4), ("d", 99), ("e", INDEX_NULL)] {
        id = root.create_prop(id, name, &[name], position).unwrap();
    }
    let names: Vec<_> = root.read(subject).unwrap().into_iter().map(|property| property.name).collect();
    assert_eq!(names, ["a", "name", "b", "k", "c", "d", "e"].map(str::as_bytes));
    // Children.
    let mut made = vec![place.child];
    for (position, at) in [(0, 0), (1, 1), (3, 3), (100, 4), (INDEX_NULL, 5)] {
        let created = root.create_at(id, &[], position, None).unwrap();
        id = created.parent;
        made.insert(at, created.id.object);
    }
    assert_eq!(root.children(subject).unwrap(), (made, id));
}

#[test]
fn a_target_id_means_nothing_to_a_master() {
    let mut place = Place::new();
    let mut parent = place.office.root.at(place.subject);
    let free = place.office.root.create(parent, &[]).unwrap();
    parent = free.parent;
    for (next, target) in [(1, 0), (2, 9_999), (3, u32::MAX), (4, place.child)] {
        let created = place.office.root.create_at(parent, &[], 0, Some(Id::new(target, 5))).unwrap();
        assert_eq!(created.id, Id::new(free.id.object + next, 0));
        parent = created.parent;
    }
}

#[test]
fn reads_past_the_end_and_of_nothing() {
    let mut place = Place::new();
    let (subject, root) = (place.subject, &mut place.office.root);
    for index in [2, 1_000, INDEX_NULL] {
        assert_eq!(root.read_prop(subject, index), Err(Status::NoProp));
        assert_eq!(root.read_name(subject, index, 0), Err(Status::NoProp));
        assert_eq!(root.read_name(subject, 1, index), Err(Status::NoName));
    }
    assert_eq!(root.read_name(subject, 1, 1).unwrap(), b"w");
    assert_eq!(root.read_prop(NOWHERE, 0), Err(Status::NoDir));
    assert_eq!(root.read_name(NOWHERE, 0, 0), Err(Status::NoDir));
    assert_eq!(root.lookup(NOWHERE, "name", "x"), Err(Status::NoDir));
    assert_eq!(root.lookup_read(subject, "name", "nobody").map(drop), Err(Status::NoDir));
    assert_eq!(root.parent(0).unwrap().0, 0);
    assert_eq!(root.parent(place.child).unwrap().0, subject);
    let (searched, properties) = root.lookup_read(subject, "name", "child").unwrap();
    assert_eq!((searched.object, properties.len()), (subject, 1), "the id is that of the searched directory");
    let entries = root.list(subject, "k").unwrap();
    assert_eq!(
        entries.iter().map(|entry| (entry.id, entry.names.is_some())).collect::<Vec<_>>(),
        [(place.child, false)]
    );
}

#[test]
fn properties_of_one_name_and_empty_ones() {
    let mut place = Place::new();
    let (subject, root) = (place.subject, &mut place.office.root);
    let child = place.child;
    root.make(subject, &[("k", &[]), ("k", &["second", "third"]), ("k", &["fourth"])]);
    root.make(subject, &[("k", &[]), ("", &["", "x"])]);
    root.make(subject, &[]);
    let listed = |root: &mut Tree, name: &str| -> Vec<Option<Vec<Vec<u8>>>> {
        root.list(subject, name).unwrap().into_iter().map(|entry| entry.names).collect()
    };
    // LIST takes the first that has a value, look-ups the first there is.
    let values = vec![b"second".to_vec(), b"third".to_vec()];
    assert_eq!(listed(root, "k"), [None, Some(values), None, None]);
    assert_eq!(listed(root, ""), [None, None, Some(vec![b"".to_vec(), b"x".to_vec()]), None]);
    assert_eq!(root.lookup(subject, "k", "second"), Err(Status::NoDir));
    assert_eq!(root.lookup(subject, "", "").unwrap().len(), 1);
    assert_eq!(root.list_all(subject).unwrap().iter().map(Vec::len).collect::<Vec<_>>(), [1, 3, 2, 0]);
    // A property whose last value goes stays, and can be filled again.
    let id = root.at(child);
    let id = root.destroy_name(id, 0, 0).unwrap();
    assert_eq!(root.read_prop(child, 0).unwrap(), Vec::<Vec<u8>>::new());
    assert_eq!(root.destroy_name(id, 0, 0), Err(Status::NoName));
    let id = root.create_name(id, 0, "again", 0).unwrap();
    assert_eq!(root.lookup(subject, "name", "again"), Ok(vec![child]));
    // One value more than once: look-ups stay right when one of them goes.
    let id = root.write_prop(id, 0, &["twin", "twin"]).unwrap();
    let id = root.destroy_name(id, 0, 0).unwrap();
    assert_eq!(root.lookup(subject, "name", "twin"), Ok(vec![child]));
    let id = root.rename_prop(id, 0, "alias").unwrap();
    assert_eq!(root.lookup(subject, "name", "twin"), Err(Status::NoDir));
    assert_eq!(root.lookup(subject, "alias", "twin"), Ok(vec![child]));
    root.destroy_prop(id, 0).unwrap();
    assert_eq!(root.lookup(subject, "alias", "twin"), Err(Status::NoDir));
}

#[test]
fn self_tells_versions() {
    // Undocumented, but tools depend on it: (-2, object) asks for the version of its last write, (-1, version) for the
    // object.
    let node = Node::builder().historical().start();
    let mut root = Tree::privileged(node.create_master("network"));
    let (by_version, of_object) = (u32::MAX, u32::MAX - 1);
    for (object, version) in [(0, 4), (1, 6), (2, 5)] {
        assert_eq!(root.self_id(Id::new(of_object, object)), Ok(Id::new(object, version)));
        assert_eq!(root.self_id(Id::new(by_version, version)), Ok(Id::new(object, version)));
    }
    assert_eq!(root.self_id(Id::new(by_version, u32::MAX)), Ok(Id::new(1, 6)));
    assert_eq!(root.self_id(Id::new(by_version, 3)), Err(Status::NoDir));
    assert_eq!(root.self_id(Id::new(of_object, 77)), Ok(Id::new(77, u32::MAX)));
    root.make(0, &[]);
    assert_eq!(root.self_id(Id::new(of_object, 3)), Ok(Id::new(3, 7)));
    assert_eq!(root.self_id(Id::new(of_object, 0)), Ok(Id::new(0, 8)));
    assert_eq!(root.self_id(Id::new(by_version, 4)), Err(Status::NoDir));
    let (top, new) = (root.at(0), root.at(3));
    root.destroy(top, new).unwrap();
    assert_eq!(root.self_id(Id::new(of_object, 0)), Ok(Id::new(0, 9)));
    assert_eq!(root.self_id(Id::new(by_version, 7)), Err(Status::NoDir));
}

#[test]
fn arguments_that_do_not_decode_are_garbage_whoever_sends_them() {
    let office = Office::historical();
    let writing = Procedure::ALL.into_iter().filter(|procedure| procedure.is_write());
    for mut tree in
        [Tree::anonymous(office.domain), office.user(501, "wrong"), Tree::privileged(office.domain)]
    {
        for procedure in writing.clone().chain([Procedure::SelfId, Procedure::Lookup, Procedure::List]) {
            let reply = tree.caller.call(200_100_000, 2, procedure.code(), &[0, 0, 0, 0, 0, 0]);
            assert_eq!(reply, Err(Refused::Failed(AcceptStat::GarbageArgs)), "{procedure:?}");
        }
    }
}
