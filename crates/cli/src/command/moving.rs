//! `mv`: renames a directory in its place, or copies it elsewhere and removes the original.

use clap::Args;
use netinfo_client::{Component, Domain, Path, Property, Status, tree};

use crate::args::Text;
use crate::context::Context;
use crate::failure::{Exit, Failure, Result, When};
use crate::output::safe;

/// What reads show in place of a password hash to those who may not see it.
const MASK: &[u8] = netinfo_directory::MASK;

/// Arguments of `mv`.
#[derive(Debug, Args)]
pub(crate) struct Mv {
    /// Directory to move
    path: Text,
    /// Its new path; must not exist
    new_path: Text,
}

/// Renames or moves a directory.
pub(crate) fn mv(context: &mut Context, args: &Mv) -> Result<()> {
    let (object, path) = context.resolve(&args.path)?;
    let new = context.path(&args.new_path)?;
    let action = || format!("move {path} to {new}");
    let Some((above, last)) = new.split_last() else {
        return Err(Failure::new("the root directory cannot be replaced").when(action()));
    };
    if object == netinfo_client::domain::ROOT {
        return Err(Failure::new("the root directory cannot be moved").when(action()));
    }
    let named = tree::new_properties(last).map_err(|e| Failure::usage(e.to_string()))?;
    let domain = context.domain()?;
    if exists(domain, &new).when(action)? {
        return Err(Failure::new(format!("{new} exists already")).when(action()));
    }
    let target = domain.resolve(&above).when(action)?;
    let (parent, _) = domain.parent(object).when(action)?;
    if parent == target {
        return rename(domain, object, last).when(action);
    }
    if domain.is_within(target, object).when(action)? {
        return Err(Failure::new("it cannot be moved below itself").when(action()));
    }
    refuse_masked(domain, object, &path)?;
    let (_, mut properties) = domain.read(object).when(action)?;
    apply_name(&mut properties, &named);
    domain.copy_tree(object, target, &properties).when(action)?;
    domain.destroy_tree(object, |_| {}).map(drop).map_err(|error| {
        Failure::from(error)
            .with_hint(format!("the copy {new} is complete; remove {path} yourself"))
            .when(action())
    })
}

fn exists(domain: &mut Domain, path: &Path) -> Result<bool, netinfo_client::Error> {
    match domain.resolve(path) {
        Ok(_) => Ok(true),
        Err(error) if error.is(Status::NoDir) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Changes the property a directory is known by, in one write. Further names stay.
fn rename(domain: &mut Domain, object: u32, name: &Component) -> Result<(), netinfo_client::Error> {
    let Component::Match { key, value } = name else { return Ok(()) };
    domain.edit(object, |domain, id, properties| match properties.iter().position(|p| p.name == *key) {
        Some(index) => {
            let mut values = properties[index].values.clone();
            put_first(&mut values, value);
            domain.write_prop(id, index as u32, &values).map(drop)
        }
        None => domain.create_prop(id, &Property::new(key, [value]), 0).map(drop),
    })
}

/// Gives a record the name of its new path.
fn apply_name(properties: &mut Vec<Property>, named: &[Property]) {
    for name in named {
        match (properties.iter_mut().find(|p| p.name == name.name), name.values.first()) {
            (Some(property), Some(value)) => put_first(&mut property.values, value),
            _ => properties.insert(0, name.clone()),
        }
    }
}

/// Makes `value` the first value in place of the one that is, and the only one of its kind.
fn put_first(values: &mut Vec<Vec<u8>>, value: &[u8]) {
    if values.is_empty() {
        values.push(value.to_vec());
    } else {
        values[0] = value.to_vec();
    }
    let mut first = true;
    values.retain(|v| v != value || std::mem::take(&mut first));
}

/// A copy made from masked values would lose what they hide.
fn refuse_masked(domain: &mut Domain, object: u32, path: &Path) -> Result<()> {
    let mut waiting = vec![object];
    while let Some(object) = waiting.pop() {
        let (_, properties) = domain.read(object).when(|| format!("read {path}"))?;
        let masked =
            |p: &&Property| netinfo_directory::is_secret(&p.name) && p.values.iter().any(|v| v == MASK);
        if let Some(property) = properties.iter().find(masked) {
            return Err(Failure::new(format!(
                "{} is hidden from you and would be lost",
                safe(&property.name)
            ))
            .with_exit(Exit::Denied)
            .with_hint("do this as root on the server itself")
            .when(format!("move {path}")));
        }
        waiting.extend(domain.children(object).when(|| format!("read {path}"))?.0);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_name_changes_and_aliases_stay() {
        let names = |before: &[&str], new: &str| {
            let mut values: Vec<Vec<u8>> = before.iter().map(|v| v.as_bytes().to_vec()).collect();
            put_first(&mut values, new.as_bytes());
            values.into_iter().map(|v| String::from_utf8(v).unwrap()).collect::<Vec<_>>()
        };
        assert_eq!(names(&["a", "b"], "c"), ["c", "b"]);
        assert_eq!(names(&["a", "b"], "b"), ["b"]);
        assert_eq!(names(&[], "c"), ["c"]);
    }

    #[test]
    fn a_record_gets_the_name_of_its_new_path() {
        let mut properties = vec![Property::new("uid", ["5"]), Property::new("name", ["a", "x"])];
        apply_name(&mut properties, &[Property::new("name", ["b"])]);
        assert_eq!(properties[1], Property::new("name", ["b", "x"]));
        apply_name(&mut properties, &[Property::new("tag", ["t"])]);
        assert_eq!(properties[0], Property::new("tag", ["t"]));
    }
}
