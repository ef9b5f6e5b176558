//! Sending: responses of any number, to clients that read or do not.

use std::io;
use std::time::Duration;

use netinfo_ldap::{Page, Pages};
use tokio::time::{Instant, timeout, timeout_at};

use super::channel::Got;
use super::driver::{Driver, End, SCRATCH};
use crate::frontend::now;
use crate::limits::{LINGER, READ_BUFFER};

impl Driver {
    /// Sends a long result page by page, each when the one before it has been taken.
    pub(super) async fn pages(&mut self, mut pages: Pages) -> Result<(), End> {
        let node = self.node.clone();
        self.look()?;
        loop {
            self.place.hold(self.held());
            // Many long results wait for each other here, and not short ones for all of them.
            let permit = tokio::select! {
                permit = node.page_permits.acquire() => permit,
                end = self.told_to_go() => return Err(end),
            };
            let page = pages.next(now(), &mut self.out);
            drop(permit);
            if let Page::More(kept) = page {
                self.kept = kept;
            }
            self.flush().await?;
            match page {
                Page::Last => {
                    self.kept = 0;
                    return Ok(());
                }
                Page::More(_) => tokio::task::yield_now().await,
                Page::Later(pause) => self.pause(pause).await?,
            }
            self.glance()?;
        }
    }

    /// Waits a while, or until the client says something.
    async fn pause(&self, pause: Duration) -> Result<(), End> {
        let listens = self.listens();
        tokio::select! {
            biased;
            end = self.told_to_go() => Err(end),
            () = self.node.stopped() => Err(End::Stopping),
            ready = self.channel.socket().readable(), if listens => ready.map_err(End::from),
            () = tokio::time::sleep(pause) => Ok(()),
        }
    }

    /// Sends all output. A client that takes nothing for too long loses the connection.
    pub(super) async fn flush(&mut self) -> Result<(), End> {
        let mut sent = 0;
        loop {
            if sent < self.out.len() || self.channel.has_to_write() {
                sent += self.channel.write(&self.out[sent..])?;
            }
            if sent == self.out.len() && !self.channel.has_to_write() {
                break;
            }
            self.place.hold(self.held());
            self.wait_for_reader().await?;
            self.place.touch();
        }
        self.out.clear();
        if self.out.capacity() > READ_BUFFER {
            self.out = Vec::new();
        }
        Ok(())
    }

    async fn wait_for_reader(&self) -> Result<(), End> {
        let limit = self.node.limits.stall;
        let wait = async {
            tokio::select! {
                ready = self.channel.socket().writable() => ready.map_err(End::from),
                end = self.told_to_go() => Err(end),
            }
        };
        timeout(limit, wait).await.unwrap_or(Err(End::Refused("responses are not read")))
    }

    /// Closes without taking away what was sent: a socket that is closed while requests wait in it or are on their way is
    /// reset, and the client may then lose responses it has not read yet. So it gets the end of the stream first, and a
    /// moment to close its side.
    pub(super) async fn linger(&mut self) {
        if self.channel.socket().finish().is_err() {
            return;
        }
        let until = Instant::now() + LINGER;
        while Instant::now() < until {
            let mut scratch = SCRATCH.take();
            let read = self.channel.read(&mut scratch);
            scratch.wipe();
            SCRATCH.set(scratch);
            match read {
                Ok(Got::End) => return,
                Ok(_) => tokio::task::yield_now().await,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    if !matches!(timeout_at(until, self.channel.socket().readable()).await, Ok(Ok(()))) {
                        return;
                    }
                }
                Err(_) => return,
            }
        }
    }
}
