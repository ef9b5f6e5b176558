//! Entries that come too early.

use crate::item::{Item, What};

/// Entries that came before the one above them, and wait for it.
#[derive(Default)]
pub(crate) struct Waiting {
    items: Vec<Item>,
    bytes: usize,
    /// The one above will not come any more.
    over: bool,
}

/// Bytes of entries that wait at most; what comes then without an entry above it is not taken.
pub(crate) const WAITING_LIMIT: usize = 256 << 20;

impl Waiting {
    /// Takes an entry in, unless there is no hope: then it comes back.
    pub(crate) fn take(&mut self, item: Item) -> Option<Item> {
        let weight = item.weight();
        if self.over || self.bytes + weight > WAITING_LIMIT {
            return Some(item);
        }
        self.bytes += weight;
        self.items.push(item);
        None
    }

    /// Whether nothing waits.
    pub(crate) fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// Those that wait, the shortest names first; nothing more is taken in from now on.
    pub(crate) fn leave(&mut self) -> Vec<Item> {
        let depth = |item: &Item| match &item.what {
            What::Entry(dn, _) => dn.iter().filter(|byte| **byte == b',').count(),
            _ => 0,
        };
        (self.bytes, self.over) = (0, true);
        self.items.sort_by_key(depth);
        std::mem::take(&mut self.items)
    }

    /// Another stream begins.
    pub(crate) fn begin(&mut self) {
        self.over = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_waits_is_bounded_and_leaves_in_order() {
        let entry = |dn: &str, bytes: usize| {
            let attributes = vec![(b"cn".to_vec(), vec![vec![b'x'; bytes]])];
            Item { line: 1, what: What::Entry(dn.into(), attributes) }
        };
        let mut waiting = Waiting::default();
        assert!(waiting.take(entry("cn=a,cn=b,dc=c", 1)).is_none());
        assert!(waiting.take(entry("cn=b,dc=c", WAITING_LIMIT / 2)).is_none());
        assert!(waiting.take(entry("cn=x,dc=c", WAITING_LIMIT / 2)).is_some(), "there is no room");
        let names: Vec<_> = waiting.leave().into_iter().map(|item| format!("{:?}", item.what)).collect();
        assert_eq!(names, ["cn=b,dc=c: 1 attributes", "cn=a,cn=b,dc=c: 1 attributes"]);
        assert!(waiting.take(entry("cn=b,dc=c", 1)).is_some(), "it is over");
        waiting.begin();
        assert!(waiting.take(entry("cn=b,dc=c", 1)).is_none());
    }
}
