//! Reading the string form of names (RFC 4514 §3).

use std::borrow::Cow;

use crate::error::ValueError;
use crate::text::is_oid;

const ERROR: ValueError = ValueError::Malformed("a distinguished name");

/// One attribute type and value of a relative name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assertion<'a> {
    /// The type as it is written: a name or an OID.
    pub kind: &'a str,
    /// The value without its escapes.
    pub value: Cow<'a, [u8]>,
    /// The value is the hexadecimal text of a BER element that is no string.
    pub encoded: bool,
}

/// The parts of a name, one after another from the left.
#[derive(Debug, Clone)]
pub struct Parts<'a> {
    text: &'a str,
    at: usize,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Start,
    /// Behind a comma.
    NextName,
    /// Behind a plus sign.
    NextPart,
    End,
}

/// One part: an assertion, and whether it begins a new relative name (or belongs to the one before, behind a plus sign).
pub type Part<'a> = (Assertion<'a>, bool);

/// Read a name. Spaces around separators are taken, as RFC 2253 had it.
///
/// # Errors
///
/// When the octets are not UTF-8; the parts are read, and refused, by the iterator.
pub fn parts(name: &[u8]) -> Result<Parts<'_>, ValueError> {
    Ok(Parts { text: crate::syntax::utf8(name)?, at: 0, state: State::Start })
}

impl<'a> Iterator for Parts<'a> {
    type Item = Result<Part<'a>, ValueError>;

    fn next(&mut self) -> Option<Self::Item> {
        let state = self.state;
        if state == State::Start && self.text.trim_matches(' ').is_empty() {
            self.state = State::End;
        }
        if self.state == State::End {
            return None;
        }
        let part = self.part();
        if part.is_err() {
            self.state = State::End;
        }
        Some(part.map(|assertion| (assertion, state != State::NextPart)))
    }
}

impl<'a> Parts<'a> {
    fn part(&mut self) -> Result<Assertion<'a>, ValueError> {
        let rest = &self.text[self.at..];
        let (kind, _) = rest.split_once('=').ok_or(ERROR)?;
        self.at += kind.len() + 1;
        let kind = kind.trim_matches(' ');
        let kind = match kind.get(..4) {
            Some(prefix) if prefix.eq_ignore_ascii_case("oid.") => &kind[4..],
            _ => kind,
        };
        if !is_oid(kind) {
            return Err(ERROR);
        }
        let rest = &self.text[self.at..];
        let value = rest.trim_start_matches(' ');
        self.at += rest.len() - value.len();
        if value.starts_with('#') { self.encoded(kind) } else { self.string(kind) }
    }

    /// Pass the separator at `end` bytes from here.
    fn separate(&mut self, end: usize) {
        self.state = match self.text.as_bytes().get(self.at + end) {
            None => State::End,
            Some(b'+') => State::NextPart,
            Some(_) => State::NextName,
        };
        self.at += end + 1;
    }

    fn string(&mut self, kind: &'a str) -> Result<Assertion<'a>, ValueError> {
        let bytes = &self.text.as_bytes()[self.at..];
        let mut owned: Option<Vec<u8>> = None;
        // Bytes of the value up to its last significant one: spaces at the end count only when escaped.
        let mut significant = 0;
        let mut at = 0;
        while let Some(&byte) = bytes.get(at) {
            match byte {
                b',' | b'+' => break,
                b'"' | b';' | b'<' | b'>' | 0 => return Err(ERROR),
                b'\\' => {
                    let (byte, len) = escaped(&bytes[at + 1..]).ok_or(ERROR)?;
                    let value = owned.get_or_insert_with(|| bytes[..at].to_vec());
                    value.push(byte);
                    significant = value.len();
                    at += 1 + len;
                    continue;
                }
                _ => {}
            }
            if let Some(value) = &mut owned {
                value.push(byte);
            }
            if byte != b' ' {
                significant = owned.as_ref().map_or(at + 1, Vec::len);
            }
            at += 1;
        }
        self.separate(at);
        let value = match owned {
            None => Cow::Borrowed(&bytes[..significant]),
            Some(mut value) => {
                value.truncate(significant);
                Cow::Owned(value)
            }
        };
        Ok(Assertion { kind, value, encoded: false })
    }

    /// A value as `#` and the hexadecimal octets of its BER encoding. Of strings the content is taken.
    fn encoded(&mut self, kind: &'a str) -> Result<Assertion<'a>, ValueError> {
        let rest = &self.text[self.at..];
        let end = rest.find([',', '+']).unwrap_or(rest.len());
        let text = rest[..end].trim_end_matches(' ');
        self.separate(end);
        let digits = &text.as_bytes()[1..];
        if digits.is_empty() || !digits.len().is_multiple_of(2) {
            return Err(ERROR);
        }
        let octets = digits
            .chunks_exact(2)
            .map(|pair| hex(pair[0]).zip(hex(pair[1])).map(|(high, low)| high << 4 | low))
            .collect::<Option<Vec<u8>>>()
            .ok_or(ERROR)?;
        // OCTET STRING, UTF8String, NumericString, PrintableString, IA5String, VisibleString with a short length.
        if let [4 | 12 | 18 | 19 | 22 | 26, len @ ..=0x7f, content @ ..] = octets.as_slice()
            && content.len() == usize::from(*len)
        {
            return Ok(Assertion { kind, value: Cow::Owned(content.to_vec()), encoded: false });
        }
        Ok(Assertion { kind, value: Cow::Owned(text.to_ascii_lowercase().into_bytes()), encoded: true })
    }
}

/// The byte that an escape stands for, and the length of the escape without its backslash.
fn escaped(rest: &[u8]) -> Option<(u8, usize)> {
    match *rest {
        [byte @ (b' ' | b'"' | b'#' | b'+' | b',' | b';' | b'<' | b'=' | b'>' | b'\\'), ..] => {
            Some((byte, 1))
        }
        [high, low, ..] => Some((hex(high)? << 4 | hex(low)?, 2)),
        _ => None,
    }
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(name: &str) -> Result<Vec<(String, String, bool)>, ValueError> {
        parts(name.as_bytes())?
            .map(|part| {
                part.map(|(assertion, begins)| {
                    (
                        assertion.kind.to_owned(),
                        String::from_utf8_lossy(&assertion.value).into_owned(),
                        begins,
                    )
                })
            })
            .collect()
    }

    fn values(name: &str) -> Vec<String> {
        read(name).unwrap().into_iter().map(|(_, value, _)| value).collect()
    }

    #[test]
    fn names_of_the_rfc_are_read() {
        assert_eq!(values("UID=jsmith,DC=example,DC=net"), ["jsmith", "example", "net"]);
        let parts = read("OU=Sales+CN=J.  Smith,DC=example,DC=net").unwrap();
        assert_eq!(parts.iter().map(|part| part.2).collect::<Vec<_>>(), [true, false, true, true]);
        assert_eq!(values(r#"CN=James \"Jim\" Smith\, III,DC=net"#), [r#"James "Jim" Smith, III"#, "net"]);
        assert_eq!(values(r"CN=Before\0dAfter,DC=net"), ["Before\rAfter", "net"]);
        assert_eq!(values("1.3.6.1.4.1.1466.0=#04024869"), ["Hi"]);
        assert_eq!(values(r"CN=Lu\C4\8Di\C4\87"), ["Lučić"]);
        assert_eq!(values(r"cn=\20leading, ou = x\  + l=\  "), [" leading", "x ", " "]);
        assert_eq!(values(""), [""; 0]);
        assert_eq!(values("cn=a=b"), ["a=b"]);
    }

    #[test]
    fn what_is_no_name_is_refused() {
        for bad in [
            "cn",
            "=x",
            "cn=a,",
            "cn=a,,ou=b",
            "cn=a;ou=b",
            r"cn=a\",
            r"cn=a\x",
            "cn=#",
            "cn=#0",
            "cn=#zz",
            "c n=a",
            "cn;lang-de=a",
            "cn=a<b",
            "cn=\"a\"",
            "cn=a+",
            "é=a",
        ] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }
}
