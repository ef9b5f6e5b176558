//! Attributes, their values, and changes to them (RFC 4511 §4.1.7, §4.6).

use std::fmt::DebugList;

use super::list::{Kind, List, ListBuf, octet_kind};
use super::{Error, MAX_ATTRIBUTES, MAX_MODIFICATIONS, MAX_SELECTION, MAX_VALUES, at, enumeration};
use crate::ber::{self, Reader, Tag};
use crate::redact::{Hidden, Text, debug_fields};

octet_kind! {
    /// Values of one attribute.
    pub ValueKind, "attribute values", MAX_VALUES, Hidden
}
octet_kind! {
    /// Attributes by name.
    pub SelectionKind, "selected attributes", MAX_SELECTION, Text
}

/// The values of an attribute, or the values a modification names.
pub type Values<'a> = List<'a, ValueKind>;

/// The attributes a search or read asks for: descriptions, `*`, `+`, `1.1`, `@class`, or anything else
/// a client may send. Empty means all user attributes.
pub type Selection<'a> = List<'a, SelectionKind>;

/// The attributes of an entry.
pub type Attributes<'a> = List<'a, AttributeKind>;

/// The modifications of one request, to be applied in order.
pub type Modifications<'a> = List<'a, ModificationKind>;

/// A [`Selection`] to be filled.
pub type SelectionBuf = ListBuf<SelectionKind>;

/// [`Attributes`] to be filled.
pub type AttributesBuf = ListBuf<AttributeKind>;

/// [`Modifications`] to be filled.
pub type ModificationsBuf = ListBuf<ModificationKind>;

/// An attribute and its values, in any number: a partial attribute.
#[derive(Clone, Copy, PartialEq, Default)]
pub struct Attribute<'a> {
    /// Attribute description: type and options.
    pub name: &'a [u8],
    /// The values; none where only types are returned.
    pub values: Values<'a>,
}

debug_fields!(Attribute { name: text, values: shown });

impl<'a> Attribute<'a> {
    /// Reads one at a position, as part of a longer message.
    ///
    /// # Errors
    /// [`Error::Malformed`], [`Error::TooMany`] above [`MAX_VALUES`].
    pub fn read(r: &mut Reader<'a>) -> Result<Self, Error> {
        let mut fields = r.nested(Tag::SEQUENCE).map_err(at("attribute"))?;
        let name = fields.octets().map_err(at("attribute description"))?;
        let values = Values::read(&mut fields, Tag::SET)?;
        fields.finish_extensible().map_err(at("attribute"))?;
        Ok(Self { name, values })
    }

    /// Appends the attribute.
    pub fn encode(&self, buf: &mut Vec<u8>) {
        put_attribute(buf, self.name, |buf| buf.extend_from_slice(self.values.raw()));
    }
}

/// Appends an attribute whose encoded values `put` appends.
fn put_attribute(buf: &mut Vec<u8>, name: &[u8], put: impl FnOnce(&mut Vec<u8>)) {
    let attribute = ber::begin(buf, Tag::SEQUENCE);
    ber::put(buf, Tag::OCTET_STRING, name);
    let values = ber::begin(buf, Tag::SET);
    put(buf);
    ber::end(buf, values);
    ber::end(buf, attribute);
}

/// Appends values as octet strings.
fn put_values<V: AsRef<[u8]>>(buf: &mut Vec<u8>, values: impl IntoIterator<Item = V>) {
    for value in values {
        ber::put(buf, Tag::OCTET_STRING, value.as_ref());
    }
}

/// [`Attribute`] as an element of a list.
#[derive(Clone, Copy, Debug)]
pub enum AttributeKind {}

impl Kind for AttributeKind {
    type Item<'a> = Attribute<'a>;

    const WHAT: &'static str = "attributes";
    const MAX: usize = MAX_ATTRIBUTES;

    fn read<'a>(r: &mut Reader<'a>) -> Result<Attribute<'a>, Error> {
        Attribute::read(r)
    }

    fn put(buf: &mut Vec<u8>, item: Attribute<'_>) {
        item.encode(buf);
    }

    fn show(item: &Attribute<'_>, to: &mut DebugList<'_, '_>) {
        to.entry(item);
    }
}

impl<'a> Attributes<'a> {
    /// The values of the first attribute whose description is `name`, without regard to case.
    pub fn get(&self, name: impl AsRef<[u8]>) -> Option<Values<'a>> {
        self.iter().find_map(|a| a.name.eq_ignore_ascii_case(name.as_ref()).then_some(a.values))
    }
}

impl AttributesBuf {
    /// Appends an attribute with these values.
    pub fn add<V: AsRef<[u8]>>(&mut self, name: impl AsRef<[u8]>, values: impl IntoIterator<Item = V>) {
        self.push_with(|buf| put_attribute(buf, name.as_ref(), |buf| put_values(buf, values)));
    }
}

enumeration! {
    /// What a modification does (RFC 4511 §4.6, RFC 4525).
    ModifyOp, "modification operation" {
        /// Add the values.
        Add = 0,
        /// Delete the values, or all if none are named.
        Delete = 1,
        /// These become the values; none deletes the attribute.
        Replace = 2,
        /// Add the one integer named to each value.
        Increment = 3,
    }
}

/// One change of a modify request.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Modification<'a> {
    /// What is done.
    pub op: ModifyOp,
    /// To which attribute, with which values.
    pub attribute: Attribute<'a>,
}

/// [`Modification`] as an element of a list.
#[derive(Clone, Copy, Debug)]
pub enum ModificationKind {}

impl Kind for ModificationKind {
    type Item<'a> = Modification<'a>;

    const WHAT: &'static str = "modifications";
    const MAX: usize = MAX_MODIFICATIONS;

    fn read<'a>(r: &mut Reader<'a>) -> Result<Modification<'a>, Error> {
        let mut fields = r.nested(Tag::SEQUENCE).map_err(at("modification"))?;
        let op = ModifyOp::read_as(&mut fields, Tag::ENUMERATED)?;
        let attribute = Attribute::read(&mut fields)?;
        fields.finish_extensible().map_err(at("modification"))?;
        Ok(Modification { op, attribute })
    }

    fn put(buf: &mut Vec<u8>, item: Modification<'_>) {
        put_modification(buf, item.op, |buf| item.attribute.encode(buf));
    }

    fn show(item: &Modification<'_>, to: &mut DebugList<'_, '_>) {
        to.entry(item);
    }
}

impl ModificationsBuf {
    /// Appends a change of an attribute with these values.
    pub fn add<V: AsRef<[u8]>>(
        &mut self,
        op: ModifyOp,
        name: impl AsRef<[u8]>,
        values: impl IntoIterator<Item = V>,
    ) {
        self.push_with(|buf| {
            put_modification(buf, op, |buf| {
                put_attribute(buf, name.as_ref(), |buf| put_values(buf, values));
            });
        });
    }
}

fn put_modification(buf: &mut Vec<u8>, op: ModifyOp, put: impl FnOnce(&mut Vec<u8>)) {
    let modification = ber::begin(buf, Tag::SEQUENCE);
    op.put_as(buf, Tag::ENUMERATED);
    put(buf);
    ber::end(buf, modification);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_are_found_without_regard_to_case() {
        let mut list = AttributesBuf::new();
        list.add("objectClass", ["top", "person"]);
        list.add("cn", [""; 0]);
        let list = list.as_list();
        assert_eq!(list.get("OBJECTCLASS").unwrap().iter().collect::<Vec<_>>(), [&b"top"[..], b"person"]);
        assert!(list.get("cn").unwrap().is_empty() && list.get("sn").is_none());
        assert_eq!(list, list.iter().collect::<ListBuf<_>>().as_list());
    }

    #[test]
    fn modifications_in_all_their_kinds() {
        let mut list = ModificationsBuf::new();
        for code in 0..4 {
            let op = ModifyOp::from_code(code).unwrap();
            assert_eq!(op.code(), code);
            list.add(op, "uidNumber", ["1"]);
        }
        let mut buf = Vec::new();
        list.as_list().encode(&mut buf, Tag::SEQUENCE);
        let decoded = Modifications::read(&mut Reader::new(&buf), Tag::SEQUENCE).unwrap();
        assert_eq!(decoded, list.as_list());
        assert_eq!(decoded.iter().last().unwrap().op, ModifyOp::Increment);
        let unknown = buf.windows(3).position(|octets| octets == [0x0a, 1, 3]).unwrap();
        buf[unknown + 2] = 4;
        let error = Error::Number { what: "modification operation", number: 4 };
        assert_eq!(Modifications::read(&mut Reader::new(&buf), Tag::SEQUENCE), Err(error));
    }

    #[test]
    fn limits() {
        let attribute = b"\x30\x05\x04\x01a\x31\0";
        assert!(Attributes::decode(&attribute.repeat(MAX_ATTRIBUTES)).is_ok());
        let error = Error::TooMany { what: "attributes", limit: MAX_ATTRIBUTES };
        assert_eq!(Attributes::decode(&attribute.repeat(MAX_ATTRIBUTES + 1)), Err(error));
        let modification = b"\x30\x0a\x0a\x01\0\x30\x05\x04\x01a\x31\0";
        assert!(Modifications::decode(&modification.repeat(MAX_MODIFICATIONS)).is_ok());
        let error = Error::TooMany { what: "modifications", limit: MAX_MODIFICATIONS };
        assert_eq!(Modifications::decode(&modification.repeat(MAX_MODIFICATIONS + 1)), Err(error));
        assert!(Selection::decode(&b"\x04\0".repeat(MAX_SELECTION)).is_ok());
        assert!(Selection::decode(&b"\x04\0".repeat(MAX_SELECTION + 1)).is_err());
        assert!(Values::decode(&b"\x04\0".repeat(MAX_VALUES)).is_ok());
        assert!(Values::decode(&b"\x04\0".repeat(MAX_VALUES + 1)).is_err());
    }
}
