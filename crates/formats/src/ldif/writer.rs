//! Writing entries and changes.

use std::io::{self, ErrorKind, Write};

use base64ct::{Base64, Encoding as _};

use super::item::{Change, Control, Controls, Item, Modification, ModificationKind, Operation};
use super::line::is_description;

/// Lines are folded so that none is longer, in bytes without its end.
pub const FOLD_COLUMNS: usize = 76;

/// Writes LDIF of version 1: base64 wherever RFC 2849 asks for it, folded lines, a blank line between records.
#[derive(Debug)]
pub struct Writer<W> {
    output: W,
    /// The line that is being made.
    line: Vec<u8>,
    fold: bool,
    version: bool,
    started: bool,
}

impl<W: Write> Writer<W> {
    /// The file begins with its version.
    pub const fn new(output: W) -> Self {
        Self { output, line: Vec::new(), fold: true, version: true, started: false }
    }

    /// The file does not begin with its version: some loaders refuse that line.
    #[must_use]
    pub fn without_version(self) -> Self {
        Self { version: false, ..self }
    }

    /// Lines are not folded: for people and line-wise programs.
    #[must_use]
    pub fn without_folding(self) -> Self {
        Self { fold: false, ..self }
    }

    /// An entry with pairs of attribute descriptions and values.
    ///
    /// # Errors
    ///
    /// When the output cannot be written; [`ErrorKind::InvalidInput`] for a description with other bytes than letters,
    /// digits, `-`, `.`, `;` and `_`, and for `dn`: the entry is half written then.
    pub fn entry<'a>(
        &mut self,
        dn: &[u8],
        attributes: impl IntoIterator<Item = (&'a [u8], &'a [u8])>,
    ) -> io::Result<()> {
        self.begin(dn)?;
        attributes.into_iter().try_for_each(|(description, value)| self.attribute(description, value))
    }

    /// A change that adds an entry.
    ///
    /// # Errors
    ///
    /// As [`Writer::entry`].
    pub fn add<'a>(
        &mut self,
        dn: &[u8],
        attributes: impl IntoIterator<Item = (&'a [u8], &'a [u8])>,
    ) -> io::Result<()> {
        self.begin(dn)?;
        self.word("changetype", "add")?;
        attributes.into_iter().try_for_each(|(description, value)| self.attribute(description, value))
    }

    /// A change that deletes an entry.
    ///
    /// # Errors
    ///
    /// When the output cannot be written.
    pub fn delete(&mut self, dn: &[u8]) -> io::Result<()> {
        self.begin(dn)?;
        self.word("changetype", "delete")
    }

    /// A change of attributes: steps of a kind, a description and values.
    ///
    /// # Errors
    ///
    /// As [`Writer::entry`].
    pub fn modify<'a, V>(
        &mut self,
        dn: &[u8],
        steps: impl IntoIterator<Item = (ModificationKind, &'a [u8], V)>,
    ) -> io::Result<()>
    where
        V: IntoIterator<Item = &'a [u8]>,
    {
        self.begin(dn)?;
        self.word("changetype", "modify")?;
        steps.into_iter().try_for_each(|(kind, description, values)| self.step(kind, description, values))
    }

    /// A change of a name.
    ///
    /// # Errors
    ///
    /// When the output cannot be written.
    pub fn rename(
        &mut self,
        dn: &[u8],
        new_rdn: &[u8],
        delete_old_rdn: bool,
        new_superior: Option<&[u8]>,
    ) -> io::Result<()> {
        self.begin(dn)?;
        self.word("changetype", "modrdn")?;
        self.renamed(new_rdn, delete_old_rdn, new_superior)
    }

    /// An item as it was read, except for folding.
    ///
    /// # Errors
    ///
    /// When the output cannot be written.
    pub fn item(&mut self, item: &Item<'_>) -> io::Result<()> {
        match item {
            Item::Entry(entry) => self.entry(entry.dn, entry.attributes.clone()),
            Item::Change(change) => self.change(change),
        }
    }

    /// A comment on lines of its own, before the next record.
    ///
    /// # Errors
    ///
    /// When the output cannot be written.
    pub fn comment(&mut self, text: &str) -> io::Result<()> {
        self.space()?;
        for line in text.lines() {
            writeln!(self.output, "# {}", line.trim_end())?;
        }
        // The comment belongs to no record: what comes next does not go on with it.
        Ok(())
    }

    /// Flushes, and gives the output back. A file without records has its version.
    ///
    /// # Errors
    ///
    /// When the output cannot be written.
    pub fn finish(mut self) -> io::Result<W> {
        if self.version && !self.started {
            self.output.write_all(b"version: 1\n")?;
        }
        self.output.flush()?;
        Ok(self.output)
    }

    /// The version, or a blank line.
    fn space(&mut self) -> io::Result<()> {
        let started = std::mem::replace(&mut self.started, true);
        if !started && self.version {
            self.output.write_all(b"version: 1\n")?;
        }
        if started || self.version {
            self.output.write_all(b"\n")?;
        }
        Ok(())
    }

    fn begin(&mut self, dn: &[u8]) -> io::Result<()> {
        self.space()?;
        self.line(b"dn", dn)
    }

    fn change(&mut self, change: &Change<'_>) -> io::Result<()> {
        self.begin(change.dn)?;
        self.controls(change.controls.clone())?;
        match &change.operation {
            Operation::Add(attributes) => {
                self.word("changetype", "add")?;
                attributes.clone().try_for_each(|(description, value)| self.attribute(description, value))
            }
            Operation::Delete => self.word("changetype", "delete"),
            Operation::Modify(steps) => {
                self.word("changetype", "modify")?;
                steps.clone().try_for_each(|Modification { kind, description, values }| {
                    self.step(kind, description, values)
                })
            }
            Operation::Rename { new_rdn, delete_old_rdn, new_superior } => {
                self.word("changetype", "modrdn")?;
                self.renamed(new_rdn, *delete_old_rdn, *new_superior)
            }
        }
    }

    fn controls(&mut self, mut controls: Controls<'_>) -> io::Result<()> {
        controls.try_for_each(|Control { oid, critical, value }| {
            let mut name = b"control: ".to_vec();
            name.extend_from_slice(oid);
            if critical {
                name.extend_from_slice(b" true");
            }
            match value {
                Some(value) => self.line(&name, value),
                None => {
                    self.line.clear();
                    self.line.append(&mut name);
                    self.put()
                }
            }
        })
    }

    fn step<'a>(
        &mut self,
        kind: ModificationKind,
        description: &[u8],
        values: impl IntoIterator<Item = &'a [u8]>,
    ) -> io::Result<()> {
        check(description)?;
        self.line(kind.word().as_bytes(), description)?;
        values.into_iter().try_for_each(|value| self.line(description, value))?;
        self.output.write_all(b"-\n")
    }

    fn renamed(
        &mut self,
        new_rdn: &[u8],
        delete_old_rdn: bool,
        new_superior: Option<&[u8]>,
    ) -> io::Result<()> {
        self.line(b"newrdn", new_rdn)?;
        self.word("deleteoldrdn", if delete_old_rdn { "1" } else { "0" })?;
        new_superior.map_or(Ok(()), |name| self.line(b"newsuperior", name))
    }

    fn attribute(&mut self, description: &[u8], value: &[u8]) -> io::Result<()> {
        check(description)?;
        self.line(description, value)
    }

    fn word(&mut self, name: &str, word: &str) -> io::Result<()> {
        self.line(name.as_bytes(), word.as_bytes())
    }

    /// A name, a colon, and a value as it must be written.
    fn line(&mut self, name: &[u8], value: &[u8]) -> io::Result<()> {
        self.line.clear();
        self.line.extend_from_slice(name);
        if is_safe(value) {
            self.line.push(b':');
            if !value.is_empty() {
                self.line.push(b' ');
            }
            self.line.extend_from_slice(value);
        } else {
            self.line.extend_from_slice(b":: ");
            let start = self.line.len();
            self.line.resize(start + Base64::encoded_len(value), 0);
            // Cannot fail: the space is as long as the encoder says.
            let written = Base64::encode(value, &mut self.line[start..]).map_or(0, str::len);
            self.line.truncate(start + written);
        }
        self.put()
    }

    /// Writes the line that has been made, folded.
    fn put(&mut self) -> io::Result<()> {
        let first = if self.fold { FOLD_COLUMNS.min(self.line.len()) } else { self.line.len() };
        let (line, rest) = self.line.split_at(first);
        self.output.write_all(line)?;
        self.output.write_all(b"\n")?;
        for more in rest.chunks(FOLD_COLUMNS - 1) {
            self.output.write_all(b" ")?;
            self.output.write_all(more)?;
            self.output.write_all(b"\n")?;
        }
        Ok(())
    }
}

fn check(description: &[u8]) -> io::Result<()> {
    // Another line with `dn` would be read as the name of another entry.
    let named = !description.is_empty() && !description.eq_ignore_ascii_case(b"dn");
    if named && description.iter().all(|byte| is_description(*byte)) {
        return Ok(());
    }
    let shown = crate::problem::shown(description);
    Err(io::Error::new(ErrorKind::InvalidInput, format!("\"{shown}\" is not the name of an attribute")))
}

/// Whether a value may stand in the clear: a SAFE-STRING that does not end with a space (RFC 2849, notes 4 and 8).
fn is_safe(value: &[u8]) -> bool {
    !matches!(value.first(), Some(b' ' | b':' | b'<'))
        && value.last() != Some(&b' ')
        && value.iter().all(|byte| byte.is_ascii() && !matches!(byte, 0 | b'\n' | b'\r'))
}
