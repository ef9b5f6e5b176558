//! Plain strings, numbers and octets.

use super::{Checked, utf8};
use crate::error::ValueError;
use crate::text::is_oid;

/// Any octets, also none (RFC 4517 §3.3.25).
pub(super) fn octets(_: &[u8]) -> Checked {
    Ok(())
}

/// UTF-8, at least one character (RFC 4517 §3.3.6).
pub(super) fn directory_string(value: &[u8]) -> Checked {
    if utf8(value)?.is_empty() { Err(ValueError::Empty) } else { Ok(()) }
}

/// ASCII, also empty (RFC 4517 §3.3.15).
pub(super) fn ia5_string(value: &[u8]) -> Checked {
    all(value, u8::is_ascii)
}

/// Letters, digits and ``'()+,-./:? =`` (RFC 4517 §3.3.29), at least one.
pub(super) fn printable_string(value: &[u8]) -> Checked {
    not_empty(value)?;
    all(value, is_printable)
}

/// Two printable characters (RFC 4517 §3.3.4).
pub(super) fn country(value: &[u8]) -> Checked {
    if value.len() == 2 {
        printable_string(value)
    } else {
        Err(ValueError::Malformed("a country code of two letters"))
    }
}

/// Digits and spaces, at least one (RFC 4517 §3.3.23).
pub(super) fn numeric_string(value: &[u8]) -> Checked {
    not_empty(value)?;
    all(value, |&byte| byte.is_ascii_digit() || byte == b' ')
}

/// `TRUE` or `FALSE` (RFC 4517 §3.3.3).
pub(super) fn boolean(value: &[u8]) -> Checked {
    match value {
        b"TRUE" | b"FALSE" => Ok(()),
        _ => Err(ValueError::Malformed("TRUE or FALSE")),
    }
}

/// A decimal number of any size, without leading zeros (RFC 4517 §3.3.16).
pub(crate) fn integer(value: &[u8]) -> Checked {
    let digits = match value {
        b"0" => return Ok(()),
        [b'-', digits @ ..] => digits,
        digits => digits,
    };
    match digits {
        [b'1'..=b'9', rest @ ..] if rest.iter().all(u8::is_ascii_digit) => Ok(()),
        _ => Err(ValueError::Malformed("an integer")),
    }
}

/// Binary digits in quotes, then `B` (RFC 4517 §3.3.2).
pub(super) fn bit_string(value: &[u8]) -> Checked {
    bits(value).map(|_| ())
}

/// The digits of a bit string.
pub(crate) fn bits(value: &[u8]) -> Result<&[u8], ValueError> {
    value
        .strip_prefix(b"'")
        .and_then(|rest| rest.strip_suffix(b"'B"))
        .filter(|digits| digits.iter().all(|digit| matches!(digit, b'0' | b'1')))
        .ok_or(ValueError::Malformed("a bit string as '0101'B"))
}

/// A numeric OID or a short name (RFC 4517 §3.3.26).
pub(super) fn oid(value: &[u8]) -> Checked {
    match std::str::from_utf8(value) {
        Ok(text) if is_oid(text) => Ok(()),
        _ => Err(ValueError::Malformed("an object identifier or a name")),
    }
}

/// 8-4-4-4-12 hexadecimal digits (RFC 4530 §2.1).
pub(crate) fn uuid(value: &[u8]) -> Checked {
    let fits = value.len() == 36
        && value.iter().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => *byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        });
    if fits { Ok(()) } else { Err(ValueError::Malformed("a UUID")) }
}

/// One DER sequence and nothing else: certificates and their lists (RFC 4523 §2), seen from the outside.
pub(super) fn der(value: &[u8]) -> Checked {
    let whole = match value {
        [0x30, len @ ..=0x7f, rest @ ..] => usize::from(*len) == rest.len(),
        [0x30, size @ 0x81..=0x84, rest @ ..] => {
            let size = usize::from(size & 0x7f);
            rest.split_at_checked(size).is_some_and(|(len, content)| {
                len.iter().fold(0, |len, &byte| len << 8 | u64::from(byte)) == content.len() as u64
            })
        }
        _ => false,
    };
    if whole { Ok(()) } else { Err(ValueError::Malformed("a DER sequence")) }
}

/// `time#count#server#modification`, as `20260101000000.000000Z#000000#000#000000`.
pub(super) fn change_number(value: &[u8]) -> Checked {
    let error = ValueError::Malformed("a change sequence number");
    let text = utf8(value)?;
    let mut parts = text.split('#');
    let time = parts.next().ok_or(error)?;
    super::Moment::parse(time.as_bytes())?;
    let numbers: usize = parts.clone().filter(|part| is_hex(part)).count();
    if numbers == 3 && parts.count() == 3 { Ok(()) } else { Err(error) }
}

/// `scheme $ information $ value` (RFC 3112 §2): a scheme of capitals, digits and `-/_`, then printable characters.
pub(super) fn auth_password(value: &[u8]) -> Checked {
    let error = ValueError::Malformed("an authentication password");
    let mut parts = utf8(value)?.split('$').map(|part| part.trim_matches(' '));
    let (Some(scheme), Some(information), Some(stored), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(error);
    };
    let is_scheme = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || b"-/_".contains(&byte);
    let fits = !scheme.is_empty()
        && scheme.bytes().all(is_scheme)
        && information.bytes().chain(stored.bytes()).all(|byte| byte.is_ascii_graphic());
    if fits { Ok(()) } else { Err(error) }
}

pub(super) fn is_printable(byte: &u8) -> bool {
    byte.is_ascii_alphanumeric() || b"'()+,-./:? =".contains(byte)
}

pub(super) fn not_empty(value: &[u8]) -> Checked {
    if value.is_empty() { Err(ValueError::Empty) } else { Ok(()) }
}

pub(super) fn all(value: &[u8], allowed: impl Fn(&u8) -> bool) -> Checked {
    match value.iter().position(|byte| !allowed(byte)) {
        None => Ok(()),
        Some(at) => Err(ValueError::Character(at)),
    }
}

fn is_hex(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn good(check: fn(&[u8]) -> Checked, values: &[&str]) {
        for value in values {
            assert_eq!(check(value.as_bytes()), Ok(()), "{value}");
        }
    }

    fn bad(check: fn(&[u8]) -> Checked, values: &[&str]) {
        for value in values {
            assert!(check(value.as_bytes()).is_err(), "{value}");
        }
    }

    #[test]
    fn strings() {
        good(directory_string, &["This is a value of Directory String containing #!%#@.", "ü"]);
        bad(directory_string, &[""]);
        assert_eq!(directory_string(b"\xc3"), Err(ValueError::NotUtf8));
        good(ia5_string, &["", "a@b"]);
        assert_eq!(ia5_string("aé".as_bytes()), Err(ValueError::Character(1)));
        good(printable_string, &["This is a PrintableString.", "+1 512 315 0280"]);
        bad(printable_string, &["", "a@b", "a_b"]);
        good(country, &["US", "AU"]);
        bad(country, &["USA", "U", "U_"]);
        good(numeric_string, &["15 079 672 281"]);
        bad(numeric_string, &["", "1-2"]);
    }

    #[test]
    fn numbers() {
        good(boolean, &["TRUE", "FALSE"]);
        bad(boolean, &["true", "", "1"]);
        good(integer, &["0", "1321", "-2", "123456789012345678901234567890"]);
        bad(integer, &["", "-", "-0", "05001", "+1", "1.0", " 1"]);
        good(bit_string, &["'0101111101'B", "''B"]);
        bad(bit_string, &["", "'B", "0101", "'012'B", "'01'b"]);
    }

    #[test]
    fn identifiers() {
        good(oid, &["1.2.3.4", "cn", "x-1"]);
        bad(oid, &["", "1", "1.", "cn;lang-de", "1.02"]);
        good(uuid, &["597ae2f6-16a6-1027-98f4-d28b5365dc14", "597AE2F6-16A6-1027-98F4-D28B5365DC14"]);
        bad(uuid, &["597ae2f616a6102798f4d28b5365dc14", "", "597ae2f6-16a6-1027-98f4-d28b5365dc1g"]);
        good(change_number, &["20260101000000.000000Z#000000#001#0000ab"]);
        bad(
            change_number,
            &["20260101000000Z", "x#0#0#0", "20260101000000Z#0#0#g", "20260101000000Z#0#0#0#0"],
        );
        good(auth_password, &["MD5 $ salt== $ value==", "X-A/B$$v"]);
        bad(auth_password, &["md5$a$b", "MD5$a", "MD5$a$b$c", "$a$b", "MD5$a b$c"]);
    }

    #[test]
    fn der_sequences() {
        assert_eq!(der(&[0x30, 0]), Ok(()));
        assert_eq!(der(&[0x30, 0x81, 1, 5]), Ok(()));
        for wrong in
            [&[][..], &[0x30], &[0x30, 1], &[0x31, 0], &[0x30, 0x80], &[0x30, 0x82, 1], &[0x30, 0, 0]]
        {
            assert!(der(wrong).is_err(), "{wrong:?}");
        }
    }
}
