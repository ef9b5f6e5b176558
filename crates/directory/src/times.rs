//! Times as values (GeneralizedTime, RFC 4517 §3.3.13): the one way to write each, for the value index.

use jiff::SignedDuration;
use jiff::civil::DateTime;

/// The time a value says, written as `YYYYMMDDHHMMSS[.f]Z`; `None` if it says none, or is written so already.
pub(crate) fn canonical(value: &[u8]) -> Option<Vec<u8>> {
    if !matches!(value.last(), Some(b'Z' | b'0'..=b'9')) || !value.iter().take(10).all(u8::is_ascii_digit) {
        return None;
    }
    let mut rest = value;
    let (century, year) = (two(&mut rest, 99)?, two(&mut rest, 99)?);
    let (month, day, hour) = (two(&mut rest, 12)?, two(&mut rest, 31)?, two(&mut rest, 23)?);
    let year = century * 100 + year;
    let has_digit = |rest: &[u8]| rest.first().is_some_and(u8::is_ascii_digit);
    let minute = if has_digit(rest) { Some(two(&mut rest, 59)?) } else { None };
    let second = if minute.is_some() && has_digit(rest) { Some(two(&mut rest, 60)?) } else { None };
    let mut fraction = fraction(&mut rest)?;
    let minute = minute.unwrap_or_else(|| times_sixty(&mut fraction));
    let second = second.unwrap_or_else(|| times_sixty(&mut fraction));
    let digits = fraction.iter().rposition(|&digit| digit != b'0').map_or(0, |last| last + 1);
    let at = DateTime::new(year as i16, month as i8, day as i8, hour as i8, minute as i8, 0, 0).ok()?;
    let at = at.checked_sub(SignedDuration::from_mins(difference(rest)?)).ok()?;
    if at.year() < 0 {
        return None;
    }
    let (year, month, day, hour, minute) = (at.year(), at.month(), at.day(), at.hour(), at.minute());
    let mut text = format!("{year:04}{month:02}{day:02}{hour:02}{minute:02}{second:02}").into_bytes();
    if digits > 0 {
        text.push(b'.');
        text.extend_from_slice(&fraction[..digits]);
    }
    text.push(b'Z');
    (text != value).then_some(text)
}

/// Two digits, up to `most`.
fn two(rest: &mut &[u8], most: i64) -> Option<i64> {
    let [tens @ b'0'..=b'9', ones @ b'0'..=b'9', tail @ ..] = *rest else { return None };
    *rest = tail;
    let number = i64::from(tens - b'0') * 10 + i64::from(ones - b'0');
    (number <= most).then_some(number)
}

/// The digits behind a point or comma, or none.
fn fraction(rest: &mut &[u8]) -> Option<Vec<u8>> {
    let [b'.' | b',', tail @ ..] = *rest else { return Some(Vec::new()) };
    let digits = tail.iter().take_while(|byte| byte.is_ascii_digit()).count();
    *rest = &tail[digits..];
    (digits > 0).then(|| tail[..digits].to_vec())
}

/// Minutes that the local time is ahead of UTC.
fn difference(rest: &[u8]) -> Option<i64> {
    let (sign, mut rest) = match rest {
        [b'Z'] => return Some(0),
        [b'+', rest @ ..] => (1, rest),
        [b'-', rest @ ..] => (-1, rest),
        _ => return None,
    };
    let hours = two(&mut rest, 23)?;
    let minutes = if rest.is_empty() { 0 } else { two(&mut rest, 59)? };
    rest.is_empty().then_some(sign * (hours * 60 + minutes))
}

/// Multiplies a decimal fraction by 60; returns the whole part.
fn times_sixty(fraction: &mut [u8]) -> i64 {
    let mut carry = 0;
    for digit in fraction.iter_mut().rev() {
        let product = i64::from(*digit - b'0') * 60 + carry;
        (*digit, carry) = (b'0' + (product % 10) as u8, product / 10);
    }
    carry
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_way_to_write_a_time() {
        let is = |value: &str| canonical(value.as_bytes()).map(|text| String::from_utf8(text).unwrap());
        for same in [
            "2026010112Z",
            "202601011200Z",
            "20260101130000.0+01",
            "202601010600-0600",
            "20260101120000,000Z",
        ] {
            assert_eq!(is(same).as_deref(), Some("20260101120000Z"), "{same}");
        }
        assert_eq!(is("2026010112.5Z").as_deref(), Some("20260101123000Z"));
        assert_eq!(is("202601011200.255Z").as_deref(), Some("20260101120015.3Z"));
        assert_eq!(is("2024123123-0100").as_deref(), Some("20250101000000Z"));
        assert_eq!(is("2024022923-0100").as_deref(), Some("20240301000000Z"));
        for none in [
            "20260101120000Z",
            "20260101120000.5Z",
            "2026013212Z",
            "2026022912Z",
            "20260101",
            "2026010112",
            "x",
            "",
        ] {
            assert_eq!(is(none), None, "{none}");
        }
    }
}
