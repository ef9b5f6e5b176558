//! What ends an import or export as a whole. What is wrong with one record does not: see [`crate::report`].

use std::io;

/// Why nothing more can be done.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The core refused or failed.
    #[error(transparent)]
    Core(#[from] netinfo_directory::Error),
    /// A server refused or cannot be reached.
    #[error(transparent)]
    Client(#[from] netinfo_client::Error),
    /// A file cannot be read or written.
    #[error("{0}: {1}")]
    File(String, #[source] io::Error),
    /// What was asked for makes no sense, in words for people.
    #[error("{0}")]
    Invalid(String),
}

/// Result of what an import or export does.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl From<netinfo_mapping::Error> for Error {
    fn from(error: netinfo_mapping::Error) -> Self {
        match error {
            netinfo_mapping::Error::Directory(error) => Self::Core(error),
            other => Self::Invalid(other.to_string()),
        }
    }
}

impl Error {
    /// Whether the next item may fare better.
    pub(crate) fn is_of_the_item(&self) -> bool {
        use netinfo_directory::Error as Core;
        match self {
            Self::Core(error) => matches!(
                error,
                Core::TooLarge { .. }
                    | Core::DuplicateUuid
                    | Core::NoSuchDirectory
                    | Core::Stale
                    | Core::NotEmpty
            ),
            Self::Client(error) => {
                use netinfo_client::Status;
                !error.is_unreachable()
                    && !matches!(
                        error.status(),
                        Status::RdOnly | Status::AuthError | Status::NoUser | Status::NoTag | Status::Perm
                    )
                    && matches!(error, netinfo_client::Error::Status(_))
            }
            Self::File(..) | Self::Invalid(_) => false,
        }
    }
}
