//! Figures as tables, for the terminal and for a page.

use super::figures::{Operation, Report, SourceFigures, Times};
use super::source::Source;
use crate::sheet::{self, Sheet, thousands};

/// The tables of a report as text for a terminal.
#[must_use]
pub fn text(report: &Report) -> String {
    sheet::text(sheets(report))
}

/// The tables with what is needed to understand and repeat them, as a Markdown page.
#[must_use]
pub fn markdown(report: &Report) -> String {
    let mut facts = report.machine.rows(&report.load_after, report.seconds);
    if let Some(stat) = report.stat {
        facts.push((
            "`stat` of `/etc/nsswitch.conf`, in every call of all but nscd",
            format!("{} µs", micros(stat.median)),
        ));
    }
    sheet::markdown(INTRODUCTION, &facts, sheets(report))
}

const INTRODUCTION: &str = "\
# What looking up users and groups costs

Measured by `netinfo-bench nss`, as root; nothing of the machine changes. This page is its output:

```sh
make bench ARGS=\"nss --markdown docs/performance-nss.md\"   # this page, about 5 minutes
make bench ARGS=\"nss --quick\"                              # a smoke test
```

How to read it:

* Figures are to be compared within a page, not between machines. A C program calls glibc, which asks the one service that
  `/etc/nsswitch.conf` names; all in mounts and a network of their own. Every answer is checked.
* *netinfo, table* is `libnss_netinfo.so.2` with the table that the daemon publishes; *netinfo, socket* is the same without one,
  so that the daemon answers each call. *files* is `/etc/passwd` and `/etc/group`, with 10,000 lines at most. *nslcd* and *SSSD* have
  OpenLDAP's slapd behind them, on the same machine; *nscd* has nslcd. Caches are as large as they need to be, and keep what
  they have for longer than a run.
* Times are medians of batches of about 50 µs (of single calls, where a call takes longer), in microseconds a call, behind them the
  99th percentile. Users are 1,000 of all, one after the other, whom the caller has asked for once before; those who are not there are
  1,000 names, asked for again and again.
* With two threads both call at the same time, on as many processors as the machine has; daemons need some, too.
* *First of a process* has the loading of the module in it. *Never asked for* is 200 users one after the other, whom nobody has
  looked up since the service was started.
* *The module's part* calls the module without glibc around it. What glibc adds is mostly a `stat` of `/etc/nsswitch.conf`;
  for the groups of a user there are two of them, unless the file has a line `initgroups`.
";

fn sheets(report: &Report) -> Vec<Sheet> {
    let mut sheets = vec![aims(report)];
    let mut sizes: Vec<u32> = report.sources.iter().map(|figures| figures.users).collect();
    sizes.dedup();
    for users in sizes {
        let of_size: Vec<&SourceFigures> = report.sources.iter().filter(|one| one.users == users).collect();
        for threads in [1, 2] {
            sheets.push(calls(&of_size, users, threads));
        }
        sheets.push(cold(&of_size, users, report.listing_of_numbers));
    }
    sheets
}

fn calls(sources: &[&SourceFigures], users: u32, threads: u32) -> Sheet {
    let mut header = vec!["µs a call: median, 99th percentile".to_owned()];
    header.extend(sources.iter().map(|one| one.source.text().to_owned()));
    let row = |operation: Operation| {
        let cell = |one: &&SourceFigures| one.of(operation, threads).map_or_else(|| "–".to_owned(), both);
        [operation.text().to_owned()].into_iter().chain(sources.iter().map(cell)).collect()
    };
    let what = if threads == 1 { "one thread" } else { "two threads" };
    Sheet {
        title: format!("{} users, {what}", thousands(f64::from(users))),
        header,
        rows: Operation::ALL.into_iter().map(row).collect(),
    }
}

fn cold(sources: &[&SourceFigures], users: u32, numbers: Option<Times>) -> Sheet {
    let mut header = vec!["µs".to_owned()];
    header.extend(sources.iter().map(|one| one.source.text().to_owned()));
    let row = |name: &str, times: fn(&SourceFigures) -> Times| {
        let cells = sources.iter().map(|one| both(times(one)));
        [name.to_owned()].into_iter().chain(cells).collect::<Vec<_>>()
    };
    let mut listing = vec!["`ls -l`, files of 1,000 owners, ms".to_owned()];
    listing.extend(sources.iter().map(|one| format!("{:.1}", one.listing.median / 1e6)));
    let mut rows = vec![
        row("getpwnam, first of a process", |one| one.first),
        row("getpwnam, never asked for", |one| one.cold),
        listing,
    ];
    if let Some(numbers) = numbers {
        let mut row = vec!["`ls -ln`: without names, ms".to_owned()];
        row.extend(sources.iter().map(|_| format!("{:.1}", numbers.median / 1e6)));
        rows.push(row);
    }
    Sheet { title: format!("{} users, cold; and a listing", thousands(f64::from(users))), header, rows }
}

/// What was aimed at, in nanoseconds, and where it is measured.
const AIMS: [(&str, Source, Operation, f64); 6] = [
    ("warm getpwnam from the table, the module's part: 0.3 µs", Source::Table, Operation::Module, 300.0),
    ("nobody, from the table, the module's part: 0.3 µs", Source::Table, Operation::ModuleMiss, 300.0),
    (
        "initgroups of 100 groups from the table, the module's part: 3 µs",
        Source::Table,
        Operation::ModuleGroups,
        3000.0,
    ),
    (
        "initgroups of 100 groups from the table, with glibc: 3 µs",
        Source::Table,
        Operation::Initgroups,
        3000.0,
    ),
    ("getpwnam over the socket, with glibc: 50 µs", Source::Socket, Operation::Getpwnam, 50_000.0),
    ("nobody, over the socket, with glibc: 50 µs", Source::Socket, Operation::GetpwnamMiss, 50_000.0),
];

fn aims(report: &Report) -> Sheet {
    let mut rows = Vec::new();
    for (aim, source, operation, most) in AIMS {
        for one in report.sources.iter().filter(|one| one.source == source) {
            let Some(times) = one.of(operation, 1) else { continue };
            let reached = if times.median <= most { "yes" } else { "no" };
            let users = thousands(f64::from(one.users));
            rows.push(vec![
                format!("{aim}; {users} users"),
                format!("{} µs", micros(times.median)),
                reached.to_owned(),
            ]);
        }
    }
    Sheet { title: "Aims".into(), header: sheet::header(["aim", "measured", "reached"]), rows }
}

fn both(times: Times) -> String {
    format!("{} · {}", micros(times.median), micros(times.p99))
}

/// Microseconds with three digits that say something.
fn micros(nanoseconds: f64) -> String {
    match nanoseconds / 1000.0 {
        short if short < 1.0 => format!("{short:.3}"),
        short if short < 10.0 => format!("{short:.2}"),
        short if short < 100.0 => format!("{short:.1}"),
        long => thousands(long),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_that_say_something() {
        assert_eq!([41.4, 2345.0, 23_456.0, 4_123_456.0].map(micros), ["0.041", "2.35", "23.5", "4,123"]);
    }
}
