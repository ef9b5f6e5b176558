//! The value index finds all that is there, through every change, and nothing that was never there.

use std::collections::BTreeSet;

use netinfo_directory::{Change, Domain, Property, ROOT, Session, Target, Term, Time, fold};
use proptest::prelude::*;
use roaring::RoaringBitmap;

use crate::support::*;

/// The candidates for a term.
fn found(domain: &Domain, session: &Session, term: Term<'_>) -> BTreeSet<u32> {
    let view = domain.read(session).unwrap();
    let mut out = RoaringBitmap::new();
    view.collect(term, &mut out).unwrap();
    let estimate = view.estimate(term).unwrap();
    assert!(out.is_empty() || estimate > 0, "{term:?}");
    out.into_iter().collect()
}

fn folded(value: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    fold(value, &mut out);
    out
}

#[test]
fn candidates_of_every_kind() {
    let f = Fixture::new("local");
    let users = f.path(&["users"]);
    let alice = f.user("alice", "0501", vec![p("cn", &["Alice Liddell", "Élise"]), p("passwd", &["x"])]);
    let bob = f.user("bob", "502", vec![p("CN", &["Bob Liddell"]), p("home", &["/home/bob"])]);
    let staff = f.create(ROOT, vec![p("name", &["staff"]), p("member", &["uid=alice, ou=people"])]);
    // Closing makes the entries that are pending, for which some terms take every directory.
    let f = f.reopen(|_| {});
    let at = |term| found(&f.domain, &f.root, term);
    let equal = |property: &'static str, value: &'static str| {
        at(Term::Equal { property: property.as_bytes(), value: value.as_bytes() })
    };
    let set = BTreeSet::from_iter::<Vec<u32>>;
    assert_eq!(equal("cn", "alice  LIDDELL"), set(vec![alice]));
    assert_eq!(equal("cn", "e\u{301}lise"), set(vec![alice]));
    assert_eq!(equal("Cn", "bob liddell"), set(vec![bob]));
    assert_eq!(equal("uid", "501"), set(vec![alice]));
    assert_eq!(equal("member", "UID=Alice,OU=People"), set(vec![staff]));
    assert_eq!((equal("cn", "nobody"), equal("nothing", "alice")), (set(vec![]), set(vec![])));
    assert_eq!(equal("passwd", "y"), at(Term::Present { property: b"passwd" }));
    assert!(equal("passwd", "y").contains(&alice) && !equal("passwd", "x").contains(&bob));

    let prefix = |property: &'static str, prefix: &'static str| {
        at(Term::Prefix { property: property.as_bytes(), prefix: prefix.as_bytes() })
    };
    assert_eq!(prefix("cn", "AL"), set(vec![alice]));
    assert_eq!(prefix("home", "/home/"), set(vec![bob]));
    assert_eq!(prefix("uid", "05"), set(vec![alice, bob]), "numbers may have lost zeros");
    assert_eq!(prefix("cn", ""), set(vec![alice, bob]));
    assert_eq!(prefix("member", "uid=alice, ou"), set(vec![staff]));
    assert_eq!(prefix("cn", "lidd"), set(vec![]));

    let contains = |property: &'static str, piece: &'static str| {
        at(Term::Contains { property: property.as_bytes(), piece: piece.as_bytes() })
    };
    assert_eq!(contains("cn", "lidd"), set(vec![alice, bob]));
    assert_eq!(contains("cn", "bliddel"), set(vec![bob]));
    assert_eq!(contains("cn", "xyz"), set(vec![]));
    assert_eq!(contains("cn", "al"), set(vec![alice, bob]), "too short");
    assert_eq!(contains("uid", "999"), set(vec![alice, bob]), "numbers have no pieces");
    assert_eq!(contains("member", "ice"), set(vec![staff]), "nor have names");
    assert!(at(Term::Present { property: b"name" }).is_superset(&set(vec![users, alice, bob, staff])));
    assert!(!at(Term::Present { property: b"name" }).contains(&ROOT));
    assert!(at(Term::Present { property: b"MASTER" }).contains(&ROOT));
}

#[test]
fn times_are_found() {
    let f = Fixture::new("local");
    let a = f.create(ROOT, vec![]);
    f.domain.write_blocking(&f.root, vec![rename(a, "x")], NOW + 5).unwrap();
    let at = |time, from, to| found(&f.domain, &f.root, Term::Time { time, from, to });
    assert_eq!(at(Time::Modified, NOW + 1, u64::MAX), [a].into());
    assert_eq!(at(Time::Modified, NOW + 5, NOW + 5), [a].into());
    assert_eq!(at(Time::Modified, NOW + 6, u64::MAX), [].into());
    assert_eq!(at(Time::Modified, NOW + 6, NOW + 5), [].into());
    assert!(!at(Time::Modified, 0, NOW).contains(&a));
    assert!(at(Time::Created, 0, NOW).contains(&a) && at(Time::Created, NOW + 1, u64::MAX).is_empty());
}

fn rename(object: u32, name: &str) -> Change {
    Change::Write { directory: Target::any(object), properties: vec![p("name", &[name])] }
}

/// Sets in all three forms, over several chunks, written one by one and in a whole copy: what is found is the same.
#[test]
fn many_directories() {
    let f = Fixture::new("local");
    let users = f.path(&["users"]);
    let count = 4600u32;
    let create = |n: u32| Change::Create {
        parent: Target::any(users),
        properties: vec![
            p("name", &[&format!("user{n}")]),
            p("shell", &[["/bin/sh", "/bin/zsh"][usize::from(n.is_multiple_of(16))]]),
            p("cn", &[&format!("Person Number{}", n % 300)]),
        ],
        position: u32::MAX,
    };
    f.domain.write_blocking(&f.root, (0..count).map(create).collect(), NOW).unwrap();
    let copy = Fixture::new("local");
    crate::copies::copy(&f.domain, &copy.domain);
    let (f, copy) = (f.reopen(|_| {}), copy.reopen(|_| {}));
    for fixture in [&f, &copy] {
        let at = |term| found(&fixture.domain, &fixture.root, term);
        let view = fixture.domain.read(&fixture.root).unwrap();
        let estimate = |term| view.estimate(term).unwrap();
        let term = Term::Equal { property: b"shell", value: b"/bin/zsh" };
        assert_eq!(
            (at(term).len() as u32, estimate(term)),
            (count.div_ceil(16), u64::from(count.div_ceil(16)))
        );
        let term = Term::Equal { property: b"name", value: b"user4599" };
        assert_eq!((at(term), estimate(term)), ([users + count].into(), 1));
        assert_eq!(at(Term::Present { property: b"cn" }).len() as u32, count);
        let term = Term::Contains { property: b"cn", piece: b"number29" };
        let exact = (0..count).filter(|n| (n % 300).to_string().starts_with("29")).count();
        assert_eq!(at(term).len(), exact);
        assert!(estimate(term) > 0);
        let term = Term::Prefix { property: b"name", prefix: b"user12" };
        assert_eq!(at(term).len(), (0..count).filter(|n| n.to_string().starts_with("12")).count());
        assert_clean(&fixture.domain);
    }
    // Taken away again, nothing of them is left.
    let destroy = |n: u32| Change::Destroy { parent: Target::any(users), child: Target::any(users + 1 + n) };
    f.domain.write_blocking(&f.root, (0..count).map(destroy).collect(), NOW).unwrap();
    let f = f.reopen(|_| {});
    assert_clean(&f.domain);
    assert_eq!(found(&f.domain, &f.root, Term::Present { property: b"shell" }), [].into());
    let dir = f.close();
    let path = dir.path().join("local.domain");
    let left = crate::raw::with_store(&path, |raw, txn| raw.dump(txn, "values"));
    assert!(left.len() < 10, "{}", left.len());
}

/// A group gains and loses members that differ in spelling only.
#[test]
fn values_that_share_a_fold() {
    let f = Fixture::new("local");
    let a = f.create(ROOT, vec![p("x", &["Alice", "alice", "bob"]), p("X", &["ALICE"])]);
    let at = |value: &'static str| {
        found(&f.domain, &f.root, Term::Equal { property: b"x", value: value.as_bytes() })
    };
    let property = |index, values: &[&str]| {
        let values = values.iter().map(|v| v.as_bytes().to_vec()).collect();
        f.write(Change::WriteProperty { directory: Target::any(a), index, values }).unwrap();
        assert_clean(&f.domain);
    };
    property(0, &["alice", "bob"]);
    property(0, &["bob"]);
    assert_eq!(at("alice"), [a].into());
    property(1, &["carol"]);
    assert_eq!((at("alice"), at("carol")), ([].into(), [a].into()));
    property(0, &[]);
    f.write(Change::DestroyProperty { directory: Target::any(a), index: 1 }).unwrap();
    assert_clean(&f.domain);
    assert_eq!((at("bob"), at("carol")), ([].into(), [].into()));
    let f = f.reopen(|_| {});
    assert_eq!(found(&f.domain, &f.root, Term::Present { property: b"x" }), [a].into());
}

fn properties() -> impl Strategy<Value = Vec<Property>> {
    let name = prop_oneof![Just("a"), Just("A"), Just("b;x"), Just("passwd"), Just("_writers_b")];
    let values = proptest::collection::vec("[abAB 0-1é=,/\\\\-]{0,5}", 0..4);
    let property = (name, values).prop_map(|(name, values)| Property::new(name, values));
    proptest::collection::vec(property, 0..4)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]

    #[test]
    fn everything_is_found(
        steps in proptest::collection::vec((0usize..5, properties()), 1..20),
        value in "[abAB 0-1é=,/\\\\-]{0,4}",
    ) {
        let f = Fixture::new("local");
        let objects: Vec<u32> = (0..5).map(|_| f.create(ROOT, vec![])).collect();
        for (object, properties) in steps {
            f.write(Change::Write { directory: Target::any(objects[object]), properties }).unwrap();
        }
        assert_clean(&f.domain);
        let all = picture(&f.domain, &f.root);
        for name in ["a", "b", "b;x"] {
            let stem = |name: &[u8]| name.split(|b| *b == b';').next().unwrap().to_ascii_lowercase();
            let having = |fits: &dyn Fn(&[u8]) -> bool| -> BTreeSet<u32> {
                let fits = |p: &&Property| stem(&p.name) == stem(name.as_bytes()) && p.values.iter().any(|v| fits(v));
                all.iter().filter(|(_, d)| d.properties.iter().any(|p| fits(&p))).map(|(o, _)| *o).collect()
            };
            let (property, value) = (name.as_bytes(), value.as_bytes());
            let fold = folded(value);
            let equal = found(&f.domain, &f.root, Term::Equal { property, value });
            prop_assert_eq!(&equal, &having(&|v| folded(v) == fold));
            let prefix = found(&f.domain, &f.root, Term::Prefix { property, prefix: value });
            prop_assert!(prefix.is_superset(&having(&|v| v.starts_with(value))), "{:?}", prefix);
            let piece = found(&f.domain, &f.root, Term::Contains { property, piece: value });
            let has = |v: &[u8]| value.is_empty() || v.windows(value.len()).any(|w| w == value);
            prop_assert!(piece.is_superset(&having(&has)), "{:?}", piece);
        }
    }
}
