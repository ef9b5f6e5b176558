//! LDIF, the text form of directory entries and changes (RFC 2849, with the increment of RFC 4525).
//!
//! A [`Reader`] gives one [`Item`] after another: an [`Entry`] of a content file or a [`Change`]. Items are views of
//! the reader's buffer and are gone with the next one; an export of any length is read in the memory of its largest
//! record. A record that is wrong is one [`Problem`](crate::Problem), and the next one is read. A [`Writer`] writes
//! entries and changes.
//!
//! What is read that RFC 2849 does not allow, because exports in the wild have it: no `version` line, or one before a
//! later record; several blank lines, also before the first record, and blank lines of spaces; no end of the last
//! line; a modification without its last `-`; values and names with bytes above 127 in the clear; spaces at the end of
//! a value, which are kept. [`Remarks`] counts these. A byte order mark is passed over.
//!
//! Values that stand in other files (`jpegPhoto:< file:///tmp/ana.jpg`) are fetched only by what the caller gives to
//! [`Reader::with_urls`]; without it they are problems.
//!
//! Modules: `chunk` cuts the input into the lines of one record, `line` takes a line apart, `reader` and `record` make items of
//! lines, `item` is how they are seen, `writer` the way back.

mod chunk;
mod item;
mod line;
mod reader;
mod record;
mod writer;

pub use chunk::{MAX_RECORD_BYTES, MAX_RECORD_LINES};
pub use item::{
    Attributes, Change, Control, Controls, Entry, Item, Modification, ModificationKind, Modifications,
    Operation, Values,
};
pub use line::{MAX_DN_BYTES, MAX_VALUE_BYTES, file_of_url};
pub use reader::{Reader, Remarks, Seen};
pub use writer::{FOLD_COLUMNS, Writer};
