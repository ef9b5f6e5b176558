//! One spelling for all values that some matching rule takes for equal.

/// Appends the fold of `value` to `out`: if two values are equal under any matching rule for equality of RFC 4517, except
/// those that take identifiers for elements of a schema, their folds are equal; the reverse does not hold.
pub fn fold(value: &[u8], out: &mut Vec<u8>) {
    out.extend(value.iter().filter(|byte| !matches!(byte, b' ' | b'-')).map(u8::to_ascii_lowercase));
}
