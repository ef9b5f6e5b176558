//! A node's data directory: the domains it holds, and the lock that makes it one process's own.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Read, Seek, Write};
use std::net::Ipv4Addr;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

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
    _lock: Flock<File>,
}

impl Node {
    /// Opens data directory `path`, making it (mode 0700) with `create`, and takes its lock. Domains that cannot be served are
    /// returned with the reason; the others are open.
    pub fn open(path: &Path, options: Options, create: bool) -> Result<(Self, Vec<(String, Error)>)> {
        if create {
            fs::DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(|e| {
                Error::Unusable(format!("cannot create the data directory {}: {e}", path.display()))
            })?;
        }
        local_filesystem(path)?;
        let lock = lock(path)?;
        let node = Self { path: path.into(), options, domains: RwLock::default(), _lock: lock };
        let mut failed = Vec::new();
        for tag in node.stored()? {
            match Domain::open(&tag, &node.domain_path(&tag), &node.options) {
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
        let unfinished = self.path.join(format!("{tag}{UNFINISHED}"));
        let _ = fs::remove_dir_all(&unfinished);
        Domain::create(&unfinished, &self.options, fresh)?;
        fs::rename(&unfinished, &target)?;
        sync_directory(&self.path)?;
        let domain = Arc::new(Domain::open(tag, &target, &self.options)?);
        domains.insert(tag.into(), domain.clone());
        Ok(domain)
    }

    /// Stops serving a domain and moves its files to `destroyed/TAG.AT`, which is returned.
    pub fn destroy(&self, tag: &str, at: u64) -> Result<PathBuf> {
        let mut domains = self.write_domains();
        let domain = domains.remove(tag).ok_or_else(|| Error::NoSuchDomain(tag.into()))?;
        let aside = self.path.join(DESTROYED);
        fs::create_dir_all(&aside)?;
        let target = aside.join(format!("{tag}.{at}"));
        let closing = domain.store().env.clone().prepare_for_closing();
        drop(domain);
        if !closing.wait_timeout(CLOSING_TIME) {
            tracing::warn!(tag, "a reader still holds a snapshot of the destroyed domain");
        }
        fs::rename(self.domain_path(tag), &target)?;
        sync_directory(&self.path)?;
        Ok(target)
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
            } else if name.strip_suffix(UNFINISHED).is_some_and(|tag| check_tag(tag).is_ok()) {
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
        Ok(mut lock) => {
            lock.set_len(0)?;
            lock.rewind()?;
            writeln!(lock, "{}", std::process::id())?;
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
