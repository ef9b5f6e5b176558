//! Changes: what a write asks for, and what came of it.

use std::fmt;

use crate::model::{Id, Property, Target};

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
}

impl Change {
    /// The directory whose instance the change checks and raises.
    #[must_use]
    pub fn directory(&self) -> Target {
        match self {
            Self::Create { parent, .. } | Self::Destroy { parent, .. } => *parent,
            Self::Write { directory, .. }
            | Self::CreateProperty { directory, .. }
            | Self::DestroyProperty { directory, .. }
            | Self::WriteProperty { directory, .. }
            | Self::RenameProperty { directory, .. }
            | Self::CreateValue { directory, .. }
            | Self::DestroyValue { directory, .. }
            | Self::WriteValue { directory, .. } => *directory,
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
        }
    }
}

/// What a successful change did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outcome {
    /// The modified directory (the parent, for a create or destroy) with its new instance.
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
