//! The envelope of every operation (RFC 4511 §4.1.1): message id, operation, controls.

use super::{Controls, Error, MessageWriter, Request, Response, at};
use crate::ber::{self, Frame, FrameError, Reader, Tag};

const CONTROLS: Tag = Tag::context_constructed(0);

/// The message id of unsolicited notifications.
pub const UNSOLICITED: u32 = 0;

/// Finds the end of the message at the front of `buf`, of at most `limit` bytes:
/// [`super::MAX_MESSAGE_UNBOUND`] before a bind, [`super::MAX_MESSAGE_BOUND`] after it. What cannot
/// become a message, such as another protocol, is noticed from its first octet.
///
/// # Errors
/// [`FrameError`]: the connection is to be closed.
pub fn frame(buf: &[u8], limit: usize) -> Result<Frame, FrameError> {
    match Reader::new(buf).peek() {
        Some(found) if found != Tag::SEQUENCE => {
            Err(FrameError::Malformed(ber::Error::Tag { expected: Tag::SEQUENCE, found }))
        }
        _ => ber::frame(buf, limit),
    }
}

/// A message whose operation has not been decoded: enough to answer it, should that fail.
///
/// If the envelope itself fails to decode the connection cannot be followed any further (RFC 4511
/// §4.1.1): notice of disconnection, close.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Envelope<'a> {
    /// Message id, 0 to 2^31 - 1.
    pub id: u32,
    /// Which operation.
    pub tag: Tag,
    /// What is inside it.
    contents: Contents<'a>,
    /// The controls.
    pub controls: Controls<'a>,
}

/// Bytes that are not shown.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Contents<'a>(&'a [u8]);

impl std::fmt::Debug for Contents<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        crate::redact::Hidden(self.0).fmt(f)
    }
}

impl<'a> Envelope<'a> {
    /// Decodes a whole message, as delimited by [`frame`].
    ///
    /// # Errors
    /// [`Error`]; bytes after the message are [`ber::Error::Trailing`].
    pub fn decode(bytes: &'a [u8]) -> Result<Self, Error> {
        let mut r = Reader::new(bytes);
        let mut message = r.nested(Tag::SEQUENCE).map_err(at("message"))?;
        r.finish().map_err(at("message"))?;
        let id = message.unsigned(Tag::INTEGER).map_err(at("message id"))?;
        let (tag, contents) = message.element().map_err(at("operation"))?;
        let controls = Controls::read_optional(&mut message, CONTROLS)?.unwrap_or_default();
        message.finish_extensible().map_err(at("message"))?;
        Ok(Self { id, tag, contents: Contents(contents), controls })
    }

    /// Decodes the operation as a request.
    ///
    /// # Errors
    /// [`Error::Operation`] if it is none: the connection cannot be followed any further. Any other
    /// [`Error`] can be answered by [`Response::to_request`] with [`Error::result_code`]. A message id
    /// of 0 is [`Error::Number`]: it is not for requests.
    pub fn request(&self) -> Result<Request<'a>, Error> {
        let request = Request::decode(self.tag, self.contents.0)?;
        if self.id == UNSOLICITED {
            return Err(Error::Number { what: "message id", number: 0 });
        }
        Ok(request)
    }

    /// Decodes the operation as a response.
    ///
    /// # Errors
    /// [`Error::Operation`] if it is none; else [`Error`] about a part.
    pub fn response(&self) -> Result<Response<'a>, Error> {
        Response::decode(self.tag, self.contents.0)
    }
}

/// A message with its operation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Message<'a, T> {
    /// Message id, 1 to 2^31 - 1; [`UNSOLICITED`] for notifications.
    pub id: u32,
    /// The operation: a [`Request`] or a [`Response`].
    pub op: T,
    /// The controls.
    pub controls: Controls<'a>,
}

impl<T> Message<'_, T> {
    /// A message without controls.
    pub const fn new(id: u32, op: T) -> Self {
        Self { id, op, controls: Controls::EMPTY }
    }
}

impl<'a> Message<'a, Request<'a>> {
    /// Decodes a whole request.
    ///
    /// # Errors
    /// Those of [`Envelope::decode`] and [`Envelope::request`].
    pub fn decode(bytes: &'a [u8]) -> Result<Self, Error> {
        let envelope = Envelope::decode(bytes)?;
        Ok(Self { id: envelope.id, op: envelope.request()?, controls: envelope.controls })
    }

    /// Appends the message.
    pub fn encode(&self, buf: &mut Vec<u8>) {
        let mut message = MessageWriter::begin(buf, self.id);
        message.request(&self.op);
        message.controls(self.controls);
        message.finish();
    }
}

impl<'a> Message<'a, Response<'a>> {
    /// Decodes a whole response.
    ///
    /// # Errors
    /// Those of [`Envelope::decode`] and [`Envelope::response`].
    pub fn decode(bytes: &'a [u8]) -> Result<Self, Error> {
        let envelope = Envelope::decode(bytes)?;
        Ok(Self { id: envelope.id, op: envelope.response()?, controls: envelope.controls })
    }

    /// Appends the message.
    pub fn encode(&self, buf: &mut Vec<u8>) {
        let mut message = MessageWriter::begin(buf, self.id);
        message.response(&self.op);
        message.controls(self.controls);
        message.finish();
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Authentication, BindRequest, LdapResult, ResultCode};
    use super::*;

    const UNBIND: &[u8] = b"\x30\x05\x02\x01\x07\x42\0";

    #[test]
    fn the_envelope_survives_a_bad_operation() {
        // A bind of version 0.
        let bytes = b"\x30\x0c\x02\x01\x05\x60\x07\x02\x01\0\x04\0\x80\0";
        let envelope = Envelope::decode(bytes).unwrap();
        let error = envelope.request().unwrap_err();
        assert_eq!(error, Error::Number { what: "version", number: 0 });
        let result = LdapResult::new(error.result_code(), b"version");
        let response = Response::to_request(envelope.tag, result).unwrap();
        let mut buf = Vec::new();
        Message::new(envelope.id, response).encode(&mut buf);
        let decoded = Message::<Response<'_>>::decode(&buf).unwrap();
        assert_eq!((decoded.id, decoded.op), (5, response));
        assert_eq!(decoded.op.result().unwrap().code, ResultCode::ProtocolError);
    }

    #[test]
    fn only_requests_are_requests() {
        let response = b"\x30\x0c\x02\x01\x01\x61\x07\x0a\x01\0\x04\0\x04\0";
        assert_eq!(
            Envelope::decode(response).unwrap().request(),
            Err(Error::Operation(Tag::application_constructed(1)))
        );
        assert!(Envelope::decode(response).unwrap().response().is_ok());
        assert_eq!(Envelope::decode(UNBIND).unwrap().response(), Err(Error::Operation(Tag::application(2))));
        assert_eq!(Response::to_request(Tag::application(2), LdapResult::default()), None);
    }

    #[test]
    fn message_ids() {
        assert_eq!(Message::<Request<'_>>::decode(UNBIND).unwrap().id, 7);
        let zero = b"\x30\x05\x02\x01\0\x42\0";
        assert_eq!(
            Message::<Request<'_>>::decode(zero),
            Err(Error::Number { what: "message id", number: 0 })
        );
        for bad in [&b"\x30\x05\x02\x01\xff\x42\0"[..], b"\x30\x09\x02\x05\0\x80\0\0\0\x42\0"] {
            assert!(matches!(Envelope::decode(bad), Err(Error::Malformed { what: "message id", .. })));
        }
    }

    #[test]
    fn what_later_versions_add_is_ignored_and_what_follows_is_not() {
        let more = b"\x30\x0a\x02\x01\x07\x42\0\x85\x03new";
        assert_eq!(Message::<Request<'_>>::decode(more).unwrap().op, Request::Unbind);
        let trailing = [UNBIND, b"\0"].concat();
        let cause = ber::Error::Trailing(1);
        assert_eq!(Envelope::decode(&trailing), Err(Error::Malformed { what: "message", cause }));
    }

    #[test]
    fn frames_are_sequences_within_the_limit() {
        assert_eq!(frame(UNBIND, 7), Ok(Frame::Complete(7)));
        assert_eq!(frame(UNBIND, 6), Err(FrameError::TooLarge { len: 7, limit: 6 }));
        assert_eq!(frame(b"", 6), Ok(Frame::Need(2)));
        for other in [&b"GET / HTTP/1.1"[..], b"\x16\x03\x01", b"\x80\0\0\x28"] {
            assert!(matches!(frame(&other[..1], 100), Err(FrameError::Malformed(_))));
        }
        let bound = crate::ldap::MAX_MESSAGE_BOUND;
        assert_eq!(frame(b"\x30\x84\0\xff\xff\xfa", bound), Ok(Frame::Need(bound - 6)));
        assert!(frame(b"\x30\x84\0\xff\xff\xfb", bound).is_err());
        let unbound = crate::ldap::MAX_MESSAGE_UNBOUND;
        assert_eq!(frame(b"\x30\x83\x03\xff\xfb", unbound), Ok(Frame::Need(unbound - 5)));
        assert!(frame(b"\x30\x83\x03\xff\xfc", unbound).is_err());
    }

    #[test]
    fn passwords_are_not_shown() {
        for authentication in [
            Authentication::Simple(b"hidden"),
            Authentication::Sasl { mechanism: b"PLAIN", credentials: Some(b"hidden") },
        ] {
            let bind = Request::Bind(BindRequest { version: 3, name: b"cn=hidden", authentication });
            let mut buf = Vec::new();
            Message::new(1, bind).encode(&mut buf);
            let envelope = Envelope::decode(&buf).unwrap();
            let text = format!("{envelope:?} {:?}", Message::<Request<'_>>::decode(&buf).unwrap());
            assert!(
                !text.contains("hidden") && !text.contains("104, 105") && text.contains("<6 bytes>"),
                "{text}"
            );
        }
    }
}
