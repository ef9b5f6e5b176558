//! Records as they are seen: views of a reader's buffer.

use std::fmt;

use super::line::{Line, Span, Texts};

/// One record.
#[derive(Debug, Clone)]
pub enum Item<'a> {
    /// An entry of a content file.
    Entry(Entry<'a>),
    /// A change to an entry.
    Change(Change<'a>),
}

impl<'a> Item<'a> {
    /// The line on which the record begins, from 1.
    pub const fn line(&self) -> u64 {
        match self {
            Self::Entry(entry) => entry.line,
            Self::Change(change) => change.line,
        }
    }

    /// The name of the entry, UTF-8; empty for the root of the server.
    pub const fn dn(&self) -> &'a [u8] {
        match self {
            Self::Entry(entry) => entry.dn,
            Self::Change(change) => change.dn,
        }
    }
}

/// An entry with all its attributes, operational ones too.
#[derive(Debug, Clone)]
pub struct Entry<'a> {
    /// The line of its name, from 1.
    pub line: u64,
    /// Its name, UTF-8; empty for the root of the server.
    pub dn: &'a [u8],
    /// Its values in the order of the file.
    pub attributes: Attributes<'a>,
}

/// A change to one entry.
#[derive(Debug, Clone)]
pub struct Change<'a> {
    /// The line of its name, from 1.
    pub line: u64,
    /// The name of the entry, UTF-8; empty for the root of the server.
    pub dn: &'a [u8],
    /// Controls to be sent with the change.
    pub controls: Controls<'a>,
    /// What is to be done.
    pub operation: Operation<'a>,
}

/// What a [`Change`] does.
#[derive(Debug, Clone)]
pub enum Operation<'a> {
    /// A new entry (`changetype: add`).
    Add(Attributes<'a>),
    /// The entry goes (`changetype: delete`).
    Delete,
    /// Its attributes change, step by step (`changetype: modify`).
    Modify(Modifications<'a>),
    /// It gets another name (`changetype: modrdn` or `moddn`).
    Rename {
        /// The first part of the new name, UTF-8.
        new_rdn: &'a [u8],
        /// Whether the values of the old name go.
        delete_old_rdn: bool,
        /// The name of the new parent, UTF-8, if it moves.
        new_superior: Option<&'a [u8]>,
    },
}

/// Pairs of an attribute description (type and options, as written) and a value, in the order of the file. Cheap to
/// clone.
#[derive(Clone)]
pub struct Attributes<'a> {
    pub(super) texts: Texts<'a>,
    pub(super) lines: std::slice::Iter<'a, Line>,
}

impl<'a> Attributes<'a> {
    /// The values together by attribute, ignoring case; an attribute stands where its first value stood, as that was
    /// spelled.
    pub fn grouped(&self) -> Vec<(&'a [u8], Vec<&'a [u8]>)> {
        /// Up to so many attributes a list is searched; a hash table costs more.
        const FEW: usize = 32;
        let mut groups: Vec<(&'a [u8], Vec<&'a [u8]>)> = Vec::new();
        let mut places = std::collections::HashMap::new();
        for (description, value) in self.clone() {
            // Values of one attribute mostly stand together.
            let same = |group: &(&[u8], Vec<&[u8]>)| group.0.eq_ignore_ascii_case(description);
            let place = if groups.last().is_some_and(same) {
                Some(groups.len() - 1)
            } else if groups.len() < FEW {
                groups.iter().position(same)
            } else {
                if places.is_empty() {
                    places = groups
                        .iter()
                        .enumerate()
                        .map(|(n, group)| (group.0.to_ascii_lowercase(), n))
                        .collect();
                }
                places.get(&description.to_ascii_lowercase()).copied()
            };
            match place {
                Some(place) => groups[place].1.push(value),
                None => {
                    if !places.is_empty() {
                        places.insert(description.to_ascii_lowercase(), groups.len());
                    }
                    groups.push((description, vec![value]));
                }
            }
        }
        groups
    }
}

impl<'a> Iterator for Attributes<'a> {
    type Item = (&'a [u8], &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let line = self.lines.next()?;
        Some((self.texts.get(line.name), self.texts.get(line.value)))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.lines.size_hint()
    }
}

impl ExactSizeIterator for Attributes<'_> {}

/// Descriptions, and how long the values are: they may be passwords.
impl fmt::Debug for Attributes<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown =
            self.clone().map(|(name, value)| (String::from_utf8_lossy(name).into_owned(), value.len()));
        f.debug_map().entries(shown).finish()
    }
}

/// A step of a modification.
#[derive(Debug, Clone)]
pub struct Modification<'a> {
    /// What it does.
    pub kind: ModificationKind,
    /// The attribute description, as written.
    pub description: &'a [u8],
    /// The values; none is allowed for `delete` and `replace`.
    pub values: Values<'a>,
}

/// What a [`Modification`] does with its values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ModificationKind {
    /// Adds them.
    Add,
    /// Removes them; the whole attribute if there are none.
    Delete,
    /// Puts them in the place of all there are.
    Replace,
    /// Adds the one number to each value (RFC 4525).
    Increment,
}

impl ModificationKind {
    /// The word in a file.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Add => "add",
            Self::Delete => "delete",
            Self::Replace => "replace",
            Self::Increment => "increment",
        }
    }

    /// The kind of a word, in any case.
    pub(super) fn of_word(word: &[u8]) -> Option<Self> {
        let kinds = [Self::Add, Self::Delete, Self::Replace, Self::Increment];
        kinds.into_iter().find(|kind| word.eq_ignore_ascii_case(kind.word().as_bytes()))
    }
}

/// The steps of a modification, in order. Cheap to clone.
#[derive(Clone)]
pub struct Modifications<'a> {
    pub(super) texts: Texts<'a>,
    /// As the reader has checked them: a line that says what is done, those of its values, and a separator.
    pub(super) lines: &'a [Line],
}

impl<'a> Iterator for Modifications<'a> {
    type Item = Modification<'a>;

    fn next(&mut self) -> Option<Modification<'a>> {
        let end = self.lines.iter().position(Line::is_separator).unwrap_or(self.lines.len());
        let (step, rest) = self.lines.split_at(end);
        self.lines = rest.get(1..).unwrap_or(&[]);
        let (what, values) = step.split_first()?;
        Some(Modification {
            kind: ModificationKind::of_word(self.texts.get(what.name))?,
            description: self.texts.get(what.value),
            values: Values { texts: self.texts, lines: values.iter() },
        })
    }
}

impl fmt::Debug for Modifications<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.clone()).finish()
    }
}

/// The values of one step. Cheap to clone.
#[derive(Clone)]
pub struct Values<'a> {
    texts: Texts<'a>,
    lines: std::slice::Iter<'a, Line>,
}

impl<'a> Iterator for Values<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        self.lines.next().map(|line| self.texts.get(line.value))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.lines.size_hint()
    }
}

impl ExactSizeIterator for Values<'_> {}

/// How many: they may be passwords.
impl fmt::Debug for Values<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} values", self.len())
    }
}

/// A control of a change (RFC 4511 §4.1.11).
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Control<'a> {
    /// Its OID.
    pub oid: &'a [u8],
    /// Whether the change must fail if the server does not know the control.
    pub critical: bool,
    /// Its value, if it has one.
    pub value: Option<&'a [u8]>,
}

impl fmt::Debug for Control<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.oid.escape_ascii(), if self.critical { " critical" } else { "" })
    }
}

/// A control as the reader keeps it.
#[derive(Clone, Copy)]
pub(super) struct ControlSpans {
    pub(super) oid: Span,
    pub(super) critical: bool,
    pub(super) value: Option<Span>,
}

/// The controls of a change, in order. Cheap to clone.
#[derive(Clone)]
pub struct Controls<'a> {
    pub(super) texts: Texts<'a>,
    pub(super) spans: std::slice::Iter<'a, ControlSpans>,
}

impl<'a> Iterator for Controls<'a> {
    type Item = Control<'a>;

    fn next(&mut self) -> Option<Control<'a>> {
        let spans = self.spans.next()?;
        Some(Control {
            oid: self.texts.get(spans.oid),
            critical: spans.critical,
            value: spans.value.map(|value| self.texts.get(value)),
        })
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.spans.size_hint()
    }
}

impl ExactSizeIterator for Controls<'_> {}

impl fmt::Debug for Controls<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.clone()).finish()
    }
}
