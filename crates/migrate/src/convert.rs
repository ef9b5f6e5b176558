//! From one format to another, without a server.

use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use netinfo_formats::Record;

use crate::error::Result;
use crate::export::{Exported, export, export_folder, write_records};
use crate::gather::gather;
use crate::import::Watch;
use crate::report::{Done, FileReport, Outcome, Report};
use crate::source::{Format, Part};

/// Where a conversion goes.
pub enum To<'o> {
    /// A stream of octets.
    Stream(&'o mut dyn Write),
    /// A folder that does not exist yet.
    Folder(&'o Path),
}

/// Writes what the parts hold in another format.
///
/// # Errors
/// When a part cannot be read at all, or the output cannot be written.
pub fn convert(
    parts: &[Part],
    format: Format,
    mut to: To<'_>,
    watch: &mut dyn Watch,
) -> Result<(Report, Exported)> {
    if let ([part], To::Stream(out)) = (parts, &mut to)
        && part.format != Format::Ldif
        && format != Format::Ldif
        && alike(part.format, format)
    {
        return direct(part, format, out);
    }
    let (scratch, report) = gather(parts, Vec::new(), watch)?;
    let exported = match to {
        To::Stream(out) => export(scratch.domain(), scratch.domain().tag(), format, None, out)?,
        To::Folder(folder) => export_folder(scratch.domain(), format, folder)?,
    };
    Ok((report, exported))
}

/// Whether records of one format are records of the other as they are.
fn alike(from: Format, to: Format) -> bool {
    match (from, to) {
        (Format::Flat(from), Format::Flat(to)) => from.container() == to.container(),
        (Format::Flat(_), Format::Jsonl) => true,
        // Lines of JSON may be single records.
        (Format::Jsonl, to) => to == Format::Jsonl,
        _ => from.is_tree() && to.is_tree(),
    }
}

/// Record by record: nothing is merged, and ids and order stay.
fn direct(part: &Part, format: Format, out: &mut dyn Write) -> Result<(Report, Exported)> {
    let mut file = FileReport::new(&part.name, part.format.name());
    let mut done = Done::default();
    let records = part.records(Arc::default())?.filter_map(|record| match record {
        Ok(record) => {
            done.counts.add(Outcome::Created);
            Some(record)
        }
        Err(problem) => {
            done.unread(&problem);
            None
        }
    });
    let exported = write_records(format, &mut { records } as &mut dyn Iterator<Item = Record>, out)?;
    file.add(done);
    Ok((Report { files: vec![file] }, exported))
}
