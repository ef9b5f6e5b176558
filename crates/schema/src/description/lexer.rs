//! Words of a description: parentheses, dollar signs, quoted texts, bare words.

use crate::error::DescriptionError;

/// One token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Token<'t> {
    Open,
    Close,
    Dollar,
    /// A quoted text, unescaped.
    Quoted(String),
    Bare(&'t str),
}

/// Reads tokens one after another, with one token to look ahead.
pub(super) struct Lexer<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Lexer<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Self { text, at: 0 }
    }

    /// Where the next token begins, for errors.
    pub(super) fn position(&self) -> usize {
        self.at
    }

    pub(super) fn peek(&mut self) -> Result<Option<Token<'t>>, DescriptionError> {
        let at = self.at;
        let token = self.next();
        self.at = at;
        token
    }

    pub(super) fn next(&mut self) -> Result<Option<Token<'t>>, DescriptionError> {
        let rest = &self.text[self.at..];
        let start = self.at + (rest.len() - rest.trim_ascii_start().len());
        let rest = &self.text[start..];
        let Some(&first) = rest.as_bytes().first() else {
            self.at = start;
            return Ok(None);
        };
        let (token, len) = match first {
            b'(' => (Token::Open, 1),
            b')' => (Token::Close, 1),
            b'$' => (Token::Dollar, 1),
            b'\'' => {
                let len = rest[1..]
                    .find('\'')
                    .ok_or(DescriptionError::Expected { expected: "a closing quote", at: self.text.len() })?;
                (Token::Quoted(unescape(&rest[1..=len])), len + 2)
            }
            _ => {
                let len = rest
                    .find(|c: char| c.is_ascii_whitespace() || matches!(c, '(' | ')' | '$' | '\''))
                    .unwrap_or(rest.len());
                (Token::Bare(&rest[..len]), len)
            }
        };
        self.at = start + len;
        Ok(Some(token))
    }
}

/// `\27` is a quote and `\5C` a backslash; a backslash in front of anything else stands for itself.
fn unescape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        let code = rest.as_bytes().get(at + 1..at + 3).unwrap_or_default();
        let (c, len) = match code {
            b"27" => ('\'', 3),
            b"5c" | b"5C" => ('\\', 3),
            _ => ('\\', 1),
        };
        out.push(c);
        rest = &rest[at + len..];
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_and_backslashes_are_escaped() {
        assert_eq!(unescape(r"it\27s a \5cslash\5C, \x"), r"it's a \slash\, \x");
        assert_eq!(unescape(r"end\2"), r"end\2");
    }

    #[test]
    fn tokens_need_no_spaces_between_them() {
        let mut lexer = Lexer::new("(1.2 NAME('a' 'b')MAY(x$y))");
        let mut tokens = Vec::new();
        while let Some(token) = lexer.next().unwrap() {
            tokens.push(token);
        }
        assert_eq!(tokens.len(), 14);
        assert_eq!(tokens[4], Token::Quoted("a".to_owned()));
        assert!(Lexer::new("'open").next().is_err());
    }
}
