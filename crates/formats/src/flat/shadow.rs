//! `shadow`: the passwords and the ageing of the users in `passwd`.

use crate::lines::{Line, Lines};
use crate::problem::{Problem, Reason, shown};
use crate::record::Record;
use crate::stream::each;
use std::collections::HashMap;
use std::fmt;
use std::io::BufRead;

/// The passwd field of a user whose password is in `shadow`.
pub const SHADOWED: &[u8] = b"x";

/// A maximum age from which on a password never needs to be changed, in days: what `passwd -x` takes for "never".
pub const UNLIMITED_AGE_DAYS: u64 = 99_999;

/// What `shadow` says about its users, by login name.
#[derive(Default)]
pub struct Shadow {
    entries: HashMap<Vec<u8>, Entry>,
}

/// What `shadow` says about one user.
pub(crate) struct Entry {
    /// The hash, or a mark that locks the account.
    pub(crate) passwd: Vec<u8>,
    /// When the password must be changed, in seconds since 1970.
    pub(crate) change: Option<u64>,
    /// When the account ends, in seconds since 1970.
    pub(crate) expire: Option<u64>,
}

impl Shadow {
    /// Read `shadow` lines (`name:passwd:last change:min:max:warn:inactive:expire:flag`), with the problems found.
    /// Of two lines for one login the first counts.
    ///
    /// The file counts days and NetInfo seconds. `change` in a user record is the time at which the password must
    /// be changed: the last change and the maximum age together, if both are given; a last change of 0 asks for a
    /// new password at once. An expiry of 0 or below means none.
    pub fn read(input: impl BufRead) -> (Self, Vec<Problem>) {
        let mut shadow = Self::default();
        let mut problems = Vec::new();
        let mut lines = Lines::new(input);
        while let Some(line) = lines.next() {
            match line.and_then(entry) {
                Ok((name, entry)) => {
                    shadow.entries.entry(name).or_insert(entry);
                }
                Err(problem) => problems.push(problem),
            }
        }
        (shadow, problems)
    }

    /// How many logins there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is no login.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    pub(crate) fn get(&self, name: &[u8]) -> Option<&Entry> {
        self.entries.get(name)
    }
}

/// Without names and hashes.
impl fmt::Debug for Shadow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shadow").field("entries", &self.entries.len()).finish()
    }
}

/// Read `shadow` lines as `users`: for users that exist already. Properties: `name`, `passwd`, and `change` and `expire`
/// as [`Shadow::read`] understands them.
pub fn read_shadow(input: impl BufRead) -> impl Iterator<Item = Result<Record, Problem>> {
    each(input, |line| {
        let (name, entry) = entry(line)?;
        let mut record = Record::new("users", line.number).with("name", name).with("passwd", entry.passwd);
        for (property, seconds) in [("change", entry.change), ("expire", entry.expire)] {
            if let Some(seconds) = seconds {
                record = record.with(property, seconds.to_string());
            }
        }
        Ok(record)
    })
}

fn entry(line: Line<'_>) -> Result<(Vec<u8>, Entry), Problem> {
    let fields = line.colon_fields::<9>()?;
    fields.demand(&["name", "passwd"])?;
    let [name, passwd, last, _min, max, _warn, _inactive, expire, _flag] = fields.text;
    let last = days(line, "last change", last)?;
    let max = days(line, "max", max)?;
    let expire = days(line, "expire", expire)?;
    let change = match (last, max) {
        // 0 would say "never" in a user record; the first second of 1970 is past as well.
        (Some(0), _) => Some(1),
        (Some(last), Some(max)) if max < UNLIMITED_AGE_DAYS => Some(seconds(last.saturating_add(max))),
        _ => None,
    };
    let expire = expire.filter(|days| *days > 0).map(seconds);
    Ok((name.to_vec(), Entry { passwd: passwd.to_vec(), change, expire }))
}

const fn seconds(days: u64) -> u64 {
    days.saturating_mul(86_400)
}

/// A number of days; an empty field and a negative number both say "not set".
fn days(line: Line<'_>, field: &'static str, text: &[u8]) -> Result<Option<u64>, Problem> {
    if text.is_empty() {
        return Ok(None);
    }
    match str::from_utf8(text).ok().and_then(|text| text.parse::<i64>().ok()) {
        None => Err(line.problem(field, Reason::NotANumber(shown(text)))),
        Some(days) => Ok(u64::try_from(days).ok()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn times(text: &str) -> (Option<u64>, Option<u64>) {
        let (shadow, problems) = Shadow::read(text.as_bytes());
        assert_eq!(problems, []);
        let entry = shadow.get(b"a").unwrap();
        (entry.change, entry.expire)
    }

    #[test]
    fn days_become_seconds() {
        assert_eq!(times("a:*:19000:0:99999:7:::"), (None, None));
        assert_eq!(times("a:*:19001:0:90:14:30::"), (Some((19001 + 90) * 86400), None));
        assert_eq!(times("a:*:19001::::::"), (None, None));
        assert_eq!(times("a:*::0:90:14:30:20000:"), (None, Some(1_728_000_000)));
        assert_eq!(times("a:*:0:0:99999:7::0:"), (Some(1), None));
        assert_eq!(times("a:*:-1:-1:-1:-1:-1:-1:"), (None, None));
        assert_eq!(times("a:*"), (None, None));
        assert_eq!(times(&format!("a:*:{0}:0:9:::{0}:", i64::MAX)), (Some(u64::MAX), Some(u64::MAX)));
    }

    #[test]
    fn bad_lines_are_reported_without_the_hash() {
        let text =
            "a:secret:soon::::::\nb\n:secret:::::::\nc:secret:1:2:3:4:5:6:7:8\n+::::::::\nd:ok:::::::\n";
        let (shadow, problems) = Shadow::read(text.as_bytes());
        assert_eq!((shadow.len(), shadow.is_empty()), (1, false));
        let problems: Vec<_> = problems.iter().map(Problem::to_string).collect();
        assert_eq!(
            problems,
            [
                "line 1: last change: \"soon\" is not a number",
                "line 2: passwd: missing",
                "line 3: name: missing",
                "line 4: line: more than 9 fields",
                "line 5: line: NIS line skipped",
            ]
        );
        assert_eq!(format!("{shadow:?}"), "Shadow { entries: 1 }");
    }

    #[test]
    fn lines_are_users() {
        let text = "a:H:19001:0:90::::\nb::::::::\nc\n";
        let found: Vec<_> = read_shadow(text.as_bytes()).map(|item| format!("{item:?}")).collect();
        assert_eq!(
            found,
            [
                r#"Ok(users:1 { name: "a" passwd: (hidden) change: "1649462400" })"#,
                r#"Ok(users:2 { name: "b" passwd: (hidden) })"#,
                r#"Err(Problem { line: 3, field: "passwd", reason: Missing })"#,
            ]
        );
    }

    #[test]
    fn the_first_line_of_a_login_counts() {
        let (shadow, _) = Shadow::read(&b"a:first:::::::\na:second:::::::\n"[..]);
        assert_eq!(shadow.get(b"a").unwrap().passwd, b"first");
    }
}
