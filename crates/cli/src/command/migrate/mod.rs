//! `import`, `export`, `convert` and `diff`: what they have in common.

mod convert;
mod diff;
mod duplicates;
mod export;
mod import;

use std::path::Path as FilePath;
use std::sync::Arc;

use netinfo_client::{Component, Error as ClientError, Status, hierarchy};
use netinfo_directory::Domain;
use netinfo_migrate::Error;
use netinfo_migrate::export::Exported;
use netinfo_migrate::report::{Kind, Note, Outcome, Report};
use netinfo_migrate::scratch::Scratch;
use netinfo_migrate::source::Format;
use serde_json::Value;

use crate::args::Text;
use crate::context::Context;
use crate::failure::{Exit, Failure, Result, When};
use crate::offline;
use crate::output::safe;
use crate::progress::Progress;

pub(crate) use convert::{Convert, convert};
pub(crate) use diff::{Diff, diff};
pub(crate) use duplicates::duplicates;
pub(crate) use export::{Export, export};
pub(crate) use import::{Import, import};

/// Notes of one kind that are shown of a file; a report file has them all.
const SHOWN: usize = 20;

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        match error {
            Error::Core(error @ netinfo_directory::Error::NoSuchDirectory) => {
                Self::new(error.to_string()).with_exit(Exit::NotFound)
            }
            Error::Core(error) => error.into(),
            Error::Client(error) => error.into(),
            Error::File(file, error) => Self::from(error).when(format!("use {file}")),
            Error::Invalid(text) => Self::new(safe(text.as_bytes())),
        }
    }
}

/// A domain at hand: of a stopped node, or a copy of another.
pub(super) enum Held {
    Offline(offline::Held),
    Copy(Scratch),
}

impl Held {
    pub(super) fn domain(&self) -> &Arc<Domain> {
        match self {
            Self::Offline(held) => held.domain(),
            Self::Copy(scratch) => scratch.domain(),
        }
    }
}

/// The domain that the options name, at hand; and its tag.
pub(super) fn held(context: &mut Context) -> Result<(Held, String)> {
    if let Some(data) = context.options.data.clone() {
        let tag = context.tag()?;
        return Ok((Held::Offline(offline::hold(&data, &tag)?), tag));
    }
    let (scratch, tag) = copy(context)?;
    Ok((Held::Copy(scratch), tag))
}

/// A copy of the live domain that the options name, with its secrets if this is the superuser of its machine.
pub(super) fn copy(context: &mut Context) -> Result<(Scratch, String)> {
    let name = context.domain_name();
    let action = || format!("copy domain \"{name}\"");
    if is_administered(context) {
        let mut control = context.control()?;
        let progress = Progress::bytes("copying", None);
        match Scratch::of_daemon(&mut control, &name, &mut |bytes| progress.at(bytes)) {
            // Somebody else than root gets what everybody gets.
            Err(Error::Client(ClientError::Control { status: Status::Perm, .. })) => {}
            copied => return Ok((copied.when(action)?, name)),
        }
    }
    let scratch = Scratch::of_server(context.domain()?).when(action)?;
    let tag = if hierarchy::is_path(&name) { "local".to_owned() } else { name };
    Ok((scratch, tag))
}

/// Whether the domain is one of the daemon on this machine, which could be administered.
pub(super) fn is_administered(context: &Context) -> bool {
    let options = &context.options;
    options.server.is_none() && options.acting_user.is_none() && !hierarchy::is_path(&context.domain_name())
}

/// The names on the way to a directory.
pub(super) fn names(context: &Context, path: &Text) -> Result<Vec<Vec<u8>>> {
    let path = context.path(path)?;
    let name = |component: &Component| match component {
        Component::Match { key, value } if key == b"name" => Some(value.clone()),
        _ => None,
    };
    path.components()
        .iter()
        .map(name)
        .collect::<Option<_>>()
        .ok_or_else(|| Failure::usage(format!("{path}: only names can be used here")))
}

/// The format of this name.
pub(super) fn format(name: &str) -> Result<Format> {
    Format::named(name).ok_or_else(|| {
        Failure::usage(format!("there is no format \"{name}\""))
            .with_hint(format!("the formats are {}", Format::names().join(", ")))
    })
}

/// `FORMAT:FILE`, or a file alone.
pub(super) fn split(text: &FilePath) -> (Option<Format>, &FilePath) {
    let parts = text.to_str().and_then(|text| text.split_once(':'));
    match parts.and_then(|(format, file)| Some((Format::named(format)?, FilePath::new(file)))) {
        Some((format, file)) => (Some(format), file),
        None => (None, text),
    }
}

/// Tells how an import went, file by file.
pub(super) fn summary(report: &Report, details: bool) -> String {
    let mut text = String::new();
    for file in &report.files {
        text.push_str(&format!(
            "{}: {}: {}\n",
            safe(file.file.as_bytes()),
            file.format,
            file.done.counts.text()
        ));
        let shown = |note: &&Note| match note.kind {
            Kind::Outcome(Outcome::Failed | Outcome::Skipped) | Kind::Warning | Kind::Password => true,
            Kind::Outcome(_) => details,
        };
        let mut counts = [0; 4];
        for note in file.done.notes.iter().filter(shown) {
            let count = &mut counts[match note.kind {
                Kind::Outcome(Outcome::Failed) => 0,
                Kind::Warning => 1,
                Kind::Password => 2,
                Kind::Outcome(_) => 3,
            }];
            *count += 1;
            if *count <= SHOWN || (details && matches!(note.kind, Kind::Outcome(_))) {
                text.push_str(&line(note));
            }
        }
        let more: usize = counts.iter().map(|count: &usize| count.saturating_sub(SHOWN)).sum();
        if more > 0 && !details {
            text.push_str(&format!("  … and {more} more; --report FILE keeps them all\n"));
        }
    }
    if report.files.len() > 1 {
        text.push_str(&format!("together: {}\n", report.counts().text()));
    }
    text
}

fn line(note: &Note) -> String {
    let mut text = String::from("  ");
    if note.line > 0 {
        text.push_str(&format!("line {}: ", note.line));
    }
    if !note.name.is_empty() {
        text.push_str(&safe(note.name.as_bytes()));
        text.push_str(": ");
    }
    if let Kind::Outcome(outcome) = note.kind {
        text.push_str(outcome.name());
    } else {
        text.push_str(note.kind.name());
    }
    match note.text.as_slice() {
        [one] if !matches!(note.kind, Kind::Outcome(Outcome::Created | Outcome::Changed)) => {
            text.push_str(": ");
            text.push_str(&safe(one.as_bytes()));
        }
        lines => lines.iter().for_each(|line| {
            text.push_str("\n      ");
            text.push_str(&safe(line.as_bytes()));
        }),
    }
    text.push('\n');
    text
}

/// Writes a report as a file.
pub(super) fn write_report(file: &FilePath, report: &Value) -> Result<()> {
    std::fs::write(file, format!("{report:#}\n")).when(|| format!("write {}", file.display()))
}

/// Tells what a format could not carry, a line for each cause.
pub(super) fn losses(exported: &Exported) -> String {
    let causes = exported.losses.causes();
    let mut text: String = causes
        .iter()
        .take(SHOWN)
        .map(|cause| format!("  {}\n", safe(cause.to_string().as_bytes())))
        .collect();
    let rest: u64 = causes.iter().skip(SHOWN).map(|cause| cause.records).sum();
    let more = rest + exported.losses.dropped();
    if more > 0 {
        text.push_str(&format!("  … and {more} more that the format cannot carry\n"));
    }
    text
}
