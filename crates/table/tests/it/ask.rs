//! Every question to a table, for tests and the fuzz target: whatever the bytes are, each has an answer.

use netinfo_table::{Found, Record, Section, Table};

/// Asks everything there is to ask, and reads all of each answer.
pub(crate) fn ask(table: &Table<'_>) {
    let read = |found: Found<Record<'_>>| {
        if let Found::Hit(record) = found {
            let bytes: usize = record.strings().map(<[u8]>::len).sum();
            std::hint::black_box((bytes, record.gids().map(u64::from).sum::<u64>(), format!("{record:?}")));
        }
    };
    for name in [&b"alice"[..], b"bob", b"carol", b"dave", b"alias", b"nobody", b""] {
        read(table.passwd_by_name(name));
        read(table.group_by_name(name));
        read(table.groups_of(name));
        read(table.service_by_name(name, b""));
        read(table.service_by_name(name, b"tcp"));
    }
    for number in 0..8 {
        read(table.passwd_by_uid(number));
        read(table.group_by_gid(number));
        read(table.service_by_port(number as u16, b"tcp"));
    }
    for section in Section::ALL {
        (0..6).for_each(|position| read(table.listed(section, position)));
    }
}
