//! `.nidb` folders: the databases of historical NetInfo servers.
//!
//! [`Database::read`] reads a folder of either layout as it is, after a crash too; [`Store`] opens one of the modern
//! layout to change it; [`write_modern`] and [`write_legacy`] make new ones; [`check`] and [`repair`] look after old
//! ones. Nothing here trusts a folder: every number is held against the bytes there are.

mod change;
mod check;
mod codec;
mod database;
mod datum;
mod error;
mod files;
mod finding;
mod layout;
mod legacy;
mod load;
mod load_legacy;
mod order;
mod place;
mod scan;
mod store;
mod stored;
mod stream;
mod tree;
mod write;

pub use change::set_property;
pub use check::{BEFORE_REPAIR, Check, Repair, check, layout, repair};
pub use codec::{CLASS_STEP, MAX_RECORD_BYTES, MIN_CLASS, class_of};
pub use database::{Database, Directory, Layout};
pub use datum::{Datum, kind};
pub use error::{StoreError, StoreErrorKind};
pub use files::MAX_FOLDER_BYTES;
pub use finding::{Finding, FindingKind, MAX_FINDINGS};
pub use legacy::{SLOT_BYTES, SMALL_SLOT_BYTES};
pub use store::{Mode, Statistics, Store};
pub use stored::{Attribute, ORDER_KEY, Properties, StoredRecord};
pub use write::{ByteOrder, MAX_LEGACY_ID, WriteOptions, write_legacy, write_modern};

/// What a directory adds to the checksum of a database.
pub(crate) const fn term(id: u32, serial: u32) -> u32 {
    id.wrapping_add(1).wrapping_mul(serial)
}
