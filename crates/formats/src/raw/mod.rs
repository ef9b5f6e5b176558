//! The raw text of a directory and all below it, as `nidump -r` writes and `niload -r` reads it.
//!
//! ```text
//! {
//!   "name" = ( "users" );
//!   CHILDREN = (
//!     {
//!       "name" = ( "ana" );
//!       "uid" = ( "501" );
//!     }
//!   )
//! }
//! ```
//!
//! A [`Reader`] gives the directory as [`Place::Root`](crate::Place::Root) and what is below it, depth first. The
//! properties of a directory may stand behind its children, therefore the whole text is read before the first record
//! comes. A [`Writer`] writes records as they come, which must be depth first too ([`depth_first`] puts them so).
//! Ids and instances are no part of the format.
//!
//! Where the tools of old lost data there are problems instead: no text at all (`niload` took it for an empty directory),
//! a text that ends before its braces and parentheses (`niload` did not end, or loaded a part). `CHILDREN = ( )` and a
//! comma behind the last child mean no child (`niload` made one without properties). What stands behind the end of the
//! directory is a problem of the field `end`, which old tools passed over. A syntax error costs the directory it is in,
//! with all below it; a text that ends too early costs the directory whose properties are not complete.
//!
//! The reasons of syntax problems are the messages of `niload` without its ` at line N`. They never show values.
//!
//! What a backslash means has changed over time, see [`Dialect`].

mod order;
mod reader;
mod tokens;
mod writer;

pub use order::depth_first;
pub use reader::{MAX_DEPTH, Reader};
pub use tokens::MAX_WORD_BYTES;
pub use writer::Writer;

/// What a backslash means inside quotes.
///
/// Outside of quotes it always makes the next byte a plain one and vanishes, except at the beginning of a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Dialect {
    /// `\"` is a quote and every other backslash is one. So writes `nidump` of Mac OS X 10.2 and later. A value that ends
    /// with a backslash is told from one with a quote in it by what follows, which `nidump` always writes alike.
    #[default]
    Dump,
    /// Backslashes vanish, and what follows them is a plain byte. So reads `niload` of Mac OS X 10.2 and later: values
    /// with backslashes that `nidump` wrote are damaged. A [`Writer`] takes it for [`Dialect::Dump`].
    Load,
    /// `\\` and `\"` are a backslash and a quote, so that nothing is lost; `\a`, `\b`, `\f`, `\n`, `\r`, `\t`, `\v` and
    /// octal numbers, which Mac OS X 10.0 and 10.1 wrote, are read too.
    Escaped,
}
