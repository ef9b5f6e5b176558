//! Searches in a whole organisation, with results measured on another server; and what known clients ask.

use netinfo_ldap::Settings;
use netinfo_testkit::ldif;
use netinfo_wire::ldap::{ResultCode, Scope};

use crate::searching::Search;
use crate::support::Place;

/// A domain of the RFC 2307 layout with all entries of `org.ldif`, added over the protocol.
pub(crate) fn organisation() -> Place {
    let place = Place::bare(Settings::default());
    place.set("_layout", ["rfc2307"]);
    let mut admin = place.admin();
    for entry in ldif::entries("ldif/org.ldif") {
        let answer = admin.add_octets(&entry.dn, &entry.attributes);
        assert_eq!(answer.code(), ResultCode::Success, "{}: {}", entry.dn, answer.text());
    }
    place
}

fn scope(name: &str) -> Scope {
    match name {
        "base" => Scope::Base,
        "one" => Scope::One,
        "sub" => Scope::Subtree,
        other => panic!("{other}"),
    }
}

/// A name in a form that does not depend on how it was escaped, nor on case.
fn canonical(dn: &str) -> String {
    use netinfo_schema::{Rule, Schema, Variant};
    let schema = Schema::builtin(Variant::default()).unwrap();
    let mut key = Vec::new();
    Rule::DistinguishedName.normalise(&schema, dn.as_bytes(), &mut key).unwrap();
    String::from_utf8_lossy(&key).into_owned()
}

#[test]
fn measured_queries() {
    let place = organisation();
    let mut admin = place.admin();
    let mut wrong = Vec::new();
    for query in ldif::queries() {
        let found = Search::new(&query.base, scope(&query.scope), &query.filter).of(&mut admin);
        let mut expected: Vec<String> = query.dns.iter().map(|dn| canonical(dn)).collect();
        let mut dns: Vec<String> = found.dns().iter().map(|dn| canonical(dn)).collect();
        expected.sort();
        dns.sort();
        if found.code.code() != query.code || dns != expected {
            wrong.push(format!(
                "{}: {} {:?} {dns:?}, not {expected:?}",
                query.purpose, query.filter, found.code
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
