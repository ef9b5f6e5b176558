//! Giving the data directory away.

use std::ffi::{CStr, CString};
use std::io;
use std::path::Path;

use nix::dir::Dir;
use nix::errno::Errno;
use nix::fcntl::{AtFlags, OFlag, openat};
use nix::sys::stat::{Mode, SFlag, fstat};
use nix::unistd::{Gid, Uid, fchown, fchownat};

use super::PrivilegeError;

/// Deepest nesting of directories below the one that is given away.
pub const MAX_TREE_DEPTH: usize = 16;

const DIRECTORY: OFlag =
    OFlag::O_DIRECTORY.union(OFlag::O_NOFOLLOW).union(OFlag::O_RDONLY).union(OFlag::O_CLOEXEC);

/// Gives `dir` and everything below it to `uid` and `gid`. Symbolic links are given away themselves, never
/// followed, and every step goes through an open directory, so that nobody can lead it elsewhere.
///
/// # Errors
/// [`PrivilegeError::Step`] naming the path; also for a file with further hard links, which could be
/// somebody else's, and for more than [`MAX_TREE_DEPTH`] levels.
pub fn chown_tree(dir: &Path, uid: Uid, gid: Gid) -> Result<(), PrivilegeError> {
    let open = Dir::open(dir, DIRECTORY, Mode::empty()).map_err(|errno| failed(dir, errno.into()))?;
    directory(open, dir, Owner { uid, gid }, 0)
}

#[derive(Clone, Copy)]
struct Owner {
    uid: Uid,
    gid: Gid,
}

fn directory(mut dir: Dir, path: &Path, owner: Owner, depth: usize) -> Result<(), PrivilegeError> {
    if depth > MAX_TREE_DEPTH {
        return Err(failed(path, io::Error::other("directories are nested too deeply")));
    }
    let names: nix::Result<Vec<CString>> =
        dir.iter().map(|entry| entry.map(|entry| entry.file_name().to_owned())).collect();
    for name in names.map_err(|errno| failed(path, errno.into()))? {
        if !matches!(name.to_bytes(), b"." | b"..") {
            let below = path.join(name.to_string_lossy().as_ref());
            if let Some(inner) = entry(&dir, &name, owner).map_err(|error| failed(&below, error))? {
                directory(inner, &below, owner, depth + 1)?;
            }
        }
    }
    fchown(&dir, Some(owner.uid), Some(owner.gid)).map_err(|errno| failed(path, errno.into()))
}

/// Gives one entry of `dir` away; a directory is opened and returned instead.
fn entry(dir: &Dir, name: &CStr, owner: Owner) -> io::Result<Option<Dir>> {
    // All that follows concerns this descriptor: the name may stand for something else at any time.
    let entry = match openat(dir, name, OFlag::O_PATH | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC, Mode::empty()) {
        Err(Errno::ENOENT) => return Ok(None),
        other => other?,
    };
    let stat = fstat(&entry)?;
    if SFlag::from_bits_truncate(stat.st_mode) & SFlag::S_IFMT == SFlag::S_IFDIR {
        return Ok(Some(Dir::openat(&entry, c".", DIRECTORY, Mode::empty())?));
    }
    if (stat.st_uid, stat.st_gid) == (owner.uid.as_raw(), owner.gid.as_raw()) {
        return Ok(None);
    }
    if stat.st_nlink > 1 {
        return Err(io::Error::other("the file has further names (hard links)"));
    }
    fchownat(&entry, c"", Some(owner.uid), Some(owner.gid), AtFlags::AT_EMPTY_PATH)?;
    Ok(None)
}

fn failed(path: &Path, source: io::Error) -> PrivilegeError {
    PrivilegeError::Step { step: format!("give {} to its user", path.display()), source }
}
