//! What all writers have in common.

use std::fmt;
use std::io;

use crate::record::Record;

/// Writes records in a format. Records come in the order of a stream: parents before their children.
pub trait RecordWriter {
    /// Writes one record and tells what of it the format cannot carry.
    ///
    /// # Errors
    ///
    /// When the output cannot be written.
    fn write(&mut self, record: &Record, losses: &mut Vec<Loss>) -> io::Result<()>;

    /// Writes what comes after the last record, and flushes.
    ///
    /// # Errors
    ///
    /// When the output cannot be written.
    fn finish(&mut self, losses: &mut Vec<Loss>) -> io::Result<()>;
}

/// Something that a format cannot carry. Values are never part of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loss {
    /// [`Record::line`] of the record.
    pub line: u64,
    /// The property that is left out, wholly or in part; empty when the whole record is left out.
    pub property: Vec<u8>,
    /// Why, in words.
    pub why: &'static str,
}

impl fmt::Display for Loss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.property.as_slice() {
            [] => write!(f, "record {}: left out: {}", self.line, self.why),
            property => write!(f, "record {}: {}: {}", self.line, property.escape_ascii(), self.why),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_loss_is_told_in_a_line() {
        let loss = Loss { line: 4, property: b"shell\n".to_vec(), why: "the format has one value" };
        assert_eq!(loss.to_string(), "record 4: shell\\n: the format has one value");
        let loss = Loss { line: 4, property: Vec::new(), why: "it has no name" };
        assert_eq!(loss.to_string(), "record 4: left out: it has no name");
    }
}
