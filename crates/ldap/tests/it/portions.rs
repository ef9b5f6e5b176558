//! Pages, order, list views; matched values; attributes of entries that attributes name.

use netinfo_directory::{Property, ROOT};
use netinfo_wire::ldap::control::deref::{DerefRequest, DerefResponse, DerefSpec, DerefSpecKind};
use netinfo_wire::ldap::control::paging::{
    PagedResults, SortKey, SortKeyKind, SortRequest, SortResponse, VlvRequest, VlvResponse, VlvTarget,
};
use netinfo_wire::ldap::filter::ValuesFilter;
use netinfo_wire::ldap::filter::values::ItemsBuf;
use netinfo_wire::ldap::list::ListBuf;
use netinfo_wire::ldap::{FilterBuf, Payload, ResultCode, Scope, SelectionBuf};

use crate::searching::{Found, Search};
use crate::support::{Client, Place};

/// Names in an order that is neither that of their making nor that of octets.
const NAMES: [&str; 10] =
    ["golf", "Alpha", "delta", "bravo", "Juliet", "echo", "hotel", "Charlie", "india", "foxtrot"];

/// A domain with ten things, each with a number that goes down as they come; the last has none.
fn things() -> Place {
    let place = Place::new();
    let parent = place.child(ROOT, vec![Property::new("name", ["things"])]);
    for (index, name) in NAMES.iter().enumerate() {
        let mut properties = vec![Property::new("name", [*name]), Property::new("objectClass", ["device"])];
        if index < 9 {
            properties.push(Property::new("uidNumber", [(100 - index * 11).to_string()]));
        }
        place.child(parent, properties);
    }
    place
}

/// A search among the things.
fn here(filter: &str) -> Search {
    Search::new("cn=things,dc=example,dc=com", Scope::One, filter).select(&["cn"])
}

fn all() -> Search {
    here("(objectClass=device)")
}

fn page(search: &Search, size: u32, cookie: &[u8], client: &mut Client) -> (Found, Vec<u8>) {
    let found = search.clone().control(true, &PagedResults { size, cookie }).of(client);
    let cookie = match found.controls().get::<PagedResults<'_>>().unwrap() {
        Some((paged, _)) => paged.cookie.to_vec(),
        None => Vec::new(),
    };
    (found, cookie)
}

/// All names, page by page; how many pages there were.
fn pages(search: &Search, size: u32, client: &mut Client) -> (Vec<String>, usize) {
    let (mut names, mut count, mut cookie) = (Vec::new(), 0, Vec::new());
    loop {
        let (found, next) = page(search, size, &cookie, client);
        assert_eq!(found.code, ResultCode::Success);
        assert!(found.entries.len() <= size as usize);
        names.extend(found.names().iter().map(|name| (*name).to_owned()));
        count += 1;
        cookie = next;
        if cookie.is_empty() {
            return (names, count);
        }
    }
}

fn keys(keys: &[(&str, Option<&str>, bool)]) -> ListBuf<SortKeyKind> {
    let key = |(attribute, rule, reverse): &(&'static str, Option<&'static str>, bool)| SortKey {
        attribute: attribute.as_bytes(),
        rule: rule.map(str::as_bytes),
        reverse: *reverse,
    };
    // Names are constants, so that they outlive the list.
    let keys: Vec<(&'static str, Option<&'static str>, bool)> = keys
        .iter()
        .map(|(a, r, v)| (&*String::leak((*a).to_owned()), r.map(|r| &*String::leak(r.to_owned())), *v))
        .collect();
    keys.iter().map(key).collect()
}

fn sorted(search: &Search, critical: bool, by: &[(&str, Option<&str>, bool)]) -> Search {
    let keys = keys(by);
    search.clone().control(critical, &SortRequest { keys: keys.as_list() })
}

fn sort_code(found: &Found) -> ResultCode {
    found.controls().get::<SortResponse<'_>>().unwrap().expect("a sort response").0.code
}

#[test]
fn every_entry_is_on_one_page() {
    let place = things();
    let mut admin = place.admin();
    for (size, count) in [(1, 10), (3, 4), (5, 2), (10, 1), (11, 1), (1000, 1)] {
        let (mut names, pages) = pages(&all(), size, &mut admin);
        names.sort_by_key(|name| NAMES.iter().position(|known| known == name));
        assert_eq!(names, NAMES, "{size}");
        assert_eq!(pages, count, "{size}");
    }
}

#[test]
fn cookies_are_bound_to_query_and_client() {
    let place = things();
    let mut admin = place.admin();
    let (first, cookie) = page(&all(), 3, b"", &mut admin);
    assert_eq!(first.entries.len(), 3);
    let refused = |search: &Search, cookie: &[u8], client: &mut Client| {
        let (found, _) = page(search, 3, cookie, client);
        assert_eq!((found.code, found.entries.len()), (ResultCode::UnwillingToPerform, 0));
    };
    refused(&here("(cn=*)"), &cookie, &mut admin);
    refused(&all(), b"nonsense", &mut admin);
    let mut forged = cookie.clone();
    forged[9] ^= 1;
    refused(&all(), &forged, &mut admin);
    refused(&all(), &cookie, &mut place.user("bob"));
    // Another connection of the same client goes on where this one was: nothing is lost with a connection.
    let (second, _) = page(&all(), 100, &cookie, &mut place.admin());
    assert_eq!(second.entries.len(), 7);
    // And the one that kept the search does, too.
    let (second, end) = page(&all(), 100, &cookie, &mut admin);
    assert_eq!((second.entries.len(), end.is_empty()), (7, true));
}

#[test]
fn pages_see_what_is_there() {
    let place = things();
    let mut admin = place.admin();
    let (first, cookie) = page(&all(), 5, b"", &mut admin);
    let seen: Vec<String> = first.dns().iter().map(|dn| (*dn).to_owned()).collect();
    for dn in ["cn=foxtrot,cn=things,dc=example,dc=com", &seen[0]] {
        assert_eq!(admin.delete(dn).code(), ResultCode::Success);
    }
    let (rest, end) = page(&all(), 100, &cookie, &mut admin);
    assert_eq!((rest.entries.len(), end.is_empty()), (4, true));
    assert!(rest.dns().iter().all(|dn| !seen.contains(&(*dn).to_owned())));
}

#[test]
fn many_searches_can_be_paged_at_once() {
    let place = things();
    let mut admin = place.admin();
    let search = |number: usize| here(&format!("(&(objectClass=device)(!(cn=x{number})))"));
    let mut cookies: Vec<_> = (0..10).map(|n| page(&search(n), 4, b"", &mut admin).1).collect();
    for _ in 0..2 {
        for (number, cookie) in cookies.iter_mut().enumerate() {
            let (found, next) = page(&search(number), 4, cookie, &mut admin);
            assert_eq!(found.entries.len(), if next.is_empty() { 2 } else { 4 });
            *cookie = next;
        }
    }
    assert!(cookies.iter().all(Vec::is_empty));
}

#[test]
fn a_page_of_none_ends_the_search() {
    let place = things();
    let mut admin = place.admin();
    let (_, cookie) = page(&all(), 3, b"", &mut admin);
    let (found, end) = page(&all(), 0, &cookie, &mut admin);
    assert_eq!((found.code, found.entries.len(), end.is_empty()), (ResultCode::Success, 0, true));
}

#[test]
fn size_limits_count_all_pages() {
    let place = things();
    let mut admin = place.admin();
    let limited = all().size_limit(5);
    let (first, cookie) = page(&limited, 3, b"", &mut admin);
    assert_eq!((first.code, first.entries.len()), (ResultCode::Success, 3));
    let (second, _) = page(&limited, 3, &cookie, &mut admin);
    assert_eq!((second.code, second.entries.len()), (ResultCode::SizeLimitExceeded, 2));
}

#[test]
fn results_are_sorted() {
    let place = things();
    let mut admin = place.admin();
    let found = sorted(&all(), true, &[("cn", None, false)]).of(&mut admin);
    assert_eq!(sort_code(&found), ResultCode::Success);
    let mut expected = NAMES;
    expected.sort_by_key(|name| name.to_lowercase());
    assert_eq!(found.names(), expected);
    let exact = sorted(&all(), true, &[("cn", Some("caseExactOrderingMatch"), false)]).of(&mut admin);
    expected.sort();
    assert_eq!(exact.names(), expected);
    // The one without a number counts as greater than all others.
    let numbers = sorted(&all(), true, &[("uidNumber", None, false)]).of(&mut admin);
    assert_eq!((numbers.names()[0], *numbers.names().last().unwrap()), ("india", "foxtrot"));
    let reverse = sorted(&all(), true, &[("uidNumber", None, true)]).of(&mut admin);
    assert_eq!((reverse.names()[0], reverse.names()[1]), ("foxtrot", "golf"));
    let two = sorted(&all(), true, &[("objectClass", None, false), ("cn", None, true)]).of(&mut admin);
    assert_eq!(two.names()[0], "Juliet");
}

#[test]
fn what_cannot_be_sorted() {
    let place = things();
    let mut admin = place.admin();
    for (attribute, rule, code) in [
        ("nothing", None, ResultCode::NoSuchAttribute),
        ("cn", Some("integerOrderingMatch"), ResultCode::InappropriateMatching),
        ("cn", Some("caseIgnoreSubstringsMatch"), ResultCode::InappropriateMatching),
        ("cn", Some("nonsense"), ResultCode::InappropriateMatching),
    ] {
        let found = sorted(&all(), true, &[(attribute, rule, false)]).of(&mut admin);
        assert_eq!((found.code, found.entries.len()), (ResultCode::UnavailableCriticalExtension, 0));
        assert_eq!(sort_code(&found), code, "{attribute} {rule:?}");
        let found = sorted(&all(), false, &[(attribute, rule, false)]).of(&mut admin);
        assert_eq!((found.code, found.entries.len(), sort_code(&found)), (ResultCode::Success, 10, code));
    }
}

#[test]
fn pages_of_a_sorted_result() {
    let place = things();
    let mut admin = place.admin();
    let mut expected = NAMES;
    expected.sort_by_key(|name| name.to_lowercase());
    let (names, count) = pages(&sorted(&all(), true, &[("cn", None, false)]), 4, &mut admin);
    assert_eq!((&names[..], count), (&expected.map(str::to_owned)[..], 3));
    // Also where nothing of the search was kept.
    let (_, cookie) = page(&sorted(&all(), true, &[("cn", None, false)]), 4, b"", &mut admin);
    let (second, _) = page(&sorted(&all(), true, &[("cn", None, false)]), 4, &cookie, &mut place.admin());
    assert_eq!(second.names(), expected[4..8]);
}

fn view(before: u32, after: u32, target: VlvTarget<'_>, client: &mut Client) -> (Vec<String>, u32, u32) {
    let request = VlvRequest { before, after, target, context: None };
    let found = sorted(&all(), true, &[("cn", None, false)]).control(true, &request).of(client);
    assert_eq!(found.code, ResultCode::Success);
    let response = found.controls().get::<VlvResponse<'_>>().unwrap().unwrap().0;
    assert_eq!(response.code, ResultCode::Success);
    (found.names().iter().map(|name| (*name).to_owned()).collect(), response.position, response.count)
}

#[test]
fn list_views() {
    let place = things();
    let mut admin = place.admin();
    let (names, position, count) = view(1, 1, VlvTarget::Offset { offset: 5, count: 0 }, &mut admin);
    assert_eq!((&names[..], position, count), (&["delta", "echo", "foxtrot"].map(str::to_owned)[..], 5, 10));
    let (names, position, _) = view(1, 1, VlvTarget::GreaterOrEqual(b"H"), &mut admin);
    assert_eq!((&names[..], position), (&["golf", "hotel", "india"].map(str::to_owned)[..], 8));
    let (names, position, _) = view(2, 2, VlvTarget::GreaterOrEqual(b"zulu"), &mut admin);
    assert_eq!((&names[..], position), (&["india", "Juliet"].map(str::to_owned)[..], 11));
    let target = VlvTarget::Offset { offset: 1, count: 0 };
    let found =
        all().control(true, &VlvRequest { before: 0, after: 1, target, context: None }).of(&mut admin);
    assert_eq!(found.code, ResultCode::VirtualListViewError);
    let response = found.controls().get::<VlvResponse<'_>>().unwrap().unwrap().0;
    assert_eq!(response.code, ResultCode::SortControlMissing);
}

#[test]
fn values_that_match() {
    let place = Place::new();
    let parent = place.child(ROOT, vec![Property::new("name", ["things"])]);
    place.child(
        parent,
        vec![
            Property::new("name", ["one"]),
            Property::new("mail", ["a@example.com", "b@example.org", "c@example.com"]),
            Property::new("description", ["x"]),
        ],
    );
    let mut admin = place.admin();
    let filters = ["(mail=*@example.com)", "(cn=ONE)"].map(|text| FilterBuf::parse(text).unwrap());
    let items: ItemsBuf = filters.iter().map(FilterBuf::as_filter).collect();
    let found =
        Search::all("(cn=one)").control(true, &ValuesFilter { items: items.as_list() }).of(&mut admin);
    let entry = &found.entries[0];
    assert_eq!(entry.texts("mail"), ["a@example.com", "c@example.com"]);
    assert_eq!(entry.texts("cn"), ["one"]);
    assert_eq!(entry.names().len(), 2, "nothing else: {:?}", entry.names());
}

#[test]
fn entries_that_attributes_name() {
    let place = Place::new();
    let mut admin = place.admin();
    let members = ["uid=bob,cn=users,dc=example,dc=com", "cn=nobody,dc=example,dc=com"];
    let answer = admin.add(
        "cn=team,cn=groups,dc=example,dc=com",
        &[("objectClass", &["groupOfNames"]), ("member", &members)],
    );
    assert_eq!(answer.code(), ResultCode::Success, "{}", answer.text());
    let mut attributes = SelectionBuf::new();
    attributes.push(b"uidNumber");
    attributes.push(b"userPassword");
    let spec = DerefSpec { attribute: b"member", attributes: attributes.as_list() };
    let specs: ListBuf<DerefSpecKind> = [spec].into_iter().collect();
    let request = DerefRequest { specs: specs.as_list() };
    let search = Search::all("(|(cn=team)(cn=staff))").select(&["cn"]).control(true, &request);
    let found = search.of(&mut place.user("alice"));
    let with: Vec<_> =
        found.entry_controls().iter().map(|controls| controls.find(DerefResponse::OID).is_some()).collect();
    assert_eq!(with.iter().filter(|with| **with).count(), 1);
    let index = with.iter().position(|with| *with).unwrap();
    assert_eq!(found.names()[index], "team");
    let controls = found.entry_controls()[index];
    let response = controls.get::<DerefResponse<'_>>().unwrap().unwrap().0;
    let results: Vec<_> = response.results.iter().collect();
    assert_eq!(results.len(), 1);
    assert_eq!((results[0].attribute, results[0].dn), (&b"member"[..], members[0].as_bytes()));
    let number = results[0].attributes.get("uidNumber").unwrap();
    assert_eq!(number.iter().next(), Some(&b"502"[..]));
    assert!(results[0].attributes.get("userPassword").is_none(), "nobody else's password");
}
