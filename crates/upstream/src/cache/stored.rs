//! The form in which a memory is kept on disk: XDR, inside a [`file`](crate::file).
//!
//! ```text
//! stamp:    bool, and if true u64 stamp, u64 when
//! answers:  u32 count, each: opaque table, opaque key, opaque value, kept
//! listings: u32 count, each: opaque table, bool complete, kept
//! kept:     u64 when, bool and if true u64 stamp, u32 count, each an item
//! item:     u64 id, u32 properties, each: opaque name, u32 values, each opaque
//! ```

use std::sync::Arc;

use netinfo_directory::Property;
use netinfo_lookup::Table;
use netinfo_wire::xdr::{Error, Reader, put_bool, put_opaque, put_u32, put_u64};

use crate::cache::{Cache, Kept, Listing};
use crate::item::{Item, Question};
use crate::limits::{MAX_ANSWERS, MAX_BYTES, MAX_LISTED};

/// Longest string: none that is remembered is longer.
const MAX_STRING: u32 = MAX_BYTES as u32;
/// Most properties of a record, most values of one: as many as there can be, for each counts 24 bytes of [`MAX_BYTES`].
const MAX_LIST: u32 = MAX_BYTES as u32 / 16;

impl Cache {
    /// Appends what is remembered.
    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        put_optional(out, self.stamp.map(|(stamp, _)| stamp));
        if let Some((_, found)) = self.stamp {
            put_u64(out, found);
        }
        put_u32(out, count(self.answers.len()));
        for (question, kept) in &self.answers {
            put_opaque(out, question.table.directory().as_bytes());
            put_opaque(out, &question.key);
            put_opaque(out, &question.value);
            put_kept(out, kept);
        }
        put_u32(out, count(self.lists.len()));
        for (table, list) in &self.lists {
            put_opaque(out, table.directory().as_bytes());
            put_bool(out, list.complete);
            put_kept(out, &list.kept);
        }
    }

    /// Reads what [`Cache::encode`] wrote.
    ///
    /// # Errors
    /// When it is not that.
    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, Error> {
        let mut r = Reader::new(bytes);
        let mut cache = Self::default();
        if let Some(stamp) = read_optional(&mut r)? {
            cache.stamp = Some((stamp, r.u64()?));
        }
        for _ in 0..r.count(MAX_ANSWERS as u32, 28)? {
            let table = Table::of_directory(r.opaque(MAX_STRING)?);
            let (key, value) = (r.opaque(MAX_STRING)?.to_vec(), r.opaque(MAX_STRING)?.to_vec());
            let kept = read_kept(&mut r)?;
            if let Some(table) = table {
                cache.answers.insert(Question { table, key, value }, kept);
            }
        }
        for _ in 0..r.count(Table::ALL.len() as u32, 24)? {
            let table = Table::of_directory(r.opaque(MAX_STRING)?);
            let complete = r.bool()?;
            let kept = read_kept(&mut r)?;
            if let Some(table) = table {
                cache.lists.insert(table, Listing::new(kept, complete));
            }
        }
        r.finish()?;
        cache.count();
        Ok(cache)
    }
}

fn count(len: usize) -> u32 {
    u32::try_from(len).unwrap_or(u32::MAX)
}

fn put_optional(out: &mut Vec<u8>, number: Option<u64>) {
    put_bool(out, number.is_some());
    if let Some(number) = number {
        put_u64(out, number);
    }
}

fn read_optional(r: &mut Reader<'_>) -> Result<Option<u64>, Error> {
    r.bool()?.then(|| r.u64()).transpose()
}

fn put_kept(out: &mut Vec<u8>, kept: &Kept) {
    put_u64(out, kept.at);
    put_optional(out, kept.stamp);
    put_u32(out, count(kept.items.len()));
    for item in kept.items.iter() {
        put_u64(out, item.id);
        put_u32(out, count(item.properties.len()));
        for property in &item.properties {
            put_opaque(out, &property.name);
            put_u32(out, count(property.values.len()));
            property.values.iter().for_each(|value| put_opaque(out, value));
        }
    }
}

fn read_kept(r: &mut Reader<'_>) -> Result<Kept, Error> {
    let at = r.u64()?;
    let stamp = read_optional(r)?;
    let mut items = Vec::new();
    for _ in 0..r.count(MAX_LISTED as u32, 12)? {
        let id = r.u64()?;
        let mut properties = Vec::new();
        for _ in 0..r.count(MAX_LIST, 8)? {
            let name = r.opaque(MAX_STRING)?.to_vec();
            let mut values = Vec::new();
            for _ in 0..r.count(MAX_LIST, 4)? {
                values.push(r.opaque(MAX_STRING)?.to_vec());
            }
            properties.push(Property { name, values });
        }
        // Whatever is in the file, no secret comes out of it.
        items.push(Arc::new(Item::new(id, properties)));
    }
    Ok(Kept { items: items.into(), at, stamp, outdated: false })
}
