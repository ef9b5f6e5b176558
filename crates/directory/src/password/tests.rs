//! Passwords against hashes that other programs made, hostile ones, and arbitrary bytes.

use std::time::{Duration, Instant};

use proptest::prelude::*;

use super::crypt::{Scheme, bsdi_rounds};
use super::*;

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
    (PHRASE, "$argon2i$v=19$m=1024,t=2,p=2$c29tZXNhbHR2YWx1ZQ$wlSy/OOpUMUMOcqMKOH6VOdk2aXsAVqM9eCoCTLyqP8"),
    (PHRASE, "$argon2d$v=19$m=1024,t=2,p=2$c29tZXNhbHR2YWx1ZQ$5sw2jrIFGsV4pNJ9Et0LfGe7RYIbRuBlU4iQnELFnyA"),
    (PHRASE, "$argon2id$v=19$m=1024,t=2,p=2$c29tZXNhbHR2YWx1ZQ$jdmXOEyvhFJDZ1Gz/TFovvhtJARLaC/mRKaeOkBWwUw"),
    (PHRASE, "$argon2i$v=16$m=256,t=3,p=1$c29tZXNhbHR2YWx1ZQ$DyjXWlSK/7rX0FNuHoL8YR0FuhYrhK59Kf3FTtHRSJM"),
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
    assert_eq!(hash_new(b"password\0"), Err(HashError::Nul));
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
