//! One line: a name and a value.

use std::ops::Range;
use std::path::PathBuf;

use base64ct::{Base64, Encoding as _};
use memchr::memchr;

use super::item::ControlSpans;
use crate::problem::Reason;

/// Longest value that is read, in bytes as it is stored.
pub const MAX_VALUE_BYTES: usize = 16 << 20;

/// Longest name of an entry, in bytes.
pub const MAX_DN_BYTES: usize = 64 << 10;

/// A piece of a record's text.
#[derive(Clone, Copy)]
pub(super) struct Span {
    start: u32,
    end: u32,
    /// In the text of what has been fetched, not in that of the record.
    fetched: bool,
}

impl Span {
    pub(super) const EMPTY: Self = Self { start: 0, end: 0, fetched: false };

    /// The limits of records keep all places below 2³².
    const fn new(range: Range<usize>, fetched: bool) -> Self {
        Self { start: range.start as u32, end: range.end as u32, fetched }
    }

    pub(super) const fn len(self) -> usize {
        (self.end - self.start) as usize
    }
}

/// What spans point into.
#[derive(Clone, Copy)]
pub(super) struct Texts<'a> {
    pub(super) record: &'a [u8],
    pub(super) fetched: &'a [u8],
}

impl<'a> Texts<'a> {
    pub(super) fn get(self, span: Span) -> &'a [u8] {
        let text = if span.fetched { self.fetched } else { self.record };
        &text[span.start as usize..span.end as usize]
    }
}

/// One line of a record.
#[derive(Clone, Copy)]
pub(super) struct Line {
    /// What stands before the colon; empty for a separator.
    pub(super) name: Span,
    /// The decoded value.
    pub(super) value: Span,
}

impl Line {
    /// The `-` between the steps of a modification.
    pub(super) const SEPARATOR: Self = Self { name: Span::EMPTY, value: Span::EMPTY };

    pub(super) const fn is_separator(&self) -> bool {
        self.name.len() == 0
    }

    pub(super) fn is_control(&self, text: &[u8]) -> bool {
        const NAME: &[u8] = b"control";
        self.name.len() == NAME.len()
            && text[self.name.start as usize..self.name.end as usize].eq_ignore_ascii_case(NAME)
    }
}

/// Fetches what a URL names.
pub(super) type Fetch = Box<dyn FnMut(&str) -> std::io::Result<Vec<u8>> + Send>;

/// What was unusual about a value.
#[derive(Clone, Copy, Default)]
pub(super) struct Unusual {
    pub(super) trailing_space: bool,
    pub(super) not_ascii: bool,
}

/// What is needed to read values.
pub(super) struct Values<'a> {
    pub(super) urls: Option<&'a mut Fetch>,
    pub(super) fetched: &'a mut Vec<u8>,
    pub(super) unusual: &'a mut Unusual,
}

/// A field and what is wrong with it.
pub(super) type Fault = (&'static str, Reason);

/// Takes the line apart that stands at `range` of `text`; values in base64 are decoded in their place.
pub(super) fn parse(text: &mut [u8], range: Range<usize>, values: &mut Values<'_>) -> Result<Line, Fault> {
    let line = &text[range.clone()];
    if line.first() == Some(&b'-') && line[1..].iter().all(|byte| b" \t".contains(byte)) {
        return Ok(Line::SEPARATOR);
    }
    // Nothing of the line is shown: where a line is folded wrongly, this may be a part of any value.
    let colon = memchr(b':', line).ok_or_else(|| malformed("line", "no colon"))?;
    if colon == 0 || !line[..colon].iter().all(|byte| is_description(*byte)) {
        return Err(malformed("line", "what stands before the colon is not the name of an attribute"));
    }
    let name = Span::new(range.start..range.start + colon, false);
    let value = value(text, range.start + colon + 1..range.end, values)?;
    Ok(Line { name, value })
}

/// The value of a `control` line taken apart: an OID, perhaps `true` or `false`, perhaps a value.
pub(super) fn control(text: &mut [u8], span: Span, values: &mut Values<'_>) -> Result<ControlSpans, Fault> {
    let range = if span.fetched { 0..0 } else { span.start as usize..span.end as usize };
    let colon = memchr(b':', &text[range.clone()]);
    let head = &text[range.start..colon.map_or(range.end, |colon| range.start + colon)];
    let mut words = head.split(|byte| *byte == b' ').filter(|word| !word.is_empty());
    let oid = words.next().unwrap_or(b"");
    let critical = match words.next() {
        None => false,
        Some(word) if word.eq_ignore_ascii_case(b"true") => true,
        Some(word) if word.eq_ignore_ascii_case(b"false") => false,
        Some(_) => return Err(malformed("control", "neither true nor false behind the OID")),
    };
    let is_oid = !oid.is_empty() && oid.iter().all(|byte| byte.is_ascii_digit() || *byte == b'.');
    if !is_oid || words.next().is_some() {
        return Err(malformed("control", "not an OID, true or false, and a value"));
    }
    // The value has no spaces before it: they have been passed over.
    let oid = Span::new(range.start..range.start + oid.len(), false);
    let value = match colon {
        Some(colon) => Some(value(text, range.start + colon + 1..range.end, values)?),
        None => None,
    };
    Ok(ControlSpans { oid, critical, value })
}

/// What stands behind the colon.
fn value(text: &mut [u8], range: Range<usize>, values: &mut Values<'_>) -> Result<Span, Fault> {
    let value = match text[range.clone()].first() {
        Some(b':') => decode(text, range.start + 1..range.end)?,
        Some(b'<') => fetch(&text[range.start + 1..range.end], values)?,
        _ => plain(text, range, values.unusual)?,
    };
    if value.len() > MAX_VALUE_BYTES {
        return Err(("value", Reason::Malformed(format!("longer than {MAX_VALUE_BYTES} bytes"))));
    }
    Ok(value)
}

fn malformed(field: &'static str, what: &str) -> Fault {
    (field, Reason::Malformed(what.to_owned()))
}

/// Bytes of attribute types and options (RFC 4512 §2.5), and `_`, which other servers allow.
pub(super) const fn is_description(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b';' | b'_')
}

/// `range` without the spaces at its beginning.
fn filled(text: &[u8], range: Range<usize>) -> Range<usize> {
    let spaces = text[range.clone()].iter().take_while(|byte| **byte == b' ').count();
    range.start + spaces..range.end
}

fn plain(text: &[u8], range: Range<usize>, unusual: &mut Unusual) -> Result<Span, Fault> {
    let range = filled(text, range);
    let value = &text[range.clone()];
    if memchr(0, value).is_some() {
        return Err(("value", Reason::Nul));
    }
    unusual.trailing_space |= value.last() == Some(&b' ');
    unusual.not_ascii |= !value.is_ascii();
    Ok(Span::new(range, false))
}

fn decode(text: &mut [u8], range: Range<usize>) -> Result<Span, Fault> {
    let range = filled(text, range);
    let encoded = text[range.clone()].trim_ascii_end().len();
    let decoded = Base64::decode_in_place(&mut text[range.start..range.start + encoded])
        .map_err(|_| malformed("value", "not base64"))?
        .len();
    Ok(Span::new(range.start..range.start + decoded, false))
}

fn fetch(url: &[u8], values: &mut Values<'_>) -> Result<Span, Fault> {
    let Some(fetch) = values.urls.as_mut() else {
        return Err(malformed("value", "stands in another file (\"<\"), and those are not read"));
    };
    let url = std::str::from_utf8(url.trim_ascii()).map_err(|_| malformed("value", "not a URL"))?;
    let value = fetch(url).map_err(|error| {
        let shown = crate::problem::shown(url.as_bytes());
        let why = error.to_string();
        ("value", Reason::Malformed(format!("{shown}: {}", why.escape_debug())))
    })?;
    let start = values.fetched.len();
    if value.len() > MAX_VALUE_BYTES || start + value.len() > super::MAX_RECORD_BYTES {
        return Err((
            "value",
            Reason::Malformed(format!("what it names is longer than {MAX_VALUE_BYTES} bytes")),
        ));
    }
    values.fetched.extend_from_slice(&value);
    Ok(Span::new(start..values.fetched.len(), true))
}

/// The local file that a `file:` URL names (RFC 8089): `file:///tmp/a%20b`, `file:/tmp/a`, or with the host
/// `localhost`. `None` for anything else.
pub fn file_of_url(url: &str) -> Option<PathBuf> {
    use std::os::unix::ffi::OsStringExt as _;
    let (scheme, rest) = url.split_once(':')?;
    if !scheme.eq_ignore_ascii_case("file") {
        return None;
    }
    let path = match rest.strip_prefix("//") {
        Some(rest) => {
            let path = &rest[rest.find('/')?..];
            let host = &rest[..rest.len() - path.len()];
            if !host.is_empty() && !host.eq_ignore_ascii_case("localhost") {
                return None;
            }
            path
        }
        None => rest,
    };
    if !path.starts_with('/') {
        return None;
    }
    let mut bytes = Vec::with_capacity(path.len());
    let mut rest = path.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => hex(rest.next()?)? << 4 | hex(rest.next()?)?,
            b'?' | b'#' => return None,
            byte => byte,
        });
    }
    if bytes.contains(&0) {
        return None;
    }
    Some(PathBuf::from(std::ffi::OsString::from_vec(bytes)))
}

fn hex(digit: u8) -> Option<u8> {
    (digit as char).to_digit(16).map(|digit| digit as u8)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    #[test]
    fn urls_of_local_files() {
        let path = |url| file_of_url(url);
        assert_eq!(path("file:///tmp/a%20b").as_deref(), Some(Path::new("/tmp/a b")));
        assert_eq!(path("FILE:/etc/x").as_deref(), Some(Path::new("/etc/x")));
        assert_eq!(path("file://localhost/x").as_deref(), Some(Path::new("/x")));
        for other in
            ["http://a/b", "file://elsewhere/x", "file:x", "file:///a%2", "file:///a%00b", "/etc/x", ""]
        {
            assert_eq!(path(other), None, "{other}");
        }
    }
}
