//! `netgroup`.

use super::draft::{Draft, TextWriter, is_word};
use super::joined::{Joined, each_joined};
use crate::lines::Line;
use crate::problem::{Problem, Reason, shown};
use crate::record::Record;
use crate::writer::RecordWriter;
use std::collections::HashSet;
use std::io::{BufRead, Write};

/// The lists that NetInfo has for the fields of triples, in their order.
const LISTS: [&str; 3] = ["hosts", "users", "domains"];

/// A field that nothing matches.
const NOTHING: &[u8] = b"-";

/// Read `netgroup` lines (`name (host,user,domain)… group…`) as `netgroups`. A backslash at the end of a line continues
/// it.
///
/// Properties, each only if it has values: `netgrouptriplet` with the triples, in parentheses and without blanks;
/// `netgroups` with the names of other groups; `hosts`, `users` and `domains` with what stands in the fields of the
/// triples, for readers who know nothing of triples. A group may be empty or contain itself by way of others.
pub fn read_netgroup(input: impl BufRead) -> impl Iterator<Item = Result<Record, Problem>> {
    each_joined(input, Joined::Backslash, netgroup)
}

/// Write `netgroups` as `netgroup` lines. Hosts, users and domains that no triple mentions get triples of their own, as
/// `(host,-,-)`.
pub fn write_netgroup<W: Write>(out: W) -> impl RecordWriter {
    TextWriter::new(out, "netgroups", |draft: &mut Draft<'_>, text: &mut Vec<u8>| {
        let name = *draft.names(is_group_name)?.first().ok_or("it has no name")?;
        if draft.record().values("name").len() > 1 {
            draft.lose("name", "the format has room for one name");
        }
        text.extend_from_slice(name);
        let triples = draft.good("netgrouptriplet", |triple| triple_fields(triple).is_ok());
        let triples: Vec<[&[u8]; 3]> =
            triples.into_iter().filter_map(|triple| triple_fields(triple).ok()).collect();
        for [host, user, domain] in &triples {
            text.extend_from_slice(&[b" (", *host, b",", *user, b",", *domain, b")"].concat());
        }
        for (place, property) in LISTS.into_iter().enumerate() {
            let known: HashSet<&[u8]> = triples.iter().map(|triple| triple[place]).collect();
            for value in draft.good(property, is_field).into_iter().filter(|value| !known.contains(value)) {
                let mut fields = [NOTHING; 3];
                fields[place] = value;
                text.extend_from_slice(&[b" (", fields.join(&b","[..]).as_slice(), b")"].concat());
            }
        }
        for group in draft.good("netgroups", is_group_name) {
            text.push(b' ');
            text.extend_from_slice(group);
        }
        text.push(b'\n');
        Ok(())
    })
}

fn netgroup(line: Line<'_>) -> Result<Record, Problem> {
    let mut rest = line.text;
    let name = word(&mut rest);
    if name.starts_with(b"+") {
        return Err(line.problem("line", Reason::Nis));
    }
    if name.is_empty() {
        return Err(line.problem("name", Reason::Missing));
    }
    let (mut triples, mut groups) = (Values::default(), Values::default());
    let mut lists: [Values; 3] = Default::default();
    loop {
        rest = rest.trim_ascii_start();
        match rest {
            [] | [b'#', ..] => break,
            [b'(', ..] => {
                let end = rest.iter().position(|byte| *byte == b')');
                let end = end.ok_or_else(|| malformed(line, "a triple is not closed".to_owned()))?;
                let (triple, after) = rest.split_at(end + 1);
                let fields = triple_fields(triple).map_err(|what| malformed(line, what))?;
                triples.add([b"(", fields.join(&b","[..]).as_slice(), b")"].concat());
                for (list, field) in lists.iter_mut().zip(fields) {
                    if !field.is_empty() && field != NOTHING {
                        list.add(field.to_vec());
                    }
                }
                rest = after;
            }
            [b')', ..] => return Err(malformed(line, "a closing parenthesis without a triple".to_owned())),
            _ => groups.add(word(&mut rest).to_vec()),
        }
    }
    let mut record = Record::new("netgroups", line.number).with("name", name);
    let lists = LISTS.into_iter().zip(lists);
    for (property, values) in
        [("netgrouptriplet", triples)].into_iter().chain(lists).chain([("netgroups", groups)])
    {
        if !values.list.is_empty() {
            record = record.with_values(property, values.list);
        }
    }
    Ok(record)
}

/// Values in their order, each once.
#[derive(Default)]
struct Values {
    list: Vec<Vec<u8>>,
    known: HashSet<Vec<u8>>,
}

impl Values {
    fn add(&mut self, value: Vec<u8>) {
        if self.known.insert(value.clone()) {
            self.list.push(value);
        }
    }
}

fn malformed(line: Line<'_>, what: String) -> Problem {
    line.problem("netgrouptriplet", Reason::Malformed(what))
}

/// Takes a word off: up to a blank or a parenthesis.
fn word<'a>(rest: &mut &'a [u8]) -> &'a [u8] {
    let is_end = |byte: &u8| byte.is_ascii_whitespace() || b"()".contains(byte);
    let end = rest.iter().position(is_end).unwrap_or(rest.len());
    let (word, after) = rest.split_at(end);
    *rest = after;
    word
}

/// The fields of `(host,user,domain)`, without blanks around them.
fn triple_fields(triple: &[u8]) -> Result<[&[u8]; 3], String> {
    let inner = triple.strip_prefix(b"(").and_then(|rest| rest.strip_suffix(b")"));
    let fields =
        inner.map(|inner| inner.split(|byte| *byte == b',').map(<[u8]>::trim_ascii).collect::<Vec<_>>());
    match fields.as_deref() {
        Some(&[host, user, domain])
            if [host, user, domain].iter().all(|field| field.is_empty() || is_field(field)) =>
        {
            Ok([host, user, domain])
        }
        _ => Err(format!("\"{}\" is no triple of host, user and domain", shown(triple))),
    }
}

/// Whether text can stand between the commas of a triple.
fn is_field(text: &[u8]) -> bool {
    !text.is_empty() && !text.iter().any(|byte| byte.is_ascii_whitespace() || b"(),\\\0".contains(byte))
}

fn is_group_name(name: &[u8]) -> bool {
    is_word(name)
        && !name.starts_with(b"+")
        && !name.ends_with(b"\\")
        && !name.iter().any(|byte| b"()".contains(byte))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flat::draft::written;

    #[test]
    fn triples_and_groups_are_told_apart() {
        let text = "a ( h , u ,d )(h,-,) b(,,)b # c\nempty\nx (h,u)\ny (h,u,d\nz )\n(a,b,c)\n+\nw (a b,,)\n";
        let found: Vec<_> = read_netgroup(text.as_bytes())
            .map(|item| item.map_or_else(|problem| problem.to_string(), |record| format!("{record:?}")))
            .collect();
        assert_eq!(
            found,
            [
                "netgroups:1 { name: \"a\" netgrouptriplet: \"(h,u,d)\" \"(h,-,)\" \"(,,)\" hosts: \"h\" users: \"u\" \
                 domains: \"d\" netgroups: \"b\" }",
                "netgroups:2 { name: \"empty\" }",
                "line 3: netgrouptriplet: \"(h,u)\" is no triple of host, user and domain",
                "line 4: netgrouptriplet: a triple is not closed",
                "line 5: netgrouptriplet: a closing parenthesis without a triple",
                "line 6: name: missing",
                "line 7: line: NIS line skipped",
                "line 8: netgrouptriplet: \"(a b,,)\" is no triple of host, user and domain",
            ]
        );
    }

    #[test]
    fn lists_without_triples_get_triples() {
        let values = |values: &[&str]| values.iter().map(|value| value.as_bytes().to_vec()).collect();
        let records = [
            Record::new("netgroups", 1)
                .with("name", "a")
                .with_values("netgrouptriplet", values(&["(h1,u1,)", "(h2)"]))
                .with_values("hosts", values(&["h1", "h3"]))
                .with_values("users", values(&["u1", "u,2"]))
                .with_values("domains", values(&["d"]))
                .with_values("netgroups", values(&["b", "(", "c d"])),
            Record::new("netgroups", 2).with("name", "+x"),
        ];
        let (text, losses) = written(|out, losses| {
            let mut writer = write_netgroup(out);
            records.iter().for_each(|record| writer.write(record, losses).unwrap());
        });
        assert_eq!(text, "a (h1,u1,) (h3,-,-) (-,-,d) b\n");
        let losses: Vec<_> = losses.iter().map(|loss| loss.split(": ").nth(1).unwrap()).collect();
        assert_eq!(losses, ["netgrouptriplet", "users", "netgroups", "left out"]);
    }
}
