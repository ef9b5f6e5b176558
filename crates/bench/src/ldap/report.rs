//! Figures as tables, for the terminal and for a page.

use super::figures::{OperationFigure, Report};
use super::server::Name;
use crate::load::Shape;
use crate::sheet::{self, Sheet, header, megabytes, thousands};

/// The tables of a report as text for a terminal.
#[must_use]
pub fn text(report: &Report) -> String {
    sheet::text(sheets(report))
}

/// The tables with what is needed to understand and repeat them, as a Markdown page.
#[must_use]
pub fn markdown(report: &Report) -> String {
    let mut facts = report.machine.rows(&report.load_after, report.seconds);
    facts.extend(report.slapd.clone().map(|version| ("OpenLDAP", version)));
    if let Some(disk) = &report.disk {
        let rate = thousands(disk.per_second);
        facts.push((
            "disk: 4 KiB written, fdatasync",
            format!("{rate} a second, median {:.3} ms", disk.median_ms),
        ));
    }
    let has = |server| report.directories.iter().any(|d| d.server == server);
    if has(Name::Slapd) && has(Name::Netinfod) {
        facts.push(("same answers", same(&report.differences)));
    }
    sheet::markdown(INTRODUCTION, &facts, sheets(report))
}

const INTRODUCTION: &str = "\
# LDAP performance

OpenLDAP's slapd and netinfod, measured by `make bench` (the program `netinfo-bench ldap`) in one run. This page is its
output:

```sh
scripts/bench.sh ldap --markdown docs/performance-ldap.md   # this page, about 15 minutes
scripts/bench.sh ldap --quick                               # a smoke test, about a minute
scripts/bench.sh ldap --only netinfod --users 100000 --operations search-all --shapes 32x8 --seconds 60   # to profile
```

How to read it:

* Figures are to be compared within a page, not between machines. Everything goes over TCP on the loopback interface; the
  load generator (one thread, requests encoded beforehand, every result and number of entries checked) runs on the same
  processors as the server and takes its share of them. The servers take turns in short rounds; a rate is the median of
  the rounds. *C×D* is C connections with D requests under way on each; a connection sends the next request as soon as
  one is answered. Binds are not pipelined, because the protocol forbids it.
* The directory, the same in both: users (inetOrgPerson, posixAccount; twelve attributes, about 400 bytes) under `ou=people`,
  and posixGroups with a hundred members each, two for every user, under `ou=groups`. Before the clock starts the answers
  of the servers are compared.
* Searches are done by a connection bound as a user, so that both servers decide access entry by entry; writes by one
  bound as the administrator. Users are picked at random.
* slapd is Debian's, with back-mdb and its default of 16 threads; equality indexes for what is searched for, substring
  indexes for uid, cn, sn, givenName and mail; every commit is on disk before it is answered (no `dbnosync`). netinfod runs
  with its defaults, which index every attribute, and which also answer a write when it is on disk.
* *`*foo*`* finds ten entries by three letters within `cn`. slapd's substring index holds pieces of four letters, so it
  has to look at every entry. *`*foobarb*`* finds the same ten by seven letters, which slapd's index can do.
* Passwords are hashed the same way in both: those of three users in four by argon2id (19 MiB, two passes), the others' by
  SHA-1 with a salt, which costs nothing, so that *bind, SHA-1* is the cost of everything else. *First time* is of users who
  have not logged in before; *again* of eight users, over and over: netinfod remembers, in memory and for a while, a keyed
  digest of passwords that were right, while slapd always hashes. That a login replaces a weak hash by a better one is
  switched off.
* slapd is loaded by `slapadd -q` from LDIF, with as many threads as there are processors; netinfod by `Domain::replace`, one
  transaction, from records that are made while it runs instead of being read. Both until all of it is on disk. A start is
  timed from the start of the process to its first answer, with the database in the page cache.
* Resident memory is shown in two parts: anonymous memory, and mapped files, which is mostly the part of the database
  that was looked at, and belongs to the page cache.
";

fn same(differences: &[String]) -> String {
    match differences {
        [] => "yes".into(),
        some => some.join("; ").replace('|', "\\|"),
    }
}

fn sheets(report: &Report) -> Vec<Sheet> {
    let mut sheets = vec![aims(report), directories(report)];
    sheets.extend(shapes(report).into_iter().map(|shape| rates(report, shape)));
    sheets.push(enumerations(report));
    sheets.retain(|sheet| !sheet.rows.is_empty());
    sheets
}

fn aims(report: &Report) -> Sheet {
    let row = |aim: &crate::aims::Aim| {
        vec![aim.aim.clone(), aim.measured.clone(), if aim.met { "yes" } else { "no" }.to_owned()]
    };
    Sheet {
        title: "Aims".into(),
        header: header(["aim", "measured", "reached"]),
        rows: report.aims.iter().map(row).collect(),
    }
}

fn directories(report: &Report) -> Sheet {
    let row = |d: &super::figures::DirectoryFigures| {
        vec![
            thousands(f64::from(d.users)),
            d.server.text().into(),
            format!("{:.2} s", d.load_seconds),
            thousands(f64::from(d.users + d.groups) / d.load_seconds),
            megabytes(d.disk_bytes),
            format!("{:.0} ms, {:.0} ms", d.start_ms, d.start_worst_ms),
            megabytes(d.anonymous_started),
            megabytes(d.anonymous_after),
            megabytes(d.mapped_after),
        ]
    };
    Sheet {
        title: "Load, size, start, memory".into(),
        header: header([
            "users",
            "server",
            "offline load",
            "entries a second",
            "database",
            "start: median, worst",
            "anonymous memory, started",
            "at the end",
            "mapped files at the end",
        ]),
        rows: report.directories.iter().map(row).collect(),
    }
}

/// The shapes of load that were measured. Operations that do not pipeline are shown beside those that do.
fn shapes(report: &Report) -> Vec<Shape> {
    let mut shapes: Vec<Shape> = Vec::new();
    let (pipelining, others): (Vec<_>, Vec<_>) =
        report.operations.iter().partition(|figure| figure.operation.pipelines());
    for figure in pipelining {
        if !shapes.iter().any(|shape| figure.has(*shape)) {
            shapes.push(Shape { connections: figure.connections, depth: figure.depth });
        }
    }
    for figure in others {
        if !shapes.iter().any(|shape| shape.connections == figure.connections) {
            shapes.push(Shape { connections: figure.connections, depth: figure.depth });
        }
    }
    shapes
}

/// Whether a figure is shown among those of a shape.
fn belongs(figure: &OperationFigure, shape: Shape) -> bool {
    figure.has(shape) || (figure.connections == shape.connections && !figure.operation.pipelines())
}

/// One shape: a row for each size and operation, the servers beside each other.
fn rates(report: &Report, shape: Shape) -> Sheet {
    let what = if shape.depth == 1 { "unpipelined" } else { "pipelined" };
    let mut rows: Vec<Vec<String>> = Vec::new();
    let mut done = Vec::new();
    for figure in report.operations.iter().filter(|f| belongs(f, shape)) {
        let key = (figure.users, figure.operation);
        if done.contains(&key) {
            continue;
        }
        done.push(key);
        let of = |server| {
            let alike = |f: &&OperationFigure| {
                (f.server, f.users, f.operation) == (server, key.0, key.1) && belongs(f, shape)
            };
            report.operations.iter().find(alike)
        };
        let (theirs, ours) = (of(Name::Slapd), of(Name::Netinfod));
        let name = match figure.depth == shape.depth {
            true => figure.operation.name().to_owned(),
            // What the protocol does not let pipeline.
            false => format!("{}, {}×{}", figure.operation.name(), figure.connections, figure.depth),
        };
        let mut row = vec![name, thousands(f64::from(figure.users))];
        let both: [Cell; 3] = [rate, latency, processor];
        for cell in both {
            row.extend([theirs, ours].map(|f| f.map_or_else(|| "–".to_owned(), cell)));
        }
        let factor =
            theirs.zip(ours).map(|(theirs, ours)| format!("{:.1} ×", ours.per_second / theirs.per_second));
        row.insert(4, factor.unwrap_or_else(|| "–".into()));
        rows.push(row);
    }
    Sheet {
        title: format!("{}×{}, {what}: operations a second, times in µs", shape.connections, shape.depth),
        header: header([
            "operation",
            "users",
            "slapd",
            "netinfod",
            "factor",
            "slapd: p50, p99, p99.9",
            "netinfod: p50, p99, p99.9",
            "slapd: processor ms for 1,000",
            "netinfod: processor ms for 1,000",
        ]),
        rows,
    }
}

type Cell = fn(&OperationFigure) -> String;

fn rate(figure: &OperationFigure) -> String {
    match figure.per_second < 100.0 {
        true => format!("{:.1}", figure.per_second),
        false => thousands(figure.per_second),
    }
}

fn latency(figure: &OperationFigure) -> String {
    [figure.p50_us, figure.p99_us, figure.p999_us].map(thousands).join(", ").replace(", ", " · ")
}

fn processor(figure: &OperationFigure) -> String {
    format!("{:.1}", figure.server_ms_per_1000)
}

fn enumerations(report: &Report) -> Sheet {
    let row = |e: &super::figures::EnumerationFigure| {
        vec![
            thousands(f64::from(e.users)),
            e.server.text().into(),
            e.connections.to_string(),
            thousands(e.entries_per_second),
            format!("{:.0} B", e.entry_bytes),
            format!("{:.1} ms", e.first_page_ms),
            format!("{:.2} s", e.seconds),
            format!("{:.2}", e.server_ms_per_1000),
        ]
    };
    Sheet {
        title: format!("All users, in pages of {}", super::paging::PAGE),
        header: header([
            "users",
            "server",
            "connections",
            "entries a second",
            "entry",
            "first page",
            "time",
            "processor ms for 1,000 entries",
        ]),
        rows: report.enumerations.iter().map(row).collect(),
    }
}
