//! Whatever the input, readers end, count lines and keep their promises.

use netinfo_formats::{
    Problem, Record, Shadow, read_group, read_hosts, read_networks, read_passwd, read_protocols, read_rpc,
    read_services, read_users,
};
use proptest::prelude::*;

type Items = Vec<Result<Record, Problem>>;

/// Every reader over the same bytes.
fn read_all(bytes: &[u8]) -> Vec<(&'static str, Items)> {
    let (shadow, _) = Shadow::read(bytes);
    vec![
        ("users", read_passwd(bytes).collect()),
        ("users", read_users(bytes, &shadow).collect()),
        ("groups", read_group(bytes).collect()),
        ("machines", read_hosts(bytes).collect()),
        ("networks", read_networks(bytes).collect()),
        ("protocols", read_protocols(bytes).collect()),
        ("rpcs", read_rpc(bytes).collect()),
        ("services", read_services(bytes).collect()),
    ]
}

fn check(bytes: &[u8]) -> Result<(), TestCaseError> {
    let lines = bytes.split(|byte| *byte == b'\n').count() as u64;
    for (container, items) in read_all(bytes) {
        prop_assert!(items.len() as u64 <= lines);
        for item in items {
            let record = match item {
                Ok(record) => record,
                Err(problem) => {
                    prop_assert!((1..=lines).contains(&problem.line));
                    prop_assert!(!problem.to_string().contains('\n'));
                    continue;
                }
            };
            prop_assert_eq!(record.container, container);
            prop_assert!((1..=lines).contains(&record.line));
            prop_assert_eq!(&record.properties[0].0[..], &b"name"[..]);
            prop_assert!(record.first("name").is_some_and(|name| !name.is_empty()));
            let values = record.properties.iter().flat_map(|(_, values)| values);
            prop_assert!(values.flatten().all(|byte| !b"\0\n".contains(byte)));
        }
    }
    Ok(())
}

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
        check(&bytes)?;
    }

    #[test]
    fn likely_lines_are_read(text in likely_text()) {
        check(&text)?;
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
        let items: Items = read_passwd(text.as_bytes()).collect();
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
