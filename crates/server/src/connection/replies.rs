//! Sending: replies of any length, to peers that read or do not.

use std::io;

use netinfo_wire::record::{self, LAST_FRAGMENT};
use tokio::time::{Instant, timeout, timeout_at};

use super::{Connection, End, SCRATCH};
use crate::limits::{LINGER, READ_BUFFER};
use crate::stream::{self, Page, Pages, Piece, Stream};

impl Connection {
    /// Sends a reply made piece by piece as one record of several fragments.
    pub(super) async fn pages(&mut self, mut pages: Pages) -> Result<(), End> {
        let node = self.node.clone();
        let mut first = true;
        loop {
            self.place.hold(self.held());
            // Many long replies wait for each other here, and not short ones for all of them.
            let permit = tokio::select! {
                permit = node.page_permits.acquire() => permit,
                end = self.told_to_go() => return Err(end),
            };
            let mark = record::begin(&mut self.out);
            let page = match std::mem::take(&mut first) {
                // The list of all children comes before it.
                true => tokio::task::block_in_place(|| pages(&mut self.out)),
                false => pages(&mut self.out),
            };
            drop(permit);
            let last = match page {
                Page::More(kept) => {
                    self.kept = kept;
                    0
                }
                Page::Last => LAST_FRAGMENT,
                Page::Failed => return Err(End::Refused("a reply could not be finished")),
            };
            let len = (self.out.len() - mark - 4) as u32;
            self.out[mark..mark + 4].copy_from_slice(&(len | last).to_be_bytes());
            self.flush().await?;
            if page == Page::Last {
                self.kept = 0;
                return Ok(());
            }
            tokio::task::yield_now().await;
        }
    }

    /// Sends a reply made on another thread as one record of several fragments.
    pub(super) async fn stream(&mut self, stream: Stream) -> Result<(), End> {
        let (mut sink, mut pieces) = stream::channel();
        let make = stream.make;
        tokio::task::spawn_blocking(move || make(&mut sink));
        let send = async {
            loop {
                let (piece, last) = match pieces.recv().await {
                    Some(Piece::More(piece)) => (piece, false),
                    Some(Piece::Last(piece)) => (piece, true),
                    None => return Err(End::Refused("a reply could not be finished")),
                };
                record::put_fragment_header(&mut self.out, piece.len() as u32, last);
                self.out.extend_from_slice(&piece);
                self.flush().await?;
                if last {
                    return Ok(());
                }
            }
        };
        match stream.deadline {
            Some(limit) => {
                timeout(limit, send).await.unwrap_or(Err(End::Refused("a long reply is read too slowly")))
            }
            None => send.await,
        }
    }

    /// Sends all output. A peer that takes nothing for too long loses the connection.
    pub(super) async fn flush(&mut self) -> Result<(), End> {
        let mut sent = 0;
        while sent < self.out.len() {
            match self.socket.try_write(&self.out[sent..]) {
                Ok(n) => sent += n,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.place.hold(self.held());
                    self.wait_for_reader().await?;
                    self.place.touch();
                }
                Err(error) => return Err(error.into()),
            }
        }
        self.out.clear();
        if self.out.capacity() > READ_BUFFER {
            self.out = Vec::new();
        }
        Ok(())
    }

    async fn wait_for_reader(&self) -> Result<(), End> {
        let wait = async {
            tokio::select! {
                ready = self.socket.writable() => ready.map_err(End::from),
                end = self.told_to_go() => Err(end),
            }
        };
        timeout(self.node.limits.stall, wait).await.unwrap_or(Err(End::Refused("replies are not read")))
    }

    /// Closes without taking away what was sent: a socket that is closed while requests wait in it or are on their way is
    /// reset, and the peer may then lose replies it has not read yet. So it gets the end of the stream first, and a
    /// moment to close its side.
    pub(super) async fn linger(&self) {
        if self.socket.finish().is_err() {
            return;
        }
        let until = Instant::now() + LINGER;
        loop {
            match SCRATCH.with_borrow_mut(|scratch| self.socket.try_read(scratch)) {
                Ok(n) if n > 0 => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    if !matches!(timeout_at(until, self.socket.readable()).await, Ok(Ok(()))) {
                        return;
                    }
                }
                _ => return,
            }
        }
    }
}
