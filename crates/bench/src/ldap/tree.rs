//! The measured directory, the same in both servers: users under `ou=people`, groups under `ou=groups`.
//!
//! Names are those of [`people`]. Every user is in two groups, and every group has a hundred members: neighbours, or
//! users far apart. The first thousand users carry a rare piece in their common name, ten users each, so that a search
//! for such a piece finds as many entries however large the directory is.

use crate::people;

/// Suffix of the directory.
pub const SUFFIX: &str = "dc=example,dc=com";
/// Parent of the users.
pub const PEOPLE: &str = "ou=people,dc=example,dc=com";
/// Parent of the groups.
pub const GROUPS: &str = "ou=groups,dc=example,dc=com";
/// The administrator, who is no entry.
pub const ADMIN: &str = "cn=admin,dc=example,dc=com";
/// Password of every user and of the administrator.
pub const PASSWORD: &str = "benchmark password";
/// Its hash by SHA-1 with a salt, which takes no time to compute.
pub const SHA1: &str = "{SSHA}1wdcCvmc2zO+Lj2aI39zR17PqfJiZW5jaG1hcmtzYWx0";
/// Its hash by argon2id with the cost that netinfod gives new passwords.
pub const HASH: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$YmVuY2htYXJrLXNhbHQtMQ$KwMKSQEzTAAaX8WsZAY1ys8Cf6NLYwmqKytLU/oZRMM";
/// Of so many users, the last one's password is hashed by SHA-1. The number of users is a multiple of it.
pub const HASHES: u32 = 4;
/// Members of a group; the number of users is a multiple of it.
pub const MEMBERS: u32 = 100;
/// Groups of a user.
pub const GROUPS_OF_USER: u32 = 2;
/// Different rare pieces.
pub const PIECES: u32 = 100;
/// Users with the same rare piece.
pub const USERS_OF_PIECE: u32 = 10;
/// Fewest users: those with rare pieces.
pub const USERS_MIN: u32 = PIECES * USERS_OF_PIECE;

/// Group id of group 0.
const FIRST_GID: u32 = 2_000_000;
/// Letters that no other name has.
const RARE: &[u8; 5] = b"cqwxy";

/// An attribute and its values.
pub type Attribute = (&'static str, Vec<String>);

/// DN of user `i`.
#[must_use]
pub fn user_dn(i: u32) -> String {
    format!("uid={},{PEOPLE}", people::name(i))
}

/// DN of group `g`, in a directory of so many users.
#[must_use]
pub fn group_dn(g: u32, users: u32) -> String {
    format!("cn={},{GROUPS}", group_name(g, users))
}

/// Groups in a directory of so many users.
#[must_use]
pub fn groups(users: u32) -> u32 {
    users / MEMBERS * GROUPS_OF_USER
}

/// Rare piece `number`, three letters long.
#[must_use]
pub fn piece(number: u32) -> String {
    [number / 25, number / 5, number].map(|n| char::from(RARE[(n % 5) as usize])).iter().collect()
}

/// The word that has piece `number` in it, and nobody else's: the piece, an `a`, and the piece again.
#[must_use]
pub fn rare_word(number: u32) -> String {
    format!("{0}a{0}", piece(number))
}

/// Whether the password of user `i` is hashed by SHA-1; the others' are by argon2id.
#[must_use]
pub const fn has_sha1(i: u32) -> bool {
    i % HASHES == HASHES - 1
}

/// All attributes of user `i` but the password.
#[must_use]
pub fn user(i: u32) -> Vec<Attribute> {
    let name = people::name(i);
    let real = people::real_name(i);
    let (first, last) = real.split_once(' ').unwrap_or((&real, &real));
    let common = match i < USERS_MIN {
        true => format!("{first} {} {last}", rare_word(i / USERS_OF_PIECE)),
        false => real.clone(),
    };
    let one = |key, value: String| (key, vec![value]);
    vec![
        ("objectClass", vec!["inetOrgPerson".into(), "posixAccount".into()]),
        one("uid", name.clone()),
        one("cn", common),
        one("sn", last.to_owned()),
        one("givenName", first.to_owned()),
        one("mail", format!("{name}@example.com")),
        one("telephoneNumber", telephone(i)),
        one("uidNumber", people::uid(i)),
        one("gidNumber", (100 + i % 50).to_string()),
        one("homeDirectory", format!("/home/{name}")),
        one("loginShell", "/bin/bash".into()),
    ]
}

/// A telephone number; a modification writes another one.
#[must_use]
pub fn telephone(number: u32) -> String {
    format!("+1 555 {number:010}")
}

/// All attributes of group `g`, in a directory of so many users.
#[must_use]
pub fn group(g: u32, users: u32) -> Vec<Attribute> {
    let blocks = users / MEMBERS;
    let member = |k: u32| match g < blocks {
        true => g * MEMBERS + k,
        false => g - blocks + k * blocks,
    };
    vec![
        ("objectClass", vec!["posixGroup".into()]),
        ("cn", vec![group_name(g, users)]),
        ("gidNumber", vec![(FIRST_GID + g).to_string()]),
        ("memberUid", (0..MEMBERS).map(|k| people::name(member(k))).collect()),
    ]
}

fn group_name(g: u32, users: u32) -> String {
    let blocks = users / MEMBERS;
    match g < blocks {
        true => format!("near{g}"),
        false => format!("far{}", g - blocks),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashMap;

    #[test]
    fn every_user_is_in_two_groups() {
        let users = 1000;
        let mut count = HashMap::new();
        for g in 0..groups(users) {
            for name in &group(g, users).last().unwrap().1 {
                *count.entry(name.clone()).or_insert(0) += 1;
            }
        }
        assert_eq!(count.len(), users as usize);
        assert!(count.values().all(|n| *n == GROUPS_OF_USER));
    }

    #[test]
    fn a_piece_finds_its_users_and_no_others() {
        let names: Vec<String> = (0..3000).map(|i| user(i)[2].1[0].to_lowercase()).collect();
        for number in [0, 1, 31, 99] {
            let piece = piece(number);
            let hits: Vec<usize> = (0..names.len()).filter(|i| names[*i].contains(&piece)).collect();
            let first = (number * USERS_OF_PIECE) as usize;
            assert_eq!(hits, (first..first + USERS_OF_PIECE as usize).collect::<Vec<_>>());
        }
    }

    #[test]
    fn the_hashes_are_of_the_password() {
        use netinfo_directory::password::{Verdict, verify};
        for hash in [HASH, SHA1] {
            assert_eq!(verify(hash.as_bytes(), PASSWORD.as_bytes()), Verdict::Match);
        }
    }
}
