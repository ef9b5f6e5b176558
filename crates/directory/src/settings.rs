//! Properties of the root directory that configure a domain.

use std::num::IntErrorKind;

use crate::error::Result;
use crate::model::ROOT;
use crate::view::View;

impl View<'_> {
    /// A boolean of the root directory: `YES yes Yes Y y 1` or `NO no No N n 0`; anything else is `default`.
    pub fn root_flag(&self, name: &[u8], default: bool) -> Result<bool> {
        let root = self.record(ROOT)?;
        Ok(flag(root.first_value(name), default))
    }

    /// An integer of the root directory: an optional sign and decimal digits, clamped to `range`; `unlimited` is −1, which is
    /// taken as it is where `unlimited` is allowed; anything else is `default`.
    pub fn root_number(
        &self,
        name: &[u8],
        default: i64,
        range: std::ops::RangeInclusive<i64>,
        unlimited: bool,
    ) -> Result<i64> {
        let root = self.record(ROOT)?;
        Ok(root.first_value(name).map_or(default, |text| number(text, default, range, unlimited)))
    }

    /// The port the root directory asks for, if any.
    pub fn configured_port(&self) -> Result<Option<u16>> {
        let port = self.root_number(b"port", 0, 0..=65_535, false)?;
        Ok(u16::try_from(port).ok().filter(|&p| p != 0))
    }
}

/// Reads a boolean as [`View::root_flag`] does.
pub(crate) fn flag(text: Option<&[u8]>, default: bool) -> bool {
    match text {
        Some(b"YES" | b"yes" | b"Yes" | b"Y" | b"y" | b"1") => true,
        Some(b"NO" | b"no" | b"No" | b"N" | b"n" | b"0") => false,
        _ => default,
    }
}

fn number(text: &[u8], default: i64, range: std::ops::RangeInclusive<i64>, unlimited: bool) -> i64 {
    let value = match std::str::from_utf8(text) {
        Ok("unlimited") => -1,
        Ok(text) => match text.parse::<i64>() {
            Ok(value) => value,
            Err(e) => match e.kind() {
                IntErrorKind::PosOverflow => i64::MAX,
                IntErrorKind::NegOverflow => i64::MIN,
                _ => return default,
            },
        },
        Err(_) => return default,
    };
    if value == -1 && unlimited { -1 } else { value.clamp(*range.start(), *range.end()) }
}

#[cfg(test)]
mod tests {
    use super::number;

    #[test]
    fn numbers_are_clamped_or_defaulted() {
        assert_eq!(number(b"7", 1, 0..=9, false), 7);
        assert_eq!(number(b"+7", 1, 0..=9, false), 7);
        assert_eq!(number(b"70", 1, 0..=9, false), 9);
        assert_eq!(number(b"-3", 1, 0..=9, false), 0);
        assert_eq!(number(b"99999999999999999999", 1, 0..=9, false), 9);
        assert_eq!(number(b"-99999999999999999999", 1, 0..=9, false), 0);
        assert_eq!(number(b"unlimited", 1, 0..=9, true), -1);
        assert_eq!(number(b"unlimited", 1, 0..=9, false), 0);
        assert_eq!(number(b"7x", 1, 0..=9, true), 1);
        assert_eq!(number(b"", 1, 0..=9, true), 1);
        assert_eq!(number(b"\xff", 1, 0..=9, true), 1);
    }
}
