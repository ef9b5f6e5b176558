//! Plans against looking at everything: for any tree and any filter, both find the same entries.

use std::sync::Arc;

use netinfo_directory::{Change, Credentials, Domain, Node, Options, Origin, Property, ROOT, Target};
use netinfo_wire::ldap::{FilterBuf, Scope};
use proptest::prelude::*;
use proptest::sample::select;
use roaring::RoaringBitmap;

use super::chain;
use super::filter::Filter;
use super::ground::Ground;
use super::plan;
use super::reach::Reach;
use crate::context::NamingContext;
use crate::limits::CHAINED;
use crate::operation::Place;

const NOW: u64 = 1_767_323_045_000;

/// A domain in a temporary directory.
struct Fixture {
    domain: Arc<Domain>,
    place: Place,
    _node: Node,
    _directory: tempfile::TempDir,
}

impl Fixture {
    /// A domain with these directories: which of those before is the parent, and properties.
    fn new(directories: &[(usize, Vec<Property>)]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let options = Options { map_size: 64 << 20, ..Options::default() };
        let (node, _) = Node::open(directory.path(), options, true).unwrap();
        let domain = node.create_master("local", NOW).unwrap();
        let session = domain.authenticate(Credentials::None, Origin::Internal).unwrap();
        let create = |parent: u32, properties: Vec<Property>| {
            let parent = Target::any(parent);
            let change = Change::Create { parent, properties, position: u32::MAX };
            let made = domain.write_blocking(&session, vec![change], NOW).unwrap();
            made[0].created.unwrap().object
        };
        let suffix = Property::new("_suffix", ["dc=example,dc=com"]);
        let change =
            Change::CreateProperty { directory: Target::any(ROOT), property: suffix, position: u32::MAX };
        domain.write_blocking(&session, vec![change], NOW).unwrap();
        let mut objects = vec![ROOT];
        for name in ["users", "groups", "netgroups", "elsewhere"] {
            objects.push(create(ROOT, vec![Property::new("name", [name])]));
        }
        for (parent, properties) in directories {
            let parent = objects[parent % objects.len()];
            objects.push(create(parent, properties.clone()));
        }
        let context = Arc::new(NamingContext::new(domain.clone()).unwrap());
        let place = Place { namespace: context.namespace(), context, session };
        Self { domain, place, _node: node, _directory: directory }
    }

    /// A directory, in words.
    fn describe(&self, object: u32) -> String {
        let view = self.domain.read(&self.place.session).unwrap();
        let record = view.record(object).unwrap();
        let properties = record.properties().map(|p| {
            let values: Vec<_> = p.values.map(String::from_utf8_lossy).collect();
            format!("{}: {values:?}", String::from_utf8_lossy(p.name))
        });
        format!("{object} below {}: {}", record.parent(), properties.collect::<Vec<_>>().join(", "))
    }

    /// What a filter finds by its plan, and by looking at everything.
    fn both(&self, base: u32, scope: Scope, filter: &FilterBuf) -> (Vec<u32>, Vec<u32>) {
        let view = self.domain.read(&self.place.session).unwrap();
        let access = self.domain.access(&view, &self.place.session).unwrap();
        let ground = Ground::new(&self.place, &view, &access);
        let mut filter = Filter::new(&self.place.namespace, filter.as_filter());
        chain::follow(&ground, &mut filter, CHAINED).unwrap();
        let highest = view.highest_object().unwrap();
        let base = base % (highest + 1);
        let base = if view.record(base).is_ok() { base } else { ROOT };
        let reach = Reach::new(base, scope);
        let matches = |object: u32| {
            let Some(subject) = ground.subject(object).unwrap() else { return false };
            reach.takes_in(&view, subject.record()).unwrap() && filter.evaluate(&subject).unwrap().is_true()
        };
        let mut source = plan::source(&ground, &filter, &reach, &RoaringBitmap::new()).unwrap();
        let planned = std::iter::from_fn(|| source.next(highest)).filter(|object| matches(*object)).collect();
        (planned, (0..=highest).filter(|object| matches(*object)).collect())
    }
}

/// Words that values are made of: such that they are equal, contain each other, or differ by a little.
const WORDS: &[&str] = &[
    "alice",
    "Alice",
    "ALICE  Liddell",
    " alice liddell ",
    "bob",
    "Bob-by",
    "007",
    "7",
    "0",
    "70",
    "*",
    "a,b",
    "Müller",
    "MÜLLER",
    "ſtraße",
    "strasse",
    "+1 555-0100",
    "+15550100",
    "x",
    "",
    "00:00:5e:00:53:67",
    "0:0:5e:0:53:67",
    "uid=alice,cn=users,dc=example,dc=com",
    "UID=Alice, CN=users,dc=example,dc=com",
    "cn=wheel,cn=groups,dc=example,dc=com",
    "wheel",
    "20260102030405Z",
    "TRUE",
    "person",
    "posixAccount",
    "inetOrgPerson",
    "groupOfNames",
    "/home/alice",
    "/var/empty",
    "4294967294",
    "domain",
];

/// Properties, some of which are attributes under other names in some places.
const PROPERTIES: &[&str] = &[
    "name",
    "realname",
    "uid",
    "gid",
    "home",
    "users",
    "member",
    "cn",
    "CN",
    "cn;lang-de",
    "cn;x-y",
    "sn",
    "mail",
    "telephoneNumber",
    "description",
    "favouriteColour",
    "_ldap_home",
    "_ldap_name",
    "seeAlso",
    "en_address",
    "lastname",
    "passwd",
    "uniqueMember",
    "memberUid",
    "commonName",
];

/// Attributes that filters are about.
const ATTRIBUTES: &[&str] = &[
    "cn",
    "uid",
    "sn",
    "name",
    "uidNumber",
    "gidNumber",
    "homeDirectory",
    "memberUid",
    "member",
    "memberOf",
    "mail",
    "telephoneNumber",
    "description",
    "favouriteColour",
    "home",
    "seeAlso",
    "macAddress",
    "objectClass",
    "cn;lang-de",
    "2.5.4.3",
    "modifyTimestamp",
    "createTimestamp",
    "entryDN",
    "userPassword",
    "ou",
    "dc",
    "uniqueMember",
    "hasSubordinates",
    "entryUUID",
    "nothing",
    "commonName",
    "structuralObjectClass",
];

const RULES: &[&str] = &[
    "caseIgnoreMatch",
    "caseExactMatch",
    "1.2.840.113556.1.4.803",
    "1.2.840.113556.1.4.1941",
    "integerOrderingMatch",
    "caseIgnoreSubstringsMatch",
    "nonsense",
    "distinguishedNameMatch",
];

const CLASSES: &[&str] =
    &["person", "posixAccount", "inetOrgPerson", "groupOfNames", "container", "domain", "alias", "x"];

fn words(most: usize) -> impl Strategy<Value = Vec<String>> {
    proptest::collection::vec(select(WORDS).prop_map(str::to_owned), 0..=most)
}

fn directory() -> impl Strategy<Value = (usize, Vec<Property>)> {
    let property = (select(PROPERTIES), words(3)).prop_map(|(name, values)| Property::new(name, values));
    let classes = proptest::option::of(proptest::collection::vec(select(CLASSES), 1..3));
    (any::<usize>(), proptest::collection::vec(property, 0..6), classes).prop_map(
        |(parent, mut list, classes)| {
            if let Some(classes) = classes {
                list.push(Property::new("objectClass", classes));
            }
            // Most directories are in the containers.
            (if parent % 3 == 0 { parent } else { parent % 5 }, list)
        },
    )
}

fn escape(word: &str) -> String {
    word.replace('*', "\\2a")
}

fn filter() -> impl Strategy<Value = String> {
    let item = (select(ATTRIBUTES), select(WORDS), select(WORDS), select(RULES), select(CLASSES), 0..13u8)
        .prop_map(|(attribute, one, two, rule, class, kind)| {
            let (one, two) = (escape(one), escape(two));
            match kind {
                0..=2 => format!("({attribute}={one})"),
                3 => format!("({attribute}>={one})"),
                4 => format!("({attribute}<={one})"),
                5 => format!("({attribute}=*)"),
                6 => format!("({attribute}=*{one}*)"),
                7 => format!("({attribute}={one}*{two})"),
                8 => format!("({attribute}:{rule}:={one})"),
                9 => format!("({attribute}:dn:={one})"),
                10 => format!("(:{rule}:={one})"),
                11 => format!("(objectClass={class})"),
                _ => format!("({attribute}:1.2.840.113556.1.4.1941:={one})"),
            }
        });
    item.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(|list| format!("(&{})", list.concat())),
            proptest::collection::vec(inner.clone(), 0..4).prop_map(|list| format!("(|{})", list.concat())),
            inner.prop_map(|filter| format!("(!{filter})")),
        ]
    })
}

fn scope() -> impl Strategy<Value = Scope> {
    select(&[Scope::Subtree, Scope::Subtree, Scope::One, Scope::Base, Scope::Subordinate][..])
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, max_shrink_iters: 0, ..ProptestConfig::default() })]

    #[test]
    fn plans_find_what_looking_at_everything_finds(
        directories in proptest::collection::vec(directory(), 0..40),
        searches in proptest::collection::vec((any::<u32>(), scope(), filter()), 60),
    ) {
        let fixture = Fixture::new(&directories);
        for (base, scope, text) in searches {
            let filter = FilterBuf::parse(&text).unwrap();
            let (planned, all) = fixture.both(base, scope, &filter);
            let missing = all.iter().find(|object| !planned.contains(object));
            let missing = missing.map(|object| fixture.describe(*object));
            prop_assert_eq!(planned, all, "{:?} {} does not find {:?}", scope, text, missing);
        }
    }
}
