//! How long the core takes: a user found and read, candidates of searches, a directory made and on disk.
//!
//! `cargo bench -p netinfo-directory`. Writes go to the disk under the directory for temporary files.

#![allow(missing_docs, clippy::unwrap_used, reason = "what the macros make; a benchmark ends where it fails")]

use std::hint::black_box;
use std::sync::{Arc, mpsc};
use std::time::Duration;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use netinfo_directory::{
    Change, Credentials, Domain, Id, Node, Options, Origin, Property, ROOT, Session, Target, Term,
    TransferObject,
};
use roaring::RoaringBitmap;
use tempfile::TempDir;

/// Proposals that are under way at once in the grouped benchmark.
const GROUP: u64 = 512;

struct Fixture {
    domain: Arc<Domain>,
    root: Session,
    _node: Node,
    _dir: TempDir,
}

/// A domain with this many users in its only directory `/users`, whose id is 1.
fn fixture(users: u32) -> Fixture {
    let dir = tempfile::tempdir().unwrap();
    let (node, _) = Node::open(dir.path(), Options::default(), true).unwrap();
    let domain = node.create_master("local", 0).unwrap();
    let root = domain.authenticate(Credentials::None, Origin::Internal).unwrap();
    let mut next = 0..users + 2;
    let objects = move || Ok(next.next().map(|object| directory(object, users)));
    domain.replace(&root, objects).unwrap();
    Fixture { domain, root, _node: node, _dir: dir }
}

fn directory(object: u32, users: u32) -> TransferObject {
    let (parent, children, properties) = match object {
        0 => (0, vec![1], vec![]),
        1 => (0, (2..users + 2).collect(), vec![Property::new("name", ["users"])]),
        _ => (1, vec![], user(object)),
    };
    TransferObject { id: Id { object, instance: 0 }, parent, children, properties, stamp: None }
}

fn user(n: u32) -> Vec<Property> {
    vec![
        Property::new("name", [format!("user{n}")]),
        Property::new("uid", [n.to_string()]),
        Property::new("gid", ["20"]),
        Property::new("passwd", ["*"]),
        Property::new("realname", [format!("User Number {n}")]),
        Property::new("home", [format!("/home/user{n}")]),
        Property::new("shell", ["/bin/sh"]),
    ]
}

fn create(n: u32) -> Vec<Change> {
    vec![Change::Create { parent: Target::any(ROOT), properties: user(n), position: u32::MAX }]
}

fn reads(c: &mut Criterion) {
    let mut group = c.benchmark_group("find a user by name and read it");
    group.measurement_time(Duration::from_secs(2));
    for users in [1_000, 100_000] {
        let f = fixture(users);
        let mut n = 0u32;
        group.bench_function(format!("{users} users"), |b| {
            b.iter(|| {
                n = n.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                let name = format!("user{}", 2 + n % users);
                let view = f.domain.read(&f.root).unwrap();
                let user = view.lookup_first(1, b"name", name.as_bytes()).unwrap().unwrap();
                let record = view.record(user).unwrap();
                black_box(record.first_value(b"home").unwrap().len())
            });
        });
    }
    group.finish();
}

fn searches(c: &mut Criterion) {
    let mut group = c.benchmark_group("candidates of a search in 100000 users");
    group.measurement_time(Duration::from_secs(2));
    let f = fixture(100_000);
    let terms = [
        ("one user by name", Term::Equal { property: b"name", value: b"User4242" }),
        ("all of a group", Term::Equal { property: b"gid", value: b"20" }),
        ("a beginning", Term::Prefix { property: b"name", prefix: b"user42" }),
        ("a part", Term::Contains { property: b"realname", piece: b"number 424" }),
        ("presence", Term::Present { property: b"home" }),
    ];
    for (name, term) in terms {
        let view = f.domain.read(&f.root).unwrap();
        group.bench_function(format!("{name}, estimate"), |b| b.iter(|| view.estimate(term).unwrap()));
        group.bench_function(name, |b| {
            b.iter(|| {
                let mut out = RoaringBitmap::new();
                view.collect(term, &mut out).unwrap();
                assert!(!out.is_empty());
                black_box(out.len())
            });
        });
    }
    group.finish();
}

fn writes(c: &mut Criterion) {
    let mut group = c.benchmark_group("make a user, durably");
    group.sample_size(10).measurement_time(Duration::from_secs(2));
    let f = fixture(1_000);
    let mut n = 0;
    group.throughput(Throughput::Elements(1));
    group.bench_function("one at a time", |b| {
        b.iter(|| {
            n += 1;
            f.domain.write_blocking(&f.root, create(n), 0).unwrap()
        });
    });
    group.throughput(Throughput::Elements(GROUP));
    group.bench_function(format!("{GROUP} at once"), |b| {
        b.iter(|| {
            let (tx, rx) = mpsc::channel();
            for _ in 0..GROUP {
                n += 1;
                let tx = tx.clone();
                let done = Box::new(move |result: Result<_, _>| tx.send(result.is_ok()).unwrap());
                f.domain.write(&f.root, create(n), 0, done);
            }
            drop(tx);
            assert_eq!(rx.iter().filter(|ok| *ok).count() as u64, GROUP);
        });
    });
    group.finish();
}

criterion_group!(core, reads, searches, writes);
criterion_main!(core);
