//! Status codes (NetInfo protocol, status codes) and their texts.

use std::fmt;

macro_rules! statuses {
    ($($(#[$doc:meta])* $variant:ident = $code:literal $text:literal,)*) => {
        /// How a NetInfo procedure went. Scripts match on [`Status::text`], which is exactly what the
        /// historical client library prints.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
        pub enum Status {
            $($(#[$doc])* $variant,)*
            /// A number the protocol does not define.
            Unknown(u32),
        }

        impl Status {
            /// Every status the protocol defines, in the order of the codes.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The number on the wire.
            pub const fn code(self) -> u32 {
                match self { $(Self::$variant => $code,)* Self::Unknown(code) => code }
            }

            /// The status with this number.
            pub const fn from_code(code: u32) -> Self {
                match code { $($code => Self::$variant,)* code => Self::Unknown(code) }
            }

            /// The message of the historical client library.
            pub const fn text(self) -> &'static str {
                match self { $(Self::$variant => $text,)* Self::Unknown(_) => "(unknown error)" }
            }
        }
    };
}

statuses! {
    /// Success.
    #[default]
    Ok = 0 "Operation succeeded",
    /// The id is invalid; historical servers answer [`Status::NoDir`] instead.
    BadId = 1 "ID is invalid",
    /// A write gave an instance number that is not current.
    Stale = 2 "Write attempted on stale version of object",
    /// No room to store the write.
    NoSpace = 3 "No space available for write operation",
    /// The access lists refuse the caller.
    Perm = 4 "Permission denied",
    /// No such object, or a look-up without a hit.
    NoDir = 5 "No such directory",
    /// The property index is out of range.
    NoProp = 6 "No such property",
    /// The value index is out of range.
    NoName = 7 "No such name",
    /// A directory with children cannot be destroyed.
    NotEmpty = 8 "Cannot delete name object with children",
    /// The directory to destroy is not a child of the named parent.
    Unrelated = 9 "Object is not child of parent: cannot destroy",
    /// Encoding failed.
    Serial = 10 "Serialization error",
    /// There is no parent domain.
    NetRoot = 11 "Hit network root domain",
    /// A parent domain or server does not answer.
    NoResponse = 12 "No response from remote parent",
    /// A write on a clone or a locked directory.
    RdOnly = 13 "No writes allowed: all objects are read-only",
    /// Storage failed.
    SystemErr = 14 "Remote system error",
    /// Cannot regenerate what is in use.
    Alive = 15 "Can't regenerate: already in use",
    /// Only a master can do this.
    NotMaster = 16 "Operation makes no sense on clone",
    /// The client cannot find the server's address.
    CantFindAddress = 17 "Can't find address of server",
    /// The binder serves this tag already.
    DupTag = 18 "Duplicate domain tag: can't serve it",
    /// The binder does not know this tag.
    NoTag = 19 "No such tag",
    /// Wrong password.
    AuthError = 20 "Authentication error",
    /// No user record for the caller's uid.
    NoUser = 21 "No such user",
    /// The master is transferring its database and takes no writes.
    MasterBusy = 22 "Master server is busy",
    /// The domain name is invalid.
    InvalidDomain = 23 "Invalid domain",
    /// The master cannot do this.
    BadOp = 24 "Invalid operation on master",
    /// The call could not be carried out; made by clients.
    Failed = 9999 "Communication failure",
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}

impl std::error::Error for Status {}

impl From<u32> for Status {
    fn from(code: u32) -> Self {
        Self::from_code(code)
    }
}

impl From<Status> for u32 {
    fn from(status: Status) -> Self {
        status.code()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_dense_and_round_trip() {
        let codes: Vec<_> = Status::ALL.iter().map(|s| s.code()).collect();
        let expected: Vec<_> = (0..=24).chain([9999]).collect();
        assert_eq!(codes, expected);
        for code in (0..30).chain([9998, 9999, 10_000, u32::MAX]) {
            assert_eq!(Status::from_code(code).code(), code);
        }
    }

    #[test]
    fn texts() {
        assert_eq!(Status::from_code(9).text(), "Object is not child of parent: cannot destroy");
        assert_eq!(Status::from_code(9999).text(), "Communication failure");
        assert_eq!(Status::from_code(25).text(), "(unknown error)");
        assert_eq!(Status::Stale.to_string(), "Write attempted on stale version of object");
    }
}
