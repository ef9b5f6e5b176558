//! Names that lead elsewhere.

use std::net::Ipv4Addr;

use netinfo_directory::Property;
use netinfo_ldap::Settings;
use netinfo_wire::ldap::filter::Assertion;
use netinfo_wire::ldap::request::{CompareRequest, DeleteRequest};
use netinfo_wire::ldap::{ControlsBuf, ModifyOp, Request, ResultCode, oid};

use crate::support::{NOW, Place};

const CHANGE: &[(ModifyOp, &str, &[&str])] = &[(ModifyOp::Replace, "description", &["new"])];

#[test]
fn referrals() {
    let place = Place::new();
    let mut admin = place.admin();
    let away = "ou=away,dc=example,dc=com";
    let mut manage = ControlsBuf::new();
    manage.flag(oid::MANAGE_DSA_IT, true);
    let entry: &[(&str, &[&str])] = &[
        ("objectClass", &["referral", "extensibleObject"]),
        ("ref", &["ldap://other.example/ou=there,dc=example,dc=net", "ldap://third.example/"]),
    ];
    let answer = admin.add_with(away, entry, &manage);
    assert_eq!(answer.code(), ResultCode::Success, "{}", answer.text());
    // The entry itself.
    for answer in [admin.modify(away, CHANGE), admin.delete(away), admin.compare(away, "ou", "away")] {
        assert_eq!(answer.code(), ResultCode::Referral);
        assert_eq!(
            answer.referrals(),
            [
                "ldap://other.example/ou=there,dc=example,dc=net",
                "ldap://third.example/ou=away,dc=example,dc=com"
            ]
        );
    }
    // Below it.
    let answer = admin.delete("cn=x,ou=away,dc=example,dc=com");
    assert_eq!(answer.code(), ResultCode::Referral);
    assert_eq!(
        answer.referrals(),
        [
            "ldap://other.example/cn=x,ou=there,dc=example,dc=net",
            "ldap://third.example/cn=x,ou=away,dc=example,dc=com"
        ]
    );
    let answer = admin.add("cn=x,ou=away,dc=example,dc=com", &[("objectClass", &["container"])]);
    assert_eq!(answer.code(), ResultCode::Referral);
    assert_eq!(admin.add(away, entry).code(), ResultCode::Referral);
    assert_eq!(admin.rename(away, "ou=x", true, None).code(), ResultCode::Referral);
    // As an entry like any other.
    assert_eq!(admin.add_with(away, entry, &manage).code(), ResultCode::EntryAlreadyExists);
    let assertion = Assertion { attribute: b"ou", value: b"away" };
    let compare = Request::Compare(CompareRequest { dn: away.as_bytes(), assertion });
    assert_eq!(admin.ask_with(compare, &manage).code(), ResultCode::CompareTrue);
    assert_eq!(admin.modify_with(away, CHANGE, &manage).code(), ResultCode::Success);
    let delete = Request::Delete(DeleteRequest { dn: away.as_bytes() });
    assert_eq!(admin.ask_with(delete, &manage).code(), ResultCode::Success);
}

#[test]
fn names_outside_of_all_domains() {
    let place = Place::new();
    assert_eq!(place.client().compare("dc=elsewhere", "dc", "x").code(), ResultCode::NoSuchObject);
    let referrals = vec!["ldap://parent.example/".to_owned()];
    let place = Place::with(Settings { referrals: referrals.clone(), ..Settings::default() });
    let answer = place.client().compare("dc=elsewhere", "dc", "x");
    assert_eq!((answer.code(), answer.referrals()), (ResultCode::Referral, referrals));
}

#[test]
fn child_domains_that_live_elsewhere() {
    let place = Place::new();
    let session =
        place.domain.authenticate(netinfo_directory::Credentials::None, netinfo_directory::Origin::Internal);
    let machines = place.domain.read(&session.unwrap()).unwrap().path(&[b"machines"]).unwrap().unwrap();
    place.child(
        machines,
        vec![
            Property::new("name", ["saleshost"]),
            Property::new("serves", ["../top", "sales/network", "labs/network"]),
            Property::new("suffix", ["", "", "dc=labs"]),
        ],
    );
    let mut admin = place.admin();
    for dn in ["ou=sales,dc=example,dc=com", "uid=x,cn=users,dc=labs,dc=example,dc=com"] {
        let answer = admin.delete(dn);
        assert_eq!(answer.code(), ResultCode::Referral, "{dn}");
        assert_eq!(answer.referrals(), [format!("ldap://saleshost/{dn}")]);
    }
    assert_eq!(admin.delete("ou=top,dc=example,dc=com").code(), ResultCode::NoSuchObject);
}

#[test]
fn copies_of_domains() {
    let place = Place::new();
    let master = Ipv4Addr::new(192, 0, 2, 9);
    let copy = place.node.create_clone("network", "masterhost", master, "network", NOW).unwrap();
    assert!(place.engine.set_domains([place.domain.clone(), copy]).is_empty());
    let mut root = place.local(0);
    assert_eq!(root.sasl("EXTERNAL", None).code(), ResultCode::Success);
    let answer = root.modify("cn=machines,dc=network", CHANGE);
    assert_eq!(answer.code(), ResultCode::Referral, "{}", answer.text());
    assert_eq!(answer.referrals(), ["ldap://192.0.2.9/"]);
    let mut controls = ControlsBuf::new();
    controls.flag(oid::DONT_USE_COPY, true);
    let assertion = Assertion { attribute: b"cn", value: b"machines" };
    let compare = Request::Compare(CompareRequest { dn: b"cn=machines,dc=network", assertion });
    assert_eq!(root.ask_with(compare, &controls).code(), ResultCode::Referral);
    assert_eq!(root.ask(compare).code(), ResultCode::CompareTrue);
}
