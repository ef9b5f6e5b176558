//! Bind (RFC 4511 §4.2).

use std::fmt;

use crate::ber::{self, Reader, Tag};
use crate::ldap::{Error, at};
use crate::redact::{Hidden, Text, debug_fields};

/// The LDAP version this module speaks.
pub const VERSION: u8 = 3;

const SIMPLE: Tag = Tag::context(0);
const SASL: Tag = Tag::context_constructed(3);

/// Who the client wants to be.
#[derive(Clone, Copy, PartialEq)]
pub struct BindRequest<'a> {
    /// Protocol version, 1 to 127; [`VERSION`] is what is spoken.
    pub version: u8,
    /// DN, empty for anonymous and usually for SASL.
    pub name: &'a [u8],
    /// How it is proved.
    pub authentication: Authentication<'a>,
}

debug_fields!(BindRequest { version: shown, name: hidden, authentication: shown });

/// How a client proves who it is.
#[derive(Clone, Copy, PartialEq)]
pub enum Authentication<'a> {
    /// A password, or none at all.
    Simple(&'a [u8]),
    /// One message of a SASL exchange.
    Sasl {
        /// Name of the mechanism; empty aborts the exchange.
        mechanism: &'a [u8],
        /// What the mechanism sends.
        credentials: Option<&'a [u8]>,
    },
    /// A choice that the protocol does not have: the answer is `authMethodNotSupported`.
    Other(Tag),
}

impl fmt::Debug for Authentication<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Simple(password) => f.debug_tuple("Simple").field(&Hidden(password)).finish(),
            Self::Sasl { mechanism, credentials } => f
                .debug_struct("Sasl")
                .field("mechanism", &Text(mechanism))
                .field("credentials", &credentials.map(Hidden))
                .finish(),
            Self::Other(tag) => f.debug_tuple("Other").field(tag).finish(),
        }
    }
}

impl<'a> BindRequest<'a> {
    pub(super) fn read(r: &mut Reader<'a>) -> Result<Self, Error> {
        let number = r.integer(Tag::INTEGER).map_err(at("version"))?;
        let version = u8::try_from(number).ok().filter(|version| (1..=127).contains(version));
        let version = version.ok_or(Error::Number { what: "version", number })?;
        let name = r.octets().map_err(at("name to bind as"))?;
        Ok(Self { version, name, authentication: Authentication::read(r)? })
    }

    pub(super) fn put(&self, buf: &mut Vec<u8>) {
        ber::put_integer(buf, Tag::INTEGER, self.version.into());
        ber::put(buf, Tag::OCTET_STRING, self.name);
        self.authentication.put(buf);
    }
}

impl<'a> Authentication<'a> {
    pub(in crate::ldap) fn read(r: &mut Reader<'a>) -> Result<Self, Error> {
        let (tag, contents) = r.element().map_err(at("authentication"))?;
        Ok(match tag {
            SIMPLE => Self::Simple(contents),
            SASL => {
                let mut sasl = Reader::new(contents);
                let mechanism = sasl.octets().map_err(at("SASL mechanism"))?;
                let credentials = sasl.optional(Tag::OCTET_STRING).map_err(at("SASL credentials"))?;
                sasl.finish_extensible().map_err(at("SASL credentials"))?;
                Self::Sasl { mechanism, credentials }
            }
            tag => Self::Other(tag),
        })
    }

    pub(in crate::ldap) fn put(&self, buf: &mut Vec<u8>) {
        match self {
            Self::Simple(password) => ber::put(buf, SIMPLE, password),
            Self::Sasl { mechanism, credentials } => {
                let sasl = ber::begin(buf, SASL);
                ber::put(buf, Tag::OCTET_STRING, mechanism);
                if let Some(credentials) = credentials {
                    ber::put(buf, Tag::OCTET_STRING, credentials);
                }
                ber::end(buf, sasl);
            }
            Self::Other(tag) => ber::put_null(buf, *tag),
        }
    }
}
