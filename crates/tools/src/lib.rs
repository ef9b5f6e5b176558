//! The administrative programs of historical NetInfo, with their options, output and exit codes.
//!
//! [`run`] carries out a tool; the program `netinfo` calls it when it is started under the tool's name.
//!
//! | module | holds |
//! |---|---|
//! | `niutil`, `nicl`, `nidump`, `niload`, `nigrep`, `nifind`, `nireport`, `nidomain`, `lookupd` | the tools |
//! | `usage` | their usage texts |
//! | [`io`] | what a tool reads from and writes to |
//! | [`reach`] | where servers are |
//! | `open`, `handle` | opening a domain, with the messages of the tools; a domain with its servers and its parent |
//! | `path` | directory paths of the historical client library |
//! | `status`, `text` | exit codes; pieces of output |
//! | `ere` | POSIX regular expressions |
//! | [`hide`] | passwords on the command line |

#![forbid(unsafe_code)]

mod ere;
mod handle;
pub mod hide;
pub mod io;
mod lookupd;
mod nicl;
mod nidomain;
mod nidump;
mod nifind;
mod nigrep;
mod niload;
mod nireport;
mod niutil;
mod open;
mod path;
pub mod reach;
mod status;
mod text;
mod usage;

use std::io::{BufWriter, IsTerminal};

use zeroize::Zeroizing;

pub use io::Io;
pub use reach::Reach;

/// Command-line arguments without the name of the program. They may hold passwords.
pub type Words = Vec<Zeroizing<Vec<u8>>>;

/// The names of all tools.
pub const TOOLS: [&str; 9] =
    ["lookupd", "nicl", "nidomain", "nidump", "nifind", "nigrep", "niload", "nireport", "niutil"];

/// Exit code when the output could not be written.
const UNWRITTEN: u8 = 1;

/// A tool under the name it was called by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tool {
    name: &'static str,
}

impl Tool {
    /// The tool with this name, which may be a path.
    pub fn named(program: &[u8]) -> Option<Self> {
        let base = program.rsplit(|byte| *byte == b'/').next()?;
        TOOLS.into_iter().find(|name| name.as_bytes() == base).map(|name| Self { name })
    }

    /// Its name.
    pub const fn name(self) -> &'static str {
        self.name
    }
}

/// Runs a tool and returns its exit code. `program` is the name it was called by, for the messages of `nidomain`.
pub fn run(tool: Tool, program: &[u8], args: Words, io: &mut Io<'_>) -> u8 {
    let code = match tool.name {
        "niutil" => niutil::run(tool.name, args, io),
        "nidump" => nidump::run(&args, io),
        "niload" => niload::run(args, io),
        "nifind" => nifind::run(&args, io),
        "nigrep" => nigrep::run(args, io),
        "nireport" => nireport::run(args, io),
        "lookupd" => lookupd::run(&args, io),
        "nidomain" => nidomain::run(program, &args, io),
        _ => nicl::run(args, io),
    };
    io.flush();
    if io.intact { code } else { code.max(UNWRITTEN) }
}

/// Runs a tool as a program of its own, with the standard streams of this process.
pub fn main(tool: Tool, program: &[u8], args: Words, reach: Reach) -> u8 {
    let (stdin, stdout) = (std::io::stdin(), std::io::stdout());
    let terminal = stdin.is_terminal();
    let mut ask = |prompt: &str| rpassword::prompt_password(prompt).map(Zeroizing::new);
    let mut io = Io {
        stdin: &mut stdin.lock(),
        stdout: &mut BufWriter::new(stdout.lock()),
        stderr: &mut std::io::stderr(),
        terminal,
        ask: &mut ask,
        reach,
        intact: true,
    };
    run(tool, program, args, &mut io)
}

/// Arguments for tests.
#[cfg(test)]
fn words(words: &[&str]) -> Words {
    words.iter().map(|word| Zeroizing::new(word.as_bytes().to_vec())).collect()
}
