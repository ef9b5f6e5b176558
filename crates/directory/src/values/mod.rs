//! The value index: which directories of the whole domain can have a value.
//!
//! It answers with *candidates*: every directory that satisfies a [`Term`] is among them, and others may be. Values are
//! found by their [`fold`](crate::fold()), so the index knows of no matching rules; whoever asks looks at the records and
//! applies the exact rule.
//!
//! | module | holds |
//! |---|---|
//! | `set` | sets of objects in stored form |
//! | `terms` | which entries the values of a property have |
//! | `update` | keeping the index, with each change |
//! | `query` | candidates |

mod query;
pub(crate) mod set;
pub(crate) mod terms;
pub(crate) mod update;

/// Fewest bytes that the fold of the piece of a [`Term::Contains`] has to have for the index to be of use.
pub const PIECE: usize = 3;

/// Something to look for. Names of properties are taken in any case (ASCII), and stand for all that begin with them and a
/// semicolon: `cn` for `cn;lang-de` too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Term<'a> {
    /// Some property of this name has a value that a matching rule could take for equal.
    Equal {
        /// Name of the property.
        property: &'a [u8],
        /// The value as anybody would write it; it is folded here.
        value: &'a [u8],
    },
    /// … that begins with this.
    Prefix {
        /// Name of the property.
        property: &'a [u8],
        /// The beginning.
        prefix: &'a [u8],
    },
    /// … that has this somewhere in it. With fewer than [`PIECE`] bytes folded, as [`Term::Present`].
    Contains {
        /// Name of the property.
        property: &'a [u8],
        /// The piece.
        piece: &'a [u8],
    },
    /// There is a property of this name, with values or without.
    Present {
        /// Name of the property.
        property: &'a [u8],
    },
    /// A time of the stamp is in this range. Unknown times are in none.
    Time {
        /// Which.
        time: Time,
        /// Milliseconds since the epoch, the first that fits.
        from: u64,
        /// The last that fits.
        to: u64,
    },
}

/// The times of a stamp.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Time {
    /// [`Stamp::created`](crate::Stamp::created): every stamp is looked at.
    Created,
    /// [`Stamp::modified`](crate::Stamp::modified): found in an index.
    Modified,
}
