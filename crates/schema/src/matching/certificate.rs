//! The certificate exact match (RFC 4523 §3.1): serial number and issuer.

use std::borrow::Cow;

use super::{Family, keys};
use crate::dn::{self, Assertion};
use crate::error::ValueError;
use crate::prepare::Key;
use crate::schema::Schema;
use crate::syntax::utf8;

/// Tags of DER elements that a certificate has (ITU-T X.690 §8).
mod tag {
    pub(super) const INTEGER: u8 = 0x02;
    pub(super) const OBJECT_IDENTIFIER: u8 = 0x06;
    pub(super) const TELETEX_STRING: u8 = 0x14;
    pub(super) const BMP_STRING: u8 = 0x1e;
    pub(super) const SEQUENCE: u8 = 0x30;
    pub(super) const SET: u8 = 0x31;
    pub(super) const VERSION: u8 = 0xa0;
}

/// Longest serial number, in octets (RFC 5280 §4.1.2.2 has 20; some certificates have more).
const SERIAL_LIMIT: usize = 64;

/// Append the key of a certificate in DER, or of an assertion about one: `{ serialNumber 17, issuer
/// rdnSequence:"cn=CA" }`, or the older `17$cn=CA`.
pub(super) fn key(schema: &Schema, value: &[u8], key: &mut Key) -> Result<(), ValueError> {
    // A certificate begins with the octet that is also the digit zero.
    let certificate = Certificate::read(value);
    let (serial, issuer) = match &certificate {
        Some(certificate) => (certificate.serial.as_str(), None),
        None => {
            let (serial, issuer) = assertion(utf8(value)?)
                .ok_or(ValueError::Malformed("a certificate or a certificate exact assertion"))?;
            (serial, Some(issuer))
        }
    };
    let start = key.len();
    let made = keys::key(Family::Integer, schema, serial.as_bytes(), 0, key).and_then(|()| {
        key.push(0);
        match (&certificate, issuer) {
            (Some(certificate), _) => certificate.issuer_key(schema, key),
            (None, issuer) => dn::normalise(schema, issuer.unwrap_or_default().as_bytes(), 0, key),
        }
    });
    if made.is_err() {
        key.truncate(start);
    }
    made
}

/// Serial number and issuer of an assertion.
fn assertion(text: &str) -> Option<(&str, Cow<'_, str>)> {
    let Some(inner) = text.trim_matches(' ').strip_prefix('{') else {
        let (serial, issuer) = text.split_once('$')?;
        return Some((serial.trim_matches(' '), Cow::Borrowed(issuer)));
    };
    let inner = inner.strip_suffix('}')?.trim_matches(' ');
    let (serial, issuer) = inner.strip_prefix("serialNumber ")?.split_once(',')?;
    let issuer = issuer.trim_matches(' ').strip_prefix("issuer ")?.trim_matches(' ');
    let issuer = issuer.strip_prefix("rdnSequence:").unwrap_or(issuer);
    let issuer = issuer.strip_prefix('"')?.strip_suffix('"')?;
    let issuer = if issuer.contains("\"\"") {
        Cow::Owned(issuer.replace("\"\"", "\""))
    } else {
        Cow::Borrowed(issuer)
    };
    Some((serial.trim_matches(' '), issuer))
}

/// What is compared of a certificate.
struct Certificate {
    /// Decimal digits.
    serial: String,
    /// Relative names, the root first: OIDs and values.
    issuer: Vec<Vec<(String, Vec<u8>)>>,
}

impl Certificate {
    fn read(value: &[u8]) -> Option<Self> {
        let (certificate, rest) = take(value, tag::SEQUENCE)?;
        if !rest.is_empty() {
            return None;
        }
        let (signed, _) = take(certificate, tag::SEQUENCE)?;
        let signed = take(signed, tag::VERSION).map_or(signed, |(_, rest)| rest);
        let (serial, rest) = take(signed, tag::INTEGER)?;
        let (_, rest) = take(rest, tag::SEQUENCE)?;
        let (mut names, _) = take(rest, tag::SEQUENCE)?;
        let mut issuer = Vec::new();
        while !names.is_empty() {
            let (mut parts, rest) = take(names, tag::SET)?;
            names = rest;
            let mut relative = Vec::new();
            while !parts.is_empty() {
                let (part, rest) = take(parts, tag::SEQUENCE)?;
                parts = rest;
                let (oid, value) = take(part, tag::OBJECT_IDENTIFIER)?;
                let (kind, content, _) = element(value)?;
                relative.push((dotted(oid)?, string(kind, content)?));
            }
            issuer.push(relative);
        }
        Some(Self { serial: decimal(serial)?, issuer })
    }

    fn issuer_key(&self, schema: &Schema, key: &mut Key) -> Result<(), ValueError> {
        let mut first = true;
        for relative in self.issuer.iter().rev() {
            let assertions: Vec<Assertion<'_>> = relative
                .iter()
                .map(|(kind, value)| Assertion { kind, value: Cow::Borrowed(value), encoded: false })
                .collect();
            dn::relative_key(schema, &assertions, 0, &mut first, key)?;
        }
        Ok(())
    }
}

/// The content of the DER element with this tag at the beginning, and what follows it.
fn take(bytes: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (found, content, rest) = element(bytes)?;
    (found == tag).then_some((content, rest))
}

/// Tag and content of the first DER element, and what follows it.
fn element(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, rest) = bytes.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (len, rest) = match first {
        0..=0x7f => (usize::from(first), rest),
        0x81..=0x84 => {
            let (len, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
            (len.iter().fold(0, |len, &byte| len << 8 | usize::from(byte)), rest)
        }
        _ => return None,
    };
    let (content, rest) = rest.split_at_checked(len)?;
    Some((tag, content, rest))
}

/// An object identifier in dotted decimals.
fn dotted(content: &[u8]) -> Option<String> {
    let mut arcs: Vec<u64> = Vec::new();
    let mut arc = 0_u64;
    for &byte in content {
        arc = arc.checked_mul(128)? | u64::from(byte & 0x7f);
        if byte < 0x80 {
            arcs.push(arc);
            arc = 0;
        }
    }
    let (&first, rest) = arcs.split_first()?;
    let root = (first / 40).min(2);
    let mut text = format!("{root}.{}", first - root * 40);
    for arc in rest {
        text.push('.');
        text.push_str(&arc.to_string());
    }
    Some(text)
}

/// A string of any type as UTF-8.
fn string(tag: u8, content: &[u8]) -> Option<Vec<u8>> {
    match tag {
        tag::TELETEX_STRING => {
            Some(content.iter().map(|&byte| char::from(byte)).collect::<String>().into_bytes())
        }
        tag::BMP_STRING => {
            let units = content.chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]]));
            char::decode_utf16(units).collect::<Result<String, _>>().ok().map(String::into_bytes)
        }
        _ => Some(content.to_vec()),
    }
}

/// A two's complement number of many octets in decimal digits.
fn decimal(content: &[u8]) -> Option<String> {
    if content.is_empty() || content.len() > SERIAL_LIMIT {
        return None;
    }
    let negative = content[0] >= 0x80;
    let mut number: Vec<u8> = content.to_vec();
    if negative {
        let mut carry = true;
        for byte in number.iter_mut().rev() {
            let (sum, over) = (!*byte).overflowing_add(u8::from(carry));
            (*byte, carry) = (sum, over);
        }
    }
    let mut digits = Vec::new();
    while number.iter().any(|&byte| byte != 0) {
        let mut remainder = 0_u16;
        for byte in &mut number {
            let part = remainder << 8 | u16::from(*byte);
            *byte = (part / 10) as u8;
            remainder = part % 10;
        }
        digits.push(char::from(b'0' + remainder as u8));
    }
    if digits.is_empty() {
        return Some("0".to_owned());
    }
    if negative {
        digits.push('-');
    }
    Some(digits.into_iter().rev().collect())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::Variant;
    use crate::matching::Rule;

    fn der(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
        let content = parts.concat();
        let mut out = vec![tag];
        match u8::try_from(content.len()) {
            Ok(len @ ..0x80) => out.push(len),
            _ => out.extend([0x82, (content.len() >> 8) as u8, content.len() as u8]),
        }
        out.extend(content);
        out
    }

    /// The beginning of a certificate by `o=Test CA,c=US`, and its outside.
    fn certificate(serial: &[u8]) -> Vec<u8> {
        let name = |oid: u8, kind: u8, value: &[u8]| {
            der(tag::SET, &[&der(tag::SEQUENCE, &[&[6, 3, 0x55, 4, oid], &der(kind, &[value])])])
        };
        let issuer = der(tag::SEQUENCE, &[&name(6, 0x13, b"US"), &name(10, 0x0c, b"Test CA")]);
        let version = der(tag::VERSION, &[&[2, 1, 2]]);
        let signed =
            der(tag::SEQUENCE, &[&version, &der(tag::INTEGER, &[serial]), &der(tag::SEQUENCE, &[]), &issuer]);
        der(tag::SEQUENCE, &[&signed, &[0; 200]])
    }

    #[test]
    fn certificates_are_found_by_serial_number_and_issuer() {
        let schema = Schema::builtin(Variant::default()).unwrap();
        let value = certificate(&[0x12, 0x34]);
        let matches = |assertion: &[u8]| Rule::CertificateExact.matches(&schema, assertion, &value);
        assert_eq!(matches(br#"{ serialNumber 4660, issuer rdnSequence:"O=test ca, C=us" }"#), Ok(true));
        assert_eq!(matches(br#"{serialNumber 4660,issuer "o=Test CA,c=US"}"#), Ok(true));
        assert_eq!(matches(b"4660$o=Test CA,c=US"), Ok(true));
        assert_eq!(matches(&value), Ok(true));
        assert_eq!(matches(b"4661$o=Test CA,c=US"), Ok(false));
        assert_eq!(matches(b"4660$c=US,o=Test CA"), Ok(false));
        for bad in ["4660", "{ serialNumber 1 }", "x$cn=a", "1$cn", "01$cn=a"] {
            assert!(matches(bad.as_bytes()).is_err(), "{bad}");
        }
        assert!(matches(&value[..value.len() - 1]).is_err());
    }

    #[test]
    fn serial_numbers_are_decimal() {
        assert_eq!(decimal(&[0]).as_deref(), Some("0"));
        assert_eq!(decimal(&[0, 0xff]).as_deref(), Some("255"));
        assert_eq!(decimal(&[0xff]).as_deref(), Some("-1"));
        assert_eq!(decimal(&[0x80, 0]).as_deref(), Some("-32768"));
        assert_eq!(decimal(&[1; SERIAL_LIMIT]).map(|digits| digits.len()), Some(152));
        assert_eq!(decimal(&[1; SERIAL_LIMIT + 1]), None);
    }

    proptest! {
        #[test]
        fn damaged_certificates_never_panic(at in 0_usize..200, byte: u8, len in 0_usize..260) {
            let mut value = certificate(&[1]);
            let at = at % value.len();
            value[at] = byte;
            value.truncate(len);
            let _ = key(&Schema::empty(), &value, &mut Key::new());
        }

        #[test]
        fn serial_numbers_are_those_of_the_numbers(number: i64) {
            prop_assert_eq!(decimal(&number.to_be_bytes()), Some(number.to_string()));
        }
    }
}
