//! The schemes of LDAP servers: one password in all of them, and a directory full of them.

use base64ct::Encoding;
use proptest::prelude::*;

use super::*;

const PHRASE: &[u8] = b"Xyzzy-9 plugh";

/// Values that a production LDAP server accepted the phrase for, and no other password. Salts are `00 01 02`… or text.
const VALUES: &[&str] = &[
    "{CRYPT}XybTszfN4J6hw",
    "{CRYPT}_dD..Saltf8SoUniHmQ.",
    "{CRYPT}$1$saltsalt$MdJbvUJOnABobpIBngIGK/",
    "{CRYPT}$5$saltsaltsaltsalt$h3FjCrLm7yRIQOLezBN47xUNi7pC9zrwuMNboS5Mn9C",
    "{CRYPT}$6$saltsaltsaltsalt$xZNeZBr0x8kpDszQCXAEX.k5fRvW/OxYh95.HBbxZQVIsQh0eRag1ysAnlu5ss5QC63iVwFO4BC150nm701uD.",
    "{CRYPT}$6$rounds=10000$saltsalt$rrXdm/QgekzfSqJ1wGIhnysANdGYHul/X833pWvQgv8GBH7YSTh1AAabT7xjqET.lU3UvOushc0BX.qgAf2kW.",
    "{CRYPT}$2b$05$abcdefghijklmnopqrstuuTNxk7xBDR4qzS6l4aHuXv7PrZcnQsrK",
    "{CRYPT}$y$j9T$saltsaltsaltsalt$2at.1Un88vqYHCsXvj/Z8INIzFVkQsV9KwP4e06R4X/",
    "{MD5}cMlRnXcYPgAknWyKu8secw==",
    "{SMD5}F5Mxs5LWK2jE84APJ6wJtgABAgMEBQYH",
    "{SHA}YtXB8n3gm/kbGxNC78OqdC2eO8A=",
    "{SSHA}4P5Pc/M7zcqyWC4moX/IxeIX7NYAAQIDBAUGBw==",
    "{SSHA}SFLwXRgyxtax9lblhmuRx7g5XNberb7v",
    "{SHA256}WFEYBLJreSylZ2nhqM5ruoIS2g3Bga+dbSn4kcYEqNU=",
    "{SSHA256}SX1IAI18tZ5leKsFhCbJZl3+JLR7Q9m9Zxr5aytyDYkAAQIDBAUGBw==",
    "{SHA384}aNuJP0vCEtjnxE8Fgih2n2NDF1lDuZ1MWWudVM8r1G6oozAfixwe3/CnAF1MHJwJ",
    "{SSHA384}r89smDVAXf8IWX6ddpQzBnIb29GL882KL3Rg4AVag9Teh9ERpnuR6Ma8+alda6U/AAECAwQFBgc=",
    "{SHA512}eVDPDwwk1ByvIQ1s/2dsoCJqdSQ4wsnhZ3JPKpFTUMQkpxuwHP2GWI/O2tpeB9ax8fJn4JIcPqrHnamxQpxz7g==",
    "{SSHA512}qEfyM3DBUJRw7j8MgJKwWxCaq1LMMmhbOl7IyIqwDXkalKfkUa/Yr1TmGxxDvEBGsO472OU2j69HPBPgFVZ/uAABAgMEBQYH",
    "{PBKDF2}10000$AAECAwQFBgcICQoLDA0ODw$FcPtL1KLrFxh4HuQeofQmN9uF.0",
    "{PBKDF2-SHA256}10000$AAECAwQFBgcICQoLDA0ODw$klDY3oMwBlytvmoFXJS5EvAc1a/li1a6TqQ4q6z/sQQ",
    "{PBKDF2-SHA512}10000$AAECAwQFBgcICQoLDA0ODw$cT4pZd.ej1rkRnS86Mon6zSTw7cg1CdzOhqxAVahiYAJkDcALyD1pXccvigYAJNz9dg3Pf6WpzqvwT4HjNv2CQ",
    "{ARGON2}$argon2id$v=19$m=65536,t=2,p=1$AAECAwQFBgcICQoLDA0ODw$XwNuQlkJemr0Kunetnwog25dEdesSTz2iK6Zj+cpo8s",
    "{ARGON2}$argon2i$v=19$m=4096,t=3,p=1$AAECAwQFBgcICQoLDA0ODw$n4MZLeqcsD7ukKSfKUy3GmDkqP6hZ1YBIU1mcjIaqBU",
    // Other spellings of the same.
    "{cleartext}Xyzzy-9 plugh",
    "{CLEARTEXT}Xyzzy-9 plugh",
    "{crypt}XybTszfN4J6hw",
    "XybTszfN4J6hw",
    "{ssha}4P5Pc/M7zcqyWC4moX/IxeIX7NYAAQIDBAUGBw==",
    "{SSHA}4P5Pc/M7zcqyWC4moX/IxeIX7NYAAQIDBAUGBw",
    "{PBKDF2-SHA1}10000$AAECAwQFBgcICQoLDA0ODw$FcPtL1KLrFxh4HuQeofQmN9uF.0",
    // Mac OS X 10.4 to 10.7, and 10.8 (a key of 128 bytes).
    "{X-SALTED-SHA1}3q2+7wAnD7AwX32u6gkDRUxquzLcFk0N",
    "{X-SALTED-SHA512}3q2+78RuUTARFZJqEZtFEBL7Vo2SwX3ABj/b/W0hY0EomvLA7JlbeS3cRUsk9iiQsf69pPny3X+fzxancmYrYz3XLww=",
    "{PBKDF2-SHA512}25000$AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8$b2kmuRV6Gx/1TyFb1ZkiRIHDgsfKT1.pNeVRpkX.3ze8Mkb6Nyi0YIrnn1xbYiQ0HySoi2m60hHEaN.xhIMPzib/11yKWgS19YuKmob8ed3NxVmPwsAbc5DseK8jLIDsbuF5YIWVvAyPAGuvnkZHRb.EYYBNN/a8IUZsOZTph4c",
    // 389 Directory Server: rounds, salt and key in one.
    "{PBKDF2_SHA256}AAAgAAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4fICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj/xR4rOPdfgCruGRY4hQNVfdqyf7a281pXZb8x7URCo1Itruqui1uyaSbsOguowLogUmSISx1JLFu+5vc7K+SMO7+WF3rwDs20tRSLsdEUYwunzCOn43fF2yNUg8TXWkddlJSJGXzKPgX5zQO/B7ugRijSkql18rNF7Zi5ifzSOUcCToehKQzUDluDXucouMgxcYiJ5S1HKUy+nb/MiOXa7O0QCx9ycuXpV5wINxLz7TewtpKDmlXz/ZbwLso3895kPj8yhuQMDoVztpv3DgGDv3z7xVKmHJpNqQo6NVmUbpzIEEaBvtT2IxAFbtev7L1RNrYIAhY4YtM+PIWw+OsMX",
    "{pbkdf2_sha256}AAAAAQABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4fICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj9QvTPWVBy5yNUNQUwgCFytQfeerbtGf1pghAhwGi2lT1/cZAt8FFgSUMCoxQkBwfgg/NhGe37fs3Zq5IQ/zN9uDHufj2iSEi1URwY4Uch8fUffSit1tyWe2wpyvJNBiGHxGdt+BmhkaxEWd/8GxSm7t88H//0yMAzXgp7eJII2zdSMZKs8z6GPPhkd32Upj+0Jkk2iulXGraU1pHT7SJROVysNWtBYYMqw5g6WSX31g/WhYyVOblo8tk3NPbAaKei9XQxKF0e70sNPVk1CdZg7R11mz6clRF+GNXoSGQO7rZp7YxC4Z3nWErOWEmCqfjF30ojn7Yha6k4FiVrJtxRI",
];

/// Values no password matches, in braces and without.
const NEVER: &[&str] = &[
    "",
    "*",
    "!",
    "!!",
    "x",
    "X",
    "*LK*",
    "NP",
    "nologin",
    "********",
    "!Xyzzy-9 plugh",
    "*Xyzzy-9 plugh",
    "$Xyzzy-9 plugh",
    "{CRYPT}*",
    "{CRYPT}!",
    "{CRYPT}!XybTszfN4J6hw",
    "{CRYPT}x",
    "{CRYPT}",
    "{CRYPT}Xyzzy-9 plugh",
    "{CLEARTEXT}",
    "{NOSUCH}Xyzzy-9 plugh",
    "{}Xyzzy-9 plugh",
    "{SASL}Xyzzy-9 plugh",
    "{KERBEROS}Xyzzy-9 plugh",
    "{UNIX}Xyzzy-9 plugh",
    "{NT}14701AE0BC8047095B62445F266A2DB5",
    "{LANMAN}B307FEA40C887214AFF56BD1869BF8E6",
    "{ARGON2}XybTszfN4J6hw",
    "{SHA}",
    "{SHA}YtXB8n3gm/kbGxNC78OqdC2eO8",
    "{SHA}4P5Pc/M7zcqyWC4moX/IxeIX7NYAAQIDBAUGBw==",
    "{SSHA}4P5Pc/M7",
    "{SSHA}4P5Pc/M7zcqyWC4moX\u{e9}IxeIX7NYAAQIDBAUGBw==",
    "{PBKDF2}10000$AAECAwQFBgcICQoLDA0ODw$",
    "{PBKDF2}10000$AAECAwQFBgcICQoLDA0ODw",
    "{PBKDF2}0$AAECAwQFBgcICQoLDA0ODw$FcPtL1KLrFxh4HuQeofQmN9uF.0",
    "{PBKDF2}-1$AAECAwQFBgcICQoLDA0ODw$FcPtL1KLrFxh4HuQeofQmN9uF.0",
    "{PBKDF2}+10000$AAECAwQFBgcICQoLDA0ODw$FcPtL1KLrFxh4HuQeofQmN9uF.0",
    // The right key, cut to eight bytes.
    "{PBKDF2}10000$AAECAwQFBgcICQoLDA0ODw$FcPtL1KLrFw",
    "{PBKDF2_SHA256}AAAgAA==",
];

#[test]
fn every_scheme_matches_its_password_only() {
    for stored in VALUES {
        assert_eq!(verify_value(stored.as_bytes(), PHRASE), Verdict::Match, "{stored}");
        assert_eq!(verify_value(stored.as_bytes(), b"xyzzy-9 plugh"), Verdict::NoMatch, "{stored}");
    }
}

#[test]
fn a_password_in_the_clear_is_one_only_where_that_is_said() {
    assert_eq!(verify(PHRASE, PHRASE), Verdict::UnknownScheme);
    assert_eq!(verify_value(PHRASE, PHRASE), Verdict::Match);
    assert_eq!(verify_value(PHRASE, b"Xyzzy-9"), Verdict::NoMatch);
    for stored in VALUES.iter().filter(|v| v.contains("SHA") && !v.contains("PBKDF2")) {
        assert_eq!(verify_value(stored.as_bytes(), b""), Verdict::NoMatch, "{stored}");
        assert_eq!(verify_value(stored.as_bytes(), stored.as_bytes()), Verdict::NoMatch, "{stored}");
    }
    assert_eq!(verify_value("{håndtag".as_bytes(), "{håndtag".as_bytes()), Verdict::Match);
}

#[test]
fn what_is_locked_or_unknown_never_matches() {
    for stored in NEVER {
        for password in [PHRASE, b"", stored.as_bytes(), b"XybTszfN4J6hw", b"*"] {
            assert_eq!(verify_value(stored.as_bytes(), password), Verdict::UnknownScheme, "{stored}");
        }
        assert!(!is_weak(stored.as_bytes()), "{stored}");
    }
}

#[test]
fn a_directory_full_of_schemes() {
    let data = concat!(env!("CARGO_MANIFEST_DIR"), "/../testkit/data/ldif/");
    let ldif = std::fs::read_to_string(format!("{data}org.ldif")).unwrap().replace("\n ", "");
    let table = std::fs::read_to_string(format!("{data}passwords.tsv")).unwrap();
    let mut seen = 0;
    for row in table.lines().skip(1) {
        let columns: Vec<&str> = row.split('\t').collect();
        let [dn, scheme, password, bind] = columns[..] else { panic!("{row}") };
        let entry = ldif.split("\n\n").find(|e| e.lines().any(|l| l == format!("dn: {dn}"))).unwrap();
        let stored = entry.lines().find_map(|l| l.strip_prefix("userPassword: ")).unwrap();
        let found = verify_value(stored.as_bytes(), password.as_bytes());
        match bind {
            "ok" => assert_eq!(found, Verdict::Match, "{dn} {scheme}"),
            _ => assert_ne!(found, Verdict::Match, "{dn} {scheme}"),
        }
        assert_ne!(verify_value(stored.as_bytes(), b"another"), Verdict::Match, "{dn} {scheme}");
        seen += 1;
    }
    assert_eq!(seen, 30);
}

#[test]
fn strong_hashes_are_left_alone() {
    let strong = [
        hash_new(PHRASE).unwrap(),
        format!("{{ARGON2}}{}", hash_new(PHRASE).unwrap()),
        format!("{{CRYPT}}$2b$12${}", "a".repeat(53)),
        format!("$6$rounds=200000$salt${}", "a".repeat(86)),
        "$y$j9T$saltsaltsaltsalt$2at.1Un88vqYHCsXvj/Z8INIzFVkQsV9KwP4e06R4X/".into(),
        "{PBKDF2-SHA256}600000$AAECAwQFBgcICQoLDA0ODw$klDY3oMwBlytvmoFXJS5EvAc1a/li1a6TqQ4q6z/sQQ".into(),
        "{ARGON2}$argon2id$v=19$m=65536,t=2,p=1$AAECAwQFBgcICQoLDA0ODw$XwNuQlkJemr0Kunetnwog25dEdesSTz2iK6Zj+cpo8s".into(),
    ];
    for stored in &strong {
        assert!(!is_weak(stored.as_bytes()), "{stored}");
    }
    let mut weak = 0;
    for stored in VALUES {
        weak += u32::from(is_weak(stored.as_bytes()));
    }
    // All but yescrypt and the argon2id hash.
    assert_eq!(weak as usize, VALUES.len() - 2);
}

#[test]
fn costs_of_pbkdf2_are_bounded() {
    let key = |len: usize| base64ct::Base64Unpadded::encode_string(&vec![7; len]).replace('+', ".");
    let value = |scheme: &str, rounds: u64, len: usize| format!("{{{scheme}}}{rounds}$AAECAwQF${}", key(len));
    let start = std::time::Instant::now();
    for stored in [
        value("PBKDF2", MAX_PBKDF2_WORK + 1, 20),
        value("PBKDF2-SHA512", 4_000_000_000, 64),
        value("PBKDF2-SHA512", 99_999_999_999, 64),
        value("PBKDF2-SHA256", MAX_PBKDF2_WORK / 2 + 1, 33),
        value("PBKDF2-SHA256", 1, MIN_PBKDF2_KEY - 1),
        value("PBKDF2-SHA256", 1, MAX_STORED_LEN),
    ] {
        assert_eq!(verify(stored.as_bytes(), PHRASE), Verdict::UnknownScheme, "{stored}");
    }
    assert!(start.elapsed() < std::time::Duration::from_secs(1));
    assert!(Stored::of(value("PBKDF2", MAX_PBKDF2_WORK, 20).as_bytes()).is_some());
    assert!(Stored::of(value("PBKDF2-SHA256", MAX_PBKDF2_WORK / 2, 33).as_bytes()).is_some());
    assert_eq!(verify(value("PBKDF2-SHA256", 1, MIN_PBKDF2_KEY).as_bytes(), PHRASE), Verdict::NoMatch);
}

proptest! {
    #[test]
    fn arbitrary_values_never_panic(stored: Vec<u8>, password: Vec<u8>) {
        let clear = stored == until_nul(&password) && may_be_clear(&stored);
        prop_assert_eq!(verify_value(&stored, &password) == Verdict::Match, clear);
        let _ = is_weak(&stored);
    }

    #[test]
    fn arbitrary_data_in_braces_never_matches(
        scheme in "CRYPT|ARGON2|S?(MD5|SHA|SHA256|SHA384|SHA512)|PBKDF2(-SHA1|-SHA256|-SHA512|_SHA256)?|X-SALTED-SHA(1|512)",
        data in "([0-9]{1,4}\\$)?[A-Za-z0-9./+]{0,100}(\\$[A-Za-z0-9./]{0,100})?={0,2}",
    ) {
        let stored = format!("{{{scheme}}}{data}");
        prop_assert_ne!(verify_value(stored.as_bytes(), b"password"), Verdict::Match);
        let _ = is_weak(stored.as_bytes());
    }

    #[test]
    fn salted_digests_match(password in "[^\0]{1,40}", salt: [u8; 8]) {
        use sha2::Digest as _;
        let mut sum = sha2::Sha512::new();
        sum.update(password.as_bytes());
        sum.update(salt);
        let data = [sum.finalize().as_slice(), &salt].concat();
        let stored = format!("{{SSHA512}}{}", base64ct::Base64::encode_string(&data));
        prop_assert_eq!(verify_value(stored.as_bytes(), password.as_bytes()), Verdict::Match);
        prop_assert_eq!(verify_value(stored.as_bytes(), &password.as_bytes()[1..]), Verdict::NoMatch);
    }
}
