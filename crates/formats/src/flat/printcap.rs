//! `printcap`.

use super::draft::{BAD_VALUE, Draft, NO_NAME, ONE_VALUE, TextWriter};
use super::joined::{Joined, each_joined};
use super::words::{push_octal, without_octal};
use crate::lines::Line;
use crate::problem::{Problem, Reason, shown};
use crate::record::Record;
use crate::writer::RecordWriter;
use std::collections::HashMap;
use std::io::{BufRead, Write};

/// Lines are folded before they grow longer than this, if a capability is not longer itself.
const LAST_COLUMN: usize = 72;

/// Read `printcap` entries (`name|alias:capability:capability…`) as `printers`. A backslash at the end of a line
/// continues it.
///
/// Properties: `name` with the aliases, and one for each capability: `key=text` has the text as its value, `key#number`
/// the value `#number`, and a flag no value. A capability that is given again adds a value. Escapes of three octal
/// digits are replaced, others stay as they are.
pub fn read_printcap(input: impl BufRead) -> impl Iterator<Item = Result<Record, Problem>> {
    each_joined(input, Joined::Backslash, printer)
}

/// Write `printers` as `printcap` entries. Access rules, whose names begin with `_`, are no capabilities.
pub fn write_printcap<W: Write>(out: W) -> impl RecordWriter {
    TextWriter::new(out, "printers", |draft: &mut Draft<'_>, text: &mut Vec<u8>| {
        let names = draft.good("name", |name| !name.is_empty() && !name.contains(&0));
        match (draft.record().first("name"), names.as_slice()) {
            (Some(first), [name, ..]) if first == *name => {}
            _ => return Err(NO_NAME),
        }
        for (position, name) in names.into_iter().enumerate() {
            if position > 0 {
                text.push(b'|');
            }
            push_octal(text, name, |place, byte| {
                is_escaped(name, place) || byte == b'|' || (place == 0 && b"#+".contains(&byte))
            });
        }
        text.push(b':');
        let mut column = LAST_COLUMN;
        let record = draft.record();
        for (position, (key, values)) in record.properties.iter().enumerate() {
            let repeated = record.properties[..position].iter().any(|(known, _)| known == key);
            if key == b"name" || repeated || !is_key(key) {
                continue;
            }
            draft.settle(key);
            let Some(word) = capability(key, values) else {
                draft.lose(key, BAD_VALUE);
                continue;
            };
            if values.len() > 1 {
                draft.lose(key, ONE_VALUE);
            }
            column += word.len();
            if column > LAST_COLUMN {
                text.extend_from_slice(b"\\\n\t:");
                column = word.len() + 9;
            }
            text.extend(word);
        }
        text.push(b'\n');
        Ok(())
    })
}

fn printer(line: Line<'_>) -> Result<Record, Problem> {
    let mut fields = line.text.split(|byte| *byte == b':').map(<[u8]>::trim_ascii);
    let names = fields.next().unwrap_or_default();
    if names.starts_with(b"+") {
        return Err(line.problem("line", Reason::Nis));
    }
    let names = names.split(|byte| *byte == b'|').map(|name| plain(line, "name", name.trim_ascii()));
    let mut names: Vec<_> = names.collect::<Result<_, _>>()?;
    names.retain(|name| !name.is_empty());
    if names.is_empty() {
        return Err(line.problem("name", Reason::Missing));
    }
    let mut record = Record::new("printers", line.number).with_values("name", names);
    let mut places: HashMap<Vec<u8>, usize> = HashMap::new();
    for field in fields.filter(|field| !field.is_empty()) {
        let end = field.iter().position(|byte| b"=#".contains(byte)).unwrap_or(field.len());
        let (key, rest) = field.split_at(end);
        if !is_key(key) || key == b"name" {
            let what = format!("\"{}\" cannot be the name of a capability", shown(key));
            return Err(line.problem("line", Reason::Malformed(what)));
        }
        let value = match rest {
            [b'=', text @ ..] => Some(plain(line, "line", text)?),
            [] => None,
            number => Some(plain(line, "line", number)?),
        };
        let place = *places.entry(key.to_vec()).or_insert(record.properties.len());
        match record.properties.get_mut(place) {
            Some((_, values)) => values.extend(value),
            None => record.properties.push((key.to_vec(), value.into_iter().collect())),
        }
    }
    Ok(record)
}

/// `key=text:`, `key#number:` or `key:`; `None` if the value cannot be written.
fn capability(key: &[u8], values: &[Vec<u8>]) -> Option<Vec<u8>> {
    let mut word = key.to_vec();
    if let Some(value) = values.first() {
        if value.contains(&0) {
            return None;
        }
        if !value.starts_with(b"#") {
            word.push(b'=');
        }
        push_octal(&mut word, value, |place, _| is_escaped(value, place));
    }
    word.push(b':');
    Some(word)
}

/// Whether a byte of a text must be escaped: the separator, the end of a line, blanks at the ends, and a backslash that
/// would begin an escape or continue the line.
fn is_escaped(text: &[u8], place: usize) -> bool {
    match text[place] {
        b':' | b'\n' | b'\r' => true,
        b'\\' => text.get(place + 1).is_none_or(u8::is_ascii_digit),
        byte => byte.is_ascii_whitespace() && (place == 0 || place + 1 == text.len()),
    }
}

/// Whether a property can be a capability.
fn is_key(key: &[u8]) -> bool {
    !key.is_empty()
        && !key.starts_with(b"_")
        && !key.iter().any(|byte| byte.is_ascii_whitespace() || b"=#:\\|\0".contains(byte))
}

fn plain(line: Line<'_>, field: &'static str, text: &[u8]) -> Result<Vec<u8>, Problem> {
    let plain = without_octal(text);
    if plain.contains(&0) { Err(line.problem(field, Reason::Nul)) } else { Ok(plain) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flat::draft::written;

    #[test]
    fn capabilities_are_properties() {
        let text = "laser|lp| 2nd floor :\\\n\t:lp=:mx#0:sh:\\\n\t:rm=a\\072b:sh:rm=c:\n:x:\na|b:name=c:\nc:=d:\nd\n\
                    e:a=\\000:\n+:\n";
        let found: Vec<_> = read_printcap(text.as_bytes())
            .map(|item| item.map_or_else(|problem| problem.to_string(), |record| format!("{record:?}")))
            .collect();
        assert_eq!(
            found,
            [
                r##"printers:1 { name: "laser" "lp" "2nd floor" lp: "" mx: "#0" sh: rm: "a:b" "c" }"##,
                "line 4: name: missing",
                "line 5: line: \"name\" cannot be the name of a capability",
                "line 6: line: \"\" cannot be the name of a capability",
                r#"printers:7 { name: "d" }"#,
                "line 8: line: contains a NUL byte",
                "line 9: line: NIS line skipped",
            ]
        );
    }

    #[test]
    fn capabilities_are_written_with_escapes() {
        let records = [
            Record::new("printers", 1)
                .with_values("name", ["a|b", "c:", ""].map(Into::into).to_vec())
                .with_values("sh", vec![])
                .with("lp", "")
                .with("mx", "#0")
                .with("uri", "ipp://x:631/\\1\\")
                .with_values("two", vec![b"1".to_vec(), b"2".to_vec()])
                .with("note", " a b ")
                .with("_writers", "ana")
                .with("no key", "x")
                .with("nul", "\0"),
            Record::new("printers", 2).with_values("name", vec![vec![], b"x".to_vec()]),
        ];
        let (text, losses) = written(|out, losses| {
            let mut writer = write_printcap(out);
            records.iter().for_each(|record| writer.write(record, losses).unwrap());
        });
        assert_eq!(
            text,
            "a\\174b|c\\072:\\\n\t:sh:lp=:mx#0:uri=ipp\\072//x\\072631/\\1341\\134:two=1:\\\n\t:note=\\040a b\\040:\n"
        );
        let losses: Vec<_> = losses.iter().map(|loss| loss.split(": ").nth(1).unwrap()).collect();
        assert_eq!(losses, ["name", "two", "nul", "_writers", "no key", "left out"]);
        let record = read_printcap(text.as_bytes()).next().unwrap().unwrap();
        assert_eq!(record.first("uri"), records[0].first("uri"));
        assert_eq!(record.first("note"), records[0].first("note"));
    }
}
