//! Reading the files.

use std::fs::File;
use std::io::{BufReader, ErrorKind};
use std::path::Path;

use netinfo_formats::{
    Problem, Reason, Record, Shadow, read_group, read_hosts, read_networks, read_passwd, read_protocols,
    read_rpc, read_services, read_users, shadow::SHADOWED,
};

use super::summary::FileSummary;

/// What the files of a machine said. Holds password hashes, which `Debug` does not show.
#[derive(Debug)]
pub struct Collected {
    pub(super) sources: Vec<Source>,
}

/// One file, with what it gives to a container.
#[derive(Debug)]
pub(super) struct Source {
    pub(super) summary: FileSummary,
    /// Name of the container; `None` for `shadow`, whose contents are in the users already.
    pub(super) container: Option<&'static str>,
    pub(super) records: Vec<Record>,
}

type Records = Box<dyn Iterator<Item = Result<Record, Problem>>>;
/// File, container, what a record is, reader.
type Table = (&'static str, &'static str, &'static str, fn(BufReader<File>) -> Records);

/// The files besides `passwd` and `shadow`, in the order to load them.
const TABLES: [Table; 6] = [
    ("group", "groups", "group", |file| Box::new(read_group(file))),
    ("hosts", "machines", "machine", |file| Box::new(read_hosts(file))),
    ("networks", "networks", "network", |file| Box::new(read_networks(file))),
    ("protocols", "protocols", "protocol", |file| Box::new(read_protocols(file))),
    ("rpc", "rpcs", "program", |file| Box::new(read_rpc(file))),
    ("services", "services", "service", |file| Box::new(read_services(file))),
];

/// Reads `passwd` with `shadow`, `group`, `hosts`, `networks`, `protocols`, `rpc` and `services` below `etc`.
///
/// Nothing here is an error: a file that is not there or cannot be read, and every line that gives no record, is
/// noted for the [`Summary`](super::Summary). Without a readable `shadow`, users whose password is kept there have no
/// `passwd` property.
pub fn collect(etc: &Path) -> Collected {
    let (users, shadow) = accounts(etc);
    let mut sources = vec![users, shadow];
    for (file, container, what, read) in TABLES {
        sources.push(Source::read(etc, file, what, Some(container), read));
    }
    Collected { sources }
}

impl Source {
    fn new(etc: &Path, file: &str, what: &str, container: Option<&'static str>) -> Self {
        let summary = FileSummary {
            file: file.to_owned(),
            path: etc.join(file).display().to_string(),
            what: what.to_owned(),
            ..FileSummary::default()
        };
        Self { summary, container, records: Vec::new() }
    }

    fn read(
        etc: &Path,
        file: &str,
        what: &str,
        container: Option<&'static str>,
        read: impl FnOnce(BufReader<File>) -> Records,
    ) -> Self {
        let mut source = Self::new(etc, file, what, container);
        let Some(input) = source.open(etc) else { return source };
        for item in read(input) {
            match item {
                Ok(record) => source.records.push(record),
                Err(problem) => source.skip(&problem),
            }
        }
        source
    }

    fn open(&mut self, etc: &Path) -> Option<BufReader<File>> {
        match File::open(etc.join(&self.summary.file)) {
            Ok(file) => Some(BufReader::new(file)),
            Err(error) => {
                self.summary.missing = Some(match error.kind() {
                    ErrorKind::NotFound => "not there".to_owned(),
                    _ => format!("not readable: {error}"),
                });
                None
            }
        }
    }

    fn skip(&mut self, problem: &Problem) {
        let Problem { line, field, reason } = problem;
        let reason = match *field {
            "line" => reason.to_string(),
            field => format!("{field}: {reason}"),
        };
        self.summary.skip(*line, reason);
    }
}

/// Users with their passwords, and what is to be said of `shadow`.
fn accounts(etc: &Path) -> (Source, Source) {
    let mut source = Source::new(etc, "shadow", "entry", None);
    let passwords = match source.open(etc) {
        Some(input) => {
            let (shadow, problems) = Shadow::read(input);
            let unreadable = |problem: &Problem| matches!(problem.reason, Reason::Unreadable(_));
            if problems.iter().any(unreadable) {
                source.unreadable()
            } else {
                source.summary.loaded = shadow.len();
                problems.iter().for_each(|problem| source.skip(problem));
                Some(shadow)
            }
        }
        // Without the file nobody has a password in it.
        None if source.summary.missing.as_deref() == Some("not there") => Some(Shadow::default()),
        None => source.unreadable(),
    };
    let users = Source::read(etc, "passwd", "user", Some("users"), |passwd| match passwords {
        Some(shadow) => {
            let users: Vec<_> = read_users(passwd, &shadow).collect();
            Box::new(users.into_iter())
        }
        None => Box::new(read_passwd(passwd).map(|user| user.map(without_placeholder))),
    });
    (users, source)
}

impl Source {
    fn unreadable(&mut self) -> Option<Shadow> {
        self.summary.missing = Some("not readable: passwords were not loaded".to_owned());
        None
    }
}

/// Puts a value that no password matches in place of the mark for "in shadow": old clients take a user without `passwd`
/// for one without a password.
fn without_placeholder(mut user: Record) -> Record {
    for (name, values) in &mut user.properties {
        if name == b"passwd" && values.iter().any(|v| v == SHADOWED) {
            *values = vec![b"*".to_vec()];
        }
    }
    user
}
