//! Result codes (RFC 4511 §4.1.9 and the extensions registered with IANA) and their names.

use std::fmt;

macro_rules! result_codes {
    ($($(#[$doc:meta])* $variant:ident = $code:literal $name:literal,)*) => {
        /// How an operation went.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
        pub enum ResultCode {
            $($(#[$doc])* $variant,)*
            /// A number without a name.
            Other(i32),
        }

        impl ResultCode {
            /// Every code that has a name, in order.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The number on the wire.
            pub const fn code(self) -> i32 {
                match self { $(Self::$variant => $code,)* Self::Other(code) => code }
            }

            /// The code with this number.
            pub const fn from_code(code: i32) -> Self {
                match code { $($code => Self::$variant,)* code => Self::Other(code) }
            }

            /// The name in the protocol's definition.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* Self::Other(_) => "other" }
            }
        }
    };
}

result_codes! {
    /// Done.
    #[default]
    Success = 0 "success",
    /// Internal order of operations violated, or an internal error.
    OperationsError = 1 "operationsError",
    /// The message is malformed or out of order.
    ProtocolError = 2 "protocolError",
    /// The time limit of the request or the server is used up.
    TimeLimitExceeded = 3 "timeLimitExceeded",
    /// There are more entries than the size limit allows.
    SizeLimitExceeded = 4 "sizeLimitExceeded",
    /// Compare: no.
    CompareFalse = 5 "compareFalse",
    /// Compare: yes.
    CompareTrue = 6 "compareTrue",
    /// The authentication method or mechanism is not supported.
    AuthMethodNotSupported = 7 "authMethodNotSupported",
    /// Stronger authentication or a protected connection is required.
    StrongerAuthRequired = 8 "strongerAuthRequired",
    /// Ask elsewhere.
    Referral = 10 "referral",
    /// A limit of the administrator is exceeded.
    AdminLimitExceeded = 11 "adminLimitExceeded",
    /// A critical control or extension cannot be served.
    UnavailableCriticalExtension = 12 "unavailableCriticalExtension",
    /// A protected connection is required.
    ConfidentialityRequired = 13 "confidentialityRequired",
    /// The next message of a SASL exchange is expected.
    SaslBindInProgress = 14 "saslBindInProgress",
    /// The entry has no such attribute or value.
    NoSuchAttribute = 16 "noSuchAttribute",
    /// The attribute type is unknown.
    UndefinedAttributeType = 17 "undefinedAttributeType",
    /// The matching rule does not fit the attribute or the filter.
    InappropriateMatching = 18 "inappropriateMatching",
    /// A value violates a constraint.
    ConstraintViolation = 19 "constraintViolation",
    /// The attribute or value is there already.
    AttributeOrValueExists = 20 "attributeOrValueExists",
    /// A value does not follow its syntax.
    InvalidAttributeSyntax = 21 "invalidAttributeSyntax",
    /// There is no such entry.
    NoSuchObject = 32 "noSuchObject",
    /// An alias cannot be followed.
    AliasProblem = 33 "aliasProblem",
    /// A DN is malformed.
    InvalidDnSyntax = 34 "invalidDNSyntax",
    /// An alias leads to what cannot be accessed or does not exist.
    AliasDereferencingProblem = 36 "aliasDereferencingProblem",
    /// This entry cannot be authenticated so.
    InappropriateAuthentication = 48 "inappropriateAuthentication",
    /// Wrong name or password.
    InvalidCredentials = 49 "invalidCredentials",
    /// Not allowed.
    InsufficientAccessRights = 50 "insufficientAccessRights",
    /// Too much to do.
    Busy = 51 "busy",
    /// Shutting down, or a part is not there.
    Unavailable = 52 "unavailable",
    /// The server refuses.
    UnwillingToPerform = 53 "unwillingToPerform",
    /// Aliases or referrals lead in circles.
    LoopDetect = 54 "loopDetect",
    /// The view cannot be computed without a sort control (draft-ietf-ldapext-ldapv3-vlv).
    SortControlMissing = 60 "sortControlMissing",
    /// The offset is outside the list (draft-ietf-ldapext-ldapv3-vlv).
    OffsetRangeError = 61 "offsetRangeError",
    /// The place in the tree or the name of the entry is not allowed.
    NamingViolation = 64 "namingViolation",
    /// The entry would violate its object classes.
    ObjectClassViolation = 65 "objectClassViolation",
    /// Only entries without children can be treated so.
    NotAllowedOnNonLeaf = 66 "notAllowedOnNonLeaf",
    /// The naming attribute cannot be changed so.
    NotAllowedOnRdn = 67 "notAllowedOnRDN",
    /// The entry is there already.
    EntryAlreadyExists = 68 "entryAlreadyExists",
    /// The structural class cannot be changed.
    ObjectClassModsProhibited = 69 "objectClassModsProhibited",
    /// The operation would touch several servers.
    AffectsMultipleDsas = 71 "affectsMultipleDSAs",
    /// The list view cannot be computed (draft-ietf-ldapext-ldapv3-vlv).
    VirtualListViewError = 76 "virtualListViewError",
    /// Anything else.
    Unspecified = 80 "other",
    /// The operation was cancelled (RFC 3909).
    Canceled = 118 "canceled",
    /// There is no operation to cancel (RFC 3909).
    NoSuchOperation = 119 "noSuchOperation",
    /// The operation can no longer be cancelled (RFC 3909).
    TooLate = 120 "tooLate",
    /// The operation cannot be cancelled (RFC 3909).
    CannotCancel = 121 "cannotCancel",
    /// The assertion control does not hold (RFC 4528).
    AssertionFailed = 122 "assertionFailed",
    /// The proxied authorization is denied (RFC 4370).
    AuthorizationDenied = 123 "authorizationDenied",
    /// The content must be fetched anew (RFC 4533).
    SyncRefreshRequired = 4096 "e-syncRefreshRequired",
}

impl ResultCode {
    /// Whether the operation did what it should: success, or the answer of a compare.
    pub const fn is_success(self) -> bool {
        matches!(self, Self::Success | Self::CompareFalse | Self::CompareTrue)
    }
}

impl fmt::Display for ResultCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.name(), self.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_round_trip_and_ascend() {
        let codes: Vec<_> = ResultCode::ALL.iter().map(|code| code.code()).collect();
        assert!(codes.is_sorted_by(|a, b| a < b));
        for code in (-1..5000).chain([i32::MAX, i32::MIN]) {
            assert_eq!(ResultCode::from_code(code).code(), code);
        }
        assert_eq!(ResultCode::from_code(9), ResultCode::Other(9));
    }

    #[test]
    fn names() {
        assert_eq!(ResultCode::from_code(49).to_string(), "invalidCredentials (49)");
        assert_eq!(ResultCode::from_code(122).name(), "assertionFailed");
        assert_eq!(ResultCode::Other(70).to_string(), "other (70)");
        assert!(ResultCode::CompareFalse.is_success() && !ResultCode::Referral.is_success());
    }
}
