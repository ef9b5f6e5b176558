//! What the driver of a connection has to do next.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use netinfo_directory::{Change, Domain, Session};

use crate::connection::Suspended;

/// What became of a message.
#[derive(Debug)]
pub enum Step {
    /// The responses, if any, are in the buffer.
    Done,
    /// The message was not taken: the connection's writes that are under way have to be settled first
    /// ([`crate::Connection::settle`]), then the same message is to be handed in again.
    Wait,
    /// What is in the buffer is to be sent and the connection to be closed.
    Close,
    /// What is in the buffer is to be sent, then the TLS handshake is done and [`crate::Connection::secured`] told.
    /// Bytes that have come after the request already were not protected: if there are any the connection is to be
    /// closed.
    StartTls,
    /// Work that takes tens of milliseconds of processor time. Until [`crate::Connection::resume`] has its result the
    /// connection takes no message; [`crate::Connection::glance`] may look at them.
    Work(Work),
    /// A change for the writer. Its result goes to [`crate::Connection::settle`], in the order in which writes were
    /// given out. Further messages may be handed in meanwhile.
    Write(Write),
    /// A long result, made as it is sent. Until it is complete the connection takes no message;
    /// [`crate::Connection::glance`] may look at them.
    Pages(Pages),
}

/// Makes a page: time in milliseconds since the epoch, where to append.
type MakePage = Box<dyn FnMut(u64, &mut Vec<u8>) -> Page + Send>;

/// Appends the next whole messages of a long result to the buffer, about 64 KiB at once. The number is the time,
/// milliseconds since the epoch.
pub struct Pages(pub(crate) MakePage);

impl Pages {
    /// Appends the next messages. `now` is the time in milliseconds since the epoch.
    pub fn next(&mut self, now: u64, out: &mut Vec<u8>) -> Page {
        (self.0)(now, out)
    }
}

impl fmt::Debug for Pages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pages")
    }
}

/// What making a page has done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Page {
    /// There is more to come, for which this many bytes are kept. The buffer may be empty: one step of the work is done.
    More(usize),
    /// There is nothing to tell at the moment; ask again after this time. What is in the buffer is to be sent.
    Later(Duration),
    /// The result is complete.
    Last,
}

/// Work to be done beside the connections, on any thread.
pub struct Work(pub(crate) Box<dyn FnOnce() -> Worked + Send>);

impl Work {
    /// Does it.
    pub fn run(self) -> Worked {
        (self.0)()
    }
}

impl fmt::Debug for Work {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Work")
    }
}

/// The result of [`Work`].
pub struct Worked(pub(crate) Suspended);

impl fmt::Debug for Worked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Worked")
    }
}

/// A change for the writer: [`Domain::write`] takes all of it but the ticket.
pub struct Write {
    /// The domain that is changed.
    pub domain: Arc<Domain>,
    /// On whose behalf.
    pub session: Session,
    /// What is changed, together or not at all.
    pub changes: Vec<Change>,
    /// Milliseconds since the epoch.
    pub at: u64,
    /// Comes back with the result.
    pub ticket: Ticket,
}

impl fmt::Debug for Write {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Write")
            .field("domain", &self.domain.tag())
            .field("session", &self.session)
            .field("changes", &self.changes)
            .finish_non_exhaustive()
    }
}

/// Which write a result is of.
pub struct Ticket(pub(crate) Box<crate::update::Update>);

impl fmt::Debug for Ticket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Ticket")
    }
}
