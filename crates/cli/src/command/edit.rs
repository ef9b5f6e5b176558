//! `mkdir`, `rm`, `set`, `add`, `unset`.

use clap::Args;
use netinfo_client::{Property, Status, tree};
use serde_json::json;

use crate::args::Text;
use crate::context::Context;
use crate::failure::{Exit, Failure, Result, When};
use crate::output::safe;

/// Arguments of `mkdir`.
#[derive(Debug, Args)]
pub(crate) struct Mkdir {
    /// Directory to make; its last part is its name, or KEY=VALUE for another property
    path: Text,
    /// Properties: KEY=VALUE; a KEY given again gets one more value, a KEY alone has no value
    #[arg(value_name = "KEY=VALUE")]
    properties: Vec<Text>,
    /// Make missing directories on the way, and accept that the directory exists
    #[arg(short, long)]
    parents: bool,
}

/// Arguments of `rm`.
#[derive(Debug, Args)]
pub(crate) struct Rm {
    /// Directory to remove
    path: Text,
    /// Remove everything below it too
    #[arg(short, long)]
    recursive: bool,
}

/// Arguments of `set`.
#[derive(Debug, Args)]
pub(crate) struct Set {
    /// Directory to change
    pub(crate) path: Text,
    /// Property
    pub(crate) key: Text,
    /// Its new values; none makes a property without values
    #[arg(value_name = "VALUE", allow_hyphen_values = true)]
    pub(crate) values: Vec<Text>,
}

/// Arguments of `add`.
#[derive(Debug, Args)]
pub(crate) struct Add {
    /// Directory to change
    pub(crate) path: Text,
    /// Property; made if it is missing
    pub(crate) key: Text,
    /// Values to add at the end
    #[arg(value_name = "VALUE", required = true, allow_hyphen_values = true)]
    values: Vec<Text>,
    /// Leave out values that are there already
    #[arg(short, long)]
    merge: bool,
}

/// Arguments of `unset`.
#[derive(Debug, Args)]
pub(crate) struct Unset {
    /// Directory to change
    path: Text,
    /// Property to remove
    key: Text,
    /// Remove only these values; the property stays even if none is left
    #[arg(value_name = "VALUE", allow_hyphen_values = true)]
    values: Vec<Text>,
}

/// Properties from `KEY=VALUE` arguments, in the order of the keys.
fn properties(pairs: &[Text]) -> Result<Vec<Property>> {
    let mut properties: Vec<Property> = Vec::new();
    for pair in pairs {
        let at = pair.0.iter().position(|b| *b == b'=');
        let (key, value) = match at {
            Some(0) => return Err(Failure::usage(format!("\"{}\" lacks a KEY", safe(&pair.0)))),
            Some(at) => (&pair.0[..at], Some(&pair.0[at + 1..])),
            None => (pair.0.as_slice(), None),
        };
        let index = properties.iter().position(|p| p.name == key).unwrap_or_else(|| {
            properties.push(Property::new(key, [""; 0]));
            properties.len() - 1
        });
        properties[index].values.extend(value.map(<[u8]>::to_vec));
    }
    Ok(properties)
}

/// Makes a directory.
pub(crate) fn mkdir(context: &mut Context, args: &Mkdir) -> Result<()> {
    let path = context.path(&args.path)?;
    let extra = properties(&args.properties)?;
    let Some((above, last)) = path.split_last() else {
        return Err(Failure::new("the root directory is always there"));
    };
    let mut own = tree::new_properties(last).map_err(|e| Failure::usage(e.to_string()))?;
    for property in &extra {
        match own.iter_mut().find(|p| p.name == property.name) {
            Some(named) => named.values.extend(property.values.iter().cloned()),
            None => own.push(property.clone()),
        }
    }
    let action = || format!("make {path}");
    let domain = context.domain()?;
    let exists = match domain.resolve(&path) {
        Ok(object) => Some(object),
        Err(error) if error.is(Status::NoDir) => None,
        Err(error) => return Err(error).when(action),
    };
    let object = match (exists, args.parents) {
        (Some(object), true) => {
            for property in &extra {
                domain.set_property(object, &property.name, &property.values).when(action)?;
            }
            object
        }
        (Some(_), false) => return Err(Failure::new("it exists already").when(action())),
        (None, parents) => {
            let parent = if parents {
                domain.create_path(&above).map(|made| made.object)
            } else {
                domain.resolve(&above)
            };
            let parent = parent.map_err(Failure::from);
            let parent = parent.map_err(|failure| match (failure.exit(), parents) {
                (Exit::NotFound, false) => failure.with_hint("make the directories above it too: mkdir -p"),
                _ => failure,
            });
            domain.create_child(parent.when(action)?, &own).when(action)?.id.object
        }
    };
    context.out.either(String::new, || json!({ "path": path.to_string(), "id": object }))
}

/// Removes a directory.
pub(crate) fn rm(context: &mut Context, args: &Rm) -> Result<()> {
    let (object, path) = context.resolve(&args.path)?;
    if object == netinfo_client::domain::ROOT {
        return Err(Failure::new("the root directory cannot be removed"));
    }
    let action = || format!("remove {path}");
    let domain = context.domain()?;
    if args.recursive {
        domain.destroy_tree(object, |_| {}).when(action)?;
        return Ok(());
    }
    let (parent, _) = domain.parent(object).when(action)?;
    match domain.destroy_child(parent, object) {
        Err(error) if error.is(Status::NotEmpty) => Err(Failure::new("there are directories below it")
            .with_hint("remove them too: rm -r")
            .when(action())),
        done => done.map(drop).when(action),
    }
}

/// Sets a property.
pub(crate) fn set(context: &mut Context, args: &Set) -> Result<()> {
    let (object, path) = context.resolve(&args.path)?;
    let done = context.domain()?.set_property(object, &args.key.0, &args.values);
    done.map(drop).when(|| format!("set {} of {path}", safe(&args.key.0)))
}

/// Adds values to a property.
pub(crate) fn add(context: &mut Context, args: &Add) -> Result<()> {
    let (object, path) = context.resolve(&args.path)?;
    let domain = context.domain()?;
    let done = if args.merge {
        domain.merge_values(object, &args.key.0, &args.values).map(drop)
    } else {
        domain.append_values(object, &args.key.0, &args.values).map(drop)
    };
    done.when(|| format!("add to {} of {path}", safe(&args.key.0)))
}

/// Removes a property or values of it.
pub(crate) fn unset(context: &mut Context, args: &Unset) -> Result<()> {
    let (object, path) = context.resolve(&args.path)?;
    let key = safe(&args.key.0);
    let domain = context.domain()?;
    let (removed, what) = if args.values.is_empty() {
        (domain.remove_property(object, &args.key.0), format!("remove {key} of {path}"))
    } else {
        (
            domain.remove_values(object, &args.key.0, &args.values),
            format!("remove values from {key} of {path}"),
        )
    };
    match removed.map_err(|error| Failure::from(error).when(&*what))? {
        0 if args.values.is_empty() => {
            Err(Failure::new("No such property").with_exit(Exit::NotFound).when(what))
        }
        0 => Err(Failure::new("it has none of these values").with_exit(Exit::NotFound).when(what)),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn properties_of_a_new_directory() {
        let of = |pairs: &[&str]| {
            properties(&pairs.iter().map(|p| Text(p.as_bytes().to_vec())).collect::<Vec<_>>())
        };
        assert_eq!(
            of(&["uid=5", "name=al", "uid=6", "_locked", "a=b=c", "empty="]).unwrap(),
            [
                Property::new("uid", ["5", "6"]),
                Property::new("name", ["al"]),
                Property::new("_locked", [""; 0]),
                Property::new("a", ["b=c"]),
                Property::new("empty", [""]),
            ]
        );
        assert_eq!(of(&["=x"]).unwrap_err().exit(), Exit::Usage);
    }
}
