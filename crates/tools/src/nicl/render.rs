//! Records as text.

use netinfo_formats::nidb::{Attribute, Datum, StoredRecord, kind};

use super::path::Naming;
use super::store::Store;
use super::x500::path_of;

/// Writes records.
pub(super) struct Renderer<'s> {
    pub(super) store: &'s mut dyn Store,
    pub(super) naming: Naming,
    /// From 1 on with everything that a record has besides its properties.
    pub(super) verbosity: u8,
}

impl Renderer<'_> {
    /// A whole record.
    pub(super) fn record(&mut self, record: &StoredRecord) -> Vec<u8> {
        let mut text = Vec::new();
        if self.verbosity == 0 {
            for attribute in &record.attributes {
                self.line(&mut text, b"", attribute);
            }
            for meta in &record.metas {
                self.line(&mut text, b"_", meta);
            }
            return text;
        }
        let StoredRecord { id, version, serial, parent, children, .. } = record;
        text.extend(
            format!("Record: {id}   Version: {version}   Serial: {serial}\nParent: {parent}\n").bytes(),
        );
        if !children.is_empty() {
            text.extend(format!("Children ({}):", children.len()).bytes());
            children.iter().for_each(|child| text.extend(format!(" {child}").bytes()));
            text.push(b'\n');
        }
        if !record.attributes.is_empty() {
            text.extend_from_slice(b"Attributes:\n");
            for attribute in &record.attributes {
                self.line(&mut text, b"    ", attribute);
            }
        }
        if !record.metas.is_empty() {
            text.extend_from_slice(b"Meta-attributes:\n");
            for meta in &record.metas {
                self.line(&mut text, b"    _", meta);
            }
        }
        text
    }

    /// `KEY: v1 v2`, with something before it.
    pub(super) fn line(&mut self, text: &mut Vec<u8>, before: &[u8], attribute: &Attribute) {
        text.extend_from_slice(before);
        text.extend(self.value(&attribute.key));
        text.push(b':');
        for value in &attribute.values {
            text.push(b' ');
            text.extend(self.value(value));
        }
        text.push(b'\n');
    }

    fn value(&mut self, value: &Datum) -> Vec<u8> {
        let text = value.bytes();
        match value.kind {
            kind::STRING | kind::CASELESS_STRING => text.into_owned(),
            kind::UTF8 | kind::CASELESS_UTF8 if text.is_ascii() => text.into_owned(),
            kind::NIL => b"(nil)".to_vec(),
            kind::BLOB => with_bytes("(blob)", &value.data),
            kind::BOOLEAN => {
                let yes = value.data.iter().any(|byte| *byte != 0);
                if yes { b"(bool) YES".to_vec() } else { b"(bool) NO".to_vec() }
            }
            kind::INTEGER if value.number().is_some() => [b"(int) ", &*text].concat(),
            kind::UNSIGNED if value.number().is_some() => [b"(uint) ", &*text].concat(),
            kind::FLOAT => match <[u8; 4]>::try_from(value.data.as_slice()) {
                Ok(bytes) => format!("(float) {:.6}", f32::from_be_bytes(bytes)).into_bytes(),
                Err(_) => with_bytes("(float)", &value.data),
            },
            kind::DIRECTORY_ID => self.directory(value),
            other => with_bytes(&format!("({other})"), &value.data),
        }
    }

    /// A directory that a value names.
    fn directory(&mut self, value: &Datum) -> Vec<u8> {
        let id = value.number().and_then(|number| u32::try_from(number).ok());
        match id {
            Some(id) if self.store.fetch(id).is_ok() => path_of(self.store, id, self.naming),
            Some(id) => format!("DSID={id}").into_bytes(),
            None => with_bytes("(DSID)", &value.data),
        }
    }
}

/// A word, then bytes in hexadecimal.
fn with_bytes(word: &str, bytes: &[u8]) -> Vec<u8> {
    let mut text = word.to_owned();
    bytes.iter().for_each(|byte| text.push_str(&format!(" 0x{byte:x}")));
    text.into_bytes()
}
