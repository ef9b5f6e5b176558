//! What machines boot with: `ethers`, `bootptab`, `bootparams`.

use super::draft::{BAD_VALUE, Draft, TextWriter, is_word, join};
use super::joined::{Joined, each_joined};
use crate::lines::{Line, Lines};
use crate::problem::{Problem, Reason, shown};
use crate::record::Record;
use crate::stream::{distinct, merged, merged_lines};
use crate::writer::RecordWriter;
use std::borrow::Cow;
use std::io::{BufRead, Write};
use std::net::Ipv4Addr;

/// What stands before the entries of a `bootptab`: the directory of the boot files, the default file, the mark.
const BOOTPTAB_HEADER: &[u8] = b"/private/tftpboot:/\nmach\n%%\n";

/// The hardware type of Ethernet.
const ETHERNET: &[u8] = b"1";

/// Read `ethers` lines (`address name`) as `machines`.
///
/// Lines with the same name are one machine. Properties: `name` in lower case, as [`read_hosts`](crate::read_hosts) has
/// it, so that both meet in one machine; `en_address`, six numbers in lower-case hexadecimal without leading zeros.
pub fn read_ethers(input: impl BufRead) -> impl Iterator<Item = Result<Record, Problem>> {
    merged(input, ether, first_name)
}

/// Read the entries of a NeXT `bootptab` (`name type ethernet address file`, behind a line that begins with `%%`) as
/// `machines`.
///
/// Lines with the same name are one machine. Properties: `name` in lower case, `htype`, `en_address`, `ip_address`,
/// `bootfile` if there is one.
pub fn read_bootptab(input: impl BufRead) -> impl Iterator<Item = Result<Record, Problem>> {
    let mut lines = Lines::new(input);
    let mut begun = false;
    let entries = std::iter::from_fn(move || {
        let mut last = None;
        while !begun {
            match lines.next() {
                Some(Ok(line)) => {
                    begun = line.text.starts_with(b"%%");
                    last = Some(line.number);
                }
                Some(Err(problem)) => return Some(Err(problem)),
                None => {
                    begun = true;
                    let reason = || Reason::Malformed("no line begins with %%".to_owned());
                    return last.map(|number| Err(reason().at(number, "line")));
                }
            }
        }
        lines.next().map(|line| line.and_then(bootp))
    });
    merged_lines(entries, first_name)
}

/// Read `bootparams` lines (`name key=value…`) as `machines`. A backslash at the end of a line continues it.
///
/// Properties: `name` in lower case, `bootparams` with one parameter a value.
pub fn read_bootparams(input: impl BufRead) -> impl Iterator<Item = Result<Record, Problem>> {
    each_joined(input, Joined::Backslash, |line| {
        let mut words = line.words();
        let name = host_name(line, words.next())?;
        let parameters: Vec<_> = words.map(<[u8]>::to_vec).collect();
        if parameters.is_empty() {
            return Err(line.problem("bootparams", Reason::Missing));
        }
        Ok(Record::new("machines", line.number).with("name", name).with_values("bootparams", parameters))
    })
}

/// Write the Ethernet addresses of `machines` as `ethers` lines, each with all the names.
pub fn write_ethers<W: Write>(out: W) -> impl RecordWriter {
    TextWriter::new(out, "machines", |draft: &mut Draft<'_>, text: &mut Vec<u8>| {
        let names = draft.names(is_host_name)?;
        let addresses = ethernet_addresses(draft);
        for address in &addresses {
            text.extend_from_slice(address.as_bytes());
            text.push(b'\t');
            join(text, names.iter().copied(), b" ");
            text.push(b'\n');
        }
        if addresses.is_empty() { Err(NO_ETHERNET) } else { Ok(()) }
    })
}

/// Write `machines` with Ethernet and IP addresses as a NeXT `bootptab`. The addresses of a machine with several pair
/// by their order.
pub fn write_bootptab<W: Write>(out: W) -> impl RecordWriter {
    let line = |draft: &mut Draft<'_>, text: &mut Vec<u8>| {
        let name = *draft.names(is_host_name)?.first().ok_or(NO_ETHERNET)?;
        if draft.record().values("name").len() > 1 {
            draft.lose("name", "the format has room for one name");
        }
        let ethernet = ethernet_addresses(draft);
        let addresses = draft.all("ip_address");
        let addresses: Vec<Ipv4Addr> = addresses.iter().filter_map(|text| ipv4(text)).collect();
        if addresses.len() != ethernet.len() || addresses.len() != draft.record().values("ip_address").len() {
            draft.lose("ip_address", "not every address has a partner");
        }
        let kind = draft.one("htype").filter(|kind| is_word(kind)).unwrap_or(ETHERNET);
        let file = draft.one("bootfile");
        if file.is_some_and(|file| !is_word(file)) {
            draft.lose("bootfile", BAD_VALUE);
        }
        for (ethernet, address) in ethernet.iter().zip(&addresses) {
            join(text, [name, kind, ethernet.as_bytes(), address.to_string().as_bytes()], b"\t");
            if let Some(file) = file.filter(|file| is_word(file)) {
                text.push(b'\t');
                text.extend_from_slice(file);
            }
            text.push(b'\n');
        }
        if text.is_empty() { Err("it has no Ethernet address or no IP address") } else { Ok(()) }
    };
    TextWriter::new(out, "machines", line).with_header(BOOTPTAB_HEADER)
}

/// Write the boot parameters of `machines` as `bootparams` entries.
pub fn write_bootparams<W: Write>(out: W) -> impl RecordWriter {
    TextWriter::new(out, "machines", |draft: &mut Draft<'_>, text: &mut Vec<u8>| {
        let name = *draft.names(is_host_name)?.first().ok_or(NO_PARAMETERS)?;
        if draft.record().values("name").len() > 1 {
            draft.lose("name", "the format has room for one name");
        }
        let parameters = draft.good("bootparams", |word| is_word(word) && !word.ends_with(b"\\"));
        if parameters.is_empty() {
            return Err(NO_PARAMETERS);
        }
        text.extend_from_slice(name);
        text.push(b'\t');
        join(text, parameters, b" \\\n\t");
        text.push(b'\n');
        Ok(())
    })
}

const NO_ETHERNET: &str = "it has no Ethernet address";
const NO_PARAMETERS: &str = "it has no boot parameters";

fn ether(line: Line<'_>) -> Result<Record, Problem> {
    let mut words = line.words();
    let address = words.next().unwrap_or_default();
    if address.starts_with(b"+") {
        return Err(line.problem("line", Reason::Nis));
    }
    let address = ethernet(address).ok_or_else(|| bad_ethernet(line, address))?;
    let names = distinct(line, words.map(|name| Cow::Owned(name.to_ascii_lowercase())))?;
    if names.is_empty() {
        return Err(line.problem("name", Reason::Missing));
    }
    Ok(Record::new("machines", line.number).with_values("name", names).with("en_address", address))
}

fn bootp(line: Line<'_>) -> Result<Record, Problem> {
    const FIELDS: [&str; 5] = ["name", "htype", "en_address", "ip_address", "bootfile"];
    let words: Vec<&[u8]> = line.words().take(FIELDS.len() + 1).collect();
    let (fields, file) = match words[..] {
        [name, kind, ethernet, address] => ([name, kind, ethernet, address], None),
        [name, kind, ethernet, address, file] => ([name, kind, ethernet, address], Some(file)),
        _ => {
            let missing = FIELDS.get(words.len());
            let many = || line.problem("line", Reason::TooManyFields(FIELDS.len()));
            return Err(missing.map_or_else(many, |field| line.problem(field, Reason::Missing)));
        }
    };
    let [name, kind, hardware, address] = fields;
    let hardware = ethernet(hardware).ok_or_else(|| bad_ethernet(line, hardware))?;
    let bad_address = || line.problem("ip_address", Reason::NotAnAddress(shown(address)));
    let address = ipv4(address).ok_or_else(bad_address)?;
    let mut record = Record::new("machines", line.number)
        .with("name", host_name(line, Some(name))?)
        .with("htype", kind)
        .with("en_address", hardware)
        .with("ip_address", address.to_string());
    if let Some(file) = file {
        record = record.with("bootfile", file);
    }
    Ok(record)
}

fn first_name(record: &Record) -> Vec<u8> {
    record.first("name").unwrap_or_default().to_vec()
}

/// A host name in lower case.
fn host_name(line: Line<'_>, word: Option<&[u8]>) -> Result<Vec<u8>, Problem> {
    match word {
        None => Err(line.problem("name", Reason::Missing)),
        Some([b'+', ..]) => Err(line.problem("line", Reason::Nis)),
        Some(name) => Ok(name.to_ascii_lowercase()),
    }
}

fn is_host_name(name: &[u8]) -> bool {
    is_word(name) && !name.starts_with(b"+")
}

/// The Ethernet addresses of a machine in their canonical form.
fn ethernet_addresses(draft: &mut Draft<'_>) -> Vec<String> {
    let values = draft.all("en_address");
    let addresses: Vec<String> = values.iter().filter_map(|text| ethernet(text)).collect();
    if addresses.len() < values.len() {
        draft.lose("en_address", BAD_VALUE);
    }
    addresses
}

fn bad_ethernet(line: Line<'_>, text: &[u8]) -> Problem {
    let what = format!("\"{}\" is not an Ethernet address", shown(text));
    line.problem("en_address", Reason::Malformed(what))
}

/// Six hexadecimal numbers between colons or hyphens, in canonical form.
fn ethernet(text: &[u8]) -> Option<String> {
    let text = str::from_utf8(text).ok()?;
    let part = |part: &str| {
        let digits = matches!(part.len(), 1 | 2) && part.bytes().all(|byte| byte.is_ascii_hexdigit());
        digits.then(|| u8::from_str_radix(part, 16).ok())?.map(|byte| format!("{byte:x}"))
    };
    let parts: Vec<String> = text.split([':', '-']).map(part).collect::<Option<_>>()?;
    (parts.len() == 6).then(|| parts.join(":"))
}

fn ipv4(text: &[u8]) -> Option<Ipv4Addr> {
    str::from_utf8(text).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flat::draft::written;

    fn shown_items(items: impl Iterator<Item = Result<Record, Problem>>) -> Vec<String> {
        items
            .map(|item| item.map_or_else(|problem| problem.to_string(), |record| format!("{record:?}")))
            .collect()
    }

    fn values(values: &[&str]) -> Vec<Vec<u8>> {
        values.iter().map(|value| value.as_bytes().to_vec()).collect()
    }

    #[test]
    fn ethernet_addresses_are_canonical() {
        let text =
            "00:00:5E:00:53:01 GW # x\n0-0-5e-0-53-2\tgw\n1:2:3:4:5 a\n0:0:0:0:0:100 a\n1:2:3:4:5:6\n+\n";
        assert_eq!(
            shown_items(read_ethers(text.as_bytes())),
            [
                "line 3: en_address: \"1:2:3:4:5\" is not an Ethernet address",
                "line 4: en_address: \"0:0:0:0:0:100\" is not an Ethernet address",
                "line 5: name: missing",
                "line 6: line: NIS line skipped",
                r#"machines:1 { name: "gw" en_address: "0:0:5e:0:53:1" "0:0:5e:0:53:2" }"#,
            ]
        );
    }

    #[test]
    fn boot_tables_begin_behind_their_mark() {
        let text = "/tftpboot\nmach\n%%\nA 1 0:0:5e:0:53:67 192.0.2.1 mach\nb 1 0:0:5e:0:53:68 192.0.2.2\nc 1 x 192.0.2.3\n\
                    d 1 0:0:5e:0:53:69 192.0.2\ne 1 0:0:5e:0:53:69\nf 1 0:0:5e:0:53:69 192.0.2.3 g h\n";
        assert_eq!(
            shown_items(read_bootptab(text.as_bytes())),
            [
                "line 6: en_address: \"x\" is not an Ethernet address",
                "line 7: ip_address: \"192.0.2\" is not an address",
                "line 8: ip_address: missing",
                "line 9: line: more than 5 fields",
                r#"machines:4 { name: "a" htype: "1" en_address: "0:0:5e:0:53:67" ip_address: "192.0.2.1" bootfile: "mach" }"#,
                r#"machines:5 { name: "b" htype: "1" en_address: "0:0:5e:0:53:68" ip_address: "192.0.2.2" }"#,
            ]
        );
        assert_eq!(shown_items(read_bootptab(&b"a:ht=1:\n"[..])), ["line 1: line: no line begins with %%"]);
        assert!(shown_items(read_bootptab(&b""[..])).is_empty());
    }

    #[test]
    fn boot_parameters_are_words() {
        let text = "Netboot1 root=srv:/r \\\n\tswap=srv:/s\nb\n+\n";
        assert_eq!(
            shown_items(read_bootparams(text.as_bytes())),
            [
                r#"machines:1 { name: "netboot1" bootparams: "root=srv:/r" "swap=srv:/s" }"#,
                "line 3: bootparams: missing",
                "line 4: line: NIS line skipped",
            ]
        );
    }

    #[test]
    fn machines_are_written_if_they_have_what_it_takes() {
        let records = [
            Record::new("machines", 1)
                .with_values("name", values(&["a", "b"]))
                .with_values("en_address", values(&["0:0:5E:0:53:01", "x", "0:0:5e:0:53:2"]))
                .with_values("ip_address", values(&["192.0.2.1"]))
                .with_values("bootparams", values(&["root=s:/r", "a b", "swap=s:/s"])),
            Record::new("machines", 2).with("name", "c"),
        ];
        let write = |writer: &mut dyn RecordWriter, losses: &mut Vec<_>| {
            records.iter().for_each(|record| writer.write(record, losses).unwrap());
        };
        let (text, losses) = written(|out, losses| write(&mut write_ethers(out), losses));
        assert_eq!(text, "0:0:5e:0:53:1\ta b\n0:0:5e:0:53:2\ta b\n");
        assert_eq!(losses.last().unwrap(), "record 2: left out: it has no Ethernet address");
        let (text, losses) = written(|out, losses| write(&mut write_bootptab(out), losses));
        assert_eq!(text, "/private/tftpboot:/\nmach\n%%\na\t1\t0:0:5e:0:53:1\t192.0.2.1\n");
        assert!(losses.contains(&"record 1: ip_address: not every address has a partner".to_owned()));
        let (text, losses) = written(|out, losses| write(&mut write_bootparams(out), losses));
        assert_eq!(text, "a\troot=s:/r \\\n\tswap=s:/s\n");
        assert_eq!(losses.last().unwrap(), "record 2: left out: it has no boot parameters");
    }
}
