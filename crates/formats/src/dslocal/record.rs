//! A record taken apart.

use std::fmt;

use plist::Value;

use super::plist::{read, write_binary};
use super::standard::native_name;
use crate::problem::{Problem, Reason, shown};

/// A record of a folder: one property list, and the files of hashes that belong to it.
#[derive(Clone, PartialEq)]
pub struct DsRecord {
    /// The folder it is in: `users`, `groups`, `config/SharePoints` …
    pub kind: String,
    /// The name of its file, behind the kind: `users/ana.plist`.
    pub file: String,
    /// The number of the file in the folder, from 1.
    pub number: u64,
    /// Names of properties and their values, in the order of the file.
    pub attributes: Vec<(String, Vec<DsValue>)>,
    pub(super) shadow_file: Option<Vec<u8>>,
    pub(super) samba_file: Option<Vec<u8>>,
}

/// A value of an attribute.
#[derive(Clone, PartialEq)]
pub enum DsValue {
    /// Text.
    Text(String),
    /// Bytes.
    Data(Vec<u8>),
    /// Anything else that a property list can hold, which DirectoryService ignores.
    Other(Opaque),
}

/// A number, a date, a truth value, or values inside values.
#[derive(Clone, PartialEq)]
pub struct Opaque(pub(super) Value);

impl DsRecord {
    /// Takes the content of a file apart.
    ///
    /// # Errors
    ///
    /// When it is no property list, or no dictionary. The problem has the number.
    pub fn parse(kind: &str, file: &str, number: u64, content: &[u8]) -> Result<Self, Problem> {
        let problem = |why| malformed(number, file, why);
        if content.is_empty() {
            return Err(no_record(number, file, "empty"));
        }
        let Value::Dictionary(dictionary) = read(content).map_err(problem)? else {
            return Err(problem("not a dictionary"));
        };
        let mut attributes: Vec<(String, Vec<DsValue>)> = Vec::with_capacity(dictionary.len());
        for (key, value) in dictionary {
            let values = match value {
                Value::Array(values) => values.into_iter().map(DsValue::of).collect(),
                single => vec![DsValue::of(single)],
            };
            let name = native_name(kind, &key).into_owned();
            match attributes.iter_mut().find(|(known, _)| *known == name) {
                Some((_, known)) => known.extend(values),
                None => attributes.push((name, values)),
            }
        }
        let (kind, file) = (kind.to_owned(), file.to_owned());
        Ok(Self { kind, file, number, attributes, shadow_file: None, samba_file: None })
    }

    /// With the content of the hash file of 10.3 to 10.6.
    #[must_use]
    pub fn with_shadow_file(self, digits: Vec<u8>) -> Self {
        Self { shadow_file: Some(digits), ..self }
    }

    /// With the content of the hash file of 10.2.
    #[must_use]
    pub fn with_samba_file(self, digits: Vec<u8>) -> Self {
        Self { samba_file: Some(digits), ..self }
    }

    /// The values of an attribute; empty if the record does not have it.
    pub fn values(&self, name: &str) -> &[DsValue] {
        self.attributes.iter().find(|(known, _)| known == name).map_or(&[], |(_, values)| values)
    }

    /// The first value of an attribute, if it is text.
    pub fn text(&self, name: &str) -> Option<&str> {
        match self.values(name).first() {
            Some(DsValue::Text(text)) => Some(text),
            _ => None,
        }
    }

    /// The first value of an attribute, if it is data.
    pub(super) fn data(&self, name: &str) -> Option<&[u8]> {
        match self.values(name).first() {
            Some(DsValue::Data(data)) => Some(data),
            _ => None,
        }
    }

    /// A problem of the record.
    pub(super) fn problem(&self, why: &str) -> Problem {
        malformed(self.number, &self.file, why)
    }
}

pub(super) fn malformed(number: u64, file: &str, why: &str) -> Problem {
    Reason::Malformed(said(file, why)).at(number, "file")
}

/// A file that is there by accident.
pub(super) fn no_record(number: u64, file: &str, why: &str) -> Problem {
    Reason::NoRecord(said(file, why)).at(number, "file")
}

fn said(file: &str, why: &str) -> String {
    format!("{}: {why}", shown(file.as_bytes()))
}

impl DsValue {
    fn of(value: Value) -> Self {
        match value {
            Value::String(text) => Self::Text(text),
            Value::Data(data) => Self::Data(data),
            other => Self::Other(Opaque(other)),
        }
    }

    /// As a value of a NetInfo property; numbers, dates and truth values as text. `None` for what holds values itself.
    pub(super) fn bytes(&self) -> Option<Vec<u8>> {
        Some(match self {
            Self::Text(text) => text.clone().into_bytes(),
            Self::Data(data) => data.clone(),
            Self::Other(Opaque(value)) => match value {
                Value::Integer(number) => number.to_string().into_bytes(),
                Value::Real(number) => number.to_string().into_bytes(),
                Value::Boolean(truth) => u8::from(*truth).to_string().into_bytes(),
                Value::Date(date) => date.to_xml_format().into_bytes(),
                _ => return None,
            },
        })
    }
}

impl Opaque {
    /// As a binary property list.
    pub fn to_binary(&self) -> Vec<u8> {
        write_binary(&self.0).unwrap_or_default()
    }
}

impl fmt::Debug for Opaque {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(neither text nor data)")
    }
}

/// Without the text: it may be secret.
impl fmt::Debug for DsValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => write!(f, "{} bytes of text", text.len()),
            Self::Data(data) => write!(f, "{} bytes", data.len()),
            Self::Other(other) => other.fmt(f),
        }
    }
}

impl fmt::Debug for DsRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ", self.file)?;
        f.debug_map().entries(self.attributes.iter().map(|(name, values)| (name, values))).finish()
    }
}
