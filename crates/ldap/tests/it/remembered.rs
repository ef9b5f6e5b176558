//! Entries that are remembered as they were sent: the answer is the same as if nothing were, whatever has been changed.
//!
//! What is remembered is found again by a number that belongs to one engine's view of a domain. So an engine that is made
//! for one question answers it without.

use std::sync::Arc;

use netinfo_directory::{Change, Property, ROOT, Target};
use netinfo_ldap::{Connection, Engine, Peer, Settings};
use netinfo_wire::ldap::request::DerefAliases;
use netinfo_wire::ldap::{ResultCode, Scope};
use proptest::prelude::*;

use crate::searching::Search;
use crate::support::{Client, Place};

const NAMES: [&str; 4] = ["carol", "Carol", "dave", "20"];
const CONTAINERS: [&str; 4] = ["users", "machines", "contacts", "groups"];

/// A domain that is changed, by its directories: containers, and what lies in them, with their properties.
struct Changing {
    place: Place,
    root: Vec<Property>,
    containers: Vec<(u32, Vec<Property>)>,
    /// Directory, place of its container, properties.
    children: Vec<(u32, usize, Vec<Property>)>,
}

fn put(properties: &mut Vec<Property>, name: &str, values: &[&str]) {
    properties.retain(|property| property.name != name.as_bytes());
    properties.push(Property::new(name, values.iter().copied()));
}

impl Changing {
    fn new() -> Self {
        let place = Place::new();
        let root = ["_suffix", "_admin_dn", "_admin_passwd"]
            .map(|name| Property::new(name, place.values(&[], name)))
            .to_vec();
        let mut containers = Vec::new();
        for name in CONTAINERS {
            let properties = vec![Property::new("name", [name])];
            let object = if place.exists(&[name]) {
                place.object(&[name])
            } else {
                place.child(ROOT, properties.clone())
            };
            containers.push((object, properties));
        }
        let mut changing = Self { place, root, containers, children: Vec::new() };
        for n in 0..3 {
            changing.create(0, n);
        }
        changing
    }

    fn create(&mut self, container: usize, name: usize) {
        let properties = vec![
            Property::new("name", [NAMES[name]]),
            Property::new("realname", ["Some Body"]),
            Property::new("uid", ["700"]),
            Property::new("users", ["alice", NAMES[name]]),
        ];
        let object = self.place.child(self.containers[container].0, properties.clone());
        self.children.push((object, container, properties));
    }

    fn write(&self, object: u32, properties: &[Property]) {
        let (directory, properties) = (Target::any(object), properties.to_vec());
        self.place.change(Change::Write { directory, properties });
    }

    /// Makes one change.
    fn step(&mut self, (kind, which, what): (u8, usize, usize)) {
        let child = which % self.children.len().max(1);
        match kind {
            0 => self.create(which % CONTAINERS.len(), what % NAMES.len()),
            1 => self.root(which, what),
            2 => {
                let (object, properties) = &mut self.containers[which % CONTAINERS.len()];
                put(properties, "name", &[["users", "people", "contacts"][what % 3]]);
                let (object, properties) = (*object, properties.clone());
                self.write(object, &properties);
            }
            _ if self.children.is_empty() => {}
            3 => {
                let (object, container, _) = self.children.remove(child);
                let (parent, child) = (Target::any(self.containers[container].0), Target::any(object));
                self.place.change(Change::Destroy { parent, child });
            }
            4 => {
                let (from, to) = (self.children[child].1, what % CONTAINERS.len());
                let target = |container: usize| Target::any(self.containers[container].0);
                let (from, to, moved) = (target(from), target(to), Target::any(self.children[child].0));
                self.place.change(Change::Move { from, child: moved, to, position: u32::MAX });
                self.children[child].1 = what % CONTAINERS.len();
            }
            _ => {
                let properties = &mut self.children[child].2;
                match kind {
                    5 => put(properties, "name", &[NAMES[what % NAMES.len()]]),
                    6 => put(properties, "realname", &[["Some Body", "Any One", "", "Ünicode"][what % 4]]),
                    7 => put(properties, "_rdn", &[["name", "realname", "mail", "nothing"][what % 4]]),
                    8 => put(
                        properties,
                        ["gid", "mail", "UID", "passwd", "cn"][what % 5],
                        &["20", "x@example"],
                    ),
                    9 => {
                        put(properties, "objectClass", &[["account", "inetOrgPerson", "referral"][what % 3]])
                    }
                    _ => properties
                        .retain(|property| property.name != b"_rdn" && property.name != b"objectClass"),
                }
                let (object, _, properties) = &self.children[child];
                self.write(*object, properties);
            }
        }
    }

    fn root(&mut self, which: usize, what: usize) {
        let (name, values) = match which % 6 {
            0 => ("_suffix", ["dc=example,dc=com", "o=other"]),
            1 => ("_layout", ["apple", "rfc2307"]),
            2 => ("_schema", ["open", "strict"]),
            3 => ("_schema_variant", ["rfc2307bis", "rfc2307"]),
            4 => ("_anonymous", ["posix", "read"]),
            _ => ("_access", ["deny read realname to users", "allow read to anyone"]),
        };
        put(&mut self.root, name, &[values[what % 2]]);
        self.write(ROOT, &self.root);
    }
}

fn client(engine: &Arc<Engine>, place: &Place, uid: Option<u32>) -> Client {
    let peer = match uid {
        Some(uid) => Peer::new(netinfo_directory::Origin::Local { uid }, None),
        None => place.client().connection.peer().clone(),
    };
    let mut client =
        Client { connection: Connection::new(engine.clone(), peer), id: 0, closed: false, start_tls: false };
    if uid.is_some() {
        assert_eq!(client.sasl("EXTERNAL", None).code(), ResultCode::Success);
    }
    client
}

fn questions(suffix: &str) -> Vec<Search> {
    let mut questions = Vec::new();
    for name in &NAMES[..3] {
        let all = Search::new(suffix, Scope::Subtree, &format!("(uid={name})"));
        questions.push(all.clone().select(&["uidNumber", "gidNumber"]));
        questions.push(all.clone().select(&["uidnumber", "cn", "member", "memberOf"]));
        questions.push(all.clone().types_only());
        questions.push(all.select(&["*", "+"]));
        questions.push(Search::new(suffix, Scope::Subtree, &format!("(|(cn={name})(uid={name}))")));
        let dn = format!("uid={name},cn=users,{suffix}");
        questions.push(Search::new(&dn, Scope::Base, "(objectClass=*)"));
    }
    let everything = Search::new(suffix, Scope::Subtree, "(objectClass=*)");
    questions.push(everything.clone());
    questions.push(everything.clone().deref(DerefAliases::Always).select(&["cn", "@posixAccount"]));
    questions.push(everything.select(&["1.1"]));
    questions
}

/// Asks everything of an engine that remembers and of one that cannot.
fn compare(place: &Place, suffix: &str) {
    let fresh = Arc::new(Engine::new(Settings::default()));
    assert!(fresh.set_domains([place.domain.clone()]).is_empty());
    for uid in [Some(501), None, Some(0)] {
        let mut one = client(&place.engine, place, uid);
        let mut other = client(&fresh, place, uid);
        for question in questions(suffix) {
            let expected = format!("{:?}", Plain(question.of(&mut other)));
            for again in 0..2 {
                let found = format!("{:?}", Plain(question.of(&mut one)));
                assert_eq!(found, expected, "{uid:?}, {question:?}, {again}");
                one.connection.release();
            }
        }
    }
}

/// What was found, without what differs from one request to the next.
struct Plain(crate::searching::Found);

impl std::fmt::Debug for Plain {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let found = &self.0;
        (found.code, &found.entries, &found.references, &found.referrals, &found.matched).fmt(f)
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3, max_shrink_iters: 100, ..ProptestConfig::default() })]

    #[test]
    fn what_is_remembered_is_what_would_be_said_anew(
        steps in prop::collection::vec((0..11u8, 0..12usize, 0..20usize), 1..12),
    ) {
        let mut changing = Changing::new();
        let mut suffix = "dc=example,dc=com".to_owned();
        compare(&changing.place, &suffix);
        for step in steps {
            changing.step(step);
            suffix = changing.place.value(&[], "_suffix").unwrap_or(suffix);
            compare(&changing.place, &suffix);
        }
    }
}

#[test]
fn an_older_directory_takes_the_name() {
    let mut changing = Changing::new();
    let users = changing.containers[0].0;
    let target = Target::any;
    // The number of the first is given to who comes last.
    let first = changing.children.remove(0).0;
    changing.place.change(Change::Destroy { parent: target(users), child: target(first) });
    compare(&changing.place, "dc=example,dc=com");
    changing.create(0, 2);
    assert_eq!(changing.children.last().unwrap().0, first, "otherwise this shows nothing");
    compare(&changing.place, "dc=example,dc=com");
}

#[test]
fn a_container_gets_another_meaning() {
    let mut changing = Changing::new();
    changing.create(1, 2);
    compare(&changing.place, "dc=example,dc=com");
    let (object, mut properties) = changing.containers[1].clone();
    for name in ["contacts", "people", "machines"] {
        put(&mut properties, "name", &[name]);
        changing.write(object, &properties);
        compare(&changing.place, "dc=example,dc=com");
    }
}

#[test]
fn passwords_are_remembered_for_nobody() {
    let place = Place::new();
    let engine = &place.engine;
    let question = Search::all("(uid=alice)");
    for _ in 0..2 {
        for (uid, sees) in [(Some(0), true), (Some(502), false), (None, false)] {
            let found = question.of(&mut client(engine, &place, uid));
            assert_eq!(found.entries.len(), 1);
            assert_eq!(!found.entries[0].texts("userPassword").is_empty(), sees, "{uid:?}");
        }
    }
}
