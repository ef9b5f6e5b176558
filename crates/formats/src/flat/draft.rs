//! What the writers of flat files have in common: one record gives some lines of text, or none.

use crate::record::{Place, Record};
use crate::writer::{Loss, RecordWriter};
use std::io::{self, Write};

/// Why a record or a value cannot be written, in words.
pub(crate) type Why = &'static str;

pub(crate) const NO_NAME: Why = "it has no name";
pub(crate) const COMMENT: Why = "its line would be read as a comment or as an NIS line";
pub(crate) const ELSEWHERE: Why = "it stands elsewhere in the tree";
pub(crate) const SEPARATOR: Why = "a field holds a separator of the format or the end of a line";
pub(crate) const ONE_VALUE: Why = "the format has room for one value";
pub(crate) const NO_PLACE: Why = "the format has no place for it";
pub(crate) const REPEATED: Why = "a second property of this name";
pub(crate) const BLANKS: Why = "blanks around the value are left out";
pub(crate) const BAD_VALUE: Why = "a value is left out: it holds a separator of the format, or is empty";

/// Writes the text that `compose` makes of each record of a container.
pub(crate) struct TextWriter<W, F> {
    out: W,
    container: &'static str,
    /// What comes before the first record.
    header: &'static [u8],
    compose: F,
    text: Vec<u8>,
}

impl<W, F> TextWriter<W, F>
where
    W: Write,
    F: FnMut(&mut Draft<'_>, &mut Vec<u8>) -> Result<(), Why>,
{
    pub(crate) const fn new(out: W, container: &'static str, compose: F) -> Self {
        Self { out, container, header: b"", compose, text: Vec::new() }
    }

    pub(crate) const fn with_header(mut self, header: &'static [u8]) -> Self {
        self.header = header;
        self
    }

    fn begin(&mut self) -> io::Result<()> {
        self.out.write_all(std::mem::take(&mut self.header))
    }
}

impl<W, F> RecordWriter for TextWriter<W, F>
where
    W: Write,
    F: FnMut(&mut Draft<'_>, &mut Vec<u8>) -> Result<(), Why>,
{
    fn write(&mut self, record: &Record, losses: &mut Vec<Loss>) -> io::Result<()> {
        self.begin()?;
        if record.place != Place::In(self.container) {
            losses.push(Loss {
                line: record.line,
                property: Vec::new(),
                why: "it stands elsewhere in the tree",
            });
            return Ok(());
        }
        if compose(record, &mut self.text, losses, &mut self.compose) {
            self.out.write_all(&self.text)?;
        }
        Ok(())
    }

    fn finish(&mut self, _losses: &mut Vec<Loss>) -> io::Result<()> {
        self.begin()?;
        self.out.flush()
    }
}

/// Makes the text of one record with `compose` and tells whether there is one; notes what is lost.
pub(crate) fn compose<F>(record: &Record, text: &mut Vec<u8>, losses: &mut Vec<Loss>, mut compose: F) -> bool
where
    F: FnMut(&mut Draft<'_>, &mut Vec<u8>) -> Result<(), Why>,
{
    text.clear();
    let mut draft = Draft { record, carried: Vec::new(), losses: Vec::new() };
    match compose(&mut draft, text) {
        Ok(()) => {
            draft.close();
            losses.append(&mut draft.losses);
            true
        }
        Err(why) => {
            losses.push(left_out(record, why));
            false
        }
    }
}

/// The loss of a whole record.
pub(crate) const fn left_out(record: &Record, why: Why) -> Loss {
    Loss { line: record.line, property: Vec::new(), why }
}

/// A record while its text is composed, with what does not get into the text.
pub(crate) struct Draft<'r> {
    record: &'r Record,
    /// Properties that need no further word: they are in the text, or their loss is noted.
    carried: Vec<&'r [u8]>,
    losses: Vec<Loss>,
}

impl<'r> Draft<'r> {
    /// The record.
    pub(crate) const fn record(&self) -> &'r Record {
        self.record
    }

    /// Notes that something of a property is lost.
    pub(crate) fn lose(&mut self, property: impl AsRef<[u8]>, why: Why) {
        self.losses.push(Loss { line: self.record.line, property: property.as_ref().to_vec(), why });
    }

    /// Notes that a property needs no further word, whatever it is called.
    pub(crate) fn settle(&mut self, property: &'r [u8]) {
        self.carried.push(property);
    }

    /// All values of a property that the format carries.
    pub(crate) fn all(&mut self, property: &'static str) -> &'r [Vec<u8>] {
        self.carried.push(property.as_bytes());
        self.record.values(property)
    }

    /// The first value of a property that the format carries once.
    pub(crate) fn one(&mut self, property: &'static str) -> Option<&'r [u8]> {
        let values = self.all(property);
        if values.len() > 1 {
            self.lose(property, ONE_VALUE);
        }
        values.first().map(Vec::as_slice)
    }

    /// The values of a property that `good` takes; the loss of others is noted once.
    pub(crate) fn good(&mut self, property: &'static str, good: impl Fn(&[u8]) -> bool) -> Vec<&'r [u8]> {
        let values = self.all(property);
        let kept: Vec<&[u8]> = values.iter().map(Vec::as_slice).filter(|value| good(value)).collect();
        if kept.len() < values.len() {
            self.lose(property, BAD_VALUE);
        }
        kept
    }

    /// The values of `name`: the first must be `good`, of the others those that are.
    pub(crate) fn names(&mut self, good: impl Fn(&[u8]) -> bool) -> Result<Vec<&'r [u8]>, Why> {
        match self.record.first("name") {
            None | Some([]) => return Err(NO_NAME),
            Some(name) if !good(name) => return Err(SEPARATOR),
            Some(_) => {}
        }
        Ok(self.good("name", good))
    }

    /// A property that says nothing if its only value is one of these, so that leaving it out loses nothing.
    pub(crate) fn implied(&mut self, property: &'static str, values: &[&[u8]]) {
        if let [value] = self.record.values(property)
            && values.contains(&value.as_slice())
        {
            self.carried.push(property.as_bytes());
        }
    }

    /// A property that another file carries beside this one.
    pub(crate) fn elsewhere(&mut self, property: &'static str) {
        self.carried.push(property.as_bytes());
    }

    /// The first value of a property as a field between colons; empty if there is none.
    pub(crate) fn colon_field(&mut self, property: &'static str) -> Result<&'r [u8], Why> {
        let value = self.one(property).unwrap_or_default();
        if value.iter().any(|byte| b":\n\0".contains(byte)) {
            return Err(SEPARATOR);
        }
        let trimmed = value.trim_ascii();
        if trimmed.len() < value.len() {
            self.lose(property, BLANKS);
        }
        Ok(trimmed)
    }

    /// Notes the properties that nobody asked for.
    fn close(&mut self) {
        let record = self.record;
        for (position, (name, _)) in record.properties.iter().enumerate() {
            let known = record.properties[..position].iter().any(|(earlier, _)| earlier == name);
            let carried = self.carried.contains(&name.as_slice());
            let why = match (known, carried) {
                (true, _) => REPEATED,
                (false, false) => NO_PLACE,
                (false, true) => continue,
            };
            self.losses.push(Loss { line: record.line, property: name.clone(), why });
        }
    }
}

/// Whether text is one word of a line of words: no blank, no NUL, and no beginning of a comment.
pub(crate) fn is_word(text: &[u8]) -> bool {
    !text.is_empty()
        && !text.starts_with(b"#")
        && !text.iter().any(|byte| byte.is_ascii_whitespace() || *byte == 0)
}

/// Appends items with something between them.
pub(crate) fn join<'a>(text: &mut Vec<u8>, items: impl IntoIterator<Item = &'a [u8]>, between: &[u8]) {
    for (position, item) in items.into_iter().enumerate() {
        if position > 0 {
            text.extend_from_slice(between);
        }
        text.extend_from_slice(item);
    }
}

/// What a writer makes of records, for tests: the text, and the losses a line each.
#[cfg(test)]
pub(crate) fn written(mut writer: impl FnMut(&mut Vec<u8>, &mut Vec<Loss>)) -> (String, Vec<String>) {
    let (mut out, mut losses) = (Vec::new(), Vec::new());
    writer(&mut out, &mut losses);
    (String::from_utf8_lossy(&out).into_owned(), losses.iter().map(ToString::to_string).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(records: &[Record]) -> (String, Vec<String>) {
        written(|out, losses| {
            let mut writer = TextWriter::new(out, "things", |draft: &mut Draft<'_>, text: &mut Vec<u8>| {
                let names = draft.names(is_word)?;
                draft.implied("kind", &[b"thing"]);
                join(text, names, b" ");
                text.extend_from_slice(b":");
                text.extend_from_slice(draft.colon_field("note")?);
                text.push(b'\n');
                Ok(())
            })
            .with_header(b"head\n");
            for record in records {
                writer.write(record, losses).unwrap();
            }
            writer.finish(losses).unwrap();
        })
    }

    #[test]
    fn everything_that_is_not_written_is_told() {
        let records = [
            Record::new("things", 1).with("name", "a").with("kind", "thing").with("note", " n "),
            Record::new("things", 2)
                .with_values("name", vec![b"b".to_vec(), b"x y".to_vec()])
                .with("kind", "odd"),
            Record::new("things", 3).with("name", "c").with("note", "a:b"),
            Record::new("things", 4).with("note", "n"),
            Record::new("others", 5).with("name", "e"),
            Record::new("things", 6).with("name", "f").with("name", "g").with_values("note", vec![vec![]; 2]),
        ];
        let (text, losses) = write(&records);
        assert_eq!(text, "head\na:n\nb:\nf:\n");
        assert_eq!(
            losses,
            [
                "record 1: note: blanks around the value are left out",
                "record 2: name: a value is left out: it holds a separator of the format, or is empty",
                "record 2: kind: the format has no place for it",
                "record 3: left out: a field holds a separator of the format or the end of a line",
                "record 4: left out: it has no name",
                "record 5: left out: it stands elsewhere in the tree",
                "record 6: note: the format has room for one value",
                "record 6: name: a second property of this name",
            ]
        );
    }

    #[test]
    fn a_header_stands_before_nothing_too() {
        assert_eq!(write(&[]).0, "head\n");
    }
}
