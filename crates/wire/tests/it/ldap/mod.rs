//! LDAP: every type both ways, the encodings of other implementations, damaged messages.

mod differential;
mod hostile;
mod payloads;
mod recorded;
mod round_trip;

use netinfo_testkit::golden::hex;
use proptest::collection::vec;
use proptest::prelude::*;

/// Name and bytes of each line of a recording.
fn recording(file: &str) -> Vec<(String, Vec<u8>)> {
    let text = std::fs::read_to_string(netinfo_testkit::data("ldap").join(file)).unwrap();
    let line = |line: &str| {
        let (name, bytes) = line.split_once('\t').unwrap();
        (name.to_owned(), hex(bytes))
    };
    text.lines().map(line).collect()
}

fn octets() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![8 => vec(any::<u8>(), 0..12), 1 => vec(any::<u8>(), 120..300)]
}

fn oid() -> impl Strategy<Value = String> {
    "[0-9]{1,3}(\\.[0-9]{1,5}){0,6}"
}

/// From 0 to `maxInt`.
fn number() -> impl Strategy<Value = u32> {
    prop_oneof![0u32..300, 0u32..=i32::MAX as u32]
}

/// An attribute and its values, owned.
type Attr = (Vec<u8>, Vec<Vec<u8>>);

fn attrs() -> impl Strategy<Value = Vec<Attr>> {
    vec((octets(), vec(octets(), 0..4)), 0..4)
}

/// Text of a filter, as the grammar has it.
fn filter_text() -> impl Strategy<Value = String> {
    let value = "([a-zA-Z0-9 =~<>:!&|é☃]|\\\\[0-9a-f]{2}){0,6}";
    let attribute = "([a-zA-Z_][a-zA-Z0-9_-]{0,4}|[0-9]{1,2}(\\.[0-9]{1,3}){0,3})(;[a-z-]{1,4}){0,2}";
    let item = prop_oneof![
        (attribute, "=|>=|<=|~=", value).prop_map(|(a, op, v)| format!("({a}{op}{v})")),
        attribute.prop_map(|a| format!("({a}=*)")),
        (attribute, vec(value, 2..5)).prop_map(|(a, pieces)| format!("({a}={})", pieces.join("*"))),
        (attribute, "(:dn)?(:[0-9]\\.[0-9])?", value).prop_map(|(a, rule, v)| format!("({a}{rule}:={v})")),
        ("(:dn)?:[a-z]{3,5}", value).prop_map(|(rule, v)| format!("({rule}:={v})")),
    ];
    item.prop_recursive(5, 20, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(|list| format!("(&{})", list.concat())),
            vec(inner.clone(), 0..4).prop_map(|list| format!("(|{})", list.concat())),
            inner.prop_map(|filter| format!("(!{filter})")),
        ]
    })
}
