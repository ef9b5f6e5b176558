//! The bytes of the legacy layout: slots that hold a directory as NetInfo sends it.

use super::codec::Cursor;
use super::database::Directory;
use super::stored::Properties;

/// Bytes of a slot of `Collection`.
pub const SLOT_BYTES: usize = 512;

/// Bytes of a slot of `collection`.
pub const SMALL_SLOT_BYTES: usize = 256;

/// What stands in the place of the id in a free slot.
pub(crate) const FREE: u32 = u32::MAX;

/// The directory at the beginning of `bytes`, or that there is none. Whatever follows it is ignored.
pub(crate) fn decode(bytes: &[u8]) -> Option<Directory> {
    let mut cursor = Cursor::new(bytes);
    let (id, instance) = (cursor.u32()?, cursor.u32()?);
    let properties: Properties = (0..cursor.count(8)?)
        .map(|_| Some((text(&mut cursor)?, texts(&mut cursor)?)))
        .collect::<Option<_>>()?;
    let parent = cursor.u32()?;
    let children = (0..cursor.count(4)?).map(|_| cursor.u32()).collect::<Option<_>>()?;
    Some(Directory { id, instance, version: 0, parent, children, properties })
}

fn texts(cursor: &mut Cursor<'_>) -> Option<Vec<Vec<u8>>> {
    (0..cursor.count(4)?).map(|_| text(cursor)).collect()
}

/// An XDR string: length, bytes, zeros up to a multiple of four.
fn text(cursor: &mut Cursor<'_>) -> Option<Vec<u8>> {
    let length = cursor.count(1)?;
    let padded = cursor.take(length.checked_next_multiple_of(4)?)?;
    Some(padded[..length].to_vec())
}

/// A directory as a slot or an extension file holds it.
pub(crate) fn encode(directory: &Directory) -> Vec<u8> {
    let mut bytes = Vec::new();
    put(&mut bytes, directory.id);
    put(&mut bytes, directory.instance);
    put_count(&mut bytes, directory.properties.len());
    for (name, values) in &directory.properties {
        put_text(&mut bytes, name);
        put_count(&mut bytes, values.len());
        for value in values {
            put_text(&mut bytes, value);
        }
    }
    put(&mut bytes, directory.parent);
    put_count(&mut bytes, directory.children.len());
    for child in &directory.children {
        put(&mut bytes, *child);
    }
    bytes
}

/// A slot that holds nothing.
pub(crate) fn free_slot(bytes: usize) -> Vec<u8> {
    let mut slot = vec![0; bytes];
    slot[..4].fill(0xff);
    slot
}

fn put(bytes: &mut Vec<u8>, number: u32) {
    bytes.extend_from_slice(&number.to_be_bytes());
}

/// Writers refuse directories that are so large that a count does not fit.
fn put_count(bytes: &mut Vec<u8>, count: usize) {
    put(bytes, u32::try_from(count).unwrap_or(u32::MAX));
}

fn put_text(bytes: &mut Vec<u8>, text: &[u8]) {
    put_count(bytes, text.len());
    bytes.extend_from_slice(text);
    bytes.resize(bytes.len().next_multiple_of(4), 0);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection::vec;
    use proptest::prelude::*;

    fn postmaster() -> Directory {
        Directory {
            id: 6,
            instance: 3,
            version: 0,
            parent: 5,
            children: Vec::new(),
            properties: vec![
                (b"name".to_vec(), vec![b"postmaster".to_vec()]),
                (b"members".to_vec(), vec![b"root".to_vec()]),
            ],
        }
    }

    #[test]
    fn a_slot_is_as_it_was_of_old() {
        let bytes = b"\0\0\0\x06\0\0\0\x03\0\0\0\x02\
            \0\0\0\x04name\0\0\0\x01\0\0\0\x0apostmaster\0\0\
            \0\0\0\x07members\0\0\0\0\x01\0\0\0\x04root\
            \0\0\0\x05\0\0\0\0";
        assert_eq!(bytes.len(), 72);
        assert_eq!(encode(&postmaster()), bytes);
        let mut slot = bytes.to_vec();
        slot.resize(SLOT_BYTES, 0);
        assert_eq!(decode(&slot), Some(postmaster()));
    }

    #[test]
    fn a_free_slot_has_no_id() {
        let slot = free_slot(SLOT_BYTES);
        assert_eq!((slot.len(), &slot[..8]), (SLOT_BYTES, &b"\xff\xff\xff\xff\0\0\0\0"[..]));
        assert!(slot[8..].iter().all(|byte| *byte == 0));
    }

    proptest! {
        #[test]
        fn directories_come_back(
            numbers in any::<[u32; 3]>(),
            children in vec(any::<u32>(), 0..4),
            properties in vec((vec(any::<u8>(), 0..9), vec(vec(any::<u8>(), 0..9), 0..4)), 0..4),
        ) {
            let [id, instance, parent] = numbers;
            let directory = Directory { id, instance, version: 0, parent, children, properties };
            let bytes = encode(&directory);
            prop_assert_eq!(bytes.len() % 4, 0);
            prop_assert_eq!(decode(&bytes), Some(directory));
            prop_assert_eq!(decode(&bytes[..bytes.len() - 1]), None);
        }

        #[test]
        fn any_bytes_are_read(bytes in vec(prop_oneof![Just(0_u8), 0..4_u8, any::<u8>()], 0..200)) {
            let _ = decode(&bytes);
        }
    }
}
