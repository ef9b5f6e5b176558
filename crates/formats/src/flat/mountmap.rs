//! Maps of the automounter: `auto_master`, `auto.home` and their like.

use super::draft::{COMMENT, Draft, ELSEWHERE, NO_NAME, SEPARATOR, Why, compose, left_out};
use super::joined::{Comments, Entries, Entry, Joined};
use super::words::{Escapes, comma_parts, is_comma_part, push_quoted, quoted_words};
use crate::problem::{Problem, Reason};
use crate::record::{Place, Record};
use crate::writer::{Loss, RecordWriter};
use std::io::{self, BufRead, Write};

/// The map that is read where nobody says which one it is.
pub const DEFAULT_MAP: &str = "auto_home";

/// Where the maps stand.
const CONTAINER: &str = "mountmaps";

/// Read the map `map` of an automounter. A backslash at the end of a line continues it.
///
/// The first record is the map, a child of `mountmaps` with the property `name` alone; the others are its entries and
/// stand below it. An entry (`key -option,option location…`) has `name` (the key), `opts` with one option a value if
/// there are any, and `fsname` with all the words behind. In a master map, whose name ends in `master`, the options
/// stand behind the map that a mount point gets (`mount point map -option…`).
pub fn read_mountmap<R: BufRead>(
    input: R,
    map: &str,
) -> impl Iterator<Item = Result<Record, Problem>> + use<R> {
    let mut entries = Entries::new(input, Joined::Backslash, Comments::Anywhere);
    let master = is_master(map.as_bytes());
    let mut first = Some(Record::new(CONTAINER, 1).with("name", map));
    std::iter::from_fn(move || {
        if let Some(map) = first.take() {
            return Some(Ok(map));
        }
        entries.next().map(|entry| map_entry(&entry?, master))
    })
}

/// Write the entries of one map. The map itself, as a child of `mountmaps` or as the root of the records, comes before
/// its entries, and a second map is left out.
pub fn write_mountmap<W: Write>(out: W) -> impl RecordWriter {
    MapWriter { out, records: 0, map: None, text: Vec::new() }
}

struct MapWriter<W> {
    out: W,
    /// How many records there were, which is the number of the next.
    records: u64,
    /// The number of the map, and whether it is a master map.
    map: Option<(u64, bool)>,
    text: Vec<u8>,
}

impl<W: Write> RecordWriter for MapWriter<W> {
    fn write(&mut self, record: &Record, losses: &mut Vec<Loss>) -> io::Result<()> {
        let number = self.records;
        self.records += 1;
        match (record.place, self.map) {
            (Place::In(CONTAINER) | Place::Root, None) => {
                self.map = Some((number, is_master(record.first("name").unwrap_or_default())));
                // The name is that of the file.
                compose(record, &mut self.text, losses, |draft, _| {
                    draft.one("name");
                    Ok(())
                });
            }
            (Place::In(CONTAINER) | Place::Root, Some(_)) => {
                losses.push(left_out(record, "a file holds one map"));
            }
            (Place::Below(parent), Some((map, master))) if parent == map => {
                if compose(record, &mut self.text, losses, |draft, text| compose_entry(draft, text, master)) {
                    self.out.write_all(&self.text)?;
                }
            }
            _ => losses.push(left_out(record, ELSEWHERE)),
        }
        Ok(())
    }

    fn finish(&mut self, _losses: &mut Vec<Loss>) -> io::Result<()> {
        self.out.flush()
    }
}

fn compose_entry(draft: &mut Draft<'_>, text: &mut Vec<u8>, master: bool) -> Result<(), Why> {
    match draft.one("name") {
        None | Some([]) => return Err(NO_NAME),
        Some([b'+', ..]) => return Err(COMMENT),
        Some(name) if !is_text(name) => return Err(SEPARATOR),
        Some(name) => push_quoted(text, name, Escapes::Plain),
    }
    let opts = draft.good("opts", |opt| is_text(opt) && is_comma_part(opt)).join(&b","[..]);
    let locations = draft.good("fsname", is_text);
    let Some((first, rest)) = locations.split_first() else { return Err("it has no location") };
    let mut words = vec![*first];
    words.extend(rest);
    let opts = [b"-", opts.as_slice()].concat();
    if opts.len() > 1 {
        words.insert(usize::from(master), &opts);
    } else if words.get(usize::from(master)).is_some_and(|word| word.starts_with(b"-")) {
        return Err("its location would be read as options");
    }
    for word in words {
        text.push(b'\t');
        push_quoted(text, word, Escapes::Plain);
    }
    text.push(b'\n');
    Ok(())
}

fn map_entry(entry: &Entry, master: bool) -> Result<Record, Problem> {
    let line = entry.line();
    if line.text.starts_with(b"+") {
        return Err(line.problem("line", Reason::Nis));
    }
    let words = quoted_words(line.text, Escapes::Plain).map_err(|reason| line.problem("line", reason))?;
    let mut words = words.into_iter();
    let name = words.next().filter(|name| !name.is_empty());
    let name = name.ok_or_else(|| line.problem("name", Reason::Missing))?;
    let mut locations: Vec<Vec<u8>> = words.collect();
    let place = usize::from(master);
    let mut opts = Vec::new();
    if let Some(word) = locations.get(place)
        && let Some(text) = word.strip_prefix(b"-")
    {
        opts = comma_parts(text).into_iter().map(<[u8]>::to_vec).collect();
        locations.remove(place);
    }
    if locations.is_empty() || locations.iter().any(Vec::is_empty) {
        return Err(line.problem("fsname", Reason::Missing));
    }
    let mut record = Record::new(CONTAINER, line.number).with("name", name);
    record.place = Place::Below(0);
    if !opts.is_empty() {
        record = record.with_values("opts", opts);
    }
    Ok(record.with_values("fsname", locations))
}

fn is_master(map: &[u8]) -> bool {
    map.ends_with(b"master")
}

fn is_text(text: &[u8]) -> bool {
    !text.is_empty() && !text.iter().any(|byte| b"\n\0".contains(byte))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flat::draft::written;

    fn read(text: &str, map: &str) -> Vec<String> {
        read_mountmap(text.as_bytes(), map)
            .map(|item| item.map_or_else(|problem| problem.to_string(), |record| format!("{record:?}")))
            .collect()
    }

    #[test]
    fn entries_stand_below_their_map() {
        let text = "docs -ro,soft srv:/docs # c\n* srv:/home/& \\\n  /sub -rw srv2:\"/a b\"\n+auto_home\nx\ny -ro\n\"\" z\n";
        assert_eq!(
            read(text, "auto_home"),
            [
                r#"mountmaps:1 { name: "auto_home" }"#,
                r#"below 0:1 { name: "docs" opts: "ro" "soft" fsname: "srv:/docs" }"#,
                r#"below 0:2 { name: "*" fsname: "srv:/home/&" "/sub" "-rw" "srv2:/a b" }"#,
                "line 4: line: NIS line skipped",
                "line 5: fsname: missing",
                "line 6: fsname: missing",
                "line 7: name: missing",
            ]
        );
    }

    #[test]
    fn a_master_map_has_options_last() {
        let text = "/net -hosts -nobrowse,nosuid\n/home auto_home\n";
        assert_eq!(
            read(text, "auto_master")[1..],
            [
                r#"below 0:1 { name: "/net" opts: "nobrowse" "nosuid" fsname: "-hosts" }"#,
                r#"below 0:2 { name: "/home" fsname: "auto_home" }"#,
            ]
        );
        let records: Vec<_> = read_mountmap(text.as_bytes(), "auto_master").map(Result::unwrap).collect();
        let (text, losses) = written(|out, losses| {
            let mut writer = write_mountmap(out);
            records.iter().for_each(|record| writer.write(record, losses).unwrap());
        });
        assert_eq!(text, "/net\t-hosts\t-nobrowse,nosuid\n/home\tauto_home\n");
        assert!(losses.is_empty());
    }

    #[test]
    fn what_is_no_entry_of_the_map_is_left_out() {
        let below = |number, name: &str| {
            let mut record = Record::new(CONTAINER, number).with("name", name);
            record.place = Place::Below(0);
            record
        };
        let records = [
            Record::new(CONTAINER, 1).with("name", "auto_home").with("comment", "x"),
            below(2, "a b").with("fsname", "srv:/a").with("opts", "-"),
            below(3, "c"),
            below(4, "d").with("fsname", "-x"),
            below(5, "e").with("opts", "a,b").with("fsname", "srv:/e\n"),
            below(6, "+f").with("fsname", "srv:/f"),
            Record::new(CONTAINER, 7).with("name", "auto_misc"),
            Record { place: Place::Below(6), ..below(8, "g") },
        ];
        let (text, losses) = written(|out, losses| {
            let mut writer = write_mountmap(out);
            records.iter().for_each(|record| writer.write(record, losses).unwrap());
            writer.finish(losses).unwrap();
        });
        assert_eq!(text, "\"a b\"\t--\tsrv:/a\n");
        assert_eq!(
            losses,
            [
                "record 1: comment: the format has no place for it",
                "record 3: left out: it has no location",
                "record 4: left out: its location would be read as options",
                "record 5: left out: it has no location",
                "record 6: left out: its line would be read as a comment or as an NIS line",
                "record 7: left out: a file holds one map",
                "record 8: left out: it stands elsewhere in the tree",
            ]
        );
    }
}
