//! JSON5 (json5.org) into values that know their lines.

use crate::problem::{Problem, Reason};

/// Deepest nesting of arrays and objects that is read.
pub const MAX_NESTING: usize = 32;

/// Longest string that is read, in bytes.
pub const MAX_STRING_BYTES: usize = 2 << 20;

/// A value and the line on which it begins.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) line: u64,
    pub(super) value: Value,
}

/// A value; objects keep the order of their keys, and keys that are there twice.
#[derive(Debug)]
pub(super) enum Value {
    /// `null`, `true`, `NaN`, a number: as written.
    Word(String),
    Text(String),
    Array(Vec<Node>),
    Object(Vec<(String, Node)>),
}

/// A text that is read from its beginning.
pub(super) struct Text<'a> {
    rest: &'a str,
    pub(super) line: u64,
}

impl<'a> Text<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { rest: text.strip_prefix('\u{feff}').unwrap_or(text), line: 1 }
    }

    /// A value with all that is in it.
    pub(super) fn value(&mut self, depth: usize) -> Result<Node, Problem> {
        self.blanks()?;
        let line = self.line;
        if depth > MAX_NESTING {
            return Err(self.problem(format!("deeper than {MAX_NESTING} arrays and objects")));
        }
        let value = match self.peek() {
            Some('{') => {
                let mut members = Vec::new();
                self.object(|text, key| {
                    members.push((key, text.value(depth + 1)?));
                    Ok(())
                })?;
                Value::Object(members)
            }
            Some('[') => {
                let mut elements = Vec::new();
                self.array(|text| {
                    elements.push(text.value(depth + 1)?);
                    Ok(())
                })?;
                Value::Array(elements)
            }
            Some('"' | '\'') => Value::Text(self.string()?),
            _ => Value::Word(self.word("a value")?),
        };
        Ok(Node { line, value })
    }

    /// An object; `member` is called behind each key and its colon, and reads the value.
    pub(super) fn object(
        &mut self,
        mut member: impl FnMut(&mut Self, String) -> Result<(), Problem>,
    ) -> Result<(), Problem> {
        self.demand('{')?;
        loop {
            if self.accept('}')? {
                return Ok(());
            }
            let key =
                if matches!(self.peek(), Some('"' | '\'')) { self.string()? } else { self.word("a key")? };
            self.demand(':')?;
            self.blanks()?;
            member(self, key)?;
            if !self.accept(',')? {
                return self.demand('}');
            }
        }
    }

    /// An array; `element` is called at each element and reads it.
    pub(super) fn array(
        &mut self,
        mut element: impl FnMut(&mut Self) -> Result<(), Problem>,
    ) -> Result<(), Problem> {
        self.demand('[')?;
        loop {
            if self.accept(']')? {
                return Ok(());
            }
            element(self)?;
            if !self.accept(',')? {
                return self.demand(']');
            }
        }
    }

    /// Checks that nothing comes.
    pub(super) fn end(&mut self) -> Result<(), Problem> {
        self.blanks()?;
        if self.rest.is_empty() { Ok(()) } else { Err(self.expected("the end")) }
    }

    pub(super) fn peek(&self) -> Option<char> {
        self.rest.chars().next()
    }

    fn take(&mut self) -> Option<char> {
        let next = self.peek()?;
        self.rest = &self.rest[next.len_utf8()..];
        self.line += u64::from(next == '\n');
        Some(next)
    }

    fn accept(&mut self, punctuation: char) -> Result<bool, Problem> {
        self.blanks()?;
        let is = self.peek() == Some(punctuation);
        if is {
            self.take();
            self.blanks()?;
        }
        Ok(is)
    }

    fn demand(&mut self, punctuation: char) -> Result<(), Problem> {
        self.blanks()?;
        if self.peek() != Some(punctuation) {
            return Err(self.expected(&format!("\"{punctuation}\"")));
        }
        self.take();
        Ok(())
    }

    /// Passes over white space and comments.
    fn blanks(&mut self) -> Result<(), Problem> {
        loop {
            if self.rest.starts_with("//") {
                while self.peek().is_some_and(|next| !matches!(next, '\n' | '\u{2028}' | '\u{2029}')) {
                    self.take();
                }
            } else if let Some(comment) = self.rest.strip_prefix("/*") {
                let Some(length) = comment.find("*/") else {
                    return Err(self.problem("a comment without an end".to_owned()));
                };
                self.line += comment[..length].matches('\n').count() as u64;
                self.rest = &comment[length + 2..];
            } else if self.peek().is_some_and(|next| next.is_whitespace() || next == '\u{feff}') {
                self.take();
            } else {
                return Ok(());
            }
        }
    }

    /// A key without quotes, a number, `null` …; anything that is no punctuation.
    fn word(&mut self, what: &str) -> Result<String, Problem> {
        let is_part = |next: char| {
            next.is_alphanumeric() || "_$+-.".contains(next) || next == '\u{200c}' || next == '\u{200d}'
        };
        let length = self.rest.find(|next| !is_part(next)).unwrap_or(self.rest.len());
        if length == 0 {
            return Err(self.expected(what));
        }
        if length > MAX_STRING_BYTES {
            return Err(self.too_long());
        }
        let (word, rest) = self.rest.split_at(length);
        self.rest = rest;
        Ok(word.to_owned())
    }

    fn string(&mut self) -> Result<String, Problem> {
        let begin = self.line;
        let quote = self.take();
        let mut string = String::new();
        loop {
            if string.len() > MAX_STRING_BYTES {
                return Err(self.too_long());
            }
            match self.take() {
                None | Some('\n' | '\r') => {
                    return Err(Reason::Malformed("a string without an end".to_owned()).at(begin, "text"));
                }
                next if next == quote => return Ok(string),
                Some('\\') => string.extend(self.escape()?),
                Some(next) => string.push(next),
            }
        }
    }

    /// What stands behind a backslash.
    fn escape(&mut self) -> Result<Option<char>, Problem> {
        Ok(Some(match self.take() {
            None => return Err(self.problem("a string without an end".to_owned())),
            Some('\r') => {
                if self.peek() == Some('\n') {
                    self.take();
                }
                return Ok(None);
            }
            Some('\n' | '\u{2028}' | '\u{2029}') => return Ok(None),
            Some('b') => '\u{8}',
            Some('f') => '\u{c}',
            Some('n') => '\n',
            Some('r') => '\r',
            Some('t') => '\t',
            Some('v') => '\u{b}',
            Some('0') if !self.peek().is_some_and(|next| next.is_ascii_digit()) => '\0',
            Some('1'..='9' | '0') => return Err(self.problem("a digit behind a backslash".to_owned())),
            Some('x') => self.code(2)?,
            Some('u') => self.code(4)?,
            Some(other) => other,
        }))
    }

    /// A character by its code in so many digits, or by two of them.
    fn code(&mut self, digits: usize) -> Result<char, Problem> {
        let bad = |text: &Self| text.problem("not the code of a character".to_owned());
        let first = self.number(digits)?;
        if !(0xd800..0xdc00).contains(&first) {
            return char::from_u32(first).ok_or_else(|| bad(self));
        }
        let Some(rest) = self.rest.strip_prefix("\\u") else { return Err(bad(self)) };
        self.rest = rest;
        let second = self.number(4)?;
        if !(0xdc00..0xe000).contains(&second) {
            return Err(bad(self));
        }
        char::from_u32(0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00)).ok_or_else(|| bad(self))
    }

    fn number(&mut self, digits: usize) -> Result<u32, Problem> {
        let text = self.rest.get(..digits).filter(|text| text.bytes().all(|byte| byte.is_ascii_hexdigit()));
        let number = text.and_then(|text| u32::from_str_radix(text, 16).ok());
        let number = number.ok_or_else(|| self.problem("not hexadecimal digits".to_owned()))?;
        self.rest = &self.rest[digits..];
        Ok(number)
    }

    fn expected(&self, what: &str) -> Problem {
        let found = match self.peek() {
            None => "the end".to_owned(),
            // A letter may be one of a value.
            Some(next) if next.is_alphanumeric() => "something else".to_owned(),
            Some(next) => format!("\"{}\"", next.escape_debug()),
        };
        self.problem(format!("{what} expected, {found} found"))
    }

    fn too_long(&self) -> Problem {
        self.problem(format!("a string longer than {MAX_STRING_BYTES} bytes"))
    }

    pub(super) fn problem(&self, what: String) -> Problem {
        Reason::Malformed(what).at(self.line, "text")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(node: &Node) -> String {
        let value = match &node.value {
            Value::Word(word) => word.clone(),
            Value::Text(text) => format!("{text:?}"),
            Value::Array(elements) => {
                format!("[{}]", elements.iter().map(shown).collect::<Vec<_>>().join(" "))
            }
            Value::Object(members) => {
                let members: Vec<_> =
                    members.iter().map(|(key, node)| format!("{key}:{}", shown(node))).collect();
                format!("{{{}}}", members.join(" "))
            }
        };
        format!("{value}@{}", node.line)
    }

    fn read(text: &str) -> String {
        let mut text = Text::new(text);
        let node = text.value(0).and_then(|node| text.end().map(|()| node));
        node.map_or_else(|problem| problem.to_string(), |node| shown(&node))
    }

    #[test]
    fn values() {
        assert_eq!(read("\u{feff} [1, -.5e3, 0xF, NaN, null,]"), "[1@1 -.5e3@1 0xF@1 NaN@1 null@1]@1");
        assert_eq!(
            read("// a\n{ /* b\n */ a: 'x', \"b c\": [\n], $_ü: {}, }"),
            "{a:\"x\"@3 b c:[]@3 $_ü:{}@4}@2"
        );
        assert_eq!(
            read(
                r#"'a"\'\x41\u00e9\ud83d\ude00\
b\0\q'"#
            ),
            "\"a\\\"'Aé😀b\\0q\"@1"
        );
    }

    #[test]
    fn what_is_no_value() {
        for (text, problem) in [
            ("", "line 1: text: a value expected, the end found"),
            ("[1 2]", "line 1: text: \"]\" expected, something else found"),
            ("{a 1}", "line 1: text: \":\" expected, something else found"),
            ("{,}", "line 1: text: a key expected, \",\" found"),
            ("\n'ab\n'", "line 2: text: a string without an end"),
            ("/* ", "line 1: text: a comment without an end"),
            (r"'\u12'", "line 1: text: not hexadecimal digits"),
            (r"'\ud800x'", "line 1: text: not the code of a character"),
            (r"'\8'", "line 1: text: a digit behind a backslash"),
            ("[] []", "line 1: text: the end expected, \"[\" found"),
        ] {
            assert_eq!(read(text), problem, "{text}");
        }
    }

    #[test]
    fn nesting_and_strings_have_limits() {
        let nested = |depth| "[".repeat(depth) + &"]".repeat(depth);
        assert!(read(&nested(MAX_NESTING + 1)).starts_with('['));
        assert_eq!(read(&nested(MAX_NESTING + 2)), "line 1: text: deeper than 32 arrays and objects");
        let string = |length| format!("'{}'", "x".repeat(length));
        assert_eq!(read(&string(MAX_STRING_BYTES)).len(), MAX_STRING_BYTES + 4);
        assert_eq!(read(&string(MAX_STRING_BYTES + 1)), "line 1: text: a string longer than 2097152 bytes");
    }
}
