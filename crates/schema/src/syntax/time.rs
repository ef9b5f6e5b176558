//! Times (RFC 4517 §3.3.13, §3.3.34).

use jiff::SignedDuration;
use jiff::civil::{DateTime, datetime};
use smallvec::SmallVec;

use super::Checked;
use crate::error::ValueError;
use crate::prepare::Key;

/// A point in time, in UTC, with a fraction of any length.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moment {
    /// 0 to 9999.
    pub year: u16,
    /// 1 to 12.
    pub month: u8,
    /// 1 to 31.
    pub day: u8,
    /// 0 to 23.
    pub hour: u8,
    /// 0 to 59.
    pub minute: u8,
    /// 0 to 60: the last is a leap second.
    pub second: u8,
    /// Decimal digits of the fraction of the second, without zeros at the end.
    fraction: SmallVec<[u8; 16]>,
}

impl Moment {
    /// Read a value of the GeneralizedTime syntax: `YYYYMMDDHH[MM[SS]]`, a fraction of the last behind a point or comma
    /// perhaps, then `Z` or a difference to UTC `±hh[mm]`.
    ///
    /// # Errors
    ///
    /// When it is none, when there is no such day, or when the year in UTC is not 0 to 9999.
    pub fn parse(value: &[u8]) -> Result<Self, ValueError> {
        let mut reader = Reader { rest: value };
        let year = reader.two(0..=99)? * 100 + reader.two(0..=99)?;
        let (month, day, hour) = (reader.two(1..=12)?, reader.two(1..=31)?, reader.two(0..=23)?);
        let minute = reader.has_digit().then(|| reader.two(0..=59)).transpose()?;
        let second = match minute {
            Some(_) if reader.has_digit() => Some(reader.two(0..=60)?),
            _ => None,
        };
        let mut fraction = reader.fraction()?;
        let minute = minute.unwrap_or_else(|| times_sixty(&mut fraction));
        let second = second.unwrap_or_else(|| times_sixty(&mut fraction));
        while fraction.last() == Some(&b'0') {
            fraction.pop();
        }
        let difference = reader.difference()?;
        let [month, day, hour, minute] = [month, day, hour, minute].map(|part| part as i8);
        let local = DateTime::new(year as i16, month, day, hour, minute, 0, 0)
            .map_err(|_| ValueError::Range("the day of the month"))?;
        let utc = local.checked_sub(SignedDuration::from_mins(difference));
        let utc = utc.map_err(|_| ValueError::Range("the year"))?;
        Ok(Self {
            year: u16::try_from(utc.year()).map_err(|_| ValueError::Range("the year"))?,
            month: utc.month() as u8,
            day: utc.day() as u8,
            hour: utc.hour() as u8,
            minute: utc.minute() as u8,
            second: second as u8,
            fraction,
        })
    }

    /// Seconds since 1970-01-01 00:00:00 UTC, rounded down; negative before it.
    pub fn unix_seconds(&self) -> i64 {
        let [month, day, hour, minute] =
            [self.month, self.day, self.hour, self.minute].map(|part| part as i8);
        let at = DateTime::new(self.year as i16, month, day, hour, minute, 0, 0);
        // A moment is made of parts that fit.
        let since = at.map_or(0, |at| at.duration_since(datetime(1970, 1, 1, 0, 0, 0, 0)).as_secs());
        since + i64::from(self.second)
    }

    /// The index key: `YYYYMMDDHHMMSS`, then the fraction behind a point if there is any. Keys are in the order of time.
    pub(crate) fn key(&self, key: &mut Key) {
        let parts = [
            u8::try_from(self.year / 100).unwrap_or_default(),
            u8::try_from(self.year % 100).unwrap_or_default(),
            self.month,
            self.day,
            self.hour,
            self.minute,
            self.second,
        ];
        for part in parts {
            key.extend_from_slice(&[b'0' + part / 10, b'0' + part % 10]);
        }
        if !self.fraction.is_empty() {
            key.push(b'.');
            key.extend_from_slice(&self.fraction);
        }
    }
}

/// A value of the GeneralizedTime syntax.
pub(super) fn generalized_time(value: &[u8]) -> Checked {
    Moment::parse(value).map(|_| ())
}

/// A value of the UTC Time syntax: `YYMMDDHHMM[SS]`, then nothing, `Z` or `±hhmm`.
pub(super) fn utc_time(value: &[u8]) -> Checked {
    let mut reader = Reader { rest: value };
    reader.two(0..=99)?;
    reader.two(1..=12)?;
    reader.two(1..=31)?;
    reader.two(0..=23)?;
    reader.two(0..=59)?;
    if reader.has_digit() {
        reader.two(0..=59)?;
    }
    if reader.rest.is_empty() { Ok(()) } else { reader.difference().map(|_| ()) }
}

struct Reader<'v> {
    rest: &'v [u8],
}

impl Reader<'_> {
    const ERROR: ValueError = ValueError::Malformed("a time as YYYYMMDDHHMMSSZ");

    fn has_digit(&self) -> bool {
        self.rest.first().is_some_and(u8::is_ascii_digit)
    }

    /// Two digits.
    fn two(&mut self, range: std::ops::RangeInclusive<i64>) -> Result<i64, ValueError> {
        let [tens @ b'0'..=b'9', ones @ b'0'..=b'9', rest @ ..] = self.rest else {
            return Err(Self::ERROR);
        };
        self.rest = rest;
        let number = i64::from(tens - b'0') * 10 + i64::from(ones - b'0');
        if range.contains(&number) { Ok(number) } else { Err(ValueError::Range("a part of the time")) }
    }

    /// The digits behind a point or comma, or none.
    fn fraction(&mut self) -> Result<SmallVec<[u8; 16]>, ValueError> {
        let [b'.' | b',', rest @ ..] = self.rest else {
            return Ok(SmallVec::new());
        };
        let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        if digits == 0 {
            return Err(Self::ERROR);
        }
        self.rest = &rest[digits..];
        Ok(SmallVec::from_slice(&rest[..digits]))
    }

    /// Minutes that the local time is ahead of UTC, at the end of the value.
    fn difference(&mut self) -> Result<i64, ValueError> {
        let sign = match self.rest {
            [b'Z'] => return Ok(0),
            [b'+', ..] => 1,
            [b'-', ..] => -1,
            _ => return Err(Self::ERROR),
        };
        self.rest = &self.rest[1..];
        let hours = self.two(0..=23)?;
        let minutes = if self.rest.is_empty() { 0 } else { self.two(0..=59)? };
        if self.rest.is_empty() { Ok(sign * (hours * 60 + minutes)) } else { Err(Self::ERROR) }
    }
}

/// Multiply a decimal fraction by 60; returns the whole part.
fn times_sixty(fraction: &mut [u8]) -> i64 {
    let mut carry = 0_u16;
    for digit in fraction.iter_mut().rev() {
        let product = u16::from(*digit - b'0') * 60 + carry;
        *digit = b'0' + (product % 10) as u8;
        carry = product / 10;
    }
    carry.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(value: &str) -> String {
        let mut key = Key::new();
        Moment::parse(value.as_bytes()).unwrap().key(&mut key);
        String::from_utf8(key.to_vec()).unwrap()
    }

    #[test]
    fn times_are_brought_to_utc() {
        assert_eq!(key("199412161032Z"), "19941216103200");
        assert_eq!(key("199412160532-0500"), "19941216103200");
        assert_eq!(key("2026010100+0130"), "20251231223000");
        assert_eq!(key("20240228233000-01"), "20240229003000");
        assert_eq!(key("20241231235960Z"), "20241231235960");
    }

    #[test]
    fn fractions_are_of_the_last_part() {
        assert_eq!(key("2026010112.5Z"), "20260101123000");
        assert_eq!(key("2026010112.51Z"), "20260101123036");
        assert_eq!(key("202601011230,25Z"), "20260101123015");
        assert_eq!(key("20260101123015.500Z"), "20260101123015.5");
        assert_eq!(key("2026010112.0001Z"), "20260101120000.36");
        assert_eq!(key("20260101123015.0Z"), key("20260101123015Z"));
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for bad in [
            "",
            "2026",
            "20260101",
            "2026010112",
            "20261301000000Z",
            "20260230000000Z",
            "20260101240000Z",
            "20260101006000Z",
            "20260101000061Z",
            "20260101000000.Z",
            "20260101000000z",
            "20260101000000Zx",
            "20260101000000+2400",
            "20260101000000+01000",
            "202601010Z",
            "00000101000000+0001",
            "99991231235900-0001",
        ] {
            assert!(Moment::parse(bad.as_bytes()).is_err(), "{bad}");
        }
    }

    #[test]
    fn seconds_since_the_epoch() {
        let seconds = |value: &str| Moment::parse(value.as_bytes()).unwrap().unix_seconds();
        assert_eq!(seconds("19700101000000Z"), 0);
        assert_eq!(seconds("20000229000000Z"), 951_782_400);
        assert_eq!(seconds("19691231235959Z"), -1);
        assert_eq!(seconds("00000101000000Z"), -62_167_219_200);
        assert_eq!(seconds("99991231235960Z"), 253_402_300_800);
    }

    #[test]
    fn utc_times() {
        for good in ["9412161032Z", "941216103200", "9412160532-0500"] {
            assert_eq!(utc_time(good.as_bytes()), Ok(()), "{good}");
        }
        for bad in ["", "94121610", "9413161032Z", "9412161032Zx"] {
            assert!(utc_time(bad.as_bytes()).is_err(), "{bad}");
        }
    }
}
