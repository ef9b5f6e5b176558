//! Long replies, sent by the connection as fragments of one record.
//!
//! * [`Pages`]: made piece by piece on the connection's own task, each piece when the one before it has been sent. A
//!   slow reader costs one piece and no thread.
//! * [`Stream`]: made in one go on a thread that may block, for what has to be of one moment or works long by itself.
//!   A slow reader keeps the thread, so there is a bound for how many there are at once, and for how long.

use std::time::Duration;

use tokio::sync::mpsc;

/// A piece is sent once it has this many bytes.
pub(crate) const PIECE: usize = 64 * 1024;
/// Pieces that wait for the connection; with [`PIECE`], the memory of one streamed reply.
const QUEUE: usize = 4;

/// Appends the next piece of a reply message to the buffer.
pub(crate) type Pages = Box<dyn FnMut(&mut Vec<u8>) -> Page + Send>;

/// What a call of [`Pages`] has done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Page {
    /// There is more to come, for which this many bytes are kept.
    More(usize),
    /// The reply is complete.
    Last,
    /// It cannot be completed; the connection is to be closed, because the peer could not tell.
    Failed,
}

/// A reply made on a thread that may block.
pub(crate) struct Stream {
    pub(crate) make: Box<dyn FnOnce(&mut Sink) + Send>,
    /// How long the peer may take to receive it all.
    pub(crate) deadline: Option<Duration>,
}

/// A piece of a reply message.
pub(crate) enum Piece {
    More(Vec<u8>),
    Last(Vec<u8>),
}

/// Where the making thread puts the reply message.
pub(crate) struct Sink {
    buffer: Vec<u8>,
    pieces: mpsc::Sender<Piece>,
}

/// A sink, and the end the connection reads from. When that ends without a last piece, the reply could not be finished.
pub(crate) fn channel() -> (Sink, mpsc::Receiver<Piece>) {
    let (pieces, receiver) = mpsc::channel(QUEUE);
    (Sink { buffer: Vec::with_capacity(PIECE + PIECE / 4), pieces }, receiver)
}

impl Sink {
    /// Where to append.
    pub(crate) fn buffer(&mut self) -> &mut Vec<u8> {
        &mut self.buffer
    }

    /// Hands over what has gathered if it is enough, waiting for room. `false` when nobody reads any more.
    #[must_use]
    pub(crate) fn flush_when_full(&mut self) -> bool {
        if self.buffer.len() < PIECE {
            return true;
        }
        let piece = std::mem::replace(&mut self.buffer, Vec::with_capacity(PIECE + PIECE / 4));
        self.pieces.blocking_send(Piece::More(piece)).is_ok()
    }

    /// Ends the reply.
    pub(crate) fn finish(&mut self) {
        let piece = std::mem::take(&mut self.buffer);
        // An error says that nobody reads any more.
        let _ = self.pieces.blocking_send(Piece::Last(piece));
    }

    /// Gives the reply up; the connection will be closed, because the peer could not tell.
    pub(crate) fn fail(&mut self) {
        self.buffer.clear();
    }
}
