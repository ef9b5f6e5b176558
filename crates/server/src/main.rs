//! The netinfod daemon.

#![forbid(unsafe_code)]

use std::path::Path;
use std::process::ExitCode;

use clap::Parser;
use mimalloc::MiMalloc;
use netinfo_server::cli::{Cli, Command, ServeArgs};
use netinfo_server::config::Config;
use netinfo_server::serve;
use netinfo_server::settings::Settings;

/// Gives memory back to the system: the C library's allocator keeps for each thread what that thread ever used, which for
/// requests of megabytes and hashes of passwords adds up to more than all else.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    small_pages();
    match Cli::parse().command {
        Command::Serve(args) => serve(&args),
        Command::CheckConfig { file } => check_config(&file),
    }
}

/// Keeps the system from giving out memory two megabytes at a time, of which this daemon, which touches a little here and
/// there, would use a small part: with a million users that made hundreds of megabytes. Where it cannot be had, the
/// daemon works all the same.
fn small_pages() {
    let _ = nix::sys::prctl::set_thp_disable(true);
}

fn serve(args: &ServeArgs) -> ExitCode {
    let result = Settings::load(args).map_err(Into::into).and_then(serve::run);
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("netinfod: {error}");
            ExitCode::FAILURE
        }
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
