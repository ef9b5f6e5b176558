//! Password policy (draft-behera-ldap-password-policy-10 §6): why a bind or a password change fails, and
//! what to warn of. The request control has no value.

use super::Payload;
use crate::ber::{self, Reader, Tag};
use crate::ldap::{Error, at, enumeration, oid};

const WARNING: Tag = Tag::context_constructed(0);
const ERROR: Tag = Tag::context(1);
const TIME_BEFORE_EXPIRATION: Tag = Tag::context(0);
const GRACE_LOGINS: Tag = Tag::context(1);

/// The response control.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct PasswordPolicy {
    /// What will happen.
    pub warning: Option<PolicyWarning>,
    /// What has happened.
    pub error: Option<PolicyError>,
}

/// What to warn a user of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PolicyWarning {
    /// Seconds until the password expires.
    TimeBeforeExpiration(u32),
    /// How often one can still log in with an expired password.
    GraceLogins(u32),
}

enumeration! {
    /// Why a password is not accepted.
    PolicyError, "password error" {
        /// It has expired and must be reset.
        PasswordExpired = 0,
        /// The account is locked.
        AccountLocked = 1,
        /// It must be changed before anything else.
        ChangeAfterReset = 2,
        /// The user may not change it.
        PasswordModNotAllowed = 3,
        /// The old one must be given too.
        MustSupplyOldPassword = 4,
        /// It is too simple.
        InsufficientPasswordQuality = 5,
        /// It is too short.
        PasswordTooShort = 6,
        /// It was changed too recently.
        PasswordTooYoung = 7,
        /// It was used before.
        PasswordInHistory = 8,
    }
}

impl Payload<'_> for PasswordPolicy {
    const OID: &'static str = oid::PASSWORD_POLICY;

    fn decode(value: &[u8]) -> Result<Self, Error> {
        let mut r = Reader::new(value).nested(Tag::SEQUENCE).map_err(at("password policy"))?;
        let warning = match r.optional(WARNING).map_err(at("password warning"))? {
            None => None,
            Some(contents) => {
                let mut choice = Reader::new(contents);
                Some(if choice.peek() == Some(GRACE_LOGINS) {
                    PolicyWarning::GraceLogins(choice.unsigned(GRACE_LOGINS).map_err(at("grace logins"))?)
                } else {
                    let seconds =
                        choice.unsigned(TIME_BEFORE_EXPIRATION).map_err(at("time before expiration"))?;
                    PolicyWarning::TimeBeforeExpiration(seconds)
                })
            }
        };
        let error = (r.peek() == Some(ERROR)).then(|| PolicyError::read_as(&mut r, ERROR)).transpose()?;
        r.finish_extensible().map_err(at("password policy"))?;
        Ok(Self { warning, error })
    }

    fn encode(&self, buf: &mut Vec<u8>) {
        let control = ber::begin(buf, Tag::SEQUENCE);
        if let Some(warning) = self.warning {
            let choice = ber::begin(buf, WARNING);
            match warning {
                PolicyWarning::TimeBeforeExpiration(seconds) => {
                    ber::put_integer(buf, TIME_BEFORE_EXPIRATION, seconds.into());
                }
                PolicyWarning::GraceLogins(count) => ber::put_integer(buf, GRACE_LOGINS, count.into()),
            }
            ber::end(buf, choice);
        }
        if let Some(error) = self.error {
            error.put_as(buf, ERROR);
        }
        ber::end(buf, control);
    }
}

#[cfg(test)]
mod tests {
    use super::super::encoded;
    use super::*;

    #[test]
    fn warnings_and_errors() {
        let errors = (0..9).map(|code| PolicyError::from_code(code).map(|error| (error, code)));
        for (error, code) in errors.map(Option::unwrap) {
            assert_eq!(error.code(), code);
            for warning in [PolicyWarning::TimeBeforeExpiration(86_400), PolicyWarning::GraceLogins(3)] {
                let policy = PasswordPolicy { warning: Some(warning), error: Some(error) };
                assert_eq!(PasswordPolicy::decode(&encoded(&policy)), Ok(policy));
            }
        }
        assert_eq!(encoded(&PasswordPolicy::default()), b"\x30\0");
        let locked = PasswordPolicy { error: Some(PolicyError::AccountLocked), warning: None };
        assert_eq!(encoded(&locked), b"\x30\x03\x81\x01\x01");
        assert!(PasswordPolicy::decode(b"\x30\x03\x81\x01\x09").is_err());
    }
}
