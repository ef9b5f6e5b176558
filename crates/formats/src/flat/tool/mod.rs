//! The forms that the old tools write and read.
//!
//! `nidump` prints a category of a domain in the form of a flat file, and `niload` takes such a file in; both have
//! rules of their own, which scripts rely on: [`Dump`] and [`Load`] follow them byte for byte. For moving data,
//! [`Format`](super::Format) is the better choice: it escapes, checks, and tells what is lost.
//!
//! Two habits of the old loader are not kept: the last byte of a file without a final line end is not cut off, and
//! blanks at the end of a line do not count as an empty name.

mod dump;
mod layout;
mod load;
mod parse;
mod tokens;

pub use dump::{Dump, dump_map, map_names};
pub use load::Load;

/// The properties of a directory, in order.
pub type Properties = [(Vec<u8>, Vec<Vec<u8>>)];

/// All values of the first property of this name.
fn values<'a>(properties: &'a Properties, name: &str) -> Option<&'a [Vec<u8>]> {
    properties.iter().find(|(known, _)| known == name.as_bytes()).map(|(_, values)| values.as_slice())
}

/// The first value of the first property of this name.
fn first<'a>(properties: &'a Properties, name: &str) -> Option<&'a [u8]> {
    values(properties, name)?.first().map(Vec::as_slice)
}
