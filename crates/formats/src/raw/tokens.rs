//! Text into words and punctuation.

use std::collections::VecDeque;
use std::io::{BufRead, ErrorKind};

use super::Dialect;
use crate::problem::{Problem, Reason};

/// Longest word (a key or a value) that is read, in bytes.
pub const MAX_WORD_BYTES: usize = 2 << 20;

/// A piece of the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Token {
    Open,
    Close,
    Left,
    Right,
    Comma,
    Semicolon,
    Equal,
    /// The word `CHILDREN` without quotes.
    Children,
    /// A key or a value.
    Word(Vec<u8>),
    /// There is no more.
    End,
}

impl Token {
    /// As in messages; the text of words, which may be passwords, is no part of them.
    pub(super) const fn shown(&self) -> &'static str {
        match self {
            Self::Open => "{",
            Self::Close => "}",
            Self::Left => "(",
            Self::Right => ")",
            Self::Comma => ",",
            Self::Semicolon => ";",
            Self::Equal => "=",
            Self::Children => "CHILDREN",
            Self::Word(_) => "(a word)",
            Self::End => "-nil-",
        }
    }
}

/// The tokens of an input.
pub(super) struct Tokens<R> {
    input: R,
    dialect: Dialect,
    /// Bytes that have been looked at.
    ahead: VecDeque<u8>,
    /// The number of the line that is read, from 1.
    pub(super) line: u64,
}

impl<R: BufRead> Tokens<R> {
    pub(super) const fn new(input: R, dialect: Dialect) -> Self {
        Self { input, dialect, ahead: VecDeque::new(), line: 1 }
    }

    /// The next token, and the line on which it begins.
    pub(super) fn next(&mut self) -> Result<(Token, u64), Problem> {
        let last = self.line;
        while let Some(byte) = self.peek(0)?
            && b" \t\r\n".contains(&byte)
        {
            self.bump();
        }
        let line = self.line;
        // The end is on the last line that has something.
        let Some(byte) = self.peek(0)? else { return Ok((Token::End, last)) };
        let token = match byte {
            b'{' => Token::Open,
            b'}' => Token::Close,
            b'(' => Token::Left,
            b')' => Token::Right,
            b',' => Token::Comma,
            b';' => Token::Semicolon,
            b'=' => Token::Equal,
            b'"' => {
                self.bump();
                return Ok((Token::Word(self.quoted(line)?), line));
            }
            _ => {
                let word = self.unquoted(line)?;
                return Ok((if word == b"CHILDREN" { Token::Children } else { Token::Word(word) }, line));
            }
        };
        self.bump();
        Ok((token, line))
    }

    /// A word behind its opening quote.
    fn quoted(&mut self, line: u64) -> Result<Vec<u8>, Problem> {
        let mut word = Vec::new();
        let dialect = self.dialect;
        loop {
            let Some(byte) = self.take()? else {
                return Err(Reason::Malformed("the text ends inside quotes".to_owned()).at(line, "text"));
            };
            match byte {
                b'"' => return Ok(word),
                b'\\' => match dialect {
                    Dialect::Dump if self.peek(0)? == Some(b'"') && !self.closes()? => {
                        self.bump();
                        word.push(b'"');
                    }
                    Dialect::Dump => word.push(b'\\'),
                    Dialect::Load => self.plain(&mut word)?,
                    Dialect::Escaped => self.escaped(&mut word)?,
                },
                byte => word.push(byte),
            }
            if word.len() > MAX_WORD_BYTES {
                return Err(too_long(line));
            }
        }
    }

    /// Whether the quote that is next is followed by what `nidump` writes behind a word.
    fn closes(&mut self) -> Result<bool, Problem> {
        for end in [&b" );\n"[..], b", \"", b" = ("] {
            let mut all = true;
            for (place, byte) in end.iter().enumerate() {
                if self.peek(place + 1)? != Some(*byte) {
                    all = false;
                    break;
                }
            }
            if all {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Takes the byte behind a backslash as it is; more backslashes vanish.
    fn plain(&mut self, word: &mut Vec<u8>) -> Result<(), Problem> {
        while let Some(byte) = self.take()? {
            if byte != b'\\' {
                word.push(byte);
                break;
            }
        }
        Ok(())
    }

    fn escaped(&mut self, word: &mut Vec<u8>) -> Result<(), Problem> {
        let Some(byte) = self.peek(0)? else { return Ok(()) };
        word.push(match byte {
            b'a' => 7,
            b'b' => 8,
            b't' => b'\t',
            b'n' => b'\n',
            b'v' => 11,
            b'f' => 12,
            b'r' => b'\r',
            b'\\' | b'"' => byte,
            b'0'..=b'3' => return self.octal(word),
            _ => {
                // Backslashes themselves were written plainly.
                word.push(b'\\');
                return Ok(());
            }
        });
        self.bump();
        Ok(())
    }

    /// A byte in up to three octal digits; or, negative in a wider number, in more.
    fn octal(&mut self, word: &mut Vec<u8>) -> Result<(), Problem> {
        const NEGATIVE: &[u8] = b"037777777";
        let mut digits = Vec::new();
        while digits.len() < NEGATIVE.len() + 3
            && let Some(byte @ b'0'..=b'7') = self.peek(digits.len())?
        {
            digits.push(byte);
        }
        let used = if digits.starts_with(NEGATIVE) { digits.len() } else { digits.len().min(3) };
        let value = digits[..used].iter().fold(0_u8, |value, digit| value << 3 | (digit - b'0'));
        word.push(value);
        for _ in 0..used {
            self.bump();
        }
        Ok(())
    }

    fn unquoted(&mut self, line: u64) -> Result<Vec<u8>, Problem> {
        let mut word = Vec::new();
        let mut first = true;
        while let Some(byte) = self.peek(0)? {
            match byte {
                b' ' | b'\t' | b'\r' | b'\n' | b'{' | b'}' | b'(' | b')' | b',' | b';' | b'"' => break,
                b'\\' if !first => {
                    self.bump();
                    self.plain(&mut word)?;
                }
                byte => {
                    self.bump();
                    word.push(byte);
                }
            }
            first = false;
            if word.len() > MAX_WORD_BYTES {
                return Err(too_long(line));
            }
        }
        Ok(word)
    }

    /// A byte of those that come, `None` behind the end.
    fn peek(&mut self, place: usize) -> Result<Option<u8>, Problem> {
        while self.ahead.len() <= place {
            let chunk = match self.input.fill_buf() {
                Ok(chunk) => chunk,
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => return Err(Reason::Unreadable(error.kind()).at(self.line, "text")),
            };
            let Some(byte) = chunk.first() else { return Ok(None) };
            self.ahead.push_back(*byte);
            self.input.consume(1);
        }
        Ok(self.ahead.get(place).copied())
    }

    fn bump(&mut self) {
        if self.ahead.pop_front() == Some(b'\n') {
            self.line += 1;
        }
    }

    fn take(&mut self) -> Result<Option<u8>, Problem> {
        let byte = self.peek(0)?;
        self.bump();
        Ok(byte)
    }
}

fn too_long(line: u64) -> Problem {
    Reason::Malformed(format!("a word longer than {MAX_WORD_BYTES} bytes")).at(line, "text")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str, dialect: Dialect) -> Vec<String> {
        let mut tokens = Tokens::new(text.as_bytes(), dialect);
        let mut found = Vec::new();
        loop {
            match tokens.next().unwrap().0 {
                Token::End => return found,
                Token::Word(word) => found.push(word.escape_ascii().to_string()),
                other => found.push(format!("<{}>", other.shown())),
            }
        }
    }

    #[test]
    fn words_with_and_without_quotes() {
        assert_eq!(
            words("a \"b c\"\"\" CHILDREN \"CHILDREN\"", Dialect::Dump),
            ["a", "b c", "", "<CHILDREN>", "CHILDREN"]
        );
        assert_eq!(words("name=foo;", Dialect::Dump), ["name=foo", "<;>"]);
        assert_eq!(words("name =foo;", Dialect::Dump), ["name", "<=>", "foo", "<;>"]);
        assert_eq!(words("\"name\"=\"foo\";", Dialect::Dump), ["name", "<=>", "foo", "<;>"]);
        assert_eq!(
            words("{a(b)c,d}", Dialect::Dump),
            ["<{>", "a", "<(>", "b", "<)>", "c", "<,>", "d", "<}>"]
        );
    }

    #[test]
    fn backslashes_of_loaders() {
        let load = |text| words(text, Dialect::Load).concat();
        assert_eq!(load(r#""a\"b""#), "a\\\"b");
        assert_eq!(load(r#""a\\b""#), "ab");
        assert_eq!(load(r#""a\nb""#), "anb");
        assert_eq!(load(r"a\ b"), "a b");
        assert_eq!(load(r"\ab"), r"\\ab");
        // The doubled backslash vanishes, and the quote behind it is a plain byte.
        assert_eq!(load(r#""a\\" b""#), "a\\\" b");
    }

    #[test]
    fn backslashes_of_dumps() {
        let dump = |text| words(text, Dialect::Dump).join("|");
        assert_eq!(dump(r#""a\"b" "a\nb" "\\x""#), r#"a\"b|a\\nb|\\\\x"#);
        assert_eq!(dump("\"say \\\"hi\\\"\" );\n"), r#"say \"hi\"|<)>|<;>"#);
        // Behind the second a word ends as a dump writes it.
        assert_eq!(dump("\"q\\\" );\n"), r"q\\|<)>|<;>");
        assert_eq!(dump("\"q\\\", \"r\\\" = ("), r"q\\|<,>|r\\|<=>|<(>");
    }

    #[test]
    fn backslashes_of_escapes() {
        let escaped = |text| words(text, Dialect::Escaped).concat();
        assert_eq!(escaped(r#""\\ \" \n \t \033 \q \0""#), r#"\\ \" \n \t \x1b \\q \x00"#);
        assert_eq!(escaped(r#""\037777777703\0377""#), r"\xc3\x1f7");
    }

    #[test]
    fn a_word_has_so_many_bytes_and_no_more() {
        for quote in ["\"", ""] {
            let mut text = format!("{quote}{}{quote} ", "x".repeat(MAX_WORD_BYTES));
            let word = Tokens::new(text.as_bytes(), Dialect::Dump).next().unwrap();
            assert!(matches!(word, (Token::Word(word), 1) if word.len() == MAX_WORD_BYTES));
            text.insert(1, 'x');
            let problem = Tokens::new(text.as_bytes(), Dialect::Dump).next().unwrap_err();
            assert_eq!(problem.to_string(), "line 1: text: a word longer than 2097152 bytes");
        }
    }
}
