//! Controls of writes and compares.

use netinfo_directory::{Change, Property, Target};
use netinfo_wire::ldap::control::entry::{
    AssertionControl, AuthzId, PostReadRequest, PostReadResponse, PreReadRequest, PreReadResponse,
    ProxiedAuthorization,
};
use netinfo_wire::ldap::filter::{Assertion, FilterBuf};
use netinfo_wire::ldap::request::{CompareRequest, DeleteRequest, ExtendedRequest, ModifyDnRequest};
use netinfo_wire::ldap::response::SearchEntry;
use netinfo_wire::ldap::{ControlsBuf, ModifyOp, Request, Response, ResultCode, SelectionBuf, oid};

use crate::support::{Client, Place};

const ALICE: &str = "uid=alice,cn=users,dc=example,dc=com";
const CHANGE: &[(ModifyOp, &str, &[&str])] = &[(ModifyOp::Replace, "description", &["new"])];

fn assertion(filter: &str) -> ControlsBuf {
    let filter = FilterBuf::parse(filter).unwrap();
    let mut controls = ControlsBuf::new();
    controls.add(true, &AssertionControl { filter: filter.as_filter() });
    controls
}

fn compare(client: &mut Client, controls: &ControlsBuf) -> ResultCode {
    let assertion = Assertion { attribute: b"uid", value: b"alice" };
    client.ask_with(Request::Compare(CompareRequest { dn: ALICE.as_bytes(), assertion }), controls).code()
}

#[test]
fn assertions() {
    let place = Place::new();
    let mut admin = place.admin();
    let (holds, fails) = (assertion("(uidNumber=501)"), assertion("(uidNumber=502)"));
    assert_eq!(admin.modify_with(ALICE, CHANGE, &fails).code(), ResultCode::AssertionFailed);
    assert!(place.values(&["users", "alice"], "comment").is_empty());
    assert_eq!(admin.modify_with(ALICE, CHANGE, &holds).code(), ResultCode::Success);
    assert_eq!(compare(&mut admin, &fails), ResultCode::AssertionFailed);
    assert_eq!(compare(&mut admin, &holds), ResultCode::CompareTrue);
    let rename = Request::ModifyDn(ModifyDnRequest {
        dn: ALICE.as_bytes(),
        new_rdn: b"uid=eve",
        delete_old_rdn: true,
        new_superior: None,
    });
    assert_eq!(admin.ask_with(rename, &fails).code(), ResultCode::AssertionFailed);
    let delete = Request::Delete(DeleteRequest { dn: ALICE.as_bytes() });
    assert_eq!(admin.ask_with(delete, &fails).code(), ResultCode::AssertionFailed);
    assert_eq!(admin.ask_with(delete, &assertion("(unknown=x)")).code(), ResultCode::AssertionFailed);
    assert_eq!(admin.ask_with(delete, &holds).code(), ResultCode::Success);
}

fn shown(entry: &SearchEntry<'_>) -> (String, Vec<(String, Vec<String>)>) {
    let text = |value: &[u8]| String::from_utf8(value.to_vec()).unwrap();
    let attributes = entry.attributes.iter();
    (text(entry.dn), attributes.map(|a| (text(a.name), a.values.iter().map(text).collect())).collect())
}

#[test]
fn entries_before_and_after() {
    let place = Place::new();
    let mut admin = place.admin();
    let selection: SelectionBuf = [&b"description"[..], b"uidNumber"].into_iter().collect();
    let mut controls = ControlsBuf::new();
    controls.add(true, &PreReadRequest { attributes: selection.as_list() });
    controls.add(true, &PostReadRequest { attributes: selection.as_list() });
    let answer = admin.modify_with(ALICE, CHANGE, &controls);
    assert_eq!(answer.code(), ResultCode::Success, "{}", answer.text());
    let (before, _) = answer.last().controls.get::<PreReadResponse<'_>>().unwrap().unwrap();
    let (after, _) = answer.last().controls.get::<PostReadResponse<'_>>().unwrap().unwrap();
    let number = ("uidNumber".to_owned(), vec!["501".to_owned()]);
    assert_eq!(shown(&before.entry), (ALICE.to_owned(), vec![number.clone()]));
    let (dn, mut attributes) = shown(&after.entry);
    attributes.sort();
    assert_eq!(dn, ALICE);
    assert_eq!(attributes, [("description".to_owned(), vec!["new".to_owned()]), number]);

    // A new entry afterwards, one that is deleted before.
    let mut controls = ControlsBuf::new();
    controls.add(
        true,
        &PostReadRequest {
            attributes: ["ou"].iter().map(|name| name.as_bytes()).collect::<SelectionBuf>().as_list(),
        },
    );
    let unit = "ou=Unit,dc=example,dc=com";
    let answer = admin.add_with(unit, &[("objectClass", &["organizationalUnit"])], &controls);
    assert_eq!(answer.code(), ResultCode::Success, "{}", answer.text());
    let (after, _) = answer.last().controls.get::<PostReadResponse<'_>>().unwrap().unwrap();
    assert_eq!(shown(&after.entry), (unit.to_owned(), vec![("ou".to_owned(), vec!["Unit".to_owned()])]));
    let mut controls = ControlsBuf::new();
    controls.add(
        true,
        &PreReadRequest {
            attributes: ["ou"].iter().map(|name| name.as_bytes()).collect::<SelectionBuf>().as_list(),
        },
    );
    let answer = admin.ask_with(Request::Delete(DeleteRequest { dn: unit.as_bytes() }), &controls);
    assert_eq!(answer.code(), ResultCode::Success);
    let (before, _) = answer.last().controls.get::<PreReadResponse<'_>>().unwrap().unwrap();
    assert_eq!(shown(&before.entry).0, unit);
    // No entry comes with a failure.
    let answer = admin.ask_with(Request::Delete(DeleteRequest { dn: unit.as_bytes() }), &controls);
    assert!(answer.last().controls.is_empty());
}

#[test]
fn what_may_not_be_read_is_not_returned() {
    let place = Place::new();
    let mut alice = place.user("alice");
    let selection: SelectionBuf = [&b"userPassword"[..], b"uid"].into_iter().collect();
    let mut controls = ControlsBuf::new();
    controls.add(true, &PreReadRequest { attributes: selection.as_list() });
    controls.add(true, &PostReadRequest { attributes: selection.as_list() });
    let change: &[(ModifyOp, &str, &[&str])] = &[(ModifyOp::Replace, "userPassword", &["{SSHA}AAAA"])];
    let answer = alice.modify_with(ALICE, change, &controls);
    assert_eq!(answer.code(), ResultCode::Success, "{}", answer.text());
    let (before, _) = answer.last().controls.get::<PreReadResponse<'_>>().unwrap().unwrap();
    let (after, _) = answer.last().controls.get::<PostReadResponse<'_>>().unwrap().unwrap();
    let uid = vec![("uid".to_owned(), vec!["alice".to_owned()])];
    assert_eq!((shown(&before.entry).1, shown(&after.entry).1), (uid.clone(), uid));
    // Nor does an assertion tell.
    let mut bob = place.user("bob");
    for filter in ["(userPassword=*)", "(userPassword={SSHA}AAAA)", "(!(userPassword=x))"] {
        assert_eq!(compare(&mut bob, &assertion(filter)), ResultCode::AssertionFailed, "{filter}");
    }
}

#[test]
fn trees_that_are_too_large_stay() {
    let place = Place::new();
    let unit = place.child(0, vec![Property::new("name", ["large"])]);
    let names = (0..netinfo_ldap::limits::TREE_DELETE_ENTRIES).map(|number| Change::Create {
        parent: Target::any(unit),
        properties: vec![Property::new("name", [number.to_string()])],
        position: u32::MAX,
    });
    place.change_all(names.collect());
    let mut admin = place.admin();
    let mut controls = ControlsBuf::new();
    controls.flag(oid::TREE_DELETE, true);
    let request = Request::Delete(DeleteRequest { dn: b"cn=large,dc=example,dc=com" });
    assert_eq!(admin.ask_with(request, &controls).code(), ResultCode::UnwillingToPerform);
    assert_eq!(admin.delete("cn=7,cn=large,dc=example,dc=com").code(), ResultCode::Success);
    assert_eq!(admin.ask_with(request, &controls).code(), ResultCode::Success);
    assert!(!place.exists(&["large"]));
}

#[test]
fn whole_trees_are_deleted() {
    let place = Place::new();
    let mut admin = place.admin();
    let mut controls = ControlsBuf::new();
    controls.flag(oid::TREE_DELETE, true);
    let request = Request::Delete(DeleteRequest { dn: b"cn=users,dc=example,dc=com" });
    let mut alice = place.user("alice");
    assert_eq!(alice.ask_with(request, &controls).code(), ResultCode::InsufficientAccessRights);
    assert!(place.exists(&["users", "alice"]));
    let answer = admin.ask_with(request, &controls);
    assert_eq!(answer.code(), ResultCode::Success, "{}", answer.text());
    assert!(!place.exists(&["users"]));
}

fn as_identity(identity: AuthzId<'_>) -> ControlsBuf {
    let mut controls = ControlsBuf::new();
    controls.add(true, &ProxiedAuthorization { identity });
    controls
}

#[test]
fn proxied_authorization() {
    let place = Place::new();
    let mut admin = place.admin();
    let who = |client: &mut Client, controls: &ControlsBuf| {
        let answer = client
            .ask_with(Request::Extended(ExtendedRequest { name: oid::WHO_AM_I, value: None }), controls);
        if answer.code() != ResultCode::Success {
            return Err(answer.code());
        }
        let Response::Extended(extended) = answer.last().op else { panic!() };
        Ok(String::from_utf8(extended.value.unwrap().to_vec()).unwrap())
    };
    assert_eq!(who(&mut admin, &as_identity(AuthzId::User(b"alice"))), Ok(format!("dn:{ALICE}")));
    assert_eq!(who(&mut admin, &as_identity(AuthzId::Dn(ALICE.as_bytes()))), Ok(format!("dn:{ALICE}")));
    assert_eq!(who(&mut admin, &as_identity(AuthzId::Anonymous)), Ok(String::new()));
    assert_eq!(admin.who_am_i(), "dn:uidNumber=0,cn=peercred,cn=external,cn=auth");
    assert_eq!(who(&mut admin, &as_identity(AuthzId::User(b"nobody"))), Err(ResultCode::AuthorizationDenied));
    // What is done so is done with that one's rights.
    let as_bob = as_identity(AuthzId::User(b"bob"));
    assert_eq!(admin.modify_with(ALICE, CHANGE, &as_bob).code(), ResultCode::InsufficientAccessRights);
    let password: &[(ModifyOp, &str, &[&str])] = &[(ModifyOp::Replace, "userPassword", &["{SSHA}AAAA"])];
    assert_eq!(admin.modify_with(ALICE, password, &as_bob).code(), ResultCode::InsufficientAccessRights);
    let as_alice = as_identity(AuthzId::User(b"alice"));
    assert_eq!(admin.modify_with(ALICE, password, &as_alice).code(), ResultCode::Success);
    // Others may act as themselves only.
    let mut bob = place.user("bob");
    assert_eq!(who(&mut bob, &as_bob), Ok("dn:uid=bob,cn=users,dc=example,dc=com".to_owned()));
    assert_eq!(who(&mut bob, &as_alice), Err(ResultCode::AuthorizationDenied));
    assert_eq!(who(&mut place.client(), &as_alice), Err(ResultCode::AuthorizationDenied));
    assert_eq!(
        who(&mut place.client(), &as_identity(AuthzId::Anonymous)),
        Err(ResultCode::AuthorizationDenied)
    );
}

#[test]
fn critical_controls_that_are_not_served() {
    let place = Place::new();
    let mut admin = place.admin();
    for critical in [false, true] {
        let mut controls = ControlsBuf::new();
        controls.flag("1.2.3.4.5", critical);
        let expected =
            if critical { ResultCode::UnavailableCriticalExtension } else { ResultCode::CompareTrue };
        assert_eq!(compare(&mut admin, &controls), expected);
    }
    let mut twice = ControlsBuf::new();
    twice.flag(oid::MANAGE_DSA_IT, false);
    twice.flag(oid::MANAGE_DSA_IT, false);
    assert_eq!(compare(&mut admin, &twice), ResultCode::ProtocolError);
}

#[test]
fn what_is_there_already_may_be_no_error() {
    let place = Place::new();
    let mut admin = place.admin();
    let mut controls = ControlsBuf::new();
    controls.flag(oid::PERMISSIVE_MODIFY, true);
    let again: &[(ModifyOp, &str, &[&str])] =
        &[(ModifyOp::Add, "uidNumber", &["501"]), (ModifyOp::Delete, "title", &["x"])];
    assert_ne!(admin.modify(ALICE, again).code(), ResultCode::Success);
    let answer = admin.modify_with(ALICE, again, &controls);
    assert_eq!(answer.code(), ResultCode::Success, "{}", answer.text());
}

#[test]
fn rules_are_relaxed_for_administrators_only() {
    let place = Place::new();
    let mut controls = ControlsBuf::new();
    controls.flag(oid::RELAX, true);
    let uuid = "6ba7b810-9dad-11d1-80b4-00c04fd430c8";
    let entry: &[(&str, &[&str])] = &[
        ("objectClass", &["organizationalUnit"]),
        ("entryUUID", &[uuid]),
        ("createTimestamp", &["20010203040506Z"]),
        ("modifyTimestamp", &["20020304050607Z"]),
    ];
    let unit = "ou=Imported,dc=example,dc=com";
    let mut alice = place.user("alice");
    assert_eq!(alice.add_with(unit, entry, &controls).code(), ResultCode::InsufficientAccessRights);
    let mut admin = place.admin();
    assert_eq!(admin.add(unit, entry).code(), ResultCode::ConstraintViolation);
    let answer = admin.add_with(unit, entry, &controls);
    assert_eq!(answer.code(), ResultCode::Success, "{}", answer.text());
    assert_eq!(admin.compare(unit, "entryUUID", uuid).code(), ResultCode::CompareTrue);
    assert_eq!(admin.compare(unit, "createTimestamp", "20010203040506Z").code(), ResultCode::CompareTrue);
    assert_eq!(admin.compare(unit, "modifyTimestamp", "20020304050607Z").code(), ResultCode::CompareTrue);
}
