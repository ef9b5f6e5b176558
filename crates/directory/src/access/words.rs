//! Words of a rule: separated by blanks and commas, or in double quotes.

use std::fmt;

/// A word, or the comma between two.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Word {
    Text { text: String, quoted: bool },
    Comma,
}

impl fmt::Display for Word {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text { text, .. } => f.write_str(text),
            Self::Comma => f.write_str(","),
        }
    }
}

/// The words of a text, one at hand.
pub(super) struct Words<'a> {
    rest: &'a str,
    word: Option<Word>,
}

impl<'a> Words<'a> {
    /// Fails if a quotation does not end, or the text has control characters.
    pub(super) fn of(text: &'a str) -> Result<Self, &'static str> {
        if text.contains(char::is_control) {
            return Err("a rule is one line without control characters; there is one");
        }
        let mut words = Self { rest: text, word: None };
        while {
            words.advance();
            words.word.is_some()
        } {}
        if !words.rest.is_empty() {
            return Err("a quotation does not end");
        }
        let mut words = Self { rest: text, word: None };
        words.advance();
        Ok(words)
    }

    pub(super) fn peek(&self) -> Option<&Word> {
        self.word.as_ref()
    }

    pub(super) fn advance(&mut self) {
        self.rest = self.rest.trim_start();
        self.word = None;
        let Some(first) = self.rest.chars().next() else { return };
        match first {
            ',' => {
                self.rest = &self.rest[1..];
                self.word = Some(Word::Comma);
            }
            '"' => self.quotation(),
            _ => {
                let end = self.rest.find(|c: char| c.is_whitespace() || c == ',').unwrap_or(self.rest.len());
                let (text, rest) = self.rest.split_at(end);
                self.rest = rest;
                self.word = Some(Word::Text { text: text.into(), quoted: false });
            }
        }
    }

    /// In quotes, `\"` stands for a quotation mark; any other `\` stays, for paths.
    fn quotation(&mut self) {
        let mut text = String::new();
        let mut letters = self.rest.char_indices().skip(1).peekable();
        while let Some((at, letter)) = letters.next() {
            match letter {
                '"' => {
                    self.rest = &self.rest[at + 1..];
                    self.word = Some(Word::Text { text, quoted: true });
                    return;
                }
                '\\' => match letters.next_if(|(_, next)| *next == '"') {
                    Some((_, next)) => text.push(next),
                    None => text.push('\\'),
                },
                other => text.push(other),
            }
        }
    }
}
