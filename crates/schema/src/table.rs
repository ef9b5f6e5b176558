//! The built-in definitions: two embedded tables (`data/README.md` says what their columns are).

use crate::definition::{AttributeDefinition, ClassDefinition, ClassKind, Definition, Usage};
use crate::description::split_bound;
use crate::error::LineError;

/// One definition of every element.
pub(crate) const TABLE: &str = include_str!("../data/schema.tsv");
/// Competing definitions.
pub(crate) const VARIANTS: &str = include_str!("../data/schema-variants.tsv");

/// Columns of a row.
const COLUMNS: usize = 14;
/// The first line of a table.
const HEADER: &str = "kind\toid\tnames\tsup\tsyntax\tequality\tordering\tsubstr\tsingle_value\tusage\tclass_kind\tmust\tmay\tsource";

/// Which definition to take where RFC 2307 and its successor draft disagree.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Variant {
    /// RFC 2307: `posixGroup` is structural, strings are IA5.
    Rfc2307,
    /// RFC 2307bis: `posixGroup` is auxiliary beside `groupOfNames`, strings are UTF-8.
    #[default]
    Rfc2307bis,
}

impl Variant {
    /// The `source` of the rows of the second table that this choice puts in place of those of the first.
    fn source(self) -> &'static str {
        match self {
            Self::Rfc2307 => "RFC2307-original",
            Self::Rfc2307bis => "RFC2307bis",
        }
    }
}

/// The built-in definitions for `variant`.
pub(crate) fn builtin(variant: Variant) -> Result<Vec<Definition>, LineError> {
    let mut definitions: Vec<Definition> = Vec::new();
    for row in rows(TABLE) {
        definitions.push(row?.definition);
    }
    for row in rows(VARIANTS) {
        let row = row?;
        if row.source != variant.source() {
            continue;
        }
        match definitions.iter_mut().find(|known| oid(known) == oid(&row.definition)) {
            Some(known) => *known = row.definition,
            None => definitions.push(row.definition),
        }
    }
    Ok(definitions)
}

/// One line of a table.
pub(crate) struct Row<'t> {
    pub(crate) definition: Definition,
    pub(crate) source: &'t str,
}

/// The rows of a table, each read or refused with its line.
pub(crate) fn rows(table: &str) -> impl Iterator<Item = Result<Row<'_>, LineError>> {
    table.lines().enumerate().filter_map(|(index, line)| {
        let number = index + 1;
        match number {
            1 if line == HEADER => None,
            1 => Some(Err(LineError::new(number, "the columns are not those of a schema table"))),
            _ => Some(row(line).map_err(|reason| LineError::new(number, reason))),
        }
    })
}

fn oid(definition: &Definition) -> &str {
    match definition {
        Definition::Attribute(attribute) => &attribute.oid,
        Definition::Class(class) => &class.oid,
    }
}

fn row(line: &str) -> Result<Row<'_>, String> {
    let columns: Vec<&str> = line.split('\t').collect();
    let columns: &[&str; COLUMNS] = columns
        .as_slice()
        .try_into()
        .map_err(|_| format!("{} columns instead of {COLUMNS}", columns.len()))?;
    let source = columns[13];
    let definition = match columns[0] {
        "attribute" => Definition::Attribute(attribute(columns)?),
        "objectclass" => Definition::Class(class(columns)?),
        kind => return Err(format!("unknown kind \"{kind}\"")),
    };
    Ok(Row { definition, source })
}

fn attribute(columns: &[&str; COLUMNS]) -> Result<AttributeDefinition, String> {
    let &[_, oid, names, sup, syntax, equality, ordering, substrings, single, usage, ..] = columns;
    let (syntax, bound) = match syntax {
        "" => (None, None),
        syntax => {
            let (syntax, bound) = split_bound(syntax).ok_or_else(|| format!("bad syntax \"{syntax}\""))?;
            (Some(syntax.to_owned()), bound)
        }
    };
    let (usage, no_user_modification) = match usage.split_once(';') {
        None => (usage, false),
        Some((usage, "no-user-modification")) => (usage, true),
        Some((_, flag)) => return Err(format!("unknown flag \"{flag}\"")),
    };
    Ok(AttributeDefinition {
        oid: oid.to_owned(),
        names: list(names),
        superior: option(sup),
        equality: option(equality),
        ordering: option(ordering),
        substrings: option(substrings),
        syntax,
        bound,
        single_value: match single {
            "TRUE" => true,
            "FALSE" => false,
            other => return Err(format!("single_value is \"{other}\"")),
        },
        no_user_modification,
        usage: Usage::from_word(usage).ok_or_else(|| format!("unknown usage \"{usage}\""))?,
        extensions: origin(columns),
        ..Default::default()
    })
}

fn class(columns: &[&str; COLUMNS]) -> Result<ClassDefinition, String> {
    let &[_, oid, names, sup, _, _, _, _, _, _, kind, must, may, _] = columns;
    Ok(ClassDefinition {
        oid: oid.to_owned(),
        names: list(names),
        superiors: list(sup),
        kind: ClassKind::from_word(kind).ok_or_else(|| format!("unknown class kind \"{kind}\""))?,
        must: list(must),
        may: list(may),
        extensions: origin(columns),
        ..Default::default()
    })
}

fn origin(columns: &[&str; COLUMNS]) -> Vec<(String, Vec<String>)> {
    vec![("X-ORIGIN".to_owned(), vec![columns[13].to_owned()])]
}

fn option(column: &str) -> Option<String> {
    (!column.is_empty()).then(|| column.to_owned())
}

fn list(column: &str) -> Vec<String> {
    column.split(',').filter(|item| !item.is_empty()).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_of_both_tables_is_read() {
        for (table, expected) in [(TABLE, 516), (VARIANTS, 52)] {
            let read: Result<Vec<_>, _> = rows(table).collect();
            assert_eq!(read.map(|rows| rows.len()), Ok(expected));
        }
    }

    #[test]
    fn every_row_is_published_and_read_again() {
        for row in rows(TABLE).chain(rows(VARIANTS)) {
            match row.unwrap().definition {
                Definition::Attribute(attribute) => assert_eq!(attribute.to_string().parse(), Ok(attribute)),
                Definition::Class(class) => assert_eq!(class.to_string().parse(), Ok(class)),
            }
        }
    }

    #[test]
    fn malformed_rows_are_reported_by_line() {
        let bad_kind = format!("{HEADER}\nattribute\t2.5.4.0\n");
        let error = rows(&bad_kind).find_map(Result::err);
        assert_eq!(error.map(|error| error.to_string()), Some("line 2: 2 columns instead of 14".to_owned()));
        let bad_header = rows("kind\n").find_map(Result::err);
        assert_eq!(bad_header.map(|error| error.line), Some(1));
    }

    #[test]
    fn variants_replace_what_they_define() {
        let group = |variant| {
            builtin(variant).unwrap().into_iter().find_map(|definition| match definition {
                Definition::Class(class) if class.names == ["posixGroup"] => Some(class.kind),
                _ => None,
            })
        };
        assert_eq!(group(Variant::Rfc2307bis), Some(ClassKind::Auxiliary));
        assert_eq!(group(Variant::Rfc2307), Some(ClassKind::Structural));
        assert_eq!(builtin(Variant::Rfc2307).unwrap().len(), 516);
        assert_eq!(builtin(Variant::Rfc2307bis).unwrap().len(), 516);
    }
}
