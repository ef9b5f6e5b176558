//! One change: for the wire, for the model, and at random.

use netinfo_wire::netinfo::{
    CreateArgs, CreateNameArgs, CreatePropArgs, DestroyArgs, INDEX_NULL, Id, NameIndexArgs, NameListBuf,
    Procedure, PropArgs, PropListArgs, PropListBuf, PropNameArgs, WriteNameArgs, WritePropArgs,
};

use super::Rng;
use super::model::{Directory, Model, Properties};

/// Lets everybody write.
pub(crate) const WRITERS: &[u8] = b"_writers";
/// Most directories of one writer.
const MOST_DIRECTORIES: usize = 24;
/// Most properties of a directory, and most values of a property, that are still added to.
const MOST: usize = 6;

/// A change, as the eleven writing procedures have it.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Change {
    Create { parent: Id, properties: Properties, position: u32 },
    Destroy { parent: Id, child: Id },
    Write { id: Id, properties: Properties },
    CreateProperty { id: Id, name: Vec<u8>, values: Vec<Vec<u8>>, position: u32 },
    DestroyProperty { id: Id, index: u32 },
    RenameProperty { id: Id, index: u32, name: Vec<u8> },
    WriteProperty { id: Id, index: u32, values: Vec<Vec<u8>> },
    CreateValue { id: Id, index: u32, value: Vec<u8>, position: u32 },
    DestroyValue { id: Id, index: u32, value_index: u32 },
    WriteValue { id: Id, index: u32, value_index: u32, value: Vec<u8> },
}

impl std::fmt::Debug for Change {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?} of {:?}", self.procedure(), self.directory())
    }
}

impl Change {
    /// The directory that is modified.
    pub(crate) fn directory(&self) -> Id {
        match self {
            Self::Create { parent: id, .. }
            | Self::Destroy { parent: id, .. }
            | Self::Write { id, .. }
            | Self::CreateProperty { id, .. }
            | Self::DestroyProperty { id, .. }
            | Self::RenameProperty { id, .. }
            | Self::WriteProperty { id, .. }
            | Self::CreateValue { id, .. }
            | Self::DestroyValue { id, .. }
            | Self::WriteValue { id, .. } => *id,
        }
    }

    pub(crate) fn procedure(&self) -> Procedure {
        match self {
            Self::Create { .. } => Procedure::Create,
            Self::Destroy { .. } => Procedure::Destroy,
            Self::Write { .. } => Procedure::Write,
            Self::CreateProperty { .. } => Procedure::CreateProp,
            Self::DestroyProperty { .. } => Procedure::DestroyProp,
            Self::RenameProperty { .. } => Procedure::RenameProp,
            Self::WriteProperty { .. } => Procedure::WriteProp,
            Self::CreateValue { .. } => Procedure::CreateName,
            Self::DestroyValue { .. } => Procedure::DestroyName,
            Self::WriteValue { .. } => Procedure::WriteName,
        }
    }

    /// The encoded arguments.
    pub(crate) fn args(&self) -> Vec<u8> {
        let mut out = Vec::new();
        let names = |list: &[Vec<u8>]| list.iter().collect::<NameListBuf>();
        match self {
            Self::Create { parent, properties, position } => {
                let props = encoded(properties);
                let (parent, position) = (*parent, *position);
                CreateArgs { parent, props: props.as_list(), position, target: None }.encode(&mut out);
            }
            Self::Destroy { parent, child } => {
                DestroyArgs { parent: *parent, id: *child }.encode(&mut out);
            }
            Self::Write { id, properties } => {
                PropListArgs { id: *id, props: encoded(properties).as_list() }.encode(&mut out);
            }
            Self::CreateProperty { id, name, values, position } => {
                let (id, position, values) = (*id, *position, names(values));
                CreatePropArgs { id, name, values: values.as_list(), position }.encode(&mut out);
            }
            Self::DestroyProperty { id, index } => {
                PropArgs { id: *id, prop_index: *index }.encode(&mut out);
            }
            Self::RenameProperty { id, index, name } => {
                PropNameArgs { id: *id, prop_index: *index, name }.encode(&mut out);
            }
            Self::WriteProperty { id, index, values } => {
                let values = names(values);
                WritePropArgs { id: *id, prop_index: *index, values: values.as_list() }.encode(&mut out);
            }
            Self::CreateValue { id, index, value, position } => {
                let (id, prop_index, position) = (*id, *index, *position);
                CreateNameArgs { id, prop_index, name: value, position }.encode(&mut out);
            }
            Self::DestroyValue { id, index, value_index } => {
                NameIndexArgs { id: *id, prop_index: *index, name_index: *value_index }.encode(&mut out);
            }
            Self::WriteValue { id, index, value_index, value } => {
                let (id, prop_index, name_index) = (*id, *index, *value_index);
                WriteNameArgs { id, prop_index, name_index, name: value }.encode(&mut out);
            }
        }
        out
    }
}

fn encoded(properties: &Properties) -> PropListBuf {
    let mut list = PropListBuf::default();
    for (name, values) in properties {
        assert!(list.push(name, values));
    }
    list
}

/// Makes random changes of directories that nobody else changes.
#[derive(Debug)]
pub(crate) struct Author {
    pub(crate) rng: Rng,
    /// Distinguishes the names of this author.
    pub(crate) name: String,
    serial: u64,
}

impl Author {
    pub(crate) fn new(rng: Rng, name: String) -> Self {
        Self { rng, name, serial: 0 }
    }

    /// A change that must succeed in `model`, in the directory `top` or below it. Directories from `unknown` on are
    /// left alone: nobody knows their ids yet.
    pub(crate) fn change(&mut self, model: &Model, top: u32, unknown: u32) -> Change {
        let known: Vec<u32> = model.0.range(..unknown).map(|(object, _)| *object).collect();
        let object = known[self.rng.below(known.len())];
        let (id, directory) = (model.id(object), model.get(object));
        match self.rng.below(100) {
            0..20 if model.0.len() < MOST_DIRECTORIES => {
                let properties = self.properties();
                Change::Create { parent: id, properties, position: self.position(directory.children.len()) }
            }
            0..40 if object != top && directory.children.is_empty() => {
                Change::Destroy { parent: model.id(directory.parent), child: id }
            }
            0..48 => Change::Write { id, properties: self.properties() },
            other => self.edit(id, directory, other),
        }
    }

    fn edit(&mut self, id: Id, directory: &Directory, dice: usize) -> Change {
        let properties = &directory.properties;
        // The one that lets everybody write stays what it is.
        let free: Vec<usize> = (0..properties.len()).filter(|i| properties[*i].0 != WRITERS).collect();
        if free.is_empty() || (dice < 56 && properties.len() < MOST) {
            let (name, values) = (self.word(), self.values());
            return Change::CreateProperty { id, name, values, position: self.position(properties.len()) };
        }
        let at = free[self.rng.below(free.len())];
        let (index, values) = (at as u32, &properties[at].1);
        let value_index = if values.is_empty() { 0 } else { self.rng.below(values.len()) as u32 };
        match dice {
            0..62 => Change::DestroyProperty { id, index },
            62..68 => Change::RenameProperty { id, index, name: self.word() },
            68..78 => Change::WriteProperty { id, index, values: self.values() },
            78..90 if values.len() < MOST => {
                Change::CreateValue { id, index, value: self.value(), position: self.position(values.len()) }
            }
            _ if values.is_empty() => Change::WriteProperty { id, index, values: self.values() },
            95.. => Change::DestroyValue { id, index, value_index },
            _ => Change::WriteValue { id, index, value_index, value: self.value() },
        }
    }

    /// Properties of a directory: a name of its own, everybody's right to write, and some more.
    pub(crate) fn properties(&mut self) -> Properties {
        self.serial += 1;
        let name = format!("{}-{}", self.name, self.serial).into_bytes();
        let mut list = vec![(b"name".to_vec(), vec![name]), (WRITERS.to_vec(), vec![b"*".to_vec()])];
        for _ in 0..self.rng.below(3) {
            list.push((self.word(), self.values()));
        }
        list
    }

    fn values(&mut self) -> Vec<Vec<u8>> {
        (0..self.rng.below(4)).map(|_| self.value()).collect()
    }

    /// Mostly short, sometimes of several kilobytes.
    fn value(&mut self) -> Vec<u8> {
        let len = if self.rng.percent(4) { 1000 + self.rng.below(9000) } else { self.rng.below(24) };
        let letter = b'a' + self.rng.below(26) as u8;
        vec![letter; len]
    }

    fn word(&mut self) -> Vec<u8> {
        const WORDS: [&str; 6] = ["uid", "home", "shell", "mail", "_x", "realname"];
        WORDS[self.rng.below(WORDS.len())].into()
    }

    fn position(&mut self, len: usize) -> u32 {
        if self.rng.percent(50) { INDEX_NULL } else { self.rng.below(len + 2) as u32 }
    }
}
