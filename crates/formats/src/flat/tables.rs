//! The tables of names and numbers: `networks`, `protocols`, `rpc`, `services`.

use crate::flat::draft::{Draft, TextWriter, Why, is_word};
use crate::lines::Line;
use crate::problem::{Problem, Reason, shown};
use crate::record::Record;
use crate::stream::{distinct, each, merged};
use crate::writer::RecordWriter;
use std::borrow::Cow;
use std::io::{BufRead, Write};

/// Read `networks` lines (`name number alias…`) as `networks`.
///
/// Properties: `name` with the aliases, `address` (one to four dotted parts, without leading zeros).
pub fn read_networks(input: impl BufRead) -> impl Iterator<Item = Result<Record, Problem>> {
    each(input, |line| {
        entry(line, "networks", "address", |line, text| {
            network(text).ok_or_else(|| line.problem("address", Reason::NotAnAddress(shown(text))))
        })
    })
}

/// Read `protocols` lines (`name number alias…`) as `protocols`: `name` with the aliases, `number`.
pub fn read_protocols(input: impl BufRead) -> impl Iterator<Item = Result<Record, Problem>> {
    each(input, |line| entry(line, "protocols", "number", number))
}

/// Read `rpc` lines (`name number alias…`) as `rpcs`: `name` with the aliases, `number`.
pub fn read_rpc(input: impl BufRead) -> impl Iterator<Item = Result<Record, Problem>> {
    each(input, |line| entry(line, "rpcs", "number", number))
}

/// Read `services` lines (`name port/protocol alias…`) as `services`.
///
/// Lines with the same name and port are one service. Properties: `name` with the aliases, `port`, `protocol` with
/// one value for each protocol. A name with different ports for its protocols gives several records of that name.
pub fn read_services(input: impl BufRead) -> impl Iterator<Item = Result<Record, Problem>> {
    merged(input, service, |record| {
        let part = |property| record.first(property).unwrap_or_default();
        [part("name"), b"\0", part("port")].concat()
    })
}

/// Write `networks` as `networks` lines.
pub fn write_networks<W: Write>(out: W) -> impl RecordWriter {
    TextWriter::new(out, "networks", |draft: &mut Draft<'_>, text: &mut Vec<u8>| {
        let address =
            draft.one("address").and_then(network).ok_or("its address is missing or no network number")?;
        line_of_text(draft, text, address.as_bytes())
    })
}

/// Write `protocols` as `protocols` lines.
pub fn write_protocols<W: Write>(out: W) -> impl RecordWriter {
    TextWriter::new(out, "protocols", numbered)
}

/// Write `rpcs` as `rpc` lines.
pub fn write_rpc<W: Write>(out: W) -> impl RecordWriter {
    TextWriter::new(out, "rpcs", numbered)
}

/// Write `services` as `services` lines, one for each protocol.
pub fn write_services<W: Write>(out: W) -> impl RecordWriter {
    TextWriter::new(out, "services", |draft: &mut Draft<'_>, text: &mut Vec<u8>| {
        let port = draft.one("port").and_then(decimal).filter(|port| *port <= u32::from(u16::MAX));
        let port = port.ok_or("its port is missing or no port number")?;
        let is_protocol = |text: &[u8]| is_word(&[b"/", text].concat()) && !text.is_empty();
        let protocols = draft.good("protocol", is_protocol);
        if protocols.is_empty() {
            return Err("it has no protocol");
        }
        for (position, protocol) in protocols.into_iter().enumerate() {
            let value = [port.to_string().as_bytes(), b"/", protocol].concat();
            if position == 0 {
                line_of_text(draft, text, &value)?;
            } else {
                let names: Vec<_> = draft.record().values("name").iter().map(Vec::as_slice).collect();
                compose(text, names.into_iter().filter(|name| is_word(name)), &value);
            }
        }
        Ok(())
    })
}

fn numbered(draft: &mut Draft<'_>, text: &mut Vec<u8>) -> Result<(), Why> {
    let number = draft.one("number").and_then(decimal).ok_or("its number is missing or no number")?;
    line_of_text(draft, text, number.to_string().as_bytes())
}

fn line_of_text(draft: &mut Draft<'_>, text: &mut Vec<u8>, value: &[u8]) -> Result<(), Why> {
    compose(text, draft.names(is_word)?.into_iter(), value);
    Ok(())
}

/// `name value alias…`, with tabs before and behind the value as these files have always been laid out.
fn compose<'a>(text: &mut Vec<u8>, mut names: impl Iterator<Item = &'a [u8]>, value: &[u8]) {
    text.extend_from_slice(names.next().unwrap_or_default());
    text.push(b'\t');
    text.extend_from_slice(value);
    for (position, alias) in names.enumerate() {
        text.push(if position == 0 { b'\t' } else { b' ' });
        text.extend_from_slice(alias);
    }
    text.push(b'\n');
}

/// `name value alias…`, with the value checked and normalised.
fn entry(
    line: Line<'_>,
    container: &'static str,
    property: &'static str,
    check: fn(Line<'_>, &[u8]) -> Result<String, Problem>,
) -> Result<Record, Problem> {
    let (names, value) = names_and_value(line, property)?;
    let value = check(line, value)?;
    Ok(Record::new(container, line.number).with_values("name", names).with(property, value))
}

fn service(line: Line<'_>) -> Result<Record, Problem> {
    let (names, value) = names_and_value(line, "port")?;
    let not_a_port = || line.problem("port", Reason::NotAPort(shown(value)));
    let slash = value.iter().position(|byte| *byte == b'/').ok_or_else(not_a_port)?;
    let (port, protocol) = (&value[..slash], &value[slash + 1..]);
    if port.is_empty() || protocol.is_empty() {
        return Err(not_a_port());
    }
    let port = number(line, port).map_err(|problem| Problem { field: "port", ..problem })?;
    if port.parse::<u16>().is_err() {
        return Err(line.problem("port", Reason::OutOfRange(port)));
    }
    Ok(Record::new("services", line.number)
        .with_values("name", names)
        .with("port", port)
        .with("protocol", protocol))
}

/// The first word and everything from the third on, each once; and the second.
fn names_and_value<'a>(line: Line<'a>, property: &'static str) -> Result<(Vec<Vec<u8>>, &'a [u8]), Problem> {
    let mut words = line.words();
    let name = words.next();
    let value = words.next().ok_or_else(|| line.problem(property, Reason::Missing))?;
    let names = distinct(line, name.into_iter().chain(words).map(Cow::Borrowed))?;
    Ok((names, value))
}

/// An unsigned 32-bit number as canonical decimal text.
fn number(line: Line<'_>, text: &[u8]) -> Result<String, Problem> {
    if text.is_empty() || !text.iter().all(u8::is_ascii_digit) {
        return Err(line.problem("number", Reason::NotANumber(shown(text))));
    }
    decimal(text)
        .map(|value| value.to_string())
        .ok_or_else(|| line.problem("number", Reason::OutOfRange(shown(text))))
}

/// Digits, as a number of 32 bits.
fn decimal(text: &[u8]) -> Option<u32> {
    // `parse` takes a sign.
    let digits = text.iter().all(u8::is_ascii_digit);
    str::from_utf8(text).ok().filter(|_| digits)?.parse().ok()
}

/// One to four dotted parts from 0 to 255, without leading zeros.
fn network(text: &[u8]) -> Option<String> {
    let text = str::from_utf8(text).ok()?;
    let part = |part: &str| {
        let digits = !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        digits.then(|| part.parse::<u8>().ok())?.map(|part| part.to_string())
    };
    let parts: Vec<String> = text.split('.').map(part).collect::<Option<_>>()?;
    (parts.len() <= 4).then(|| parts.join("."))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flat::draft::written;

    fn shown_items(items: impl Iterator<Item = Result<Record, Problem>>) -> Vec<String> {
        let shown = |item: Result<Record, Problem>| match item {
            Ok(record) => format!("{record:?}"),
            Err(problem) => problem.to_string(),
        };
        items.map(shown).collect()
    }

    #[test]
    fn protocols_and_rpc_have_numbers() {
        assert_eq!(
            shown_items(read_protocols(
                &b"tcp 6 TCP # comment\nmptcp 0262 mptcp MPTCP\nx\ny z\nq 4294967296\nw -1"[..]
            )),
            [
                r#"protocols:1 { name: "tcp" "TCP" number: "6" }"#,
                r#"protocols:2 { name: "mptcp" "MPTCP" number: "262" }"#,
                "line 3: number: missing",
                "line 4: number: \"z\" is not a number",
                "line 5: number: 4294967296 is out of range",
                "line 6: number: \"-1\" is not a number",
            ]
        );
        assert_eq!(
            shown_items(read_rpc(&b"portmapper 100000 portmap sunrpc \n"[..])),
            [r#"rpcs:1 { name: "portmapper" "portmap" "sunrpc" number: "100000" }"#]
        );
    }

    #[test]
    fn network_numbers_lose_leading_zeros_only() {
        assert_eq!(
            shown_items(read_networks(
                &b"loopback 127\nlab 192.000.02 l\nz 0.0.0.0\nb 1.2.3.4.5\nc 256\nd 1..2"[..]
            )),
            [
                r#"networks:1 { name: "loopback" address: "127" }"#,
                r#"networks:2 { name: "lab" "l" address: "192.0.2" }"#,
                r#"networks:3 { name: "z" address: "0.0.0.0" }"#,
                "line 4: address: \"1.2.3.4.5\" is not an address",
                "line 5: address: \"256\" is not an address",
                "line 6: address: \"1..2\" is not an address",
            ]
        );
    }

    #[test]
    fn protocols_of_one_port_are_one_service() {
        let text = b"domain 53/tcp nameserver\ntempo 103/tcp\ndomain 53/udp dns\ntempo 1103/udp newdate\n";
        assert_eq!(
            shown_items(read_services(&text[..])),
            [
                r#"services:1 { name: "domain" "nameserver" "dns" port: "53" protocol: "tcp" "udp" }"#,
                r#"services:2 { name: "tempo" port: "103" protocol: "tcp" }"#,
                r#"services:4 { name: "tempo" "newdate" port: "1103" protocol: "udp" }"#,
            ]
        );
    }

    #[test]
    fn bad_ports_are_reported() {
        let text = b"a 53\nb /tcp\nc 53/\nd x/tcp\ne 65536/tcp\nf\ng 065/udp\n";
        assert_eq!(
            shown_items(read_services(&text[..])),
            [
                "line 1: port: \"53\" is not a port and a protocol",
                "line 2: port: \"/tcp\" is not a port and a protocol",
                "line 3: port: \"53/\" is not a port and a protocol",
                "line 4: port: \"x\" is not a number",
                "line 5: port: 65536 is out of range",
                "line 6: port: missing",
                r#"services:7 { name: "g" port: "65" protocol: "udp" }"#,
            ]
        );
    }

    #[test]
    fn entries_are_written_as_lines() {
        let values =
            |values: &[&str]| values.iter().map(|value| value.as_bytes().to_vec()).collect::<Vec<_>>();
        let service = |name: &[&str], port: &str, protocol: &[&str]| {
            Record::new("services", 1)
                .with_values("name", values(name))
                .with("port", port)
                .with_values("protocol", values(protocol))
        };
        let records = [
            service(&["domain", "dns", "a b", "ns"], "053", &["tcp", "", "udp"]),
            service(&["x"], "65536", &["tcp"]),
            service(&["x"], "1", &[]),
            service(&["#x"], "1", &["tcp"]),
            Record::new("services", 2).with("name", "x").with("protocol", "tcp"),
        ];
        let (text, losses) = written(|out, losses| {
            let mut writer = write_services(out);
            records.iter().for_each(|record| writer.write(record, losses).unwrap());
        });
        assert_eq!(text, "domain\t53/tcp\tdns ns\ndomain\t53/udp\tdns ns\n");
        let losses: Vec<_> = losses.iter().map(|loss| loss.split_once(": ").unwrap().1).collect();
        assert_eq!(
            losses[2..],
            [
                "left out: its port is missing or no port number",
                "left out: it has no protocol",
                "left out: a field holds a separator of the format or the end of a line",
                "left out: its port is missing or no port number",
            ]
        );
        let (text, losses) = written(|out, losses| {
            let record = |container, property, value| {
                Record::new(container, 1).with("name", "a").with(property, value)
            };
            write_networks(&mut *out).write(&record("networks", "address", "10.01"), losses).unwrap();
            write_networks(&mut *out).write(&record("networks", "address", "10.x"), losses).unwrap();
            write_protocols(&mut *out).write(&record("protocols", "number", "+1"), losses).unwrap();
            write_rpc(out).write(&record("rpcs", "number", "100000"), losses).unwrap();
        });
        assert_eq!((text.as_str(), losses.len()), ("a\t10.1\na\t100000\n", 2));
    }

    #[test]
    fn aliases_are_bounded() {
        let mut text = b"a 1".to_vec();
        for alias in 1..=crate::stream::MAX_MERGED_VALUES {
            text.extend(format!(" {alias}").bytes());
        }
        assert_eq!(read_rpc(&text[..]).next(), Some(Err(Reason::TooManyValues.at(1, "name"))));
        text.truncate(text.len() - format!(" {}", crate::stream::MAX_MERGED_VALUES).len());
        let record = read_rpc(&text[..]).next().unwrap().unwrap();
        assert_eq!(record.values("name").len(), crate::stream::MAX_MERGED_VALUES);
    }
}
