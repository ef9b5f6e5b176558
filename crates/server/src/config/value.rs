//! Values of the configuration file with their own syntax or bounds.

use std::fmt;
use std::path::PathBuf;

use serde::de::{Deserialize, Deserializer, Error, Visitor};

/// Units a [`Size`] may carry, each 1024 times the one before.
const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];

/// Longest host name, in bytes (RFC 1123 §2.1).
pub const MAX_HOSTNAME: usize = 255;

/// A whole number from `LOW` to `HIGH`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Count<const LOW: u64, const HIGH: u64>(u64);

/// A number of bytes from `LOW` to `HIGH`: a whole number, or text such as `"16 MiB"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size<const LOW: u64, const HIGH: u64>(u64);

/// A name for this machine that can stand in a `master` value (`host/tag`): no slash, no white space.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hostname(String);

/// Where the table of local look-ups is published.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum TableChoice {
    /// Where the modules of this machine look for it, if they look there for this daemon's socket, too.
    #[default]
    Default,
    /// Nowhere.
    Off,
    /// In this file.
    At(PathBuf),
}

impl<const LOW: u64, const HIGH: u64> Count<LOW, HIGH> {
    /// The number.
    pub fn get(self) -> u64 {
        self.0
    }
}

impl<const LOW: u64, const HIGH: u64> Size<LOW, HIGH> {
    /// The number of bytes.
    pub fn get(self) -> u64 {
        self.0
    }
}

impl Hostname {
    /// Checks a host name.
    ///
    /// # Errors
    /// A sentence saying what is wrong with it.
    pub fn new(text: impl Into<String>) -> Result<Self, String> {
        let text = text.into();
        if text.is_empty() {
            return Err("a host name cannot be empty".to_owned());
        }
        if text.len() > MAX_HOSTNAME {
            return Err(format!("a host name has at most {MAX_HOSTNAME} bytes"));
        }
        if let Some(bad) = text.chars().find(|c| *c == '/' || c.is_whitespace() || c.is_control()) {
            return Err(format!("{bad:?} cannot be part of a host name"));
        }
        Ok(Self(text))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::str::FromStr for Hostname {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::new(text)
    }
}

impl std::str::FromStr for TableChoice {
    type Err = String;

    /// `off`, `default` or a path with a slash.
    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "off" => Ok(Self::Off),
            "default" => Ok(Self::Default),
            path if path.contains('/') => Ok(Self::At(path.into())),
            other => Err(format!("{other:?} is neither \"off\", \"default\" nor a path with a slash")),
        }
    }
}

impl<'de> Deserialize<'de> for TableChoice {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

impl fmt::Display for Hostname {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Hostname {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

impl<'de, const LOW: u64, const HIGH: u64> Deserialize<'de> for Count<LOW, HIGH> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = deserializer.deserialize_i64(Number { text: false })?;
        bounded(number, LOW, HIGH).map(Self).map_err(D::Error::custom)
    }
}

impl<'de, const LOW: u64, const HIGH: u64> Deserialize<'de> for Size<LOW, HIGH> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = deserializer.deserialize_any(Number { text: true })?;
        bounded(number, LOW, HIGH).map(Self).map_err(D::Error::custom)
    }
}

/// Takes a whole number, or with `text` also one with a unit.
struct Number {
    text: bool,
}

impl Visitor<'_> for Number {
    type Value = u64;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.text { "a number of bytes" } else { "a whole number" })
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<u64, E> {
        u64::try_from(value).map_err(|_| E::custom(format!("{value} is negative")))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<u64, E> {
        Ok(value)
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<u64, E> {
        if !self.text {
            return Err(E::invalid_type(serde::de::Unexpected::Str(value), &self));
        }
        parse_size(value).ok_or_else(|| E::custom(format!("{value:?} is not a number of bytes")))
    }
}

fn bounded(number: u64, low: u64, high: u64) -> Result<u64, String> {
    if (low..=high).contains(&number) {
        return Ok(number);
    }
    let bound = if number < low { format!("less than {low}") } else { format!("more than {high}") };
    Err(format!("{number} is {bound}"))
}

/// Reads `"4096"`, `"16 MiB"` or `"16MiB"`.
fn parse_size(text: &str) -> Option<u64> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let number: u64 = number.parse().ok()?;
    let unit = unit.strip_prefix(' ').unwrap_or(unit);
    if unit.is_empty() {
        return Some(number);
    }
    let power = UNITS.iter().position(|known| known.eq_ignore_ascii_case(unit))?;
    (0..=power).try_fold(number, |bytes, _| bytes.checked_mul(1024))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[derive(Debug, serde::Deserialize)]
    struct Both {
        count: Option<Count<2, 9>>,
        size: Option<Size<1024, 4_194_304>>,
    }

    fn both(text: &str) -> Result<Both, String> {
        toml::from_str(text).map_err(|error: toml::de::Error| error.message().to_owned())
    }

    #[test]
    fn counts_keep_their_bounds() {
        assert_eq!(both("count = 2").unwrap().count.unwrap().get(), 2);
        assert_eq!(both("count = 9").unwrap().count.unwrap().get(), 9);
        assert_eq!(both("count = 1").unwrap_err(), "1 is less than 2");
        assert_eq!(both("count = 10").unwrap_err(), "10 is more than 9");
        assert_eq!(both("count = -1").unwrap_err(), "-1 is negative");
        assert!(both("count = '4'").unwrap_err().contains("expected a whole number"));
        assert!(both("count = 4.0").unwrap_err().contains("expected a whole number"));
    }

    #[test]
    fn sizes_take_numbers_and_units() {
        for text in ["4194304", "'4194304'", "'4 MiB'", "'4MiB'", "'4096 kib'"] {
            let size = both(&format!("size = {text}")).unwrap().size.unwrap();
            assert_eq!(size.get(), 4 << 20, "{text}");
        }
        assert_eq!(both("size = '5 MiB'").unwrap_err(), "5242880 is more than 4194304");
        for text in
            ["'4 MB'", "''", "'MiB'", "'-1'", "'4  MiB'", "'99999999999999999999'", "'99999999999 TiB'"]
        {
            let error = both(&format!("size = {text}")).unwrap_err();
            assert!(error.ends_with("is not a number of bytes"), "{text}: {error}");
        }
    }

    #[test]
    fn host_names_fit_a_master_value() {
        assert_eq!(Hostname::new("ada.example.org").unwrap().to_string(), "ada.example.org");
        for bad in ["", "a/b", "a b", "a\n", &"x".repeat(MAX_HOSTNAME + 1)] {
            Hostname::new(bad).unwrap_err();
        }
        assert_eq!(Hostname::new("x".repeat(MAX_HOSTNAME)).unwrap().as_str().len(), MAX_HOSTNAME);
    }

    proptest! {
        #[test]
        fn arbitrary_sizes_never_panic(text in "\\PC{0,24}|[0-9]{1,22} ?[kmgtKMGT]iB") {
            let _ = parse_size(&text);
        }
    }
}
