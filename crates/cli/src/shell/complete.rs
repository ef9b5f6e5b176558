//! Completion: commands and options from their declarations, paths and names from the server.

use std::cell::RefCell;
use std::rc::Rc;

use clap::{Command, CommandFactory};
use netinfo_client::{Component, Domain, Path};
use rustyline::completion::{Completer, Pair};

use super::Line;
use super::words::{Last, escape, parse};
use crate::args::Text;
use crate::context::Context;

/// Most candidates offered: more cannot be read, and a directory may have millions.
const MAX_CANDIDATES: usize = 500;

/// Completes lines with the help of the open domain.
pub(super) struct Completion {
    context: Rc<RefCell<Context>>,
    command: Command,
}

impl Completion {
    /// Completion in the current directory of `context`.
    pub(super) fn new(context: Rc<RefCell<Context>>) -> Self {
        let mut command = Line::command();
        command.build();
        Self { context, command }
    }

    /// The words that may stand in place of the last one, and whether the line goes on behind them.
    fn candidates(&self, words: &[Vec<u8>], last: &str) -> Vec<(String, bool)> {
        let Some((command, depth)) = descend(&self.command, words) else { return Vec::new() };
        if last.starts_with('-') {
            return options(command, last);
        }
        if command.has_subcommands() {
            return subcommands(command, last);
        }
        let container = match words.first().map(Vec::as_slice) {
            Some(b"user") => Some("users"),
            Some(b"group") => Some("groups"),
            Some(b"host") => Some("machines"),
            _ => None,
        };
        let Ok(mut context) = self.context.try_borrow_mut() else { return Vec::new() };
        match container {
            // The names behind a group's own are those of users.
            Some("groups") if words.len() > depth => names(&mut context, &record_path("users"), last),
            Some(container) => names(&mut context, &record_path(container), last),
            None => paths(&mut context, last),
        }
    }
}

fn record_path(container: &str) -> Path {
    Path::root().child(Component::name(container))
}

/// The command that words lead to, and how many of them it took.
fn descend<'c>(root: &'c Command, words: &[Vec<u8>]) -> Option<(&'c Command, usize)> {
    let mut command = root;
    let mut depth = 0;
    for word in words {
        if !command.has_subcommands() {
            break;
        }
        command = command.find_subcommand(std::str::from_utf8(word).ok()?)?;
        depth += 1;
    }
    Some((command, depth))
}

fn subcommands(command: &Command, last: &str) -> Vec<(String, bool)> {
    let visible = command.get_subcommands().filter(|c| !c.is_hide_set());
    visible
        .map(|c| c.get_name())
        .filter(|name| name.starts_with(last))
        .map(|name| (name.to_owned(), false))
        .collect()
}

fn options(command: &Command, last: &str) -> Vec<(String, bool)> {
    let visible = command.get_arguments().filter(|a| !a.is_hide_set());
    let long = visible.filter_map(|a| a.get_long()).map(|long| format!("--{long}"));
    long.filter(|option| option.starts_with(last)).map(|option| (option, false)).collect()
}

/// Names of records in a directory.
fn names(context: &mut Context, container: &Path, last: &str) -> Vec<(String, bool)> {
    let Ok(domain) = context.domain() else { return Vec::new() };
    children(domain, container)
        .into_iter()
        .filter(|name| name.starts_with(last))
        .map(|name| (name, false))
        .collect()
}

/// Paths that begin with `last`.
fn paths(context: &mut Context, last: &str) -> Vec<(String, bool)> {
    let above = last_slash(last).map_or("", |at| &last[..=at]);
    let Ok(directory) = context.path(&Text(if above.is_empty() { b".".to_vec() } else { above.into() }))
    else {
        return Vec::new();
    };
    let Ok(domain) = context.domain() else { return Vec::new() };
    let name_of = |name: String| {
        let path = Path::root().child(Component::name(name)).to_bytes();
        String::from_utf8(path).ok().map(|path| format!("{above}{}", path.strip_prefix('/').unwrap_or(&path)))
    };
    let found = children(domain, &directory).into_iter().filter_map(name_of);
    found.filter(|path| path.starts_with(last)).map(|path| (path, true)).collect()
}

/// Position of the last slash that separates two components.
fn last_slash(text: &str) -> Option<usize> {
    let mut found = None;
    let mut bytes = text.bytes().enumerate();
    while let Some((i, byte)) = bytes.next() {
        match byte {
            b'\\' => drop(bytes.next()),
            b'/' => found = Some(i),
            _ => {}
        }
    }
    found
}

/// First names of the children of a directory, as far as they can be typed.
fn children(domain: &mut Domain, directory: &Path) -> Vec<String> {
    let mut names = Vec::new();
    let listed = domain.resolve(directory).and_then(|object| {
        domain.list_each(object, b"name", |entry| {
            let name = entry
                .names
                .and_then(|names| names.into_iter().next())
                .and_then(|n| String::from_utf8(n).ok());
            names.extend(name.filter(|name| !name.chars().any(char::is_control)));
            Ok(())
        })
    });
    if listed.is_ok() { names } else { Vec::new() }
}

impl Completer for Completion {
    type Candidate = Pair;

    fn complete(
        &self,
        line: &str,
        position: usize,
        _: &rustyline::Context<'_>,
    ) -> rustyline::Result<(usize, Vec<Pair>)> {
        let line = line.get(..position).unwrap_or(line);
        let (words, last) = parse(line.as_bytes());
        let (last, quote) = match last {
            Last::None => (Vec::new(), None),
            Last::Word(word) => (word, None),
            Last::Open(word, quote) => (word, Some(char::from(quote))),
        };
        let Ok(last) = String::from_utf8(last) else { return Ok((position, Vec::new())) };
        let written = |word: &str| match quote {
            Some(quote) => format!("{quote}{word}"),
            None => escape(word),
        };
        // What is replaced is the word as it stands on the line, which must be as we would write it.
        let typed = written(&last);
        let Some(start) = line.strip_suffix(typed.as_str()).map(str::len) else {
            return Ok((position, Vec::new()));
        };
        let candidates = self.candidates(&words, &last).into_iter().take(MAX_CANDIDATES);
        let pair = |(word, open): (String, bool)| {
            let end = match (open, quote) {
                (true, _) => String::new(),
                (false, Some(quote)) => format!("{quote} "),
                (false, None) => " ".to_owned(),
            };
            Pair { replacement: written(&word) + &end, display: word }
        };
        Ok((start, candidates.map(pair).collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::Options;

    fn complete(line: &str) -> (usize, Vec<String>) {
        // No server is needed for commands and options.
        let context = Context::new(Options { socket: Some("/nonexistent".into()), ..Options::default() });
        let completion = Completion::new(Rc::new(RefCell::new(context)));
        let history = rustyline::history::FileHistory::default();
        let (start, pairs) =
            completion.complete(line, line.len(), &rustyline::Context::new(&history)).unwrap();
        (start, pairs.into_iter().map(|pair| pair.replacement).collect())
    }

    #[test]
    fn commands_and_options() {
        assert_eq!(complete("mk"), (0, vec!["mkdir ".into()]));
        assert_eq!(complete("user sh"), (5, vec!["show ".into()]));
        assert_eq!(complete("rm --rec"), (3, vec!["--recursive ".into()]));
        assert_eq!(complete("nonsense x"), (9, vec![]));
        assert!(complete("").1.contains(&"cd ".to_owned()));
        assert_eq!(complete("ls /us"), (3, vec![]));
    }

    #[test]
    fn slashes_that_separate() {
        assert_eq!(last_slash("/users/al"), Some(6));
        assert_eq!(last_slash(r"/mounts/host:\/ex"), Some(7));
        assert_eq!(last_slash("al"), None);
    }
}
