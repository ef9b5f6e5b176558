//! Record marking on byte streams (RFC 5531 §11): a message is one or more fragments, each led by a
//! word whose top bit says "last" and whose other bits count the bytes that follow.
//!
//! [`Decoder`] puts whole records together; [`Pieces`] hands out the contents of a record that is too
//! long to be held, piece by piece. Neither does any I/O.

use std::fmt;

use crate::redact::Hidden;
use crate::xdr;

/// Top bit of a fragment header: this fragment ends the record.
pub const LAST_FRAGMENT: u32 = 0x8000_0000;

/// The most bytes one fragment can carry: the header has 31 bits for it.
pub const MAX_FRAGMENT: u32 = 0x7fff_ffff;

/// Empty fragments accepted within one record that do not end it. They carry nothing, so without a
/// bound a peer could keep a record open for ever at no memory cost to itself.
pub const MAX_EMPTY_FRAGMENTS: u32 = 64;

/// Capacity in bytes a [`Decoder`] keeps for the next record; more is given back.
pub const KEEP_CAPACITY: usize = 64 * 1024;

/// Why a stream cannot be followed any further. The connection is to be closed: after any of these
/// the boundaries of later records are unknown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    /// The record is longer than the receiver accepts.
    #[error("record of at least {len} bytes exceeds the limit of {limit}")]
    TooLong {
        /// What has arrived plus what the current fragment announces.
        len: u64,
        /// The limit given to the decoder.
        limit: usize,
    },
    /// More than [`MAX_EMPTY_FRAGMENTS`] empty fragments in one record.
    #[error("too many empty fragments in one record")]
    EmptyFragments,
}

/// The fragment that is being read.
#[derive(Clone, Copy, Debug, Default)]
struct Fragment {
    /// Bytes of it still to come.
    left: u32,
    last: bool,
}

/// Reads fragment headers, which may arrive split anywhere, and counts empty fragments.
#[derive(Clone, Debug, Default)]
struct Headers {
    bytes: [u8; 4],
    have: usize,
    empty: u32,
}

impl Headers {
    /// Takes header bytes from the front of `input`; `None` while the header is incomplete.
    fn take(&mut self, input: &mut &[u8]) -> Result<Option<Fragment>, RecordError> {
        while self.have < self.bytes.len() {
            let Some((first, rest)) = input.split_first() else { return Ok(None) };
            self.bytes[self.have] = *first;
            self.have += 1;
            *input = rest;
        }
        self.have = 0;
        let word = u32::from_be_bytes(self.bytes);
        let fragment = Fragment { left: word & MAX_FRAGMENT, last: word & LAST_FRAGMENT != 0 };
        if fragment.last {
            self.empty = 0;
        } else if fragment.left == 0 {
            self.empty += 1;
            if self.empty > MAX_EMPTY_FRAGMENTS {
                return Err(RecordError::EmptyFragments);
            }
        }
        Ok(Some(fragment))
    }
}

/// Splits at most `n` bytes off the front of `input`.
fn split_front<'b>(input: &mut &'b [u8], n: u32) -> &'b [u8] {
    let n = usize::try_from(n).unwrap_or(usize::MAX).min(input.len());
    let (front, rest) = input.split_at(n);
    *input = rest;
    front
}

/// Puts records together from bytes that arrive in any pieces.
///
/// Memory: what has arrived of one unfinished record, at most `limit` bytes in a vector that grows by
/// doubling (so at most `2 × limit` of capacity). The announced length is never reserved beforehand.
pub struct Decoder {
    limit: usize,
    headers: Headers,
    fragment: Option<Fragment>,
    buf: Vec<u8>,
    /// `buf` holds a record already handed out, to be cleared by the next call.
    delivered: bool,
}

impl Decoder {
    /// A decoder at a record boundary that accepts records of at most `limit` bytes.
    pub const fn new(limit: usize) -> Self {
        Self {
            limit,
            headers: Headers { bytes: [0; 4], have: 0, empty: 0 },
            fragment: None,
            buf: Vec::new(),
            delivered: false,
        }
    }

    /// Takes bytes from the front of `input` up to the end of one record.
    ///
    /// Returns how many bytes it took and the record if it is complete. Without a record all of
    /// `input` was taken; with one, call again with the rest. A record whose data lies wholly in
    /// `input` as one fragment is returned as a slice of `input`, not copied.
    ///
    /// # Errors
    /// See [`RecordError`]; the decoder is of no use afterwards.
    pub fn next<'b>(&'b mut self, input: &'b [u8]) -> Result<(usize, Option<&'b [u8]>), RecordError> {
        if self.delivered {
            self.delivered = false;
            if self.buf.capacity() > KEEP_CAPACITY {
                self.buf = Vec::new();
            }
            self.buf.clear();
        }
        let mut rest = input;
        loop {
            let fragment = match self.fragment {
                Some(fragment) => fragment,
                None => match self.headers.take(&mut rest)? {
                    Some(fragment) => self.admit(fragment)?,
                    None => return Ok((input.len(), None)),
                },
            };
            let data = split_front(&mut rest, fragment.left);
            let left = fragment.left - data.len() as u32;
            let complete = left == 0 && fragment.last;
            self.fragment = (left > 0).then_some(Fragment { left, ..fragment });
            if complete && self.buf.is_empty() {
                return Ok((input.len() - rest.len(), Some(data)));
            }
            self.buf.extend_from_slice(data);
            if complete {
                self.delivered = true;
                return Ok((input.len() - rest.len(), Some(&self.buf)));
            }
            if left > 0 {
                return Ok((input.len(), None));
            }
        }
    }

    /// Bytes held of the record that is not complete yet; 0 right at a record boundary only if
    /// [`Self::is_idle`] is true as well.
    pub fn buffered(&self) -> usize {
        if self.delivered { 0 } else { self.buf.len() }
    }

    /// Whether the stream stands between two records: a peer may close here without losing anything.
    pub fn is_idle(&self) -> bool {
        self.fragment.is_none() && self.headers.have == 0 && self.headers.empty == 0 && self.buffered() == 0
    }

    fn admit(&self, fragment: Fragment) -> Result<Fragment, RecordError> {
        let len = self.buf.len() as u64 + u64::from(fragment.left);
        if len > self.limit as u64 {
            return Err(RecordError::TooLong { len, limit: self.limit });
        }
        Ok(fragment)
    }
}

impl fmt::Debug for Decoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Decoder")
            .field("limit", &self.limit)
            .field("fragment", &self.fragment)
            .field("buffered", &self.buffered())
            .finish_non_exhaustive()
    }
}

/// What [`Pieces::next`] found.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Piece<'b> {
    /// Contents of the current record, never empty.
    Data(&'b [u8]),
    /// The current record has ended; the next one follows.
    End,
    /// All input is used up.
    NeedMore,
}

impl fmt::Debug for Piece<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Data(data) => f.debug_tuple("Data").field(&Hidden(data)).finish(),
            Self::End => f.write_str("End"),
            Self::NeedMore => f.write_str("NeedMore"),
        }
    }
}

/// Walks records of unlimited length without holding any of their contents.
#[derive(Debug, Default)]
pub struct Pieces {
    headers: Headers,
    fragment: Option<Fragment>,
}

impl Pieces {
    /// At a record boundary.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes bytes from the front of `input`: how many, and what they were.
    ///
    /// # Errors
    /// [`RecordError::EmptyFragments`].
    pub fn next<'b>(&mut self, input: &'b [u8]) -> Result<(usize, Piece<'b>), RecordError> {
        let mut rest = input;
        loop {
            let fragment = match self.fragment {
                Some(fragment) => fragment,
                None => match self.headers.take(&mut rest)? {
                    Some(fragment) => fragment,
                    None => return Ok((input.len(), Piece::NeedMore)),
                },
            };
            let data = split_front(&mut rest, fragment.left);
            let left = fragment.left - data.len() as u32;
            // A last fragment stays current until its end has been reported.
            self.fragment = (left > 0 || fragment.last).then_some(Fragment { left, ..fragment });
            if !data.is_empty() {
                return Ok((input.len() - rest.len(), Piece::Data(data)));
            }
            if left > 0 {
                return Ok((input.len(), Piece::NeedMore));
            }
            if fragment.last {
                self.fragment = None;
                return Ok((input.len() - rest.len(), Piece::End));
            }
        }
    }
}

/// The contents of the record that `input` begins with, and what follows it, if it is one fragment and all there: for a look
/// ahead, which leaves it to a [`Decoder`] to take it.
#[must_use]
pub fn whole(input: &[u8]) -> Option<(&[u8], &[u8])> {
    let (header, rest) = input.split_first_chunk()?;
    let header = u32::from_be_bytes(*header);
    let len = usize::try_from(header & MAX_FRAGMENT).ok()?;
    rest.split_at_checked(len).filter(|_| header & LAST_FRAGMENT != 0)
}

/// Begins a record at the end of `buf`: leaves room for the header and returns the mark for [`end`].
pub fn begin(buf: &mut Vec<u8>) -> usize {
    let mark = buf.len();
    xdr::put_u32(buf, 0);
    mark
}

/// Ends the record that [`begin`] started at `mark`: everything after the header becomes one last
/// fragment (more than one only above [`MAX_FRAGMENT`] bytes).
///
/// # Panics
/// If `mark` does not come from [`begin`] on this buffer.
pub fn end(buf: &mut Vec<u8>, mark: usize) {
    end_with(buf, mark, MAX_FRAGMENT);
}

fn end_with(buf: &mut Vec<u8>, mut mark: usize, max: u32) {
    loop {
        let len = buf.len() - mark - 4;
        match u32::try_from(len) {
            Ok(len) if len <= max => return xdr::patch_u32(buf, mark, len | LAST_FRAGMENT),
            _ => {
                xdr::patch_u32(buf, mark, max);
                mark += 4 + max as usize;
                buf.splice(mark..mark, [0; 4]);
            }
        }
    }
}

/// Appends the header of a fragment of `len` bytes, for replies sent piece by piece. `len` above
/// [`MAX_FRAGMENT`] does not fit a header and is cut to it.
pub fn put_fragment_header(buf: &mut Vec<u8>, len: u32, last: bool) {
    xdr::put_u32(buf, len.min(MAX_FRAGMENT) | if last { LAST_FRAGMENT } else { 0 });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_whole_record_is_seen_without_taking_it() {
        let two = [fragment(b"one", true), fragment(b"", true), fragment(b"three", false)].concat();
        let (one, rest) = whole(&two).unwrap();
        let (empty, rest) = whole(rest).unwrap();
        assert_eq!((one, empty, whole(rest)), (&b"one"[..], &b""[..], None));
        assert_eq!((whole(&two[..6]), whole(&two[..3]), whole(b"")), (None, None, None));
    }

    /// A fragment with its header.
    fn fragment(data: &[u8], last: bool) -> Vec<u8> {
        let mut buf = Vec::new();
        put_fragment_header(&mut buf, data.len() as u32, last);
        buf.extend_from_slice(data);
        buf
    }

    fn inside(outer: &[u8], inner: &[u8]) -> bool {
        outer.as_ptr_range().contains(&inner.as_ptr())
    }

    #[test]
    fn a_whole_fragment_is_borrowed_from_the_input() {
        let input = [fragment(b"one", true), fragment(b"two", true)].concat();
        let mut decoder = Decoder::new(10);
        let (taken, record) = decoder.next(&input).unwrap();
        assert_eq!((taken, record), (7, Some(&b"one"[..])));
        assert!(inside(&input, record.unwrap()));
        assert_eq!(decoder.next(&input[7..]), Ok((7, Some(&b"two"[..]))));
        assert_eq!(decoder.buf.capacity(), 0);
        assert!(decoder.is_idle());
    }

    #[test]
    fn the_body_is_borrowed_even_if_the_header_came_before() {
        let input = fragment(b"body", true);
        let mut decoder = Decoder::new(10);
        assert_eq!(decoder.next(&input[..4]), Ok((4, None)));
        assert!(!decoder.is_idle());
        assert_eq!(decoder.next(&input[4..]), Ok((4, Some(&b"body"[..]))));
        assert_eq!(decoder.buf.capacity(), 0);
    }

    #[test]
    fn fragments_are_joined_and_empty_ones_accepted() {
        let input =
            [fragment(b"", false), fragment(b"ab", false), fragment(b"c", false), fragment(b"", true)]
                .concat();
        let mut decoder = Decoder::new(3);
        for byte in &input[..input.len() - 1] {
            assert_eq!(decoder.next(std::slice::from_ref(byte)), Ok((1, None)));
        }
        assert_eq!(decoder.buffered(), 3);
        assert_eq!(decoder.next(&input[input.len() - 1..]), Ok((1, Some(&b"abc"[..]))));
        assert_eq!(decoder.buffered(), 0);
        assert_eq!(decoder.next(&fragment(b"", true)), Ok((4, Some(&b""[..]))));
    }

    #[test]
    fn the_limit_holds_for_one_fragment_and_for_many() {
        let mut decoder = Decoder::new(4);
        assert_eq!(decoder.next(&fragment(b"four", true)).unwrap().1, Some(&b"four"[..]));
        assert_eq!(decoder.next(&fragment(b"fives", true)), Err(RecordError::TooLong { len: 5, limit: 4 }));
        let mut decoder = Decoder::new(4);
        let input = [fragment(b"abc", false), fragment(b"de", true)].concat();
        assert_eq!(decoder.next(&input), Err(RecordError::TooLong { len: 5, limit: 4 }));
    }

    #[test]
    fn an_announced_length_reserves_nothing() {
        let mut decoder = Decoder::new(usize::MAX);
        let mut input = vec![0x7f, 0xff, 0xff, 0xff];
        input.extend_from_slice(&[0; 100]);
        assert_eq!(decoder.next(&input), Ok((104, None)));
        assert!(decoder.buf.capacity() <= 200, "{}", decoder.buf.capacity());
        for arrived in (200..20_000).step_by(100) {
            assert_eq!(decoder.next(&[0; 100]), Ok((100, None)));
            assert!(decoder.buf.capacity() <= 2 * arrived);
        }
    }

    #[test]
    fn endless_empty_fragments_are_an_error() {
        let allowed = fragment(b"", false).repeat(MAX_EMPTY_FRAGMENTS as usize);
        let mut decoder = Decoder::new(10);
        for _ in 0..2 {
            // The count starts anew with each record.
            assert_eq!(decoder.next(&allowed), Ok((allowed.len(), None)));
            assert!(!decoder.is_idle());
            assert_eq!(decoder.next(&fragment(b"x", true)), Ok((5, Some(&b"x"[..]))));
        }
        let mut pieces = Pieces::new();
        assert_eq!(pieces.next(&allowed), Ok((allowed.len(), Piece::NeedMore)));
        assert_eq!(pieces.next(&[0; 4]), Err(RecordError::EmptyFragments));
        assert_eq!(decoder.next(&allowed), Ok((allowed.len(), None)));
        assert_eq!(decoder.next(&[0; 4]), Err(RecordError::EmptyFragments));
    }

    #[test]
    fn a_large_buffer_is_given_back() {
        let mut decoder = Decoder::new(1 << 20);
        let large = fragment(&vec![7; KEEP_CAPACITY + 1], true);
        assert_eq!(decoder.next(&large[..5]), Ok((5, None)));
        assert_eq!(decoder.next(&large[5..]).unwrap().1.map(<[u8]>::len), Some(KEEP_CAPACITY + 1));
        assert_eq!(decoder.next(&[]), Ok((0, None)));
        assert_eq!(decoder.buf.capacity(), 0);
    }

    #[test]
    fn pieces_of_a_record() {
        let input = [fragment(b"ab", false), fragment(b"", false), fragment(b"c", true)].concat();
        let mut pieces = Pieces::new();
        assert_eq!(pieces.next(&input), Ok((6, Piece::Data(b"ab"))));
        assert_eq!(pieces.next(&input[6..]), Ok((9, Piece::Data(b"c"))));
        assert_eq!(pieces.next(&[]), Ok((0, Piece::End)));
        assert_eq!(pieces.next(&[]), Ok((0, Piece::NeedMore)));
    }

    #[test]
    fn records_are_written_after_what_is_there() {
        let mut buf = b"xy".to_vec();
        let mark = begin(&mut buf);
        buf.extend_from_slice(b"hello");
        end(&mut buf, mark);
        assert_eq!(buf, b"xy\x80\0\0\x05hello");
    }

    #[test]
    fn a_record_beyond_one_fragment_is_split() {
        let mut buf = Vec::new();
        let mark = begin(&mut buf);
        buf.extend_from_slice(b"abcdefg");
        end_with(&mut buf, mark, 3);
        assert_eq!(buf, b"\0\0\0\x03abc\0\0\0\x03def\x80\0\0\x01g");
        assert_eq!(Decoder::new(7).next(&buf).unwrap().1, Some(&b"abcdefg"[..]));
    }
}
