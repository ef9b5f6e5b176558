//! Items on their way to a daemon: a stream of octets, in which each has its length before it.

use netinfo_directory::{Property, StampBuf};
use netinfo_mapping::write::Operation;

use super::{Attributes, Change, Directory, Item, Step, What, Where};

/// Longest item on its way to a daemon, in bytes.
pub const MAX_ITEM: usize = 128 << 20;

/// Appends an item: its length in four bytes, and the item.
pub fn encode(item: &Item, out: &mut Vec<u8>) {
    let start = out.len();
    out.extend_from_slice(&[0; 4]);
    out.extend_from_slice(&item.line.to_le_bytes());
    match &item.what {
        What::Directory(directory) => {
            out.push(0);
            match &directory.place {
                Where::In(name) => {
                    out.push(0);
                    put(out, name);
                }
                Where::Root => out.push(1),
                Where::Below(number) => {
                    out.push(2);
                    out.extend_from_slice(&number.to_le_bytes());
                }
            }
            put_count(out, directory.properties.len());
            directory.properties.iter().for_each(|property| put_list(out, &property.name, &property.values));
            put_stamp(out, directory.stamp.as_ref());
        }
        What::Entry(dn, attributes) => {
            out.push(1);
            put(out, dn);
            put_attributes(out, attributes);
        }
        What::Change(dn, change) => {
            out.push(2);
            put(out, dn);
            put_change(out, change);
        }
        What::Begin => out.push(3),
    }
    let len = (out.len() - start - 4) as u32;
    out[start..start + 4].copy_from_slice(&len.to_le_bytes());
}

fn put_change(out: &mut Vec<u8>, change: &Change) {
    match change {
        Change::Add(attributes) => {
            out.push(0);
            put_attributes(out, attributes);
        }
        Change::Delete => out.push(1),
        Change::Modify(steps) => {
            out.push(2);
            put_count(out, steps.len());
            for (operation, name, values) in steps {
                out.push(match operation {
                    Operation::Add => 0,
                    Operation::Delete => 1,
                    Operation::Replace => 2,
                    Operation::Increment => 3,
                });
                put_list(out, name, values);
            }
        }
        Change::Rename { new_rdn, delete_old, new_superior } => {
            out.push(3);
            put(out, new_rdn);
            out.push(u8::from(*delete_old));
            out.push(u8::from(new_superior.is_some()));
            put(out, new_superior.as_deref().unwrap_or_default());
        }
    }
}

fn put_stamp(out: &mut Vec<u8>, stamp: Option<&StampBuf>) {
    out.push(u8::from(stamp.is_some()));
    if let Some(stamp) = stamp {
        out.extend_from_slice(&stamp.uuid);
        out.extend_from_slice(&stamp.created.to_le_bytes());
        out.extend_from_slice(&stamp.modified.to_le_bytes());
        put(out, &stamp.creator);
        put(out, &stamp.modifier);
    }
}

fn put_attributes(out: &mut Vec<u8>, attributes: &Attributes) {
    put_count(out, attributes.len());
    attributes.iter().for_each(|(name, values)| put_list(out, name, values));
}

fn put_list(out: &mut Vec<u8>, name: &[u8], values: &[Vec<u8>]) {
    put(out, name);
    put_count(out, values.len());
    values.iter().for_each(|value| put(out, value));
}

fn put_count(out: &mut Vec<u8>, count: usize) {
    out.extend_from_slice(&(count as u32).to_le_bytes());
}

fn put(out: &mut Vec<u8>, bytes: &[u8]) {
    put_count(out, bytes.len());
    out.extend_from_slice(bytes);
}

/// Takes items out of pieces of a stream, whose borders may be anywhere.
#[derive(Default)]
pub struct Decoder {
    rest: Vec<u8>,
}

impl Decoder {
    /// Adds a piece, and returns the items that are complete; `None` if this is no stream of items.
    pub fn feed(&mut self, piece: &[u8]) -> Option<Vec<Item>> {
        self.rest.extend_from_slice(piece);
        let mut items = Vec::new();
        let mut at = 0;
        while let Some((len, rest)) = self.rest[at..].split_first_chunk() {
            let len = u32::from_le_bytes(*len) as usize;
            if len > MAX_ITEM {
                return None;
            }
            let Some(body) = rest.get(..len) else { break };
            items.push(decode(body)?);
            at += 4 + len;
        }
        self.rest.drain(..at);
        Some(items)
    }

    /// Whether nothing is left that is not complete.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.rest.is_empty()
    }
}

/// Bytes of an item that have not been read.
struct Cursor<'a>(&'a [u8]);

impl<'a> Cursor<'a> {
    fn take(&mut self, len: usize) -> Option<&'a [u8]> {
        let (head, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(head)
    }

    fn byte(&mut self) -> Option<u8> {
        self.take(1)?.first().copied()
    }

    fn u32(&mut self) -> Option<u32> {
        Some(u32::from_le_bytes(self.take(4)?.try_into().ok()?))
    }

    fn u64(&mut self) -> Option<u64> {
        Some(u64::from_le_bytes(self.take(8)?.try_into().ok()?))
    }

    fn flag(&mut self) -> Option<bool> {
        match self.byte()? {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        }
    }

    fn bytes(&mut self) -> Option<Vec<u8>> {
        let len = self.u32()? as usize;
        self.take(len).map(<[u8]>::to_vec)
    }

    fn list(&mut self) -> Option<(Vec<u8>, Vec<Vec<u8>>)> {
        let name = self.bytes()?;
        let count = self.u32()?;
        Some((name, (0..count).map(|_| self.bytes()).collect::<Option<_>>()?))
    }

    fn attributes(&mut self) -> Option<Attributes> {
        let count = self.u32()?;
        (0..count).map(|_| self.list()).collect()
    }

    fn stamp(&mut self) -> Option<Option<StampBuf>> {
        if !self.flag()? {
            return Some(None);
        }
        let uuid = self.take(16)?.try_into().ok()?;
        let (created, modified) = (self.u64()?, self.u64()?);
        Some(Some(StampBuf { uuid, created, modified, creator: self.bytes()?, modifier: self.bytes()? }))
    }

    fn directory(&mut self) -> Option<Directory> {
        let place = match self.byte()? {
            0 => Where::In(self.bytes()?),
            1 => Where::Root,
            2 => Where::Below(self.u64()?),
            _ => return None,
        };
        let properties =
            self.attributes()?.into_iter().map(|(name, values)| Property { name, values }).collect();
        Some(Directory { place, properties, stamp: self.stamp()? })
    }

    fn change(&mut self) -> Option<Change> {
        Some(match self.byte()? {
            0 => Change::Add(self.attributes()?),
            1 => Change::Delete,
            2 => {
                let count = self.u32()?;
                Change::Modify((0..count).map(|_| self.step()).collect::<Option<_>>()?)
            }
            3 => {
                let (new_rdn, delete_old, moves) = (self.bytes()?, self.flag()?, self.flag()?);
                let superior = self.bytes()?;
                Change::Rename { new_rdn, delete_old, new_superior: moves.then_some(superior) }
            }
            _ => return None,
        })
    }

    fn step(&mut self) -> Option<Step> {
        let operation = match self.byte()? {
            0 => Operation::Add,
            1 => Operation::Delete,
            2 => Operation::Replace,
            3 => Operation::Increment,
            _ => return None,
        };
        let (name, values) = self.list()?;
        Some((operation, name, values))
    }
}

fn decode(body: &[u8]) -> Option<Item> {
    let mut cursor = Cursor(body);
    let line = cursor.u64()?;
    let what = match cursor.byte()? {
        0 => What::Directory(cursor.directory()?),
        1 => What::Entry(cursor.bytes()?, cursor.attributes()?),
        2 => What::Change(cursor.bytes()?, cursor.change()?),
        3 => What::Begin,
        _ => return None,
    };
    cursor.0.is_empty().then_some(Item { line, what })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection::vec;
    use proptest::prelude::*;

    fn bytes() -> impl Strategy<Value = Vec<u8>> {
        vec(any::<u8>(), 0..6)
    }

    fn attributes() -> impl Strategy<Value = Attributes> {
        vec((bytes(), vec(bytes(), 0..3)), 0..3)
    }

    fn directory() -> impl Strategy<Value = Directory> {
        let place =
            prop_oneof![bytes().prop_map(Where::In), Just(Where::Root), any::<u64>().prop_map(Where::Below)];
        let stamp = proptest::option::of((any::<[u8; 16]>(), any::<u64>(), bytes()));
        (place, attributes(), stamp).prop_map(|(place, list, stamp)| Directory {
            place,
            properties: list.into_iter().map(|(name, values)| Property { name, values }).collect(),
            stamp: stamp.map(|(uuid, time, name)| StampBuf {
                uuid,
                created: time,
                modified: time / 2,
                creator: name.clone(),
                modifier: name,
            }),
        })
    }

    fn change() -> impl Strategy<Value = Change> {
        let operation = prop_oneof![
            Just(Operation::Add),
            Just(Operation::Delete),
            Just(Operation::Replace),
            Just(Operation::Increment)
        ];
        prop_oneof![
            attributes().prop_map(Change::Add),
            Just(Change::Delete),
            vec((operation, bytes(), vec(bytes(), 0..3)), 0..3).prop_map(Change::Modify),
            (bytes(), any::<bool>(), proptest::option::of(bytes())).prop_map(
                |(new_rdn, delete_old, new_superior)| {
                    Change::Rename { new_rdn, delete_old, new_superior }
                }
            ),
        ]
    }

    fn item() -> impl Strategy<Value = Item> {
        let what = prop_oneof![
            Just(What::Begin),
            directory().prop_map(What::Directory),
            (bytes(), attributes()).prop_map(|(dn, list)| What::Entry(dn, list)),
            (bytes(), change()).prop_map(|(dn, change)| What::Change(dn, change)),
        ];
        (any::<u64>(), what).prop_map(|(line, what)| Item { line, what })
    }

    proptest! {
        #[test]
        fn items_travel_in_any_pieces(items in vec(item(), 0..5), piece in 1..40_usize) {
            let mut stream = Vec::new();
            items.iter().for_each(|item| encode(item, &mut stream));
            let mut decoder = Decoder::default();
            let mut told = Vec::new();
            for piece in stream.chunks(piece) {
                told.extend(decoder.feed(piece).unwrap());
            }
            prop_assert!(decoder.is_done());
            prop_assert_eq!(told, items);
        }

        #[test]
        fn arbitrary_bytes_never_panic(piece in vec(any::<u8>(), 0..80)) {
            let _ = Decoder::default().feed(&piece);
        }
    }

    #[test]
    fn items_are_bounded() {
        let too_long = (MAX_ITEM as u32 + 1).to_le_bytes();
        assert!(Decoder::default().feed(&too_long).is_none());
        assert!(Decoder::default().feed(&(MAX_ITEM as u32).to_le_bytes()).is_some());
    }
}
