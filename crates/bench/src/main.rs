//! The load generator's command line.

#![forbid(unsafe_code)]

use std::process::ExitCode;

use clap::Parser;
use netinfo_bench::options::{Cli, Command};
use netinfo_bench::{echo, ldap, nss, run};

fn main() -> ExitCode {
    let cli = Cli::parse();
    let result = match cli.command {
        Some(Command::Echo) => echo::serve(),
        Some(Command::Fill { dir, users }) => run::fill(&dir, users),
        Some(Command::Load(load)) => run::load(&load),
        Some(Command::Write(write)) => run::write(&write),
        Some(Command::Ldap(options)) => ldap::run::all(&options),
        Some(Command::Nss(options)) => nss::run::all(&options),
        None => run::all(&cli.options),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("netinfo-bench: {error}");
            ExitCode::FAILURE
        }
    }
}
