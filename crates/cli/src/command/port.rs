//! `netinfo port`: what is on a port, and should it be there?

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::thread;

use clap::Args;
use netinfo_port::report::Probing;
use netinfo_port::{Error, Inspection, Registry, Report, Selection, elsewhere, json, limits};

use super::port_text;
use crate::context::Context;
use crate::failure::{Exit, Failure, Result};

/// The part of the help about exit codes, and about systems on which the sockets cannot be seen.
const AFTER_HELP: &str = "\
Exit codes:
  0  something is there
  1  nothing is there
  2  error";

/// Arguments of `netinfo port`.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP, after_long_help = format!("{AFTER_HELP}\n\n{}", elsewhere::HELP))]
pub(crate) struct Port {
    /// Ports: 945, 389/tcp, 600-1023, or the name of a service; without any, all that listen
    #[arg(value_name = "PORT")]
    ports: Vec<String>,

    /// Ask what is there, on this machine or on HOST
    ///
    /// ONC RPC with the portmapper and NetInfo, LDAP, TLS, and whoever speaks first: a few small packets to each
    /// address, which change nothing. With HOST this machine's own sockets are left aside.
    #[arg(long, value_name = "HOST", num_args = 0..=1, default_missing_value = "")]
    probe: Option<String>,

    /// Go on, and show what comes and goes
    #[arg(long)]
    watch: bool,

    /// Names of ports from this file, in IANA's format service-names-port-numbers.csv, instead of the built-in copy
    #[arg(long, value_name = "FILE")]
    registry: Option<PathBuf>,
}

/// Looks at ports.
pub(crate) fn port(context: &mut Context, args: &Port) -> Result<Exit> {
    // The codes of the other commands have other meanings: 1 is not an error here.
    look(context, args).map_err(|failure| match failure.exit() {
        Exit::Ok => failure,
        _ => failure.with_exit(Exit::Usage),
    })
}

fn look(context: &mut Context, args: &Port) -> Result<Exit> {
    let registry = args.registry.as_deref().map_or_else(|| Ok(Registry::embedded()), Registry::read);
    let registry = registry.map_err(failure)?;
    let mut inspection = Inspection::new(Vec::new(), &registry);
    let mut words: Vec<&str> = args.ports.iter().map(String::as_str).collect();
    inspection.probing = match args.probe.as_deref() {
        None => Probing::Off,
        Some("") => Probing::Here,
        // `--probe 945` means the port, not a host of this name.
        Some(word) if Selection::looks_like(word) => {
            words.push(word);
            Probing::Here
        }
        Some(host) => Probing::Host(host.to_owned()),
    };
    for word in words {
        let selections = Selection::read(word, &registry);
        inspection.selections.extend(selections.map_err(|error| Failure::usage(error.to_string()))?);
    }
    if inspection.selections.len() > limits::MAX_SELECTIONS {
        return Err(Failure::usage(format!("at most {} ports or ranges", limits::MAX_SELECTIONS)));
    }
    if inspection.probing != Probing::Off && inspection.selections.is_empty() {
        return Err(Failure::usage("name the ports to probe, as in \"netinfo port 945 --probe\""));
    }
    if context.options.data.is_none() {
        let server = context.servers()?.into_iter().next();
        inspection.node = server.map(|server| (server, context.options.domain.clone()));
    }
    match inspection.run() {
        Ok(report) if args.watch => watch(context, &inspection, report),
        Ok(report) => {
            context.out.either(|| port_text::report(&report), || json::report(&report))?;
            Ok(if report.is_something() { Exit::Ok } else { Exit::Failed })
        }
        Err(Error::Elsewhere) => {
            for command in elsewhere::here(&inspection.selections).unwrap_or_default() {
                context.out.line(command)?;
            }
            Err(failure(Error::Elsewhere).with_hint("the commands above tell the same on this system"))
        }
        Err(error) => Err(failure(error)),
    }
}

fn failure(error: Error) -> Failure {
    Failure::usage(error.to_string())
}

/// Shows the report, then what comes and goes, until nobody listens any more.
fn watch(context: &mut Context, inspection: &Inspection<'_>, first: Report) -> Result<Exit> {
    // Probing again and again would be a nuisance to others; sockets tell when something changes.
    let quiet = Inspection { probing: Probing::Off, node: None, ..inspection.clone() };
    let asks_elsewhere = matches!(inspection.probing, Probing::Host(_));
    if context.out.json {
        context.out.line(json::report(&first).to_string())?;
    } else {
        context.out.line(port_text::report(&first).trim_end())?;
    }
    context.out.flush()?;
    let mut before = port_text::lines(&first);
    loop {
        thread::sleep(limits::WATCH_INTERVAL);
        let next = if asks_elsewhere { inspection.run() } else { quiet.run() };
        let report = next.map_err(failure)?;
        let now = port_text::lines(&report);
        if now != before {
            if context.out.json {
                context.out.line(json::report(&report).to_string())?;
            } else {
                for line in changes(&before, &now) {
                    context.out.line(line)?;
                }
            }
            context.out.flush()?;
            before = now;
        }
    }
}

/// What has gone (`-`) and come (`+`), each with the time.
fn changes(before: &BTreeMap<String, usize>, now: &BTreeMap<String, usize>) -> Vec<String> {
    let time = port_text::time(std::time::SystemTime::now());
    let more = |a: &BTreeMap<String, usize>, b: &BTreeMap<String, usize>, sign: char| {
        let surplus = |line: &String, count: usize| count.saturating_sub(b.get(line).copied().unwrap_or(0));
        let lines = a.iter().flat_map(|(line, count)| std::iter::repeat_n(line, surplus(line, *count)));
        lines.map(|line| format!("{time} {sign} {line}")).collect::<Vec<_>>()
    };
    [more(before, now, '-'), more(now, before, '+')].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_and_goes() {
        let count = |lines: &[&str]| {
            let mut counts = BTreeMap::new();
            for line in lines {
                *counts.entry((*line).to_owned()).or_insert(0) += 1;
            }
            counts
        };
        let changed = changes(&count(&["a", "b", "b"]), &count(&["b", "c"]));
        let signs: Vec<&str> = changed.iter().map(|line| line.split_once(' ').unwrap().1).collect();
        assert_eq!(signs, ["- a", "- b", "+ c"]);
        assert!(changes(&count(&["a"]), &count(&["a"])).is_empty());
    }
}
