//! Access lists, procedure by procedure, and what they count.

use netinfo_directory::{Change, Error, ROOT, Result, Session, Target};

use crate::support::*;

struct Cast {
    f: Fixture,
    alice: Session,
    bob: Session,
    nobody: Session,
}

/// Alice and Bob, in a domain whose root anybody may change.
fn cast() -> Cast {
    let f = Fixture::new("local");
    f.user("alice", "501", vec![]);
    f.user("bob", "502", vec![]);
    let (alice, bob, nobody) = (f.local(501), f.local(502), f.anonymous());
    assert_eq!((alice.name(), bob.name(), nobody.name()), (&b"alice"[..], &b"bob"[..], &b""[..]));
    Cast { f, alice, bob, nobody }
}

/// The ten procedures, each once, on a directory whose first property is `v` with a value, and whose only child is `child`.
fn all(object: u32, child: u32) -> Vec<Change> {
    let directory = Target::any(object);
    let value = b"w".to_vec();
    let properties = vec![p("v", &["1"])];
    vec![
        Change::WriteValue { directory, index: 0, value_index: 0, value: value.clone() },
        Change::DestroyValue { directory, index: 0, value_index: 0 },
        Change::CreateValue { directory, index: 0, value: value.clone(), position: 0 },
        Change::WriteProperty { directory, index: 0, values: vec![value] },
        Change::Create { parent: directory, properties: vec![], position: END },
        Change::Destroy { parent: directory, child: Target::any(child) },
        Change::CreateProperty { directory, property: p("n", &[]), position: END },
        Change::RenameProperty { directory, index: 0, name: b"v2".to_vec() },
        Change::DestroyProperty { directory, index: 0 },
        Change::Write { directory, properties },
    ]
}

/// For each procedure, on a fresh directory with these lists: `+` allowed, `p` permission denied, `r` read-only.
fn verdicts(cast: &Cast, session: &Session, lists: &[netinfo_directory::Property]) -> String {
    let verdict = |result: Result<_>| match result {
        Ok(_) => '+',
        Err(Error::Permission) => 'p',
        Err(Error::ReadOnly) => 'r',
        Err(other) => panic!("{other:?}"),
    };
    (0..10)
        .map(|i| {
            // The child exists before the lists do: `_locked` would refuse it.
            let object = cast.f.create(ROOT, vec![p("v", &["1"])]);
            let child = cast.f.create(object, vec![]);
            let properties = [&[p("v", &["1"])], lists].concat();
            cast.f.write(Change::Write { directory: Target::any(object), properties }).unwrap();
            verdict(cast.f.write_as(session, all(object, child).remove(i)))
        })
        .collect()
}

#[test]
fn each_procedure_asks_the_lists_it_should() {
    let cast = cast();
    let (root, alice, bob, nobody) = (&cast.f.root, &cast.alice, &cast.bob, &cast.nobody);
    let check = |session: &Session, lists: &[netinfo_directory::Property], expected: &str| {
        assert_eq!(verdicts(&cast, session, lists), expected, "{lists:?}");
    };
    // Order: writename, destroyname, createname, writeprop | create, destroy, createprop, renameprop, destroyprop, write.
    check(root, &[], "++++++++++");
    check(alice, &[], "pppppppppp");
    check(nobody, &[], "pppppppppp");
    let own = [p("_writers", &["bob", "alice"])];
    check(alice, &own, "++++++++++");
    check(nobody, &own, "pppppppppp");
    let anybody = [p("_writers", &["*"])];
    check(alice, &anybody, "++++++++++");
    check(nobody, &anybody, "++++++++++");
    let values = [p("_writers_v", &["alice"])];
    check(alice, &values, "++++pppppp");
    check(bob, &values, "pppppppppp");
    check(nobody, &[p("_writers_v", &["*"])], "++++pppppp");
    check(alice, &[p("_writers_w", &["alice"])], "pppppppppp");
    // Whoever may change the directory may change its values, whatever their own list says.
    check(alice, &[p("_writers", &["alice"]), p("_writers_v", &["bob"])], "++++++++++");
    // `_locked`: everything but single values is closed to everybody; root still reaches those.
    let locked = [p("_locked", &[]), p("_writers", &["*"])];
    check(root, &locked, "+++rrrrrrr");
    check(alice, &locked, "ppprrrrrrr");
    check(alice, &[p("_locked", &[]), p("_writers_v", &["alice"])], "+++rrrrrrr");
    check(nobody, &locked, "ppprrrrrrr");
    // Only the first list of a name counts, and names are compared exactly.
    check(alice, &[p("_writers", &[]), p("_writers", &["alice"])], "pppppppppp");
    check(alice, &[p("_writers", &["Alice", ""])], "pppppppppp");
    check(nobody, &[p("_writers", &[""])], "pppppppppp");
    assert_clean(&cast.f.domain);
}

#[test]
fn a_list_of_the_parent_is_not_inherited() {
    let cast = cast();
    let outer = cast.f.create(ROOT, vec![p("_writers", &["alice"])]);
    let inner = cast.f.create(outer, vec![]);
    refused!(cast.f.write_as(&cast.alice, create(inner, vec![])), Error::Permission);
    let destroy = Change::Destroy { parent: Target::any(outer), child: Target::any(inner) };
    cast.f.write_as(&cast.alice, destroy).unwrap();
    // A writer may change the list itself.
    let directory = Target::any(outer);
    cast.f.write_as(&cast.alice, Change::WriteProperty { directory, index: 0, values: vec![] }).unwrap();
    refused!(cast.f.write_as(&cast.alice, create(outer, vec![])), Error::Permission);
}

#[test]
fn grants_and_refusals_are_counted() {
    let cast = cast();
    let f = &cast.f;
    let plain = f.create(ROOT, vec![p("v", &["1"])]);
    let listed = f.create(ROOT, vec![p("v", &["1"]), p("_writers", &["bob"]), p("_writers_v", &["alice"])]);
    let locked = f.create(ROOT, vec![p("v", &["1"]), p("_locked", &[])]);
    let counted = |session: &Session, change: Change| {
        let before = f.domain.authentication_figures();
        let _ = f.write_as(session, change);
        let after = f.domain.authentication_figures();
        assert_eq!((before.good, before.bad), (after.good, after.bad));
        (after.write_good - before.write_good, after.write_bad - before.write_bad)
    };
    let value =
        |object| Change::CreateValue { directory: Target::any(object), index: 0, value: vec![], position: 0 };
    let values = |object| Change::WriteProperty { directory: Target::any(object), index: 0, values: vec![] };
    assert_eq!(counted(&f.root, value(plain)), (1, 0));
    assert_eq!(counted(&cast.alice, value(plain)), (0, 0), "no list, no count");
    assert_eq!(counted(&cast.bob, values(listed)), (1, 0));
    assert_eq!(counted(&cast.alice, values(listed)), (1, 1), "refused by one list, granted by the other");
    assert_eq!(counted(&cast.nobody, values(listed)), (0, 2));
    assert_eq!(counted(&f.root, values(locked)), (0, 0), "a lock counts nothing");
    assert_eq!(counted(&f.root, value(locked)), (1, 0));
    assert_eq!(counted(&cast.nobody, create(listed, vec![])), (0, 1));
}
