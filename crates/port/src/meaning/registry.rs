//! IANA's Service Name and Transport Protocol Port Number Registry: a copy that is built in, or a newer file.

use std::fs::File;
use std::io::Read;
use std::ops::RangeInclusive;
use std::path::Path;

use crate::Error;
use crate::limits::{MAX_DESCRIPTION, MAX_REGISTRY};

/// The built-in copy: a line with its date, then `port TAB protocols TAB name TAB description`, ordered by port.
const EMBEDDED: &str = include_str!("../../data/service-names.tsv");

/// An entry of the registry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registered {
    /// First and last port.
    pub ports: (u16, u16),
    /// Its transports: `tcp`, `udp`, `sctp`, `dccp`.
    pub protocols: Vec<String>,
    /// Name of the service; empty if the number is set aside without one.
    pub name: String,
    /// What it is.
    pub description: String,
}

/// The registry.
#[derive(Clone, Debug)]
pub struct Registry {
    source: String,
    table: Table,
}

#[derive(Clone, Debug)]
enum Table {
    /// Lines ordered by port.
    Lines(&'static str),
    Entries(Vec<Registered>),
}

impl Registry {
    /// The copy that is built in.
    pub fn embedded() -> Self {
        let (date, lines) = EMBEDDED.split_once('\n').unwrap_or_default();
        Self { source: date.trim_start_matches("# ").to_owned(), table: Table::Lines(lines) }
    }

    /// Reads a file in IANA's own format, `service-names-port-numbers.csv`.
    ///
    /// # Errors
    /// [`Error::Registry`] if it cannot be read, is longer than [`MAX_REGISTRY`], lacks a column, or has no entry.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let failed = |reason: String| Error::Registry { file: path.display().to_string(), reason };
        let file = File::open(path).map_err(|e| failed(e.to_string()))?;
        let length = file.metadata().map_err(|e| failed(e.to_string()))?.len();
        if length > MAX_REGISTRY {
            return Err(failed(format!("it is longer than {MAX_REGISTRY} bytes")));
        }
        let entries = parse_csv(file.take(MAX_REGISTRY)).map_err(failed)?;
        Ok(Self { source: path.display().to_string(), table: Table::Entries(entries) })
    }

    /// Reads the same format from anywhere; `source` names it in reports.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn from_csv(source: &str, input: impl Read) -> Result<Self, String> {
        Ok(Self { source: source.to_owned(), table: Table::Entries(parse_csv(input)?) })
    }

    /// Date of the built-in copy, or where a registry was read from.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Whether this is the built-in copy.
    pub const fn is_embedded(&self) -> bool {
        matches!(self.table, Table::Lines(_))
    }

    /// The entries of a port.
    pub fn lookup(&self, port: u16) -> Vec<Registered> {
        match &self.table {
            Table::Lines(lines) => lines_of(lines, port).filter_map(entry).collect(),
            Table::Entries(entries) => {
                entries.iter().filter(|e| (e.ports.0..=e.ports.1).contains(&port)).cloned().collect()
            }
        }
    }

    /// The name of a port for one transport.
    pub fn name(&self, port: u16, protocol: &str) -> Option<String> {
        name(&self.lookup(port), protocol).map(str::to_owned)
    }

    /// The ports of a service, by its name in any case.
    pub fn ports_named(&self, name: &str) -> Vec<RangeInclusive<u16>> {
        let mut ports: Vec<(u16, u16)> = match &self.table {
            Table::Lines(lines) => {
                let named =
                    |line: &&str| line.split('\t').nth(2).is_some_and(|n| n.eq_ignore_ascii_case(name));
                lines.lines().filter(named).filter_map(entry).map(|e| e.ports).collect()
            }
            Table::Entries(entries) => {
                entries.iter().filter(|e| e.name.eq_ignore_ascii_case(name)).map(|e| e.ports).collect()
            }
        };
        ports.sort_unstable();
        ports.dedup();
        ports.into_iter().filter(|(first, _)| *first != 0).map(|(first, last)| first..=last).collect()
    }
}

/// The first name for one transport among the entries of a port.
pub(super) fn name<'e>(entries: &'e [Registered], protocol: &str) -> Option<&'e str> {
    let named = |e: &&Registered| !e.name.is_empty() && e.protocols.iter().any(|p| p == protocol);
    entries.iter().find(named).map(|e| e.name.as_str())
}

/// The lines of a port, found by halving.
fn lines_of(table: &'static str, port: u16) -> impl Iterator<Item = &'static str> {
    let port_of = |line: &str| line.split('\t').next().and_then(|port| port.parse::<u16>().ok());
    let (mut low, mut high) = (0, table.len());
    // The first line of `port`, or of the next port, begins within low..=high; low is always the start of a line.
    while low < high {
        let middle = low + (high - low) / 2;
        let start = table.as_bytes().iter().take(middle).rposition(|b| *b == b'\n').map_or(0, |at| at + 1);
        let line = table.get(start..).and_then(|rest| rest.lines().next()).unwrap_or_default();
        if port_of(line).is_some_and(|found| found < port) {
            low = start + line.len() + 1;
        } else {
            high = start;
        }
    }
    let rest = table.get(low..).unwrap_or_default();
    rest.lines().take_while(move |line| port_of(line) == Some(port))
}

fn entry(line: &str) -> Option<Registered> {
    let mut columns = line.split('\t');
    let port = columns.next()?.parse().ok()?;
    let protocols = columns.next()?.split(',').map(str::to_owned).collect();
    let name = columns.next()?.to_owned();
    Some(Registered { ports: (port, port), protocols, name, description: columns.next()?.to_owned() })
}

/// Reads IANA's columns "Service Name", "Port Number", "Transport Protocol" and "Description", wherever they are.
/// Lines without a port or a transport, and those of unassigned ports, are no entries.
fn parse_csv(input: impl Read) -> Result<Vec<Registered>, String> {
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(input);
    let headers = reader.byte_headers().map_err(|e| e.to_string())?.clone();
    let column = |name: &str| {
        let at = headers.iter().position(|h| h.trim_ascii().eq_ignore_ascii_case(name.as_bytes()));
        at.ok_or_else(|| format!("it has no column \"{name}\"; is it service-names-port-numbers.csv?"))
    };
    let columns = [
        column("Service Name")?,
        column("Port Number")?,
        column("Transport Protocol")?,
        column("Description")?,
    ];
    let mut entries: Vec<Registered> = Vec::new();
    let mut record = csv::ByteRecord::new();
    while reader.read_byte_record(&mut record).map_err(|e| e.to_string())? {
        let [name, ports, protocol, description] = columns.map(|at| text(record.get(at).unwrap_or_default()));
        let Some(ports) = ports_of(&ports) else { continue };
        if protocol.is_empty() && !name.is_empty() || description.eq_ignore_ascii_case("unassigned") {
            continue;
        }
        let protocol = protocol.to_ascii_lowercase();
        let same = |e: &&mut Registered| (e.ports, &e.name, &e.description) == (ports, &name, &description);
        match entries.iter_mut().rev().take(4).find(same) {
            Some(entry) => entry.protocols.push(protocol),
            None => entries.push(Registered { ports, protocols: vec![protocol], name, description }),
        }
    }
    if entries.is_empty() { Err("it has no entry with a port".into()) } else { Ok(entries) }
}

/// `389` or `6000-6063`.
fn ports_of(text: &str) -> Option<(u16, u16)> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let (first, last) = (first.trim().parse().ok()?, last.trim().parse().ok()?);
    (first <= last).then_some((first, last))
}

/// A field on one line, of at most [`MAX_DESCRIPTION`] bytes.
fn text(field: &[u8]) -> String {
    let field = String::from_utf8_lossy(field);
    let mut text = field.split_whitespace().collect::<Vec<_>>().join(" ");
    let end = (0..=MAX_DESCRIPTION).rev().find(|end| text.is_char_boundary(*end)).unwrap_or_default();
    text.truncate(end);
    text
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_embedded_table_is_ordered_and_whole() {
        let (date, lines) = EMBEDDED.split_once('\n').unwrap();
        assert!(date.strip_prefix("# ").is_some_and(|d| d.len() == "2026-09-17".len()), "{date}");
        let entries: Vec<Registered> = lines.lines().map(|line| entry(line).unwrap()).collect();
        assert!(entries.len() > 7000);
        assert!(entries.windows(2).all(|pair| pair[0].ports <= pair[1].ports));
        let registry = Registry::embedded();
        for entry in entries.iter().step_by(7).chain(entries.last()) {
            assert!(registry.lookup(entry.ports.0).contains(entry), "{entry:?}");
        }
        let counted: usize = (0..=u16::MAX).map(|port| lines_of(lines, port).count()).sum();
        assert_eq!(counted, entries.len());
    }

    #[test]
    fn well_known_ports() {
        let registry = Registry::embedded();
        assert_eq!(registry.name(389, "tcp").as_deref(), Some("ldap"));
        assert_eq!(registry.name(600, "udp").as_deref(), Some("ipcserver"));
        assert_eq!(registry.name(1033, "udp").as_deref(), Some("netinfo-local"));
        assert_eq!(registry.name(945, "tcp"), None);
        assert_eq!(registry.ports_named("NetInfo-Local"), [1033..=1033]);
        assert!(registry.is_embedded());
    }

    const CSV: &str = "\
Service Name,Port Number,Transport Protocol,Description,Assignee,Contact,Registration Date
,0,tcp,Reserved,[Jon_Postel],[Jon_Postel],
tcpmux,1,tcp,\"TCP Port Service
                        Multiplexer\",[Mark_Lottor],[Mark_Lottor],
tcpmux,1,udp,\"TCP Port Service
                        Multiplexer\",[Mark_Lottor],[Mark_Lottor],
,4,tcp,Unassigned,,,
,945-988,,Unassigned,,,
x11,6000-6063,tcp,X Window System,[Stephen_Gildea],[Stephen_Gildea],
1password,,tcp,no number,,,
";

    #[test]
    fn the_format_of_the_registry() {
        let registry = Registry::from_csv("test", CSV.as_bytes()).unwrap();
        let one = registry.lookup(1);
        assert_eq!(one.len(), 1);
        assert_eq!((one[0].name.as_str(), one[0].protocols.join(",")), ("tcpmux", "tcp,udp".into()));
        assert_eq!(one[0].description, "TCP Port Service Multiplexer");
        assert_eq!(registry.lookup(0)[0].description, "Reserved");
        assert!(registry.lookup(4).is_empty() && registry.lookup(945).is_empty());
        assert_eq!(registry.name(6063, "tcp").as_deref(), Some("x11"));
        assert_eq!(registry.ports_named("X11"), [6000..=6063]);
        let error = |text: &str| Registry::from_csv("test", text.as_bytes()).unwrap_err();
        assert!(error("Name,Port\nx,1\n").contains("no column \"Service Name\""));
        assert_eq!(error(CSV.lines().next().unwrap()), "it has no entry with a port");
    }

    #[test]
    fn files_are_limited() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.csv");
        let file = File::create(&path).unwrap();
        file.set_len(MAX_REGISTRY + 1).unwrap();
        assert!(Registry::read(&path).unwrap_err().to_string().contains("longer than"));
        assert!(Registry::read(&dir.path().join("none")).is_err());
        assert_eq!(text("é".repeat(200).as_bytes()).len(), MAX_DESCRIPTION - 1);
    }

    proptest! {
        #[test]
        fn any_file_is_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..300), rest in "[a-z0-9,\"\n-]{0,200}") {
            let _ = Registry::from_csv("test", bytes.as_slice());
            let text = format!("Service Name,Port Number,Transport Protocol,Description\n{rest}");
            let _ = Registry::from_csv("test", text.as_bytes());
        }
    }
}
