//! A node's data directory: the domains it holds, and the lock that makes it one process's own.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::net::Ipv4Addr;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use heed::EnvClosingEvent;
use nix::fcntl::{Flock, FlockArg};

use crate::domain::{Domain, Fresh, Options};
use crate::error::{Error, Result};
use crate::store::preflight::local_filesystem;

/// Name of the lock file; it holds the process id of the owner.
pub const LOCK_FILE: &str = "netinfo.lock";
/// Ending of a domain's directory, behind its tag.
const DOMAIN: &str = ".domain";
/// Ending of a domain being made.
const UNFINISHED: &str = ".new";
/// Folder that destroyed domains are moved to.
pub const DESTROYED: &str = "destroyed";
/// Longest tag, in bytes.
pub const TAG_LIMIT: usize = 64;
/// How long closing a destroyed domain waits for readers that still hold a snapshot.
const CLOSING_TIME: Duration = Duration::from_secs(5);

/// The data directory of a running node (or of an offline command).
pub struct Node {
    path: PathBuf,
    options: Options,
    domains: RwLock<BTreeMap<String, Arc<Domain>>>,
    /// Stores of destroyed domains that somebody may still be reading, by tag.
    closing: Mutex<BTreeMap<String, EnvClosingEvent>>,
    _lock: Flock<File>,
}

impl Node {
    /// Opens data directory `path`, making it (mode 0700) with `create`, and takes its lock. Domains that cannot be served are
    /// returned with the reason; the others are open.
    pub fn open(path: &Path, options: Options, create: bool) -> Result<(Self, Vec<(String, Error)>)> {
        if create && !path.exists() {
            make(path).map_err(|e| {
                Error::Unusable(format!("cannot create the data directory {}: {e}", path.display()))
            })?;
        }
        local_filesystem(path)?;
        let lock = lock(path)?;
        let (domains, closing) = (RwLock::default(), Mutex::default());
        let node = Self { path: path.into(), options, domains, closing, _lock: lock };
        let mut failed = Vec::new();
        for tag in node.stored()? {
            let opened = check_tag(&tag)
                .and_then(|()| Domain::open(&tag, &node.domain_path(&tag), &node.options, false));
            match opened {
                Ok(domain) => drop(node.write_domains().insert(tag, Arc::new(domain))),
                Err(error) => failed.push((tag, error)),
            }
        }
        Ok((node, failed))
    }

    /// The data directory.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What the node tells its domains.
    pub fn options(&self) -> &Options {
        &self.options
    }

    /// The open domains by tag.
    pub fn domains(&self) -> Vec<Arc<Domain>> {
        self.domains.read().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }

    /// The open domain with this tag.
    pub fn domain(&self, tag: &str) -> Option<Arc<Domain>> {
        self.domains.read().unwrap_or_else(PoisonError::into_inner).get(tag).cloned()
    }

    /// Opens a domain that [`Node::open`] could not serve, such as one whose root directory is damaged, so that it can be
    /// checked, repaired, written to or restored. It is treated as a master whatever its root says, and is not entered
    /// among the open domains. One that is open is returned as it is.
    pub fn rescue(&self, tag: &str) -> Result<Arc<Domain>> {
        check_tag(tag)?;
        let path = self.domain_path(tag);
        match self.domain(tag) {
            Some(domain) => Ok(domain),
            None if path.exists() => Ok(Arc::new(Domain::open(tag, &path, &self.options, true)?)),
            None => Err(Error::NoSuchDomain(tag.into())),
        }
    }

    /// Makes a master domain: the root names this host as master, `/machines` has a record of this host. `at` is
    /// milliseconds since the epoch.
    pub fn create_master(&self, tag: &str, at: u64) -> Result<Arc<Domain>> {
        let fresh = Fresh {
            host: self.options.hostname.clone(),
            tag: tag.into(),
            addresses: self.options.addresses.clone(),
            at,
        };
        self.create(tag, &fresh)
    }

    /// Makes a clone of the domain `master_tag` on host `master_name`; its content is a stub until it is copied.
    pub fn create_clone(
        &self,
        tag: &str,
        master_name: &str,
        address: Ipv4Addr,
        master_tag: &str,
        at: u64,
    ) -> Result<Arc<Domain>> {
        let fresh = Fresh { host: master_name.into(), tag: master_tag.into(), addresses: vec![address], at };
        self.create(tag, &fresh)
    }

    fn create(&self, tag: &str, fresh: &Fresh) -> Result<Arc<Domain>> {
        check_tag(tag)?;
        let mut domains = self.write_domains();
        let target = self.domain_path(tag);
        if domains.contains_key(tag) || target.exists() {
            return Err(Error::DuplicateTag(tag.into()));
        }
        self.wait_for_readers(tag)?;
        let unfinished = self.path.join(format!("{tag}{UNFINISHED}"));
        let _ = fs::remove_dir_all(&unfinished);
        Domain::create(&unfinished, &self.options, fresh)?;
        sync_directory(&unfinished)?;
        fs::rename(&unfinished, &target)?;
        sync_directory(&self.path)?;
        let domain = Arc::new(Domain::open(tag, &target, &self.options, false)?);
        domains.insert(tag.into(), domain.clone());
        Ok(domain)
    }

    /// Stops serving a domain and moves its files to `destroyed/TAG.AT` (with another number behind it if that exists),
    /// which is returned. Waits for readers that still hold a snapshot, but not forever.
    pub fn destroy(&self, tag: &str, at: u64) -> Result<PathBuf> {
        let domain = self.write_domains().remove(tag).ok_or_else(|| Error::NoSuchDomain(tag.into()))?;
        let closing = domain.store().env.clone().prepare_for_closing();
        drop(domain);
        if !closing.wait_timeout(CLOSING_TIME) {
            tracing::warn!(tag, "somebody still holds the destroyed domain");
            self.closing.lock().unwrap_or_else(PoisonError::into_inner).insert(tag.into(), closing);
        }
        let aside = self.path.join(DESTROYED);
        if !aside.exists() {
            make(&aside)?;
        }
        let plain = aside.join(format!("{tag}.{at}"));
        let mut names = (1..).map(|n| aside.join(format!("{tag}.{at}.{n}")));
        let target = if plain.exists() { names.find(|p| !p.exists()).unwrap_or(plain) } else { plain };
        fs::rename(self.domain_path(tag), &target)?;
        sync_directory(&aside)?;
        sync_directory(&self.path)?;
        Ok(target)
    }

    /// A store that was moved aside while somebody held it must be let go of before its path can be used again.
    fn wait_for_readers(&self, tag: &str) -> Result<()> {
        let mut closing = self.closing.lock().unwrap_or_else(PoisonError::into_inner);
        match closing.remove(tag) {
            Some(event) if !event.wait_timeout(Duration::ZERO) => {
                closing.insert(tag.into(), event);
                Err(Error::Busy)
            }
            _ => Ok(()),
        }
    }

    fn write_domains(&self) -> std::sync::RwLockWriteGuard<'_, BTreeMap<String, Arc<Domain>>> {
        self.domains.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn domain_path(&self, tag: &str) -> PathBuf {
        self.path.join(format!("{tag}{DOMAIN}"))
    }

    /// Tags of the domains on disk; remains of unfinished creations are removed.
    fn stored(&self) -> Result<Vec<String>> {
        let mut tags = Vec::new();
        for entry in fs::read_dir(&self.path)? {
            let entry = entry?;
            let name = entry.file_name();
            let Some(name) = name.to_str() else { continue };
            if let Some(tag) = name.strip_suffix(DOMAIN) {
                tags.push(tag.to_owned());
            } else if name.strip_suffix(UNFINISHED).is_some_and(|tag| check_tag(tag).is_ok())
                && entry.file_type()?.is_dir()
            {
                fs::remove_dir_all(entry.path())?;
            }
        }
        tags.sort();
        Ok(tags)
    }
}

/// Whether `tag` can name a domain.
pub fn check_tag(tag: &str) -> Result<()> {
    let good = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_');
    let start = tag.bytes().next().is_some_and(|b| b != b'.' && b != b'-');
    if start && tag.len() <= TAG_LIMIT && tag.bytes().all(good) {
        Ok(())
    } else {
        Err(Error::BadTag(tag.into()))
    }
}

/// Takes the data directory for this process.
fn lock(path: &Path) -> Result<Flock<File>> {
    let file_path = path.join(LOCK_FILE);
    let cannot = |e: std::io::Error| {
        let hint = match e.kind() {
            ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => {
                "the data directory is read-only for this user; the store needs to write".to_owned()
            }
            ErrorKind::NotFound => "there is no such directory".to_owned(),
            _ => e.to_string(),
        };
        Error::Unusable(format!("cannot use the data directory {}: {hint}", path.display()))
    };
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(&file_path)
        .map_err(cannot)?;
    match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
        Ok(lock) => {
            // The lock holds without it, and on a full disk there may be no room for it.
            if let Err(error) = sign(&lock) {
                tracing::warn!(%error, "cannot write the process id into {}", file_path.display());
            }
            Ok(lock)
        }
        Err((mut file, _)) => {
            let mut owner = String::new();
            let _ = file.read_to_string(&mut owner);
            let owner = match owner.trim() {
                "" => "another process".to_owned(),
                pid => format!("process {pid}"),
            };
            Err(Error::Unusable(format!(
                "the data directory {} is in use by {owner}; stop it first, or give another directory",
                path.display()
            )))
        }
    }
}

/// Writes the process id into the lock file, over what is there: it may be the last block of a full disk.
fn sign(mut file: &File) -> std::io::Result<()> {
    let text = format!("{}\n", std::process::id());
    file.write_all(text.as_bytes())?;
    file.set_len(text.len() as u64)
}

/// Makes a directory, mode 0700, that outlasts a crash.
fn make(path: &Path) -> Result<()> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(path)?;
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => sync_directory(parent),
        _ => sync_directory(Path::new(".")),
    }
}

fn sync_directory(path: &Path) -> Result<()> {
    Ok(File::open(path)?.sync_all()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags() {
        for good in ["local", "network", "a.b-c_1", "x"] {
            assert!(check_tag(good).is_ok(), "{good}");
        }
        let long = "x".repeat(TAG_LIMIT + 1);
        for bad in ["", ".", "..", "a/b", ".hidden", "-x", "a b", "é", &long] {
            assert!(check_tag(bad).is_err(), "{bad}");
        }
    }
}
