//! Controls about entries and identities: assertion (RFC 4528), pre- and post-read (RFC 4527),
//! subentries (RFC 3672), proxied authorization (RFC 4370).

use std::fmt;

use super::Payload;
use crate::ber::{self, Reader, Tag};
use crate::ldap::attribute::Selection;
use crate::ldap::filter::Filter;
use crate::ldap::response::{SearchEntry, tag};
use crate::ldap::{Error, at, oid};
use crate::redact::Hidden;

/// The operation is done only if the entry matches; else `assertionFailed`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AssertionControl<'a> {
    /// What the entry must match.
    pub filter: Filter<'a>,
}

impl<'a> Payload<'a> for AssertionControl<'a> {
    const OID: &'static str = oid::ASSERTION;

    fn decode(value: &'a [u8]) -> Result<Self, Error> {
        Ok(Self { filter: Filter::decode(value)? })
    }

    fn encode(&self, buf: &mut Vec<u8>) {
        self.filter.encode(buf);
    }
}

macro_rules! read_entry {
    ($($(#[$doc:meta])* $request:ident, $(#[$response_doc:meta])* $response:ident, $oid:expr;)*) => { $(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq)]
        pub struct $request<'a> {
            /// Which attributes; as in a search.
            pub attributes: Selection<'a>,
        }

        impl<'a> Payload<'a> for $request<'a> {
            const OID: &'static str = $oid;

            fn decode(value: &'a [u8]) -> Result<Self, Error> {
                Ok(Self { attributes: Selection::read(&mut Reader::new(value), Tag::SEQUENCE)? })
            }

            fn encode(&self, buf: &mut Vec<u8>) {
                self.attributes.encode(buf, Tag::SEQUENCE);
            }
        }

        $(#[$response_doc])*
        #[derive(Clone, Copy, Debug, PartialEq)]
        pub struct $response<'a> {
            /// The entry. Servers write it with [`crate::ldap::writer::put_entry`].
            pub entry: SearchEntry<'a>,
        }

        impl<'a> Payload<'a> for $response<'a> {
            const OID: &'static str = $oid;

            fn decode(value: &'a [u8]) -> Result<Self, Error> {
                read_entry(value).map(|entry| Self { entry })
            }

            fn encode(&self, buf: &mut Vec<u8>) {
                let entry = ber::begin(buf, tag::SEARCH_ENTRY);
                self.entry.put(buf);
                ber::end(buf, entry);
            }
        }
    )* };
}

read_entry! {
    /// Return the entry as it is before the operation.
    PreReadRequest,
    /// The entry as it was before the operation.
    PreReadResponse, oid::PRE_READ;
    /// Return the entry as it is after the operation.
    PostReadRequest,
    /// The entry as it is after the operation.
    PostReadResponse, oid::POST_READ;
}

/// Servers disagree on the tag of the entry: that of the operation or a plain sequence.
fn read_entry(value: &[u8]) -> Result<SearchEntry<'_>, Error> {
    let mut r = Reader::new(value);
    let tag = if r.peek() == Some(Tag::SEQUENCE) { Tag::SEQUENCE } else { tag::SEARCH_ENTRY };
    let mut fields = r.nested(tag).map_err(at("entry read"))?;
    let entry = SearchEntry::read(&mut fields)?;
    fields.finish_extensible().map_err(at("entry read"))?;
    Ok(entry)
}

/// Which of entries and subentries a search sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Subentries {
    /// Subentries only, or else entries only.
    pub visible: bool,
}

impl Payload<'_> for Subentries {
    const OID: &'static str = oid::SUBENTRIES;

    fn decode(value: &[u8]) -> Result<Self, Error> {
        Ok(Self { visible: Reader::new(value).boolean(Tag::BOOLEAN).map_err(at("subentries"))? })
    }

    fn encode(&self, buf: &mut Vec<u8>) {
        ber::put_boolean(buf, Tag::BOOLEAN, self.visible);
    }
}

/// Who an operation is done as, if the client may do that. The value is the identity itself, not BER.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProxiedAuthorization<'a> {
    /// The identity.
    pub identity: AuthzId<'a>,
}

impl<'a> Payload<'a> for ProxiedAuthorization<'a> {
    const OID: &'static str = oid::PROXIED_AUTHORIZATION;

    fn decode(value: &'a [u8]) -> Result<Self, Error> {
        Ok(Self { identity: AuthzId::decode(value)? })
    }

    fn encode(&self, buf: &mut Vec<u8>) {
        self.identity.encode(buf);
    }
}

/// An authorization identity (RFC 4513 §5.2.1.8), also the answer to "Who am I?" (RFC 4532).
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum AuthzId<'a> {
    /// Nobody.
    Anonymous,
    /// `dn:` and a DN.
    Dn(&'a [u8]),
    /// `u:` and a name.
    User(&'a [u8]),
}

impl fmt::Debug for AuthzId<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Anonymous => f.write_str("Anonymous"),
            Self::Dn(dn) => f.debug_tuple("Dn").field(&Hidden(dn)).finish(),
            Self::User(name) => f.debug_tuple("User").field(&Hidden(name)).finish(),
        }
    }
}

impl<'a> AuthzId<'a> {
    /// Reads an identity from its text.
    ///
    /// # Errors
    /// [`Error::Invalid`] if it is of neither form.
    pub fn decode(text: &'a [u8]) -> Result<Self, Error> {
        // The empty DN is that of nobody, too (RFC 4513 §5.1.1).
        if text.is_empty() || text == b"dn:" {
            Ok(Self::Anonymous)
        } else if let Some(dn) = text.strip_prefix(b"dn:") {
            Ok(Self::Dn(dn))
        } else if let Some(name) = text.strip_prefix(b"u:") {
            Ok(Self::User(name))
        } else {
            Err(Error::Invalid("authorization identity that begins with neither dn: nor u:"))
        }
    }

    /// Appends the text.
    pub fn encode(&self, buf: &mut Vec<u8>) {
        let (prefix, rest): (&[u8], &[u8]) = match self {
            Self::Anonymous => (b"", b""),
            Self::Dn(dn) => (b"dn:", dn),
            Self::User(name) => (b"u:", name),
        };
        buf.extend_from_slice(prefix);
        buf.extend_from_slice(rest);
    }
}

#[cfg(test)]
mod tests {
    use super::super::encoded;
    use super::*;
    use crate::ldap::writer::put_entry;

    #[test]
    fn identities() {
        for (text, identity) in [
            (&b""[..], AuthzId::Anonymous),
            (b"dn:cn=x", AuthzId::Dn(b"cn=x")),
            (b"u:alice", AuthzId::User(b"alice")),
        ] {
            let control = ProxiedAuthorization { identity };
            assert_eq!(ProxiedAuthorization::decode(text), Ok(control));
            assert_eq!(encoded(&control), text);
        }
        assert_eq!(AuthzId::decode(b"dn:"), Ok(AuthzId::Anonymous), "the empty DN is nobody's");
        assert!(AuthzId::decode(b"alice").is_err());
        let text = format!("{:?} {:?}", AuthzId::Dn(b"hidden"), AuthzId::User(b"hidden"));
        assert!(!text.contains("hidden"));
    }

    #[test]
    fn entries_with_either_tag() {
        let mut value = Vec::new();
        put_entry(&mut value, |buf| buf.push(b'd'), |attributes| attributes.attribute("a").value("v"));
        let read = PostReadResponse::decode(&value).unwrap();
        assert_eq!((read.entry.dn, read.entry.attributes.len()), (&b"d"[..], 1));
        assert_eq!(encoded(&read), value);
        let mut plain = value.clone();
        plain[0] = Tag::SEQUENCE.octet();
        assert_eq!(PostReadResponse::decode(&plain), Ok(read));
        assert!(PreReadResponse::decode(b"\x31\0").is_err());
        assert_ne!(PreReadRequest::OID, PostReadRequest::OID);
    }

    #[test]
    fn subentries_are_a_bare_boolean() {
        assert_eq!(encoded(&Subentries { visible: true }), b"\x01\x01\xff");
        assert_eq!(Subentries::decode(b"\x01\x01\0"), Ok(Subentries { visible: false }));
        assert!(Subentries::decode(b"").is_err());
    }
}
