//! Entries that span lines.

use crate::lines::{Line, Lines, MAX_LINE_BYTES};
use crate::problem::{Problem, Reason};
use crate::record::Record;
use std::io::BufRead;

/// How lines are joined to an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Joined {
    /// Each line is an entry.
    No,
    /// A backslash at the end of a line takes the next line in.
    Backslash,
    /// A line that begins with a blank belongs to the entry before. A backslash joins as well.
    Indented,
    /// The same, but the blank is taken off, and a backslash means nothing.
    IndentedBare,
}

/// Which lines are comments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Comments {
    /// `#` is the first character that is no blank.
    Anywhere,
    /// `#` is the first character.
    AtStart,
}

/// The entries of an input as they stand, without line ends, comments and empty lines.
pub(crate) struct Entries<R> {
    lines: Lines<R>,
    joined: Joined,
    comments: Comments,
    /// A line that was read to see where an entry ends.
    ahead: Option<Result<Entry, Problem>>,
}

/// An entry with the number of its first line.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) number: u64,
    pub(crate) text: Vec<u8>,
}

impl Entry {
    /// Without blanks around it.
    pub(crate) fn line(&self) -> Line<'_> {
        Line { number: self.number, text: self.text.trim_ascii() }
    }

    fn append(&mut self, more: &[u8]) -> Result<(), Problem> {
        if self.text.len() + more.len() > MAX_LINE_BYTES {
            return Err(Reason::TooLong.at(self.number, "line"));
        }
        self.text.extend_from_slice(more);
        Ok(())
    }
}

impl<R: BufRead> Entries<R> {
    pub(crate) const fn new(input: R, joined: Joined, comments: Comments) -> Self {
        Self { lines: Lines::new(input), joined, comments, ahead: None }
    }

    /// The next entry, or what is wrong with it; `None` at the end. An entry that is too long is passed over to its
    /// end.
    pub(crate) fn next(&mut self) -> Option<Result<Entry, Problem>> {
        let mut entry = match self.line()? {
            Ok(entry) => entry,
            Err(problem) => return Some(Err(problem)),
        };
        let mut outcome = Ok(());
        let backslash = matches!(self.joined, Joined::Backslash | Joined::Indented);
        let indented = matches!(self.joined, Joined::Indented | Joined::IndentedBare);
        let mut last_ends_with_backslash = entry.text.ends_with(b"\\");
        loop {
            let by_backslash = backslash && last_ends_with_backslash;
            if !by_backslash && !indented {
                break;
            }
            if by_backslash && outcome.is_ok() {
                entry.text.pop();
            }
            let more = match self.line() {
                Some(Ok(more)) => more,
                None => break,
                other => {
                    self.ahead = other;
                    break;
                }
            };
            let by_indent = indented && matches!(more.text.first(), Some(b' ' | b'\t'));
            if !by_backslash && !by_indent {
                self.ahead = Some(Ok(more));
                break;
            }
            last_ends_with_backslash = more.text.ends_with(b"\\");
            let bare = usize::from(self.joined == Joined::IndentedBare);
            outcome = outcome.and_then(|()| entry.append(&more.text[bare..]));
        }
        Some(outcome.map(|()| entry))
    }

    /// The next line that is no comment and not blank.
    fn line(&mut self) -> Option<Result<Entry, Problem>> {
        if let Some(ahead) = self.ahead.take() {
            return Some(ahead);
        }
        loop {
            let line = match self.lines.next_verbatim()? {
                Ok(line) => line,
                Err(problem) => return Some(Err(problem)),
            };
            let comment = match self.comments {
                Comments::Anywhere => line.text.trim_ascii_start().starts_with(b"#"),
                Comments::AtStart => line.text.starts_with(b"#"),
            };
            if comment || line.text.trim_ascii().is_empty() {
                continue;
            }
            let text = line.text.strip_suffix(b"\r").unwrap_or(line.text).to_vec();
            return Some(Ok(Entry { number: line.number, text }));
        }
    }
}

/// One record for each good entry.
pub(crate) fn each_joined<R, P>(
    input: R,
    joined: Joined,
    parse: P,
) -> impl Iterator<Item = Result<Record, Problem>>
where
    R: BufRead,
    P: Fn(Line<'_>) -> Result<Record, Problem>,
{
    let mut entries = Entries::new(input, joined, Comments::Anywhere);
    std::iter::from_fn(move || entries.next().map(|entry| entry.and_then(|entry| parse(entry.line()))))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries(input: &[u8], joined: Joined) -> Vec<Result<(u64, String), Problem>> {
        let mut entries = Entries::new(input, joined, Comments::Anywhere);
        std::iter::from_fn(|| entries.next())
            .map(|entry| entry.map(|entry| (entry.number, String::from_utf8(entry.text).unwrap())))
            .collect()
    }

    #[test]
    fn a_backslash_takes_the_next_line_in() {
        let text = b"a \\\n# comment\n  b\\\r\nc\n\n  d\ne\\";
        let expected =
            [(1, "a   bc"), (6, "  d"), (7, "e")].map(|(number, text)| Ok((number, text.to_owned())));
        assert_eq!(entries(text, Joined::Backslash), expected);
    }

    #[test]
    fn an_indented_line_continues_the_one_before() {
        let text = b"  a: b,\n\tc,\n # comment\n\n d\ne: f\\\ng";
        let expected =
            [(1, "  a: b,\tc, d"), (6, "e: fg")].map(|(number, text)| Ok((number, text.to_owned())));
        assert_eq!(entries(text, Joined::Indented), expected);
        let expected =
            [(1, "  a: b,c,d"), (6, "e: f\\"), (7, "g")].map(|(number, text)| Ok((number, text.to_owned())));
        assert_eq!(entries(text, Joined::IndentedBare), expected);
    }

    #[test]
    fn comments_may_have_to_stand_at_the_start() {
        let mut entries = Entries::new(&b"#a\n #b"[..], Joined::No, Comments::AtStart);
        assert_eq!(entries.next(), Some(Ok(Entry { number: 2, text: b" #b".to_vec() })));
        assert_eq!(entries.next(), None);
    }

    #[test]
    fn a_bad_line_is_a_problem_of_its_own() {
        let expected = [Ok((1, "a".to_owned())), Err(Reason::Nul.at(2, "line")), Ok((3, "b".to_owned()))];
        assert_eq!(entries(b"a\\\n\0\nb", Joined::Backslash), expected);
    }

    #[test]
    fn a_joined_entry_is_bounded_and_passed_over_whole() {
        let half = vec![b'x'; MAX_LINE_BYTES / 2 - 1];
        let mut text = Vec::new();
        for _ in 0..4 {
            text.extend_from_slice(&half);
            text.extend_from_slice(b"\\\n");
        }
        text.extend_from_slice(b"end\nnext\n");
        let expected = [Err(Reason::TooLong.at(1, "line")), Ok((6, "next".to_owned()))];
        assert_eq!(entries(&text, Joined::Backslash), expected);
    }
}
