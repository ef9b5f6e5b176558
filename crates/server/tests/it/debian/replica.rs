//! OpenLDAP's server as a consumer of RFC 4533 synchronisation: its copy must become, and stay, identical.

use std::collections::{BTreeMap, BTreeSet};
use std::thread;
use std::time::{Duration, Instant};

use netinfo_testkit::{data, ldif, software::Daemon};

use super::{Office, documented, run, write};

/// How long a change may take until it is in the copy.
const SOON: Duration = Duration::from_secs(20);
const POLL: Duration = Duration::from_millis(100);

const CONFIGURATION: &str = "/run/replica/slapd.conf";
const URI: &str = "ldap://127.0.0.1:3890";
/// What a server keeps of an entry besides the attributes of users.
const OPERATIONAL: [&str; 9] = [
    "entryUUID",
    "structuralObjectClass",
    "createTimestamp",
    "modifyTimestamp",
    "creatorsName",
    "modifiersName",
    "pwdChangedTime",
    "pwdReset",
    "pwdAccountLockedTime",
];
/// Where a consumer stands, which only it knows.
const PRIVATE: [&str; 2] = ["entryCSN", "contextCSN"];

/// Attributes by lower-case name; values in the order of their bytes.
type Attributes = BTreeMap<String, BTreeSet<Vec<u8>>>;
/// Entries by name.
type Tree = BTreeMap<String, Attributes>;

/// Starts a server that copies the office.
fn start(office: &Office) -> Daemon {
    let schemas = ["core", "cosine", "inetorgperson", "nis", "misc"]
        .map(|name| format!("include /etc/ldap/schema/{name}.schema\n"))
        .concat();
    let base = office.suffix();
    let (administrator, password) = office.administrator();
    let extra = data("slapd/extra.schema");
    write(
        CONFIGURATION,
        &format!(
            "{schemas}include {extra}\n\
             modulepath /usr/lib/ldap\n\
             moduleload back_mdb\n\
             moduleload ppolicy\n\
             pidfile /run/replica/slapd.pid\n\
             database mdb\n\
             suffix {base}\n\
             rootdn {administrator}\n\
             rootpw {password}\n\
             directory /run/replica/data\n\
             # Or it would make up who created the entries that nobody with a DN has.\n\
             lastmod off\n\
             {follow}",
            follow = documented(office, "slapd.conf").replace("\"5 +\"", "\"1 +\""),
            extra = extra.display()
        ),
    );
    std::fs::create_dir_all("/run/replica/data").unwrap();
    // 16384: what the synchronisation does.
    let mut slapd = Daemon::start(&["slapd", "-f", CONFIGURATION, "-h", URI, "-d", "16384"]);
    slapd.wait_for("serving", || std::net::TcpStream::connect("127.0.0.1:3890").is_ok());
    slapd
}

/// A name as both servers write it.
fn plain(dn: &str) -> String {
    ["\\,", "\\+"]
        .iter()
        .zip(["\\2C", "\\2B"])
        .fold(dn.to_lowercase(), |dn, (escape, hex)| dn.replace(escape, &hex.to_lowercase()))
}

fn tree(text: &str) -> Tree {
    let attributes = |entry: ldif::Entry| -> Attributes {
        let attributes = entry.attributes.into_iter();
        let attributes = attributes.map(|(name, values)| (name.to_lowercase(), values.into_iter().collect()));
        attributes
            .filter(|(name, _)| !PRIVATE.iter().any(|private| name.eq_ignore_ascii_case(private)))
            .collect()
    };
    ldif::parse(text).into_iter().map(|entry| (plain(&entry.dn), attributes(entry))).collect()
}

/// Everything that the office holds.
fn original(office: &Office) -> Tree {
    let (administrator, password) = office.administrator();
    let (uri, base) = (office.uri(), office.suffix());
    let ask = ["ldapsearch", "-LLL", "-x", "-H", &uri, "-D", administrator, "-w", password, "-b", base];
    tree(&run(&[&ask[..], &["(objectClass=*)", "*"], &OPERATIONAL].concat()))
}

/// Everything in the copy's database.
fn copy() -> Tree {
    let ran = super::try_run(&["slapcat", "-f", CONFIGURATION], "");
    // It fails while there is no database yet.
    tree(&ran.out)
}

/// The first difference of two trees.
fn difference(left: &Tree, right: &Tree) -> Option<String> {
    let names: BTreeSet<&String> = left.keys().chain(right.keys()).collect();
    let show = |tree: &Tree, name: &String| -> String {
        let Some(attributes) = tree.get(name) else { return "missing".to_owned() };
        let line = |(name, values): (&String, &BTreeSet<Vec<u8>>)| {
            values.iter().map(|value| format!("\n  {name}: {}", value.escape_ascii())).collect::<String>()
        };
        attributes.iter().map(line).collect()
    };
    let name = names.into_iter().find(|name| left.get(*name) != right.get(*name))?;
    Some(format!("{name}\noriginal: {}\ncopy: {}", show(left, name), show(right, name)))
}

/// Waits until the copy is identical to the original, and returns how many entries that holds.
#[track_caller]
fn assert_identical(office: &Office) -> usize {
    let original = original(office);
    let deadline = Instant::now() + SOON;
    while let Some(difference) = difference(&original, &copy()) {
        assert!(Instant::now() < deadline, "the copy differs: {difference}");
        thread::sleep(POLL);
    }
    original.len()
}

#[test]
fn a_copy_becomes_and_stays_identical() {
    Office::with(|office| {
        let slapd = start(office);
        let entries = assert_identical(office);
        assert!(entries >= ldif::entries("ldif/org.ldif").len());
        office.modify(
            "dn: uid=newcomer,ou=people,dc=example,dc=com\n\
             changetype: add\n\
             objectClass: account\n\
             uid: newcomer\n\
             \n\
             dn: uid=bob,ou=people,dc=example,dc=com\n\
             changetype: modify\n\
             replace: loginShell\n\
             loginShell: /bin/rc\n\
             -\n\
             delete: gecos\n\
             -\n\
             add: mail\n\
             mail: robert@example.com\n\
             \n\
             dn: uid=yara,ou=people,dc=example,dc=com\n\
             changetype: delete\n\
             \n\
             dn: uid=zola,ou=people,dc=example,dc=com\n\
             changetype: modrdn\n\
             newrdn: uid=emile\n\
             deleteoldrdn: 1\n\
             \n\
             dn: ou=contacts,dc=example,dc=com\n\
             changetype: modrdn\n\
             newrdn: ou=friends\n\
             deleteoldrdn: 1\n\
             newsuperior: ou=policies,dc=example,dc=com\n",
        );
        assert_eq!(assert_identical(office), entries);
        // Changes by other ways are changes as well, also after the node was away.
        let mut tree = office.tree();
        let users = tree.lookup(0, "name", "users").unwrap()[0];
        let carol = tree.lookup(users, "name", "carol").unwrap()[0];
        tree.set(carol, "shell", &["/bin/es"]);
        assert_eq!(assert_identical(office), entries);
        office.restart();
        office.tree().set(carol, "shell", &["/bin/rc"]);
        assert_eq!(assert_identical(office), entries);
        // What happens while the copy is away is told when it comes back.
        drop(slapd);
        office.modify(
            "dn: uid=newcomer,ou=people,dc=example,dc=com\n\
             changetype: delete\n\
             \n\
             dn: cn=engineering,ou=groups,dc=example,dc=com\n\
             changetype: modify\n\
             delete: memberUid\n\
             memberUid: bob\n",
        );
        let _slapd = start(office);
        assert_eq!(assert_identical(office), entries - 1);
    });
}
