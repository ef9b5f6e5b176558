//! `convert`.

use std::io::{BufWriter, Write};
use std::path::{Path as FilePath, PathBuf};

use clap::Args;
use netinfo_migrate::convert::{To, convert as run};
use netinfo_migrate::report::Outcome;
use netinfo_migrate::source::{Format, parts, recognise_name};

use super::{split, summary};
use crate::command::transfer::Target;
use crate::context::Context;
use crate::failure::{Exit, Failure, Result};
use crate::progress::Progress;

/// Arguments of `convert`.
#[derive(Debug, Args)]
#[command(
    after_help = "A file may be given as FORMAT:FILE; otherwise the formats are told by names and contents. No \
server is needed. The exit code is 1 if something could not be read."
)]
pub(crate) struct Convert {
    /// File or folder to read
    from: PathBuf,
    /// File or folder to write; "FORMAT:-" is standard output
    to: PathBuf,
}

/// Writes what is in one format in another.
pub(crate) fn convert(context: &mut Context, args: &Convert) -> Result<Exit> {
    let (from, source) = split(&args.from);
    let (format, to) = destination(&args.to)?;
    let parts = parts(from, source)?;
    let to_stdout = to.as_os_str() == "-";
    let (report, exported) = {
        let progress = Progress::bytes("converting", parts.iter().map(|part| part.size()).sum());
        let mut watch = |read: u64, _: Option<u64>, _: u64| progress.at(read);
        if format.is_folder() {
            run(&parts, format, To::Folder(to), &mut watch)?
        } else {
            let mut out = BufWriter::new(Target::open(to, &mut context.out)?);
            let done = run(&parts, format, To::Stream(&mut out), &mut watch)?;
            out.into_inner().map_err(|error| Failure::from(error.into_error()))?.finish()?;
            done
        }
    };
    let failed = report.counts().of(Outcome::Failed) > 0;
    if failed || report.counts().of(Outcome::Skipped) > 0 {
        // Standard output may be the result.
        let _ = std::io::stderr().write_all(summary(&report, false).as_bytes());
    }
    super::export::told(context, &exported, (!to_stdout).then_some(to))?;
    Ok(if failed { Exit::Failed } else { Exit::Ok })
}

fn destination(to: &FilePath) -> Result<(Format, &FilePath)> {
    let (format, file) = split(to);
    match format.or_else(|| recognise_name(file)) {
        Some(format) => Ok((format, file)),
        None => Err(Failure::usage(format!("{}: what format shall this have?", to.display()))
            .with_hint(format!("say FORMAT:FILE; the formats are {}", Format::names().join(", ")))),
    }
}
