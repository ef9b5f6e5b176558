//! Rules of sudo, beside sudo's own programs.

use std::fs;
use std::path::Path;
use std::process::Command;

use netinfo_migrate::convert::{To, convert};
use netinfo_migrate::source::{Format, parts};

const RULES: &str = r#"Defaults env_reset, secure_path="/usr/sbin:/usr/bin"
Defaults badpass_message="no, \"really\" not"
Cmnd_Alias MAIL = /usr/bin/mailq, /usr/sbin/postsuper -d *
root ALL = (ALL:ALL) ALL
ana, bo web1, web2 = (www-data) NOPASSWD: /usr/bin/systemctl restart nginx, !/usr/bin/systemctl restart nginx.*
%staff ALL = (ALL) MAIL
cy 192.0.2.0/24 = (:adm) /usr/bin/journalctl ""
+admins ALL = (root) NOEXEC: sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855 /usr/bin/less
"#;

/// The entries above those that `cvtsudoers` makes.
const ABOVE: &str = "dn: dc=example,dc=com\nobjectClass: domain\ndc: example\n\n\
    dn: ou=SUDOers,dc=example,dc=com\nobjectClass: organizationalUnit\nou: SUDOers\n\n";

/// Entries for the rules of a file, as sudo sees them.
fn entries(file: &Path) -> String {
    let checked = Command::new("/usr/sbin/visudo").args(["-c", "-f"]).arg(file).output().unwrap();
    assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stderr));
    let base = ["-f", "ldif", "-b", "ou=SUDOers,dc=example,dc=com"];
    let made = Command::new("cvtsudoers").args(base).arg(file).output().unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    String::from_utf8(made.stdout).unwrap()
}

#[test]
fn rules_come_out_as_they_went_in() {
    let dir = tempfile::tempdir().unwrap();
    let [rules, ldif, again] = ["rules", "rules.ldif", "again"].map(|name| dir.path().join(name));
    fs::write(&rules, RULES).unwrap();
    let expected = entries(&rules);
    assert_eq!(expected.matches("objectClass: sudoRole").count(), 6);
    fs::write(&ldif, format!("{ABOVE}{expected}")).unwrap();
    let mut out = fs::File::create(&again).unwrap();
    convert(&parts(None, &ldif).unwrap(), Format::Sudoers, To::Stream(&mut out), &mut |_, _, _| {}).unwrap();
    assert_eq!(entries(&again), expected);
}
