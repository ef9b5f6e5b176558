//! Searches (RFC 4511 §4.5): which entries match, what of them is returned, in which order and portions.

use netinfo_directory::View;
use netinfo_mapping::name::Name;
use netinfo_wire::ldap::{AttributesWriter, Filter, SearchRequest, Selection};

use crate::failure::Outcome;
use crate::operation::{Operation, Place};
use crate::step::Step;

/// What a connection keeps from one search to the next: pages and list views that are to be continued.
#[derive(Debug, Default)]
pub(crate) struct State {}

/// Does a search below an entry of a domain. `base` is the name it begins at, `place` the domain. Searches of the root DSE and the
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
    todo!()
}

/// Whether an entry matches a filter as far as the session of `place` may know: for the assertion control.
pub(crate) fn matches(place: &Place, view: &View<'_>, object: u32, filter: Filter<'_>) -> Outcome<bool> {
    todo!()
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
    todo!()
}
