//! Places among siblings.

use netinfo_directory::{Change, Committed, Property, ROOT, Target};

use crate::support::*;

/// A directory whose children's order is written down beside it.
struct Family {
    f: Fixture,
    parent: u32,
    expected: Vec<u32>,
}

impl Family {
    fn new() -> Self {
        let f = Fixture::new("local");
        let parent = f.create(ROOT, vec![]);
        Self { f, parent, expected: Vec::new() }
    }

    fn insert(&mut self, position: u32) {
        let name = self.expected.len().to_string();
        let properties = vec![p("name", &[&name]), p("kind", &["child"])];
        let change = Change::Create { parent: Target::any(self.parent), properties, position };
        let child = self.f.write(change).unwrap().created.unwrap().object;
        let at = (position as usize).min(self.expected.len());
        self.expected.insert(at, child);
    }

    fn remove(&mut self, at: usize) {
        let child = Target::any(self.expected.remove(at));
        self.f.write(Change::Destroy { parent: Target::any(self.parent), child }).unwrap();
    }

    fn verify(&self) {
        assert_eq!(self.f.children(self.parent), self.expected);
        // Look-ups with several hits come in the same order, and renumbering touches no instance.
        let view = self.f.domain.read(&self.f.root).unwrap();
        assert_eq!(view.lookup(self.parent, b"kind", b"child").unwrap(), self.expected);
        assert!(self.expected.iter().all(|c| view.id(*c).unwrap().instance == 0));
        assert_clean(&self.f.domain);
    }
}

/// Each insertion halves the gap before its neighbour: twenty use it up, and the siblings are numbered anew.
#[test]
fn inserting_in_one_place_uses_up_the_gap_again_and_again() {
    let mut family = Family::new();
    family.insert(0);
    family.insert(1);
    for _ in 0..150 {
        family.insert(1);
    }
    family.verify();
    // The same towards the other neighbour: always behind the one inserted last.
    for position in 1..150 {
        family.insert(position);
    }
    family.verify();
    let versions: Vec<u32> = {
        let view = family.f.domain.read(&family.f.root).unwrap();
        let version = |c: &u32| view.resolve(netinfo_directory::VERSION_OF, *c).unwrap().instance;
        family.expected.iter().map(version).collect()
    };
    let mut distinct = versions.clone();
    distinct.sort_unstable();
    distinct.dedup();
    assert_eq!(distinct.len(), versions.len());
}

#[test]
fn inserting_at_the_ends_needs_no_gap() {
    let mut family = Family::new();
    for i in 0..300 {
        family.insert(if i % 3 == 0 { END } else { 0 });
    }
    family.verify();
}

#[test]
fn insertions_and_removals_anywhere() {
    let mut family = Family::new();
    let mut random = Random(7);
    for round in 0..600 {
        let size = family.expected.len();
        if size > 40 && round % 2 == 0 {
            family.remove(random.below(size));
        } else {
            family.insert(random.below(size + 2) as u32);
        }
        if round % 60 == 0 {
            family.verify();
        }
    }
    family.verify();
}

/// Positions at the very ends of their range leave no room outside; the next insertion there makes some.
#[test]
fn the_ends_of_the_range_are_no_ends() {
    for (edge, position) in [(u64::MAX, END), (u64::MAX - 1, END), (0, 0), (1, 0)] {
        let mut family = Family::new();
        for _ in 0..3 {
            family.insert(END);
        }
        let Family { f, parent, mut expected } = family;
        let moved = if position == 0 { expected[0] } else { expected[2] };
        let dir = f.close();
        crate::raw::with_store(&dir.path().join("local.domain"), |raw, txn| {
            let old = raw.get(txn, "records", &moved.to_be_bytes())[24..32].to_vec();
            let key =
                |position: u64| [parent.to_be_bytes().to_vec(), position.to_be_bytes().to_vec()].concat();
            raw.delete(txn, "children", &key(u64::from_le_bytes(old.try_into().unwrap())));
            raw.put(txn, "children", &key(edge), &moved.to_be_bytes());
            raw.edit_record(txn, moved, |bytes| bytes[24..32].copy_from_slice(&edge.to_le_bytes()));
        });
        let node = open(dir.path(), options());
        let domain = node.domain("local").unwrap();
        assert_clean(&domain);
        let properties = vec![Property::new("kind", ["child"])];
        let change = Change::Create { parent: Target::any(parent), properties, position };
        let child = write(&domain, &internal(&domain), change).unwrap().created.unwrap().object;
        expected.insert(if position == 0 { 0 } else { 3 }, child);
        let seen = picture(&domain, &internal(&domain));
        assert_eq!(seen[&parent].children, expected, "{edge}");
        assert_clean(&domain);
        let told: Vec<Committed> = feed(&domain, 0).unwrap();
        assert!(matches!(told.last().unwrap().change, Change::Create { position: p, .. } if p == position));
    }
}
