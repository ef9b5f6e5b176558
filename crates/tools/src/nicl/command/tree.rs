//! Whole directories.

use netinfo_formats::nidb::StoreErrorKind;

use crate::io::Io;
use crate::nicl::path::{ROOT, id};
use crate::nicl::session::{Call, Fault, Session};
use crate::nicl::store::Properties;

/// `delete PATH`: the directory with everything below it.
pub(super) fn remove(session: &mut Session, call: &Call<'_>, io: &mut Io<'_>) -> Result<(), Fault> {
    if call.object == ROOT {
        io.err("Can't delete root!\n");
        return Err(Fault::Said(StoreErrorKind::InvalidRecordId.code()));
    }
    let record = session.store.fetch(call.object).map_err(|kind| said(io, "Delete: ", kind))?;
    if session.confirm && !confirmed(session.interactive, call.object, !record.children.is_empty(), io) {
        return Ok(());
    }
    // The current directory, and what is above it.
    let mut above = session.current;
    let mut inside = false;
    while above != ROOT && !inside {
        inside = above == call.object;
        above = session.store.fetch(above).map_or(ROOT, |record| record.parent);
    }
    session.store.remove(call.object).map_err(|kind| said(io, "Delete: ", kind))?;
    if inside {
        session.current = record.parent;
    }
    Ok(())
}

/// Asks whether a directory is to go.
fn confirmed(interactive: bool, object: u32, has_children: bool, io: &mut Io<'_>) -> bool {
    if !interactive {
        io.err(format!("Can't delete directory {object} in non-interactive mode with \"-i\" option\n"));
        return false;
    }
    io.out(match has_children {
        true => format!("Directory {object} has subdirectories.  Delete the whole subtree? "),
        false => format!("Delete directory {object}? "),
    });
    io.flush();
    let mut answer = Vec::new();
    // No answer is none.
    let _ = io.stdin.read_until(b'\n', &mut answer);
    let answer = answer.trim_ascii().to_ascii_lowercase();
    let yes = matches!(answer.as_slice(), b"y" | b"yes");
    if !yes {
        io.out("Not deleted\n");
    }
    yes
}

/// `move PATH PARENT`
pub(super) fn move_to(session: &mut Session, call: &Call<'_>, io: &mut Io<'_>) -> Result<(), Fault> {
    let moved = session.resolve(call.arg(0)).and_then(|parent| {
        if call.object == ROOT {
            return Err(StoreErrorKind::InvalidRecordId);
        }
        session.store.move_to(call.object, parent)
    });
    moved.map_err(|kind| said(io, "Move failed: ", kind))
}

/// `copy PATH PARENT`
pub(super) fn copy_to(session: &mut Session, call: &Call<'_>, io: &mut Io<'_>) -> Result<(), Fault> {
    let copied = session.resolve(call.arg(0)).and_then(|parent| session.store.copy_to(call.object, parent));
    copied.map(drop).map_err(|kind| said(io, "Copy failed: ", kind))
}

/// `attach PATH ID`: into the list of children, and nothing else.
pub(super) fn attach(session: &mut Session, call: &Call<'_>, io: &mut Io<'_>) -> Result<(), Fault> {
    raw_only(session, "attach", io)?;
    Ok(session.store.attach(call.object, id(call.arg(0))?)?)
}

/// `detach PATH ID`: out of the list of children, and nothing else.
pub(super) fn detach(session: &mut Session, call: &Call<'_>, io: &mut Io<'_>) -> Result<(), Fault> {
    raw_only(session, "detach", io)?;
    Ok(session.store.detach(call.object, id(call.arg(0))?)?)
}

/// `parent PATH ID`: what the record ID says of its parent, and nothing else.
pub(super) fn set_parent(session: &mut Session, call: &Call<'_>, io: &mut Io<'_>) -> Result<(), Fault> {
    raw_only(session, "set parent", io)?;
    Ok(session.store.set_parent(id(call.arg(0))?, call.object)?)
}

fn raw_only(session: &mut Session, what: &str, io: &mut Io<'_>) -> Result<(), Fault> {
    if session.store.server().is_none() {
        return Ok(());
    }
    io.err(format!("Can only {what} in raw mode\n"));
    Err(Fault::Said(StoreErrorKind::Failed.code()))
}

/// `load DELIM KEY VAL... [DELIM KEY VAL...]...`: a child of the current directory with several properties.
pub(super) fn load(session: &mut Session, call: &Call<'_>, _: &mut Io<'_>) -> Result<(), Fault> {
    let Some(delimiter) = call.arg(0).first().copied() else { return Ok(()) };
    let mut properties: Properties = Vec::new();
    let mut args = call.args.iter();
    while let Some(arg) = args.next() {
        if arg.first() != Some(&delimiter) {
            if let Some((_, values)) = properties.last_mut() {
                values.push(literal(arg, delimiter));
            }
            continue;
        }
        let attached = arg.get(1..).unwrap_or_default();
        let mut key = attached.to_vec();
        if key.is_empty() {
            let Some(next) = args.next() else { break };
            key.clone_from(next);
        }
        if key == b"-m" {
            let Some(next) = args.next() else { break };
            key = [b"_", literal(next, delimiter).as_slice()].concat();
        } else {
            key = literal(&key, delimiter);
        }
        properties.retain(|(known, _)| *known != key);
        properties.push((key, Vec::new()));
    }
    session.store.create_child(session.current, &properties)?;
    Ok(())
}

/// A word without the backslash that keeps its delimiter from being one.
fn literal(word: &[u8], delimiter: u8) -> Vec<u8> {
    match word {
        [b'\\', next, ..] if *next == delimiter => word.get(1..).unwrap_or_default().to_vec(),
        word => word.to_vec(),
    }
}

fn said(io: &mut Io<'_>, before: &str, kind: StoreErrorKind) -> Fault {
    io.complain(&[before.as_bytes(), kind.name().as_bytes()]);
    Fault::Said(kind.code())
}
