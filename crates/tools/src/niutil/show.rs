//! The operations that print.

use netinfo_client::{Error, Result, Status};

use super::{Doing, Failure, Work};
use crate::io::Io;
use crate::path::resolve_or_number;
use crate::text::{atoi, property_line, values};

impl Work<'_> {
    /// All properties of a directory.
    pub(super) fn read(&mut self, io: &mut Io<'_>) -> Result<(), Failure> {
        let (tool, path) = (self.tool.as_bytes(), self.path().to_vec());
        let object = self.directory(&path, b": can't open directory ")?;
        let read = self.handle.domain().and_then(|domain| domain.read(object));
        let (_, properties) = read.doing(&[tool, b": can't read directory ", &path])?;
        let mut text = Vec::new();
        properties.iter().for_each(|property| property_line(&mut text, property));
        io.out(text);
        Ok(())
    }

    /// One line for each child.
    pub(super) fn list(&mut self, io: &mut Io<'_>) -> Result<(), Failure> {
        let (tool, path) = (self.tool.as_bytes(), self.path().to_vec());
        let key = self.options.operands.get(2).map_or(&b"name"[..], |word| word.as_slice()).to_vec();
        let object = self.directory(&path, b" can't open directory ")?;
        let listed = self.handle.domain().and_then(|domain| {
            domain.list_each(object, &key, |entry| {
                let mut line = format!("{}\t", entry.id).into_bytes();
                values(&mut line, &entry.names.unwrap_or_default());
                line.push(b'\n');
                io.out(line);
                Ok(())
            })
        });
        listed.map(drop).doing(&[tool, b": can't list directory ", &path])
    }

    /// All values of a property on one line.
    pub(super) fn read_prop(&mut self, io: &mut Io<'_>) -> Result<(), Failure> {
        let mut line = self.values()?.join(&b' ');
        line.push(b'\n');
        io.out(line);
        Ok(())
    }

    /// One value. That there are fewer is complained about, and no failure.
    pub(super) fn read_val(&mut self, io: &mut Io<'_>) -> Result<(), Failure> {
        let index = atoi(self.operand(3));
        let values = self.values()?;
        match usize::try_from(index).ok().and_then(|index| values.get(index)) {
            Some(value) => io.out([value.as_slice(), b"\n"].concat()),
            None => io.complain(&[
                self.tool.as_bytes(),
                b": property ",
                self.operand(2),
                b" in directory ",
                self.path(),
                format!(" has no value at index {index}").as_bytes(),
            ]),
        }
        Ok(())
    }

    /// The server's counters.
    pub(super) fn statistics(&mut self, io: &mut Io<'_>) -> Result<(), Failure> {
        let asked = self.handle.domain().and_then(|domain| domain.statistics());
        let line: [&[u8]; 3] =
            [self.tool.as_bytes(), b": can't get statistics for domain ", self.options.domain()];
        let mut text = Vec::new();
        asked.doing(&line)?.iter().for_each(|property| property_line(&mut text, property));
        io.out(text);
        Ok(())
    }

    /// The domain's place in the hierarchy.
    pub(super) fn domain_name(&mut self, io: &mut Io<'_>) -> Result<(), Failure> {
        let line: [&[u8]; 3] = [self.tool.as_bytes(), b": can't get name for domain ", self.options.domain()];
        let mut name = self.handle.path_name().doing(&line)?;
        if name.is_empty() {
            name.push(b'/');
        }
        name.push(b'\n');
        io.out(name);
        Ok(())
    }

    fn directory(&mut self, path: &[u8], complaint: &[u8]) -> Result<u32, Failure> {
        let found = self.handle.domain().and_then(|domain| resolve_or_number(domain, path));
        found.doing(&[self.tool.as_bytes(), complaint, path])
    }

    /// The values of the property that the operands name.
    fn values(&mut self) -> Result<Vec<Vec<u8>>, Failure> {
        let (tool, path, key) = (self.tool.as_bytes(), self.path().to_vec(), self.operand(2).to_vec());
        let object = self.directory(&path, b": can't open directory ")?;
        let read = self.handle.domain().and_then(|domain| {
            let (_, properties) = domain.read(object)?;
            let found = properties.into_iter().find(|property| property.name == key);
            found.map(|property| property.values).ok_or(Error::Status(Status::NoProp))
        });
        read.doing(&[tool, b": can't get property ", &key, b" in directory ", &path])
    }
}
