//! The entries of the server itself.

use netinfo_directory::Origin;
use netinfo_ldap::{Peer, Settings};
use netinfo_wire::ldap::filter::FilterBuf;
use netinfo_wire::ldap::{ModifyOp, Request, Response, ResultCode, Scope, SearchRequest, SelectionBuf, oid};

use crate::support::{Client, PASSWORD, Place};

/// The attributes of the one entry a search finds, with their values.
fn read(
    client: &mut Client,
    base: &str,
    scope: Scope,
    filter: &str,
    select: &[&str],
) -> Option<Vec<(String, Vec<String>)>> {
    let filter = FilterBuf::parse(filter).unwrap();
    let selection: SelectionBuf = select.iter().map(|name| name.as_bytes()).collect();
    let mut request = SearchRequest::new(base.as_bytes(), scope, filter.as_filter());
    request.attributes = selection.as_list();
    let answer = client.ask(Request::Search(request));
    assert_eq!(answer.code(), ResultCode::Success, "{}", answer.text());
    let text = |value: &[u8]| String::from_utf8(value.to_vec()).unwrap();
    let messages = answer.messages();
    assert!(messages.len() <= 2);
    let Response::SearchEntry(entry) = messages[0].op else { return None };
    let attributes = entry.attributes.iter();
    Some(attributes.map(|a| (text(a.name), a.values.iter().map(text).collect())).collect())
}

fn root(client: &mut Client, select: &[&str]) -> Vec<(String, Vec<String>)> {
    read(client, "", Scope::Base, "(objectClass=*)", select).unwrap()
}

fn get(entry: &[(String, Vec<String>)], name: &str) -> Vec<String> {
    entry.iter().find(|(own, _)| own == name).map(|(_, values)| values.clone()).unwrap_or_default()
}

#[test]
fn root_dse() {
    let place = Place::new();
    let mut client = place.client();
    let entry = root(&mut client, &["*", "+"]);
    assert_eq!(get(&entry, "namingContexts"), ["dc=example,dc=com"]);
    assert_eq!(get(&entry, "defaultNamingContext"), ["dc=example,dc=com"]);
    assert_eq!(get(&entry, "supportedLDAPVersion"), ["3"]);
    assert!(get(&entry, "subschemaSubentry")[0].eq_ignore_ascii_case("cn=subschema"));
    assert_eq!(get(&entry, "vendorName"), ["NetInfo"]);
    assert!(get(&entry, "supportedControl").iter().any(|name| name == oid::ASSERTION));
    assert_eq!(
        get(&entry, "supportedExtension"),
        [oid::PASSWORD_MODIFY, oid::WHO_AM_I, oid::CANCEL, oid::VERIFY_CREDENTIALS],
        "TLS is not there"
    );
    // Nothing is offered that would be refused on this connection.
    assert_eq!(get(&entry, "supportedSASLMechanisms"), ["SCRAM-SHA-256"]);
    let local = root(&mut place.local(1), &["+"]);
    assert_eq!(get(&local, "supportedSASLMechanisms"), ["EXTERNAL", "SCRAM-SHA-256", "PLAIN"]);
    client.connection.secured(None);
    assert_eq!(get(&root(&mut client, &["+"]), "supportedSASLMechanisms"), ["SCRAM-SHA-256", "PLAIN"]);
}

#[test]
fn root_dse_by_selection_and_filter() {
    let place = Place::with(Settings { start_tls: true, ..Settings::default() });
    let mut client = place.client();
    let names =
        |entry: &[(String, Vec<String>)]| entry.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
    assert_eq!(names(&root(&mut client, &[])), ["objectClass"]);
    assert_eq!(names(&root(&mut client, &["*"])), ["objectClass"]);
    assert!(names(&root(&mut client, &["1.1"])).is_empty());
    assert_eq!(names(&root(&mut client, &["NAMINGCONTEXTS", "unknown", ""])), ["namingContexts"]);
    assert_eq!(names(&root(&mut client, &["1.3.6.1.4.1.1466.101.120.5"])), ["namingContexts"]);
    assert!(
        get(&root(&mut client, &["supportedExtension"]), "supportedExtension")
            .contains(&oid::START_TLS.into())
    );
    for (filter, found) in [
        ("(objectClass=top)", true),
        ("(supportedLDAPVersion=3)", true),
        ("(supportedLDAPVersion=2)", false),
        ("(&(objectClass=*)(!(vendorName=x)))", true),
        ("(!(unknown=x))", false),
        ("(|(unknown=x)(vendorName=NetInfo))", true),
        ("(cn=*)", false),
    ] {
        assert_eq!(read(&mut client, "", Scope::Base, filter, &[]).is_some(), found, "{filter}");
    }
}

#[test]
fn subschema() {
    let place = Place::new();
    let mut client = place.client();
    for base in ["cn=subschema", "cn=schema", "CN=Subschema", "cn=subschema,dc=example,dc=com"] {
        let entry = read(&mut client, base, Scope::Base, "(objectClass=subschema)", &["*", "+"]).unwrap();
        assert!(get(&entry, "attributeTypes").len() > 300);
        assert!(get(&entry, "objectClasses").iter().any(|class| class.contains("'posixAccount'")));
        for name in ["ldapSyntaxes", "matchingRules", "matchingRuleUse"] {
            assert!(!get(&entry, name).is_empty(), "{name}");
        }
    }
    // Lists are operational: who wants them says so.
    let entry = read(&mut client, "cn=subschema", Scope::Base, "(objectClass=*)", &[]).unwrap();
    assert!(get(&entry, "attributeTypes").is_empty() && !get(&entry, "cn").is_empty());
    assert!(read(&mut client, "cn=subschema", Scope::One, "(objectClass=*)", &[]).is_none());
    assert!(
        read(&mut client, "cn=subschema", Scope::Subtree, "(objectClass=*)", &["objectClasses"]).is_some()
    );
}

const SERIAL: &str = "( 1.3.6.1.4.1.99999.1 NAME 'exampleBadge' EQUALITY caseIgnoreMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 SINGLE-VALUE )";
const HOLDER: &str = "( 1.3.6.1.4.1.99999.2 NAME 'exampleHolder' SUP top AUXILIARY MAY exampleBadge )";

#[test]
fn the_schema_grows_and_shrinks() {
    let place = Place::new();
    let mut admin = place.admin();
    let mut change = |op, name: &str, value: &str| admin.modify("cn=schema", &[(op, name, &[value])]);
    // The class needs the attribute, which may come in the same request.
    assert_eq!(change(ModifyOp::Add, "objectClasses", HOLDER).code(), ResultCode::ConstraintViolation);
    assert_eq!(change(ModifyOp::Add, "attributeTypes", SERIAL).code(), ResultCode::Success);
    assert_eq!(change(ModifyOp::Add, "attributeTypes", SERIAL).code(), ResultCode::AttributeOrValueExists);
    assert_eq!(change(ModifyOp::Add, "objectClasses", HOLDER).code(), ResultCode::Success);
    assert_eq!(place.values(&[], "_schema_definitions").len(), 2);
    let mut client = place.client();
    let entry = read(&mut client, "cn=subschema", Scope::Base, "(objectClass=*)", &["+"]).unwrap();
    assert!(get(&entry, "attributeTypes").iter().any(|text| text.contains("'exampleBadge'")));
    // It is in force.
    let alice = "uid=alice,cn=users,dc=example,dc=com";
    let badges: &[&str] = &["one", "two"];
    let answer = admin.modify(alice, &[(ModifyOp::Add, "exampleBadge", badges)]);
    assert_eq!(answer.code(), ResultCode::ConstraintViolation, "{}", answer.text());
    let mut change = |op, name: &str, value: &str| admin.modify("cn=schema", &[(op, name, &[value])]);
    assert_eq!(change(ModifyOp::Delete, "attributeTypes", SERIAL).code(), ResultCode::ConstraintViolation);
    assert_eq!(change(ModifyOp::Delete, "objectClasses", HOLDER).code(), ResultCode::Success);
    assert_eq!(
        change(ModifyOp::Delete, "attributeTypes", "( 1.3.6.1.4.1.99999.1 )").code(),
        ResultCode::Success
    );
    assert!(place.values(&[], "_schema_definitions").is_empty());
}

#[test]
fn schema_changes_that_are_refused() {
    let place = Place::new();
    let mut admin = place.admin();
    let mut change =
        |op, name: &str, values: &[&str]| admin.modify("cn=schema", &[(op, name, values)]).code();
    assert_eq!(change(ModifyOp::Add, "attributeTypes", &["nonsense"]), ResultCode::InvalidAttributeSyntax);
    assert_eq!(change(ModifyOp::Delete, "attributeTypes", &["( 2.5.4.3 )"]), ResultCode::UnwillingToPerform);
    assert_eq!(change(ModifyOp::Delete, "attributeTypes", &["( 1.2.3.4 )"]), ResultCode::NoSuchAttribute);
    assert_eq!(change(ModifyOp::Delete, "attributeTypes", &[]), ResultCode::UnwillingToPerform);
    assert_eq!(change(ModifyOp::Replace, "attributeTypes", &[SERIAL]), ResultCode::UnwillingToPerform);
    assert_eq!(change(ModifyOp::Add, "description", &["x"]), ResultCode::UnwillingToPerform);
    let mut alice = place.user("alice");
    let answer = alice.modify("cn=schema", &[(ModifyOp::Add, "attributeTypes", &[SERIAL])]);
    assert_eq!(answer.code(), ResultCode::InsufficientAccessRights);
    assert!(place.values(&[], "_schema_definitions").is_empty());
}

#[test]
fn a_domain_is_not_there_for_networks_it_does_not_trust() {
    let place = Place::new();
    let alice = "uid=alice,cn=users,dc=example,dc=com";
    let peer = |address: &str| {
        let address: std::net::IpAddr = address.parse().unwrap();
        let origin = Origin::Network { address, own: false, privileged_port: false };
        Peer::new(origin, Some((address, 40_000).into()))
    };
    let sees = |peer: Peer| {
        let mut client = place.connect(peer);
        let root = read(&mut client, "", Scope::Base, "(objectClass=*)", &["namingContexts"]).unwrap();
        let entry = client.compare(alice, "uid", "alice").code();
        let bound = client.bind(alice, PASSWORD);
        (!get(&root, "namingContexts").is_empty(), entry, bound)
    };
    let all = (true, ResultCode::CompareTrue, ResultCode::Success);
    let nothing = (false, ResultCode::NoSuchObject, ResultCode::InvalidCredentials);
    assert_eq!(sees(peer("192.0.2.7")), all);
    place.set("trusted_networks", ["198.51.100"]);
    assert_eq!(sees(peer("192.0.2.7")), nothing);
    assert_eq!(sees(peer("2001:db8::1")), nothing);
    assert_eq!(sees(peer("198.51.100.7")), all);
    assert_eq!(sees(peer("127.0.0.1")), all);
}
