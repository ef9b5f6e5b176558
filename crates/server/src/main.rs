//! The netinfod daemon.

#![forbid(unsafe_code)]

use std::path::Path;
use std::process::ExitCode;

use clap::Parser;
use netinfo_server::cli::{Cli, Command};
use netinfo_server::config::Config;

fn main() -> ExitCode {
    match Cli::parse().command {
        Command::CheckConfig { file } => check_config(&file),
    }
}

fn check_config(file: &Path) -> ExitCode {
    match Config::load(file) {
        Ok(_) => {
            println!("{}: OK", file.display());
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("netinfod: {error}");
            ExitCode::FAILURE
        }
    }
}
