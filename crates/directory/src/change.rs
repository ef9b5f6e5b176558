//! Changes: what a write asks for, and what came of it.

use std::fmt;

use crate::model::{Id, Property, Target};
use crate::stamp::StampBuf;

/// One change to the tree. Indices and positions count from 0; a position past the end appends.
#[derive(Clone, PartialEq, Eq)]
pub enum Change {
    /// A new child of `parent` with these properties.
    Create {
        /// Directory that gets the child.
        parent: Target,
        /// Properties, taken as they are.
        properties: Vec<Property>,
        /// Where among the siblings.
        position: u32,
    },
    /// Removes a childless directory.
    Destroy {
        /// Its parent.
        parent: Target,
        /// The directory.
        child: Target,
    },
    /// Replaces the whole property list.
    Write {
        /// Directory.
        directory: Target,
        /// New properties.
        properties: Vec<Property>,
    },
    /// Inserts a property.
    CreateProperty {
        /// Directory.
        directory: Target,
        /// New property.
        property: Property,
        /// Where among the properties.
        position: u32,
    },
    /// Removes property number `index`.
    DestroyProperty {
        /// Directory.
        directory: Target,
        /// Which property.
        index: u32,
    },
    /// Replaces all values of property number `index`.
    WriteProperty {
        /// Directory.
        directory: Target,
        /// Which property.
        index: u32,
        /// New values.
        values: Vec<Vec<u8>>,
    },
    /// Renames property number `index`.
    RenameProperty {
        /// Directory.
        directory: Target,
        /// Which property.
        index: u32,
        /// New name.
        name: Vec<u8>,
    },
    /// Inserts a value into property number `index`.
    CreateValue {
        /// Directory.
        directory: Target,
        /// Which property.
        index: u32,
        /// New value.
        value: Vec<u8>,
        /// Where among the values.
        position: u32,
    },
    /// Removes value number `value_index` of property number `index`.
    DestroyValue {
        /// Directory.
        directory: Target,
        /// Which property.
        index: u32,
        /// Which value.
        value_index: u32,
    },
    /// Replaces value number `value_index` of property number `index`.
    WriteValue {
        /// Directory.
        directory: Target,
        /// Which property.
        index: u32,
        /// Which value.
        value_index: u32,
        /// New value.
        value: Vec<u8>,
    },
    /// Moves a directory, with all below it, to another place in the domain. The instances of the directory and of both
    /// parents grow by one (of `from` and `to`, if they are the same, once). It takes the right to destroy in the one
    /// parent and to create in the other.
    Move {
        /// Its parent.
        from: Target,
        /// The directory. It keeps its object id.
        child: Target,
        /// The directory that gets it; neither `child` nor below it.
        to: Target,
        /// Where among the children of `to`; if that is `from`, counted without the child.
        position: u32,
    },
    /// Replaces the stamp of a directory: for an import that keeps uuids and times. Only superusers may. Its instance
    /// stays as it is, and nothing is told to replicas that speak NetInfo, which knows no stamps.
    SetStamp {
        /// Directory.
        directory: Target,
        /// The new stamp. Its uuid must not be another directory's; one of zeros is none, and the directory keeps its own.
        stamp: StampBuf,
    },
}

/// In the place of an object id in a change: the directory made by the last [`Change::Create`] before it in the same
/// proposal. An object id is not known before the directory is made.
pub const CREATED: u32 = 0xFFFF_FFFF;

impl Change {
    /// The directory whose instance the change checks and raises ([`Change::SetStamp`] does not raise it).
    #[must_use]
    pub fn directory(&self) -> Target {
        match self {
            Self::Create { parent, .. } | Self::Destroy { parent, .. } => *parent,
            Self::Move { from, .. } => *from,
            Self::Write { directory, .. }
            | Self::CreateProperty { directory, .. }
            | Self::DestroyProperty { directory, .. }
            | Self::WriteProperty { directory, .. }
            | Self::RenameProperty { directory, .. }
            | Self::CreateValue { directory, .. }
            | Self::DestroyValue { directory, .. }
            | Self::WriteValue { directory, .. }
            | Self::SetStamp { directory, .. } => *directory,
        }
    }
}

impl Change {
    /// Puts an object id wherever the change says [`CREATED`].
    pub(crate) fn name_created(&mut self, object: u32) {
        let name = |target: &mut Target| {
            if target.object == CREATED {
                target.object = object;
            }
        };
        match self {
            Self::Create { parent: t, .. }
            | Self::Write { directory: t, .. }
            | Self::CreateProperty { directory: t, .. }
            | Self::DestroyProperty { directory: t, .. }
            | Self::WriteProperty { directory: t, .. }
            | Self::RenameProperty { directory: t, .. }
            | Self::CreateValue { directory: t, .. }
            | Self::DestroyValue { directory: t, .. }
            | Self::WriteValue { directory: t, .. }
            | Self::SetStamp { directory: t, .. } => name(t),
            Self::Destroy { parent, child } => [parent, child].into_iter().for_each(name),
            Self::Move { from, child, to, .. } => [from, child, to].into_iter().for_each(name),
        }
    }
}

impl fmt::Debug for Change {
    /// A change to values says nothing of the property's name, so any of them may be password material: their number and
    /// length are shown, not what they are.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hidden = |value: &Vec<u8>| format!("<{} bytes>", value.len());
        match self {
            Self::Create { parent, properties, position } => f
                .debug_struct("Create")
                .field("parent", parent)
                .field("properties", properties)
                .field("position", position)
                .finish(),
            Self::Destroy { parent, child } => {
                f.debug_struct("Destroy").field("parent", parent).field("child", child).finish()
            }
            Self::Write { directory, properties } => {
                f.debug_struct("Write").field("directory", directory).field("properties", properties).finish()
            }
            Self::CreateProperty { directory, property, position } => f
                .debug_struct("CreateProperty")
                .field("directory", directory)
                .field("property", property)
                .field("position", position)
                .finish(),
            Self::DestroyProperty { directory, index } => {
                f.debug_struct("DestroyProperty").field("directory", directory).field("index", index).finish()
            }
            Self::WriteProperty { directory, index, values } => f
                .debug_struct("WriteProperty")
                .field("directory", directory)
                .field("index", index)
                .field("values", &values.iter().map(hidden).collect::<Vec<_>>())
                .finish(),
            Self::RenameProperty { directory, index, name } => f
                .debug_struct("RenameProperty")
                .field("directory", directory)
                .field("index", index)
                .field("name", &String::from_utf8_lossy(name))
                .finish(),
            Self::CreateValue { directory, index, value, position } => f
                .debug_struct("CreateValue")
                .field("directory", directory)
                .field("index", index)
                .field("value", &hidden(value))
                .field("position", position)
                .finish(),
            Self::DestroyValue { directory, index, value_index } => f
                .debug_struct("DestroyValue")
                .field("directory", directory)
                .field("index", index)
                .field("value_index", value_index)
                .finish(),
            Self::WriteValue { directory, index, value_index, value } => f
                .debug_struct("WriteValue")
                .field("directory", directory)
                .field("index", index)
                .field("value_index", value_index)
                .field("value", &hidden(value))
                .finish(),
            Self::Move { from, child, to, position } => f
                .debug_struct("Move")
                .field("from", from)
                .field("child", child)
                .field("to", to)
                .field("position", position)
                .finish(),
            Self::SetStamp { directory, stamp } => {
                f.debug_struct("SetStamp").field("directory", directory).field("stamp", stamp).finish()
            }
        }
    }
}

/// What a successful change did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outcome {
    /// The modified directory (the parent, for a create or destroy; the old parent, for a move) with its new instance.
    pub id: Id,
    /// The new directory of a create.
    pub created: Option<Id>,
}

/// A committed change, as the feed tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Committed {
    /// Position in the domain's history; consecutive, from 1.
    pub sequence: u64,
    /// Milliseconds since the epoch when it was committed.
    pub at: u64,
    /// Name of the user who made it; empty for anonymous.
    pub by: Vec<u8>,
    /// The change with the instances that were checked filled in.
    pub change: Change,
    /// What it did.
    pub outcome: Outcome,
}
