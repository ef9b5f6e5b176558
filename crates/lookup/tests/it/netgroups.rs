//! Netgroups, nested and gathered from all over.

use netinfo_lookup::{MAX_NETGROUPS, MAX_TRIPLES, View};
use netinfo_wire::lookup::{Answer, Category, Innetgr};

use crate::support::{Memory, by_name, view};

fn sources() -> [Memory; 2] {
    [
        Memory::new(&[
            "machines name=ws1;ws1.example.org netgroups=desks",
            "users name=jane netgroups=desks;all",
            "netgroups name=loop netgroups=loop;pool",
        ]),
        Memory::new(&[
            "machines name=ws2 netgroups=desks",
            "netdomains name=office netgroups=desks",
            "netgroups name=all netgroups=desks;nothing",
            "netgroups name=triples netgrouptriplet=(a,b,c);(,d,);nonsense hosts=unseen",
            "netgroups name=lists hosts=h users=u domains=d",
            "netgroups name=pool netgroups=loop hosts=p",
            "netgroups name=empty",
        ]),
    ]
}

fn is_in(view: &View<'_>, group: &str, host: Option<&str>, user: Option<&str>, domain: Option<&str>) -> bool {
    let [host, user, domain] = [host, user, domain].map(|field| field.map(str::as_bytes));
    match view.innetgr(&Innetgr { group: group.as_bytes(), host, user, domain }) {
        Answer::Found(()) => true,
        Answer::NotFound => false,
        other => panic!("{other:?}"),
    }
}

#[test]
fn members_are_gathered() {
    let sources = sources();
    let view = view(&sources);
    let desks = "(ws1,-,-) (ws1.example.org,-,-) (-,jane,-) (ws2,-,-) (-,-,office)";
    assert_eq!(by_name(&view, Category::Netgroup, "desks"), format!("desks {desks}"));
    // Who is in it twice is told once.
    let all = desks.replace(" (-,jane,-)", "");
    assert_eq!(by_name(&view, Category::Netgroup, "all"), format!("all (-,jane,-) {all}"));
    assert_eq!(by_name(&view, Category::Netgroup, "triples"), "triples (a,b,c) (,d,)");
    assert_eq!(by_name(&view, Category::Netgroup, "lists"), "lists (h,-,-) (-,u,-) (-,-,d)");
    assert_eq!(by_name(&view, Category::Netgroup, "nobody"), "not found");
}

#[test]
fn loops_end() {
    let sources = sources();
    assert_eq!(by_name(&view(&sources), Category::Netgroup, "loop"), "loop (p,-,-)");
}

#[test]
fn a_netgroup_may_be_empty() {
    let sources = sources();
    assert_eq!(by_name(&view(&sources), Category::Netgroup, "empty"), "empty ");
}

#[test]
fn membership() {
    let sources = sources();
    let view = view(&sources);
    assert!(is_in(&view, "all", None, Some("jane"), None));
    assert!(is_in(&view, "all", Some("WS2"), None, None));
    assert!(!is_in(&view, "all", Some("ws2"), Some("jane"), None), "no triple has both");
    assert!(is_in(&view, "triples", Some("anywhere"), Some("d"), None));
    assert!(is_in(&view, "triples", Some("a"), Some("b"), Some("C")));
    assert!(!is_in(&view, "triples", Some("a"), Some("B"), None), "users differ by case");
    assert!(!is_in(&view, "nobody", None, Some("jane"), None));
}

#[test]
fn how_many_there_may_be() {
    let chain = |groups: usize| {
        let lines: Vec<_> =
            (0..groups).map(|n| format!("netgroups name=g{n} netgroups=g{}", n + 1)).collect();
        let sources = [Memory::new(&lines.iter().map(String::as_str).collect::<Vec<_>>())];
        by_name(&view(&sources), Category::Netgroup, "g0")
    };
    assert_eq!(chain(MAX_NETGROUPS - 1), "g0 ");
    assert_eq!(chain(MAX_NETGROUPS), "too large");
    let members = |count: usize| {
        let users: Vec<_> = (0..count).map(|n| n.to_string()).collect();
        let line = format!("netgroups name=g users={}", users.join(";"));
        by_name(&view(&[Memory::new(&[&line])]), Category::Netgroup, "g")
    };
    assert!(members(MAX_TRIPLES).starts_with("g (-,0,-)"));
    assert_eq!(members(MAX_TRIPLES + 1), "too large");
}
