//! Words of an interactive line.

/// Cuts a line into words between blanks and tabs. A quote at the beginning of a word quotes up to the next one; a
/// backslash makes the next byte literal, but stays if it is the very first byte of a word.
pub(super) fn split(line: &[u8]) -> Vec<Vec<u8>> {
    let mut words = Vec::new();
    let mut rest = line;
    loop {
        rest = rest.trim_ascii_start();
        if rest.is_empty() {
            return words;
        }
        words.push(word(&mut rest));
    }
}

/// Takes one word.
fn word(rest: &mut &[u8]) -> Vec<u8> {
    let quoted = rest.first() == Some(&b'"');
    let mut word = Vec::new();
    let mut at = usize::from(quoted);
    while let Some(byte) = rest.get(at) {
        match byte {
            b'\\' if at == 0 => {
                word.push(b'\\');
            }
            b'\\' => {
                at += 1;
                word.extend(rest.get(at));
            }
            b'"' if quoted => {
                at += 1;
                break;
            }
            byte if !quoted && byte.is_ascii_whitespace() => break,
            byte => word.push(*byte),
        }
        at += 1;
    }
    *rest = rest.get(at..).unwrap_or_default();
    word
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn of(line: &str) -> Vec<String> {
        split(line.as_bytes()).into_iter().map(|word| String::from_utf8(word).unwrap()).collect()
    }

    #[test]
    fn words() {
        assert_eq!(of("create /a\tk  v "), ["create", "/a", "k", "v"]);
        assert_eq!(of(r#"k "a b" "" x"y z"#), ["k", "a b", "", "x\"y", "z"]);
        assert_eq!(of(r#""say \"hi\"" a\ b a\\b \ab"#), ["say \"hi\"", "a b", r"a\b", r"\ab"]);
        assert_eq!(of(r#""open end"#), ["open end"]);
        assert_eq!(of("   "), [""; 0]);
    }

    proptest! {
        #[test]
        fn any_line_is_words(line in proptest::collection::vec(any::<u8>(), 0..60)) {
            prop_assert!(split(&line).len() <= line.len());
        }
    }
}
