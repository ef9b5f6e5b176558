//! `ls`, `cat`, `tree`.

use clap::Args;
use netinfo_client::limits::MAX_DEPTH;
use netinfo_client::{Component, Domain, Entry, Path};
use serde_json::{Value, json};

use crate::args::Text;
use crate::context::Context;
use crate::failure::{Failure, Result, When};
use crate::output::{Output, json_properties, json_values, safe, text_properties};

/// Arguments of `ls`.
#[derive(Debug, Args)]
pub(crate) struct Ls {
    /// Directory to list
    #[arg(default_value = ".")]
    path: Text,
    /// Show object ids and all names
    #[arg(short, long)]
    long: bool,
}

/// Arguments of `cat`.
#[derive(Debug, Args)]
pub(crate) struct Cat {
    /// Directory to show, such as /users/alice, /users/uid=1000 or #57
    pub(crate) path: Text,
}

/// Arguments of `tree`.
#[derive(Debug, Args)]
pub(crate) struct Tree {
    /// Directory to begin with
    #[arg(default_value = ".")]
    path: Text,
    /// Deepest level to show
    #[arg(short = 'L', long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=MAX_DEPTH as i64))]
    depth: Option<u16>,
}

/// A child as a step of a path: by its first name, or by its object id if it has none.
pub(crate) fn step(entry: &Entry) -> Component {
    match entry.names.as_ref().and_then(|names| names.first()) {
        Some(name) => Component::name(name.clone()),
        None => Component::Object(entry.id),
    }
}

/// A child in a list.
fn label(entry: &Entry) -> String {
    match step(entry) {
        Component::Object(object) => format!("#{object}"),
        component => relative(component),
    }
}

/// A step as text, with the escapes a path needs.
fn relative(component: Component) -> String {
    let path = Path::root().child(component).to_bytes();
    safe(path.strip_prefix(b"/").unwrap_or(&path))
}

fn long_label(entry: &Entry) -> String {
    let names = entry.names.as_deref().unwrap_or_default();
    let names =
        names.iter().map(|name| relative(Component::name(name.clone()))).collect::<Vec<_>>().join(" ");
    format!("{:>8}  {names}", format!("#{}", entry.id)).trim_end().to_owned()
}

fn json_entry(entry: &Entry) -> Value {
    json!({ "id": entry.id, "name": entry.names.as_ref().map(|names| json_values(names)) })
}

/// Lists the children of a directory.
pub(crate) fn ls(context: &mut Context, args: &Ls) -> Result<()> {
    let (object, path) = context.resolve(&args.path)?;
    let mut entries = Vec::new();
    let collect = |entry| {
        entries.push(entry);
        Ok(())
    };
    context.domain()?.list_each(object, b"name", collect).when(|| format!("list {path}"))?;
    let text = if args.long { long_label } else { label };
    context.out.either(
        || entries.iter().map(|entry| text(entry) + "\n").collect(),
        || entries.iter().map(json_entry).collect(),
    )
}

/// Shows the properties of a directory.
pub(crate) fn cat(context: &mut Context, args: &Cat) -> Result<()> {
    let (object, path) = context.resolve(&args.path)?;
    show(context, object, &path)
}

/// Prints a directory.
pub(crate) fn show(context: &mut Context, object: u32, path: &Path) -> Result<()> {
    let (id, properties) = context.domain()?.read(object).when(|| format!("read {path}"))?;
    context.out.either(
        || text_properties(&properties),
        || {
            json!({
                "path": path.to_string(),
                "id": id.object,
                "instance": id.instance,
                "properties": json_properties(&properties),
            })
        },
    )
}

/// A directory with what is below it.
struct Node {
    entry: Entry,
    children: Vec<Self>,
}

/// Shows a directory and what is below it.
pub(crate) fn tree(context: &mut Context, args: &Tree) -> Result<()> {
    let (object, path) = context.resolve(&args.path)?;
    let depth = args.depth.map_or(MAX_DEPTH, usize::from);
    let limited = args.depth.is_some();
    let nodes = grow(context.domain()?, object, depth, limited).when(|| format!("list {path}"))?;
    if context.out.json {
        return context
            .out
            .value(&json!({ "path": path.to_string(), "id": object, "children": json_nodes(&nodes) }));
    }
    context.out.line(path.to_string())?;
    draw(&mut context.out, &nodes, "")
}

/// The children of a directory with everything below them. What is deeper than `depth` levels is left out if the
/// user wants it so, and an error otherwise.
fn grow(domain: &mut Domain, object: u32, depth: usize, limited: bool) -> Result<Vec<Node>> {
    let (entries, _) = domain.list(object, b"name")?;
    let mut nodes: Vec<Node> =
        entries.into_iter().map(|entry| Node { entry, children: Vec::new() }).collect();
    if depth <= 1 && limited {
        return Ok(nodes);
    }
    if depth == 0 {
        return Err(netinfo_client::Error::TooDeep.into());
    }
    for index in with_children(domain, &nodes.iter().map(|node| node.entry.id).collect::<Vec<_>>())? {
        if let Some(node) = nodes.get_mut(index) {
            node.children = grow(domain, node.entry.id, depth - 1, limited)?;
        }
    }
    Ok(nodes)
}

/// Which of these directories have children, by index. One that has gone meanwhile has none.
pub(crate) fn with_children(domain: &mut Domain, objects: &[u32]) -> Result<Vec<usize>> {
    let mut found = Vec::new();
    domain.children_many(objects, |index, children| {
        match children {
            Ok((children, _)) if children.is_empty() => {}
            Ok(_) => found.push(index),
            Err(error) if error.is(netinfo_client::Status::NoDir) => {}
            Err(error) => return Err(error),
        }
        Ok(())
    })?;
    Ok(found)
}

fn draw(out: &mut Output, nodes: &[Node], indent: &str) -> Result<(), Failure> {
    for (i, node) in nodes.iter().enumerate() {
        let last = i + 1 == nodes.len();
        out.line(format!("{indent}{}{}", if last { "└── " } else { "├── " }, label(&node.entry)))?;
        draw(out, &node.children, &format!("{indent}{}", if last { "    " } else { "│   " }))?;
    }
    Ok(())
}

fn json_nodes(nodes: &[Node]) -> Value {
    let value = |node: &Node| {
        let mut value = json_entry(&node.entry);
        if !node.children.is_empty() {
            value["children"] = json_nodes(&node.children);
        }
        value
    };
    nodes.iter().map(value).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(id: u32, names: &[&str]) -> Entry {
        let names = (!names.is_empty()).then(|| names.iter().map(|n| n.as_bytes().to_vec()).collect());
        Entry { id, names }
    }

    #[test]
    fn labels_can_be_used_as_paths() {
        assert_eq!(label(&entry(5, &["alice", "al"])), "alice");
        assert_eq!(label(&entry(5, &[])), "#5");
        assert_eq!(label(&entry(5, &["host:/export"])), r"host:\/export");
        assert_eq!(label(&entry(5, &["#5"])), r"\#5");
        assert_eq!(label(&entry(5, &["a\x1b"])), r"a\u{1b}");
        assert_eq!(long_label(&entry(57, &["alice", "al"])), "     #57  alice al");
        assert_eq!(long_label(&entry(57, &[])), "     #57");
        assert_eq!(json_entry(&entry(5, &["a"])), json!({ "id": 5, "name": ["a"] }));
        assert_eq!(json_entry(&entry(5, &[])), json!({ "id": 5, "name": null }));
    }
}
