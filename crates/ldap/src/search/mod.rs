//! Searches (RFC 4511 §4.5): which entries match, what of them is returned, in which order and portions.
//!
//! A request becomes a [`run::Search`], which looks at candidates one by one and writes those that match into the buffer
//! that is sent. A long result is made portion by portion, each on a snapshot of its own: between two portions nothing is
//! kept but the position.
//!
//! | module | holds |
//! |---|---|
//! | `filter`, `described`, `truth` | filters made ready for a schema |
//! | `evaluate`, `chain` | what a filter says of an entry; following names from entry to entry |
//! | `plan`, `source`, `reach` | candidates from the indexes; the order they are looked at; the part of the tree |
//! | `start` | from a request to a search: base, aliases, limits, order and portions |
//! | `run`, `ground` | a search under way; the snapshot a portion is made of |
//! | `shown`, `special` | what is returned of entries; aliases, referrals, subentries |
//! | `portion`, `sort`, `window`, `cookie` | order, pages, list views |
//! | `sync` | copies that clients keep |

mod chain;
mod cookie;
mod described;
mod evaluate;
mod filter;
mod ground;
mod plan;
mod portion;
mod reach;
mod run;
mod shown;
mod sort;
mod source;
pub(crate) mod special;
mod start;
mod state;
mod sync;
mod truth;
mod window;

#[cfg(test)]
mod tests;

use netinfo_directory::View;
use netinfo_mapping::name::Name;
use netinfo_wire::ldap::writer::AttributesWriter;
use netinfo_wire::ldap::{Filter as WireFilter, SearchRequest, Selection};

pub(crate) use self::filter::{is_meaningless, is_of_class};
use self::ground::Ground;
use self::run::{Progress, Search};
use self::shown::Shown;
use crate::failure::Outcome;
use crate::operation::{Operation, Place};
use crate::step::{Page, Pages, Step};

pub(crate) use self::state::State;

/// Does a search below an entry of a domain. `place` is where its base, which `base` is the name of, belongs. Searches of the root DSE and the
/// subschema do not come here.
///
/// # Errors
/// What the final response says instead of success.
pub(crate) fn begin(
    operation: &mut Operation<'_, '_>,
    place: Place,
    base: &Name<'_>,
    request: &SearchRequest<'_>,
    out: &mut Vec<u8>,
) -> Outcome<Step> {
    if let Some(copy) = operation.controls.sync {
        return sync::begin(operation, &place, base, request, &copy, out);
    }
    let view = operation.take_view(&place)?;
    let started = first(operation, &place, &view, base, request, out);
    operation.put_view(&place, view);
    let state = operation.caller.searches.clone();
    Ok(match started? {
        None => Step::Done,
        Some((Progress::Done, search)) => {
            state.park(search);
            Step::Done
        }
        Some((Progress::More, search)) => Step::Pages(pages(search, state)),
    })
}

/// Begins a search and makes the first portion of its result. `None` if the whole result is in `out` and nothing is to be
/// kept of the search.
fn first(
    operation: &Operation<'_, '_>,
    place: &Place,
    view: &View<'_>,
    base: &Name<'_>,
    request: &SearchRequest<'_>,
    out: &mut Vec<u8>,
) -> Outcome<Option<(Progress, Box<Search>)>> {
    let access = place.context.domain().access(view, &place.session)?;
    let ground = Ground::new(place, view, &access);
    let Some(mut search) = start::begin_on(operation, place, &ground, base, request, out)? else {
        return Ok(None);
    };
    let progress = search.proceed_on(&ground, operation.caller.now, out);
    Ok(Some((progress, search)))
}

/// The rest of a result. When a page of it has ended, the search is kept for the next one.
fn pages(search: Box<Search>, state: State) -> Pages {
    let mut search = Some(search);
    Pages(Box::new(move |now, out| {
        let Some(mut current) = search.take() else { return Page::Last };
        match current.proceed(now, out) {
            Progress::More => {
                let kept = current.size();
                search = Some(current);
                Page::More(kept)
            }
            Progress::Done => {
                state.park(current);
                Page::Last
            }
        }
    }))
}

/// Whether an entry matches a filter as far as the session of `place` may know: for the assertion control.
pub(crate) fn matches(place: &Place, view: &View<'_>, object: u32, filter: WireFilter<'_>) -> Outcome<bool> {
    let access = place.context.domain().access(view, &place.session)?;
    let ground = Ground::new(place, view, &access);
    start::matches(&ground, object, filter)
}

/// Writes the attributes of an entry that are selected and that the session of `place` may read: for pre- and
/// post-read.
pub(crate) fn write_attributes(
    place: &Place,
    view: &View<'_>,
    object: u32,
    selection: Selection<'_>,
    out: &mut AttributesWriter<'_>,
) -> Outcome<()> {
    let access = place.context.domain().access(view, &place.session)?;
    let ground = Ground::new(place, view, &access);
    let shown = Shown::new(&place.namespace, selection, false);
    match ground.subject(object)? {
        Some(subject) => Ok(shown.write_attributes(&subject, out)?),
        None => Ok(()),
    }
}
