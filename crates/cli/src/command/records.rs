//! What users, groups and hosts have in common: records with a name in one directory under the root.

use std::collections::HashSet;

use netinfo_client::domain::ROOT;
use netinfo_client::limits::STALE_ATTEMPTS;
use netinfo_client::{Component, Domain, Path, Property, Status};
use serde_json::Value;

use crate::args::Text;
use crate::context::Context;
use crate::failure::{Exit, Failure, Result, When};
use crate::output::{joined, json_record, safe, table};

/// Smallest number given to a new user or group: those below belong to the system.
pub(super) const FIRST_NUMBER: u32 = 1000;
/// Largest number given to a new user or group: 65534 and 65535 mean "nobody" in many places.
const LAST_NUMBER: u32 = 60_000;

/// One kind of record.
#[derive(Clone, Copy, Debug)]
pub(super) struct Kind {
    /// Name of the directory under the root.
    pub(super) container: &'static str,
    /// What one of them is called.
    pub(super) one: &'static str,
}

impl Kind {
    /// The path of the record `name`.
    pub(super) fn path(self, name: &[u8]) -> Path {
        self.container_path().child(Component::name(name))
    }

    fn container_path(self) -> Path {
        Path::root().child(Component::name(self.container))
    }

    /// The object id of the record `name`.
    pub(super) fn find(self, domain: &mut Domain, name: &Text) -> Result<u32> {
        domain.resolve(&self.path(&name.0)).map_err(|error| match error.status() {
            Status::NoDir => self.missing(name),
            _ => error.into(),
        })
    }

    fn missing(self, name: &Text) -> Failure {
        let list = format!("\"netinfo {} list\" shows them all", self.one);
        Failure::new(format!("there is no {} \"{}\"", self.one, safe(&name.0)))
            .with_exit(Exit::NotFound)
            .with_hint(list)
    }

    /// Creates a record. `properties` gets what the records' property `key` hold now, and makes the new record from
    /// it; that nobody else has created a record meanwhile is certain, for the directory's instance is checked.
    pub(super) fn create(
        self,
        domain: &mut Domain,
        name: &Text,
        key: &str,
        mut properties: impl FnMut(&Numbers) -> Result<Vec<Property>>,
    ) -> Result<u32> {
        if name.0.is_empty() {
            return Err(Failure::usage(format!("a {} needs a name", self.one)));
        }
        let container = domain.create_path(&self.container_path())?.object;
        let mut attempts = 1;
        loop {
            let mut numbers = Numbers::default();
            let id = domain.list_each(container, key.as_bytes(), |entry| {
                entry.names.iter().flatten().for_each(|value| numbers.add(value));
                Ok(())
            })?;
            match domain.lookup_first(container, b"name", &name.0) {
                Err(error) if error.is(Status::NoDir) => {}
                Err(error) => return Err(error.into()),
                Ok(_) => {
                    let name = safe(&name.0);
                    return Err(Failure::new(format!("there is a {} \"{name}\" already", self.one)));
                }
            }
            match domain.create(id, &properties(&numbers)?, netinfo_client::domain::INDEX_NULL) {
                Err(error) if error.is(Status::Stale) && attempts < STALE_ATTEMPTS => attempts += 1,
                created => return Ok(created?.id.object),
            }
        }
    }

    /// Removes a record with everything below it.
    pub(super) fn delete(self, domain: &mut Domain, name: &Text) -> Result<()> {
        let object = self.find(domain, name)?;
        Ok(domain.destroy_tree(object, |_| {}).map(drop)?)
    }

    /// Prints all records, with some of their properties as columns; `numbers` are those columns aligned to the right.
    pub(super) fn list(self, context: &mut Context, columns: &[&str], numbers: &[usize]) -> Result<()> {
        let domain = context.domain()?;
        let mut records = Vec::new();
        match domain.lookup_first(ROOT, b"name", self.container.as_bytes()) {
            Err(error) if error.is(Status::NoDir) => {}
            Err(error) => return Err(error.into()),
            Ok(container) => {
                domain.list_all_each(container, |record| {
                    records.push(record);
                    Ok(())
                })?;
            }
        }
        let row = |record: &Vec<Property>| columns.iter().map(|column| joined(record, column)).collect();
        context.out.either(
            || table(columns, numbers, records.iter().map(row)),
            || records.iter().map(|record| json_record(record)).collect::<Value>(),
        )
    }

    /// Prints one record.
    pub(super) fn show(self, context: &mut Context, name: &Text) -> Result<()> {
        let object = self.find(context.domain()?, name)?;
        super::list::show(context, object, &self.path(&name.0))
    }

    /// What is being done to a record, for messages.
    pub(super) fn action(self, verb: &str, name: &Text) -> String {
        format!("{verb} {} \"{}\"", self.one, safe(&name.0))
    }
}

/// Numbers in use.
#[derive(Debug, Default)]
pub(super) struct Numbers(HashSet<u32>);

impl Numbers {
    /// Notes a value; one that is no number takes none.
    fn add(&mut self, value: &[u8]) {
        self.0.extend(std::str::from_utf8(value).ok().and_then(|text| text.parse::<u32>().ok()));
    }

    /// The number asked for if it is free, or the smallest free one from [`FIRST_NUMBER`] on.
    pub(super) fn take(&self, wanted: Option<u32>, key: &str) -> Result<u32> {
        match wanted {
            Some(number) if self.0.contains(&number) => Err(Failure::new(format!("{key} {number} is taken"))
                .with_hint(format!("leave --{key} out to get a free one"))),
            Some(number) => Ok(number),
            None => (FIRST_NUMBER..=LAST_NUMBER).find(|number| !self.0.contains(number)).ok_or_else(|| {
                Failure::new(format!("no {key} from {FIRST_NUMBER} to {LAST_NUMBER} is free"))
            }),
        }
    }
}

/// The value of a property of some record, if both are there.
pub(super) fn value_of(domain: &mut Domain, path: &Path, key: &str) -> Result<Option<Vec<u8>>> {
    match domain.resolve(path).and_then(|object| domain.property(object, key.as_bytes())) {
        Ok(values) => Ok(values.into_iter().next()),
        Err(error) if error.is(Status::NoDir) || error.is(Status::NoProp) => Ok(None),
        Err(error) => Err(error).when(|| format!("read {path}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn free_numbers() {
        let mut numbers = Numbers::default();
        for value in [&b"1000"[..], b"1001", b"1003", b"-2", b"x", b"\xff"] {
            numbers.add(value);
        }
        assert_eq!(numbers.take(None, "uid").unwrap(), 1002);
        assert_eq!(numbers.take(Some(5), "uid").unwrap(), 5);
        let taken = numbers.take(Some(1003), "uid").unwrap_err();
        assert_eq!(taken.to_string(), "uid 1003 is taken");
        for number in FIRST_NUMBER..=LAST_NUMBER {
            numbers.add(number.to_string().as_bytes());
        }
        assert!(numbers.take(None, "uid").is_err());
    }
}
