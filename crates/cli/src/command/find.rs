//! `find`: directories with a property, anywhere below a directory.

use clap::Args;
use netinfo_client::limits::MAX_DEPTH;
use netinfo_client::{Component, Domain, Entry, Path, Status};
use serde_json::json;

use super::list::{step, with_children};
use crate::args::Text;
use crate::context::Context;
use crate::failure::{Exit, Failure, Result, When};
use crate::glob;

/// Arguments of `find`.
///
/// Where to begin comes first and may be left out, which a list of arguments cannot say: usage and help are written by
/// hand.
#[derive(Debug, Args)]
#[command(override_usage = "netinfo find [OPTIONS] [PATH] KEY=VALUE\n       netinfo find [OPTIONS] [PATH] KEY~GLOB", after_help = WHAT)]
pub(crate) struct Find {
    /// PATH and what to find
    #[arg(required = true, num_args = 1..=2, hide = true)]
    what: Vec<Text>,
    /// Deepest level to search; 1 means the directory's own children
    #[arg(short = 'L', long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=MAX_DEPTH as i64))]
    depth: Option<u16>,
}

const WHAT: &str = "\
Searches below PATH, or the current directory. KEY=VALUE finds directories whose property KEY has
exactly this value; KEY~GLOB those with a value that matches the pattern: * any text, ? one
character, [a-z] one of a set. Prints their paths; the exit code is 3 if there is none.";

/// What to look for.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Wanted {
    Value { key: Vec<u8>, value: Vec<u8> },
    Pattern { key: Vec<u8>, pattern: Vec<u8> },
}

impl Wanted {
    fn parse(text: &[u8]) -> Result<Self> {
        let at = text.iter().position(|b| matches!(b, b'=' | b'~'));
        let Some(at) = at.filter(|at| *at > 0) else {
            return Err(Failure::usage("say what to find: KEY=VALUE, or KEY~GLOB"));
        };
        let (key, rest) = (text[..at].to_vec(), text[at + 1..].to_vec());
        Ok(match text[at] {
            b'=' => Self::Value { key, value: rest },
            _ => Self::Pattern { key, pattern: rest },
        })
    }
}

/// The search under way.
struct Search<'d> {
    domain: &'d mut Domain,
    wanted: Wanted,
    found: Vec<(u32, Path)>,
}

/// Finds directories.
pub(crate) fn find(context: &mut Context, args: &Find) -> Result<Exit> {
    let here = Text(b".".to_vec());
    let (start, wanted) = match args.what.as_slice() {
        [wanted] => (&here, wanted),
        [start, wanted] => (start, wanted),
        _ => return Err(Failure::usage("say what to find: KEY=VALUE, or KEY~GLOB")),
    };
    let wanted = Wanted::parse(&wanted.0)?;
    let (object, path) = context.resolve(start)?;
    let mut search = Search { domain: context.domain()?, wanted, found: Vec::new() };
    let depth = args.depth.map_or(MAX_DEPTH, usize::from);
    search.below(object, &path, depth).when(|| format!("search {path}"))?;
    let found = search.found;
    let exit = if found.is_empty() { Exit::NotFound } else { Exit::Ok };
    context.out.either(
        || found.iter().map(|(_, path)| format!("{path}\n")).collect(),
        || found.iter().map(|(id, path)| json!({ "path": path.to_string(), "id": id })).collect(),
    )?;
    Ok(exit)
}

impl Search<'_> {
    /// Searches the children of `object`, and what is below them down to `depth` levels.
    fn below(&mut self, object: u32, path: &Path, depth: usize) -> Result<()> {
        let (entries, _) = self.domain.list(object, b"name")?;
        if entries.is_empty() {
            return Ok(());
        }
        let child = |entry: &Entry| match step(entry) {
            Component::Object(object) => Path::object(object),
            step => path.child(step),
        };
        for hit in self.hits(object)? {
            let name = entries.iter().find(|entry| entry.id == hit);
            self.found.push((hit, name.map_or_else(|| Path::object(hit), child)));
        }
        if depth <= 1 {
            return Ok(());
        }
        let objects: Vec<u32> = entries.iter().map(|entry| entry.id).collect();
        for index in with_children(self.domain, &objects)? {
            if let Some(entry) = entries.get(index) {
                self.below(entry.id, &child(entry), depth - 1)?;
            }
        }
        Ok(())
    }

    /// The children of `object` that are wanted, in order.
    fn hits(&mut self, object: u32) -> Result<Vec<u32>> {
        match &self.wanted {
            Wanted::Value { key, value } => match self.domain.lookup(object, key, value) {
                Ok((hits, _)) => Ok(hits),
                Err(error) if error.is(Status::NoDir) => Ok(Vec::new()),
                Err(error) => Err(error.into()),
            },
            Wanted::Pattern { key, pattern } => {
                let mut hits = Vec::new();
                self.domain.list_each(object, key, |entry| {
                    if entry.names.iter().flatten().any(|value| glob::matches(pattern, value)) {
                        hits.push(entry.id);
                    }
                    Ok(())
                })?;
                Ok(hits)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_to_find() {
        let value = |key: &str, value: &str| Wanted::Value { key: key.into(), value: value.into() };
        let pattern = |key: &str, pattern: &str| Wanted::Pattern { key: key.into(), pattern: pattern.into() };
        assert_eq!(Wanted::parse(b"uid=501").unwrap(), value("uid", "501"));
        assert_eq!(Wanted::parse(b"opts=a~b").unwrap(), value("opts", "a~b"));
        assert_eq!(Wanted::parse(b"name~a*=b").unwrap(), pattern("name", "a*=b"));
        assert_eq!(Wanted::parse(b"shell=").unwrap(), value("shell", ""));
        for bad in [&b"alice"[..], b"=x", b"~x", b""] {
            assert_eq!(Wanted::parse(bad).unwrap_err().exit(), Exit::Usage);
        }
    }
}
