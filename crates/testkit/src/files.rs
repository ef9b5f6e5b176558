//! What must hold for any bytes read as an administrative file. A broken promise panics.
//!
//! The promises: no reader panics; there are no more items than lines, each with the number of one; a record has a
//! name and belongs to the reader's container; no value holds a NUL or the end of a line; a message is one line.

use netinfo_formats::{
    Problem, Record, Shadow, read_group, read_hosts, read_networks, read_passwd, read_protocols, read_rpc,
    read_services, read_users,
};

/// Every reader of a flat file over the same bytes.
pub fn flat_files(bytes: &[u8]) {
    let (shadow, problems) = Shadow::read(bytes);
    check(bytes, "users", problems.into_iter().map(Err));
    check(bytes, "users", read_passwd(bytes));
    check(bytes, "users", read_users(bytes, &shadow));
    check(bytes, "groups", read_group(bytes));
    check(bytes, "machines", read_hosts(bytes));
    check(bytes, "networks", read_networks(bytes));
    check(bytes, "protocols", read_protocols(bytes));
    check(bytes, "rpcs", read_rpc(bytes));
    check(bytes, "services", read_services(bytes));
}

fn check(bytes: &[u8], container: &str, items: impl Iterator<Item = Result<Record, Problem>>) {
    let lines = bytes.split(|byte| *byte == b'\n').count() as u64;
    let mut count = 0;
    for item in items {
        count += 1;
        assert!(count <= lines, "more items than lines");
        match item {
            Err(problem) => {
                assert!((1..=lines).contains(&problem.line), "{problem}");
                assert!(!problem.to_string().contains('\n'), "{problem}");
            }
            Ok(record) => {
                assert_eq!(record.container(), Some(container));
                assert!((1..=lines).contains(&record.line), "{record:?}");
                assert_eq!(record.properties[0].0, b"name");
                assert!(record.first("name").is_some_and(|name| !name.is_empty()), "{record:?}");
                let mut values = record.properties.iter().flat_map(|(_, values)| values).flatten();
                assert!(values.all(|byte| !b"\0\n".contains(byte)), "{record:?}");
            }
        }
    }
}
