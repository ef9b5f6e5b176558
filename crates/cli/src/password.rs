//! Reading passwords, never from the command line, and hashing new ones.

use std::io::{self, IsTerminal, Read};
use std::path::Path;

use clap::ValueEnum;
use netinfo_directory::password::hash_new;
use netinfo_directory::password::scram::hash_new_scram;
use zeroize::Zeroizing;

use crate::failure::{Exit, Failure, Result, When};

/// Environment variable with the password of the user given with `-u`.
pub(crate) const PASSWORD_VARIABLE: &str = "NETINFO_PASSWORD";
/// Longest password file or standard input read, in bytes.
const MAX_INPUT: u64 = 4096;

/// How a new password is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Hash {
    /// For servers of this project
    Argon2id,
    /// For LDAP clients that prove a password without sending it (SASL SCRAM-SHA-256)
    ScramSha256,
    /// DES crypt(3), the only one historical servers know; only 8 characters count
    Des,
}

/// The password of the user who gives commands: from a file, from the environment, or asked for.
pub(crate) fn of_caller(user: &str, file: Option<&Path>) -> Result<Zeroizing<Vec<u8>>> {
    if let Some(path) = file {
        return from_file(path);
    }
    if let Some(password) = std::env::var_os(PASSWORD_VARIABLE) {
        return Ok(Zeroizing::new(std::os::unix::ffi::OsStringExt::into_vec(password)));
    }
    ask(&format!("Password of {user}: "))
}

/// The password in the first line of a file.
pub(crate) fn from_file(path: &Path) -> Result<Zeroizing<Vec<u8>>> {
    let mut open = std::fs::File::open(path).when(|| format!("read {}", path.display()))?;
    first_line(&mut open).when(|| format!("read {}", path.display()))
}

/// A new password: from standard input if `from_stdin`, otherwise asked for twice.
pub(crate) fn new_one(user: &str, from_stdin: bool) -> Result<Zeroizing<Vec<u8>>> {
    if from_stdin {
        return first_line(&mut io::stdin().lock()).when(|| "read the password from standard input");
    }
    let first = ask(&format!("New password of {user}: "))?;
    let second = ask("Again: ")?;
    if *first == *second { Ok(first) } else { Err(Failure::new("the passwords differ; nothing was changed")) }
}

fn ask(prompt: &str) -> Result<Zeroizing<Vec<u8>>> {
    if !io::stdin().is_terminal() {
        return Err(Failure::new("a password is needed, and there is no terminal to ask on")
            .with_exit(Exit::Denied)
            .with_hint(format!("set {PASSWORD_VARIABLE}, or use --password-file or --password-stdin")));
    }
    let password = rpassword::prompt_password(prompt).when(|| "read the password")?;
    Ok(Zeroizing::new(password.into_bytes()))
}

/// The first line of what `input` yields, without its end.
fn first_line(input: &mut dyn Read) -> io::Result<Zeroizing<Vec<u8>>> {
    let mut text = Zeroizing::new(Vec::with_capacity(MAX_INPUT as usize));
    input.take(MAX_INPUT).read_to_end(&mut text)?;
    let end = text.iter().position(|b| *b == b'\n').unwrap_or(text.len());
    text.truncate(end);
    if text.last() == Some(&b'\r') {
        text.pop();
    }
    Ok(text)
}

/// The stored form of a new password.
pub(crate) fn hash(password: &[u8], scheme: Hash) -> Result<String> {
    if password.is_empty() {
        return Err(Failure::new("the password is empty").with_hint(
            "to keep a user from logging in, set passwd to \"*\": netinfo set /users/NAME passwd '*'",
        ));
    }
    if password.contains(&0) {
        return Err(Failure::new("a password cannot contain a zero byte"));
    }
    match scheme {
        Hash::Argon2id => hash_new(password).map_err(|error| Failure::new(error.to_string())),
        Hash::ScramSha256 => hash_new_scram(password).map_err(|error| Failure::new(error.to_string())),
        #[allow(deprecated)] // historical servers know nothing better, and the user has asked for it
        Hash::Des => pwhash::unix_crypt::hash(password).map_err(|error| Failure::new(error.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use netinfo_directory::password::{Verdict, verify};

    #[test]
    fn the_first_line_counts() {
        let read = |text: &str| first_line(&mut text.as_bytes()).unwrap().to_vec();
        assert_eq!(read("secret\nrest"), b"secret");
        assert_eq!(read("secret\r\n"), b"secret");
        assert_eq!(read("no end"), b"no end");
        assert_eq!(read(""), b"");
    }

    #[test]
    fn hashes_verify() {
        for scheme in [Hash::Argon2id, Hash::ScramSha256, Hash::Des] {
            let stored = hash(b"secret", scheme).unwrap();
            assert_eq!(verify(stored.as_bytes(), b"secret"), Verdict::Match, "{scheme:?}");
            assert_eq!(verify(stored.as_bytes(), b"Secret"), Verdict::NoMatch, "{scheme:?}");
        }
        assert!(hash(b"", Hash::Argon2id).is_err());
        assert!(hash(b"a\0b", Hash::Des).is_err());
    }
}
