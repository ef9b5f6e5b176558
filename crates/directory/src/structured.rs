//! Folds of values with equals signs in them, which are names for all we know (RFC 4514).
//!
//! Equal names may differ in the names of attribute types and in the order of the parts of a relative name; a value can be
//! written as a string or as the hexadecimal digits of its BER encoding. What stays is the set of values.

use crate::fold::{digit, text};

/// Tags of BER strings: OCTET STRING, UTF8String, NumericString, PrintableString, IA5String, VisibleString.
const STRINGS: [u8; 6] = [4, 12, 18, 19, 22, 26];

/// Arranges the folded text behind `start`.
pub(crate) fn arrange(out: &mut Vec<u8>, start: usize) {
    let mut name = out.split_off(start);
    while let Some(decoded) = decode_one(&name) {
        name = decoded;
    }
    // A unique identifier (`#'0101'B`) stands behind the last part, whichever that is.
    for at in 1..name.len() {
        if name[at - 1..=at] == *b"#'" {
            name[at - 1] = b',';
        }
    }
    let value = |part: &'_ [u8]| part.iter().rposition(|&byte| byte == b'=').map_or(0, |at| at + 1);
    let mut parts: Vec<&[u8]> =
        name.split(|byte| matches!(byte, b',' | b'+')).map(|part| &part[value(part)..]).collect();
    parts.sort_unstable();
    parts.dedup();
    for (index, part) in parts.into_iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        out.extend_from_slice(part);
    }
}

/// Replaces the first value that is an encoded string by the fold of its content. The name gets shorter.
fn decode_one(name: &[u8]) -> Option<Vec<u8>> {
    for at in 0..name.len().saturating_sub(1) {
        if name[at..at + 2] != *b"=#" {
            continue;
        }
        let rest = &name[at + 2..];
        let end = rest.iter().position(|byte| matches!(byte, b',' | b'+')).unwrap_or(rest.len());
        if let Some(content) = string(&rest[..end]) {
            let mut out = name[..=at].to_vec();
            text(&content, &mut out);
            out.extend_from_slice(&rest[end..]);
            return Some(out);
        }
    }
    None
}

/// The content of a BER string of less than 128 bytes in hexadecimal digits.
fn string(digits: &[u8]) -> Option<Vec<u8>> {
    let octets: Vec<u8> = digits
        .chunks(2)
        .map(|pair| match *pair {
            [high, low] => Some(digit(high)? << 4 | digit(low)?),
            _ => None,
        })
        .collect::<Option<_>>()?;
    match octets.as_slice() {
        [tag, len @ ..=0x7f, content @ ..] if STRINGS.contains(tag) && content.len() == usize::from(*len) => {
            Some(content.to_vec())
        }
        _ => None,
    }
}
