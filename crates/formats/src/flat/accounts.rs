//! The accounts: `passwd`, `master.passwd`, `group`.

mod write;

use crate::flat::shadow::{SHADOWED, Shadow};
use crate::lines::Line;
use crate::problem::{Problem, Reason, shown};
use crate::record::Record;
use crate::stream::each;
use std::io::BufRead;

pub use write::{write_group, write_master_passwd, write_passwd, write_passwd_shadowed, write_shadow};

/// The fields of the seven-field `passwd` form.
const PASSWD_FIELDS: [&str; 7] = ["name", "passwd", "uid", "gid", "realname", "home", "shell"];

/// The fields of the ten-field `master.passwd` form.
const MASTER_FIELDS: [&str; 10] =
    ["name", "passwd", "uid", "gid", "class", "change", "expire", "realname", "home", "shell"];

/// The fields a `group` line must have; a fourth holds the members.
const GROUP_FIELDS: [&str; 3] = ["name", "passwd", "gid"];

/// The properties of the gecos field's four parts.
const GECOS_PARTS: [&str; 4] = ["realname", "building", "phonenumber", "homephonenumber"];

/// A passwd value that no password matches.
const DISABLED: &[u8] = b"*";

/// Read `passwd` lines (`name:passwd:uid:gid:gecos:home:shell`) as `users`.
///
/// Properties: `name`, `passwd` as it stands, `uid`, `gid`, `realname` (the gecos text up to its first comma, with
/// `building`, `phonenumber` and `homephonenumber` from the parts behind it where they are not empty), `home`,
/// `shell`, and `_writers_passwd` with the login name, so that users can change their own password.
pub fn read_passwd(input: impl BufRead) -> impl Iterator<Item = Result<Record, Problem>> {
    each(input, |line| Ok(user(line, None)?.finish()))
}

/// Read `passwd` lines as [`read_passwd`] does, with the passwords and the ageing of `shadow`.
///
/// Where the passwd field is `x`, the password comes from `shadow`, and is `*` if `shadow` does not know the login.
/// `change` and `expire` are set where [`Shadow`] has them.
pub fn read_users(passwd: impl BufRead, shadow: &Shadow) -> impl Iterator<Item = Result<Record, Problem>> {
    each(passwd, |line| Ok(user(line, Some(shadow))?.finish()))
}

/// Read `master.passwd` lines (`name:passwd:uid:gid:class:change:expire:gecos:home:shell`) as `users`.
///
/// The properties of [`read_passwd`] with `class` if it is not empty, and `change` and `expire`: seconds since 1970, 0
/// for never, which is also what an empty field says.
pub fn read_master_passwd(input: impl BufRead) -> impl Iterator<Item = Result<Record, Problem>> {
    each(input, |line| Ok(master(line)?.finish()))
}

/// Read `group` lines (`name:passwd:gid:member,member…`) as `groups`.
///
/// Properties: `name`, `passwd` if not empty, `gid`, `users` if the group has members.
pub fn read_group(input: impl BufRead) -> impl Iterator<Item = Result<Record, Problem>> {
    each(input, group)
}

/// The checked fields of a user.
struct User<'a> {
    line: u64,
    name: &'a [u8],
    passwd: &'a [u8],
    uid: String,
    gid: String,
    class: &'a [u8],
    change: Option<u64>,
    expire: Option<u64>,
    gecos: &'a [u8],
    home: &'a [u8],
    shell: &'a [u8],
}

fn user<'a>(line: Line<'a>, shadow: Option<&'a Shadow>) -> Result<User<'a>, Problem> {
    let fields = line.colon_fields::<7>()?;
    fields.demand(&PASSWD_FIELDS)?;
    let [name, passwd, uid, gid, gecos, home, shell] = fields.text;
    let mut user = User {
        line: line.number,
        name,
        passwd,
        uid: id(line, "uid", uid)?,
        gid: id(line, "gid", gid)?,
        class: &[],
        change: None,
        expire: None,
        gecos,
        home,
        shell,
    };
    if let Some(shadow) = shadow {
        let entry = shadow.get(name);
        if passwd == SHADOWED {
            user.passwd = entry.map_or(DISABLED, |entry| &entry.passwd);
        }
        user.change = entry.and_then(|entry| entry.change);
        user.expire = entry.and_then(|entry| entry.expire);
    }
    Ok(user)
}

fn master(line: Line<'_>) -> Result<User<'_>, Problem> {
    let fields = line.colon_fields::<10>()?;
    fields.demand(&MASTER_FIELDS)?;
    let [name, passwd, uid, gid, class, change, expire, gecos, home, shell] = fields.text;
    Ok(User {
        line: line.number,
        name,
        passwd,
        uid: id(line, "uid", uid)?,
        gid: id(line, "gid", gid)?,
        class,
        change: Some(seconds(line, "change", change)?),
        expire: Some(seconds(line, "expire", expire)?),
        gecos,
        home,
        shell,
    })
}

/// A time in seconds since 1970; 0 if the field is empty.
fn seconds(line: Line<'_>, field: &'static str, text: &[u8]) -> Result<u64, Problem> {
    let digits = if text.is_empty() { b"0" } else { text };
    let number = str::from_utf8(digits).ok().and_then(|text| text.parse().ok());
    number.ok_or_else(|| line.problem(field, Reason::NotANumber(shown(text))))
}

impl User<'_> {
    fn finish(self) -> Record {
        let mut record = Record::new("users", self.line)
            .with("name", self.name)
            .with("passwd", self.passwd)
            .with("uid", self.uid)
            .with("gid", self.gid);
        if !self.class.is_empty() {
            record = record.with("class", self.class);
        }
        for (property, seconds) in [("change", self.change), ("expire", self.expire)] {
            if let Some(seconds) = seconds {
                record = record.with(property, seconds.to_string());
            }
        }
        let mut parts = self.gecos.splitn(GECOS_PARTS.len(), |byte| *byte == b',').map(<[u8]>::trim_ascii);
        record = record.with(GECOS_PARTS[0], parts.next().unwrap_or_default());
        for (property, part) in GECOS_PARTS[1..].iter().zip(parts) {
            // Tools that ask for all four parts leave a trail of commas behind the name.
            let part = if part.iter().all(|byte| *byte == b',') { &[] } else { part };
            if !part.is_empty() {
                record = record.with(property, part);
            }
        }
        record.with("home", self.home).with("shell", self.shell).with("_writers_passwd", self.name)
    }
}

fn group(line: Line<'_>) -> Result<Record, Problem> {
    let fields = line.colon_fields::<4>()?;
    fields.demand(&GROUP_FIELDS)?;
    let [name, passwd, gid, members] = fields.text;
    let gid = id(line, "gid", gid)?;
    let mut record = Record::new("groups", line.number).with("name", name);
    if !passwd.is_empty() {
        record = record.with("passwd", passwd);
    }
    record = record.with("gid", gid);
    let members =
        members.split(|byte| *byte == b',').map(<[u8]>::trim_ascii).filter(|member| !member.is_empty());
    let members: Vec<_> = members.map(<[u8]>::to_vec).collect();
    if !members.is_empty() {
        record = record.with_values("users", members);
    }
    Ok(record)
}

/// The range of user and group numbers: the unsigned one and the signed one.
const IDS: std::ops::RangeInclusive<i64> = i32::MIN as i64..=u32::MAX as i64;

/// A user or group number as canonical decimal text. Both the unsigned range and the signed one are in use: -2 and
/// 4294967294 are the same traditional `nobody`.
fn id(line: Line<'_>, field: &'static str, text: &[u8]) -> Result<String, Problem> {
    if text.is_empty() {
        return Err(line.problem(field, Reason::Missing));
    }
    let number = str::from_utf8(text).ok().and_then(|text| text.parse::<i64>().ok());
    match number {
        None => Err(line.problem(field, Reason::NotANumber(shown(text)))),
        Some(number) if IDS.contains(&number) => Ok(number.to_string()),
        Some(number) => Err(line.problem(field, Reason::OutOfRange(number.to_string()))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passwd(text: &str) -> Vec<Result<Record, Problem>> {
        read_passwd(text.as_bytes()).collect()
    }

    #[test]
    fn a_user_has_its_properties_in_order() {
        let records = passwd("ana:*:0501:-2:Ana Lima:/Users/ana:/bin/tcsh\n");
        let record = records[0].as_ref().unwrap();
        let expected: [(&[u8], &[u8]); 8] = [
            (b"name", b"ana"),
            (b"passwd", b"*"),
            (b"uid", b"501"),
            (b"gid", b"-2"),
            (b"realname", b"Ana Lima"),
            (b"home", b"/Users/ana"),
            (b"shell", b"/bin/tcsh"),
            (b"_writers_passwd", b"ana"),
        ];
        let expected = expected.map(|(name, value)| (name.to_vec(), vec![value.to_vec()]));
        assert_eq!(record.properties, expected);
        assert_eq!((record.container(), record.line), (Some("users"), 1));
    }

    #[test]
    fn gecos_parts_become_properties() {
        let records = passwd("a:*:1:1:Ana, Room 1 ,,555-0100,fax:/:/bin/sh\nb:*:1:1:Bea,,,:/:/bin/sh");
        let first = records[0].as_ref().unwrap();
        assert_eq!(first.first("realname"), Some(&b"Ana"[..]));
        assert_eq!(first.first("building"), Some(&b"Room 1"[..]));
        assert_eq!(first.first("phonenumber"), None);
        assert_eq!(first.first("homephonenumber"), Some(&b"555-0100,fax"[..]));
        assert_eq!(records[1].as_ref().unwrap().properties.len(), 8);
    }

    #[test]
    fn bad_lines_are_reported_and_the_rest_is_read() {
        let text = "a:*:1:1::/\n:*:1:1::/:\nb:*:x:1::/:\nc:*::1::/:\nd:*:4294967296:1::/:\ne:*:1:-2147483649::/:\n\
                    f:*:1:1::/:/bin/sh:more\n+@staff::::::\n-mallory\ng:*:1:1::/:\n";
        let problems: Vec<_> =
            passwd(text).into_iter().filter_map(Result::err).map(|p| p.to_string()).collect();
        assert_eq!(
            problems,
            [
                "line 1: shell: missing",
                "line 2: name: missing",
                "line 3: uid: \"x\" is not a number",
                "line 4: uid: missing",
                "line 5: uid: 4294967296 is out of range",
                "line 6: gid: -2147483649 is out of range",
                "line 7: line: more than 7 fields",
                "line 8: line: NIS line skipped",
                "line 9: line: NIS line skipped",
            ]
        );
        assert_eq!(passwd(text)[9].as_ref().unwrap().line, 10);
    }

    #[test]
    fn master_lines_have_ten_fields() {
        let text = "a:H:1:2:staff:0:1893456000:Ana,,x2:/a:/bin/sh\nb:*:1:2:::::/:\nc:*:1:2::soon:0::/:\nd:*:1:2::0:-1::/:\n\
                    e:*:1:2::0:0::/:/bin/sh:\nf:*:1:2:::x:/:\n";
        let found: Vec<_> = read_master_passwd(text.as_bytes()).map(|item| format!("{item:?}")).collect();
        assert_eq!(
            found,
            [
                "Ok(users:1 { name: \"a\" passwd: (hidden) uid: \"1\" gid: \"2\" class: \"staff\" change: \"0\" \
                 expire: \"1893456000\" realname: \"Ana\" phonenumber: \"x2\" home: \"/a\" shell: \"/bin/sh\" \
                 _writers_passwd: \"a\" })",
                "Ok(users:2 { name: \"b\" passwd: (hidden) uid: \"1\" gid: \"2\" change: \"0\" expire: \"0\" realname: \"\" home: \"/\" shell: \"\" \
                 _writers_passwd: \"b\" })",
                r#"Err(Problem { line: 3, field: "change", reason: NotANumber("soon") })"#,
                r#"Err(Problem { line: 4, field: "expire", reason: NotANumber("-1") })"#,
                r#"Err(Problem { line: 5, field: "line", reason: TooManyFields(10) })"#,
                r#"Err(Problem { line: 6, field: "shell", reason: Missing })"#,
            ]
        );
    }

    #[test]
    fn names_are_bytes() {
        let records: Vec<_> = read_passwd(&b"\xff/\\=:*:1:1:\xe9:/:"[..]).collect();
        let record = records[0].as_ref().unwrap();
        assert_eq!(record.first("name"), Some(&b"\xff/\\="[..]));
        assert_eq!(record.first("realname"), Some(&b"\xe9"[..]));
    }

    #[test]
    fn shadow_replaces_only_the_placeholder() {
        let (shadow, problems) = Shadow::read(&b"a:HASH1:::::::\nb:HASH2:::::::\nc:::::::1:\n"[..]);
        assert_eq!(problems, []);
        let text = "a:x:1:1::/:\nb:own:2:1::/:\nc:x:3:1::/:\nd:x:4:1::/:\n";
        let users: Vec<_> = read_users(text.as_bytes(), &shadow).map(Result::unwrap).collect();
        let passwords: Vec<_> = users.iter().map(|user| user.first("passwd").unwrap()).collect();
        assert_eq!(passwords, [&b"HASH1"[..], b"own", b"", b"*"]);
        assert_eq!(users[2].first("expire"), Some(&b"86400"[..]));
        assert_eq!(users[0].first("expire"), None);
    }

    #[test]
    fn groups_have_members_only_if_there_are_any() {
        let text = "wheel:*:0: root , alice,\nstaff::20:\nshort:*:30\nbad:*\n+:::\nnobody:*:-2:";
        let found: Vec<_> = read_group(text.as_bytes()).map(|item| format!("{item:?}")).collect();
        assert_eq!(
            found,
            [
                r#"Ok(groups:1 { name: "wheel" passwd: (hidden) gid: "0" users: "root" "alice" })"#,
                r#"Ok(groups:2 { name: "staff" gid: "20" })"#,
                r#"Ok(groups:3 { name: "short" passwd: (hidden) gid: "30" })"#,
                r#"Err(Problem { line: 4, field: "gid", reason: Missing })"#,
                r#"Err(Problem { line: 5, field: "line", reason: Nis })"#,
                r#"Ok(groups:6 { name: "nobody" passwd: (hidden) gid: "-2" })"#,
            ]
        );
    }
}
