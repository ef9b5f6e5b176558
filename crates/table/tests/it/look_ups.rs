//! What goes in comes out, and nothing else.

use netinfo_table::{Builder, Found, Group, MAX_KEY, Passwd, Record, Section, Service, Table, Use};
use proptest::prelude::*;

fn strings(record: &Record<'_>) -> Vec<Vec<u8>> {
    record.strings().map(<[u8]>::to_vec).collect()
}

fn user<'a>(name: &'a [u8], uid: u32) -> Passwd<'a> {
    Passwd { name, passwd: b"x", uid, gid: 20, gecos: b"G", home: b"/h", shell: b"/s", ..Passwd::default() }
}

fn name_of(found: Found<Record<'_>>) -> Option<Vec<u8>> {
    match found {
        Found::Hit(record) => record.strings().next().map(<[u8]>::to_vec),
        Found::Miss => None,
        Found::Unsure => panic!("unsure"),
    }
}

#[test]
fn users() {
    let mut builder = Builder::new();
    builder.passwd(&Passwd { aliases: &[b"al", b"Alice A"], ..user(b"alice", 501) }, Use::Both);
    builder.passwd(&user(b"bob", 502), Use::Both);
    let image = builder.finish().unwrap();
    let table = Table::open(&image).unwrap();
    for key in [&b"alice"[..], b"al", b"Alice A"] {
        let Found::Hit(alice) = table.passwd_by_name(key) else { panic!("{key:?}") };
        assert_eq!((alice.number, alice.second), (501, 20));
        assert_eq!(strings(&alice), [&b"alice"[..], b"x", b"G", b"/h", b"/s", b"al", b"Alice A"]);
    }
    assert_eq!(name_of(table.passwd_by_uid(502)), Some(b"bob".to_vec()));
    for miss in [&b""[..], b"alic", b"alice\0", b"x", b"G", b"ALICE"] {
        assert_eq!(table.passwd_by_name(miss), Found::Miss);
    }
    assert_eq!(table.passwd_by_uid(20), Found::Miss);
    assert_eq!(table.len(Section::Passwd), 2);
    assert_eq!(name_of(table.listed(Section::Passwd, 1)), Some(b"bob".to_vec()));
    assert_eq!(table.listed(Section::Passwd, 2), Found::Miss);
}

#[test]
fn the_first_of_a_key_is_found_and_all_are_listed() {
    let mut builder = Builder::new();
    builder.passwd(&Passwd { aliases: &[b"carol"], ..user(b"alice", 1) }, Use::Both);
    builder.passwd(&user(b"bob", 1), Use::Both);
    builder.passwd(&user(b"alice", 2), Use::Both);
    builder.passwd(&user(b"carol", 3), Use::Both);
    let image = builder.finish().unwrap();
    let table = Table::open(&image).unwrap();
    assert_eq!(name_of(table.passwd_by_uid(1)), Some(b"alice".to_vec()));
    assert_eq!(name_of(table.passwd_by_uid(2)), Some(b"alice".to_vec()));
    assert_eq!(name_of(table.passwd_by_name(b"bob")), Some(b"bob".to_vec()));
    assert_eq!(name_of(table.passwd_by_name(b"carol")), Some(b"alice".to_vec()));
    let Found::Hit(alice) = table.passwd_by_name(b"alice") else { panic!() };
    assert_eq!(alice.number, 1);
    assert_eq!(table.len(Section::Passwd), 4);
}

#[test]
fn groups_are_found_merged_and_listed_as_they_are() {
    let mut builder = Builder::new();
    let staff = Group { name: b"staff", passwd: b"*", gid: 20, members: &[b"a"], ..Group::default() };
    builder.group(&staff, Use::List);
    let merged = Group { passwd: b"", aliases: &[b"people"], members: &[b"a", b"b"], ..staff };
    builder.group(&merged, Use::Find);
    builder.groups_of(b"a", &[20, 7]);
    builder.groups_of(b"odd", &[]);
    let image = builder.finish().unwrap();
    let table = Table::open(&image).unwrap();
    for found in [table.group_by_name(b"staff"), table.group_by_name(b"people"), table.group_by_gid(20)] {
        let Found::Hit(staff) = found else { panic!() };
        assert_eq!(strings(&staff), [&b"staff"[..], b"", b"people", b"a", b"b"]);
        assert_eq!(staff.second, 1);
    }
    // A member is no name.
    assert_eq!(table.group_by_name(b"a"), Found::Miss);
    let Found::Hit(listed) = table.listed(Section::Group, 0) else { panic!() };
    assert_eq!(strings(&listed), [&b"staff"[..], b"*", b"a"]);
    assert_eq!(table.listed(Section::Group, 1), Found::Miss);
    let Found::Hit(groups) = table.groups_of(b"a") else { panic!() };
    assert_eq!(groups.gids().collect::<Vec<_>>(), [20, 7]);
    let Found::Hit(groups) = table.groups_of(b"odd") else { panic!() };
    assert_eq!(groups.gids().len(), 0);
    assert_eq!(table.groups_of(b"b"), Found::Miss);
    assert_eq!(table.group_by_gid(0), Found::Miss);
}

#[test]
fn services() {
    let mut builder = Builder::new();
    for protocol in [&b"udp"[..], b"tcp"] {
        builder.service(&Service { name: b"domain", protocol, port: 53, aliases: &[b"dns"] }, Use::Both);
    }
    builder.service(&Service { name: b"x", protocol: b"y", port: 53, aliases: &[] }, Use::Both);
    let image = builder.finish().unwrap();
    let table = Table::open(&image).unwrap();
    let protocol = |found: Found<Record<'_>>| match found {
        Found::Hit(record) => record.strings().nth(1).map(<[u8]>::to_vec),
        other => panic!("{other:?}"),
    };
    assert_eq!(protocol(table.service_by_name(b"domain", b"")), Some(b"udp".to_vec()));
    assert_eq!(protocol(table.service_by_name(b"dns", b"tcp")), Some(b"tcp".to_vec()));
    assert_eq!(protocol(table.service_by_port(53, b"")), Some(b"udp".to_vec()));
    assert_eq!(protocol(table.service_by_port(53, b"y")), Some(b"y".to_vec()));
    assert_eq!(table.service_by_name(b"dns", b"sctp"), Found::Miss);
    assert_eq!(table.service_by_name(b"udp", b""), Found::Miss);
    assert_eq!(table.service_by_name(b"domainudp", b""), Found::Miss);
    assert_eq!(table.service_by_name(b"domai", b"nudp"), Found::Miss);
    assert_eq!(table.service_by_port(80, b""), Found::Miss);
}

#[test]
fn incomplete_sections_are_unsure() {
    let mut builder = Builder::new();
    builder.passwd(&user(b"a", 1), Use::Both);
    builder.look_ups_incomplete(Section::Passwd);
    builder.list_incomplete(Section::Group);
    let image = builder.finish().unwrap();
    let table = Table::open(&image).unwrap();
    assert_eq!(name_of(table.passwd_by_name(b"a")), Some(b"a".to_vec()));
    assert_eq!(table.passwd_by_name(b"b"), Found::Unsure);
    assert_eq!(table.passwd_by_uid(2), Found::Unsure);
    assert_eq!(table.listed(Section::Passwd, 1), Found::Miss);
    assert_eq!(table.listed(Section::Group, 0), Found::Unsure);
    assert_eq!(table.group_by_gid(1), Found::Miss);
}

#[test]
fn keys_at_the_limit() {
    let (longest, longer) = ([b'a'; MAX_KEY], [b'a'; MAX_KEY + 1]);
    for (name, complete) in [(&longest[..], true), (&longer[..], false)] {
        let mut builder = Builder::new();
        builder.passwd(&user(name, 1), Use::Both);
        let image = builder.finish().unwrap();
        let table = Table::open(&image).unwrap();
        assert_eq!(matches!(table.passwd_by_name(name), Found::Hit(_)), complete);
        assert_eq!(table.passwd_by_name(b"b"), if complete { Found::Miss } else { Found::Unsure });
        assert!(matches!(table.passwd_by_uid(1), Found::Hit(_)));
        assert_eq!(table.passwd_by_name(&longer), Found::Unsure);
    }
    let image = Builder::new().finish().unwrap();
    let table = Table::open(&image).unwrap();
    assert_eq!(table.service_by_name(&longest, b""), Found::Unsure);
    assert_eq!(table.service_by_name(&longest[1..], b""), Found::Miss);
}

#[test]
fn strings_with_nul_are_left_out() {
    let mut builder = Builder::new();
    builder.passwd(&user(b"a\0b", 1), Use::Both);
    builder
        .group(&Group { name: b"g", passwd: b"", gid: 1, members: &[b"\0"], ..Group::default() }, Use::Both);
    assert_eq!(builder.left_out(), 2);
    let image = builder.finish().unwrap();
    let table = Table::open(&image).unwrap();
    assert!(table.is_empty());
    assert_eq!(table.passwd_by_name(b"a"), Found::Miss);
}

#[test]
fn a_hundred_thousand_users() {
    let mut builder = Builder::new();
    let names: Vec<String> = (0..100_000).map(|number| format!("user{number}")).collect();
    for (number, name) in (0..).zip(&names) {
        builder.passwd(&user(name.as_bytes(), number), Use::Both);
        builder.groups_of(name.as_bytes(), &[number, 20]);
    }
    let image = builder.finish().unwrap();
    let table = Table::open(&image).unwrap();
    for (number, name) in (0..).zip(&names) {
        assert_eq!(name_of(table.passwd_by_name(name.as_bytes())).as_deref(), Some(name.as_bytes()));
        assert_eq!(name_of(table.passwd_by_uid(number)).as_deref(), Some(name.as_bytes()));
        let Found::Hit(groups) = table.groups_of(name.as_bytes()) else { panic!("{name}") };
        assert_eq!(groups.gids().next(), Some(number));
    }
    assert_eq!(table.passwd_by_uid(100_000), Found::Miss);
    assert_eq!(table.passwd_by_name(b"user100000"), Found::Miss);
}

proptest! {
    #[test]
    fn what_goes_in_comes_out(
        users in prop::collection::vec((prop::collection::vec(1u8.., 0..12), 0u32..50), 0..40),
        key in prop::collection::vec(1u8.., 0..12), uid in 0u32..60,
    ) {
        let mut builder = Builder::new();
        users.iter().for_each(|(name, uid)| builder.passwd(&user(name, *uid), Use::Both));
        let image = builder.finish().unwrap();
        let table = Table::open(&image).unwrap();
        for key in users.iter().map(|(name, _)| name).chain([&key]) {
            let first = users.iter().find(|(name, _)| name == key);
            let found = match table.passwd_by_name(key) {
                Found::Hit(record) => Some((strings(&record)[0].clone(), record.number)),
                Found::Miss => None,
                Found::Unsure => panic!("unsure"),
            };
            prop_assert_eq!(found.as_ref(), first);
        }
        let first = users.iter().find(|(_, known)| *known == uid).map(|(name, _)| name.clone());
        prop_assert_eq!(name_of(table.passwd_by_uid(uid)), first);
        for (position, (name, _)) in users.iter().enumerate() {
            let found = name_of(table.listed(Section::Passwd, position));
            prop_assert_eq!(found.as_ref(), Some(name));
        }
    }
}
