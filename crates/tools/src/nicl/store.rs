//! What commands work on: a domain of a server, a database folder, or a domain in a data directory of this project.

use netinfo_client::{Property, Status};
use netinfo_formats::nidb::{Attribute, StoreErrorKind, StoredRecord};

use crate::handle::Handle;

/// Result of whatever a store does.
pub(super) type Outcome<T> = Result<T, StoreErrorKind>;

/// Properties with their values.
pub(super) type Properties = Vec<(Vec<u8>, Vec<Vec<u8>>)>;

/// One line of a list: the id of a child, and its values.
pub(super) type Line = (u32, Vec<Vec<u8>>);

/// A tree of directories. Keys are names of properties as NetInfo shows them, with the underscore of a meta-attribute.
pub(super) trait Store {
    /// A directory.
    fn fetch(&mut self, id: u32) -> Outcome<StoredRecord>;

    /// The first child with this value of a property.
    fn find_child(&mut self, parent: u32, key: &[u8], value: &[u8]) -> Outcome<Option<u32>>;

    /// The children that have a property, by default the one that names them, and its values.
    fn list(&mut self, id: u32, key: Option<&[u8]>) -> Outcome<Vec<Line>>;

    /// Makes a last child.
    fn create_child(&mut self, parent: u32, properties: &Properties) -> Outcome<u32>;

    /// Gives a property exactly these values; `create` of a folder moves it to the end.
    fn assign(&mut self, id: u32, key: &[u8], values: &[Vec<u8>]) -> Outcome<()>;

    /// Gives a property these values, where it stands.
    fn extend(&mut self, id: u32, key: &[u8], values: &[Vec<u8>]) -> Outcome<()>;

    /// Stores the attributes and meta-attributes of a record that was fetched and changed.
    fn rewrite(&mut self, record: StoredRecord) -> Outcome<()>;

    /// Destroys a directory with everything below it.
    fn remove(&mut self, id: u32) -> Outcome<()>;

    /// Makes a directory the last child of another one.
    fn move_to(&mut self, id: u32, parent: u32) -> Outcome<()>;

    /// Copies a directory with everything below it to the end of another one.
    fn copy_to(&mut self, id: u32, parent: u32) -> Outcome<u32>;

    /// The directory whose last change made this version.
    fn with_version(&mut self, version: u32) -> Outcome<Option<u32>>;

    /// The version that the last change made.
    fn max_version(&mut self) -> Outcome<u32>;

    /// What is counted.
    fn statistics(&mut self) -> Outcome<Vec<Property>>;

    /// Forgets what is remembered.
    fn flush(&mut self) {}

    /// Edits the list of children alone.
    fn attach(&mut self, _parent: u32, _id: u32) -> Outcome<()> {
        Err(StoreErrorKind::Failed)
    }

    /// Edits the list of children alone.
    fn detach(&mut self, _parent: u32, _id: u32) -> Outcome<()> {
        Err(StoreErrorKind::Failed)
    }

    /// Edits what a record says of its parent alone.
    fn set_parent(&mut self, _id: u32, _parent: u32) -> Outcome<()> {
        Err(StoreErrorKind::Failed)
    }

    /// The server, if it is one.
    fn server(&mut self) -> Option<&mut Handle> {
        None
    }

    /// Ends the work.
    fn close(self: Box<Self>) -> Outcome<()>;
}

/// The error that says the same as a status of a server.
pub(super) const fn of_status(status: Status) -> StoreErrorKind {
    match status {
        Status::BadId => StoreErrorKind::InvalidRecordId,
        Status::Stale => StoreErrorKind::Stale,
        Status::NoSpace | Status::RdOnly => StoreErrorKind::WriteFailed,
        Status::Perm | Status::AuthError | Status::NoUser => StoreErrorKind::AccessRestricted,
        Status::NoDir => StoreErrorKind::InvalidPath,
        Status::NoProp => StoreErrorKind::InvalidKey,
        Status::NoName => StoreErrorKind::NoData,
        _ => StoreErrorKind::Failed,
    }
}

/// A record of these properties, in the two lists that records have.
pub(super) fn split(properties: impl IntoIterator<Item = Property>) -> (Vec<Attribute>, Vec<Attribute>) {
    let (mut attributes, mut metas) = (Vec::new(), Vec::new());
    for Property { name, values } in properties {
        match name.strip_prefix(b"_") {
            Some(key) => metas.push(Attribute::text(key, &values)),
            None => attributes.push(Attribute::text(&name, &values)),
        }
    }
    (attributes, metas)
}

/// The properties of a record: attributes, then meta-attributes.
pub(super) fn joined(record: &StoredRecord) -> Vec<Property> {
    let values = |attribute: &Attribute| -> Vec<Vec<u8>> {
        attribute.values.iter().map(|value| value.bytes().into_owned()).collect()
    };
    let plain = record
        .attributes
        .iter()
        .map(|attribute| Property { name: attribute.key.bytes().into_owned(), values: values(attribute) });
    let metas = record
        .metas
        .iter()
        .filter(|meta| !meta.is_order())
        .map(|meta| Property { name: [b"_", &*meta.key.bytes()].concat(), values: values(meta) });
    plain.chain(metas).collect()
}
