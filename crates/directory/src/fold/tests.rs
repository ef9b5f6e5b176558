//! Folds against the matching rules of the schema.

use std::sync::LazyLock;

use netinfo_schema::matching::Rule;
use netinfo_schema::{Schema, Variant};
use proptest::prelude::*;

use super::*;

static SCHEMA: LazyLock<Schema> = LazyLock::new(|| Schema::builtin(Variant::default()).unwrap());

fn folded(value: impl AsRef<[u8]>) -> Vec<u8> {
    let mut out = b"in front".to_vec();
    fold(value.as_ref(), &mut out);
    out.split_off(8)
}

fn read(value: &str) -> String {
    String::from_utf8(folded(value)).unwrap()
}

fn shape(value: impl AsRef<[u8]>) -> Shape {
    shaped(value.as_ref(), &mut Vec::new())
}

#[test]
fn spellings_become_one() {
    assert_eq!(read(" Alice  LIDDELL\t"), "aliceliddell");
    assert_eq!(read("+1 555-0100"), "+15550100");
    assert_eq!(read("Straße"), read("STRASSE"));
    assert_eq!(read("Σίσυφος"), read("ΣΊΣΥΦΟΣ"));
    assert_eq!(read("é"), read("e\u{301}"));
    assert_eq!(read("ﬁle①"), "file1");
    assert_eq!(read("0020"), "20");
    assert_eq!((read("000"), read("0"), read("")), ("0".into(), "0".into(), String::new()));
    assert_eq!(read("0x20"), "0x20");
    assert_eq!(read(r"Main St.\2C Box"), "mainst.,box");
    assert_eq!(read("C4D5-e6"), "c4d5e6");
}

#[test]
fn names_become_the_set_of_their_values() {
    let one = read("UID=Alice, OU=People,DC=Example");
    assert_eq!(one, "alice,example,people");
    assert_eq!(one, read("userid=ALICE,2.5.4.11=people,domainComponent=example"));
    assert_eq!(one, read("dc=example+ou=people,uid=#0C05416c696365"));
    assert_eq!(read(r"cn=O'Neil\2C  Pat"), read(r"cn=o'neil\, pat"));
    assert_eq!(read("x=1+y=2#'01'B"), read("y=2+x=1#'01'b"));
    assert_eq!(read(r"cn=Lu\C4\8Di\C4\87"), read("cn=Lučić"));
    assert_eq!(read("="), "");
}

#[test]
fn shapes_tell_what_parts_are_good_for() {
    assert_eq!((shape("abc"), shape("Émile"), shape(r"a\zb")), (Shape::Plain, Shape::Plain, Shape::Plain));
    assert_eq!(
        (shape("cn=a"), shape(r"C:\data"), shape(b"\xff")),
        (Shape::Irregular, Shape::Irregular, Shape::Irregular)
    );
    assert_eq!((shape("x".repeat(128)), shape("x".repeat(129))), (Shape::Plain, Shape::Cut));
    let (long, other) = (folded("x".repeat(200)), folded("X".repeat(201)));
    assert_eq!((long.len(), &long[..FOLD_KEPT]), (FOLD_LIMIT, &other[..FOLD_KEPT]));
    assert_ne!(long, other);
    assert_eq!(long, folded(" X".repeat(200)));
}

/// Every character that folding or normalisation could change: alone and among others it folds as its prepared forms do.
#[test]
fn every_character_folds_as_what_rules_make_of_it() {
    use unicode_normalization::is_nfkc;
    let schema = Schema::empty();
    let dull = |c: char| {
        let mut text = [0; 4];
        let text = c.encode_utf8(&mut text);
        c.to_lowercase().eq([c]) && c.to_uppercase().eq([c]) && is_nfkc(text) && !is_combining_mark(c)
    };
    let mut seen = 0;
    for c in (char::MIN..=char::MAX).filter(|&c| !dull(c)) {
        let text = format!("x{c}y{c}\u{301}");
        for rule in [Rule::CaseIgnore, Rule::CaseExact] {
            let mut key = Vec::new();
            if rule.normalise(&schema, text.as_bytes(), &mut key).is_ok() {
                assert_eq!(folded(&key), folded(&text), "{text:?} {rule:?}");
            }
        }
        seen += 1;
    }
    assert!(seen > 10_000, "{seen}");
}

/// Another way to write what is equal under many rules.
fn respelled(value: &str, choices: &[u8]) -> String {
    let mut choices = choices.iter().copied().cycle();
    let mut out = String::new();
    for c in value.chars() {
        match (c, choices.next().unwrap_or(0) % 4) {
            (' ', 1) => out.push_str("  "),
            (',' | '+' | '\\', 1) if out.ends_with('\\') => out.push(c),
            (c, 2) => out.extend(c.to_uppercase()),
            (c, 3) => out.extend(c.to_lowercase()),
            (c, _) => out.push(c),
        }
    }
    out
}

fn value() -> impl Strategy<Value = String> {
    prop_oneof![
        "[-+ aAbBßéIıİςΣᾳ\u{301}\u{345}\u{200b}$\\\\25cC4,]{0,10}",
        "-?[0-9]{1,24}",
        "20(2[0-9]|00)(01|1[0-2])[0-2][0-9]([0-2][0-9]){0,3}([.,][0-9]{1,3})?(Z|[+-]0[0-9](30)?)",
        "'[01]{0,9}'B|TRUE|FALSE",
        "(cn|CN|2.5.4.3|uid|userid|member) ?= ?([a-cA-C ,#\\\\]|\\\\[,+2#]|\\\\2C|\\\\5[cC]|\\\\C3\\\\A9|é){0,3}(#'01'B)?( ?[,+] ?(ou|OU|sn)=[a-c]{0,2}){0,2}",
        "(cn|ou)=#0[cC]0[1-3](41|61|2C|5c|3D|c3a9|23){1,3}",
        "[0-9a-fA-F]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9A-F]{4}-[0-9a-f]{12}",
        any::<String>(),
    ]
}

/// No telephone number and no numeric string has a backslash. Without its spaces, which these rules pass over, one could
/// become an escape.
fn is_beside_the_point(rule: Rule, value: &str) -> bool {
    matches!(rule, Rule::TelephoneNumber | Rule::NumericString) && value.contains('\\')
}

/// The folds under which a value is found.
fn all_folds(value: &[u8]) -> Vec<Vec<u8>> {
    let time = crate::times::canonical(value).map(|time| folded(&time));
    [folded(value)].into_iter().chain(time).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, ..ProptestConfig::default() })]

    #[test]
    fn equal_values_have_equal_folds(left in value(), other in value(), choices: [u8; 8]) {
        let schema = &*SCHEMA;
        for right in [other, respelled(&left, &choices)] {
            for &rule in Rule::ALL {
                let by_schema = matches!(
                    rule,
                    Rule::ObjectIdentifier | Rule::ObjectIdentifierFirstComponent | Rule::CertificateExact
                        | Rule::IntegerFirstComponent
                );
                if by_schema || is_beside_the_point(rule, &left) || rule.compare(schema, left.as_bytes(), right.as_bytes()) != Ok(std::cmp::Ordering::Equal) {
                    continue;
                }
                let (l, r) = (all_folds(left.as_bytes()), all_folds(right.as_bytes()));
                prop_assert!(l.iter().any(|fold| r.contains(fold)), "{rule:?}: {left:?} {right:?}: {l:?} {r:?}");
            }
        }
    }

    #[test]
    fn a_value_is_as_good_as_its_key(value in value()) {
        let schema = &*SCHEMA;
        for rule in [Rule::CaseIgnore, Rule::CaseExact, Rule::CaseIgnoreIa5, Rule::TelephoneNumber, Rule::NumericString] {
            if is_beside_the_point(rule, &value) {
                continue;
            }
            let mut key = Vec::new();
            if rule.normalise(schema, value.as_bytes(), &mut key).is_ok() {
                prop_assert_eq!(folded(&key), folded(&value), "{:?} {:?}", rule, value);
            }
        }
    }

    #[test]
    fn names_are_found_in_all_spellings(
        parts in proptest::collection::vec(("(cn|CN|ou|uid|sn)", "[a-cA-Cé ,+#\"\\\\25]{1,4}"), 1..4),
        seed: u64,
    ) {
        let schema = &*SCHEMA;
        let spell = |mut seed: u64| {
            let mut name = String::new();
            for (kind, value) in &parts {
                if !name.is_empty() {
                    name.push_str([", ", ",", " ,"][(seed % 3) as usize]);
                }
                name.push_str([kind.as_str(), &kind.to_uppercase()][(seed % 2) as usize]);
                name.push('=');
                if seed.is_multiple_of(5) {
                    let digits: String = value.bytes().map(|byte| format!("{byte:02x}")).collect();
                    name.push_str(&format!("#0C{:02X}{digits}", value.len()));
                } else {
                    for (at, c) in value.char_indices() {
                        let special = matches!(c, ',' | '+' | '"' | '\\') || at == 0 && matches!(c, ' ' | '#')
                            || c == ' ' && at + 1 == value.len();
                        let hex = c.to_string().bytes().map(|byte| format!("\\{byte:02X}")).collect::<String>();
                        match (special, seed % 7) {
                            (_, 0) => name.push_str(&hex),
                            (true, 1) => name.push_str(&hex.to_lowercase()),
                            (true, _) => name.extend(['\\', c]),
                            (false, _) => name.push(c),
                        }
                        seed = seed.rotate_left(7).wrapping_mul(0x9E37_79B9_7F4A_7C15);
                    }
                }
                seed = seed.rotate_left(9).wrapping_mul(0x9E37_79B9_7F4A_7C15);
            }
            name
        };
        let (left, right) = (spell(seed), spell(seed.rotate_left(31) ^ 0x5555));
        let equal = Rule::DistinguishedName.matches(schema, left.as_bytes(), right.as_bytes());
        prop_assert_eq!(equal, Ok(true), "{} {}", left, right);
        prop_assert_eq!(folded(&left), folded(&right), "{} {}", left, right);
    }

    #[test]
    fn parts_of_values_are_parts_of_folds(value in "[-aAéßΣ\u{301} 0ﬁ가-각]{0,12}", from in 0usize..12, len in 1usize..6) {
        let chars: Vec<char> = value.chars().collect();
        let part: String = chars.iter().skip(from).take(len).collect();
        let (whole, part) = (folded(&value), folded(part + "x"));
        let part = &part[..part.len() - 1];
        if !whole.iter().all(u8::is_ascii_digit) {
            prop_assert!(part.is_empty() || whole.windows(part.len()).any(|window| window == part));
        }
    }

    #[test]
    fn arbitrary_bytes_never_panic(value: Vec<u8>) {
        prop_assert_eq!(folded(&value), folded(&value));
    }
}
