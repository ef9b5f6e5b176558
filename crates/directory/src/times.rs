//! Times as values (GeneralizedTime, RFC 4517 §3.3.13): the one way to write each, for the value index.

/// Minutes of a day.
const DAY: i64 = 24 * 60;

/// The time a value says, written as `YYYYMMDDHHMMSS[.f]Z`; `None` if it says none, or is written so already.
pub(crate) fn canonical(value: &[u8]) -> Option<Vec<u8>> {
    if !matches!(value.last(), Some(b'Z' | b'0'..=b'9')) || !value.iter().take(10).all(u8::is_ascii_digit) {
        return None;
    }
    let mut rest = value;
    let (century, year) = (two(&mut rest, 99)?, two(&mut rest, 99)?);
    let (month, day, hour) = (two(&mut rest, 12)?, two(&mut rest, 31)?, two(&mut rest, 23)?);
    let year = century * 100 + year;
    if month < 1 || day < 1 || day > days_of(year, month) {
        return None;
    }
    let has_digit = |rest: &[u8]| rest.first().is_some_and(u8::is_ascii_digit);
    let minute = if has_digit(rest) { Some(two(&mut rest, 59)?) } else { None };
    let second = if minute.is_some() && has_digit(rest) { Some(two(&mut rest, 60)?) } else { None };
    let mut fraction = fraction(&mut rest)?;
    let minute = minute.unwrap_or_else(|| times_sixty(&mut fraction));
    let second = second.unwrap_or_else(|| times_sixty(&mut fraction));
    let digits = fraction.iter().rposition(|&digit| digit != b'0').map_or(0, |last| last + 1);
    let minutes = days_from_civil(year, month, day) * DAY + hour * 60 + minute - difference(rest)?;
    let (year, month, day) = civil_from_days(minutes.div_euclid(DAY));
    let of_day = minutes.rem_euclid(DAY);
    if !(0..=9999).contains(&year) {
        return None;
    }
    let (hour, minute) = (of_day / 60, of_day % 60);
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

fn days_of(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days since the first of March of the year 0, in the Gregorian calendar.
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year
}

/// Year, month and day that are so many days after the first of March of the year 0.
fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let (era, of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (year + era * 400 + i64::from(month <= 2), month, day)
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
