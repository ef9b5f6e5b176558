//! Records into text, byte for byte as `nidump -r` has it.

use std::io::{self, ErrorKind, Write};

use super::Dialect;
use crate::record::{Place, Record};
use crate::writer::{Loss, RecordWriter};

/// How much a directory inside another is indented, in columns.
const STEP: usize = 4;

/// Writes records that come depth first: each below one that is still open, that is the last one or one above it.
#[derive(Debug)]
pub struct Writer<W> {
    output: W,
    dialect: Dialect,
    /// The directories from the root to the last record.
    open: Vec<Open>,
    /// Records that have come.
    count: u64,
}

/// A directory that is being written.
#[derive(Debug)]
struct Open {
    number: u64,
    has_children: bool,
}

impl<W: Write> Writer<W> {
    /// [`Dialect::Dump`] for what `nidump -r` writes and old programs read; [`Dialect::Escaped`] when values with
    /// backslashes must come back.
    pub const fn new(output: W, dialect: Dialect) -> Self {
        Self { output, dialect, open: Vec::new(), count: 0 }
    }

    /// Gives the output back.
    pub fn into_inner(self) -> W {
        self.output
    }

    /// Makes the place for a directory below the open one of this number.
    fn descend(&mut self, parent: u64) -> io::Result<()> {
        let Some(depth) = self.open.iter().position(|open| open.number == parent) else {
            return Err(refused(
                "the record stands below one that has been written with all that is below it",
            ));
        };
        self.close_to(depth + 1)?;
        let open = &mut self.open[depth];
        if std::mem::replace(&mut open.has_children, true) {
            self.output.write_all(b",\n")
        } else {
            self.indent(depth * STEP + 2)?;
            self.output.write_all(b"CHILDREN = (\n")
        }
    }

    /// Closes directories until so many are open.
    fn close_to(&mut self, depth: usize) -> io::Result<()> {
        while self.open.len() > depth {
            let closed = self.open.pop();
            let indent = self.open.len() * STEP;
            if closed.is_some_and(|closed| closed.has_children) {
                self.output.write_all(b"\n")?;
                self.indent(indent + 2)?;
                self.output.write_all(b")\n")?;
            }
            self.indent(indent)?;
            self.output.write_all(b"}")?;
        }
        Ok(())
    }

    fn property(&mut self, indent: usize, name: &[u8], values: &[Vec<u8>]) -> io::Result<()> {
        self.indent(indent)?;
        self.word(name)?;
        self.output.write_all(b" = (")?;
        for (number, value) in values.iter().enumerate() {
            self.output.write_all(if number == 0 { b" " } else { b", " })?;
            self.word(value)?;
        }
        self.output.write_all(b" );\n")
    }

    fn word(&mut self, word: &[u8]) -> io::Result<()> {
        self.output.write_all(b"\"")?;
        let escapes_backslash = self.dialect == Dialect::Escaped;
        for piece in word.split_inclusive(|byte| *byte == b'"' || (*byte == b'\\' && escapes_backslash)) {
            match piece.split_last() {
                Some((special, before)) if *special == b'"' || (*special == b'\\' && escapes_backslash) => {
                    self.output.write_all(before)?;
                    self.output.write_all(&[b'\\', *special])?;
                }
                _ => self.output.write_all(piece)?,
            }
        }
        self.output.write_all(b"\"")
    }

    fn indent(&mut self, columns: usize) -> io::Result<()> {
        write!(self.output, "{:columns$}", "")
    }
}

impl<W: Write> RecordWriter for Writer<W> {
    fn write(&mut self, record: &Record, losses: &mut Vec<Loss>) -> io::Result<()> {
        match record.place {
            Place::Root if self.count == 0 => {}
            Place::Root => return Err(refused("a second root")),
            Place::Below(parent) => self.descend(parent)?,
            Place::In(_) => return Err(refused("the record stands in a container, not in a tree")),
        }
        let indent = self.open.len() * STEP;
        self.indent(indent)?;
        self.output.write_all(b"{\n")?;
        for (name, values) in &record.properties {
            self.property(indent + 2, name, values)?;
            let has_backslash = |word: &Vec<u8>| word.contains(&b'\\');
            if self.dialect != Dialect::Escaped && (has_backslash(name) || values.iter().any(has_backslash)) {
                let why = "niload drops backslashes";
                losses.push(Loss { line: record.line, property: name.clone(), why });
            }
        }
        self.open.push(Open { number: self.count, has_children: false });
        self.count += 1;
        Ok(())
    }

    fn finish(&mut self, _: &mut Vec<Loss>) -> io::Result<()> {
        if !self.open.is_empty() {
            self.close_to(0)?;
            self.output.write_all(b"\n")?;
        }
        self.output.flush()
    }
}

fn refused(why: &'static str) -> io::Error {
    io::Error::new(ErrorKind::InvalidInput, why)
}
