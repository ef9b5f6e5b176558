//! Tokens into records.

use std::io::BufRead;

use super::Dialect;
use super::tokens::{Token, Tokens};
use crate::problem::{Problem, Reason};
use crate::record::{Place, Record};

/// Deepest nesting of directories that is read.
pub const MAX_DEPTH: usize = 256;

/// Reads a directory and all below it.
#[derive(Debug)]
pub struct Reader<R> {
    /// Until the first item is asked for.
    input: Option<(R, Dialect)>,
    items: std::vec::IntoIter<Result<Record, Problem>>,
}

impl<R: BufRead> Reader<R> {
    /// Backslashes are taken as `dialect` has them.
    pub fn new(input: R, dialect: Dialect) -> Self {
        Self { input: Some((input, dialect)), items: Vec::new().into_iter() }
    }
}

impl<R: BufRead> Iterator for Reader<R> {
    type Item = Result<Record, Problem>;

    fn next(&mut self) -> Option<Self::Item> {
        if let Some((input, dialect)) = self.input.take() {
            self.items = read(Tokens::new(input, dialect)).into_iter();
        }
        self.items.next()
    }
}

/// All records and problems, in the order of their lines.
fn read<R: BufRead>(tokens: Tokens<R>) -> Vec<Result<Record, Problem>> {
    let mut parser = Parser { tokens, token: Token::End, line: 1, records: Vec::new(), problems: Vec::new() };
    if let Err(Some(problem)) = parser.whole() {
        parser.problems.push(problem);
    }
    let mut problems = parser.problems;
    problems.sort_by_key(|problem| problem.line);
    let mut problems = problems.into_iter().peekable();
    let mut items = Vec::with_capacity(parser.records.len() + problems.len());
    for record in parser.records {
        while let Some(problem) = problems.next_if(|problem| problem.line < record.line) {
            items.push(Err(problem));
        }
        items.push(Ok(record));
    }
    items.extend(problems.map(Err));
    items
}

/// Stops what is being read; without a problem, because that has been noted.
type Stop = Option<Problem>;

struct Parser<R> {
    tokens: Tokens<R>,
    /// The token that comes.
    token: Token,
    /// Its line.
    line: u64,
    /// Depth first: what is below a record stands behind it.
    records: Vec<Record>,
    problems: Vec<Problem>,
}

impl<R: BufRead> Parser<R> {
    fn whole(&mut self) -> Result<(), Stop> {
        self.advance()?;
        if self.token == Token::End {
            return Err(Some(Reason::Malformed("there is no directory".to_owned()).at(self.line, "text")));
        }
        let braced = self.token == Token::Open;
        self.directory(Place::Root, 0)?;
        if braced && self.token != Token::End {
            return Err(Some(
                Reason::Malformed("more text behind the directory".to_owned()).at(self.line, "end"),
            ));
        }
        Ok(())
    }

    /// A directory and all below it. What is wrong with it costs itself, if braces tell where it ends.
    fn directory(&mut self, place: Place, depth: usize) -> Result<(), Stop> {
        let number = self.records.len();
        let line = self.line;
        let braced = self.accept(&Token::Open)?;
        self.records.push(Record { place, properties: Vec::new(), identity: None, line });
        let mut complete = false;
        let Err(stop) = self.body(number, braced, depth, &mut complete) else { return Ok(()) };
        self.problems.extend(stop);
        if self.token == Token::End {
            // The text is cut off: what is whole is kept.
            if !complete {
                self.records.truncate(number);
            }
            return Err(None);
        }
        self.records.truncate(number);
        if braced {
            return self.skip();
        }
        Err(None)
    }

    /// Properties and children. `complete` tells whether the children have been reached.
    fn body(&mut self, number: usize, braced: bool, depth: usize, complete: &mut bool) -> Result<(), Stop> {
        if depth > MAX_DEPTH {
            return Err(self.problem(format!("deeper than {MAX_DEPTH} directories")));
        }
        loop {
            match &self.token {
                Token::Word(_) => {
                    *complete = false;
                    self.property(number)?;
                }
                Token::Children => {
                    self.advance()?;
                    self.expect(&Token::Equal, "equal")?;
                    *complete = true;
                    self.children(number, depth)?;
                }
                Token::Close if braced => {
                    self.advance()?;
                    return Ok(());
                }
                Token::End if !braced => return Ok(()),
                Token::Close | Token::Comma | Token::Right if !braced && depth > 0 => return Ok(()),
                Token::Close => return Err(self.problem("Unexpected right brace \"}\"".to_owned())),
                Token::Left => return Err(self.problem("Unexpected left paren \"(\"".to_owned())),
                Token::Right => return Err(self.problem("Unexpected right paren \")\"".to_owned())),
                _ => return Err(self.unexpected()),
            }
        }
    }

    fn property(&mut self, number: usize) -> Result<(), Stop> {
        let Token::Word(key) = self.advance()? else { return Err(self.unexpected()) };
        self.expect(&Token::Equal, "equal")?;
        let parenthesis = self.accept(&Token::Left)?;
        let mut values = Vec::new();
        loop {
            match &self.token {
                Token::Word(_) => {
                    if let Token::Word(value) = self.advance()? {
                        values.push(value);
                    }
                }
                Token::Comma => {
                    self.advance()?;
                }
                Token::Right if parenthesis => {
                    self.advance()?;
                    break;
                }
                Token::Semicolon if !parenthesis => break,
                _ => return Err(self.unexpected()),
            }
        }
        self.expect(&Token::Semicolon, "semicolon")?;
        self.records[number].properties.push((key, values));
        Ok(())
    }

    fn children(&mut self, number: usize, depth: usize) -> Result<(), Stop> {
        let parenthesis = self.accept(&Token::Left)?;
        loop {
            match &self.token {
                Token::Comma => {
                    self.advance()?;
                    continue;
                }
                Token::Right if parenthesis => {
                    self.advance()?;
                    break;
                }
                // A parenthesis that was not opened here is that of a directory above.
                Token::Close | Token::Semicolon | Token::Right if !parenthesis => break,
                Token::End if parenthesis => return Err(self.unexpected()),
                Token::End => break,
                _ => self.directory(Place::Below(number as u64), depth + 1)?,
            }
            match &self.token {
                Token::Comma | Token::Right => {}
                _ if !parenthesis => break,
                Token::End => return Err(self.unexpected()),
                _ => return Err(self.problem("Expecting right paren \")\"".to_owned())),
            }
        }
        self.accept(&Token::Semicolon)?;
        Ok(())
    }

    /// Passes over the rest of a directory with braces.
    fn skip(&mut self) -> Result<(), Stop> {
        let mut open = 1;
        loop {
            match self.token {
                Token::Open => open += 1,
                Token::Close => open -= 1,
                Token::End => return Err(None),
                _ => {}
            }
            self.advance()?;
            if open == 0 {
                return Ok(());
            }
        }
    }

    /// Goes one token on and gives the one that was.
    fn advance(&mut self) -> Result<Token, Stop> {
        match self.tokens.next() {
            Ok((token, line)) => {
                self.line = line;
                Ok(std::mem::replace(&mut self.token, token))
            }
            Err(problem) => {
                // Nothing can be told about what follows.
                self.token = Token::End;
                Err(Some(problem))
            }
        }
    }

    fn accept(&mut self, token: &Token) -> Result<bool, Stop> {
        let is = self.token == *token;
        if is {
            self.advance()?;
        }
        Ok(is)
    }

    fn expect(&mut self, token: &Token, called: &str) -> Result<(), Stop> {
        if self.accept(token)? {
            return Ok(());
        }
        Err(self.problem(format!("Expecting {called} \"{}\"", token.shown())))
    }

    fn unexpected(&self) -> Stop {
        self.problem(format!("Unexpected token \"{}\"", self.token.shown()))
    }

    fn problem(&self, what: String) -> Stop {
        Some(Reason::Malformed(what).at(self.line, "text"))
    }
}
