//! Application passwords: secrets of a user for one program each, which let it read and nothing else.
//!
//! They are values of the secret property `_app_passwords`: `label;created;scope;hash`, the time in milliseconds since
//! the epoch, the scope `read`. The secret has a hundred random bits, so that a fast salted digest is enough to
//! keep it: nobody can try them all, and a login that tries every one of them takes microseconds.

use base64ct::{Base64, Encoding};
use sha2::{Digest, Sha512};
use zeroize::Zeroizing;

use crate::change::Change;
use crate::domain::Domain;
use crate::error::Error;
use crate::model::{Property, Target};
use crate::password::{Verdict, verify};
use crate::record::RecordRef;
use crate::session::Session;
use crate::view::View;

/// Most application passwords of one user.
pub const APPLICATION_PASSWORDS_LIMIT: usize = 32;
/// Longest label, in bytes.
pub const LABEL_LIMIT: usize = 64;

const PROPERTY: &[u8] = b"_app_passwords";
/// The scope that lets a session read.
const READ: &str = "read";
/// 32 letters and digits that are hard to take for each other.
const ALPHABET: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
/// Letters of a secret, and after how many of them there is a hyphen.
const LETTERS: usize = 20;
const GROUP: usize = 5;
const SALT_LEN: usize = 16;

/// An application password without its hash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApplicationPassword {
    /// What its owner calls it, unique among those of the user.
    pub label: String,
    /// When it was made, in milliseconds since the epoch.
    pub created: u64,
    /// What it allows; `read` is the only scope that is accepted at a login.
    pub scope: String,
}

/// Why an application password was not made, told or revoked.
#[derive(Debug, thiserror::Error)]
pub enum ApplicationPasswordError {
    /// The label cannot be used.
    #[error(
        "a label has 1 to {LABEL_LIMIT} bytes, no semicolon, no control character, and no blank at either end"
    )]
    Label,
    /// There is one with this label.
    #[error("there is an application password called \"{0}\" already")]
    Exists(String),
    /// There is none with this label.
    #[error("there is no application password called \"{0}\"")]
    NoSuch(String),
    /// The user has as many as can be had.
    #[error("a user can have {APPLICATION_PASSWORDS_LIMIT} application passwords; revoke one first")]
    TooMany,
    /// The operating system gave no random bytes.
    #[error("no random bytes from the operating system")]
    Random,
    /// The session may not, or the store failed.
    #[error(transparent)]
    Core(#[from] Error),
}

type Result<T> = std::result::Result<T, ApplicationPasswordError>;

impl Domain {
    /// The application passwords of a user, in the order they were made. For the user and for superusers.
    pub fn application_passwords(&self, session: &Session, object: u32) -> Result<Vec<ApplicationPassword>> {
        let view = self.entitled_view(session, object)?;
        Ok(list(&view.record(object)?))
    }

    /// Makes up a secret for the user, and the changes that let it in; the caller has to propose them, and shows the secret
    /// once. `at` is the time in milliseconds since the epoch. For the user and for superusers.
    pub fn add_application_password(
        &self,
        session: &Session,
        object: u32,
        label: &str,
        at: u64,
    ) -> Result<(Zeroizing<String>, Vec<Change>)> {
        let view = self.entitled_view(session, object)?;
        let record = view.record(object)?;
        if !is_label(label) {
            return Err(ApplicationPasswordError::Label);
        }
        let others = list(&record);
        if others.iter().any(|p| p.label == label) {
            return Err(ApplicationPasswordError::Exists(label.into()));
        }
        if record.property(PROPERTY).is_some_and(|p| p.values.len() >= APPLICATION_PASSWORDS_LIMIT) {
            return Err(ApplicationPasswordError::TooMany);
        }
        let secret = new_secret().ok_or(ApplicationPasswordError::Random)?;
        let hash = hash(&secret).ok_or(ApplicationPasswordError::Random)?;
        let value = format!("{label};{at};{READ};{hash}").into_bytes();
        let directory = Target::from(record.id());
        let position = u32::MAX;
        let change = match record.properties().position(|p| p.name == PROPERTY) {
            Some(index) => Change::CreateValue { directory, index: index as u32, value, position },
            None => {
                let property = Property::new(PROPERTY, [value]);
                Change::CreateProperty { directory, property, position }
            }
        };
        Ok((secret, vec![change]))
    }

    /// The changes that take an application password away. For the user and for superusers.
    pub fn revoke_application_password(
        &self,
        session: &Session,
        object: u32,
        label: &str,
    ) -> Result<Vec<Change>> {
        let view = self.entitled_view(session, object)?;
        let record = view.record(object)?;
        let index = record.properties().position(|p| p.name == PROPERTY);
        let values = record.property(PROPERTY).map(|p| p.values);
        let value_index = values
            .and_then(|mut values| values.position(|v| Parsed::of(v).is_some_and(|p| p.label == label)));
        match (index, value_index) {
            (Some(index), Some(value_index)) => Ok(vec![Change::DestroyValue {
                directory: Target::from(record.id()),
                index: index as u32,
                value_index: value_index as u32,
            }]),
            _ => Err(ApplicationPasswordError::NoSuch(label.into())),
        }
    }

    /// A snapshot with secrets, for those who may see to the application passwords of a user.
    fn entitled_view(&self, session: &Session, object: u32) -> Result<View<'_>> {
        let own = session.object == Some(object) && !session.read_only;
        if !session.is_superuser() && !own {
            return Err(Error::Permission.into());
        }
        Ok(View::new(self.store(), true)?)
    }
}

/// The label of the application password that `password` is, if it is one.
pub(crate) fn find<'r>(record: &RecordRef<'r>, password: &[u8]) -> Option<&'r [u8]> {
    let values = record.property(PROPERTY)?.values;
    let mut known = values.take(APPLICATION_PASSWORDS_LIMIT).filter_map(Parsed::of);
    let found = known.find(|p| p.scope == READ && verify(p.hash.as_bytes(), password) == Verdict::Match)?;
    Some(found.label.as_bytes())
}

fn list(record: &RecordRef<'_>) -> Vec<ApplicationPassword> {
    let values = record.property(PROPERTY).map(|p| p.values);
    let told = |p: Parsed<'_>| ApplicationPassword {
        label: p.label.into(),
        created: p.created,
        scope: p.scope.into(),
    };
    values.into_iter().flatten().filter_map(Parsed::of).map(told).collect()
}

/// A value of the property.
struct Parsed<'a> {
    label: &'a str,
    created: u64,
    scope: &'a str,
    hash: &'a str,
}

impl<'a> Parsed<'a> {
    fn of(value: &'a [u8]) -> Option<Self> {
        let mut parts = str::from_utf8(value).ok()?.splitn(4, ';');
        let (label, created) = (parts.next()?, parts.next()?.parse().ok()?);
        Some(Self { label, created, scope: parts.next()?, hash: parts.next()? })
    }
}

fn is_label(label: &str) -> bool {
    (1..=LABEL_LIMIT).contains(&label.len())
        && label.trim() == label
        && !label.contains(|c: char| c == ';' || c.is_control())
}

fn new_secret() -> Option<Zeroizing<String>> {
    let mut random = Zeroizing::new([0_u8; LETTERS]);
    getrandom::fill(random.as_mut_slice()).ok()?;
    let mut secret = Zeroizing::new(String::with_capacity(LETTERS + LETTERS / GROUP));
    for (n, byte) in random.iter().enumerate() {
        if n > 0 && n % GROUP == 0 {
            secret.push('-');
        }
        secret.push(char::from(ALPHABET[usize::from(byte % 32)]));
    }
    Some(secret)
}

fn hash(secret: &str) -> Option<String> {
    let mut salt = [0_u8; SALT_LEN];
    getrandom::fill(&mut salt).ok()?;
    let mut digest = Sha512::new();
    digest.update(secret.as_bytes());
    digest.update(salt);
    let data = [digest.finalize().as_slice(), &salt].concat();
    Some(format!("{{SSHA512}}{}", Base64::encode_string(&data)))
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn secrets_are_random_and_match_their_hash() {
        let secrets: HashSet<String> = (0..50).map(|_| new_secret().unwrap().to_string()).collect();
        assert_eq!(secrets.len(), 50);
        for secret in &secrets {
            assert_eq!(secret.len(), 23);
            assert!(secret.split('-').all(|group| group.len() == GROUP));
            let hash = hash(secret).unwrap();
            assert_eq!(verify(hash.as_bytes(), secret.as_bytes()), Verdict::Match);
            assert_eq!(verify(hash.as_bytes(), &secret.as_bytes()[1..]), Verdict::NoMatch);
        }
    }

    #[test]
    fn values_are_taken_apart() {
        let parsed = Parsed::of(b"mail on phone;1800000000000;read;{SSHA512}ab;cd").unwrap();
        assert_eq!((parsed.label, parsed.created, parsed.scope), ("mail on phone", 1_800_000_000_000, READ));
        assert_eq!(parsed.hash, "{SSHA512}ab;cd");
        for bad in ["", "label", "label;1;read", "label;soon;read;hash", "label;-1;read;hash"] {
            assert!(Parsed::of(bad.as_bytes()).is_none(), "{bad}");
        }
        assert!(Parsed::of(b"\xff;1;read;hash").is_none());
        for good in ["x", "mail on phone", "Телефон"] {
            assert!(is_label(good), "{good}");
        }
        for bad in ["", " x", "x ", "a;b", "a\nb", &"x".repeat(LABEL_LIMIT + 1)] {
            assert!(!is_label(bad), "{bad}");
        }
    }
}
