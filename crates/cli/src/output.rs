//! Printing. Values come from a database that others write to: whatever a terminal could take for a command is
//! escaped. JSON holds text as strings, and other bytes as `{"hex": …}`.

use std::fmt::Write as _;
use std::io::{self, Write};

use comfy_table::{CellAlignment, Table, presets};
use netinfo_client::Property;
use serde_json::{Value, json};

use crate::failure::Result;

/// Standard output, buffered. Errors of a closed pipe end the program quietly.
pub(crate) struct Output {
    inner: Box<dyn Write>,
    /// Whether results are printed as JSON.
    pub(crate) json: bool,
}

impl Output {
    /// Output to standard output.
    pub(crate) fn stdout(json: bool) -> Self {
        Self { inner: Box::new(io::BufWriter::new(io::stdout())), json }
    }

    /// Prints one line of text that is safe already.
    pub(crate) fn line(&mut self, text: impl AsRef<str>) -> Result<()> {
        Ok(writeln!(self.inner, "{}", text.as_ref())?)
    }

    /// Prints a value as JSON.
    pub(crate) fn value(&mut self, value: &Value) -> Result<()> {
        Ok(writeln!(self.inner, "{value:#}")?)
    }

    /// Prints one of both, as the user wants it.
    pub(crate) fn either(
        &mut self,
        text: impl FnOnce() -> String,
        value: impl FnOnce() -> Value,
    ) -> Result<()> {
        if self.json {
            return self.value(&value());
        }
        let text = text();
        Ok(self.inner.write_all(text.as_bytes())?)
    }

    /// Writes bytes as they are.
    pub(crate) fn raw(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.inner.write_all(bytes)
    }

    /// Sends everything on its way.
    pub(crate) fn flush(&mut self) -> Result<()> {
        Ok(self.inner.flush()?)
    }
}

/// Bytes as text that does nothing to a terminal: control characters, marks that reverse the direction of text, and
/// bytes that are not UTF-8 are escaped.
pub(crate) fn safe(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            let harmful = c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
            if harmful {
                text.extend(c.escape_default());
            } else {
                text.push(c);
            }
        }
        for byte in chunk.invalid() {
            let _ = write!(text, "\\x{byte:02x}");
        }
    }
    text
}

/// A value for JSON.
pub(crate) fn json_bytes(bytes: &[u8]) -> Value {
    match std::str::from_utf8(bytes) {
        Ok(text) => Value::String(text.to_owned()),
        Err(_) => {
            let hex = bytes.iter().fold(String::new(), |mut hex, byte| {
                let _ = write!(hex, "{byte:02x}");
                hex
            });
            json!({ "hex": hex })
        }
    }
}

/// Values for JSON.
pub(crate) fn json_values(values: &[Vec<u8>]) -> Value {
    values.iter().map(|value| json_bytes(value)).collect()
}

/// Properties for JSON: a list, for names may repeat and the order counts.
pub(crate) fn json_properties(properties: &[Property]) -> Value {
    properties
        .iter()
        .map(|p| json!({ "name": json_bytes(&p.name), "values": json_values(&p.values) }))
        .collect()
}

/// A record for JSON lists: values by property, of the first one where names repeat.
pub(crate) fn json_record(properties: &[Property]) -> Value {
    let mut record = serde_json::Map::new();
    for property in properties {
        record.entry(safe(&property.name)).or_insert_with(|| json_values(&property.values));
    }
    Value::Object(record)
}

/// Properties as text: `name: value`, further values below the first.
pub(crate) fn text_properties(properties: &[Property]) -> String {
    let mut text = String::new();
    for property in properties {
        let name = safe(&property.name);
        let indent = name.chars().count() + 2;
        let _ = write!(text, "{name}:");
        for (i, value) in property.values.iter().enumerate() {
            if i > 0 {
                let _ = write!(text, "\n{:indent$}", "");
            } else {
                text.push(' ');
            }
            text.push_str(&quoted(value));
        }
        text.push('\n');
    }
    text
}

/// A value as text; an empty one is shown as `""`.
pub(crate) fn quoted(value: &[u8]) -> String {
    if value.is_empty() { "\"\"".to_owned() } else { safe(value) }
}

/// A table without lines: headers, rows, and which columns are numbers.
pub(crate) fn table(
    headers: &[&str],
    numbers: &[usize],
    rows: impl IntoIterator<Item = Vec<String>>,
) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header(headers.iter().map(|h| h.to_uppercase()));
    for row in rows {
        table.add_row(row);
    }
    for (index, column) in table.column_iter_mut().enumerate() {
        column.set_padding((0, 2));
        if numbers.contains(&index) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    let mut text = String::new();
    for line in table.lines() {
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// The first values of the first property named `key`, separated by commas.
pub(crate) fn joined(properties: &[Property], key: &str) -> String {
    let values = properties.iter().find(|p| p.name == key.as_bytes()).map(|p| p.values.as_slice());
    values.unwrap_or_default().iter().map(|v| safe(v)).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terminals_are_safe() {
        assert_eq!(safe(b"plain \xc3\xa9"), "plain é");
        assert_eq!(safe(b"\x1b[2J\n\t\x7f\x9b"), r"\u{1b}[2J\n\t\u{7f}\x9b");
        assert_eq!(safe("a\u{202e}b".as_bytes()), r"a\u{202e}b");
        assert_eq!(safe("\u{9b}".as_bytes()), r"\u{9b}");
    }

    #[test]
    fn json_keeps_every_byte() {
        assert_eq!(json_bytes(b"caf\xc3\xa9"), json!("café"));
        assert_eq!(json_bytes(b"\xff\x00"), json!({ "hex": "ff00" }));
        let properties = [Property::new("name", ["a", "b"]), Property::new("_locked", [""; 0])];
        insta::assert_snapshot!(json_properties(&properties), @r#"[{"name":"name","values":["a","b"]},{"name":"_locked","values":[]}]"#);
        insta::assert_snapshot!(json_record(&properties), @r#"{"name":["a","b"],"_locked":[]}"#);
    }

    #[test]
    fn properties_as_text() {
        let properties = [
            Property::new("name", ["admin"]),
            Property::new("users", ["root", "alice", ""]),
            Property::new("_locked", [""; 0]),
        ];
        insta::assert_snapshot!(text_properties(&properties), @r#"
        name: admin
        users: root
               alice
               ""
        _locked:
        "#);
    }

    #[test]
    fn tables() {
        let rows = [vec!["alice".to_owned(), "1000".to_owned()], vec!["bo".to_owned(), "7".to_owned()]];
        insta::assert_snapshot!(table(&["name", "uid"], &[1], rows), @r"
        NAME    UID
        alice  1000
        bo        7
        ");
    }
}
