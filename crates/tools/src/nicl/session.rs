//! A session: the open store, the current directory, and finding the command that a line names.

use netinfo_formats::nidb::StoreErrorKind;

use super::command::{self, Command};
use super::path::{Naming, ROOT, resolve};
use super::render::Renderer;
use super::store::{Outcome, Store};
use crate::io::Io;
use crate::usage;

/// What commands work with.
pub(super) struct Session {
    pub(super) store: Box<dyn Store>,
    /// The current directory.
    pub(super) current: u32,
    pub(super) naming: Naming,
    pub(super) verbosity: u8,
    /// Ask before directories are deleted.
    pub(super) confirm: bool,
    /// Lines come one after the other.
    pub(super) interactive: bool,
    /// How many files are being sourced, one from the other.
    pub(super) nesting: usize,
}

/// Why a command failed.
#[derive(Debug)]
pub(super) enum Fault {
    /// With this error, which is still to be printed.
    Error(StoreErrorKind),
    /// With this number; everything has been printed.
    Said(u32),
}

impl From<StoreErrorKind> for Fault {
    fn from(kind: StoreErrorKind) -> Self {
        Self::Error(kind)
    }
}

/// A command as it was called.
pub(super) struct Call<'c> {
    /// The word that called it, without dash.
    pub(super) word: &'c [u8],
    /// The directory that the first argument names, or the current one.
    pub(super) object: u32,
    /// The arguments after that.
    pub(super) args: &'c [Vec<u8>],
}

impl Call<'_> {
    /// An argument; empty if there are not as many.
    pub(super) fn arg(&self, index: usize) -> &[u8] {
        self.args.get(index).map(Vec::as_slice).unwrap_or_default()
    }

    /// The arguments from `index` on.
    pub(super) fn rest(&self, index: usize) -> &[Vec<u8>] {
        self.args.get(index..).unwrap_or_default()
    }
}

impl Session {
    pub(super) fn new(store: Box<dyn Store>) -> Self {
        Self {
            store,
            current: ROOT,
            naming: Naming::default(),
            verbosity: 0,
            confirm: false,
            interactive: false,
            nesting: 0,
        }
    }

    /// Carries out a command and returns its status, 0 for success.
    pub(super) fn run(&mut self, words: &[Vec<u8>], io: &mut Io<'_>) -> u32 {
        let Some((word, args)) = words.split_first() else { return 0 };
        let word = word.strip_prefix(b"-").unwrap_or(word);
        let Some(command) = command::named(word) else {
            io.err(usage::NICL);
            return 0;
        };
        let spared = usize::from(self.interactive && command.minimum == 1);
        if args.len() + spared < command.minimum {
            io.complain(&[b"Too few parameters for ", word, b" operation"]);
            io.err(usage::NICL);
            return 0;
        }
        match self.call(&command, word, args, io) {
            Ok(()) => 0,
            Err(Fault::Said(number)) => number,
            Err(Fault::Error(kind)) => {
                io.complain(&[kind.name().as_bytes()]);
                kind.code()
            }
        }
    }

    fn call(
        &mut self,
        command: &Command,
        word: &[u8],
        args: &[Vec<u8>],
        io: &mut Io<'_>,
    ) -> Result<(), Fault> {
        let (object, args) = match args.split_first() {
            Some((path, rest)) if command.takes_path => {
                let create = command.creates_path;
                let found = resolve(self.store.as_mut(), path, self.current, self.naming, create);
                let object = found.map_err(|kind| {
                    io.complain(&[word, b": ", kind.name().as_bytes()]);
                    Fault::Said(kind.code())
                })?;
                (object, rest)
            }
            _ => (self.current, args),
        };
        (command.run)(self, &Call { word, object, args }, io)
    }

    /// The directory that a path names.
    pub(super) fn resolve(&mut self, path: &[u8]) -> Outcome<u32> {
        resolve(self.store.as_mut(), path, self.current, self.naming, false)
    }

    /// Writes records as this session shows them.
    pub(super) fn renderer(&mut self) -> Renderer<'_> {
        Renderer { store: self.store.as_mut(), naming: self.naming, verbosity: self.verbosity }
    }
}
