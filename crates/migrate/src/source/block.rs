//! Entries in blocks: many of them in one piece of memory, which is handed on without a look at each.

use std::ops::Range;

use netinfo_formats::{Problem, ldif};
use netinfo_mapping::write::Given;

use super::entries::owned;
use crate::item::{Attributes, Item};

/// A block takes no further entry once its texts have so many bytes: a few blocks, and what is made of them, fit into the
/// cache of a processor.
const BLOCK: usize = 256 << 10;
/// Most entries, other items and problems of a block.
const ENTRIES: usize = 1024;

/// What comes next in a file.
pub(crate) enum Next<'b> {
    /// An entry: its values stand together by attribute.
    Entry(Entry<'b>),
    /// Something else, or an entry whose values do not.
    Item(Item),
    /// What could not be read.
    Problem(Problem),
}

/// An entry of a block.
#[derive(Clone, Copy)]
pub(crate) struct Entry<'b> {
    block: &'b Block,
    span: &'b Span,
}

/// Entries as they follow each other in a file.
#[derive(Default)]
pub(crate) struct Block {
    /// Names, descriptions and values, one behind the other.
    text: Vec<u8>,
    entries: Vec<Span>,
    /// For each attribute, where its description ends in the text, and its values in `values`.
    attributes: Vec<(u32, u32)>,
    /// Where each value ends in the text.
    values: Vec<u32>,
    /// What is no such entry, with the number of those before it.
    others: Vec<(usize, Result<Item, Problem>)>,
}

/// Where the parts of an entry begin.
struct Span {
    line: u64,
    dn: Range<u32>,
    attributes: Range<u32>,
    /// The first of its values.
    values: u32,
}

impl Block {
    /// Reads until there is enough, in place of what is in it; without anything in it there is no more.
    pub(crate) fn read(mut self, reader: &mut ldif::Reader<impl std::io::Read>) -> Self {
        let block = &mut self;
        block.text.clear();
        block.text.reserve(BLOCK + BLOCK / 4);
        block.values.clear();
        block.attributes.clear();
        block.entries.clear();
        block.others.clear();
        while block.text.len() < BLOCK && block.len() < ENTRIES {
            match reader.next() {
                None => break,
                Some(Ok(ldif::Item::Entry(entry))) => {
                    if !block.push(&entry) {
                        block.others.push((block.entries.len(), Ok(owned(ldif::Item::Entry(entry)))));
                    }
                }
                Some(other) => block.others.push((block.entries.len(), other.map(owned))),
            }
        }
        self
    }

    /// How many things are in it.
    pub(crate) fn len(&self) -> usize {
        self.entries.len() + self.others.len()
    }

    /// Adds an entry; false, and nothing is added, if values of one attribute stand apart.
    fn push(&mut self, entry: &ldif::Entry<'_>) -> bool {
        let (text, attributes, values) = (self.text.len(), self.attributes.len(), self.values.len());
        self.text.extend_from_slice(entry.dn);
        let dn = text as u32..self.text.len() as u32;
        let mut name: &[u8] = b"";
        for (description, value) in entry.attributes.clone() {
            match self.attributes.last_mut().filter(|_| description == name) {
                Some((_, end)) => *end += 1,
                None => {
                    name = description;
                    self.text.extend_from_slice(description);
                    self.attributes.push((self.text.len() as u32, self.values.len() as u32 + 1));
                }
            }
            self.text.extend_from_slice(value);
            self.values.push(self.text.len() as u32);
        }
        let span = Span {
            line: entry.line,
            dn,
            attributes: attributes as u32..self.attributes.len() as u32,
            values: values as u32,
        };
        // Places are counted in 32 bits; what is read of a file at a time is far less.
        let fits = u32::try_from(self.text.len()).is_ok() && self.is_grouped(&span);
        if fits {
            self.entries.push(span);
        } else {
            self.text.truncate(text);
            self.attributes.truncate(attributes);
            self.values.truncate(values);
        }
        fits
    }

    /// Whether no attribute of an entry stands in two places.
    fn is_grouped(&self, span: &Span) -> bool {
        /// With more attributes it takes too long to find out.
        const MOST: usize = 64;
        let names: Vec<&[u8]> = Entry { block: self, span }.attributes().map(|(name, _)| name).collect();
        let apart = |at: usize| names[..at].iter().all(|other| !other.eq_ignore_ascii_case(names[at]));
        names.len() <= MOST && (1..names.len()).all(apart)
    }

    /// Gives all that is in it, in order.
    pub(crate) fn each(&mut self, mut each: impl FnMut(Next<'_>)) {
        let others = std::mem::take(&mut self.others);
        let mut entries = self.entries.iter();
        let mut before = 0;
        for (number, other) in others {
            for span in entries.by_ref().take(number - before) {
                each(Next::Entry(Entry { block: self, span }));
            }
            before = number;
            each(match other {
                Ok(item) => Next::Item(item),
                Err(problem) => Next::Problem(problem),
            });
        }
        entries.for_each(|span| each(Next::Entry(Entry { block: self, span })));
    }
}

impl<'b> Entry<'b> {
    /// The line it began on.
    pub(crate) fn line(&self) -> u64 {
        self.span.line
    }

    /// Its name.
    pub(crate) fn dn(&self) -> &'b [u8] {
        &self.block.text[self.span.dn.start as usize..self.span.dn.end as usize]
    }

    /// Its attributes with their values.
    pub(crate) fn attributes(
        &self,
    ) -> impl Iterator<Item = (&'b [u8], impl Iterator<Item = &'b [u8]> + use<'b>)> + use<'b> {
        let block = self.block;
        let spans = &block.attributes[self.span.attributes.start as usize..self.span.attributes.end as usize];
        let (mut text, mut value) = (self.span.dn.end, self.span.values);
        spans.iter().map(move |&(name_end, values_end)| {
            let name = &block.text[text as usize..name_end as usize];
            let ends = &block.values[value as usize..values_end as usize];
            let mut start = name_end;
            (text, value) = (ends.last().copied().unwrap_or(name_end), values_end);
            let values = ends.iter().map(move |&end| {
                let bytes = &block.text[start as usize..end as usize];
                start = end;
                bytes
            });
            (name, values)
        })
    }

    /// The attributes as the mapping takes them.
    pub(crate) fn given(&self) -> Vec<Given<'b>> {
        self.attributes().map(|(description, values)| Given::new(description, values)).collect()
    }

    /// The attributes in memory of their own.
    pub(crate) fn owned(&self) -> Attributes {
        self.attributes()
            .map(|(name, values)| (name.to_vec(), values.map(<[u8]>::to_vec).collect()))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::item::What;
    use crate::source::entries::entries;
    use proptest::prelude::*;

    /// All items of a text, from blocks.
    fn read(text: &str) -> (Vec<Result<Item, String>>, usize) {
        let mut reader = ldif::Reader::new(text.as_bytes());
        let (mut items, mut in_blocks) = (Vec::new(), 0);
        loop {
            let mut block = Block::default().read(&mut reader);
            if block.len() == 0 {
                return (items, in_blocks);
            }
            block.each(|next| {
                items.push(match next {
                    Next::Entry(entry) => {
                        in_blocks += 1;
                        let what = What::Entry(entry.dn().to_vec(), entry.owned());
                        Ok(Item { line: entry.line(), what })
                    }
                    Next::Item(item) => Ok(item),
                    Next::Problem(problem) => Err(problem.to_string()),
                });
            });
        }
    }

    fn record() -> impl Strategy<Value = String> {
        let line = prop_oneof![
            6 => ("(cn|CN|sn|mail|jpegPhoto)", "[a-c]{0,3}").prop_map(|(name, value)| format!("{name}: {value}\n")),
            1 => Just("broken\n".to_owned()),
            1 => Just("changetype: delete\n".to_owned()),
        ];
        ("[a-c]{1,4}", proptest::collection::vec(line, 0..8))
            .prop_map(|(name, lines)| format!("dn: cn={name}\n{}\n", lines.concat()))
    }

    proptest! {
        #[test]
        fn blocks_hold_what_is_in_the_file(records in proptest::collection::vec(record(), 0..30)) {
            let text = records.concat();
            let expected: Vec<_> = entries(std::io::Cursor::new(text.clone().into_bytes()), false)
                .map(|item| item.map_err(|problem| problem.to_string()))
                .collect();
            prop_assert_eq!(read(&text).0, expected);
        }
    }

    #[test]
    fn blocks_end_and_entries_in_pieces_stay_outside() {
        let entry = |n: usize| format!("dn: cn={n}\ncn: {n}\nsn: {}\n\n", "x".repeat(600));
        let text: String = (0..3000).map(entry).collect();
        let (items, in_blocks) = read(&text);
        assert_eq!((items.len(), in_blocks), (3000, 3000));
        let mut reader = ldif::Reader::new(text.as_bytes());
        assert!((300..=ENTRIES).contains(&Block::default().read(&mut reader).len()));
        assert_eq!(read("dn: cn=a\ncn: a\nsn: b\nCN: c\n\n").1, 0);
        let (items, in_blocks) = read("dn: cn=a\n\ndn: cn=b\ncn: b\ncn: c\nsn:\n");
        assert_eq!((items.len(), in_blocks), (2, 2));
    }
}
