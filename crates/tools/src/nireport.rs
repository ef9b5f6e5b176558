//! `nireport`: some properties of each child of a directory, as a table.

use netinfo_client::{Property, Result};

use crate::io::Io;
use crate::open::{DEFAULT_TIMEOUT, Request};
use crate::path::resolve;
use crate::status::{code, exit_code, text};
use crate::text::{atoi, values_of};
use crate::{Words, usage};

/// The command line.
struct Options {
    timeout: i64,
    by_tag: bool,
    domain: Vec<u8>,
    directory: Vec<u8>,
    keys: Vec<Vec<u8>>,
}

/// Runs the tool.
pub(crate) fn run(args: Words, io: &mut Io<'_>) -> u8 {
    let Some(options) = parse(&args) else {
        io.err(usage::NIREPORT);
        return 1;
    };
    if options.keys.is_empty() {
        io.err("no properties\n");
        io.err(usage::NIREPORT);
        return 1;
    }
    let request = Request {
        tool: "nireport",
        name: &options.domain,
        by_tag: options.by_tag,
        timeout: options.timeout,
        login: None,
    };
    let mut handle = match request.open(io) {
        Ok(handle) => handle,
        Err(status) => return exit_code(status),
    };
    let mut step = "ni_pathsearch";
    let mut report = || -> Result<()> {
        let domain = handle.domain()?;
        let directory = resolve(domain, &options.directory)?;
        step = "ni_children";
        let (children, _) = domain.children(directory)?;
        step = "ni_listprops";
        domain.read_many(&children, |_, read| {
            io.out(line(&options.keys, &read?.1));
            Ok(())
        })
    };
    match report() {
        Ok(()) => 0,
        Err(error) => {
            io.complain(&[step.as_bytes(), b": ", text(&error).as_bytes()]);
            exit_code(code(&error))
        }
    }
}

/// Options come first; after `-t` comes the domain. `None` if operands are missing or an option is unknown.
fn parse(args: &Words) -> Option<Options> {
    let mut args = args.iter().map(|word| word.as_slice());
    let (mut timeout, mut by_tag) = (DEFAULT_TIMEOUT, false);
    let domain = loop {
        match args.next()? {
            b"-T" => timeout = atoi(args.next()?),
            b"-t" => {
                by_tag = true;
                break args.next()?;
            }
            option if option.first() == Some(&b'-') => return None,
            operand => break operand,
        }
    };
    let domain = domain.to_vec();
    let directory = args.next()?.to_vec();
    Some(Options { timeout, by_tag, domain, directory, keys: args.map(<[u8]>::to_vec).collect() })
}

/// The columns of one directory, each with a tab behind it.
fn line(keys: &[Vec<u8>], properties: &[Property]) -> Vec<u8> {
    let mut line = Vec::new();
    for key in keys {
        match values_of(properties, key) {
            Some(values @ [_, ..]) => line.extend(values.join(&b',')),
            _ => line.extend_from_slice(b"#NoValue#"),
        }
        line.push(b'\t');
    }
    line.push(b'\n');
    line
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::words;

    #[test]
    fn columns() {
        let properties =
            [Property::new("name", ["ana", "a"]), Property::new("uid", ["501"]), Property::new("x", [""; 0])];
        let keys = [b"name".to_vec(), b"uid".to_vec(), b"x".to_vec(), b"y".to_vec()];
        assert_eq!(line(&keys, &properties), b"ana,a\t501\t#NoValue#\t#NoValue#\t\n");
    }

    #[test]
    fn options_come_first() {
        let options = parse(&words(&["-T", "4", "-t", "h/t", "/users", "name", "-x"])).unwrap();
        assert_eq!((options.timeout, options.by_tag, options.domain.as_slice()), (4, true, &b"h/t"[..]));
        assert_eq!(options.keys, [b"name".to_vec(), b"-x".to_vec()]);
        assert!(parse(&words(&["."])).is_none());
        assert!(parse(&words(&["-x", ".", "/", "name"])).is_none());
        assert!(parse(&words(&[".", "/users"])).unwrap().keys.is_empty());
    }
}
