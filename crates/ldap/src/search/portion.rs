//! The order of a result and the part of it that one response has: sorting, pages, list views.

use netinfo_wire::ldap::control::paging::{PagedResults, SortResponse, VlvResponse};
use netinfo_wire::ldap::{LdapResult, MessageWriter, Response, ResultCode};

use super::cookie::{Cookie, Query};
use super::ground::Subject;
use super::sort::{Order, Unsortable};
use super::source::Source;
use super::state::sealing_key;
use super::window::{Place, Window};

/// What is being done with the entries that match.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Turn {
    /// They are noted, to be sorted.
    Gathering,
    /// They are returned.
    Returning,
}

/// How a result is ordered and divided.
#[derive(Debug, Default)]
pub(crate) struct Portion {
    /// The order asked for, and whether nothing else will do.
    order: Option<(Order, bool)>,
    /// Most entries that are noted.
    most: usize,
    /// What has been noted: keys and objects.
    gathered: Vec<(Box<[u8]>, u32)>,
    /// Whether `gathered` has been sorted and taken.
    sorted: bool,
    /// What the response says of the order.
    sort_response: Option<Unsortable>,
    page: Option<Page>,
    window: Option<Window>,
    /// Where the window lies.
    window_response: Option<Place>,
    /// Entries returned so far, by earlier pages too.
    returned: u32,
}

/// A page of a result.
#[derive(Debug, Clone)]
pub(crate) struct Page {
    /// Entries that it may still have.
    pub(crate) left: u32,
    /// About how many entries the whole result has.
    pub(crate) estimate: u32,
    /// Number of the search on its connection.
    pub(crate) search: u64,
    /// What its cookie belongs to.
    pub(crate) query: Query,
    /// Where it begins.
    pub(crate) from: u32,
    /// Where the next one begins; `None` if there is none.
    pub(crate) next: Option<u32>,
    /// The client wants none of the entries, only how many there are, or an end.
    pub(crate) over: bool,
}

impl Portion {
    /// In this order, of so many entries at most; `critical`: or not at all.
    pub(crate) fn sort_by(&mut self, order: Order, critical: bool, most: usize) {
        self.order = Some((order, critical));
        self.most = most;
        self.sort_response = Some(Unsortable { code: ResultCode::Success, attribute: None });
    }

    /// Not in the order that was asked for.
    pub(crate) fn unsortable(&mut self, why: Unsortable) {
        self.sort_response = Some(why);
    }

    /// One page; `returned` entries were on the pages before.
    pub(crate) fn paged(&mut self, page: Page, returned: u32) {
        self.returned = returned;
        self.page = Some(page);
    }

    /// One window of the sorted result.
    pub(crate) fn windowed(&mut self, window: Window) {
        self.window = Some(window);
    }

    /// There is no window, for this reason.
    pub(crate) fn no_window(&mut self, code: ResultCode) {
        self.window_response = Some(Place { position: 0, count: 0, code });
    }

    /// Whether an order is asked for.
    pub(crate) fn has_order(&self) -> bool {
        self.order.is_some()
    }

    /// Whether the response has no entries.
    pub(crate) fn is_over(&self) -> bool {
        self.page.as_ref().is_some_and(|page| page.over)
    }

    /// What is being done.
    pub(crate) fn turn(&self) -> Turn {
        if self.order.is_some() && !self.sorted { Turn::Gathering } else { Turn::Returning }
    }

    /// Whether an order is asked for and nothing else will do.
    pub(crate) fn must_be_sorted(&self) -> bool {
        self.window.is_some() || self.order.as_ref().is_some_and(|(_, critical)| *critical)
    }

    /// Notes an entry; `false` if there are too many.
    pub(crate) fn gather(&mut self, subject: &Subject<'_>, object: u32) -> netinfo_mapping::Result<bool> {
        let Some((order, _)) = &self.order else { return Ok(true) };
        if self.gathered.len() == self.most {
            self.gathered = Vec::new();
            self.sort_response = Some(Unsortable { code: ResultCode::AdminLimitExceeded, attribute: None });
            return Ok(false);
        }
        self.gathered.push((order.key(subject)?.into_boxed_slice(), object));
        Ok(true)
    }

    /// Gives the order up; returns the position to begin at.
    pub(crate) fn start_unsorted(&mut self) -> u32 {
        self.order = None;
        self.page.as_ref().map_or(0, |page| page.from)
    }

    /// Sorts what was noted; returns it, at the place where the response begins.
    pub(crate) fn sort(&mut self) -> Source {
        let mut gathered = std::mem::take(&mut self.gathered);
        gathered.sort_unstable();
        self.sorted = true;
        let (mut next, mut end) = (0, gathered.len());
        if let Some(window) = &self.window {
            let keys = || gathered.iter().map(|(key, _)| &key[..]);
            let (place, range) = window.place(gathered.len(), keys);
            (next, end) = (range.start, range.end);
            self.window_response = Some(place);
        } else if let Some(page) = &self.page {
            next = (page.from as usize).min(end);
        }
        let objects: Vec<u32> = gathered.into_iter().map(|(_, object)| object).collect();
        Source::List { objects, next, end }
    }

    /// Bytes kept for it, about.
    pub(crate) fn size(&self) -> usize {
        let key = |entry: &(Box<[u8]>, u32)| entry.0.len();
        self.gathered.len() * size_of::<(Box<[u8]>, u32)>()
            + self.gathered.first().map_or(0, key) * self.gathered.len()
    }

    /// Counts an entry that was returned.
    pub(crate) fn count(&mut self) {
        self.returned += 1;
        if let Some(page) = &mut self.page {
            page.left = page.left.saturating_sub(1);
        }
    }

    /// Entries returned so far.
    pub(crate) fn returned(&self) -> u32 {
        self.returned
    }

    /// Whether no more entries belong to this page.
    pub(crate) fn page_is_full(&self) -> bool {
        self.page.as_ref().is_some_and(|page| page.left == 0)
    }

    /// Another page begins at this position.
    pub(crate) fn pause(&mut self, position: u32) {
        if let Some(page) = &mut self.page {
            page.next = Some(position);
        }
    }

    /// The page that has ended, if another one follows.
    pub(crate) fn paused(&self) -> Option<&Page> {
        self.page.as_ref().filter(|page| page.next.is_some())
    }

    /// Begins the next page.
    pub(crate) fn resume(&mut self, size: u32) {
        if let Some(page) = &mut self.page {
            page.left = size;
            page.over = size == 0;
            page.from = page.next.take().unwrap_or_default();
        }
    }

    /// Appends the final response with the controls that belong to it.
    pub(crate) fn close(&self, id: u32, result: LdapResult<'_>, out: &mut Vec<u8>) {
        let mut message = MessageWriter::begin(out, id);
        message.response(&Response::SearchDone(result));
        if let Some(sorted) = &self.sort_response {
            message
                .payload(false, &SortResponse { code: sorted.code, attribute: sorted.attribute.as_deref() });
        }
        if let Some(place) = &self.window_response {
            let Place { position, count, code } = *place;
            message.payload(false, &VlvResponse { position, count, code, context: None });
        }
        if let Some(page) = &self.page {
            let cookie = page.next.map(|position| {
                Cookie { search: page.search, position, returned: self.returned }
                    .seal(sealing_key(), &page.query)
            });
            let cookie = cookie.as_ref().map_or(&[][..], |cookie| cookie);
            message.payload(false, &PagedResults { size: page.estimate, cookie });
        }
        message.finish();
    }
}
