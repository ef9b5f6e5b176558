//! Writing sudo's rules: directories with the attributes of sudo's LDAP schema (`sudoRole`, sudoers.ldap(5)) as a
//! sudoers(5) file.
//!
//! A rule that cannot be said in full is left out as a whole: without one of its parts it might allow more than it was meant
//! to. Values get into the file quoted, so that none of them can be taken for anything but what it is.
//!
//! [`Writer`] collects the rules and puts them in order; `rule` makes the text of one, `word` quotes.

mod rule;
mod word;

use std::io::{self, Write};

use crate::record::Record;
use crate::writer::{Loss, RecordWriter};

/// The child of the root below which the rules are looked for, if no other directory is given. Other spellings are taken too:
/// in LDAP, capitals make no difference.
pub const CONTAINER: &str = "SUDOers";

/// Text before the first rule.
const HEADER: &[u8] =
    b"# Written by \"netinfo export sudoers\". Changes are lost: change the directory instead.\n";

/// Writes rules as a sudoers file: what holds for all first (the record `defaults`), then in the order of `sudoOrder`, which
/// lets the last one that fits decide, as in LDAP.
#[derive(Debug)]
pub struct Writer<W> {
    out: W,
    defaults: Vec<u8>,
    /// Order, position among the records, text.
    rules: Vec<(f64, u64, Vec<u8>)>,
}

impl<W: Write> Writer<W> {
    /// A writer to `out`; nothing is written before the end.
    pub const fn new(out: W) -> Self {
        Self { out, defaults: Vec::new(), rules: Vec::new() }
    }
}

impl<W: Write> RecordWriter for Writer<W> {
    fn write(&mut self, record: &Record, losses: &mut Vec<Loss>) -> io::Result<()> {
        match rule::compose(record) {
            Ok(rule::Text::Defaults(text)) => self.defaults.extend(text),
            Ok(rule::Text::Rule { order, text }) => {
                let position = self.rules.len() as u64;
                self.rules.push((order, position, text));
            }
            Err((property, why)) => {
                // A part that is missing, such as a refusal, would let people do more: so nothing of it is written.
                losses.push(Loss { line: record.line, property: Vec::new(), why });
                if !property.is_empty() {
                    let why = "because of it the rule is left out";
                    losses.push(Loss { line: record.line, property: property.as_bytes().to_vec(), why });
                }
            }
        }
        Ok(())
    }

    fn finish(&mut self, _losses: &mut Vec<Loss>) -> io::Result<()> {
        self.out.write_all(HEADER)?;
        self.out.write_all(&self.defaults)?;
        self.rules.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        for (_, _, text) in &self.rules {
            self.out.write_all(text)?;
        }
        self.out.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::{Command, Stdio};

    use proptest::prelude::*;

    fn role(name: &str, properties: &[(&str, &[&str])]) -> Record {
        let mut record = Record::new("SUDOers", 1).with("name", name).with("objectClass", "sudoRole");
        for (property, values) in properties {
            let values = values.iter().map(|value| value.as_bytes().to_vec()).collect();
            record = record.with_values(property, values);
        }
        record
    }

    fn written(records: &[Record]) -> (String, Vec<String>) {
        let (mut out, mut losses) = (Vec::new(), Vec::new());
        let mut writer = Writer::new(&mut out);
        for record in records {
            writer.write(record, &mut losses).unwrap();
        }
        writer.finish(&mut losses).unwrap();
        let text = String::from_utf8_lossy(&out[HEADER.len()..]).into_owned();
        (text, losses.iter().map(ToString::to_string).collect())
    }

    /// What `visudo -c` says of a file with these bytes.
    fn visudo(text: &[u8]) -> Result<(), String> {
        let mut command = Command::new("/usr/sbin/visudo");
        command
            .args(["-c", "-s", "-f", "-"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child =
            command.spawn().unwrap_or_else(|e| panic!("this test needs sudo (scripts/deps.sh): {e}"));
        child.stdin.take().unwrap().write_all(text).unwrap();
        let output = child.wait_with_output().unwrap();
        let said = [output.stdout, output.stderr].concat();
        if output.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&said).into_owned()) }
    }

    fn office() -> Vec<Record> {
        vec![
            role(
                "defaults",
                &[("sudoOption", &["env_reset", "!authenticate", "secure_path=/sbin:/bin", "env_keep+=A B"])],
            ),
            role(
                "restart",
                &[
                    ("sudoUser", &["!bob", "%ops", "+trusted", "#5002", "%#20", "J Doe", "OPS"]),
                    ("sudoHost", &["Files.example.com", "192.0.2.0/24", "fd00::1", "!ws1"]),
                    (
                        "sudoCommand",
                        &["!/bin/systemctl restart slapd", "/bin/systemctl restart *", "sudoedit /etc/motd"],
                    ),
                    ("sudoOption", &["!authenticate", "noexec"]),
                    ("sudoOrder", &["20"]),
                ],
            ),
            role(
                "temporary",
                &[
                    ("sudoUser", &["bob"]),
                    ("sudoHost", &["ALL"]),
                    ("sudoCommand", &["/bin/echo a,b:c=d\\e #f", "/bin/ls \"\""]),
                    ("sudoRunAsUser", &["carol", "#7"]),
                    ("sudoRunAsGroup", &["ops"]),
                    ("sudoNotBefore", &["20240101000000Z"]),
                    ("sudoNotAfter", &["20300101000000Z"]),
                    ("sudoOrder", &["10"]),
                ],
            ),
        ]
    }

    #[test]
    fn rules_are_written_in_their_order() {
        let (text, losses) = written(&office());
        assert_eq!(losses, [""; 0]);
        assert_eq!(
            text,
            "Defaults env_reset\nDefaults !authenticate\nDefaults secure_path=\"/sbin:/bin\"\n\
             Defaults env_keep+=\"A B\"\n\
             \n# temporary\nbob ALL = (carol, #7 : ops) NOTBEFORE=20240101000000Z NOTAFTER=20300101000000Z \
             /bin/echo a\\,b\\:c\\=d\\\\e \\#f, /bin/ls \"\"\n\
             \n# restart\n%ops, +trusted, #5002, %#20, \"J Doe\", \"OPS\", !bob files.example.com, 192.0.2.0/24, fd00::1, \
             !ws1 = NOPASSWD: NOEXEC: /bin/systemctl restart *, sudoedit /etc/motd, !/bin/systemctl restart slapd\n"
        );
        visudo(text.as_bytes()).unwrap();
    }

    #[test]
    fn what_cannot_be_said_in_full_is_not_said() {
        let all: &[(&str, &[&str])] =
            &[("sudoUser", &["a"]), ("sudoHost", &["ALL"]), ("sudoCommand", &["ALL"])];
        assert_eq!(written(&[role("x", all)]).0, "\n# x\na ALL = ALL\n");
        let wrong: &[(&str, &[&str])] = &[
            ("sudoOption", &["requiretty"]),
            ("sudoOption", &["!authenticate\nb ALL = ALL"]),
            ("sudoRunAsUser", &[""]),
            ("sudoNotAfter", &["tomorrow"]),
            ("sudoNotAfter", &["20240101000000Z", "20250101000000Z"]),
            ("sudoOrder", &["first"]),
            ("sudoOrder", &["NaN"]),
            ("sudoRunAsGroup", &["a\nb"]),
        ];
        for more in wrong {
            let (text, losses) = written(&[role("x", &[all, &[*more]].concat())]);
            assert_eq!((text.as_str(), losses.len()), ("", 2), "{more:?}: {losses:?}");
            assert_eq!(losses[1], format!("record 1: {}: because of it the rule is left out", more.0));
        }
        for (at, bad) in [
            (0, ""),
            (0, "a\0"),
            (0, "%"),
            (1, "a b"),
            (1, "h(1)"),
            (2, "ls"),
            (2, "!"),
            (2, "/bin/^x$ ^.*$"),
            (2, "/a\n/b"),
        ] {
            let mut properties = all.to_vec();
            let values = [bad];
            properties[at].1 = &values;
            assert_eq!(written(&[role("x", &properties)]).0, "", "{bad:?}");
        }
        for missing in 0..3 {
            let mut properties = all.to_vec();
            properties.remove(missing);
            assert_eq!(written(&[role("x", &properties)]).0, "", "without {}", all[missing].0);
        }
        // What is no rule is none.
        assert_eq!(
            written(&[Record::new("SUDOers", 4).with("name", "folder")]).1,
            ["record 4: left out: it is no rule of sudo"]
        );
    }

    #[test]
    fn a_name_cannot_become_an_alias_or_a_line() {
        let rule = |name: &str| {
            let all: &[(&str, &[&str])] =
                &[("sudoUser", &["a"]), ("sudoHost", &["H"]), ("sudoCommand", &["ALL"])];
            written(&[role(name, all)]).0
        };
        assert_eq!(rule("x\nroot ALL = ALL"), "\n# x\\nroot ALL = ALL\na h = ALL\n");
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

        /// Whatever is in the directory, sudo can read the file, and there is one line for each rule.
        #[test]
        fn sudo_reads_whatever_is_written(
            users in prop::collection::vec("(!|%|#|\\+)?[ -~]{1,8}", 1..4),
            hosts in prop::collection::vec("[!-~]{1,8}|ALL", 1..3),
            commands in prop::collection::vec("!?/[ -~]{1,12}|ALL", 1..4),
            options in prop::collection::vec("!?(authenticate|setenv|noexec)|[ -~]{1,6}", 0..2),
        ) {
            let strings = |list: &[String]| list.iter().map(|s| s.clone().into_bytes()).collect::<Vec<_>>();
            let record = Record::new("SUDOers", 1)
                .with("name", "x")
                .with_values("sudoUser", strings(&users))
                .with_values("sudoHost", strings(&hosts))
                .with_values("sudoCommand", strings(&commands))
                .with_values("sudoOption", strings(&options));
            let (text, losses) = written(&[record]);
            prop_assert!(losses.is_empty() == text.contains("\n# x\n"));
            prop_assert!(text.lines().count() <= 3);
            prop_assert!(visudo(text.as_bytes()).is_ok(), "{text}\n{:?}", visudo(text.as_bytes()));
        }
    }
}
