//! The historical tools. The program is one of them when it is started under its name.

use std::os::unix::ffi::OsStringExt;

use clap::Args;
use netinfo_tools::{Reach, TOOLS, Words, hide};
use zeroize::Zeroizing;

use crate::args::Text;
use crate::context::Context;
use crate::failure::{Exit, Failure, Result};

/// A tool and its arguments.
#[derive(Debug, Args)]
#[command(disable_help_flag = true, override_usage = "netinfo tool NAME [ARG]...")]
pub(crate) struct Tool {
    /// Name of the tool, then its arguments
    #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true, value_name = "NAME [ARG]")]
    words: Vec<Text>,
}

/// Runs the tool by whose name this program was started, if it was, and returns the exit code.
pub(crate) fn by_program_name() -> Option<u8> {
    let mut args = std::env::args_os();
    let program = args.next()?.into_vec();
    let tool = netinfo_tools::Tool::named(&program)?;
    let words: Words = args.map(|word| Zeroizing::new(word.into_vec())).collect();
    hide::hide(&words, 1);
    Some(netinfo_tools::main(tool, &program, words, Reach::from_environment()))
}

/// Runs the tool that the arguments name.
pub(crate) fn run(context: &Context, args: Tool) -> Result<Exit> {
    let skip = std::env::args_os().count().saturating_sub(args.words.len() - 1);
    let mut words = args.words.into_iter().map(|word| Zeroizing::new(word.0));
    let name = words.next().unwrap_or_default();
    let tool = netinfo_tools::Tool::named(&name).ok_or_else(|| {
        let known = TOOLS.join(", ");
        Failure::usage(format!("\"{}\" is none of {known}", crate::output::safe(&name)))
    })?;
    let words: Words = words.collect();
    hide::hide(&words, skip);
    let reach = match &context.options.socket {
        Some(socket) => Reach::new(Some(socket.clone())),
        None => Reach::from_environment(),
    };
    let code = netinfo_tools::main(tool, tool.name().as_bytes(), words, reach);
    Ok(Exit::Tool(code))
}
