//! The text form of schema elements, both ways (RFC 4512 §4.1).
//!
//! `FromStr` and `Display` of the types in [`crate::definition`] use it. Reading is more liberal than the RFC where
//! schemas in use are: words in any order and case, names and OIDs with or without quotes. Writing follows the RFC.

mod lexer;
mod read;
mod write;

pub(crate) use read::{Grammar, check};

/// Longest description that is read, in bytes.
pub const DESCRIPTION_LIMIT: usize = 65_536;

/// Split `oid{bound}` (`noidlen`). None when what stands in the braces is no number.
pub(crate) fn split_bound(text: &str) -> Option<(&str, Option<u32>)> {
    let Some((oid, rest)) = text.split_once('{') else {
        return Some((text, None));
    };
    let bound = rest.strip_suffix('}')?.parse().ok()?;
    Some((oid, Some(bound)))
}
