//! What searches may cost: each bound from both sides.

use netinfo_directory::{Change, Property, ROOT, Target};
use netinfo_ldap::Settings;
use netinfo_ldap::limits::{ALIAS_HOPS, ALIASES, CHAINED, DEREFERENCED, KEPT_SEARCHES, SORTED_ENTRIES};
use netinfo_wire::ldap::control::deref::{DerefRequest, DerefResponse, DerefSpec};
use netinfo_wire::ldap::control::paging::{PagedResults, SortKey, SortRequest, SortResponse};
use netinfo_wire::ldap::list::ListBuf;
use netinfo_wire::ldap::request::DerefAliases;
use netinfo_wire::ldap::{ResultCode, Scope, SelectionBuf};

use crate::searching::Search;
use crate::support::Place;

const SUFFIX: &str = "dc=example,dc=com";

/// Makes many directories below a new one, whose DN is returned.
fn many(place: &Place, name: &str, count: usize, properties: impl Fn(usize) -> Vec<Property>) -> String {
    let parent = Target::any(place.child(ROOT, vec![Property::new("name", [name])]));
    let make = |number: usize| Change::Create {
        parent,
        properties: [vec![Property::new("name", [number.to_string()])], properties(number)].concat(),
        position: u32::MAX,
    };
    place.change_all((0..count).map(make).collect());
    format!("cn={name},{SUFFIX}")
}

fn alias(target: &str) -> Vec<Property> {
    vec![Property::new("objectClass", ["alias"]), Property::new("aliasedObjectName", [target])]
}

#[test]
fn aliases_one_after_the_other() {
    let place = Place::new();
    let alice = format!("uid=alice,cn=users,{SUFFIX}");
    // The alias 0 leads to alice in one hop, the next in two.
    let base = many(&place, "chain", ALIAS_HOPS + 1, |number| match number {
        0 => alias(&alice),
        _ => alias(&format!("cn={},cn=chain,{SUFFIX}", number - 1)),
    });
    let mut admin = place.admin();
    let mut at = |number: usize| {
        Search::new(&format!("cn={number},{base}"), Scope::Base, "(objectClass=*)")
            .deref(DerefAliases::FindingBase)
            .of(&mut admin)
    };
    assert_eq!(at(ALIAS_HOPS - 1).names(), ["alice"]);
    assert_eq!(at(ALIAS_HOPS).code, ResultCode::LoopDetect);
}

#[test]
fn aliases_of_one_search() {
    let place = Place::new();
    let alice = format!("uid=alice,cn=users,{SUFFIX}");
    let base = many(&place, "aliases", ALIASES, |_| alias(&alice));
    let mut admin = place.admin();
    let search = Search::new(&base, Scope::One, "(uid=alice)").deref(DerefAliases::InSearching);
    assert_eq!(search.of(&mut admin).names(), ["alice"]);
    let parent = place.object(&["aliases"]);
    place.child(parent, [vec![Property::new("name", ["more"])], alias(&alice)].concat());
    assert_eq!(search.of(&mut place.admin()).code, ResultCode::AdminLimitExceeded);
}

#[test]
fn entries_reached_in_a_chain() {
    assert_eq!(Settings::default().chained, CHAINED);
    let place = Place::with(Settings { chained: 20, ..Settings::default() });
    let alice = format!("uid=alice,cn=users,{SUFFIX}");
    many(&place, "staff", 20, |_| vec![Property::new("manager", [&*alice])]);
    let search = Search::all(&format!("(manager:1.2.840.113556.1.4.1941:={alice})")).select(&["1.1"]);
    assert_eq!(search.of(&mut place.admin()).entries.len(), 20);
    let parent = place.object(&["staff"]);
    place.child(parent, vec![Property::new("name", ["more"]), Property::new("manager", [&*alice])]);
    let found = search.of(&mut place.admin());
    assert_eq!((found.code, found.entries.len()), (ResultCode::Success, 0), "Undefined");
}

#[test]
fn entries_that_are_sorted() {
    assert_eq!(Settings::default().sorted_entries, SORTED_ENTRIES);
    let place = Place::with(Settings { sorted_entries: 20, ..Settings::default() });
    let base = many(&place, "things", 20, |_| Vec::new());
    let keys: ListBuf<_> = [SortKey { attribute: b"cn", rule: None, reverse: true }].into_iter().collect();
    let sorted = |critical: bool| {
        let search = Search::new(&base, Scope::One, "(cn=*)").select(&["1.1"]);
        let found = search.control(critical, &SortRequest { keys: keys.as_list() }).of(&mut place.admin());
        let code = found.controls().get::<SortResponse<'_>>().unwrap().unwrap().0.code;
        (found.code, code, found.names().first().map(|name| (*name).to_owned()), found.entries.len())
    };
    let success = ResultCode::Success;
    assert_eq!(sorted(true), (success, success, Some("9".to_owned()), 20));
    place.child(place.object(&["things"]), vec![Property::new("name", ["more"])]);
    let exceeded = ResultCode::AdminLimitExceeded;
    assert_eq!(sorted(true), (ResultCode::UnavailableCriticalExtension, exceeded, None, 0));
    assert_eq!(sorted(false), (success, exceeded, Some("0".to_owned()), 21), "as they come");
}

#[test]
fn values_that_are_dereferenced() {
    let place = Place::new();
    let alice = format!("uid=alice,cn=users,{SUFFIX}");
    let names = || vec![&*alice; DEREFERENCED / 2];
    let group = [
        ("objectClass", vec!["groupOfNames", "extensibleObject"]),
        ("name", vec!["large"]),
        ("seeAlso", names()),
        ("owner", names()),
        ("manager", vec![&*alice]),
    ];
    let property = |(name, values): (&str, Vec<&str>)| Property {
        name: name.into(),
        values: values.into_iter().map(Into::into).collect(),
    };
    place.child(ROOT, group.into_iter().map(property).collect());
    let mut wanted = SelectionBuf::new();
    wanted.push(b"uid");
    let specs: ListBuf<_> = [b"seeAlso", &b"owner"[..], b"manager"]
        .into_iter()
        .map(|attribute| DerefSpec { attribute, attributes: wanted.as_list() })
        .collect();
    let request = DerefRequest { specs: specs.as_list() };
    let found = Search::all("(cn=large)").select(&["1.1"]).control(true, &request).of(&mut place.admin());
    let response = found.entry_controls()[0].get::<DerefResponse<'_>>().unwrap().unwrap().0;
    assert_eq!(response.results.iter().count(), DEREFERENCED);
    assert!(response.results.iter().all(|result| result.attribute != b"manager"));
}

#[test]
fn searches_that_are_not_kept_go_on_all_the_same() {
    let place = Place::new();
    let base = many(&place, "things", 9, |_| Vec::new());
    let mut admin = place.admin();
    let search = Search::new(&base, Scope::One, "(cn=*)").select(&["1.1"]);
    let mut under_way: Vec<_> =
        vec![search; KEPT_SEARCHES + 1].into_iter().map(|search| (search, Vec::new(), Vec::new())).collect();
    for _ in 0..3 {
        for (search, names, cookie) in &mut under_way {
            let found = search.clone().control(true, &PagedResults { size: 3, cookie }).of(&mut admin);
            assert_eq!(found.code, ResultCode::Success);
            names.extend(found.names().iter().map(|name| (*name).to_owned()));
            *cookie = found.controls().get::<PagedResults<'_>>().unwrap().unwrap().0.cookie.to_vec();
        }
    }
    for (_, names, cookie) in under_way {
        assert_eq!(names, ["0", "1", "2", "3", "4", "5", "6", "7", "8"]);
        assert!(cookie.is_empty());
    }
}
