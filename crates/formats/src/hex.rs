//! Bytes in hexadecimal digits.

/// Lower-case digits.
pub(crate) fn encode(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        // Strings take everything.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// The bytes of pairs of digits in either case; `None` for anything else.
pub(crate) fn decode(digits: &[u8]) -> Option<Vec<u8>> {
    let digit = |digit: u8| (digit as char).to_digit(16).map(|digit| digit as u8);
    let (pairs, rest) = digits.as_chunks::<2>();
    if !rest.is_empty() {
        return None;
    }
    pairs.iter().map(|[high, low]| Some(digit(*high)? << 4 | digit(*low)?)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_pairs() {
        assert_eq!(decode(b"00fFA1"), Some(vec![0, 255, 161]));
        assert_eq!(encode(&[0, 255, 161]), "00ffa1");
        assert_eq!(decode(b""), Some(vec![]));
        for bad in [&b"0"[..], b"0g", b"+1", "é".as_bytes()] {
            assert_eq!(decode(bad), None);
        }
    }
}
