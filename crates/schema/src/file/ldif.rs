//! LDIF (RFC 2849): folded lines, values in base64, and the names that servers give to the lists.

use super::{Kind, Reader};

pub(super) fn read(text: &str, reader: &mut Reader) {
    let mut pending: Option<(usize, String)> = None;
    for (index, line) in text.lines().enumerate() {
        match (&mut pending, line.strip_prefix([' ', '\t'])) {
            (Some((_, unfolded)), Some(rest)) => unfolded.push_str(rest),
            _ => {
                finish(pending.take(), reader);
                pending = Some((index + 1, line.to_owned()));
            }
        }
    }
    finish(pending, reader);
}

fn finish(pending: Option<(usize, String)>, reader: &mut Reader) {
    let Some((line, unfolded)) = pending else {
        return;
    };
    // Comments, and lines without a colon between records and changes, say nothing about elements.
    let Some((name, value)) = unfolded.split_once(':').filter(|_| !unfolded.starts_with('#')) else {
        return;
    };
    let name = name.split(';').next().unwrap_or_default().to_ascii_lowercase();
    let kind = match name.as_str() {
        "attributetypes" | "olcattributetypes" => Kind::Attribute,
        "objectclasses" | "olcobjectclasses" => Kind::Class,
        "olcobjectidentifier" => Kind::Macro,
        "ldapsyntaxes" | "olcldapsyntaxes" => Kind::Syntax,
        "ditcontentrules" | "olcditcontentrules" | "ditstructurerules" | "nameforms" => Kind::Other,
        "delete" | "replace" => return reader.problem(line, "only additions can be read from a schema file"),
        _ => return,
    };
    match value_text(value) {
        Some(text) => reader.element(kind, line, without_order(&text)),
        None => reader.problem(line, "the value is not UTF-8 text in base64"),
    }
}

/// The value behind the first colon: plain, or in base64 behind another colon.
fn value_text(value: &str) -> Option<String> {
    match value.strip_prefix(':') {
        Some(encoded) => String::from_utf8(base64(encoded.trim())?).ok(),
        None => Some(value.trim().to_owned()),
    }
}

/// Without the number in braces which says where in order the value stands: `{3}( … )`.
fn without_order(text: &str) -> &str {
    text.strip_prefix('{')
        .and_then(|rest| rest.split_once('}'))
        .filter(|(number, _)| number.bytes().all(|byte| byte.is_ascii_digit()))
        .map_or(text, |(_, rest)| rest)
}

fn base64(text: &str) -> Option<Vec<u8>> {
    let digits = text.trim_end_matches('=').bytes();
    let mut out = Vec::with_capacity(text.len() / 4 * 3);
    let (mut bits, mut count) = (0_u32, 0_u32);
    for digit in digits {
        let value = match digit {
            b'A'..=b'Z' => digit - b'A',
            b'a'..=b'z' => digit - b'a' + 26,
            b'0'..=b'9' => digit - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        bits = bits << 6 | u32::from(value);
        count += 6;
        if count >= 8 {
            count -= 8;
            out.push((bits >> count) as u8);
        }
    }
    // What is left over of the last digit is padding.
    (count < 6 && bits & ((1 << count) - 1) == 0).then_some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_decoded() {
        assert_eq!(base64("KCAxLjIgKQ==").as_deref(), Some(&b"( 1.2 )"[..]));
        assert_eq!(base64(""), Some(vec![]));
        for bad in ["A", "AB", "A-BC", "=A"] {
            assert_eq!(base64(bad), None, "{bad}");
        }
    }

    #[test]
    fn places_in_order_are_dropped() {
        assert_eq!(without_order("{12}( 1.2 )"), "( 1.2 )");
        assert_eq!(without_order("{x}( 1.2 )"), "{x}( 1.2 )");
    }
}
