//! Tokens as `niload` sees them.

/// What stands between tokens.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Separator {
    /// Blanks: spaces and tabs.
    Blank,
    /// One byte; blanks around tokens do not count.
    Byte(u8),
}

/// The tokens of a line; with `pound`, up to one that would begin with `#`.
///
/// A separator at the end of the line makes an empty token behind it, unless it is a blank.
pub(super) fn tokens(line: &[u8], separator: Separator, pound: bool) -> Vec<&[u8]> {
    let is_separator = |byte: &u8| match separator {
        Separator::Blank => is_blank(byte),
        Separator::Byte(separator) => *byte == separator,
    };
    let mut found = Vec::new();
    let mut rest = line;
    loop {
        let start = rest.iter().position(|byte| !is_blank(byte)).unwrap_or(rest.len());
        rest = &rest[start..];
        if pound && rest.starts_with(b"#") {
            return found;
        }
        if rest.is_empty() {
            // Only behind a separator is there a token without a byte.
            if separator != Separator::Blank && !line.is_empty() {
                found.push(rest);
            }
            return found;
        }
        let Some(end) = rest.iter().position(is_separator) else {
            found.push(trimmed(rest));
            return found;
        };
        found.push(trimmed(&rest[..end]));
        rest = &rest[end + 1..];
    }
}

const fn is_blank(byte: &u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

fn trimmed(token: &[u8]) -> &[u8] {
    let end = token.iter().rposition(|byte| !is_blank(byte)).map_or(0, |last| last + 1);
    &token[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(line: &str, separator: Separator, pound: bool) -> Vec<&str> {
        tokens(line.as_bytes(), separator, pound)
            .into_iter()
            .map(|token| str::from_utf8(token).unwrap())
            .collect()
    }

    #[test]
    fn runs_of_blanks_are_one_separator() {
        assert_eq!(texts(" x \t y  ", Separator::Blank, false), ["x", "y"]);
        assert_eq!(texts("x y#c # d", Separator::Blank, true), ["x", "y#c"]);
        assert_eq!(texts("x #y", Separator::Blank, false), ["x", "#y"]);
        assert!(texts("", Separator::Blank, false).is_empty());
    }

    #[test]
    fn empty_fields_between_bytes_are_kept() {
        assert_eq!(texts("a: b c ::d ", Separator::Byte(b':'), false), ["a", "b c", "", "d"]);
        assert_eq!(texts("a:b:", Separator::Byte(b':'), false), ["a", "b", ""]);
        assert_eq!(texts("a: ", Separator::Byte(b':'), false), ["a", ""]);
        assert!(texts("", Separator::Byte(b','), false).is_empty());
    }
}
