//! Names of the files of a folder, and the slots of its store files.

use super::codec::{self, CLASS_STEP, HEADER_BYTES, MAX_RECORD_BYTES, MIN_CLASS};
use super::datum::kind;
use super::stored::StoredRecord;

pub(crate) const CONFIG: &str = "Config";
pub(crate) const INDEX: &str = "Index";
pub(crate) const CLEAN: &str = "Clean";
pub(crate) const TEMP: &str = "Temp";
pub(crate) const CREATE: &str = "Create";
pub(crate) const DELETE: &str = "Delete";
pub(crate) const TEMP_INDEX: &str = "TempIndex";
pub(crate) const COLLECTION: &str = "Collection";
pub(crate) const SMALL_COLLECTION: &str = "collection";
pub(crate) const EXTENSION: &str = "extension_";
pub(crate) const TRANSACTION: &str = "Transaction";

/// What `Config` holds: the version of the format.
pub(crate) const CONFIG_BYTES: [u8; 4] = [0, 0, 0, 1];

/// Bytes of an entry of `Index`.
pub(crate) const INDEX_ENTRY_BYTES: usize = 16;

/// The name of a store file.
pub(crate) fn store_name(class: usize) -> String {
    format!("Store.{class}")
}

/// The class of a store file by its name. Only the exact spelling counts, of a class that can be.
pub(crate) fn store_class(name: &str) -> Option<usize> {
    let digits = name.strip_prefix("Store.")?;
    if digits.starts_with('0') || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let class: usize = digits.parse().ok()?;
    let possible = (MIN_CLASS..=MAX_RECORD_BYTES).contains(&class) && class.is_multiple_of(CLASS_STEP);
    possible.then_some(class)
}

/// Whether the historical server would take a file for a store file although [`store_class`] does not.
pub(crate) fn is_stray_store(name: &str) -> bool {
    name.starts_with("Store") && name.contains('.') && store_class(name).is_none()
}

/// The id in the name of an extension file.
pub(crate) fn extension_id(name: &str) -> Option<u32> {
    let digits = name.strip_prefix(EXTENSION)?;
    let id: u32 = digits.parse().ok()?;
    (id.to_string() == digits).then_some(id)
}

/// What a slot holds.
#[derive(Debug)]
pub(crate) enum Slot {
    /// Nothing.
    Free,
    /// Something of another type than a record.
    NoRecord(u32),
    /// A record that belongs into a file of another class.
    WrongClass {
        /// The id it begins with.
        id: u32,
        /// The class for its length.
        class: u64,
    },
    /// A record whose counts lead out of the slot.
    Broken {
        /// The id it begins with.
        id: u32,
    },
    /// A record.
    Record {
        /// It.
        record: StoredRecord,
        /// The length that stands before it.
        stated: usize,
        /// The length that it has.
        length: usize,
    },
}

impl Slot {
    /// The id that a slot claims for itself.
    pub(crate) const fn id(&self) -> Option<u32> {
        match self {
            Self::Free | Self::NoRecord(_) => None,
            Self::WrongClass { id, .. } | Self::Broken { id } => Some(*id),
            Self::Record { record, .. } => Some(record.id),
        }
    }
}

/// Judges a slot of at least 64 bytes.
pub(crate) fn read_slot(slot: &[u8]) -> Slot {
    let Some((kind, stated)) = codec::header(slot) else { return Slot::Free };
    match kind {
        kind::NIL => return Slot::Free,
        kind::RECORD => {}
        other => return Slot::NoRecord(other),
    }
    let payload = &slot[HEADER_BYTES..];
    let id = codec::peek_id(payload).unwrap_or_default();
    let class = (u64::from(stated) + HEADER_BYTES as u64).next_multiple_of(CLASS_STEP as u64);
    if class != slot.len() as u64 {
        return Slot::WrongClass { id, class };
    }
    match codec::decode(payload) {
        // The length is smaller than the slot.
        Some((record, length)) => Slot::Record { record, stated: stated as usize, length },
        None => Slot::Broken { id },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_exact_names_are_store_files() {
        for (name, class) in [("Store.64", Some(64)), ("Store.1056", Some(1056)), ("Store.32", None)] {
            assert_eq!(store_class(name), class, "{name}");
        }
        for stray in
            ["Store.old.96", "Store.096", "Store.65", "Store.", "Stored.96", "Store.99999999999999999999"]
        {
            assert_eq!(store_class(stray), None, "{stray}");
            assert!(is_stray_store(stray), "{stray}");
        }
        assert!(!is_stray_store("Store") && !is_stray_store("Store.96") && !is_stray_store("xStore.96"));
        let largest = store_name(MAX_RECORD_BYTES);
        assert_eq!(store_class(&largest), Some(MAX_RECORD_BYTES));
        assert_eq!(store_class(&store_name(MAX_RECORD_BYTES + CLASS_STEP)), None);
    }

    #[test]
    fn extensions_have_plain_numbers() {
        assert_eq!(extension_id("extension_6"), Some(6));
        for name in ["extension_", "extension_06", "extension_+6", "extension_4294967296", "xextension_6"] {
            assert_eq!(extension_id(name), None, "{name}");
        }
    }

    #[test]
    fn slots_are_judged() {
        let mut slot = codec::encode(&StoredRecord { id: 9, ..StoredRecord::default() }).unwrap();
        slot.resize(64, 0);
        assert!(matches!(read_slot(&slot), Slot::Record { stated: 28, length: 28, .. }));
        slot[7] = 26;
        assert!(matches!(read_slot(&slot), Slot::Record { stated: 26, length: 28, .. }));
        slot[27] = 200;
        assert!(matches!(read_slot(&slot), Slot::Broken { id: 9 }));
        slot[7] = 100;
        assert!(matches!(read_slot(&slot), Slot::WrongClass { id: 9, class: 128 }));
        slot[3] = 6;
        assert!(matches!(read_slot(&slot), Slot::NoRecord(262)));
        assert!(matches!(read_slot(&[0; 64]), Slot::Free));
    }
}
