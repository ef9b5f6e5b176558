//! Values to keys.

use super::{Family, certificate};
use crate::dn;
use crate::error::ValueError;
use crate::prepare::{Key, Spaces, is_prepared, prepare};
use crate::schema::Schema;
use crate::syntax::{Moment, bits, integer, utf8, uuid};
use crate::text::{is_numeric_oid, is_oid};

/// Between the lines of a list. No prepared text has it: control characters are dropped.
pub(super) const LINE_SEPARATOR: u8 = 0x1f;

/// Header of an integer key: numbers from here up are not negative.
const NOT_NEGATIVE: u8 = 0x80;
/// Most digits whose count is in the header itself; more digits have the length of their count there.
const SHORT_DIGITS: usize = 0x60;

/// Whether `value` is its own key and need not be copied.
pub(super) fn is_own_key(family: Family, value: &[u8]) -> bool {
    match family {
        Family::Octets => true,
        Family::CaseIgnore => is_prepared(value, true),
        Family::CaseExact => is_prepared(value, false),
        Family::Boolean => matches!(value, b"TRUE" | b"FALSE"),
        _ => false,
    }
}

/// Append the key of a value that stands in `depth` names.
pub(super) fn key(
    family: Family,
    schema: &Schema,
    value: &[u8],
    depth: usize,
    key: &mut Key,
) -> Result<(), ValueError> {
    match family {
        Family::CaseIgnore
        | Family::CaseExact
        | Family::Numeric
        | Family::Telephone
        | Family::Lines
        | Family::Octets => text_key(family, value, key),
        Family::Integer => integer_key(value, key),
        Family::IntegerFirst => integer_key(first_component(value), key),
        Family::Oid => oid_key(schema, value, key),
        Family::OidFirst => oid_key(schema, first_component(value), key),
        Family::Boolean => Err(ValueError::Malformed("TRUE or FALSE")),
        Family::Bits => bits(value).map(|digits| key.extend_from_slice(digits)),
        Family::Time => Moment::parse(value).map(|moment| moment.key(key)),
        Family::Name if dn::is_too_deep(depth) => Err(ValueError::Range("the depth of names in names")),
        Family::Name => dn::normalise(schema, value, depth, key),
        Family::NameAndUid if depth > 0 => Err(ValueError::Range("the depth of names in names")),
        Family::NameAndUid => dn::normalise_with_uid(schema, value, key),
        Family::Uuid => uuid_key(value, key),
        Family::ChangeNumber => change_number_key(value, key),
        Family::Certificate => certificate::key(schema, value, key),
        Family::BitMask => Err(ValueError::NotApplicable),
    }
}

/// Append the key of a value for a rule that does not need the schema: all rules for substrings.
pub(super) fn text_key(family: Family, value: &[u8], out: &mut Key) -> Result<(), ValueError> {
    match family {
        Family::CaseIgnore => prepare(value, true, Spaces::Squeeze, out).map(|_| ()),
        Family::CaseExact => prepare(value, false, Spaces::Squeeze, out).map(|_| ()),
        Family::Numeric => prepare(value, false, Spaces::Drop, out).map(|_| ()),
        Family::Telephone => prepare(value, true, Spaces::DropHyphens, out).map(|_| ()),
        Family::Lines => lines(value, out),
        Family::Octets => {
            out.extend_from_slice(value);
            Ok(())
        }
        _ => Err(ValueError::NotApplicable),
    }
}

/// The number whose bits are looked at, sign-extended.
pub(super) fn bit_mask(value: &[u8]) -> Result<i128, ValueError> {
    integer(value)?;
    utf8(value)?.parse().map_err(|_| ValueError::Range("the bit mask"))
}

/// Lines without their escapes, each prepared, with separators between them.
fn lines(value: &[u8], key: &mut Key) -> Result<(), ValueError> {
    for (index, line) in value.split(|&byte| byte == b'$').enumerate() {
        if index > 0 {
            key.push(LINE_SEPARATOR);
        }
        if line.contains(&b'\\') {
            prepare(&unescape_line(line), true, Spaces::Squeeze, key)?;
        } else {
            prepare(line, true, Spaces::Squeeze, key)?;
        }
    }
    Ok(())
}

fn unescape_line(line: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(line.len());
    let mut rest = line;
    while let [first, tail @ ..] = rest {
        rest = match rest {
            [b'\\', b'2', b'4', tail @ ..] => {
                out.push(b'$');
                tail
            }
            [b'\\', b'5', b'C' | b'c', tail @ ..] => {
                out.push(b'\\');
                tail
            }
            _ => {
                out.push(*first);
                tail
            }
        };
    }
    out
}

/// A header that says sign and number of digits, then the digits; of negative numbers all octets are inverted. So more
/// digits come later, and the other way round below zero.
fn integer_key(value: &[u8], key: &mut Key) -> Result<(), ValueError> {
    integer(value)?;
    let (negative, digits) = match value {
        b"0" => (false, &[][..]),
        [b'-', digits @ ..] => (true, digits),
        digits => (false, digits),
    };
    let start = key.len();
    if digits.len() <= SHORT_DIGITS {
        key.push(NOT_NEGATIVE + digits.len() as u8);
    } else {
        let count = digits.len().to_be_bytes();
        let leading = count.iter().take_while(|&&byte| byte == 0).count();
        key.push(NOT_NEGATIVE + SHORT_DIGITS as u8 + (count.len() - leading) as u8);
        key.extend_from_slice(&count[leading..]);
    }
    key.extend_from_slice(digits);
    if negative {
        key[start..].iter_mut().for_each(|byte| *byte = !*byte);
    }
    Ok(())
}

/// The first word in parentheses, or the whole value when there are none.
fn first_component(value: &[u8]) -> &[u8] {
    match value.trim_ascii_start() {
        [b'(', rest @ ..] => {
            let rest = rest.trim_ascii_start();
            let end = rest.iter().position(|byte| byte.is_ascii_whitespace() || *byte == b')');
            &rest[..end.unwrap_or(rest.len())]
        }
        _ => value,
    }
}

/// Dotted decimals; of a name, those of the element that has it (a class before an attribute before a matching rule), or
/// else the name in lower case.
fn oid_key(schema: &Schema, value: &[u8], key: &mut Key) -> Result<(), ValueError> {
    let text = utf8(value)?;
    if is_numeric_oid(text) {
        key.extend_from_slice(value);
    } else if !is_oid(text) {
        return Err(ValueError::Malformed("an object identifier or a name"));
    } else if let Some(oid) = schema.oid_of(text) {
        key.extend_from_slice(oid.as_bytes());
    } else {
        key.extend(value.iter().map(u8::to_ascii_lowercase));
    }
    Ok(())
}

/// The sixteen octets.
fn uuid_key(value: &[u8], key: &mut Key) -> Result<(), ValueError> {
    uuid(value)?;
    let mut digits = value.iter().filter_map(|&byte| char::from(byte).to_digit(16));
    while let (Some(high), Some(low)) = (digits.next(), digits.next()) {
        key.push((high << 4 | low) as u8);
    }
    Ok(())
}

fn change_number_key(value: &[u8], key: &mut Key) -> Result<(), ValueError> {
    crate::syntax::Syntax::ChangeSequenceNumber.validate(value)?;
    key.extend(value.iter().map(u8::to_ascii_lowercase));
    Ok(())
}
