//! `aliases` of the mail system.

use super::draft::{Draft, NO_NAME, SEPARATOR, TextWriter, Why};
use super::joined::{Joined, each_joined};
use super::words::{comma_parts, is_comma_part, outside_quotes};
use crate::lines::Line;
use crate::problem::{Problem, Reason};
use crate::record::Record;
use crate::writer::RecordWriter;
use std::io::{BufRead, Write};

/// Lines are folded before they grow longer than this, if a member is not longer itself.
const LAST_COLUMN: usize = 78;

const QUOTED: Why = "a member gets quotes, without which it would be taken apart";

/// Read `aliases` lines (`name: member, member…`) as `aliases`. A line that begins with a blank continues the one
/// before.
///
/// Properties: `name`, without quotes around it; `members` as they stand, with their quotes, because pipes and paths
/// need them.
pub fn read_aliases(input: impl BufRead) -> impl Iterator<Item = Result<Record, Problem>> {
    each_joined(input, Joined::Indented, alias)
}

/// Write `aliases` as `aliases` lines. A member that a mail system would take apart gets quotes.
pub fn write_aliases<W: Write>(out: W) -> impl RecordWriter {
    TextWriter::new(out, "aliases", |draft: &mut Draft<'_>, text: &mut Vec<u8>| {
        match draft.one("name") {
            None | Some([]) => return Err(NO_NAME),
            Some(name) if name.iter().any(|byte| b"\n\0".contains(byte)) => return Err(SEPARATOR),
            Some(name)
                if name.iter().any(|byte| b" \t\r\x0c:,\"\\()".contains(byte))
                    || b"#+".contains(&name[0]) =>
            {
                push_in_quotes(text, name);
            }
            Some(name) => text.extend_from_slice(name),
        }
        text.push(b':');
        let members = draft.good("members", |member| {
            !member.is_empty() && !member.iter().any(|byte| b"\n\0".contains(byte))
        });
        if members.is_empty() {
            return Err("it has no members");
        }
        let mut column = text.len();
        let last = members.len() - 1;
        for (position, member) in members.into_iter().enumerate() {
            let mut word = Vec::new();
            // A backslash at the end of a line would take the next line in.
            if is_comma_part(member) && (position < last || !member.ends_with(b"\\")) {
                word.extend_from_slice(member);
            } else {
                draft.lose("members", QUOTED);
                push_in_quotes(&mut word, member);
            }
            if position > 0 {
                text.push(b',');
            }
            column += word.len() + 2;
            // A folded line must not begin like a comment.
            if position > 0 && column > LAST_COLUMN && !word.starts_with(b"#") {
                text.extend_from_slice(b"\n\t");
                column = word.len() + 8;
            } else {
                text.push(b' ');
            }
            text.extend(word);
        }
        text.push(b'\n');
        Ok(())
    })
}

fn alias(line: Line<'_>) -> Result<Record, Problem> {
    if line.text.starts_with(b"+") {
        return Err(line.problem("line", Reason::Nis));
    }
    let colon = outside_quotes(line.text, b':').ok_or_else(|| line.problem("members", Reason::Missing))?;
    let name = unquoted(line.text[..colon].trim_ascii());
    if name.is_empty() {
        return Err(line.problem("name", Reason::Missing));
    }
    let members: Vec<_> = comma_parts(&line.text[colon + 1..]).into_iter().map(<[u8]>::to_vec).collect();
    if members.is_empty() {
        return Err(line.problem("members", Reason::Missing));
    }
    if !members.iter().all(|member| is_comma_part(member)) {
        return Err(line.problem("members", Reason::Malformed("a quote is not closed".to_owned())));
    }
    Ok(Record::new("aliases", line.number).with("name", name).with_values("members", members))
}

/// Text without the quotes around it and the escapes in them.
fn unquoted(text: &[u8]) -> Vec<u8> {
    let Some(inner) = text.strip_prefix(b"\"").and_then(|rest| rest.strip_suffix(b"\"")) else {
        return text.to_vec();
    };
    let mut escaped = false;
    let mut plain = inner.to_vec();
    plain.retain(|byte| {
        escaped = *byte == b'\\' && !escaped;
        !escaped
    });
    plain
}

fn push_in_quotes(text: &mut Vec<u8>, plain: &[u8]) {
    text.push(b'"');
    for byte in plain {
        if b"\"\\".contains(byte) {
            text.push(b'\\');
        }
        text.push(*byte);
    }
    text.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flat::draft::{BAD_VALUE, written};

    #[test]
    fn names_and_members_may_be_quoted() {
        let text = "a: \"|/bin/x -l a, b\",/var/mail/a,\n  c \n\"q \\\" n\": \\root\nb\n: x\nc: ,\n+:+\ne: \"f\nd: :include:/e:f\n";
        let found: Vec<_> = read_aliases(text.as_bytes())
            .map(|item| item.map_or_else(|problem| problem.to_string(), |record| format!("{record:?}")))
            .collect();
        assert_eq!(
            found,
            [
                r#"aliases:1 { name: "a" members: "\"|/bin/x -l a, b\"" "/var/mail/a" "c" }"#,
                r#"aliases:3 { name: "q \" n" members: "\\root" }"#,
                "line 4: members: missing",
                "line 5: name: missing",
                "line 6: members: missing",
                "line 7: line: NIS line skipped",
                "line 8: members: a quote is not closed",
                r#"aliases:9 { name: "d" members: ":include:/e:f" }"#,
            ]
        );
    }

    #[test]
    fn what_would_be_taken_apart_is_quoted() {
        let members = ["a", "|/bin/x a, b", "#c", "", "e\nf", "\"g,h\"", "d\\"];
        let records = [
            Record::new("aliases", 1)
                .with("name", "two words")
                .with_values("members", members.map(Into::into).to_vec())
                .with("gid", "1"),
            Record::new("aliases", 2).with("name", "none").with_values("members", vec![]),
            Record::new("aliases", 3).with("name", "x\ny").with("members", "a"),
        ];
        let (text, losses) = written(|out, losses| {
            let mut writer = write_aliases(out);
            records.iter().for_each(|record| writer.write(record, losses).unwrap());
        });
        assert_eq!(text, "\"two words\": a, \"|/bin/x a, b\", #c, \"g,h\", \"d\\\\\"\n");
        assert_eq!(
            losses,
            [
                format!("record 1: members: {BAD_VALUE}"),
                format!("record 1: members: {QUOTED}"),
                format!("record 1: members: {QUOTED}"),
                "record 1: gid: the format has no place for it".to_owned(),
                "record 2: left out: it has no members".to_owned(),
                "record 3: left out: a field holds a separator of the format or the end of a line".to_owned(),
            ]
        );
    }

    #[test]
    fn long_lists_are_folded() {
        let members: Vec<Vec<u8>> =
            (0..20).map(|number| format!("member{number}@example.org").into_bytes()).collect();
        let record = Record::new("aliases", 1).with("name", "all").with_values("members", members);
        let (text, losses) = written(|out, losses| write_aliases(out).write(&record, losses).unwrap());
        assert!(losses.is_empty() && text.lines().count() > 5);
        assert!(text.lines().all(|line| line.len() <= LAST_COLUMN));
        assert_eq!(read_aliases(text.as_bytes()).collect::<Vec<_>>(), [Ok(record)]);
    }
}
