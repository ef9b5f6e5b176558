//! Reading descriptions.

use std::str::FromStr;

use super::lexer::{Lexer, Token};
use super::{DESCRIPTION_LIMIT, split_bound};
use crate::definition::{
    AttributeDefinition, ClassDefinition, ClassKind, Definition, Extensions, RuleDefinition,
    RuleUseDefinition, SyntaxDefinition, Usage,
};
use crate::error::DescriptionError;
use crate::text::{is_number, is_oid};

type Result<T> = std::result::Result<T, DescriptionError>;

/// What stands behind a word.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Shape {
    /// Nothing.
    Flag,
    /// One or more names.
    Names,
    /// One text.
    Text,
    /// One name or OID, with a bound perhaps.
    Oid,
    /// One or more names or OIDs.
    Oids,
    /// One or more numbers.
    Numbers,
}

/// The words that one kind of description has.
pub(crate) struct Grammar {
    words: &'static [(&'static str, Shape)],
    required: &'static [&'static str],
    numbered: bool,
}

macro_rules! grammar {
    ($name:ident: $($word:literal $shape:ident)*; required $($required:literal)*; numbered $numbered:literal) => {
        pub(crate) const $name: Self = Self {
            words: &[("NAME", Shape::Names), ("DESC", Shape::Text), ("OBSOLETE", Shape::Flag), $(($word, Shape::$shape)),*],
            required: &[$($required),*],
            numbered: $numbered,
        };
    };
}

impl Grammar {
    grammar!(ATTRIBUTE: "SUP" Oid "EQUALITY" Oid "ORDERING" Oid "SUBSTR" Oid "SYNTAX" Oid "SINGLE-VALUE" Flag
        "COLLECTIVE" Flag "NO-USER-MODIFICATION" Flag "USAGE" Oid; required; numbered false);
    grammar!(CLASS: "SUP" Oids "ABSTRACT" Flag "STRUCTURAL" Flag "AUXILIARY" Flag "MUST" Oids "MAY" Oids;
        required; numbered false);
    grammar!(SYNTAX: ; required; numbered false);
    grammar!(RULE: "SYNTAX" Oid; required "SYNTAX"; numbered false);
    grammar!(RULE_USE: "APPLIES" Oids; required "APPLIES"; numbered false);
    grammar!(CONTENT_RULE: "AUX" Oids "MUST" Oids "MAY" Oids "NOT" Oids; required; numbered false);
    grammar!(NAME_FORM: "OC" Oid "MUST" Oids "MAY" Oids; required "OC" "MUST"; numbered false);
    grammar!(STRUCTURE_RULE: "FORM" Oid "SUP" Numbers; required "FORM"; numbered true);
}

/// Whether `text` is a description of this grammar.
pub(crate) fn check(text: &str, grammar: &Grammar) -> Result<()> {
    Fields::read(text, grammar, &NO_MACROS).map(|_| ())
}

/// The OID that a word stands for, where schema files define words for OIDs (`objectIdentifier`).
pub(crate) type Macros<'m> = dyn Fn(&str) -> Option<String> + 'm;

/// No words stand for OIDs.
const NO_MACROS: fn(&str) -> Option<String> = |_| None;

/// The words of one description, each with what stands behind it.
struct Fields {
    id: String,
    words: Vec<(&'static str, Vec<String>)>,
    extensions: Extensions,
}

impl Fields {
    fn read(text: &str, grammar: &Grammar, macros: &Macros<'_>) -> Result<Self> {
        if text.len() > DESCRIPTION_LIMIT {
            return Err(DescriptionError::TooLong);
        }
        let mut reader = Reader { lexer: Lexer::new(text) };
        reader.expect(&Token::Open, "an opening parenthesis")?;
        let id = reader.word("an identifier")?;
        let id = macros(&id).unwrap_or(id);
        if grammar.numbered != is_number(&id) || !(grammar.numbered || is_oid(&id)) {
            return Err(reader.expected("an identifier"));
        }
        let mut fields = Self { id, words: Vec::new(), extensions: Vec::new() };
        while reader.lexer.peek()? != Some(Token::Close) {
            fields.word(&mut reader, grammar)?;
        }
        reader.expect(&Token::Close, "a closing parenthesis")?;
        if reader.lexer.next()?.is_some() {
            return Err(reader.expected("the end"));
        }
        match grammar.required.iter().find(|word| fields.get(word).is_none()) {
            Some(missing) => Err(DescriptionError::Missing(missing)),
            None => Ok(fields),
        }
    }

    fn word(&mut self, reader: &mut Reader<'_>, grammar: &Grammar) -> Result<()> {
        let Some(Token::Bare(word)) = reader.lexer.next()? else {
            return Err(reader.expected("a word or a closing parenthesis"));
        };
        if word.get(..2).is_some_and(|prefix| prefix.eq_ignore_ascii_case("X-")) && word.len() > 2 {
            let texts = reader.texts()?;
            self.extensions.push((word.to_owned(), texts));
            return Ok(());
        }
        let &(known, shape) = grammar
            .words
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(word))
            .ok_or_else(|| DescriptionError::UnknownWord(word.to_owned()))?;
        if self.get(known).is_some() {
            return Err(DescriptionError::Repeated(known.to_owned()));
        }
        let values = match shape {
            Shape::Flag => Vec::new(),
            Shape::Names => reader.texts()?,
            Shape::Text => vec![reader.text()?],
            Shape::Oid => vec![reader.word("a name or an object identifier")?],
            Shape::Oids => reader.oids()?,
            Shape::Numbers => reader.numbers()?,
        };
        self.words.push((known, values));
        Ok(())
    }

    fn get(&self, word: &str) -> Option<&[String]> {
        self.words.iter().find(|(known, _)| *known == word).map(|(_, values)| values.as_slice())
    }

    fn all(&mut self, word: &str) -> Vec<String> {
        self.words
            .iter_mut()
            .find(|(known, _)| *known == word)
            .map(|(_, values)| std::mem::take(values))
            .unwrap_or_default()
    }

    fn one(&mut self, word: &str) -> Option<String> {
        self.all(word).pop()
    }

    fn flag(&self, word: &str) -> bool {
        self.get(word).is_some()
    }
}

struct Reader<'t> {
    lexer: Lexer<'t>,
}

impl Reader<'_> {
    fn expected(&self, expected: &'static str) -> DescriptionError {
        DescriptionError::Expected { expected, at: self.lexer.position() }
    }

    fn expect(&mut self, token: &Token<'_>, what: &'static str) -> Result<()> {
        if self.lexer.next()?.as_ref() == Some(token) { Ok(()) } else { Err(self.expected(what)) }
    }

    /// A name, OID or number, with or without quotes.
    fn word(&mut self, what: &'static str) -> Result<String> {
        match self.lexer.next()? {
            Some(Token::Bare(word)) => Ok(word.to_owned()),
            Some(Token::Quoted(word)) if !word.is_empty() => Ok(word),
            _ => Err(self.expected(what)),
        }
    }

    fn text(&mut self) -> Result<String> {
        match self.lexer.next()? {
            Some(Token::Quoted(text)) => Ok(text),
            Some(Token::Bare(word)) => Ok(word.to_owned()),
            _ => Err(self.expected("a text in quotes")),
        }
    }

    /// One text, or several in parentheses.
    fn texts(&mut self) -> Result<Vec<String>> {
        if self.lexer.peek()? != Some(Token::Open) {
            return Ok(vec![self.text()?]);
        }
        self.lexer.next()?;
        let mut texts = Vec::new();
        while self.lexer.peek()? != Some(Token::Close) {
            texts.push(self.text()?);
        }
        self.lexer.next()?;
        Ok(texts)
    }

    /// One name or OID, or several in parentheses with dollar signs between them.
    fn oids(&mut self) -> Result<Vec<String>> {
        let what = "a name or an object identifier";
        if self.lexer.peek()? != Some(Token::Open) {
            return Ok(vec![self.word(what)?]);
        }
        self.lexer.next()?;
        let mut oids = vec![self.word(what)?];
        loop {
            match self.lexer.next()? {
                Some(Token::Dollar) => oids.push(self.word(what)?),
                Some(Token::Close) => return Ok(oids),
                _ => return Err(self.expected("a dollar sign or a closing parenthesis")),
            }
        }
    }

    fn numbers(&mut self) -> Result<Vec<String>> {
        let numbers = self.texts()?;
        if numbers.is_empty() || !numbers.iter().all(|number| is_number(number)) {
            return Err(self.expected("a number"));
        }
        Ok(numbers)
    }
}

impl FromStr for AttributeDefinition {
    type Err = DescriptionError;

    fn from_str(text: &str) -> Result<Self> {
        Self::read(text, &NO_MACROS)
    }
}

impl AttributeDefinition {
    /// Read a description in which words may stand for OIDs.
    pub(crate) fn read(text: &str, macros: &Macros<'_>) -> Result<Self> {
        let mut fields = Fields::read(text, &Grammar::ATTRIBUTE, macros)?;
        let (syntax, bound) = match fields.one("SYNTAX") {
            None => (None, None),
            Some(syntax) => match split_bound(&syntax) {
                Some((oid, bound)) => (Some(macros(oid).unwrap_or_else(|| oid.to_owned())), bound),
                None => return Err(DescriptionError::BadValue { word: "SYNTAX", value: syntax }),
            },
        };
        let usage = match fields.one("USAGE") {
            None => Usage::default(),
            Some(word) => match Usage::from_word(&word) {
                Some(usage) => usage,
                None => return Err(DescriptionError::BadValue { word: "USAGE", value: word }),
            },
        };
        Ok(Self {
            names: fields.all("NAME"),
            description: fields.one("DESC"),
            obsolete: fields.flag("OBSOLETE"),
            superior: fields.one("SUP"),
            equality: fields.one("EQUALITY"),
            ordering: fields.one("ORDERING"),
            substrings: fields.one("SUBSTR"),
            syntax,
            bound,
            single_value: fields.flag("SINGLE-VALUE"),
            collective: fields.flag("COLLECTIVE"),
            no_user_modification: fields.flag("NO-USER-MODIFICATION"),
            usage,
            oid: fields.id,
            extensions: fields.extensions,
        })
    }
}

impl FromStr for ClassDefinition {
    type Err = DescriptionError;

    fn from_str(text: &str) -> Result<Self> {
        Self::read(text, &NO_MACROS)
    }
}

impl ClassDefinition {
    /// Read a description in which words may stand for OIDs.
    pub(crate) fn read(text: &str, macros: &Macros<'_>) -> Result<Self> {
        let mut fields = Fields::read(text, &Grammar::CLASS, macros)?;
        let kinds = [ClassKind::Abstract, ClassKind::Structural, ClassKind::Auxiliary];
        let mut kinds = kinds.into_iter().filter(|kind| fields.flag(kind.word()));
        let kind = kinds.next().unwrap_or_default();
        if kinds.next().is_some() {
            return Err(DescriptionError::Repeated("the kind of class".to_owned()));
        }
        Ok(Self {
            names: fields.all("NAME"),
            description: fields.one("DESC"),
            obsolete: fields.flag("OBSOLETE"),
            superiors: fields.all("SUP"),
            kind,
            must: fields.all("MUST"),
            may: fields.all("MAY"),
            oid: fields.id,
            extensions: fields.extensions,
        })
    }
}

impl FromStr for SyntaxDefinition {
    type Err = DescriptionError;

    fn from_str(text: &str) -> Result<Self> {
        let mut fields = Fields::read(text, &Grammar::SYNTAX, &NO_MACROS)?;
        Ok(Self { description: fields.one("DESC"), oid: fields.id, extensions: fields.extensions })
    }
}

impl FromStr for RuleDefinition {
    type Err = DescriptionError;

    fn from_str(text: &str) -> Result<Self> {
        let mut fields = Fields::read(text, &Grammar::RULE, &NO_MACROS)?;
        Ok(Self {
            names: fields.all("NAME"),
            description: fields.one("DESC"),
            obsolete: fields.flag("OBSOLETE"),
            syntax: fields.one("SYNTAX").unwrap_or_default(),
            oid: fields.id,
            extensions: fields.extensions,
        })
    }
}

impl FromStr for RuleUseDefinition {
    type Err = DescriptionError;

    fn from_str(text: &str) -> Result<Self> {
        let mut fields = Fields::read(text, &Grammar::RULE_USE, &NO_MACROS)?;
        Ok(Self {
            names: fields.all("NAME"),
            description: fields.one("DESC"),
            obsolete: fields.flag("OBSOLETE"),
            applies: fields.all("APPLIES"),
            oid: fields.id,
            extensions: fields.extensions,
        })
    }
}

impl From<AttributeDefinition> for Definition {
    fn from(attribute: AttributeDefinition) -> Self {
        Self::Attribute(attribute)
    }
}

impl From<ClassDefinition> for Definition {
    fn from(class: ClassDefinition) -> Self {
        Self::Class(class)
    }
}
