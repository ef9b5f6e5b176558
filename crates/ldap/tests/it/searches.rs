//! Searches: scopes, what is returned, limits, aliases, referrals, subentries, who sees what.

use std::time::Duration;

use netinfo_directory::{Property, ROOT};
use netinfo_ldap::Settings;
use netinfo_wire::ldap::control::entry::{AssertionControl, Subentries};
use netinfo_wire::ldap::request::DerefAliases;
use netinfo_wire::ldap::{FilterBuf, ResultCode, Scope, oid};
use proptest::prelude::*;

use crate::searching::Search;
use crate::support::{Client, Place};

const SUFFIX: &str = "dc=example,dc=com";

/// A tree of things that lead elsewhere: an alias of alice, one of the users, one of itself, one of nothing; a referral; a
/// subentry.
fn crooked() -> (Place, Client) {
    let place = Place::new();
    let mut admin = place.admin();
    let mut add = |dn: &str, attributes: &[(&str, &[&str])]| {
        let answer = admin.add(dn, attributes);
        assert_eq!(answer.code(), ResultCode::Success, "{dn}: {}", answer.text());
    };
    add("ou=crooked,dc=example,dc=com", &[("objectClass", &["organizationalUnit"])]);
    for (name, target) in [
        ("boss", "uid=alice,cn=users,dc=example,dc=com"),
        ("people", "cn=users,dc=example,dc=com"),
        ("loop", "cn=loop,ou=crooked,dc=example,dc=com"),
        ("nothing", "cn=nobody,dc=example,dc=com"),
    ] {
        let dn = format!("cn={name},ou=crooked,dc=example,dc=com");
        add(&dn, &[("objectClass", &["alias", "extensibleObject"]), ("aliasedObjectName", &[target])]);
    }
    let url = "ldap://other.example/ou=far,dc=example,dc=org label";
    add(
        "ou=far,ou=crooked,dc=example,dc=com",
        &[("objectClass", &["referral", "extensibleObject"]), ("ref", &[url])],
    );
    add(
        "cn=rules,ou=crooked,dc=example,dc=com",
        &[("objectClass", &["subentry"]), ("subtreeSpecification", &["{}"])],
    );
    (place, admin)
}

#[test]
fn scopes() {
    let place = Place::new();
    let mut admin = place.admin();
    let mut find = |base: &str, scope| {
        let found = Search::new(base, scope, "(objectClass=*)").select(&["1.1"]).of(&mut admin);
        assert_eq!(found.code, ResultCode::Success);
        let mut names: Vec<String> = found.names().iter().map(|name| (*name).to_owned()).collect();
        names.sort();
        names.join(" ")
    };
    assert_eq!(find(SUFFIX, Scope::Base), "example");
    assert_eq!(find("cn=users,dc=example,dc=com", Scope::One), "alice bob");
    assert_eq!(find("cn=users,dc=example,dc=com", Scope::Subtree), "alice bob users");
    assert_eq!(find("cn=users,dc=example,dc=com", Scope::Subordinate), "alice bob");
    assert!(find(SUFFIX, Scope::One).contains("groups") && !find(SUFFIX, Scope::One).contains("alice"));
    assert!(!find(SUFFIX, Scope::Subordinate).contains("example"));
}

#[test]
fn what_does_not_exist() {
    let place = Place::new();
    let mut admin = place.admin();
    let base = "cn=x,uid=nobody,cn=users,dc=example,dc=com";
    let found = Search::new(base, Scope::Base, "(objectClass=*)").of(&mut admin);
    assert_eq!((found.code, &found.matched[..]), (ResultCode::NoSuchObject, "cn=users,dc=example,dc=com"));
    let found = Search::new("nonsense", Scope::Base, "(objectClass=*)").of(&mut admin);
    assert_eq!(found.code, ResultCode::InvalidDnSyntax);
}

#[test]
fn numbers_below_zero() {
    let place = Place::new();
    let mut admin = place.admin();
    place.child(
        place.object(&["users"]),
        vec![Property::new("name", ["nobody"]), Property::new("uid", ["-2"]), Property::new("gid", ["0"])],
    );
    let mut find = |filter: &str| {
        let found =
            Search::new("cn=users,dc=example,dc=com", Scope::One, filter).select(&["uid"]).of(&mut admin);
        assert_eq!(found.code, ResultCode::Success);
        let mut names: Vec<_> = found.entries.iter().map(|entry| entry.texts("uid").concat()).collect();
        names.sort();
        names.join(" ")
    };
    // What is stored so is told as the large number it stands for, and found by either.
    for same in ["(uidNumber=-2)", "(uidNumber=4294967294)", "(uidNumber>=4294967294)"] {
        assert_eq!(find(same), "nobody", "{same}");
    }
    // A bound is what it says.
    assert_eq!(find("(&(gidNumber>=-1)(gidNumber<=0))"), "nobody");
    assert_eq!(find("(uidNumber>=-2)"), "alice bob nobody");
    assert_eq!(find("(uidNumber<=-1)"), "");
}

#[test]
fn selections() {
    let place = Place::new();
    let mut admin = place.admin();
    let alice = "uid=alice,cn=users,dc=example,dc=com";
    let mut names = |wanted: &[&str]| {
        let found = Search::new(alice, Scope::Base, "(objectClass=*)").select(wanted).of(&mut admin);
        let mut names: Vec<String> = found.entries[0].names().iter().map(|name| (*name).to_owned()).collect();
        names.sort();
        names.join(" ")
    };
    assert_eq!(names(&["1.1"]), "");
    assert_eq!(names(&["uid", "2.5.4.3", "nonsense", "", "dn"]), "cn uid");
    assert_eq!(names(&["name"]), "cn sn", "subtypes");
    assert_eq!(names(&["UIDNUMBER", "1.1"]), "uidNumber");
    let user = names(&[]);
    assert_eq!(names(&["*"]), user);
    assert!(user.contains("homeDirectory") && !user.contains("entryUUID"));
    let operational = names(&["+"]);
    assert!(operational.contains("entryUUID") && operational.contains("modifyTimestamp"));
    assert!(!operational.contains("homeDirectory"));
    let class = names(&["@posixAccount"]);
    assert!(class.contains("uidNumber") && class.contains("loginShell") == user.contains("loginShell"));
    assert!(!names(&["@posixGroup"]).contains("homeDirectory"));
    let found = Search::new(alice, Scope::Base, "(uid=*)").select(&["uid", "cn"]).types_only().of(&mut admin);
    assert!(found.entries[0].attributes.iter().all(|(_, values)| values.is_empty()));
    assert_eq!(found.entries[0].names().len(), 2);
}

#[test]
fn passwords_are_seen_by_few_and_found_by_none_of_the_others() {
    let place = Place::new();
    let (mut admin, mut bob) = (place.admin(), place.user("bob"));
    let all = |filter: &str| Search::all(filter).select(&["userPassword"]);
    for filter in [
        "(userPassword=*)",
        "(userPassword={CRYPT}*)",
        "(!(userPassword=x))",
        "(&(uid=alice)(!(userPassword=*)))",
    ] {
        assert_eq!(all(filter).of(&mut bob).dns(), [""; 0], "{filter}");
    }
    assert_eq!(all("(uid=alice)").of(&mut bob).entries[0].names(), [""; 0]);
    assert_eq!(all("(uid=alice)").of(&mut admin).entries[0].names(), ["userPassword"]);
    assert_eq!(all("(userPassword=*)").of(&mut admin).names(), ["alice", "bob"]);
}

#[test]
fn filters_on_what_the_server_computes() {
    let place = Place::new();
    let mut admin = place.admin();
    let code = admin.modify(
        "cn=staff,cn=groups,dc=example,dc=com",
        &[(netinfo_wire::ldap::ModifyOp::Add, "memberUid", &["alice"])],
    );
    assert_eq!(code.code(), ResultCode::Success);
    let alice = Search::all("(uid=alice)").select(&["entryUUID", "entryDN", "memberOf"]).of(&mut admin);
    let entry = &alice.entries[0];
    assert_eq!(entry.texts("memberOf"), ["cn=staff,cn=groups,dc=example,dc=com"]);
    let uuid = entry.texts("entryUUID").remove(0);
    for filter in [
        format!("(entryUUID={uuid})"),
        format!("(entryUUID={})", uuid.to_uppercase()),
        "(entryDN=UID=Alice, CN=Users, dc=example, dc=com)".to_owned(),
        "(memberOf=cn=staff,cn=groups,dc=example,dc=com)".to_owned(),
        "(memberOf:1.2.840.113556.1.4.1941:=cn=staff,cn=groups,dc=example,dc=com)".to_owned(),
        "(&(memberOf=*)(objectClass=posixAccount))".to_owned(),
    ] {
        assert_eq!(Search::all(&filter).of(&mut admin).names(), ["alice"], "{filter}");
    }
    let changed = Search::all("(&(modifyTimestamp>=20260102030405Z)(uid=*))").of(&mut admin);
    assert_eq!(changed.names(), ["alice", "bob"]);
    assert_eq!(Search::all("(modifyTimestamp>=20260102030406Z)").of(&mut admin).dns(), [""; 0]);
    let leaves = Search::new(SUFFIX, Scope::One, "(hasSubordinates=TRUE)").of(&mut admin);
    assert!(leaves.names().contains(&"users"));
}

#[test]
fn chains_of_members() {
    let place = Place::new();
    let mut admin = place.admin();
    let group = |name: &str| format!("cn={name},cn=groups,dc=example,dc=com");
    let alice = "uid=alice,cn=users,dc=example,dc=com";
    for (name, member) in [
        ("inner", alice.to_owned()),
        ("middle", group("inner")),
        ("outer", group("middle")),
        ("ring", group("ring")),
    ] {
        let member = [member.as_str()];
        let answer = admin.add(&group(name), &[("objectClass", &["groupOfNames"]), ("member", &member)]);
        assert_eq!(answer.code(), ResultCode::Success, "{}", answer.text());
    }
    let mut find = |filter: &str| {
        let found = Search::all(filter).of(&mut admin);
        assert_eq!(found.code, ResultCode::Success);
        let mut names: Vec<String> = found.names().iter().map(|name| (*name).to_owned()).collect();
        names.sort();
        names.join(" ")
    };
    assert_eq!(find(&format!("(member={alice})")), "inner");
    assert_eq!(find(&format!("(member:1.2.840.113556.1.4.1941:={alice})")), "inner middle outer");
    assert_eq!(find(&format!("(&(cn=middle)(member:1.2.840.113556.1.4.1941:={alice}))")), "middle");
    assert_eq!(
        find(&format!("(memberOf:1.2.840.113556.1.4.1941:={})", group("outer"))),
        "alice inner middle"
    );
    assert_eq!(find(&format!("(member:1.2.840.113556.1.4.1941:={})", group("ring"))), "ring");
    assert_eq!(find("(member:1.2.840.113556.1.4.1941:=cn=nobody)"), "");
    assert_eq!(find("(&(cn=inner)(!(cn:1.2.840.113556.1.4.1941:=x)))"), "", "names only");
}

#[test]
fn limits_of_size_and_time() {
    let place = Place::with(Settings { size_limit: 3, ..Settings::default() });
    let (mut admin, mut bob) = (place.admin(), place.user("bob"));
    let all = Search::all("(objectClass=*)");
    let found = all.clone().size_limit(2).of(&mut admin);
    assert_eq!((found.code, found.entries.len()), (ResultCode::SizeLimitExceeded, 2));
    let found = Search::all("(uid=*)").size_limit(2).of(&mut admin);
    assert_eq!((found.code, found.entries.len()), (ResultCode::Success, 2), "exactly as many as allowed");
    assert_eq!(all.of(&mut admin).code, ResultCode::Success, "administrators are free");
    let found = all.of(&mut bob);
    assert_eq!((found.code, found.entries.len()), (ResultCode::SizeLimitExceeded, 3));
    let found = all.clone().size_limit(1000).of(&mut bob);
    assert_eq!((found.code, found.entries.len()), (ResultCode::SizeLimitExceeded, 3));

    let place = Place::with(Settings { time_limit: Duration::ZERO, ..Settings::default() });
    assert_eq!(all.of(&mut place.user("bob")).code, ResultCode::TimeLimitExceeded);
    assert_eq!(all.of(&mut place.admin()).code, ResultCode::Success);
}

#[test]
fn entries_looked_at_in_vain_are_limited() {
    let place = Place::with(Settings { look_through: 20, ..Settings::default() });
    let other = place.child(ROOT, vec![Property::new("name", ["other"])]);
    for number in 0..60 {
        place.child(
            other,
            vec![Property::new("name", [format!("n{number}")]), Property::new("note", ["here"])],
        );
    }
    let (mut admin, mut bob) = (place.admin(), place.user("bob"));
    let unindexed = Search::all("(!(note=*))");
    assert_eq!(unindexed.of(&mut bob).code, ResultCode::AdminLimitExceeded);
    assert_eq!(unindexed.of(&mut admin).code, ResultCode::Success);
    // What the index finds is not looked for.
    assert_eq!(Search::all("(cn=n17)").of(&mut bob).names(), ["n17"]);
    assert_eq!(Search::all("(note=here)").of(&mut bob).entries.len(), 60);
}

#[test]
fn aliases_are_followed_if_asked_for() {
    let (_place, mut admin) = crooked();
    let boss = Search::new("cn=boss,ou=crooked,dc=example,dc=com", Scope::Base, "(objectClass=*)");
    assert_eq!(boss.of(&mut admin).names(), ["boss"]);
    assert_eq!(boss.clone().deref(DerefAliases::InSearching).of(&mut admin).code, ResultCode::Success);
    assert_eq!(boss.deref(DerefAliases::FindingBase).of(&mut admin).names(), ["alice"]);
    let below = "uid=bob,cn=people,ou=crooked,dc=example,dc=com";
    let below = Search::new(below, Scope::Base, "(objectClass=*)").deref(DerefAliases::Always);
    assert_eq!(below.of(&mut admin).names(), ["bob"]);
    let at = |name: &str| {
        let base = format!("cn={name},ou=crooked,dc=example,dc=com");
        Search::new(&base, Scope::Base, "(objectClass=*)").deref(DerefAliases::Always)
    };
    assert_eq!(at("loop").of(&mut admin).code, ResultCode::LoopDetect);
    assert_eq!(at("nothing").of(&mut admin).code, ResultCode::AliasProblem);

    let crooked = "ou=crooked,dc=example,dc=com";
    let sub = Search::new(crooked, Scope::Subtree, "(objectClass=posixAccount)");
    assert_eq!(sub.of(&mut admin).dns(), [""; 0]);
    assert_eq!(sub.deref(DerefAliases::InSearching).of(&mut admin).names(), ["alice", "bob"]);
    let one = Search::new(crooked, Scope::One, "(|(uid=*)(cn=users)(objectClass=alias))");
    let mut names = one.of(&mut admin).names().len();
    assert_eq!(names, 4, "the aliases themselves");
    names = one.deref(DerefAliases::Always).of(&mut admin).names().len();
    assert_eq!(names, 2, "alice and users, without what is below");
}

#[test]
fn referrals_lead_elsewhere_unless_managed() {
    let (_place, mut admin) = crooked();
    let crooked = "ou=crooked,dc=example,dc=com";
    let sub = Search::new(crooked, Scope::Subtree, "(ou=crooked)");
    let found = sub.of(&mut admin);
    assert_eq!(found.names(), ["crooked"]);
    assert_eq!(found.references, [["ldap://other.example/ou=far,dc=example,dc=org??sub"]]);
    let one = Search::new(crooked, Scope::One, "(cn=boss)").of(&mut admin);
    assert_eq!(one.references, [["ldap://other.example/ou=far,dc=example,dc=org??base"]]);
    assert_eq!(sub.clone().flag(oid::MANAGE_DSA_IT).of(&mut admin).references.len(), 0);
    assert_eq!(sub.flag(oid::DOMAIN_SCOPE).of(&mut admin).references.len(), 0);
    let below =
        Search::new("cn=x,ou=far,ou=crooked,dc=example,dc=com", Scope::Subtree, "(cn=x)").of(&mut admin);
    assert_eq!(below.code, ResultCode::Referral);
    assert_eq!(below.referrals, ["ldap://other.example/cn=x,ou=far,dc=example,dc=org??sub"]);
    let managed = Search::new("ou=far,ou=crooked,dc=example,dc=com", Scope::Base, "(objectClass=*)")
        .select(&["ref"])
        .flag(oid::MANAGE_DSA_IT)
        .of(&mut admin);
    assert_eq!(managed.entries[0].texts("ref").len(), 1);
}

#[test]
fn subentries_are_apart() {
    let (_place, mut admin) = crooked();
    let all = Search::new("ou=crooked,dc=example,dc=com", Scope::One, "(|(cn=rules)(cn=boss))");
    assert_eq!(all.of(&mut admin).names(), ["boss"]);
    let visible = |visible| all.clone().control(true, &Subentries { visible });
    assert_eq!(visible(true).of(&mut admin).names(), ["rules"]);
    assert_eq!(visible(false).of(&mut admin).names(), ["boss"]);
    let base = Search::new("cn=rules,ou=crooked,dc=example,dc=com", Scope::Base, "(objectClass=*)");
    assert_eq!(base.of(&mut admin).names(), ["rules"]);
}

#[test]
fn assertions_are_about_the_base() {
    let place = Place::new();
    let mut admin = place.admin();
    let asserting = |text: &str| {
        let filter = FilterBuf::parse(text).unwrap();
        let users = "cn=users,dc=example,dc=com";
        Search::new(users, Scope::One, "(uid=bob)")
            .control(true, &AssertionControl { filter: filter.as_filter() })
    };
    assert_eq!(asserting("(cn=users)").of(&mut admin).names(), ["bob"]);
    let failed = asserting("(cn=groups)").of(&mut admin);
    assert_eq!((failed.code, failed.entries.len()), (ResultCode::AssertionFailed, 0));
}

#[test]
fn filters_longer_than_the_indexes_are_asked_for() {
    let place = Place::new();
    let mut admin = place.admin();
    let items = |count: usize| (0..count).map(|n| format!("(cn=x{n})")).collect::<String>();
    for count in [netinfo_ldap::limits::PLANNED_FILTER - 2, netinfo_ldap::limits::PLANNED_FILTER + 1, 4000] {
        let found = Search::all(&format!("(|(uid=alice){})", items(count))).of(&mut admin);
        assert_eq!((found.code, found.names()), (ResultCode::Success, vec!["alice"]), "{count}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 8, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_controls_get_an_answer(
        lists in proptest::collection::vec(
            proptest::collection::vec(
                (0usize..12, any::<bool>(), proptest::option::of(proptest::collection::vec(any::<u8>(), 0..40)), 0u8..4),
                0..4,
            ),
            100,
        ),
    ) {
        const KINDS: [&str; 12] = [
            oid::PAGED_RESULTS, oid::SORT_REQUEST, oid::VLV_REQUEST, oid::MATCHED_VALUES, oid::SUBENTRIES, oid::DEREF,
            oid::ASSERTION, oid::MANAGE_DSA_IT, oid::DOMAIN_SCOPE, oid::DONT_USE_COPY, oid::PROXIED_AUTHORIZATION, "1.2.3",
        ];
        let place = Place::new();
        let mut admin = place.admin();
        for list in lists {
            let mut search = Search::all("(uid=*)");
            for (kind, critical, value, form) in &list {
                // Some are almost right.
                let value = match (form, value) {
                    (0, Some(value)) => Some([&[0x30, value.len() as u8][..], value].concat()),
                    (1, _) => Some(b"\x30\x05\x02\x01\x02\x04\x00".to_vec()),
                    (2, _) => Some(b"\x30\x06\x30\x04\x04\x02cn".to_vec()),
                    (_, value) => value.clone(),
                };
                search = search.octets(KINDS[*kind], *critical, value.as_deref());
            }
            let found = search.of(&mut admin);
            prop_assert!(found.code != ResultCode::Unspecified, "{:?}", list);
        }
    }
}
