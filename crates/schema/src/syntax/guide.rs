//! Search guides (RFC 4517 §3.3.10, §3.3.14) and substring assertions (§3.3.30).

use super::{Checked, utf8};
use crate::error::ValueError;
use crate::text::is_oid;

/// Deepest nesting of parentheses and negations in a guide.
const GUIDE_DEPTH_LIMIT: usize = 64;

/// Object class, criteria and subset.
pub(super) fn enhanced_guide(value: &[u8]) -> Checked {
    let error = ValueError::Malformed("an enhanced guide");
    let mut parts = utf8(value)?.split('#').map(|part| part.trim_matches(' '));
    let (Some(class), Some(criteria), Some(subset), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(error);
    };
    if is_oid(class) && is_criteria(criteria) && ["baseobject", "oneLevel", "wholeSubtree"].contains(&subset)
    {
        Ok(())
    } else {
        Err(error)
    }
}

/// Object class, if any, and criteria.
pub(super) fn guide(value: &[u8]) -> Checked {
    let text = utf8(value)?;
    let (class, criteria) = match text.split_once('#') {
        Some((class, criteria)) => (Some(class.trim_matches(' ')), criteria),
        None => (None, text),
    };
    if class.is_none_or(is_oid) && is_criteria(criteria) {
        Ok(())
    } else {
        Err(ValueError::Malformed("a guide"))
    }
}

/// Parts with asterisks between them; an asterisk or backslash in a part is `\2A` or `\5C`.
pub(super) fn substring_assertion(value: &[u8]) -> Checked {
    let error = ValueError::Malformed("a substring assertion");
    let text = utf8(value)?;
    let parts: usize = text.split('*').count();
    let any_empty = text.split('*').enumerate().any(|(at, part)| at > 0 && at + 1 < parts && part.is_empty());
    // One asterisk at least, something beside it, and nothing empty between two.
    if parts < 2 || text == "*" || any_empty {
        return Err(error);
    }
    let escaped = |rest: &str| matches!(rest.as_bytes().get(1..3), Some(b"2A" | b"2a" | b"5C" | b"5c"));
    if text.match_indices('\\').all(|(at, _)| escaped(&text[at..])) { Ok(()) } else { Err(error) }
}

fn is_criteria(text: &str) -> bool {
    let mut criteria = Criteria { rest: text };
    criteria.alternatives(0) && criteria.peek().is_none()
}

/// Recursive descent over a guide's criteria.
struct Criteria<'t> {
    rest: &'t str,
}

impl Criteria<'_> {
    fn peek(&mut self) -> Option<u8> {
        self.rest = self.rest.trim_start_matches(' ');
        self.rest.bytes().next()
    }

    fn take(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        if found {
            self.rest = &self.rest[1..];
        }
        found
    }

    fn take_word(&mut self, word: &str) -> bool {
        self.peek();
        let rest = self.rest.strip_prefix(word);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    /// `term | term`
    fn alternatives(&mut self, depth: usize) -> bool {
        let mut good = self.conjunction(depth);
        while good && self.take(b'|') {
            good = self.conjunction(depth);
        }
        good
    }

    /// `term & term`
    fn conjunction(&mut self, depth: usize) -> bool {
        let mut good = self.term(depth);
        while good && self.take(b'&') {
            good = self.term(depth);
        }
        good
    }

    /// `!term`, `(criteria)`, `?true`, `?false`, `attribute$match`
    fn term(&mut self, depth: usize) -> bool {
        if depth > GUIDE_DEPTH_LIMIT {
            return false;
        }
        if self.take(b'!') {
            return self.term(depth + 1);
        }
        if self.take(b'(') {
            return self.alternatives(depth + 1) && self.take(b')');
        }
        if self.take(b'?') {
            return self.take_word("true") || self.take_word("false");
        }
        let end = self.rest.find(['$', ' ']).unwrap_or(self.rest.len());
        let (attribute, rest) = self.rest.split_at(end);
        self.rest = rest;
        is_oid(attribute)
            && self.take(b'$')
            && ["EQ", "SUBSTR", "GE", "LE", "APPROX"].iter().any(|kind| self.take_word(kind))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn guides() {
        for good in ["person#sn$EQ", "sn$APPROX | (cn$EQ & !ou$SUBSTR)", "?true", "1.2.3#( ?false )"] {
            assert_eq!(guide(good.as_bytes()), Ok(()), "{good}");
        }
        for bad in ["", "person#", "sn$IS", "sn", "(sn$EQ", "sn$EQ)", "sn$EQ|", "é$EQ"] {
            assert!(guide(bad.as_bytes()).is_err(), "{bad}");
        }
        assert_eq!(enhanced_guide(b"person#(sn$EQ)#oneLevel"), Ok(()));
        assert!(enhanced_guide(b"person#(sn$EQ)#twoLevel").is_err());
        assert!(enhanced_guide(b"person#sn$EQ").is_err());
    }

    #[test]
    fn nesting_is_limited() {
        let nested = |depth| format!("{}?true{}", "(".repeat(depth), ")".repeat(depth));
        assert_eq!(guide(nested(GUIDE_DEPTH_LIMIT).as_bytes()), Ok(()));
        assert!(guide(nested(GUIDE_DEPTH_LIMIT + 1).as_bytes()).is_err());
        assert!(guide("!".repeat(100_000).as_bytes()).is_err());
    }

    #[test]
    fn substring_assertions_have_an_asterisk() {
        for good in ["a*", "*a", "*a*", "a*b*c", r"a\2a*\5C"] {
            assert_eq!(substring_assertion(good.as_bytes()), Ok(()), "{good}");
        }
        for bad in ["", "a", "*", "**", "a**b", r"a\*b", r"a\"] {
            assert!(substring_assertion(bad.as_bytes()).is_err(), "{bad}");
        }
    }
}
