//! What the historical tools print of a database.

use std::io::Write;

use netinfo_formats::nidb::{Database, Directory};

fn joined(values: &[Vec<u8>]) -> Vec<u8> {
    values.iter().flat_map(|value| [b" ", value.as_slice()].concat()).collect()
}

fn names(directory: &Directory) -> Vec<u8> {
    let name = directory.properties.iter().find(|(name, _)| name == b"name");
    name.map(|(_, values)| joined(values)).unwrap_or_default()
}

/// `niutil -list` and `-read` of everything that is in a list, in tree order.
pub(super) fn niutil(database: &Database, tag: &str) -> Vec<u8> {
    let mut out = Vec::new();
    let mut stack = vec![0];
    while let Some(id) = stack.pop() {
        let directory = database.directories.get(&id);
        writeln!(out, "$ niutil -list -t localhost/{tag} {id}").unwrap();
        for child in directory.iter().flat_map(|directory| &directory.children) {
            match database.directories.get(child) {
                None => out.extend_from_slice(b"0\t"),
                Some(found) => {
                    write!(out, "{child}\t").unwrap();
                    out.extend(names(found));
                }
            }
            out.push(b'\n');
        }
        writeln!(out, "\n$ niutil -read -t localhost/{tag} {id}").unwrap();
        for (name, values) in directory.iter().flat_map(|directory| &directory.properties) {
            out.extend_from_slice(&[name, &b":"[..], &joined(values), b"\n"].concat());
        }
        out.push(b'\n');
        stack.extend(directory.iter().flat_map(|directory| directory.children.iter().rev()));
    }
    out
}

/// `nidump -r /`.
pub(super) fn nidump(database: &Database) -> Vec<u8> {
    let mut out = Vec::new();
    dump(database, 0, 0, "\n", &mut out);
    out
}

fn quoted(text: &[u8]) -> Vec<u8> {
    let escaped = text.iter().flat_map(|byte| if *byte == b'"' { vec![b'\\', b'"'] } else { vec![*byte] });
    [b'"'].into_iter().chain(escaped).chain([b'"']).collect()
}

fn dump(database: &Database, id: u32, indent: usize, end: &str, out: &mut Vec<u8>) {
    let Some(directory) = database.directories.get(&id) else { return };
    writeln!(out, "{:indent$}{{", "").unwrap();
    for (name, values) in &directory.properties {
        write!(out, "{:indent$}  ", "").unwrap();
        out.extend(quoted(name));
        out.extend_from_slice(b" = ( ");
        let values: Vec<_> = values.iter().map(|value| quoted(value)).collect();
        out.extend(values.join(&b", "[..]));
        out.extend_from_slice(if values.is_empty() { b");\n" } else { b" );\n" });
    }
    if let Some(last) = directory.children.last() {
        writeln!(out, "{:indent$}  CHILDREN = (", "").unwrap();
        for child in &directory.children {
            dump(database, *child, indent + 4, if child == last { "\n" } else { ",\n" }, out);
        }
        writeln!(out, "{:indent$}  )", "").unwrap();
    }
    write!(out, "{:indent$}}}{end}", "").unwrap();
}
