//! Errors as users see them: what could not be done, why, what may help, and the exit code.

use std::fmt;
use std::io::{self, ErrorKind};
use std::process::ExitCode;

use netinfo_client::error::{plain, status_hint};
use netinfo_client::{Error, Status};
use netinfo_directory::ApplicationPasswordError;
use netinfo_mapping::admin::AdminError;

use crate::output::safe;

/// Result of whatever a command does.
pub(crate) type Result<T, E = Failure> = std::result::Result<T, E>;

/// Exit codes; [`EXIT_CODES`] tells users about them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    Ok,
    Failed,
    Usage,
    NotFound,
    Denied,
    Unreachable,
    /// That of a historical tool, which has its own.
    Tool(u8),
}

/// The part of help and manual page about exit codes.
pub(crate) const EXIT_CODES: &str = "\
Exit codes:
  0  done
  1  failed
  2  the command line is wrong
  3  not found: no such directory, property, domain or user
  4  permission denied, or wrong password
  5  the server cannot be reached";

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Ok => 0,
            Exit::Failed => 1,
            Exit::Usage => 2,
            Exit::NotFound => 3,
            Exit::Denied => 4,
            Exit::Unreachable => 5,
            Exit::Tool(code) => code,
        })
    }
}

/// Why a command failed.
#[derive(Debug)]
pub(crate) struct Failure {
    /// What could not be done, after "cannot".
    action: Option<String>,
    reason: String,
    hint: Option<String>,
    exit: Exit,
    /// Nobody reads the output any more: end without a word.
    quiet: bool,
}

impl Failure {
    /// A failure with exit code 1.
    pub(crate) fn new(reason: impl Into<String>) -> Self {
        Self { action: None, reason: reason.into(), hint: None, exit: Exit::Failed, quiet: false }
    }

    /// A mistake in the command line.
    pub(crate) fn usage(reason: impl Into<String>) -> Self {
        Self::new(reason).with_exit(Exit::Usage)
    }

    /// The same with another exit code.
    pub(crate) fn with_exit(mut self, exit: Exit) -> Self {
        self.exit = exit;
        self
    }

    /// The same with a hint, one sentence without a full stop.
    pub(crate) fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The same saying what could not be done, unless something more precise has been said.
    pub(crate) fn when(mut self, action: impl Into<String>) -> Self {
        self.action.get_or_insert_with(|| action.into());
        self
    }

    /// The exit code.
    pub(crate) const fn exit(&self) -> Exit {
        self.exit
    }

    /// Prints the failure to standard error.
    pub(crate) fn report(&self) {
        if !self.quiet {
            eprintln!("netinfo: {self}");
            if let Some(hint) = &self.hint {
                eprintln!("hint: {hint}");
            }
        }
    }

    /// The hint, if any.
    #[cfg(test)]
    pub(crate) fn hint(&self) -> Option<&str> {
        self.hint.as_deref()
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.action {
            Some(action) => write!(f, "cannot {action}: {}", self.reason),
            None => f.write_str(&self.reason),
        }
    }
}

const fn exit_of(status: Status) -> Exit {
    match status {
        Status::NoDir | Status::NoProp | Status::NoName | Status::NoTag | Status::InvalidDomain => {
            Exit::NotFound
        }
        Status::NetRoot => Exit::NotFound,
        Status::Perm | Status::AuthError | Status::NoUser | Status::RdOnly => Exit::Denied,
        Status::NoResponse | Status::CantFindAddress => Exit::Unreachable,
        _ => Exit::Failed,
    }
}

impl From<AdminError> for Failure {
    fn from(error: AdminError) -> Self {
        match error {
            AdminError::Core(error) => error.into(),
            AdminError::NoSuch(_) | AdminError::Password(ApplicationPasswordError::NoSuch(_)) => {
                Self::new(error.to_string()).with_exit(Exit::NotFound)
            }
            AdminError::Mapping(_) | AdminError::Password(_) => Self::new(error.to_string()),
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let exit = match &error {
            error if error.is_unreachable() => Exit::Unreachable,
            Error::Path(_) => Exit::Usage,
            Error::OtherDomain { .. } => Exit::NotFound,
            other => exit_of(other.status()),
        };
        if let Error::Control { status, json } = &error {
            return from_control(*status, json).with_exit(exit);
        }
        let hint = match error.status() {
            Status::NoTag => Some("\"netinfo domain list\" shows the domains of the server"),
            _ => error.hint(),
        };
        let failure = Self::new(safe(error.to_string().as_bytes())).with_exit(exit);
        match hint {
            Some(hint) => failure.with_hint(hint),
            None => failure,
        }
    }
}

/// What the daemon says about a refused request.
fn from_control(status: Status, json: &[u8]) -> Failure {
    let value: serde_json::Value = serde_json::from_slice(json).unwrap_or_default();
    let text = |key: &str| value.get(key).and_then(|v| v.as_str()).map(|t| safe(t.as_bytes()));
    let failure = Failure::new(text("error").unwrap_or_else(|| status.to_string()));
    match text("hint").or_else(|| status_hint(status).map(str::to_owned)) {
        Some(hint) => failure.with_hint(hint),
        None => failure,
    }
}

impl From<netinfo_directory::Error> for Failure {
    fn from(error: netinfo_directory::Error) -> Self {
        let exit = match &error {
            netinfo_directory::Error::NoSuchDomain(_) => Exit::NotFound,
            netinfo_directory::Error::Permission => Exit::Denied,
            _ => Exit::Failed,
        };
        Self::new(safe(error.to_string().as_bytes())).with_exit(exit)
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        let exit = match error.kind() {
            ErrorKind::NotFound => Exit::NotFound,
            ErrorKind::PermissionDenied => Exit::Denied,
            ErrorKind::BrokenPipe => Exit::Ok,
            _ => Exit::Failed,
        };
        let quiet = error.kind() == ErrorKind::BrokenPipe;
        Self { quiet, ..Self::new(plain(&error)).with_exit(exit) }
    }
}

/// Says what could not be done.
pub(crate) trait When<T> {
    /// Turns an error into a failure to do `action`, which is computed only then.
    fn when<A: Into<String>>(self, action: impl FnOnce() -> A) -> Result<T>;
}

impl<T, E: Into<Failure>> When<T> for std::result::Result<T, E> {
    fn when<A: Into<String>>(self, action: impl FnOnce() -> A) -> Result<T> {
        self.map_err(|error| error.into().when(action()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_become_exit_codes() {
        let exit = |status: Status| Failure::from(Error::Status(status)).exit();
        assert_eq!(exit(Status::NoDir), Exit::NotFound);
        assert_eq!(exit(Status::NoTag), Exit::NotFound);
        assert_eq!(exit(Status::Perm), Exit::Denied);
        assert_eq!(exit(Status::AuthError), Exit::Denied);
        assert_eq!(exit(Status::Stale), Exit::Failed);
        let timeout = Error::Timeout { endpoint: "x".into(), after: std::time::Duration::from_secs(5) };
        assert_eq!(Failure::from(timeout).exit(), Exit::Unreachable);
        let path = netinfo_client::Path::parse(b"").unwrap_err();
        assert_eq!(Failure::from(Error::Path(path)).exit(), Exit::Usage);
    }

    #[test]
    fn the_most_precise_action_is_told() {
        let failure = Failure::from(Error::Status(Status::NoDir)).when("read /users/x").when("show a user");
        assert_eq!(failure.to_string(), "cannot read /users/x: No such directory");
        assert_eq!(Failure::usage("give a NAME").to_string(), "give a NAME");
    }

    #[test]
    fn the_daemon_explains_itself() {
        let json = br#"{"error":"no domain \"x\"","hint":"look"}"#.to_vec();
        let failure = Failure::from(Error::Control { status: Status::NoTag, json });
        assert_eq!((failure.to_string().as_str(), failure.hint()), ("no domain \"x\"", Some("look")));
        assert_eq!(failure.exit(), Exit::NotFound);
        let silent = Failure::from(Error::Control { status: Status::Perm, json: Vec::new() });
        assert_eq!(silent.to_string(), "Permission denied");
        assert!(silent.hint().is_some());
    }

    #[test]
    fn a_closed_pipe_is_no_error_and_os_numbers_stay_out() {
        let broken = Failure::from(io::Error::from(ErrorKind::BrokenPipe));
        assert!(broken.quiet && broken.exit() == Exit::Ok);
        let missing = Failure::from(io::Error::from_raw_os_error(2));
        assert_eq!(
            (missing.to_string().as_str(), missing.exit()),
            ("No such file or directory", Exit::NotFound)
        );
    }
}
