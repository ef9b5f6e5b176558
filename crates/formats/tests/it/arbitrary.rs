//! Whatever the input, readers end, count lines and keep their promises; whatever the records, writers do.

use netinfo_formats::flat::Format;
use netinfo_formats::{Place, Record, read_passwd};
use netinfo_testkit::files::flat_files;
use proptest::prelude::*;

/// Lines made of the pieces that the formats give a meaning to.
fn likely_text() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop::sample::select(vec![
        ":",
        ",",
        "#",
        " ",
        "\t",
        "\n",
        "\n",
        "\r\n",
        "/",
        "/tcp",
        "%",
        "+",
        "-",
        "x",
        "ana",
        "bob",
        "0",
        "53",
        "-2",
        "4294967295",
        "4294967296",
        "127.0.0.1",
        "::1",
        "fe80::1%lo",
        "192.0",
        "\0",
        "é",
        "::",
        "ana:x:1:1::/:",
        "ana:x:1:1::0:0::/:",
        "x:y::::::90:",
        "=",
        "(",
        ")",
        "(a,b,c)",
        "\"",
        "\\",
        "\\\n",
        "\\040",
        "|",
        "%%\n",
        "0:0:5e:0:53:1",
        "/dir",
        "rw",
        "srv:/a",
        "nameserver ",
        "search ",
        ";",
    ]);
    prop::collection::vec(piece, 0..60).prop_map(|pieces| pieces.concat().into_bytes())
}

/// Values that some format gives a meaning to, none of which is changed by being written in its usual form.
fn likely_value() -> impl Strategy<Value = Vec<u8>> {
    let value = prop::sample::select(vec![
        "a",
        "b",
        "resolver",
        "b c",
        " a",
        "x:y",
        "#z",
        "+w",
        "-v",
        "",
        "n\nl",
        "n\0l",
        "10",
        "192.0.2.1",
        "fe80::1%en0",
        "0:0:5e:0:53:1",
        "(a,b,c)",
        "back\\",
        "q\"q",
        "\"q,q\"",
        "é",
        "1,2",
        ",,",
        "/dir",
        "/two words",
        "a=b",
        "%%",
        ";s",
        "\\072",
        "network 10",
        "network",
        "srv:/a",
        "p|q",
    ]);
    value.prop_map(|value| value.as_bytes().to_vec())
}

/// Records with the properties that some format has a place for, and some that none has.
fn likely_records(format: Format) -> impl Strategy<Value = Vec<Record>> {
    let names: &[&str] = match format.container() {
        "users" => &[
            "passwd",
            "uid",
            "gid",
            "class",
            "change",
            "expire",
            "realname",
            "building",
            "phonenumber",
            "homephonenumber",
            "home",
            "shell",
        ],
        "groups" => &["passwd", "gid", "users"],
        "machines" => &["ip_address", "ipv6_address", "en_address", "htype", "bootfile", "bootparams"],
        "mounts" => &["dir", "vfstype", "type", "opts", "dump_freq", "freq", "passno"],
        "netgroups" => &["netgrouptriplet", "netgroups", "hosts", "users", "domains"],
        "locations" => &["domain", "search", "nameserver", "options"],
        _ => &[
            "address", "number", "port", "protocol", "members", "opts", "clients", "fsname", "sh", "lp",
            "_writers",
        ],
    };
    let list = || prop::collection::vec(likely_value(), 0..3);
    let property = (prop::sample::select(names.to_vec()), list());
    let properties = (list(), prop::collection::vec(property, 0..8));
    let record = properties.prop_map(move |(names, properties)| {
        let properties = properties.into_iter().map(|(name, values)| (name.as_bytes().to_vec(), values));
        let properties = [(b"name".to_vec(), names)].into_iter().chain(properties).collect();
        Record { place: Place::In(format.container()), properties, identity: None, line: 1 }
    });
    prop::collection::vec(record, 1..4)
}

/// Writes the records and reads what was written; the last record is the one that it is about, with what is lost of it.
fn write_and_read(format: Format, records: &[Record]) -> (Vec<Record>, usize) {
    let (mut text, mut losses) = (Vec::new(), Vec::new());
    let mut writer = format.writer(&mut text);
    let mut lost = 0;
    for record in records {
        losses.clear();
        writer.write(record, &mut losses).expect("memory can be written");
        lost = losses.len();
    }
    writer.finish(&mut losses).expect("memory can be written");
    drop(writer);
    let read: Result<Vec<_>, _> = format.read(text.as_slice()).collect();
    let read = read.unwrap_or_else(|problem| panic!("{format:?}: {problem}\n{}", text.escape_ascii()));
    (read, lost)
}

proptest! {
    #[test]
    fn what_is_not_told_is_not_lost(
        (format, records) in prop::sample::select(Format::ALL.to_vec())
            .prop_flat_map(|format| (Just(format), likely_records(format)))
    ) {
        let (read, lost) = write_and_read(format, &records);
        let Some(record) = records.last().filter(|_| lost == 0 && format != Format::MountMap) else { return Ok(()) };
        // The other half of an account is in another file; what says nothing may be left out; older names of
        // properties become the newer ones.
        let elsewhere = |name: &[u8]| match format {
            Format::Shadow => !matches!(name, b"name" | b"passwd"),
            _ => matches!(name, b"class" | b"type" | b"freq"),
        };
        let has = |read: &Record| {
            record.properties.iter().filter(|(name, _)| !elsewhere(name)).all(|(name, values)| {
                let found = read.properties.iter().find(|(found, _)| found == name).map(|(_, values)| values);
                values.iter().all(|value| {
                    found.is_some_and(|found| found.contains(value)) || (found.is_none() && value.is_empty())
                })
            })
        };
        prop_assert!(read.iter().any(has), "{record:?} was lost: {read:?}");
    }

    #[test]
    fn arbitrary_bytes_are_read(bytes: Vec<u8>) {
        flat_files(&bytes);
    }

    #[test]
    fn likely_lines_are_read(text in likely_text()) {
        flat_files(&text);
    }

    #[test]
    fn a_good_user_comes_back(
        name in "[a-z][a-z0-9_-]{0,15}",
        uid: u32,
        gid in i32::MIN..0,
        realname in "[A-Za-z é.]{0,20}",
        home in "/[a-z/]{0,20}",
    ) {
        let text = format!("{name}:*:{uid}:{gid}:{realname}:{home}:/bin/sh\n");
        let items: Vec<_> = read_passwd(text.as_bytes()).collect();
        let record = items[0].as_ref().map_err(|problem| TestCaseError::fail(problem.to_string()))?;
        let text = |property| String::from_utf8_lossy(record.first(property).unwrap_or(b"(absent)")).into_owned();
        prop_assert_eq!(text("name"), name.clone());
        prop_assert_eq!(text("uid"), uid.to_string());
        prop_assert_eq!(text("gid"), gid.to_string());
        prop_assert_eq!(text("realname"), realname.trim());
        prop_assert_eq!(text("home"), home);
        prop_assert_eq!(text("_writers_passwd"), name);
    }
}
