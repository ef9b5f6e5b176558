//! One entry: the sources are asked in their order, and what a nearer one has hides what is farther away.

use std::ops::ControlFlow;

use netinfo_wire::lookup::{Answer, Category, Entry, EntryBuf, Key, Query};

use crate::entries::{Want, build, canonical, protocols};
use crate::keys::{self, Spelling};
use crate::source::{Record, Source, Table};

/// Records of one source that are looked at for one key: hidden ones among them are passed over for the next.
const MAX_CANDIDATES: usize = 64;

/// The sources from the nearest to the root, seen as one.
pub struct View<'s> {
    pub(crate) sources: Vec<Box<dyn Source + 's>>,
}

/// A record that answers a query, if no nearer one hides it.
struct Candidate {
    id: u64,
    name: Vec<u8>,
    /// Of a service.
    protocol: Vec<u8>,
    /// `None` if it is too large.
    entry: Option<EntryBuf>,
}

impl<'s> View<'s> {
    /// Asks these sources, in this order: the machine's own domain first.
    #[must_use]
    pub fn new(sources: Vec<Box<dyn Source + 's>>) -> Self {
        Self { sources }
    }

    /// Looks one entry up.
    ///
    /// * A name is looked for in each source in turn; a user by the name of the person (one with a blank) only after that.
    /// * Passwords are [`Answer::Refused`] unless every source shows them.
    #[must_use]
    pub fn find(&self, query: &Query<'_>) -> Answer<EntryBuf> {
        match (query.category, query.key) {
            (Category::Netgroup, Key::Name(name)) => return self.netgroup(name),
            (Category::Shadow, _) if !self.shows_secrets() => return Answer::Refused,
            _ => {}
        }
        let want = wanted(query);
        match self.search(query.category, &keys::spellings(query), want) {
            Answer::NotFound => match keys::second_spellings(query) {
                second if second.is_empty() => Answer::NotFound,
                second => self.search(query.category, &second, want),
            },
            answer => answer,
        }
    }

    /// The user that a name leads to: the number of the source, counted from the nearest, and what `take` makes of the
    /// record.
    pub fn user<T>(&self, name: &[u8], take: impl FnMut(&Record<'_>) -> T) -> Answer<(usize, T)> {
        let query = Query { category: Category::Passwd, key: Key::Name(name) };
        let owned = |entry: EntryBuf| self.owner(Category::Passwd, entry.as_entry().name(), b"", take);
        match self.find(&query).map(owned) {
            Answer::Found(Some((source, _, taken))) => Answer::Found((source, taken)),
            Answer::Found(None) | Answer::NotFound => Answer::NotFound,
            Answer::TryAgain => Answer::TryAgain,
            Answer::Refused => Answer::Refused,
            Answer::TooLarge => Answer::TooLarge,
        }
    }

    /// Whether passwords may be told.
    pub(crate) fn shows_secrets(&self) -> bool {
        self.sources.iter().all(|source| source.shows_secrets())
    }

    /// The sources that are asked about a table, with their numbers, the nearest first.
    pub(crate) fn covering(&self, table: Table) -> impl Iterator<Item = (usize, &(dyn Source + 's))> {
        let sources = self.sources.iter().map(|source| &**source).enumerate();
        sources.filter(move |(_, source)| source.covers(table))
    }

    /// The number of the nearest source of a table.
    pub(crate) fn nearest(&self, table: Table) -> Option<usize> {
        self.covering(table).next().map(|(number, _)| number)
    }

    fn search(&self, category: Category, spellings: &[Spelling], want: Want<'_>) -> Answer<EntryBuf> {
        let mut away = false;
        // Spellings that nearer records have: their name may not be that of a farther one.
        let mut taken = vec![false; spellings.len()];
        let table = Table::of_category(category);
        for (place, (number, source)) in self.covering(table).enumerate() {
            let nearest = place == 0;
            let told = category != Category::Shadow || source.has_shadow();
            for ((key, value), taken) in spellings.iter().zip(&mut taken) {
                let mut candidates = Vec::new();
                let asked = source.find(table, key, value, &mut |record| {
                    for_each_entry(category, &record, want, nearest, |name, want| {
                        let entry = build(category, &record, want, nearest);
                        let protocol = want.protocol.to_vec();
                        candidates.push(Candidate { id: record.id(), name: name.to_vec(), protocol, entry });
                    });
                    if candidates.len() < MAX_CANDIDATES {
                        ControlFlow::Continue(())
                    } else {
                        ControlFlow::Break(())
                    }
                });
                away |= asked.is_err();
                for candidate in candidates {
                    let first = !std::mem::replace(taken, true);
                    let by_name = first && *key == b"name" && candidate.name == *value;
                    if told && (by_name || self.owns(category, number, &candidate)) {
                        return candidate.entry.map_or(Answer::TooLarge, |entry| self.complete(entry));
                    }
                }
            }
        }
        if away { Answer::TryAgain } else { Answer::NotFound }
    }

    /// Whether the name of a candidate leads to it, and to nothing else.
    fn owns(&self, category: Category, source: usize, candidate: &Candidate) -> bool {
        let owner = self.owner(category, &candidate.name, &candidate.protocol, |_| ());
        owner.is_some_and(|(s, id, ())| (s, id) == (source, candidate.id))
    }

    /// The record that a name belongs to: its source, its id, and what `take` makes of it.
    pub(crate) fn owner<T>(
        &self,
        category: Category,
        name: &[u8],
        protocol: &[u8],
        mut take: impl FnMut(&Record<'_>) -> T,
    ) -> Option<(usize, u64, T)> {
        let want = Want { protocol, mac: None };
        let table = Table::of_category(category);
        self.covering(table).enumerate().find_map(|(place, (number, source))| {
            let mut found = None;
            // A source that is away cannot hide anything.
            let _ = source.find(table, b"name", name, &mut |record| {
                if canonical(category, &record, want, place == 0).is_none() {
                    return ControlFlow::Continue(());
                }
                found = Some((number, record.id(), take(&record)));
                ControlFlow::Break(())
            });
            found
        })
    }

    /// Adds to an entry what other sources have to say.
    pub(crate) fn complete(&self, entry: EntryBuf) -> Answer<EntryBuf> {
        match entry.as_entry() {
            Entry::Group(group) => self.merged(&group).map_or(Answer::TooLarge, Answer::Found),
            _ => Answer::Found(entry),
        }
    }
}

/// Calls `each` for every entry that a record holds: its name, and what it is to be asked for by. A service has one for
/// each of its protocols, everything else has one.
pub(crate) fn for_each_entry<'r>(
    category: Category,
    record: &Record<'r>,
    want: Want<'_>,
    nearest: bool,
    mut each: impl FnMut(&'r [u8], Want<'_>),
) {
    let mut one = |want: Want<'_>| {
        if let Some(name) = canonical(category, record, want, nearest) {
            each(name, want);
        }
    };
    if category != Category::Service || !want.protocol.is_empty() {
        return one(want);
    }
    let mut told: Vec<&[u8]> = Vec::new();
    for protocol in protocols(record) {
        if !told.contains(&protocol) {
            told.push(protocol);
            one(Want { protocol, ..want });
        }
    }
}

fn wanted<'q>(query: &Query<'q>) -> Want<'q> {
    match query.key {
        Key::Service { protocol, .. } | Key::Port { protocol, .. } => Want { protocol, mac: None },
        Key::Address(address) => Want { protocol: b"", mac: address.try_into().ok() },
        Key::Name(_) | Key::Number(_) => Want::default(),
    }
}
