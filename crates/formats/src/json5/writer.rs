//! Records into nodes.

use std::collections::{HashMap, HashSet};
use std::io::{self, ErrorKind, Write};

use crate::hex;
use crate::record::{Identity, Place, Record};
use crate::writer::{Loss, RecordWriter};

/// Writes a domain file, one node a line.
#[derive(Debug)]
pub struct Writer<W> {
    output: W,
    tag: String,
    name: String,
    /// The ids of the records that have come, by their numbers.
    ids: Vec<u32>,
    used: HashSet<u32>,
    /// The id that is tried next for records without one.
    next: u32,
    root: Option<u32>,
    containers: HashMap<&'static str, u32>,
    /// The head of the file has been written.
    started: bool,
    /// Nodes that have been written.
    nodes: u64,
}

impl<W: Write> Writer<W> {
    /// Of a domain with this tag, which people call `name`.
    pub fn new(output: W, tag: &str, name: &str) -> Self {
        Self {
            output,
            tag: tag.to_owned(),
            name: name.to_owned(),
            ids: Vec::new(),
            used: HashSet::new(),
            next: 0,
            root: None,
            containers: HashMap::new(),
            started: false,
            nodes: 0,
        }
    }

    /// Gives the output back.
    pub fn into_inner(self) -> W {
        self.output
    }

    fn begin(&mut self) -> io::Result<()> {
        if !std::mem::replace(&mut self.started, true) {
            let (tag, name) = (quoted(&self.tag)?, quoted(&self.name)?);
            write!(
                self.output,
                "{{\n  \"version\": 1,\n  \"domain\": {{\"tag\": {tag}, \"name\": {name}}},\n  \"nodes\": ["
            )?;
        }
        Ok(())
    }

    /// An id that no record has had.
    fn free(&mut self) -> u32 {
        while !self.used.insert(self.next) {
            self.next = self.next.wrapping_add(1);
        }
        self.next
    }

    /// The root, which is made if no record was one.
    fn root(&mut self) -> io::Result<u32> {
        if let Some(root) = self.root {
            return Ok(root);
        }
        let root = self.free();
        self.root = Some(root);
        self.node(Identity { object: root, instance: 0 }, root, &[])?;
        Ok(root)
    }

    fn container(&mut self, name: &'static str) -> io::Result<u32> {
        if let Some(id) = self.containers.get(name) {
            return Ok(*id);
        }
        let root = self.root()?;
        let id = self.free();
        self.containers.insert(name, id);
        self.node(Identity { object: id, instance: 0 }, root, &[(b"name".to_vec(), vec![name.into()])])?;
        Ok(id)
    }

    fn node(
        &mut self,
        identity: Identity,
        parent: u32,
        properties: &[(Vec<u8>, Vec<Vec<u8>>)],
    ) -> io::Result<()> {
        self.begin()?;
        let Identity { object, instance } = identity;
        self.output.write_all(if self.nodes == 0 { b"\n" } else { b",\n" })?;
        self.nodes += 1;
        write!(
            self.output,
            "    {{\"id\": {object}, \"instance\": {instance}, \"parent\": {parent}, \"properties\": "
        )?;
        let mut names = HashSet::new();
        let is_object = properties.iter().all(|(name, _)| str::from_utf8(name).is_ok() && names.insert(name));
        self.output.write_all(if is_object { b"{" } else { b"[" })?;
        for (number, (name, values)) in properties.iter().enumerate() {
            let comma = if number == 0 { "" } else { ", " };
            let (open, between, close) = if is_object { ("", ":", "") } else { ("[", ",", "]") };
            write!(self.output, "{comma}{open}{}{between} [", text(name)?)?;
            for (number, value) in values.iter().enumerate() {
                write!(self.output, "{}{}", if number == 0 { "" } else { ", " }, text(value)?)?;
            }
            write!(self.output, "]{close}")?;
        }
        self.output.write_all(if is_object { b"}}" } else { b"]}" })
    }
}

impl<W: Write> RecordWriter for Writer<W> {
    fn write(&mut self, record: &Record, losses: &mut Vec<Loss>) -> io::Result<()> {
        let parent = match record.place {
            Place::Root if self.root.is_some() => {
                return Err(io::Error::new(ErrorKind::InvalidInput, "a second root"));
            }
            Place::Root => None,
            Place::In(container) => Some(self.container(container)?),
            Place::Below(number) => {
                let id = usize::try_from(number).ok().and_then(|number| self.ids.get(number));
                let Some(id) = id else {
                    return Err(io::Error::new(
                        ErrorKind::InvalidInput,
                        "a record below one that has not come",
                    ));
                };
                Some(*id)
            }
        };
        let identity = match record.identity {
            Some(identity) if self.used.insert(identity.object) => identity,
            Some(identity) => {
                let why = "its id is taken, it gets another one";
                losses.push(Loss { line: record.line, property: Vec::new(), why });
                Identity { object: self.free(), ..identity }
            }
            None => Identity { object: self.free(), instance: 0 },
        };
        if parent.is_none() {
            self.root = Some(identity.object);
        }
        self.ids.push(identity.object);
        self.node(identity, parent.unwrap_or(identity.object), &record.properties)
    }

    fn finish(&mut self, _: &mut Vec<Loss>) -> io::Result<()> {
        self.begin()?;
        self.output.write_all(if self.nodes == 0 { b"]\n}\n" } else { b"\n  ]\n}\n" })?;
        self.output.flush()
    }
}

/// A string, or an object of bytes that are none.
fn text(bytes: &[u8]) -> io::Result<String> {
    match str::from_utf8(bytes) {
        Ok(text) => quoted(text),
        Err(_) => Ok(format!("{{\"hex\": \"{}\"}}", hex::encode(bytes))),
    }
}

fn quoted(text: &str) -> io::Result<String> {
    serde_json::to_string(text).map_err(io::Error::from)
}
