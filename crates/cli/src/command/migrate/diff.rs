//! `diff`.

use std::ffi::OsStr;
use std::path::{Path as FilePath, PathBuf};
use std::sync::Arc;

use clap::Args;
use netinfo_client::hierarchy;
use netinfo_directory::{Domain, Property, ROOT};
use netinfo_migrate::diff::{Difference, Scope, diff as compare};
use netinfo_migrate::gather::gather;
use netinfo_migrate::report::Outcome;
use netinfo_migrate::source::{Format, Part, parts};
use serde_json::{Value, json};

use super::{Held, held, split};
use crate::context::Context;
use crate::failure::{Exit, Result};
use crate::offline;
use crate::output::safe;

/// Arguments of `diff`.
#[derive(Debug, Args)]
#[command(
    after_help = "Each side is a file or folder (or FORMAT:FILE), a domain in the data directory of a stopped \
daemon (DIR/TAG, or DIR for the domain of --domain), or a live domain (TAG, /NAME, TAG@HOST). Only what both kinds of \
sides can hold is compared: of a file like passwd, the directory it belongs to; where one side is LDIF, entries. \
Secrets are told to differ, and no more. The exit code is 1 if there is a difference."
)]
pub(crate) struct Diff {
    /// One side
    first: PathBuf,
    /// The other side
    second: PathBuf,
}

/// One side, at hand.
struct Side {
    held: Held,
    /// The data directory that it lies in, which is locked meanwhile.
    data: Option<PathBuf>,
    /// The files it was made of.
    parts: Vec<Part>,
}

/// A side as it was named.
enum Named {
    Files(Vec<Part>),
    Data(PathBuf, String),
    Live(String),
}

/// Compares two sides.
pub(crate) fn diff(context: &mut Context, args: &Diff) -> Result<Exit> {
    let (first, second) = (named(context, &args.first)?, named(context, &args.second)?);
    // Files are seen as the domain on the other side is.
    let (first, second) = match (first, second) {
        (Named::Files(files), other) => {
            let other = open(context, other, Vec::new(), None)?;
            let settings = settings(other.held.domain(), &other.parts)?;
            (open(context, Named::Files(files), settings, None)?, other)
        }
        (one, other) => {
            let one = open(context, one, Vec::new(), None)?;
            let settings = settings(one.held.domain(), &one.parts)?;
            let other = open(context, other, settings, Some(&one))?;
            (one, other)
        }
    };
    let parts = || first.parts.iter().chain(&second.parts);
    let scope = Scope {
        containers: containers(&first, &second),
        entries: parts().any(|part| part.format == Format::Ldif),
    };
    let mut found = Vec::new();
    let same =
        compare(first.held.domain(), second.held.domain(), &scope, &mut |difference| found.push(difference))?;
    context.out.either(
        || found.iter().map(shown).collect(),
        || json!({ "same": same, "differences": found.iter().map(as_json).collect::<Vec<_>>() }),
    )?;
    Ok(if found.is_empty() { Exit::Ok } else { Exit::Failed })
}

fn named(context: &Context, text: &FilePath) -> Result<Named> {
    let (format, file) = split(text);
    if format.is_some() {
        return Ok(Named::Files(parts(format, file)?));
    }
    if let (Some(data), Some(tag)) = (file.parent(), file.file_name().and_then(OsStr::to_str))
        && data.join(format!("{tag}.domain")).is_dir()
        && !data.as_os_str().is_empty()
    {
        return Ok(Named::Data(data.to_owned(), tag.to_owned()));
    }
    if file.join(netinfo_directory::LOCK_FILE).is_file() {
        return Ok(Named::Data(file.to_owned(), context.tag()?));
    }
    if file.exists() {
        return Ok(Named::Files(parts(None, file)?));
    }
    let name = text.to_string_lossy();
    // What looks like a file and is not there is a mistake, unless it is the place of a domain.
    if name.contains('.') && name.contains('/') && !name.contains('@') {
        parts(None, file)?;
    }
    Ok(match &context.options.data {
        Some(data) if !hierarchy::is_path(&name) => Named::Data(data.clone(), name.into_owned()),
        _ => Named::Live(name.into_owned()),
    })
}

/// Opens a side; `first` is the other one, if that is open already.
fn open(context: &Context, side: Named, settings: Vec<Property>, first: Option<&Side>) -> Result<Side> {
    match side {
        Named::Files(parts) => {
            let (scratch, report) = gather(&parts, settings, &mut |_, _, _| {})?;
            if report.counts().of(Outcome::Failed) > 0 {
                eprint!("{}", super::summary(&report, false));
            }
            Ok(Side { held: Held::Copy(scratch), data: None, parts })
        }
        Named::Data(data, tag) => {
            // Whoever asks for a lock twice does not get it.
            let data = data.canonicalize().unwrap_or(data);
            let held = match first {
                Some(Side { held: Held::Offline(held), data: Some(same), .. }) if *same == data => {
                    held.beside(&tag)?
                }
                _ => offline::hold(&data, &tag)?,
            };
            Ok(Side { held: Held::Offline(held), data: Some(data), parts: Vec::new() })
        }
        Named::Live(name) => {
            let mut other = Context::new(context.options.clone());
            other.options.domain = Some(name);
            Ok(Side { held: held(&mut other)?.0, data: None, parts: Vec::new() })
        }
    }
}

/// What the root of a domain says about how it is served: files that are compared with it are seen so, too.
fn settings(domain: &Arc<Domain>, parts: &[Part]) -> Result<Vec<Property>> {
    if !parts.is_empty() {
        return Ok(Vec::new());
    }
    let session = offline::session(domain)?;
    let view = domain.read(&session)?;
    let root = view.record(ROOT)?;
    let settings = netinfo_mapping::settings::Setting::ALL.map(|setting| setting.property());
    let taken = root.properties().filter(|property| settings.contains(&property.name));
    Ok(taken.map(|property| Property::new(property.name, property.values)).collect())
}

/// The directories that count, if a side has only some.
fn containers(first: &Side, second: &Side) -> Option<Vec<Vec<u8>>> {
    let of = |side: &Side| -> Option<Vec<Vec<u8>>> {
        let container = |part: &Part| match part.format {
            Format::Flat(format) => Some(format.container().as_bytes().to_vec()),
            _ => None,
        };
        (!side.parts.is_empty())
            .then(|| side.parts.iter().map(container).collect::<Option<Vec<_>>>())
            .flatten()
    };
    let mut all = match (of(first), of(second)) {
        (Some(first), Some(second)) => first.into_iter().chain(second).collect(),
        (one, other) => one.or(other)?,
    };
    all.sort();
    all.dedup();
    Some(all)
}

fn shown(difference: &Difference) -> String {
    let safe = |text: &str| safe(text.as_bytes());
    match difference {
        Difference::Gone(name) => format!("- {}\n", safe(name)),
        Difference::New(name) => format!("+ {}\n", safe(name)),
        Difference::Other(name, lines) => {
            let lines: String = lines.iter().map(|line| format!("    {}\n", safe(line))).collect();
            format!("~ {}\n{lines}", safe(name))
        }
    }
}

fn as_json(difference: &Difference) -> Value {
    match difference {
        Difference::Gone(name) => json!({ "only_in": "first", "path": name }),
        Difference::New(name) => json!({ "only_in": "second", "path": name }),
        Difference::Other(name, lines) => json!({ "path": name, "lines": lines }),
    }
}
