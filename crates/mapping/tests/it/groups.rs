//! Groups: the parallel lists of their members, and what becomes of them.

use netinfo_directory::ROOT;
use netinfo_mapping::write::Operation::*;

use crate::support::{Fixture, refused};

const TEAM: &str = "cn=team,cn=groups,dc=example,dc=com";

fn dn(name: &str) -> String {
    format!("uid={name},cn=users,dc=example,dc=com")
}

/// Users alice, bob and carol, who have identifiers, and an empty group.
fn fixture(settings: &[(&str, &[&str])], group: &[(&str, &[&str])]) -> Fixture {
    let fixture = Fixture::example(settings);
    let users = fixture.directory(ROOT, &[("name", &["users"])]);
    for (number, name) in ["alice", "bob", "carol"].into_iter().enumerate() {
        let guid = format!("FFFFEEEE-DDDD-CCCC-BBBB-AAAA0000000{number}");
        fixture.directory(users, &[("name", &[name]), ("generateduid", &[&guid])]);
    }
    let groups = fixture.directory(ROOT, &[("name", &["groups"])]);
    fixture.directory(groups, &[&[("name", &["team"][..]), ("gid", &["100"])], group].concat());
    fixture
}

#[test]
fn members_follow_from_short_names() {
    let fixture = fixture(&[], &[("users", &["alice", "nobody", "bob"])]);
    assert_eq!(fixture.values(TEAM, "memberUid"), ["alice", "nobody", "bob"]);
    assert_eq!(fixture.values(TEAM, "member"), [dn("alice"), dn("bob")]);
    assert_eq!(fixture.values(&dn("alice"), "memberOf"), [TEAM]);
    assert_eq!(fixture.values(&dn("carol"), "memberOf"), [""; 0]);
    fixture.modify(TEAM, &[(Add, "member", &[&dn("carol")])]).unwrap();
    assert_eq!(fixture.property(TEAM, "users"), ["alice", "nobody", "bob", "carol"]);
    assert_eq!(fixture.values(TEAM, "member"), [dn("alice"), dn("bob"), dn("carol")]);
    fixture.modify(TEAM, &[(Delete, "member", &[&dn("ALICE")])]).unwrap();
    assert_eq!(fixture.property(TEAM, "users"), ["nobody", "bob", "carol"]);
    assert_eq!(fixture.values(&dn("alice"), "memberOf"), [""; 0]);
}

#[test]
fn rfc_2307_has_no_members() {
    let fixture = fixture(&[("_schema_variant", &["rfc2307"])], &[("users", &["alice"])]);
    assert_eq!(fixture.values(TEAM, "member"), [""; 0]);
    assert_eq!(fixture.values(TEAM, "memberUid"), ["alice"]);
}

#[test]
fn lists_that_a_group_keeps_stay_together() {
    let fixture = fixture(&[], &[]);
    let group = "cn=board,cn=groups,dc=example,dc=com";
    let (alice, bob) = (dn("alice"), dn("bob"));
    let dangling = "uid=ghost,dc=elsewhere";
    fixture.add(group, &[("objectClass", &["groupOfNames"]), ("member", &[&alice, dangling])]).unwrap();
    assert_eq!(fixture.property(group, "users"), ["alice"]);
    assert_eq!(fixture.values(group, "memberUid"), [""; 0], "its class does not have it");
    assert_eq!(fixture.values(group, "member"), [alice.as_str(), dangling]);
    assert_eq!(fixture.values(&alice, "memberOf"), [group]);
    fixture.modify(group, &[(Add, "objectClass", &["posixGroup"]), (Add, "gidNumber", &["7"])]).unwrap();
    assert_eq!(fixture.values(group, "memberUid"), ["alice"]);
    fixture.modify(group, &[(Add, "memberUid", &["bob"])]).unwrap();
    assert_eq!(fixture.values(group, "member"), [alice.as_str(), dangling, &bob]);
    fixture.modify(group, &[(Delete, "memberUid", &["alice"])]).unwrap();
    assert_eq!(fixture.values(group, "member"), [dangling, &bob]);
    refused!(fixture.modify(group, &[(Add, "member", &["no name"])]), InvalidAttributeSyntax);
}

#[test]
fn identifiers_follow_names() {
    let guid = |number: u32| format!("FFFFEEEE-DDDD-CCCC-BBBB-AAAA0000000{number}");
    let fixture = fixture(&[], &[("users", &["alice"]), ("groupmembers", &[&guid(0)])]);
    fixture.modify(TEAM, &[(Add, "memberUid", &["bob"])]).unwrap();
    assert_eq!(fixture.property(TEAM, "groupmembers"), [guid(0), guid(1)]);
    let lower = guid(2).to_lowercase();
    fixture.modify(TEAM, &[(Add, "apple-group-memberguid", &[&lower])]).unwrap();
    assert_eq!(fixture.property(TEAM, "groupmembers"), [guid(0), guid(1), guid(2)]);
    assert_eq!(fixture.property(TEAM, "users"), ["alice", "bob", "carol"]);
    fixture.modify(TEAM, &[(Delete, "apple-group-memberguid", &[&guid(0)])]).unwrap();
    assert_eq!(fixture.property(TEAM, "users"), ["bob", "carol"]);
}

#[test]
fn groups_forget_users_that_go_and_follow_those_that_are_renamed() {
    let fixture = fixture(&[], &[("users", &["alice", "bob"])]);
    let other = "cn=other,cn=groups,dc=example,dc=com";
    fixture
        .add(other, &[("objectClass", &["groupOfNames"]), ("member", &[&dn("alice"), &dn("bob")])])
        .unwrap();
    fixture.rename(&dn("alice"), "uid=alicia", true, None).unwrap();
    assert_eq!(fixture.property(TEAM, "users"), ["alicia", "bob"]);
    assert_eq!(fixture.values(other, "member"), [dn("alicia"), dn("bob")]);
    assert_eq!(fixture.property(other, "users"), ["alicia", "bob"]);
    fixture.delete(&dn("bob")).unwrap();
    assert_eq!(fixture.property(TEAM, "users"), ["alicia"]);
    assert_eq!(fixture.values(other, "member"), [dn("alicia")]);
    assert_eq!(fixture.property(other, "users"), ["alicia"]);
}

#[test]
fn groups_keep_names_where_the_domain_wants_it() {
    let fixture = fixture(&[("_referential_integrity", &["NO"])], &[("users", &["alice"])]);
    fixture.delete(&dn("alice")).unwrap();
    assert_eq!(fixture.property(TEAM, "users"), ["alice"]);
}

/// `team` is in `all` by DN, and `all` in `everybody` by GUID; `everybody` closes the circle.
fn circle(nested: &str) -> Fixture {
    let fixture = fixture(&[("_nested_memberof", &[nested])], &[("users", &["alice"])]);
    let group = |name: &str, attributes: &[(&str, &[&str])]| {
        let dn = format!("cn={name},cn=groups,dc=example,dc=com");
        fixture
            .add(&dn, &[&[("objectClass", &["groupOfNames", "apple-group"][..])], attributes].concat())
            .unwrap();
        dn
    };
    let all = group("all", &[("member", &[TEAM]), ("apple-generateduid", &["ALL-GUID"])]);
    let everybody = group("everybody", &[("apple-group-nestedgroup", &["ALL-GUID"]), ("member", &[TEAM])]);
    fixture.modify(TEAM, &[(Add, "member", &[&everybody])]).unwrap();
    assert_eq!(fixture.values(&all, "apple-generateduid"), ["ALL-GUID"]);
    fixture
}

#[test]
fn groups_of_groups_are_told_where_the_domain_wants_it() {
    let all = "cn=all,cn=groups,dc=example,dc=com";
    let everybody = "cn=everybody,cn=groups,dc=example,dc=com";
    let fixture = circle("NO");
    assert_eq!(fixture.values(&dn("alice"), "memberOf"), [TEAM]);
    assert_eq!(fixture.values(all, "memberOf"), [""; 0]);
    let fixture = circle("YES");
    assert_eq!(fixture.values(&dn("alice"), "memberOf"), [TEAM, all, everybody]);
    assert_eq!(fixture.values(all, "memberOf"), [TEAM, all, everybody], "by GUID, in a circle");
}
