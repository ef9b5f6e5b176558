//! `nifind`: in which domains a directory is.
//!
//! * `hierarchy` — the domains to search, and their names.

mod hierarchy;

use netinfo_client::{Property, Result, Status};

use crate::io::Io;
use crate::open::timeouts;
use crate::path::resolve;
use crate::text::{atoi, property_line};
use crate::{Words, usage};
use hierarchy::{Found, Hierarchy};

/// Seconds to wait unless told otherwise.
const DEFAULT_TIMEOUT: i64 = 2;

/// The command line.
#[derive(Debug)]
struct Options {
    all: bool,
    no_local: bool,
    verbose: bool,
    print: bool,
    timeout: i64,
    directory: Vec<u8>,
    domain: Option<Vec<u8>>,
}

/// Why the command line makes no sense.
#[derive(Debug, PartialEq, Eq)]
enum Wrong {
    Usage,
    UnknownOption(u8),
}

/// Runs the tool.
pub(crate) fn run(args: &Words, io: &mut Io<'_>) -> u8 {
    let options = match parse(args) {
        Ok(options) => options,
        Err(wrong) => {
            if let Wrong::UnknownOption(letter) = wrong {
                io.complain(&[b"unknown option: ", &[letter]]);
            }
            io.err(usage::NIFIND);
            return 1;
        }
    };
    let found = Hierarchy { options: &options, timeouts: timeouts(options.timeout), io }.domains();
    let domains = match found {
        Ok(domains) => domains,
        Err(complaint) => {
            io.complain(&[b"error: can't open ", &complaint]);
            return 1;
        }
    };
    for mut found in domains {
        let name = absolute(options.domain.as_deref(), &found.name);
        search(&options, &mut found, &name, io);
    }
    0
}

/// Looks for the directory in one domain and tells what came of it.
fn search(options: &Options, found: &mut Found, name: &[u8], io: &mut Io<'_>) {
    let directory = options.directory.as_slice();
    match look_up(options, found) {
        Ok((object, properties)) => {
            let mut text = [directory, b" found in ", name].concat();
            text.extend(format!(", id = {object}\n").into_bytes());
            if options.print {
                properties.iter().for_each(|property| property_line(&mut text, property));
                text.push(b'\n');
            }
            io.out(text);
        }
        Err(error) if error.is(Status::NoDir) => {
            if options.verbose {
                io.out([directory, b" not found in ", name, b"\n"].concat());
            }
        }
        Err(_) => io.complain(&[b"Search error in domain ", name]),
    }
}

fn look_up(options: &Options, found: &mut Found) -> Result<(u32, Vec<Property>)> {
    let domain = found.handle.domain()?;
    let object = resolve(domain, &options.directory)?;
    let properties = if options.print { domain.read(object)?.1 } else { Vec::new() };
    Ok((object, properties))
}

/// The name of a domain below the one that the search starts from.
fn absolute(start: Option<&[u8]>, name: &[u8]) -> Vec<u8> {
    let start = start.unwrap_or_default();
    let start = start.strip_suffix(b"/").unwrap_or(start);
    let full = [start, name].concat();
    match full.strip_suffix(b"/") {
        Some(shorter) if !shorter.is_empty() => shorter.to_vec(),
        _ => full,
    }
}

fn parse(args: &Words) -> Result<Options, Wrong> {
    let mut options = Options {
        all: false,
        no_local: false,
        verbose: false,
        print: false,
        timeout: DEFAULT_TIMEOUT,
        directory: Vec::new(),
        domain: None,
    };
    // Once a time-out was given, every later cluster of flags is followed by one too.
    let mut timed = false;
    let mut args = args.iter().map(|word| word.as_slice());
    let mut operands: Vec<&[u8]> = Vec::new();
    while let Some(word) = args.next() {
        let Some((b'-', flags)) = word.split_first().filter(|_| operands.is_empty()) else {
            operands.push(word);
            continue;
        };
        for flag in flags {
            match flag {
                b'a' => options.all = true,
                b'n' => options.no_local = true,
                b'v' => options.verbose = true,
                b'p' => options.print = true,
                b'T' => timed = true,
                other => return Err(Wrong::UnknownOption(*other)),
            }
        }
        if timed {
            options.timeout = atoi(args.next().ok_or(Wrong::Usage)?);
        }
    }
    match operands.as_slice() {
        [directory, domain @ ..] if domain.len() <= 1 => {
            options.directory = directory.to_vec();
            options.domain = domain.first().map(|domain| domain.to_vec());
            Ok(options)
        }
        _ => Err(Wrong::Usage),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::words;

    #[test]
    fn flags_come_in_clusters() {
        let options = parse(&words(&["-av", "-pT", "5", "/x", "/y"])).unwrap();
        assert!(options.all && options.verbose && options.print && !options.no_local);
        assert_eq!((options.timeout, options.domain.as_deref()), (5, Some(&b"/y"[..])));
        // The flag after a time-out swallows an argument.
        let options = parse(&words(&["-T", "5", "-a", "7", "/x"])).unwrap();
        assert_eq!((options.timeout, options.directory.as_slice()), (7, &b"/x"[..]));
        assert_eq!(parse(&words(&["-x", "/x"])).unwrap_err(), Wrong::UnknownOption(b'x'));
        for wrong in [&[][..], &["-a"], &["-T"], &["/a", "/b", "/c"]] {
            assert_eq!(parse(&words(wrong)).unwrap_err(), Wrong::Usage);
        }
    }

    #[test]
    fn names_below_the_start() {
        assert_eq!(absolute(None, b"/"), b"/");
        assert_eq!(absolute(None, b"/a"), b"/a");
        assert_eq!(absolute(Some(b"/"), b"/a"), b"/a");
        assert_eq!(absolute(Some(b"/x"), b"/"), b"/x");
        assert_eq!(absolute(Some(b"/x/"), b"/a"), b"/x/a");
    }
}
