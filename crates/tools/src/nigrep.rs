//! `nigrep`: properties that match a regular expression, in whole trees.

use netinfo_client::{Domain, Error, Property, Result};
use regex::bytes::Regex;

use crate::io::Io;
use crate::open::{DEFAULT_TIMEOUT, Request};
use crate::path::resolve;
use crate::status::{code, exit_code, text};
use crate::text::{atoi, values};
use crate::{Words, ere, usage};
use netinfo_client::limits::MAX_DEPTH;

/// The command line.
struct Options {
    timeout: i64,
    expression: Vec<u8>,
    by_tag: bool,
    domain: Vec<u8>,
    directories: Vec<Vec<u8>>,
}

/// An error and the step at which it occurred, as the client library calls it.
struct Failure(&'static str, Error);

/// Runs the tool.
pub(crate) fn run(args: Words, io: &mut Io<'_>) -> u8 {
    let Some(options) = parse(&args) else {
        io.err(usage::NIGREP);
        return 1;
    };
    if options.timeout < 0 {
        io.err("can't use negative timeout value.\n");
        return 1;
    }
    let Some(regex) = ere::compile(&options.expression) else {
        io.complain(&[b"Bad expression: ", &options.expression]);
        io.err(usage::NIGREP);
        return 1;
    };
    let request = Request {
        tool: "nigrep",
        name: &options.domain,
        by_tag: options.by_tag,
        timeout: options.timeout,
        login: None,
    };
    let Ok(mut handle) = request.open(io) else {
        io.err(usage::NIGREP);
        return 1;
    };
    for start in &options.directories {
        let searched = handle
            .domain()
            .and_then(|domain| Ok((resolve(domain, start)?, domain)))
            .map_err(|error| Failure("ni_pathsearch", error))
            .and_then(|(directory, domain)| {
                let mut search = Search { domain, regex: &regex, io };
                search.below(directory, start, MAX_DEPTH)
            });
        if let Err(Failure(step, error)) = searched {
            io.complain(&[step.as_bytes(), b": ", text(&error).as_bytes()]);
            return exit_code(code(&error));
        }
    }
    0
}

/// Everything after the domain is a directory. `None` if an operand is missing or an option is unknown.
fn parse(args: &Words) -> Option<Options> {
    let mut args = args.iter().map(|word| word.as_slice());
    let mut timeout = DEFAULT_TIMEOUT;
    let mut word = args.next()?;
    while word == b"-T" {
        timeout = atoi(args.next()?);
        word = args.next()?;
    }
    let expression = word.to_vec();
    let mut by_tag = false;
    let mut domain = args.next()?;
    while domain == b"-T" {
        timeout = atoi(args.next()?);
        domain = args.next()?;
    }
    if domain == b"-t" {
        by_tag = true;
        domain = args.next()?;
    }
    let domain = domain.to_vec();
    let mut directories: Vec<Vec<u8>> = args.map(<[u8]>::to_vec).collect();
    if directories.is_empty() {
        directories.push(b"/".to_vec());
    }
    Some(Options { timeout, expression, by_tag, domain, directories })
}

struct Search<'s, 'i> {
    domain: &'s mut Domain,
    regex: &'s Regex,
    io: &'s mut Io<'i>,
}

impl Search<'_, '_> {
    /// Searches a directory, then everything below it.
    fn below(&mut self, directory: u32, path: &[u8], depth: usize) -> Result<(), Failure> {
        let (_, properties) = self.domain.read(directory).map_err(|error| Failure("ni_read", error))?;
        for property in properties.iter().filter(|property| matches(self.regex, property)) {
            let mut line = format!("{directory} ").into_bytes();
            line.extend_from_slice(path);
            line.extend_from_slice(b":  ");
            line.extend_from_slice(&property.name);
            values(&mut line, &property.values);
            line.push(b'\n');
            self.io.out(line);
        }
        let depth = depth.checked_sub(1).ok_or(Failure("ni_list", Error::TooDeep))?;
        let (children, _) =
            self.domain.list(directory, b"name").map_err(|error| Failure("ni_list", error))?;
        for child in children {
            let name = child.names.unwrap_or_default();
            self.below(child.id, &below(path, child.id, name.first()), depth)?;
        }
        Ok(())
    }
}

/// Whether the name or a value of a property matches.
fn matches(regex: &Regex, property: &Property) -> bool {
    regex.is_match(&property.name) || property.values.iter().any(|value| regex.is_match(value))
}

/// The path of a child as it is printed.
fn below(path: &[u8], id: u32, name: Option<&Vec<u8>>) -> Vec<u8> {
    let mut child = path.to_vec();
    if child.last() != Some(&b'/') {
        child.push(b'/');
    }
    match name {
        Some(name) => child.extend_from_slice(name),
        None => child.extend(format!("dir: {id}").into_bytes()),
    }
    child
}
