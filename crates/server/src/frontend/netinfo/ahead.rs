//! Looking ahead: what calls that came together will ask for is fetched from memory all at once.
//!
//! A call is looked at for that before its turn, and once more when it is answered; only the second look decides anything.

use netinfo_directory::{Ahead, View};
use netinfo_wire::netinfo::{Id, LookupArgs, PROGRAM, Procedure};
use netinfo_wire::record;
use netinfo_wire::rpc::{parse_call, peek_call};

use super::Selected;
use crate::limits::CALLS_AHEAD;

/// Looks at the first calls in `input`, which begins with a record, and gives the length of what has been looked at.
pub(crate) fn look_ahead(selected: &mut Selected, input: &[u8]) -> usize {
    let mut lookups = [None; CALLS_AHEAD];
    let mut rest = input;
    for ahead in &mut lookups {
        let Some((message, behind)) = record::whole(rest) else { break };
        if behind.is_empty() && rest.len() == input.len() {
            // It is alone: its turn is now.
            return input.len();
        }
        *ahead = fetch(selected, message);
        rest = behind;
    }
    for ahead in lookups.into_iter().flatten() {
        selected.view().into_iter().for_each(|view| view.fetch_found(ahead));
    }
    input.len() - rest.len()
}

/// Fetches what leads to the answer of a call.
fn fetch(selected: &mut Selected, message: &[u8]) -> Option<Ahead> {
    let (program, procedure) = peek_call(message)?;
    let procedure = Procedure::try_from(procedure).ok().filter(|_| program == PROGRAM)?;
    if !matches!(procedure, Procedure::Lookup | Procedure::LookupRead | Procedure::Read) {
        return None;
    }
    let args = parse_call(message).ok()?.args;
    let view: &View<'_> = selected.view().ok()?;
    if procedure == Procedure::Read {
        view.fetch(Id::decode(args).ok()?.object);
        return None;
    }
    let args = LookupArgs::decode(args).ok()?;
    view.fetch_lookup(args.id.object, args.key, args.value)
}
