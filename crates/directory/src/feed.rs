//! The change feed in stored form: one change record per change, written in the change's own transaction.
//!
//! Change records hold everything a replica needs, password material included; reading the feed therefore takes a
//! superuser's session.

use crate::change::{Change, Committed, Outcome};
use crate::error::{Error, Result};
use crate::model::{Id, Property, Target};
use crate::stamp::StampBuf;

/// Layout version of a change record.
const LAYOUT: u8 = 1;
const NONE: u32 = u32::MAX;

/// The stored form; the sequence number is the key.
pub(crate) fn encode(committed: &Committed) -> Vec<u8> {
    let mut w = Writer(Vec::with_capacity(room(&committed.change)));
    w.0.extend_from_slice(&[0; 4]);
    w.0.push(LAYOUT);
    w.u64(committed.at);
    w.bytes(&committed.by);
    w.id(committed.outcome.id);
    match committed.outcome.created {
        Some(id) => w.id(id),
        None => w.id(Id { object: NONE, instance: NONE }),
    }
    w.change(&committed.change);
    let sum = crc32c::crc32c(&w.0[4..]);
    w.0[..4].copy_from_slice(&sum.to_le_bytes());
    w.0
}

/// Bytes that a change record may take, roughly.
fn room(change: &Change) -> usize {
    let properties = match change {
        Change::Create { properties, .. } | Change::Write { properties, .. } => &properties[..],
        _ => &[],
    };
    let values = properties.iter().flat_map(|property| property.values.iter().chain([&property.name]));
    128 + values.map(|text| text.len() + 8).sum::<usize>()
}

/// Reads a change record.
pub(crate) fn decode(sequence: u64, bytes: &[u8]) -> Result<Committed> {
    decode_inner(sequence, bytes)
        .ok_or_else(|| Error::damaged(format!("change record {sequence} fails its checksum")))
}

fn decode_inner(sequence: u64, bytes: &[u8]) -> Option<Committed> {
    let mut r = Reader(bytes);
    let sum = r.u32()?;
    if sum != crc32c::crc32c(r.0) || r.u8()? != LAYOUT {
        return None;
    }
    let at = r.u64()?;
    let by = r.bytes()?;
    let id = r.id()?;
    let created = r.id()?;
    let created = (created.object != NONE).then_some(created);
    let change = r.change()?;
    r.0.is_empty().then_some(Committed { sequence, at, by, change, outcome: Outcome { id, created } })
}

struct Writer(Vec<u8>);

impl Writer {
    fn u32(&mut self, n: u32) {
        self.0.extend_from_slice(&n.to_le_bytes());
    }

    fn u64(&mut self, n: u64) {
        self.0.extend_from_slice(&n.to_le_bytes());
    }

    fn bytes(&mut self, b: &[u8]) {
        self.u32(b.len() as u32);
        self.0.extend_from_slice(b);
    }

    fn id(&mut self, id: Id) {
        self.u32(id.object);
        self.u32(id.instance);
    }

    fn target(&mut self, t: Target) {
        self.u32(t.object);
        self.0.push(u8::from(t.instance.is_some()));
        self.u32(t.instance.unwrap_or(0));
    }

    fn values(&mut self, values: &[Vec<u8>]) {
        self.u32(values.len() as u32);
        for v in values {
            self.bytes(v);
        }
    }

    fn property(&mut self, p: &Property) {
        self.bytes(&p.name);
        self.values(&p.values);
    }

    fn properties(&mut self, list: &[Property]) {
        self.u32(list.len() as u32);
        for p in list {
            self.property(p);
        }
    }

    fn head(&mut self, tag: u8, directory: Target, index: u32) {
        self.0.push(tag);
        self.target(directory);
        self.u32(index);
    }

    fn change(&mut self, change: &Change) {
        match change {
            Change::Create { parent, properties, position } => {
                self.head(1, *parent, *position);
                self.properties(properties);
            }
            Change::Destroy { parent, child } => {
                self.head(2, *parent, 0);
                self.target(*child);
            }
            Change::Write { directory, properties } => {
                self.head(3, *directory, 0);
                self.properties(properties);
            }
            Change::CreateProperty { directory, property, position } => {
                self.head(4, *directory, *position);
                self.property(property);
            }
            Change::DestroyProperty { directory, index } => self.head(5, *directory, *index),
            Change::WriteProperty { directory, index, values } => {
                self.head(6, *directory, *index);
                self.values(values);
            }
            Change::RenameProperty { directory, index, name } => {
                self.head(7, *directory, *index);
                self.bytes(name);
            }
            Change::CreateValue { directory, index, value, position } => {
                self.head(8, *directory, *index);
                self.u32(*position);
                self.bytes(value);
            }
            Change::DestroyValue { directory, index, value_index } => {
                self.head(9, *directory, *index);
                self.u32(*value_index);
            }
            Change::WriteValue { directory, index, value_index, value } => {
                self.head(10, *directory, *index);
                self.u32(*value_index);
                self.bytes(value);
            }
            Change::Move { from, child, to, position } => {
                self.head(11, *from, *position);
                self.target(*child);
                self.target(*to);
            }
            Change::SetStamp { directory, stamp } => {
                self.head(12, *directory, 0);
                self.0.extend_from_slice(&stamp.uuid);
                self.u64(stamp.created);
                self.u64(stamp.modified);
                self.bytes(&stamp.creator);
                self.bytes(&stamp.modifier);
            }
        }
    }
}

struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn take(&mut self, n: usize) -> Option<&[u8]> {
        let (head, rest) = self.0.split_at_checked(n)?;
        self.0 = rest;
        Some(head)
    }

    fn u8(&mut self) -> Option<u8> {
        self.take(1).map(|b| b[0])
    }

    fn u32(&mut self) -> Option<u32> {
        Some(u32::from_le_bytes(self.take(4)?.try_into().ok()?))
    }

    fn u64(&mut self) -> Option<u64> {
        Some(u64::from_le_bytes(self.take(8)?.try_into().ok()?))
    }

    fn bytes(&mut self) -> Option<Vec<u8>> {
        let n = self.u32()? as usize;
        self.take(n).map(<[u8]>::to_vec)
    }

    fn id(&mut self) -> Option<Id> {
        Some(Id { object: self.u32()?, instance: self.u32()? })
    }

    fn target(&mut self) -> Option<Target> {
        let object = self.u32()?;
        let present = self.u8()? != 0;
        let instance = self.u32()?;
        Some(Target { object, instance: present.then_some(instance) })
    }

    fn values(&mut self) -> Option<Vec<Vec<u8>>> {
        let n = self.u32()?;
        (0..n).map(|_| self.bytes()).collect()
    }

    fn property(&mut self) -> Option<Property> {
        Some(Property { name: self.bytes()?, values: self.values()? })
    }

    fn properties(&mut self) -> Option<Vec<Property>> {
        let n = self.u32()?;
        (0..n).map(|_| self.property()).collect()
    }

    fn stamp(&mut self) -> Option<StampBuf> {
        let uuid = self.take(16)?.try_into().ok()?;
        let (created, modified) = (self.u64()?, self.u64()?);
        Some(StampBuf { uuid, created, modified, creator: self.bytes()?, modifier: self.bytes()? })
    }

    fn change(&mut self) -> Option<Change> {
        let tag = self.u8()?;
        let directory = self.target()?;
        let index = self.u32()?;
        Some(match tag {
            1 => Change::Create { parent: directory, position: index, properties: self.properties()? },
            2 => Change::Destroy { parent: directory, child: self.target()? },
            3 => Change::Write { directory, properties: self.properties()? },
            4 => Change::CreateProperty { directory, position: index, property: self.property()? },
            5 => Change::DestroyProperty { directory, index },
            6 => Change::WriteProperty { directory, index, values: self.values()? },
            7 => Change::RenameProperty { directory, index, name: self.bytes()? },
            8 => Change::CreateValue { directory, index, position: self.u32()?, value: self.bytes()? },
            9 => Change::DestroyValue { directory, index, value_index: self.u32()? },
            10 => Change::WriteValue { directory, index, value_index: self.u32()?, value: self.bytes()? },
            11 => {
                Change::Move { from: directory, position: index, child: self.target()?, to: self.target()? }
            }
            12 => Change::SetStamp { directory, stamp: self.stamp()? },
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn change() -> impl Strategy<Value = Change> {
        let value = || proptest::collection::vec(any::<u8>(), 0..20);
        let values = move || proptest::collection::vec(value(), 0..4);
        let property = move || (value(), values()).prop_map(|(name, values)| Property { name, values });
        let properties = move || proptest::collection::vec(property(), 0..4);
        let target = || {
            (any::<u32>(), any::<Option<u32>>()).prop_map(|(object, instance)| Target { object, instance })
        };
        prop_oneof![
            (target(), properties(), any::<u32>())
                .prop_map(|(parent, properties, position)| Change::Create { parent, properties, position }),
            (target(), target()).prop_map(|(parent, child)| Change::Destroy { parent, child }),
            (target(), properties())
                .prop_map(|(directory, properties)| Change::Write { directory, properties }),
            (target(), property(), any::<u32>()).prop_map(|(directory, property, position)| {
                Change::CreateProperty { directory, property, position }
            }),
            (target(), any::<u32>())
                .prop_map(|(directory, index)| Change::DestroyProperty { directory, index }),
            (target(), any::<u32>(), values()).prop_map(|(directory, index, values)| Change::WriteProperty {
                directory,
                index,
                values
            }),
            (target(), any::<u32>(), value()).prop_map(|(directory, index, name)| Change::RenameProperty {
                directory,
                index,
                name
            }),
            (target(), any::<u32>(), value(), any::<u32>()).prop_map(
                |(directory, index, value, position)| {
                    Change::CreateValue { directory, index, value, position }
                }
            ),
            (target(), any::<u32>(), any::<u32>()).prop_map(|(directory, index, value_index)| {
                Change::DestroyValue { directory, index, value_index }
            }),
            (target(), any::<u32>(), any::<u32>(), value()).prop_map(
                |(directory, index, value_index, value)| {
                    Change::WriteValue { directory, index, value_index, value }
                }
            ),
            (target(), target(), target(), any::<u32>())
                .prop_map(|(from, child, to, position)| Change::Move { from, child, to, position }),
            (target(), any::<[u8; 16]>(), any::<u64>(), any::<u64>(), value(), value()).prop_map(
                |(directory, uuid, created, modified, creator, modifier)| {
                    let stamp = StampBuf { uuid, created, modified, creator, modifier };
                    Change::SetStamp { directory, stamp }
                }
            ),
        ]
    }

    proptest! {
        #[test]
        fn round_trip(change in change(), at: u64, object in 0u32..9, created in any::<Option<u32>>()) {
            let outcome = Outcome {
                id: Id { object, instance: 3 },
                created: created.filter(|&c| c != NONE).map(|object| Id { object, instance: 0 }),
            };
            let committed = Committed { sequence: 9, at, by: b"root".to_vec(), change, outcome };
            prop_assert_eq!(decode(9, &encode(&committed)).unwrap(), committed);
        }

        #[test]
        fn garbage_never_panics(mut bytes in proptest::collection::vec(any::<u8>(), 5..120)) {
            prop_assert!(decode(1, &bytes).is_err());
            bytes[4] = LAYOUT;
            let sum = crc32c::crc32c(&bytes[4..]);
            bytes[..4].copy_from_slice(&sum.to_le_bytes());
            let _ = decode(1, &bytes);
        }
    }
}
