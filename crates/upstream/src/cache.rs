//! What a parent has said, and for how long it is believed. The clock, in seconds since 1970, is a parameter.
//!
//! Answers are remembered by question, listings of whole tables beside them. An answer is *fresh* for as long as the
//! [`Policy`] says, counted from when it was given or from when the parent's stamp was last found to be the one it was given
//! under. After that it is *stale*: it is told while the parent cannot be asked, up to the time that is allowed for that.

mod listing;
mod stored;

use std::collections::HashMap;
use std::sync::Arc;

use netinfo_lookup::Table;

use crate::item::{Item, Question};
use crate::limits::{MAX_ANSWERS, MAX_BYTES};
use crate::policy::Policy;
use listing::Listing;

/// Records, shared with whoever reads them.
pub(crate) type Items = Arc<[Arc<Item>]>;

/// What is known about a question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Known {
    /// To be told without asking.
    Fresh(Items),
    /// To be told if the parent cannot be asked.
    Stale(Items),
    /// Nothing.
    Nothing,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Kept {
    items: Items,
    /// When it was said.
    at: u64,
    /// The parent's stamp by then.
    stamp: Option<u64>,
    /// Whether it is known to have changed since: it is told only while the parent cannot be asked.
    outdated: bool,
}

/// The memory of one parent.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Cache {
    answers: HashMap<Question, Kept>,
    lists: HashMap<Table, Listing>,
    /// The parent's stamp, and when that was found out.
    stamp: Option<(u64, u64)>,
    /// Grows with everything that is to be written to disk.
    version: u64,
    /// Bytes of the answers, and of the listings.
    bytes: (usize, usize),
}

impl Cache {
    /// What is known about a question: from its own answer, or from the listing of the table.
    #[must_use]
    pub(crate) fn find(&self, question: &Question, now: u64, policy: &Policy) -> Known {
        let list = self.lists.get(&question.table).filter(|list| list.complete);
        let listed = |list: &Listing| -> Items { list.find(&question.key, &question.value).into() };
        match (self.answers.get(question), list) {
            (Some(kept), _) if self.is_fresh(kept, now, policy) => Known::Fresh(kept.items.clone()),
            (_, Some(list)) if self.is_fresh(&list.kept, now, policy) => Known::Fresh(listed(list)),
            (Some(kept), Some(list)) if list.kept.at > kept.at => {
                self.stale(&list.kept, listed(list), now, policy)
            }
            (Some(kept), _) => self.stale(kept, kept.items.clone(), now, policy),
            (None, Some(list)) => self.stale(&list.kept, listed(list), now, policy),
            (None, None) => Known::Nothing,
        }
    }

    /// Records that were part of answers to other questions and would be part of the one to this: what is left to tell when
    /// the parent is away. It may be less than all.
    #[must_use]
    pub(crate) fn scraps(&self, question: &Question, now: u64, policy: &Policy) -> Items {
        let mut found: Vec<(u64, Arc<Item>)> = Vec::new();
        let kept =
            self.answers.iter().filter(|(q, k)| q.table == question.table && allowed(k.at, now, policy));
        for (_, kept) in kept {
            for item in kept.items.iter().filter(|item| item.has(&question.key, &question.value)) {
                match found.iter_mut().find(|(_, known)| known.id == item.id) {
                    Some(known) if known.0 < kept.at => *known = (kept.at, item.clone()),
                    Some(_) => {}
                    None => found.push((kept.at, item.clone())),
                }
            }
        }
        found.sort_by_key(|(_, item)| item.id);
        found.into_iter().map(|(_, item)| item).collect()
    }

    /// All records of a table in the parent's order.
    #[must_use]
    pub(crate) fn list(&self, table: Table, now: u64, policy: &Policy) -> Known {
        match self.lists.get(&table) {
            Some(list) if self.is_fresh(&list.kept, now, policy) => Known::Fresh(list.kept.items.clone()),
            Some(list) => self.stale(&list.kept, list.kept.items.clone(), now, policy),
            None => Known::Nothing,
        }
    }

    fn stale(&self, kept: &Kept, items: Items, now: u64, policy: &Policy) -> Known {
        if allowed(kept.at, now, policy) { Known::Stale(items) } else { Known::Nothing }
    }

    fn is_fresh(&self, kept: &Kept, now: u64, policy: &Policy) -> bool {
        let time = if kept.items.is_empty() { policy.negative_time } else { policy.time_to_live };
        let young = |at: u64| now.checked_sub(at).is_some_and(|age| age < time);
        let same = self.stamp.filter(|(stamp, _)| Some(*stamp) == kept.stamp);
        !kept.outdated && (young(kept.at) || same.is_some_and(|(_, found)| young(found)))
    }

    /// The stamp under which what is known about a question was said: if it is still the parent's, nothing need be asked.
    #[must_use]
    pub(crate) fn stamp_of(&self, question: &Question) -> Option<u64> {
        self.answers.get(question)?.stamp
    }

    /// The same for a listing.
    #[must_use]
    pub(crate) fn stamp_of_list(&self, table: Table) -> Option<u64> {
        self.lists.get(&table)?.kept.stamp
    }

    /// The parent's stamp is `stamp` at the time `now`.
    pub(crate) fn stamped(&mut self, stamp: Option<u64>, now: u64) {
        self.stamp = stamp.map(|stamp| (stamp, now));
    }

    /// The stamp, if it was found out less than `age` seconds ago.
    #[must_use]
    pub(crate) fn recent_stamp(&self, now: u64, age: u64) -> Option<u64> {
        let (stamp, found) = self.stamp?;
        now.checked_sub(found).is_some_and(|since| since < age).then_some(stamp)
    }

    /// The parent has answered a question; `stamp` was its stamp before that.
    pub(crate) fn answered(&mut self, question: Question, items: Vec<Item>, stamp: Option<u64>, now: u64) {
        let items = items.into_iter().map(Arc::new).collect();
        let kept = Kept { items, at: now, stamp, outdated: false };
        self.bytes.0 += weight(&question, &kept);
        let key = question.clone();
        if let Some(old) = self.answers.insert(question, kept) {
            self.bytes.0 -= weight(&key, &old);
        }
        self.version += 1;
        self.shrink();
    }

    /// The parent has listed a table, whole or up to the limit.
    pub(crate) fn listed(
        &mut self,
        table: Table,
        items: Vec<Item>,
        complete: bool,
        stamp: Option<u64>,
        now: u64,
    ) {
        let items: Items = items.into_iter().map(Arc::new).collect();
        self.lists.insert(table, Listing::new(Kept { items, at: now, stamp, outdated: false }, complete));
        self.count();
        self.version += 1;
        self.shrink();
    }

    /// A user has changed at the parent: it is asked anew, and what was known is for the time that it cannot be.
    pub(crate) fn outdate_user(&mut self, name: &[u8]) {
        let about = |q: &Question, k: &Kept| {
            q.table == Table::Users && (q.value == name || k.items.iter().any(|item| item.has(b"name", name)))
        };
        let answers = self.answers.iter_mut().filter(|(question, kept)| about(question, kept));
        let listed = self.lists.get_mut(&Table::Users).map(|list| &mut list.kept);
        for kept in answers.map(|(_, kept)| kept).chain(listed) {
            kept.stamp = None;
            kept.outdated = true;
        }
    }

    /// How many answers and listed records there are.
    #[must_use]
    pub(crate) fn len(&self) -> usize {
        self.answers.len() + self.lists.values().map(|list| list.kept.items.len()).sum::<usize>()
    }

    /// When the parent was last heard, in what is remembered.
    #[must_use]
    pub(crate) fn newest(&self) -> Option<u64> {
        let kept = self.answers.values().chain(self.lists.values().map(|list| &list.kept));
        kept.map(|kept| kept.at).chain(self.stamp.map(|(_, found)| found)).max()
    }

    /// Grows with everything that is to be written to disk.
    #[must_use]
    pub(crate) fn version(&self) -> u64 {
        self.version
    }

    /// Counts anew what the memory takes, after many changes at once.
    fn count(&mut self) {
        let answers = self.answers.iter().map(|(question, kept)| weight(question, kept)).sum();
        self.bytes = (answers, self.lists.values().map(|list| list.kept.bytes()).sum());
    }

    /// Forgets the oldest answers, then the largest listings, until it is within its limits.
    fn shrink(&mut self) {
        while self.answers.len() > MAX_ANSWERS || self.bytes.0 + self.bytes.1 > MAX_BYTES {
            if self.answers.is_empty() {
                let largest = self.lists.iter().max_by_key(|(_, list)| list.kept.items.len());
                let Some(table) = largest.map(|(table, _)| *table) else { return };
                self.lists.remove(&table);
            } else {
                self.drop_oldest();
            }
            self.count();
        }
    }

    /// Forgets a quarter of the answers.
    fn drop_oldest(&mut self) {
        let mut times: Vec<u64> = self.answers.values().map(|kept| kept.at).collect();
        times.sort_unstable();
        let mut left = times.len() / 4 + 1;
        let limit = times.get(left - 1).copied().unwrap_or_default();
        self.answers.retain(|_, kept| {
            let goes = kept.at <= limit && left > 0;
            left -= usize::from(goes);
            !goes
        });
    }
}

impl Kept {
    fn bytes(&self) -> usize {
        self.items.iter().map(|item| item.bytes()).sum::<usize>() + 64
    }
}

/// Bytes of an answer, about.
fn weight(question: &Question, kept: &Kept) -> usize {
    question.value.len() + question.key.len() + kept.bytes()
}

/// Whether what was said at the time `at` may still be told while the parent is away.
fn allowed(at: u64, now: u64, policy: &Policy) -> bool {
    now.saturating_sub(at) < policy.offline_time.max(1)
}

#[cfg(test)]
mod tests;
