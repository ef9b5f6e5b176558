//! Lines from a terminal or a script.

use std::io::BufRead;

use rustyline::DefaultEditor;
use rustyline::error::ReadlineError;

use super::session::Session;
use super::tokens::split;
use super::x500::path_of;
use crate::io::Io;

/// Longest line of a script in bytes; the rest of a longer one is left out.
pub(super) const MAX_LINE: u64 = 1 << 20;

/// How lines are asked for.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Manner {
    /// No prompt.
    pub(super) quiet: bool,
    /// No bold prompt.
    pub(super) plain: bool,
}

/// Carries out lines from standard input until they end or one of them says so.
pub(super) fn run(session: &mut Session, manner: Manner, io: &mut Io<'_>) {
    session.interactive = true;
    if !io.terminal {
        // Commands may ask back, so that the lines are taken one at a time.
        while let Some(line) = line(io.stdin) {
            if !carry_out(session, &line, io) {
                return;
            }
        }
        return;
    }
    let Ok(mut editor) = DefaultEditor::new() else { return };
    loop {
        io.flush();
        match editor.readline(&prompt(session, manner)) {
            Ok(line) => {
                // A history that cannot be kept is none.
                let _ = editor.add_history_entry(&line);
                if !carry_out(session, line.as_bytes(), io) {
                    break;
                }
            }
            Err(ReadlineError::Interrupted) => {}
            Err(_) => break,
        }
    }
    if !manner.quiet {
        io.out("Goodbye\n");
    }
}

/// Carries out the lines of a file.
pub(super) fn run_lines(session: &mut Session, lines: &mut dyn BufRead, io: &mut Io<'_>) {
    while let Some(line) = line(lines) {
        if !carry_out(session, &line, io) {
            return;
        }
    }
}

/// The next line without its end.
fn line(input: &mut dyn BufRead) -> Option<Vec<u8>> {
    let mut line = Vec::new();
    let mut limited = std::io::Read::take(&mut *input, MAX_LINE);
    let read = limited.read_until(b'\n', &mut line).ok()?;
    if read == 0 {
        return None;
    }
    if line.pop_if(|byte| *byte == b'\n').is_none() && read as u64 == MAX_LINE {
        let mut rest = Vec::new();
        let _ = input.read_until(b'\n', &mut rest);
    }
    Some(line)
}

/// Carries out a line; `false` if it ends the session.
fn carry_out(session: &mut Session, line: &[u8], io: &mut Io<'_>) -> bool {
    if matches!(line.trim_ascii(), b"quit" | b"exit" | b"q") {
        return false;
    }
    let words = split(line);
    if !words.is_empty() {
        session.run(&words, io);
    }
    true
}

fn prompt(session: &mut Session, manner: Manner) -> String {
    if manner.quiet {
        return String::new();
    }
    let path = path_of(session.store.as_mut(), session.current, session.naming);
    // What a name holds must not steer the terminal.
    let path: String = String::from_utf8_lossy(&path).chars().filter(|c| !c.is_control()).collect();
    let bold = !manner.plain && std::env::var_os("TERM").is_some_and(|term| term == "vt100");
    if bold { format!("\x1b[1m{path}\x1b[0m > ") } else { format!("{path} > ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lines_are_cut() {
        let long = vec![b'x'; MAX_LINE as usize + 5];
        let text = [&b"short\n"[..], &long, b"\nlast"].concat();
        let mut input = text.as_slice();
        assert_eq!(line(&mut input).unwrap(), b"short");
        assert_eq!(line(&mut input).unwrap().len() as u64, MAX_LINE);
        assert_eq!(line(&mut input).unwrap(), b"last");
        assert_eq!(line(&mut input), None);
    }
}
