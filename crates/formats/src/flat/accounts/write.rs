//! Writers of the accounts.

use super::{GECOS_PARTS, IDS};
use crate::flat::draft::{COMMENT, Draft, NO_NAME, TextWriter, Why, join};
use crate::flat::shadow::{SHADOWED, UNLIMITED_AGE_DAYS};
use crate::writer::RecordWriter;
use std::io::Write;

const NO_NUMBER: Why = "uid or gid is missing or out of range";
const NO_TIME: Why = "not a time in seconds";
const WHOLE_DAYS: Why = "rounded to whole days";
const TOO_LATE: Why = "the format ends before that day";
const COMMA: Why = "the text behind its comma will be read as another property";

/// What stands for a password that the record does not have: nothing matches it.
const DISABLED: &[u8] = b"*";

const SECONDS_PER_DAY: u64 = 86_400;

/// Writes `users` as `passwd` lines with the passwords in them, as NetInfo has always dumped them.
///
/// The gecos field gets `realname`, `building`, `phonenumber` and `homephonenumber`. A user without `passwd` gets `*`.
pub fn write_passwd<W: Write>(out: W) -> impl RecordWriter {
    users(out, |draft, text| passwd_line(draft, text, None))
}

/// Writes `users` as `passwd` lines with `x` for every password: for systems that have them in `shadow`, which
/// [`write_shadow`] makes of the same records.
pub fn write_passwd_shadowed<W: Write>(out: W) -> impl RecordWriter {
    users(out, |draft, text| passwd_line(draft, text, Some(SHADOWED)))
}

/// Writes `users` as BSD `master.passwd` lines, ten fields. `change` and `expire` are 0 where they are missing.
pub fn write_master_passwd<W: Write>(out: W) -> impl RecordWriter {
    users(out, |draft, text| {
        let [uid, gid] = ids(draft)?;
        let fields = [
            name(draft)?,
            password(draft)?,
            uid,
            gid,
            draft.colon_field("class")?,
            time(draft, "change").map_or(&b"0"[..], |(text, _)| text),
            time(draft, "expire").map_or(&b"0"[..], |(text, _)| text),
        ];
        join(text, fields, b":");
        text.push(b':');
        end_of_line(draft, text)
    })
}

/// Writes `users` as `shadow` lines.
///
/// The format counts days. A user whose `change` lies ahead gets a last change on the second day of 1970 and the
/// maximum age that leads from there to the day of `change`; one with `change` in the first day of 1970 gets 0 for the
/// last change, which asks for a new password at once.
pub fn write_shadow<W: Write>(out: W) -> impl RecordWriter {
    users(out, |draft, text| {
        join(text, [name(draft)?, password(draft)?], b":");
        for property in ["uid", "gid", "realname", "home", "unixHomeDirectory", "shell", "class"]
            .into_iter()
            .chain(GECOS_PARTS)
        {
            draft.elsewhere(property);
        }
        let (last, max) = ageing(draft);
        let expire = days(draft, "expire").map(|day| day.max(1));
        let shown = |days: Option<u64>| days.map_or_else(String::new, |days| days.to_string());
        let fields = format!(":{}::{}:::{}:\n", shown(last), shown(max), shown(expire));
        text.extend_from_slice(fields.as_bytes());
        Ok(())
    })
}

/// Writes `groups` as `group` lines.
pub fn write_group<W: Write>(out: W) -> impl RecordWriter {
    TextWriter::new(out, "groups", |draft: &mut Draft<'_>, text: &mut Vec<u8>| {
        let gid = id(draft, "gid")?;
        join(text, [name(draft)?, draft.colon_field("passwd")?, gid], b":");
        let members = draft.good("users", |member| {
            member.trim_ascii() == member
                && !member.is_empty()
                && !member.iter().any(|byte| b":,\n\0".contains(byte))
        });
        text.push(b':');
        join(text, members, b",");
        text.push(b'\n');
        Ok(())
    })
}

fn users<W, F>(out: W, line: F) -> TextWriter<W, F>
where
    W: Write,
    F: FnMut(&mut Draft<'_>, &mut Vec<u8>) -> Result<(), Why>,
{
    TextWriter::new(out, "users", line)
}

fn passwd_line(draft: &mut Draft<'_>, text: &mut Vec<u8>, mark: Option<&[u8]>) -> Result<(), Why> {
    let [uid, gid] = ids(draft)?;
    let name = name(draft)?;
    let passwd = match mark {
        None => password(draft)?,
        Some(mark) => {
            // The password, `change` and `expire` are what `shadow` is for.
            for property in ["passwd", "change", "expire"] {
                draft.elsewhere(property);
            }
            mark
        }
    };
    draft.implied("class", &[b""]);
    draft.implied("change", &[b"", b"0"]);
    draft.implied("expire", &[b"", b"0"]);
    join(text, [name, passwd, uid, gid], b":");
    text.push(b':');
    end_of_line(draft, text)
}

/// `gecos:home:shell`.
fn end_of_line(draft: &mut Draft<'_>, text: &mut Vec<u8>) -> Result<(), Why> {
    let parts: Vec<&[u8]> =
        GECOS_PARTS.iter().map(|part| draft.colon_field(part)).collect::<Result<_, Why>>()?;
    for (position, (property, part)) in GECOS_PARTS.iter().zip(&parts).enumerate() {
        let last = position + 1 == GECOS_PARTS.len();
        let only_commas = !part.is_empty() && part.iter().all(|byte| *byte == b',');
        if only_commas || (!last && part.contains(&b',')) {
            draft.lose(property, COMMA);
        }
    }
    let used = parts.iter().rposition(|part| !part.is_empty()).map_or(0, |last| last + 1);
    join(text, parts.into_iter().take(used), b",");
    text.push(b':');
    // Entries of Active Directory have their home on UNIX there; `home` may be a share of Windows.
    let home = match draft.colon_field("unixHomeDirectory")? {
        [] => draft.colon_field("home")?,
        home => home,
    };
    join(text, [home, draft.colon_field("shell")?], b":");
    text.push(b'\n');
    Ok(())
}

/// The login or group name. A loader gives users the right to their own password by it.
fn name<'r>(draft: &mut Draft<'r>) -> Result<&'r [u8], Why> {
    let name = match draft.colon_field("name")? {
        // Active Directory's name for logins, where an entry has no `uid`.
        [] => draft.colon_field("sAMAccountName")?,
        name => name,
    };
    draft.implied("_writers_passwd", &[name]);
    match name {
        [] => Err(NO_NAME),
        [b'#' | b'+' | b'-', ..] => Err(COMMENT),
        name => Ok(name),
    }
}

fn password<'r>(draft: &mut Draft<'r>) -> Result<&'r [u8], Why> {
    let passwd = draft.colon_field("passwd")?;
    Ok(if draft.record().first("passwd").is_some() { passwd } else { DISABLED })
}

fn ids<'r>(draft: &mut Draft<'r>) -> Result<[&'r [u8]; 2], Why> {
    Ok([id(draft, "uid")?, id(draft, "gid")?])
}

fn id<'r>(draft: &mut Draft<'r>, property: &'static str) -> Result<&'r [u8], Why> {
    let text = draft.colon_field(property)?;
    let number = str::from_utf8(text).ok().and_then(|text| text.parse::<i64>().ok());
    if number.is_some_and(|number| IDS.contains(&number)) { Ok(text) } else { Err(NO_NUMBER) }
}

/// A time in seconds since 1970: its text and its value.
fn time<'r>(draft: &mut Draft<'r>, property: &'static str) -> Option<(&'r [u8], u64)> {
    let text = draft.one(property).filter(|text| !text.is_empty())?;
    let seconds = str::from_utf8(text).ok().and_then(|text| text.parse::<u64>().ok());
    if seconds.is_none() {
        draft.lose(property, NO_TIME);
    }
    Some((text, seconds?))
}

/// A time as a day since 1970, rounded down; `None` for never.
fn days(draft: &mut Draft<'_>, property: &'static str) -> Option<u64> {
    let (_, seconds) = time(draft, property)?;
    if seconds % SECONDS_PER_DAY != 0 && seconds != 1 {
        draft.lose(property, WHOLE_DAYS);
    }
    (seconds != 0).then_some(seconds / SECONDS_PER_DAY)
}

/// Last change and maximum age that together give `change`.
fn ageing(draft: &mut Draft<'_>) -> (Option<u64>, Option<u64>) {
    match days(draft, "change") {
        None => (None, None),
        Some(0) => (Some(0), None),
        Some(day) if day - 1 < UNLIMITED_AGE_DAYS => (Some(1), Some(day - 1)),
        Some(_) => {
            draft.lose("change", TOO_LATE);
            (None, None)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flat::draft::written;
    use crate::flat::{read_group, read_passwd, read_shadow};
    use crate::record::Record;

    fn user(name: &str) -> Record {
        Record::new("users", 1).with("name", name).with("passwd", "HASH").with("uid", "1").with("gid", "-2")
    }

    fn write<'a>(
        records: &[Record],
        writer: impl FnOnce(&'a mut Vec<u8>) -> Box<dyn RecordWriter + 'a>,
        out: &'a mut Vec<u8>,
    ) -> Vec<String> {
        let mut losses = Vec::new();
        let mut writer = writer(out);
        records.iter().for_each(|record| writer.write(record, &mut losses).unwrap());
        losses.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn users_that_would_make_a_bad_line_are_left_out() {
        let records = [
            user("ana").with("realname", "Ana").with("home", "/a").with("class", "").with("change", "0"),
            user("b:c"),
            user("+b"),
            user(""),
            user("b\nroot::0:0::/:"),
            Record::new("users", 2).with("name", "c").with("uid", "0").with("gid", "4294967296"),
            Record::new("users", 3).with("name", "d").with("uid", "5").with("gid", "5"),
            user("e").with("class", "staff").with("expire", "1").with("picture", "/p"),
            user("f").with("_writers_passwd", "f").with("shell", "/bin/sh:x"),
            user("g").with("_writers_passwd", "ana"),
        ];
        let mut text = Vec::new();
        let losses = write(&records, |out| Box::new(write_passwd(out)), &mut text);
        assert_eq!(
            String::from_utf8_lossy(&text),
            "ana:HASH:1:-2:Ana:/a:\nd:*:5:5:::\ne:HASH:1:-2:::\ng:HASH:1:-2:::\n"
        );
        assert_eq!(
            losses,
            [
                "record 1: left out: a field holds a separator of the format or the end of a line",
                "record 1: left out: its line would be read as a comment or as an NIS line",
                "record 1: left out: it has no name",
                "record 1: left out: a field holds a separator of the format or the end of a line",
                "record 2: left out: uid or gid is missing or out of range",
                "record 1: class: the format has no place for it",
                "record 1: expire: the format has no place for it",
                "record 1: picture: the format has no place for it",
                "record 1: left out: a field holds a separator of the format or the end of a line",
                "record 1: _writers_passwd: the format has no place for it",
            ]
        );
    }

    #[test]
    fn users_of_active_directory() {
        let jane = Record::new("users", 1)
            .with("realname", "Jane Doe")
            .with("sAMAccountName", "jane")
            .with("uid", "7")
            .with("gid", "8")
            .with("unixHomeDirectory", "/home/jane")
            .with("shell", "/bin/sh");
        let records = [jane.clone(), jane.with("name", "jd").with("home", "\\\\files\\jane")];
        let mut text = Vec::new();
        let losses = write(&records, |out| Box::new(write_passwd(out)), &mut text);
        let text = String::from_utf8(text).unwrap();
        assert_eq!(text, "jane:*:7:8:Jane Doe:/home/jane:/bin/sh\njd:*:7:8:Jane Doe:/home/jane:/bin/sh\n");
        let lost = |property: &str| format!("record 1: {property}: the format has no place for it");
        assert_eq!(losses, [lost("sAMAccountName"), lost("home")]);
    }

    #[test]
    fn shadowed_lines_hold_no_password() {
        let records = [user("ana").with("change", "86400").with("expire", "86400")];
        let mut text = Vec::new();
        let losses = write(&records, |out| Box::new(write_passwd_shadowed(out)), &mut text);
        assert_eq!((String::from_utf8_lossy(&text).as_ref(), losses.len()), ("ana:x:1:-2:::\n", 0));
        let mut text = Vec::new();
        let losses = write(&records, |out| Box::new(write_shadow(out)), &mut text);
        assert_eq!((String::from_utf8_lossy(&text).as_ref(), losses.len()), ("ana:HASH:1::0:::1:\n", 0));
    }

    #[test]
    fn gecos_parts_are_joined() {
        let records = [
            user("a").with("realname", "A").with("phonenumber", "x2"),
            user("b").with("realname", "Lima, Ana").with("homephonenumber", "1,2"),
            user("c").with("homephonenumber", "1,2"),
        ];
        let mut text = Vec::new();
        let losses = write(&records, |out| Box::new(write_passwd(out)), &mut text);
        assert_eq!(losses, [format!("record 1: realname: {COMMA}")]);
        let text = String::from_utf8(text).unwrap();
        assert!(text.starts_with("a:HASH:1:-2:A,,x2::\nb:HASH:1:-2:Lima, Ana,,,1,2::\n"), "{text}");
        let read = read_passwd(text.as_bytes()).last().unwrap().unwrap();
        assert_eq!(read.first("homephonenumber"), Some(&b"1,2"[..]));
    }

    #[test]
    fn ageing_comes_back_in_whole_days() {
        let aged = |change: &str, expire: &str| {
            let mut text = Vec::new();
            let records = [user("a").with("change", change).with("expire", expire)];
            let losses = write(&records, |out| Box::new(write_shadow(out)), &mut text);
            let read = read_shadow(text.as_slice()).next().unwrap().unwrap();
            let time = |property| read.first(property).map(|text| String::from_utf8_lossy(text).into_owned());
            (time("change"), time("expire"), losses.len())
        };
        let time = |seconds: u64| Some(seconds.to_string());
        assert_eq!(aged("0", "0"), (None, None, 0));
        assert_eq!(aged("1", "1"), (time(1), time(86_400), 0));
        assert_eq!(aged("1649462400", "1728000000"), (time(1_649_462_400), time(1_728_000_000), 0));
        assert_eq!(aged("1649462401", "1728000001"), (time(1_649_462_400), time(1_728_000_000), 2));
        assert_eq!(aged("86400", "soon"), (time(86_400), None, 1));
        // The largest maximum age that does not mean "never", and one day more.
        let last = SECONDS_PER_DAY * UNLIMITED_AGE_DAYS;
        assert_eq!(aged(&last.to_string(), "0"), (time(last), None, 0));
        assert_eq!(aged(&(last + SECONDS_PER_DAY).to_string(), "0"), (None, None, 1));
    }

    #[test]
    fn members_that_would_be_two_are_left_out() {
        let members = ["ana", "b,c", "", " d", "e:f", "bob"].map(Into::into).to_vec();
        let records =
            [Record::new("groups", 1).with("name", "g").with("gid", "5").with_values("users", members)];
        let mut text = Vec::new();
        let losses = write(&records, |out| Box::new(write_group(out)), &mut text);
        assert_eq!(String::from_utf8_lossy(&text), "g::5:ana,bob\n");
        assert_eq!(losses.len(), 1);
        assert_eq!(read_group(text.as_slice()).next().unwrap().unwrap().values("users").len(), 2);
    }

    #[test]
    fn no_loss_shows_a_password() {
        let record =
            Record::new("users", 1).with("name", "a").with_values("passwd", vec![b"SECRET:".to_vec(); 2]);
        let (text, losses) = written(|out, losses| {
            write_passwd(&mut *out).write(&record, losses).unwrap();
            write_shadow(out).write(&record, losses).unwrap();
        });
        assert!(text.is_empty() && losses.len() == 2 && !losses.concat().contains("SECRET"), "{losses:?}");
    }
}
