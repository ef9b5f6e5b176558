//! What the lines of a record mean.

use super::item::ModificationKind;
use super::line::{self, Line, MAX_DN_BYTES, Span, Texts};
use crate::problem::{Problem, Reason};

/// What the lines of a record make.
pub(super) struct Made {
    /// The line of the name.
    pub(super) line: u64,
    pub(super) dn: Span,
    pub(super) what: What,
}

pub(super) enum What {
    /// The attributes are the lines from here.
    Entry {
        attributes: usize,
    },
    Add {
        attributes: usize,
    },
    Delete,
    Modify {
        steps: usize,
    },
    Rename {
        new_rdn: Span,
        delete_old_rdn: bool,
        new_superior: Option<Span>,
    },
}

/// The lines of a record, one after another.
pub(super) struct Record<'a> {
    texts: Texts<'a>,
    lines: &'a [Line],
    numbers: &'a [u32],
    /// Number of the first line.
    line: u64,
    /// How many lines are controls.
    controls: usize,
    /// The line that comes next.
    next: usize,
}

impl<'a> Record<'a> {
    /// Of the lines of a record, which begins on `line` of the file.
    pub(super) const fn new(
        texts: Texts<'a>,
        lines: &'a [Line],
        numbers: &'a [u32],
        controls: usize,
        line: u64,
    ) -> Self {
        Self { texts, lines, numbers, line, controls, next: 0 }
    }

    pub(super) fn peek(&self) -> Option<&'a Line> {
        self.lines.get(self.next)
    }

    /// Whether the next line has this name.
    pub(super) fn is(&self, name: &str) -> bool {
        self.peek().is_some_and(|line| self.texts.get(line.name).eq_ignore_ascii_case(name.as_bytes()))
    }

    /// The number of a line in the file; behind the last one, that of the last.
    fn line_number(&self, index: usize) -> u64 {
        let number = self.numbers.get(index).or_else(|| self.numbers.last()).copied().unwrap_or(0);
        self.line + u64::from(number)
    }

    /// A problem of the next line.
    fn problem(&self, field: &'static str, what: &str) -> Problem {
        Reason::Malformed(what.to_owned()).at(self.line_number(self.next), field)
    }

    fn text(&self, span: Span) -> &'a [u8] {
        self.texts.get(span)
    }

    pub(super) fn version(&mut self) -> Result<(), Problem> {
        if self.peek().is_some_and(|line| self.text(line.value) != b"1") {
            return Err(self.problem("version", "not 1"));
        }
        self.next += 1;
        Ok(())
    }

    pub(super) fn make(mut self) -> Result<Made, Problem> {
        let line = self.line_number(self.next);
        if !self.is("dn") {
            return Err(Reason::Missing.at(line, "dn"));
        }
        let dn = self.name("dn")?.unwrap_or(Span::EMPTY);
        let first = self.next;
        while self.is("control") {
            self.next += 1;
        }
        if self.next - first != self.controls {
            return Err(self.problem("control", "not directly behind the name"));
        }
        let what = if self.is("changetype") {
            let kind = self.peek().map_or(&b""[..], |line| self.text(line.value)).to_ascii_lowercase();
            self.next += 1;
            match kind.trim_ascii() {
                b"add" => What::Add { attributes: self.attributes()? },
                b"delete" => self.end(What::Delete)?,
                b"modify" => What::Modify { steps: self.steps()? },
                b"modrdn" | b"moddn" => self.rename()?,
                _ => {
                    self.next -= 1;
                    return Err(self.problem("changetype", "not add, delete, modify, modrdn or moddn"));
                }
            }
        } else if self.controls == 0 {
            What::Entry { attributes: self.attributes()? }
        } else {
            return Err(self.problem("changetype", "missing after a control"));
        };
        Ok(Made { line, dn, what })
    }

    /// The value of the next line, a name, if the line is called `field`.
    fn name(&mut self, field: &'static str) -> Result<Option<Span>, Problem> {
        if !self.is(field) {
            return Ok(None);
        }
        let Some(line) = self.peek() else { return Ok(None) };
        let name = self.text(line.value);
        if name.len() > MAX_DN_BYTES {
            return Err(self.problem(field, &format!("longer than {MAX_DN_BYTES} bytes")));
        }
        if std::str::from_utf8(name).is_err() {
            return Err(self.problem(field, "not UTF-8"));
        }
        self.next += 1;
        Ok(Some(line.value))
    }

    /// Checks that only attributes come, and says from where.
    fn attributes(&mut self) -> Result<usize, Problem> {
        let first = self.next;
        if let Some(place) = self.lines[first..].iter().position(Line::is_separator) {
            self.next = first + place;
            return Err(self.problem("line", "a \"-\" outside a modification"));
        }
        // A second name means that the blank line between two records is missing.
        let is_name = |line: &Line| line.name.len() == 2 && self.text(line.name).eq_ignore_ascii_case(b"dn");
        if let Some(place) = self.lines[first..].iter().position(is_name) {
            self.next = first + place;
            return Err(self.problem("dn", "a second one in the record"));
        }
        Ok(first)
    }

    /// Checks that nothing comes.
    fn end<T>(&self, done: T) -> Result<T, Problem> {
        match self.peek() {
            None => Ok(done),
            Some(_) => Err(self.problem("line", "more than this change has")),
        }
    }

    /// The steps of a modification; gives where they begin.
    fn steps(&mut self) -> Result<usize, Problem> {
        let first = self.next;
        while let Some(what) = self.peek() {
            let Some(kind) = ModificationKind::of_word(self.text(what.name)) else {
                return Err(self.problem("line", "not add, delete, replace or increment"));
            };
            let description = self.text(what.value).trim_ascii_end();
            if description.is_empty() || !description.iter().all(|byte| line::is_description(*byte)) {
                return Err(self.problem("line", "not the name of an attribute"));
            }
            self.next += 1;
            let values = self.values(description)?;
            let enough = match kind {
                ModificationKind::Add => values > 0,
                ModificationKind::Increment => values == 1,
                ModificationKind::Delete | ModificationKind::Replace => true,
            };
            if !enough {
                return Err(
                    self.problem("line", if values == 0 { "no value to add" } else { "more than one value" })
                );
            }
            // The last step may lack it.
            self.next += 1;
        }
        self.next = self.next.min(self.lines.len());
        Ok(first)
    }

    /// Passes over the values of one step and counts them.
    fn values(&mut self, description: &[u8]) -> Result<usize, Problem> {
        let first = self.next;
        while let Some(line) = self.peek()
            && !line.is_separator()
        {
            if !self.text(line.name).eq_ignore_ascii_case(description) {
                return Err(self.problem("line", "not a value of the attribute that is changed"));
            }
            self.next += 1;
        }
        Ok(self.next - first)
    }

    fn rename(&mut self) -> Result<What, Problem> {
        let Some(new_rdn) = self.name("newrdn")? else { return Err(self.missing("newrdn")) };
        if !self.is("deleteoldrdn") {
            return Err(self.missing("deleteoldrdn"));
        }
        let delete_old_rdn = match self.peek().map(|line| self.text(line.value).trim_ascii_end()) {
            Some(b"0") => false,
            Some(b"1") => true,
            _ => return Err(self.problem("deleteoldrdn", "neither 0 nor 1")),
        };
        self.next += 1;
        let new_superior = self.name("newsuperior")?;
        self.end(What::Rename { new_rdn, delete_old_rdn, new_superior })
    }

    fn missing(&self, field: &'static str) -> Problem {
        Reason::Missing.at(self.line_number(self.next), field)
    }
}
