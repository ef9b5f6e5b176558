//! LDAP version 3 (RFC 4511), for both ends: requests and responses, decoded and encoded.
//!
//! * [`message`] — [`Message`] and [`Envelope`]: message id, operation, controls;
//! * [`request`], [`response`] — the operations; [`result_code`] — how they went;
//! * [`writer`] — responses written straight into the send buffer, entries value by value;
//! * [`attribute`] — attributes, values, modifications; [`list`] — lists that stay encoded;
//! * [`filter`] — search filters, binary and as text (RFC 4515);
//! * [`dn`] — distinguished names as text (RFC 4514); [`url`] — LDAP URLs (RFC 4516);
//! * [`control`] — controls and what they carry; [`extended`] — extended operations;
//! * [`oid`] — the object identifiers of all these.
//!
//! A decoded message borrows everything from the bytes it came in, is `Copy` and holds no heap memory.
//! It has been checked to the last byte, so walking its lists and its filter cannot fail. Text of the
//! protocol stays bytes: names, DNs and diagnostics are UTF-8 only as far as the peer kept its word.
//!
//! The receive buffer holds passwords in the clear; wiping it is up to its owner.

pub mod attribute;
pub mod control;
pub mod dn;
pub mod extended;
pub mod filter;
pub mod list;
pub mod message;
pub mod oid;
pub mod request;
pub mod response;
pub mod result_code;
pub mod url;
pub mod writer;

pub use attribute::{
    Attribute, Attributes, AttributesBuf, Modification, Modifications, ModificationsBuf, ModifyOp, Selection,
    SelectionBuf, Values,
};
pub use control::{Control, Controls, ControlsBuf, Payload};
pub use dn::{Dn, Rdn};
pub use filter::{Filter, FilterBuf};
pub use list::{List, ListBuf};
pub use message::{Envelope, Message, frame};
pub use request::{Authentication, BindRequest, Request, Scope, SearchRequest};
pub use response::{LdapResult, Response, Uris, UrisBuf};
pub use result_code::ResultCode;
pub use writer::{AttributesWriter, EntryWriter, MessageWriter};

use crate::ber::{self, Tag};

/// Longest message in bytes that is accepted before a connection is bound: enough for a SASL token
/// with a Kerberos ticket.
pub const MAX_MESSAGE_UNBOUND: usize = 256 * 1024;
/// Longest message in bytes that is accepted from a bound connection: enough for photographs.
pub const MAX_MESSAGE_BOUND: usize = 16 * 1024 * 1024;
/// Most controls of one message.
pub const MAX_CONTROLS: usize = 32;
/// Most attributes that a search may ask for.
pub const MAX_SELECTION: usize = 1024;
/// Most attributes of an entry.
pub const MAX_ATTRIBUTES: usize = 4096;
/// Most values of an attribute: members of a group, for one.
pub const MAX_VALUES: usize = 1_048_576;
/// Most modifications of one request.
pub const MAX_MODIFICATIONS: usize = 4096;
/// Most URIs of a referral or a reference.
pub const MAX_URIS: usize = 256;
/// Longest object identifier, in bytes of its text.
pub const MAX_OID: usize = 256;

/// Why bytes are not the message, control or value that was expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The encoding is wrong.
    #[error("{what}: {cause}")]
    Malformed {
        /// Which part of the message.
        what: &'static str,
        /// What is wrong with it.
        cause: ber::Error,
    },
    /// The operation does not exist, or is none of those that go in this direction.
    #[error("no such operation: {0}")]
    Operation(Tag),
    /// An enumeration holds a number that its type does not have.
    #[error("{what}: {number} has no meaning")]
    Number {
        /// Which part of the message.
        what: &'static str,
        /// The number.
        number: i64,
    },
    /// An object identifier is not digits and dots.
    #[error("not an object identifier")]
    Oid,
    /// The parts are well-formed but contradict the definition of the whole.
    #[error("{0}")]
    Invalid(&'static str),
    /// More elements than the limit.
    #[error("more than {limit} {what}")]
    TooMany {
        /// Of what, in the plural.
        what: &'static str,
        /// The limit.
        limit: usize,
    },
    /// More bytes than the limit.
    #[error("{what} of more than {limit} bytes")]
    TooLong {
        /// Of what.
        what: &'static str,
        /// The limit.
        limit: usize,
    },
    /// A filter inside too many others.
    #[error("filter nested more than {limit} levels deep")]
    TooDeep {
        /// The limit.
        limit: usize,
    },
}

impl Error {
    /// How a server answers a request that fails to decode so.
    pub const fn result_code(self) -> ResultCode {
        match self {
            Self::Malformed { .. }
            | Self::Operation(_)
            | Self::Number { .. }
            | Self::Oid
            | Self::Invalid(_) => ResultCode::ProtocolError,
            Self::TooMany { .. } | Self::TooLong { .. } | Self::TooDeep { .. } => {
                ResultCode::AdminLimitExceeded
            }
        }
    }
}

/// Declares an `ENUMERATED` type: the numbers, and both directions of its codec.
macro_rules! enumeration {
    ($(#[$doc:meta])* $name:ident, $what:literal { $($(#[$vdoc:meta])* $variant:ident = $code:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $name {
            $($(#[$vdoc])* $variant,)*
        }

        impl $name {
            /// The number on the wire.
            pub const fn code(self) -> i32 {
                match self { $(Self::$variant => $code,)* }
            }

            /// What this number stands for; `None` if nothing.
            pub const fn from_code(code: i32) -> Option<Self> {
                match code { $($code => Some(Self::$variant),)* _ => None }
            }

            fn read_as(r: &mut $crate::ber::Reader<'_>, tag: $crate::ber::Tag) -> Result<Self, $crate::ldap::Error> {
                let code = r.int32(tag).map_err($crate::ldap::at($what))?;
                let error = $crate::ldap::Error::Number { what: $what, number: i64::from(code) };
                Self::from_code(code).ok_or(error)
            }

            fn put_as(self, buf: &mut Vec<u8>, tag: $crate::ber::Tag) {
                $crate::ber::put_integer(buf, tag, i64::from(self.code()));
            }
        }
    };
}
use enumeration;

/// Says which part of a message an encoding error is in.
const fn at(what: &'static str) -> impl Fn(ber::Error) -> Error {
    move |cause| Error::Malformed { what, cause }
}

/// Checks an object identifier in dotted decimal (RFC 4512 §1.4), leading zeros tolerated.
fn oid_text(bytes: &[u8]) -> Result<&str, Error> {
    if bytes.len() > MAX_OID {
        return Err(Error::TooLong { what: "object identifier", limit: MAX_OID });
    }
    if !is_numeric_oid(bytes) {
        return Err(Error::Oid);
    }
    std::str::from_utf8(bytes).map_err(|_| Error::Oid)
}

/// Whether these are numbers with single dots between them.
fn is_numeric_oid(bytes: &[u8]) -> bool {
    bytes.split(|byte| *byte == b'.').all(|arc| !arc.is_empty() && arc.iter().all(u8::is_ascii_digit))
}

/// Whether this is a short name of an attribute type or matching rule (RFC 4512 §1.4, `descr`).
/// Underscores are tolerated: names of NetInfo properties have them.
fn is_descriptor(bytes: &[u8]) -> bool {
    bytes.first().is_some_and(|first| first.is_ascii_alphabetic() || *first == b'_')
        && bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

/// Whether this is an attribute type or matching rule, by name or by number.
fn is_oid(bytes: &[u8]) -> bool {
    is_descriptor(bytes) || is_numeric_oid(bytes)
}

/// Whether this is an attribute type with options after semicolons, if any (RFC 4512 §2.5).
fn is_attribute_description(bytes: &[u8]) -> bool {
    let mut parts = bytes.split(|byte| *byte == b';');
    parts.next().is_some_and(is_oid)
        && parts.all(|option| {
            !option.is_empty()
                && option.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn object_identifiers() {
        assert_eq!(oid_text(b"1.2.840.113556.1.4.319"), Ok("1.2.840.113556.1.4.319"));
        for bad in [&b""[..], b".1", b"1.", b"1..2", b"1.a", b"cn", b"1.2\0"] {
            assert_eq!(oid_text(bad), Err(Error::Oid));
        }
        assert!(oid_text(&[b'1'; MAX_OID]).is_ok());
        let limit = Error::TooLong { what: "object identifier", limit: MAX_OID };
        assert_eq!(oid_text(&[b'1'; MAX_OID + 1]), Err(limit));
    }

    #[test]
    fn attribute_descriptions() {
        for good in
            ["cn", "2.5.4.3", "userCertificate;binary", "cn;lang-de;lang-en-US", "_shadow_passwd", "x"]
        {
            assert!(is_attribute_description(good.as_bytes()), "{good}");
        }
        for bad in ["", "1cn", "cn;", ";binary", "c n", "cn)", "cn=", "2.5.", "cn;a.b"] {
            assert!(!is_attribute_description(bad.as_bytes()), "{bad}");
        }
    }

    #[test]
    fn errors_are_protocol_errors_or_limits() {
        let malformed = Error::Malformed { what: "filter", cause: ber::Error::Truncated };
        assert_eq!(malformed.result_code(), ResultCode::ProtocolError);
        assert_eq!(malformed.to_string(), "filter: element ends early");
        assert_eq!(Error::TooDeep { limit: 64 }.result_code(), ResultCode::AdminLimitExceeded);
    }
}
