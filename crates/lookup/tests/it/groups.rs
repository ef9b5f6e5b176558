//! Members of groups and groups of members.

use std::cell::RefCell;
use std::time::Duration;

use netinfo_lookup::{Source, Traced, View};
use netinfo_wire::lookup::{Answer, Category, MAX_GIDS, MAX_LIST};

use crate::support::{Memory, by_name, by_number, view};

const LOCAL: &[&str] = &[
    "users name=jane uid=501 gid=20",
    "groups name=staff gid=20 passwd=* users=jane;root;jane",
    "groups name=wheel;admin gid=80 users=root",
    "groups name=broken users=jane",
];
const NETWORK: &[&str] = &[
    "users name=jane uid=900 gid=30",
    "users name=bob uid=501 gid=21",
    "groups name=staff gid=999 users=bob;jane",
    "groups name=games gid=77 users=jane;bob;a,b;c:d",
    "groups name=admin gid=81 users=jane",
    "groups name=same gid=20 users=jane",
];

fn two() -> [Memory; 2] {
    [Memory::new(LOCAL), Memory::new(NETWORK)]
}

fn gids(view: &View<'_>, user: &str) -> Answer<Vec<u32>> {
    view.initgroups(user.as_bytes())
}

#[test]
fn members_come_from_all_sources_each_once() {
    let sources = two();
    let view = view(&sources);
    assert_eq!(by_name(&view, Category::Group, "staff"), "staff:x:20:jane,root,bob");
    assert_eq!(by_number(&view, Category::Group, 20), "staff:x:20:jane,root,bob");
    assert_eq!(by_number(&view, Category::Group, 999), "not found");
    // What cannot stand in a list of members is none.
    assert_eq!(by_number(&view, Category::Group, 77), "games:*:77:jane,bob");
    assert_eq!(by_name(&view, Category::Group, "broken"), "not found");
}

#[test]
fn a_group_hidden_by_another_name_has_no_members() {
    let sources = two();
    let view = view(&sources);
    assert_eq!(by_name(&view, Category::Group, "admin"), "wheel:*:80:root");
    assert_eq!(by_number(&view, Category::Group, 81), "not found");
}

#[test]
fn groups_of_a_user_agree_with_members_of_groups() {
    let sources = two();
    let view = view(&sources);
    // The primary group, staff again, and games; "same" has the number of a group that came already.
    assert_eq!(gids(&view, "jane"), Answer::Found(vec![20, 77]));
    // Of the network's user bob, and a member of the local group staff.
    assert_eq!(gids(&view, "bob"), Answer::Found(vec![21, 20, 77]));
    // No user of ours.
    assert_eq!(gids(&view, "root"), Answer::Found(vec![20, 80]));
    assert_eq!(gids(&view, "nobody"), Answer::NotFound);
    assert_eq!(gids(&view, ""), Answer::NotFound);
    let away = [two()[0].clone(), Memory::away()];
    let view = crate::support::view(&away);
    assert_eq!(gids(&view, "jane"), Answer::Found(vec![20]));
    assert_eq!(gids(&view, "nobody"), Answer::TryAgain);
}

#[test]
fn not_all_groups_are_looked_at() {
    let mut lines: Vec<String> = (0..500).map(|n| format!("groups name=g{n} gid={n} users=other")).collect();
    lines.push("groups name=mine gid=1000 users=jane".into());
    let source = Memory::new(&lines.iter().map(String::as_str).collect::<Vec<_>>());
    let account = RefCell::default();
    let now = || Duration::ZERO;
    let traced: Box<dyn Source> = Box::new(Traced::new(source, &now, &account));
    assert_eq!(View::new(vec![traced]).initgroups(b"jane"), Answer::Found(vec![1000]));
    let asked: Vec<_> = account.borrow().iter().map(|asked| asked.outcome.clone()).collect();
    assert_eq!(
        asked,
        ["users/name=jane: nothing", "groups/users=jane: 1 record", "groups/name=mine: 1 record"]
    );
}

#[test]
fn groups_of_a_user_are_limited() {
    let lines: Vec<String> =
        (0..=MAX_GIDS).map(|n| format!("groups name=g{n} gid={} users=jane", n + 1)).collect();
    let records = lines.iter().map(|line| crate::support::record(line)).collect();
    // Every group has its own place, so that finding it takes no time.
    struct Indexed(Memory, std::collections::HashMap<Vec<u8>, usize>);
    impl Source for Indexed {
        fn name(&self) -> &str {
            "indexed"
        }
        fn shows_secrets(&self) -> bool {
            false
        }
        fn find(
            &self,
            table: netinfo_lookup::Table,
            key: &[u8],
            value: &[u8],
            each: &mut dyn FnMut(netinfo_lookup::Record<'_>) -> std::ops::ControlFlow<()>,
        ) -> Result<(), netinfo_lookup::Unavailable> {
            if key != b"name" {
                return self.0.find(table, key, value, each);
            }
            if let Some(&at) = self.1.get(value) {
                let _ =
                    each(netinfo_lookup::Record::Listed { id: at as u64, properties: &self.0.records[at].1 });
            }
            Ok(())
        }
        fn list(
            &self,
            _: netinfo_lookup::Table,
            _: u64,
            _: &mut dyn FnMut(u64, netinfo_lookup::Record<'_>) -> std::ops::ControlFlow<()>,
        ) -> Result<(), netinfo_lookup::Unavailable> {
            Ok(())
        }
    }
    let memory = Memory { records, ..Memory::default() };
    let places = (0..lines.len()).map(|n| (format!("g{n}").into_bytes(), n)).collect();
    let indexed: Box<dyn Source> = Box::new(Indexed(memory, places));
    let Answer::Found(gids) = View::new(vec![indexed]).initgroups(b"jane") else { panic!() };
    assert_eq!(gids.len(), MAX_GIDS as usize);
    assert_eq!((gids[0], gids.last()), (1, Some(&MAX_GIDS)));
}

#[test]
fn a_group_with_too_many_members_is_not_cut() {
    let members = |from: u32, to: u32| (from..to).map(|n| n.to_string()).collect::<Vec<_>>().join(";");
    let half = MAX_LIST / 2;
    let sources = |more: u32| {
        let first = format!("groups name=all gid=1 users={}", members(0, half));
        let second = format!("groups name=all gid=1 users={}", members(half, MAX_LIST + more));
        [Memory::new(&[&first]), Memory::new(&[&second])]
    };
    let fits = sources(0);
    let Answer::Found(entry) =
        crate::support::find(&view(&fits), Category::Group, netinfo_wire::lookup::Key::Number(1))
    else {
        panic!()
    };
    let netinfo_wire::lookup::Entry::Group(group) = entry.as_entry() else { panic!() };
    assert_eq!(group.members.len(), MAX_LIST as usize);
    assert_eq!(by_number(&view(&sources(1)), Category::Group, 1), "too large");
}
