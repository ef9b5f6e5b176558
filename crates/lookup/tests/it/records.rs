//! The historical query.

use netinfo_lookup::{RECORDS_BYTES, View};
use netinfo_wire::lookup::{Answer, Pattern};
use netinfo_wire::netinfo::{PropList, PropListBuf, Property};

use crate::support::{Memory, view};

fn sources() -> [Memory; 2] {
    let mut local = Memory::new(&[
        "users name=jane uid=501 passwd=hash realname=Jane_Doe",
        "printers name=lp;laser rm=host mx=#0",
    ]);
    local.secrets = true;
    let network = Memory::new(&[
        "users name=jane uid=900",
        "users name=bob uid=501 realname=jane",
        "mounts name=server:/home dir=/home opts=rw;bg",
    ]);
    [local, network]
}

/// First names and uids of what is found.
fn query(
    view: &View<'_>,
    category: &str,
    pattern: &[(&str, &[&str])],
    single: bool,
    skip: u32,
) -> Vec<String> {
    let properties: Vec<Property> =
        pattern.iter().map(|(name, values)| Property::new(*name, values.iter().copied())).collect();
    let properties: PropListBuf = properties.iter().collect();
    let properties = properties.as_list();
    let answer = view.records(&Pattern { category: category.as_bytes(), properties, single, skip });
    let Answer::Found(found) = answer else { return Vec::new() };
    assert!(!found.more);
    let text = |values: Option<netinfo_wire::netinfo::NameList<'_>>| {
        let first = values.and_then(|values| values.iter().next());
        String::from_utf8_lossy(first.unwrap_or_default()).into_owned()
    };
    let lists = found.records.iter().map(|record| record.as_list());
    lists.map(|list| format!("{} {}", text(list.get(b"name")), text(list.get(b"uid")))).collect()
}

#[test]
fn records_are_found_by_the_name_or_the_first_property() {
    let sources = sources();
    let view = view(&sources);
    let by_uid: &[(&str, &[&str])] = &[("uid", &["501"])];
    assert_eq!(query(&view, "user", by_uid, false, 0), ["jane 501", "bob 501"]);
    assert_eq!(query(&view, "user", by_uid, true, 0), ["jane 501"]);
    assert_eq!(query(&view, "user", by_uid, false, 1), ["bob 501"]);
    let both: &[(&str, &[&str])] = &[("uid", &["501"]), ("name", &["jane"])];
    assert_eq!(query(&view, "user", both, false, 0), ["jane 501"]);
    assert_eq!(query(&view, "user", &[("name", &["Jane Doe"])], false, 0), ["jane 501"]);
    assert_eq!(query(&view, "printer", &[("name", &["laser"])], false, 0), ["lp "]);
    assert_eq!(query(&view, "mount", &[("dir", &["/home"]), ("opts", &["bg", "rw"])], false, 0).len(), 1);
    assert_eq!(query(&view, "mount", &[("dir", &["/home"]), ("opts", &["ro"])], false, 0).len(), 0);
    assert_eq!(query(&view, "elephant", &[], false, 0).len(), 0);
}

#[test]
fn every_value_counts() {
    let sources = sources();
    let view = view(&sources);
    let found = |pattern: &[(&str, &[&str])]| query(&view, "printer", pattern, false, 0).len();
    assert_eq!(found(&[("name", &["lp", "laser"])]), 1);
    assert_eq!(found(&[("name", &["laser", "lp"])]), 1);
    assert_eq!(found(&[("name", &["lp", "ink"])]), 0);
    assert_eq!(found(&[("name", &["lp"]), ("name", &["ink"])]), 0);
    assert_eq!(found(&[("rm", &["host", "other"])]), 0);
    // A user that is found by another name has that one, and no more.
    let by_realname: &[(&str, &[&str])] = &[("name", &["Jane Doe"])];
    assert_eq!(query(&view, "user", by_realname, false, 0), ["jane 501"]);
    let both: &[(&str, &[&str])] = &[("name", &["Jane Doe", "jane"])];
    assert_eq!(query(&view, "user", both, false, 0), ["jane 501"]);
    let neither: &[(&str, &[&str])] = &[("name", &["Jane Doe", "bob"])];
    assert_eq!(query(&view, "user", neither, false, 0).len(), 0);
}

#[test]
fn without_a_value_all_records_are_looked_at() {
    let sources = sources();
    let view = view(&sources);
    assert_eq!(query(&view, "user", &[], false, 0), ["jane 501", "jane 900", "bob 501"]);
    assert_eq!(query(&view, "user", &[("realname", &[])], false, 0), ["jane 501", "bob 501"]);
}

#[test]
fn many_records_come_in_pieces() {
    let value = "x".repeat(60_000);
    let lines: Vec<_> = (0..20).map(|n| format!("printers name=p{n} uid={value}")).collect();
    let sources = [Memory::new(&lines.iter().map(String::as_str).collect::<Vec<_>>())];
    let view = view(&sources);
    let pattern =
        |skip| Pattern { category: b"printer", properties: PropList::default(), single: false, skip };
    let Answer::Found(first) = view.records(&pattern(0)) else { panic!() };
    assert_eq!((first.records.len(), first.more), (RECORDS_BYTES / 60_000 + 1, true));
    let Answer::Found(rest) = view.records(&pattern(first.records.len() as u32)) else { panic!() };
    assert_eq!((rest.records.len(), rest.more), (20 - first.records.len(), false));
    assert!(matches!(view.records(&pattern(20)), Answer::NotFound));
}

#[test]
fn passwords_are_neither_told_nor_confirmed() {
    let sources = sources();
    let view = view(&sources);
    let has: &[(&str, &[&str])] = &[("passwd", &[])];
    assert_eq!(query(&view, "user", has, false, 0), ["jane 501"]);
    let guess: &[(&str, &[&str])] = &[("name", &["jane"]), ("passwd", &["hash"])];
    assert_eq!(query(&view, "user", guess, false, 0).len(), 0);
    let list: PropListBuf = [Property::new("name", ["jane"])].iter().collect();
    let pattern = Pattern { category: b"user", properties: list.as_list(), single: true, skip: 0 };
    let Answer::Found(found) = view.records(&pattern) else { panic!() };
    let passwd = found.records[0].as_list().get(b"passwd").unwrap();
    assert_eq!(passwd.iter().collect::<Vec<_>>(), [b"********"]);
}
