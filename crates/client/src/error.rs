//! The one error of the client: what went wrong, its NetInfo status, and what to do about it.

use std::io;
use std::time::Duration;

use netinfo_wire::netinfo::{Failure, Status};
use netinfo_wire::record::RecordError;
use netinfo_wire::rpc::{AcceptStat, AuthStat, Denial};
use netinfo_wire::xdr;

use crate::path::PathError;

/// Result of the client's operations.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why an operation failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The server carried out the call and answered with this status.
    #[error("{0}")]
    Status(Status),
    /// No connection could be made.
    #[error("cannot connect to {endpoint}: {}", plain(.source))]
    Connect {
        /// Where to.
        endpoint: String,
        /// Why not.
        source: io::Error,
    },
    /// The connection failed during a call.
    #[error("connection to {endpoint} failed: {}", plain(.source))]
    Io {
        /// Where to.
        endpoint: String,
        /// How it failed.
        source: io::Error,
    },
    /// The server closed the connection instead of answering.
    #[error("{endpoint} closed the connection")]
    Closed {
        /// Where to.
        endpoint: String,
    },
    /// No reply came in time.
    #[error("no answer from {endpoint} within {}", seconds(*.after))]
    Timeout {
        /// Where to.
        endpoint: String,
        /// How long was waited.
        after: Duration,
    },
    /// The server accepted the call and did not execute it.
    #[error("{endpoint} {}", accept_text(*.stat, *.program))]
    Rejected {
        /// Where to.
        endpoint: String,
        /// Program number of the call.
        program: u32,
        /// The server's reason.
        stat: AcceptStat,
    },
    /// The server did not accept the call.
    #[error("{endpoint} {}", denial_text(*.denial))]
    Denied {
        /// Where to.
        endpoint: String,
        /// The server's reason.
        denial: Denial,
    },
    /// What came back is not a reply to the call.
    #[error("{endpoint} sent a malformed reply: {what}")]
    Malformed {
        /// Where to.
        endpoint: String,
        /// What is wrong with it.
        what: String,
    },
    /// A reply exceeds what the client holds in memory.
    #[error("{endpoint} sent a reply of more than {limit} bytes")]
    ReplyTooLong {
        /// Where to.
        endpoint: String,
        /// The limit.
        limit: usize,
    },
    /// A host offers NetInfo on none of its ports.
    #[error("no NetInfo server at {host}: {}", .attempts.join("; "))]
    NoServer {
        /// The host.
        host: String,
        /// What was tried and how it failed.
        attempts: Vec<String>,
    },
    /// A host name has no address.
    #[error("cannot find host \"{host}\": {}", plain(.source))]
    UnknownHost {
        /// The name.
        host: String,
        /// The resolver's reason.
        source: io::Error,
    },
    /// The server at an explicit port serves another domain.
    #[error("{endpoint} serves the domain \"{serves}\", not \"{wanted}\"")]
    OtherDomain {
        /// Where to.
        endpoint: String,
        /// Tag it serves.
        serves: String,
        /// Tag that was asked for.
        wanted: String,
    },
    /// A directory or domain path is malformed.
    #[error(transparent)]
    Path(#[from] PathError),
    /// A password cannot travel in an RPC credential.
    #[error("{0}")]
    Password(&'static str),
    /// The daemon refused an administrative operation; `json` says why.
    #[error("{status}")]
    Control {
        /// The outcome in NetInfo terms.
        status: Status,
        /// The daemon's `{"error": …, "hint": …}`.
        json: Vec<u8>,
    },
    /// The local side of a transfer failed.
    #[error("{}", plain(.0))]
    Local(#[source] io::Error),
    /// The tree is deeper than a sound database can be.
    #[error("the tree is deeper than {} levels; the database may be damaged", crate::limits::MAX_DEPTH)]
    TooDeep,
}

impl Error {
    /// The NetInfo status that says the same: [`Status::Failed`] for whatever concerns communication.
    pub const fn status(&self) -> Status {
        match self {
            Self::Status(status) | Self::Control { status, .. } => *status,
            Self::OtherDomain { .. } => Status::NoTag,
            Self::UnknownHost { .. } => Status::CantFindAddress,
            Self::Path(_) => Status::NoDir,
            Self::Password(_) => Status::AuthError,
            Self::Denied { denial: Denial::Auth(_), .. } => Status::Perm,
            _ => Status::Failed,
        }
    }

    /// Whether the status is `status`.
    pub fn is(&self, status: Status) -> bool {
        self.status() == status
    }

    /// Whether the server could not be reached, so that another attempt or another server may help.
    pub const fn is_unreachable(&self) -> bool {
        matches!(
            self,
            Self::Connect { .. }
                | Self::Io { .. }
                | Self::Closed { .. }
                | Self::Timeout { .. }
                | Self::NoServer { .. }
                | Self::UnknownHost { .. }
        )
    }

    /// What the caller may do about it, as one sentence without a full stop.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Connect { source, .. } => connect_hint(source.kind()),
            Self::Timeout { .. } => Some("the server is busy, stopped, or behind a firewall"),
            Self::NoServer { .. } => Some("start netinfod there, or name its port: HOST:PORT"),
            Self::OtherDomain { .. } => {
                Some("leave the domain out, or ask the binder of the host by leaving the port out")
            }
            Self::Rejected { stat: AcceptStat::ProgUnavail, .. } => {
                Some("this port belongs to another service")
            }
            Self::Closed { .. } => Some("the server may admit only its trusted networks"),
            other => status_hint(other.status()),
        }
    }

    /// Whether the peer closed the connection, which a reconnect may cure.
    pub(crate) fn is_closed(&self) -> bool {
        match self {
            Self::Closed { .. } => true,
            Self::Io { source, .. } => closed(source.kind()),
            _ => false,
        }
    }

    pub(crate) fn malformed(endpoint: &str, what: impl ToString) -> Self {
        Self::Malformed { endpoint: endpoint.to_owned(), what: what.to_string() }
    }

    /// The failure of a result decoder.
    pub(crate) fn from_failure(endpoint: &str, failure: Failure) -> Self {
        match failure {
            Failure::Status(status) => Self::Status(status),
            Failure::Malformed(error) => Self::malformed(endpoint, error),
        }
    }

    pub(crate) fn from_xdr(endpoint: &str, error: xdr::Error) -> Self {
        Self::malformed(endpoint, error)
    }

    pub(crate) fn from_record(endpoint: &str, error: RecordError) -> Self {
        Self::malformed(endpoint, error)
    }
}

impl From<Status> for Error {
    fn from(status: Status) -> Self {
        Self::Status(status)
    }
}

const fn closed(kind: io::ErrorKind) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, NotConnected, UnexpectedEof};
    matches!(kind, BrokenPipe | ConnectionAborted | ConnectionReset | NotConnected | UnexpectedEof)
}

fn connect_hint(kind: io::ErrorKind) -> Option<&'static str> {
    match kind {
        io::ErrorKind::NotFound => Some("netinfod is not running, or its socket is elsewhere"),
        io::ErrorKind::ConnectionRefused => Some("netinfod is not running there"),
        io::ErrorKind::PermissionDenied => Some("the socket does not admit this user"),
        _ => None,
    }
}

/// What helps against a status, as one sentence without a full stop.
pub const fn status_hint(status: Status) -> Option<&'static str> {
    Some(match status {
        Status::Perm => "run as root, or authenticate as a user with write access",
        Status::AuthError => "the password does not match",
        Status::NoUser => "the domain has no user with this name or uid and a password",
        Status::RdOnly => {
            "the server is a clone, or the directory is locked: write to the master of the domain"
        }
        Status::Stale => "others keep changing this directory: try again",
        Status::NotEmpty => "the directory has children: remove them too",
        Status::MasterBusy => "the master is copying its database: try again in a moment",
        Status::NoTag => "list the domains of the server",
        Status::DupTag => "choose another tag, or destroy the existing domain first",
        Status::NetRoot => "the domain has no parent",
        Status::NoSpace => "the disk of the server is full",
        _ => return None,
    })
}

/// An I/O error in words, without the number that the operating system has for it.
pub fn plain(error: &io::Error) -> String {
    let text = error.to_string();
    match text.split_once(" (os error ") {
        Some((words, _)) => words.to_owned(),
        None => text,
    }
}

fn seconds(duration: Duration) -> String {
    let seconds = duration.as_secs_f64();
    if seconds >= 1.0 { format!("{seconds:.0} s") } else { format!("{:.0} ms", seconds * 1000.0) }
}

fn accept_text(stat: AcceptStat, program: u32) -> String {
    match stat {
        AcceptStat::Success => "succeeded".into(),
        AcceptStat::ProgUnavail => format!("does not serve RPC program {program}"),
        AcceptStat::ProgMismatch { low, high } => {
            format!("serves versions {low} to {high} of RPC program {program}")
        }
        AcceptStat::ProcUnavail => "does not know this procedure".into(),
        AcceptStat::GarbageArgs => "could not decode the arguments".into(),
        AcceptStat::SystemErr => "failed to execute the call".into(),
    }
}

fn denial_text(denial: Denial) -> String {
    match denial {
        Denial::RpcMismatch { low, high } => format!("speaks RPC versions {low} to {high}"),
        Denial::Auth(AuthStat::TooWeak) => {
            "does not allow this over UDP or without better credentials".into()
        }
        Denial::Auth(AuthStat::BadCred) => "found the credentials malformed".into(),
        Denial::Auth(AuthStat::RejectedCred) => "refused the credentials".into(),
        Denial::Auth(stat) => format!("refused the credentials ({stat:?})"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_and_hints() {
        let error = Error::Status(Status::RdOnly);
        assert_eq!(error.to_string(), "No writes allowed: all objects are read-only");
        assert!(error.hint().is_some_and(|h| h.contains("clone")));
        let error = Error::Timeout { endpoint: "192.0.2.1:945".into(), after: Duration::from_secs(5) };
        assert_eq!(error.to_string(), "no answer from 192.0.2.1:945 within 5 s");
        assert_eq!(error.status(), Status::Failed);
        assert!(error.is_unreachable());
        let source = io::Error::from_raw_os_error(2);
        let error = Error::Connect { endpoint: "/x".into(), source };
        assert_eq!(error.to_string(), "cannot connect to /x: No such file or directory");
        assert!(error.hint().is_some_and(|h| h.contains("not running")));
    }

    #[test]
    fn reconnect_is_for_closed_connections_only() {
        let io = |kind| Error::Io { endpoint: String::new(), source: io::Error::from(kind) };
        assert!(io(io::ErrorKind::ConnectionReset).is_closed());
        assert!(Error::Closed { endpoint: String::new() }.is_closed());
        assert!(!io(io::ErrorKind::Other).is_closed());
        assert!(!Error::Status(Status::Stale).is_closed());
        assert!(!Error::Timeout { endpoint: String::new(), after: Duration::ZERO }.is_closed());
    }
}
