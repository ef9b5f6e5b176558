//! A domain as the protocol describes it.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash, Hasher};

use netinfo_wire::netinfo::{Id, ReadAll};

use super::change::Change;

/// Properties: name and values.
pub(crate) type Properties = Vec<(Vec<u8>, Vec<Vec<u8>>)>;

/// One directory.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Directory {
    pub(crate) instance: u32,
    pub(crate) parent: u32,
    pub(crate) children: Vec<u32>,
    pub(crate) properties: Properties,
}

/// A domain, or a part of one, by object id.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Model(pub(crate) BTreeMap<u32, Directory>);

/// Which object id the next directory gets: the smallest that is unused.
#[derive(Debug)]
pub(crate) struct Ids {
    free: BTreeSet<u32>,
    next: u32,
}

impl Model {
    /// What READALL tells, and the checksum it announces.
    pub(crate) fn from_read_all(results: &[u8]) -> (Self, u32) {
        let mut all = ReadAll::decode(results).unwrap();
        let mut model = Self::default();
        let (checksum, highest) = (all.checksum, all.highest_id);
        while let Some(object) = all.next_object().unwrap() {
            let properties = object.props.iter().map(|(name, values)| (name.to_vec(), values.to_vec()));
            let directory = Directory {
                instance: object.id.instance,
                parent: object.parent,
                children: object.children.iter().collect(),
                properties: properties.collect(),
            };
            let twice = model.0.insert(object.id.object, directory);
            assert_eq!(twice, None, "directory {} is told twice", object.id.object);
        }
        assert_eq!(model.0.last_key_value().map(|(id, _)| *id), Some(highest), "highest id");
        (model, checksum)
    }

    /// The directory with this object id.
    pub(crate) fn get(&self, object: u32) -> &Directory {
        self.0.get(&object).unwrap_or_else(|| panic!("directory {object} is missing"))
    }

    fn get_mut(&mut self, object: u32) -> &mut Directory {
        self.0.get_mut(&object).unwrap_or_else(|| panic!("directory {object} is missing"))
    }

    /// The current id of a directory.
    pub(crate) fn id(&self, object: u32) -> Id {
        Id::new(object, self.get(object).instance)
    }

    /// (object + 1) × instance, summed up over all directories.
    pub(crate) fn checksum(&self) -> u32 {
        let terms = self.0.iter().map(|(object, d)| object.wrapping_add(1).wrapping_mul(d.instance));
        terms.fold(0, u32::wrapping_add)
    }

    /// A number that tells different contents apart.
    pub(crate) fn digest(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        self.0.hash(&mut hasher);
        hasher.finish()
    }

    /// A directory and everything below it.
    pub(crate) fn below(&self, top: u32) -> Self {
        let mut part = Self::default();
        let mut left = vec![top];
        while let Some(object) = left.pop() {
            let directory = self.get(object).clone();
            left.extend(&directory.children);
            part.0.insert(object, directory);
        }
        part
    }

    /// Every child names its parent and every directory but the root has one.
    pub(crate) fn check_links(&self) {
        let mut children = BTreeSet::from([0]);
        for (object, directory) in &self.0 {
            for child in &directory.children {
                assert_eq!(self.get(*child).parent, *object, "parent of {child}");
                assert!(children.insert(*child), "{child} is the child of two");
            }
        }
        let all: BTreeSet<u32> = self.0.keys().copied().collect();
        assert_eq!(children, all, "directories that nobody has as a child");
    }

    /// Applies a change that must succeed. A CREATE gets the object id `created`. Returns the id of the changed
    /// directory afterwards.
    pub(crate) fn apply(&mut self, change: &Change, created: Option<u32>) -> Id {
        let id = change.directory();
        assert_eq!(self.get(id.object).instance, id.instance, "{change:?} is stale");
        match change {
            Change::Create { properties, position, .. } => {
                let created = created.expect("the id of the new directory");
                let directory = Directory {
                    instance: 0,
                    parent: id.object,
                    children: Vec::new(),
                    properties: properties.clone(),
                };
                assert_eq!(self.0.insert(created, directory), None, "{created} is in use");
                insert(&mut self.get_mut(id.object).children, *position, created);
            }
            Change::Destroy { child, .. } => {
                let gone = self.0.remove(&child.object).unwrap_or_else(|| panic!("{child:?} is missing"));
                assert_eq!((gone.instance, gone.children), (child.instance, vec![]), "{child:?}");
                self.get_mut(id.object).children.retain(|c| *c != child.object);
            }
            other => self.edit(id.object, other),
        }
        let directory = self.get_mut(id.object);
        directory.instance = directory.instance.wrapping_add(1);
        Id::new(id.object, directory.instance)
    }

    fn edit(&mut self, object: u32, change: &Change) {
        let properties = &mut self.get_mut(object).properties;
        match change {
            Change::Write { properties: new, .. } => properties.clone_from(new),
            Change::CreateProperty { name, values, position, .. } => {
                insert(properties, *position, (name.clone(), values.clone()));
            }
            Change::DestroyProperty { index, .. } => drop(properties.remove(*index as usize)),
            Change::RenameProperty { index, name, .. } => {
                properties[*index as usize].0.clone_from(name);
            }
            Change::WriteProperty { index, values, .. } => {
                properties[*index as usize].1.clone_from(values);
            }
            Change::CreateValue { index, value, position, .. } => {
                insert(&mut properties[*index as usize].1, *position, value.clone());
            }
            Change::DestroyValue { index, value_index, .. } => {
                drop(properties[*index as usize].1.remove(*value_index as usize));
            }
            Change::WriteValue { index, value_index, value, .. } => {
                properties[*index as usize].1[*value_index as usize].clone_from(value);
            }
            Change::Create { .. } | Change::Destroy { .. } => unreachable!("not an edit"),
        }
    }
}

impl Ids {
    /// As it is with these directories.
    pub(crate) fn of(model: &Model) -> Self {
        let next = model.0.last_key_value().map_or(0, |(id, _)| id + 1);
        let free = (0..next).filter(|id| !model.0.contains_key(id)).collect();
        Self { free, next }
    }

    /// Takes the smallest unused object id.
    pub(crate) fn take(&mut self) -> u32 {
        self.free.pop_first().unwrap_or_else(|| {
            self.next += 1;
            self.next - 1
        })
    }

    /// Gives one back.
    pub(crate) fn give(&mut self, object: u32) {
        self.free.insert(object);
    }
}

/// Inserts where the protocol says: at or above the length means the end.
fn insert<T>(list: &mut Vec<T>, position: u32, item: T) {
    let at = (position as usize).min(list.len());
    list.insert(at, item);
}
