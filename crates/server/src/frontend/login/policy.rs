//! Which new passwords are good enough. This is the least: a module such as pam_pwquality, asked before, may want more.

use netinfo_directory::password::MAX_PASSWORD_LEN;

/// Fewest characters of a password that users give themselves.
pub(super) const MIN_CHARACTERS: usize = 8;
/// Fewest different bytes among them.
pub(super) const MIN_DIFFERENT: usize = 4;

/// Why a new password is not taken, in words for the user; `None` if it is. With `superuser` only what cannot work is
/// refused.
pub(super) fn objection(user: &[u8], old: Option<&[u8]>, new: &[u8], superuser: bool) -> Option<String> {
    if new.is_empty() {
        return Some("The password is empty.".into());
    }
    if new.contains(&0) {
        return Some("A password cannot contain a zero byte.".into());
    }
    if new.len() > MAX_PASSWORD_LEN {
        return Some(format!("The password is longer than {MAX_PASSWORD_LEN} bytes."));
    }
    if superuser {
        return None;
    }
    if old == Some(new) {
        return Some("The new password is the old one.".into());
    }
    if characters(new) < MIN_CHARACTERS {
        return Some(format!("The password is shorter than {MIN_CHARACTERS} characters."));
    }
    let mut bytes = new.to_vec();
    bytes.sort_unstable();
    bytes.dedup();
    let different = bytes.len();
    zeroize::Zeroize::zeroize(&mut bytes);
    if different < MIN_DIFFERENT {
        return Some("The password has too few different characters.".into());
    }
    let backwards = new.iter().rev().map(u8::to_ascii_lowercase);
    if new.eq_ignore_ascii_case(user) || backwards.eq(user.iter().map(u8::to_ascii_lowercase)) {
        return Some("The password is the name of the user.".into());
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
        objection(b"Alexandra", Some(b"old password"), new.as_bytes(), superuser).unwrap_or_default()
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
