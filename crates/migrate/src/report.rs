//! What came of an import: counts by outcome, and what is worth a line.

use netinfo_formats::{Problem, Reason};
use serde_json::{Value, json};

/// What came of one item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// It was not there, and is now.
    Created,
    /// It was there, and is different now.
    Changed,
    /// It was there already.
    Unchanged,
    /// It was left alone: because the policy says so, or because it is none.
    Skipped,
    /// It could not be taken.
    Failed,
}

impl Outcome {
    /// All of them, in the order of summaries.
    pub const ALL: [Self; 5] = [Self::Created, Self::Changed, Self::Unchanged, Self::Skipped, Self::Failed];

    /// The word for it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Changed => "changed",
            Self::Unchanged => "unchanged",
            Self::Skipped => "skipped",
            Self::Failed => "failed",
        }
    }
}

/// What a line of a report is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// What came of an item.
    Outcome(Outcome),
    /// The item was taken, but something of it is not as it should be.
    Warning,
    /// A password that was kept although nobody can log in with it.
    Password,
}

impl Kind {
    /// The word for it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Outcome(outcome) => outcome.name(),
            Self::Warning => "warning",
            Self::Password => "password",
        }
    }

    fn named(name: &str) -> Option<Self> {
        let outcomes = Outcome::ALL.into_iter().map(Self::Outcome);
        outcomes.chain([Self::Warning, Self::Password]).find(|kind| kind.name() == name)
    }
}

/// A line of a report. Never with a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// What it is about.
    pub kind: Kind,
    /// The line of the input; 0 where there is none.
    pub line: u64,
    /// The directory or entry, as people know it; empty if it has no name.
    pub name: String,
    /// Why, or what exactly; lines of a difference.
    pub text: Vec<String>,
}

impl Note {
    /// As JSON.
    #[must_use]
    pub fn to_json(&self) -> Value {
        json!({ "kind": self.kind.name(), "line": self.line, "name": self.name, "text": self.text })
    }

    /// From what [`Note::to_json`] gives.
    #[must_use]
    pub fn from_json(value: &Value) -> Option<Self> {
        let text =
            value.get("text")?.as_array()?.iter().filter_map(Value::as_str).map(str::to_owned).collect();
        Some(Self {
            kind: Kind::named(value.get("kind")?.as_str()?)?,
            line: value.get("line")?.as_u64()?,
            name: value.get("name")?.as_str()?.to_owned(),
            text,
        })
    }
}

/// How often each outcome was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts([u64; Outcome::ALL.len()]);

impl Counts {
    /// Counts one.
    pub fn add(&mut self, outcome: Outcome) {
        self.add_many(outcome, 1);
    }

    /// Counts several.
    pub fn add_many(&mut self, outcome: Outcome, count: u64) {
        self.0[outcome as usize] += count;
    }

    /// Adds other counts to these.
    pub fn add_all(&mut self, other: &Self) {
        for (own, other) in self.0.iter_mut().zip(other.0) {
            *own += other;
        }
    }

    /// How many there were of one.
    #[must_use]
    pub const fn of(&self, outcome: Outcome) -> u64 {
        self.0[outcome as usize]
    }

    /// As JSON: an object of numbers.
    #[must_use]
    pub fn to_json(&self) -> Value {
        Outcome::ALL.into_iter().map(|outcome| (outcome.name().to_owned(), json!(self.of(outcome)))).collect()
    }

    /// From what [`Counts::to_json`] gives.
    #[must_use]
    pub fn from_json(value: &Value) -> Self {
        Self(Outcome::ALL.map(|outcome| value.get(outcome.name()).and_then(Value::as_u64).unwrap_or(0)))
    }

    /// In words: those that are not 0.
    #[must_use]
    pub fn text(&self) -> String {
        let parts = Outcome::ALL.into_iter().filter(|outcome| self.of(*outcome) > 0);
        let parts: Vec<String> =
            parts.map(|outcome| format!("{} {}", self.of(outcome), outcome.name())).collect();
        if parts.is_empty() { "nothing to do".to_owned() } else { parts.join(", ") }
    }
}

/// What came of some items.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Done {
    /// How often each outcome was.
    pub counts: Counts,
    /// What is worth a line, in order.
    pub notes: Vec<Note>,
}

impl Done {
    /// Counts an outcome, with a note if there is something to say.
    pub fn tell(&mut self, outcome: Outcome, line: u64, name: &str, text: Vec<String>) {
        self.counts.add(outcome);
        if outcome == Outcome::Failed || !text.is_empty() {
            self.note(Kind::Outcome(outcome), line, name, text);
        }
    }

    /// Tells of what could not be read. Lines and files that are no records are skipped, and everything else has failed.
    pub fn unread(&mut self, problem: &Problem) {
        let outcome = if problem.reason.is_harmless() { Outcome::Skipped } else { Outcome::Failed };
        let text = match &problem.reason {
            Reason::Malformed(text) | Reason::NoRecord(text) => text.clone(),
            Reason::Nis => problem.reason.to_string(),
            reason => format!("{}: {reason}", problem.field),
        };
        self.tell(outcome, problem.line, "", vec![text]);
    }

    /// Notes something about an item.
    pub fn note(&mut self, kind: Kind, line: u64, name: &str, text: Vec<String>) {
        self.notes.push(Note { kind, line, name: name.to_owned(), text });
    }

    /// Adds what came of further items.
    pub fn add(&mut self, other: Self) {
        self.counts.add_all(&other.counts);
        self.notes.extend(other.notes);
    }

    /// As JSON.
    #[must_use]
    pub fn to_json(&self) -> Value {
        json!({ "counts": self.counts.to_json(), "notes": self.notes.iter().map(Note::to_json).collect::<Vec<_>>() })
    }

    /// From what [`Done::to_json`] gives.
    #[must_use]
    pub fn from_json(value: &Value) -> Self {
        let notes = value.get("notes").and_then(Value::as_array);
        Self {
            counts: Counts::from_json(value.get("counts").unwrap_or(&Value::Null)),
            notes: notes.into_iter().flatten().filter_map(Note::from_json).collect(),
        }
    }
}

/// What came of one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileReport {
    /// The file, as it was named.
    pub file: String,
    /// What its format is called.
    pub format: String,
    /// What came of its items.
    pub done: Done,
    /// Notes beyond [`MAX_NOTES`], which were dropped.
    pub dropped: u64,
}

/// Most notes that are kept of one file: a file of the wrong format has a problem on every line.
pub const MAX_NOTES: usize = 100_000;

impl FileReport {
    /// Of a file nothing of which has been read.
    #[must_use]
    pub fn new(file: &str, format: &str) -> Self {
        Self { file: file.to_owned(), format: format.to_owned(), done: Done::default(), dropped: 0 }
    }

    /// Adds what came of some items.
    pub fn add(&mut self, done: Done) {
        self.done.counts.add_all(&done.counts);
        let room = MAX_NOTES.saturating_sub(self.done.notes.len());
        self.dropped += done.notes.len().saturating_sub(room) as u64;
        self.done.notes.extend(done.notes.into_iter().take(room));
    }
}

/// What came of an import.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Report {
    /// File by file.
    pub files: Vec<FileReport>,
}

impl Report {
    /// Counts of all files.
    #[must_use]
    pub fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        self.files.iter().for_each(|file| counts.add_all(&file.done.counts));
        counts
    }

    /// As JSON: `{"counts": {…}, "files": [{"file", "format", "counts", "notes", "dropped_notes"}]}`.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let file = |file: &FileReport| {
            json!({
                "file": file.file,
                "format": file.format,
                "counts": file.done.counts.to_json(),
                "notes": file.done.notes.iter().map(Note::to_json).collect::<Vec<_>>(),
                "dropped_notes": file.dropped,
            })
        };
        json!({ "counts": self.counts().to_json(), "files": self.files.iter().map(file).collect::<Vec<_>>() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_done_travels_as_json() {
        let mut done = Done::default();
        done.tell(Outcome::Created, 1, "users/ana", vec![]);
        done.tell(Outcome::Failed, 2, "users/bo", vec!["uid: missing".into()]);
        done.note(Kind::Password, 3, "users/cy", vec!["an unknown scheme".into()]);
        assert_eq!(Done::from_json(&done.to_json()), done);
        assert_eq!(done.counts.text(), "1 created, 1 failed");
        assert_eq!(done.notes.len(), 2);
        assert_eq!(Counts::default().text(), "nothing to do");
    }

    #[test]
    fn what_is_no_record_is_skipped_and_told() {
        let mut done = Done::default();
        done.unread(&Problem { line: 3, field: "line", reason: Reason::Nis });
        done.unread(&Problem {
            line: 4,
            field: "file",
            reason: Reason::NoRecord("users/a.plist: empty".into()),
        });
        done.unread(&Problem { line: 5, field: "uid", reason: Reason::Missing });
        assert_eq!(done.counts.text(), "2 skipped, 1 failed");
        let text: Vec<_> = done.notes.iter().map(|note| (note.line, note.text.join(" "))).collect();
        let expected = [(3, "NIS line skipped"), (4, "users/a.plist: empty"), (5, "uid: missing")];
        assert_eq!(text, expected.map(|(line, text)| (line, text.to_owned())));
    }

    #[test]
    fn notes_are_bounded() {
        let mut file = FileReport::new("f", "passwd");
        let mut done = Done::default();
        (0..MAX_NOTES as u64 + 2).for_each(|line| done.tell(Outcome::Failed, line, "", vec![]));
        file.add(done);
        assert_eq!((file.done.notes.len(), file.dropped), (MAX_NOTES, 2));
        assert_eq!(file.done.counts.of(Outcome::Failed), MAX_NOTES as u64 + 2);
    }
}
