//! The interactive mode: the commands of the command line with a current directory, history and completion.
//!
//! * `words` — a line into words; `complete` — what could come next; `history` — what is remembered.

mod complete;
mod history;
mod words;

use std::cell::RefCell;
use std::ffi::OsString;
use std::io::IsTerminal;
use std::os::unix::ffi::OsStringExt;
use std::rc::Rc;

use clap::{Parser, Subcommand};
use netinfo_client::Path;
use rustyline::config::{CompletionType, Config};
use rustyline::error::ReadlineError;
use rustyline::history::FileHistory;
use rustyline::{Editor, Helper};

use crate::args::{Options, PlainCommand, Text};
use crate::command::run_plain;
use crate::context::Context;
use crate::failure::{Exit, Failure, Result};
use complete::Completion;

/// Commands of the interactive mode. "help COMMAND" says more about one.
#[derive(Debug, Parser)]
#[command(multicall = true, override_usage = "COMMAND …", max_term_width = 100, disable_version_flag = true)]
struct Line {
    #[command(subcommand)]
    command: LineCommand,
}

/// What can be said on a line.
#[derive(Debug, Subcommand)]
enum LineCommand {
    /// The commands of the command line.
    #[command(flatten)]
    Plain(PlainCommand),
    /// Change the current directory
    Cd {
        /// Where to go [default: the root]
        path: Option<Text>,
    },
    /// Show the current directory
    Pwd,
    /// Leave
    #[command(alias = "quit")]
    Exit,
}

/// Whether to go on.
enum Next {
    Go,
    Stop,
}

impl Helper for Completion {}
impl rustyline::hint::Hinter for Completion {
    type Hint = String;
}
impl rustyline::highlight::Highlighter for Completion {}
impl rustyline::validate::Validator for Completion {}

/// Reads and carries out lines until the end of input. Lines that come from a file or a pipe end with the first
/// failure; a person at a terminal may go on.
pub(crate) fn run(context: &mut Context) -> Result<()> {
    if context.options.data.is_some() {
        return Err(Failure::usage("this needs a running daemon, without --data"));
    }
    let interactive = std::io::stdin().is_terminal();
    // Whatever is wrong with server or password is better known at once.
    context.domain()?;
    let options = Options { json: context.options.json, ..Options::default() };
    let shared = Rc::new(RefCell::new(std::mem::replace(context, Context::new(options))));
    let config = Config::builder().completion_type(CompletionType::List).auto_add_history(false).build();
    let failed = |error: ReadlineError| Failure::new(format!("cannot read from the terminal: {error}"));
    let mut editor: Editor<Completion, FileHistory> = Editor::with_config(config).map_err(failed)?;
    editor.set_helper(Some(Completion::new(shared.clone())));
    let store = interactive.then(history::file).flatten();
    if let Some(file) = &store {
        // There is none at the first time.
        let _ = editor.load_history(file);
    }
    let outcome = lines(&mut editor, &shared, interactive);
    if let Some(file) = &store {
        history::save(&mut editor, file);
    }
    outcome
}

fn lines(
    editor: &mut Editor<Completion, FileHistory>,
    shared: &RefCell<Context>,
    interactive: bool,
) -> Result<()> {
    loop {
        let prompt = {
            let context = shared.borrow();
            format!("{}:{}> ", context.domain_name(), context.current)
        };
        let line = match editor.readline(if interactive { prompt.as_str() } else { "" }) {
            Ok(line) => line,
            Err(ReadlineError::Interrupted) => continue,
            Err(ReadlineError::Eof) => return Ok(()),
            Err(error) => return Err(Failure::new(format!("cannot read from the terminal: {error}"))),
        };
        if interactive && history::may_keep(&line) {
            let _ = editor.add_history_entry(line.as_str());
        }
        match carry_out(&mut shared.borrow_mut(), &line) {
            Ok(Next::Go) => {}
            Ok(Next::Stop) => return Ok(()),
            Err(failure) if interactive => failure.report(),
            Err(failure) => return Err(failure),
        }
    }
}

/// Carries out one line.
fn carry_out(context: &mut Context, line: &str) -> Result<Next> {
    let words = words::split(line.as_bytes())?;
    if words.is_empty() {
        return Ok(Next::Go);
    }
    let line = match Line::try_parse_from(words.into_iter().map(OsString::from_vec)) {
        Ok(line) => line,
        Err(error) if error.use_stderr() => {
            let text = error.to_string();
            return Err(Failure::usage(text.strip_prefix("error: ").unwrap_or(&text).trim_end()));
        }
        Err(help) => {
            context.out.line(help.to_string().trim_end())?;
            context.out.flush()?;
            return Ok(Next::Go);
        }
    };
    let done = match line.command {
        LineCommand::Plain(command) => run_plain(context, command),
        LineCommand::Cd { path } => change_directory(context, path.as_ref()).map(|()| Exit::Ok),
        LineCommand::Pwd => context.out.line(context.current.to_string()).map(|()| Exit::Ok),
        LineCommand::Exit => return Ok(Next::Stop),
    };
    // What was printed comes before the failure that ended it.
    context.out.flush()?;
    done.map(|_| Next::Go)
}

fn change_directory(context: &mut Context, path: Option<&Text>) -> Result<()> {
    context.current = match path {
        None => Path::root(),
        Some(path) => context.resolve(path)?.1,
    };
    Ok(())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_declaration_is_sound() {
        Line::command().debug_assert();
    }

    #[test]
    fn lines_that_need_no_server() {
        let mut context = Context::new(Options::default());
        assert!(matches!(carry_out(&mut context, "  "), Ok(Next::Go)));
        assert!(matches!(carry_out(&mut context, "quit"), Ok(Next::Stop)));
        context.current = Path::parse(b"/users").unwrap();
        assert!(matches!(carry_out(&mut context, "cd"), Ok(Next::Go)));
        assert!(context.current.is_root());
        for wrong in ["nonsense", "set /x", "ls 'open", "shell"] {
            let failure = carry_out(&mut context, wrong).err().unwrap();
            assert_eq!(failure.exit(), Exit::Usage, "{wrong}: {failure}");
        }
    }
}
