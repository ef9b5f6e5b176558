//! Schema files of other servers: OpenLDAP's `.schema` files, and LDIF (389 Directory Server's `schema/*.ldif`, OpenLDAP's
//! `cn=schema,cn=config`, the subschema entries of any server).

mod ldif;
mod slapd;

use std::collections::HashMap;

use crate::definition::{AttributeDefinition, ClassDefinition, Definition};
use crate::error::{DescriptionError, LineError};
use crate::schema::Schema;
use crate::syntax::Syntax;

/// Longest schema file that is read, in bytes.
pub const SCHEMA_FILE_LIMIT: usize = 8 << 20;

/// What a schema file holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SchemaFile {
    /// Attribute types and object classes, in the order of the file.
    pub definitions: Vec<Definition>,
    /// What could not be read, and elements of kinds that cannot be added.
    pub problems: Vec<LineError>,
}

impl SchemaFile {
    /// Read a schema file of either form: LDIF when a line begins with `dn:`.
    pub fn parse(text: &str) -> Self {
        if text.len() > SCHEMA_FILE_LIMIT {
            let problem = LineError::new(1, format!("the file is longer than {SCHEMA_FILE_LIMIT} bytes"));
            return Self { problems: vec![problem], ..Self::default() };
        }
        let mut reader = Reader::default();
        let is_ldif =
            text.lines().any(|line| line.get(..3).is_some_and(|start| start.eq_ignore_ascii_case("dn:")));
        if is_ldif {
            ldif::read(text, &mut reader);
        } else {
            slapd::read(text, &mut reader);
        }
        reader.file
    }

    /// The definitions whose OIDs a schema does not have yet: what is left to add when a file overlaps with it.
    pub fn new_to(self, schema: &Schema) -> Vec<Definition> {
        let is_new = |definition: &Definition| match definition {
            Definition::Attribute(attribute) => schema.attribute(&attribute.oid).is_none(),
            Definition::Class(class) => schema.class(&class.oid).is_none(),
        };
        self.definitions.into_iter().filter(is_new).collect()
    }
}

/// Kinds of elements in files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Attribute,
    Class,
    Syntax,
    Macro,
    /// Name forms, content rules, structure rules, matching rules.
    Other,
}

/// Takes elements one after another.
#[derive(Default)]
struct Reader {
    file: SchemaFile,
    macros: HashMap<String, String>,
}

impl Reader {
    fn problem(&mut self, line: usize, reason: impl Into<String>) {
        self.file.problems.push(LineError::new(line, reason));
    }

    /// Take the element in `text`, which began at `line`.
    fn element(&mut self, kind: Kind, line: usize, text: &str) {
        let resolve = |word: &str| expand(&self.macros, word);
        let definition: Result<Definition, DescriptionError> = match kind {
            Kind::Attribute => AttributeDefinition::read(text, &resolve).map(Into::into),
            Kind::Class => ClassDefinition::read(text, &resolve).map(Into::into),
            Kind::Macro => return self.define(line, text),
            Kind::Syntax => return self.syntax(line, text),
            Kind::Other => return self.problem(line, "elements of this kind cannot be added"),
        };
        match definition {
            Ok(definition) => self.file.definitions.push(definition),
            Err(error) => self.problem(line, error.to_string()),
        }
    }

    /// `name oid` or `name other:suffix`.
    fn define(&mut self, line: usize, text: &str) {
        let mut words = text.split_ascii_whitespace();
        let (Some(name), Some(oid), None) = (words.next(), words.next(), words.next()) else {
            return self.problem(line, "a name and an object identifier are needed");
        };
        let oid = expand(&self.macros, oid).unwrap_or_else(|| oid.to_owned());
        if !crate::text::is_numeric_oid(&oid) && !crate::text::is_number(&oid) {
            return self.problem(line, format!("\"{oid}\" is not an object identifier"));
        }
        self.macros.insert(name.to_ascii_lowercase(), oid);
    }

    /// Syntaxes are built in: those which are known need not be added.
    fn syntax(&mut self, line: usize, text: &str) {
        match text.parse::<crate::definition::SyntaxDefinition>() {
            Ok(syntax) if Syntax::from_oid(&syntax.oid).is_some() => {}
            Ok(syntax) => self.problem(line, format!("the syntax {} is not known", syntax.oid)),
            Err(error) => self.problem(line, error.to_string()),
        }
    }
}

/// The OID that `word` stands for: `name` or `name:suffix`.
fn expand(macros: &HashMap<String, String>, word: &str) -> Option<String> {
    let (name, suffix) = match word.split_once(':') {
        Some((name, suffix)) => (name, Some(suffix)),
        None => (word, None),
    };
    let oid = macros.get(&name.to_ascii_lowercase())?;
    Some(suffix.map_or_else(|| oid.clone(), |suffix| format!("{oid}.{suffix}")))
}
