//! What became of each file.

use std::fmt;

use serde::Serialize;

/// Most skipped lines of one file that are kept and shown; of further ones only the number is told.
pub const MAX_SHOWN: usize = 20;

/// What a seeding did. As text: one line for each file, and indented below it the lines that were skipped.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// The files in the order they were loaded.
    pub files: Vec<FileSummary>,
    /// No file had a user `root`, so one that cannot log in with a password was made.
    pub root_made: bool,
}

/// What became of one file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct FileSummary {
    /// Name, such as `passwd`.
    pub file: String,
    /// Where it was looked for.
    pub path: String,
    /// What its lines describe, in the singular: `user`, `machine` …
    pub what: String,
    /// Why nothing was read from the file; absent when it was read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub missing: Option<String>,
    /// Records stored. Of `shadow`: logins known.
    pub loaded: usize,
    /// Records that were there already.
    pub present: usize,
    /// Records merged into that of this machine.
    pub merged: usize,
    /// Lines without effect: the first [`MAX_SHOWN`] of them.
    pub skipped: Vec<Skipped>,
    /// How many more lines were skipped.
    pub more_skipped: usize,
}

/// A line without effect.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Skipped {
    /// Its number, from 1.
    pub line: u64,
    /// Why. Never contains password material.
    pub reason: String,
}

impl FileSummary {
    /// Notes a line without effect.
    pub(super) fn skip(&mut self, line: u64, reason: impl Into<String>) {
        if self.skipped.len() < MAX_SHOWN {
            self.skipped.push(Skipped { line, reason: reason.into() });
        } else {
            self.more_skipped += 1;
        }
    }

    /// Number of lines without effect.
    #[must_use]
    pub fn skipped_lines(&self) -> usize {
        self.skipped.len() + self.more_skipped
    }

    fn nouns(&self, n: usize) -> String {
        let what = &self.what;
        match (n, what.strip_suffix('y')) {
            (1, _) => format!("1 {what}"),
            (_, Some(stem)) => format!("{n} {stem}ies"),
            (_, None) => format!("{n} {what}s"),
        }
    }
}

impl fmt::Display for FileSummary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.missing {
            Some(why) => write!(f, "{}: {why}", self.file)?,
            None => write!(f, "{}: {}", self.file, self.nouns(self.loaded))?,
        }
        if self.present > 0 {
            write!(f, ", {} there already", self.present)?;
        }
        if self.merged > 0 {
            write!(f, ", {} merged into the record of this machine", self.merged)?;
        }
        match self.skipped_lines() {
            0 => {}
            1 => write!(f, ", 1 line skipped")?,
            n => write!(f, ", {n} lines skipped")?,
        }
        for Skipped { line, reason } in &self.skipped {
            write!(f, "\n  {}:{line}: {reason}", self.path)?;
        }
        if self.more_skipped > 0 {
            write!(f, "\n  and {} more", self.more_skipped)?;
        }
        Ok(())
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, file) in self.files.iter().enumerate() {
            let newline = if i == 0 { "" } else { "\n" };
            write!(f, "{newline}{file}")?;
        }
        if self.root_made {
            write!(f, "\nno user root was found; made one that cannot log in with a password")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_a_file_and_no_more_than_twenty_below_it() {
        let mut file = FileSummary {
            file: "rpc".into(),
            path: "/etc/rpc".into(),
            what: "program".into(),
            loaded: 1,
            ..FileSummary::default()
        };
        assert_eq!(file.to_string(), "rpc: 1 program");
        file.loaded = 0;
        file.skip(7, "number: missing");
        assert_eq!(file.to_string(), "rpc: 0 programs, 1 line skipped\n  /etc/rpc:7: number: missing");
        for line in 8..30 {
            file.skip(line, "number: missing");
        }
        let text = file.to_string();
        assert!(text.starts_with("rpc: 0 programs, 23 lines skipped\n"), "{text}");
        assert!(text.ends_with("\n  /etc/rpc:26: number: missing\n  and 3 more"), "{text}");
        assert_eq!(text.lines().count(), 1 + MAX_SHOWN + 1);
    }

    #[test]
    fn missing_files_and_a_made_root_are_told() {
        let file = |name: &str, missing: Option<&str>| FileSummary {
            file: name.into(),
            what: "entry".into(),
            missing: missing.map(Into::into),
            ..FileSummary::default()
        };
        let files =
            vec![file("passwd", Some("not there")), FileSummary { loaded: 2, ..file("shadow", None) }];
        let summary = Summary { files, root_made: true };
        assert_eq!(
            summary.to_string(),
            "passwd: not there\nshadow: 2 entries\n\
             no user root was found; made one that cannot log in with a password"
        );
    }
}
