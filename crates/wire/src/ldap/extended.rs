//! Extended operations: password modify (RFC 3062), cancel (RFC 3909), turn (RFC 4531), verify credentials (OpenLDAP's, in no
//! RFC).
//!
//! StartTLS (RFC 4511 §4.14) and "Who am I?" (RFC 4532) are requests without a value, just their
//! [`super::oid`]; the latter's answer is a [`super::control::entry::AuthzId`].

use super::{Authentication, Controls, Error, Payload, ResultCode, at, oid};
use crate::ber::{self, Reader, Tag};
use crate::redact::debug_fields;

const USER: Tag = Tag::context(0);
const OLD: Tag = Tag::context(1);
const NEW: Tag = Tag::context(2);
const GENERATED: Tag = Tag::context(0);
const COOKIE: Tag = Tag::context(0);
const SERVER_CREDENTIALS: Tag = Tag::context(1);
const CONTROLS: Tag = Tag::context_constructed(2);

/// Change a password. A request without a value means the same as one with nothing in it.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct PasswordModify<'a> {
    /// Whose: a DN or anything else that names a user; the session's own user if missing.
    pub user: Option<&'a [u8]>,
    /// The password until now.
    pub old: Option<&'a [u8]>,
    /// The password from now on; to be made up by the server if missing.
    pub new: Option<&'a [u8]>,
}

debug_fields!(PasswordModify { user: hidden_option, old: hidden_option, new: hidden_option });

impl<'a> Payload<'a> for PasswordModify<'a> {
    const OID: &'static str = oid::PASSWORD_MODIFY;

    fn decode(value: &'a [u8]) -> Result<Self, Error> {
        let mut r = Reader::new(value).nested(Tag::SEQUENCE).map_err(at("password modify"))?;
        let user = r.optional(USER).map_err(at("user of the password modify"))?;
        let old = r.optional(OLD).map_err(at("old password"))?;
        let new = r.optional(NEW).map_err(at("new password"))?;
        r.finish_extensible().map_err(at("password modify"))?;
        Ok(Self { user, old, new })
    }

    fn encode(&self, buf: &mut Vec<u8>) {
        let request = ber::begin(buf, Tag::SEQUENCE);
        put_options(buf, [(USER, self.user), (OLD, self.old), (NEW, self.new)]);
        ber::end(buf, request);
    }
}

/// The answer to [`PasswordModify`].
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct PasswordModified<'a> {
    /// The password that the server made up.
    pub generated: Option<&'a [u8]>,
}

debug_fields!(PasswordModified { generated: hidden_option });

impl<'a> Payload<'a> for PasswordModified<'a> {
    const OID: &'static str = oid::PASSWORD_MODIFY;

    fn decode(value: &'a [u8]) -> Result<Self, Error> {
        let mut r = Reader::new(value).nested(Tag::SEQUENCE).map_err(at("password modified"))?;
        let generated = r.optional(GENERATED).map_err(at("generated password"))?;
        r.finish_extensible().map_err(at("password modified"))?;
        Ok(Self { generated })
    }

    fn encode(&self, buf: &mut Vec<u8>) {
        let response = ber::begin(buf, Tag::SEQUENCE);
        put_options(buf, [(GENERATED, self.generated)]);
        ber::end(buf, response);
    }
}

/// Give up an operation and say whether that worked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cancel {
    /// Message id of the operation.
    pub id: u32,
}

impl Payload<'_> for Cancel {
    const OID: &'static str = oid::CANCEL;

    fn decode(value: &[u8]) -> Result<Self, Error> {
        let mut r = Reader::new(value).nested(Tag::SEQUENCE).map_err(at("cancel"))?;
        let id = r.unsigned(Tag::INTEGER).map_err(at("cancelled id"))?;
        r.finish_extensible().map_err(at("cancel"))?;
        Ok(Self { id })
    }

    fn encode(&self, buf: &mut Vec<u8>) {
        let request = ber::begin(buf, Tag::SEQUENCE);
        ber::put_integer(buf, Tag::INTEGER, self.id.into());
        ber::end(buf, request);
    }
}

/// Change the roles of client and server.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Turn<'a> {
    /// Whether requests go both ways from now on; else only the other way.
    pub mutual: bool,
    /// What the two have agreed on beforehand.
    pub identifier: &'a [u8],
}

debug_fields!(Turn { mutual: shown, identifier: hidden });

impl<'a> Payload<'a> for Turn<'a> {
    const OID: &'static str = oid::TURN;

    fn decode(value: &'a [u8]) -> Result<Self, Error> {
        let mut r = Reader::new(value).nested(Tag::SEQUENCE).map_err(at("turn"))?;
        let mutual = r.boolean_or(Tag::BOOLEAN, false).map_err(at("mutual"))?;
        let identifier = r.octets().map_err(at("identifier of the turn"))?;
        r.finish_extensible().map_err(at("turn"))?;
        Ok(Self { mutual, identifier })
    }

    fn encode(&self, buf: &mut Vec<u8>) {
        let request = ber::begin(buf, Tag::SEQUENCE);
        if self.mutual {
            ber::put_boolean(buf, Tag::BOOLEAN, true);
        }
        ber::put(buf, Tag::OCTET_STRING, self.identifier);
        ber::end(buf, request);
    }
}

/// Say whether a bind would succeed, without making it one.
///
/// ```text
/// SEQUENCE { cookie [0] OCTET STRING OPTIONAL, name LDAPDN, authentication AuthenticationChoice,
///            controls [2] Controls OPTIONAL }
/// ```
#[derive(Clone, Copy, PartialEq)]
pub struct VerifyCredentials<'a> {
    /// What the answer to the message before it said, in an exchange of several.
    pub cookie: Option<&'a [u8]>,
    /// DN, as in a bind.
    pub name: &'a [u8],
    /// How it is proved.
    pub authentication: Authentication<'a>,
    /// Controls as a bind has them.
    pub controls: Controls<'a>,
}

debug_fields!(VerifyCredentials {
    cookie: hidden_option,
    name: hidden,
    authentication: shown,
    controls: shown
});

impl<'a> Payload<'a> for VerifyCredentials<'a> {
    const OID: &'static str = oid::VERIFY_CREDENTIALS;

    fn decode(value: &'a [u8]) -> Result<Self, Error> {
        let mut r = Reader::new(value).nested(Tag::SEQUENCE).map_err(at("verify credentials"))?;
        let cookie = r.optional(COOKIE).map_err(at("cookie of the credentials"))?;
        let name = r.octets().map_err(at("name to verify"))?;
        let authentication = Authentication::read(&mut r)?;
        let controls = Controls::read_optional(&mut r, CONTROLS)?.unwrap_or_default();
        r.finish_extensible().map_err(at("verify credentials"))?;
        Ok(Self { cookie, name, authentication, controls })
    }

    fn encode(&self, buf: &mut Vec<u8>) {
        let request = ber::begin(buf, Tag::SEQUENCE);
        put_options(buf, [(COOKIE, self.cookie)]);
        ber::put(buf, Tag::OCTET_STRING, self.name);
        self.authentication.put(buf);
        put_controls(buf, self.controls);
        ber::end(buf, request);
    }
}

/// The answer to [`VerifyCredentials`]: what the answer to the bind would have said.
///
/// ```text
/// SEQUENCE { resultCode ENUMERATED, diagnosticMessage LDAPString, cookie [0] OCTET STRING OPTIONAL,
///            serverSaslCreds [1] OCTET STRING OPTIONAL, controls [2] Controls OPTIONAL }
/// ```
#[derive(Clone, Copy, PartialEq, Default)]
pub struct CredentialsVerified<'a> {
    /// How the bind would have gone.
    pub code: ResultCode,
    /// Words for people.
    pub message: &'a [u8],
    /// For the next message, in an exchange of several.
    pub cookie: Option<&'a [u8]>,
    /// What a SASL mechanism sends.
    pub credentials: Option<&'a [u8]>,
    /// Controls as the answer to a bind has them.
    pub controls: Controls<'a>,
}

debug_fields!(CredentialsVerified {
    code: shown,
    message: hidden,
    cookie: hidden_option,
    credentials: hidden_option,
    controls: shown
});

impl<'a> Payload<'a> for CredentialsVerified<'a> {
    const OID: &'static str = oid::VERIFY_CREDENTIALS;

    fn decode(value: &'a [u8]) -> Result<Self, Error> {
        let mut r = Reader::new(value).nested(Tag::SEQUENCE).map_err(at("credentials verified"))?;
        let code = ResultCode::from_code(r.enumerated().map_err(at("result of the credentials"))?);
        let message = r.octets().map_err(at("words about the credentials"))?;
        let cookie = r.optional(COOKIE).map_err(at("cookie of the credentials"))?;
        let credentials = r.optional(SERVER_CREDENTIALS).map_err(at("SASL credentials"))?;
        let controls = Controls::read_optional(&mut r, CONTROLS)?.unwrap_or_default();
        r.finish_extensible().map_err(at("credentials verified"))?;
        Ok(Self { code, message, cookie, credentials, controls })
    }

    fn encode(&self, buf: &mut Vec<u8>) {
        let response = ber::begin(buf, Tag::SEQUENCE);
        ber::put_integer(buf, Tag::ENUMERATED, self.code.code().into());
        ber::put(buf, Tag::OCTET_STRING, self.message);
        put_options(buf, [(COOKIE, self.cookie), (SERVER_CREDENTIALS, self.credentials)]);
        put_controls(buf, self.controls);
        ber::end(buf, response);
    }
}

/// Appends those of some fields that are there.
fn put_options<const N: usize>(buf: &mut Vec<u8>, fields: [(Tag, Option<&[u8]>); N]) {
    for (tag, value) in fields {
        if let Some(value) = value {
            ber::put(buf, tag, value);
        }
    }
}

/// Appends controls if there are any.
fn put_controls(buf: &mut Vec<u8>, controls: Controls<'_>) {
    if !controls.is_empty() {
        controls.encode(buf, CONTROLS);
    }
}

#[cfg(test)]
mod tests {
    use super::super::ControlsBuf;
    use super::super::control::encoded;
    use super::*;

    #[test]
    fn known_bytes() {
        let modify = PasswordModify { user: Some(b"u"), old: None, new: Some(b"n") };
        assert_eq!(encoded(&modify), b"\x30\x06\x80\x01u\x82\x01n");
        assert_eq!(PasswordModify::decode(b"\x30\0"), Ok(PasswordModify::default()));
        assert_eq!(encoded(&PasswordModified { generated: Some(b"g") }), b"\x30\x03\x80\x01g");
        assert_eq!(encoded(&Cancel { id: 300 }), b"\x30\x04\x02\x02\x01\x2c");
        assert_eq!(encoded(&Turn { mutual: false, identifier: b"i" }), b"\x30\x03\x04\x01i");
        assert!(Cancel::decode(b"\x30\x03\x02\x01\xff").is_err());
        // As libldap 2.5 sends it, with the control of password policies.
        let mut controls = ControlsBuf::new();
        controls.flag(oid::PASSWORD_POLICY, false);
        let verify = VerifyCredentials {
            cookie: None,
            name: b"uid=x,dc=y",
            authentication: Authentication::Simple(b"pw!"),
            controls: controls.as_list(),
        };
        let bytes = b"\x30\x30\x04\x0auid=x,dc=y\x80\x03pw!\xa2\x1d\x30\x1b\x04\x191.3.6.1.4.1.42.2.27.8.5.1";
        assert_eq!(encoded(&verify), bytes);
        assert_eq!(VerifyCredentials::decode(bytes), Ok(verify));
        let verified = CredentialsVerified { code: ResultCode::InvalidCredentials, ..Default::default() };
        assert_eq!(encoded(&verified), b"\x30\x05\x0a\x01\x31\x04\0");
    }

    #[test]
    fn passwords_are_not_shown() {
        let modify = PasswordModify { user: Some(b"hidden"), old: Some(b"hidden"), new: Some(b"hidden") };
        let modified = PasswordModified { generated: Some(b"hidden") };
        let verify = VerifyCredentials {
            cookie: Some(b"hidden"),
            name: b"hidden",
            authentication: Authentication::Simple(b"hidden"),
            controls: Controls::EMPTY,
        };
        let text = format!("{modify:?} {modified:?} {verify:?}");
        assert!(!text.contains("hidden") && !text.contains("104") && text.contains("<6 bytes>"), "{text}");
    }
}
