//! Records as JSON, one a line, with nothing lost: for programs that look at every record by itself.
//!
//! ```json
//! {"record":0,"path":"/","id":0,"instance":4,"properties":[["master",["alpha/local"]]]}
//! {"record":1,"parent":0,"path":"/users","id":3,"instance":1,"properties":[["name",["users"]]]}
//! {"record":2,"parent":1,"path":"/users/ana","id":7,"instance":2,"properties":[["name",["ana"]],["uid",["501"]]]}
//! ```
//!
//! | field | means |
//! |---|---|
//! | `record` | number of the record in the file; always there if other records stand below it, and each greater than the one before |
//! | `parent` | the `record` of the directory that it stands below; its line comes before |
//! | `in` | instead of `parent`: the container that it stands in (`users`, `groups` …); formats of single files have only this |
//! | `path` | where it stands, by first names, for people; not read |
//! | `id`, `instance` | what it was known by where it comes from; both or neither |
//! | `properties` | names with their values, in order; names may be there more than once |
//!
//! A record with neither `parent` nor `in` is the root of the stream. A name or value is a string, or if its bytes are not
//! UTF-8 an object: `{"hex":"ff00"}`. Fields may stand in any order; other fields are a problem, so that nothing is lost
//! silently. Blank lines are passed over. A record whose `parent` had a problem is a problem too.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::io::{self, BufRead, ErrorKind, Write};

use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};

use crate::containers::container;
use crate::problem::{Problem, Reason};
use crate::record::{Identity, Place, Record};
use crate::writer::{Loss, RecordWriter};

/// Longest line that is read, in bytes without its end.
pub const MAX_RECORD_BYTES: usize = 64 << 20;

/// A name or a value.
#[derive(Deserialize)]
#[serde(untagged, deny_unknown_fields)]
enum Bytes {
    Text(String),
    Bytes { hex: String },
}

/// What a line has.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Fields {
    #[serde(default)]
    record: Option<u64>,
    #[serde(default)]
    parent: Option<u64>,
    #[serde(default, rename = "in")]
    container: Option<String>,
    #[serde(default)]
    #[allow(dead_code, reason = "for people")]
    path: Option<IgnoredAny>,
    #[serde(default)]
    id: Option<u32>,
    #[serde(default)]
    instance: Option<u32>,
    properties: Vec<(Bytes, Vec<Bytes>)>,
}

/// Reads records.
#[derive(Debug)]
pub struct Reader<R> {
    input: R,
    line: u64,
    buffer: Vec<u8>,
    /// By the number in the file, that in the stream: lines may be missing.
    numbers: HashMap<u64, u64>,
    /// Records that have been given out.
    count: u64,
    failed: bool,
}

impl<R: BufRead> Reader<R> {
    /// Reads to the end of the input.
    pub fn new(input: R) -> Self {
        Self { input, line: 0, buffer: Vec::new(), numbers: HashMap::new(), count: 0, failed: false }
    }

    /// Reads a line into the buffer; `None` at the end.
    fn fill(&mut self) -> Option<Result<(), Reason>> {
        self.buffer.clear();
        let (mut started, mut too_long) = (false, false);
        while !self.failed {
            let chunk = match self.input.fill_buf() {
                Ok(chunk) => chunk,
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => {
                    self.failed = true;
                    self.line += 1;
                    return Some(Err(Reason::Unreadable(error.kind())));
                }
            };
            if chunk.is_empty() {
                break;
            }
            self.line += u64::from(!std::mem::replace(&mut started, true));
            let end = memchr::memchr(b'\n', chunk);
            let part = &chunk[..end.unwrap_or(chunk.len())];
            too_long |= self.buffer.len() + part.len() > MAX_RECORD_BYTES;
            if !too_long {
                self.buffer.extend_from_slice(part);
            }
            let used = part.len() + usize::from(end.is_some());
            self.input.consume(used);
            if end.is_some() {
                break;
            }
        }
        match (started, too_long) {
            (false, _) => None,
            (true, true) => Some(Err(Reason::Malformed(format!("longer than {MAX_RECORD_BYTES} bytes")))),
            (true, false) => Some(Ok(())),
        }
    }

    fn record(&mut self) -> Result<Record, Problem> {
        let at = |field, what: &str| Reason::Malformed(what.to_owned()).at(self.line, field);
        let fields: Fields = serde_json::from_slice(&self.buffer).map_err(|error| {
            // The words of the library may quote what was read.
            let what = if error.is_data() { "not a record" } else { "not JSON" };
            at("line", &format!("{what}, at column {}", error.column()))
        })?;
        let place = match (fields.parent, &fields.container) {
            (None, None) => Place::Root,
            (Some(parent), None) => match self.numbers.get(&parent) {
                Some(number) => Place::Below(*number),
                None => return Err(at("parent", &format!("there is no record {parent} before it"))),
            },
            (None, Some(name)) => {
                Place::In(container(name).ok_or_else(|| at("in", "not a known container"))?)
            }
            (Some(_), Some(_)) => return Err(at("parent", "stands there together with in")),
        };
        let identity = match (fields.id, fields.instance) {
            (None, None) => None,
            (Some(object), Some(instance)) => Some(Identity { object, instance }),
            _ => return Err(at("id", "id and instance belong together")),
        };
        let mut properties = Vec::with_capacity(fields.properties.len());
        for (name, values) in fields.properties {
            let name =
                bytes(name).ok_or_else(|| at("properties", "hex is not pairs of hexadecimal digits"))?;
            let values: Option<Vec<_>> = values.into_iter().map(bytes).collect();
            let values = values.ok_or_else(|| at("properties", "hex is not pairs of hexadecimal digits"))?;
            properties.push((name, values));
        }
        if let Some(number) = fields.record {
            match self.numbers.entry(number) {
                // What stands below is below the first.
                Entry::Occupied(_) => return Err(at("record", &format!("a second {number}"))),
                Entry::Vacant(entry) => entry.insert(self.count),
            };
        }
        self.count += 1;
        Ok(Record { place, properties, identity, line: self.line })
    }
}

impl<R: BufRead> Iterator for Reader<R> {
    type Item = Result<Record, Problem>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            match self.fill()? {
                Err(reason) => return Some(Err(reason.at(self.line, "line"))),
                Ok(()) if self.buffer.trim_ascii().is_empty() => {}
                Ok(()) => return Some(self.record()),
            }
        }
    }
}

fn bytes(text: Bytes) -> Option<Vec<u8>> {
    let hex = match text {
        Bytes::Text(text) => return Some(text.into_bytes()),
        Bytes::Bytes { hex } => hex,
    };
    crate::hex::decode(hex.as_bytes())
}

/// Writes records as they come.
#[derive(Debug)]
pub struct Writer<W> {
    output: W,
    /// The directories from the root to the last one that was written, as far as the records came depth first: their
    /// numbers and paths.
    open: Vec<(u64, String)>,
    count: u64,
}

impl<W: Write> Writer<W> {
    /// Lines are written one by one: a buffered output is faster.
    pub const fn new(output: W) -> Self {
        Self { output, open: Vec::new(), count: 0 }
    }

    /// Gives the output back.
    pub fn into_inner(self) -> W {
        self.output
    }

    /// The path of a record by the first values of `name`, if what is above it has one.
    fn path(&mut self, record: &Record) -> Option<String> {
        let path = match record.place {
            Place::Root => "/".to_owned(),
            Place::In(container) => format!("/{container}/{}", component(record)?),
            Place::Below(parent) => {
                while self.open.last().is_some_and(|(number, _)| *number != parent) {
                    self.open.pop();
                }
                let (_, above) = self.open.last()?;
                format!("{}/{}", above.trim_end_matches('/'), component(record)?)
            }
        };
        self.open.push((self.count, path.clone()));
        Some(path)
    }
}

impl<W: Write> RecordWriter for Writer<W> {
    fn write(&mut self, record: &Record, _: &mut Vec<Loss>) -> io::Result<()> {
        let path = self.path(record);
        let properties = record.properties.iter();
        let fields = Written {
            record: self.count,
            parent: match record.place {
                Place::Below(parent) => Some(parent),
                Place::Root | Place::In(_) => None,
            },
            container: record.container(),
            path,
            id: record.identity.map(|identity| identity.object),
            instance: record.identity.map(|identity| identity.instance),
            properties: properties
                .map(|(name, values)| (shown(name), values.iter().map(|v| shown(v)).collect()))
                .collect(),
        };
        self.count += 1;
        serde_json::to_writer(&mut self.output, &fields)?;
        self.output.write_all(b"\n")
    }

    fn finish(&mut self, _: &mut Vec<Loss>) -> io::Result<()> {
        self.output.flush()
    }
}

/// [`Fields`] without copies.
#[derive(Serialize)]
struct Written<'a> {
    record: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    parent: Option<u64>,
    #[serde(rename = "in", skip_serializing_if = "Option::is_none")]
    container: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    instance: Option<u32>,
    properties: Vec<(Shown<'a>, Vec<Shown<'a>>)>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Shown<'a> {
    Text(&'a str),
    Bytes { hex: String },
}

fn shown(bytes: &[u8]) -> Shown<'_> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Shown::Text(text),
        Err(_) => Shown::Bytes { hex: crate::hex::encode(bytes) },
    }
}

/// The first name in a path: slashes and backslashes are escaped. `None` for records without a name in UTF-8.
fn component(record: &Record) -> Option<String> {
    let name = std::str::from_utf8(record.first("name")?).ok()?;
    Some(name.replace('\\', "\\\\").replace('/', "\\/"))
}
