//! `niload`: a flat file into a category of a domain, or a subtree in the raw format in place of another.
//!
//! * `options` — the command line; `flat`, `raw` — the two kinds of input.

mod flat;
mod options;
mod raw;

use netinfo_formats::flat::tool::Load;

use crate::handle::Login;
use crate::io::Io;
use crate::open::Request;
use crate::text::ask_password;
use crate::{Words, usage};
use options::{Options, What, Wrong};

/// Exit code for everything that goes wrong.
const FAILED: u8 = 1;

/// Runs the tool.
pub(crate) fn run(args: Words, io: &mut Io<'_>) -> u8 {
    let options = match options::parse(args) {
        Ok(options) => options,
        Err(wrong) => {
            match wrong {
                Wrong::Usage => {}
                Wrong::UnknownArgument(word) => io.complain(&[b"niload: unknown argument: ", &word]),
                Wrong::UnknownOption(word) => io.complain(&[b"niload unknown option: ", &word]),
                Wrong::UnknownFormat(word) => {
                    io.out([b"niload: unknown format: ", &word[..], b"\n"].concat())
                }
            }
            io.err(usage::NILOAD);
            return FAILED;
        }
    };
    let login = Login {
        user: options.user.clone().unwrap_or_else(|| b"root".to_vec()),
        password: match &options.password {
            Some(password) => password.clone(),
            None if options.prompt => ask_password(io),
            None => zeroize::Zeroizing::default(),
        },
    };
    let request = Request {
        tool: "niload",
        name: &options.domain,
        by_tag: options.by_tag,
        timeout: options.timeout,
        login: Some(&login),
    };
    let Ok(mut handle) = request.open(io) else { return FAILED };
    match &options.what {
        What::Format(format) => load_flat(*format, &options, &mut handle, io),
        What::Directory(path) => raw::load(path, &mut handle, io),
    }
}

fn load_flat(format: Load, options: &Options, handle: &mut crate::handle::Handle, io: &mut Io<'_>) -> u8 {
    let items = match flat::items(format, io) {
        Ok(items) => items,
        Err(problem) => {
            io.complain(&[b"niload: can't read the input: ", problem.to_string().as_bytes()]);
            return FAILED;
        }
    };
    match flat::Loading::new(format, options, handle, io).run(&items) {
        Ok(()) => 0,
        Err(line) => {
            io.complain(&[&line]);
            FAILED
        }
    }
}
