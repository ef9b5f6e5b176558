//! All entries of a category, page by page.

use std::ops::ControlFlow;

use netinfo_wire::lookup::{Answer, Category, Cookie, EntryBuf};

use crate::entries::{Want, build};
use crate::source::{Record, Source, Table};
use crate::view::{View, for_each_entry};

/// Entries on a page at most; those of one record stay together.
pub const PAGE_ENTRIES: usize = 1024;
/// Bytes of entries after which a page ends.
pub const PAGE_BYTES: usize = 256 << 10;

/// Some of all entries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// The entries.
    pub entries: Vec<EntryBuf>,
    /// Where to go on; `None` at the end.
    pub next: Option<Cookie>,
}

impl View<'_> {
    /// The entries from `cookie` on: source by source, in the order of their records, without those that are hidden. Each
    /// is what [`View::find`] gives for its name. Netgroups cannot be enumerated.
    ///
    /// Entries that appear, go or move between two pages may be missed, never told twice by one name.
    #[must_use]
    pub fn all(&self, category: Category, cookie: Cookie) -> Answer<Page> {
        if category == Category::Netgroup {
            return Answer::NotFound;
        }
        if category == Category::Shadow && !self.shows_secrets() {
            return Answer::Refused;
        }
        let (mut entries, mut bytes) = (Vec::new(), 0);
        let mut from = cookie.position;
        let table = Table::of_category(category);
        let told = |source: &dyn Source| category != Category::Shadow || source.has_shadow();
        for (number, source) in
            self.covering(table).skip_while(|(number, _)| *number < cookie.source as usize)
        {
            if !told(source) {
                continue;
            }
            let mut next = None;
            let listed = source.list(table, from, &mut |place, record| {
                let room = entries.len() < PAGE_ENTRIES && bytes < PAGE_BYTES;
                if !room {
                    next = Some(Cookie { source: number as u32, position: place });
                    return ControlFlow::Break(());
                }
                self.add(category, number, &record, &mut |entry| {
                    bytes += entry.as_bytes().len();
                    entries.push(entry);
                });
                ControlFlow::Continue(())
            });
            if let Err(error) = listed {
                tracing::debug!(source = source.name(), %error, "left out of an enumeration");
            }
            if next.is_some() {
                return Answer::Found(Page { entries, next });
            }
            from = 0;
        }
        Answer::Found(Page { entries, next: None })
    }

    /// Hands out all entries of a category, as [`View::all`] does.
    pub fn each(&self, category: Category, mut each: impl FnMut(EntryBuf)) -> Answer<()> {
        let mut cookie = Cookie::START;
        loop {
            match self.all(category, cookie) {
                Answer::Found(page) => {
                    page.entries.into_iter().for_each(&mut each);
                    match page.next {
                        Some(next) => cookie = next,
                        None => return Answer::Found(()),
                    }
                }
                other => return other.map(drop),
            }
        }
    }

    /// The entries of one record that are not hidden.
    fn add(&self, category: Category, source: usize, record: &Record<'_>, each: &mut dyn FnMut(EntryBuf)) {
        let nearest = self.nearest(Table::of_category(category)) == Some(source);
        for_each_entry(category, record, Want::default(), nearest, |name, want| {
            let owner = self.owner(category, name, want.protocol, |_| ());
            if owner.is_none_or(|(s, id, ())| (s, id) != (source, record.id())) {
                return;
            }
            let built = build(category, record, want, nearest).map(|entry| self.complete(entry));
            match built {
                Some(Answer::Found(entry)) => each(entry),
                _ => tracing::warn!(name = %name.escape_ascii(), "too large to be told"),
            }
        });
    }
}
