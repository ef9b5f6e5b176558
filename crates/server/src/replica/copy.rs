//! Putting a master's copy in place of a clone's data, while it arrives.
//!
//! One thread takes directories from the connection, the writer puts them into one transaction; a bounded queue lies
//! between. The old data are served until the commit, and stay if anything goes wrong. Changes the master pushes
//! meanwhile wait for the writer and are made on top of the copy.

use std::io;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

use netinfo_client::domain::Transfer;
use netinfo_client::{Error as ClientError, Result as ClientResult};
use netinfo_directory::{Credentials, Domain, Error, Origin, Result as CoreResult, TransferObject};

use super::limits::COPY_QUEUE;

/// What came of asking the master.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    /// The checksums were equal.
    Current,
    /// Everything was replaced.
    Copied {
        /// Number of directories.
        directories: u64,
    },
}

/// Why a clone could not follow its master.
#[derive(Debug, thiserror::Error)]
pub(super) enum CheckError {
    /// The master is unknown.
    #[error("/machines has no address of the master")]
    NoMaster,
    /// The master cannot be asked, or refused.
    #[error(transparent)]
    Master(#[from] ClientError),
    /// The copy cannot be used.
    #[error(transparent)]
    Core(#[from] Error),
    /// The daemon stops, or the domain is no longer served.
    #[error("stopped")]
    Stopped,
}

/// What the writer gets to see.
enum Part {
    Directory(TransferObject),
    /// All have come; the master's checksum of them.
    End(u32),
}

/// A copy being put in place.
struct Replacing {
    parts: SyncSender<Part>,
    writer: JoinHandle<CoreResult<()>>,
}

/// Takes a copy from `read`, which calls back with every directory, and puts it in place. `domain` is asked for once the
/// first directory comes; without one (it is no longer served) everything ends, as when `stop` says so.
pub(super) fn take(
    read: impl FnOnce(&mut dyn FnMut(TransferObject) -> ClientResult<()>) -> ClientResult<Transfer>,
    domain: impl Fn() -> Option<Arc<Domain>>,
    stop: impl Fn() -> bool,
) -> Result<Outcome, CheckError> {
    let mut replacing: Option<Replacing> = None;
    let mut stopped = false;
    let read = read(&mut |directory| {
        if stop() {
            stopped = true;
            return Err(broken());
        }
        if replacing.is_none() {
            replacing = domain().map(Replacing::begin).transpose().map_err(ClientError::Local)?;
        }
        let Some(replacing) = &replacing else {
            stopped = true;
            return Err(broken());
        };
        // An error says that the writer has given up; it tells why at the end.
        replacing.parts.send(Part::Directory(directory)).map_err(|_| broken())
    });
    let Some(Replacing { parts, writer }) = replacing else {
        return match read {
            _ if stopped => Err(CheckError::Stopped),
            Ok(Transfer { checksum: 0, .. }) => Ok(Outcome::Current),
            Ok(_) => Err(Error::Unusable("the master sent a copy without directories".into()).into()),
            Err(error) => Err(error.into()),
        };
    };
    if let Ok(transfer) = &read {
        // As above.
        let _ = parts.send(Part::End(transfer.checksum));
    }
    drop(parts);
    let written = writer.join().unwrap_or(Err(Error::Busy));
    match (read, written) {
        _ if stopped => Err(CheckError::Stopped),
        (Ok(transfer), Ok(())) => Ok(Outcome::Copied { directories: transfer.objects }),
        (Err(error), _) if !is_broken(&error) => Err(error.into()),
        (_, Err(error)) => Err(error.into()),
        (Err(error), Ok(())) => Err(error.into()),
    }
}

impl Replacing {
    fn begin(domain: Arc<Domain>) -> io::Result<Self> {
        let (parts, queue) = sync_channel(COPY_QUEUE);
        let name = format!("copy {}", domain.tag());
        let writer = std::thread::Builder::new().name(name).spawn(move || {
            let session = domain.authenticate(Credentials::None, Origin::Internal)?;
            let mut checksum = 0;
            domain.replace(&session, move || next(&queue, &mut checksum))
        })?;
        Ok(Self { parts, writer })
    }
}

/// The next directory; `None` after the last, when the checksum is right.
fn next(queue: &Receiver<Part>, checksum: &mut u32) -> CoreResult<Option<TransferObject>> {
    match queue.recv() {
        Ok(Part::Directory(directory)) => {
            let id = directory.id;
            *checksum = checksum.wrapping_add(id.object.wrapping_add(1).wrapping_mul(id.instance));
            Ok(Some(directory))
        }
        Ok(Part::End(expected)) if expected == *checksum => Ok(None),
        Ok(Part::End(expected)) => {
            Err(Error::Unusable(format!("the copy has the checksum {checksum}, the master says {expected}")))
        }
        // The connection failed, and says so itself.
        Err(_) => Err(Error::Busy),
    }
}

/// Ends the reading of a copy.
fn broken() -> ClientError {
    ClientError::Local(io::ErrorKind::BrokenPipe.into())
}

fn is_broken(error: &ClientError) -> bool {
    matches!(error, ClientError::Local(cause) if cause.kind() == io::ErrorKind::BrokenPipe)
}
