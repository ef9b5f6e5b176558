//! Versions of the database.

use crate::io::Io;
use crate::nicl::session::{Call, Fault, Session};
use crate::text::atoi;

/// Columns of an id in a list of versions.
const ID_WIDTH: usize = 10;

/// `history`, or `history [<|lt|=|eq|>|gt] [VERSION]`, where the version is the current directory's unless it is given.
pub(super) fn history(session: &mut Session, call: &Call<'_>, io: &mut Io<'_>) -> Result<(), Fault> {
    let max = session.store.max_version()?;
    let current = session.store.fetch(session.current)?;
    if call.args.is_empty() {
        io.out(format!("Maximum version: {max}\n"));
        let (id, version, serial) = (current.id, current.version, current.serial);
        io.out(format!("Record: {id}   Version: {version}   Serial: {serial}\n"));
        return Ok(());
    }
    let (relation, rest) = match call.arg(0) {
        b"<" | b"lt" => (b'<', call.rest(1)),
        b"=" | b"eq" => (b'=', call.rest(1)),
        b">" | b"gt" => (b'>', call.rest(1)),
        _ => (b'=', call.args),
    };
    let version = match rest.first() {
        Some(text) => u32::try_from(atoi(text)).unwrap_or_default(),
        None => current.version,
    };
    match relation {
        b'<' => (0..version).rev().try_for_each(|version| line(session, version, io)),
        b'>' if version >= max => {
            io.out(format!("Maximum version number is {max}\n"));
            Ok(())
        }
        b'>' => (version + 1..=max).try_for_each(|version| line(session, version, io)),
        _ => {
            io.out(match session.store.with_version(version)? {
                Some(id) => format!("Record: {id}   Version: {version}\n"),
                None => format!("No record with version {version}\n"),
            });
            Ok(())
        }
    }
}

/// One line, if a directory has this version.
fn line(session: &mut Session, version: u32, io: &mut Io<'_>) -> Result<(), Fault> {
    if let Some(id) = session.store.with_version(version)? {
        io.out(format!("Record: {id:<ID_WIDTH$}   Version: {version}\n"));
    }
    Ok(())
}
