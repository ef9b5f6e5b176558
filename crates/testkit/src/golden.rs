//! Calls and replies recorded from historical NetInfo servers; `data/golden/README.md` describes the
//! files and their fields.

use std::path::PathBuf;

use serde_json::Value;

/// One recorded call.
#[derive(Clone, Debug)]
pub struct Recorded {
    /// Group of calls: session or scenario.
    pub group: String,
    /// Position in the group, from 1.
    pub seq: u64,
    /// The whole RPC call, without record mark.
    pub request: Vec<u8>,
    /// The whole RPC reply; `None` if the server sent nothing.
    pub reply: Option<Vec<u8>>,
    /// All fields of the line.
    pub fields: Value,
}

impl Recorded {
    /// A field as text; empty if it is absent or something else.
    pub fn text(&self, field: &str) -> &str {
        self.fields[field].as_str().unwrap_or_default()
    }

    /// A field as a number; 0 if it is absent or something else.
    pub fn number(&self, field: &str) -> u64 {
        self.fields[field].as_u64().unwrap_or_default()
    }

    /// What to print when a test about this call fails.
    pub fn label(&self) -> String {
        format!("{} {} {}", self.group, self.seq, self.text("name"))
    }
}

/// The folder with the recordings and the databases they start from.
pub fn folder() -> PathBuf {
    crate::data("golden")
}

/// The calls made one by one against servers in a known state, for replay.
///
/// # Panics
/// If the file is missing or damaged.
pub fn sessions() -> Vec<Recorded> {
    load("netinfod.jsonl", "session")
}

/// The calls captured while the original programs talked to each other, not for replay.
///
/// # Panics
/// If the file is missing or damaged.
pub fn transcripts() -> Vec<Recorded> {
    load("transcripts.jsonl", "scenario")
}

/// The command lines of the historical tools in their order, and what they printed.
///
/// # Panics
/// If the file is missing or damaged.
pub fn tools() -> Vec<Value> {
    lines("tools.jsonl")
}

fn load(file: &str, group: &str) -> Vec<Recorded> {
    lines(file).into_iter().map(|fields| record(fields, group)).collect()
}

fn lines(file: &str) -> Vec<Value> {
    let path = folder().join(file);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let parsed = |line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e} in {line}"));
    text.lines().map(parsed).collect()
}

fn record(fields: Value, group: &str) -> Recorded {
    let bytes = |field: &str| fields[field].as_str().map(hex);
    Recorded {
        group: fields[group].as_str().unwrap_or_default().to_owned(),
        seq: fields["seq"].as_u64().unwrap_or_default(),
        request: bytes("request_hex").unwrap_or_else(|| panic!("no request in {fields}")),
        reply: bytes("reply_hex"),
        fields,
    }
}

/// Bytes from hexadecimal digits; anything else between them is skipped.
///
/// # Panics
/// If the number of digits is odd.
pub fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.chars().filter_map(|c| c.to_digit(16)).map(|d| d as u8).collect();
    assert!(digits.len().is_multiple_of(2), "odd number of hexadecimal digits");
    digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hex_skips_what_is_not_a_digit() {
        assert_eq!(hex("00 1f:aB"), [0x00, 0x1f, 0xab]);
    }

    #[test]
    fn all_recordings_load() {
        let sessions = sessions();
        assert_eq!(sessions.len(), 241);
        assert_eq!(sessions.iter().filter(|call| call.reply.is_none()).count(), 2);
        assert!(transcripts().len() > 400);
    }
}
