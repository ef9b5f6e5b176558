//! Cookies of copies: which change of the domain a copy of which content has come to.
//!
//! A cookie looks like those of OpenLDAP, because its servers, as consumers, keep only what they understand:
//! `rid=001,csn=20000101000000.000042Z#5a3f01#000#9c00b7`. The time of the change number counts changes of the domain as
//! microseconds, so that later ones are greater; both other numbers stand for the content. `rid` is the client's own and
//! comes back to it. A cookie is no secret: one that somebody has made up begins a copy anew, or leaves it incomplete.

use sha2::{Digest, Sha256};

/// Where the numbers begin: all of them are times of this day.
const DAY: &str = "20000101";
/// Changes that can be told apart: the microseconds of a day.
const CHANGES: u64 = 24 * 3600 * 1_000_000;
/// Most digits of a `rid`.
const RID_DIGITS: usize = 3;

/// The content that a copy is of: the search, the domain and who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Content(u64);

/// What a client sends.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Sent {
    /// The client's own number.
    rid: Option<String>,
    /// Sequence number of the last change that its copy has.
    pub(crate) sequence: Option<u64>,
}

impl Content {
    /// The digest of these parts. Their order matters, and where one ends.
    pub(crate) fn new<'p>(parts: impl IntoIterator<Item = &'p [u8]>) -> Self {
        let mut digest = Sha256::new();
        for part in parts {
            digest.update((part.len() as u64).to_be_bytes());
            digest.update(part);
        }
        let digest = digest.finalize();
        Self(digest.iter().take(6).fold(0, |number, octet| number << 8 | u64::from(*octet)))
    }

    /// The numbers that stand for it: `#5a3f01#000#9c00b7`.
    fn text(self) -> String {
        format!("#{:06x}#000#{:06x}", self.0 >> 24, self.0 & 0xFF_FFFF)
    }
}

impl Sent {
    /// Reads a cookie. What is not understood, or is of another content, is as good as not there.
    pub(crate) fn read(cookie: &[u8], content: Content) -> Self {
        let mut sent = Self::default();
        for part in String::from_utf8_lossy(cookie).split(',') {
            match part.split_once('=') {
                Some(("rid", rid)) if is_rid(rid) => sent.rid = Some(rid.to_owned()),
                // Several are those of several servers.
                Some(("csn", numbers)) => {
                    sent.sequence = numbers.split(';').find_map(|number| read_number(number, content));
                }
                _ => {}
            }
        }
        sent
    }

    /// The cookie of a copy that has come to this change.
    pub(crate) fn cookie(&self, sequence: u64, content: Content) -> Vec<u8> {
        let rid = self.rid.as_ref().map(|rid| format!("rid={rid},")).unwrap_or_default();
        // Nothing counts that far.
        let within = sequence.min(CHANGES - 1);
        let (seconds, micros) = (within / 1_000_000, within % 1_000_000);
        let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
        let numbers = content.text();
        format!("{rid}csn={DAY}{hour:02}{minute:02}{second:02}.{micros:06}Z{numbers}").into_bytes()
    }
}

fn is_rid(text: &str) -> bool {
    (1..=RID_DIGITS).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn read_number(text: &str, content: Content) -> Option<u64> {
    let time = text.strip_prefix(DAY)?.strip_suffix(&content.text())?.strip_suffix('Z')?;
    let (clock, micros) = time.split_once('.')?;
    if clock.len() != 6
        || micros.len() != 6
        || !clock.bytes().chain(micros.bytes()).all(|b| b.is_ascii_digit())
    {
        return None;
    }
    let part = |range| clock.get(range).and_then(|digits: &str| digits.parse::<u64>().ok());
    let (hour, minute, second) = (part(0..2)?, part(2..4)?, part(4..6)?);
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    Some((hour * 3600 + minute * 60 + second) * 1_000_000 + micros.parse::<u64>().ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn content() -> Content {
        Content::new([b"dc=example".as_slice(), b"sub"])
    }

    #[test]
    fn looks_as_openldap_wants_it() {
        let sent = Sent::read(b"rid=007,sid=001", content());
        assert_eq!(sent.sequence, None);
        let cookie = String::from_utf8(sent.cookie(3_600_000_042, content())).unwrap();
        let number = cookie.strip_prefix("rid=007,csn=").unwrap();
        assert!(number.starts_with("20000101010000.000042Z#"), "{cookie}");
        assert_eq!(number.len(), 40, "{cookie}");
        assert!(Sent::default().cookie(1, content()).starts_with(b"csn=20000101000000.000001Z#"));
        let several = format!("csn=20240101000000.000000Z#000000#001#000000;{number},rid=1234");
        let read = Sent::read(several.as_bytes(), content());
        assert_eq!(read, Sent { rid: None, sequence: Some(3_600_000_042) });
    }

    #[test]
    fn of_another_content_is_none() {
        let cookie = Sent::default().cookie(9, content());
        let other = Content::new([b"dc=examples".as_slice(), b"ub"]);
        assert_eq!(Sent::read(&cookie, other), Sent::default());
        assert_ne!(other, content());
    }

    proptest! {
        #[test]
        fn comes_back(sequence in 0..CHANGES, rid in proptest::option::of("[0-9]{1,3}")) {
            let sent = Sent { rid, sequence: Some(sequence) };
            prop_assert_eq!(Sent::read(&sent.cookie(sequence, content()), content()), sent);
        }

        #[test]
        fn later_is_greater(one in 0..CHANGES, two in 0..CHANGES) {
            let cookie = |sequence| Sent::default().cookie(sequence, content());
            prop_assert_eq!(cookie(one).cmp(&cookie(two)), one.cmp(&two));
        }

        #[test]
        fn garbage_is_none(cookie: Vec<u8>, clock in "csn=20000101[0-9.Z#]{0,32}") {
            let _ = Sent::read(&cookie, content());
            prop_assert_eq!(Sent::read(clock.as_bytes(), content()), Sent::default());
        }
    }
}
