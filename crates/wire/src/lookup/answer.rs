//! Results of the program, typed.

use std::fmt;

use super::entry::Entry;
use super::list::consumed;
use super::request::Cookie;
use super::{MAX_GIDS, MAX_PAGE, MAX_STEPS, MAX_STRING};
use crate::netinfo::PropList;
use crate::redact::debug_fields;
use crate::rpc::{Outcome, parse_reply};
use crate::xdr::{Error, Reader, UNIT, put_bool, put_opaque, put_u32};

/// What came of a look-up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer<T> {
    /// This.
    Found(T),
    /// There is no such thing.
    NotFound,
    /// It could not be found out, and may be later.
    TryAgain,
    /// It is not for the caller.
    Refused,
    /// There is one, and it is longer than an answer may be.
    TooLarge,
}

const FOUND: u32 = 0;
const NOT_FOUND: u32 = 1;
const TRY_AGAIN: u32 = 2;
const REFUSED: u32 = 3;
const TOO_LARGE: u32 = 4;

impl<T> Answer<T> {
    /// Reads the outcome, and with `found` what follows if something was found.
    fn read<'a>(
        r: &mut Reader<'a>,
        found: impl FnOnce(&mut Reader<'a>) -> Result<T, Error>,
    ) -> Result<Self, Error> {
        Ok(match r.u32()? {
            FOUND => Self::Found(found(r)?),
            NOT_FOUND => Self::NotFound,
            TRY_AGAIN => Self::TryAgain,
            REFUSED => Self::Refused,
            TOO_LARGE => Self::TooLarge,
            other => return Err(Error::BadValue(other)),
        })
    }

    /// Appends the outcome; what was found is to follow.
    pub fn put_outcome(&self, buf: &mut Vec<u8>) {
        let code = match self {
            Self::Found(_) => FOUND,
            Self::NotFound => NOT_FOUND,
            Self::TryAgain => TRY_AGAIN,
            Self::Refused => REFUSED,
            Self::TooLarge => TOO_LARGE,
        };
        put_u32(buf, code);
    }

    /// What was found, made into something else.
    pub fn map<U>(self, f: impl FnOnce(T) -> U) -> Answer<U> {
        match self {
            Self::Found(found) => Answer::Found(f(found)),
            Self::NotFound => Answer::NotFound,
            Self::TryAgain => Answer::TryAgain,
            Self::Refused => Answer::Refused,
            Self::TooLarge => Answer::TooLarge,
        }
    }
}

/// Opens a reply: the results of the call `xid`. `None` if it is no reply to it, or one without results: the daemon does
/// not know the program or the procedure, or could not read the arguments.
pub fn results(message: &[u8], xid: u32) -> Option<&[u8]> {
    let reply = parse_reply(message).ok().filter(|reply| reply.xid == xid)?;
    match reply.outcome {
        Outcome::Success(results) => Some(results),
        Outcome::Failed(_) | Outcome::Denied(_) => None,
    }
}

/// Decodes a result that is nothing but an answer.
fn whole<'a, T>(
    results: &'a [u8],
    found: impl FnOnce(&mut Reader<'a>) -> Result<T, Error>,
) -> Result<Answer<T>, Error> {
    let mut r = Reader::new(results);
    let answer = Answer::read(&mut r, found)?;
    r.finish()?;
    Ok(answer)
}

/// Decodes the result of FIND.
///
/// # Errors
/// As [`Entry::read`]; [`Error::Trailing`].
pub fn decode_find(results: &[u8]) -> Result<Answer<Entry<'_>>, Error> {
    whole(results, Entry::read)
}

/// Some of all entries of a category.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Page<'a> {
    /// The entries.
    pub entries: Entries<'a>,
    /// Where to go on; `None` at the end.
    pub next: Option<Cookie>,
}

/// Decodes the result of ALL.
///
/// # Errors
/// As [`Entry::read`]; [`Error::TooLong`] above [`MAX_PAGE`]; [`Error::Trailing`].
pub fn decode_all(results: &[u8]) -> Result<Answer<Page<'_>>, Error> {
    whole(results, |r| {
        let entries = Entries::read(r)?;
        let next = if r.bool()? { Some(Cookie::read(r)?) } else { None };
        Ok(Page { entries, next })
    })
}

/// Appends what follows the outcome of ALL: as many entries as a page may have, each as it is encoded.
pub fn put_page<'e>(
    buf: &mut Vec<u8>,
    entries: impl ExactSizeIterator<Item = &'e [u8]>,
    next: Option<Cookie>,
) {
    put_u32(buf, u32::try_from(entries.len()).unwrap_or(u32::MAX));
    for entry in entries {
        buf.extend_from_slice(entry);
    }
    put_bool(buf, next.is_some());
    if let Some(cookie) = next {
        cookie.put(buf);
    }
}

/// Makes a list of a page or a trace: checked completely when it is decoded, walked lazily.
macro_rules! lazy_list {
    ($(#[$doc:meta])* $name:ident of $item:ty, at most $max:expr, at least $min:expr, by $read:path) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Default)]
        pub struct $name<'a> {
            len: u32,
            raw: &'a [u8],
        }

        impl<'a> $name<'a> {
            fn read(r: &mut Reader<'a>) -> Result<Self, Error> {
                let len = r.count($max, $min)?;
                let before = r.remaining();
                for _ in 0..len {
                    $read(r)?;
                }
                Ok(Self { len, raw: consumed(before, r.remaining()) })
            }

            /// How many there are.
            pub const fn len(&self) -> usize {
                self.len as usize
            }

            /// Whether there are none.
            pub const fn is_empty(&self) -> bool {
                self.len == 0
            }

            /// They, in order.
            pub fn iter(&self) -> impl Iterator<Item = $item> + use<'a> {
                let mut r = Reader::new(self.raw);
                (0..self.len).map_while(move |_| $read(&mut r).ok())
            }
        }

        impl PartialEq for $name<'_> {
            fn eq(&self, other: &Self) -> bool {
                self.len == other.len && self.iter().eq(other.iter())
            }
        }

        impl Eq for $name<'_> {}

        impl fmt::Debug for $name<'_> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_list().entries(self.iter()).finish()
            }
        }
    };
}

lazy_list!(
    /// Entries of a page.
    Entries of Entry<'a>, at most MAX_PAGE, at least 3 * UNIT, by Entry::read
);
lazy_list!(
    /// Group ids.
    Gids of u32, at most MAX_GIDS, at least UNIT, by Reader::u32
);
lazy_list!(
    /// Steps of a trace.
    Steps of Step<'a>, at most MAX_STEPS, at least 3 * UNIT, by Step::read
);
lazy_list!(
    /// Records, each a property list.
    Records of PropList<'a>, at most MAX_PAGE, at least UNIT, by PropList::read
);

/// Decodes the result of INITGROUPS: all groups of the user, the primary one first, none twice.
///
/// # Errors
/// [`Error::TooLong`] above [`MAX_GIDS`], [`Error::Truncated`], [`Error::Trailing`].
pub fn decode_initgroups(results: &[u8]) -> Result<Answer<Gids<'_>>, Error> {
    whole(results, Gids::read)
}

/// Appends what follows the outcome of INITGROUPS. The caller keeps to [`MAX_GIDS`].
pub fn put_gids(buf: &mut Vec<u8>, gids: &[u32]) {
    put_u32(buf, u32::try_from(gids.len()).unwrap_or(u32::MAX));
    for gid in gids {
        put_u32(buf, *gid);
    }
}

/// Decodes the result of INNETGR.
///
/// # Errors
/// [`Error::BadValue`], [`Error::Truncated`], [`Error::Trailing`].
pub fn decode_innetgr(results: &[u8]) -> Result<Answer<()>, Error> {
    whole(results, |_| Ok(()))
}

/// One domain, or another source, that was asked.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Step<'a> {
    /// Its name, such as the tag of a domain.
    pub source: &'a [u8],
    /// What it answered, in a few words.
    pub outcome: &'a [u8],
    /// How long that took, in nanoseconds.
    pub nanos: u32,
}

debug_fields!(Step { source: text, outcome: text, nanos: shown });

impl<'a> Step<'a> {
    fn read(r: &mut Reader<'a>) -> Result<Self, Error> {
        Ok(Self { source: r.opaque(MAX_STRING)?, outcome: r.opaque(MAX_STRING)?, nanos: r.u32()? })
    }

    fn put(&self, buf: &mut Vec<u8>) {
        put_opaque(buf, self.source);
        put_opaque(buf, self.outcome);
        put_u32(buf, self.nanos);
    }
}

/// Decodes the result of TRACE.
///
/// # Errors
/// As [`decode_find`]; [`Error::TooLong`] above [`MAX_STEPS`].
pub fn decode_trace(results: &[u8]) -> Result<(Steps<'_>, Answer<Entry<'_>>), Error> {
    let mut r = Reader::new(results);
    let steps = Steps::read(&mut r)?;
    Ok((steps, decode_find(r.remaining())?))
}

/// Appends the steps of a trace, at most [`MAX_STEPS`]; the result of FIND follows.
pub fn put_steps<'s>(buf: &mut Vec<u8>, steps: impl ExactSizeIterator<Item = Step<'s>>) {
    let len = steps.len().min(MAX_STEPS as usize);
    put_u32(buf, u32::try_from(len).unwrap_or(u32::MAX));
    for step in steps.take(len) {
        step.put(buf);
    }
}

/// Decodes the result of RECORDS: records, and whether there are more.
///
/// # Errors
/// [`Error::TooLong`], [`Error::Truncated`], [`Error::Trailing`].
pub fn decode_records(results: &[u8]) -> Result<Answer<(Records<'_>, bool)>, Error> {
    whole(results, |r| Ok((Records::read(r)?, r.bool()?)))
}

/// Appends what follows the outcome of RECORDS. The caller keeps to [`MAX_PAGE`].
pub fn put_records<'r>(buf: &mut Vec<u8>, records: impl ExactSizeIterator<Item = PropList<'r>>, more: bool) {
    put_u32(buf, u32::try_from(records.len()).unwrap_or(u32::MAX));
    for record in records {
        record.encode(buf);
    }
    put_bool(buf, more);
}
