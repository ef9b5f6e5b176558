//! Puts directories in their places in a tree, whatever holds it.

use std::collections::{HashMap, HashSet};

use netinfo_directory::{Property, ROOT, StampBuf, is_secret};

use crate::error::{Error, Result};
use crate::item::{Directory, Where};
use crate::passwords::{flag, unmasked};
use crate::plan::{Decision, Policy, decide, names, same};
use crate::report::{Done, Kind, Outcome};
use crate::words::{difference, shown};

/// Most children without names that are compared with a directory without a name.
const NAMELESS_LIMIT: usize = 10_000;

/// A tree that can be looked at and changed, with the caller's rights. Every directory has an object id.
pub trait Tree {
    /// Children whose property `key` has `value`.
    ///
    /// # Errors
    /// When the tree cannot be read.
    fn lookup(&mut self, parent: u32, key: &[u8], value: &[u8]) -> Result<Vec<u32>>;

    /// All children, in order.
    ///
    /// # Errors
    /// When the tree cannot be read.
    fn children(&mut self, parent: u32) -> Result<Vec<u32>>;

    /// The properties of a directory, with its secrets if they may be seen.
    ///
    /// # Errors
    /// When there is no such directory.
    fn properties(&mut self, object: u32) -> Result<Vec<Property>>;

    /// Makes the last child of a directory.
    ///
    /// # Errors
    /// When it is refused.
    fn create(&mut self, parent: u32, properties: Vec<Property>) -> Result<u32>;

    /// Replaces the properties of a directory.
    ///
    /// # Errors
    /// When it is refused.
    fn write(&mut self, object: u32, properties: Vec<Property>) -> Result<()>;

    /// Notes what is known of a directory; a tree that knows no stamps does nothing.
    ///
    /// # Errors
    /// When it is refused.
    fn set_stamp(&mut self, object: u32, stamp: StampBuf) -> Result<()>;
}

/// How directories are put in place.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// What becomes of directories that are there already.
    pub policy: Policy,
    /// The directory below which everything goes; the root of the domain if nothing is said.
    pub into: Vec<Vec<u8>>,
    /// Whether every difference is told, for a dry run.
    pub details: bool,
}

/// Where an import stands.
pub struct Placer {
    options: Options,
    base: Option<u32>,
    /// Object ids by number in the stream; those that could not be taken are missing.
    numbers: Vec<Option<u32>>,
    containers: HashMap<Vec<u8>, u32>,
    /// Directories that have been met: what comes later with the same name is another one.
    met: HashSet<u32>,
    /// Those of earlier streams: files add to each other, even where they replace what was there before.
    earlier: HashSet<u32>,
}

/// A directory whose place has been found.
pub(crate) enum Spot {
    /// It is this one.
    At(u32),
    /// It is a new child.
    Below(u32),
}

impl Placer {
    /// Before the first directory.
    #[must_use]
    pub fn new(options: Options) -> Self {
        let (numbers, containers) = (Vec::new(), HashMap::new());
        let (met, earlier) = (HashSet::new(), HashSet::new());
        Self { options, base: None, numbers, containers, met, earlier }
    }

    /// Another stream begins.
    pub fn begin(&mut self) {
        self.numbers.clear();
        self.earlier.extend(self.met.drain());
    }

    /// The options.
    #[must_use]
    pub fn options(&self) -> &Options {
        &self.options
    }

    /// The next directory, put where it belongs.
    ///
    /// # Errors
    /// When nothing more can be done; what is wrong with the directory itself is told to `done`.
    pub fn put(
        &mut self,
        tree: &mut impl Tree,
        directory: Directory,
        line: u64,
        done: &mut Done,
    ) -> Result<()> {
        let name = self.shown(&directory);
        let put = self.find(tree, &directory.place, &directory.properties).and_then(|spot| match spot {
            Some(spot) => self.place(tree, spot, directory, line, &name, done).map(Some),
            None => Ok(None),
        });
        let object = match put {
            Ok(Some(object)) => Some(object),
            Ok(None) => {
                done.tell(Outcome::Failed, line, &name, vec!["the directory above it was not taken".into()]);
                None
            }
            Err(error) if error.is_of_the_item() => {
                done.tell(Outcome::Failed, line, &name, vec![error.to_string()]);
                None
            }
            Err(error) => return Err(error),
        };
        self.numbers.push(object);
        Ok(())
    }

    /// The place for a directory: `None` when that above it is missing.
    fn find(&mut self, tree: &mut impl Tree, place: &Where, properties: &[Property]) -> Result<Option<Spot>> {
        let base = self.base(tree)?;
        let parent = match place {
            Where::Root => return Ok(Some(Spot::At(base))),
            Where::In(container) => self.container(tree, base, container)?,
            Where::Below(number) => {
                let known = usize::try_from(*number).ok().and_then(|number| self.numbers.get(number));
                let Some(object) = known.copied().flatten() else { return Ok(None) };
                object
            }
        };
        let met = |object| self.met.contains(&object);
        let found = match names(properties) {
            Some((key, values)) => named(tree, parent, key, values, properties, met)?,
            None => equal(tree, parent, properties, met)?,
        };
        self.met.extend(found);
        Ok(Some(found.map_or(Spot::Below(parent), Spot::At)))
    }

    fn base(&mut self, tree: &mut impl Tree) -> Result<u32> {
        if let Some(base) = self.base {
            return Ok(base);
        }
        let mut at = ROOT;
        for name in &self.options.into {
            at = child(tree, at, name)?;
        }
        self.base = Some(at);
        Ok(at)
    }

    fn container(&mut self, tree: &mut impl Tree, base: u32, name: &[u8]) -> Result<u32> {
        if let Some(known) = self.containers.get(name) {
            return Ok(*known);
        }
        let mut at = base;
        // A name of several parts is a path: `locations/lab`.
        for part in name.split(|byte| *byte == b'/').filter(|part| !part.is_empty()) {
            at = child(tree, at, part)?;
        }
        self.containers.insert(name.to_vec(), at);
        Ok(at)
    }

    /// Puts a directory in its place, and returns its object id.
    pub(crate) fn place(
        &mut self,
        tree: &mut impl Tree,
        spot: Spot,
        directory: Directory,
        line: u64,
        name: &str,
        done: &mut Done,
    ) -> Result<u32> {
        let Directory { properties, stamp, .. } = directory;
        let properties = unmasked(properties, line, name, done);
        flag(&properties, line, || name.to_owned(), done);
        match spot {
            Spot::Below(parent) => {
                let details = if self.options.details { difference(&[], &properties) } else { Vec::new() };
                let object = tree.create(parent, properties)?;
                self.met.insert(object);
                if let Some(stamp) = stamp {
                    set_stamp(tree, object, stamp, line, name, done)?;
                }
                done.tell(Outcome::Created, line, name, details);
                Ok(object)
            }
            Spot::At(object) => {
                let known = tree.properties(object)?;
                let policy = self.policy_at(object);
                match decide(policy, &known, &properties) {
                    Decision::Unchanged => done.tell(Outcome::Unchanged, line, name, Vec::new()),
                    Decision::Skip => done.tell(Outcome::Skipped, line, name, Vec::new()),
                    Decision::Change(wanted) => {
                        let details =
                            if self.options.details { difference(&known, &wanted) } else { Vec::new() };
                        tree.write(object, wanted)?;
                        if let (Policy::Replace, Some(stamp)) = (policy, stamp) {
                            set_stamp(tree, object, stamp, line, name, done)?;
                        }
                        done.tell(Outcome::Changed, line, name, details);
                    }
                }
                Ok(object)
            }
        }
    }

    /// The root says which server is the master and how the domain is served: an import adds to it, and no more.
    fn policy_at(&self, object: u32) -> Policy {
        let adds = object == ROOT || self.earlier.contains(&object);
        if adds && self.options.policy == Policy::Replace { Policy::Merge } else { self.options.policy }
    }

    fn shown(&self, directory: &Directory) -> String {
        let name = names(&directory.properties).and_then(|(_, values)| values.first());
        let name = name.map_or(&b"(no name)"[..], Vec::as_slice);
        let container: &[u8] = match &directory.place {
            Where::In(container) => container,
            Where::Root => return "/".to_owned(),
            Where::Below(_) => b"",
        };
        let separator: &[u8] = if container.is_empty() { b"" } else { b"/" };
        shown(&[container, separator, name].concat())
    }
}

/// The child of this name, made if there is none.
fn child(tree: &mut impl Tree, parent: u32, name: &[u8]) -> Result<u32> {
    match tree.lookup(parent, b"name", name)?.first() {
        Some(object) => Ok(*object),
        None => tree.create(parent, vec![Property::new("name", [name])]),
    }
}

/// The child that is the same thing by its names: rather one with the same canonical name than one with an alias.
fn named(
    tree: &mut impl Tree,
    parent: u32,
    key: &[u8],
    values: &[Vec<u8>],
    properties: &[Property],
    met: impl Fn(u32) -> bool,
) -> Result<Option<u32>> {
    let mut alias = None;
    for value in values {
        for object in tree.lookup(parent, key, value)? {
            if met(object) || alias == Some(object) {
                continue;
            }
            let known = tree.properties(object)?;
            if !same(&known, properties) {
                continue;
            }
            if names(&known).and_then(|(_, names)| names.first()) == values.first() {
                return Ok(Some(object));
            }
            alias = alias.or(Some(object));
        }
    }
    Ok(alias)
}

/// The child that is the same in all: it has no name.
fn equal(
    tree: &mut impl Tree,
    parent: u32,
    properties: &[Property],
    met: impl Fn(u32) -> bool,
) -> Result<Option<u32>> {
    let first =
        properties.iter().find(|p| !is_secret(&p.name)).and_then(|p| Some((&p.name, p.values.first()?)));
    let candidates = match first {
        Some((key, value)) => tree.lookup(parent, key, value)?,
        None => tree.children(parent)?,
    };
    for object in candidates.into_iter().take(NAMELESS_LIMIT) {
        if !met(object) && tree.properties(object)? == properties {
            return Ok(Some(object));
        }
    }
    Ok(None)
}

/// Gives a directory a stamp; one whose uuid another has is told and not given.
pub(crate) fn set_stamp(
    tree: &mut impl Tree,
    object: u32,
    stamp: StampBuf,
    line: u64,
    name: &str,
    done: &mut Done,
) -> Result<()> {
    match tree.set_stamp(object, stamp) {
        Err(error @ Error::Core(netinfo_directory::Error::DuplicateUuid)) => {
            done.note(Kind::Warning, line, name, vec![format!("it gets a new uuid: {error}")]);
            Ok(())
        }
        other => other,
    }
}
