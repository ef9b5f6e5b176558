//! `nicl`: a domain, a database folder or a data directory, by commands.
//!
//! | module | holds |
//! |---|---|
//! | `options` | the command line |
//! | `session`, `command` | the state between commands; the commands |
//! | `interactive`, `tokens` | lines from a terminal or a script; their words |
//! | `path`, `x500` | the two ways to name a directory |
//! | `render` | records as text |
//! | `store` | what commands work on: `remote`, `raw` or `data` |

mod command;
mod data;
mod interactive;
mod options;
mod path;
mod raw;
mod remote;
mod render;
mod session;
mod store;
mod tokens;
mod x500;

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use netinfo_formats::nidb::StoreErrorKind;

use crate::handle::Login;
use crate::io::Io;
use crate::open::Request;
use crate::text::ask_password;
use crate::{Words, usage};
use options::Options;
use session::Session;
use store::{Outcome, Store};

/// Seconds that nicl waits for a server.
const TIMEOUT: i64 = 15;
/// Exit code when a domain of a server is to be made.
const NOT_POSSIBLE: u8 = 1;

/// Runs the tool.
pub(crate) fn run(args: Words, io: &mut Io<'_>) -> u8 {
    let Some(options) = options::parse(args) else {
        io.err(usage::NICL);
        return 0;
    };
    if options.creates_only {
        if !options.raw {
            io.err("Can't create a NetInfo domain\n");
            return NOT_POSSIBLE;
        }
        let created = raw::Raw::create(folder(&options)).and_then(|store| Box::new(store).close());
        return match created {
            Ok(()) => 0,
            Err(kind) => failed("create", &options, kind, io),
        };
    }
    let store = match open(&options, io) {
        Ok(store) => store,
        Err(kind) => return failed("open", &options, kind, io),
    };
    let mut session = Session::new(store);
    session.naming = options.naming;
    session.verbosity = options.verbosity;
    session.confirm = options.confirm;
    let status = if options.command.is_empty() {
        interactive::run(&mut session, options.manner, io);
        0
    } else {
        session.run(&options.command, io)
    };
    let closed = session.store.close();
    match (status, closed) {
        (0, Err(kind)) => {
            io.complain(&[kind.name().as_bytes()]);
            exit_code(kind.code())
        }
        (status, _) => exit_code(status),
    }
}

/// The lowest eight bits of the number of an error.
const fn exit_code(status: u32) -> u8 {
    (status & 0xff) as u8
}

fn failed(what: &str, options: &Options, kind: StoreErrorKind, io: &mut Io<'_>) -> u8 {
    io.complain(&[what.as_bytes(), b"(", &options.source, b"): ", kind.name().as_bytes()]);
    exit_code(kind.code())
}

fn folder(options: &Options) -> &Path {
    Path::new(OsStr::from_bytes(&options.source))
}

fn open(options: &Options, io: &mut Io<'_>) -> Outcome<Box<dyn Store>> {
    if options.raw {
        let folder = folder(options);
        if let Some(place) = data::Place::of(folder) {
            return Ok(Box::new(data::Data::open(&place, options.read_only)?));
        }
        if options.create && !folder.exists() {
            return Ok(Box::new(raw::Raw::create(folder)?));
        }
        return Ok(Box::new(raw::Raw::open(folder, options.read_only)?));
    }
    let login = (options.prompt || options.user.is_some() || options.password.is_some()).then(|| Login {
        user: options.user.clone().unwrap_or_else(|| b"root".to_vec()),
        password: options.password.clone().unwrap_or_else(|| ask_password(io)),
    });
    let request = Request {
        tool: "nicl",
        name: &options.source,
        by_tag: options.by_tag,
        timeout: TIMEOUT,
        login: login.as_ref(),
    };
    let handle = request.open(io).map_err(|_| StoreErrorKind::InvalidDatastore)?;
    Ok(Box::new(remote::Remote::new(handle, options.read_only)))
}
