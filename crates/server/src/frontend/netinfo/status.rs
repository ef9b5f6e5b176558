//! Core errors as NetInfo statuses.

use netinfo_directory::Error;
use netinfo_wire::netinfo::Status;

/// The status that tells a NetInfo client of this error.
pub(crate) fn status_of(error: &Error) -> Status {
    match error {
        Error::NoSuchDirectory => Status::NoDir,
        Error::NoSuchProperty => Status::NoProp,
        Error::NoSuchValue => Status::NoName,
        Error::Stale => Status::Stale,
        Error::ReadOnly => Status::RdOnly,
        Error::Permission => Status::Perm,
        Error::NotEmpty => Status::NotEmpty,
        Error::Unrelated | Error::Loop | Error::DuplicateUuid => Status::Unrelated,
        Error::NoUser => Status::NoUser,
        Error::Authentication
        | Error::AccountDisabled
        | Error::AccountExpired
        | Error::TooManyAttempts { .. } => Status::AuthError,
        Error::NotMaster => Status::NotMaster,
        Error::Busy => Status::MasterBusy,
        Error::NoSpace(_) | Error::TooLarge { .. } => Status::NoSpace,
        Error::NoSuchDomain(_) => Status::NoTag,
        Error::DuplicateTag(_) => Status::DupTag,
        Error::BadTag(_) => Status::InvalidDomain,
        Error::Unusable(_) | Error::Damaged(_) | Error::Storage(_) => {
            tracing::error!(%error, "an operation failed");
            Status::SystemErr
        }
    }
}
