//! Users, the same ones in every run: user number `i` of any domain has the same properties.
//!
//! Names are pronounceable, distinct, and in no order, so that index entries spread as real ones do. Groups and shells
//! repeat as they do in real directories. A record takes about 300 bytes on the wire.

use netinfo_directory::Property;

/// User id of user 0.
pub const FIRST_UID: u32 = 1000;

/// As long as a stored password usually is, and no password's hash. It must not look like one that somebody could use.
const PASSWORD: &str =
    "*benchmark*no*password*has*this*hash*****************************************************";

const CONSONANTS: &[u8; 16] = b"bdfghjklmnprstvz";
const VOWELS: &[u8; 5] = b"aeiou";
const SYLLABLES: u32 = 80;

/// Name of user `i`.
#[must_use]
pub fn name(i: u32) -> String {
    // Multiplying by an odd number permutes the 32-bit numbers, so names stay distinct.
    syllables(i.wrapping_mul(0x9E37_79B1), 6)
}

/// User id of user `i`, as text.
#[must_use]
pub fn uid(i: u32) -> String {
    (FIRST_UID + i).to_string()
}

/// All properties of user `i`.
#[must_use]
pub fn user(i: u32) -> Vec<Property> {
    let name = name(i);
    let mix = i.wrapping_mul(0x85EB_CA6B) >> 8;
    let shell = match mix % 20 {
        0 => "/bin/zsh",
        1 => "/sbin/nologin",
        _ => "/bin/bash",
    };
    let one = |key: &str, value: &str| Property::new(key, [value]);
    vec![
        one("name", &name),
        one("uid", &uid(i)),
        one("gid", &(100 + mix % 50).to_string()),
        one("passwd", PASSWORD),
        one("realname", &real_name(i)),
        one("home", &format!("/home/{name}")),
        one("shell", shell),
        one("_writers_passwd", &name),
    ]
}

/// First and last name of user `i`, which need not be distinct.
#[must_use]
pub fn real_name(i: u32) -> String {
    let capital = |text: String| text[..1].to_uppercase() + &text[1..];
    let (first, last) = (syllables(i % 997, 3), syllables(i.wrapping_mul(0xC2B2_AE35) >> 7, 4));
    format!("{} {}", capital(first), capital(last))
}

fn syllables(mut number: u32, count: usize) -> String {
    let mut text = String::with_capacity(2 * count);
    for _ in 0..count {
        let syllable = (number % SYLLABLES) as usize;
        number /= SYLLABLES;
        text.push(char::from(CONSONANTS[syllable / VOWELS.len()]));
        text.push(char::from(VOWELS[syllable % VOWELS.len()]));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn names_are_distinct() {
        let names: HashSet<String> = (0..50_000).map(name).collect();
        assert_eq!(names.len(), 50_000);
        // The longest numbers need all six syllables and no more.
        assert!(80u64.pow(6) > u64::from(u32::MAX));
    }

    #[test]
    fn records_are_of_the_size_they_are_said_to_be() {
        for i in [0, 1, 999_999] {
            let user = user(i);
            assert_eq!(user.len(), 8);
            let bytes: usize =
                user.iter().map(|p| p.name.len() + p.values.iter().map(Vec::len).sum::<usize>()).sum();
            assert!((200..300).contains(&bytes), "{bytes}");
        }
    }
}
