//! Paths, editing with interference, trees.

use netinfo_client::{Error, Path, Property, Status};

use crate::database::{Database, domain};

fn path(text: &str) -> Path {
    Path::parse(text.as_bytes()).unwrap()
}

#[test]
fn paths_are_created_found_and_named() {
    let (mut domain, _) = domain(Database::new());
    let made = domain.create_path(&path("/users/alice")).unwrap();
    assert_eq!(made.made, 2);
    assert_eq!(domain.create_path(&path("/users/uid=501")).unwrap().made, 1);
    assert_eq!(domain.create_path(&path("/users/alice")).unwrap().made, 0);
    assert_eq!(domain.resolve(&path("/users/alice")).unwrap(), made.object);
    assert_eq!(domain.resolve(&path(&format!("#{}", made.object))).unwrap(), made.object);
    let users = domain.resolve(&path("/users")).unwrap();
    assert_eq!(domain.resolve_from(users, &path("alice")).unwrap(), made.object);
    assert_eq!(domain.path_of(made.object).unwrap(), path("/users/alice"));
    assert_eq!(domain.path_of(0).unwrap(), Path::root());
    let nameless = domain.resolve(&path("/users/uid=501")).unwrap();
    assert_eq!(domain.path_of(nameless).unwrap().to_string(), format!("#{nameless}"));
    assert!(domain.resolve(&path("/users/bob")).unwrap_err().is(Status::NoDir));
    assert!(matches!(domain.create_path(&path("#99/x")), Err(Error::Path(_))));
}

#[test]
fn properties_are_edited_although_others_interfere() {
    let (mut domain, database) = domain(Database::new());
    let alice = domain.create_path(&path("/alice")).unwrap().object;
    database.lock().unwrap().interference = 3;
    domain.set_property(alice, b"shell", &["/bin/sh"]).unwrap();
    assert_eq!(database.lock().unwrap().interference, 0);
    domain.append_values(alice, b"groups", &["a", "b", "a"]).unwrap();
    assert!(!domain.merge_values(alice, b"groups", &["b"]).unwrap());
    assert!(domain.merge_values(alice, b"groups", &["b", "c"]).unwrap());
    let groups = |d: &mut netinfo_client::Domain| d.property(alice, b"groups").unwrap();
    assert_eq!(groups(&mut domain), [b"a", b"b", b"a", b"c"]);
    assert_eq!(domain.remove_values(alice, b"groups", &["a", "x"]).unwrap(), 2);
    assert_eq!(groups(&mut domain), [b"b", b"c"]);
    assert_eq!(domain.remove_values(alice, b"nothing", &["a"]).unwrap(), 0);
    domain.rename_property(alice, b"groups", b"teams").unwrap();
    assert!(domain.property(alice, b"groups").unwrap_err().is(Status::NoProp));
    let (id, _) = domain.read(alice).unwrap();
    domain.create_prop(id, &Property::new("teams", ["again"]), netinfo_client::domain::INDEX_NULL).unwrap();
    assert_eq!(domain.remove_property(alice, b"teams").unwrap(), 2);
    assert_eq!(domain.remove_property(alice, b"teams").unwrap(), 0);
}

#[test]
fn endless_interference_ends_with_stale() {
    let (mut domain, database) = domain(Database::new());
    database.lock().unwrap().interference = u32::MAX;
    assert!(domain.set_property(0, b"a", &["b"]).unwrap_err().is(Status::Stale));
    assert_eq!(database.lock().unwrap().writes, netinfo_client::limits::STALE_ATTEMPTS);
    assert!(domain.create_child(0, &[]).unwrap_err().is(Status::Stale));
}

#[test]
fn trees_are_copied_and_destroyed() {
    let (mut domain, database) = domain(Database::new());
    for name in ["/a/b/c", "/a/b/d", "/a/e", "/z"] {
        domain.create_path(&path(name)).unwrap();
    }
    let a = domain.resolve(&path("/a")).unwrap();
    let z = domain.resolve(&path("/z")).unwrap();
    let (_, made) = domain.copy_tree(a, z, &[Property::new("name", ["copy"])]).unwrap();
    assert_eq!(made, 5);
    let d = domain.resolve(&path("/z/copy/b/d")).unwrap();
    assert!(domain.is_within(d, z).unwrap());
    assert!(!domain.is_within(d, a).unwrap());
    database.lock().unwrap().interference = 2;
    let mut gone = Vec::new();
    assert_eq!(domain.destroy_tree(a, |object| gone.push(object)).unwrap(), 5);
    assert_eq!(gone.last(), Some(&a));
    assert!(domain.resolve(&path("/a")).unwrap_err().is(Status::NoDir));
    assert!(domain.resolve(&path("/z/copy/e")).is_ok());
}

#[test]
fn many_directories_are_read_with_calls_ahead() {
    let (mut domain, _) = domain(Database::new());
    let objects: Vec<u32> = (0..200)
        .map(|i| domain.create_child(0, &[Property::new("name", [i.to_string()])]).unwrap().id.object)
        .collect();
    let mut names = Vec::new();
    domain
        .read_many(&objects, |index, answer| {
            assert_eq!(index, names.len());
            names.push(answer?.1.remove(0).values.remove(0));
            Ok(())
        })
        .unwrap();
    assert_eq!(names, (0..200).map(|i| i.to_string().into_bytes()).collect::<Vec<_>>());
    let mut missing = 0;
    domain
        .children_many(&[0, 9999], |_, answer| {
            missing += usize::from(answer.is_err_and(|e| e.is(Status::NoDir)));
            Ok(())
        })
        .unwrap();
    assert_eq!(missing, 1);
    let (entries, _) = domain.list(0, b"name").unwrap();
    assert_eq!(entries.len(), 200);
    assert_eq!(entries[7].names.as_deref(), Some(&[b"7".to_vec()][..]));
}

#[test]
fn users_are_found_for_login() {
    let (mut domain, _) = domain(Database::new());
    assert!(domain.login(b"alice", b"pw").unwrap_err().is(Status::NoUser));
    let alice = domain.create_path(&path("/users/alice")).unwrap().object;
    assert!(domain.login(b"alice", b"pw").unwrap_err().is(Status::NoUser));
    domain.set_property(alice, b"uid", &["501"]).unwrap();
    domain.login(b"alice", b"pw").unwrap();
    assert_eq!(domain.connection().credentials().map(netinfo_client::Credentials::uid), Some(501));
}

#[test]
fn servers_and_master_come_from_machines() {
    let (mut domain, _) = domain(Database::new());
    for (name, address, serves) in [
        ("boss", "192.0.2.1", "./network"),
        ("kid", "192.0.2.2", "kid/local"),
        ("odd", "nonsense", "./network"),
    ] {
        let machine = domain.create_path(&path(&format!("/machines/{name}"))).unwrap().object;
        domain.set_property(machine, b"ip_address", &[address]).unwrap();
        domain.set_property(machine, b"serves", &[serves]).unwrap();
    }
    domain.set_property(0, b"master", &["boss/network"]).unwrap();
    let servers = domain.servers_of(b".").unwrap();
    assert_eq!(servers.len(), 1);
    assert_eq!(
        (servers[0].addr.to_string().as_str(), servers[0].tag.as_slice()),
        ("192.0.2.1", &b"network"[..])
    );
    assert_eq!(domain.servers_of(b"kid").unwrap()[0].tag, b"local");
    let (host, replicas) = domain.master().unwrap();
    assert_eq!((host.as_slice(), replicas), (&b"boss"[..], servers));
}
