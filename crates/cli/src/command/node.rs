//! `status` and `check`.

use clap::Args;
use serde_json::{Value, json};

use super::domain::{domain_table, parse, request};
use crate::context::Context;
use crate::failure::{Exit, Failure, Result, When};
use crate::offline;
use crate::output::{Output, safe};
use crate::progress::Progress;

/// Arguments of `check`.
#[derive(Debug, Args)]
pub(crate) struct Check {
    /// Repair what can be repaired
    #[arg(long)]
    repair: bool,
    /// Tell names, ids and addresses that several users, groups or hosts of the domain share, instead
    #[arg(long, conflicts_with = "repair")]
    duplicates: bool,
}

/// Shows what the daemon is doing.
pub(crate) fn status(context: &mut Context) -> Result<()> {
    if context.options.data.is_some() {
        return Err(Failure::usage("this needs a running daemon, without --data"));
    }
    let status =
        request(context, &json!({ "op": "status" }), true).when(|| "ask the daemon for its status")?;
    context.out.either(|| status_text(&status), || status.clone())
}

fn status_text(status: &Value) -> String {
    let text = |value: &Value| match value {
        Value::Null => "-".to_owned(),
        Value::String(text) => safe(text.as_bytes()),
        other => other.to_string(),
    };
    let uptime = status["uptime_seconds"].as_u64().map_or_else(|| "-".to_owned(), duration);
    let connections = &status["connections"];
    let mut lines = vec![
        format!(
            "netinfod {} on {}, process {}",
            text(&status["version"]),
            text(&status["hostname"]),
            text(&status["pid"])
        ),
        format!("running for {uptime}"),
        format!("data in {}", text(&status["data"])),
    ];
    if connections["current"].is_number() {
        let (current, maximum) = (text(&connections["current"]), text(&connections["maximum"]));
        lines.push(format!("connections: {current} of at most {maximum}"));
    }
    lines.push(String::new());
    let mut out = lines.join("\n");
    out.push('\n');
    out.push_str(&domain_table(status["domains"].as_array().into_iter().flatten()));
    out
}

/// A time span for people.
fn duration(seconds: u64) -> String {
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds} s"),
        (0, 0, _) => format!("{minutes} min {} s", seconds % 60),
        (0, _, _) => format!("{hours} h {minutes} min"),
        _ => format!("{days} d {hours} h"),
    }
}

/// A fault that a check has found.
pub(crate) fn fault_text(fault: &Value) -> String {
    let part = |key: &str| fault[key].as_str().map(|t| safe(t.as_bytes())).unwrap_or_default();
    match fault["object"].as_u64() {
        Some(object) => format!("{}: #{object}: {} ({})", part("domain"), part("text"), part("kind")),
        None => format!("{}: {} ({})", part("domain"), part("text"), part("kind")),
    }
}

/// Collects what a check says.
pub(crate) struct Report<'o> {
    out: &'o mut Output,
    progress: Progress,
    faults: Vec<Value>,
    /// An error of the output, told when the check is over.
    broken: Result<()>,
}

impl<'o> Report<'o> {
    pub(crate) fn new(out: &'o mut Output) -> Self {
        Self { out, progress: Progress::items("checking", Some(0)), faults: Vec::new(), broken: Ok(()) }
    }

    pub(crate) fn progress(&self, done: u64, total: u64) {
        self.progress.of(total);
        self.progress.at(done);
    }

    pub(crate) fn fault(&mut self, fault: Value) {
        if self.out.json {
            self.faults.push(fault);
        } else if self.broken.is_ok() {
            let out = &mut *self.out;
            let mut printed = Ok(());
            self.progress.above(|| printed = out.line(fault_text(&fault)).and_then(|()| out.flush()));
            self.broken = printed;
        }
    }

    /// Prints the summary; the exit code says whether the databases are sound.
    pub(crate) fn finish(self, summary: &Value) -> Result<Exit> {
        drop(self.progress);
        self.broken?;
        let domains: Vec<&Value> = summary["domains"].as_array().into_iter().flatten().collect();
        let unsound =
            domains.iter().any(|d| d["findings"].as_u64() != Some(0) && d["repaired"] != json!(true));
        let faults = self.faults;
        self.out.either(
            || domains.iter().map(|domain| summary_line(domain)).collect(),
            || json!({ "domains": summary["domains"], "findings": faults }),
        )?;
        Ok(if unsound { Exit::Failed } else { Exit::Ok })
    }
}

fn summary_line(domain: &Value) -> String {
    let tag = domain["tag"].as_str().map(|t| safe(t.as_bytes())).unwrap_or_default();
    let directories = &domain["directories"];
    match (domain["findings"].as_u64(), domain["repaired"].as_bool()) {
        (Some(0), _) => format!("{tag}: {directories} directories, sound\n"),
        (findings, Some(true)) => {
            format!("{tag}: {directories} directories, {} faults, repaired\n", findings.unwrap_or(0))
        }
        (findings, _) => format!(
            "{tag}: {directories} directories, {} faults; repair them with: netinfo check --repair\n",
            findings.unwrap_or(0)
        ),
    }
}

/// Checks databases.
pub(crate) fn check(context: &mut Context, args: &Check) -> Result<Exit> {
    if args.duplicates {
        return super::migrate::duplicates(context);
    }
    let action = if args.repair { "repair the database" } else { "check the database" };
    if let Some(data) = context.options.data.clone() {
        return offline::check(context, &data, args.repair).when(|| action);
    }
    let tag = context.options.domain.as_ref().map(|_| context.tag()).transpose()?;
    let question = json!({ "op": "check", "domain": tag, "repair": args.repair });
    let mut control = context.control()?;
    let mut report = Report::new(&mut context.out);
    let mut lines = Lines::default();
    let summary = control
        .stream(question.to_string().as_bytes(), |chunk| {
            lines.feed(chunk, |line| match serde_json::from_slice::<Value>(line) {
                Ok(value) if value["progress"].is_u64() => {
                    report
                        .progress(value["progress"].as_u64().unwrap_or(0), value["of"].as_u64().unwrap_or(0));
                }
                Ok(value) => report.fault(value),
                Err(_) => {}
            });
            Ok(())
        })
        .when(|| action)?;
    report.finish(&parse(&summary)?)
}

/// Cuts a stream into lines.
#[derive(Default)]
struct Lines {
    rest: Vec<u8>,
}

impl Lines {
    fn feed(&mut self, bytes: &[u8], mut each: impl FnMut(&[u8])) {
        self.rest.extend_from_slice(bytes);
        let Some(end) = self.rest.iter().rposition(|b| *b == b'\n') else { return };
        let whole: Vec<u8> = self.rest.drain(..=end).collect();
        whole.split(|b| *b == b'\n').filter(|line| !line.is_empty()).for_each(&mut each);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn status_for_people() {
        let status = json!({
            "version": "0.1.0", "hostname": "boss", "pid": 7, "uptime_seconds": 93_784, "data": "/var/lib/netinfo",
            "connections": { "current": 2, "maximum": 1000 },
            "domains": [{ "tag": "local", "role": "master", "directories": 3, "checksum": 5 }],
        });
        insta::assert_snapshot!(status_text(&status), @r"
        netinfod 0.1.0 on boss, process 7
        running for 1 d 2 h
        data in /var/lib/netinfo
        connections: 2 of at most 1000

        TAG    ROLE    DIRECTORIES  CHECKSUM
        local  master            3         5
        ");
    }

    #[test]
    fn spans() {
        assert_eq!(duration(5), "5 s");
        assert_eq!(duration(65), "1 min 5 s");
        assert_eq!(duration(3 * 3600 + 120), "3 h 2 min");
    }

    #[test]
    fn reports() {
        let fault = json!({ "domain": "local", "kind": "index", "object": 5, "text": "an entry is missing" });
        assert_eq!(fault_text(&fault), "local: #5: an entry is missing (index)");
        assert_eq!(
            summary_line(&json!({ "tag": "a", "directories": 3, "findings": 0, "repaired": false })),
            "a: 3 directories, sound\n"
        );
        assert_eq!(
            summary_line(&json!({ "tag": "a", "directories": 3, "findings": 2, "repaired": true })),
            "a: 3 directories, 2 faults, repaired\n"
        );
        assert!(
            summary_line(&json!({ "tag": "a", "directories": 3, "findings": 2, "repaired": false }))
                .contains("--repair")
        );
    }

    #[test]
    fn lines_split_anywhere() {
        let mut lines = Lines::default();
        let mut seen = Vec::new();
        for byte in b"one\n\ntwo\nthree" {
            lines.feed(&[*byte], |line| seen.push(line.to_vec()));
        }
        assert_eq!(seen, [b"one", b"two"]);
    }
}
