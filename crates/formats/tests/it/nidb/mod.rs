//! Database folders.

#![allow(clippy::unwrap_used)] // helpers of tests are tests, which the lint cannot see

mod arbitrary;
mod change;
mod fixtures;
mod repair;
mod store;
mod texts;
mod write;

use std::collections::BTreeMap;

use netinfo_formats::nidb::{Database, Directory, Layout};

/// A database of these directories: id, instance, version, parent, children, properties.
#[allow(clippy::type_complexity)]
fn database<const N: usize>(directories: [(u32, u32, u32, u32, &[u32], &[(&str, &[&str])]); N]) -> Database {
    let directories: BTreeMap<u32, Directory> = directories
        .into_iter()
        .map(|(id, instance, version, parent, children, properties)| {
            let bytes = |text: &&str| text.as_bytes().to_vec();
            let properties = properties
                .iter()
                .map(|(name, values)| (bytes(name), values.iter().map(bytes).collect()))
                .collect();
            (id, Directory { id, instance, version, parent, children: children.to_vec(), properties })
        })
        .collect();
    let mut database =
        Database { layout: Layout::Modern, directories, findings: Vec::new(), opened_checksum: 0 };
    database.opened_checksum = database.checksum();
    database
}

/// The worked example: root, /users, /users/ana.
fn example() -> Database {
    database([
        (0, 4, 6, 0, &[1], &[("master", &["localhost/local"])]),
        (1, 2, 3, 0, &[2], &[("name", &["users"])]),
        (2, 1, 2, 1, &[], &[("name", &["ana"]), ("uid", &["501"]), ("_writers_passwd", &["ana"])]),
    ])
}
