//! Imports into domains of running servers: of this project's daemon by batches over its local socket, of any server by
//! the NetInfo protocol, one call after another.

use netinfo_client::Property as WireProperty;
use netinfo_client::control::Control;
use netinfo_client::domain::Domain;
use netinfo_directory::{Property, StampBuf};
use netinfo_wire::control::MAX_CHUNK;
use serde_json::{Value, json};

use crate::error::{Error, Result};
use crate::import::Target;
use crate::item::{Item, What, encode};
use crate::place::{Options, Placer, Tree};
use crate::report::{Done, Outcome};

/// An import into a domain of the daemon on this machine.
pub struct Daemon {
    control: Control,
    question: String,
    handle: Option<u64>,
    buffer: Vec<u8>,
}

impl Daemon {
    /// Into the domain `tag`.
    #[must_use]
    pub fn new(control: Control, tag: &str, options: &Options) -> Self {
        let question = json!({
            "op": "load",
            "domain": tag,
            "policy": options.policy.name(),
            "into": names_to_json(&options.into),
        });
        Self { control, question: question.to_string(), handle: None, buffer: Vec::new() }
    }
}

/// Names as JSON: hexadecimal, because they are bytes.
#[must_use]
pub fn names_to_json(names: &[Vec<u8>]) -> Value {
    let hex = |name: &Vec<u8>| name.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    names.iter().map(hex).collect()
}

/// From what [`names_to_json`] gives.
#[must_use]
pub fn names_from_json(value: &Value) -> Option<Vec<Vec<u8>>> {
    let name = |value: &Value| {
        let text = value.as_str()?;
        // A sign would be taken for a digit.
        if !text.len().is_multiple_of(2) || !text.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return None;
        }
        let digits = (0..text.len()).step_by(2).map(|at| u8::from_str_radix(text.get(at..at + 2)?, 16).ok());
        digits.collect::<Option<Vec<u8>>>()
    };
    value.as_array()?.iter().map(name).collect()
}

impl Target for Daemon {
    fn begin(&mut self) -> Result<()> {
        if self.handle.is_none() {
            self.handle = Some(self.control.begin_upload(self.question.as_bytes())?);
        }
        self.apply(vec![Item { line: 0, what: What::Begin }]).map(drop)
    }

    fn apply(&mut self, items: Vec<Item>) -> Result<Done> {
        let Some(handle) = self.handle else { return Err(Error::Invalid("no upload has begun".into())) };
        self.buffer.clear();
        items.iter().for_each(|item| encode(item, &mut self.buffer));
        let mut done = Done::default();
        for chunk in self.buffer.chunks(MAX_CHUNK as usize) {
            let answer = self.control.upload_chunk(handle, chunk)?;
            let answer: Value = serde_json::from_slice(&answer)
                .map_err(|_| Error::Invalid("the daemon's answer makes no sense".into()))?;
            done.add(Done::from_json(&answer));
        }
        Ok(done)
    }

    fn settle(&mut self) -> Result<Done> {
        // Before another stream begins, the daemon brings this one to its end.
        self.apply(vec![Item { line: 0, what: What::Begin }])
    }

    fn end(&mut self) -> Result<()> {
        if let Some(handle) = self.handle.take() {
            self.control.end_upload(handle)?;
        }
        Ok(())
    }
}

/// An import by the NetInfo protocol.
pub struct Calls<'d> {
    domain: &'d mut Domain,
    placer: Placer,
}

impl<'d> Calls<'d> {
    /// Into `domain`, with the rights its connection has.
    #[must_use]
    pub fn new(domain: &'d mut Domain, options: Options) -> Self {
        Self { domain, placer: Placer::new(options) }
    }
}

impl Target for Calls<'_> {
    fn begin(&mut self) -> Result<()> {
        self.placer.begin();
        Ok(())
    }

    fn apply(&mut self, items: Vec<Item>) -> Result<Done> {
        let mut done = Done::default();
        for item in items {
            match item.what {
                What::Directory(directory) => {
                    self.placer.put(&mut CallTree(self.domain), directory, item.line, &mut done)?;
                }
                What::Begin => self.placer.begin(),
                What::Entry(..) | What::Change(..) => {
                    let why = "LDAP entries are imported as root on the server itself";
                    done.tell(Outcome::Failed, item.line, "", vec![why.into()]);
                }
            }
        }
        Ok(done)
    }

    fn settle(&mut self) -> Result<Done> {
        Ok(Done::default())
    }

    fn end(&mut self) -> Result<()> {
        Ok(())
    }
}

/// A domain reached by calls, as a tree.
struct CallTree<'d>(&'d mut Domain);

fn sent(properties: Vec<Property>) -> Vec<WireProperty> {
    properties
        .into_iter()
        .map(|property| WireProperty { name: property.name, values: property.values })
        .collect()
}

impl Tree for CallTree<'_> {
    fn lookup(&mut self, parent: u32, key: &[u8], value: &[u8]) -> Result<Vec<u32>> {
        match self.0.lookup(parent, key, value) {
            Ok((found, _)) => Ok(found),
            Err(error) if error.is(netinfo_client::Status::NoDir) => Ok(Vec::new()),
            Err(error) => Err(error.into()),
        }
    }

    fn children(&mut self, parent: u32) -> Result<Vec<u32>> {
        Ok(self.0.children(parent)?.0)
    }

    fn properties(&mut self, object: u32) -> Result<Vec<Property>> {
        let (_, properties) = self.0.read(object)?;
        Ok(properties
            .into_iter()
            .map(|property| Property { name: property.name, values: property.values })
            .collect())
    }

    fn create(&mut self, parent: u32, properties: Vec<Property>) -> Result<u32> {
        Ok(self.0.create_child(parent, &sent(properties))?.id.object)
    }

    fn write(&mut self, object: u32, properties: Vec<Property>) -> Result<()> {
        let properties = sent(properties);
        self.0.edit(object, |domain, id, _| domain.write(id, &properties).map(drop))?;
        Ok(())
    }

    fn set_stamp(&mut self, _: u32, _: StampBuf) -> Result<()> {
        // The protocol knows none.
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_travel_as_hexadecimal() {
        let names = vec![b"users".to_vec(), vec![0xff, 0], Vec::new()];
        assert_eq!(names_from_json(&names_to_json(&names)), Some(names));
        assert_eq!(names_from_json(&json!(["7"])), None);
        assert_eq!(names_from_json(&json!(["zz"])), None);
        assert_eq!(names_from_json(&json!(["+f"])), None);
        assert_eq!(names_from_json(&json!("7573")), None);
    }
}
