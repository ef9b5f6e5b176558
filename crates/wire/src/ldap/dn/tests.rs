use super::DnErrorKind::*;
use super::*;
use proptest::prelude::*;

fn dn(text: &str) -> Dn<'_> {
    Dn::parse(text.as_bytes()).unwrap()
}

/// Types and values, RDN by RDN.
fn parts(text: &str) -> Vec<Vec<(String, String)>> {
    let part = |pair: Pair<'_>| {
        let value = pair.value();
        (pair.attribute.to_owned(), String::from_utf8(value.octets().unwrap().to_vec()).unwrap())
    };
    dn(text).rdns().map(|rdn| rdn.pairs().map(part).collect()).collect()
}

fn error(text: &str) -> (usize, DnErrorKind) {
    let error = Dn::parse(text.as_bytes()).unwrap_err();
    (error.position, error.kind)
}

/// RFC 4514 §4.
#[test]
fn rfc4514_examples() {
    let net = [vec![("DC".into(), "example".into())], vec![("DC".into(), "net".into())]];
    for (text, first) in [
        ("UID=jsmith,DC=example,DC=net", vec![("UID", "jsmith")]),
        ("OU=Sales+CN=J.  Smith,DC=example,DC=net", vec![("OU", "Sales"), ("CN", "J.  Smith")]),
        (r#"CN=James \"Jim\" Smith\, III,DC=example,DC=net"#, vec![("CN", "James \"Jim\" Smith, III")]),
        (r"CN=Before\0dAfter,DC=example,DC=net", vec![("CN", "Before\rAfter")]),
    ] {
        let first: Vec<_> = first.into_iter().map(|(a, v)| (a.to_owned(), v.to_owned())).collect();
        assert_eq!(parts(text), [&[first], &net[..]].concat());
        assert_eq!(dn(text).to_string(), text);
    }
    let hex = dn("1.3.6.1.4.1.1466.0=#04024869");
    let value = hex.split_first().unwrap().0.single().unwrap().value();
    assert_eq!((&value, value.octets()), (&Value::Ber(b"\x04\x02Hi".to_vec()), Some(&b"Hi"[..])));
    assert_eq!(hex.to_string(), hex.as_str());
    assert_eq!(parts(r"CN=Lu\C4\8Di\C4\87")[0][0].1, "Lučić");
    assert_eq!(dn(r"CN=Lu\C4\8Di\C4\87").to_string(), "CN=Lučić");
}

#[test]
fn blanks_around_separators_do_not_count() {
    let text = " cn =  a b  + sn = c\\  , dc = x ,o=#0400 , ou=";
    assert_eq!(dn(text).to_string(), "cn=a b+sn=c\\ ,dc=x,o=#0400,ou=");
    assert_eq!(dn(text), dn("CN=a b+SN=c\\20,DC=x,O=#0400,OU="));
    assert_eq!(dn(text).parent().unwrap().as_str(), "dc = x ,o=#0400 , ou=");
    assert_eq!(dn(text).len(), 4);
}

#[test]
fn values_borrow_unless_escaped() {
    let pairs = dn(r"cn=plain = text+sn=es\caped");
    let mut pairs = pairs.rdns().next().unwrap().pairs().map(|pair| pair.value());
    assert!(matches!(pairs.next(), Some(Value::String(std::borrow::Cow::Borrowed(b"plain = text")))));
    assert!(matches!(pairs.next(), Some(Value::String(std::borrow::Cow::Owned(_)))));
}

#[test]
fn the_root_and_its_children() {
    assert!(Dn::parse(b"").unwrap().is_empty() && Dn::ROOT.parent().is_none());
    assert_eq!(dn("dc=com").parent(), Some(Dn::ROOT));
    assert_eq!(dn("_x=1,1.2.3=2").rdns().len(), 2);
    assert_ne!(dn("cn=a"), dn("cn=A"));
    assert_ne!(dn("cn=a"), Dn::ROOT);
}

#[test]
fn single_rdns() {
    assert_eq!(Rdn::parse(b"cn=a+sn=b").unwrap().single(), None);
    assert_eq!(Rdn::parse(b"cn=a").unwrap().single().unwrap().attribute, "cn");
    assert_eq!(Rdn::parse(b"").unwrap_err().kind, AttributeExpected);
    assert_eq!(Rdn::parse(b"cn=a,cn=b").unwrap_err(), DnError { position: 4, kind: TooManyRdns });
}

#[test]
fn errors_say_where() {
    assert_eq!(error(" "), (1, AttributeExpected));
    assert_eq!(error("cn=a,"), (5, AttributeExpected));
    assert_eq!(error("cn=a+"), (5, AttributeExpected));
    assert_eq!(error(",cn=a"), (0, AttributeExpected));
    assert_eq!(error("1.=a"), (0, AttributeExpected));
    assert_eq!(error("cn"), (2, EqualsExpected));
    assert_eq!(error("cn;binary=a"), (2, EqualsExpected));
    assert_eq!(error("cn=a;dc=b"), (4, BareSpecial));
    assert_eq!(error("cn=\"a\""), (3, BareSpecial));
    assert_eq!(error("cn=a\0"), (4, BareSpecial));
    assert_eq!(error("cn=a\\"), (4, BadEscape));
    assert_eq!(error("cn=a\\x1"), (4, BadEscape));
    assert_eq!(error("cn=#"), (4, BadHex));
    assert_eq!(error("cn=#123"), (7, BadHex));
    assert_eq!(error("cn=#12x"), (6, BadHex));
    assert_eq!(Dn::parse(b"cn=\xff").unwrap_err(), DnError { position: 3, kind: NotUtf8 });
    assert_eq!(Dn::parse(b"cn").unwrap_err().to_string(), "DN, byte 2: = expected");
}

#[test]
fn limits() {
    let levels = |n: usize| vec!["a=b"; n].join(",");
    assert_eq!(dn(&levels(MAX_RDNS)).len(), MAX_RDNS);
    assert_eq!(error(&levels(MAX_RDNS + 1)).1, TooManyRdns);
    let pairs = |n: usize| vec!["a=b"; n].join("+");
    assert_eq!(dn(&pairs(MAX_PAIRS)).rdns().next().unwrap().pairs().count(), MAX_PAIRS);
    assert_eq!(error(&pairs(MAX_PAIRS + 1)).1, TooManyPairs);
    assert!(Dn::parse(format!("a={}", "b".repeat(MAX_DN - 2)).as_bytes()).is_ok());
    assert_eq!(error(&format!("a={}", "b".repeat(MAX_DN - 1))), (MAX_DN, TooLong));
}

#[test]
fn only_plain_strings_have_octets_in_hexadecimal() {
    for (text, octets) in [
        ("a=#0c0141", Some(&b"A"[..])),
        ("a=#130141", Some(b"A")),
        ("a=#1e020041", None),
        ("a=#30020400", None),
        ("a=#0402", None),
        ("a=#040041", None),
    ] {
        let value = dn(text).rdns().next().unwrap().single().unwrap().value();
        assert_eq!(value.octets(), octets, "{text}");
    }
}

#[test]
fn debug_hides_values() {
    let name = dn("cn=hidden,uid=hidden");
    let rdn = name.rdns().next().unwrap();
    let text = format!("{name:?} {rdn:?} {:?}", rdn.single().unwrap().value());
    assert!(text.contains("cn") && !text.contains("hidden") && !text.contains("104"), "{text}");
}

#[test]
fn writers_append() {
    let mut buf = b"before:".to_vec();
    DnWriter::new(&mut buf).rdn("uid", " a,b ").and("sn", "#c").rdn("cn", "us\\ers").text("").text("dc=x");
    assert_eq!(buf, br"before:uid=\ a\,b\ +sn=\#c,cn=us\\ers,dc=x");
    buf.clear();
    DnWriter::new(&mut buf).text("dc=x").rdn("cn", " ");
    assert_eq!(buf, br"dc=x,cn=\ ");
}

proptest! {
    #[test]
    fn what_is_written_is_read_back(
        rdns in proptest::collection::vec(
            proptest::collection::vec(("[a-z][a-z0-9-]{0,5}|[0-9]{1,2}(\\.[0-9]{1,3}){0,3}", proptest::collection::vec(any::<u8>(), 0..12)), 1..4),
            0..5,
        ),
    ) {
        let mut buf = Vec::new();
        let mut writer = DnWriter::new(&mut buf);
        for rdn in &rdns {
            for (index, (attribute, value)) in rdn.iter().enumerate() {
                if index == 0 { writer.rdn(attribute, value); } else { writer.and(attribute, value); }
            }
        }
        let parsed = Dn::parse(&buf).unwrap();
        let read: Vec<Vec<_>> = parsed.rdns().map(|rdn| rdn.pairs().map(|pair| {
            (pair.attribute.to_owned(), pair.value().octets().unwrap().to_vec())
        }).collect()).collect();
        prop_assert_eq!(read, rdns);
        // What is written is canonical.
        prop_assert_eq!(parsed.to_string().into_bytes(), buf);
    }
}
