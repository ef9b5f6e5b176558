//! What a client's certificate says about who it is: the names in it, as text (RFC 5280 §4.1, RFC 4514).
//!
//! The certificate has been verified before, so it is read only as far as needed and with little suspicion.

use netinfo_ldap::Certificate;
use netinfo_wire::ber::{Reader, Tag};
use netinfo_wire::ldap::dn::DnWriter;

/// Extension with the subject's other names (2.5.29.17).
const SUBJECT_ALT_NAME: &[u8] = &[0x55, 0x1d, 0x11];
const OBJECT_IDENTIFIER: Option<Tag> = Tag::from_octet(0x06);
const BMP_STRING: u8 = 0x1e;
const TELETEX_STRING: u8 = 0x14;
/// A directory name among them ([4], explicit).
const DIRECTORY_NAME: Tag = Tag::context_constructed(4);
const VERSION: Tag = Tag::context_constructed(0);
const EXTENSIONS: Tag = Tag::context_constructed(3);

/// Attribute types with a short name, by the content of their object identifiers (RFC 4514 §3 and customary ones).
const SHORT: &[(&[u8], &str)] = &[
    (&[0x55, 0x04, 0x03], "CN"),
    (&[0x55, 0x04, 0x04], "SN"),
    (&[0x55, 0x04, 0x05], "serialNumber"),
    (&[0x55, 0x04, 0x06], "C"),
    (&[0x55, 0x04, 0x07], "L"),
    (&[0x55, 0x04, 0x08], "ST"),
    (&[0x55, 0x04, 0x09], "street"),
    (&[0x55, 0x04, 0x0a], "O"),
    (&[0x55, 0x04, 0x0b], "OU"),
    (&[0x55, 0x04, 0x0c], "title"),
    (&[0x55, 0x04, 0x2a], "givenName"),
    (&[0x09, 0x92, 0x26, 0x89, 0x93, 0xf2, 0x2c, 0x64, 0x01, 0x01], "UID"),
    (&[0x09, 0x92, 0x26, 0x89, 0x93, 0xf2, 0x2c, 0x64, 0x01, 0x19], "DC"),
    (&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x01], "mail"),
];

/// The names in a certificate (DER); `None` if it is none.
pub(super) fn describe(certificate: &[u8]) -> Option<Certificate> {
    let mut outer = Reader::new(certificate).nested(Tag::SEQUENCE).ok()?;
    let mut body = outer.nested(Tag::SEQUENCE).ok()?;
    body.optional(VERSION).ok()?;
    body.contents(Tag::INTEGER).ok()?; // serial number
    body.contents(Tag::SEQUENCE).ok()?; // signature
    body.contents(Tag::SEQUENCE).ok()?; // issuer
    body.contents(Tag::SEQUENCE).ok()?; // validity
    let subject = name(body.contents(Tag::SEQUENCE).ok()?)?;
    body.contents(Tag::SEQUENCE).ok()?; // public key
    let names = alternative_names(body).unwrap_or_default();
    Some(Certificate { subject, names })
}

/// The directory names among the subject's alternative names.
fn alternative_names(mut body: Reader<'_>) -> Option<Vec<String>> {
    let extensions = loop {
        let (tag, contents) = body.element().ok()?;
        if tag == EXTENSIONS {
            break contents;
        }
    };
    let mut extensions = Reader::new(extensions).nested(Tag::SEQUENCE).ok()?;
    while !extensions.is_empty() {
        let mut extension = extensions.nested(Tag::SEQUENCE).ok()?;
        let id = extension.contents(OBJECT_IDENTIFIER?).ok()?;
        extension.optional(Tag::BOOLEAN).ok()?;
        let value = extension.octets().ok()?;
        if id == SUBJECT_ALT_NAME {
            let mut names = Vec::new();
            let mut list = Reader::new(value).nested(Tag::SEQUENCE).ok()?;
            while let Ok((tag, contents)) = list.element() {
                if tag == DIRECTORY_NAME {
                    names.push(name(Reader::new(contents).contents(Tag::SEQUENCE).ok()?)?);
                }
            }
            return Some(names);
        }
    }
    None
}

/// A name as text, its last relative name first as LDAP has it.
fn name(sequence: &[u8]) -> Option<String> {
    let mut relative = Vec::new();
    let mut rest = Reader::new(sequence);
    while !rest.is_empty() {
        relative.push(rest.contents(Tag::SET).ok()?);
    }
    let mut text = Vec::new();
    let mut writer = DnWriter::new(&mut text);
    for set in relative.into_iter().rev() {
        let mut pairs = Reader::new(set);
        let mut first = true;
        while !pairs.is_empty() {
            let mut pair = pairs.nested(Tag::SEQUENCE).ok()?;
            let kind = attribute(pair.contents(OBJECT_IDENTIFIER?).ok()?)?;
            let (tag, value) = pair.element().ok()?;
            let value = utf8(tag.octet(), value)?;
            match std::mem::take(&mut first) {
                true => writer.rdn(kind, value),
                false => writer.and(kind, value),
            };
        }
    }
    String::from_utf8(text).ok()
}

/// The short name of an attribute type, or its object identifier in dotted decimals.
fn attribute(id: &[u8]) -> Option<String> {
    if let Some((_, short)) = SHORT.iter().find(|(known, _)| *known == id) {
        return Some((*short).to_owned());
    }
    let mut arcs: Vec<u64> = Vec::new();
    let mut arc = 0_u64;
    for &octet in id {
        arc = arc.checked_mul(128)? | u64::from(octet & 0x7f);
        if octet < 0x80 {
            arcs.push(arc);
            arc = 0;
        }
    }
    let (&first, rest) = arcs.split_first()?;
    let root = (first / 40).min(2);
    let all = [root, first - root * 40].into_iter().chain(rest.iter().copied());
    Some(all.map(|arc| arc.to_string()).collect::<Vec<_>>().join("."))
}

/// A string of any type as UTF-8.
fn utf8(tag: u8, value: &[u8]) -> Option<String> {
    match tag {
        TELETEX_STRING => Some(value.iter().map(|&octet| char::from(octet)).collect()),
        BMP_STRING => {
            let units = value.chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]]));
            char::decode_utf16(units).collect::<Result<_, _>>().ok()
        }
        _ => String::from_utf8(value.to_vec()).ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rcgen::{CertificateParams, DistinguishedName, DnType, DnValue, KeyPair, SanType};

    #[test]
    fn names_are_written_as_ldap_has_them() {
        let mut params = CertificateParams::new(vec!["host.example.org".into()]).unwrap();
        params.distinguished_name = DistinguishedName::new();
        for (kind, value) in [
            (DnType::CountryName, "DE"),
            (DnType::OrganizationName, "Stühle, Tische & Co"),
            (DnType::from_oid(&[0, 9, 2342, 19_200_300, 100, 1, 1]), "alice"),
            (DnType::from_oid(&[1, 2, 840, 99]), "odd"),
        ] {
            params.distinguished_name.push(kind, value);
        }
        params
            .distinguished_name
            .push(DnType::CommonName, DnValue::BmpString("Ali\u{e7}e".try_into().unwrap()));
        params.subject_alt_names.push(SanType::DnsName("other.example.org".try_into().unwrap()));
        let der = params.self_signed(&KeyPair::generate().unwrap()).unwrap();
        let found = describe(der.der()).unwrap();
        assert_eq!(found.subject, "CN=Ali\u{e7}e,1.2.840.99=odd,UID=alice,O=Stühle\\, Tische & Co,C=DE");
        assert!(found.names.is_empty());
    }

    #[test]
    fn nonsense_is_no_certificate() {
        assert!(describe(b"").is_none());
        assert!(describe(&[0x30, 0x03, 0x02, 0x01, 0x05]).is_none());
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = describe(&bytes);
        }

        #[test]
        fn damaged_certificates_never_panic(at in 0_usize..400, to in any::<u8>()) {
            let params = CertificateParams::new(vec!["a".into()]).unwrap();
            let mut der = params.self_signed(&KeyPair::generate().unwrap()).unwrap().der().to_vec();
            let len = der.len();
            der[at % len] = to;
            let _ = describe(&der);
        }
    }
}
