//! Cuts a line into words. Single quotes keep everything, double quotes everything but `\"`. Outside of quotes a
//! backslash keeps a blank or a quote; before anything else it stays, for it means something in paths: no need to
//! write it twice.

use crate::failure::{Failure, Result};

/// The words of a line.
///
/// # Errors
/// A usage failure if a quote is never closed.
pub(super) fn split(line: &[u8]) -> Result<Vec<Vec<u8>>> {
    let (mut words, last) = parse(line);
    match last {
        Last::None => {}
        Last::Word(word) => words.push(word),
        Last::Open(..) => return Err(Failure::usage("a quote is never closed")),
    }
    Ok(words)
}

/// How a line ends.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Last {
    /// With a blank, or not at all.
    None,
    /// Within this word.
    Word(Vec<u8>),
    /// Within this word, in a quote of this kind.
    Open(Vec<u8>, u8),
}

/// The complete words of a line, and what its end is part of.
pub(super) fn parse(line: &[u8]) -> (Vec<Vec<u8>>, Last) {
    let mut words = Vec::new();
    let mut word: Option<Vec<u8>> = None;
    let mut quote: Option<u8> = None;
    let mut bytes = line.iter().copied().peekable();
    while let Some(byte) = bytes.next() {
        let next = bytes.peek().copied();
        match (quote, byte) {
            (Some(open), byte) if byte == open => quote = None,
            (Some(b'"'), b'\\') if next == Some(b'"') => {
                bytes.next();
                word.get_or_insert_default().push(b'"');
            }
            (Some(_), byte) => word.get_or_insert_default().push(byte),
            (None, b'\'' | b'"') => {
                quote = Some(byte);
                word.get_or_insert_default();
            }
            (None, b'\\') => match next {
                Some(literal @ (b' ' | b'\t' | b'\'' | b'"')) => {
                    bytes.next();
                    word.get_or_insert_default().push(literal);
                }
                // Both backslashes of a pair stay, so that the second one protects nothing.
                Some(b'\\') => {
                    bytes.next();
                    word.get_or_insert_default().extend_from_slice(b"\\\\");
                }
                _ => word.get_or_insert_default().push(b'\\'),
            },
            (None, b' ' | b'\t') => words.extend(word.take()),
            (None, byte) => word.get_or_insert_default().push(byte),
        }
    }
    let last = match (word, quote) {
        (Some(word), Some(quote)) => Last::Open(word, quote),
        (Some(word), None) => Last::Word(word),
        (None, _) => Last::None,
    };
    (words, last)
}

/// A word as it is written on a line: blanks and quotes with a backslash.
pub(super) fn escape(word: &str) -> String {
    let mut text = String::with_capacity(word.len());
    for c in word.chars() {
        if matches!(c, ' ' | '\t' | '\'' | '"') {
            text.push('\\');
        }
        text.push(c);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn words(line: &str) -> Vec<String> {
        split(line.as_bytes()).unwrap().into_iter().map(|w| String::from_utf8(w).unwrap()).collect()
    }

    #[test]
    fn quotes_and_backslashes() {
        assert_eq!(
            words("  set /users/a  realname 'Alice A.' "),
            ["set", "/users/a", "realname", "Alice A."]
        );
        assert_eq!(words(r#"a "b \"c\" 'd'" e"#), ["a", r#"b "c" 'd'"#, "e"]);
        assert_eq!(words(r"cat /mounts/host:\/export"), ["cat", r"/mounts/host:\/export"]);
        assert_eq!(words(r"a\ b c\\ d"), ["a b", r"c\\", "d"]);
        assert_eq!(words(r"'' x''y"), ["", "xy"]);
        assert!(words("").is_empty());
        assert!(split(b"a 'b").is_err());
    }

    #[test]
    fn the_end_of_a_line() {
        assert_eq!(parse(b"ls ").1, Last::None);
        assert_eq!(parse(b"ls /us").1, Last::Word(b"/us".to_vec()));
        assert_eq!(parse(b"ls '/us").1, Last::Open(b"/us".to_vec(), b'\''));
    }

    proptest! {
        #[test]
        fn escaped_words_stay_one(word in "[a-z '\"/=.#-]{1,12}") {
            prop_assert_eq!(words(&escape(&word)), [word]);
        }

        #[test]
        fn arbitrary_bytes_never_panic(line in proptest::collection::vec(any::<u8>(), 0..40)) {
            let _ = split(&line);
        }
    }
}
