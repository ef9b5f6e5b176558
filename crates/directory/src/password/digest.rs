//! The schemes of LDAP servers: plain and salted digests, PBKDF2.

use base64ct::{Base64Unpadded, Encoding};
use md5::Md5;
use sha1::Sha1;
use sha2::digest::Digest;
use sha2::{Sha256, Sha384, Sha512};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::{MAX_PBKDF2_WORK, MIN_PBKDF2_KEY, STRONG_PBKDF2_ROUNDS, scram};

/// Bytes of salt in front of a digest, where it is in front.
const LEADING_SALT: usize = 4;
/// Lengths of salt and key in the value of a 389 Directory Server.
const SALT_389: usize = 64;
const KEY_389: usize = 256;

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Hash {
    Md5,
    Sha1,
    Sha256,
    Sha384,
    Sha512,
}

/// A value whose shape and cost have been checked.
pub(super) enum Stored {
    Plain { hash: Hash, sum: Vec<u8>, before: Vec<u8>, after: Vec<u8> },
    Pbkdf2 { hash: Hash, rounds: u32, salt: Vec<u8>, key: Vec<u8> },
    Scram(scram::Keys),
}

impl Stored {
    /// Recognises the `data` of a scheme; `None` when either is unknown, malformed or too expensive.
    pub(super) fn of(scheme: &str, data: &str) -> Option<Self> {
        match scheme.to_ascii_uppercase().as_str() {
            "MD5" => Self::plain(Hash::Md5, data),
            "SHA" => Self::plain(Hash::Sha1, data),
            "SHA256" => Self::plain(Hash::Sha256, data),
            "SHA384" => Self::plain(Hash::Sha384, data),
            "SHA512" => Self::plain(Hash::Sha512, data),
            "SMD5" => Self::salted(Hash::Md5, data),
            "SSHA" => Self::salted(Hash::Sha1, data),
            "SSHA256" => Self::salted(Hash::Sha256, data),
            "SSHA384" => Self::salted(Hash::Sha384, data),
            "SSHA512" => Self::salted(Hash::Sha512, data),
            "X-SALTED-SHA1" => Self::led_by_salt(Hash::Sha1, data),
            "X-SALTED-SHA512" => Self::led_by_salt(Hash::Sha512, data),
            "PBKDF2" | "PBKDF2-SHA1" => Self::pbkdf2(Hash::Sha1, data),
            "PBKDF2-SHA256" => Self::pbkdf2(Hash::Sha256, data),
            "PBKDF2-SHA512" => Self::pbkdf2(Hash::Sha512, data),
            "PBKDF2_SHA256" => Self::pbkdf2_389(data),
            "SCRAM-SHA-256" => scram::Keys::parse(data).map(Self::Scram),
            _ => None,
        }
    }

    fn plain(hash: Hash, data: &str) -> Option<Self> {
        let sum = decode(data)?;
        (sum.len() == hash.len()).then_some(Self::Plain { hash, sum, before: Vec::new(), after: Vec::new() })
    }

    fn salted(hash: Hash, data: &str) -> Option<Self> {
        let mut sum = decode(data)?;
        if sum.len() < hash.len() {
            return None;
        }
        let after = sum.split_off(hash.len());
        Some(Self::Plain { hash, sum, before: Vec::new(), after })
    }

    fn led_by_salt(hash: Hash, data: &str) -> Option<Self> {
        let mut before = decode(data)?;
        if before.len() != LEADING_SALT + hash.len() {
            return None;
        }
        let sum = before.split_off(LEADING_SALT);
        Some(Self::Plain { hash, sum, before, after: Vec::new() })
    }

    /// `rounds$salt$key`, both in base64 with `.` in place of `+`.
    fn pbkdf2(hash: Hash, data: &str) -> Option<Self> {
        let (rounds, rest) = data.split_once('$')?;
        let (salt, key) = rest.split_once('$')?;
        if !rounds.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let decode = |text: &str| decode(&text.replace('.', "+"));
        Self::bounded_pbkdf2(hash, rounds.parse().ok()?, decode(salt)?, decode(key)?)
    }

    fn pbkdf2_389(data: &str) -> Option<Self> {
        let bytes = decode(data)?;
        let (rounds, rest) = bytes.split_first_chunk()?;
        if rest.len() != SALT_389 + KEY_389 {
            return None;
        }
        let (salt, key) = rest.split_at(SALT_389);
        Self::bounded_pbkdf2(Hash::Sha256, u32::from_be_bytes(*rounds), salt.to_vec(), key.to_vec())
    }

    fn bounded_pbkdf2(hash: Hash, rounds: u32, salt: Vec<u8>, key: Vec<u8>) -> Option<Self> {
        let work = u64::from(rounds) * key.len().div_ceil(hash.len()) as u64;
        let bounded = (1..=MAX_PBKDF2_WORK).contains(&work) && key.len() >= MIN_PBKDF2_KEY;
        bounded.then_some(Self::Pbkdf2 { hash, rounds, salt, key })
    }

    pub(super) fn matches(&self, password: &[u8]) -> bool {
        match self {
            Self::Plain { hash, sum, before, after } => {
                hash.sum(&[before, password, after]).ct_eq(sum.as_slice()).into()
            }
            Self::Pbkdf2 { hash, rounds, salt, key } => {
                let mut derived = Zeroizing::new(vec![0; key.len()]);
                match hash {
                    Hash::Md5 | Hash::Sha384 => return false, // no scheme has them
                    Hash::Sha1 => pbkdf2::pbkdf2_hmac::<Sha1>(password, salt, *rounds, &mut derived),
                    Hash::Sha256 => pbkdf2::pbkdf2_hmac::<Sha256>(password, salt, *rounds, &mut derived),
                    Hash::Sha512 => pbkdf2::pbkdf2_hmac::<Sha512>(password, salt, *rounds, &mut derived),
                }
                derived.as_slice().ct_eq(key.as_slice()).into()
            }
            Self::Scram(keys) => keys.matches(password),
        }
    }

    /// A digest is computed billions of times a second. Keys for SCRAM are never replaced: nothing else serves their
    /// purpose.
    pub(super) fn is_weak(&self) -> bool {
        match self {
            Self::Plain { .. } => true,
            Self::Pbkdf2 { rounds, .. } => *rounds < STRONG_PBKDF2_ROUNDS,
            Self::Scram(_) => false,
        }
    }
}

impl Hash {
    /// Length of a sum, in bytes.
    const fn len(self) -> usize {
        match self {
            Self::Md5 => 16,
            Self::Sha1 => 20,
            Self::Sha256 => 32,
            Self::Sha384 => 48,
            Self::Sha512 => 64,
        }
    }

    fn sum(self, parts: &[&[u8]; 3]) -> Zeroizing<Vec<u8>> {
        match self {
            Self::Md5 => sum::<Md5>(parts),
            Self::Sha1 => sum::<Sha1>(parts),
            Self::Sha256 => sum::<Sha256>(parts),
            Self::Sha384 => sum::<Sha384>(parts),
            Self::Sha512 => sum::<Sha512>(parts),
        }
    }
}

fn sum<D: Digest>(parts: &[&[u8]; 3]) -> Zeroizing<Vec<u8>> {
    let mut digest = D::new();
    parts.iter().for_each(|part| digest.update(part));
    Zeroizing::new(digest.finalize().to_vec())
}

/// Base64 (RFC 4648 §4), with or without padding.
fn decode(text: &str) -> Option<Vec<u8>> {
    Base64Unpadded::decode_vec(text.trim_end_matches('=')).ok()
}
