//! A large table whose parts are made when they are needed.
//!
//! Pieces are so large that what leads to them stays in the processor's first cache, whatever the size of the table, and so
//! small that a domain of which little is asked takes little memory.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

/// A table of `T`, of which `N` are made at a time.
pub(super) struct Pieces<T, const N: usize>(Box<[Piece<T, N>]>);

/// Elements that are made when the first of them is to hold something.
pub(super) struct Piece<T, const N: usize> {
    /// The mark of all of them, from the time before they were made.
    mark: AtomicU32,
    elements: OnceLock<Box<[T; N]>>,
}

impl<T: Default, const N: usize> Pieces<T, N> {
    /// A table of at most `most` elements, a multiple of `N`; there are none yet.
    pub(super) fn new(most: usize) -> Self {
        let none = || Piece { mark: AtomicU32::new(0), elements: OnceLock::new() };
        Self((0..most.div_ceil(N)).map(|_| none()).collect())
    }

    /// The piece that element `number` belongs to.
    pub(super) fn piece(&self, number: usize) -> &Piece<T, N> {
        &self.0[number / N]
    }

    /// Pieces that have been made.
    #[cfg(test)]
    pub(super) fn made(&self) -> usize {
        self.0.iter().filter(|piece| piece.elements.get().is_some()).count()
    }
}

impl<T: Default, const N: usize> Piece<T, N> {
    /// Element `number` of the table, if it has been made.
    pub(super) fn get(&self, number: usize) -> Option<&T> {
        Some(&self.elements.get()?[number % N])
    }

    /// Element `number` of the table.
    pub(super) fn get_or_make(&self, number: usize) -> &T {
        let make = || {
            let elements: Box<[T]> = (0..N).map(|_| T::default()).collect();
            elements.try_into().unwrap_or_else(|_| unreachable!("as many as there are to be"))
        };
        &self.elements.get_or_init(make)[number % N]
    }

    /// Marks all elements that have not been made.
    pub(super) fn mark(&self, stamp: u32) {
        self.mark.store(stamp, Ordering::Release);
    }

    /// The mark of all elements.
    pub(super) fn marked(&self) -> u32 {
        self.mark.load(Ordering::Acquire)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_piece_is_made_when_it_is_needed() {
        let pieces = Pieces::<AtomicU32, 8>::new(32);
        assert!((0..32).all(|number| pieces.piece(number).get(number).is_none()));
        pieces.piece(13).get_or_make(13).store(5, Ordering::Relaxed);
        assert_eq!(pieces.made(), 1);
        let known = |number| pieces.piece(number).get(number).map(|element| element.load(Ordering::Relaxed));
        assert_eq!((known(7), known(8), known(13), known(16)), (None, Some(0), Some(5), None));
        pieces.piece(9).mark(3);
        assert_eq!((pieces.piece(15).marked(), pieces.piece(16).marked()), (3, 0));
    }
}
