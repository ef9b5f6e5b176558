//! What a connection keeps from one search to the next: paged results that are to be continued.

use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use super::cookie::{Cookie, SealingKey};
use super::run::Search;
use crate::limits::{KEPT_SEARCH_BYTES, KEPT_SEARCHES};

/// Searches whose next page may be asked for. Shared with results that are still being sent.
#[derive(Debug, Default, Clone)]
pub(crate) struct State(Arc<Mutex<Kept>>);

#[derive(Debug, Default)]
struct Kept {
    /// The one that was used last comes last.
    searches: Vec<Search>,
    /// Numbers given out.
    last: u64,
}

impl State {
    /// A number that no other search of the connection has.
    pub(crate) fn number(&self) -> u64 {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.last += 1;
        kept.last
    }

    /// Keeps a search, if another page of it can be asked for. Those that were not asked for longest, and whatever is too
    /// large, is forgotten: its next page is made from the beginning.
    pub(crate) fn park(&self, search: Box<Search>) {
        if search.portion.paused().is_none() || search.size() > KEPT_SEARCH_BYTES {
            return;
        }
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.searches.len() == KEPT_SEARCHES {
            kept.searches.remove(0);
        }
        kept.searches.push(*search);
    }

    /// Takes the search that a cookie goes on with, if it is kept and stands where the cookie does.
    pub(crate) fn take(&self, cookie: &Cookie) -> Option<Box<Search>> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let fits = |search: &Search| {
            search
                .portion
                .paused()
                .is_some_and(|page| page.search == cookie.search && page.next == Some(cookie.position))
        };
        let index = kept.searches.iter().position(fits)?;
        Some(Box::new(kept.searches.remove(index)))
    }
}

/// The key that seals the cookies of this process.
pub(crate) fn sealing_key() -> &'static SealingKey {
    static KEY: LazyLock<SealingKey> = LazyLock::new(|| {
        let mut octets = [0; 32];
        // Without randomness no cookie may be valid that somebody could have made up: then none is sent out either,
        // because the key differs from one start to the next by the address it lies at, at the least.
        if getrandom::fill(&mut octets).is_err() {
            let place = std::ptr::from_ref(&octets) as usize;
            octets[..size_of::<usize>()].copy_from_slice(&place.to_ne_bytes());
        }
        SealingKey::new(octets)
    });
    &KEY
}
