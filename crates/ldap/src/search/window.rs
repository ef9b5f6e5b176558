//! Virtual list views (draft-ietf-ldapext-ldapv3-vlv-09): one window of a sorted result.

use std::ops::Range;

use netinfo_wire::ldap::ResultCode;

/// A window: a target and how many entries around it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Window {
    pub(crate) before: u32,
    pub(crate) after: u32,
    pub(crate) target: Target,
}

/// The entry a window is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Target {
    /// By its place, from 1, in a list that the client takes to be this long; 0: as long as it is.
    Offset { offset: u32, count: u32 },
    /// The first whose key is not less than this.
    Key(Vec<u8>),
}

/// Where a window lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    /// Place of the target, from 1; one more than there are entries if it is behind them.
    pub(crate) position: u32,
    /// How many entries there are.
    pub(crate) count: u32,
    /// How it went.
    pub(crate) code: ResultCode,
}

impl Window {
    /// Where the window lies in a list of `count` entries with these keys, and which of them it shows.
    pub(crate) fn place<'k, K: Iterator<Item = &'k [u8]>>(
        &self,
        count: usize,
        keys: impl FnOnce() -> K,
    ) -> (Place, Range<usize>) {
        let target = match &self.target {
            Target::Offset { offset, count: assumed } => at_offset(*offset, *assumed, count),
            Target::Key(bound) => keys().take_while(|key| *key < &bound[..]).count(),
        };
        let start = target.saturating_sub(self.before as usize);
        let end = target.saturating_add(1).saturating_add(self.after as usize).min(count);
        let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        let place = Place { position: number(target + 1), count: number(count), code: ResultCode::Success };
        (place, start.min(end)..end)
    }
}

/// The place, from 0, that a client means by `offset` in a list it takes to be `assumed` entries long.
fn at_offset(offset: u32, assumed: u32, count: usize) -> usize {
    let (offset, assumed) = (u64::from(offset), u64::from(assumed));
    let last = count as u64;
    let place = if assumed == 0 || assumed == last {
        offset
    } else if offset <= 1 {
        1
    } else if offset >= assumed {
        last
    } else {
        // The same share of the list, rounded.
        (offset * last + assumed / 2) / assumed
    };
    usize::try_from(place.clamp(1, last.max(1)) - 1).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn place(before: u32, after: u32, target: Target, keys: &[&str]) -> (u32, Range<usize>) {
        let window = Window { before, after, target };
        let (place, range) = window.place(keys.len(), || keys.iter().map(|key| key.as_bytes()));
        assert_eq!(place.count as usize, keys.len());
        (place.position, range)
    }

    #[test]
    fn by_place() {
        let keys = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j"];
        let at = |offset, count| place(1, 2, Target::Offset { offset, count }, &keys);
        assert_eq!(at(1, 0), (1, 0..3));
        assert_eq!(at(5, 0), (5, 3..7));
        assert_eq!(at(10, 10), (10, 8..10));
        assert_eq!(at(99, 0), (10, 8..10));
        // In a list thought to be a hundred long, the fiftieth is in the middle.
        assert_eq!(at(50, 100), (5, 3..7));
        assert_eq!(at(100, 100), (10, 8..10));
        assert_eq!(at(1, 100), (1, 0..3));
        assert_eq!(at(0, 100), (1, 0..3));
    }

    #[test]
    fn by_key() {
        let keys = ["a", "c", "e"];
        let at = |key: &str| place(1, 1, Target::Key(key.as_bytes().to_vec()), &keys);
        assert_eq!(at("a"), (1, 0..2));
        assert_eq!(at("b"), (2, 0..3));
        assert_eq!(at("z"), (4, 2..3));
        assert_eq!(place(1, 1, Target::Key(vec![]), &[]), (1, 0..0));
    }

    proptest! {
        #[test]
        fn windows_are_inside(before in any::<u32>(), after in any::<u32>(), offset in any::<u32>(),
                              assumed in any::<u32>(), count in 0usize..1000) {
            let window = Window { before, after, target: Target::Offset { offset, count: assumed } };
            let (place, range) = window.place(count, std::iter::empty);
            prop_assert!(range.start <= range.end && range.end <= count);
            prop_assert!(place.position >= 1 && place.position as usize <= count.max(1));
        }
    }
}
