//! The embedded tables (`data/README.md` says what their columns are).

use crate::transform::Transform;

const CONTAINERS: &str = include_str!("../data/containers.tsv");
const ATTRIBUTES: &str = include_str!("../data/attributes.tsv");

/// A directory below the root whose contents have a meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ContainerRow {
    /// Its name.
    pub(crate) directory: &'static str,
    /// Table of attributes; empty: the common one.
    pub(crate) table: &'static str,
    /// Its `ou` in the layout of RFC 2307; empty: it has its name there too.
    pub(crate) unit: &'static str,
    /// Classes of entries which store none: layout of Open Directory, RFC 2307bis, RFC 2307.
    pub(crate) classes: [&'static str; 3],
}

/// A property and its attribute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct AttributeRow {
    /// Table it belongs to.
    pub(crate) table: &'static str,
    /// Name of the property.
    pub(crate) property: &'static str,
    /// Name of the attribute and how values are translated; `None`: the property is not published.
    pub(crate) attribute: Option<(&'static str, Transform)>,
}

/// Rows of `containers.tsv`.
pub(crate) fn containers() -> impl Iterator<Item = ContainerRow> {
    rows::<6>(CONTAINERS).map(|[directory, table, unit, apple, bis, plain]| ContainerRow {
        directory,
        table,
        unit,
        classes: [apple, bis, plain],
    })
}

/// Rows of `attributes.tsv`.
pub(crate) fn attributes() -> impl Iterator<Item = AttributeRow> {
    rows::<4>(ATTRIBUTES).map(|[table, property, attribute, word]| {
        let transform = Transform::WORDS.iter().find(|(known, _)| *known == word).map(|row| row.1);
        AttributeRow { table, property, attribute: transform.map(|transform| (attribute, transform)) }
    })
}

/// The lines behind the first, in columns. Lines with another number of columns are left out; there are none, as a test
/// makes sure.
fn rows<const N: usize>(text: &'static str) -> impl Iterator<Item = [&'static str; N]> {
    text.lines().skip(1).filter_map(|line| {
        let mut columns = line.split('\t');
        let row: [&str; N] = std::array::from_fn(|_| columns.next().unwrap_or("\t"));
        (columns.next().is_none() && !row.contains(&"\t")).then_some(row)
    })
}

#[cfg(test)]
mod tests {
    use netinfo_schema::{Schema, Variant};

    use super::*;

    #[test]
    fn every_line_is_read() {
        assert_eq!(containers().count(), CONTAINERS.lines().count() - 1);
        assert_eq!(attributes().count(), ATTRIBUTES.lines().count() - 1);
        let known = |word| word == "hidden" || Transform::WORDS.iter().any(|(known, _)| *known == word);
        for row in rows::<4>(ATTRIBUTES) {
            assert!(known(row[3]), "{row:?}");
            assert_eq!(row[3] == "hidden", row[2].is_empty(), "{row:?}");
        }
    }

    #[test]
    fn the_schema_knows_every_name() {
        for variant in [Variant::Rfc2307, Variant::Rfc2307bis] {
            let schema = Schema::builtin(variant).unwrap();
            for (name, _) in attributes().filter_map(|row| row.attribute) {
                assert!(schema.attribute(name).is_some(), "{name}");
            }
            for class in containers().flat_map(|row| row.classes).flat_map(|list| list.split(',')) {
                assert!(schema.class(class).is_some(), "{class}");
            }
        }
    }

    #[test]
    fn tables_belong_to_containers() {
        for row in attributes() {
            assert!(row.table == "automount" || containers().any(|known| known.table == row.table));
        }
    }
}
