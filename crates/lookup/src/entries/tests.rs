//! Records as entries.

use netinfo_directory::Property;
use netinfo_wire::lookup::{Category, Entry, EntryBuf};

use super::{Want, build, canonical, number, parse_mac};
use crate::source::Record;

fn made(category: Category, properties: &[(&str, &[&str])]) -> Option<EntryBuf> {
    let properties: Vec<_> =
        properties.iter().map(|(key, values)| Property::new(*key, values.iter().copied())).collect();
    let record = Record::Listed { id: 1, properties: &properties };
    canonical(category, &record, Want::default(), true)?;
    build(category, &record, Want::default(), true)
}

#[test]
fn numbers_are_whole_and_never_the_one_that_means_none() {
    let id = |text: &str| {
        let properties = [Property::new("uid", [text])];
        number(&Record::Listed { id: 1, properties: &properties }, b"uid")
    };
    assert_eq!(id("501"), Some(501));
    assert_eq!(id("-2"), Some(u32::MAX - 1));
    assert_eq!(id("4294967294"), Some(u32::MAX - 1));
    for text in ["-1", "4294967295", "4294967296", "-2147483649", "", "x", "1x", " 1", "0x1"] {
        assert_eq!(id(text), None, "{text:?}");
    }
}

#[test]
fn users_without_what_a_user_needs_are_none() {
    let user = |properties: &[(&str, &[&str])]| made(Category::Passwd, properties).is_some();
    assert!(user(&[("name", &["a"]), ("uid", &["1"])]));
    assert!(!user(&[("name", &["a"])]));
    assert!(!user(&[("name", &["a"]), ("uid", &["zero"])]));
    assert!(!user(&[("name", &[]), ("uid", &["1"])]));
    for name in ["", "a:b", "a\nb", "a\0b"] {
        assert!(!user(&[("name", &[name]), ("uid", &["1"])]), "{name:?}");
    }
}

#[test]
fn users_of_active_directory_have_their_home_on_unix() {
    for (home, unix, expected) in
        [("/h", "", "/h"), ("\\\\files\\a", "/home/a", "/home/a"), ("", "/home/a", "/home/a")]
    {
        let properties: [(&str, &[&str]); 4] =
            [("name", &["a"]), ("uid", &["1"]), ("home", &[home]), ("unixHomeDirectory", &[unix])];
        let entry = made(Category::Passwd, &properties).unwrap();
        let Entry::Passwd(passwd) = entry.as_entry() else { panic!() };
        assert_eq!(passwd.home, expected.as_bytes());
    }
}

#[test]
fn no_field_of_a_user_ends_the_line() {
    let entry = made(
        Category::Passwd,
        &[
            ("name", &["a"]),
            ("uid", &["1"]),
            ("realname", &["A:0:0"]),
            ("home", &["/home\nroot::0:0"]),
            ("shell", &["/bin/sh\0x"]),
        ],
    )
    .unwrap();
    let Entry::Passwd(passwd) = entry.as_entry() else { panic!() };
    assert_eq!((passwd.gecos, passwd.home, passwd.shell), (&b"A"[..], &b"/home"[..], &b"/bin/sh"[..]));
    assert_eq!((passwd.gid, passwd.passwd), (u32::MAX - 1, &b"*"[..]));
}

#[test]
fn passwords_and_days() {
    let shadow = |passwd: &[&str], expire: &str| {
        let properties: [(&str, &[&str]); 4] =
            [("name", &["a"]), ("uid", &["1"]), ("passwd", passwd), ("expire", &[expire])];
        let entry = made(Category::Shadow, &properties).unwrap();
        let Entry::Shadow(shadow) = entry.as_entry() else { panic!() };
        (String::from_utf8(shadow.passwd.to_vec()).unwrap(), shadow.expire)
    };
    assert_eq!(shadow(&["$6$s$h", "second"], "0"), ("$6$s$h".into(), -1));
    assert_eq!(shadow(&[""], "86400000"), (String::new(), 1000));
    assert_eq!(shadow(&[], "20000"), ("*".into(), 20_000));
    assert_eq!(shadow(&["a:b"], "never"), ("*".into(), -1));
}

#[test]
fn ethernet_addresses() {
    assert_eq!(parse_mac(b"0:5:2:fe:EF:4b"), Some([0, 5, 2, 0xfe, 0xef, 0x4b]));
    for text in
        ["", "0:1:2:3:4", "0:1:2:3:4:5:6", "0:1:2:3:4:g", "000:1:2:3:4:5", "0::2:3:4:5", "+1:1:2:3:4:5"]
    {
        assert_eq!(parse_mac(text.as_bytes()), None, "{text:?}");
    }
}
