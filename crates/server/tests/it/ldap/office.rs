//! The directory of an office: what `ldif/org.ldif` of the test kit holds.

use std::fs;
use std::path::PathBuf;

use netinfo_testkit::data;

use super::{SUFFIX, Server, Way, names};

fn file(name: &str) -> PathBuf {
    data("ldif").join(name)
}

fn filled() -> Server {
    let server = Server::start();
    let ldif = file("org.ldif");
    server.ok(Way::Plain, "ldapadd", &["-c", "-f", ldif.to_str().unwrap()], "");
    server
}

/// Names of entries without regard to case and to how characters are escaped, in order.
fn plain(dns: impl Iterator<Item = String>) -> Vec<String> {
    let mut names: Vec<String> = dns.map(|dn| escaped(&dn).to_lowercase()).collect();
    names.sort();
    names
}

/// A name in which everything that is escaped is so by hexadecimal digits, and only what has to be.
fn escaped(dn: &str) -> String {
    let bytes = dn.as_bytes();
    let (mut out, mut at) = (Vec::new(), 0);
    while at < bytes.len() {
        if bytes[at] != b'\\' {
            out.push(bytes[at]);
            at += 1;
            continue;
        }
        let digits = std::str::from_utf8(&bytes[at + 1..bytes.len().min(at + 3)]).unwrap_or_default();
        let (byte, len) = match u8::from_str_radix(digits, 16) {
            Ok(byte) if digits.len() == 2 => (byte, 3),
            _ => (bytes[at + 1], 2),
        };
        match byte {
            b' ' | b'#' | b'+' | b',' | b';' | b'<' | b'=' | b'>' | b'"' | b'\\' => {
                out.extend(format!("\\{byte:02x}").into_bytes());
            }
            _ => out.push(byte),
        }
        at += len;
    }
    String::from_utf8(out).unwrap()
}

#[test]
fn every_entry_comes_back_as_it_was_added() {
    let server = filled();
    let original = fs::read_to_string(file("org.ldif")).unwrap();
    let out = server.ok(Way::Plain, "ldapsearch", &["-LLL", "-o", "ldif-wrap=no", "-b", SUFFIX], "");
    let (wanted, found) = (plain(names(&original).into_iter()), plain(names(&out).into_iter()));
    let missing: Vec<_> = wanted.iter().filter(|name| !found.contains(name)).collect();
    assert!(missing.is_empty(), "{missing:#?}");
    assert!(wanted.len() > 90);
}

#[test]
fn passwords_let_in_or_not() {
    let server = filled();
    let text = fs::read_to_string(file("passwords.tsv")).unwrap();
    let mut tried = 0;
    for line in text.lines().skip(1) {
        let [dn, scheme, password, result] = line.split('\t').collect::<Vec<_>>()[..] else {
            panic!("{line}")
        };
        let ran = server.run(Way::Anonymous, "ldapwhoami", &["-D", dn, "-w", password], "");
        let expected: &[i32] = match (result, password) {
            ("ok", _) => &[0],
            // That is no attempt to prove anything (RFC 4513 §5.1.2).
            (_, "") => &[53],
            _ => &[49],
        };
        assert!(expected.contains(&ran.code), "{dn} with {scheme}: {ran:?}");
        tried += 1;
    }
    assert!(tried >= 30);
}

#[test]
fn searches_find_what_another_server_finds() {
    let server = filled();
    let text = fs::read_to_string(file("queries.tsv")).unwrap();
    let mut failed = Vec::new();
    let mut asked = 0;
    for line in text.lines().skip(1) {
        let fields: Vec<&str> = line.split('\t').collect();
        let [purpose, base, scope, filter, code, _, dns] = fields[..] else { panic!("{line}") };
        let words = ["-LLL", "-o", "ldif-wrap=no", "-b", base, "-s", scope, filter, "1.1"];
        let ran = server.run(Way::Plain, "ldapsearch", &words, "");
        let found = plain(names(&ran.out).into_iter());
        let wanted = plain(dns.split(" | ").filter(|name| !name.is_empty()).map(str::to_owned));
        asked += 1;
        if ran.code.to_string() != code || found != wanted {
            failed.push(format!(
                "{purpose}: {base} {scope} {filter}: {} {found:?}, not {code} {wanted:?}",
                ran.code
            ));
        }
    }
    assert!(failed.is_empty(), "{failed:#?}");
    assert!(asked > 30);
}
