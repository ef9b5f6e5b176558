//! Domains of a node as sources.

use std::cell::RefCell;
use std::time::Duration;

use netinfo_lookup::{Source, Traced, View};
use netinfo_wire::lookup::{Answer, Category, Cookie, Key, Query};

use crate::support::{World, by_name, by_number, fill, line};

fn world() -> World {
    World::new(&[
        (
            "local",
            &[
                "users name=root uid=0 gid=0 passwd=*",
                "users name=jane uid=501 gid=20 passwd=$6$salt$hash",
                "groups name=staff gid=20 users=jane",
                "machines name=gate ip_address=10.0.0.1",
            ],
        ),
        (
            "network",
            &[
                "users name=jane uid=900 gid=20",
                "users name=bob uid=502 gid=20 passwd=$6$salt$other",
                "groups name=staff gid=20 users=bob",
            ],
        ),
    ])
}

#[test]
fn domains_are_looked_up_in_order() {
    let world = world();
    let view = world.view(false);
    assert_eq!(by_name(&view, Category::Passwd, "jane"), "jane:x:501:20:::");
    assert_eq!(by_number(&view, Category::Passwd, 502), "bob:x:502:20:::");
    assert_eq!(by_number(&view, Category::Passwd, 900), "not found");
    assert_eq!(by_name(&view, Category::Group, "staff"), "staff:*:20:jane,bob");
    assert_eq!(view.initgroups(b"bob"), Answer::Found(vec![20]));
    let mut all = Vec::new();
    let _ = view.each(Category::Passwd, |entry| all.push(line(&entry.as_entry())));
    assert_eq!(all, ["root:x:0:0:::", "jane:x:501:20:::", "bob:x:502:20:::"]);
}

#[test]
fn hashes_come_from_snapshots_that_show_them_only() {
    let world = world();
    let hidden = world.view(false);
    assert_eq!(by_name(&hidden, Category::Shadow, "jane"), "refused");
    assert_eq!(hidden.all(Category::Shadow, Cookie::START), Answer::Refused);
    let shown = world.view(true);
    assert_eq!(by_name(&shown, Category::Shadow, "bob"), "bob:$6$salt$other:-1:-1");
    assert_eq!(by_name(&shown, Category::Passwd, "bob"), "bob:x:502:20:::");
    let Answer::Found(entry) = shown.find(&Query { category: Category::Shadow, key: Key::Name(b"bob") })
    else {
        panic!()
    };
    assert!(!format!("{entry:?}").contains("other"));
}

#[test]
fn a_page_goes_on_where_the_last_one_ended_whatever_happened() {
    let realname = "x".repeat(60_000);
    let lines: Vec<String> =
        (1..=8).map(|n| format!("users name=u{n} uid={n} gid=1 realname={realname}")).collect();
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    let world = World::new(&[("local", &lines), ("network", &["users name=far uid=9999 gid=1"])]);
    let Answer::Found(first) = world.view(false).all(Category::Passwd, Cookie::START) else { panic!() };
    assert_eq!(first.entries.len(), 5);
    fill(&world.domains[0], &["users name=new uid=7777 gid=1"]);
    let Answer::Found(second) = world.view(false).all(Category::Passwd, first.next.unwrap()) else {
        panic!()
    };
    assert_eq!(second.next, None);
    let names = first.entries.iter().chain(&second.entries);
    let names: Vec<_> =
        names.map(|entry| String::from_utf8(entry.as_entry().name().to_vec()).unwrap()).collect();
    assert_eq!(names, ["u1", "u2", "u3", "u4", "u5", "u6", "u7", "u8", "new", "far"]);
}

#[test]
fn the_account_of_a_look_up() {
    let world = world();
    let account = RefCell::default();
    let ticks = std::cell::Cell::new(0);
    let now = || {
        ticks.set(ticks.get() + 1);
        Duration::from_micros(ticks.get())
    };
    let sources = world.domains.iter().zip(world.sources(false));
    let traced = sources.map(|(domain, _)| {
        let view = domain.read(&domain.anonymous(netinfo_directory::Origin::Internal)).unwrap();
        let source = netinfo_lookup::DomainSource::new(domain.tag(), view);
        Box::new(Traced::new(source, &now, &account)) as Box<dyn Source + '_>
    });
    let view = View::new(traced.collect());
    assert_eq!(by_number(&view, Category::Passwd, 502), "bob:x:502:20:::");
    drop(view);
    let lines: Vec<_> = account.borrow().iter().map(|a| format!("{} {}", a.source, a.outcome)).collect();
    assert_eq!(
        lines,
        [
            "local users/uid=502: nothing",
            "network users/uid=502: 1 record",
            "local users/name=bob: nothing",
            "network users/name=bob: 1 record",
        ]
    );
    assert!(account.borrow().iter().all(|asked| asked.time == Duration::from_micros(1)));
}
