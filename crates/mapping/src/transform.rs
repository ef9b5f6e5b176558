//! How the values of a property differ from those of its attribute.

use std::borrow::Cow;

use netinfo_directory::MASK;
use smallvec::SmallVec;

/// Seconds of a day.
const DAY: u64 = 86_400;
/// Times below this are days already: as seconds it is the second of January 1970.
const FIRST_SECONDS: u64 = 100_000;
/// What stands in `passwd` where no password lets in.
const LOCKED: [&[u8]; 4] = [b"*", b"*LK*", b"x", MASK];
/// Prefix of crypt(3) hashes in `userPassword` (RFC 2307 §5.3).
const CRYPT: &[u8] = b"{CRYPT}";
/// The scheme of hashes that begin with [`ARGON2_MARK`].
const ARGON2: &[u8] = b"{ARGON2}";
const ARGON2_MARK: &[u8] = b"$argon2";

/// How values are translated. `Copy` stands for most attributes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Transform {
    /// As they are.
    #[default]
    Copy,
    /// Text or octets; octets are published as they are, even where text is expected.
    Octets,
    /// Decimal numbers: without sign and leading zeros. Negative user and group ids become unsigned.
    Number,
    /// Identifiers of the form 8-4-4-4-12: upper case.
    Guid,
    /// Ethernet addresses: two lower-case digits an octet, with colons.
    Mac,
    /// IP addresses: without a scope.
    Ip,
    /// Network numbers, which may be short.
    Net,
    /// Password hashes.
    Password,
    /// Seconds since 1970 and days.
    Days,
}

impl Transform {
    pub(crate) const WORDS: [(&'static str, Self); 9] = [
        ("copy", Self::Copy),
        ("octets", Self::Octets),
        ("number", Self::Number),
        ("guid", Self::Guid),
        ("mac", Self::Mac),
        ("ip", Self::Ip),
        ("net", Self::Net),
        ("password", Self::Password),
        ("days", Self::Days),
    ];

    /// The attribute's value for a stored one; `None` where it is not published. Values without octets never are.
    pub(crate) fn publish(self, stored: &[u8]) -> Option<Cow<'_, [u8]>> {
        if stored.is_empty() {
            return None;
        }
        match self {
            Self::Copy | Self::Octets => Some(Cow::Borrowed(stored)),
            Self::Number => Some(number(stored)),
            Self::Guid => Some(guid(stored)),
            Self::Mac => Some(mac(stored)),
            Self::Ip => Some(Cow::Borrowed(without_scope(stored))),
            Self::Net => Some(Cow::Borrowed(stored)),
            Self::Password => password(stored),
            Self::Days => days(stored),
        }
    }

    /// What is stored for a value of the attribute. Where publishing it would not give the value back (a hash that is
    /// none), it is stored as it came.
    pub(crate) fn store(self, value: &[u8]) -> Cow<'_, [u8]> {
        match self {
            Self::Guid => guid(value),
            Self::Password => {
                let bare = strip_scheme(value)
                    .filter(|bare| password(bare).is_some_and(|back| matches!(back, Cow::Owned(_))));
                Cow::Borrowed(bare.unwrap_or(value))
            }
            Self::Days => match decimal(value).and_then(|days| days.checked_mul(DAY)) {
                Some(seconds) if seconds >= FIRST_SECONDS => Cow::Owned(seconds.to_string().into_bytes()),
                _ => Cow::Borrowed(value),
            },
            _ => Cow::Borrowed(value),
        }
    }

    /// The value in the form in which it would be published: assertions are compared so.
    pub(crate) fn assertion(self, value: &[u8]) -> Cow<'_, [u8]> {
        match self {
            Self::Number if value.starts_with(b"-") => number(value),
            Self::Guid => guid(value),
            Self::Mac => mac(value),
            Self::Ip => Cow::Borrowed(without_scope(value)),
            _ => Cow::Borrowed(value),
        }
    }

    /// Other stored forms that are published as `value`, or match it. With the value itself they are what an index is
    /// asked for.
    pub(crate) fn other_forms(self, value: &[u8]) -> SmallVec<[Vec<u8>; 2]> {
        let mut forms = SmallVec::new();
        match self {
            Self::Number => forms.extend(signed(value)),
            Self::Mac => {
                let padded = mac(value);
                forms.push(short_mac(&padded));
                forms.push(padded.into_owned());
            }
            Self::Days => forms.push(self.store(value).into_owned()),
            Self::Password => forms.push(self.store(value).into_owned()),
            Self::Net => {
                let short = short_network(value).to_vec();
                let long = (short.iter().filter(|byte| **byte == b'.').count()..3)
                    .fold(short.clone(), |network, _| [&network[..], b".0"].concat());
                forms.push(short);
                forms.push(long);
            }
            Self::Copy | Self::Octets | Self::Guid | Self::Ip => {}
        }
        forms.retain(|form| form != value);
        forms
    }
}

/// A number of digits only.
fn decimal(text: &[u8]) -> Option<u64> {
    text.iter().all(u8::is_ascii_digit).then(|| std::str::from_utf8(text).ok()?.parse().ok())?
}

/// Without a plus sign and leading zeros; a negative one of 32 bits as the unsigned one with the same bits. What is no
/// number stays as it is.
fn number(text: &[u8]) -> Cow<'_, [u8]> {
    let canonical = match text {
        [b'0'] => true,
        [b'1'..=b'9', rest @ ..] => rest.iter().all(u8::is_ascii_digit),
        _ => false,
    };
    if canonical {
        return Cow::Borrowed(text);
    }
    match std::str::from_utf8(text).ok().and_then(|text| text.trim_ascii().parse::<i64>().ok()) {
        Some(number) => match i32::try_from(number) {
            Ok(small) => Cow::Owned((small as u32).to_string().into_bytes()),
            Err(_) => Cow::Owned(number.to_string().into_bytes()),
        },
        None => Cow::Borrowed(text),
    }
}

/// The negative number with the same 32 bits.
fn signed(text: &[u8]) -> Option<Vec<u8>> {
    let number = u32::try_from(decimal(text)?).ok()?;
    (number > i32::MAX as u32).then(|| (number as i32).to_string().into_bytes())
}

fn is_guid(text: &[u8]) -> bool {
    text.len() == 36
        && text.iter().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => *byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

fn guid(text: &[u8]) -> Cow<'_, [u8]> {
    if is_guid(text) && text.iter().any(u8::is_ascii_lowercase) {
        return Cow::Owned(text.to_ascii_uppercase());
    }
    Cow::Borrowed(text)
}

/// Six octets of one or two digits, separated by colons or hyphens, in the long form; anything else as it is.
fn mac(text: &[u8]) -> Cow<'_, [u8]> {
    let mut out = Vec::with_capacity(17);
    for octet in text.split(|byte| matches!(byte, b':' | b'-')) {
        if !matches!(octet.len(), 1 | 2) || !octet.iter().all(u8::is_ascii_hexdigit) || out.len() >= 17 {
            return Cow::Borrowed(text);
        }
        if !out.is_empty() {
            out.push(b':');
        }
        if octet.len() == 1 {
            out.push(b'0');
        }
        out.extend(octet.iter().map(u8::to_ascii_lowercase));
    }
    if out.len() != 17 || out == text { Cow::Borrowed(text) } else { Cow::Owned(out) }
}

/// A long Ethernet address without leading zeros.
fn short_mac(long: &[u8]) -> Vec<u8> {
    let octets = long.split(|byte| *byte == b':').map(|octet| match octet {
        [b'0', digit] => std::slice::from_ref(digit),
        octet => octet,
    });
    octets.collect::<Vec<_>>().join(&b':')
}

fn without_scope(text: &[u8]) -> &[u8] {
    text.iter().position(|byte| *byte == b'%').map_or(text, |at| &text[..at])
}

/// Without trailing `.0`.
fn short_network(text: &[u8]) -> &[u8] {
    let mut short = text;
    while let Some(rest) = short.strip_suffix(b".0") {
        short = rest;
    }
    short
}

/// What stands behind a scheme that goes without saying where it is stored.
fn strip_scheme(value: &[u8]) -> Option<&[u8]> {
    let without = |scheme: &[u8]| {
        let (prefix, bare) = value.split_at_checked(scheme.len())?;
        (prefix.eq_ignore_ascii_case(scheme) && !bare.is_empty()).then_some(bare)
    };
    without(CRYPT).or_else(|| without(ARGON2).filter(|bare| bare.starts_with(ARGON2_MARK)))
}

fn password(stored: &[u8]) -> Option<Cow<'_, [u8]>> {
    if stored.is_empty() || LOCKED.contains(&stored) {
        return None;
    }
    if stored.starts_with(b"{") {
        return Some(Cow::Borrowed(stored));
    }
    let scheme = if stored.starts_with(ARGON2_MARK) { ARGON2 } else { CRYPT };
    Some(Cow::Owned([scheme, stored].concat()))
}

/// 0 means never, and is not published.
fn days(stored: &[u8]) -> Option<Cow<'_, [u8]>> {
    match decimal(stored) {
        Some(0) => None,
        Some(seconds) if seconds >= FIRST_SECONDS => {
            Some(Cow::Owned((seconds / DAY).to_string().into_bytes()))
        }
        _ => Some(Cow::Borrowed(stored)),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn published(transform: Transform, stored: &str) -> Option<String> {
        transform.publish(stored.as_bytes()).map(|value| String::from_utf8_lossy(&value).into_owned())
    }

    #[test]
    fn numbers_are_unsigned_and_canonical() {
        for (stored, expected) in
            [("5001", "5001"), ("0", "0"), ("-2", "4294967294"), ("05001", "5001"), ("+7", "7"), ("x", "x")]
        {
            assert_eq!(published(Transform::Number, stored).as_deref(), Some(expected), "{stored}");
        }
        assert_eq!(Transform::Number.other_forms(b"4294967294")[..], [b"-2".to_vec()]);
        assert!(Transform::Number.other_forms(b"5001").is_empty());
        assert_eq!(&Transform::Number.assertion(b"-2")[..], b"4294967294");
        assert_eq!(&Transform::Number.assertion(b"05001")[..], b"05001");
        assert_eq!(published(Transform::Number, ""), None);
    }

    #[test]
    fn passwords_bear_their_scheme() {
        for (stored, expected) in [
            ("Ld.S3BQsQ.tRo", Some("{CRYPT}Ld.S3BQsQ.tRo")),
            ("$6$a$b", Some("{CRYPT}$6$a$b")),
            ("$argon2id$v=19$m=8", Some("{ARGON2}$argon2id$v=19$m=8")),
            ("{SSHA}abc", Some("{SSHA}abc")),
            ("*", None),
            ("x", None),
            ("********", None),
            ("", None),
        ] {
            assert_eq!(published(Transform::Password, stored).as_deref(), expected, "{stored}");
        }
        let stored = |value: &'static str| Transform::Password.store(value.as_bytes()).into_owned();
        assert_eq!(stored("{crypt}Ld.S3BQsQ.tRo"), b"Ld.S3BQsQ.tRo");
        assert_eq!(stored("{CRYPT}*"), b"{CRYPT}*", "it would not be published");
        assert_eq!(stored("{CRYPT}{x}"), b"{CRYPT}{x}");
        assert_eq!(stored("{SSHA}abc"), b"{SSHA}abc");
        assert_eq!(stored("{Argon2}$argon2id$x"), b"$argon2id$x");
        assert_eq!(stored("{CRYPT}$argon2id$x"), b"$argon2id$x");
        assert_eq!(stored("{ARGON2}x"), b"{ARGON2}x", "it would be told as one of crypt(3)");
    }

    #[test]
    fn addresses() {
        for stored in ["0:0:5e:0:53:67", "00-00-5E-00-53-67", "00:00:5e:00:53:67"] {
            assert_eq!(published(Transform::Mac, stored).as_deref(), Some("00:00:5e:00:53:67"));
        }
        for odd in ["0:0", "0:0:5e:0:53:67:1", "0:0:5e:0:53:xyz", "zz:0:5e:0:53:67", "0:0:5e:0:53:"] {
            assert_eq!(published(Transform::Mac, odd).as_deref(), Some(odd));
        }
        let forms = Transform::Mac.other_forms(b"0:0:5e:0:53:67");
        assert_eq!(forms[..], [b"00:00:5e:00:53:67".to_vec()]);
        assert_eq!(published(Transform::Ip, "fe80::1%en0").as_deref(), Some("fe80::1"));
        let forms = Transform::Net.other_forms(b"192.0.2.0");
        assert_eq!(forms[..], [b"192.0.2".to_vec()]);
        assert_eq!(Transform::Net.other_forms(b"127")[..], [b"127.0.0.0".to_vec()]);
    }

    #[test]
    fn days_are_seconds() {
        assert_eq!(published(Transform::Days, "1704067200").as_deref(), Some("19723"));
        assert_eq!(published(Transform::Days, "19723").as_deref(), Some("19723"));
        assert_eq!(published(Transform::Days, "0"), None);
        assert_eq!(&Transform::Days.store(b"19723")[..], b"1704067200");
        assert_eq!(&Transform::Days.store(b"-1")[..], b"-1");
    }

    proptest! {
        #[test]
        fn what_is_stored_is_published_again(value in "[0-9A-Za-z{}$*:. -]{0,20}") {
            for (word, transform) in Transform::WORDS {
                let stored = transform.store(value.as_bytes());
                let back = transform.publish(&stored);
                let expected = match transform {
                    Transform::Number | Transform::Mac | Transform::Ip => continue,
                    Transform::Guid => guid(value.as_bytes()).into_owned(),
                    // Days come back as numbers are written.
                    Transform::Days if decimal(value.as_bytes()).is_some() => match value.trim_start_matches('0') {
                        "" => continue,
                        digits => digits.as_bytes().to_vec(),
                    },
                    _ => value.clone().into_bytes(),
                };
                let hidden = value.is_empty()
                    || (transform == Transform::Password && LOCKED.contains(&value.as_bytes()))
                    || (transform == Transform::Days && decimal(value.as_bytes()) == Some(0));
                // Without a scheme, it is one of crypt(3).
                let bare = transform == Transform::Password && !value.starts_with('{');
                if !hidden && !bare && !value.to_ascii_uppercase().starts_with("{CRYPT}") {
                    prop_assert_eq!(back.map(Cow::into_owned), Some(expected), "{}", word);
                }
            }
        }
    }
}
