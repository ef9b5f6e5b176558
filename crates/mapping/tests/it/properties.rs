//! What must hold for any tree and any name.

use netinfo_directory::{Property, ROOT};
use netinfo_mapping::write::{self, Given};
use netinfo_mapping::{Namespace, Resolution};
use proptest::prelude::*;
use std::borrow::Cow;

use crate::support::Fixture;

/// Names of directories: mostly text, sometimes any octets.
fn name() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        4 => "[a-cA-C]{1,2}".prop_map(String::into_bytes),
        2 => "[ a-c,+=#\"\\\\;<>é/]{0,4}".prop_map(String::into_bytes),
        1 => proptest::collection::vec(any::<u8>(), 0..4),
    ]
}

/// Properties by which a directory can be named, or not.
fn naming() -> impl Strategy<Value = Vec<Property>> {
    let key = prop_oneof![Just("name"), Just("ou"), Just("uid"), Just("cn"), Just("_x"), Just("favourite")];
    (key, proptest::collection::vec(name(), 0..3), any::<bool>(), name()).prop_map(
        |(key, values, rdn, other)| {
            let mut properties = vec![Property::new(key, values)];
            if rdn || key != "name" {
                properties.push(Property::new("_rdn", [key]));
            }
            if key != "name" {
                properties.push(Property::new("name", [other]));
            }
            properties
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Every directory has a name of its own, which leads to it.
    #[test]
    fn names_lead_to_their_directories(nodes in proptest::collection::vec((any::<proptest::sample::Index>(), naming()), 1..12), apple: bool) {
        let layout = if apple { "apple" } else { "rfc2307" };
        let fixture = Fixture::example(&[("_layout", &[layout])]);
        let mut objects = vec![ROOT];
        for top in ["users", "groups", "automountmap", "other"] {
            objects.push(fixture.directory(ROOT, &[("name", &[top])]));
        }
        for (parent, properties) in nodes {
            let create = netinfo_directory::Change::Create {
                parent: netinfo_directory::Target::any(*parent.get(&objects)),
                properties,
                position: u32::MAX,
            };
            objects.push(fixture.write(vec![create])[0].created.unwrap().object);
        }
        let mut names = std::collections::HashSet::new();
        for object in objects {
            let dn = fixture.dn(object);
            prop_assert_eq!(fixture.find(&dn), Some(object), "{}", &dn);
            prop_assert!(names.insert(dn));
        }
    }

    /// What is added is read again.
    #[test]
    fn attributes_come_back(
        place in prop_oneof![Just("cn=users"), Just("ou=contacts"), Just("cn=machines"), Just("cn=config")],
        value in "[a-z]([a-z ]{0,8}[a-z])?",
        texts in proptest::collection::hash_set("[a-z]{1,5}", 1..4),
        bytes in proptest::collection::vec(any::<u8>(), 1..30),
        extra in "[a-z][a-zA-Z0-9-]{0,8}",
        options in prop_oneof![Just(""), Just(";lang-de"), Just(";x-a;lang-fr")],
    ) {
        let fixture = Fixture::example(&[]);
        fixture.directory(ROOT, &[("name", &["users"])]);
        fixture.directory(ROOT, &[("name", &["config"])]);
        fixture.add("ou=contacts,dc=example,dc=com", &[("objectClass", &["organizationalUnit"])]).unwrap();
        let dn = format!("cn={value},{place},dc=example,dc=com");
        let texts: Vec<Vec<u8>> = texts.into_iter().map(String::into_bytes).collect();
        let extra = format!("x{extra}{options}");
        let mut expected: Vec<(String, Vec<Vec<u8>>)> = vec![
            ("objectClass".into(), vec![b"top".to_vec(), b"extensibleObject".to_vec()]),
            ("cn".into(), vec![value.clone().into_bytes()]),
            (format!("description{options}"), texts.clone()),
            ("uid".into(), texts.clone()),
            ("jpegPhoto".into(), vec![bytes.clone()]),
            (extra, vec![bytes]),
            ("home".into(), texts),
        ];
        let given: Vec<Given<'_>> = expected
            .iter()
            .map(|(description, values)| Given {
                description: description.as_bytes(),
                values: values.iter().map(|value| Cow::Borrowed(&value[..])).collect(),
            })
            .collect();
        fixture.attempt(|tree| write::add(tree, dn.as_bytes(), &given)).unwrap();
        let object = fixture.object(&dn);
        let mut told: Vec<(String, Vec<Vec<u8>>)> = fixture.see(|tree| {
            tree.entry(object)
                .unwrap()
                .attributes()
                .unwrap()
                .iter()
                .map(|one| (one.description().to_owned(), one.values().map(Cow::into_owned).collect()))
                .collect()
        });
        told.sort();
        expected.sort();
        prop_assert_eq!(told, expected);
        prop_assert_eq!(fixture.dn(object), dn);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    /// No text makes the look-up fail otherwise than by an error.
    #[test]
    fn arbitrary_names_are_answered(texts in proptest::collection::vec(
        prop_oneof![
            "((cn|uid|dSID|ou|x)=[a-c0-9\\\\,+# ]{0,3},){0,4}dc=example,dc=com".prop_map(String::into_bytes),
            proptest::collection::vec(any::<u8>(), 0..40),
        ], 1..20))
    {
        thread_local! {
            static FIXTURE: Fixture = Fixture::example(&[]);
        }
        FIXTURE.with(|fixture| {
            let view = fixture.domain.read(&fixture.root).unwrap();
            let namespace = Namespace::new(&view, "local").unwrap();
            let tree = namespace.tree(&view);
            for text in &texts {
                match tree.resolve(text) {
                    Ok(Resolution::Found(object)) => assert!(tree.entry(object).is_ok()),
                    Ok(Resolution::Missing { rest, .. }) => assert!(rest > 0),
                    Ok(Resolution::Outside) | Err(_) => {}
                }
                let _ = write::add(&tree, text, &[]);
            }
        });
    }
}
