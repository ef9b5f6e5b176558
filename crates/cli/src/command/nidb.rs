//! `nidb`: database folders of historical servers, without any server.

use std::error::Error as _;
use std::fmt::Write as _;
use std::io;
use std::path::PathBuf;

use clap::{Args, Subcommand};
use netinfo_client::{Component, Path, Property};
use netinfo_formats::nidb::{
    self, Check, Database, Directory, Finding, Layout, Repair, StoreError, StoreErrorKind,
};
use serde_json::{Value, json};

use crate::args::Text;
use crate::context::Context;
use crate::failure::{Exit, Failure, Result, When};
use crate::output::{json_bytes, json_properties, safe, text_properties};

/// Commands on a database folder.
#[derive(Debug, Subcommand)]
#[command(after_help = "\
DIR is a folder such as local.nidb, of Mac OS X 10.0 to 10.5 or of NEXTSTEP, OPENSTEP and Rhapsody. No server may work \
on it meanwhile. Only set, unset and repair change anything; work on a copy where you can. \"netinfo import nidb\" brings \
a folder into a server.")]
pub(crate) enum NidbCommand {
    /// Show what a folder is, or the properties of a directory in it
    Show(At),
    /// Show all directories of a folder as a tree
    Tree(At),
    /// Set a property of a directory to some values
    Set(Set),
    /// Remove a property of a directory
    Unset(Unset),
    /// Look for damage; changes nothing
    Check(Folder),
    /// Repair damage; the old folder is kept beside the repaired one
    Repair(Folder),
}

/// A folder.
#[derive(Debug, Args)]
pub(crate) struct Folder {
    /// Database folder
    dir: PathBuf,
}

/// A folder and a directory in it.
#[derive(Debug, Args)]
pub(crate) struct At {
    /// Database folder
    dir: PathBuf,
    /// Directory in it, such as /users/root, /users/uid=0 or #5
    path: Option<Text>,
}

/// Arguments of `nidb set`.
#[derive(Debug, Args)]
pub(crate) struct Set {
    /// Database folder
    dir: PathBuf,
    /// Directory in it, such as /users/root, /users/uid=0 or #5
    path: Text,
    /// Property
    key: Text,
    /// Its new values; none makes a property without values
    #[arg(value_name = "VALUE", allow_hyphen_values = true)]
    values: Vec<Text>,
}

/// Arguments of `nidb unset`.
#[derive(Debug, Args)]
pub(crate) struct Unset {
    /// Database folder
    dir: PathBuf,
    /// Directory in it, such as /users/root, /users/uid=0 or #5
    path: Text,
    /// Property to remove
    key: Text,
}

/// Carries out a command.
pub(crate) fn run(context: &mut Context, command: NidbCommand) -> Result<Exit> {
    let action = |word: &str, dir: &PathBuf| format!("{word} {}", safe_path(dir));
    match command {
        NidbCommand::Show(args) => show(context, &args).when(|| action("show", &args.dir))?,
        NidbCommand::Tree(args) => tree(context, &args).when(|| action("show", &args.dir))?,
        NidbCommand::Set(args) => {
            let values: Vec<Vec<u8>> = args.values.into_iter().map(|value| value.0).collect();
            change(context, &args.dir, &args.path, &args.key, Some(&values))
                .when(|| action("change", &args.dir))?;
        }
        NidbCommand::Unset(args) => {
            change(context, &args.dir, &args.path, &args.key, None).when(|| action("change", &args.dir))?;
        }
        NidbCommand::Check(args) => return check(context, &args).when(|| action("check", &args.dir)),
        NidbCommand::Repair(args) => return repair(context, &args).when(|| action("repair", &args.dir)),
    }
    Ok(Exit::Ok)
}

fn safe_path(path: &std::path::Path) -> String {
    safe(path.as_os_str().as_encoded_bytes())
}

/// An error of a folder for people.
fn failed(error: StoreError) -> Failure {
    let source = error.source().and_then(|source| source.downcast_ref::<io::Error>()).map(io::Error::kind);
    let failure = Failure::new(safe(error.to_string().as_bytes()));
    match (error.kind(), source) {
        (_, Some(io::ErrorKind::PermissionDenied)) => failure.with_exit(Exit::Denied),
        (_, Some(io::ErrorKind::NotFound)) => failure.with_exit(Exit::NotFound),
        (StoreErrorKind::InvalidPath | StoreErrorKind::InvalidKey, _) => failure.with_exit(Exit::NotFound),
        (StoreErrorKind::InvalidDatastore, _) => {
            failure.with_hint("DIR is the folder that holds Config and Store files, or Collection")
        }
        (StoreErrorKind::DuplicateRecord | StoreErrorKind::NoRootRecord, _) => failure
            .with_hint("\"netinfo nidb check\" tells what is wrong, \"netinfo nidb repair\" repairs it"),
        _ => failure,
    }
}

/// The directory that a path names.
fn resolve<'d>(database: &'d Database, text: &Text) -> Result<&'d Directory> {
    let path = Path::parse(&text.0).map_err(|error| Failure::usage(safe(error.to_string().as_bytes())))?;
    let missing = || Failure::new(format!("no directory {path}")).with_exit(Exit::NotFound);
    let step = |at: &'d Directory, component: &Component| match component {
        Component::Object(object) => database.directories.get(object),
        Component::Match { key, value } => {
            let fits = |directory: &&Directory| {
                directory.properties.iter().any(|(name, values)| name == key && values.contains(value))
            };
            at.children.iter().filter_map(|child| database.directories.get(child)).find(fits)
        }
    };
    let root = database.directories.get(&0).ok_or_else(missing)?;
    path.components().iter().try_fold(root, step).ok_or_else(missing)
}

fn read(dir: &std::path::Path) -> Result<Database> {
    Database::read(dir).map_err(failed)
}

fn layout_text(layout: Layout) -> &'static str {
    match layout {
        Layout::Modern => "Mac OS X 10.0 to 10.5 (Store files)",
        Layout::Collection512 => "NEXTSTEP, OPENSTEP, Rhapsody (Collection)",
        Layout::Collection256 => "early NEXTSTEP (collection)",
    }
}

fn layout_name(layout: Layout) -> &'static str {
    match layout {
        Layout::Modern => "modern",
        Layout::Collection512 => "collection-512",
        Layout::Collection256 => "collection-256",
    }
}

fn show(context: &mut Context, args: &At) -> Result<()> {
    let database = read(&args.dir)?;
    let Some(path) = &args.path else {
        let (layout, count) = (database.layout, database.directories.len());
        let (checksum, highest, odd) = (database.checksum(), database.highest_id(), database.findings.len());
        return context.out.either(
            || {
                let mut text = format!("layout: {}\ndirectories: {count}\n", layout_text(layout));
                let _ = writeln!(text, "highest id: {highest}\nchecksum: {checksum}");
                if odd > 0 {
                    let _ = writeln!(text, "oddities: {odd}; see them with: netinfo nidb check");
                }
                text
            },
            || {
                json!({
                    "layout": layout_name(layout), "directories": count, "highest_id": highest,
                    "checksum": checksum, "findings": odd,
                })
            },
        );
    };
    let directory = resolve(&database, path)?;
    let properties: Vec<Property> = directory
        .properties
        .iter()
        .map(|(name, values)| Property { name: name.clone(), values: values.clone() })
        .collect();
    context.out.either(
        || text_properties(&properties),
        || {
            json!({
                "id": directory.id, "instance": directory.instance, "version": directory.version,
                "parent": directory.parent, "children": directory.children,
                "properties": json_properties(&properties),
            })
        },
    )
}

/// The first name of a directory.
fn name(directory: &Directory) -> Option<&[u8]> {
    let (_, values) = directory.properties.iter().find(|(name, _)| name == b"name")?;
    values.first().map(Vec::as_slice)
}

fn tree(context: &mut Context, args: &At) -> Result<()> {
    let database = read(&args.dir)?;
    let top = match &args.path {
        Some(path) => resolve(&database, path)?.id,
        None => 0,
    };
    let rows = rows(&database, top);
    if context.out.json {
        let value = |(depth, directory): &(usize, &Directory)| {
            json!({
                "id": directory.id, "parent": directory.parent, "depth": depth,
                "name": name(directory).map(json_bytes),
            })
        };
        return context.out.value(&rows.iter().map(value).collect::<Value>());
    }
    for (depth, directory) in rows {
        let label = match name(directory) {
            Some(name) => safe(name),
            None if directory.id == 0 => "/".to_owned(),
            None => "(no name)".to_owned(),
        };
        context.out.line(format!("{:width$}{label}  #{}", "", directory.id, width = 2 * depth))?;
    }
    Ok(())
}

/// A directory and everything below it with its depth, each once.
fn rows(database: &Database, top: u32) -> Vec<(usize, &Directory)> {
    let mut rows = Vec::new();
    let mut seen = std::collections::HashSet::new();
    let mut stack = vec![(0, top)];
    while let Some((depth, id)) = stack.pop() {
        let Some(directory) = database.directories.get(&id) else { continue };
        if seen.insert(id) {
            rows.push((depth, directory));
            stack.extend(directory.children.iter().rev().map(|child| (depth + 1, *child)));
        }
    }
    rows
}

fn change(
    context: &mut Context,
    dir: &std::path::Path,
    path: &Text,
    key: &Text,
    values: Option<&[Vec<u8>]>,
) -> Result<()> {
    let id = resolve(&read(dir)?, path)?.id;
    let changed = nidb::set_property(dir, id, &key.0, values).map_err(failed)?;
    if !changed {
        let reason = format!("{} has no property {}", safe(&path.0), safe(&key.0));
        return Err(Failure::new(reason).with_exit(Exit::NotFound));
    }
    if context.out.json {
        context.out.value(&json!({ "id": id }))?;
    }
    Ok(())
}

fn finding_text(finding: &Finding) -> String {
    safe(finding.to_string().as_bytes())
}

fn json_finding(finding: &Finding) -> Value {
    json!({
        "kind": finding.kind.name(), "harmless": finding.kind.is_harmless(),
        "file": finding.file, "id": finding.id, "text": finding.detail,
    })
}

fn json_check(check: &Check) -> Value {
    json!({
        "layout": layout_name(check.layout), "directories": check.directories, "sound": check.is_sound(),
        "findings": check.findings.iter().map(json_finding).collect::<Value>(),
    })
}

fn check(context: &mut Context, args: &Folder) -> Result<Exit> {
    let check = nidb::check(&args.dir).map_err(failed)?;
    context.out.either(|| check_text(&safe_path(&args.dir), &check), || json_check(&check))?;
    Ok(if check.is_sound() { Exit::Ok } else { Exit::Failed })
}

fn check_text(dir: &str, check: &Check) -> String {
    let mut text: String = check.findings.iter().map(|finding| finding_text(finding) + "\n").collect();
    let faults = check.findings.iter().filter(|finding| !finding.kind.is_harmless()).count();
    let count = check.directories;
    let _ = match faults {
        0 => writeln!(text, "{dir}: {count} directories, sound"),
        1 => writeln!(text, "{dir}: {count} directories, 1 fault; repair it with: netinfo nidb repair"),
        _ => writeln!(
            text,
            "{dir}: {count} directories, {faults} faults; repair them with: netinfo nidb repair"
        ),
    };
    text
}

fn repair(context: &mut Context, args: &Folder) -> Result<Exit> {
    let repair = nidb::repair(&args.dir).map_err(failed)?;
    let sound = repair.after.is_sound();
    context.out.either(
        || repair_text(&safe_path(&args.dir), &repair),
        || {
            json!({
                "before": json_check(&repair.before), "changes": repair.changes,
                "kept": repair.kept.as_ref().map(|kept| safe_path(kept)), "after": json_check(&repair.after),
            })
        },
    )?;
    Ok(if sound { Exit::Ok } else { Exit::Failed })
}

fn repair_text(dir: &str, repair: &Repair) -> String {
    let mut text: String = repair.changes.iter().map(|change| safe(change.as_bytes()) + "\n").collect();
    if let Some(kept) = &repair.kept {
        let _ = writeln!(text, "the folder as it was is kept as {}", safe_path(kept));
    }
    text + &check_text(dir, &repair.after)
}
