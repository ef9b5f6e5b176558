//! The operations that write. All go to the master of the domain.

use std::time::Duration;

use netinfo_client::domain::INDEX_NULL;
use netinfo_client::{Domain, Error, Property, Result, Status};

use super::options::Operation;
use super::{Doing, Failure, NO_INDEX, Work};
use crate::io::Io;
use crate::path::{create, destroy, resolve_or_number};
use crate::text::leading_number;

/// Pause before a busy master is asked again (`-R`).
const BUSY_PAUSE: Duration = Duration::from_secs(1);

impl Work<'_> {
    /// Carries out the operation.
    pub(super) fn change(&mut self) -> Result<(), Failure> {
        let (path, key) = (self.path().to_vec(), self.operand(2).to_vec());
        let (new, values) = (self.operand(3).to_vec(), self.rest(3));
        let keys = self.rest(2);
        let tool = self.tool.as_bytes();
        let operation = self.options.operation;
        let done = self.with_master(|domain| {
            let object = match operation {
                Operation::Create => return create_new(domain, &path),
                _ => resolve_or_number(domain, &path)?,
            };
            match operation {
                Operation::Destroy => destroy(domain, object),
                Operation::CreateProp => domain.set_property(object, &key, &values).map(drop),
                Operation::AppendProp => domain.append_values(object, &key, &values).map(drop),
                Operation::MergeProp => domain.merge_values(object, &key, &values).map(drop),
                Operation::DestroyProp => {
                    keys.iter().try_for_each(|key| domain.remove_property(object, key).map(drop))
                }
                Operation::DestroyVal => domain.remove_values(object, &key, &values).map(drop),
                _ => domain.rename_property(object, &key, &new).map(drop),
            }
        });
        let directory: &[u8] = b" in directory ";
        match operation {
            Operation::Create => done.doing(&[tool, b": can't create directory ", &path]),
            Operation::Destroy => done.doing(&[tool, b": can't destroy directory ", &path]),
            Operation::DestroyProp => done.doing(&[tool, b": can't destroy ", &key, directory, &path]),
            Operation::RenameProp => done.doing(&[tool, b": can't rename ", &key, directory, &path]),
            _ => done.doing(&[tool, b": can't modify ", &key, directory, &path]),
        }
    }

    /// Inserts one value.
    pub(super) fn insert(&mut self, io: &mut Io<'_>) -> Result<u8, Failure> {
        let (path, key, value) = (self.path().to_vec(), self.operand(2).to_vec(), self.operand(3).to_vec());
        let index = self.operand(4).to_vec();
        let Some(index) = whole_number(&index) else {
            io.complain(&[self.tool.as_bytes(), b": index for -insertval must be an integer"]);
            io.complain(&[b"found ", &index]);
            return Ok(NO_INDEX);
        };
        // Below zero there is no place but the end.
        let index = u32::try_from(index).unwrap_or(INDEX_NULL);
        let tool = self.tool.as_bytes();
        let done = self.with_master(|domain| {
            let object = resolve_or_number(domain, &path)?;
            domain.edit(object, |domain, id, properties| {
                match (0..).zip(properties).find(|(_, p)| p.name == key) {
                    Some((at, _)) => domain.create_name(id, at, &value, index),
                    None => domain.create_prop(id, &Property::new(&key, [&value]), INDEX_NULL),
                }
            })
        });
        done.doing(&[tool, b": can't modify ", &key, b" in directory ", &path])?;
        Ok(0)
    }

    /// Does something with the master, again for as long as it is busy if that is wanted.
    fn with_master<T>(&mut self, mut work: impl FnMut(&mut Domain) -> Result<T>) -> Result<T> {
        self.handle.go_to_master()?;
        loop {
            match work(self.handle.domain()?) {
                Err(error) if self.options.retry && error.is(Status::MasterBusy) => {
                    std::thread::sleep(BUSY_PAUSE);
                }
                done => return done,
            }
        }
    }
}

/// Makes the directories of a path; a number or a path from nowhere in particular must exist.
fn create_new(domain: &mut Domain, path: &[u8]) -> Result<()> {
    if path.first() == Some(&b'/') || path.is_empty() {
        return create(domain, path).map(drop);
    }
    resolve_or_number(domain, path).map(drop).map_err(|error| match error {
        Error::Status(_) => Error::Status(Status::NoDir),
        other => other,
    })
}

/// A text that is a number and nothing else.
fn whole_number(text: &[u8]) -> Option<i64> {
    let (number, rest) = leading_number(text);
    (rest.is_empty() && !text.is_empty()).then_some(number)
}
