//! `hosts`.

use crate::flat::draft::{BAD_VALUE, Draft, TextWriter, is_word, join};
use crate::lines::Line;
use crate::problem::{Problem, Reason, shown};
use crate::record::Record;
use crate::stream::{distinct, merged};
use crate::writer::RecordWriter;
use std::io::{BufRead, Write};
use std::net::{Ipv4Addr, Ipv6Addr};

/// Read `hosts` lines (`address name alias…`) as `machines`.
///
/// Lines with the same first name are one host. Properties: `name` with all names, `ip_address` and `ipv6_address`
/// in their canonical text form; an IPv6 scope (`%lo0`) is kept. Names are lower-cased, because look-ups of hosts
/// compare with the query in lower case.
pub fn read_hosts(input: impl BufRead) -> impl Iterator<Item = Result<Record, Problem>> {
    merged(input, host, |record| record.first("name").unwrap_or_default().to_vec())
}

/// Write `machines` as `hosts` lines: one for each address, all with all the names.
pub fn write_hosts<W: Write>(out: W) -> impl RecordWriter {
    TextWriter::new(out, "machines", |draft: &mut Draft<'_>, text: &mut Vec<u8>| {
        let names = draft.names(is_word)?;
        let mut found = false;
        for property in ["ip_address", "ipv6_address"] {
            for address in draft.all(property) {
                // An address under the other property is an address all the same.
                let Some((_, address)) = canonical(address) else {
                    draft.lose(property, BAD_VALUE);
                    continue;
                };
                found = true;
                text.extend_from_slice(address.as_bytes());
                text.push(b'\t');
                join(text, names.iter().copied(), b" ");
                text.push(b'\n');
            }
        }
        if found { Ok(()) } else { Err("it has no IP address") }
    })
}

fn host(line: Line<'_>) -> Result<Record, Problem> {
    let mut words = line.words();
    let address = words.next().unwrap_or_default();
    let (property, address) =
        canonical(address).ok_or_else(|| line.problem("address", Reason::NotAnAddress(shown(address))))?;
    let names = distinct(line, words.map(|name| name.to_ascii_lowercase().into()))?;
    if names.is_empty() {
        return Err(line.problem("name", Reason::NoRecord("an address without a name".to_owned())));
    }
    Ok(Record::new("machines", line.number).with_values("name", names).with(property, address))
}

/// The property for an address and its canonical form.
fn canonical(address: &[u8]) -> Option<(&'static str, String)> {
    let text = str::from_utf8(address).ok()?;
    if let Ok(address) = text.parse::<Ipv4Addr>() {
        return Some(("ip_address", address.to_string()));
    }
    let (address, scope) =
        text.split_once('%').map_or((text, None), |(address, scope)| (address, Some(scope)));
    let address: Ipv6Addr = address.parse().ok()?;
    match scope {
        None => Some(("ipv6_address", address.to_string())),
        Some(scope)
            if !scope.is_empty() && scope.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'%') =>
        {
            Some(("ipv6_address", format!("{address}%{scope}")))
        }
        Some(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flat::draft::written;

    fn hosts(text: &str) -> Vec<String> {
        let shown = |item: Result<Record, Problem>| match item {
            Ok(record) => format!("{record:?}"),
            Err(problem) => problem.to_string(),
        };
        read_hosts(text.as_bytes()).map(shown).collect()
    }

    #[test]
    fn addresses_of_one_name_are_one_host() {
        let text = "127.0.0.1 localhost\n::1 LocalHost ip6-localhost # six\n2001:DB8:0::20\tlocalhost\n10.0.0.5 a a A";
        assert_eq!(
            hosts(text),
            [
                r#"machines:1 { name: "localhost" "ip6-localhost" ip_address: "127.0.0.1" ipv6_address: "::1" "2001:db8::20" }"#,
                r#"machines:4 { name: "a" ip_address: "10.0.0.5" }"#,
            ]
        );
    }

    #[test]
    fn every_address_is_a_line() {
        let records = [
            Record::new("machines", 1)
                .with_values("name", ["a", "b c", "d"].map(Into::into).to_vec())
                .with_values("ip_address", ["10.0.0.1", "10.0.0.2", "10"].map(Into::into).to_vec())
                .with("ipv6_address", "FE80::1%en0")
                .with("serves", "./local"),
            Record::new("machines", 2).with("name", "e"),
            Record::new("machines", 3).with("name", "#f").with("ip_address", "10.0.0.3"),
        ];
        let (text, losses) = written(|out, losses| {
            let mut writer = write_hosts(out);
            records.iter().for_each(|record| writer.write(record, losses).unwrap());
        });
        assert_eq!(text, "10.0.0.1\ta d\n10.0.0.2\ta d\nfe80::1%en0\ta d\n");
        assert_eq!(
            losses,
            [
                "record 1: name: a value is left out: it holds a separator of the format, or is empty",
                "record 1: ip_address: a value is left out: it holds a separator of the format, or is empty",
                "record 1: serves: the format has no place for it",
                "record 2: left out: it has no IP address",
                "record 3: left out: a field holds a separator of the format or the end of a line",
            ]
        );
    }

    #[test]
    fn bad_addresses_and_missing_names_are_reported() {
        let text = "10.0.0 a\n10.0.0.01 a\n10.0.0.1\n10.0.0.1 # a\nfe80::1% a\n:: % a\nfe80::1%a%b a\nfe80::1%eth0 b\n";
        assert_eq!(
            hosts(text),
            [
                "line 1: address: \"10.0.0\" is not an address",
                "line 2: address: \"10.0.0.01\" is not an address",
                "line 3: name: an address without a name",
                "line 4: name: an address without a name",
                "line 5: address: \"fe80::1%\" is not an address",
                "line 7: address: \"fe80::1%a%b\" is not an address",
                r#"machines:6 { name: "%" "a" ipv6_address: "::" }"#,
                r#"machines:8 { name: "b" ipv6_address: "fe80::1%eth0" }"#,
            ]
        );
    }
}
