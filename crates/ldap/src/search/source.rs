//! The order in which a search looks at directories, and how far it has come.
//!
//! What is kept between two portions of a result is a position, not a snapshot: directories that come and go meanwhile are
//! found or not, and none is found twice.

use roaring::RoaringBitmap;

/// Directories to look at.
#[derive(Debug, Clone)]
pub(crate) enum Source {
    /// All that exist, by object id.
    All {
        /// The next one.
        next: u32,
    },
    /// These, by object id.
    Set {
        /// All of them.
        objects: RoaringBitmap,
        /// The next one is this or the first behind it; `None` at the end.
        next: Option<u32>,
    },
    /// These, in this order: what has been found already.
    List {
        /// All of them.
        objects: Vec<u32>,
        /// Place of the next one.
        next: usize,
        /// Place behind the last one.
        end: usize,
    },
}

impl Source {
    /// All of these, from the one with this id on.
    pub(crate) fn set(objects: RoaringBitmap, from: u32) -> Self {
        Self::Set { objects, next: Some(from) }
    }

    /// Goes on with what is behind; `highest` is the highest object id there is.
    pub(crate) fn next(&mut self, highest: u32) -> Option<u32> {
        match self {
            Self::All { next } => {
                let object = *next;
                *next = object.checked_add(1)?;
                (object <= highest).then_some(object)
            }
            Self::Set { objects, next } => {
                let object = (*next).and_then(|next| objects.range(next..).next());
                *next = object.and_then(|object| object.checked_add(1));
                object
            }
            Self::List { objects, next, end } => {
                let object = objects.get(..*end).and_then(|objects| objects.get(*next)).copied();
                *next += usize::from(object.is_some());
                object
            }
        }
    }

    /// Where it is: what [`Self::seek`] goes back to. `last` is the directory that was looked at last and is to be looked
    /// at again.
    pub(crate) fn position(&self, last: u32) -> u32 {
        match self {
            Self::All { .. } | Self::Set { .. } => last,
            Self::List { next, .. } => u32::try_from(next.saturating_sub(1)).unwrap_or(u32::MAX),
        }
    }

    /// Goes to a position.
    pub(crate) fn seek(&mut self, position: u32) {
        match self {
            Self::All { next } => *next = position,
            Self::Set { next, .. } => *next = Some(position),
            Self::List { next, .. } => *next = position as usize,
        }
    }

    /// About how many directories there are to look at, of `all` in the domain.
    pub(crate) fn estimate(&self, all: u64) -> u64 {
        match self {
            Self::All { .. } => all,
            Self::Set { objects, .. } => objects.len(),
            Self::List { objects, .. } => objects.len() as u64,
        }
    }

    /// Bytes kept for it.
    pub(crate) fn size(&self) -> usize {
        match self {
            Self::All { .. } => 0,
            Self::Set { objects, .. } => objects.serialized_size(),
            Self::List { objects, .. } => objects.len() * size_of::<u32>(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rest(source: &mut Source, highest: u32) -> Vec<u32> {
        std::iter::from_fn(|| source.next(highest)).collect()
    }

    #[test]
    fn every_directory_once() {
        assert_eq!(rest(&mut Source::All { next: 0 }, 3), [0, 1, 2, 3]);
        let mut set = Source::set([7, 3, u32::MAX].into_iter().collect(), 0);
        assert_eq!(rest(&mut set, 3), [3, 7, u32::MAX]);
        assert_eq!(rest(&mut set, 3), []);
        let mut list = Source::List { objects: vec![9, 1, 5, 2], next: 1, end: 3 };
        assert_eq!(rest(&mut list, 0), [1, 5]);
        assert_eq!(rest(&mut list, 0), []);
        let mut all = Source::All { next: u32::MAX };
        assert_eq!(all.next(u32::MAX), None, "no directory has the highest number");
    }

    #[test]
    fn positions_lead_back() {
        let sources = [
            Source::All { next: 0 },
            Source::set([0, 2, 3, 5].into_iter().collect(), 0),
            Source::List { objects: vec![5, 3, 0, 2], next: 0, end: 4 },
        ];
        for mut source in sources {
            source.next(9);
            let last = source.next(9).unwrap();
            let position = source.position(last);
            let expected = [vec![last], rest(&mut source, 9)].concat();
            source.seek(position);
            assert_eq!(rest(&mut source, 9), expected);
        }
    }
}
