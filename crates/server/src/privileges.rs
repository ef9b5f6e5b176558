//! The user the daemon runs as, and the ports that prove privilege.
//!
//! Policy. Started as root, the daemon opens its sockets and its data directory, gives the directory to
//! the chosen user ([`chown_tree`]) and becomes that user for good ([`drop_to`]), keeping only the
//! capability to bind ports below 1024 (domains created later get reserved ports too). Which user
//! ([`choose`]):
//!
//! * named by `--user` or `user =`: that one. When it does not exist, or cannot reach the data directory,
//!   the daemon does not start: what was asked for cannot be had.
//! * nobody named: [`DEFAULT_USER`]. When it does not exist or cannot reach the data directory, the daemon
//!   says so in one line and stays root, so that a first try-out works anywhere.
//! * `root`: stays root.
//!
//! Started as anybody else, the daemon stays that user; naming a different one is an error.

use std::collections::HashSet;
use std::ffi::CString;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use caps::{CapSet, Capability};
use nix::unistd::{Gid, Uid, User, geteuid, getgrouplist, setgid, setgroups, setuid};

use crate::settings::UserChoice;

mod tree;

pub use tree::{MAX_TREE_DEPTH, chown_tree};

/// The user to run as when nobody names one.
pub const DEFAULT_USER: &str = "netinfo";

/// Ports from here on prove nothing, wherever the system draws its own line.
pub const HIGHEST_LIMIT: u16 = 1024;

/// Where the system keeps its first unprivileged port.
const UNPRIVILEGED_START: &str = "/proc/sys/net/ipv4/ip_unprivileged_port_start";

/// A user with its groups, looked up once: before the daemon's sockets exist, because the system's look-up
/// may ask this very daemon.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// User name.
    pub name: String,
    /// User id.
    pub uid: Uid,
    /// Primary group.
    pub gid: Gid,
    /// All groups.
    pub groups: Vec<Gid>,
}

/// Why the daemon cannot run as it was told to.
#[derive(Debug, thiserror::Error)]
pub enum PrivilegeError {
    /// Only root can become somebody else.
    #[error(
        "cannot run as user {user:?}: netinfod was not started as root; start it as that user, \
         or leave out --user"
    )]
    NotRoot {
        /// The user asked for.
        user: String,
    },
    /// The named user does not exist.
    #[error("user {user:?} does not exist; create it (useradd --system {user}) or name another with --user")]
    NoSuchUser {
        /// The user asked for.
        user: String,
    },
    /// The named user cannot get to the data directory.
    #[error(
        "user {user:?} cannot reach {data}: {barrier} does not let it pass; \
         permit it (chmod o+x {barrier}), or choose another --data or --user"
    )]
    Unreachable {
        /// The user asked for.
        user: String,
        /// The data directory.
        data: PathBuf,
        /// The directory on the way that refuses.
        barrier: PathBuf,
    },
    /// Other threads would keep their privileges.
    #[error("privileges can only be dropped while there is one thread, not {0}")]
    Threads(usize),
    /// A step on the way failed; the process must end.
    #[error("cannot {step}: {source}")]
    Step {
        /// What was being done.
        step: String,
        /// What the system reported.
        source: io::Error,
    },
}

/// Ports below this number can only be used by privileged processes of a host like this one: at most
/// 1024, and less where the system lets anybody bind some of those, since such a port proves nothing.
pub fn privileged_port_limit() -> u16 {
    limit_from(fs::read_to_string(UNPRIVILEGED_START).ok().as_deref())
}

/// The user to become, by the policy above; `None`: stay who we are. `data` may not exist yet.
///
/// # Errors
/// [`PrivilegeError`] when a named user cannot be had.
pub fn choose(choice: &UserChoice, data: &Path) -> Result<Option<Account>, PrivilegeError> {
    let root = geteuid().is_root();
    match choice {
        UserChoice::Named(name) if root => {
            let user = usable(name, data)?;
            Ok((!user.uid.is_root()).then_some(user))
        }
        UserChoice::Named(name) => {
            let same = Account::look_up(name)?.is_some_and(|user| user.uid == geteuid());
            if same { Ok(None) } else { Err(PrivilegeError::NotRoot { user: name.clone() }) }
        }
        UserChoice::Default if root => match usable(DEFAULT_USER, data) {
            Ok(user) => Ok(Some(user)),
            Err(reason) => {
                tracing::warn!(target: "netinfod", "staying root: {reason}");
                Ok(None)
            }
        },
        UserChoice::Default => Ok(None),
    }
}

/// Whether `user` can get to `dir`, by owner, group and mode of the directories above it. `dir` itself is
/// not looked at and may not exist. Access lists beyond the mode are not considered.
///
/// # Errors
/// What the system reported about a directory on the way.
pub fn can_reach(user: &Account, dir: &Path) -> io::Result<bool> {
    Ok(first_barrier(user, dir)?.is_none())
}

/// The first directory above `dir` that `user` cannot pass. See [`can_reach`].
///
/// # Errors
/// What the system reported about a directory on the way.
pub fn first_barrier(user: &Account, dir: &Path) -> io::Result<Option<PathBuf>> {
    // Both the path as given and what it leads to through links must be passable.
    let given = std::path::absolute(dir)?;
    let real = given.ancestors().find_map(|path| {
        let real = fs::canonicalize(path).ok()?;
        if path == given { real.parent().map(Path::to_owned) } else { Some(real) }
    });
    let mut on_the_way: Vec<&Path> = real.iter().flat_map(|real| real.ancestors()).collect();
    on_the_way.extend(given.ancestors().skip(1));
    for directory in on_the_way.into_iter().rev() {
        match fs::metadata(directory) {
            Ok(stat) if user.may_pass(&stat) => {}
            Ok(_) => return Ok(Some(directory.to_owned())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(None)
}

/// Becomes `user` for good, keeping only the capabilities in `keep` (of those the process has). Must be
/// called before any thread is started, since capabilities belong to threads. After an error the process
/// must end.
///
/// # Errors
/// [`PrivilegeError`].
pub fn drop_to(user: &Account, keep: &[Capability]) -> Result<(), PrivilegeError> {
    let threads = fs::read_dir("/proc/self/task").and_then(|tasks| tasks.collect::<Result<Vec<_>, _>>());
    let threads = threads.map_err(step("count threads"))?.len();
    if threads != 1 {
        return Err(PrivilegeError::Threads(threads));
    }
    become_user(user, keep)
}

impl Account {
    /// Looks up the user called `name`.
    ///
    /// # Errors
    /// [`PrivilegeError::Step`] when the system's look-up failed.
    pub fn look_up(name: &str) -> Result<Option<Self>, PrivilegeError> {
        let found = User::from_name(name).map_err(step("look up the user"))?;
        let Some(user) = found else { return Ok(None) };
        let c_name = CString::new(user.name.as_bytes()).map_err(step("use the user's name"))?;
        let groups = getgrouplist(&c_name, user.gid).map_err(step("look up the user's groups"))?;
        Ok(Some(Self { name: user.name, uid: user.uid, gid: user.gid, groups }))
    }

    /// Whether the kernel would let this user search a directory with this owner, group and mode.
    fn may_pass(&self, directory: &fs::Metadata) -> bool {
        // The first class that applies decides alone, as in the kernel.
        let bit = if directory.uid() == self.uid.as_raw() {
            0o100
        } else if self.groups.iter().any(|gid| gid.as_raw() == directory.gid()) {
            0o010
        } else {
            0o001
        };
        self.uid.is_root() || directory.mode() & bit != 0
    }
}

/// The steps of [`drop_to`] for the calling thread.
fn become_user(user: &Account, keep: &[Capability]) -> Result<(), PrivilegeError> {
    let held = caps::read(None, CapSet::Permitted).map_err(step("read capabilities"))?;
    let keep: HashSet<Capability> = keep.iter().copied().filter(|cap| held.contains(cap)).collect();
    if held.contains(&Capability::CAP_SETPCAP) {
        let bounding = caps::read(None, CapSet::Bounding).map_err(step("read capabilities"))?;
        for cap in bounding.difference(&keep) {
            caps::drop(None, CapSet::Bounding, *cap).map_err(step("drop capabilities"))?;
        }
    }
    setgroups(&user.groups).map_err(step("set supplementary groups"))?;
    setgid(user.gid).map_err(step("set the group"))?;
    // Without this setuid would drop the capabilities to keep with all the others.
    nix::sys::prctl::set_keepcaps(true).map_err(step("keep capabilities"))?;
    setuid(user.uid).map_err(step("set the user"))?;
    nix::sys::prctl::set_keepcaps(false).map_err(step("keep capabilities"))?;
    caps::clear(None, CapSet::Inheritable).map_err(step("drop capabilities"))?;
    caps::set(None, CapSet::Permitted, &keep).map_err(step("drop capabilities"))?;
    caps::set(None, CapSet::Effective, &keep).map_err(step("raise capabilities"))?;
    nix::sys::prctl::set_no_new_privs().map_err(step("forbid new privileges"))?;
    if setuid(Uid::from_raw(0)).is_ok() {
        return Err(step("give up root")(io::Error::other("it can be had back")));
    }
    Ok(())
}

fn step<E: std::error::Error + Send + Sync + 'static>(name: &str) -> impl FnOnce(E) -> PrivilegeError + '_ {
    move |error| PrivilegeError::Step { step: name.to_owned(), source: io::Error::other(error) }
}

fn usable(name: &str, data: &Path) -> Result<Account, PrivilegeError> {
    let user = Account::look_up(name)?.ok_or_else(|| PrivilegeError::NoSuchUser { user: name.to_owned() })?;
    match first_barrier(&user, data).map_err(step("look at the directories above the data directory"))? {
        None => Ok(user),
        Some(barrier) => Err(PrivilegeError::Unreachable { user: user.name, data: data.to_owned(), barrier }),
    }
}

fn limit_from(start: Option<&str>) -> u16 {
    let start = start.and_then(|text| text.trim().parse::<u32>().ok());
    start.and_then(|start| u16::try_from(start).ok()).unwrap_or(HIGHEST_LIMIT).min(HIGHEST_LIMIT)
}

#[cfg(test)]
mod tests;
