//! Words with quotes and escapes.

use crate::problem::Reason;

/// How a format writes a word that holds blanks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Escapes {
    /// Quotes, and a backslash before three octal digits for a byte; before anything else it stands for that.
    Octal,
    /// Quotes, and a backslash before any character stands for that.
    Plain,
}

/// The words between blanks, up to one that begins with a bare `#`, without their quotes and escapes.
pub(crate) fn quoted_words(text: &[u8], escapes: Escapes) -> Result<Vec<Vec<u8>>, Reason> {
    let mut words = Vec::new();
    let mut word: Option<Vec<u8>> = None;
    let mut quoted = false;
    let mut rest = text;
    while let [byte, after @ ..] = rest {
        rest = after;
        match byte {
            b'"' => {
                quoted = !quoted;
                word.get_or_insert_default();
            }
            b'\\' => {
                let (byte, after) = match (octal(rest), rest) {
                    (Some(byte), [_, _, _, after @ ..]) if escapes == Escapes::Octal => (byte, after),
                    (_, [byte, after @ ..]) => (*byte, after),
                    (_, []) => (b'\\', rest),
                };
                word.get_or_insert_default().push(byte);
                rest = after;
            }
            byte if byte.is_ascii_whitespace() && !quoted => words.extend(word.take()),
            b'#' if word.is_none() => break,
            byte => word.get_or_insert_default().push(*byte),
        }
    }
    if quoted {
        return Err(Reason::Malformed("a quote is not closed".to_owned()));
    }
    words.extend(word);
    if words.iter().flatten().any(|byte| b"\0\n".contains(byte)) {
        return Err(Reason::Malformed("a word holds a NUL or the end of a line".to_owned()));
    }
    Ok(words)
}

/// Appends a word with the quotes and escapes it needs. For words without NUL and line feed.
pub(crate) fn push_quoted(text: &mut Vec<u8>, word: &[u8], escapes: Escapes) {
    let blank = |byte: &u8| byte.is_ascii_whitespace();
    let special = |byte: &u8| b"\"\\".contains(byte);
    match escapes {
        Escapes::Octal if word.iter().any(special) || word.starts_with(b"#") => {
            push_octal(text, word, |position, byte| {
                blank(&byte) || special(&byte) || (position == 0 && byte == b'#')
            });
        }
        _ if word.is_empty()
            || word.starts_with(b"#")
            || word.iter().any(|byte| blank(byte) || special(byte)) =>
        {
            text.push(b'"');
            for byte in word {
                if special(byte) {
                    text.push(b'\\');
                }
                text.push(*byte);
            }
            text.push(b'"');
        }
        _ => text.extend_from_slice(word),
    }
}

/// Text with the escapes of three octal digits replaced by their bytes.
pub(crate) fn without_octal(text: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(text.len());
    let mut rest = text;
    while let [byte, after @ ..] = rest {
        let (byte, after) = match octal(after) {
            Some(escaped) if *byte == b'\\' => (escaped, &after[3..]),
            _ => (*byte, after),
        };
        plain.push(byte);
        rest = after;
    }
    plain
}

/// Appends text with the bytes that `escape` chooses, by position and value, as three octal digits.
pub(crate) fn push_octal(text: &mut Vec<u8>, plain: &[u8], escape: impl Fn(usize, u8) -> bool) {
    for (position, byte) in plain.iter().enumerate() {
        if escape(position, *byte) {
            text.extend_from_slice(format!("\\{byte:03o}").as_bytes());
        } else {
            text.push(*byte);
        }
    }
}

/// The parts between commas that stand outside quotes, without blanks around them and without empty ones. In quotes a
/// backslash takes the meaning of the next character away.
pub(crate) fn comma_parts(text: &[u8]) -> Vec<&[u8]> {
    let mut parts = Vec::new();
    let mut rest = text;
    loop {
        let end = outside_quotes(rest, b',');
        parts.push(rest[..end.unwrap_or(rest.len())].trim_ascii());
        match end {
            Some(end) => rest = &rest[end + 1..],
            None => break,
        }
    }
    parts.retain(|part| !part.is_empty());
    parts
}

/// Whether [`comma_parts`] of a longer text would give this part back: no comma outside quotes, no quote left open, no
/// blanks around it.
pub(crate) fn is_comma_part(part: &[u8]) -> bool {
    let with_another = [part, b",x"].concat();
    comma_parts(&with_another) == [part, b"x"]
}

/// Where a byte stands for the first time outside quotes.
pub(crate) fn outside_quotes(text: &[u8], wanted: u8) -> Option<usize> {
    let (mut quoted, mut escaped) = (false, false);
    text.iter().position(|byte| {
        let found = !quoted && *byte == wanted;
        quoted ^= *byte == b'"' && !escaped;
        escaped = quoted && *byte == b'\\' && !escaped;
        found
    })
}

/// The byte for three octal digits at the beginning of a text.
fn octal(text: &[u8]) -> Option<u8> {
    let digits = str::from_utf8(text.get(..3)?).ok()?;
    let octal = digits.bytes().all(|digit| digit.is_ascii_digit());
    octal.then(|| u8::from_str_radix(digits, 8).ok())?
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn words(text: &str, escapes: Escapes) -> Result<Vec<String>, Reason> {
        let words = quoted_words(text.as_bytes(), escapes)?;
        Ok(words.into_iter().map(|word| String::from_utf8(word).unwrap()).collect())
    }

    #[test]
    fn quotes_and_escapes_make_words() {
        let text = r#" /a"b c"  "" x\040y \# "q\"r" d#e # f"#;
        assert_eq!(words(text, Escapes::Octal).unwrap(), ["/ab c", "", "x y", "#", "q\"r", "d#e"]);
        assert_eq!(words(r"x\040y\", Escapes::Plain).unwrap(), ["x040y\\"]);
        assert!(words("a \"b", Escapes::Plain).is_err());
        assert!(words(r"a\012b", Escapes::Octal).is_err());
    }

    #[test]
    fn commas_in_quotes_do_not_part() {
        let parts = comma_parts(br#" "|/x -l a, b", c,, "d\",e" "#);
        assert_eq!(parts, [&br#""|/x -l a, b""#[..], b"c", br#""d\",e""#]);
        assert!(is_comma_part(br#""a,b""#) && is_comma_part(b"a b"));
        assert!(
            !is_comma_part(b"a,b") && !is_comma_part(b"a\"b") && !is_comma_part(b" a") && !is_comma_part(b"")
        );
    }

    proptest! {
        #[test]
        fn words_come_back(list in prop::collection::vec("[^\0\n]{0,6}", 0..5), octal: bool) {
            let escapes = if octal { Escapes::Octal } else { Escapes::Plain };
            let mut text = Vec::new();
            for word in &list {
                text.push(b' ');
                push_quoted(&mut text, word.as_bytes(), escapes);
            }
            let list: Vec<_> = list.into_iter().map(String::into_bytes).collect();
            prop_assert_eq!(quoted_words(&text, escapes).unwrap(), list);
        }

        #[test]
        fn octal_escapes_come_back(plain: Vec<u8>) {
            let mut text = Vec::new();
            push_octal(&mut text, &plain, |_, byte| byte <= b' ' || byte == b'\\');
            prop_assert_eq!(without_octal(&text), plain);
        }
    }
}
