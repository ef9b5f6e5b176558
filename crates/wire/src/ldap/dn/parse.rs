//! The scanner for one attribute-value pair.

use super::{DnError, DnErrorKind};
use crate::ldap::filter::text::hex_pair;
use crate::ldap::is_oid;

/// Characters that may follow a backslash (RFC 4514 §3, `special`, `ESC`).
const ESCAPABLE: &[u8] = b"\"+,;<>\\ #=";

/// What ended a pair.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Separator {
    /// The next pair belongs to the same RDN.
    Plus,
    /// The next pair begins the next RDN.
    Comma,
    /// Nothing follows.
    End,
}

/// Where the parts of a pair are.
pub(super) struct RawPair<'a> {
    pub(super) attribute: &'a str,
    /// Still escaped, without blanks around it; begins with `#` if it is hexadecimal.
    pub(super) value: &'a [u8],
    /// Where the value ends.
    pub(super) end: usize,
    pub(super) separator: Separator,
    /// Where the next pair begins, after the separator.
    pub(super) next: usize,
}

fn skip_blanks(text: &[u8], mut at: usize) -> usize {
    while text.get(at) == Some(&b' ') {
        at += 1;
    }
    at
}

/// Reads the pair that begins at `at`.
pub(super) fn pair(text: &str, at: usize) -> Result<RawPair<'_>, DnError> {
    let bytes = text.as_bytes();
    let start = skip_blanks(bytes, at);
    let word = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    let end = start + bytes.get(start..).map_or(0, |rest| rest.iter().take_while(|byte| word(byte)).count());
    let attribute = text.get(start..end).unwrap_or_default();
    if !is_oid(attribute.as_bytes()) {
        return Err(DnError { position: start, kind: DnErrorKind::AttributeExpected });
    }
    let equals = skip_blanks(bytes, end);
    if bytes.get(equals) != Some(&b'=') {
        return Err(DnError { position: equals, kind: DnErrorKind::EqualsExpected });
    }
    let start = skip_blanks(bytes, equals + 1);
    let end =
        if bytes.get(start) == Some(&b'#') { hexadecimal(bytes, start)? } else { string(bytes, start)? };
    let after = skip_blanks(bytes, end);
    let separator = match bytes.get(after) {
        None => Separator::End,
        Some(b',') => Separator::Comma,
        Some(b'+') => Separator::Plus,
        Some(_) => return Err(DnError { position: after, kind: DnErrorKind::BadHex }),
    };
    let value = bytes.get(start..end).unwrap_or_default();
    Ok(RawPair { attribute, value, end, separator, next: after + 1 })
}

/// The end of a value of hexadecimal digits whose `#` is at `start`.
fn hexadecimal(bytes: &[u8], start: usize) -> Result<usize, DnError> {
    let digits = bytes.get(start + 1..).unwrap_or_default();
    let count = digits.iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
    if count == 0 || count % 2 != 0 {
        return Err(DnError { position: start + 1 + count, kind: DnErrorKind::BadHex });
    }
    Ok(start + 1 + count)
}

/// The end of a value that begins at `start`, before blanks that are not escaped.
fn string(bytes: &[u8], start: usize) -> Result<usize, DnError> {
    let (mut at, mut end) = (start, start);
    while let Some(byte) = bytes.get(at) {
        match byte {
            b',' | b'+' => break,
            b'"' | b';' | b'<' | b'>' | 0 => {
                return Err(DnError { position: at, kind: DnErrorKind::BareSpecial });
            }
            b' ' => at += 1,
            b'\\' => {
                let (_, taken) = escape(bytes.get(at + 1..).unwrap_or_default())
                    .ok_or(DnError { position: at, kind: DnErrorKind::BadEscape })?;
                at += 1 + taken;
                end = at;
            }
            _ => {
                at += 1;
                end = at;
            }
        }
    }
    Ok(end)
}

/// The byte that stands after a backslash, and how many bytes it takes there.
pub(super) fn escape(after: &[u8]) -> Option<(u8, usize)> {
    match after {
        [special, ..] if ESCAPABLE.contains(special) => Some((*special, 1)),
        [high, low, ..] => hex_pair(*high, *low).map(|byte| (byte, 2)),
        _ => None,
    }
}
