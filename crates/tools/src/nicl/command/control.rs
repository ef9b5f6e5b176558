//! The session itself.

use std::ffi::OsStr;
use std::fs::File;
use std::io::BufReader;
use std::os::unix::ffi::OsStrExt;

use netinfo_formats::nidb::StoreErrorKind;

use crate::io::Io;
use crate::nicl::interactive::run_lines;
use crate::nicl::session::{Call, Fault, Session};
use crate::nicl::x500::path_of;

/// Files that may source each other.
const MAX_NESTING: usize = 16;

/// `cd PATH`
pub(super) fn cd(session: &mut Session, call: &Call<'_>, io: &mut Io<'_>) -> Result<(), Fault> {
    if let Err(kind) = session.store.fetch(call.object) {
        io.complain(&[call.word, b": ", kind.name().as_bytes()]);
        return Err(Fault::Said(kind.code()));
    }
    session.current = call.object;
    Ok(())
}

/// `pwd`
pub(super) fn pwd(session: &mut Session, _: &Call<'_>, io: &mut Io<'_>) -> Result<(), Fault> {
    let mut path = path_of(session.store.as_mut(), session.current, session.naming);
    path.push(b'\n');
    io.out(path);
    Ok(())
}

/// `echo WORD...`
pub(super) fn echo(_: &mut Session, call: &Call<'_>, io: &mut Io<'_>) -> Result<(), Fault> {
    let mut line = call.args.join(&b' ');
    line.push(b'\n');
    io.out(line);
    Ok(())
}

/// `flush`
pub(super) fn flush(session: &mut Session, _: &Call<'_>, _: &mut Io<'_>) -> Result<(), Fault> {
    session.store.flush();
    Ok(())
}

/// `source FILE`
pub(super) fn source(session: &mut Session, call: &Call<'_>, io: &mut Io<'_>) -> Result<(), Fault> {
    let Some(file) = call.args.first() else { return Ok(()) };
    if session.nesting == MAX_NESTING {
        io.complain(&[file, b": files source each other too deeply"]);
        return Err(Fault::Said(StoreErrorKind::Failed.code()));
    }
    let opened = File::open(OsStr::from_bytes(file)).map_err(|error| {
        io.complain(&[file, b": ", crate::text::errno(&error).as_bytes()]);
        Fault::Said(StoreErrorKind::NoSuchFile.code())
    })?;
    session.nesting += 1;
    let was = std::mem::replace(&mut session.interactive, true);
    run_lines(session, &mut BufReader::new(opened), io);
    session.interactive = was;
    session.nesting -= 1;
    Ok(())
}
