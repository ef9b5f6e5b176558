//! A flat file into a category.

use netinfo_client::domain::{INDEX_NULL, ROOT};
use netinfo_client::{Domain, Error, Id, Property, Result, Status};
use netinfo_formats::flat::tool::Load;
use netinfo_formats::{Problem, Reason};

use super::Options;
use crate::handle::Handle;
use crate::io::Io;
use crate::path::destroy;
use crate::status::text;
use crate::text::{first, property_line};

/// An entry of the input: its properties, sorted by name.
pub(super) type Item = Vec<Property>;

/// All entries of the input. Lines that are none are passed over without a word, as scripts expect.
///
/// # Errors
/// If the input cannot be read.
pub(super) fn items(format: Load, io: &mut Io<'_>) -> Result<Vec<Item>, Problem> {
    let mut items = Vec::new();
    for record in format.read(&mut *io.stdin) {
        match record {
            Ok(record) => {
                items.push(
                    record.properties.into_iter().map(|(name, values)| Property { name, values }).collect(),
                );
            }
            Err(problem) if matches!(problem.reason, Reason::Unreadable(_)) => return Err(problem),
            Err(_) => {}
        }
    }
    Ok(items)
}

/// A load under way.
pub(super) struct Loading<'l, 'i> {
    /// Path of the category.
    directory: String,
    options: &'l Options,
    handle: &'l mut Handle,
    io: &'l mut Io<'i>,
}

/// What is to happen to an item.
enum Fate {
    New,
    Replace(u32),
    Merge(u32),
}

impl<'l, 'i> Loading<'l, 'i> {
    pub(super) fn new(
        format: Load,
        options: &'l Options,
        handle: &'l mut Handle,
        io: &'l mut Io<'i>,
    ) -> Self {
        Self { directory: format!("/{}", format.container()), options, handle, io }
    }

    /// Brings the items in.
    ///
    /// # Errors
    /// The line to print.
    pub(super) fn run(mut self, items: &[Item]) -> Result<(), Vec<u8>> {
        self.tell(|| format!("{} items read from input\n", items.len()).into_bytes());
        if items.is_empty() {
            return Ok(());
        }
        let name = self.directory.trim_start_matches('/').as_bytes().to_vec();
        if let Err(error) = self.handle.go_to_master() {
            return Err(self.failure("access NetInfo directory", &error));
        }
        if self.options.delete {
            self.delete(&name)?;
        }
        let mut directory = self.container(&name)?;
        for item in items {
            let Some(name) = first(item, b"name") else {
                self.io.err("input item has no name - ignored\n");
                continue;
            };
            let path = [self.directory.as_bytes(), b"/", &escaped(name)].concat();
            directory = self.item(directory, item, name, &path).map_err(|error| {
                [b"niload: can't update NetInfo ", &path[..], b": ", text(&error).as_bytes()].concat()
            })?;
        }
        Ok(())
    }

    /// Destroys the category.
    fn delete(&mut self, name: &[u8]) -> Result<(), Vec<u8>> {
        // Spelled as it has always been.
        let line = format!("Deleting exiting NetInfo directory {}\n", self.directory);
        self.tell(|| line.into_bytes());
        let deleted = self.handle.domain().and_then(|domain| {
            let object = domain.lookup_first(ROOT, b"name", name)?;
            destroy(domain, object)
        });
        deleted.map_err(|error| self.failure("delete NetInfo directory", &error))
    }

    /// The category, made if it is missing.
    fn container(&mut self, name: &[u8]) -> Result<Id, Vec<u8>> {
        let found = self.handle.domain().and_then(|domain| domain.lookup_first(ROOT, b"name", name));
        let object = match found {
            Ok(object) => object,
            Err(error) if error.is(Status::NoDir) => {
                let line = format!("Creating NetInfo directory {}\n", self.directory);
                self.tell(|| line.into_bytes());
                let made = self
                    .handle
                    .domain()
                    .and_then(|domain| domain.create_child(ROOT, &[Property::new("name", [name])]));
                made.map_err(|error| self.failure("create NetInfo directory", &error))?.id.object
            }
            Err(error) => return Err(self.failure("access NetInfo directory", &error)),
        };
        let mut count = 0_usize;
        let listed = self.handle.domain().and_then(|domain| {
            let (children, id) = domain.children(object)?;
            count = children.len();
            Ok(id)
        });
        let id = listed.map_err(|error| self.failure("list NetInfo", &error))?;
        let line = format!("Netinfo {} contains {count} items\n", self.directory);
        self.tell(|| line.into_bytes());
        Ok(id)
    }

    /// Brings one item in and returns the category's new id.
    fn item(&mut self, directory: Id, item: &Item, name: &[u8], path: &[u8]) -> Result<Id> {
        let domain = self.handle.domain()?;
        let fate = match domain.lookup_first(directory.object, b"name", name) {
            Ok(object) if self.options.merge => Fate::Merge(object),
            Ok(object) => Fate::Replace(object),
            Err(error) if error.is(Status::NoDir) => Fate::New,
            Err(error) => return Err(error),
        };
        self.tell(|| {
            let mut told = b"\nProcessing input item:\n".to_vec();
            item.iter().for_each(|property| property_line(&mut told, property));
            let doing: &[u8] = match fate {
                Fate::New => b"\nwriting new directory ",
                Fate::Replace(_) => b"\nwriting directory ",
                Fate::Merge(_) => b"\nmerging directory ",
            };
            [&told[..], doing, path, b"\n"].concat()
        });
        let domain = self.handle.domain()?;
        match fate {
            Fate::New => create(domain, directory, item),
            Fate::Replace(object) => {
                domain.edit(object, |domain, id, _| domain.write(id, item)).map(|_| directory)
            }
            Fate::Merge(object) => {
                domain.edit(object, |domain, id, old| domain.write(id, &merged(item, old))).map(|_| directory)
            }
        }
    }

    fn failure(&self, what: &str, error: &Error) -> Vec<u8> {
        format!("niload: can't {what} {}: {}", self.directory, text(error)).into_bytes()
    }

    /// Says something, if that is wanted.
    fn tell(&mut self, text: impl FnOnce() -> Vec<u8>) {
        if self.options.verbose {
            let text = text();
            self.io.err(text);
        }
    }
}

/// Makes a last child of the category; others may be at work there too.
fn create(domain: &mut Domain, directory: Id, item: &Item) -> Result<Id> {
    match domain.create(directory, item, INDEX_NULL) {
        Err(error) if error.is(Status::Stale) => Ok(domain.create_child(directory.object, item)?.parent),
        done => Ok(done?.parent),
    }
}

/// The properties of both: what is new comes first.
fn merged(new: &[Property], old: &[Property]) -> Vec<Property> {
    let mut all = new.to_vec();
    for property in old {
        let Some(known) = all.iter_mut().find(|known| known.name == property.name) else {
            all.push(property.clone());
            continue;
        };
        for value in &property.values {
            if !known.values.contains(value) {
                known.values.push(value.clone());
            }
        }
    }
    all
}

/// A name with a backslash before each slash.
fn escaped(name: &[u8]) -> Vec<u8> {
    let mut text = Vec::with_capacity(name.len());
    for byte in name {
        if *byte == b'/' {
            text.push(b'\\');
        }
        text.push(*byte);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn new_values_come_first() {
        let new = [Property::new("name", ["ana"]), Property::new("passwd", ["NEW"])];
        let old = [Property::new("uid", ["5"]), Property::new("passwd", ["OLD", "NEW"])];
        let all = merged(&new, &old);
        assert_eq!(
            all,
            [
                Property::new("name", ["ana"]),
                Property::new("passwd", ["NEW", "OLD"]),
                Property::new("uid", ["5"]),
            ]
        );
    }

    #[test]
    fn slashes_are_escaped() {
        assert_eq!(escaped(b"srv:/export"), br"srv:\/export");
    }
}
