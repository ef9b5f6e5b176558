//! Password policy (draft-behera-ldap-password-policy): what the rules about accounts, which the core keeps, look like to
//! clients that have asked to be told. Others get result codes only.

use netinfo_directory::account::{Condition, Objection, State};
use netinfo_wire::ldap::control::policy::{PasswordPolicy, PolicyError, PolicyWarning};
use netinfo_wire::ldap::{Controls, MessageWriter, ResultCode, oid};

use crate::failure::Failure;
use crate::operation::Identity;

/// Whether a request asks to be told.
pub(crate) fn is_asked(controls: Controls<'_>) -> bool {
    controls.iter().any(|control| control.oid == oid::PASSWORD_POLICY)
}

/// Adds the control to the response of a bind or a change of a password.
pub(crate) fn put(
    message: &mut MessageWriter<'_>,
    warning: Option<PolicyWarning>,
    error: Option<PolicyError>,
) {
    message.payload(false, &PasswordPolicy { warning, error });
}

/// What a user is told of the account at a bind.
pub(crate) fn told(identity: &Identity) -> PasswordPolicy {
    let Some((_, session)) = &identity.home else { return PasswordPolicy::default() };
    let Condition { state, seconds_left, .. } = session.condition();
    let seconds = seconds_left.map(|seconds| u32::try_from(seconds).unwrap_or(u32::MAX).min(MAX_SECONDS));
    PasswordPolicy {
        warning: seconds.map(PolicyWarning::TimeBeforeExpiration),
        error: match state {
            State::Reset => Some(PolicyError::ChangeAfterReset),
            State::PasswordAged => Some(PolicyError::PasswordExpired),
            _ => None,
        },
    }
}

/// What is told with the answer to a bind, or to what is not one but would be answered so.
pub(crate) fn of_bind(identity: &Result<Identity, Failure>) -> PasswordPolicy {
    match identity {
        Ok(identity) => told(identity),
        Err(failure) => PasswordPolicy { warning: None, error: failure.policy },
    }
}

/// The largest `maxInt` (RFC 4511 §4.1.1).
const MAX_SECONDS: u32 = i32::MAX as u32;

/// Whether a user with the right password may go on. One whose time is over is good for nothing but a new one, which takes
/// no bind; one that somebody else has set lets its user in for that; one that is old in the eyes of shadow(5) is the
/// client's affair.
pub(crate) fn admitted(identity: Identity) -> Result<Identity, Failure> {
    let state = identity.home.as_ref().map(|(_, session)| session.condition().state);
    match state {
        Some(State::PasswordExpired) => {
            let failure = Failure::new(ResultCode::InvalidCredentials, "the password has expired");
            Err(failure.because(PolicyError::PasswordExpired))
        }
        _ => Ok(identity),
    }
}

/// What is told of a failed authentication, if there is more to tell than that.
pub(crate) fn error_of(error: &netinfo_directory::Error) -> Option<PolicyError> {
    use netinfo_directory::Error;
    match error {
        Error::AccountDisabled | Error::AccountExpired => Some(PolicyError::AccountLocked),
        // So do names that nobody has.
        Error::TooManyAttempts { whose: "for this account", .. } => Some(PolicyError::AccountLocked),
        _ => None,
    }
}

/// The refusal of a password that is not good enough.
pub(crate) fn refused(objection: Objection) -> Failure {
    let error = match objection {
        Objection::TooShort(_) => PolicyError::PasswordTooShort,
        Objection::Same => PolicyError::PasswordInHistory,
        Objection::Empty
        | Objection::ZeroByte
        | Objection::TooLong
        | Objection::TooSimple
        | Objection::Name => PolicyError::InsufficientPasswordQuality,
    };
    Failure::new(ResultCode::ConstraintViolation, objection.to_string()).because(error)
}

/// The refusal of a change that comes too soon.
pub(crate) fn too_young(days: u64) -> Failure {
    let message = format!("The password can be changed again in {days} days.");
    Failure::new(ResultCode::ConstraintViolation, message).because(PolicyError::PasswordTooYoung)
}

/// The refusal of everything but a new password.
pub(crate) fn change_first() -> Failure {
    let message = "the password has to be changed first";
    Failure::new(ResultCode::InsufficientAccessRights, message).because(PolicyError::ChangeAfterReset)
}
