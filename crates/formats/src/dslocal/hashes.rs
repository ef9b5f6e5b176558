//! Forms of password hashes, and what verifies of them.

use base64ct::{Base64, Encoding as _};
use plist::Value;

use super::plist::{read, write_binary};
use crate::hex;

/// Keys of `ShadowHashData`, the strongest first.
const PBKDF2: &str = "SALTED-SHA512-PBKDF2";
const SHA512: &str = "SALTED-SHA512";
const SHA1: &str = "SALTED-SHA1";
/// What stands for the password itself.
pub(super) const RECOVERABLE: &str = "RECOVERABLE";

/// Bytes of a salted SHA-512 digest with its salt, and of a salted SHA-1 digest with its.
const SHA512_BYTES: usize = 68;
const SHA1_BYTES: usize = 24;

/// What some material holds.
#[derive(Clone, Default, PartialEq, Eq)]
pub(super) struct Hashes {
    /// Stored passwords that verify, the strongest first.
    pub(super) stored: Vec<String>,
    /// The names of what does not.
    pub(super) others: Vec<String>,
}

/// The hashes of a `ShadowHashData` value.
pub(super) fn of_data(bytes: &[u8]) -> Result<Hashes, &'static str> {
    let Value::Dictionary(dictionary) = read(bytes)? else { return Err("no dictionary") };
    let mut hashes = Hashes::default();
    let known = [(PBKDF2, pbkdf2 as fn(&Value) -> Option<String>), (SHA512, sha512), (SHA1, sha1)];
    for (name, form) in known {
        if let Some(value) = dictionary.get(name) {
            match form(value) {
                Some(stored) => hashes.stored.push(stored),
                None => hashes.others.push(name.to_owned()),
            }
        }
    }
    let others = dictionary.keys().filter(|key| known.iter().all(|(name, _)| name != key));
    hashes.others.extend(others.cloned());
    Ok(hashes)
}

/// The value without passwords that can be read back.
pub(super) fn without_recoverable(bytes: &[u8]) -> Vec<u8> {
    let Ok(Value::Dictionary(mut dictionary)) = read(bytes) else { return bytes.to_vec() };
    match dictionary.remove(RECOVERABLE) {
        Some(_) => write_binary(&Value::Dictionary(dictionary)).unwrap_or_default(),
        None => bytes.to_vec(),
    }
}

fn pbkdf2(value: &Value) -> Option<String> {
    let dictionary = value.as_dictionary()?;
    let rounds = dictionary.get("iterations")?.as_unsigned_integer()?;
    let salt = dictionary.get("salt")?.as_data()?;
    let key = dictionary.get("entropy")?.as_data()?;
    Some(format!("{{PBKDF2-SHA512}}{rounds}${}${}", ab64(salt), ab64(key)))
}

fn sha512(value: &Value) -> Option<String> {
    let data = value.as_data().filter(|data| data.len() == SHA512_BYTES)?;
    Some(format!("{{X-SALTED-SHA512}}{}", Base64::encode_string(data)))
}

fn sha1(value: &Value) -> Option<String> {
    let data = value.as_data().filter(|data| data.len() == SHA1_BYTES)?;
    Some(format!("{{X-SALTED-SHA1}}{}", Base64::encode_string(data)))
}

/// The value of `ShadowHashData`, and the name of its hash, for a stored password; `None` if it is of another form.
pub(super) fn to_data(stored: &str) -> Option<(Vec<u8>, &'static str)> {
    let (name, value) = if let Some(parts) = strip(stored, "{PBKDF2-SHA512}") {
        let mut parts = parts.split('$');
        let (rounds, salt, key) = (parts.next()?, parts.next()?, parts.next()?);
        let mut dictionary = plist::Dictionary::new();
        let key = from_ab64(key).filter(|key| key.len() == 128 && parts.next().is_none())?;
        dictionary.insert("entropy".to_owned(), Value::Data(key));
        dictionary.insert("iterations".to_owned(), Value::Integer(rounds.parse::<u32>().ok()?.into()));
        dictionary.insert("salt".to_owned(), Value::Data(from_ab64(salt)?));
        (PBKDF2, Value::Dictionary(dictionary))
    } else {
        let digest = strip(stored, "{X-SALTED-SHA512}")?;
        let data = Base64::decode_vec(digest).ok().filter(|data| data.len() == SHA512_BYTES)?;
        (SHA512, Value::Data(data))
    };
    let mut dictionary = plist::Dictionary::new();
    dictionary.insert(name.to_owned(), value);
    Some((write_binary(&Value::Dictionary(dictionary)).ok()?, name))
}

/// A section of a hash file: where it begins and how long it is, in bytes.
struct Section {
    name: &'static str,
    start: usize,
    length: usize,
    form: fn(&[u8]) -> Option<String>,
}

const fn section(name: &'static str, start: usize, length: usize) -> Section {
    Section { name, start, length, form: |_| None }
}

const NT: Section = section("SMB-NT", 0, 16);
const LANMAN: Section = section("SMB-LAN-MANAGER", 16, 16);
const fn plain_sha1(start: usize) -> Section {
    let form = |digest: &[u8]| Some(format!("{{SHA}}{}", Base64::encode_string(digest)));
    Section { name: "SHA-1", start, length: 20, form }
}
const fn salted_sha1(start: usize) -> Section {
    let form = |digest: &[u8]| Some(format!("{{X-SALTED-SHA1}}{}", Base64::encode_string(digest)));
    Section { name: SHA1, start, length: SHA1_BYTES, form }
}

/// The sections of a file of so many bytes, in the order in which the first that is kept decides.
fn sections(bytes: usize) -> Option<Vec<Section>> {
    Some(match bytes {
        32 => vec![NT, LANMAN],
        52 => vec![plain_sha1(32), NT, LANMAN],
        604 => vec![
            salted_sha1(68),
            plain_sha1(32),
            NT,
            LANMAN,
            section("CRAM-MD5", 52, 16),
            section(RECOVERABLE, 92, 512),
        ],
        620 => vec![
            salted_sha1(84),
            plain_sha1(32),
            NT,
            LANMAN,
            section("CRAM-MD5", 52, 32),
            section(RECOVERABLE, 108, 512),
        ],
        _ => return None,
    })
}

/// The hashes of a hash file, in hexadecimal digits.
pub(super) fn of_digits(digits: &[u8]) -> Result<Hashes, &'static str> {
    let bytes = hex::decode(digits.trim_ascii_end()).ok_or("not hexadecimal digits")?;
    let sections = sections(bytes.len()).ok_or("not of a known length")?;
    let mut hashes = Hashes::default();
    for Section { name, start, length, form } in sections {
        let content = &bytes[start..start + length];
        if content.iter().all(|byte| *byte == 0) {
            continue;
        }
        match form(content) {
            Some(stored) => hashes.stored.push(stored),
            None => hashes.others.push(name.to_owned()),
        }
    }
    Ok(hashes)
}

/// The digits without passwords that can be read back: zeros, as where none is kept.
pub(super) fn digits_without_recoverable(digits: &[u8]) -> Vec<u8> {
    let mut digits = digits.trim_ascii_end().to_vec();
    let sections = sections(digits.len() / 2).unwrap_or_default();
    if let Some(section) = sections.iter().find(|section| section.name == RECOVERABLE) {
        digits[section.start * 2..(section.start + section.length) * 2].fill(b'0');
    }
    digits
}

/// The hash file for a stored password; `None` if it is of another form.
pub(super) fn to_digits(stored: &str) -> Option<(Vec<u8>, &'static str)> {
    let (mut bytes, section, encoded) = match strip(stored, "{X-SALTED-SHA1}") {
        Some(encoded) => (vec![0; 620], salted_sha1(84), encoded),
        None => (vec![0; 52], plain_sha1(32), strip(stored, "{SHA}")?),
    };
    let data = Base64::decode_vec(encoded).ok().filter(|data| data.len() == section.length)?;
    bytes[section.start..section.start + section.length].copy_from_slice(&data);
    Some((hex::encode(&bytes).to_ascii_uppercase().into_bytes(), section.name))
}

/// What stands behind a scheme, in any case.
fn strip<'a>(stored: &'a str, scheme: &str) -> Option<&'a str> {
    let head = stored.get(..scheme.len())?;
    head.eq_ignore_ascii_case(scheme).then(|| &stored[scheme.len()..])
}

/// Base64 with `.` for `+`, without padding.
fn ab64(bytes: &[u8]) -> String {
    base64ct::Base64Unpadded::encode_string(bytes).replace('+', ".")
}

fn from_ab64(text: &str) -> Option<Vec<u8>> {
    base64ct::Base64Unpadded::decode_vec(&text.replace('.', "+")).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let key = ab64(&[7; 128]);
        for stored in [
            format!("{{PBKDF2-SHA512}}31250${}${key}", ab64(&[1; 32])),
            format!("{{X-SALTED-SHA512}}{}", Base64::encode_string(&[3; SHA512_BYTES])),
        ] {
            assert_eq!(of_data(&to_data(&stored).unwrap().0).unwrap().stored, [stored]);
        }
        for stored in [
            format!("{{X-SALTED-SHA1}}{}", Base64::encode_string(&[3; SHA1_BYTES])),
            format!("{{SHA}}{}", Base64::encode_string(&[5; 20])),
        ] {
            let (digits, _) = to_digits(&stored).unwrap();
            assert_eq!(of_digits(&digits).unwrap().stored, [stored]);
        }
        for other in ["{SSHA}AAAA", "$6$salt$hash", "", "{X-SALTED-SHA1}AAAA", "{PBKDF2-SHA512}1$AA$AA", "{é"]
        {
            assert!(to_data(other).is_none() && to_digits(other).is_none(), "{other}");
        }
    }

    #[test]
    fn passwords_that_can_be_read_back_are_taken_out() {
        let digits = "A".repeat(1240);
        let kept = digits_without_recoverable(digits.as_bytes());
        assert!(of_digits(digits.as_bytes()).unwrap().others.contains(&RECOVERABLE.to_owned()));
        assert!(!of_digits(&kept).unwrap().others.contains(&RECOVERABLE.to_owned()));
        assert_eq!(of_digits(&kept).unwrap().stored, of_digits(digits.as_bytes()).unwrap().stored);
        let mut dictionary = plist::Dictionary::new();
        dictionary.insert(RECOVERABLE.to_owned(), Value::Data(vec![1]));
        dictionary.insert("CRAM-MD5".to_owned(), Value::Data(vec![2]));
        let data = write_binary(&Value::Dictionary(dictionary)).unwrap();
        assert_eq!(of_data(&without_recoverable(&data)).unwrap().others, ["CRAM-MD5"]);
    }

    #[test]
    fn other_files_are_refused() {
        for digits in [&b"12"[..], b"zz", b""] {
            assert!(of_digits(digits).is_err());
        }
        assert!(of_digits(&[b'0'; 64]).unwrap() == Hashes::default());
    }
}
