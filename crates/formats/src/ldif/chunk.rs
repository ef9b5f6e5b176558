//! An input cut into records, and those into lines.

use std::io::{ErrorKind, Read};
use std::ops::Range;

use memchr::memchr;

use crate::problem::{Problem, Reason};

/// Longest record that is read, in bytes of the file.
pub const MAX_RECORD_BYTES: usize = 64 << 20;

/// Most lines of one record, folded ones and comments too: a group of a million members fits.
pub const MAX_RECORD_LINES: usize = 1 << 21;

/// How much is read at once, in bytes.
const WINDOW: usize = 256 << 10;

/// The records of an input.
pub(super) struct Chunks<R> {
    input: R,
    /// What has been read, and space for more.
    buffer: Vec<u8>,
    /// The part of the buffer that has not been given out.
    unread: Range<usize>,
    /// The input has no more.
    ended: bool,
    /// The lines before `unread`.
    lines_before: u64,
    /// Where the lines of the current record end, counted from its beginning: the place of the newline.
    pub(super) ends: Vec<u32>,
}

/// Where a record is.
#[derive(Clone)]
pub(super) struct Chunk {
    /// Number of its first line, from 1.
    pub(super) line: u64,
    /// Place in the buffer.
    pub(super) bytes: Range<usize>,
}

impl<R: Read> Chunks<R> {
    pub(super) fn new(input: R) -> Self {
        let buffer = vec![0; WINDOW];
        Self { input, buffer, unread: 0..0, ended: false, lines_before: 0, ends: Vec::new() }
    }

    /// The text of a chunk; the last one that was given out.
    pub(super) fn text(&self, chunk: &Chunk) -> &[u8] {
        &self.buffer[chunk.bytes.clone()]
    }

    pub(super) fn text_and_ends(&mut self, chunk: &Chunk) -> (&mut [u8], &[u32]) {
        (&mut self.buffer[chunk.bytes.clone()], &self.ends)
    }

    /// The next record: lines up to a blank one. `None` at the end.
    pub(super) fn next(&mut self) -> Option<Result<Chunk, Problem>> {
        match self.find() {
            Ok(chunk) => chunk,
            Err(kind) => {
                self.unread = 0..0;
                Some(Err(Reason::Unreadable(kind).at(self.lines_before + 1, "line")))
            }
        }
    }

    fn find(&mut self) -> Result<Option<Result<Chunk, Problem>>, ErrorKind> {
        self.skip_blank_lines()?;
        self.ends.clear();
        let line = self.lines_before + 1;
        let mut lines = 0;
        let mut too_long = None;
        // Counted from the beginning of the record: where the current line begins, and how far it has been looked at.
        let (mut begin, mut seen) = (0, 0);
        // Something of the current line has been dropped.
        let mut cut = false;
        let consumed = loop {
            let rest = &self.buffer[self.unread.start + seen..self.unread.end];
            if let Some(found) = memchr(b'\n', rest) {
                let end = seen + found;
                let text = &self.buffer[self.unread.start + begin..self.unread.start + end];
                lines += 1;
                seen = end + 1;
                if !cut && (text.is_empty() || text == b"\r") {
                    break seen;
                }
                cut = false;
                self.ends.push(end as u32);
                begin = seen;
            } else {
                seen = self.unread.len();
                if seen <= MAX_RECORD_BYTES && !self.more()? {
                    // The last line has no end.
                    if begin < seen || cut {
                        lines += 1;
                        self.ends.push(seen as u32);
                    }
                    begin = seen;
                    break seen;
                }
                cut |= seen > MAX_RECORD_BYTES && begin < seen;
            }
            if seen > MAX_RECORD_BYTES || self.ends.len() > MAX_RECORD_LINES {
                let limit = if seen > MAX_RECORD_BYTES { Limit::Bytes } else { Limit::Lines };
                too_long.get_or_insert(limit);
                self.unread.start += seen;
                self.ends.clear();
                (begin, seen) = (0, 0);
            }
        };
        let bytes = self.unread.start..self.unread.start + begin;
        self.unread.start += consumed;
        self.lines_before += lines;
        Ok(match too_long {
            Some(limit) => Some(Err(limit.reason().at(line, "record"))),
            None if bytes.is_empty() => None,
            None => Some(Ok(Chunk { line, bytes })),
        })
    }

    /// Passes over blank lines, and over a byte order mark at the beginning.
    fn skip_blank_lines(&mut self) -> Result<(), ErrorKind> {
        const MARK: &[u8] = "\u{feff}".as_bytes();
        if self.lines_before == 0 {
            while self.unread.len() < MARK.len() && self.more()? {}
            if self.buffer[self.unread.clone()].starts_with(MARK) {
                self.unread.start += MARK.len();
            }
        }
        let mut seen = 0;
        loop {
            match self.buffer[self.unread.clone()].get(seen).copied() {
                Some(b'\n') => {
                    self.unread.start += seen + 1;
                    self.lines_before += 1;
                    seen = 0;
                }
                Some(b' ' | b'\t' | b'\r') if seen < WINDOW => seen += 1,
                Some(_) => return Ok(()),
                None if self.more()? => {}
                None => {
                    // Blanks without an end of the line are nothing.
                    self.unread.start = self.unread.end;
                    return Ok(());
                }
            }
        }
    }

    /// Reads more behind what is unread, moving that to the front where there is no space; `false` at the end.
    fn more(&mut self) -> Result<bool, ErrorKind> {
        if self.ended {
            return Ok(false);
        }
        if self.buffer.len() - self.unread.end < WINDOW / 2 {
            self.buffer.copy_within(self.unread.clone(), 0);
            self.unread = 0..self.unread.len();
            if self.buffer.len() - self.unread.end < WINDOW / 2 {
                self.buffer.resize(self.buffer.len() * 2, 0);
            }
        }
        loop {
            match self.input.read(&mut self.buffer[self.unread.end..]) {
                Ok(0) => {
                    self.ended = true;
                    return Ok(false);
                }
                Ok(count) => {
                    self.unread.end += count;
                    return Ok(true);
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => {
                    self.ended = true;
                    return Err(error.kind());
                }
            }
        }
    }
}

/// What a record exceeds.
#[derive(Clone, Copy)]
enum Limit {
    Bytes,
    Lines,
}

impl Limit {
    fn reason(self) -> Reason {
        Reason::Malformed(match self {
            Self::Bytes => format!("longer than {MAX_RECORD_BYTES} bytes"),
            Self::Lines => format!("longer than {MAX_RECORD_LINES} lines"),
        })
    }
}
