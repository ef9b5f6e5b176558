//! `schema`: what a domain adds to the schema.

use std::collections::HashSet;
use std::path::PathBuf;

use clap::{Args, Subcommand};
use netinfo_mapping::settings::Setting;
use netinfo_schema::definition::Definition;
use netinfo_schema::file::{SCHEMA_FILE_LIMIT, SchemaFile};
use serde_json::{Value, json};

use super::domain::request;
use super::settings::{configure, describe};
use crate::context::Context;
use crate::failure::{Exit, Failure, Result, When};
use crate::offline;
use crate::output::safe;

/// The commands about the schema.
#[derive(Debug, Subcommand)]
pub(crate) enum SchemaCommand {
    /// List what the domain adds to the schema
    #[command(visible_alias = "ls")]
    List {
        /// The whole schema, what every domain has too
        #[arg(long)]
        all: bool,
    },
    /// Add definitions
    Add {
        /// Definitions (RFC 4512 §4.1), each with its kind: "attributeTypes: ( … )" or "objectClasses: ( … )"
        #[arg(required = true, value_name = "DEFINITION")]
        definitions: Vec<String>,
    },
    /// Add what a file defines and the schema does not have yet
    Import(Import),
    /// Remove definitions that the domain has added
    #[command(visible_alias = "rm")]
    Remove {
        /// Object identifiers or names
        #[arg(required = true, value_name = "OID|NAME")]
        names: Vec<String>,
    },
}

/// Arguments of `schema import`.
#[derive(Debug, Args)]
pub(crate) struct Import {
    /// OpenLDAP's .schema files, LDIF of 389 Directory Server or of cn=schema,cn=config
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

/// Carries out a command about the schema.
pub(crate) fn run(context: &mut Context, command: SchemaCommand) -> Result<()> {
    let tag = context.tag()?;
    match command {
        SchemaCommand::List { all } => list(context, &tag, all).when(|| "list the schema"),
        SchemaCommand::Add { definitions } => {
            let definitions = definitions.iter().map(|text| read(text)).collect::<Result<Vec<_>>>()?;
            add(context, &tag, definitions).when(|| "add to the schema")
        }
        SchemaCommand::Import(args) => import(context, &tag, &args),
        SchemaCommand::Remove { names } => remove(context, &tag, &names).when(|| "remove from the schema"),
    }
}

/// What the domain has added.
fn own(context: &Context, tag: &str) -> Result<Vec<String>> {
    let description = describe(context, tag)?;
    let texts = description["settings"][Setting::Definitions.name()].as_array().cloned().unwrap_or_default();
    Ok(texts.iter().filter_map(|text| text.as_str().map(str::to_owned)).collect())
}

/// The whole schema, each definition behind its kind.
fn whole(context: &Context, tag: &str) -> Result<Vec<String>> {
    let schema = match &context.options.data {
        Some(data) => offline::settings::schema(data, tag)?,
        None => request(context, &json!({ "op": "schema", "tag": tag }), true)?,
    };
    let of = |kind: &'static str| {
        let texts = schema[kind].as_array().cloned().unwrap_or_default();
        texts.into_iter().map(move |text| format!("{kind}: {}", text.as_str().unwrap_or_default()))
    };
    Ok(of("attributeTypes").chain(of("objectClasses")).collect())
}

fn list(context: &mut Context, tag: &str, all: bool) -> Result<()> {
    let texts = if all { whole(context, tag)? } else { own(context, tag)? };
    context.out.either(
        || texts.iter().map(|text| safe(text.as_bytes()) + "\n").collect(),
        || Value::from(texts.clone()),
    )
}

fn import(context: &mut Context, tag: &str, args: &Import) -> Result<()> {
    let action = || format!("import {}", args.file.display());
    let length = std::fs::metadata(&args.file).when(action)?.len();
    if length > SCHEMA_FILE_LIMIT as u64 {
        return Err(Failure::new(format!("it is longer than {SCHEMA_FILE_LIMIT} bytes"))).when(action);
    }
    let file = SchemaFile::parse(&std::fs::read_to_string(&args.file).when(action)?);
    for problem in &file.problems {
        eprintln!("netinfo: {}: {problem}", args.file.display());
    }
    if file.definitions.is_empty() {
        return Err(Failure::new("there is no definition in it")).when(action);
    }
    let known: HashSet<String> =
        whole(context, tag).when(action)?.iter().filter_map(|text| oid(text).map(str::to_owned)).collect();
    let definitions = file.definitions.iter().filter(|definition| !known.contains(oid_of(definition)));
    let definitions: Vec<String> = definitions.map(text).collect();
    add(context, tag, definitions).when(action)
}

fn add(context: &mut Context, tag: &str, definitions: Vec<String>) -> Result<()> {
    let mut all = own(context, tag)?;
    let added = definitions.len();
    all.extend(definitions);
    if added > 0 {
        configure(context, tag, vec![(Setting::Definitions, all)])?;
    }
    context.out.either(|| format!("added {added} definitions\n"), || json!({ "added": added }))
}

fn remove(context: &mut Context, tag: &str, names: &[String]) -> Result<()> {
    let mut all = own(context, tag)?;
    let before = all.len();
    for name in names {
        let found = all.iter().position(|text| {
            let definition = read_definition(text);
            definition.is_ok_and(|definition| is_called(&definition, name))
        });
        let Some(found) = found else {
            let words = format!("the domain has added no definition \"{name}\"");
            return Err(Failure::new(words).with_exit(Exit::NotFound));
        };
        all.remove(found);
    }
    let removed = before - all.len();
    configure(context, tag, vec![(Setting::Definitions, all)])?;
    context.out.either(|| format!("removed {removed} definitions\n"), || json!({ "removed": removed }))
}

/// Checks a definition that was given, and returns it in the form in which it is stored.
fn read(given: &str) -> Result<String> {
    let definition = read_definition(given).map_err(Failure::usage)?;
    Ok(text(&definition))
}

fn read_definition(given: &str) -> Result<Definition, String> {
    let example =
        "a definition has its kind before it, such as \"attributeTypes: ( 1.2.3 NAME 'x' SYNTAX … )\"";
    let (kind, body) = given.split_once(':').ok_or_else(|| example.to_owned())?;
    let body = body.trim();
    match kind.trim().to_ascii_lowercase().as_str() {
        "attributetypes" => {
            body.parse().map(Definition::Attribute).map_err(|error| format!("{error}: {body}"))
        }
        "objectclasses" => body.parse().map(Definition::Class).map_err(|error| format!("{error}: {body}")),
        _ => Err(example.to_owned()),
    }
}

fn text(definition: &Definition) -> String {
    match definition {
        Definition::Attribute(attribute) => format!("attributeTypes: {attribute}"),
        Definition::Class(class) => format!("objectClasses: {class}"),
    }
}

fn oid_of(definition: &Definition) -> &str {
    match definition {
        Definition::Attribute(attribute) => &attribute.oid,
        Definition::Class(class) => &class.oid,
    }
}

fn is_called(definition: &Definition, name: &str) -> bool {
    let names = match definition {
        Definition::Attribute(attribute) => &attribute.names,
        Definition::Class(class) => &class.names,
    };
    oid_of(definition) == name || names.iter().any(|other| other.eq_ignore_ascii_case(name))
}

/// The object identifier in the text of a definition.
fn oid(text: &str) -> Option<&str> {
    text.split_once('(')?.1.split_whitespace().next()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHOE: &str =
        "attributeTypes: ( 1.3.6.1.4.1.99999.1 NAME 'shoeSize' SYNTAX 1.3.6.1.4.1.1466.115.121.1.27 )";

    #[test]
    fn definitions_are_given_with_their_kind() {
        assert_eq!(read(SHOE).unwrap(), SHOE);
        assert_eq!(oid(SHOE), Some("1.3.6.1.4.1.99999.1"));
        let definition = read_definition(SHOE).unwrap();
        assert!(is_called(&definition, "SHOESIZE") && is_called(&definition, "1.3.6.1.4.1.99999.1"));
        for bad in ["( 1.2.3 NAME 'x' )", "syntaxes: ( 1.2.3 )", "attributeTypes: nonsense"] {
            assert_eq!(read(bad).unwrap_err().exit(), Exit::Usage, "{bad}");
        }
    }
}
