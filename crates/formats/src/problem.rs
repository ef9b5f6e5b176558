//! What is wrong with a line.

use std::io;

/// A line that gave no record.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {field}: {reason}")]
pub struct Problem {
    /// The line's number, from 1; in formats without lines the number of the record, from 1.
    pub line: u64,
    /// The field at fault (`uid`, `address` …), or `line`.
    pub field: &'static str,
    /// What is wrong with it.
    pub reason: Reason,
}

/// What is wrong with a field. Never contains the text of a password field.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Reason {
    /// The field does not exist or is empty although a record needs it.
    #[error("missing")]
    Missing,
    /// The line has more fields than the format.
    #[error("more than {0} fields")]
    TooManyFields(usize),
    /// Not a decimal number.
    #[error("\"{0}\" is not a number")]
    NotANumber(String),
    /// A number outside the range of the field.
    #[error("{0} is out of range")]
    OutOfRange(String),
    /// Neither an IPv4 nor an IPv6 address.
    #[error("\"{0}\" is not an address")]
    NotAnAddress(String),
    /// A port that is not `number/protocol`.
    #[error("\"{0}\" is not a port and a protocol")]
    NotAPort(String),
    /// The line is longer than [`MAX_LINE_BYTES`](crate::MAX_LINE_BYTES).
    #[error("longer than {} bytes", crate::MAX_LINE_BYTES)]
    TooLong,
    /// The line contains a NUL byte.
    #[error("contains a NUL byte")]
    Nul,
    /// Merging this line would give a property more than [`MAX_MERGED_VALUES`](crate::MAX_MERGED_VALUES) values.
    #[error("more than {} values for one record", crate::MAX_MERGED_VALUES)]
    TooManyValues,
    /// A `+` or `-` line, which includes or excludes NIS entries: skipped.
    #[error("NIS line skipped")]
    Nis,
    /// A line or file that nobody means to be a record, in words on one line: an empty file, an address without a name.
    #[error("{0}")]
    NoRecord(String),
    /// What only one format knows; in words that name what is wrong, on one line, without any password.
    #[error("{0}")]
    Malformed(String),
    /// The input could not be read; the stream ends here.
    #[error("cannot be read: {0}")]
    Unreadable(io::ErrorKind),
}

impl Reason {
    /// Whether nothing is lost when this is left out: such lines and files are in good folders too.
    #[must_use]
    pub const fn is_harmless(&self) -> bool {
        matches!(self, Self::Nis | Self::NoRecord(_))
    }

    /// At this line.
    pub(crate) const fn at(self, line: u64, field: &'static str) -> Problem {
        Problem { line, field, reason: self }
    }
}

/// The beginning of a field for a message, printable whatever it holds.
pub(crate) fn shown(field: &[u8]) -> String {
    /// Longer fields are cut: a message is one line.
    const MAX_SHOWN_BYTES: usize = 40;
    let cut = &field[..field.len().min(MAX_SHOWN_BYTES)];
    let more = if cut.len() < field.len() { "…" } else { "" };
    format!("{}{more}", cut.escape_ascii())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_name_the_line_and_the_field() {
        let problem = Reason::NotANumber(shown(b"12x\x1b")).at(7, "uid");
        assert_eq!(problem.to_string(), "line 7: uid: \"12x\\x1b\" is not a number");
        assert_eq!(Reason::Nis.at(1, "line").to_string(), "line 1: line: NIS line skipped");
    }

    #[test]
    fn what_is_no_record_is_harmless() {
        assert!(Reason::Nis.is_harmless() && Reason::NoRecord("empty".into()).is_harmless());
        assert!(!Reason::Missing.is_harmless() && !Reason::Malformed("empty".into()).is_harmless());
    }

    #[test]
    fn long_fields_are_cut_in_messages() {
        let text = shown(&[b'x'; 100]);
        assert_eq!(text.chars().count(), 41);
        assert!(text.ends_with('…'));
    }
}
