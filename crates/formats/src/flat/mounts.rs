//! `fstab`.

use super::draft::{Draft, TextWriter, Why};
use super::words::{comma_parts, is_comma_part, push_octal, without_octal};
use crate::lines::Line;
use crate::problem::{Problem, Reason, shown};
use crate::record::Record;
use crate::stream::each;
use crate::writer::RecordWriter;
use std::io::{BufRead, Write};

/// The fields of a line; those from the fourth on may be missing.
const FIELDS: [&str; 6] = ["name", "dir", "vfstype", "opts", "dump_freq", "passno"];

/// Fields that a line must have.
const NEEDED: usize = 3;

/// Read `fstab` lines (`source directory type option,option… dump pass`) as `mounts`; a list of mounted file systems
/// (`mtab`, `/proc/mounts`) has the same form.
///
/// Properties: `name` (the source), `dir`, `vfstype`, `opts` with one option a value, `rw` if there are none,
/// `dump_freq` and `passno`, 0 if missing. Escapes of three octal digits (`\040`) are replaced; in this format alone a value can hold
/// the end of a line.
pub fn read_fstab(input: impl BufRead) -> impl Iterator<Item = Result<Record, Problem>> {
    each(input, |line| {
        let fields: Vec<&[u8]> = line.words().take(FIELDS.len() + 1).collect();
        if fields.len() < NEEDED {
            return Err(line.problem(FIELDS[fields.len()], Reason::Missing));
        }
        if fields.len() > FIELDS.len() {
            return Err(line.problem("line", Reason::TooManyFields(FIELDS.len())));
        }
        let mut record = Record::new("mounts", line.number);
        for (property, field) in FIELDS.iter().zip(&fields).take(NEEDED) {
            record = record.with(property, plain(line, property, field)?);
        }
        let opts = comma_parts(fields.get(3).copied().unwrap_or_default());
        let opts = if opts.is_empty() { vec![&b"rw"[..]] } else { opts };
        let opts: Vec<_> = opts.into_iter().map(|opt| plain(line, "opts", opt)).collect::<Result<_, _>>()?;
        let record = record.with_values("opts", opts);
        let count = |place: usize| count(line, FIELDS[place], fields.get(place).copied().unwrap_or(b"0"));
        Ok(record.with("dump_freq", count(4)?).with("passno", count(5)?))
    })
}

/// Write `mounts` as `fstab` lines. What is missing gets its usual value: the type `nfs`, the option `rw`, 0 for the
/// numbers. The older property names `type` and `freq` are taken where `vfstype` and `dump_freq` are missing.
pub fn write_fstab<W: Write>(out: W) -> impl RecordWriter {
    TextWriter::new(out, "mounts", |draft: &mut Draft<'_>, text: &mut Vec<u8>| {
        for property in ["name", "dir"] {
            let value = draft.one(property).filter(|value| !value.is_empty());
            field(text, value.ok_or("its source or its directory is missing")?)?;
            text.push(b'\t');
        }
        let kind = either(draft, "vfstype", "type").filter(|kind| !kind.is_empty());
        field(text, kind.unwrap_or(b"nfs"))?;
        let escaped = |opt: &[u8]| {
            let mut word = Vec::new();
            field(&mut word, opt).is_ok().then_some(word).filter(|word| is_comma_part(word))
        };
        let opts = draft.good("opts", |opt| escaped(opt).is_some());
        let opts: Vec<_> = opts.into_iter().filter_map(escaped).collect();
        text.push(b'\t');
        text.extend_from_slice(
            if opts.is_empty() { b"rw".to_vec() } else { opts.join(&b","[..]) }.as_slice(),
        );
        let freq = number(draft, "dump_freq", "freq");
        let passno = number(draft, "passno", "passno");
        text.extend_from_slice(format!("\t{freq} {passno}\n").as_bytes());
        Ok(())
    })
}

/// A field without its escapes.
fn plain(line: Line<'_>, field: &'static str, text: &[u8]) -> Result<Vec<u8>, Problem> {
    let plain = without_octal(text);
    if plain.contains(&0) { Err(line.problem(field, Reason::Nul)) } else { Ok(plain) }
}

/// A small number as canonical text.
fn count(line: Line<'_>, field: &'static str, text: &[u8]) -> Result<String, Problem> {
    let number = str::from_utf8(text).ok().and_then(|text| text.parse::<u32>().ok());
    number
        .map(|number| number.to_string())
        .ok_or_else(|| line.problem(field, Reason::NotANumber(shown(text))))
}

fn field(text: &mut Vec<u8>, plain: &[u8]) -> Result<(), Why> {
    if plain.contains(&0) {
        return Err("a value holds a NUL byte");
    }
    push_octal(text, plain, |position, byte| {
        byte.is_ascii_whitespace() || byte == b'\\' || (position == 0 && byte == b'#')
    });
    Ok(())
}

/// The first value of a property, or of its older name.
fn either<'r>(draft: &mut Draft<'r>, property: &'static str, older: &'static str) -> Option<&'r [u8]> {
    match draft.one(property) {
        Some(value) => {
            draft.implied(older, &[value]);
            Some(value)
        }
        None => draft.one(older),
    }
}

fn number(draft: &mut Draft<'_>, property: &'static str, older: &'static str) -> u32 {
    let Some(text) = either(draft, property, older) else { return 0 };
    let number = str::from_utf8(text).ok().and_then(|text| text.parse().ok());
    if number.is_none() {
        draft.lose(property, "not a number");
    }
    number.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flat::draft::written;

    #[test]
    fn missing_fields_have_their_usual_values() {
        let text = "LABEL=x none swap\nsrv:/a\\040b /n nfs rw,,a=\"b,c\" 1\n/dev/x /\n/d / ufs rw x\n/d / ufs rw 1 2 3\n\
                    a\\000 / x\n/d / x - 0 -1\n";
        let found: Vec<_> = read_fstab(text.as_bytes())
            .map(|item| item.map_or_else(|problem| problem.to_string(), |record| format!("{record:?}")))
            .collect();
        assert_eq!(
            found,
            [
                r#"mounts:1 { name: "LABEL=x" dir: "none" vfstype: "swap" opts: "rw" dump_freq: "0" passno: "0" }"#,
                "mounts:2 { name: \"srv:/a b\" dir: \"/n\" vfstype: \"nfs\" opts: \"rw\" \"a=\\\"b,c\\\"\" dump_freq: \"1\" \
                 passno: \"0\" }",
                "line 3: vfstype: missing",
                "line 4: dump_freq: \"x\" is not a number",
                "line 5: line: more than 6 fields",
                "line 6: name: contains a NUL byte",
                "line 7: passno: \"-1\" is not a number",
            ]
        );
    }

    #[test]
    fn mounts_are_written_with_defaults_and_escapes() {
        let records = [
            Record::new("mounts", 1).with("name", "#s:/a b\\").with("dir", "/n\n"),
            Record::new("mounts", 2)
                .with("name", "x")
                .with("dir", "/x")
                .with("type", "ufs")
                .with_values("opts", ["ro", "a,b", "c d"].map(Into::into).to_vec())
                .with("freq", "1")
                .with("dump_freq", "2")
                .with("passno", "last"),
            Record::new("mounts", 3).with("name", "x"),
        ];
        let (text, losses) = written(|out, losses| {
            let mut writer = write_fstab(out);
            records.iter().for_each(|record| writer.write(record, losses).unwrap());
        });
        assert_eq!(text, "\\043s:/a\\040b\\134\t/n\\012\tnfs\trw\t0 0\nx\t/x\tufs\tro,c\\040d\t2 0\n");
        assert_eq!(
            losses,
            [
                "record 2: opts: a value is left out: it holds a separator of the format, or is empty",
                "record 2: passno: not a number",
                "record 2: freq: the format has no place for it",
                "record 3: left out: its source or its directory is missing",
            ]
        );
    }
}
