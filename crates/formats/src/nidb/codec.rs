//! The bytes of a record of the modern layout.

use super::datum::{Datum, kind};
use super::stored::{Attribute, StoredRecord};

/// Size classes are multiples of this.
pub const CLASS_STEP: usize = 32;

/// The smallest size class: a record without children and properties needs 36 bytes.
pub const MIN_CLASS: usize = 64;

/// Largest record that is read or written, with its header. The format knows no limit; historical servers have records
/// of some hundred kilobytes at most.
pub const MAX_RECORD_BYTES: usize = 64 << 20;

/// Type and length, before the payload.
pub(crate) const HEADER_BYTES: usize = 8;

/// Shortest payload: six numbers and the count of children.
const MIN_PAYLOAD_BYTES: usize = 28;

/// The size class of a block of so many bytes, header and payload.
pub const fn class_of(block: usize) -> usize {
    block.div_ceil(CLASS_STEP) * CLASS_STEP
}

/// Bytes from the front of a slice, as far as there are any.
#[derive(Clone, Copy)]
pub(crate) struct Cursor<'a> {
    rest: &'a [u8],
}

impl<'a> Cursor<'a> {
    pub(crate) const fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    pub(crate) fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(count)?;
        self.rest = rest;
        Some(taken)
    }

    pub(crate) fn u32(&mut self) -> Option<u32> {
        let (word, rest) = self.rest.split_first_chunk()?;
        self.rest = rest;
        Some(u32::from_be_bytes(*word))
    }

    /// A count of things that have at least `each` bytes, if so many can follow.
    pub(crate) fn count(&mut self, each: usize) -> Option<usize> {
        let count = usize::try_from(self.u32()?).ok()?;
        (count <= self.rest.len() / each).then_some(count)
    }

    pub(crate) const fn remaining(&self) -> usize {
        self.rest.len()
    }
}

/// What the first eight bytes of a slot say.
pub(crate) fn header(slot: &[u8]) -> Option<(u32, u32)> {
    let mut cursor = Cursor::new(slot);
    Some((cursor.u32()?, cursor.u32()?))
}

/// The id in a payload, whatever comes behind it.
pub(crate) fn peek_id(payload: &[u8]) -> Option<u32> {
    Cursor::new(payload).u32()
}

/// The record at the beginning of `bytes`, and its length. Like the historical decoder this goes by the counts alone;
/// unlike it, not beyond the bytes there are.
pub(crate) fn decode(bytes: &[u8]) -> Option<(StoredRecord, usize)> {
    let mut cursor = Cursor::new(bytes);
    let (id, serial, version, parent) = (cursor.u32()?, cursor.u32()?, cursor.u32()?, cursor.u32()?);
    let children = (0..cursor.count(4)?).map(|_| cursor.u32()).collect::<Option<_>>()?;
    let attributes = attributes(&mut cursor)?;
    let metas = self::attributes(&mut cursor)?;
    let record = StoredRecord { id, serial, version, parent, children, attributes, metas };
    Some((record, bytes.len() - cursor.remaining()))
}

fn attributes(cursor: &mut Cursor<'_>) -> Option<Vec<Attribute>> {
    /// Type and length of the key, and the number of values.
    const SHORTEST: usize = 12;
    (0..cursor.count(SHORTEST)?).map(|_| attribute(cursor)).collect()
}

fn attribute(cursor: &mut Cursor<'_>) -> Option<Attribute> {
    let key = datum(cursor)?;
    let values = (0..cursor.count(HEADER_BYTES)?).map(|_| datum(cursor)).collect::<Option<_>>()?;
    Some(Attribute { key, values })
}

fn datum(cursor: &mut Cursor<'_>) -> Option<Datum> {
    let kind = cursor.u32()?;
    let length = cursor.count(1)?;
    Some(Datum { kind, data: cursor.take(length)?.to_vec() })
}

/// The block of a record, without the zeros that fill its slot; nothing if it is larger than [`MAX_RECORD_BYTES`].
pub(crate) fn encode(record: &StoredRecord) -> Option<Vec<u8>> {
    let size = block_size(record).filter(|size| *size <= MAX_RECORD_BYTES)?;
    let mut block = Vec::with_capacity(size);
    put(&mut block, kind::RECORD);
    put_count(&mut block, size - HEADER_BYTES);
    for number in [record.id, record.serial, record.version, record.parent] {
        put(&mut block, number);
    }
    put_count(&mut block, record.children.len());
    for child in &record.children {
        put(&mut block, *child);
    }
    for list in [&record.attributes, &record.metas] {
        put_count(&mut block, list.len());
        for attribute in list {
            put_datum(&mut block, &attribute.key);
            put_count(&mut block, attribute.values.len());
            for value in &attribute.values {
                put_datum(&mut block, value);
            }
        }
    }
    Some(block)
}

/// The size of a block; nothing if it cannot be counted.
fn block_size(record: &StoredRecord) -> Option<usize> {
    let datum = |datum: &Datum| HEADER_BYTES.checked_add(datum.data.len());
    let mut size = (HEADER_BYTES + MIN_PAYLOAD_BYTES).checked_add(record.children.len().checked_mul(4)?)?;
    for attribute in record.attributes.iter().chain(&record.metas) {
        size = size.checked_add(datum(&attribute.key)?)?.checked_add(4)?;
        for value in &attribute.values {
            size = size.checked_add(datum(value)?)?;
        }
    }
    Some(size)
}

fn put(block: &mut Vec<u8>, number: u32) {
    block.extend_from_slice(&number.to_be_bytes());
}

/// A number that is smaller than [`MAX_RECORD_BYTES`], for so is the block.
fn put_count(block: &mut Vec<u8>, count: usize) {
    put(block, u32::try_from(count).unwrap_or(u32::MAX));
}

fn put_datum(block: &mut Vec<u8>, datum: &Datum) {
    put(block, datum.kind);
    put_count(block, datum.data.len());
    block.extend_from_slice(&datum.data);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection::vec;
    use proptest::prelude::*;

    fn any_datum() -> impl Strategy<Value = Datum> {
        (prop_oneof![Just(6_u32), 0..10_u32, any::<u32>()], vec(any::<u8>(), 0..12))
            .prop_map(|(kind, data)| Datum { kind, data })
    }

    fn any_attributes() -> impl Strategy<Value = Vec<Attribute>> {
        let attribute =
            (any_datum(), vec(any_datum(), 0..4)).prop_map(|(key, values)| Attribute { key, values });
        vec(attribute, 0..4)
    }

    prop_compose! {
        fn any_record()(
            numbers in any::<[u32; 4]>(),
            children in vec(any::<u32>(), 0..5),
            attributes in any_attributes(),
            metas in any_attributes(),
        ) -> StoredRecord {
            let [id, serial, version, parent] = numbers;
            StoredRecord { id, serial, version, parent, children, attributes, metas }
        }
    }

    proptest! {
        #[test]
        fn records_come_back(record in any_record(), padding in 0..40_usize) {
            let mut block = encode(&record).unwrap();
            let length = block.len();
            prop_assert_eq!(header(&block), Some((kind::RECORD, u32::try_from(length - 8).unwrap())));
            block.resize(length + padding, 0);
            prop_assert_eq!(decode(&block[8..]), Some((record, length - 8)));
        }

        #[test]
        fn cut_records_are_no_records(record in any_record(), cut in any::<prop::sample::Index>()) {
            let block = encode(&record).unwrap();
            prop_assert_eq!(decode(&block[8..8 + cut.index(block.len() - 8)]), None);
        }

        #[test]
        fn any_bytes_are_read(bytes in vec(prop_oneof![Just(0_u8), 0..4_u8, any::<u8>()], 0..200)) {
            if let Some((record, length)) = decode(&bytes) {
                prop_assert_eq!(&encode(&record).unwrap()[8..], &bytes[..length]);
            }
        }
    }

    #[test]
    fn classes_are_multiples_of_the_step() {
        assert_eq!([36, 64, 65, 83, 96, 97].map(class_of), [64, 64, 96, 96, 96, 128]);
        let smallest = encode(&StoredRecord::default()).unwrap();
        assert_eq!((smallest.len(), class_of(smallest.len())), (36, MIN_CLASS));
    }

    #[test]
    fn records_have_a_largest_size() {
        let attribute = |length| Attribute::text(b"", [vec![b'x'; length]]);
        let mut record = StoredRecord { attributes: vec![attribute(0)], ..StoredRecord::default() };
        let room = MAX_RECORD_BYTES - encode(&record).unwrap().len();
        record.attributes = vec![attribute(room)];
        assert_eq!(encode(&record).unwrap().len(), MAX_RECORD_BYTES);
        record.attributes = vec![attribute(room + 1)];
        assert_eq!(encode(&record), None);
    }

    #[test]
    fn counts_are_held_against_the_bytes() {
        // A record that claims four thousand million children.
        let mut bytes = vec![0; 16];
        bytes.extend_from_slice(&[0xff; 4]);
        bytes.extend_from_slice(&[0; 8]);
        assert_eq!(decode(&bytes), None);
    }
}
