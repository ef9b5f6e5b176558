//! Messages written straight into the send buffer, entries attribute by attribute and value by value,
//! without building anything first.
//!
//! Whatever becomes of them, these writers leave whole elements: a message that is not finished takes
//! back all that was written of it, and an attribute ends when its [`ValuesWriter`] goes.

use super::control::put_control;
use super::{Controls, Payload, Request, Response, response};
use crate::ber::{self, Mark, Tag};

const CONTROLS: Tag = Tag::context_constructed(0);
/// Lengths below this take one octet.
const SHORT: usize = 0x80;

/// A buffer that is cut back to where it was unless the writing is completed.
#[derive(Debug)]
struct Guard<'b> {
    buf: &'b mut Vec<u8>,
    start: usize,
    complete: bool,
}

impl Drop for Guard<'_> {
    fn drop(&mut self) {
        if !self.complete {
            self.buf.truncate(self.start);
        }
    }
}

/// Writes one message: first the operation, once, then controls.
#[must_use = "a message that is not finished is taken back"]
#[derive(Debug)]
pub struct MessageWriter<'b> {
    out: Guard<'b>,
    message: Mark,
    controls: Option<Mark>,
}

impl<'b> MessageWriter<'b> {
    /// Begins a message at the end of `buf`.
    pub fn begin(buf: &'b mut Vec<u8>, id: u32) -> Self {
        Self::begin_as(buf, id, ber::begin)
    }

    fn begin_as(buf: &'b mut Vec<u8>, id: u32, begin: fn(&mut Vec<u8>, Tag) -> Mark) -> Self {
        let start = buf.len();
        let message = begin(buf, Tag::SEQUENCE);
        ber::put_integer(buf, Tag::INTEGER, id.into());
        Self { out: Guard { buf, start, complete: false }, message, controls: None }
    }

    /// Writes the operation.
    pub fn request(&mut self, op: &Request<'_>) {
        op.encode(self.out.buf);
    }

    /// Writes the operation.
    pub fn response(&mut self, op: &Response<'_>) {
        op.encode(self.out.buf);
    }

    /// Adds a control without a value.
    pub fn control(&mut self, oid: &str, critical: bool) {
        put_control(self.begin_control(), oid, critical, None::<fn(&mut Vec<u8>)>);
    }

    /// Adds a control whose value `put` appends.
    pub fn control_with(&mut self, oid: &str, critical: bool, put: impl FnOnce(&mut Vec<u8>)) {
        put_control(self.begin_control(), oid, critical, Some(put));
    }

    /// Adds a control of a known type.
    pub fn payload<'a, P: Payload<'a>>(&mut self, critical: bool, payload: &P) {
        self.control_with(P::OID, critical, |buf| payload.encode(buf));
    }

    /// Adds these controls.
    pub fn controls(&mut self, controls: Controls<'_>) {
        for control in controls {
            match control.value {
                Some(value) => {
                    self.control_with(control.oid, control.critical, |buf| buf.extend_from_slice(value));
                }
                None => self.control(control.oid, control.critical),
            }
        }
    }

    fn begin_control(&mut self) -> &mut Vec<u8> {
        if self.controls.is_none() {
            self.controls = Some(ber::begin(self.out.buf, CONTROLS));
        }
        self.out.buf
    }

    /// Ends the message.
    pub fn finish(self) {
        let Self { mut out, message, controls } = self;
        if let Some(controls) = controls {
            ber::end(out.buf, controls);
        }
        ber::end(out.buf, message);
        out.complete = true;
    }
}

/// Writes one search result entry.
///
/// ```
/// use netinfo_wire::ldap::{EntryWriter, Message, Response};
///
/// let mut buf = Vec::new();
/// let mut entry = EntryWriter::begin(&mut buf, 2, b"cn=alice");
/// let mut values = entry.attribute("cn");
/// values.value("alice");
/// drop(values);
/// entry.end().finish();
///
/// let message = Message::<Response>::decode(&buf)?;
/// let Response::SearchEntry(entry) = message.op else { panic!() };
/// assert_eq!(entry.attributes.get("cn").and_then(|cn| cn.iter().next()), Some(&b"alice"[..]));
/// # Ok::<(), netinfo_wire::ldap::Error>(())
/// ```
#[must_use = "an entry that is not ended is taken back"]
#[derive(Debug)]
pub struct EntryWriter<'b> {
    message: MessageWriter<'b>,
    entry: Mark,
    attributes: Mark,
}

impl<'b> EntryWriter<'b> {
    /// Begins an entry with this DN at the end of `buf`.
    pub fn begin(buf: &'b mut Vec<u8>, id: u32, dn: &[u8]) -> Self {
        Self::begin_with(buf, id, |buf| buf.extend_from_slice(dn))
    }

    /// Begins an entry whose DN `dn` appends, for example with a [`super::dn::DnWriter`].
    pub fn begin_with(buf: &'b mut Vec<u8>, id: u32, dn: impl FnOnce(&mut Vec<u8>)) -> Self {
        let message = MessageWriter::begin_as(buf, id, ber::begin_long);
        let entry = ber::begin_long(message.out.buf, response::tag::SEARCH_ENTRY);
        put_dn(message.out.buf, dn);
        let attributes = ber::begin_long(message.out.buf, Tag::SEQUENCE);
        Self { message, entry, attributes }
    }

    /// Begins the next attribute.
    pub fn attribute(&mut self, name: impl AsRef<[u8]>) -> ValuesWriter<'_> {
        ValuesWriter::begin(self.message.out.buf, name.as_ref())
    }

    /// The same for code that also writes entries by [`put_entry`].
    pub fn attributes(&mut self) -> AttributesWriter<'_> {
        AttributesWriter { buf: self.message.out.buf }
    }

    /// Bytes written of the message so far.
    pub fn written(&self) -> usize {
        self.message.out.buf.len() - self.message.out.start
    }

    /// Ends the entry. What comes back takes controls and ends the message.
    pub fn end(self) -> MessageWriter<'b> {
        ber::end(self.message.out.buf, self.attributes);
        ber::end(self.message.out.buf, self.entry);
        self.message
    }
}

/// Appends an entry that is not a message of its own: the value of a read-entry control (RFC 4527).
pub fn put_entry(
    buf: &mut Vec<u8>,
    dn: impl FnOnce(&mut Vec<u8>),
    attributes: impl FnOnce(&mut AttributesWriter<'_>),
) {
    let entry = ber::begin_long(buf, response::tag::SEARCH_ENTRY);
    put_dn(buf, dn);
    let list = ber::begin_long(buf, Tag::SEQUENCE);
    attributes(&mut AttributesWriter { buf });
    ber::end(buf, list);
    ber::end(buf, entry);
}

fn put_dn(buf: &mut Vec<u8>, dn: impl FnOnce(&mut Vec<u8>)) {
    let mark = ber::begin(buf, Tag::OCTET_STRING);
    dn(buf);
    ber::end(buf, mark);
}

/// Writes the attributes of an entry.
#[derive(Debug)]
pub struct AttributesWriter<'b> {
    buf: &'b mut Vec<u8>,
}

impl AttributesWriter<'_> {
    /// Writes an attribute with one value.
    #[inline]
    pub fn single(&mut self, name: &str, value: &[u8]) {
        let (name, values) = (name.as_bytes(), ber::len_of(value.len()));
        let whole = ber::len_of(name.len()) + ber::len_of(values);
        if whole >= SHORT {
            return self.attribute(name).value(value);
        }
        self.buf.reserve(2 + whole);
        ber::put_header(self.buf, Tag::SEQUENCE, whole);
        ber::put(self.buf, Tag::OCTET_STRING, name);
        ber::put_header(self.buf, Tag::SET, values);
        ber::put(self.buf, Tag::OCTET_STRING, value);
    }

    /// Where the next attribute will stand: for [`Self::undo`].
    pub fn position(&self) -> usize {
        self.buf.len()
    }

    /// Everything that was written since it stood at `position`: for [`Self::encoded`].
    pub fn since(&self, position: usize) -> &[u8] {
        self.buf.get(position..).unwrap_or_default()
    }

    /// Writes attributes as they were written before.
    pub fn encoded(&mut self, attributes: &[u8]) {
        self.buf.extend_from_slice(attributes);
    }

    /// Takes back all attributes that were written since they stood at `position`.
    pub fn undo(&mut self, position: usize) {
        self.buf.truncate(position);
    }

    /// Begins the next attribute.
    pub fn attribute(&mut self, name: impl AsRef<[u8]>) -> ValuesWriter<'_> {
        ValuesWriter::begin(self.buf, name.as_ref())
    }
}

/// Writes the values of one attribute, which ends when this is dropped.
#[derive(Debug)]
pub struct ValuesWriter<'b> {
    buf: &'b mut Vec<u8>,
    /// The attribute and its set of values; gone once it is cancelled.
    open: Option<(Mark, Mark)>,
    count: usize,
}

impl<'b> ValuesWriter<'b> {
    fn begin(buf: &'b mut Vec<u8>, name: &[u8]) -> Self {
        let attribute = ber::begin(buf, Tag::SEQUENCE);
        ber::put(buf, Tag::OCTET_STRING, name);
        let values = ber::begin(buf, Tag::SET);
        Self { buf, open: Some((attribute, values)), count: 0 }
    }

    /// Writes a value.
    #[inline]
    pub fn value(&mut self, value: impl AsRef<[u8]>) {
        ber::put(self.buf, Tag::OCTET_STRING, value.as_ref());
        self.count += 1;
    }

    /// Writes a value that `put` appends.
    pub fn value_with(&mut self, put: impl FnOnce(&mut Vec<u8>)) {
        let value = ber::begin(self.buf, Tag::OCTET_STRING);
        put(self.buf);
        ber::end(self.buf, value);
        self.count += 1;
    }

    /// How many values have been written.
    pub const fn count(&self) -> usize {
        self.count
    }

    /// Takes the attribute back: none of its values may be returned, say.
    pub fn cancel(mut self) {
        if let Some((attribute, _)) = self.open.take() {
            ber::undo(self.buf, attribute);
        }
    }
}

impl Drop for ValuesWriter<'_> {
    fn drop(&mut self) {
        if let Some((attribute, values)) = self.open.take() {
            ber::end(self.buf, values);
            ber::end(self.buf, attribute);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::response::SearchEntry;
    use super::super::{AttributesBuf, LdapResult, Message};
    use super::*;

    #[test]
    fn entries_are_what_the_whole_message_would_be() {
        for size in [0, 3, 100, 300, 70_000] {
            let value = vec![b'v'; size];
            let mut attributes = AttributesBuf::new();
            attributes.add("cn", [&value[..], b"second"]);
            attributes.add("objectClass", [b""; 0]);
            let entry = SearchEntry { dn: b"cn=x", attributes: attributes.as_list() };
            let mut whole = b"before".to_vec();
            Message::new(9, Response::SearchEntry(entry)).encode(&mut whole);

            let mut buf = b"before".to_vec();
            let mut entry = EntryWriter::begin_with(&mut buf, 9, |buf| buf.extend_from_slice(b"cn=x"));
            let mut values = entry.attribute("cn");
            values.value(&value);
            values.value_with(|buf| buf.extend_from_slice(b"second"));
            assert_eq!(values.count(), 2);
            drop(values);
            let mut gone = entry.attribute("userPassword");
            gone.value("secret");
            gone.cancel();
            entry.attributes().attribute("objectClass");
            assert!(entry.written() > size);
            entry.end().finish();
            assert!(buf == whole, "{size}");
        }
    }

    #[test]
    fn single_values_are_attributes_like_others() {
        for size in [0, 1, 110, 116, 117, 118, 119, 120, 121, 122, 123, 124, 125, 126, 127, 128, 300, 70_000]
        {
            let value = vec![b'v'; size];
            let (mut one, mut other) = (Vec::new(), Vec::new());
            let entry = |buf: &mut Vec<u8>, single: bool| {
                put_entry(
                    buf,
                    |buf| buf.push(b'd'),
                    |attributes| {
                        let start = attributes.position();
                        attributes.attribute("sn").value("taken back");
                        attributes.undo(start);
                        match single {
                            true => attributes.single("cn", &value),
                            false => attributes.attribute("cn").value(&value),
                        }
                    },
                );
            };
            entry(&mut one, true);
            entry(&mut other, false);
            assert!(one == other, "{size}");
        }
    }

    #[test]
    fn what_is_not_finished_is_taken_back() {
        let mut buf = b"before".to_vec();
        let mut entry = EntryWriter::begin(&mut buf, 1, b"cn=x");
        entry.attribute("cn").value("x");
        drop(entry);
        assert_eq!(buf, b"before");
        let mut message = MessageWriter::begin(&mut buf, 1);
        message.response(&Response::Add(LdapResult::default()));
        message.control("1.2.3", true);
        drop(message);
        assert_eq!(buf, b"before");
    }

    #[test]
    fn controls_follow_the_entry() {
        let mut buf = Vec::new();
        let mut message = EntryWriter::begin(&mut buf, 1, b"").end();
        message.control_with("1.2.3", false, |buf| buf.extend_from_slice(b"value"));
        message.control("1.2.4", true);
        message.finish();
        let decoded = Message::<Response<'_>>::decode(&buf).unwrap();
        assert_eq!(decoded.op, Response::SearchEntry(SearchEntry::default()));
        assert_eq!(decoded.controls.len(), 2);
        assert_eq!(decoded.controls.find("1.2.3").unwrap().value, Some(&b"value"[..]));
        assert!(decoded.controls.find("1.2.4").unwrap().critical);
    }

    #[test]
    fn bare_entries() {
        let mut buf = Vec::new();
        put_entry(&mut buf, |buf| buf.push(b'd'), |attributes| attributes.attribute("a").value("v"));
        assert_eq!(buf, b"\x64\x0f\x04\x01d\x30\x0a\x30\x08\x04\x01a\x31\x03\x04\x01v");
    }
}
