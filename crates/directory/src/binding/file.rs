//! `binding.toml` in a data directory: the parents that were configured with `netinfo bind`.
//!
//! They are not in the domain: they may name files of this machine (certificates, a password), which nobody but its superuser
//! is to choose, and a domain with several servers would bind all of them.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, fchown};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::ParentName;

/// Longest file that is read, in bytes.
pub const BINDING_FILE_SIZE: u64 = 256 << 10;
/// Directory, in the data directory, of what is remembered of domains on other machines.
pub const REMEMBERED_FOLDER: &str = "parents";

const NAME: &str = "binding.toml";
const HEAD: &str = "# Kept by \"netinfo bind\" and \"netinfo unbind\". Parents of each domain, the one asked first first.\n\n";

/// Parents by the tag of the domain that is bound to them, the one asked first first.
pub type Parents = BTreeMap<String, Vec<ParentName>>;

#[derive(Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Content {
    #[serde(default)]
    parents: BTreeMap<String, Vec<String>>,
}

/// The file of a data directory.
#[must_use]
pub fn binding_file(data: &Path) -> PathBuf {
    data.join(NAME)
}

/// The parents configured in a data directory; none if there is no file.
///
/// # Errors
/// If the file cannot be read, is longer than [`BINDING_FILE_SIZE`] or is not what it should be.
pub fn read_parents(data: &Path) -> io::Result<Parents> {
    let Some(text) = read_kept(&binding_file(data))? else { return Ok(Parents::new()) };
    let content: Content = toml::from_str(&text).map_err(io::Error::other)?;
    let parse = |(tag, names): (String, Vec<String>)| {
        let names: Result<Vec<ParentName>, _> = names.iter().map(|name| name.parse()).collect();
        Ok((tag, names.map_err(io::Error::other)?))
    };
    content.parents.into_iter().map(parse).collect()
}

/// Configures these parents and no others, durably. The file belongs to whom the data directory belongs to.
///
/// # Errors
/// Of the file. Then nothing has changed.
pub fn write_parents(data: &Path, parents: &Parents) -> io::Result<()> {
    let texts = |names: &Vec<ParentName>| names.iter().map(ToString::to_string).collect();
    let content =
        Content { parents: parents.iter().map(|(tag, names)| (tag.clone(), texts(names))).collect() };
    let text = toml::to_string(&content).map_err(io::Error::other)?;
    replace_kept(&binding_file(data), format!("{HEAD}{text}").as_bytes())
}

/// Reads a file of a data directory that says something about parents; `None` if there is none.
///
/// # Errors
/// If it cannot be read, is no text or longer than [`BINDING_FILE_SIZE`].
pub fn read_kept(path: &Path) -> io::Result<Option<String>> {
    let file = match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        file => file?,
    };
    let mut text = String::new();
    if file.take(BINDING_FILE_SIZE + 1).read_to_string(&mut text)? as u64 > BINDING_FILE_SIZE {
        return Err(io::Error::other(format!("longer than {BINDING_FILE_SIZE} bytes")));
    }
    Ok(Some(text))
}

/// Replaces such a file at once and durably. It belongs to whom the directory belongs to.
///
/// # Errors
/// Of the file. Then nothing has changed.
pub fn replace_kept(path: &Path, content: &[u8]) -> io::Result<()> {
    let folder = path.parent().unwrap_or_else(|| Path::new("."));
    let new = path.with_extension("new");
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&new)?;
    let (owner, own) = (fs::metadata(folder)?, file.metadata()?);
    if (own.uid(), own.gid()) != (owner.uid(), owner.gid()) {
        fchown(&file, Some(owner.uid()), Some(owner.gid()))?;
    }
    file.write_all(content)?;
    file.sync_all()?;
    fs::rename(&new, path)?;
    File::open(folder)?.sync_all()
}

/// Removes what is remembered of domains on other machines. For data directories whose lock is held.
///
/// # Errors
/// Of the files.
pub fn forget_remembered(data: &Path) -> io::Result<()> {
    match fs::remove_dir_all(data.join(REMEMBERED_FOLDER)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parents_are_read_as_they_were_written() {
        let folder = tempfile::tempdir().unwrap();
        assert!(read_parents(folder.path()).unwrap().is_empty());
        let names: Vec<ParentName> = ["network@boss:945", "ldap://ldap.example/dc=x????x-start-tls"]
            .map(|n| n.parse().unwrap())
            .to_vec();
        let parents = Parents::from([("local".to_owned(), names)]);
        write_parents(folder.path(), &parents).unwrap();
        assert_eq!(read_parents(folder.path()).unwrap(), parents);
        write_parents(folder.path(), &Parents::new()).unwrap();
        assert!(read_parents(folder.path()).unwrap().is_empty());
    }

    #[test]
    fn files_that_are_wrong() {
        let folder = tempfile::tempdir().unwrap();
        let long = "#".repeat(usize::try_from(BINDING_FILE_SIZE).unwrap() + 1);
        for text in ["[parents]\nlocal = ['nothing']", "other = 1", "[", long.as_str()] {
            fs::write(binding_file(folder.path()), text).unwrap();
            assert!(read_parents(folder.path()).is_err());
        }
    }

    #[test]
    fn what_is_remembered_goes() {
        let folder = tempfile::tempdir().unwrap();
        forget_remembered(folder.path()).unwrap();
        let remembered = folder.path().join(REMEMBERED_FOLDER);
        fs::create_dir(&remembered).unwrap();
        fs::write(remembered.join("x.records"), "x").unwrap();
        forget_remembered(folder.path()).unwrap();
        assert!(!remembered.exists());
    }
}
