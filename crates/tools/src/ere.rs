//! POSIX extended regular expressions, over bytes. They are rewritten for the engine of the `regex` crate: for "does it
//! match" the two agree once brackets, escapes and the places where operators may stand are spelled alike.

use std::fmt::Write;

use regex::bytes::{Regex, RegexBuilder};

/// Largest compiled expression in bytes.
pub(crate) const SIZE_LIMIT: usize = 1 << 22;
/// Largest number of repetitions (POSIX `RE_DUP_MAX`, as systems have it).
const MAX_REPEAT: u32 = 32_767;

/// Compiles an expression; `None` if it is none.
pub(crate) fn compile(expression: &[u8]) -> Option<Regex> {
    let pattern = translate(expression)?;
    RegexBuilder::new(&pattern).unicode(false).dot_matches_new_line(true).size_limit(SIZE_LIMIT).build().ok()
}

/// A place where an operator has nothing to repeat.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Before {
    /// The beginning, or an opening parenthesis, or a bar.
    Nothing,
    /// An anchor.
    Anchor,
    /// Something that can be repeated.
    Atom,
}

fn translate(expression: &[u8]) -> Option<String> {
    let mut pattern = String::new();
    let mut before = Before::Nothing;
    let mut open = 0_usize;
    let mut rest = expression;
    while let Some((byte, after)) = rest.split_first() {
        rest = after;
        let mut now = Before::Atom;
        match byte {
            b'\\' => {
                let (literal_byte, after) = rest.split_first()?;
                rest = after;
                literal(&mut pattern, *literal_byte);
            }
            b'[' => rest = bracket(&mut pattern, rest)?,
            b'(' => {
                open += 1;
                pattern.push('(');
                now = Before::Nothing;
            }
            b')' if open > 0 => {
                open -= 1;
                pattern.push(')');
            }
            b'|' => {
                pattern.push('|');
                now = Before::Nothing;
            }
            b'^' | b'$' => {
                pattern.push(char::from(*byte));
                now = Before::Anchor;
            }
            b'*' | b'+' | b'?' | b'{' if before == Before::Nothing => return None,
            b'*' | b'+' | b'?' | b'{' => {
                // Several operators in a row apply one to the result of the other; two would mean something else here.
                if before == Before::Anchor {
                    pattern.push_str("(?:)");
                }
                let operator =
                    if *byte == b'{' { interval(&mut rest)? } else { char::from(*byte).to_string() };
                pattern = regroup(pattern, &operator);
            }
            b'.' => pattern.push('.'),
            byte => literal(&mut pattern, *byte),
        }
        before = now;
    }
    (open == 0).then_some(pattern)
}

/// Appends an operator; if one precedes it, what is repeated so far becomes a group. Literals are written `\xHH`, so
/// that these characters are operators wherever they end a pattern.
fn regroup(mut pattern: String, operator: &str) -> String {
    if pattern.ends_with(['*', '+', '?', '}']) {
        let start = last_atom(&pattern);
        let atom = pattern.split_off(start);
        let _ = write!(pattern, "(?:{atom})");
    }
    pattern.push_str(operator);
    pattern
}

/// Where the last atom with its operators begins.
fn last_atom(pattern: &str) -> usize {
    let bytes = pattern.as_bytes();
    let mut end = bytes.len();
    // Operators.
    loop {
        match bytes.get(end.wrapping_sub(1)) {
            Some(b'*' | b'+' | b'?') => end -= 1,
            Some(b'}') => end = pattern.get(..end).and_then(|p| p.rfind('{')).unwrap_or(0),
            _ => break,
        }
    }
    match bytes.get(end.wrapping_sub(1)) {
        // Classes and literals hold no parentheses or brackets of their own: those are written as `\xHH`.
        Some(b']') => pattern.get(..end).and_then(|p| p.rfind('[')).unwrap_or(0),
        Some(b')') => {
            let mut depth = 0_usize;
            for at in (0..end).rev() {
                match bytes.get(at) {
                    Some(b')') => depth += 1,
                    Some(b'(') => {
                        depth -= 1;
                        if depth == 0 {
                            return at;
                        }
                    }
                    _ => {}
                }
            }
            0
        }
        Some(b'.' | b'^' | b'$') => end - 1,
        _ => end.saturating_sub(4),
    }
}

fn literal(pattern: &mut String, byte: u8) {
    let _ = write!(pattern, "\\x{byte:02X}");
}

/// `{n}`, `{n,}`, `{n,m}`; `rest` begins after the brace.
fn interval(rest: &mut &[u8]) -> Option<String> {
    let end = rest.iter().position(|byte| *byte == b'}')?;
    let text = std::str::from_utf8(rest.get(..end)?).ok()?;
    *rest = rest.get(end + 1..)?;
    let number = |text: &str| -> Option<u32> {
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse().ok().filter(|number| digits && *number <= MAX_REPEAT)
    };
    match text.split_once(',') {
        None => number(text).map(|n| format!("{{{n}}}")),
        Some((low, "")) => number(low).map(|n| format!("{{{n},}}")),
        Some((low, high)) => {
            let low = if low.is_empty() { 0 } else { number(low)? };
            let high = number(high).filter(|high| low <= *high)?;
            Some(format!("{{{low},{high}}}"))
        }
    }
}

/// A bracket expression; `rest` begins after the bracket. Returns what follows it.
fn bracket<'r>(pattern: &mut String, rest: &'r [u8]) -> Option<&'r [u8]> {
    let mut rest = rest;
    let negated = rest.first() == Some(&b'^');
    if negated {
        rest = rest.get(1..)?;
    }
    let mut set = [false; 256];
    let mut first = true;
    loop {
        let (byte, after) = rest.split_first()?;
        if *byte == b']' && !first {
            rest = after;
            break;
        }
        first = false;
        if let Some(class) = after.strip_prefix(b":").filter(|_| *byte == b'[') {
            let end = class.windows(2).position(|pair| pair == b":]")?;
            let member = class_of(class.get(..end)?)?;
            set.iter_mut().zip(0_u8..=255).for_each(|(is, byte)| *is |= member(byte));
            rest = class.get(end + 2..)?;
            continue;
        }
        let (low, after) = element(rest)?;
        rest = after;
        let mut high = low;
        if let [b'-', next, ..] = rest
            && *next != b']'
        {
            let (end, after) = element(rest.get(1..)?)?;
            high = end;
            rest = after;
        }
        if low > high {
            return None;
        }
        (low..=high).for_each(|byte| set.get_mut(usize::from(byte)).into_iter().for_each(|is| *is = true));
    }
    pattern.push_str(if negated { "[^" } else { "[" });
    let members: Vec<u8> = (0..=255).filter(|byte: &u8| set.get(usize::from(*byte)) == Some(&true)).collect();
    if members.is_empty() {
        return None;
    }
    members.iter().for_each(|byte| literal(pattern, *byte));
    pattern.push(']');
    Some(rest)
}

/// One character of a bracket expression, perhaps as `[.x.]` or `[=x=]`.
fn element(rest: &[u8]) -> Option<(u8, &[u8])> {
    match rest {
        [b'[', mark @ (b'.' | b'='), byte, end, b']', after @ ..] if end == mark => Some((*byte, after)),
        [b'[', b'.' | b'=', ..] | [] => None,
        [byte, after @ ..] => Some((*byte, after)),
    }
}

fn class_of(name: &[u8]) -> Option<fn(u8) -> bool> {
    Some(match name {
        b"alnum" => |byte| byte.is_ascii_alphanumeric(),
        b"alpha" => |byte| byte.is_ascii_alphabetic(),
        b"blank" => |byte| byte == b' ' || byte == b'\t',
        b"cntrl" => |byte| byte.is_ascii_control(),
        b"digit" => |byte| byte.is_ascii_digit(),
        b"graph" => |byte| byte.is_ascii_graphic(),
        b"lower" => |byte| byte.is_ascii_lowercase(),
        b"print" => |byte| byte.is_ascii_graphic() || byte == b' ',
        b"punct" => |byte| byte.is_ascii_punctuation(),
        b"space" => |byte| byte.is_ascii_whitespace() || byte == 0x0b,
        b"upper" => |byte| byte.is_ascii_uppercase(),
        b"xdigit" => |byte| byte.is_ascii_hexdigit(),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn is(expression: &str, text: &str) -> bool {
        compile(expression.as_bytes()).unwrap().is_match(text.as_bytes())
    }

    #[test]
    fn expressions() {
        for (expression, yes, no) in [
            (r"10\.0\.", "10.0.0.5", "10a0.0"),
            ("^a.c$", "abc", "xabc"),
            ("ab|cd", "xcd", "xbc"),
            ("(ab)+c", "ababc", "abab"),
            ("a{2,3}b", "aab", "ab"),
            ("a{,1}b", "b", "a"),
            ("^[[:digit:]]+$", "123", "12a"),
            (r"^[\d]$", "d", "1"),
            ("[]x]", "]", "y"),
            ("[^]x]", "y", "]"),
            ("[a-c]", "b", "d"),
            ("[a-]", "-", "b"),
            ("a)", "a)", "a"),
            (r"\*", "*", "x"),
            ("a**", "", "\0never"),
            ("^*ab", "ab", "x"),
            ("(a|b{2}){2}$", "abb", "ab"),
            ("[[.-.]]", "-", "x"),
            ("M\u{fc}", "Joe M\u{fc}ller", "Mu"),
            ("", "anything", "\0never"),
        ] {
            assert!(is(expression, yes), "{expression} {yes}");
            assert!(no.starts_with('\0') || !is(expression, no), "{expression} {no}");
        }
    }

    #[test]
    fn bad_expressions() {
        for bad in
            ["(", "[", "[a", "*", "+a", "a|*", "(*a)", "a{2", "a{2,1}", "a{x}", r"\", "[b-a]", "[[:nope:]]"]
        {
            assert!(compile(bad.as_bytes()).is_none(), "{bad}");
        }
    }

    #[test]
    fn expressions_have_a_limit() {
        assert!(compile(b"((a{1000}){1000}){1000}").is_none());
    }

    proptest! {
        #[test]
        fn any_bytes_compile_or_not(expression in proptest::collection::vec(
            prop_oneof![proptest::sample::select(b"()[]{}*+?|^$.\\,-:=12a".to_vec()), any::<u8>()], 0..24,
        )) {
            if let Some(regex) = compile(&expression) {
                regex.is_match(b"some text");
            }
        }
    }
}
