//! Random histories against a model so simple that it can be read next to the protocol's table of procedures.

use std::collections::BTreeMap;

use netinfo_directory::{
    Change, Domain, Error, Id, MASK, Outcome, Property, ROOT, Session, Target, is_secret,
};
use proptest::prelude::*;

use crate::support::*;

/// Why the model refuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum No {
    Directory,
    Property,
    Value,
    Stale,
    Locked,
    Permission,
    Children,
    Unrelated,
    Loop,
}

fn no(error: Error) -> No {
    match error {
        Error::NoSuchDirectory => No::Directory,
        Error::NoSuchProperty => No::Property,
        Error::NoSuchValue => No::Value,
        Error::Stale => No::Stale,
        Error::ReadOnly => No::Locked,
        Error::Permission => No::Permission,
        Error::NotEmpty => No::Children,
        Error::Unrelated => No::Unrelated,
        Error::Loop => No::Loop,
        other => panic!("{other:?}"),
    }
}

/// The caller, as the model sees it: `None` is the superuser.
type Who = Option<&'static str>;

#[derive(Clone)]
struct Model(BTreeMap<u32, Plain>);

impl Model {
    fn checksum(&self) -> u32 {
        self.0.iter().fold(0, |sum: u32, (o, d)| sum.wrapping_add((o + 1).wrapping_mul(d.instance)))
    }

    fn lookup(&self, directory: u32, key: &[u8], value: &[u8]) -> Vec<u32> {
        let has = |child: &u32| {
            let first = self.0[child].properties.iter().find(|p| p.name == key);
            first.is_some_and(|p| p.values.iter().any(|v| v == value))
        };
        self.0.get(&directory).map_or(vec![], |d| d.children.iter().copied().filter(has).collect())
    }

    fn current(&self, target: Target) -> Result<Plain, No> {
        let found = self.0.get(&target.object).ok_or(No::Directory)?;
        let fits = target.instance.is_none_or(|i| i == found.instance);
        if fits { Ok(found.clone()) } else { Err(No::Stale) }
    }

    /// All changes or none.
    fn propose(&mut self, who: Who, changes: &[Change]) -> Result<Vec<Outcome>, No> {
        let mut after = self.clone();
        let outcomes = changes.iter().map(|c| after.apply(who, c)).collect::<Result<_, _>>()?;
        *self = after;
        Ok(outcomes)
    }

    fn apply(&mut self, who: Who, change: &Change) -> Result<Outcome, No> {
        let target = change.directory();
        let mut d = self.current(target)?;
        let mut created = None;
        match change {
            Change::Create { properties, position, .. } => {
                directory_check(&d, who)?;
                let object = (0..).find(|o| !self.0.contains_key(o)).unwrap();
                insert(&mut d.children, *position, object);
                let child = Plain {
                    instance: 0,
                    parent: target.object,
                    children: vec![],
                    properties: properties.clone(),
                };
                self.0.insert(object, child);
                created = Some(Id { object, instance: 0 });
            }
            Change::Destroy { child, .. } => {
                directory_check(&d, who)?;
                if !self.current(*child)?.children.is_empty() {
                    return Err(No::Children);
                }
                let at = d.children.iter().position(|c| *c == child.object).ok_or(No::Unrelated)?;
                d.children.remove(at);
                self.0.remove(&child.object);
            }
            Change::Move { child, to, position, .. } => {
                self.relocate(who, &mut d, target.object, *child, *to, *position)?;
            }
            _ => edit(&mut d, who, change)?,
        }
        d.instance = d.instance.wrapping_add(1);
        let id = Id { object: target.object, instance: d.instance };
        self.0.insert(target.object, d);
        Ok(Outcome { id, created })
    }

    /// All of a move but what becomes of the old parent's instance.
    fn relocate(
        &mut self,
        who: Who,
        from: &mut Plain,
        parent: u32,
        child: Target,
        to: Target,
        position: u32,
    ) -> Result<(), No> {
        let mut target = self.current(to)?;
        directory_check(from, who)?;
        directory_check(&target, who)?;
        let mut moved = self.current(child)?;
        if moved.parent != parent || child.object == ROOT {
            return Err(No::Unrelated);
        }
        let mut at = to.object;
        while at != ROOT {
            if at == child.object {
                return Err(No::Loop);
            }
            at = self.0[&at].parent;
        }
        from.children.retain(|c| *c != child.object);
        if to.object == parent {
            insert(&mut from.children, position, child.object);
        } else {
            insert(&mut target.children, position, child.object);
            target.instance = target.instance.wrapping_add(1);
            self.0.insert(to.object, target);
        }
        (moved.parent, moved.instance) = (to.object, moved.instance.wrapping_add(1));
        self.0.insert(child.object, moved);
        Ok(())
    }
}

fn insert<T>(list: &mut Vec<T>, position: u32, item: T) {
    let at = (position as usize).min(list.len());
    list.insert(at, item);
}

fn edit(d: &mut Plain, who: Who, change: &Change) -> Result<(), No> {
    let before = d.clone();
    let property =
        |index: u32| before.properties.get(index as usize).map(|p| (index as usize, p)).ok_or(No::Property);
    let value = |p: &Property, i: u32| {
        if (i as usize) < p.values.len() { Ok(i as usize) } else { Err(No::Value) }
    };
    match change {
        Change::Write { properties, .. } => {
            directory_check(&before, who)?;
            d.properties.clone_from(properties);
            for name in [b"passwd"] {
                let old = before.properties.iter().filter(|p| p.name == name);
                let new = d.properties.iter_mut().filter(|p| p.name == name);
                for (old, new) in old.zip(new) {
                    unmask(&old.values, &mut new.values);
                }
            }
        }
        Change::CreateProperty { property, position, .. } => {
            directory_check(&before, who)?;
            insert(&mut d.properties, *position, property.clone());
        }
        Change::DestroyProperty { index, .. } => {
            let (i, _) = property(*index)?;
            directory_check(&before, who)?;
            d.properties.remove(i);
        }
        Change::RenameProperty { index, name, .. } => {
            let (i, p) = property(*index)?;
            directory_check(&before, who)?;
            if is_secret(&p.name) && !is_secret(name) && who.is_some() {
                return Err(No::Permission);
            }
            d.properties[i].name.clone_from(name);
        }
        Change::WriteProperty { index, values, .. } => {
            let (i, p) = property(*index)?;
            match directory_check(&before, who) {
                Err(No::Permission) => property_check(&before, p, who)?,
                other => other?,
            }
            d.properties[i].values.clone_from(values);
            if is_secret(&p.name) {
                unmask(&p.values, &mut d.properties[i].values);
            }
        }
        Change::CreateValue { index, value, position, .. } => {
            let (i, p) = property(*index)?;
            directory_check(&before, who).or_else(|_| property_check(&before, p, who))?;
            insert(&mut d.properties[i].values, *position, value.clone());
        }
        Change::DestroyValue { index, value_index, .. } => {
            let (i, p) = property(*index)?;
            let j = value(p, *value_index)?;
            directory_check(&before, who).or_else(|_| property_check(&before, p, who))?;
            d.properties[i].values.remove(j);
        }
        Change::WriteValue { index, value_index, value: new, .. } => {
            let (i, p) = property(*index)?;
            let j = value(p, *value_index)?;
            directory_check(&before, who).or_else(|_| property_check(&before, p, who))?;
            d.properties[i].values[j].clone_from(new);
            if is_secret(&p.name) {
                unmask(&p.values[j..], &mut d.properties[i].values[j..=j]);
            }
        }
        Change::Create { .. } | Change::Destroy { .. } | Change::Move { .. } | Change::SetStamp { .. } => {
            unreachable!()
        }
    }
    Ok(())
}

fn unmask(old: &[Vec<u8>], new: &mut [Vec<u8>]) {
    for (old, new) in old.iter().zip(new).filter(|(_, new)| *new == MASK) {
        new.clone_from(old);
    }
}

fn directory_check(d: &Plain, who: Who) -> Result<(), No> {
    if d.properties.iter().any(|p| p.name == b"_locked") {
        return Err(No::Locked);
    }
    list_check(d, b"_writers", who)
}

fn property_check(d: &Plain, property: &Property, who: Who) -> Result<(), No> {
    list_check(d, &[b"_writers_", &property.name[..]].concat(), who)
}

fn list_check(d: &Plain, list: &[u8], who: Who) -> Result<(), No> {
    let Some(user) = who else { return Ok(()) };
    let list = d.properties.iter().find(|p| p.name == list).ok_or(No::Permission)?;
    let admitted = |v: &Vec<u8>| v == b"*" || (!user.is_empty() && v == user.as_bytes());
    if list.values.iter().any(admitted) { Ok(()) } else { Err(No::Permission) }
}

/// Compares everything that can be read.
fn compare(domain: &Domain, root: &Session, stranger: &Session, model: &Model) {
    assert_eq!(picture(domain, root), model.0);
    let view = domain.read(root).unwrap();
    assert_eq!(view.checksum().unwrap(), model.checksum());
    for object in 0..12 {
        match model.0.get(&object) {
            Some(d) => assert_eq!(view.id(object).unwrap().instance, d.instance),
            None => assert!(matches!(view.id(object), Err(Error::NoSuchDirectory))),
        }
    }
    let masked = domain.read(stranger).unwrap();
    for directory in model.0.keys() {
        for key in NAMES {
            for value in VALUES {
                let (key, value) = (key.as_bytes(), value.as_bytes());
                let expected = model.lookup(*directory, key, value);
                let first = view.lookup_first(*directory, key, value).unwrap();
                assert_eq!((view.lookup(*directory, key, value).unwrap(), first), {
                    let first = expected.first().copied();
                    (expected.clone(), first)
                });
                let seen = masked.lookup(*directory, key, value).unwrap();
                assert_eq!(seen, if is_secret(key) { vec![] } else { expected });
            }
        }
    }
}

const NAMES: [&str; 8] = ["name", "v", "", "passwd", "_writers", "_writers_v", "_writers_passwd", "_locked"];
const VALUES: [&str; 7] = ["alice", "bob", "*", "1", "", "********", "s3cret"];
const WHO: [Who; 4] = [None, Some("alice"), Some("bob"), Some("")];

fn name() -> impl Strategy<Value = Vec<u8>> {
    // A locked directory is locked for good: seldom, or nothing would happen any more.
    prop_oneof![20 => proptest::sample::select(&NAMES[..7]), 1 => Just(NAMES[7])].prop_map(|s| s.into())
}

fn value() -> impl Strategy<Value = Vec<u8>> {
    proptest::sample::select(&VALUES[..]).prop_map(|s| s.into())
}

fn values() -> impl Strategy<Value = Vec<Vec<u8>>> {
    proptest::collection::vec(value(), 0..4)
}

fn properties() -> impl Strategy<Value = Vec<Property>> {
    let writers = Property::new("_writers", ["*"]);
    let property = (name(), values()).prop_map(|(name, values)| Property { name, values });
    let random = proptest::collection::vec(property, 0..5);
    (random, any::<bool>()).prop_map(move |(mut list, open)| {
        list.extend(open.then(|| writers.clone()));
        list
    })
}

/// An index, mostly small enough to hit something.
fn index() -> impl Strategy<Value = u32> {
    prop_oneof![20 => 0u32..5, 1 => Just(END)]
}

/// A directory, with a wish for its instance: `Some(0)` is the right one, others are that much off.
fn target() -> impl Strategy<Value = Target> {
    let instance =
        prop_oneof![8 => Just(Some(0u32)), 1 => Just(Some(1)), 1 => Just(Some(END)), 6 => Just(None)];
    (0u32..10, instance).prop_map(|(object, instance)| Target { object, instance })
}

fn change() -> impl Strategy<Value = Change> {
    let property = (name(), values()).prop_map(|(name, values)| Property { name, values });
    prop_oneof![
        4 => (target(), properties(), index())
            .prop_map(|(parent, properties, position)| Change::Create { parent, properties, position }),
        3 => (target(), target()).prop_map(|(parent, child)| Change::Destroy { parent, child }),
        3 => (target(), target(), target(), index())
            .prop_map(|(from, child, to, position)| Change::Move { from, child, to, position }),
        2 => (target(), properties()).prop_map(|(directory, properties)| Change::Write { directory, properties }),
        2 => (target(), property, index()).prop_map(|(directory, property, position)| {
            Change::CreateProperty { directory, property, position }
        }),
        1 => (target(), index()).prop_map(|(directory, index)| Change::DestroyProperty { directory, index }),
        2 => (target(), index(), values())
            .prop_map(|(directory, index, values)| Change::WriteProperty { directory, index, values }),
        2 => (target(), index(), name())
            .prop_map(|(directory, index, name)| Change::RenameProperty { directory, index, name }),
        2 => (target(), index(), value(), index()).prop_map(|(directory, index, value, position)| {
            Change::CreateValue { directory, index, value, position }
        }),
        1 => (target(), index(), index()).prop_map(|(directory, index, value_index)| {
            Change::DestroyValue { directory, index, value_index }
        }),
        2 => (target(), index(), index(), value()).prop_map(|(directory, index, value_index, value)| {
            Change::WriteValue { directory, index, value_index, value }
        }),
    ]
}

/// Turns wishes for instances into instances, and most destroys into ones of a real child.
fn resolve(change: &mut Change, model: &Model) {
    let fix = |t: &mut Target| {
        let current = model.0.get(&t.object).map_or(0, |d| d.instance);
        t.instance = t.instance.map(|off| current.wrapping_add(off));
    };
    match change {
        Change::Destroy { parent, child } => {
            if let Some(d) = model.0.get(&child.object).filter(|_| child.object % 4 != 0) {
                parent.object = d.parent;
            }
            fix(parent);
            fix(child);
        }
        Change::Move { from, child, to, .. } => {
            if let Some(d) = model.0.get(&child.object).filter(|_| child.object % 4 != 0) {
                from.object = d.parent;
            }
            [from, child, to].into_iter().for_each(fix);
        }
        Change::Create { parent: t, .. }
        | Change::SetStamp { directory: t, .. }
        | Change::Write { directory: t, .. }
        | Change::CreateProperty { directory: t, .. }
        | Change::DestroyProperty { directory: t, .. }
        | Change::WriteProperty { directory: t, .. }
        | Change::RenameProperty { directory: t, .. }
        | Change::CreateValue { directory: t, .. }
        | Change::DestroyValue { directory: t, .. }
        | Change::WriteValue { directory: t, .. } => fix(t),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 80, max_shrink_iters: 2000, ..ProptestConfig::default() })]

    #[test]
    fn a_domain_does_what_the_model_does(
        history in proptest::collection::vec((0usize..4, proptest::collection::vec(change(), 1..4)), 1..80),
    ) {
        let f = Fixture::new("local");
        f.user("alice", "501", vec![p("_writers", &["alice"])]);
        f.user("bob", "502", vec![p("_writers_passwd", &["bob"]), p("passwd", &["s3cret"])]);
        let sessions = [f.root.clone(), f.local(501), f.local(502), f.anonymous()];
        let mut model = Model(picture(&f.domain, &f.root));
        let copy = Fixture::new("local");
        crate::copies::copy(&f.domain, &copy.domain);
        let start = f.domain.read(&f.root).unwrap().sequence().unwrap();

        let mut accepted = 0;
        for (who, mut changes) in history {
            // Several changes at once one time in four; instances are those of before the first.
            changes.truncate(if who == 0 { 3 } else { 1 });
            changes.iter_mut().for_each(|c| resolve(c, &model));
            let expected = model.propose(WHO[who], &changes);
            let result = f.domain.write_blocking(&sessions[who], changes.clone(), NOW).map_err(no);
            prop_assert_eq!(&result, &expected, "{:?} {:?}", WHO[who], changes);
            accepted += result.map_or(0, |o| o.len() as u64);
            compare(&f.domain, &f.root, &sessions[3], &model);
        }
        assert_clean(&f.domain);

        // The feed tells all of it, and telling it to a copy makes the copy equal.
        let told = feed(&f.domain, start).unwrap();
        prop_assert_eq!(told.len() as u64, accepted);
        for committed in told {
            let outcome = write(&copy.domain, &copy.root, committed.change.clone()).unwrap();
            prop_assert_eq!(outcome, committed.outcome, "{:?}", committed.change);
        }
        prop_assert_eq!(picture(&copy.domain, &copy.root), model.0.clone());
        assert_clean(&copy.domain);
        let f = f.reopen(|_| {});
        prop_assert_eq!(picture(&f.domain, &f.root), model.0);
    }
}

/// The generator must reach every way out, or the comparison shows less than it seems to.
#[test]
fn random_histories_meet_every_refusal() {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;
    let mut runner = TestRunner::deterministic();
    let strategy = proptest::collection::vec((0usize..4, change()), 3000);
    let history = strategy.new_tree(&mut runner).unwrap().current();
    let f = Fixture::new("local");
    let mut model = Model(picture(&f.domain, &f.root));
    let (mut met, mut done) = (Vec::new(), 0);
    for (who, mut change) in history {
        resolve(&mut change, &model);
        match model.apply(WHO[who], &change) {
            Ok(_) => done += 1,
            Err(no) if !met.contains(&no) => met.push(no),
            Err(_) => {}
        }
        // A history does not go on from a tree in which everything is locked.
        let locked = |d: &Plain| d.properties.iter().any(|p| p.name == b"_locked");
        if model.0.get(&ROOT).is_some_and(locked) {
            model = Model(picture(&f.domain, &f.root));
        }
    }
    assert_eq!(met.len(), 9, "{met:?}");
    assert!(done > 300, "only {done} changes were made");
}
