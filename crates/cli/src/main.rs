//! `netinfo`: the command line of NetInfo.
//!
//! | module | holds |
//! |---|---|
//! | `args` | the command line as a whole; each command declares its own part |
//! | `command` | the commands, one module for each group |
//! | `shell` | the interactive mode: the same commands, with a current directory and completion |
//! | `context` | what commands work with: options, the open domain, the current directory, output |
//! | `offline` | the commands that work on a data directory while the daemon is stopped |
//! | `failure` | errors as users see them, with hints and exit codes |
//! | `output`, `glob`, `password`, `progress` | printing safely, patterns, reading passwords, progress bars |

#![forbid(unsafe_code)]

mod args;
mod command;
mod context;
mod failure;
mod glob;
mod offline;
mod output;
mod password;
mod progress;
mod shell;

use std::process::ExitCode;

use mimalloc::MiMalloc;

use crate::args::Cli;
use crate::context::Context;
use crate::failure::Exit;

/// Imports make millions of small values on one thread that end on another, where the C library's allocator is slow.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    if let Some(code) = command::tool::by_program_name() {
        return code.into();
    }
    let cli = match Cli::read() {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are no errors; clap knows where each belongs.
            let _ = error.print();
            return if error.use_stderr() { Exit::Usage.into() } else { ExitCode::SUCCESS };
        }
    };
    let mut context = Context::new(cli.options);
    let done = command::run(&mut context, cli.command).and_then(|exit| context.out.flush().map(|()| exit));
    match done {
        Ok(exit) => exit.into(),
        Err(failure) => {
            // What was printed before the failure still belongs to the user.
            let _ = context.out.flush();
            failure.report();
            failure.exit().into()
        }
    }
}
