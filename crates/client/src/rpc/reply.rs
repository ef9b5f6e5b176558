//! Takes the reply to one call out of a stream while it arrives, whatever its length.

use netinfo_wire::record::{Piece, Pieces};
use netinfo_wire::rpc::{AcceptStat, Denial, Outcome, ReplyError, parse_reply};
use netinfo_wire::xdr;

use crate::error::{Error, Result};
use crate::limits::{MAX_REPLY_HEADER, MAX_STRAY_REPLIES};

/// Receives the results of a successful reply piece by piece.
pub(crate) type Sink<'s> = dyn FnMut(&[u8]) -> Result<()> + 's;

/// How a reply ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// All results have gone to the sink.
    Complete,
    /// The call was not executed.
    Failed(AcceptStat),
    /// The call was not accepted.
    Denied(Denial),
}

#[derive(Clone, Copy, Debug)]
enum State {
    /// Collecting the header.
    Header,
    /// Passing on results.
    Results,
    /// This reply needs no more of its record.
    Rest(End),
    /// The reply to another call.
    Stray,
}

/// The state of one awaited reply.
#[derive(Debug)]
pub(crate) struct Awaited<'e> {
    endpoint: &'e str,
    xid: u32,
    header: Vec<u8>,
    state: State,
    stray: u32,
}

impl<'e> Awaited<'e> {
    /// Waits for the reply to call `xid`.
    pub(crate) const fn new(endpoint: &'e str, xid: u32) -> Self {
        Self { endpoint, xid, header: Vec::new(), state: State::Header, stray: 0 }
    }

    /// Takes bytes from the front of `input`: how many, and how the reply ended if it did.
    pub(crate) fn feed(
        &mut self,
        pieces: &mut Pieces,
        input: &[u8],
        sink: &mut Sink<'_>,
    ) -> Result<(usize, Option<End>)> {
        let mut used = 0;
        loop {
            let rest = input.get(used..).unwrap_or_default();
            let (taken, piece) = pieces.next(rest).map_err(|e| Error::from_record(self.endpoint, e))?;
            used += taken;
            match piece {
                Piece::Data(data) => self.data(data, sink)?,
                Piece::End => {
                    if let Some(end) = self.end()? {
                        return Ok((used, Some(end)));
                    }
                }
                Piece::NeedMore => return Ok((used, None)),
            }
        }
    }

    fn data(&mut self, data: &[u8], sink: &mut Sink<'_>) -> Result<()> {
        match self.state {
            State::Results => sink(data),
            State::Rest(_) | State::Stray => Ok(()),
            State::Header => {
                let room = MAX_REPLY_HEADER.saturating_sub(self.header.len()).min(data.len());
                let (front, rest) = data.split_at(room);
                self.header.extend_from_slice(front);
                self.header(sink)?;
                if rest.is_empty() || !matches!(self.state, State::Results) { Ok(()) } else { sink(rest) }
            }
        }
    }

    /// Reads the header as far as it has come.
    fn header(&mut self, sink: &mut Sink<'_>) -> Result<()> {
        let reply = match parse_reply(&self.header) {
            Ok(reply) => reply,
            Err(ReplyError::Malformed(xdr::Error::Truncated)) if self.header.len() < MAX_REPLY_HEADER => {
                return Ok(());
            }
            Err(error) => return Err(Error::malformed(self.endpoint, error)),
        };
        self.state = match reply.outcome {
            _ if reply.xid != self.xid => State::Stray,
            Outcome::Failed(stat) => State::Rest(End::Failed(stat)),
            Outcome::Denied(denial) => State::Rest(End::Denied(denial)),
            Outcome::Success(results) => {
                if !results.is_empty() {
                    sink(results)?;
                }
                State::Results
            }
        };
        Ok(())
    }

    /// The record has ended.
    fn end(&mut self) -> Result<Option<End>> {
        match self.state {
            State::Header => Err(Error::malformed(self.endpoint, xdr::Error::Truncated)),
            State::Results => Ok(Some(End::Complete)),
            State::Rest(end) => Ok(Some(end)),
            State::Stray => {
                self.stray += 1;
                if self.stray > MAX_STRAY_REPLIES {
                    return Err(Error::malformed(self.endpoint, "too many replies to calls never made"));
                }
                self.header.clear();
                self.state = State::Header;
                Ok(None)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use netinfo_wire::record;
    use netinfo_wire::rpc::{AuthStat, put_accepted, put_denied};
    use proptest::prelude::*;

    fn success(xid: u32, results: &[u8]) -> Vec<u8> {
        let mut buf = Vec::new();
        let mark = record::begin(&mut buf);
        put_accepted(&mut buf, xid, AcceptStat::Success);
        buf.extend_from_slice(results);
        record::end(&mut buf, mark);
        buf
    }

    fn run(bytes: &[u8], step: usize, xid: u32) -> Result<(Vec<u8>, Option<End>)> {
        let mut awaited = Awaited::new("test", xid);
        let mut pieces = Pieces::new();
        let mut results = Vec::new();
        for chunk in bytes.chunks(step) {
            let (used, end) = awaited.feed(&mut pieces, chunk, &mut |data| {
                results.extend_from_slice(data);
                Ok(())
            })?;
            if end.is_some() {
                return Ok((results, end));
            }
            assert_eq!(used, chunk.len());
        }
        Ok((results, None))
    }

    #[test]
    fn results_in_pieces_of_any_size() {
        let long: Vec<u8> = (0..3000_u32).map(|i| i as u8).collect();
        let bytes = success(7, &long);
        for step in [1, 3, 24, 28, 500, 10_000] {
            let (results, end) = run(&bytes, step, 7).unwrap();
            assert_eq!(end, Some(End::Complete), "step {step}");
            assert_eq!(results, long);
        }
    }

    #[test]
    fn replies_to_other_calls_are_skipped_up_to_a_limit() {
        let mut bytes = success(1, b"old!");
        bytes.extend(success(2, b"mine"));
        assert_eq!(run(&bytes, 5, 2).unwrap(), (b"mine".to_vec(), Some(End::Complete)));
        let flood: Vec<u8> = (0..=MAX_STRAY_REPLIES).flat_map(|_| success(1, b"")).collect();
        assert!(matches!(run(&flood, 64, 2), Err(Error::Malformed { .. })));
    }

    #[test]
    fn refusals() {
        let mut buf = Vec::new();
        let mark = record::begin(&mut buf);
        put_denied(&mut buf, 3, AuthStat::TooWeak);
        record::end(&mut buf, mark);
        let (_, end) = run(&buf, 4, 3).unwrap();
        assert_eq!(end, Some(End::Denied(Denial::Auth(AuthStat::TooWeak))));
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..600), step in 1_usize..40) {
            let _ = run(&bytes, step, 0);
        }
    }
}
