//! Preparation of strings for matching (RFC 4518).
//!
//! What is done, step by step:
//!
//! 1. *Transcode*: values are UTF-8; anything else is refused.
//! 2. *Map*: as §2.2 says — control characters, soft hyphens, variation selectors and the like are dropped, tabs, line
//!    breaks and all separators become spaces. Case is folded when the rule ignores it: every character is mapped to
//!    lower, upper and lower case again by the Unicode tables of the standard library, which is full case folding
//!    (`ß` is `ss`, final and other sigmas are one); the dotless `ı` stays itself.
//! 3. *Normalise*: Unicode normalisation form KC, in a current version of Unicode; folding is repeated once after it,
//!    since compatibility mapping can bring capitals back.
//! 4. *Prohibit*: private use and non-characters and U+FFFD are refused. Code points which Unicode 3.2 had not assigned
//!    are *not* refused: the RFC's reason for it, tables that stay the same for ever, is no reason to lose names in
//!    scripts added since.
//! 5. *Check bidi*: nothing, as the RFC says.
//! 6. *Insignificant characters*: see [`Spaces`].
//!
//! Pure ASCII takes one pass and no allocation.

use smallvec::SmallVec;
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use crate::error::ValueError;

/// Bytes of a key that need no allocation.
pub(crate) const KEY_INLINE: usize = 256;

/// A key while it is being made.
pub(crate) type Key = SmallVec<[u8; KEY_INLINE]>;

/// Which characters are insignificant (RFC 4518 §2.6).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Spaces {
    /// Spaces at either end, and all but one of several in a row. (The RFC puts one space at either end and makes two of
    /// every inner sequence; that only serves substrings, where [`crate::matching::Pattern`] does as if it were so.)
    Squeeze,
    /// All spaces.
    Drop,
    /// All spaces and hyphens.
    DropHyphens,
}

/// Whether a string began or ended with spaces before they were squeezed. What was all spaces did both.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Edges {
    pub(crate) leading: bool,
    pub(crate) trailing: bool,
}

/// Whether `value` is its own prepared form, found without looking anything up: ASCII, no control characters, no
/// insignificant spaces and, if case is folded, no capitals. Others may be prepared too.
pub(crate) fn is_prepared(value: &[u8], fold: bool) -> bool {
    let mut after_space = true;
    for &byte in value {
        let fine = match byte {
            b' ' => !after_space,
            b'A'..=b'Z' => !fold,
            0x21..=0x7e => true,
            _ => false,
        };
        if !fine {
            return false;
        }
        after_space = byte == b' ';
    }
    value.is_empty() || !after_space
}

/// Append the prepared form of `value` to `out`.
pub(crate) fn prepare(value: &[u8], fold: bool, spaces: Spaces, out: &mut Key) -> Result<Edges, ValueError> {
    if spaces == Spaces::Squeeze && is_prepared(value, fold) {
        out.extend_from_slice(value);
        return Ok(Edges::default());
    }
    if value.is_ascii() {
        let mut squeezer = Squeezer::new(spaces, out);
        for &byte in value {
            match byte {
                b'\t'..=b'\r' | b' ' => squeezer.space(),
                0..=0x1f | 0x7f => {}
                byte if fold => squeezer.byte(byte.to_ascii_lowercase()),
                byte => squeezer.byte(byte),
            }
        }
        return Ok(squeezer.edges());
    }
    let text = std::str::from_utf8(value).map_err(|_| ValueError::NotUtf8)?;
    let mut mapped: String = text.chars().filter_map(map).collect();
    if fold {
        mapped = mapped.chars().flat_map(folded).nfkc().collect();
        mapped = mapped.chars().flat_map(folded).collect();
    }
    mapped = mapped.nfkc().collect();
    if mapped.chars().any(is_prohibited) {
        return Err(ValueError::Prohibited);
    }
    let mut squeezer = Squeezer::new(spaces, out);
    let mut chars = mapped.chars().peekable();
    while let Some(c) = chars.next() {
        // A space that carries a combining mark is a letter of its own.
        if c == ' ' && !chars.peek().is_some_and(|&next| is_combining_mark(next)) {
            squeezer.space();
        } else if !(spaces == Spaces::DropHyphens && is_hyphen(c)) {
            let mut utf8 = [0; 4];
            for &byte in c.encode_utf8(&mut utf8).as_bytes() {
                squeezer.byte(byte);
            }
        }
    }
    Ok(squeezer.edges())
}

/// Drops insignificant characters on the way out.
struct Squeezer<'k> {
    out: &'k mut Key,
    start: usize,
    spaces: Spaces,
    leading: bool,
    pending: bool,
}

impl<'k> Squeezer<'k> {
    fn new(spaces: Spaces, out: &'k mut Key) -> Self {
        Self { start: out.len(), out, spaces, leading: false, pending: false }
    }

    fn space(&mut self) {
        self.pending = true;
        self.leading |= self.out.len() == self.start;
    }

    fn byte(&mut self, byte: u8) {
        if self.spaces == Spaces::DropHyphens && byte == b'-' {
            return;
        }
        if self.pending && self.spaces == Spaces::Squeeze && self.out.len() > self.start {
            self.out.push(b' ');
        }
        self.pending = false;
        self.out.push(byte);
    }

    fn edges(&self) -> Edges {
        if self.spaces == Spaces::Squeeze {
            Edges { leading: self.leading, trailing: self.pending }
        } else {
            Edges::default()
        }
    }
}

/// RFC 4518 §2.2, but for case: None is "mapped to nothing".
fn map(c: char) -> Option<char> {
    match c {
        '\t'..='\r' | '\u{85}' => Some(' '),
        '\0'..='\u{1f}' | '\u{7f}'..='\u{9f}' | '\u{ad}' | '\u{34f}' => None,
        '\u{6dd}' | '\u{70f}' | '\u{1806}' | '\u{180b}'..='\u{180e}' => None,
        '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2063}' => None,
        '\u{206a}'..='\u{206f}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{fff9}'..='\u{fffc}' => None,
        '\u{1d173}'..='\u{1d17a}' | '\u{e0001}' | '\u{e0020}'..='\u{e007f}' => None,
        '\u{a0}' | '\u{1680}' | '\u{2000}'..='\u{200a}' => Some(' '),
        '\u{2028}' | '\u{2029}' | '\u{202f}' | '\u{205f}' | '\u{3000}' => Some(' '),
        c => Some(c),
    }
}

fn folded(c: char) -> impl Iterator<Item = char> {
    let dotless = (c == 'ı').then_some(c);
    let other =
        dotless.is_none().then(|| c.to_lowercase().flat_map(char::to_uppercase).flat_map(char::to_lowercase));
    dotless.into_iter().chain(other.into_iter().flatten())
}

/// RFC 4518 §2.4, without the unassigned code points.
fn is_prohibited(c: char) -> bool {
    matches!(c, '\u{e000}'..='\u{f8ff}' | '\u{f0000}'..='\u{10ffff}' | '\u{fdd0}'..='\u{fdef}' | '\u{fffd}')
        || u32::from(c) & 0xfffe == 0xfffe
}

/// The hyphens of RFC 4518 §2.6.3 that are not ASCII.
fn is_hyphen(c: char) -> bool {
    matches!(c, '-' | '\u{58a}' | '\u{2010}' | '\u{2011}' | '\u{2212}' | '\u{fe63}' | '\u{ff0d}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn text(value: &str, fold: bool) -> String {
        let mut key = Key::new();
        prepare(value.as_bytes(), fold, Spaces::Squeeze, &mut key).unwrap();
        String::from_utf8(key.to_vec()).unwrap()
    }

    fn edges(value: &str) -> (bool, bool) {
        let edges = prepare(value.as_bytes(), true, Spaces::Squeeze, &mut Key::new()).unwrap();
        (edges.leading, edges.trailing)
    }

    #[test]
    fn spaces_at_the_ends_and_in_a_row_are_insignificant() {
        assert_eq!(text("  foo \t bar\r\n", true), "foo bar");
        assert_eq!(text("\u{3000}foo\u{2003}\u{a0}bar", true), "foo bar");
        assert_eq!(text("   ", true), "");
        assert_eq!(
            (edges("foo"), edges(" foo"), edges("foo "), edges(" ")),
            ((false, false), (true, false), (false, true), (true, true))
        );
    }

    #[test]
    fn case_is_folded_fully() {
        assert_eq!(text("STRASSE", true), text("Straße", true));
        assert_eq!(text("ẞ", true), "ss");
        assert_eq!(text("ΣΊΣΥΦΟΣ", true), text("Σίσυφος", true));
        assert_eq!(text("BRONTË", true), "brontë");
        assert_eq!(text("Kelvin \u{212a}", true), "kelvin k");
        assert_ne!(text("ı", true), text("i", true));
        assert_eq!(text("Straße", false), "Straße");
    }

    #[test]
    fn compatible_characters_are_one() {
        assert_eq!(text("ﬁle", false), "file");
        assert_eq!(text("e\u{301}", false), "é");
        assert_eq!(text("①", false), "1");
        assert_eq!(text("ＡＢＣ", true), "abc");
        assert_eq!(text("ℌ", true), "h");
    }

    #[test]
    fn invisible_characters_are_dropped() {
        assert_eq!(text("co\u{ad}op\u{200b}era\u{feff}te\u{0}", true), "cooperate");
        assert_eq!(text("a\u{7}b", true), "ab");
    }

    #[test]
    fn a_space_with_a_combining_mark_is_kept() {
        assert_eq!(text("a  \u{308}", false), "a  \u{308}");
        assert_eq!(text("\u{a8}a", false), " \u{308}a");
    }

    #[test]
    fn prohibited_code_points_and_bad_utf8_are_refused() {
        for bad in ["\u{f8ff}", "a\u{fffd}", "\u{fdd0}", "\u{1ffff}", "\u{10fffe}"] {
            assert_eq!(
                prepare(bad.as_bytes(), true, Spaces::Squeeze, &mut Key::new()),
                Err(ValueError::Prohibited)
            );
        }
        assert_eq!(prepare(b"\xff", true, Spaces::Squeeze, &mut Key::new()), Err(ValueError::NotUtf8));
    }

    #[test]
    fn numbers_lose_spaces_and_hyphens() {
        let prepared = |value: &str, spaces| {
            let mut key = Key::new();
            prepare(value.as_bytes(), true, spaces, &mut key).unwrap();
            String::from_utf8(key.to_vec()).unwrap()
        };
        assert_eq!(prepared(" 12 34 ", Spaces::Drop), "1234");
        assert_eq!(prepared("+1 555-0100", Spaces::DropHyphens), "+15550100");
        assert_eq!(prepared("+1\u{2011}555\u{2212}0100", Spaces::DropHyphens), "+15550100");
    }

    proptest! {
        #[test]
        fn prepared_strings_stay_as_they_are(value in "\\PC{0,24}|[ -~]{0,24}", fold: bool) {
            let mut once = Key::new();
            if prepare(value.as_bytes(), fold, Spaces::Squeeze, &mut once).is_ok() {
                let mut twice = Key::new();
                prop_assert!(prepare(&once, fold, Spaces::Squeeze, &mut twice).is_ok());
                prop_assert_eq!(&once, &twice);
            }
        }

        #[test]
        fn the_quick_check_says_yes_only_to_prepared_strings(value in "[ -~]{0,12}", fold: bool) {
            let mut key = Key::new();
            prepare(value.as_bytes(), fold, Spaces::Squeeze, &mut key).unwrap();
            prop_assert_eq!(is_prepared(value.as_bytes(), fold), key.as_slice() == value.as_bytes());
        }

        #[test]
        fn arbitrary_bytes_never_panic(value: Vec<u8>, fold: bool) {
            let _ = prepare(&value, fold, Spaces::DropHyphens, &mut Key::new());
        }
    }
}
