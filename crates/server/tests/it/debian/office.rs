//! The directory of an office, served by a node: what `ldif/org.ldif` of the test kit holds, added with `ldapadd`.

use std::fs;

use netinfo_testkit::namespace::{ip, isolated};
use netinfo_testkit::software::lay_over;
use netinfo_testkit::{Node, data};

use super::{run, try_run};
use crate::tree::Tree;
use crate::users::SECRET;

/// DN above all entries.
const SUFFIX: &str = "dc=example,dc=com";
/// The administrator, and the password that [`SECRET`] is of.
const ADMINISTRATOR: (&str, &str) = ("cn=admin,dc=example,dc=com", "secret");
/// Where the machine has the certificate that it trusts.
const CERTIFICATE: &str = "/etc/ssl/netinfo.crt";

/// A node on the LDAP port of a machine `alpha`, which is also 192.0.2.101.
pub(super) struct Office {
    node: Node,
}

impl Office {
    /// Runs `work` on the machine, with the programs of the clients.
    pub(super) fn with(work: impl FnOnce(&mut Self) + Send) {
        isolated(|| {
            lay_over();
            ip("address add 192.0.2.101/24 dev net0");
            let mut office = Self { node: Node::builder().listen("ldap", "127.0.0.1:389").start() };
            office.fill();
            fs::copy(office.node.certificate(), CERTIFICATE).unwrap();
            work(&mut office);
        });
    }

    fn fill(&self) {
        self.node.create_master("network");
        let mut root = self.tree();
        root.set(0, "_suffix", &[SUFFIX]);
        root.set(0, "_layout", &["rfc2307"]);
        root.set(0, "_schema", &["strict"]);
        root.set(0, "_admin_dn", &[ADMINISTRATOR.0]);
        root.set(0, "_admin_passwd", &[SECRET]);
        let file = data("ldif/org.ldif");
        let (administrator, password) = ADMINISTRATOR;
        let words = ["ldapadd", "-x", "-H", &self.uri(), "-D", administrator, "-w", password, "-f"];
        run(&[&words[..], &[file.to_str().unwrap()]].concat());
        // Whom the documented configurations bind as.
        self.modify(
            "dn: uid=app,ou=people,dc=example,dc=com\n\
             changetype: add\n\
             objectClass: account\n\
             objectClass: simpleSecurityObject\n\
             uid: app\n\
             userPassword: SECRET\n",
        );
    }

    /// Where the node is.
    pub(super) fn uri(&self) -> String {
        "ldap://127.0.0.1".to_owned()
    }

    /// DN above all entries.
    pub(super) fn suffix(&self) -> &str {
        SUFFIX
    }

    /// The same directory for those who speak NetInfo: as the superuser.
    pub(super) fn tree(&self) -> Tree {
        Tree::privileged(self.node.domain("network"))
    }

    /// Ends the node and starts it again.
    pub(super) fn restart(&mut self) {
        self.node.restart();
    }

    /// DN and password of the administrator.
    pub(super) fn administrator(&self) -> (&str, &str) {
        ADMINISTRATOR
    }

    /// Makes changes over LDAP, as LDIF tells them.
    #[track_caller]
    pub(super) fn modify(&self, ldif: &str) {
        let (administrator, password) = ADMINISTRATOR;
        let ran =
            try_run(&["ldapmodify", "-x", "-H", &self.uri(), "-D", administrator, "-w", password], ldif);
        assert_eq!(ran.code, Some(0), "{ran:?}");
    }

    /// Names of people, a password for each, and whether it lets them in.
    pub(super) fn passwords(&self) -> Vec<(String, String, bool)> {
        let text = fs::read_to_string(data("ldif/passwords.tsv")).unwrap();
        let line = |line: &str| {
            let [dn, _, password, result] = line.split('\t').collect::<Vec<_>>()[..] else {
                panic!("{line}")
            };
            let user = dn.split([',', '=']).nth(1).unwrap();
            (user.to_owned(), password.to_owned(), result == "ok")
        };
        let passwords: Vec<_> = text.lines().skip(1).map(line).collect();
        assert!(passwords.len() >= 30);
        passwords
    }
}
