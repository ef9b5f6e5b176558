//! A whole organisation, as another server's LDIF has it, added entry by entry and read again.

use netinfo_mapping::write::{self, Given};
use netinfo_testkit::ldif;

use crate::support::Fixture;

/// Stands for every password that the file has in the clear.
pub(crate) const HASHED: &[u8] = b"{SSHA}4P5Pc/M7zcqyWC4moX/IxeIX7NYAAQIDBAUGBw==";

fn load(fixture: &Fixture, entries: &[ldif::Entry]) -> usize {
    let mut cleartext = 0;
    for entry in entries {
        let mut given: Vec<Given<'_>> = entry
            .attributes
            .iter()
            .map(|(description, values)| Given::new(description.as_bytes(), values.iter().map(Vec::as_slice)))
            .collect();
        fixture.see(|tree| {
            for password in write::cleartext_passwords(tree.namespace().schema(), &mut given) {
                *password = HASHED.into();
                cleartext += 1;
            }
        });
        let outcome = fixture.attempt(|tree| write::add(tree, entry.dn.as_bytes(), &given));
        assert!(outcome.is_ok(), "{}: {:?}", entry.dn, outcome.err());
    }
    cleartext
}

/// Attributes with their values.
pub(crate) type Attributes = Vec<(String, Vec<Vec<u8>>)>;

/// Attributes as they are expected back: sorted, and in the form in which values are told.
pub(crate) fn normal(attributes: &[(String, Vec<Vec<u8>>)]) -> Attributes {
    let mut normal: Attributes = attributes
        .iter()
        .map(|(description, values)| {
            let values = values.iter().map(|value| match (description.as_str(), value.as_slice()) {
                ("userPassword", value) if !value.starts_with(b"{") => HASHED.to_vec(),
                ("macAddress", b"0:0:5e:0:53:67") => b"00:00:5e:00:53:67".to_vec(),
                (_, value) => value.to_vec(),
            });
            (description.clone(), values.collect())
        })
        .collect();
    normal.sort();
    normal
}

pub(crate) fn read(fixture: &Fixture, dn: &str) -> (String, Attributes) {
    let object = fixture.object(dn);
    fixture.see(|tree| {
        let entry = tree.entry(object).unwrap();
        let attributes = entry.attributes().unwrap();
        let listed: Vec<_> = attributes
            .iter()
            .map(|attribute| {
                (attribute.description().to_owned(), attribute.values().map(|v| v.into_owned()).collect())
            })
            .collect();
        assert_eq!(listed[0].0, "objectClass", "{dn}");
        (entry.dn().unwrap(), listed)
    })
}

#[test]
fn every_entry_is_read_as_it_was_added() {
    for settings in [
        &[("_layout", &["rfc2307"][..]), ("_schema_variant", &["rfc2307"])][..],
        &[("_layout", &["rfc2307"]), ("_schema", &["strict"]), ("_schema_variant", &["rfc2307"])],
        &[],
    ] {
        let fixture = Fixture::example(settings);
        let entries = ldif::entries("ldif/org.ldif");
        assert_eq!(load(&fixture, &entries), 1, "one password is in the clear");
        for entry in &entries {
            let (_, attributes) = read(&fixture, &entry.dn);
            let mut expected = normal(&entry.attributes);
            let mut told = normal(&attributes);
            if entry.dn == "dc=example,dc=com" {
                // The root has what NetInfo needs as well, and an open domain tells it.
                let names: Vec<_> = expected.iter().map(|(name, _)| name.clone()).collect();
                told.retain(|(name, _)| names.contains(name));
            }
            for attributes in [&mut expected, &mut told] {
                attributes.iter_mut().for_each(|(_, values)| values.sort());
            }
            assert_eq!(told, expected, "{}", entry.dn);
        }
    }
}

#[test]
fn names_come_back_as_they_were_given() {
    let fixture = Fixture::example(&[]);
    let entries = ldif::entries("ldif/org.ldif");
    load(&fixture, &entries);
    for entry in &entries {
        let (dn, _) = read(&fixture, &entry.dn);
        let expected = entry.dn.replace(r"\27", "'");
        assert_eq!(dn, expected);
    }
    assert_eq!(fixture.find("uid=nobody,ou=people,dc=example,dc=com"), None);
    let udp = fixture.object("cn=tempo+ipServiceProtocol=udp,ou=services,dc=example,dc=com");
    assert_eq!(fixture.find("IPSERVICEPROTOCOL=UDP + CN=Tempo, ou=Services, dc=example, dc=com"), Some(udp));
    assert_ne!(fixture.object("cn=tempo,ou=services,dc=example,dc=com"), udp);
}

#[test]
fn netinfo_sees_what_ldap_adds() {
    let fixture = Fixture::example(&[("_layout", &["rfc2307"])]);
    load(&fixture, &ldif::entries("ldif/org.ldif"));
    let view = fixture.domain.read(&fixture.root).unwrap();
    let alice = view.path(&[b"users", b"alice"]).unwrap().expect("a user");
    let record = view.record(alice).unwrap();
    assert_eq!(record.first_value(b"uid"), Some(&b"5001"[..]));
    assert_eq!(record.first_value(b"realname"), Some(&b"Alice Liddell"[..]));
    assert_eq!(record.first_value(b"home"), Some(&b"/home/alice"[..]));
    let bob = view.path(&[b"users", b"bob"]).unwrap().expect("a user");
    assert_eq!(view.record(bob).unwrap().first_value(b"passwd"), Some(&b"Ld.S3BQsQ.tRo"[..]));
    let host = view.path(&[b"machines", b"od"]).unwrap().expect("an alias");
    assert_eq!(view.record(host).unwrap().first_value(b"ip_address"), Some(&b"192.0.2.10"[..]));
    assert_eq!(view.record(host).unwrap().first_value(b"ipv6_address"), Some(&b"2001:db8::10"[..]));
    let group = view.path(&[b"groups", b"engineering"]).unwrap().expect("a group");
    assert_eq!(view.record(group).unwrap().property(b"users").unwrap().values.len(), 4);
    assert!(view.path(&[b"contacts", b"O'Neil, Pat"]).unwrap().is_some());
    let trusted = view.path(&[b"netgroups", b"trusted"]).unwrap().expect("a netgroup");
    let hosts = view.record(trusted).unwrap().property(b"hosts").unwrap().values;
    assert_eq!(hosts.collect::<Vec<_>>(), [&b"fileserver"[..], b"ws1"]);
    let map = view.path(&[b"automountmap", b"auto.home", b"alice"]).unwrap();
    assert!(map.is_some(), "an entry of an automount map");
}
