//! A subtree in the raw format, in place of what is there.

use std::io::{BufRead, Read};

use netinfo_client::domain::INDEX_NULL;
use netinfo_client::{Domain, Error, Id, Property, Result, Status};
use netinfo_formats::raw::{Dialect, Reader};
use netinfo_formats::{Place, Problem, Record};

use super::FAILED;
use crate::handle::Handle;
use crate::io::Io;
use crate::path::{create, destroy_children, resolve};
use crate::status::text;

/// Loads the input into the directory at `path`. What the server refuses is printed and no failure, as scripts expect;
/// an input that is empty or cut off in its middle is one, and changes nothing.
pub(super) fn load(path: &[u8], handle: &mut Handle, io: &mut Io<'_>) -> u8 {
    if path.first() != Some(&b'/') {
        io.complain(&[b"Raw load requires an absolute directory pathname, found ", path]);
        return 0;
    }
    let mut input = Watched { input: &mut *io.stdin, has_text: false };
    let (records, problems) = read(&mut input);
    if !input.has_text {
        io.err("niload: the input is empty: nothing was changed\n");
        return FAILED;
    }
    let found = handle.go_to_master().and_then(|()| {
        let domain = handle.domain()?;
        match resolve(domain, path) {
            Err(error) if error.is(Status::NoDir) => Ok(None),
            found => found.map(Some),
        }
    });
    let directory = match found {
        Ok(Some(object)) => Ok(object),
        Ok(None) => {
            handle.domain().and_then(|domain| create(domain, path)).map_err(|error| ("create", error))
        }
        Err(error) => Err(("access", error)),
    };
    let directory = match directory {
        Ok(object) => object,
        Err((what, error)) => {
            io.complain(&[
                format!("Can't {what} directory ").as_bytes(),
                path,
                b": ",
                text(&error).as_bytes(),
            ]);
            return 0;
        }
    };
    if !problems.is_empty() {
        return refuse(&records, &problems, io);
    }
    let replaced = handle
        .domain()
        .map_err(|error| ("write directory", error))
        .and_then(|domain| replace(domain, directory, records));
    if let Err((what, error)) = replaced {
        io.err(format!("Can't {what}: {}\n", text(&error)));
    }
    0
}

/// An input that knows whether there was anything in it but white space.
struct Watched<'r> {
    input: &'r mut dyn BufRead,
    has_text: bool,
}

impl Read for Watched<'_> {
    fn read(&mut self, buf: &mut [u8]) -> std::io::Result<usize> {
        let read = self.input.read(buf)?;
        self.has_text |= buf.iter().take(read).any(|byte| !byte.is_ascii_whitespace());
        Ok(read)
    }
}

impl BufRead for Watched<'_> {
    fn fill_buf(&mut self) -> std::io::Result<&[u8]> {
        let buf = self.input.fill_buf()?;
        self.has_text |= buf.iter().any(|byte| !byte.is_ascii_whitespace());
        Ok(buf)
    }

    fn consume(&mut self, amount: usize) {
        self.input.consume(amount);
    }
}

/// Everything in the input, and what is wrong with it. What follows the directory does not matter.
fn read(input: &mut Watched<'_>) -> (Vec<Record>, Vec<Problem>) {
    let (mut records, mut problems) = (Vec::new(), Vec::new());
    for item in Reader::new(input, Dialect::Dump) {
        match item {
            Ok(record) => records.push(record),
            Err(problem) if problem.field == "end" => {}
            Err(problem) => problems.push(problem),
        }
    }
    (records, problems)
}

/// Says what is wrong. Historical tools go on where an error is inside of a child, and lose the rest; here nothing is
/// changed, and where they would have loaded something it is a failure.
fn refuse(records: &[Record], problems: &[Problem], io: &mut Io<'_>) -> u8 {
    for problem in problems {
        io.err(format!("{} at line {}\n", problem.reason, problem.line));
    }
    if records.is_empty() { 0 } else { FAILED }
}

/// Gives the directory the properties of the first record, and the others as its only children.
fn replace(domain: &mut Domain, directory: u32, records: Vec<Record>) -> Result<(), (&'static str, Error)> {
    let mut ids: Vec<Id> = Vec::with_capacity(records.len());
    for record in records {
        let properties: Vec<Property> =
            record.properties.into_iter().map(|(name, values)| Property { name, values }).collect();
        let Place::Below(parent) = record.place else {
            domain
                .edit(directory, |domain, id, _| domain.write(id, &properties))
                .map_err(|error| ("write directory", error))?;
            destroy_children(domain, directory).map_err(|error| ("destroy child directories", error))?;
            let id = domain.self_id(Id::new(directory, 0)).map_err(|error| ("write directory", error))?;
            ids.push(id);
            continue;
        };
        let slot = usize::try_from(parent).ok().and_then(|parent| ids.get_mut(parent));
        let slot = slot.ok_or(("create directory", Error::Status(Status::NoDir)))?;
        let created = match domain.create(*slot, &properties, INDEX_NULL) {
            Err(error) if error.is(Status::Stale) => domain.create_child(slot.object, &properties),
            done => done,
        };
        let created = created.map_err(|error| ("create directory", error))?;
        *slot = created.parent;
        ids.push(created.id);
    }
    Ok(())
}
