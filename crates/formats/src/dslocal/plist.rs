//! Property lists of any origin, within limits.
//!
//! In a binary list several places may refer to one object, so that a small file can describe a huge list; here such
//! files are refused by the number of values they come to. (Apple's format has no other specification than its use; the
//! layout is that of `CFBinaryPList`, version 00.)

use std::io::{Cursor, Write};
use std::time::{Duration, SystemTime};

use plist::{Dictionary, Uid, Value};

/// Largest property list that is read, in bytes.
pub const MAX_PLIST_BYTES: usize = 64 << 20;

/// Deepest nesting of arrays and dictionaries.
pub const MAX_DEPTH: usize = 32;

/// Most arrays and dictionaries in a list.
pub const MAX_CONTAINERS: usize = 1 << 16;

/// Most values in a list, containers too: a group of a million members fits.
pub const MAX_VALUES: usize = 1 << 21;

const MAGIC: &[u8] = b"bplist00";
/// Length of what stands at the end of a binary list.
const TRAILER: usize = 32;
/// Seconds from 1970 to 2001, from which dates are counted.
const EPOCH: Duration = Duration::from_secs(978_307_200);

/// Why a property list cannot be read; nothing of what it holds.
pub(super) type Fault = &'static str;

/// Reads a list of either encoding.
pub(super) fn read(bytes: &[u8]) -> Result<Value, Fault> {
    if bytes.len() > MAX_PLIST_BYTES {
        return Err("a property list longer than 64 MiB");
    }
    if bytes.starts_with(MAGIC) {
        return Binary::new(bytes)?.top();
    }
    check_xml(bytes)?;
    let value = Value::from_reader_xml(Cursor::new(bytes)).map_err(|_| "not a property list")?;
    Ok(value)
}

/// Writes a list in binary.
pub(super) fn write_binary(value: &Value) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    value.to_writer_binary(&mut bytes).map_err(std::io::Error::other)?;
    Ok(bytes)
}

/// Writes a list as XML, with a newline at its end.
pub(super) fn write_xml(value: &Value) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    value.to_writer_xml(&mut bytes).map_err(std::io::Error::other)?;
    if bytes.last() != Some(&b'\n') {
        bytes.write_all(b"\n")?;
    }
    Ok(bytes)
}

/// Holds the nesting and number of elements against the limits, without understanding the rest.
fn check_xml(bytes: &[u8]) -> Result<(), Fault> {
    let (mut depth, mut containers, mut elements) = (0_usize, 0, 0);
    for place in memchr::memchr_iter(b'<', bytes) {
        let tag = &bytes[place + 1..];
        let closes = tag.first() == Some(&b'/');
        let name = if closes { &tag[1..] } else { tag };
        elements += usize::from(!closes);
        if name.starts_with(b"array") || name.starts_with(b"dict") {
            let end = memchr::memchr(b'>', tag).unwrap_or(0);
            let empty = end > 0 && tag[end - 1] == b'/';
            if closes {
                depth = depth.saturating_sub(1);
            } else if !empty {
                depth += 1;
                containers += 1;
            }
        }
        // Keys are elements too.
        if depth > MAX_DEPTH || containers > MAX_CONTAINERS || elements > 2 * MAX_VALUES {
            return Err("a property list of too many values");
        }
    }
    Ok(())
}

/// A binary list.
struct Binary<'a> {
    bytes: &'a [u8],
    /// Where each object begins, in numbers of `offset_size` bytes.
    offsets: &'a [u8],
    offset_size: usize,
    reference_size: usize,
    top: usize,
    values: usize,
    containers: usize,
}

const BROKEN: Fault = "a damaged binary property list";

impl<'a> Binary<'a> {
    fn new(bytes: &'a [u8]) -> Result<Self, Fault> {
        let body = bytes.len().checked_sub(TRAILER).filter(|body| *body >= MAGIC.len()).ok_or(BROKEN)?;
        let trailer = &bytes[body..];
        let long = |at: usize| number(&trailer[at..at + 8]).and_then(|number| usize::try_from(number).ok());
        let (offset_size, reference_size) = (usize::from(trailer[6]), usize::from(trailer[7]));
        let (count, top, table) = (long(8).ok_or(BROKEN)?, long(16).ok_or(BROKEN)?, long(24).ok_or(BROKEN)?);
        if !(1..=8).contains(&offset_size) || !(1..=8).contains(&reference_size) {
            return Err(BROKEN);
        }
        let length = count.checked_mul(offset_size).ok_or(BROKEN)?;
        let end = table.checked_add(length).filter(|end| *end <= body).ok_or(BROKEN)?;
        Ok(Self {
            bytes: &bytes[..body],
            offsets: &bytes[table..end],
            offset_size,
            reference_size,
            top,
            values: 0,
            containers: 0,
        })
    }

    fn top(mut self) -> Result<Value, Fault> {
        self.object(self.top, 0)
    }

    fn object(&mut self, object: usize, depth: usize) -> Result<Value, Fault> {
        self.values += 1;
        if self.values > MAX_VALUES || depth > MAX_DEPTH {
            return Err("a property list of too many values");
        }
        let at = object.checked_mul(self.offset_size).ok_or(BROKEN)?;
        let offset = self.offsets.get(at..at + self.offset_size).and_then(number).ok_or(BROKEN)?;
        let offset = usize::try_from(offset).map_err(|_| BROKEN)?;
        let rest = self.bytes.get(offset..).filter(|rest| !rest.is_empty()).ok_or(BROKEN)?;
        let (kind, low) = (rest[0] >> 4, rest[0] & 0xf);
        match kind {
            0x0 if low == 8 => Ok(Value::Boolean(false)),
            0x0 if low == 9 => Ok(Value::Boolean(true)),
            0x1 => integer(take(&rest[1..], 1 << low)?),
            0x2 | 0x3 => real(kind, take(&rest[1..], 1 << low)?),
            0x8 => number(take(&rest[1..], usize::from(low) + 1)?)
                .map(|uid| Value::Uid(Uid::new(uid)))
                .ok_or(BROKEN),
            _ => {
                let (length, rest) = length(low, &rest[1..])?;
                self.sized(kind, length, rest, depth)
            }
        }
    }

    /// An object of so many bytes, characters or elements.
    fn sized(&mut self, kind: u8, length: usize, rest: &'a [u8], depth: usize) -> Result<Value, Fault> {
        match kind {
            0x4 => Ok(Value::Data(take(rest, length)?.to_vec())),
            0x5 => Ok(Value::String(String::from_utf8_lossy(take(rest, length)?).into_owned())),
            0x6 => {
                let (units, _) = take(rest, length.checked_mul(2).ok_or(BROKEN)?)?.as_chunks::<2>();
                let units = units.iter().map(|unit| u16::from_be_bytes(*unit));
                let text: Result<String, _> = char::decode_utf16(units).collect();
                text.map(Value::String).map_err(|_| BROKEN)
            }
            0xa | 0xc => {
                let elements = self.references(length, rest)?;
                let mut array = Vec::new();
                for element in elements {
                    array.push(self.object(element, depth + 1)?);
                }
                Ok(Value::Array(array))
            }
            0xd => {
                let references = self.references(length.checked_mul(2).ok_or(BROKEN)?, rest)?;
                let (keys, values) = references.split_at(length);
                let mut dictionary = Dictionary::new();
                for (key, value) in keys.iter().zip(values) {
                    let Value::String(key) = self.object(*key, depth + 1)? else { return Err(BROKEN) };
                    dictionary.insert(key, self.object(*value, depth + 1)?);
                }
                Ok(Value::Dictionary(dictionary))
            }
            _ => Err(BROKEN),
        }
    }

    fn references(&mut self, count: usize, rest: &[u8]) -> Result<Vec<usize>, Fault> {
        self.containers += 1;
        if self.containers > MAX_CONTAINERS || count > 2 * MAX_VALUES {
            return Err("a property list of too many values");
        }
        let bytes = take(rest, count.checked_mul(self.reference_size).ok_or(BROKEN)?)?;
        let reference = |bytes| number(bytes).and_then(|number| usize::try_from(number).ok()).ok_or(BROKEN);
        bytes.chunks_exact(self.reference_size).map(reference).collect()
    }
}

fn take(bytes: &[u8], count: usize) -> Result<&[u8], Fault> {
    bytes.get(..count).ok_or(BROKEN)
}

/// Up to eight bytes, the highest first.
fn number(bytes: &[u8]) -> Option<u64> {
    (bytes.len() <= 8).then(|| bytes.iter().fold(0, |number, byte| number << 8 | u64::from(*byte)))
}

fn integer(bytes: &[u8]) -> Result<Value, Fault> {
    if let Ok(bytes) = <[u8; 8]>::try_from(bytes) {
        return Ok(Value::Integer(i64::from_be_bytes(bytes).into()));
    }
    if let Ok(bytes) = <[u8; 16]>::try_from(bytes) {
        let wide = i128::from_be_bytes(bytes);
        let integer = i64::try_from(wide).map(Into::into).or_else(|_| u64::try_from(wide).map(Into::into));
        return integer.map(Value::Integer).map_err(|_| BROKEN);
    }
    number(bytes).map(|number| Value::Integer(number.into())).ok_or(BROKEN)
}

/// A number with a fraction, or a date, which is one.
fn real(kind: u8, bytes: &[u8]) -> Result<Value, Fault> {
    let real = match bytes.len() {
        4 => f64::from(f32::from_be_bytes(bytes.try_into().map_err(|_| BROKEN)?)),
        8 => f64::from_be_bytes(bytes.try_into().map_err(|_| BROKEN)?),
        _ => return Err(BROKEN),
    };
    if kind == 0x2 {
        return Ok(Value::Real(real));
    }
    let base = SystemTime::UNIX_EPOCH + EPOCH;
    let apart = Duration::try_from_secs_f64(real.abs()).map_err(|_| BROKEN)?;
    // Dates of more than four digits of years cannot be written.
    const MOST: Duration = Duration::from_secs(60_000_000_000);
    let date = if real < 0.0 { base.checked_sub(apart) } else { base.checked_add(apart) };
    let date = date.filter(|_| apart < MOST).ok_or(BROKEN)?;
    Ok(Value::Date(date.into()))
}

/// The length in the low half of a marker; 15 means that a number follows.
fn length(low: u8, rest: &[u8]) -> Result<(usize, &[u8]), Fault> {
    if low < 0xf {
        return Ok((usize::from(low), rest));
    }
    let (marker, rest) = rest.split_first().ok_or(BROKEN)?;
    if marker >> 4 != 1 || marker & 0xf > 3 {
        return Err(BROKEN);
    }
    let (digits, rest) = rest.split_at_checked(1 << (marker & 0xf)).ok_or(BROKEN)?;
    let length = number(digits).and_then(|length| usize::try_from(length).ok()).ok_or(BROKEN)?;
    Ok((length, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_encodings_come_back() {
        let mut dictionary = Dictionary::new();
        dictionary.insert("text".to_owned(), Value::String("größe".to_owned()));
        dictionary.insert("ascii".to_owned(), Value::String("x".repeat(300)));
        dictionary.insert("data".to_owned(), Value::Data(vec![0, 255]));
        dictionary.insert(
            "numbers".to_owned(),
            Value::Array(vec![5.into(), (-5).into(), u64::MAX.into(), 1.5.into(), true.into()]),
        );
        dictionary.insert("date".to_owned(), Value::Date((SystemTime::UNIX_EPOCH + EPOCH * 2).into()));
        dictionary.insert("empty".to_owned(), Value::Array(Vec::new()));
        let value = Value::Dictionary(dictionary);
        assert_eq!(read(&write_binary(&value).unwrap()), Ok(value.clone()));
        assert_eq!(read(&write_xml(&value).unwrap()), Ok(value));
    }

    #[test]
    fn nesting_is_limited() {
        let nested =
            |depth: usize| (0..depth).fold(Value::Boolean(true), |value, _| Value::Array(vec![value]));
        let too_many = Err("a property list of too many values");
        for write in [write_binary, write_xml] {
            assert!(read(&write(&nested(MAX_DEPTH)).unwrap()).is_ok());
            assert_eq!(read(&write(&nested(MAX_DEPTH + 1)).unwrap()), too_many);
        }
        assert_eq!(read(&"<array>".repeat(1 << 20).into_bytes()), too_many);
        // Thirty arrays that each hold the next one twice come to a billion values.
        let mut bytes = MAGIC.to_vec();
        for object in 1..=30 {
            bytes.extend([0xa2, object, object]);
        }
        bytes.push(0x09);
        let table = bytes.len() as u64;
        bytes.extend((0..31).map(|object| 8 + object * 3));
        bytes.extend([0, 0, 0, 0, 0, 0, 1, 1]);
        for number in [31, 0, table] {
            bytes.extend(u64::to_be_bytes(number));
        }
        assert_eq!(read(&bytes), too_many);
    }

    #[test]
    fn damage_is_told() {
        let good = write_binary(&Value::Array(vec!["text".into(), 5.into()])).unwrap();
        for length in 0..good.len() {
            assert!(read(&good[..length]).is_err(), "{length} bytes");
        }
        for place in 0..good.len() {
            let mut bad = good.clone();
            bad[place] ^= 0xff;
            // Whatever it is now, it ends.
            let _ = read(&bad);
        }
        assert_eq!(read(b""), Err("not a property list"));
    }
}
