//! Whatever the input, readers end, count lines and keep their promises.

use netinfo_formats::read_passwd;
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
    ]);
    prop::collection::vec(piece, 0..60).prop_map(|pieces| pieces.concat().into_bytes())
}

proptest! {
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
