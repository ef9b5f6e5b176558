//! All entries: none twice, none that is not found by its name.

use std::collections::HashSet;

use netinfo_directory::Property;
use netinfo_lookup::{PAGE_BYTES, PAGE_ENTRIES, Table, View};
use netinfo_wire::lookup::{Answer, Category, Cookie, Entry, EntryBuf, Key, MAX_ENTRY, MAX_REPLY, Query};
use proptest::prelude::*;

use crate::support::{Memory, line, view};

fn all(view: &View<'_>, category: Category) -> Vec<String> {
    let mut lines = Vec::new();
    let answer = view.each(category, |entry| lines.push(line(&entry.as_entry())));
    assert_eq!(answer, Answer::Found(()));
    lines
}

#[test]
fn hidden_entries_are_not_told() {
    let sources = [
        Memory::new(&["users name=a uid=1 gid=1", "users name=b;c uid=2 gid=1", "users name=a uid=3 gid=1"]),
        Memory::away(),
        Memory::new(&["users name=c uid=4 gid=1", "users name=d uid=1 gid=1", "users name=e gid=1"]),
    ];
    let lines = all(&view(&sources), Category::Passwd);
    assert_eq!(lines, ["a:*:1:1:::", "b:*:2:1:::", "d:*:1:1:::"]);
}

#[test]
fn groups_are_told_once_with_all_their_members() {
    let sources = [
        Memory::new(&["groups name=g gid=1 users=a"]),
        Memory::new(&["groups name=g gid=2 users=b", "groups name=h gid=2 users=b"]),
    ];
    assert_eq!(all(&view(&sources), Category::Group), ["g:*:1:a,b", "h:*:2:b"]);
}

#[test]
fn services_are_told_with_each_of_their_protocols() {
    let sources = [
        Memory::new(&["services name=ntp port=123 protocol=udp"]),
        Memory::new(&["services name=ntp port=123 protocol=tcp;udp;tcp"]),
    ];
    assert_eq!(all(&view(&sources), Category::Service), ["ntp  123/udp", "ntp  123/tcp"]);
}

#[test]
fn protocols_of_a_service_are_limited() {
    let protocols: Vec<_> = (0..33).map(|n| format!("p{n}")).collect();
    let line = format!("services name=s port=1 protocol={}", protocols.join(";"));
    let sources = [Memory::new(&[&line])];
    let lines = all(&view(&sources), Category::Service);
    assert_eq!((lines.len(), lines.last().map(String::as_str)), (32, Some("s  1/p31")));
    let last = Key::Service { name: b"s", protocol: b"p32" };
    assert_eq!(view(&sources).find(&Query { category: Category::Service, key: last }), Answer::NotFound);
}

#[test]
fn who_may_not_see_passwords_gets_none_of_them() {
    let mut sources = [Memory::new(&["users name=a uid=1 gid=1 passwd=hash expire=86400000"])];
    assert_eq!(view(&sources).all(Category::Shadow, Cookie::START), Answer::Refused);
    assert_eq!(view(&sources).all(Category::Netgroup, Cookie::START), Answer::NotFound);
    sources[0].secrets = true;
    assert_eq!(all(&view(&sources), Category::Shadow), ["a:hash:-1:1000"]);
}

#[test]
fn pages_end_by_number_and_by_size() {
    let lines: Vec<_> = (1..=PAGE_ENTRIES + 2).map(|n| format!("users name=u{n} uid={n} gid=1")).collect();
    let sources = [Memory::new(&lines.iter().map(String::as_str).collect::<Vec<_>>()), Memory::new(&[])];
    let view1 = view(&sources);
    let Answer::Found(page) = view1.all(Category::Passwd, Cookie::START) else { panic!() };
    assert_eq!(page.entries.len(), PAGE_ENTRIES);
    let next = page.next.unwrap();
    assert_eq!(next, Cookie { source: 0, position: PAGE_ENTRIES as u64 });
    let Answer::Found(page) = view1.all(Category::Passwd, next) else { panic!() };
    assert_eq!((page.entries.len(), page.next), (2, None));
    let beyond = Cookie { source: 9, position: 0 };
    let Answer::Found(page) = view1.all(Category::Passwd, beyond) else { panic!() };
    assert_eq!((page.entries.len(), page.next), (0, None));

    let gecos = "x".repeat(60_000);
    let large: Vec<_> = (1..=9).map(|n| format!("users name=u{n} uid={n} gid=1 realname={gecos}")).collect();
    let sources = [Memory::new(&large.iter().map(String::as_str).collect::<Vec<_>>())];
    let Answer::Found(page) = view(&sources).all(Category::Passwd, Cookie::START) else { panic!() };
    assert_eq!(page.entries.len(), PAGE_BYTES / 60_000 + 1);
    assert!(page.next.is_some());
    // The longest entry behind a page that is almost full still fits into a reply.
    const { assert!(PAGE_BYTES + MAX_ENTRY + 1024 <= MAX_REPLY) };
}

/// Records of few names and numbers, so that many of them clash.
fn memory() -> impl Strategy<Value = Memory> {
    let name = || prop::sample::select(&["a", "b", "c", "d", "", "A b", "x:y"][..]);
    let names = prop::collection::vec(name(), 0..3);
    let number = || prop::sample::select(&["1", "2", "3", "-2", "x"][..]);
    let protocols = prop::collection::vec(prop::sample::select(&["tcp", "udp"][..]), 0..3);
    let tables = prop::sample::select(&[Table::Users, Table::Groups, Table::Services, Table::Machines][..]);
    let users = prop::collection::vec(name(), 0..3);
    let record = (tables, names, number(), number(), protocols, users);
    let record = record.prop_map(|(table, names, id, second, protocols, users)| {
        let address = format!("10.0.0.{id}");
        let properties = vec![
            Property::new("name", names),
            Property::new("uid", [id]),
            Property::new("gid", [second]),
            Property::new("port", [id]),
            Property::new("protocol", protocols),
            Property::new("users", users),
            Property::new("ip_address", [address.as_str()]),
        ];
        (table, properties)
    });
    let records = prop::collection::vec(record, 0..12);
    records.prop_map(|records| Memory { records, secrets: false, away: false })
}

fn key<'a>(entry: &Entry<'a>) -> Key<'a> {
    match entry {
        Entry::Service(service) => Key::Service { name: service.name, protocol: service.protocol },
        entry => Key::Name(entry.name()),
    }
}

proptest! {
    #[test]
    fn what_is_told_is_found_and_what_is_found_is_told(sources in prop::collection::vec(memory(), 1..4)) {
        let view = view(&sources);
        for category in [Category::Passwd, Category::Group, Category::Service, Category::Host] {
            let mut told: Vec<EntryBuf> = Vec::new();
            let _ = view.each(category, |entry| told.push(entry));
            let mut names = HashSet::new();
            for entry in &told {
                let entry = entry.as_entry();
                prop_assert!(names.insert(format!("{:?}", key(&entry))), "told twice");
                let found = view.find(&Query { category, key: key(&entry) });
                prop_assert_eq!(found, Answer::Found(EntryBuf::new(&entry).unwrap()));
            }
            let mut keys: Vec<Key<'_>> = ["a", "b", "c", "d", "A b"].iter().map(|n| Key::Name(n.as_bytes())).collect();
            keys.extend([1, 2, 3, u32::MAX - 1].map(Key::Number));
            keys.extend([1, 2, 3].map(|port| Key::Port { port, protocol: b"" }));
            keys.push(Key::Address(&[10, 0, 0, 1]));
            for key in keys {
                if let Answer::Found(entry) = view.find(&Query { category, key }) {
                    prop_assert!(told.contains(&entry), "{:?} is found and not told", entry);
                }
            }
        }
    }

    #[test]
    fn groups_of_users_are_those_that_list_them(sources in prop::collection::vec(memory(), 1..4)) {
        let view = view(&sources);
        for user in ["a", "b", "A b"] {
            let mut expected = HashSet::new();
            let _ = view.each(Category::Group, |entry| {
                let Entry::Group(group) = entry.as_entry() else { panic!() };
                if group.members.iter().any(|m| m == user.as_bytes()) {
                    expected.insert(group.gid);
                }
            });
            let named = view.find(&Query { category: Category::Passwd, key: Key::Name(user.as_bytes()) });
            if let Answer::Found(entry) = named
                && let Entry::Passwd(passwd) = entry.as_entry()
            {
                expected.insert(passwd.gid);
            }
            let found: HashSet<u32> = match view.initgroups(user.as_bytes()) {
                Answer::Found(gids) => gids.into_iter().collect(),
                _ => HashSet::new(),
            };
            prop_assert_eq!(found, expected);
        }
    }
}
