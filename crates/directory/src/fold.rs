//! One spelling for all values that some matching rule takes for equal (laid down in `docs/file-format.md`).
//!
//! Matching rules ignore case, spaces, hyphens, the way characters are composed, how names are escaped and spelled. A fold
//! ignores all of that at once, whatever the value is. It goes character by character, so that what stands in a value
//! stands in its fold too; values of which this is not so are told apart ([`Shape`]).

use sha2::{Digest, Sha256};
use unicode_normalization::char::{decompose_compatible, is_combining_mark};

use crate::structured;

/// Longest fold, bytes.
pub(crate) const FOLD_LIMIT: usize = 128;
/// Bytes of a hash that stands for more.
const HASH: usize = 16;
/// What a longer fold keeps of itself.
pub(crate) const FOLD_KEPT: usize = FOLD_LIMIT - HASH;
/// In front of the hash of a value that is not text.
const NOT_TEXT: u8 = 0xFF;
/// Rounds of decomposing and folding that a character can take. No character needs more.
const ROUNDS: usize = 6;

/// What a fold tells of the parts of its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// The fold of each part of the value is a part of the fold.
    Plain,
    /// As plain, but it was cut.
    Cut,
    /// Nothing.
    Irregular,
}

/// Appends the fold of `value` to `out`.
///
/// If two values are equal under any matching rule for equality of RFC 4517, their folds are equal; the reverse does not
/// hold. Not covered: rules that take names and object identifiers for elements of a schema (their assertions have to be
/// looked up in every spelling), rules for components of certificates, and times that are parts of names. Times have a
/// fold of their own beside this one; [`View::collect`](crate::View::collect) looks for both.
pub fn fold(value: &[u8], out: &mut Vec<u8>) {
    shaped(value, out);
}

/// As [`fold`]; tells what the fold is good for.
pub(crate) fn shaped(value: &[u8], out: &mut Vec<u8>) -> Shape {
    let start = out.len();
    let shape = spelled(value, out);
    if out[start..].iter().all(u8::is_ascii_digit) {
        let zeros = out[start..].iter().take_while(|&&digit| digit == b'0').count();
        let zeros = zeros.min((out.len() - start).saturating_sub(1));
        out.drain(start..start + zeros);
    }
    if out.len() - start <= FOLD_LIMIT {
        return shape;
    }
    let hash = Sha256::digest(&out[start..]);
    out.truncate(start + FOLD_KEPT);
    out.extend_from_slice(&hash[..HASH]);
    if shape == Shape::Plain { Shape::Cut } else { shape }
}

/// As [`shaped`], but numbers keep the zeros in front, and nothing is cut: for parts of values.
pub(crate) fn spelled(value: &[u8], out: &mut Vec<u8>) -> Shape {
    let start = out.len();
    if ascii(value, out) {
        return Shape::Plain;
    }
    if std::str::from_utf8(value).is_err() {
        out.push(NOT_TEXT);
        out.extend_from_slice(&Sha256::digest(value)[..HASH]);
        return Shape::Irregular;
    }
    let escaped = text(value, out);
    if out[start..].contains(&b'=') {
        structured::arrange(out, start);
        Shape::Irregular
    } else if escaped {
        Shape::Irregular
    } else {
        Shape::Plain
    }
}

/// The usual case: ASCII without escapes and equals signs. False, and nothing appended, if it is another.
fn ascii(value: &[u8], out: &mut Vec<u8>) -> bool {
    let start = out.len();
    for &byte in value {
        match byte {
            b' ' | b'-' | 0..=0x1F | 0x7F => {}
            b'\\' | b'=' | 0x80.. => {
                out.truncate(start);
                return false;
            }
            _ => out.push(byte.to_ascii_lowercase()),
        }
    }
    true
}

/// Appends the text without escapes and insignificant characters; tells whether there were escapes.
pub(crate) fn text(value: &[u8], out: &mut Vec<u8>) -> bool {
    let mut bytes = value.to_vec();
    let mut escapes = false;
    // What an escape stood for may be a letter to be folded, and what a letter became may be part of an escape.
    let spread = loop {
        let spread = spread_all(&bytes);
        match unescape(&spread) {
            Some(plain) => (bytes, escapes) = (plain, true),
            None => break spread,
        }
    };
    for piece in spread.utf8_chunks() {
        let kept = piece.valid().chars().filter(|&c| !is_insignificant(c));
        kept.for_each(|c| push(c, out));
        out.extend_from_slice(piece.invalid());
    }
    escapes
}

fn push(c: char, out: &mut Vec<u8>) {
    out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
}

/// Every character decomposed and in lower case. Bytes that are none stay.
fn spread_all(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len() + 8);
    for piece in bytes.utf8_chunks() {
        for c in piece.valid().chars() {
            if c.is_ascii() {
                if !c.is_control() || c.is_whitespace() {
                    out.push(c.to_ascii_lowercase() as u8);
                }
            } else if !is_nothing(c) {
                spread(c, &mut out);
            }
        }
        out.extend_from_slice(piece.invalid());
    }
    out
}

/// One character: decomposed and in lower case, until that changes nothing any more.
fn spread(c: char, out: &mut Vec<u8>) {
    let mut now = vec![c];
    for _ in 0..ROUNDS {
        let mut next = Vec::with_capacity(now.len());
        for &c in &now {
            decompose_compatible(c, |d| {
                next.extend(d.to_lowercase().flat_map(char::to_uppercase).flat_map(char::to_lowercase));
            });
        }
        if next == now {
            break;
        }
        now = next;
    }
    now.into_iter().filter(|&c| !is_nothing(c)).for_each(|c| push(c, out));
}

/// The bytes with every backslash and two hexadecimal digits replaced by the byte they stand for; `None` if there are none.
fn unescape(bytes: &[u8]) -> Option<Vec<u8>> {
    if !bytes.contains(&b'\\') {
        return None;
    }
    let mut out: Vec<u8> = Vec::with_capacity(bytes.len());
    let mut any = false;
    for &byte in bytes {
        out.push(byte);
        if let [.., b'\\', high, low] = out[..]
            && let (Some(high), Some(low)) = (digit(high), digit(low))
        {
            out.truncate(out.len() - 3);
            out.push(high << 4 | low);
            any = true;
        }
    }
    any.then_some(out)
}

/// The value of a hexadecimal digit.
pub(crate) fn digit(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

/// What no matching rule needs: spaces of all kinds, hyphens, marks; and backslashes, which names may have in front of others.
fn is_insignificant(c: char) -> bool {
    let hyphen =
        matches!(c, '-' | '\u{58a}' | '\u{2010}' | '\u{2011}' | '\u{2212}' | '\u{fe63}' | '\u{ff0d}');
    hyphen || c == '\\' || c.is_whitespace() || is_combining_mark(c)
}

/// What RFC 4518 §2.2 maps to nothing.
fn is_nothing(c: char) -> bool {
    match c {
        '\u{ad}' | '\u{34f}' | '\u{6dd}' | '\u{70f}' | '\u{1806}' | '\u{180b}'..='\u{180e}' => true,
        '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2063}' => true,
        '\u{206a}'..='\u{206f}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{fff9}'..='\u{fffc}' => true,
        '\u{1d173}'..='\u{1d17a}' | '\u{e0001}' | '\u{e0020}'..='\u{e007f}' => true,
        c => c.is_control() && !c.is_whitespace(),
    }
}

#[cfg(test)]
mod tests;
