//! Passwords against stored hashes: recognise the scheme, bound its cost, compare in constant time.
//!
//! A stored hash comes from the `passwd` value of a record, so its writer may be anybody: a file imported from
//! another system, an administrator, an attacker with write access to one record. Three rules follow.
//!
//! * [`verify`] never panics and never matches anything but a complete, well-formed hash: an empty value, `*`, `!`
//!   or `x` mean "no password login".
//! * A hash names its own cost. Costs beyond the constants of this module are refused before any work is done,
//!   so that one record cannot occupy a processor for minutes or take gigabytes of memory.
//! * Passwords are byte strings in the manner of crypt(3): everything from the first NUL on is ignored.
//!
//! | stored hash | scheme |
//! |---|---|
//! | 13 characters of `./0-9A-Za-z` | traditional DES crypt(3), what NetInfo itself stored |
//! | `_` and 19 characters | BSDi extended DES |
//! | `$1$` | MD5 crypt |
//! | `$2a$` `$2b$` `$2y$` | bcrypt |
//! | `$5$` `$6$` | SHA-256 and SHA-512 crypt |
//! | `$y$` | yescrypt, the default of today's Linux systems |
//! | `$argon2i$` `$argon2d$` `$argon2id$` | Argon2 (RFC 9106) as a PHC string; what [`hash_new`] writes |

use argon2::password_hash::phc::PasswordHash;
use argon2::{Algorithm, Argon2, Params, PasswordHasher, PasswordVerifier, Version};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// Memory of a new argon2id hash, in KiB (19 MiB).
pub const NEW_MEMORY_KIB: u32 = 19 * 1024;
/// Passes over the memory of a new argon2id hash.
pub const NEW_PASSES: u32 = 2;
/// Lanes of a new argon2id hash.
pub const NEW_LANES: u32 = 1;
/// Salt of a new hash, in bytes.
pub const NEW_SALT_LEN: usize = 16;

/// Longest password that is hashed, in bytes; crypt(3) of Linux has the same limit. SHA crypt takes time
/// proportional to the square of the length, so there must be one.
pub const MAX_PASSWORD_LEN: usize = 511;
/// Longest stored hash that is looked at, in bytes.
pub const MAX_STORED_LEN: usize = 384;
/// Most rounds of BSDi extended DES (the scheme allows 16,777,215).
pub const MAX_BSDI_ROUNDS: u32 = 1_000_000;
/// Fewest rounds SHA crypt defines.
pub const MIN_SHA_ROUNDS: u32 = 1_000;
/// Most rounds of SHA-256 and SHA-512 crypt (the scheme allows 999,999,999).
pub const MAX_SHA_ROUNDS: u32 = 1_000_000;
/// Highest bcrypt cost, a power of two (the scheme allows 31).
pub const MAX_BCRYPT_COST: u32 = 15;
/// Most memory of a yescrypt hash, in bytes.
pub const MAX_YESCRYPT_BYTES: u64 = 256 << 20;
/// Most memory of an Argon2 hash, in KiB.
pub const MAX_ARGON2_MEMORY_KIB: u32 = 256 * 1024;
/// Most work of an Argon2 hash: memory in KiB times passes.
pub const MAX_ARGON2_WORK_KIB: u64 = 1024 * 1024;
/// Most lanes of an Argon2 hash.
pub const MAX_ARGON2_LANES: u32 = 16;

/// What a comparison found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Verdict {
    /// The password belongs to the stored hash.
    Match,
    /// The stored hash is understood and the password is another one.
    NoMatch,
    /// The stored value is no hash, one of an unknown scheme, malformed, or too expensive to compute.
    UnknownScheme,
}

/// Why a password could not be hashed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HashError {
    /// The password exceeds [`MAX_PASSWORD_LEN`].
    #[error("the password is longer than {MAX_PASSWORD_LEN} bytes")]
    TooLong,
    /// The operating system gave no random bytes for the salt.
    #[error("no random bytes from the operating system")]
    Random,
    /// Argon2id failed, for want of memory.
    #[error("the password could not be hashed: out of memory")]
    Memory,
}

/// Compare `password` with the `stored` hash.
///
/// [`Verdict::UnknownScheme`] costs no time; a caller that must not tell strangers which users have a usable
/// password calls [`burn`] then. A password longer than [`MAX_PASSWORD_LEN`] never matches.
pub fn verify(stored: &[u8], password: &[u8]) -> Verdict {
    let password = until_nul(password);
    let Some(stored) = printable(stored) else { return Verdict::UnknownScheme };
    let Some(scheme) = Scheme::of(stored) else { return Verdict::UnknownScheme };
    if password.len() > MAX_PASSWORD_LEN {
        return Verdict::NoMatch;
    }
    match scheme.matches(stored, password) {
        Some(true) => Verdict::Match,
        Some(false) => Verdict::NoMatch,
        None => Verdict::UnknownScheme,
    }
}

/// Hash a new password with argon2id and a random salt, as a PHC string (`$argon2id$v=19$m=…`).
pub fn hash_new(password: &[u8]) -> Result<String, HashError> {
    let password = until_nul(password);
    if password.len() > MAX_PASSWORD_LEN {
        return Err(HashError::TooLong);
    }
    let mut salt = [0_u8; NEW_SALT_LEN];
    getrandom::fill(&mut salt).map_err(|_| HashError::Random)?;
    let hash = argon2id().hash_password_with_salt(password, &salt).map_err(|_| HashError::Memory)?;
    Ok(hash.to_string())
}

/// Spend the time that [`verify`] spends on a hash of [`hash_new`], for a user that does not exist.
pub fn burn(password: &[u8]) {
    let password = until_nul(password);
    // `verify` does not hash such a password either.
    if password.len() > MAX_PASSWORD_LEN {
        return;
    }
    let mut output = Zeroizing::new([0_u8; Params::DEFAULT_OUTPUT_LEN]);
    let result = argon2id().hash_password_into(password, &[0; NEW_SALT_LEN], output.as_mut_slice());
    // Without this the compiler might see that nobody reads the result.
    std::hint::black_box((&output, result.is_ok()));
}

/// The cost of new hashes; a mistake in the constants does not compile.
const NEW_PARAMS: Params = match Params::new(NEW_MEMORY_KIB, NEW_PASSES, NEW_LANES, None) {
    Ok(params) => params,
    Err(_) => panic!("the cost constants are not valid for Argon2"),
};

fn argon2id() -> Argon2<'static> {
    Argon2::new(Algorithm::Argon2id, Version::V0x13, NEW_PARAMS)
}

fn until_nul(password: &[u8]) -> &[u8] {
    password.split(|byte| *byte == 0).next().unwrap_or(password)
}

/// Every scheme is printable ASCII without blanks. The hash libraries index tables by character, so nothing else
/// may reach them.
fn printable(stored: &[u8]) -> Option<&str> {
    if stored.len() > MAX_STORED_LEN || !stored.iter().all(u8::is_ascii_graphic) {
        return None;
    }
    str::from_utf8(stored).ok()
}

/// A scheme whose shape and cost have been checked.
#[derive(Clone, Copy)]
enum Scheme {
    Des,
    BsdiDes,
    Md5,
    Bcrypt,
    Sha256,
    Sha512,
    Yescrypt,
    Argon2,
}

impl Scheme {
    /// Recognise `stored`; `None` when it is malformed or too expensive.
    fn of(stored: &str) -> Option<Self> {
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
            "5" => sha_is_bounded(rest, 43).then_some(Self::Sha256),
            "6" => sha_is_bounded(rest, 86).then_some(Self::Sha512),
            "y" => yescrypt_is_bounded(rest).then_some(Self::Yescrypt),
            "argon2i" | "argon2d" | "argon2id" => argon2_hash(stored).map(|_| Self::Argon2),
            _ => None,
        }
    }

    /// Whether `password` gives `stored`; `None` when the library does not accept the stored hash after all.
    fn matches(self, stored: &str, password: &[u8]) -> Option<bool> {
        #[allow(deprecated, reason = "the weak schemes are only ever read, never written")]
        let computed = match self {
            Self::Des => pwhash::unix_crypt::hash_with(stored, password),
            Self::BsdiDes => pwhash::bsdi_crypt::hash_with(stored, password),
            Self::Md5 => pwhash::md5_crypt::hash_with(stored, password),
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

/// The first four characters are the number of rounds, six bits each, least significant first.
fn bsdi_rounds(rest: &str) -> Option<u32> {
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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::time::{Duration, Instant};

    const PHRASE: &[u8] = b"correct horse battery";

    /// Made by crypt(3) of Debian 12 (libxcrypt), `openssl passwd` and the `argon2` program.
    const VECTORS: &[(&[u8], &str)] = &[
        (b"password", "xOAFZqRz5RduI"),
        (b"", "abmF1QH4PEr.E"),
        (b"longer than eight", "./yPRzyX/WeSM"),
        ("héllo".as_bytes(), "zZBZ1KhT2lfJM"),
        (b"\xff\x01\xa3", "aagLRX1RyU/f6"),
        (PHRASE, "_J9..rasmHJqxwvNJG6s"),
        (b"password", "_K.0.Fbz1mYmYn1oYubE"),
        (PHRASE, "$1$5pZSV9va$lSTTT.dKDKq/z5A1tR7Ct0"),
        (PHRASE, "$1$openssl1$e8bwxV/ZtGNl2x4rv8zsK."),
        (b"", "$1$ab$rn6aQS/o7141mj179E/zA."),
        ("pässwörd".as_bytes(), "$1$ab$bRZzLnQPD1ql12pSoshc71"),
        (PHRASE, "$2a$05$bvIG6Nmid91Mu9RcmmWZfOZT5TsF0nJB4eU3v.URjkbei3Hk16Lbi"),
        (b"", "$2b$05$bvIG6Nmid91Mu9RcmmWZfOiklHDwUE1gdpASNK7Eev6D2aGD9cLM2"),
        ("pässwörd".as_bytes(), "$2y$05$bvIG6Nmid91Mu9RcmmWZfO0NEAWs2OJZtFPXlT/wlPYv5evgQV3KK"),
        (&[b'x'; 80], "$2b$05$bvIG6Nmid91Mu9RcmmWZfOu2Kps6Wv67EiO4BxmkPQehDUSNMSSIO"),
        (b"\xff\xff\xa3", "$2y$05$/OK.fbVrR/bpIqNJ5ianF.CE5elHaaO4EbggVDjb8P19RukzXSM3e"),
        (PHRASE, "$5$openssl5$CM18G42SoCRroGOwiSzy3jFwe8TugvKdx2LGDrV5EV2"),
        (PHRASE, "$5$rounds=1400$anotherlongsalt$1JZl.66lox4r82uPi/oXh2kodr.zsuMds88Qpl/JvC."),
        (&[b'x'; 80], "$5$rounds=1400$anotherlongsalt$0u9QJXljEGV8nj4hPoVxFW0T0uVx699hnaJp6L56nP3"),
        (
            PHRASE,
            "$6$openssl6$sNQKX0oUvEWHPS2ntcFvvMd0lPN/rgGoVSXLZWkxqgvQABR9xLxP9EPmlPqU37nhcMb6G8gIYpySfhs.3b.fH0",
        ),
        (
            b"",
            "$6$saltstring$kyGrqt6gmjAdtFLPrflEFifSYLCWWq1pyx95SvqinLDy2UHmj0sTF0MSLMwxPFZc3tu5kQckI8fks0zOPda3n1",
        ),
        (
            PHRASE,
            "$6$rounds=5000$toolongsaltstri$076j7VSKIkBQVY44V0isieeYcmRqV8ODUh6iyAAKw6NvLTq8xjG8VSAjAQQ1Lt4gegIjj9FYmbyGiUD92fAVG0",
        ),
        (
            b"\xff\x01\xa3",
            "$6$rawbytes$O0VzbfP7gCnVHc.aQzb5zHzhUuBv5pZgwdwJ4QiBYbKW7mzMrQWP6PHEe7G4is5SDMWfXJf1EazPyGsVRADO71",
        ),
        (b"password", "$y$j9T$F5Jx5fExrKuPp53xLKQ..1$tnSYvahCwPBHKZUspmcxMfb0.WiB9W.zEaKlOBL35rC"),
        (PHRASE, "$y$j9T$6IJGKjcOPdNI5bq/sC2ot.$Q8p.TV.3.KE7DgVQir6uQfy49c7BbYcOvD08wcTVF53"),
        (b"", "$y$j75$LdJMENpBABJJ3hIHjB1Bi.$tUlUF19mIl6XpRTpX7LBp5ABKS8KSmDfP1gXFrZ6Sy8"),
        (&[b'x'; 80], "$y$j75$LdJMENpBABJJ3hIHjB1Bi.$Y97HRLWSNwl8kEE3Cgc7XlIXcEMkgFYAeHNemDxKycA"),
        (
            PHRASE,
            "$argon2i$v=19$m=1024,t=2,p=2$c29tZXNhbHR2YWx1ZQ$wlSy/OOpUMUMOcqMKOH6VOdk2aXsAVqM9eCoCTLyqP8",
        ),
        (
            PHRASE,
            "$argon2d$v=19$m=1024,t=2,p=2$c29tZXNhbHR2YWx1ZQ$5sw2jrIFGsV4pNJ9Et0LfGe7RYIbRuBlU4iQnELFnyA",
        ),
        (
            PHRASE,
            "$argon2id$v=19$m=1024,t=2,p=2$c29tZXNhbHR2YWx1ZQ$jdmXOEyvhFJDZ1Gz/TFovvhtJARLaC/mRKaeOkBWwUw",
        ),
        (
            PHRASE,
            "$argon2i$v=16$m=256,t=3,p=1$c29tZXNhbHR2YWx1ZQ$DyjXWlSK/7rX0FNuHoL8YR0FuhYrhK59Kf3FTtHRSJM",
        ),
        (PHRASE, "$argon2i$m=256,t=3,p=1$c29tZXNhbHR2YWx1ZQ$DyjXWlSK/7rX0FNuHoL8YR0FuhYrhK59Kf3FTtHRSJM"),
    ];

    #[test]
    fn hashes_of_other_programs_match_their_password_only() {
        for (password, stored) in VECTORS {
            assert_eq!(verify(stored.as_bytes(), password), Verdict::Match, "{stored}");
            let mut wrong = if password.is_empty() { vec![0] } else { password.to_vec() };
            wrong[0] ^= 1;
            assert_eq!(verify(stored.as_bytes(), &wrong), Verdict::NoMatch, "{stored}");
        }
    }

    #[test]
    fn one_changed_character_of_the_checksum_does_not_match() {
        for (password, stored) in VECTORS {
            let mut changed = stored.as_bytes().to_vec();
            let at = changed.len() - 4;
            changed[at] = if changed[at] == b'a' { b'b' } else { b'a' };
            assert_ne!(verify(&changed, password), Verdict::Match, "{stored}");
            assert_ne!(verify(&stored.as_bytes()[..stored.len() - 1], password), Verdict::Match, "{stored}");
        }
    }

    #[test]
    fn what_is_no_hash_never_matches() {
        let values: &[&[u8]] = &[
            b"",
            b"*",
            b"!",
            b"!!",
            b"x",
            b"NP",
            b"*LK*",
            b"********",
            b"hunter2",
            b"$",
            b"$$",
            b"$1$",
            b"$6$",
            b"$y$",
            b"$9$x$y",
            b"$6$salt$",
            b"$6$rounds=$salt$x",
            b"$y$j9T$salt$",
            b"$y$j9T$F5Jx5fExrKuPp53xLKQ..1",
            b"$y$j9T$F5Jx5fExrKuPp53xLKQ..1$",
            b"$2b$05$bvIG6Nmid91Mu9RcmmWZfO",
            b"$argon2id$v=19$m=1024,t=2,p=2$c29tZXNhbHR2YWx1ZQ",
            b"!$6$openssl6$x",
            b"xOAFZqRz5RduI ",
            b"xOAFZqRz5Rdu:",
            b"\x80OAFZqRz5RduI",
            "é34567890123".as_bytes(),
        ];
        for stored in values {
            for password in [&b""[..], stored, b"password"] {
                assert_eq!(verify(stored, password), Verdict::UnknownScheme, "{}", stored.escape_ascii());
            }
        }
        let locked = format!("!{}", VECTORS[0].1);
        assert_eq!(verify(locked.as_bytes(), VECTORS[0].0), Verdict::UnknownScheme);
    }

    #[test]
    fn hostile_costs_are_refused_before_any_work() {
        let sum43 = "a".repeat(43);
        let sum86 = "a".repeat(86);
        let argon = |cost: &str| format!("$argon2id$v=19${cost}$c29tZXNhbHR2YWx1ZQ${sum43}");
        let hostile = [
            format!("_zzzz{}", "a".repeat(15)),
            format!("$2b$31${}", "a".repeat(53)),
            format!("$2b${}${}", MAX_BCRYPT_COST + 1, "a".repeat(53)),
            format!("$5$rounds=999999999$salt${sum43}"),
            format!("$6$rounds=999999999$salt${sum86}"),
            format!("$6$rounds={}$salt${sum86}", MAX_SHA_ROUNDS + 1),
            format!("$6$rounds=99999999999999999999$salt${sum86}"),
            format!("$6$rounds={}$salt${sum86}", MIN_SHA_ROUNDS - 1),
            // N = 2^18 and r = 32 take 1 GiB; N = 2^63 more than there is.
            format!("$y$jFT$salt${sum43}"),
            format!("$y$jw/.T$salt${sum43}"),
            // t = 3 asks for more time than N and r say.
            format!("$y$j9T./.$salt${sum43}"),
            argon("m=4194304,t=1,p=1"),
            argon(&format!("m={},t=1,p=1", MAX_ARGON2_MEMORY_KIB + 1)),
            argon("m=262144,t=5,p=1"),
            argon("m=1024,t=4294967295,p=1"),
            argon(&format!("m=65536,t=1,p={}", MAX_ARGON2_LANES + 1)),
        ];
        let start = Instant::now();
        for stored in &hostile {
            assert_eq!(verify(stored.as_bytes(), b"password"), Verdict::UnknownScheme, "{stored}");
        }
        assert!(start.elapsed() < Duration::from_secs(1), "{:?}", start.elapsed());
    }

    #[test]
    fn costs_at_the_bounds_are_recognised() {
        for stored in [
            format!("$2b${MAX_BCRYPT_COST}${}", "a".repeat(53)),
            format!("$6$rounds={MAX_SHA_ROUNDS}$salt${}", "a".repeat(86)),
            format!("$argon2id$v=19$m=262144,t=4,p=16$c29tZXNhbHR2YWx1ZQ${}A", "a".repeat(42)),
            // N = 2^16, r = 32: 256 MiB.
            format!("$y$jDT$salt${}", "a".repeat(43)),
        ] {
            assert!(Scheme::of(&stored).is_some(), "{stored}");
        }
        // 63 + 63 * 64 + 49 * 64² + 3 * 64³, and one more in the last place.
        assert_eq!(bsdi_rounds("zzl1"), Some(991_231));
        assert!(Scheme::of(&format!("_zzl1{}", "a".repeat(15))).is_some());
        assert!(Scheme::of(&format!("_zzl2{}", "a".repeat(15))).is_none());
        assert_eq!(bsdi_rounds("zzzz"), Some((1 << 24) - 1));
        assert_eq!(bsdi_rounds("J9.."), Some(725));
    }

    #[test]
    fn a_nul_ends_the_password_and_length_is_bounded() {
        assert_eq!(verify(b"xOAFZqRz5RduI", b"password\0and more"), Verdict::Match);
        let long = vec![b'x'; MAX_PASSWORD_LEN + 1];
        assert_eq!(verify(b"xOAFZqRz5RduI", &long), Verdict::NoMatch);
        assert_eq!(hash_new(&long), Err(HashError::TooLong));
        let padded = [b"password\0".as_slice(), &long].concat();
        assert_eq!(verify(b"xOAFZqRz5RduI", &padded), Verdict::Match);
        assert_eq!(verify(&vec![b'a'; MAX_STORED_LEN + 1], b"password"), Verdict::UnknownScheme);
    }

    #[test]
    fn a_new_hash_verifies_and_has_its_own_salt() {
        let longest = vec![0xff; MAX_PASSWORD_LEN];
        for password in [PHRASE, b"\xff\xfe\x01", &longest] {
            let stored = hash_new(password).unwrap();
            assert!(stored.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{stored}");
            assert_eq!(verify(stored.as_bytes(), password), Verdict::Match);
            assert_eq!(verify(stored.as_bytes(), b"another"), Verdict::NoMatch);
            assert_ne!(hash_new(password).unwrap(), stored);
        }
    }

    #[test]
    fn an_unknown_user_takes_as_long_as_a_wrong_password() {
        let stored = hash_new(PHRASE).unwrap();
        let time = |work: &dyn Fn()| {
            let start = Instant::now();
            work();
            start.elapsed()
        };
        // The shortest of many tries: others may want the processor, too.
        let (mut wrong, mut unknown) = (Duration::MAX, Duration::MAX);
        for round in 1.. {
            wrong = wrong.min(time(&|| assert_eq!(verify(stored.as_bytes(), b"wrong"), Verdict::NoMatch)));
            unknown = unknown.min(time(&|| burn(b"wrong")));
            if round >= 4 && unknown < wrong * 3 && wrong < unknown * 3 {
                return;
            }
            assert!(round < 30, "wrong {wrong:?}, unknown {unknown:?}");
        }
    }

    proptest! {
        #[test]
        fn arbitrary_stored_bytes_never_match(stored: Vec<u8>, password: Vec<u8>) {
            prop_assert_ne!(verify(&stored, &password), Verdict::Match);
        }

        #[test]
        fn arbitrary_text_behind_a_scheme_never_panics(
            scheme in "_|\\$(1|2[aby]|5|6|y|argon2(i|d|id))\\$",
            tail in "((v=19|rounds=[0-9]{1,4}|m=[0-9]{1,3},t=[0-9],p=[0-9]|[0-9]{2}|j[0-9A-Za-z./]{1,4})\\$)?[ -~é]{0,40}(\\$[./0-9A-Za-z]{0,90})?",
        ) {
            let stored = scheme + &tail;
            // A cost within the bounds may take seconds: what is cheap to compute is computed.
            if !stored.starts_with("$2") && !stored.starts_with("$y") {
                prop_assert_ne!(verify(stored.as_bytes(), b"password"), Verdict::Match);
            } else if let Some(text) = printable(stored.as_bytes()) {
                let _ = Scheme::of(text);
            }
        }
    }
}
