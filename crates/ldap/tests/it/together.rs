//! Many clients at once.

use std::thread;

use netinfo_directory::{Credentials, Origin};
use netinfo_wire::ldap::{ModifyOp, ResultCode};

use crate::support::Place;

const CLIENTS: usize = 8;

#[test]
fn no_increment_is_lost() {
    const ROUNDS: usize = 15;
    let place = Place::new();
    let alice = "uid=alice,cn=users,dc=example,dc=com";
    thread::scope(|scope| {
        for _ in 0..CLIENTS {
            scope.spawn(|| {
                let mut client = place.admin();
                for _ in 0..ROUNDS {
                    let answer = client.modify(alice, &[(ModifyOp::Increment, "uidNumber", &["1"])]);
                    assert_eq!(answer.code(), ResultCode::Success, "{}", answer.text());
                }
            });
        }
    });
    let number = 501 + CLIENTS * ROUNDS;
    assert_eq!(place.value(&["users", "alice"], "uid"), Some(number.to_string()));
}

#[test]
fn an_entry_is_added_once() {
    const NAMES: usize = 20;
    let place = Place::new();
    let added: usize = thread::scope(|scope| {
        let clients: Vec<_> = (0..CLIENTS)
            .map(|number| {
                let place = &place;
                scope.spawn(move || {
                    let mut client = place.admin();
                    // Everybody writes the name in another way.
                    let (container, kind) = [
                        ("cn=users", "uid"),
                        ("ou=people", "UID"),
                        ("CN=Users", "0.9.2342.19200300.100.1.1"),
                    ][number % 3];
                    (0..NAMES)
                        .filter(|name| {
                            let dn = format!("{kind}=u{name},{container},dc=example,dc=com");
                            let answer = client.add(&dn, &[("objectClass", &["account"])]);
                            let code = answer.code();
                            let others = [ResultCode::EntryAlreadyExists, ResultCode::Busy];
                            assert!(code.is_success() || others.contains(&code), "{code}: {}", answer.text());
                            code.is_success()
                        })
                        .count()
                })
            })
            .collect();
        clients.into_iter().map(|client| client.join().unwrap()).sum()
    });
    assert_eq!(added, NAMES);
    let session = place.domain.authenticate(Credentials::None, Origin::Internal).unwrap();
    let view = place.domain.read(&session).unwrap();
    let users = view.path(&[b"users"]).unwrap().unwrap();
    for name in 0..NAMES {
        assert_eq!(view.lookup(users, b"name", format!("u{name}").as_bytes()).unwrap().len(), 1, "u{name}");
    }
}

#[test]
fn groups_lose_only_those_who_go() {
    let place = Place::new();
    let mut admin = place.admin();
    let group = "cn=staff,cn=groups,dc=example,dc=com";
    let names: Vec<String> = (0..CLIENTS * 3).map(|number| format!("m{number}")).collect();
    for name in &names {
        let dn = format!("uid={name},cn=users,dc=example,dc=com");
        assert_eq!(admin.add(&dn, &[("objectClass", &["account"])]).code(), ResultCode::Success);
    }
    let members: Vec<&str> = names.iter().map(String::as_str).collect();
    assert_eq!(admin.modify(group, &[(ModifyOp::Add, "memberUid", &members)]).code(), ResultCode::Success);
    // The first two of three go, all at once; every one of them changes the group.
    thread::scope(|scope| {
        for part in names.chunks(3) {
            let place = &place;
            scope.spawn(move || {
                let mut client = place.admin();
                for name in &part[..2] {
                    let answer = client.delete(&format!("uid={name},cn=users,dc=example,dc=com"));
                    assert_eq!(answer.code(), ResultCode::Success, "{}", answer.text());
                }
            });
        }
    });
    let left: Vec<&String> = names.chunks(3).map(|part| &part[2]).collect();
    assert_eq!(place.values(&["groups", "staff"], "users").iter().collect::<Vec<_>>(), left);
}
