//! Which new passwords are good enough. This is the least: a module such as pam_pwquality, asked before, may want more.

use crate::password::MAX_PASSWORD_LEN;

/// Fewest characters of a password that users give themselves.
pub const MIN_CHARACTERS: usize = 8;
/// Fewest different bytes among them.
pub const MIN_DIFFERENT: usize = 4;

/// Why a new password is not taken, in words for the user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Objection {
    /// It has nothing in it.
    #[error("The password is empty.")]
    Empty,
    /// Many programs would take the zero byte for its end.
    #[error("A password cannot contain a zero byte.")]
    ZeroByte,
    /// It exceeds [`MAX_PASSWORD_LEN`].
    #[error("The password is longer than {MAX_PASSWORD_LEN} bytes.")]
    TooLong,
    /// It is the one to be replaced.
    #[error("The new password is the old one.")]
    Same,
    /// It has less characters than this.
    #[error("The password is shorter than {0} characters.")]
    TooShort(usize),
    /// It has less than [`MIN_DIFFERENT`] different bytes.
    #[error("The password has too few different characters.")]
    TooSimple,
    /// It is the name of its user, forwards or backwards.
    #[error("The password is the name of the user.")]
    Name,
}

/// Why a new password is not taken; `None` if it is. With `superuser` only what cannot work is refused; otherwise it has
/// `least` characters ([`super::least_characters`]).
#[must_use]
pub fn objection(
    user: &[u8],
    old: Option<&[u8]>,
    new: &[u8],
    superuser: bool,
    least: usize,
) -> Option<Objection> {
    if new.is_empty() {
        return Some(Objection::Empty);
    }
    if new.contains(&0) {
        return Some(Objection::ZeroByte);
    }
    if new.len() > MAX_PASSWORD_LEN {
        return Some(Objection::TooLong);
    }
    if superuser {
        return None;
    }
    if old == Some(new) {
        return Some(Objection::Same);
    }
    if characters(new) < least {
        return Some(Objection::TooShort(least));
    }
    let mut bytes = new.to_vec();
    bytes.sort_unstable();
    bytes.dedup();
    let different = bytes.len();
    zeroize::Zeroize::zeroize(&mut bytes);
    if different < MIN_DIFFERENT {
        return Some(Objection::TooSimple);
    }
    let backwards = new.iter().rev().map(u8::to_ascii_lowercase);
    if new.eq_ignore_ascii_case(user) || backwards.eq(user.iter().map(u8::to_ascii_lowercase)) {
        return Some(Objection::Name);
    }
    None
}

/// Characters of a password: of UTF-8 where it is such, else bytes.
fn characters(password: &[u8]) -> usize {
    str::from_utf8(password).map_or(password.len(), |text| text.chars().count())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn says(new: &str, superuser: bool) -> String {
        objection(b"Alexandra", Some(b"old password"), new.as_bytes(), superuser, MIN_CHARACTERS)
            .map_or_else(String::new, |objection| objection.to_string())
    }

    #[test]
    fn what_cannot_work_is_refused_to_all() {
        for superuser in [false, true] {
            assert!(says("", superuser).contains("empty"));
            assert!(says("eight\0eight", superuser).contains("zero byte"));
            assert!(says(&"ab".repeat(MAX_PASSWORD_LEN), superuser).contains("511"));
        }
    }

    #[test]
    fn users_need_better_ones_than_superusers_give() {
        for (new, why) in [
            ("1234567", "shorter than 8"),
            ("äöüßäöü", "shorter than 8"),
            ("aaaaabbbbbccccc", "too few different"),
            ("old password", "is the old one"),
            ("alexandra", "name of the user"),
            ("ARDNAXELA", "name of the user"),
        ] {
            assert!(says(new, false).contains(why), "{new}: {}", says(new, false));
            assert_eq!(says(new, true), "");
        }
        for new in ["12345678", "äöüßÄÖÜé", "correct horse battery staple"] {
            assert_eq!(says(new, false), "", "{new}");
        }
    }
}
