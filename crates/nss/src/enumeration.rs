//! Enumerations: entry by entry, each thread on its own.
//!
//! An enumeration that began with the published table stays with that very table to its end, also when it is replaced
//! meanwhile. One that asks the daemon takes pages, and keeps the page.

use std::cell::RefCell;

use netinfo_table::{Found, Record, Section};
use netinfo_wire::lookup::answer::decode_all;
use netinfo_wire::lookup::{Category, Cookie, Entry, Page, Request};
use netinfo_wire::xdr::Reader;

use crate::boundary::Failure;
use crate::client::{call, found};
use crate::map::{Pinned, pin};

thread_local! {
    /// How far this thread has come in each category.
    static CURSORS: RefCell<[Option<Cursor>; Category::ALL.len()]> = const {
        RefCell::new([const { None }; Category::ALL.len()])
    };
}

/// Where an enumeration is.
enum Cursor {
    /// In a table.
    Table(Pinned, usize),
    /// In a page of the daemon's.
    Pages(Kept),
}

/// The entries of a page, and where the next page begins.
struct Kept {
    /// The entries as on the wire, one behind another.
    bytes: Vec<u8>,
    /// Where the entry to be returned next begins.
    at: usize,
    next: Option<Cookie>,
}

/// An entry of either kind.
pub(crate) enum Item<'a> {
    /// From the table.
    Record(Record<'a>),
    /// From the daemon.
    Entry(Entry<'a>),
}

/// The section of the table that lists this category.
fn section(category: Category) -> Option<Section> {
    match category {
        Category::Passwd => Some(Section::Passwd),
        Category::Group => Some(Section::Group),
        Category::Service => Some(Section::Services),
        _ => None,
    }
}

/// Begins from the start, or gives up what is held.
pub(crate) fn reset(category: Category) -> Result<(), Failure> {
    with(category, |cursor| {
        *cursor = None;
        Ok(())
    })
}

/// Makes the next entry into a result. One that does not fit into the caller's buffer is the next one again; those that
/// C cannot be told are skipped.
pub(crate) fn next<T>(
    category: Category,
    mut make: impl FnMut(Item<'_>) -> Result<T, Failure>,
) -> Result<T, Failure> {
    with(category, |cursor| {
        loop {
            let cursor = match cursor {
                Some(cursor) => cursor,
                None => cursor.insert(Cursor::begin(category)),
            };
            let Some(item) = cursor.item(category)? else { return Err(Failure::NotFound) };
            match make(item) {
                Err(Failure::NotFound) => cursor.advance(),
                Err(failure) => return Err(failure),
                Ok(made) => {
                    cursor.advance();
                    return Ok(made);
                }
            }
        }
    })
}

/// Runs `work` with this thread's cursor. In a thread that is ending there is none any more.
fn with<T>(
    category: Category,
    work: impl FnOnce(&mut Option<Cursor>) -> Result<T, Failure>,
) -> Result<T, Failure> {
    let gone = Failure::Unavailable(libc::EAGAIN);
    let run = |cursors: &RefCell<[Option<Cursor>; _]>| {
        let mut cursors = cursors.try_borrow_mut().map_err(|_| gone)?;
        cursors.get_mut(category as usize).ok_or(gone).and_then(work)
    };
    CURSORS.try_with(run).unwrap_or(Err(gone))
}

impl Cursor {
    fn begin(category: Category) -> Self {
        let listed = |pinned: &Pinned, section| {
            pinned.table().is_some_and(|table| !matches!(table.listed(section, 0), Found::Unsure))
        };
        match section(category).and_then(|section| pin().filter(|pinned| listed(pinned, section))) {
            Some(pinned) => Self::Table(pinned, 0),
            None => Self::Pages(Kept { bytes: Vec::new(), at: 0, next: Some(Cookie::START) }),
        }
    }

    /// The entry it stands at; `None` at the end.
    fn item(&mut self, category: Category) -> Result<Option<Item<'_>>, Failure> {
        match self {
            Self::Table(pinned, position) => {
                let Some((table, section)) = pinned.table().zip(section(category)) else { return Ok(None) };
                match table.listed(section, *position) {
                    Found::Hit(record) => Ok(Some(Item::Record(record))),
                    Found::Miss => Ok(None),
                    Found::Unsure => Err(Failure::Unavailable(libc::EIO)),
                }
            }
            Self::Pages(kept) => Ok(kept.entry(category)?.map(Item::Entry)),
        }
    }

    fn advance(&mut self) {
        match self {
            Self::Table(_, position) => *position += 1,
            Self::Pages(kept) => kept.advance(),
        }
    }
}

impl Kept {
    fn entry(&mut self, category: Category) -> Result<Option<Entry<'_>>, Failure> {
        while self.at == self.bytes.len() {
            let Some(cookie) = self.next else { return Ok(None) };
            match self.take(category, cookie) {
                // Nothing of the kind: the daemon's way to say that there is an end at once.
                Err(Failure::NotFound) => self.next = None,
                taken => taken?,
            }
        }
        let bytes = self.bytes.get(self.at..).unwrap_or_default();
        let entry = Entry::read(&mut Reader::new(bytes)).map_err(|_| Failure::Unavailable(libc::EPROTO))?;
        Ok(Some(entry))
    }

    /// Takes the page that begins at `cookie`.
    fn take(&mut self, category: Category, cookie: Cookie) -> Result<(), Failure> {
        let reply = call(&Request::All { category, cookie })?;
        let Page { entries, next } = found(decode_all(reply.results()?))?;
        if entries.is_empty() && next == Some(cookie) {
            return Err(Failure::Unavailable(libc::EPROTO));
        }
        self.bytes.clear();
        entries.iter().for_each(|entry| entry.encode(&mut self.bytes));
        (self.at, self.next) = (0, next);
        Ok(())
    }

    fn advance(&mut self) {
        let mut reader = Reader::new(self.bytes.get(self.at..).unwrap_or_default());
        self.at = match Entry::read(&mut reader) {
            Ok(_) => self.bytes.len() - reader.remaining().len(),
            Err(_) => self.bytes.len(),
        };
    }
}

/// The three functions of an enumeration that have no keys.
macro_rules! enumeration {
    ($category:expr, $set:ident($($stay:ident)?), $end:ident, $get:ident -> $result:ty, $make:expr) => {
        /// Begins from the start.
        #[unsafe(no_mangle)]
        extern "C" fn $set($(_: $crate::enumeration::$stay)?) -> std::ffi::c_int {
            $crate::boundary::reset($category)
        }

        /// Gives up what the enumeration holds.
        #[unsafe(no_mangle)]
        extern "C" fn $end() -> std::ffi::c_int {
            $crate::boundary::reset($category)
        }

        /// The next entry.
        ///
        /// # Safety
        /// As [`boundary::answer`](crate::boundary::answer).
        #[unsafe(no_mangle)]
        unsafe extern "C" fn $get(
            result: *mut $result,
            buffer: *mut std::ffi::c_char,
            length: usize,
            errno: *mut std::ffi::c_int,
        ) -> std::ffi::c_int {
            let errors = $crate::boundary::Errors::errno(errno);
            let buffer = $crate::boundary::Buffer(buffer, length);
            // SAFETY: the caller's promise.
            unsafe {
                $crate::boundary::answer(result, buffer, errors, |arena| {
                    // What did not fit is not to be in the way of the next entry.
                    $crate::enumeration::next($category, |item| $make(&mut arena.again(), item))
                })
            }
        }
    };
}

pub(crate) use enumeration;

/// Whether files are to stay open between calls; there are none.
pub(crate) type StayOpen = std::ffi::c_int;
