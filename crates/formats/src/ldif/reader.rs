//! Items of lines.

use std::fmt;
use std::io::{self, Read};
use std::ops::Range;

use super::chunk::{Chunk, Chunks};
use super::item::{Attributes, Change, ControlSpans, Controls, Entry, Item, Modifications, Operation};
use super::line::{self, Fetch, Line, Texts, Unusual, Values};
use super::record::{Made, Record, What};
use crate::problem::{Problem, Reason};

/// Reads LDIF from anything that gives bytes; it has a buffer of its own.
pub struct Reader<R> {
    chunks: Chunks<R>,
    urls: Option<Fetch>,
    /// The lines of the current record, in order.
    lines: Vec<Line>,
    /// The number of each line of `lines`, from 0 in the record.
    numbers: Vec<u32>,
    controls: Vec<ControlSpans>,
    /// The values of the current record that stood in other files.
    fetched: Vec<u8>,
    remarks: Remarks,
    started: bool,
}

/// What a file has that RFC 2849 does not allow; it is read all the same.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Remarks {
    /// The file begins without a `version` line.
    pub no_version: bool,
    /// Records with a value that ends with a space, which is kept; often nobody meant it.
    pub trailing_spaces: Seen,
    /// Records with bytes above 127 that are not in base64.
    pub not_ascii: Seen,
}

/// How often something was seen.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Seen {
    /// In how many records.
    pub count: u64,
    /// Where the first of them begins.
    pub first_line: u64,
}

impl Seen {
    const fn add(&mut self, line: u64) {
        if self.count == 0 {
            self.first_line = line;
        }
        self.count += 1;
    }
}

impl<R: Read> Reader<R> {
    /// Values that stand in other files are problems.
    pub fn new(input: R) -> Self {
        Self {
            chunks: Chunks::new(input),
            urls: None,
            lines: Vec::new(),
            numbers: Vec::new(),
            controls: Vec::new(),
            fetched: Vec::new(),
            remarks: Remarks::default(),
            started: false,
        }
    }

    /// Values that stand in other files (`:<`) are fetched by `fetch`, which is given the URL;
    /// [`file_of_url`](super::file_of_url) helps it.
    #[must_use]
    pub fn with_urls(mut self, fetch: impl FnMut(&str) -> io::Result<Vec<u8>> + Send + 'static) -> Self {
        self.urls = Some(Box::new(fetch));
        self
    }

    /// The next record; `None` at the end. After a problem the next call goes on behind the next blank line.
    #[allow(clippy::should_implement_trait, reason = "an iterator's items do not borrow from it")]
    pub fn next(&mut self) -> Option<Result<Item<'_>, Problem>> {
        loop {
            let chunk = match self.chunks.next()? {
                Ok(chunk) => chunk,
                Err(problem) => return Some(Err(problem)),
            };
            match self.make(&chunk) {
                Ok(None) => {}
                Ok(Some(made)) => return Some(Ok(self.item(&chunk, made))),
                Err(problem) => return Some(Err(problem)),
            }
        }
    }

    /// What has been unusual up to here.
    pub const fn remarks(&self) -> Remarks {
        self.remarks
    }

    fn make(&mut self, chunk: &Chunk) -> Result<Option<Made>, Problem> {
        self.take_apart(chunk)?;
        let texts = Texts { record: self.chunks.text(chunk), fetched: &self.fetched };
        let mut record = Record::new(texts, &self.lines, &self.numbers, self.controls.len(), chunk.line);
        if record.is("version") {
            self.started = true;
            record.version()?;
        }
        if record.peek().is_none() {
            return Ok(None);
        }
        if !std::mem::replace(&mut self.started, true) {
            self.remarks.no_version = true;
        }
        record.make().map(Some)
    }

    /// Unfolds the lines of a chunk and decodes their values.
    fn take_apart(&mut self, chunk: &Chunk) -> Result<(), Problem> {
        self.lines.clear();
        self.numbers.clear();
        self.controls.clear();
        self.fetched.clear();
        let (text, ends) = self.chunks.text_and_ends(chunk);
        let mut unusual = Unusual::default();
        let (mut begin, mut number) = (0, 0);
        while number < ends.len() {
            let first = number;
            let mut range = without_return(text, begin..ends[number] as usize);
            begin = ends[number] as usize + 1;
            number += 1;
            while number < ends.len() && text.get(begin) == Some(&b' ') {
                let more = without_return(text, begin + 1..ends[number] as usize);
                let length = more.len();
                text.copy_within(more, range.end);
                range.end += length;
                begin = ends[number] as usize + 1;
                number += 1;
            }
            match text.get(range.start) {
                Some(b'#') => continue,
                // Blanks before the first line of a record.
                Some(b' ') if first == 0 && text[range.clone()].trim_ascii().is_empty() => continue,
                _ => {}
            }
            let mut values =
                Values { urls: self.urls.as_mut(), fetched: &mut self.fetched, unusual: &mut unusual };
            let at = |(field, reason): (&'static str, Reason)| reason.at(chunk.line + first as u64, field);
            let line = line::parse(text, range, &mut values).map_err(at)?;
            if line.is_control(text) {
                self.controls.push(line::control(text, line.value, &mut values).map_err(at)?);
            }
            self.lines.push(line);
            self.numbers.push(first as u32);
        }
        if unusual.trailing_space {
            self.remarks.trailing_spaces.add(chunk.line);
        }
        if unusual.not_ascii {
            self.remarks.not_ascii.add(chunk.line);
        }
        Ok(())
    }

    fn item(&self, chunk: &Chunk, made: Made) -> Item<'_> {
        let texts = Texts { record: self.chunks.text(chunk), fetched: &self.fetched };
        let attributes = |from: usize| Attributes { texts, lines: self.lines[from..].iter() };
        let (line, dn) = (made.line, texts.get(made.dn));
        let operation = match made.what {
            What::Entry { attributes: from } => {
                return Item::Entry(Entry { line, dn, attributes: attributes(from) });
            }
            What::Add { attributes: from } => Operation::Add(attributes(from)),
            What::Delete => Operation::Delete,
            What::Modify { steps } => Operation::Modify(Modifications { texts, lines: &self.lines[steps..] }),
            What::Rename { new_rdn, delete_old_rdn, new_superior } => Operation::Rename {
                new_rdn: texts.get(new_rdn),
                delete_old_rdn,
                new_superior: new_superior.map(|name| texts.get(name)),
            },
        };
        let controls = Controls { texts, spans: self.controls.iter() };
        Item::Change(Change { line, dn, controls, operation })
    }
}

impl<R> fmt::Debug for Reader<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reader").field("remarks", &self.remarks).finish_non_exhaustive()
    }
}

/// The range of a line without the carriage return before its end.
fn without_return(text: &[u8], range: Range<usize>) -> Range<usize> {
    let end = if text[range.clone()].last() == Some(&b'\r') { range.end - 1 } else { range.end };
    range.start..end
}
