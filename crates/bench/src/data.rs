//! Domains filled with users, made offline through the core.

use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

use netinfo_directory::{Credentials, Id, Node, Options, Origin, Property, ROOT, TransferObject};
use nix::fcntl::{PosixFadviseAdvice, posix_fadvise};

use crate::people;
use crate::{Failure, Result};

/// Name of the host that keeps the domains.
pub const HOSTNAME: &str = "bench";
/// The domain that is measured.
pub const TAG: &str = "local";
/// Object id of `/users`.
pub const USERS: u32 = 1;
/// Object id of `/clients`.
pub const CLIENTS: u32 = 2;
/// Clients that can write at once: each has a directory of its own below `/clients`, because every write to a directory
/// makes the instance number stale that other writers know of it.
pub const CLIENT_LIMIT: u32 = 64;
/// Object id of the first client's directory.
pub const FIRST_CLIENT: u32 = 3;
/// Object id of user 0.
pub const FIRST_USER: u32 = FIRST_CLIENT + CLIENT_LIMIT;

/// What loading took and made.
#[derive(Debug, Clone, Copy)]
pub struct Loaded {
    /// From the first user to the commit, all of it on disk.
    pub time: Duration,
    /// Bytes of the store's file.
    pub bytes: u64,
}

/// Makes a data directory at `path` whose domain has `users` users, by [`netinfo_directory::Domain::replace`]: one
/// transaction, every index written.
///
/// # Errors
/// What the core says.
pub fn fill(path: &Path, users: u32) -> Result<Loaded> {
    fill_with(path, users, Options { hostname: HOSTNAME.into(), ..Options::default() })
}

/// As [`fill`], with other options.
///
/// # Errors
/// What the core says.
pub fn fill_with(path: &Path, users: u32, options: Options) -> Result<Loaded> {
    let (node, failed) = Node::open(path, options, true)?;
    if let Some((tag, error)) = failed.into_iter().next() {
        return Err(format!("domain {tag} cannot be opened: {error}").into());
    }
    let domain = node.create_master(TAG, 0)?;
    let session = domain.authenticate(Credentials::None, Origin::Internal)?;
    let start = Instant::now();
    let mut tree = tree(users);
    domain.replace(&session, move || Ok(tree.next()))?;
    let time = start.elapsed();
    let made = domain.read(&session)?.directories()?;
    let expected = u64::from(FIRST_USER + users);
    if made != expected {
        return Err(Failure::from(format!("{made} directories were loaded instead of {expected}")));
    }
    Ok(Loaded { time, bytes: domain.disk_size()? })
}

/// Reads the files of the domain in data directory `path`, so that they are in the page cache: in single pages, as look-ups
/// bring them there. Read without that advice they would come in large pieces, each of which a small write pays for.
///
/// # Errors
/// What the system reported.
pub fn cache(path: &Path) -> Result<()> {
    for entry in fs::read_dir(path.join(format!("{TAG}.domain")))? {
        let mut file = File::open(entry?.path())?;
        posix_fadvise(&file, 0, 0, PosixFadviseAdvice::POSIX_FADV_RANDOM)?;
        io::copy(&mut file, &mut io::sink())?;
    }
    Ok(())
}

/// All directories of a domain with `users` users, parents first.
fn tree(users: u32) -> impl Iterator<Item = TransferObject> + Send + 'static {
    let open = |name: &str| vec![Property::new("name", [name]), Property::new("_writers", ["*"])];
    let directory = move |object, parent, name: &str, children: Vec<u32>| TransferObject {
        id: Id { object, instance: 0 },
        parent,
        children,
        properties: open(name),
        stamp: None,
    };
    let root = TransferObject {
        id: Id { object: ROOT, instance: 1 },
        parent: ROOT,
        children: vec![USERS, CLIENTS],
        properties: vec![Property::new("master", [format!("{HOSTNAME}/{TAG}")])],
        stamp: None,
    };
    let top = [
        root,
        directory(USERS, ROOT, "users", (FIRST_USER..FIRST_USER + users).collect()),
        directory(CLIENTS, ROOT, "clients", (FIRST_CLIENT..FIRST_USER).collect()),
    ];
    let clients =
        (FIRST_CLIENT..FIRST_USER).map(move |id| directory(id, CLIENTS, &format!("client{id}"), Vec::new()));
    let users = (0..users).map(|i| TransferObject {
        id: Id { object: FIRST_USER + i, instance: 0 },
        parent: USERS,
        children: Vec::new(),
        properties: people::user(i),
        stamp: None,
    });
    top.into_iter().chain(clients).chain(users)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filled_domain_holds_the_users() {
        let dir = tempfile::tempdir().unwrap();
        let loaded = fill(&dir.path().join("data"), 300).unwrap();
        assert!(loaded.bytes > 300 * 300, "{}", loaded.bytes);
        let (node, failed) = Node::open(&dir.path().join("data"), Options::default(), false).unwrap();
        assert!(failed.is_empty());
        let domain = node.domain(TAG).unwrap();
        let session = domain.authenticate(Credentials::None, Origin::Internal).unwrap();
        let view = domain.read(&session).unwrap();
        for i in [0, 7, 299] {
            let hit = view.lookup_first(USERS, b"name", people::name(i).as_bytes()).unwrap();
            assert_eq!(hit, Some(FIRST_USER + i));
            assert_eq!(view.lookup_first(USERS, b"uid", people::uid(i).as_bytes()).unwrap(), hit);
        }
    }
}
