//! Figures as tables, for the terminal and for a page.

use std::path::Path;
use std::{fs, io};

use crate::figures::{ReadFigure, Report};
use crate::reads::SHAPES;
use crate::sheet::{self, Sheet, header, megabytes, thousands};

/// The tables of a report as text for a terminal.
#[must_use]
pub fn text(report: &Report) -> String {
    sheet::text(sheets(report))
}

/// The tables with what is needed to understand and repeat them, as a Markdown page.
#[must_use]
pub fn markdown(report: &Report) -> String {
    let machine = report.machine.rows(&report.load_after, report.seconds);
    sheet::markdown(INTRODUCTION, &machine, sheets(report))
}

/// Writes a page to a file; what somebody has written behind the tables of the page that is there stays.
///
/// # Errors
/// When the file cannot be written.
pub fn save(file: &Path, page: String) -> io::Result<()> {
    let before = fs::read_to_string(file).unwrap_or_default();
    fs::write(file, page + &by_hand(&before))
}

/// What somebody has written behind the tables of a page; it stays when the page is made anew. What stands there twice, because
/// it was put back by hand although it had stayed, stays once.
fn by_hand(page: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    let starts: Vec<usize> = page.match_indices(BY_HAND).map(|(at, _)| at).collect();
    for (n, start) in starts.iter().enumerate() {
        let part = &page[*start..starts.get(n + 1).copied().unwrap_or(page.len())];
        if !kept.iter().any(|other| other.trim_end() == part.trim_end()) {
            kept.push(part);
        }
    }
    kept.concat()
}

/// What is written by hand begins with this line.
const BY_HAND: &str = "\n<!-- What follows is written by hand";

const INTRODUCTION: &str = "\
# Performance

Measured by `make bench` (the program `netinfo-bench`, whose crate documentation says how). This page is its output:

```sh
make bench ARGS=\"--markdown docs/performance.md\"   # this page, about 5 minutes
make bench ARGS=--quick                            # a smoke test, under a minute
scripts/instructions.sh                            # instruction counts, whatever else the machine is doing
```

How to read it:

* Figures are to be compared within a page, not between machines. All calls go over TCP on the loopback interface; the load
  generator (one thread, blocking sockets, calls encoded beforehand, every answer checked) runs on the same processors as
  the server and takes its share of them, as the tables say.
* *C×D* is C connections with D calls under way on each. What is compared takes turns in short rounds; the rate is the
  median of the rounds.
* *PING* is the same server's empty procedure: what a call costs before it does anything. *bare N/M B* is a tokio server
  that answers N bytes with M and does nothing else, with the sizes of a PING and of a LOOKUPREAD: what moving the bytes
  costs. Percentages are of PING's rate.
* Users have eight properties (name, uid, gid, passwd, realname, home, shell, _writers_passwd) and take about 300 bytes on
  the wire. 131,072 of them, picked at random, are looked up again and again, and once before the clock starts.
* A durable write is answered when it is on disk. The clients that write at the same time write to a directory each,
  because the protocol refuses a write to a directory that has changed since its writer last saw it.
* Domains are loaded offline by `Domain::replace`: one transaction, all indexes. A start is timed from the start of the
  process to the endpoints file, with the database in the page cache.
";

fn sheets(report: &Report) -> Vec<Sheet> {
    let mut sheets = vec![aims(report), domains(report)];
    sheets.push(by_shape(report, "Calls a second", |f| {
        format!("{} ({:.0} %)", thousands(f.per_second), f.of_ping * 100.0)
    }));
    sheets.push(by_shape(report, "Processor time of the server for a call, µs", |f| {
        format!("{:.2}", f.server_us)
    }));
    sheets.push(by_shape(report, "Processors kept busy: server + generator", |f| {
        format!("{:.2} + {:.2}", f.server_share, f.generator_share)
    }));
    sheets.push(by_shape(report, "Time of a batch with one connection, µs: median, 99th percentile", |f| {
        match (f.median_us, f.p99_us) {
            (Some(median), Some(p99)) => format!("{median:.1}, {p99:.1}"),
            _ => "–".into(),
        }
    }));
    sheets.push(lists(report));
    sheets.push(writes(report));
    sheets
}

fn by_shape(report: &Report, title: &str, cell: impl Fn(&ReadFigure) -> String) -> Sheet {
    let mut header = vec!["call".to_owned(), "users".to_owned()];
    header.extend(SHAPES.map(|s| format!("{}×{}", s.connections, s.depth)));
    let mut rows: Vec<Vec<String>> = Vec::new();
    let first = (SHAPES[0].connections, SHAPES[0].depth);
    for start in report.reads.iter().filter(|f| (f.connections, f.depth) == first) {
        let mut row = vec![start.call.clone(), thousands(f64::from(start.users))];
        for shape in SHAPES {
            let found = report.reads.iter().find(|f| {
                (&f.call, f.users, f.connections, f.depth)
                    == (&start.call, start.users, shape.connections, shape.depth)
            });
            row.push(found.map_or_else(String::new, &cell));
        }
        rows.push(row);
    }
    Sheet { title: title.into(), header, rows }
}

fn aims(report: &Report) -> Sheet {
    let row = |aim: &crate::aims::Aim| {
        let met = if aim.met { "yes" } else { "no" };
        vec![aim.aim.clone(), aim.measured.clone(), met.to_owned()]
    };
    Sheet {
        title: "Aims".into(),
        header: header(["aim", "measured", "reached"]),
        rows: report.aims.iter().map(row).collect(),
    }
}

fn domains(report: &Report) -> Sheet {
    let row = |d: &crate::figures::DomainFigures| {
        vec![
            thousands(f64::from(d.users)),
            format!("{:.2} s", d.load_seconds),
            thousands(f64::from(d.users) / d.load_seconds),
            megabytes(d.file_bytes),
            format!("{:.0} ms, {:.0} ms", d.start_ms, d.start_worst_ms),
            megabytes(d.memory_started),
            megabytes(d.memory_after),
        ]
    };
    Sheet {
        title: "Load, size, start, memory".into(),
        header: header([
            "users",
            "offline load",
            "users a second",
            "file",
            "start: median, worst",
            "anonymous memory, started",
            "at the end",
        ]),
        rows: report.domains.iter().map(row).collect(),
    }
}

fn lists(report: &Report) -> Sheet {
    let row = |l: &crate::figures::ListFigure| {
        vec![
            thousands(f64::from(l.users)),
            l.connections.to_string(),
            format!("{:.2} ms", l.first_byte_ms),
            format!("{:.2} ms", l.total_ms),
            megabytes(l.bytes),
            thousands(l.entries_per_second),
        ]
    };
    Sheet {
        title: "LIST of /users by name".into(),
        header: header(["users", "connections", "first byte", "all", "reply", "entries a second"]),
        rows: report.lists.iter().map(row).collect(),
    }
}

fn writes(report: &Report) -> Sheet {
    let mut rows = Vec::new();
    if let Some(disk) = &report.disk {
        let times = (format!("{:.3} ms", disk.median_ms), format!("{:.3} ms", disk.p99_ms));
        let name = "disk: 4 KiB written, fdatasync";
        rows.push(vec![
            name.into(),
            String::new(),
            thousands(disk.per_second),
            times.0,
            times.1,
            String::new(),
            "4.0".into(),
        ]);
    }
    for w in &report.writes {
        rows.push(vec![
            w.call.clone(),
            format!("{}×{}", w.clients, w.depth),
            thousands(w.per_second),
            format!("{:.3} ms", w.median_ms),
            format!("{:.3} ms", w.p99_ms),
            format!("{:.1}", w.server_us),
            format!("{:.1}", w.disk_bytes / 1024.0),
        ]);
    }
    Sheet {
        title: "Durable writes, with the largest domain".into(),
        header: header([
            "call",
            "clients",
            "a second",
            "median",
            "99th percentile",
            "server µs for a write",
            "KiB of cache dirtied for a write",
        ]),
        rows,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_by_hand_stays() {
        let hand = "\n<!-- What follows is written by hand, and kept. -->\n\n## Notes\n";
        assert_eq!(by_hand(&["# Tables\n", hand].concat()), hand);
        assert_eq!(by_hand("# Tables\n"), "");
        // Twice the same is once; what differs is somebody's work.
        assert_eq!(by_hand(&["# Tables\n", hand, "\n", hand].concat()), [hand, "\n"].concat());
        let other = hand.replace("Notes", "More");
        assert_eq!(by_hand(&["# Tables\n", hand, &other].concat()), [hand, &other].concat());
    }

    #[test]
    fn a_page_is_saved_as_often_as_one_likes() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("page.md");
        let hand = "\n<!-- What follows is written by hand, and kept. -->\n\n## Notes\n";
        fs::write(&file, ["# Old\n", hand].concat()).unwrap();
        for _ in 0..3 {
            save(&file, "# New\n".into()).unwrap();
        }
        assert_eq!(fs::read_to_string(&file).unwrap(), ["# New\n", hand].concat());
    }
}
