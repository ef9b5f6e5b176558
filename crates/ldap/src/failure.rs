//! Why an operation is not done, as its response says it.

use std::borrow::Cow;

use netinfo_directory::Error;
use netinfo_wire::ldap::control::policy::PolicyError;
use netinfo_wire::ldap::{LdapResult, ResultCode, UrisBuf};

/// A result other than success: code, nearest entry that exists, words for people, other servers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) code: ResultCode,
    /// DN of the nearest entry that exists.
    pub(crate) matched: String,
    pub(crate) message: Cow<'static, str>,
    /// URLs, for [`ResultCode::Referral`].
    pub(crate) referrals: Vec<String>,
    /// What clients are told besides that know of password policies.
    pub(crate) policy: Option<PolicyError>,
}

/// What an operation comes to.
pub(crate) type Outcome<T> = Result<T, Failure>;

impl Failure {
    /// A failure with this code and these words.
    pub(crate) fn new(code: ResultCode, message: impl Into<Cow<'static, str>>) -> Self {
        Self { code, matched: String::new(), message: message.into(), referrals: Vec::new(), policy: None }
    }

    /// The same, with what to tell clients that know of password policies.
    pub(crate) fn because(self, policy: PolicyError) -> Self {
        Self { policy: Some(policy), ..self }
    }

    /// `noSuchObject` below this entry.
    pub(crate) fn no_such_object(matched: String) -> Self {
        Self { matched, ..Self::new(ResultCode::NoSuchObject, "") }
    }

    /// Ask these instead.
    pub(crate) fn referral(referrals: Vec<String>) -> Self {
        Self { referrals, ..Self::new(ResultCode::Referral, "") }
    }

    /// The same as a result to be encoded.
    pub(crate) fn with<T>(&self, put: impl FnOnce(LdapResult<'_>) -> T) -> T {
        let uris: UrisBuf = self.referrals.iter().map(String::as_bytes).collect();
        put(LdapResult {
            code: self.code,
            matched_dn: self.matched.as_bytes(),
            message: self.message.as_bytes(),
            referral: (!self.referrals.is_empty()).then(|| uris.as_list()),
        })
    }
}

impl From<netinfo_wire::ldap::Error> for Failure {
    fn from(error: netinfo_wire::ldap::Error) -> Self {
        Self::new(error.result_code(), error.to_string())
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let code = match &error {
            Error::NoSuchDirectory | Error::NoUser => ResultCode::NoSuchObject,
            Error::NoSuchProperty | Error::NoSuchValue => ResultCode::NoSuchAttribute,
            Error::Stale | Error::Busy => ResultCode::Busy,
            Error::Loop | Error::DuplicateUuid | Error::ReadOnly | Error::NotMaster => {
                ResultCode::UnwillingToPerform
            }
            Error::Permission => ResultCode::InsufficientAccessRights,
            Error::NotEmpty => ResultCode::NotAllowedOnNonLeaf,
            Error::Unrelated => ResultCode::Busy,
            Error::Authentication
            | Error::AccountDisabled
            | Error::AccountExpired
            | Error::TooManyAttempts { .. } => ResultCode::InvalidCredentials,
            Error::NoSpace(_) | Error::TooLarge { .. } => ResultCode::AdminLimitExceeded,
            Error::NoSuchDomain(_) | Error::DuplicateTag(_) | Error::BadTag(_) => ResultCode::Unspecified,
            Error::Unusable(_) | Error::Damaged(_) | Error::Storage(_) => {
                tracing::error!(%error, "an operation failed");
                return Self::new(ResultCode::Unspecified, "internal failure; the server's log says more");
            }
        };
        Self::new(code, error.to_string())
    }
}

impl From<netinfo_mapping::Error> for Failure {
    fn from(error: netinfo_mapping::Error) -> Self {
        use netinfo_mapping::Error;
        match error {
            Error::Directory(error) => error.into(),
            Error::Name(error) => Self::new(ResultCode::InvalidDnSyntax, error.to_string()),
            Error::Schema(_) => Self::new(ResultCode::UnwillingToPerform, error.to_string()),
        }
    }
}

impl From<netinfo_mapping::name::NameError> for Failure {
    fn from(error: netinfo_mapping::name::NameError) -> Self {
        Self::new(ResultCode::InvalidDnSyntax, error.to_string())
    }
}

impl From<netinfo_mapping::Refusal> for Failure {
    /// The matched name is not part of it: it takes a snapshot to tell.
    fn from(refusal: netinfo_mapping::Refusal) -> Self {
        use netinfo_mapping::Reason;
        let code = match refusal.reason {
            Reason::Directory(error) => return error.into(),
            Reason::NoSuchObject => ResultCode::NoSuchObject,
            Reason::EntryAlreadyExists => ResultCode::EntryAlreadyExists,
            Reason::ObjectClassViolation => ResultCode::ObjectClassViolation,
            Reason::ObjectClassModsProhibited => ResultCode::ObjectClassModsProhibited,
            Reason::ConstraintViolation => ResultCode::ConstraintViolation,
            Reason::InvalidAttributeSyntax => ResultCode::InvalidAttributeSyntax,
            Reason::UndefinedAttributeType => ResultCode::UndefinedAttributeType,
            Reason::NamingViolation => ResultCode::NamingViolation,
            Reason::InvalidDnSyntax => ResultCode::InvalidDnSyntax,
            Reason::NotAllowedOnRdn => ResultCode::NotAllowedOnRdn,
            Reason::NotAllowedOnNonLeaf => ResultCode::NotAllowedOnNonLeaf,
            Reason::NoSuchAttribute => ResultCode::NoSuchAttribute,
            Reason::AttributeOrValueExists => ResultCode::AttributeOrValueExists,
            Reason::AffectsMultipleDsas => ResultCode::AffectsMultipleDsas,
            Reason::InsufficientAccess => ResultCode::InsufficientAccessRights,
            Reason::UnwillingToPerform => ResultCode::UnwillingToPerform,
            Reason::Protocol => ResultCode::ProtocolError,
            _ => ResultCode::Unspecified,
        };
        Self::new(code, refusal.message)
    }
}
