//! `resolv.conf`.

use super::draft::{Draft, ONE_VALUE, TextWriter, is_word, join};
use crate::lines::Lines;
use crate::problem::{Problem, Reason, shown};
use crate::record::Record;
use crate::writer::RecordWriter;
use std::io::{BufRead, Write};
use std::net::IpAddr;

/// The name of the one record, a child of `locations`.
const NAME: &str = "resolver";

/// Keywords whose lines add up; of all others the last line counts.
const ADDED: [&str; 2] = ["nameserver", "options"];

/// Keywords with one word behind them.
const ONE_WORD: [&str; 5] = ["domain", "nameserver", "port", "timeout", "search_order"];

/// All keywords, in the order of the properties and of the lines that are written.
const KEYWORDS: [&str; 8] =
    ["domain", "search", "nameserver", "sortlist", "options", "port", "timeout", "search_order"];

/// Read `resolv.conf` as the record `resolver` of `locations`, if it says anything.
///
/// Properties: `name`, and one for each keyword with the words behind it as values: `domain`, `search`, `nameserver`,
/// `sortlist`, `options`, and the `port`, `timeout` and `search_order` of Mac OS X. Lines of `nameserver` and `options`
/// add up; of others the last counts, as for resolvers. Comments begin with `#` or `;`.
pub fn read_resolv_conf(input: impl BufRead) -> impl Iterator<Item = Result<Record, Problem>> {
    let mut lines = Lines::new(input);
    let mut found: [Vec<Vec<u8>>; KEYWORDS.len()] = Default::default();
    let mut first_line = None;
    std::iter::from_fn(move || {
        while let Some(line) = lines.next() {
            let line = match line {
                Ok(line) if line.text.starts_with(b";") => continue,
                Ok(line) => line,
                Err(problem) => return Some(Err(problem)),
            };
            let mut words = line.words().take_while(|word| !word.starts_with(b";"));
            let keyword = words.next().unwrap_or_default();
            let Some(place) = KEYWORDS.iter().position(|known| known.as_bytes() == keyword) else {
                let what = format!("\"{}\" is not a keyword of the format", shown(keyword));
                return Some(Err(line.problem("line", Reason::Malformed(what))));
            };
            let keyword = KEYWORDS[place];
            let words: Vec<Vec<u8>> = words.map(<[u8]>::to_vec).collect();
            if let Err(reason) = check(keyword, &words) {
                return Some(Err(line.problem(keyword, reason)));
            }
            first_line.get_or_insert(line.number);
            if !ADDED.contains(&keyword) {
                found[place].clear();
            }
            for word in words {
                if !found[place].contains(&word) {
                    found[place].push(word);
                }
            }
            if found[place].len() > crate::MAX_MERGED_VALUES {
                found[place].truncate(crate::MAX_MERGED_VALUES);
                return Some(Err(line.problem(keyword, Reason::TooManyValues)));
            }
        }
        let mut record = Record::new("locations", first_line.take()?).with("name", NAME);
        for (keyword, values) in KEYWORDS.iter().zip(&mut found).filter(|(_, values)| !values.is_empty()) {
            record = record.with_values(keyword, std::mem::take(values));
        }
        Some(Ok(record))
    })
}

/// Write the record `resolver` of `locations` as `resolv.conf`.
pub fn write_resolv_conf<W: Write>(out: W) -> impl RecordWriter {
    TextWriter::new(out, "locations", |draft: &mut Draft<'_>, text: &mut Vec<u8>| {
        if draft.one("name") != Some(NAME.as_bytes()) {
            return Err("it is not the resolver");
        }
        for keyword in KEYWORDS {
            let is_good = |word: &[u8]| is_word(word) && !word.starts_with(b";");
            let mut words =
                draft.good(keyword, |word| is_good(word) && (keyword != "nameserver" || is_address(word)));
            if ONE_WORD.contains(&keyword) && !ADDED.contains(&keyword) && words.len() > 1 {
                words.truncate(1);
                draft.lose(keyword, ONE_VALUE);
            }
            match keyword {
                "nameserver" => {
                    for server in words {
                        join(text, [keyword.as_bytes(), server], b" ");
                        text.push(b'\n');
                    }
                }
                _ if !words.is_empty() => {
                    join(text, [keyword.as_bytes()].into_iter().chain(words), b" ");
                    text.push(b'\n');
                }
                _ => {}
            }
        }
        if text.is_empty() { Err("it says nothing that the format knows") } else { Ok(()) }
    })
}

fn check(keyword: &str, words: &[Vec<u8>]) -> Result<(), Reason> {
    match words {
        [] => Err(Reason::Missing),
        [_, _, ..] if ONE_WORD.contains(&keyword) => Err(Reason::TooManyFields(2)),
        [server, ..] if keyword == "nameserver" && !is_address(server) => {
            Err(Reason::NotAnAddress(shown(server)))
        }
        _ => Ok(()),
    }
}

/// Whether text is an IP address, perhaps with a scope behind `%`.
fn is_address(text: &[u8]) -> bool {
    let Ok(text) = str::from_utf8(text) else { return false };
    let (address, scoped) =
        text.split_once('%').map_or((text, false), |(address, scope)| (address, !scope.is_empty()));
    match address.parse::<IpAddr>() {
        Ok(IpAddr::V6(_)) => scoped || address.len() == text.len(),
        Ok(IpAddr::V4(_)) => address.len() == text.len(),
        Err(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flat::draft::written;

    #[test]
    fn a_file_is_one_record() {
        let text = "; c\ndomain a.example\nsearch a.example b.example\nnameserver 192.0.2.1 # c\nnameserver fe80::1%en0\n\
                    options ndots:2\noptions rotate ndots:2\nsearch c.example\nnameserver x\nnameserver\nlookup file\n\
                    nameserver 1.2.3.4%en0\ndomain a b\n";
        let found: Vec<_> = read_resolv_conf(text.as_bytes())
            .map(|item| item.map_or_else(|problem| problem.to_string(), |record| format!("{record:?}")))
            .collect();
        assert_eq!(
            found,
            [
                "line 9: nameserver: \"x\" is not an address",
                "line 10: nameserver: missing",
                "line 11: line: \"lookup\" is not a keyword of the format",
                "line 12: nameserver: \"1.2.3.4%en0\" is not an address",
                "line 13: domain: more than 2 fields",
                "locations:2 { name: \"resolver\" domain: \"a.example\" search: \"c.example\" nameserver: \"192.0.2.1\" \
                 \"fe80::1%en0\" options: \"ndots:2\" \"rotate\" }",
            ]
        );
        assert_eq!(read_resolv_conf(&b"# nothing\n"[..]).count(), 0);
    }

    #[test]
    fn the_resolver_is_written() {
        let values =
            |values: &[&str]| values.iter().map(|value| value.as_bytes().to_vec()).collect::<Vec<_>>();
        let records = [
            Record::new("locations", 1)
                .with("name", "resolver")
                .with_values("nameserver", values(&["192.0.2.1", "ns.example"]))
                .with_values("domain", values(&["a.example", "b.example"]))
                .with_values("search", values(&["a.example", "b.example"]))
                .with("agents", "NI"),
            Record::new("locations", 2).with("name", "lookupd"),
        ];
        let (text, losses) = written(|out, losses| {
            let mut writer = write_resolv_conf(out);
            records.iter().for_each(|record| writer.write(record, losses).unwrap());
        });
        assert_eq!(text, "domain a.example\nsearch a.example b.example\nnameserver 192.0.2.1\n");
        let losses: Vec<_> = losses.iter().map(|loss| loss.split(": ").nth(1).unwrap()).collect();
        assert_eq!(losses, ["domain", "nameserver", "agents", "left out"]);
    }
}
