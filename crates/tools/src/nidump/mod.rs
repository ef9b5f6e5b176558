//! `nidump`: a category of a domain as a flat file, or a subtree in the raw format.
//!
//! * `raw` — the subtree.

mod raw;

use netinfo_client::{Domain, Property, Result, Status};
use netinfo_formats::flat::tool::Dump;

use crate::io::Io;
use crate::open::{DEFAULT_TIMEOUT, Request};
use crate::path::resolve;
use crate::status::text;
use crate::text::atoi;
use crate::{Words, usage};

/// Directories read with calls under way at once.
const CHUNK: usize = 1024;

/// What to dump.
#[derive(Debug, PartialEq, Eq)]
enum What {
    Format(Dump),
    Directory(Vec<u8>),
}

/// The command line.
#[derive(Debug)]
struct Options {
    what: What,
    timeout: i64,
    by_tag: bool,
    domain: Vec<u8>,
}

/// Runs the tool.
pub(crate) fn run(args: &Words, io: &mut Io<'_>) -> u8 {
    let Some(options) = parse(args) else {
        io.err(usage::NIDUMP);
        return 1;
    };
    let request = Request {
        tool: "nidump",
        name: &options.domain,
        by_tag: options.by_tag,
        timeout: options.timeout,
        login: None,
    };
    let Ok(mut handle) = request.open(io) else {
        io.err(usage::NIDUMP);
        return 1;
    };
    let dumped = handle.domain().and_then(|domain| match &options.what {
        What::Format(format) => flat(domain, *format, io),
        What::Directory(path) => raw::dump(domain, path, io),
    });
    match dumped {
        Ok(()) => 0,
        // What is not there is dumped with its absence.
        Err(netinfo_client::Error::Status(Status::NoDir)) => 0,
        Err(error) => {
            io.complain(&[b"nidump: ", text(&error).as_bytes()]);
            1
        }
    }
}

/// Prints a category.
fn flat(domain: &mut Domain, format: Dump, io: &mut Io<'_>) -> Result<()> {
    let mut head = Vec::new();
    // Writing to memory does not fail.
    let _ = format.begin(&mut head);
    io.out(head);
    let path =
        format.path().iter().fold(Vec::new(), |path, name| [&path[..], b"/", name.as_bytes()].concat());
    let directory = resolve(domain, &path)?;
    let mut print = |properties: Vec<Property>| {
        let properties: Vec<_> = properties.into_iter().map(|p| (p.name, p.values)).collect();
        let mut entry = Vec::new();
        let _ = format.entry(&properties, &mut entry);
        io.out(entry);
    };
    if format.is_one_directory() {
        print(domain.read(directory)?.1);
        return Ok(());
    }
    let (children, _) = domain.children(directory)?;
    domain.read_many(&children, |_, read| match read {
        Ok((_, properties)) => {
            print(properties);
            Ok(())
        }
        Err(error) if error.is(Status::NoDir) => Ok(()),
        Err(error) => Err(error),
    })
}

/// `None` if the command line makes no sense.
fn parse(args: &Words) -> Option<Options> {
    let mut args = args.iter().map(|word| word.as_slice());
    let (mut is_raw, mut timeout, mut by_tag) = (false, DEFAULT_TIMEOUT, None);
    let mut operands: Vec<&[u8]> = Vec::new();
    while let Some(word) = args.next() {
        match word {
            b"-r" if !is_raw => is_raw = true,
            // The domain stands behind its option, and ends the time for others.
            b"-t" if by_tag.is_none() && operands.len() < 2 => by_tag = Some(args.next()?),
            b"-T" if by_tag.is_none() => timeout = atoi(args.next()?),
            option if option.first() == Some(&b'-') => return None,
            operand => operands.push(operand),
        }
    }
    let (what, domain) = match (operands.as_slice(), by_tag) {
        ([what], Some(domain)) => (*what, domain),
        ([what, domain], None) => (*what, *domain),
        _ => return None,
    };
    let what = match is_raw {
        true => What::Directory(what.to_vec()),
        false => What::Format(Dump::from_name(std::str::from_utf8(what).ok()?)?),
    };
    Some(Options { what, timeout, by_tag: by_tag.is_some(), domain: domain.to_vec() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::words;

    #[test]
    fn command_lines() {
        let options = parse(&words(&["-r", "/", "-t", "h/t"])).unwrap();
        assert_eq!((options.what, options.by_tag), (What::Directory(b"/".to_vec()), true));
        let options = parse(&words(&["-T", "4", "passwd", "."])).unwrap();
        assert_eq!((options.what, options.timeout), (What::Format(Dump::Passwd), 4));
        assert_eq!(parse(&words(&["/", "-r", "."])).unwrap().domain, b".");
        assert_eq!(parse(&words(&["-t", "h/t", "hosts"])).unwrap().domain, b"h/t");
        for wrong in [
            &[][..],
            &["passwd"],
            &["-x", "."],
            &["nosuch", "."],
            &["-r", "-r", "/", "."],
            &["-t", "-r", "/", "h/t"],
            &["-t", "h/t", "-T", "4", "passwd"],
            &["passwd", ".", "-t", "h/t"],
            &["passwd", ".", "-T"],
            &["passwd", ".", "more"],
        ] {
            assert!(parse(&words(wrong)).is_none(), "{wrong:?}");
        }
    }
}
