//! Telling the format of a file or folder.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use netinfo_formats::{dslocal, flat};

use super::Format;
use crate::error::{Error, Result};

/// Tells the format of a file by its name, and by how it begins.
pub(super) fn file(path: &Path) -> Result<Format> {
    let name = path.file_name().map(|name| name.to_string_lossy().to_lowercase()).unwrap_or_default();
    if let Some(format) = own_by_name(&name) {
        return Ok(format);
    }
    let shown = path.display().to_string();
    let mut start = Vec::new();
    let file = File::open(path).map_err(|error| Error::File(shown.clone(), error))?;
    file.take(flat::HEAD_BYTES as u64)
        .read_to_end(&mut start)
        .map_err(|error| Error::File(shown.clone(), error))?;
    by_content(&name, &start).ok_or_else(|| {
        Error::Invalid(format!(
            "{shown}: it cannot be told what format this is; say so: {}",
            Format::names().join(", ")
        ))
    })
}

/// The format that the name of a file tells.
#[must_use]
pub fn recognise_name(path: &Path) -> Option<Format> {
    by_name(&path.file_name()?.to_string_lossy().to_lowercase())
}

/// A file without a telling name is taken for an administrative one from this score on.
const CLEAR: u8 = 55;

fn by_name(name: &str) -> Option<Format> {
    own_by_name(name).or_else(|| flat::Format::from_file_name(name).map(Format::Flat))
}

fn own_by_name(name: &str) -> Option<Format> {
    let (stem, ending) = name.rsplit_once('.')?;
    match ending {
        "ldif" | "ldf" => Some(Format::Ldif),
        "nidb" => Some(Format::Nidb),
        "dslocal" => Some(Format::DsLocal),
        "raw" | "nidump" => Some(Format::Raw),
        "jsonl" | "ndjson" => Some(Format::Jsonl),
        "json5" | "json" => Some(Format::Json5),
        // What editors and tools leave: export.ldif.bak, site.raw.orig.
        "bak" | "orig" | "old" | "txt" | "save" => own_by_name(stem),
        _ => None,
    }
}

/// What a file holds counts for more than what it is called, for names like `hosts` are given to many things.
fn by_content(name: &str, start: &[u8]) -> Option<Format> {
    if let Some(format) = own_by_content(start) {
        return Some(format);
    }
    let (format, score) = flat::Format::recognise(Some(name), start)?;
    let named = flat::Format::from_file_name(name).is_some();
    (named || score >= CLEAR).then_some(Format::Flat(format))
}

fn has(text: &[u8], word: &[u8]) -> bool {
    text.windows(word.len()).any(|part| part == word)
}

fn own_by_content(start: &[u8]) -> Option<Format> {
    let text = start.strip_prefix(b"\xef\xbb\xbf").unwrap_or(start);
    let lines = text.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii_end);
    let comment = |line: &[u8]| line.starts_with(b"#") || line.starts_with(b"//");
    let mut lines = lines.filter(|line| !line.is_empty() && !comment(line));
    let first = lines.next()?;
    let lower = first.to_ascii_lowercase();
    if lower.starts_with(b"dn:") || lower.starts_with(b"version:") {
        return Some(Format::Ldif);
    }
    if !first.starts_with(b"{") {
        return None;
    }
    let second = lines.next().unwrap_or_default().trim_ascii_start();
    let is_raw = first.trim_ascii() == b"{" && (second.starts_with(b"\"") || second.starts_with(b"CHILDREN"));
    let has_colon = |line: &[u8]| line.windows(2).any(|pair| pair == b"\":");
    if is_raw && !has_colon(second) {
        return Some(Format::Raw);
    }
    let is_line = first.len() > 1 && first.ends_with(b"}") && has_colon(first) && !has(start, b"nodes");
    if is_line {
        return Some(Format::Jsonl);
    }
    has(start, b"nodes").then_some(Format::Json5)
}

/// The format of a folder that is one thing; `None` for one with several files, like `/etc`.
pub(super) fn folder(path: &Path) -> Option<Format> {
    let has = |name: &str| path.join(name).is_file();
    let modern = has("Config") && has("Clean");
    if has("Collection") || has("collection") || modern || has("Store.1") || has("Store.0") {
        return Some(Format::Nidb);
    }
    if dslocal::Folder::is_one(path) {
        return Some(Format::DsLocal);
    }
    // One that has just been written, or that a server is using, has not all of these files.
    recognise_name(path).filter(|format| format.is_folder())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(format: Option<Format>) -> Option<&'static str> {
        format.map(Format::name)
    }

    #[test]
    fn names_tell_formats() {
        for (file, format) in [
            ("passwd", Some("passwd")),
            ("group-", Some("group")),
            ("hosts.orig", Some("hosts")),
            ("export.ldif", Some("ldif")),
            ("local.nidb", Some("nidb")),
            ("auto_home", Some("mountmap")),
            ("site.raw", Some("raw")),
            ("readme", None),
        ] {
            assert_eq!(name(by_name(file)), format, "{file}");
        }
    }

    #[test]
    fn contents_tell_formats() {
        for (text, format) in [
            ("# comment\n\nversion: 1\n", Some("ldif")),
            ("\u{feff}dn: dc=example\n", Some("ldif")),
            ("root:x:0:0:root:/root:/bin/sh\n", Some("passwd")),
            ("wheel:*:0:root\n", Some("group")),
            ("{\n  \"name\" = ( \"users\" );\n}\n", Some("raw")),
            ("{\"place\":\"root\"}\n", Some("jsonl")),
            ("// QEMU\n{ version: 1,\n nodes: [] }\n", Some("json5")),
            ("{ what: 1 }\n", None),
            ("10.0.0.1 alpha\n10.0.0.2 beta\n", Some("hosts")),
            ("tcp 6 TCP\nudp 17 UDP\n", Some("protocols")),
            ("what is this\n", None),
            ("", None),
        ] {
            assert_eq!(name(by_content("readme", text.as_bytes())), format, "{text:?}");
        }
    }

    #[test]
    fn contents_count_for_more_than_names() {
        let passwd = "root:x:0:0:root:/root:/bin/sh\n";
        assert_eq!(name(by_content("group", passwd.as_bytes())), Some("passwd"));
        assert_eq!(name(by_content("hosts", b"dn: dc=example\n")), Some("ldif"));
        assert_eq!(name(by_content("hosts", b"")), Some("hosts"), "an empty file has a name only");
    }

    #[test]
    fn all_names_lead_to_formats() {
        for word in Format::names() {
            assert_eq!(name(Format::named(word)), Some(word));
        }
        assert_eq!(Format::named("nothing"), None);
    }
}
