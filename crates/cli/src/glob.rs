//! Patterns over byte strings: `*` any bytes, `?` one byte, `[a-z]` one of a set, `[!a-z]` none of it, `\` makes
//! the next character literal. A bracket that is never closed is an ordinary character.

/// Whether `pattern` matches all of `text`.
pub(crate) fn matches(pattern: &[u8], text: &[u8]) -> bool {
    let (mut p, mut t) = (0, 0);
    // Where to go on when the bytes after the last star do not fit: one byte further behind that star.
    let mut star: Option<(usize, usize)> = None;
    while t < text.len() {
        if pattern.get(p) == Some(&b'*') {
            star = Some((p + 1, t));
            p += 1;
        } else if let Some(next) = one(pattern, p, text[t]) {
            p = next;
            t += 1;
        } else if let Some((after, from)) = star {
            star = Some((after, from + 1));
            p = after;
            t = from + 1;
        } else {
            return false;
        }
    }
    pattern.get(p..).unwrap_or_default().iter().all(|b| *b == b'*')
}

/// Matches the single-byte element at `p`, and returns where the next one begins.
fn one(pattern: &[u8], p: usize, byte: u8) -> Option<usize> {
    match *pattern.get(p)? {
        b'?' => Some(p + 1),
        b'\\' if p + 1 < pattern.len() => (pattern[p + 1] == byte).then_some(p + 2),
        b'[' => match set(pattern, p + 1, byte) {
            Some((hit, next)) => hit.then_some(next),
            None => (byte == b'[').then_some(p + 1),
        },
        literal => (literal == byte).then_some(p + 1),
    }
}

/// Reads the set that begins at `p`: whether `byte` is in it, and where it ends. `None` if it is never closed.
fn set(pattern: &[u8], mut p: usize, byte: u8) -> Option<(bool, usize)> {
    let negated = matches!(pattern.get(p), Some(b'!' | b'^'));
    p += usize::from(negated);
    let first = p;
    let mut hit = false;
    loop {
        let low = *pattern.get(p)?;
        if low == b']' && p > first {
            return Some((hit != negated, p + 1));
        }
        match (pattern.get(p + 1), pattern.get(p + 2)) {
            (Some(b'-'), Some(&high)) if high != b']' => {
                hit |= (low..=high).contains(&byte);
                p += 3;
            }
            _ => {
                hit |= low == byte;
                p += 1;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn patterns() {
        for (pattern, yes, no) in [
            ("alice", "alice", "alicex"),
            ("a*e", "ae", "aex"),
            ("*ice", "alice", "alic"),
            ("a*b*c", "axxbyyc", "axxbyy"),
            ("?b", "ab", "b"),
            ("[a-c]x", "bx", "dx"),
            ("[!a-c]x", "dx", "bx"),
            ("[]]", "]", "x"),
            ("[a-]", "-", "b"),
            ("[a", "[a", "a"),
            (r"\*", "*", "x"),
            ("*", "", "\u{0}never"),
            ("a**b", "ab", "a"),
            ("", "", "x"),
        ] {
            assert!(matches(pattern.as_bytes(), yes.as_bytes()), "{pattern} {yes}");
            if no != "\u{0}never" {
                assert!(!matches(pattern.as_bytes(), no.as_bytes()), "{pattern} {no}");
            }
        }
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(pattern in proptest::collection::vec(any::<u8>(), 0..20), text in proptest::collection::vec(any::<u8>(), 0..20)) {
            let _ = matches(&pattern, &text);
        }

        #[test]
        fn an_escaped_text_matches_itself(text in proptest::collection::vec(any::<u8>(), 0..20)) {
            let pattern: Vec<u8> = text.iter().flat_map(|b| [b'\\', *b]).collect();
            prop_assert!(matches(&pattern, &text));
        }

        #[test]
        fn a_star_takes_anything(a in "[a-z]{0,5}", b in "[a-z]{0,5}", middle in "[a-z]{0,9}") {
            let pattern = format!("{a}*{b}");
            prop_assert!(matches(pattern.as_bytes(), format!("{a}{middle}{b}").as_bytes()), "pattern");
        }
    }
}
