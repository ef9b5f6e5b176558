//! What SCRAM-SHA-256 (RFC 5802, RFC 7677) proves instead of sending a password.
//!
//! [`Keys`] come out of a stored value: `{SCRAM-SHA-256}` has them (RFC 5803 says how they are written),
//! `{PBKDF2-SHA256}` with a key of 32 bytes has what they are made of, and of a password in the clear they can be made.
//! Other schemes do not allow it.

use std::fmt;

use base64ct::{Base64, Base64Unpadded, Encoding};
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::digest::{Hash, Stored as Digested};
use super::{HashError, MAX_PASSWORD_LEN, MAX_PBKDF2_WORK, NEW_SALT_LEN, Stored, may_be_clear};

/// Length of keys, proofs and signatures, in bytes.
pub const KEY_LEN: usize = 32;
/// Rounds of keys that are made of a password in the clear, or for nobody. RFC 7677 §4 wants at least so many.
pub const EPHEMERAL_ROUNDS: u32 = 4096;
/// Rounds of new keys that are stored.
pub const NEW_ROUNDS: u32 = 100_000;
/// Longest salt of stored keys, in bytes.
const MAX_SALT: usize = 64;

/// A key, a proof or a signature.
type Key = [u8; KEY_LEN];

/// What a server knows of one who proves a password by SCRAM-SHA-256.
#[derive(Clone, PartialEq, Eq)]
pub struct Keys {
    salt: Vec<u8>,
    rounds: u32,
    stored: Key,
    server: Key,
}

impl Keys {
    /// The keys that a value of `userPassword` allows; `None` if it allows none. `secret` makes the salts of passwords in
    /// the clear, each its own; computing those keys takes about a millisecond.
    pub(crate) fn of(value: &[u8], secret: &Key) -> Option<Self> {
        match Stored::of(value) {
            Some(Stored::Digest(Digested::Scram(keys))) => Some(keys),
            Some(Stored::Digest(Digested::Pbkdf2 { hash: Hash::Sha256, rounds, salt, key })) => {
                let salted = Key::try_from(key.as_slice()).ok()?;
                Some(Self::of_salted(&salted, salt, rounds))
            }
            Some(Stored::Clear(password)) => Some(Self::ephemeral(password, value, secret)),
            None if may_be_clear(value) => Some(Self::ephemeral(value, value, secret)),
            _ => None,
        }
    }

    /// Keys for somebody who has none, the same for the same `name` as long as `secret` is: nothing proves them.
    pub(crate) fn of_nobody(name: &[u8], secret: &Key) -> Self {
        let salt = mac(secret, &[b"salt", name])[..NEW_SALT_LEN].to_vec();
        let key = mac(secret, &[b"key", name]);
        Self { salt, rounds: EPHEMERAL_ROUNDS, stored: key, server: mac(&key, &[b"server"]) }
    }

    fn ephemeral(password: &[u8], value: &[u8], secret: &Key) -> Self {
        let salt = mac(secret, &[b"salt of", value])[..NEW_SALT_LEN].to_vec();
        Self::of_password(password, salt, EPHEMERAL_ROUNDS)
    }

    /// The keys of a password.
    pub(super) fn of_password(password: &[u8], salt: Vec<u8>, rounds: u32) -> Self {
        let mut salted = Zeroizing::new([0; KEY_LEN]);
        pbkdf2::pbkdf2_hmac::<Sha256>(password, &salt, rounds, salted.as_mut_slice());
        Self::of_salted(&salted, salt, rounds)
    }

    fn of_salted(salted: &Key, salt: Vec<u8>, rounds: u32) -> Self {
        let client = Zeroizing::new(mac(salted, &[b"Client Key"]));
        Self { salt, rounds, stored: sum(&*client), server: mac(salted, &[b"Server Key"]) }
    }

    /// Reads what stands behind `{SCRAM-SHA-256}`: rounds, salt and keys as RFC 5803 §3.1 writes them.
    pub(super) fn parse(data: &str) -> Option<Self> {
        let (rounds, rest) = data.split_once(':')?;
        let (salt, keys) = rest.split_once('$')?;
        let (stored, server) = keys.split_once(':')?;
        let decode = |text: &str| Base64Unpadded::decode_vec(text.trim_end_matches('=')).ok();
        let key = |text: &str| Key::try_from(decode(text)?).ok();
        let salt = decode(salt).filter(|salt| (1..=MAX_SALT).contains(&salt.len()))?;
        let digits = rounds.bytes().all(|byte| byte.is_ascii_digit());
        let rounds =
            rounds.parse().ok().filter(|rounds| digits && (1..=MAX_PBKDF2_WORK as u32).contains(rounds))?;
        Some(Self { salt, rounds, stored: key(stored)?, server: key(server)? })
    }

    /// As a value of `userPassword`.
    fn to_stored(&self) -> String {
        let [salt, stored, server] = [&self.salt[..], &self.stored, &self.server].map(Base64::encode_string);
        format!("{{SCRAM-SHA-256}}{}:{salt}${stored}:{server}", self.rounds)
    }

    /// Whether it is the password whose keys these are.
    pub(super) fn matches(&self, password: &[u8]) -> bool {
        let keys = Self::of_password(password, self.salt.clone(), self.rounds);
        (keys.stored.ct_eq(&self.stored) & keys.server.ct_eq(&self.server)).into()
    }

    /// The salt, which the client is told.
    pub fn salt(&self) -> &[u8] {
        &self.salt
    }

    /// The rounds of PBKDF2, which the client is told.
    pub fn rounds(&self) -> u32 {
        self.rounds
    }

    /// Whether a client that sends `proof` for the messages of the exchange knows the password (RFC 5802 §3).
    pub(crate) fn is_proved(&self, messages: &[u8], proof: &[u8]) -> bool {
        let Ok(proof) = Key::try_from(proof) else { return false };
        let signature = mac(&self.stored, &[messages]);
        let mut client = Zeroizing::new(proof);
        client.iter_mut().zip(signature).for_each(|(byte, sign)| *byte ^= sign);
        sum(&*client).ct_eq(&self.stored).into()
    }

    /// What shows the client that the server knows the keys too.
    pub fn signature(&self, messages: &[u8]) -> [u8; KEY_LEN] {
        mac(&self.server, &[messages])
    }
}

/// Without the keys: a server that had them could be imitated.
impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keys").field("rounds", &self.rounds).finish_non_exhaustive()
    }
}

/// Makes keys of a new password, with a random salt, to be stored: `{SCRAM-SHA-256}…`. Easier to attack than what
/// [`hash_new`](super::hash_new) makes, but good for clients that prove a password without sending it.
pub fn hash_new_scram(password: &[u8]) -> Result<String, HashError> {
    if password.len() > MAX_PASSWORD_LEN {
        return Err(HashError::TooLong);
    }
    if password.contains(&0) {
        return Err(HashError::Nul);
    }
    let mut salt = [0_u8; NEW_SALT_LEN];
    getrandom::fill(&mut salt).map_err(|_| HashError::Random)?;
    Ok(Keys::of_password(password, salt.to_vec(), NEW_ROUNDS).to_stored())
}

fn mac(key: &[u8], parts: &[&[u8]]) -> Key {
    // A key of any length will do: the error is for other algorithms.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else { return [0; KEY_LEN] };
    parts.iter().for_each(|part| mac.update(part));
    mac.finalize().into_bytes().into()
}

fn sum(bytes: &[u8]) -> Key {
    Sha256::digest(bytes).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::password::{Verdict, is_weak, verify};

    const SECRET: Key = [7; KEY_LEN];

    /// The exchange of RFC 7677 §3: user `user`, password `pencil`.
    const MESSAGES: &[u8] = b"n=user,r=rOprNGfwEbeRWgbNEkqO,\
        r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,\
        c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";

    #[test]
    fn the_example_of_the_standard() {
        let salt = Base64::decode_vec("W22ZaJ0SNY7soEsUEjb6gQ==").unwrap();
        let keys = Keys::of_password(b"pencil", salt, 4096);
        let proof = Base64::decode_vec("dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=").unwrap();
        assert!(keys.is_proved(MESSAGES, &proof));
        assert_eq!(
            Base64::encode_string(&keys.signature(MESSAGES)),
            "6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="
        );
        assert!(!keys.is_proved(&MESSAGES[1..], &proof));
        assert!(!keys.is_proved(MESSAGES, &proof[1..]));
        assert!(!Keys::of_nobody(b"user", &SECRET).is_proved(MESSAGES, &proof));
    }

    #[test]
    fn values_that_allow_it() {
        let salt: Vec<u8> = (0..16).collect();
        let expected = Keys::of_password(b"Xyzzy-9 plugh", salt, 10_000);
        let pbkdf2 =
            b"{PBKDF2-SHA256}10000$AAECAwQFBgcICQoLDA0ODw$klDY3oMwBlytvmoFXJS5EvAc1a/li1a6TqQ4q6z/sQQ";
        assert_eq!(Keys::of(pbkdf2, &SECRET), Some(expected.clone()));
        let written = expected.to_stored();
        assert_eq!(Keys::of(written.as_bytes(), &SECRET), Some(expected));
        for clear in ["secret", "{CLEARTEXT}secret"] {
            let keys = Keys::of(clear.as_bytes(), &SECRET).unwrap();
            assert!(keys.matches(b"secret") && !keys.matches(b"Secret"));
            assert_ne!(Keys::of(clear.as_bytes(), &[8; KEY_LEN]).unwrap().salt, keys.salt);
        }
        let other = crate::password::hash_new(b"secret").unwrap();
        for value in
            [other.as_bytes(), b"", b"*", b"!", b"{SASL}x", b"{SSHA}4P5Pc/M7zcqyWC4moX/IxeIX7NYAAQIDBAUGBw=="]
        {
            assert_eq!(Keys::of(value, &SECRET), None, "{}", value.escape_ascii());
        }
    }

    #[test]
    fn stored_keys_are_passwords_too() {
        let stored = hash_new_scram(b"pencil").unwrap();
        assert_eq!(verify(stored.as_bytes(), b"pencil"), Verdict::Match);
        assert_eq!(verify(stored.as_bytes(), b"Pencil"), Verdict::NoMatch);
        // Whoever stored them wants them to stay.
        assert!(!is_weak(stored.as_bytes()));
        assert_ne!(stored, hash_new_scram(b"pencil").unwrap());
        assert_eq!(hash_new_scram(b"a\0b"), Err(HashError::Nul));
        assert_eq!(hash_new_scram(&[b'a'; MAX_PASSWORD_LEN + 1]), Err(HashError::TooLong));
        for wrong in [
            "{SCRAM-SHA-256}",
            "{SCRAM-SHA-256}4096:$:",
            "{SCRAM-SHA-256}0:AAAA$AAAA:AAAA",
            &stored.replace("{SCRAM-SHA-256}100000", "{SCRAM-SHA-256}999999999"),
            &stored[..stored.len() - 8],
        ] {
            assert_eq!(verify(wrong.as_bytes(), b"pencil"), Verdict::UnknownScheme, "{wrong}");
        }
    }

    #[test]
    fn nothing_is_shown() {
        let keys = Keys::of_nobody(b"user", &SECRET);
        assert_eq!(format!("{keys:?}"), "Keys { rounds: 4096, .. }");
        assert_eq!(keys, Keys::of_nobody(b"user", &SECRET));
        assert_ne!(keys.salt, Keys::of_nobody(b"other", &SECRET).salt);
    }
}
