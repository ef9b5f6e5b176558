//! `export`.

use std::io::{BufWriter, Write};
use std::path::{Path as FilePath, PathBuf};

use clap::Args;
use netinfo_migrate::export::{Exported, export as write, export_folder};
use netinfo_migrate::losses::Cause;
use serde_json::json;

use super::{held, losses, names, write_report};
use crate::args::Text;
use crate::command::transfer::Target;
use crate::context::Context;
use crate::failure::{Failure, Result, When};

/// Arguments of `export`.
#[derive(Debug, Args)]
#[command(
    after_help = "What the format cannot carry is told on standard error. Run as root on the server itself, an \
export has the password hashes; for others they are left out."
)]
pub(crate) struct Export {
    /// Format to write
    format: String,
    /// Directory to export with all below it; for administrative files, the one whose children are the lines
    path: Option<Text>,
    /// File or folder to write, readable by you only [default: standard output]
    #[arg(short, long, value_name = "FILE", default_value = "-")]
    output: PathBuf,
    /// Write how much was written, and what the format cannot carry, to a file, as JSON
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
}

/// Writes a domain, or a part of it.
pub(crate) fn export(context: &mut Context, args: &Export) -> Result<()> {
    let format = super::format(&args.format)?;
    let path = args.path.as_ref().map(|path| names(context, path)).transpose()?;
    let to_stdout = args.output.as_os_str() == "-";
    if format.is_folder() && to_stdout {
        return Err(Failure::usage(format!("{} is a folder: say where with --output", format.name())));
    }
    let (held, tag) = held(context)?;
    let exported = if format.is_folder() {
        export_folder(held.domain(), format, &args.output)?
    } else {
        let mut out = BufWriter::new(Target::open(&args.output, &mut context.out)?);
        let exported = write(held.domain(), &tag, format, path.as_deref(), &mut out)?;
        out.into_inner().map_err(|error| Failure::from(error.into_error()))?.finish()?;
        exported
    };
    if let Some(file) = &args.report {
        write_report(file, &exported.to_json(&args.output.to_string_lossy(), format))?;
    }
    told(context, &exported, (!to_stdout).then_some(&args.output))
}

/// Says how much was written where, and what was not.
pub(super) fn told(context: &mut Context, exported: &Exported, file: Option<&FilePath>) -> Result<()> {
    let lost = losses(exported);
    if !lost.is_empty() {
        let heading = "netinfo: not all could be carried over:\n";
        std::io::stderr().write_all(format!("{heading}{lost}").as_bytes()).when(|| "say what is lost")?;
    }
    let Some(file) = file else { return Ok(()) };
    let losses = &exported.losses;
    let lost = || losses.causes().iter().map(Cause::to_json).collect::<Vec<_>>();
    context.out.either(
        || format!("wrote {} records to {}\n", exported.records, file.display()),
        || json!({ "records": exported.records, "losses": losses.total(), "lost": lost() }),
    )
}
