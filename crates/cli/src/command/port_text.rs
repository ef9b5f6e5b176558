//! What `netinfo port` prints: what the numbers mean, one table of sockets, what was found out.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::IsTerminal;
use std::time::SystemTime;

use netinfo_client::limits::IPCSERVER_PORT;
use netinfo_port::Report;
use netinfo_port::finding::Kind;
use netinfo_port::meaning::{Meaning, Status};
use netinfo_port::report::{Held, PortReport};

use crate::output::{safe, table};

/// Widest line of running text.
const WIDTH: usize = 100;
/// Most process ids shown in one line.
const SHOWN_PIDS: usize = 4;
/// Marks the lines of NetInfo's own sockets.
const MARK: &str = "*";

/// A whole report as text.
pub(crate) fn report(report: &Report) -> String {
    let bold = std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    let mut text = String::new();
    let asked = |port: &&PortReport| report.selections.iter().any(|s| s.single() == Some(port.port));
    for port in report.ports.iter().filter(asked) {
        text += &meaning(&port.meaning, &report.registry);
    }
    for selection in report.selections.iter().filter(|s| s.single().is_none()) {
        let used =
            report.ports.iter().filter(|port| selection.ports().contains(&port.port) && port.is_something());
        let _ = writeln!(text, "{selection}: {} of {} ports in use", used.count(), selection.ports().len());
    }
    let rows = rows(report);
    if rows.is_empty() && report.host.is_none() {
        let what = if report.selections.is_empty() { "nothing listens" } else { "nothing is there" };
        text += if text.is_empty() { "" } else { "\n" };
        let _ = writeln!(text, "{what}");
    } else if !rows.is_empty() {
        text += if text.is_empty() { "" } else { "\n" };
        text += &sockets(report, rows, bold);
    }
    text + &remarks(report)
}

/// What was found out by asking, what to look at, and what could not be seen.
fn remarks(report: &Report) -> String {
    let mut lines = Vec::new();
    for port in &report.ports {
        for probe in &port.probes {
            let summary = safe(probe.verdict.summary().as_bytes());
            lines.push(format!("probe {}/{}: {summary}", probe.target, probe.transport));
        }
        // A table of everything tells what concerns NetInfo only.
        let told = |kind| !report.selections.is_empty() || kind == Kind::NotNetInfo;
        for finding in port.findings.iter().filter(|finding| told(finding.kind)) {
            lines.push(format!("{}: {}", port.port, safe(finding.text.as_bytes())));
        }
    }
    if report.hidden > 0 {
        let (count, belong) =
            if report.hidden == 1 { ("1 socket", "belongs") } else { ("sockets", "belong") };
        let number = if report.hidden == 1 { String::new() } else { format!("{} ", report.hidden) };
        lines.push(format!("{number}{count} {belong} to processes you may not look into; run as root"));
    }
    if lines.is_empty() { String::new() } else { format!("\n{}\n", lines.join("\n")) }
}

/// What a number means, in a few lines.
fn meaning(meaning: &Meaning, registry: &str) -> String {
    let range = format!("{} port ({})", meaning.range.name(), meaning.range.bounds());
    let mut text = format!("{}: {range}, {}", meaning.port, meaning.status.name());
    let _ = match meaning.status {
        Status::Never => writeln!(text),
        Status::Assigned | Status::Reserved | Status::Unassigned => {
            writeln!(text, " by IANA (registry of {})", safe(registry.as_bytes()))
        }
    };
    for entry in &meaning.registered {
        let line = format!("{}/{}: {}", entry.name, entry.protocols.join(","), entry.description);
        let _ = writeln!(text, "  {}", safe(line.trim_start_matches(['/', ':']).as_bytes()));
    }
    for record in &meaning.node {
        let _ = writeln!(text, "  /services: {} ({})", joined(&record.names), joined(&record.protocols));
    }
    text + &wrapped(meaning.history.unwrap_or_default())
}

fn joined(values: &[Vec<u8>]) -> String {
    values.iter().map(|value| safe(value)).collect::<Vec<_>>().join(",")
}

/// Running text, indented, of lines that are not too long.
fn wrapped(text: &str) -> String {
    let mut lines = String::new();
    let mut line = String::from(" ");
    for word in text.split_whitespace() {
        if line.chars().count() + word.chars().count() >= WIDTH {
            let _ = writeln!(lines, "{line}");
            line = String::from(" ");
        }
        let _ = write!(line, " {word}");
    }
    if line.trim().is_empty() { lines } else { format!("{lines}{line}\n") }
}

/// A line of the table.
struct Row {
    netinfo: bool,
    cells: Vec<String>,
}

fn sockets(report: &Report, rows: Vec<Row>, bold: bool) -> String {
    let mut headers =
        vec!["", "proto", "state", "local", "remote", "process", "pid", "user", "unit", "since"];
    let listing = report.selections.is_empty();
    if listing {
        headers.retain(|header| !matches!(*header, "state" | "remote"));
        headers.insert(3, "service");
    }
    let text = table(&headers, &[], rows.into_iter().map(|row| row.cells));
    if !bold {
        return text;
    }
    let line = |line: &str| {
        if line.starts_with(MARK) { format!("\x1b[1m{line}\x1b[0m\n") } else { format!("{line}\n") }
    };
    text.lines().map(line).collect()
}

fn rows(report: &Report) -> Vec<Row> {
    let listing = report.selections.is_empty();
    let of_port = |port: &PortReport| {
        port.sockets
            .iter()
            .flat_map(|held| of_socket(held, listing.then_some(&port.meaning)))
            .collect::<Vec<_>>()
    };
    report.ports.iter().flat_map(of_port).collect()
}

/// The rows of a socket: one for each program that holds it, however many processes run it.
/// With a meaning it is a row of the table of all ports.
fn of_socket(held: &Held, meaning: Option<&Meaning>) -> Vec<Row> {
    let socket = &held.socket;
    let row = |process: [String; 5]| {
        let netinfo = held.is_netinfo();
        let mark = if netinfo { MARK } else { "" };
        let mut cells = vec![mark.to_owned(), socket.transport.name().to_owned()];
        match meaning {
            Some(meaning) => cells.extend([socket.local_text(), service(held, meaning)]),
            None => cells.extend([socket.state.name().to_owned(), socket.local_text(), socket.remote_text()]),
        }
        cells.extend(process);
        Row { netinfo, cells }
    };
    let programs = programs(held);
    if programs.is_empty() {
        let name = if held.hidden { "?" } else { "-" };
        let dash = || "-".to_owned();
        let number = || if socket.inode == 0 { dash() } else { socket.uid.to_string() };
        let user = held.user.clone().unwrap_or_else(number);
        let place = place(held.unit.as_deref(), held.container.as_deref());
        return vec![row([name.to_owned(), dash(), safe(user.as_bytes()), place, dash()])];
    }
    programs.into_iter().map(row).collect()
}

/// The name of a socket's port; NetInfo's own endpoint has one though IANA knows none.
fn service(held: &Held, meaning: &Meaning) -> String {
    match meaning.name(held.socket.transport.name()) {
        Some(name) => safe(name.as_bytes()),
        None if held.is_netinfo() && meaning.port == IPCSERVER_PORT => "ipcserver".into(),
        None => "-".into(),
    }
}

/// Name, process ids, user, place and start of each program that holds a socket.
fn programs(held: &Held) -> Vec<[String; 5]> {
    let mut groups: Vec<([String; 3], Vec<u32>, Option<SystemTime>)> = Vec::new();
    for (process, user) in &held.holders {
        let user = user.clone().unwrap_or_else(|| process.uid.to_string());
        let [name, user] = [&process.name, &user].map(|text| safe(text.as_bytes()));
        let key = [name, user, place(process.unit.as_deref(), process.container.as_deref())];
        match groups.iter_mut().find(|(known, ..)| *known == key) {
            Some((_, pids, started)) => {
                pids.push(process.pid);
                *started = (*started).min(process.started);
            }
            None => groups.push((key, vec![process.pid], process.started)),
        }
    }
    let group = |([name, user, place], pids, started): ([String; 3], Vec<u32>, Option<SystemTime>)| {
        [name, shown_pids(&pids), user, place, started.map_or_else(|| "-".to_owned(), time)]
    };
    groups.into_iter().map(group).collect()
}

/// Unit and container.
fn place(unit: Option<&str>, container: Option<&str>) -> String {
    let parts: Vec<String> =
        [unit, container].into_iter().flatten().map(|part| safe(part.as_bytes())).collect();
    if parts.is_empty() { "-".to_owned() } else { parts.join(", ") }
}

fn shown_pids(pids: &[u32]) -> String {
    let mut text = pids.iter().take(SHOWN_PIDS).map(u32::to_string).collect::<Vec<_>>().join(",");
    if pids.len() > SHOWN_PIDS {
        let _ = write!(text, ",+{}", pids.len() - SHOWN_PIDS);
    }
    text
}

/// A moment as a UTC time, to the second.
pub(crate) fn time(at: SystemTime) -> String {
    let at = jiff::Timestamp::try_from(at).ok();
    at.map_or_else(|| "-".to_owned(), |at| at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string())
}

/// The sockets and answers of a report as lines, each with how often it occurs: what `--watch` compares.
pub(crate) fn lines(report: &Report) -> BTreeMap<String, usize> {
    let mut lines = BTreeMap::new();
    let mut count = |line: String| *lines.entry(line).or_insert(0) += 1;
    for row in rows(report) {
        let cells = row.cells.into_iter().skip(usize::from(!row.netinfo));
        count(cells.filter(|cell| !cell.is_empty()).collect::<Vec<_>>().join("  "));
    }
    if report.host.is_some() {
        for probe in report.ports.iter().flat_map(|port| &port.probes) {
            let summary = safe(probe.verdict.summary().as_bytes());
            count(format!("{}/{}: {summary}", probe.target, probe.transport));
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use netinfo_port::Registry;

    use super::*;

    #[test]
    fn running_text() {
        assert_eq!(wrapped(""), "");
        assert_eq!(wrapped("one two"), "  one two\n");
        let long = wrapped(&"word ".repeat(60));
        assert!(long.lines().all(|line| line.starts_with("  word") && line.len() <= WIDTH), "{long}");
        assert_eq!(long.matches("word").count(), 60);
    }

    #[test]
    fn many_processes() {
        assert_eq!(shown_pids(&[7]), "7");
        assert_eq!(shown_pids(&[1, 2, 3, 4, 5, 6]), "1,2,3,4,+2");
    }

    #[test]
    fn meanings() {
        let registry = Registry::embedded();
        let shown = |port| meaning(&Meaning::of(port, &registry), "2026-01-01");
        insta::assert_snapshot!(shown(389), @"
        389: System port (0-1023), assigned by IANA (registry of 2026-01-01)
          ldap/tcp,udp: Lightweight Directory Access Protocol
          LDAP, the directory protocol that took NetInfo's place on the Mac (Open Directory). netinfod
          serves its domains here too; StartTLS upgrades a connection in place.
        ");
        insta::assert_snapshot!(shown(50_000), @"50000: Dynamic port (49152-65535), never assigned");
        assert!(
            shown(945)
                .starts_with("945: System port (0-1023), unassigned by IANA (registry of 2026-01-01)\n  The")
        );
    }
}
