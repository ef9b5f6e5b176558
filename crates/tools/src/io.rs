//! What a tool reads from and writes to, and where it finds servers. Programs get the real thing, tests their own.

use std::io::{self, BufRead, Write};

use zeroize::Zeroizing;

use crate::reach::Reach;

/// Asks for a password without showing it.
pub type Ask<'a> = dyn FnMut(&str) -> io::Result<Zeroizing<String>> + 'a;

/// The surroundings of a tool.
pub struct Io<'a> {
    /// Standard input.
    pub stdin: &'a mut dyn BufRead,
    /// Standard output.
    pub stdout: &'a mut dyn Write,
    /// Standard error.
    pub stderr: &'a mut dyn Write,
    /// Whether standard input is a terminal: then `nicl` edits lines and shows a prompt.
    pub terminal: bool,
    /// Asks for passwords.
    pub ask: &'a mut Ask<'a>,
    /// Where servers are.
    pub reach: Reach,
    /// Whether everything could be written so far.
    pub intact: bool,
}

impl Io<'_> {
    /// Writes to standard output. What cannot be written is lost, and remembered in [`Io::intact`].
    pub fn out(&mut self, text: impl AsRef<[u8]>) {
        self.intact &= self.stdout.write_all(text.as_ref()).is_ok();
    }

    /// Writes to standard error, after everything that was written to standard output.
    pub fn err(&mut self, text: impl AsRef<[u8]>) {
        self.intact &= self.stdout.flush().is_ok();
        // There is nobody left to tell.
        let _ = self.stderr.write_all(text.as_ref());
    }

    /// Writes the parts and a newline to standard error.
    pub fn complain(&mut self, parts: &[&[u8]]) {
        let mut line = parts.concat();
        line.push(b'\n');
        self.err(line);
    }

    /// Writes out what is buffered.
    pub fn flush(&mut self) {
        self.intact &= self.stdout.flush().is_ok();
        let _ = self.stderr.flush();
    }
}
