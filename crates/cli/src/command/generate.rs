//! `completions` and `man`: what packagers install beside the program.

use std::path::PathBuf;

use clap::Args;
use clap_complete::Shell;

use crate::args::command;
use crate::context::Context;
use crate::failure::{Result, When};

/// Arguments of `completions`.
#[derive(Debug, Args)]
pub(crate) struct Completions {
    /// Shell to complete in
    #[arg(value_enum)]
    shell: Shell,
}

/// Arguments of `man`.
#[derive(Debug, Args)]
pub(crate) struct Man {
    /// Directory to write into; made if it is missing
    dir: PathBuf,
}

/// Prints a completion script.
pub(crate) fn completions(context: &mut Context, args: &Completions) -> Result<()> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut command(), "netinfo", &mut script);
    Ok(context.out.raw(&script)?)
}

/// Writes the manual pages of all commands.
pub(crate) fn man(args: &Man) -> Result<()> {
    let written =
        std::fs::create_dir_all(&args.dir).and_then(|()| clap_mangen::generate_to(command(), &args.dir));
    written.when(|| format!("write manual pages into {}", args.dir.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_for_every_command() {
        let dir = tempfile::tempdir().unwrap();
        man(&Man { dir: dir.path().join("man1") }).unwrap();
        let page = |name: &str| std::fs::read_to_string(dir.path().join("man1").join(name)).unwrap();
        assert!(page("netinfo.1").contains("the server cannot be reached"));
        assert!(page("netinfo-user-add.1").contains("password"));
        assert!(page("netinfo-check.1").contains("repair"));
    }

    #[test]
    fn scripts_know_the_commands() {
        let mut script = Vec::new();
        clap_complete::generate(Shell::Bash, &mut command(), "netinfo", &mut script);
        let script = String::from_utf8(script).unwrap();
        assert!(script.contains("--password-stdin") && script.contains("mkdir"));
    }
}
