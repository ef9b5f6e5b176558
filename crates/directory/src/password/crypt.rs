//! The schemes of crypt(3), and Argon2 in its own notation.

use argon2::password_hash::phc::PasswordHash;
use argon2::{Algorithm, Argon2, Params, PasswordVerifier, Version};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::{
    MAX_ARGON2_LANES, MAX_ARGON2_MEMORY_KIB, MAX_ARGON2_WORK_KIB, MAX_BCRYPT_COST, MAX_BSDI_ROUNDS,
    MAX_SHA_ROUNDS, MAX_STORED_LEN, MAX_YESCRYPT_BYTES, MIN_SHA_ROUNDS, NEW_MEMORY_KIB, NEW_PASSES,
    STRONG_BCRYPT_COST, STRONG_SHA_ROUNDS, STRONG_YESCRYPT_BYTES,
};

/// A scheme whose shape and cost have been checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scheme {
    Des,
    BsdiDes,
    Md5,
    Sha1,
    Bcrypt,
    Sha256,
    Sha512,
    Yescrypt,
    Argon2,
}

impl Scheme {
    /// Recognise `stored`; `None` when it is malformed or too expensive.
    pub(super) fn of(stored: &str) -> Option<Self> {
        if let Some(rest) = stored.strip_prefix('_') {
            return (rest.len() == 19 && is_crypt64(rest) && bsdi_rounds(rest)? <= MAX_BSDI_ROUNDS)
                .then_some(Self::BsdiDes);
        }
        let Some(modular) = stored.strip_prefix('$') else {
            return (stored.len() == 13 && is_crypt64(stored)).then_some(Self::Des);
        };
        let (name, rest) = modular.split_once('$')?;
        match name {
            "1" => is_salt_and_sum(rest, 8, 22).then_some(Self::Md5),
            "2a" | "2b" | "2y" => bcrypt_is_bounded(rest).then_some(Self::Bcrypt),
            "sha1" => sha1_is_bounded(rest).then_some(Self::Sha1),
            "5" => sha_is_bounded(rest, 43).then_some(Self::Sha256),
            "6" => sha_is_bounded(rest, 86).then_some(Self::Sha512),
            "y" => yescrypt_is_bounded(rest).then_some(Self::Yescrypt),
            "argon2i" | "argon2d" | "argon2id" => argon2_hash(stored).map(|_| Self::Argon2),
            _ => None,
        }
    }

    /// Whether `password` gives `stored`; `None` when the library does not accept the stored hash after all.
    pub(super) fn matches(self, stored: &str, password: &[u8]) -> Option<bool> {
        #[allow(deprecated, reason = "the weak schemes are only ever read, never written")]
        let computed = match self {
            Self::Des => pwhash::unix_crypt::hash_with(stored, password),
            Self::BsdiDes => pwhash::bsdi_crypt::hash_with(stored, password),
            Self::Md5 => pwhash::md5_crypt::hash_with(stored, password),
            Self::Sha1 => pwhash::sha1_crypt::hash_with(stored, password),
            Self::Bcrypt => pwhash::bcrypt::hash_with(stored, password),
            Self::Sha256 => pwhash::sha256_crypt::hash_with(stored, password),
            Self::Sha512 => pwhash::sha512_crypt::hash_with(stored, password),
            // These two libraries compare in constant time themselves.
            Self::Yescrypt => {
                return Some(yescrypt::Yescrypt::default().verify_password(password, stored).is_ok());
            }
            Self::Argon2 => {
                return Some(Argon2::default().verify_password(password, &argon2_hash(stored)?).is_ok());
            }
        };
        let computed = Zeroizing::new(computed.ok()?);
        Some(computed.as_bytes().ct_eq(stored.as_bytes()).into())
    }

    /// Whether guessing the password from `stored` takes less work than it should today.
    pub(super) fn is_weak(self, stored: &str) -> bool {
        let field = |n| stored.split('$').nth(n).unwrap_or_default();
        let rounds = || field(2).strip_prefix("rounds=").and_then(|n| n.parse().ok()).unwrap_or(0_u32);
        match self {
            Self::Des | Self::BsdiDes | Self::Md5 | Self::Sha1 => true,
            Self::Bcrypt => field(2).parse().unwrap_or(0_u32) < STRONG_BCRYPT_COST,
            Self::Sha256 | Self::Sha512 => rounds() < STRONG_SHA_ROUNDS,
            Self::Yescrypt => {
                let memory =
                    field(2).parse::<yescrypt::Params>().map_or(0, |p| p.n() * u64::from(p.r()) * 128);
                memory < STRONG_YESCRYPT_BYTES
            }
            Self::Argon2 => !argon2_hash(stored)
                .and_then(|hash| Some((hash.algorithm, Params::try_from(&hash).ok()?)))
                .is_some_and(|(algorithm, params)| {
                    algorithm == Algorithm::Argon2id.ident()
                        && params.m_cost() >= NEW_MEMORY_KIB
                        && params.t_cost() >= NEW_PASSES
                }),
        }
    }
}

fn is_crypt64(text: &str) -> bool {
    text.bytes().all(|byte| byte == b'.' || byte == b'/' || byte.is_ascii_alphanumeric())
}

/// `salt$checksum`, as MD5 and SHA crypt end.
fn is_salt_and_sum(text: &str, max_salt: usize, sum_len: usize) -> bool {
    text.split_once('$').is_some_and(|(salt, sum)| {
        salt.len() <= max_salt && is_crypt64(salt) && sum.len() == sum_len && is_crypt64(sum)
    })
}

/// `rounds$salt$checksum`, HMAC-SHA-1 repeated.
fn sha1_is_bounded(rest: &str) -> bool {
    rest.split_once('$').is_some_and(|(rounds, rest)| {
        let bounded = |rounds: u32| (1..=MAX_SHA_ROUNDS).contains(&rounds);
        rounds.bytes().all(|byte| byte.is_ascii_digit())
            && !rounds.starts_with('0')
            && rounds.parse().is_ok_and(bounded)
            && is_salt_and_sum(rest, 64, 28)
    })
}

/// The first four characters are the number of rounds, six bits each, least significant first.
pub(super) fn bsdi_rounds(rest: &str) -> Option<u32> {
    rest.bytes().take(4).enumerate().try_fold(0, |rounds, (place, byte)| {
        let digit = match byte {
            b'.' | b'/' => byte - b'.',
            b'0'..=b'9' => byte - b'0' + 2,
            b'A'..=b'Z' => byte - b'A' + 12,
            b'a'..=b'z' => byte - b'a' + 38,
            _ => return None,
        };
        Some(rounds | u32::from(digit) << (6 * place))
    })
}

/// `NN$` and 22 characters of salt, 31 of checksum.
fn bcrypt_is_bounded(rest: &str) -> bool {
    rest.split_once('$').is_some_and(|(cost, sum)| {
        cost.len() == 2
            && cost.bytes().all(|byte| byte.is_ascii_digit())
            && cost.parse().is_ok_and(|cost: u32| (4..=MAX_BCRYPT_COST).contains(&cost))
            && sum.len() == 53
            && is_crypt64(sum)
    })
}

/// `[rounds=N$]salt$checksum`.
fn sha_is_bounded(rest: &str, sum_len: usize) -> bool {
    let rest = match rest.strip_prefix("rounds=") {
        None => rest,
        Some(tail) => match tail.split_once('$') {
            Some((rounds, rest)) if sha_rounds_are_bounded(rounds) => rest,
            _ => return false,
        },
    };
    is_salt_and_sum(rest, 16, sum_len)
}

fn sha_rounds_are_bounded(rounds: &str) -> bool {
    let bounded = |rounds| (MIN_SHA_ROUNDS..=MAX_SHA_ROUNDS).contains(&rounds);
    rounds.bytes().all(|byte| byte.is_ascii_digit())
        && !rounds.starts_with('0')
        && rounds.parse().is_ok_and(bounded)
}

/// `parameters$salt$checksum`. Only what crypt(3) writes is accepted: the native mode, one lane, no extra time,
/// and a whole checksum (a shorter one would be easier to guess, an empty one would match every password).
fn yescrypt_is_bounded(rest: &str) -> bool {
    let Some((params, rest)) = rest.split_once('$') else { return false };
    let Ok(params) = params.parse::<yescrypt::Params>() else { return false };
    let native = yescrypt::Params::new(yescrypt::Mode::Rw, params.n(), params.r(), 1);
    let bytes = params.n().checked_mul(u64::from(params.r())).and_then(|blocks| blocks.checked_mul(128));
    native == Ok(params)
        && bytes.is_some_and(|bytes| bytes <= MAX_YESCRYPT_BYTES)
        && is_salt_and_sum(rest, MAX_STORED_LEN, 43)
}

/// Parse a PHC string and check its cost. A string without `v=` was made by version 1.0 of Argon2.
fn argon2_hash(stored: &str) -> Option<PasswordHash> {
    let mut hash = PasswordHash::new(stored).ok()?;
    hash.version = hash.version.or_else(|| Some(Version::V0x10.into()));
    let params = Params::try_from(&hash).ok()?;
    let work = u64::from(params.m_cost()) * u64::from(params.t_cost());
    let bounded = params.m_cost() <= MAX_ARGON2_MEMORY_KIB
        && work <= MAX_ARGON2_WORK_KIB
        && params.p_cost() <= MAX_ARGON2_LANES;
    (bounded && hash.salt.is_some() && hash.hash.is_some()).then_some(hash)
}
