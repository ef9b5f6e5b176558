//! `exports`.

use super::draft::{Draft, NO_NAME, TextWriter, Why};
use super::joined::{Joined, each_joined};
use super::words::{Escapes, push_quoted, quoted_words};
use crate::lines::Line;
use crate::problem::{Problem, Reason, shown};
use crate::record::Record;
use crate::writer::RecordWriter;
use std::io::{BufRead, Write};

/// Options whose argument is the next word: BSD exports to a network with them.
const WITH_ARGUMENT: [&[u8]; 2] = [b"network", b"mask"];

/// Read `exports` lines (`directory… -option… client…`) as `exports`.
///
/// Properties: `name` with all directories of the line, `opts` without the hyphens, `clients`; the latter two only if
/// there are any. `-network` and `-mask` have their argument in their value, `network 192.0.2.0`. Clients are kept as
/// they stand, so the options in parentheses of Linux stay with theirs. Lines are not merged: the same directory may be
/// exported to several sets of clients.
pub fn read_exports(input: impl BufRead) -> impl Iterator<Item = Result<Record, Problem>> {
    each_joined(input, Joined::Backslash, export)
}

/// Write `exports` as `exports` lines.
pub fn write_exports<W: Write>(out: W) -> impl RecordWriter {
    TextWriter::new(out, "exports", |draft: &mut Draft<'_>, text: &mut Vec<u8>| {
        match draft.record().first("name") {
            None | Some([]) => return Err(NO_NAME),
            Some(name) if !is_directory(name) => return Err(NOT_A_DIRECTORY),
            Some(_) => {}
        }
        for (position, directory) in draft.good("name", is_directory).into_iter().enumerate() {
            if position > 0 {
                text.push(b' ');
            }
            push_quoted(text, directory, Escapes::Octal);
        }
        let has_argument = |opt: &[u8]| option_with_argument(opt).is_some();
        for opt in
            draft.good("opts", |opt| has_argument(opt) || (is_text(opt) && !WITH_ARGUMENT.contains(&opt)))
        {
            text.extend_from_slice(b" ");
            match option_with_argument(opt) {
                Some((option, argument)) => {
                    text.extend_from_slice(&[b"-", option, b" "].concat());
                    push_quoted(text, argument, Escapes::Octal);
                }
                None => push_quoted(text, &[b"-", opt].concat(), Escapes::Octal),
            }
        }
        for client in draft.good("clients", |client| is_text(client) && !b"-/".contains(&client[0])) {
            text.push(b' ');
            push_quoted(text, client, Escapes::Octal);
        }
        text.push(b'\n');
        Ok(())
    })
}

const NOT_A_DIRECTORY: Why = "its name is no path";

fn export(line: Line<'_>) -> Result<Record, Problem> {
    let words = quoted_words(line.text, Escapes::Octal).map_err(|reason| line.problem("line", reason))?;
    let mut directories = Vec::new();
    let mut opts: Vec<Vec<u8>> = Vec::new();
    let mut clients = Vec::new();
    let mut words = words.into_iter();
    while let Some(word) = words.next() {
        if let Some(opt) = word.strip_prefix(b"-") {
            let mut opt = opt.to_vec();
            if WITH_ARGUMENT.contains(&opt.as_slice()) {
                let argument = words.next().filter(|argument| !argument.is_empty());
                let argument = argument.ok_or_else(|| line.problem("opts", Reason::Missing))?;
                opt.push(b' ');
                opt.extend(argument);
            }
            if opt.is_empty() {
                return Err(line.problem("opts", Reason::Missing));
            }
            opts.push(opt);
        } else if word.starts_with(b"/") && opts.is_empty() && clients.is_empty() {
            directories.push(word);
        } else if directories.is_empty() || word.is_empty() || word.starts_with(b"/") {
            let field = if directories.is_empty() { "name" } else { "clients" };
            let what = if directories.is_empty() { "path" } else { "client" };
            return Err(line.problem(field, Reason::Malformed(format!("\"{}\" is no {what}", shown(&word)))));
        } else {
            clients.push(word);
        }
    }
    if directories.is_empty() {
        return Err(line.problem("name", Reason::Missing));
    }
    let mut record = Record::new("exports", line.number).with_values("name", directories);
    for (property, values) in [("opts", opts), ("clients", clients)] {
        if !values.is_empty() {
            record = record.with_values(property, values);
        }
    }
    Ok(record)
}

/// Text that can stand in a line, in quotes if need be.
fn is_text(text: &[u8]) -> bool {
    !text.is_empty() && !text.iter().any(|byte| b"\n\0".contains(byte))
}

fn is_directory(name: &[u8]) -> bool {
    is_text(name) && name.starts_with(b"/")
}

/// `network 192.0.2.0` in its two parts.
fn option_with_argument(opt: &[u8]) -> Option<(&[u8], &[u8])> {
    let blank = opt.iter().position(|byte| *byte == b' ')?;
    let (option, argument) = (&opt[..blank], &opt[blank + 1..]);
    (WITH_ARGUMENT.contains(&option) && is_text(argument)).then_some((option, argument))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flat::draft::written;

    #[test]
    fn lines_have_directories_options_and_clients() {
        let text = "/a \"/b c\" -ro,-x -maproot=0:1 h1 h2 \\\n  @net\n/srv *.x(rw,sync) 10.0.0.0/8(ro) # c\n\
                    /n -network 192.0.2.0 -mask 255.0.0.0\n/only\nsrv h\n-ro\n/n -network\n/a h /b\n/a -\n/a \"\"\n/a \"h\n";
        let found: Vec<_> = read_exports(text.as_bytes())
            .map(|item| item.map_or_else(|problem| problem.to_string(), |record| format!("{record:?}")))
            .collect();
        assert_eq!(
            found,
            [
                r#"exports:1 { name: "/a" "/b c" opts: "ro,-x" "maproot=0:1" clients: "h1" "h2" "@net" }"#,
                r#"exports:3 { name: "/srv" clients: "*.x(rw,sync)" "10.0.0.0/8(ro)" }"#,
                r#"exports:4 { name: "/n" opts: "network 192.0.2.0" "mask 255.0.0.0" }"#,
                r#"exports:5 { name: "/only" }"#,
                "line 6: name: \"srv\" is no path",
                "line 7: name: missing",
                "line 8: opts: missing",
                "line 9: clients: \"/b\" is no client",
                "line 10: opts: missing",
                "line 11: clients: \"\" is no client",
                "line 12: line: a quote is not closed",
            ]
        );
    }

    #[test]
    fn what_would_be_read_as_something_else_is_left_out() {
        let records = [
            Record::new("exports", 1)
                .with_values("name", ["/a b", "c", "/d\\"].map(Into::into).to_vec())
                .with_values("opts", ["ro", "network 192.0.2.0", "mask", "x y"].map(Into::into).to_vec())
                .with_values("clients", ["#h", "-h", "/h", "h"].map(Into::into).to_vec()),
            Record::new("exports", 2).with("name", "a"),
        ];
        let (text, losses) = written(|out, losses| {
            let mut writer = write_exports(out);
            records.iter().for_each(|record| writer.write(record, losses).unwrap());
        });
        assert_eq!(text, "\"/a b\" /d\\134 -ro -network 192.0.2.0 \"-x y\" \\043h h\n");
        let properties: Vec<_> = losses.iter().map(|loss| loss.split(": ").nth(1).unwrap()).collect();
        assert_eq!(properties, ["name", "opts", "clients", "left out"]);
    }
}
