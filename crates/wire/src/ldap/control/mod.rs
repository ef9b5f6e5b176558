//! Controls (RFC 4511 §4.1.11) and what they carry.
//!
//! * [`Controls`] — the list of a message; [`Payload`] — what a value is decoded as;
//! * [`paging`] — paged results, sorting, virtual list views;
//! * [`entry`] — assertion, pre- and post-read, subentries, proxied authorization;
//! * [`sync`] — content synchronization; [`deref`](mod@deref) — dereference; [`policy`] — password policy;
//! * the matched values control carries a [`super::filter::ValuesFilter`].
//!
//! Controls without a value are just their [`super::oid`]: `ManageDsaIT`, tree delete, relax, don't use
//! copy, domain scope.

pub mod deref;
pub mod entry;
pub mod paging;
pub mod policy;
pub mod sync;

use std::fmt::DebugList;

use super::list::{Kind, List, ListBuf};
use super::{Error, MAX_CONTROLS, at, oid_text};
use crate::ber::{self, Reader, Tag};
use crate::redact::debug_fields;

/// A control: changes how an operation is done, or adds to a response.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Control<'a> {
    /// Which control.
    pub oid: &'a str,
    /// Whether the operation must be refused by those who do not know the control.
    pub critical: bool,
    /// What it carries.
    pub value: Option<&'a [u8]>,
}

debug_fields!(Control { oid: shown, critical: shown, value: hidden_option });

/// The controls of a message.
pub type Controls<'a> = List<'a, ControlKind>;

/// [`Controls`] to be filled.
pub type ControlsBuf = ListBuf<ControlKind>;

/// [`Control`] as an element of a list.
#[derive(Clone, Copy, Debug)]
pub enum ControlKind {}

impl Kind for ControlKind {
    type Item<'a> = Control<'a>;

    const WHAT: &'static str = "controls";
    const MAX: usize = MAX_CONTROLS;

    fn read<'a>(r: &mut Reader<'a>) -> Result<Control<'a>, Error> {
        let mut fields = r.nested(Tag::SEQUENCE).map_err(at("control"))?;
        let oid = oid_text(fields.octets().map_err(at("control type"))?)?;
        let critical = fields.boolean_or(Tag::BOOLEAN, false).map_err(at("control criticality"))?;
        let value = fields.optional(Tag::OCTET_STRING).map_err(at("control value"))?;
        fields.finish_extensible().map_err(at("control"))?;
        Ok(Control { oid, critical, value })
    }

    fn put(buf: &mut Vec<u8>, item: Control<'_>) {
        let value = item.value.map(|value| |buf: &mut Vec<u8>| buf.extend_from_slice(value));
        put_control(buf, item.oid, item.critical, value);
    }

    fn show(item: &Control<'_>, to: &mut DebugList<'_, '_>) {
        to.entry(item);
    }
}

/// Appends a control whose value `put` appends, if it has one.
pub(super) fn put_control(
    buf: &mut Vec<u8>,
    oid: &str,
    critical: bool,
    put: Option<impl FnOnce(&mut Vec<u8>)>,
) {
    let control = ber::begin(buf, Tag::SEQUENCE);
    ber::put(buf, Tag::OCTET_STRING, oid.as_bytes());
    if critical {
        ber::put_boolean(buf, Tag::BOOLEAN, true);
    }
    if let Some(put) = put {
        let value = ber::begin(buf, Tag::OCTET_STRING);
        put(buf);
        ber::end(buf, value);
    }
    ber::end(buf, control);
}

/// What the value of a control, an extended operation or an intermediate response holds.
pub trait Payload<'a>: Sized {
    /// Whose value it is.
    const OID: &'static str;

    /// Decodes a value.
    ///
    /// # Errors
    /// [`Error`] about a part; a control that fails so is answered with `protocolError`.
    fn decode(value: &'a [u8]) -> Result<Self, Error>;

    /// Appends the value.
    fn encode(&self, buf: &mut Vec<u8>);
}

impl<'a> Controls<'a> {
    /// The first control of this type.
    pub fn find(&self, oid: &str) -> Option<Control<'a>> {
        self.iter().find(|control| control.oid == oid)
    }

    /// The first control of this type with its value decoded.
    ///
    /// # Errors
    /// [`Error`] if there is one and its value is missing or wrong.
    pub fn get<P: Payload<'a>>(&self) -> Result<Option<(P, bool)>, Error> {
        self.find(P::OID)
            .map(|control| {
                let value = control.value.ok_or(Error::Invalid("control without its value"))?;
                Ok((P::decode(value)?, control.critical))
            })
            .transpose()
    }

    /// Whether a type occurs twice, which has no meaning (RFC 4511 §4.1.11).
    pub fn repeats(&self) -> bool {
        self.iter()
            .enumerate()
            .any(|(index, control)| self.iter().skip(index + 1).any(|later| later.oid == control.oid))
    }
}

impl ControlsBuf {
    /// Appends a control with this value.
    pub fn add<'a, P: Payload<'a>>(&mut self, critical: bool, payload: &P) {
        self.push_with(|buf| {
            put_control(buf, P::OID, critical, Some(|buf: &mut Vec<u8>| payload.encode(buf)))
        });
    }

    /// Appends a control without a value.
    pub fn flag(&mut self, oid: &str, critical: bool) {
        self.push(Control { oid, critical, value: None });
    }
}

/// Encodes a payload into a new vector, for tests.
#[cfg(test)]
pub(super) fn encoded<'a>(payload: &impl Payload<'a>) -> Vec<u8> {
    let mut buf = Vec::new();
    payload.encode(&mut buf);
    buf
}

#[cfg(test)]
mod tests {
    use super::super::oid;
    use super::paging::PagedResults;
    use super::*;

    #[test]
    fn controls_are_found_and_decoded() {
        let mut controls = ControlsBuf::new();
        controls.add(true, &PagedResults { size: 100, cookie: b"" });
        controls.flag(oid::MANAGE_DSA_IT, false);
        let mut buf = Vec::new();
        controls.as_list().encode(&mut buf, Tag::context_constructed(0));
        let list = Controls::read(&mut Reader::new(&buf), Tag::context_constructed(0)).unwrap();
        assert_eq!(list.get::<PagedResults<'_>>().unwrap().unwrap().0.size, 100);
        assert_eq!(list.get::<sync::SyncDone<'_>>(), Ok(None));
        assert!(list.find(oid::MANAGE_DSA_IT).is_some() && !list.repeats());
        controls.flag(oid::MANAGE_DSA_IT, true);
        controls.flag(sync::SyncDone::OID, false);
        assert!(controls.as_list().repeats());
        let missing = Err(Error::Invalid("control without its value"));
        assert_eq!(controls.as_list().get::<sync::SyncDone<'_>>(), missing);
    }

    #[test]
    fn controls_are_limited() {
        let control = b"\x30\x05\x04\x03\x31.2";
        assert!(Controls::decode(&control.repeat(MAX_CONTROLS)).is_ok());
        let error = Error::TooMany { what: "controls", limit: MAX_CONTROLS };
        assert_eq!(Controls::decode(&control.repeat(MAX_CONTROLS + 1)), Err(error));
        assert_eq!(Controls::decode(b"\x30\x04\x04\x02cn"), Err(Error::Oid));
    }

    #[test]
    fn values_are_not_shown() {
        let text = format!("{:?}", Control { oid: "1.2", critical: true, value: Some(b"hidden") });
        assert_eq!(text, r#"Control { oid: "1.2", critical: true, value: Some(<6 bytes>) }"#);
    }
}
