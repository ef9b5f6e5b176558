//! Which processes hold which sockets.
//!
//! The kernel tells a socket's number (its inode) but not who holds it, so the open files of the processes are walked
//! through, on some threads if there are many. All processes are looked at, for a socket may have several holders: a
//! service and the manager that opened its port for it, a server and its workers.

use std::collections::{BTreeMap, HashMap, HashSet};

use crate::process::Process;

/// Who holds what.
#[derive(Clone, Debug, Default)]
pub struct Holders {
    /// The processes, by process id.
    pub processes: BTreeMap<u32, Process>,
    /// The process ids, ascending, that hold a socket, by its inode.
    pub by_inode: BTreeMap<u64, Vec<u32>>,
    /// Processes whose open files this user may not look at.
    pub closed: usize,
}

impl Holders {
    /// The holders of a socket.
    pub fn of(&self, inode: u64) -> impl Iterator<Item = &Process> {
        let pids = self.by_inode.get(&inode).map(Vec::as_slice).unwrap_or_default();
        pids.iter().filter_map(|pid| self.processes.get(pid))
    }
}

/// Finds the holders of the sockets with these inodes. Without any there is nothing to walk through.
pub fn find(inodes: &HashSet<u64>) -> Holders {
    if inodes.is_empty() { Holders::default() } else { walk::find(inodes) }
}

/// The paths of control groups, by their numbers, as far as they are found: what tells the unit of a socket whose
/// process may not be looked into. Anybody may do this.
pub fn groups(wanted: &HashSet<u64>) -> HashMap<u64, String> {
    if wanted.is_empty() { HashMap::new() } else { walk::groups(wanted) }
}

#[cfg(not(target_os = "linux"))]
mod walk {
    pub(super) fn find(_inodes: &std::collections::HashSet<u64>) -> super::Holders {
        super::Holders::default()
    }

    pub(super) fn groups(_wanted: &std::collections::HashSet<u64>) -> std::collections::HashMap<u64, String> {
        std::collections::HashMap::new()
    }
}

#[cfg(target_os = "linux")]
mod walk {
    use std::collections::btree_map::Entry;
    use std::collections::{HashMap, HashSet};
    use std::fs::{self, File};
    use std::io::Read;
    use std::mem::MaybeUninit;
    use std::os::fd::OwnedFd;
    use std::os::unix::fs::DirEntryExt;
    use std::path::PathBuf;
    use std::thread;
    use std::time::{Duration, SystemTime};

    use rustix::fs::{CWD, Mode, OFlags, RawDir, openat, readlinkat_raw};
    use rustix::io::Errno;

    use super::Holders;
    use crate::limits::{MAX_GROUPS, MAX_PROC_FILE, PROCESSES_PER_WALKER, WALKERS};
    use crate::process::{Process, parse_boot, parse_cgroup, parse_stat, parse_uid};

    /// What one thread has found: pairs of inode and process, and processes that are closed to this user.
    type Part = (Vec<(u64, u32)>, usize);

    /// Bytes for entries of a directory, enough for some hundred open files at once.
    const DIRECTORY_BUFFER: usize = 8192;
    /// Bytes for the target of a link; what concerns us is short, and the rest is cut off.
    const LINK_BUFFER: usize = 64;

    pub(super) fn find(inodes: &HashSet<u64>) -> Holders {
        let pids = pids();
        let cores = thread::available_parallelism().map_or(1, usize::from);
        let walkers = (pids.len() / PROCESSES_PER_WALKER).clamp(1, WALKERS.min(cores));
        let share = pids.len().div_ceil(walkers).max(1);
        let parts: Vec<Part> = thread::scope(|scope| {
            let mut shares = pids.chunks(share);
            let own = shares.next().unwrap_or_default();
            let others: Vec<_> = shares.map(|share| scope.spawn(|| walk(share, inodes))).collect();
            let mut parts = vec![walk(own, inodes)];
            // A thread that failed has found nothing.
            parts.extend(others.into_iter().filter_map(|other| other.join().ok()));
            parts
        });
        let mut holders = Holders::default();
        let boot = fs::read_to_string("/proc/stat").ok().and_then(|stat| parse_boot(&stat));
        for (pairs, closed) in parts {
            holders.closed += closed;
            for (inode, pid) in pairs {
                if let Entry::Vacant(place) = holders.processes.entry(pid) {
                    // It may have ended meanwhile.
                    let Some(process) = read(pid, boot) else { continue };
                    place.insert(process);
                }
                let pids = holders.by_inode.entry(inode).or_default();
                if !pids.contains(&pid) {
                    pids.push(pid);
                }
            }
        }
        holders.by_inode.values_mut().for_each(|pids| pids.sort_unstable());
        holders
    }

    fn pids() -> Vec<u32> {
        let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
        entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect()
    }

    fn walk(pids: &[u32], inodes: &HashSet<u64>) -> Part {
        let mut found = Vec::new();
        let mut closed = 0;
        let mut buffer = [MaybeUninit::uninit(); DIRECTORY_BUFFER];
        for pid in pids {
            let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
            match openat(CWD, format!("/proc/{pid}/fd"), flags, Mode::empty()) {
                Ok(directory) => open_files(&directory, &mut buffer, |inode| {
                    if inodes.contains(&inode) {
                        found.push((inode, *pid));
                    }
                }),
                Err(Errno::ACCESS | Errno::PERM) => closed += 1,
                // It has ended.
                Err(_) => {}
            }
        }
        (found, closed)
    }

    /// Tells the inodes of the sockets among the open files in a directory `/proc/PID/fd`.
    fn open_files(directory: &OwnedFd, buffer: &mut [MaybeUninit<u8>], mut each: impl FnMut(u64)) {
        let mut entries = RawDir::new(directory, buffer);
        while let Some(Ok(entry)) = entries.next() {
            let mut target = [MaybeUninit::uninit(); LINK_BUFFER];
            if let Ok((target, _)) = readlinkat_raw(directory, entry.file_name(), &mut target)
                && let Some(inode) = socket_inode(target)
            {
                each(inode);
            }
        }
    }

    /// `socket:[12345]`.
    fn socket_inode(target: &[u8]) -> Option<u64> {
        let digits = target.strip_prefix(b"socket:[")?.strip_suffix(b"]")?;
        std::str::from_utf8(digits).ok()?.parse().ok()
    }

    fn read(pid: u32, boot: Option<SystemTime>) -> Option<Process> {
        let file = |name: &str| {
            let mut bytes = Vec::new();
            File::open(format!("/proc/{pid}/{name}"))
                .ok()?
                .take(MAX_PROC_FILE)
                .read_to_end(&mut bytes)
                .ok()?;
            Some(bytes)
        };
        let (name, ticks) = parse_stat(&file("stat")?)?;
        let uid = parse_uid(&file("status")?)?;
        let groups = file("cgroup").unwrap_or_default();
        let (unit, container) = parse_cgroup(&String::from_utf8_lossy(&groups));
        let since_boot = ticks as f64 / rustix::param::clock_ticks_per_second() as f64;
        let since_boot = Duration::try_from_secs_f64(since_boot).ok();
        let started = boot.zip(since_boot).and_then(|(boot, since)| boot.checked_add(since));
        let (program, replaced) = program(pid);
        Some(Process { pid, name, program, replaced, uid, unit, container, started })
    }

    /// The program's file, and whether it is the one that was started no longer.
    fn program(pid: u32) -> (Option<PathBuf>, bool) {
        let Ok(path) = fs::read_link(format!("/proc/{pid}/exe")) else { return (None, false) };
        match path.to_str().and_then(|text| text.strip_suffix(" (deleted)")) {
            Some(old) => (Some(PathBuf::from(old)), true),
            None => (Some(path), false),
        }
    }

    /// Where the control groups are: on their own, or beside those of the first version.
    const HIERARCHIES: [&str; 2] = ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"];

    pub(super) fn groups(wanted: &HashSet<u64>) -> HashMap<u64, String> {
        let root = HIERARCHIES.iter().find(|root| PathBuf::from(root).join("cgroup.procs").exists());
        let Some(root) = root else { return HashMap::new() };
        let mut found = HashMap::new();
        let mut directories = vec![PathBuf::from(root)];
        let mut left = MAX_GROUPS;
        while let Some(directory) = directories.pop() {
            // The number of a group is the inode of its directory.
            for entry in fs::read_dir(&directory).into_iter().flatten().flatten() {
                if !entry.file_type().is_ok_and(|kind| kind.is_dir()) || left == 0 {
                    continue;
                }
                left -= 1;
                let path = entry.path();
                if wanted.contains(&entry.ino())
                    && let Some(below) = path.to_str().and_then(|path| path.strip_prefix(root))
                {
                    found.insert(entry.ino(), below.to_owned());
                }
                directories.push(path);
            }
            if found.len() == wanted.len() {
                break;
            }
        }
        found
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn links() {
            assert_eq!(socket_inode(b"socket:[12345]"), Some(12345));
            for other in [&b"/dev/null"[..], b"pipe:[1]", b"socket:[]", b"socket:[1", b"socket:[-1]"] {
                assert_eq!(socket_inode(other), None);
            }
        }
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;
    use crate::sockets::{self, Which};

    #[test]
    fn this_process_holds_its_sockets() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let _twice = listener.try_clone().unwrap();
        let address = listener.local_addr().unwrap();
        let socket =
            sockets::list(Which::Listening).unwrap().into_iter().find(|s| s.local == address).unwrap();
        let holders = find(&HashSet::from([socket.inode]));
        let held: Vec<&Process> = holders.of(socket.inode).collect();
        assert_eq!(held.len(), 1);
        assert_eq!((held[0].pid, held[0].uid), (std::process::id(), nix::unistd::geteuid().as_raw()));
        assert_eq!(held[0].program.as_deref(), std::env::current_exe().ok().as_deref());
        assert!(!held[0].replaced && !held[0].is_netinfo());
        let age = std::time::SystemTime::now().duration_since(held[0].started.unwrap()).unwrap();
        assert!(age.as_secs() < 600, "{age:?}");
        assert_eq!(holders.of(0).count(), 0);
    }

    #[test]
    fn nothing_wanted_is_nothing_walked() {
        let holders = find(&HashSet::new());
        assert!(holders.processes.is_empty() && holders.closed == 0);
    }
}
