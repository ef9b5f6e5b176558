//! The commands and their names.
//!
//! * `change` — properties and values; `tree` — whole directories; `show` — what is printed; `history` — versions;
//! * `server` — what only a server has; `control` — the session itself.

mod change;
mod control;
mod history;
mod server;
mod show;
mod tree;

use super::session::{Call, Fault, Session};
use crate::io::Io;

/// Carries out a command.
pub(super) type Run = fn(&mut Session, &Call<'_>, &mut Io<'_>) -> Result<(), Fault>;

/// A command.
#[derive(Clone, Copy)]
pub(super) struct Command {
    /// How many arguments it needs.
    pub(super) minimum: usize,
    /// Whether the first argument is the path of a directory.
    pub(super) takes_path: bool,
    /// Whether that directory is made if it is missing.
    pub(super) creates_path: bool,
    pub(super) run: Run,
}

impl Command {
    /// A command on a directory.
    const fn on_path(minimum: usize, run: Run) -> Self {
        Self { minimum, takes_path: true, creates_path: false, run }
    }

    /// A command whose arguments are its own business.
    const fn plain(minimum: usize, run: Run) -> Self {
        Self { minimum, takes_path: false, creates_path: false, run }
    }
}

/// The command with this name.
pub(super) fn named(word: &[u8]) -> Option<Command> {
    Some(match word {
        b"create" | b"createprop" | b"mk" => {
            Command { creates_path: true, ..Command::on_path(1, change::create) }
        }
        b"delete" | b"destroy" | b"destroyprop" | b"rm" => Command::on_path(1, change::delete),
        b"rename" => Command::on_path(3, change::rename),
        b"read" | b"cat" | b"." => Command::on_path(1, show::read),
        b"list" | b"ls" => Command::on_path(1, show::list),
        b"append" => Command::on_path(3, change::append),
        b"merge" => Command::on_path(3, change::merge),
        b"insert" => Command::on_path(4, change::insert),
        b"move" | b"mv" => Command::on_path(2, tree::move_to),
        b"copy" | b"cp" => Command::on_path(2, tree::copy_to),
        b"search" => Command::on_path(4, show::search),
        b"path" => Command::on_path(1, show::path),
        b"attach" => Command::on_path(2, tree::attach),
        b"detach" => Command::on_path(2, tree::detach),
        b"parent" => Command::on_path(2, tree::set_parent),
        b"cd" => Command::on_path(1, control::cd),
        b"pwd" => Command::on_path(0, control::pwd),
        b"history" | b"hist" => Command::plain(0, history::history),
        b"statistics" | b"stats" => Command::on_path(0, show::statistics),
        b"domainname" | b"name" => Command::on_path(0, server::domain_name),
        b"rparent" => Command::on_path(0, server::rparent),
        b"resync" => Command::on_path(0, server::resync),
        b"refs" => Command::on_path(0, server::refs),
        b"echo" => Command::plain(0, control::echo),
        b"flush" => Command::plain(0, control::flush),
        b"auth" | b"su" => Command::plain(1, server::auth),
        b"setrdn" => Command::on_path(2, change::set_rdn),
        b"source" | b"<" => Command::plain(1, control::source),
        b"load" => Command::plain(1, tree::load),
        _ => return None,
    })
}
