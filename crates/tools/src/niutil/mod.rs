//! `niutil`: one operation on one directory of a domain, or one question about the domain.
//!
//! * `options` — the command line; `change` — operations that write; `show` — operations that print.

mod change;
mod options;
mod show;

use netinfo_client::{Error, Result, Status};

use crate::handle::{Handle, Login};
use crate::io::Io;
use crate::open::Request;
use crate::status::{code, exit_code, text};
use crate::text::ask_password;
use crate::{Words, usage};
use options::{Operation, Options, Wrong};

/// Exit code for a command line that makes no sense.
const USAGE: u8 = 1;
/// Exit code for an index that is none.
const NO_INDEX: u8 = 3;

/// An operation under way.
struct Work<'a> {
    tool: &'a str,
    options: &'a Options,
    handle: Handle,
}

/// Why an operation did not end well: the line to print, without the reason, and the reason.
struct Failure {
    line: Vec<u8>,
    error: Error,
}

/// Adds to an error what could not be done.
trait Doing<T> {
    /// `parts` make the line before the reason.
    fn doing(self, parts: &[&[u8]]) -> Result<T, Failure>;
}

impl<T> Doing<T> for Result<T> {
    fn doing(self, parts: &[&[u8]]) -> Result<T, Failure> {
        self.map_err(|error| Failure { line: parts.concat(), error })
    }
}

/// Runs the tool under the name `tool`.
pub(crate) fn run(tool: &str, args: Words, io: &mut Io<'_>) -> u8 {
    let options = match options::parse(args) {
        Ok(Some(options)) => options,
        Ok(None) => return 0,
        Err(wrong) => {
            if let Wrong::Missing(argument) = wrong {
                let start = format!("{tool}: insufficient number of arguments for ");
                io.complain(&[start.as_bytes(), &argument]);
            }
            io.err(usage::NIUTIL);
            return USAGE;
        }
    };
    let login = login(&options, io);
    let request = Request {
        tool,
        name: options.domain(),
        by_tag: options.by_tag,
        timeout: options.timeout,
        login: login.as_ref(),
    };
    let handle = match request.open(io) {
        Ok(handle) => handle,
        Err(status) => return exit_code(status),
    };
    Work { tool, options: &options, handle }.run(io)
}

/// Who to be: `-p` and `-P` mean root unless `-u` names somebody.
fn login(options: &Options, io: &mut Io<'_>) -> Option<Login> {
    if !options.prompt && options.password.is_none() && options.user.is_none() {
        return None;
    }
    let user = options.user.clone().unwrap_or_else(|| b"root".to_vec());
    let password = options.password.clone().unwrap_or_else(|| ask_password(io));
    Some(Login { user, password })
}

impl Work<'_> {
    fn run(mut self, io: &mut Io<'_>) -> u8 {
        match self.carry_out(io) {
            Ok(exit) => exit,
            Err(Failure { line, error }) => {
                io.complain(&[&line, b": ", text(&error).as_bytes()]);
                exit_code(code(&error))
            }
        }
    }

    fn carry_out(&mut self, io: &mut Io<'_>) -> Result<u8, Failure> {
        match self.options.operation {
            Operation::Create
            | Operation::Destroy
            | Operation::CreateProp
            | Operation::AppendProp
            | Operation::MergeProp
            | Operation::DestroyProp
            | Operation::DestroyVal
            | Operation::RenameProp => self.change()?,
            Operation::InsertVal => return self.insert(io),
            Operation::Resync => self.resync()?,
            Operation::Read => self.read(io)?,
            Operation::List => self.list(io)?,
            Operation::ReadProp => self.read_prop(io)?,
            Operation::ReadVal => self.read_val(io)?,
            Operation::RParent => return self.rparent(io),
            Operation::Statistics => self.statistics(io)?,
            Operation::DomainName => self.domain_name(io)?,
        }
        Ok(0)
    }

    /// An operand after the domain; empty if there are not as many.
    fn operand(&self, index: usize) -> &[u8] {
        self.options.operands.get(index).map(|word| word.as_slice()).unwrap_or_default()
    }

    fn path(&self) -> &[u8] {
        self.operand(1)
    }

    /// The operands from `index` on.
    fn rest(&self, index: usize) -> Vec<Vec<u8>> {
        self.options.operands.iter().skip(index).map(|word| word.to_vec()).collect()
    }

    /// Asks the master to refresh its copies.
    fn resync(&mut self) -> Result<(), Failure> {
        let started = if self.options.by_tag { Ok(()) } else { self.handle.go_to_master() };
        let done = started.and_then(|()| self.handle.domain()?.resync());
        done.doing(&[self.tool.as_bytes(), b" can't resync domain ", self.options.domain()])
    }

    /// Prints where the parent domain is served. That there is none is an answer, and a status.
    fn rparent(&mut self, io: &mut Io<'_>) -> Result<u8, Failure> {
        match self.handle.rparent() {
            Ok(found) => {
                let host = match self.options.numeric {
                    true => found.addr.to_string(),
                    false => crate::reach::host_name(found.addr),
                };
                io.out([host.as_bytes(), b"/", &found.tag, b"\n"].concat());
                Ok(0)
            }
            Err(error) if error.is(Status::NetRoot) => {
                io.out("root domain: no parent\n");
                Ok(exit_code(code(&error)))
            }
            failed => failed.map(|_| 0).doing(&[
                self.tool.as_bytes(),
                b": can't find rparent for domain ",
                self.options.domain(),
            ]),
        }
    }
}
