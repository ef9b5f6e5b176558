//! How long it takes to find an entry by its name, to read it, and to turn a request into changes.
//!
//! `cargo bench -p netinfo-mapping --bench entries`. The domain is in the directory for temporary files.

#![allow(missing_docs, clippy::unwrap_used, reason = "what the macros make; a benchmark ends where it fails")]

use std::hint::black_box;
use std::sync::Arc;

use criterion::{Criterion, criterion_group, criterion_main};
use netinfo_directory::{
    Credentials, Domain, Id, Node, Options, Origin, Property, ROOT, Session, TransferObject,
};
use netinfo_mapping::write::{self, Given, Modification, Operation};
use netinfo_mapping::{Namespace, Selection};

/// Users of the domain.
const USERS: u32 = 10_000;

fn directory(object: u32) -> TransferObject {
    let (parent, children, properties) = match object {
        ROOT => (ROOT, vec![1], vec![Property::new("master", ["host/local"])]),
        1 => (ROOT, (2..USERS + 2).collect(), vec![Property::new("name", ["users"])]),
        user => (1, Vec::new(), self::user(user)),
    };
    TransferObject { id: Id { object, instance: 0 }, parent, children, properties, stamp: None }
}

fn user(number: u32) -> Vec<Property> {
    let text = |property: &str, value: String| Property::new(property, [value]);
    vec![
        Property::new("objectClass", ["top", "inetOrgPerson", "posixAccount", "shadowAccount"]),
        text("name", format!("user{number}")),
        text("passwd", "$6$saltsaltsaltsalt$".to_owned() + &"x".repeat(86)),
        text("uid", number.to_string()),
        text("gid", "20".to_owned()),
        text("realname", format!("User Number {number}")),
        text("lastname", "Number".to_owned()),
        text("home", format!("/home/user{number}")),
        text("shell", "/bin/sh".to_owned()),
        text("mail", format!("user{number}@example.com")),
        text("telephoneNumber", format!("+1 555 {number}")),
    ]
}

fn fixture() -> (tempfile::TempDir, Node, Arc<Domain>, Session) {
    let dir = tempfile::tempdir().unwrap();
    let (node, _) = Node::open(dir.path(), Options::default(), true).unwrap();
    let domain = node.create_master("local", 0).unwrap();
    let root = domain.authenticate(Credentials::None, Origin::Internal).unwrap();
    let mut next = 0..USERS + 2;
    domain.replace(&root, move || Ok(next.next().map(directory))).unwrap();
    (dir, node, domain, root)
}

fn entries(c: &mut Criterion) {
    let (_dir, _node, domain, root) = fixture();
    let view = domain.read(&root).unwrap();
    let namespace = Namespace::new(&view, "local").unwrap();
    let dn = b"uid=user4711,cn=users,dc=local";
    c.bench_function("resolve", |b| b.iter(|| namespace.tree(&view).resolve(black_box(dn)).unwrap()));
    let other = b"UID=User4711, OU=People, DC=Local";
    c.bench_function("resolve another spelling", |b| {
        b.iter(|| namespace.tree(&view).resolve(black_box(other)).unwrap());
    });
    let requested = [&b"uid"[..], b"cn", b"uidNumber", b"gidNumber", b"homeDirectory", b"loginShell"];
    for (name, selection) in
        [("all attributes", Selection::user()), ("six attributes", Selection::new(&namespace, requested))]
    {
        let tree = namespace.tree(&view);
        let mut object = 2;
        c.bench_function(&format!("read {name}"), |b| {
            b.iter(|| {
                object = 2 + (object + 1) % USERS;
                let entry = tree.entry(object).unwrap();
                let mut bytes = Vec::with_capacity(1024);
                entry.write_dn(&mut bytes).unwrap();
                for attribute in entry.select(&selection).unwrap() {
                    bytes.extend_from_slice(attribute.description().as_bytes());
                    attribute.values().for_each(|value| bytes.extend_from_slice(&value));
                }
                black_box(bytes.len())
            });
        });
    }
    let tree = namespace.tree(&view);
    let wanted = namespace.wanted("mail").unwrap();
    let entry = tree.entry(4711).unwrap();
    c.bench_function("values of one attribute", |b| b.iter(|| entry.has(black_box(&wanted)).unwrap()));
    let shell = Given::new(b"loginShell", [&b"/bin/zsh"[..]]);
    let steps = [Modification { operation: Operation::Replace, attribute: shell }];
    c.bench_function("derive a modification", |b| {
        b.iter(|| write::modify(&namespace.tree(&view), 4711, black_box(&steps), false).unwrap());
    });
    let attributes = [
        Given::new(b"objectClass", [&b"inetOrgPerson"[..]]),
        Given::new(b"cn", [&b"New User"[..]]),
        Given::new(b"sn", [&b"User"[..]]),
        Given::new(b"uidNumber", [&b"77777"[..]]),
    ];
    let new = b"uid=new,cn=users,dc=local";
    c.bench_function("derive an addition", |b| {
        b.iter(|| write::add(&namespace.tree(&view), new, black_box(&attributes)).unwrap());
    });
}

criterion_group!(benches, entries);
criterion_main!(benches);
