//! Entries of the LDIF fixtures (RFC 2849), as far as fixtures use the format.

use std::fmt::Write as _;

/// An entry: its name, and its attributes in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Distinguished name.
    pub dn: String,
    /// Descriptions and their values; an attribute stands where its first value stood.
    pub attributes: Vec<(String, Vec<Vec<u8>>)>,
}

/// A line of `queries.tsv`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    /// What the search is for.
    pub purpose: String,
    /// Base of the search.
    pub base: String,
    /// `base`, `one` or `sub`.
    pub scope: String,
    /// Filter in its text form.
    pub filter: String,
    /// Result code.
    pub code: i32,
    /// Names of the entries found.
    pub dns: Vec<String>,
}

/// The entries of a fixture such as `ldif/org.ldif`.
///
/// # Panics
/// If there is no such fixture, or a line of it is not understood.
pub fn entries(file: &str) -> Vec<Entry> {
    let text = std::fs::read_to_string(crate::data(file)).expect("a fixture");
    parse(&text)
}

/// The lines of `ldif/queries.tsv`.
///
/// # Panics
/// If the file is damaged.
pub fn queries() -> Vec<Query> {
    let text = std::fs::read_to_string(crate::data("ldif/queries.tsv")).expect("a fixture");
    let line = |line: &str| {
        let columns: Vec<&str> = line.split('\t').collect();
        let [purpose, base, scope, filter, code, count, dns] = columns[..] else {
            panic!("{line:?} has not seven columns")
        };
        let dns: Vec<String> = dns.split(" | ").filter(|dn| !dn.is_empty()).map(str::to_owned).collect();
        assert_eq!(count.parse(), Ok(dns.len()), "{line}");
        Query {
            purpose: purpose.to_owned(),
            base: base.to_owned(),
            scope: scope.to_owned(),
            filter: filter.to_owned(),
            code: code.parse().expect("a result code"),
            dns,
        }
    };
    text.lines().skip(1).map(line).collect()
}

/// The entries of a text, as `slapcat` and `ldapsearch -LLL` write it too.
///
/// # Panics
/// If a line is not understood.
pub fn parse(text: &str) -> Vec<Entry> {
    // A line that begins with a space goes on with the one before.
    let unfolded = text.replace("\n ", "");
    let mut entries: Vec<Entry> = Vec::new();
    for line in unfolded.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let (name, value) = line.split_once(':').unwrap_or_else(|| panic!("{line:?} has no colon"));
        let value = match value.strip_prefix(':') {
            Some(encoded) => base64(encoded.trim()),
            None => value.trim_start_matches(' ').as_bytes().to_vec(),
        };
        if name == "dn" {
            let dn = String::from_utf8(value).expect("names are UTF-8");
            entries.push(Entry { dn, attributes: Vec::new() });
            continue;
        }
        let entry = entries.last_mut().expect("an entry begins with its name");
        match entry.attributes.iter_mut().find(|(known, _)| known == name) {
            Some((_, values)) => values.push(value),
            None => entry.attributes.push((name.to_owned(), vec![value])),
        }
    }
    entries
}

fn base64(text: &str) -> Vec<u8> {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut bits = String::new();
    for byte in text.bytes().filter(|byte| *byte != b'=') {
        let digit = ALPHABET.iter().position(|known| *known == byte).expect("a digit of base64");
        let _ = write!(bits, "{digit:06b}");
    }
    let octets = bits.as_bytes().chunks_exact(8);
    octets.map(|octet| octet.iter().fold(0, |byte, bit| byte << 1 | (bit - b'0'))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fixture_is_read() {
        let entries = entries("ldif/org.ldif");
        assert_eq!(entries[0].dn, "dc=example,dc=com");
        let zola = entries.iter().find(|entry| entry.dn.starts_with("uid=zola,")).unwrap();
        let sn = zola.attributes.iter().find(|(name, _)| name == "sn").unwrap();
        assert_eq!(sn.1, ["Brontë".as_bytes()]);
        assert!(entries.iter().any(|entry| entry.dn.starts_with("cn=Müller \\+ Söhne")));
        assert!(queries().len() > 40);
    }
}
