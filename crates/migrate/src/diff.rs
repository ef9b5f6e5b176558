//! What differs between two domains, directory by directory.

use std::collections::HashSet;

use netinfo_directory::{Domain, Property, ROOT, View};
use netinfo_mapping::{Namespace, Selection, Tree};

use crate::error::Result;
use crate::local::session;
use crate::plan::{names, same};
use crate::words::{difference, shown};

/// What is compared.
#[derive(Debug, Clone, Default)]
pub struct Scope {
    /// The directories below the root that count; all of them, and the root itself, if nothing is said.
    pub containers: Option<Vec<Vec<u8>>>,
    /// Whether LDAP entries are compared, and not what they are stored as.
    pub entries: bool,
}

/// A difference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Difference {
    /// Only the first has it.
    Gone(String),
    /// Only the second has it.
    New(String),
    /// Both have it: what differs, a line each.
    Other(String, Vec<String>),
}

/// Calls `each` with every difference. Returns how many directories are the same.
///
/// # Errors
/// When a domain cannot be read.
pub fn diff(first: &Domain, second: &Domain, scope: &Scope, each: &mut dyn FnMut(Difference)) -> Result<u64> {
    let (a, b) = (first.read(&session(first)?)?, second.read(&session(second)?)?);
    let (one, other) = (Namespace::new(&a, first.tag())?, Namespace::new(&b, second.tag())?);
    let (one, other) = (one.tree(&a), other.tree(&b));
    let mut comparing = Comparing {
        a: Side { view: &a, tree: &one },
        b: Side { view: &b, tree: &other },
        entries: scope.entries,
        each,
        equal: 0,
        left: Vec::new(),
    };
    match &scope.containers {
        None => comparing.pair(ROOT, ROOT, "/")?,
        Some(containers) => {
            for container in containers.iter().rev() {
                let path: Vec<&[u8]> = container.split(|byte| *byte == b'/').collect();
                let name = shown(container);
                match (a.path(&path)?, b.path(&path)?) {
                    (Some(a), Some(b)) => comparing.children(a, b, &name)?,
                    (Some(a), None) => comparing.only(true, a, &name)?,
                    (None, Some(b)) => comparing.only(false, b, &name)?,
                    (None, None) => {}
                }
            }
        }
    }
    comparing.finish()
}

/// One of two domains.
struct Side<'t> {
    view: &'t View<'t>,
    tree: &'t Tree<'t>,
}

impl Side<'_> {
    fn properties(&self, object: u32) -> Result<Vec<Property>> {
        let record = self.view.record(object)?;
        Ok(record.properties().map(|property| Property::new(property.name, property.values)).collect())
    }

    /// What is compared: properties, or attributes with their values in order of their octets.
    fn compared(&self, object: u32, entries: bool) -> Result<Vec<Property>> {
        if !entries {
            return self.properties(object);
        }
        let entry = self.tree.entry(object)?;
        let mut attributes = Vec::new();
        for attribute in entry.select(&Selection::user())? {
            let mut values: Vec<Vec<u8>> = attribute.values().map(|value| value.into_owned()).collect();
            values.sort_unstable();
            let name = match attribute.description() {
                "userPassword" => "passwd",
                name => name,
            };
            attributes.push(Property { name: name.to_ascii_lowercase().into_bytes(), values });
        }
        attributes.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(attributes)
    }
}

/// Something that is still to be compared. Trees may be deeper than the stack of a thread.
enum Left {
    /// Two directories that are the same thing.
    Pair(u32, u32, String),
    /// A directory of the first side (`true`) or the second that the other has not.
    One(bool, u32, String),
}

struct Comparing<'t, 'e> {
    a: Side<'t>,
    b: Side<'t>,
    entries: bool,
    each: &'e mut dyn FnMut(Difference),
    equal: u64,
    /// What comes next is the last.
    left: Vec<Left>,
}

impl Comparing<'_, '_> {
    /// Compares what is left, and all below it.
    fn finish(mut self) -> Result<u64> {
        while let Some(next) = self.left.pop() {
            match next {
                Left::Pair(a, b, path) => self.pair(a, b, &path)?,
                Left::One(first, object, path) => {
                    self.only(first, object, &path)?;
                    (self.each)(if first { Difference::Gone(path) } else { Difference::New(path) });
                }
            }
        }
        Ok(self.equal)
    }

    fn pair(&mut self, a: u32, b: u32, path: &str) -> Result<()> {
        let lines = difference(&self.a.compared(a, self.entries)?, &self.b.compared(b, self.entries)?);
        if lines.is_empty() {
            self.equal += 1;
        } else {
            (self.each)(Difference::Other(path.to_owned(), lines));
        }
        self.children(a, b, path)
    }

    /// The directories below two come next.
    fn children(&mut self, a: u32, b: u32, path: &str) -> Result<()> {
        let (mut met, begin) = (HashSet::new(), self.left.len());
        for child in self.a.view.children(a)? {
            let child = child?;
            let properties = self.a.properties(child)?;
            let below = below(path, &properties);
            self.left.push(match self.twin(b, &properties, &met)? {
                Some(twin) => {
                    met.insert(twin);
                    Left::Pair(child, twin, below)
                }
                None => Left::One(true, child, below),
            });
        }
        for child in self.b.view.children(b)? {
            let child = child?;
            if !met.contains(&child) {
                self.left.push(Left::One(false, child, below(path, &self.b.properties(child)?)));
            }
        }
        self.left[begin..].reverse();
        Ok(())
    }

    /// The child of `parent` in the second domain that is the same thing, and is no other's.
    fn twin(&self, parent: u32, properties: &[Property], met: &HashSet<u32>) -> Result<Option<u32>> {
        let candidates = match names(properties) {
            Some((key, values)) => {
                let mut found = Vec::new();
                for value in values {
                    found.extend(self.b.view.lookup(parent, key, value)?);
                }
                found
            }
            None => self.b.view.children(parent)?.collect::<Result<_, _>>()?,
        };
        for candidate in candidates {
            if !met.contains(&candidate) && same(&self.b.properties(candidate)?, properties) {
                return Ok(Some(candidate));
            }
        }
        Ok(None)
    }

    /// The directories below one that only one of the domains has come next.
    fn only(&mut self, first: bool, object: u32, path: &str) -> Result<()> {
        let side = if first { &self.a } else { &self.b };
        let begin = self.left.len();
        for child in side.view.children(object)? {
            let child = child?;
            self.left.push(Left::One(first, child, below(path, &side.properties(child)?)));
        }
        self.left[begin..].reverse();
        Ok(())
    }
}

fn below(path: &str, properties: &[Property]) -> String {
    let name = names(properties).and_then(|(_, values)| values.first());
    let name = name.map_or_else(|| "(no name)".to_owned(), |name| shown(name));
    if path == "/" { format!("/{name}") } else { format!("{path}/{name}") }
}

#[cfg(test)]
mod tests {
    use netinfo_directory::{Id, TransferObject};

    use super::*;
    use crate::scratch::Scratch;

    /// A domain whose directories lie one below the other.
    fn chain(depth: u32) -> Scratch {
        let objects = (0..=depth).map(|object| TransferObject {
            id: Id { object, instance: 0 },
            parent: object.saturating_sub(1),
            children: if object < depth { vec![object + 1] } else { Vec::new() },
            properties: vec![Property::new("name", [if object == 0 { "root" } else { "d" }])],
            stamp: None,
        });
        Scratch::of_objects(objects.collect()).unwrap()
    }

    #[test]
    fn trees_may_be_deeper_than_the_stack() {
        const DEPTH: u32 = 10_000;
        let (long, short) = (chain(DEPTH), chain(DEPTH / 2));
        let mut found = Vec::new();
        let equal =
            diff(long.domain(), short.domain(), &Scope::default(), &mut |one| found.push(one)).unwrap();
        assert_eq!((equal, found.len()), (u64::from(DEPTH / 2) + 1, DEPTH as usize / 2));
        assert_eq!(found[0], Difference::Gone("/d".repeat(DEPTH as usize / 2 + 1)));
    }
}
