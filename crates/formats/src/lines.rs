//! Input cut into bounded lines, and lines into fields.

use crate::problem::{Problem, Reason};
use std::io::{BufRead, ErrorKind};

/// Longest line that is read, without its end, in bytes: a group line with some 100,000 members fits.
pub const MAX_LINE_BYTES: usize = 1 << 20;

/// The lines of an input that hold an entry: not blank, no comment, no NUL, not too long.
pub(crate) struct Lines<R> {
    input: R,
    buffer: Vec<u8>,
    number: u64,
    failed: bool,
}

/// One line without its end and without blanks around it, with its number.
#[derive(Clone, Copy)]
pub(crate) struct Line<'a> {
    pub(crate) number: u64,
    pub(crate) text: &'a [u8],
}

impl<R: BufRead> Lines<R> {
    pub(crate) const fn new(input: R) -> Self {
        Self { input, buffer: Vec::new(), number: 0, failed: false }
    }

    /// The next entry, or what is wrong with its line; `None` at the end.
    pub(crate) fn next(&mut self) -> Option<Result<Line<'_>, Problem>> {
        loop {
            match self.fill() {
                Ok(false) => return None,
                Ok(true) => {}
                Err(reason) => return Some(Err(reason.at(self.number, "line"))),
            }
            let text = self.buffer.trim_ascii();
            if text.is_empty() || text.starts_with(b"#") {
                continue;
            }
            if text.contains(&0) {
                return Some(Err(Reason::Nul.at(self.number, "line")));
            }
            // The text is borrowed anew: the loop must not hold a borrow of the buffer across its turns.
            return Some(Ok(Line { number: self.number, text: self.buffer.trim_ascii() }));
        }
    }

    /// The next line as it stands without its line feed, whatever it holds but a NUL; `None` at the end.
    pub(crate) fn next_verbatim(&mut self) -> Option<Result<Line<'_>, Problem>> {
        match self.fill() {
            Ok(false) => None,
            Ok(true) if self.buffer.contains(&0) => Some(Err(Reason::Nul.at(self.number, "line"))),
            Ok(true) => Some(Ok(Line { number: self.number, text: &self.buffer })),
            Err(reason) => Some(Err(reason.at(self.number, "line"))),
        }
    }

    /// Read the next line into the buffer; `false` at the end of the input.
    fn fill(&mut self) -> Result<bool, Reason> {
        self.buffer.clear();
        let mut started = false;
        let mut too_long = false;
        while !self.failed {
            let chunk = match self.input.fill_buf() {
                Ok(chunk) => chunk,
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => {
                    self.failed = true;
                    self.number += 1;
                    return Err(Reason::Unreadable(error.kind()));
                }
            };
            if chunk.is_empty() {
                break;
            }
            if !started {
                started = true;
                self.number += 1;
            }
            let end = chunk.iter().position(|byte| *byte == b'\n');
            let part = &chunk[..end.unwrap_or(chunk.len())];
            too_long |= self.buffer.len() + part.len() > MAX_LINE_BYTES;
            if !too_long {
                self.buffer.extend_from_slice(part);
            }
            let used = part.len() + usize::from(end.is_some());
            self.input.consume(used);
            if end.is_some() {
                break;
            }
        }
        if too_long { Err(Reason::TooLong) } else { Ok(started) }
    }
}

impl<'a> Line<'a> {
    /// The fields between colons, without blanks around them. Refuses NIS lines and lines with more than
    /// `MAX` fields; fields that the line does not have are empty.
    pub(crate) fn colon_fields<const MAX: usize>(&self) -> Result<Fields<'a, MAX>, Problem> {
        if let [b'+' | b'-', ..] = self.text {
            return Err(Reason::Nis.at(self.number, "line"));
        }
        let mut fields = Fields { line: self.number, text: [&[]; MAX], count: 0 };
        for field in self.text.split(|byte| *byte == b':') {
            let Some(slot) = fields.text.get_mut(fields.count) else {
                return Err(Reason::TooManyFields(MAX).at(self.number, "line"));
            };
            *slot = field.trim_ascii();
            fields.count += 1;
        }
        Ok(fields)
    }

    /// The words between blanks, up to a word that begins with `#`.
    pub(crate) fn words(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        self.text
            .split(u8::is_ascii_whitespace)
            .filter(|word| !word.is_empty())
            .take_while(|word| !word.starts_with(b"#"))
    }

    /// A problem of this line.
    pub(crate) const fn problem(&self, field: &'static str, reason: Reason) -> Problem {
        reason.at(self.number, field)
    }
}

/// The fields of a line, in order.
pub(crate) struct Fields<'a, const MAX: usize> {
    pub(crate) line: u64,
    pub(crate) text: [&'a [u8]; MAX],
    pub(crate) count: usize,
}

impl<const MAX: usize> Fields<'_, MAX> {
    /// Demand at least `names.len()` fields, of which the first is not empty; `names` are for the message.
    pub(crate) fn demand(&self, names: &[&'static str]) -> Result<(), Problem> {
        let missing = match names.get(self.count) {
            Some(name) => Some(*name),
            None if self.text[0].is_empty() => names.first().copied(),
            None => None,
        };
        missing.map_or(Ok(()), |name| Err(Reason::Missing.at(self.line, name)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{self, BufReader, Read};

    fn all(input: &[u8]) -> Vec<Result<(u64, Vec<u8>), Problem>> {
        // A tiny buffer makes lines span many reads.
        let mut lines = Lines::new(BufReader::with_capacity(3, input));
        let mut found = Vec::new();
        while let Some(line) = lines.next() {
            found.push(line.map(|line| (line.number, line.text.to_vec())));
        }
        found
    }

    #[test]
    fn lines_are_trimmed_and_counted() {
        let found = all(b"# comment\n\n  one two \t\r\n   # indented\r\nlast");
        assert_eq!(found, [Ok((3, b"one two".to_vec())), Ok((5, b"last".to_vec()))]);
    }

    #[test]
    fn a_line_at_the_limit_is_read_and_one_byte_more_is_not() {
        let mut input = vec![b'a'; MAX_LINE_BYTES];
        input.push(b'\n');
        input.extend(vec![b'b'; MAX_LINE_BYTES + 1]);
        input.extend(b"\nafter\n");
        let mut lines = Lines::new(input.as_slice());
        assert_eq!(lines.next().unwrap().unwrap().text.len(), MAX_LINE_BYTES);
        assert_eq!(lines.next().unwrap().err(), Some(Reason::TooLong.at(2, "line")));
        assert_eq!(lines.next().unwrap().unwrap().text, b"after");
        assert!(lines.next().is_none());
    }

    #[test]
    fn a_nul_is_a_problem() {
        assert_eq!(all(b"a\0b\nc"), [Err(Reason::Nul.at(1, "line")), Ok((2, b"c".to_vec()))]);
    }

    #[test]
    fn a_failing_input_ends_the_lines() {
        struct Broken;
        impl Read for Broken {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(ErrorKind::ConnectionReset.into())
            }
        }
        let mut lines = Lines::new(BufReader::new(b"one\ntwo".chain(Broken)));
        assert_eq!(lines.next().unwrap().unwrap().text, b"one");
        let problem = Reason::Unreadable(ErrorKind::ConnectionReset);
        assert_eq!(lines.next().unwrap().err().map(|problem| problem.reason), Some(problem));
        assert!(lines.next().is_none());
    }

    #[test]
    fn words_end_at_a_comment() {
        let line = Line { number: 1, text: b"a\t\tb#c  # d e" };
        assert_eq!(line.words().collect::<Vec<_>>(), [&b"a"[..], b"b#c"]);
    }

    #[test]
    fn colon_fields_are_trimmed_and_counted() {
        let line = Line { number: 4, text: b" a : b::" };
        let fields = line.colon_fields::<4>().unwrap();
        assert_eq!((fields.text, fields.count), ([&b"a"[..], b"b", b"", b""], 4));
        assert_eq!(line.colon_fields::<3>().err(), Some(Reason::TooManyFields(3).at(4, "line")));
        assert_eq!(fields.demand(&["w", "x", "y", "z"]), Ok(()));
        assert_eq!(fields.demand(&["v", "w", "x", "y", "z"]), Err(Reason::Missing.at(4, "z")));
    }
}
