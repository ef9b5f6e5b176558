//! Making a home directory, as the superuser, in a place where somebody else may be at work.
//!
//! Every step goes from an open directory to a name in it, and no link is followed. The home is made under another name,
//! filled and given away, and only then gets its own: nobody ever finds half of one, and what is there already stays.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, Error, ErrorKind};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Component, Path};

use nix::dir::Dir;
use nix::errno::Errno;
use nix::fcntl::{self, AtFlags, OFlag, RenameFlags, openat, readlinkat, renameat, renameat2};
use nix::sys::stat::{Mode, SFlag, fchmod, fstat, fstatat, mkdirat};
use nix::unistd::{Gid, Uid, UnlinkatFlags, fchown, fchownat, symlinkat, unlinkat};

/// Directories in directories of a skeleton, at most.
const DEPTH_LIMIT: u32 = 16;
/// Files and directories of a skeleton, at most.
const ENTRIES_LIMIT: u32 = 10_000;
/// Attempts at a name that nobody has.
const NAME_ATTEMPTS: u32 = 16;
/// Permissions of directories above a home that have to be made.
const PARENT_MODE: u32 = 0o755;

/// What is to be made.
#[derive(Debug)]
pub(crate) struct Home<'a> {
    /// Where: an absolute path.
    pub(crate) path: &'a Path,
    /// Whose.
    pub(crate) uid: Uid,
    /// And of which group.
    pub(crate) gid: Gid,
    /// Permissions that nothing in it gets.
    pub(crate) umask: u32,
    /// What it begins with, if that is there.
    pub(crate) skel: &'a Path,
}

/// Makes the directory. False if something is there already.
pub(crate) fn make(home: &Home<'_>) -> io::Result<bool> {
    let (parent, name) = open_parent(home.path)?;
    if exists(&parent, name)? {
        return Ok(false);
    }
    let (temporary, directory) = make_temporary(&parent, name)?;
    let made = fill(home, &directory).and_then(|()| rename(&parent, &temporary, name));
    if !matches!(made, Ok(true)) {
        // What is left of it if that fails has a name that says what it is, and belongs to the superuser.
        let _ = remove_tree(parent.as_fd(), &temporary, 0);
    }
    made
}

/// The directory that holds the last name of a path, with those above it made where they are missing.
fn open_parent(path: &Path) -> io::Result<(OwnedFd, &OsStr)> {
    let odd =
        || Error::new(ErrorKind::InvalidInput, "the path of the home directory is not a plain absolute one");
    let mut components = path.components();
    if components.next() != Some(Component::RootDir) {
        return Err(odd());
    }
    let mut names = Vec::new();
    for component in components {
        match component {
            Component::Normal(name) => names.push(name),
            _ => return Err(odd()),
        }
    }
    let name = names.pop().ok_or_else(odd)?;
    let mut at = fcntl::open("/", directory_flags(), Mode::empty())?;
    for name in names {
        at = match openat(&at, name, directory_flags(), Mode::empty()) {
            Err(Errno::ENOENT) => {
                match mkdirat(&at, name, Mode::from_bits_truncate(PARENT_MODE)) {
                    Ok(()) | Err(Errno::EEXIST) => {}
                    Err(error) => return Err(error.into()),
                }
                let made = openat(&at, name, directory_flags(), Mode::empty())?;
                // Whatever the umask is.
                fchmod(&made, Mode::from_bits_truncate(PARENT_MODE))?;
                made
            }
            Err(Errno::ELOOP | Errno::ENOTDIR) => {
                let text = format!("{} is a link or no directory", Path::new(name).display());
                return Err(Error::new(ErrorKind::NotADirectory, text));
            }
            other => other?,
        };
    }
    Ok((at, name))
}

fn directory_flags() -> OFlag {
    OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC
}

fn exists(parent: &OwnedFd, name: &OsStr) -> io::Result<bool> {
    match fstatat(parent, name, AtFlags::AT_SYMLINK_NOFOLLOW) {
        Ok(_) => Ok(true),
        Err(Errno::ENOENT) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// A new directory that only the superuser can enter.
fn make_temporary(parent: &OwnedFd, name: &OsStr) -> io::Result<(OsString, OwnedFd)> {
    let name = name.as_bytes();
    for attempt in 0..NAME_ATTEMPTS {
        let mut temporary = b".".to_vec();
        temporary.extend_from_slice(&name[..name.len().min(200)]);
        temporary.extend_from_slice(format!(".new-{}-{attempt}", std::process::id()).as_bytes());
        let temporary = OsString::from_vec(temporary);
        match mkdirat(parent, temporary.as_os_str(), Mode::S_IRWXU) {
            Ok(()) => {
                let directory = openat(parent, temporary.as_os_str(), directory_flags(), Mode::empty())?;
                // Where others may write, somebody may have put another one in its place.
                let stat = fstat(&directory)?;
                if stat.st_uid != Uid::effective().as_raw() || stat.st_mode & 0o7777 & 0o077 != 0 {
                    return Err(Error::new(ErrorKind::PermissionDenied, "somebody else is at work there"));
                }
                return Ok((temporary, directory));
            }
            Err(Errno::EEXIST) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(Error::new(ErrorKind::AlreadyExists, "there is no free name"))
}

/// Copies the skeleton, and gives everything to the user.
fn fill(home: &Home<'_>, directory: &OwnedFd) -> io::Result<()> {
    // The skeleton itself is the administrator's, who may have linked it elsewhere.
    let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
    match fcntl::open(home.skel, flags, Mode::empty()) {
        Ok(skel) => Copy { home, entries: 0 }.directory(skel, directory.as_fd(), 0)?,
        Err(Errno::ENOENT) => {}
        Err(error) => return Err(error.into()),
    }
    give(home, directory.as_fd(), 0o777)
}

/// Permissions and owner of something new.
fn give(home: &Home<'_>, file: BorrowedFd<'_>, mode: u32) -> io::Result<()> {
    fchown(file, Some(home.uid), Some(home.gid))?;
    // After that, because a change of the owner takes some bits away; none that lend an identity are given.
    Ok(fchmod(file, Mode::from_bits_truncate(mode & 0o777 & !home.umask))?)
}

struct Copy<'a> {
    home: &'a Home<'a>,
    entries: u32,
}

impl Copy<'_> {
    fn directory(&mut self, from: OwnedFd, to: BorrowedFd<'_>, depth: u32) -> io::Result<()> {
        let mut list = Dir::from_fd(from)?;
        let names: Vec<OsString> = list
            .iter()
            .map(|entry| entry.map(|entry| OsStr::from_bytes(entry.file_name().to_bytes()).to_owned()))
            .collect::<nix::Result<_>>()?;
        for name in names.iter().filter(|name| *name != "." && *name != "..") {
            self.entries += 1;
            if self.entries > ENTRIES_LIMIT || depth >= DEPTH_LIMIT {
                return Err(Error::new(ErrorKind::FileTooLarge, "the skeleton is too large"));
            }
            self.entry(list.as_fd(), to, name, depth)?;
        }
        Ok(())
    }

    fn entry(
        &mut self,
        from: BorrowedFd<'_>,
        to: BorrowedFd<'_>,
        name: &OsStr,
        depth: u32,
    ) -> io::Result<()> {
        let stat = fstatat(from, name, AtFlags::AT_SYMLINK_NOFOLLOW)?;
        let kind = SFlag::from_bits_truncate(stat.st_mode & SFlag::S_IFMT.bits());
        if kind == SFlag::S_IFDIR {
            mkdirat(to, name, Mode::S_IRWXU)?;
            let made = openat(to, name, directory_flags(), Mode::empty())?;
            self.directory(openat(from, name, directory_flags(), Mode::empty())?, made.as_fd(), depth + 1)?;
            return give(self.home, made.as_fd(), stat.st_mode);
        }
        if kind == SFlag::S_IFLNK {
            let target = readlinkat(from, name)?;
            symlinkat(target.as_os_str(), to, name)?;
            let (uid, gid) = (Some(self.home.uid), Some(self.home.gid));
            return Ok(fchownat(to, name, uid, gid, AtFlags::AT_SYMLINK_NOFOLLOW)?);
        }
        if kind != SFlag::S_IFREG {
            return Ok(());
        }
        let read = OFlag::O_RDONLY | OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK | OFlag::O_CLOEXEC;
        let write = OFlag::O_WRONLY | OFlag::O_CREAT | OFlag::O_EXCL | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
        let mut source = File::from(openat(from, name, read, Mode::empty())?);
        let mut made = File::from(openat(to, name, write, Mode::S_IRUSR | Mode::S_IWUSR)?);
        io::copy(&mut source, &mut made)?;
        give(self.home, made.as_fd(), stat.st_mode)
    }
}

/// Gives the home its name, unless that is taken by now.
fn rename(parent: &OwnedFd, temporary: &OsStr, name: &OsStr) -> io::Result<bool> {
    match renameat2(parent, temporary, parent, name, RenameFlags::RENAME_NOREPLACE) {
        Ok(()) => Ok(true),
        Err(Errno::EEXIST) => Ok(false),
        // Some file systems do not know this. Without it nothing can be replaced but an empty directory.
        Err(Errno::EINVAL) if exists(parent, name)? => Ok(false),
        Err(Errno::EINVAL) => Ok(renameat(parent, temporary, parent, name).map(|()| true)?),
        Err(error) => Err(error.into()),
    }
}

fn remove_tree(parent: BorrowedFd<'_>, name: &OsStr, depth: u32) -> io::Result<()> {
    if depth > DEPTH_LIMIT {
        return Err(Error::new(ErrorKind::FileTooLarge, "too deep"));
    }
    let mut list = Dir::from_fd(openat(parent, name, directory_flags(), Mode::empty())?)?;
    let names: Vec<OsString> = list
        .iter()
        .map(|entry| entry.map(|entry| OsStr::from_bytes(entry.file_name().to_bytes()).to_owned()))
        .collect::<nix::Result<_>>()?;
    for inner in names.iter().filter(|name| *name != "." && *name != "..") {
        match unlinkat(list.as_fd(), inner.as_os_str(), UnlinkatFlags::NoRemoveDir) {
            Err(Errno::EISDIR) => remove_tree(list.as_fd(), inner, depth + 1)?,
            other => other?,
        }
    }
    Ok(unlinkat(parent, name, UnlinkatFlags::RemoveDir)?)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

    use netinfo_testkit::namespace::need_root;
    use tempfile::TempDir;

    use super::*;

    fn setting() -> TempDir {
        need_root("homes are made by the superuser");
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir_all(dir.path().join("skel/sub")).unwrap();
        fs::write(dir.path().join("skel/.profile"), "text").unwrap();
        fs::write(dir.path().join("skel/sub/tool"), "#!").unwrap();
        fs::set_permissions(dir.path().join("skel/sub/tool"), fs::Permissions::from_mode(0o6755)).unwrap();
        symlink(".profile", dir.path().join("skel/link")).unwrap();
        dir
    }

    fn make_in(dir: &TempDir, path: &str, umask: u32) -> io::Result<bool> {
        let (path, skel) = (dir.path().join(path), dir.path().join("skel"));
        make(&Home { path: &path, uid: Uid::from_raw(4711), gid: Gid::from_raw(4712), umask, skel: &skel })
    }

    fn facts(path: &Path) -> (u32, u32, u32) {
        let stat = fs::symlink_metadata(path).unwrap();
        (stat.uid(), stat.gid(), stat.mode() & 0o7777)
    }

    fn names(path: &Path) -> Vec<String> {
        let mut names: Vec<String> =
            fs::read_dir(path).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn a_home_is_the_skeleton_and_the_users() {
        let dir = setting();
        assert!(make_in(&dir, "home/alice", 0o077).unwrap());
        let home = dir.path().join("home/alice");
        assert_eq!(facts(&home), (4711, 4712, 0o700));
        assert_eq!(facts(&home.join(".profile")), (4711, 4712, 0o600));
        assert_eq!(facts(&home.join("sub/tool")), (4711, 4712, 0o700));
        assert_eq!(facts(&home.join("link")).0, 4711);
        assert_eq!(fs::read_link(home.join("link")).unwrap(), Path::new(".profile"));
        assert_eq!(fs::read_to_string(home.join(".profile")).unwrap(), "text");
        assert_eq!(facts(&dir.path().join("home")), (0, 0, 0o755));
        assert_eq!(names(&dir.path().join("home")), ["alice"]);
        assert!(make_in(&dir, "home/bob", 0o022).unwrap());
        assert_eq!(facts(&dir.path().join("home/bob")).2, 0o755);
    }

    #[test]
    fn what_is_there_stays() {
        let dir = setting();
        fs::create_dir(dir.path().join("home")).unwrap();
        fs::write(dir.path().join("home/file"), "").unwrap();
        symlink("/nowhere", dir.path().join("home/dangling")).unwrap();
        for name in ["home/file", "home/dangling", "home"] {
            assert!(!make_in(&dir, name, 0o077).unwrap(), "{name}");
        }
        assert_eq!(names(&dir.path().join("home")), ["dangling", "file"]);
    }

    #[test]
    fn links_are_not_followed() {
        let dir = setting();
        fs::create_dir(dir.path().join("elsewhere")).unwrap();
        symlink(dir.path().join("elsewhere"), dir.path().join("home")).unwrap();
        let error = make_in(&dir, "home/alice", 0o077).unwrap_err();
        assert!(error.to_string().contains("is a link"), "{error}");
        assert!(names(&dir.path().join("elsewhere")).is_empty());
        for path in ["../alice", "home/../alice"] {
            assert_eq!(make_in(&dir, path, 0).unwrap_err().kind(), ErrorKind::InvalidInput, "{path}");
        }
        let home = Home {
            path: Path::new("/"),
            uid: Uid::from_raw(1),
            gid: Gid::from_raw(1),
            umask: 0,
            skel: dir.path(),
        };
        assert!(make(&home).is_err() && make(&Home { path: Path::new("relative"), ..home }).is_err());
    }

    #[test]
    fn nothing_is_left_of_a_home_that_cannot_be_made() {
        let dir = setting();
        let mut deep = dir.path().join("skel");
        for _ in 0..=DEPTH_LIMIT {
            deep.push("d");
        }
        fs::create_dir_all(&deep).unwrap();
        assert!(make_in(&dir, "home/alice", 0o077).unwrap_err().to_string().contains("too large"));
        assert!(names(&dir.path().join("home")).is_empty());
        fs::remove_dir_all(dir.path().join("skel")).unwrap();
        assert!(make_in(&dir, "home/alice", 0o077).unwrap(), "a skeleton is not needed");
    }
}
