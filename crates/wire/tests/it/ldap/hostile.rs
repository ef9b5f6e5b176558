//! Messages that were whole once, and names and filters made of the characters that matter.

use netinfo_testkit::exercise;
use proptest::prelude::*;

use super::recording;

thread_local! {
    static RECORDED: std::rc::Rc<Vec<Vec<u8>>> = std::rc::Rc::new(
        [recording("ldap3.tsv"), recording("libldap.tsv")].concat().into_iter().map(|(_, bytes)| bytes).collect(),
    );
}

/// Elements in elements, of the tags that LDAP uses and with lengths that mostly fit.
fn elements() -> impl Strategy<Value = Vec<u8>> {
    let primitive = prop_oneof![Just(0x01u8), Just(0x02), Just(0x04), Just(0x0a), 0x80u8..0x8c];
    let constructed = prop_oneof![Just(0x30u8), Just(0x31), 0xa0u8..0xab, 0x60u8..0x7a];
    let element = |(tag, contents): (u8, Vec<u8>)| [vec![tag, contents.len() as u8], contents].concat();
    let leaf = (primitive, proptest::collection::vec(any::<u8>(), 0..4)).prop_map(element);
    leaf.prop_recursive(5, 30, 6, move |inner| {
        (constructed.clone(), proptest::collection::vec(inner, 0..6))
            .prop_map(|(tag, parts)| (tag, parts.concat()))
            .prop_filter("short lengths only", |(_, contents)| contents.len() < 128)
            .prop_map(element)
    })
}

proptest! {
    #[test]
    fn damaged_messages(index in any::<prop::sample::Index>(), at in any::<prop::sample::Index>(), byte in any::<u8>(), cut in any::<prop::sample::Index>()) {
        let recorded = RECORDED.with(Clone::clone);
        let mut damaged = recorded[index.index(recorded.len())].clone();
        let at = at.index(damaged.len());
        damaged[at] = byte;
        exercise::ldap::message(&damaged);
        damaged.truncate(cut.index(damaged.len()) + 1);
        exercise::ldap::message(&damaged);
    }

    #[test]
    fn arbitrary_elements(bytes in elements(), id in 0u8..3) {
        exercise::ldap::message(&bytes);
        if bytes.len() < 120 {
            let message = [&[0x30, bytes.len() as u8 + 3, 2, 1, id], &bytes[..]].concat();
            exercise::ldap::message(&message);
        }
    }

    #[test]
    fn arbitrary_filters(text in "[()&|!=*:~<>a-c;.1\\\\2f é\0]{0,20}") {
        exercise::ldap::filter_text(text.as_bytes());
        exercise::ldap::filter_text(format!("(a={text})").as_bytes());
        exercise::ldap::filter_text(format!("({text}=a)").as_bytes());
    }

    #[test]
    fn arbitrary_names(text in "[a-c=,+#\\\\\" 0-2f;.é\0]{0,20}") {
        exercise::ldap::names(text.as_bytes());
        exercise::ldap::names(format!("a={text}").as_bytes());
        exercise::ldap::names(format!("ldap://{text}").as_bytes());
    }

    #[test]
    fn arbitrary_urls(text in "[a-c=,:%/?\\[\\]@ 0-2f!é]{0,20}") {
        exercise::ldap::names(format!("ldap://{text}").as_bytes());
        exercise::ldap::names(format!("ldapi://h/{text}").as_bytes());
    }
}

#[test]
fn recorded_messages_hold_what_must_hold() {
    for bytes in RECORDED.with(Clone::clone).iter() {
        exercise::ldap::all(bytes);
    }
}
