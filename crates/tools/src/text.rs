//! Pieces of output and input that several tools share.

use netinfo_client::Property;
use nix::errno::Errno;
use zeroize::Zeroizing;

use crate::io::Io;

/// What is shown when a password is asked for.
const PROMPT: &str = "Password: ";

/// `KEY: v1 v2` and a newline.
pub(crate) fn property_line(line: &mut Vec<u8>, property: &Property) {
    line.extend_from_slice(&property.name);
    line.push(b':');
    values(line, &property.values);
    line.push(b'\n');
}

/// A blank before each value.
pub(crate) fn values(line: &mut Vec<u8>, values: &[Vec<u8>]) {
    for value in values {
        line.push(b' ');
        line.extend_from_slice(value);
    }
}

/// The values of the first property named `key`.
pub(crate) fn values_of<'p>(properties: &'p [Property], key: &[u8]) -> Option<&'p [Vec<u8>]> {
    properties.iter().find(|p| p.name == key).map(|p| p.values.as_slice())
}

/// The first value of the first property named `key`.
pub(crate) fn first<'p>(properties: &'p [Property], key: &[u8]) -> Option<&'p [u8]> {
    values_of(properties, key)?.first().map(Vec::as_slice)
}

/// A number as C's `atoi` reads it: blanks, a sign, digits; anything else is 0.
pub(crate) fn atoi(text: &[u8]) -> i64 {
    let (number, _) = leading_number(text);
    number
}

/// The number at the beginning of a text, and what follows it.
pub(crate) fn leading_number(text: &[u8]) -> (i64, &[u8]) {
    let trimmed = text.trim_ascii_start();
    let (negative, digits) = match trimmed.split_first() {
        Some((b'-', rest)) => (true, rest),
        Some((b'+', rest)) => (false, rest),
        _ => (false, trimmed),
    };
    let count = digits.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (number, rest) = digits.split_at(count);
    if number.is_empty() {
        return (0, text);
    }
    let value = number
        .iter()
        .fold(0_i64, |value, digit| value.saturating_mul(10).saturating_add(i64::from(*digit - b'0')));
    (if negative { -value } else { value }, rest)
}

/// Asks for a password on the terminal; without one, on standard input.
pub(crate) fn ask_password(io: &mut Io<'_>) -> Zeroizing<Vec<u8>> {
    io.flush();
    if let Ok(typed) = (io.ask)(PROMPT) {
        return Zeroizing::new(typed.as_bytes().to_vec());
    }
    io.err(PROMPT);
    let mut line = Zeroizing::new(Vec::new());
    // Nothing to read is the empty password.
    let _ = io.stdin.read_until(b'\n', &mut line);
    while matches!(line.last(), Some(b'\n' | b'\r')) {
        line.pop();
    }
    line
}

/// The text of an errno without Rust's number.
pub(crate) fn errno(error: &std::io::Error) -> String {
    error.raw_os_error().map_or_else(|| error.to_string(), |raw| Errno::from_raw(raw).desc().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_as_c_reads_them() {
        for (text, number) in
            [("7", 7), ("-1", -1), ("+3x", 3), (" 12", 12), ("abc", 0), ("", 0), ("-", 0), ("9z", 9)]
        {
            assert_eq!(atoi(text.as_bytes()), number, "{text}");
        }
        assert_eq!(atoi(b"99999999999999999999999"), i64::MAX);
        assert_eq!(leading_number(b"12ab"), (12, &b"ab"[..]));
    }
}
