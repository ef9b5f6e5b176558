//! The stored form of a directory, as `docs/file-format.md` lays it down.
//!
//! A record is read in place: [`RecordRef`] borrows the store's bytes and hands out names and values without copying.

use crate::error::{Error, Result};
use crate::model::{LIST_LIMIT, MASK, NAME_LIMIT, Property, RECORD_LIMIT, is_secret};

/// Layout version in byte 4 of every record.
pub(crate) const LAYOUT: u8 = 1;
/// Bytes before the first property.
pub(crate) const HEADER: usize = 36;
const FLAG_SECRETS: u8 = 1;
/// Top bit of a property's name length: the values are in the secrets table.
const SECRET_BIT: u32 = 1 << 31;

/// The numbers in front of a record's properties.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Header {
    /// Instance number.
    pub(crate) instance: u32,
    /// Store version of the last write.
    pub(crate) version: u32,
    /// Object id of the parent.
    pub(crate) parent: u32,
    /// Number of children.
    pub(crate) children: u32,
    /// Sort key among the siblings.
    pub(crate) position: u64,
}

/// A directory taken out of the store for changing, secrets included.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Record {
    pub(crate) header: Header,
    pub(crate) properties: Vec<Property>,
}

/// A record and its secrets in stored form.
pub(crate) struct Encoded {
    pub(crate) record: Vec<u8>,
    /// Absent when the record has no secret property.
    pub(crate) secrets: Option<Vec<u8>>,
}

impl Record {
    /// The stored form of this record under object id `object`.
    pub(crate) fn encode(&self, object: u32) -> Result<Encoded> {
        check_limits(&self.properties)?;
        let mut out = Vec::with_capacity(1024);
        let mut secrets: Option<Vec<u8>> = None;
        out.extend_from_slice(&[0; 4]);
        out.push(LAYOUT);
        out.extend_from_slice(&[0; 3]);
        for n in [self.header.instance, self.header.version, self.header.parent, self.header.children] {
            out.extend_from_slice(&n.to_le_bytes());
        }
        out.extend_from_slice(&self.header.position.to_le_bytes());
        put_count(&mut out, self.properties.len());
        for property in &self.properties {
            let start = out.len();
            out.extend_from_slice(&[0; 4]);
            let secret = is_secret(&property.name);
            let bit = if secret { SECRET_BIT } else { 0 };
            out.extend_from_slice(&(property.name.len() as u32 | bit).to_le_bytes());
            put_count(&mut out, property.values.len());
            out.extend_from_slice(&property.name);
            if secret {
                out[5] |= FLAG_SECRETS;
                put_values(secrets.get_or_insert_with(|| vec![0; 4]), &property.values);
            } else {
                for value in &property.values {
                    put_bytes(&mut out, value);
                }
            }
            let size = (out.len() - start - 4) as u32;
            out[start..start + 4].copy_from_slice(&size.to_le_bytes());
        }
        seal(object, &mut out);
        if let Some(secrets) = &mut secrets {
            seal(object, secrets);
        }
        Ok(Encoded { record: out, secrets })
    }
}

/// Refuses what no front-end could send back.
pub(crate) fn check_limits(properties: &[Property]) -> Result<()> {
    if properties.len() > LIST_LIMIT {
        return Err(Error::TooLarge { what: "the number of properties", limit: LIST_LIMIT });
    }
    let mut total = 0usize;
    for property in properties {
        if property.values.len() > LIST_LIMIT {
            return Err(Error::TooLarge { what: "the number of values of a property", limit: LIST_LIMIT });
        }
        for text in property.values.iter().chain([&property.name]) {
            if text.len() > NAME_LIMIT {
                return Err(Error::TooLarge { what: "a name or value", limit: NAME_LIMIT });
            }
            total += text.len() + 8;
        }
    }
    if total > RECORD_LIMIT {
        return Err(Error::TooLarge { what: "a directory", limit: RECORD_LIMIT });
    }
    Ok(())
}

fn put_count(out: &mut Vec<u8>, n: usize) {
    out.extend_from_slice(&(n as u32).to_le_bytes());
}

fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    put_count(out, bytes.len());
    out.extend_from_slice(bytes);
}

fn put_values(out: &mut Vec<u8>, values: &[Vec<u8>]) {
    put_count(out, values.len());
    for value in values {
        put_bytes(out, value);
    }
}

/// Writes the checksum, which covers the object id and everything behind the checksum.
pub(crate) fn seal(object: u32, bytes: &mut [u8]) {
    let sum = checksum(object, bytes);
    bytes[..4].copy_from_slice(&sum.to_le_bytes());
}

fn checksum(object: u32, bytes: &[u8]) -> u32 {
    crc32c::crc32c_append(crc32c::crc32c(&object.to_be_bytes()), &bytes[4..])
}

/// Whether `bytes` carry the right checksum for `object`.
pub(crate) fn sealed(object: u32, bytes: &[u8]) -> bool {
    bytes.len() >= 4 && u32_at(bytes, 0) == checksum(object, bytes)
}

/// Takes a length and that many bytes.
fn framed<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let (len, tail) = rest.split_at_checked(4)?;
    let (framed, tail) = tail.split_at_checked(u32_at(len, 0) as usize)?;
    *rest = tail;
    Some(framed)
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..at + 4).and_then(|b| b.try_into().ok()).map_or(0, u32::from_le_bytes)
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    bytes.get(at..at + 8).and_then(|b| b.try_into().ok()).map_or(0, u64::from_le_bytes)
}

/// How the values of secret properties come out of a record.
#[derive(Clone, Copy)]
pub(crate) enum Secrets<'a> {
    /// The reader is not entitled: a mask for each value.
    Masked,
    /// The stored values (the secrets table's bytes behind the checksum).
    Shown(&'a [u8]),
}

/// A directory as it lies in the store.
#[derive(Clone, Copy)]
pub struct RecordRef<'a> {
    object: u32,
    bytes: &'a [u8],
    secrets: Secrets<'a>,
}

impl<'a> RecordRef<'a> {
    /// Verifies the checksum and the layout version of stored bytes.
    pub(crate) fn parse(object: u32, bytes: &'a [u8]) -> Result<Self> {
        if bytes.len() < HEADER || !sealed(object, bytes) {
            return Err(Error::damaged(format!("record {object} fails its checksum")));
        }
        if bytes[4] != LAYOUT {
            return Err(Error::damaged(format!("record {object} has unknown layout {}", bytes[4])));
        }
        Ok(Self { object, bytes, secrets: Secrets::Masked })
    }

    /// Whether the properties fill the record, and the secrets what is given of them, to the last byte. A sealed record of
    /// which this is not so was written by a faulty program.
    pub(crate) fn is_well_formed(&self) -> bool {
        let secrets = match self.secrets {
            Secrets::Masked => &[],
            Secrets::Shown(bytes) => bytes,
        };
        let flags = u32::from(self.has_secrets());
        u32_at(self.bytes, 4) == u32::from(LAYOUT) | flags << 8 && self.filled(secrets).is_some()
    }

    fn filled(&self, mut secrets: &[u8]) -> Option<()> {
        let mut rest = self.bytes.get(HEADER..)?;
        let mut any_secret = false;
        for _ in 0..self.property_count() {
            let body = framed(&mut rest)?;
            let (word, count) = (u32_at(body, 0), u32_at(body, 4));
            let name_len = (word & !SECRET_BIT) as usize;
            let name = body.get(8..8 + name_len)?;
            let mut values = &body[8 + name_len..];
            if is_secret(name) != (word & SECRET_BIT != 0) {
                return None;
            }
            if is_secret(name) {
                any_secret = true;
                let (head, tail) = secrets.split_at_checked(4)?;
                secrets = tail;
                (u32_at(head, 0) == count).then_some(())?;
                (0..count).try_for_each(|_| framed(&mut secrets).map(drop))?;
            } else {
                (0..count).try_for_each(|_| framed(&mut values).map(drop))?;
            }
            values.is_empty().then_some(())?;
        }
        (rest.is_empty() && secrets.is_empty() && any_secret == self.has_secrets()).then_some(())
    }

    pub(crate) fn has_secrets(&self) -> bool {
        self.bytes[5] & FLAG_SECRETS != 0
    }

    pub(crate) fn with_secrets(mut self, secrets: Secrets<'a>) -> Self {
        self.secrets = secrets;
        self
    }

    pub(crate) fn header(&self) -> Header {
        Header {
            instance: u32_at(self.bytes, 8),
            version: u32_at(self.bytes, 12),
            parent: u32_at(self.bytes, 16),
            children: u32_at(self.bytes, 20),
            position: u64_at(self.bytes, 24),
        }
    }

    /// The record's bytes with other numbers in front.
    pub(crate) fn with_header(&self, header: Header) -> Vec<u8> {
        let mut bytes = self.bytes.to_vec();
        for (i, n) in
            [header.instance, header.version, header.parent, header.children].into_iter().enumerate()
        {
            bytes[8 + 4 * i..12 + 4 * i].copy_from_slice(&n.to_le_bytes());
        }
        bytes[24..32].copy_from_slice(&header.position.to_le_bytes());
        seal(self.object, &mut bytes);
        bytes
    }

    /// The directory's id with its current instance.
    #[must_use]
    pub fn id(&self) -> crate::model::Id {
        crate::model::Id { object: self.object, instance: u32_at(self.bytes, 8) }
    }

    /// Object id of the parent (the root is its own).
    #[must_use]
    pub fn parent(&self) -> u32 {
        u32_at(self.bytes, 16)
    }

    /// Number of children.
    #[must_use]
    pub fn child_count(&self) -> u32 {
        u32_at(self.bytes, 20)
    }

    /// Number of properties.
    #[must_use]
    pub fn property_count(&self) -> usize {
        u32_at(self.bytes, 32) as usize
    }

    /// The properties in order.
    #[must_use]
    pub fn properties(&self) -> Properties<'a> {
        let secrets = match self.secrets {
            Secrets::Masked => None,
            Secrets::Shown(bytes) => Some(bytes),
        };
        Properties {
            rest: self.bytes.get(HEADER..).unwrap_or_default(),
            left: self.property_count(),
            secrets,
        }
    }

    /// The first property called `name`.
    #[must_use]
    pub fn property(&self, name: &[u8]) -> Option<PropertyRef<'a>> {
        self.properties().find_named(name)
    }

    /// First value of the first property called `name`.
    #[must_use]
    pub fn first_value(&self, name: &[u8]) -> Option<&'a [u8]> {
        self.property(name)?.values.into_iter().next()
    }

    /// A copy to change.
    pub(crate) fn to_record(self) -> Record {
        let properties = self
            .properties()
            .map(|p| Property {
                name: p.name.to_vec(),
                values: p.values.into_iter().map(<[u8]>::to_vec).collect(),
            })
            .collect();
        Record { header: self.header(), properties }
    }
}

/// One property of a stored directory.
#[derive(Clone, Copy)]
pub struct PropertyRef<'a> {
    /// Name.
    pub name: &'a [u8],
    /// Values in order.
    pub values: Values<'a>,
    /// The values are password material.
    pub secret: bool,
}

/// Iterator over the properties of a stored directory.
#[derive(Clone)]
pub struct Properties<'a> {
    rest: &'a [u8],
    left: usize,
    /// What is left of the shown secrets.
    secrets: Option<&'a [u8]>,
}

impl<'a> Properties<'a> {
    /// The next one with this name, as `find` gives it. Of the others nothing but the names is looked at.
    fn find_named(&mut self, name: &[u8]) -> Option<PropertyRef<'a>> {
        while self.left > 0 {
            let (size, rest) = self.rest.split_at_checked(4)?;
            let (body, rest) = rest.split_at_checked(u32_at(size, 0) as usize)?;
            let word = u32_at(body, 0);
            let found = body.get(8..8 + (word & !SECRET_BIT) as usize)?;
            // Shown values of secret properties lie elsewhere, one behind the other.
            let counts = word & SECRET_BIT != 0 && self.secrets.is_some();
            if found == name {
                return self.next();
            } else if counts {
                self.next()?;
            } else {
                (self.rest, self.left) = (rest, self.left - 1);
            }
        }
        None
    }
}

impl<'a> Iterator for Properties<'a> {
    type Item = PropertyRef<'a>;

    fn next(&mut self) -> Option<PropertyRef<'a>> {
        if self.left == 0 {
            return None;
        }
        self.left -= 1;
        let size = u32_at(self.rest, 0) as usize;
        let body = self.rest.get(4..4 + size)?;
        self.rest = &self.rest[4 + size..];
        let word = u32_at(body, 0);
        let (secret, name_len) = (word & SECRET_BIT != 0, (word & !SECRET_BIT) as usize);
        let count = u32_at(body, 4) as usize;
        let name = body.get(8..8 + name_len)?;
        let values = match (secret, self.secrets) {
            (false, _) => Values::stored(&body[8 + name_len..], count),
            (true, None) => Values { source: Source::Mask, left: count },
            (true, Some(bytes)) => {
                let count = u32_at(bytes, 0) as usize;
                let values = Values::stored(bytes.get(4..).unwrap_or_default(), count);
                self.secrets = Some(values.after());
                values
            }
        };
        Some(PropertyRef { name, values, secret })
    }
}

#[derive(Clone, Copy)]
enum Source<'a> {
    Stored(&'a [u8]),
    Mask,
}

/// The values of a stored property; iterates without copying.
#[derive(Clone, Copy)]
pub struct Values<'a> {
    source: Source<'a>,
    left: usize,
}

impl<'a> Values<'a> {
    fn stored(bytes: &'a [u8], count: usize) -> Self {
        // Every value takes four bytes at least, so a damaged count cannot promise more than the bytes hold.
        Values { source: Source::Stored(bytes), left: count.min(bytes.len() / 4) }
    }

    /// Number of values.
    #[must_use]
    pub fn len(&self) -> usize {
        self.left
    }

    /// Whether there is no value.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.left == 0
    }

    /// Whether `value` is among them.
    #[must_use]
    pub fn contains(self, value: &[u8]) -> bool {
        self.into_iter().any(|v| v == value)
    }

    /// The bytes behind the last value.
    fn after(self) -> &'a [u8] {
        let mut iter = self;
        while iter.next().is_some() {}
        match iter.source {
            Source::Stored(rest) => rest,
            Source::Mask => &[],
        }
    }
}

impl<'a> Iterator for Values<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        if self.left == 0 {
            return None;
        }
        self.left -= 1;
        match self.source {
            Source::Mask => Some(MASK),
            Source::Stored(bytes) => {
                let len = u32_at(bytes, 0) as usize;
                let value = bytes.get(4..4 + len)?;
                self.source = Source::Stored(&bytes[4 + len..]);
                Some(value)
            }
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl ExactSizeIterator for Values<'_> {}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn properties() -> impl Strategy<Value = Vec<Property>> {
        let name = prop_oneof![
            Just(b"passwd".to_vec()),
            Just(b"name".to_vec()),
            proptest::collection::vec(any::<u8>(), 0..12)
        ];
        let values = proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..40), 0..6);
        proptest::collection::vec((name, values).prop_map(|(name, values)| Property { name, values }), 0..8)
    }

    proptest! {
        #[test]
        fn round_trip(properties in properties(), instance: u32, position: u64, object: u32) {
            let record = Record {
                header: Header { instance, version: 7, parent: 3, children: 2, position },
                properties,
            };
            let stored = record.encode(object).unwrap();
            let seen = RecordRef::parse(object, &stored.record).unwrap();
            prop_assert_eq!(seen.has_secrets(), stored.secrets.is_some());
            let shown = match &stored.secrets {
                Some(s) => { prop_assert!(sealed(object, s)); seen.with_secrets(Secrets::Shown(&s[4..])) }
                None => seen,
            };
            prop_assert!(shown.to_record() == record);
            let properties = &record.properties;
            prop_assert!(shown.is_well_formed());
            for record in [seen, shown] {
                for name in properties.iter().map(|property| &property.name[..]).chain([&b"other"[..]]) {
                    let told = |p: PropertyRef<'_>| (p.name.to_vec(), p.values.map(<[u8]>::to_vec).collect::<Vec<_>>());
                    let expected = record.properties().find(|property| property.name == name).map(told);
                    prop_assert_eq!(record.property(name).map(told), expected);
                }
            }
            let secrets = [stored.secrets.as_ref().map_or(&[][..], |s| &s[4..]), &[0]].concat();
            prop_assert!(!seen.with_secrets(Secrets::Shown(&secrets)).is_well_formed());
            let longer = [&stored.record[..], &[0]].concat();
            let longer = RecordRef { bytes: &longer, ..shown };
            prop_assert!(!longer.is_well_formed());
            for p in seen.properties().filter(|p| p.secret) {
                prop_assert!(p.values.into_iter().all(|v| v == MASK));
            }
        }

        #[test]
        fn garbage_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let mut bytes = bytes;
            prop_assert!(RecordRef::parse(1, &bytes).is_err() || bytes.len() >= HEADER);
            if bytes.len() >= HEADER {
                bytes[4] = LAYOUT;
                seal(1, &mut bytes);
                let record = RecordRef::parse(1, &bytes).unwrap().with_secrets(Secrets::Shown(&[1, 0]));
                let _ = record.is_well_formed();
                for p in record.properties() {
                    let values: Vec<_> = p.values.into_iter().collect();
                    prop_assert!(values.len() <= bytes.len());
                }
            }
        }

        #[test]
        fn one_flipped_bit_is_found(at in 0usize..60, bit in 0u8..8) {
            let record = Record { header: Header::default(), properties: vec![Property::new("name", ["alice"])] };
            let mut stored = record.encode(5).unwrap().record;
            let at = at % stored.len();
            stored[at] ^= 1 << bit;
            prop_assert!(RecordRef::parse(5, &stored).is_err());
            prop_assert!(RecordRef::parse(6, &record.encode(5).unwrap().record).is_err());
        }
    }

    #[test]
    fn limits_are_enforced() {
        let long = Property::new("name", [vec![b'x'; NAME_LIMIT + 1]]);
        assert!(matches!(check_limits(&[long]), Err(Error::TooLarge { .. })));
        let many = Property { name: b"v".to_vec(), values: vec![Vec::new(); LIST_LIMIT + 1] };
        assert!(matches!(check_limits(&[many]), Err(Error::TooLarge { .. })));
        let most = Property { name: b"v".to_vec(), values: vec![Vec::new(); LIST_LIMIT] };
        assert!(check_limits(&[most]).is_ok());
        assert!(check_limits(&vec![Property::default(); LIST_LIMIT + 1]).is_err());
        let big = Property {
            name: b"v".to_vec(),
            values: vec![vec![0; NAME_LIMIT]; RECORD_LIMIT / NAME_LIMIT + 1],
        };
        assert!(matches!(check_limits(&[big]), Err(Error::TooLarge { .. })));
    }
}
