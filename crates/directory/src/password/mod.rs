//! Passwords against stored hashes: recognise the scheme, bound its cost, compare in constant time.
//!
//! A stored hash comes from the `passwd` value of a record, so its writer may be anybody: a file imported from
//! another system, an administrator, an attacker with write access to one record. Three rules follow.
//!
//! * [`verify`] never panics and never matches anything but a complete, well-formed hash: an empty value, `*`, `!`
//!   or `x` mean "no password login", and so does a scheme that is not in the table.
//! * A hash names its own cost. Costs beyond the constants of this module are refused before any work is done,
//!   so that one record cannot occupy a processor for minutes or take gigabytes of memory.
//! * Passwords are byte strings. In the manner of crypt(3), everything from the first NUL on is ignored.
//!
//! | stored | scheme |
//! |---|---|
//! | 13 characters of `./0-9A-Za-z` | traditional DES crypt(3), what NetInfo itself stored |
//! | `_` and 19 characters | BSDi extended DES |
//! | `$1$` | MD5 crypt |
//! | `$sha1$` | HMAC-SHA-1 crypt of NetBSD |
//! | `$2a$` `$2b$` `$2y$` | bcrypt |
//! | `$5$` `$6$` | SHA-256 and SHA-512 crypt |
//! | `$y$` | yescrypt, the default of today's Linux systems |
//! | `$argon2i$` `$argon2d$` `$argon2id$` | Argon2 (RFC 9106) as a PHC string; what [`hash_new`] writes |
//! | `{CRYPT}` `{ARGON2}` and one of the above | the same |
//! | `{MD5}` `{SHA}` `{SHA256}` `{SHA384}` `{SHA512}` | base64 of the digest |
//! | `{SMD5}` `{SSHA}` `{SSHA256}` `{SSHA384}` `{SSHA512}` | base64 of the salted digest and its salt |
//! | `{X-SALTED-SHA1}` `{X-SALTED-SHA512}` | base64 of a salt of four bytes and the digest of salt and password (Mac OS X 10.4 to 10.7) |
//! | `{PBKDF2}` = `{PBKDF2-SHA1}`, `{PBKDF2-SHA256}` `{PBKDF2-SHA512}` | `rounds$salt$key` |
//! | `{PBKDF2_SHA256}` | base64 of rounds, salt and key (389 Directory Server) |
//! | `{SCRAM-SHA-256}` | rounds, salt and keys (RFC 5803), see [`scram`] |
//! | `{CLEARTEXT}` | the password itself; for [`verify_value`], also without braces |
//!
//! Names of schemes are in any case. What delegates to another program (`{SASL}`, `{KERBEROS}`, `{UNIX}`), `{LANMAN}` and
//! `{NT}` never match.

mod crypt;
mod digest;
#[cfg(test)]
mod scheme_tests;
pub mod scram;
#[cfg(test)]
mod tests;

use argon2::{Algorithm, Argon2, Params, PasswordHasher, Version};
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
pub const MAX_STORED_LEN: usize = 1024;
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

/// Most work of a PBKDF2 hash: rounds times blocks of the digest's length.
pub const MAX_PBKDF2_WORK: u64 = 2_000_000;
/// Shortest key of a PBKDF2 hash that is compared, in bytes: a shorter one would be easier to guess.
pub const MIN_PBKDF2_KEY: usize = 16;

/// From this bcrypt cost on a hash is not replaced at the next login.
pub const STRONG_BCRYPT_COST: u32 = 10;
/// From so many rounds of SHA crypt on.
pub const STRONG_SHA_ROUNDS: u32 = 100_000;
/// From so much memory of yescrypt on, in bytes (what Linux systems write takes 16 MiB).
pub const STRONG_YESCRYPT_BYTES: u64 = 16 << 20;
/// From so much work of PBKDF2 on.
pub const STRONG_PBKDF2_ROUNDS: u32 = 200_000;

/// What stands in place of a hash and, other than in braces, is not a password in the clear either. So does
/// everything that begins with `*` or `!`. Compared ignoring case.
const LOCKED: [&str; 9] = ["x", "np", "lk", "no", "nologin", "locked", "disabled", "kerberos", "none"];

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
    /// The password has a NUL in it, which many programs take for its end.
    #[error("a password cannot contain a zero byte")]
    Nul,
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
    Stored::of(stored).map_or(Verdict::UnknownScheme, |stored| stored.verify(password))
}

/// As [`verify`], for values that may also be passwords in the clear (RFC 4519 §2.41, `userPassword`): whatever is not
/// empty, has no scheme in braces, does not look like a hash and is not one of the marks that lock an account.
pub fn verify_value(stored: &[u8], password: &[u8]) -> Verdict {
    match Stored::of(stored) {
        Some(known) => known.verify(password),
        None if may_be_clear(stored) => Stored::Clear(stored).verify(password),
        None => Verdict::UnknownScheme,
    }
}

/// Whether `stored` is a hash that [`verify`] understands.
#[must_use]
pub fn is_hash(stored: &[u8]) -> bool {
    Stored::of(stored).is_some()
}

/// Whether the password is worth being hashed anew by [`hash_new`] once it is known: `stored` is easier to attack than
/// what is written today. False of everything that matches no password.
#[must_use]
pub fn is_weak(stored: &[u8]) -> bool {
    match Stored::of(stored) {
        Some(Stored::Crypt(scheme, text)) => scheme.is_weak(text),
        Some(Stored::Digest(digest)) => digest.is_weak(),
        Some(Stored::Clear(_)) => true,
        None => may_be_clear(stored),
    }
}

/// Hash a new password with argon2id and a random salt, as a PHC string (`$argon2id$v=19$m=…`).
pub fn hash_new(password: &[u8]) -> Result<String, HashError> {
    if password.len() > MAX_PASSWORD_LEN {
        return Err(HashError::TooLong);
    }
    if password.contains(&0) {
        return Err(HashError::Nul);
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

/// A stored value whose scheme is known and whose cost is bounded.
enum Stored<'a> {
    Crypt(crypt::Scheme, &'a str),
    Digest(digest::Stored),
    Clear(&'a [u8]),
}

impl<'a> Stored<'a> {
    fn of(stored: &'a [u8]) -> Option<Self> {
        let Some((scheme, data)) = in_braces(stored) else {
            let text = printable(stored)?;
            return Some(Self::Crypt(crypt::Scheme::of(text)?, text));
        };
        if scheme.eq_ignore_ascii_case("CLEARTEXT") {
            return (!data.is_empty() && data.len() <= MAX_PASSWORD_LEN).then_some(Self::Clear(data));
        }
        let text = printable(data)?;
        if scheme.eq_ignore_ascii_case("CRYPT") || scheme.eq_ignore_ascii_case("ARGON2") {
            let known = crypt::Scheme::of(text)?;
            let fits = known == crypt::Scheme::Argon2 || scheme.eq_ignore_ascii_case("CRYPT");
            return fits.then_some(Self::Crypt(known, text));
        }
        digest::Stored::of(scheme, text).map(Self::Digest)
    }

    fn verify(&self, password: &[u8]) -> Verdict {
        let password = until_nul(password);
        if password.len() > MAX_PASSWORD_LEN {
            return Verdict::NoMatch;
        }
        let matches = match self {
            Self::Crypt(scheme, text) => scheme.matches(text, password),
            Self::Digest(stored) => Some(stored.matches(password)),
            Self::Clear(stored) => Some(bool::from(stored.ct_eq(password))),
        };
        match matches {
            Some(true) => Verdict::Match,
            Some(false) => Verdict::NoMatch,
            None => Verdict::UnknownScheme,
        }
    }
}

/// `{SCHEME}` and what is behind it.
fn in_braces(stored: &[u8]) -> Option<(&str, &[u8])> {
    let rest = stored.strip_prefix(b"{")?;
    let end = rest.iter().position(|&b| b == b'}')?;
    Some((str::from_utf8(&rest[..end]).ok()?, &rest[end + 1..]))
}

/// Whether a value of no known scheme can be a password in the clear.
fn may_be_clear(stored: &[u8]) -> bool {
    let looks_like_a_hash = match stored.first() {
        None | Some(b'*' | b'!' | b'$') => true,
        Some(b'{') => stored.contains(&b'}'),
        Some(b'_') => stored.len() == 20,
        Some(_) => false,
    };
    !looks_like_a_hash
        && stored.len() <= MAX_PASSWORD_LEN
        && !LOCKED.iter().any(|mark| mark.as_bytes().eq_ignore_ascii_case(stored))
}

/// Every scheme is printable ASCII without blanks. The hash libraries index tables by character, so nothing else
/// may reach them.
fn printable(stored: &[u8]) -> Option<&str> {
    if stored.len() > MAX_STORED_LEN || !stored.iter().all(u8::is_ascii_graphic) {
        return None;
    }
    str::from_utf8(stored).ok()
}
