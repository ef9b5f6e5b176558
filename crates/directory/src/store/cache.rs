//! The store's file in the system's page cache.
//!
//! A load writes runs of many pages, and the system keeps such a run as one large piece of cache. From then on a commit
//! that writes single pages, as all small changes do, costs many times as much for each: the system prepares, marks and
//! writes back by the piece. (Measured with Linux 6.18 and ext4: four times the time of a commit, five times the
//! processor time.) So a load ends by taking its file out of the cache; read back at random, or with that advice, it
//! comes in pages.

use std::fs::{self, File, Metadata};
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::thread;

use nix::fcntl::{PosixFadviseAdvice, posix_fadvise};
use nix::sys::stat::{major, minor};

use super::{DATA_FILE, Store};

/// Bytes of a file that are read back; a larger one may be more than there is memory for.
const READ_BACK: u64 = 4 << 30;
/// Bytes of one read.
const CHUNK: usize = 1 << 20;

impl Store {
    /// Takes the store's file out of the page cache and begins to read it back in pages. To be called when most of it has
    /// just been written, and no transaction is open. Nothing depends on its success.
    pub(crate) fn renew_cache(&self) {
        if let Err(error) = self.leave_cache().and_then(|file| read_back(&self.path, file)) {
            tracing::debug!(%error, path = %self.path.display(), "the page cache stays as it is");
        }
    }

    #[allow(unsafe_code)]
    fn leave_cache(&self) -> std::io::Result<File> {
        let file = File::open(self.path.join(DATA_FILE))?;
        // What is mapped cannot leave the cache.
        if let Some((start, len)) = mapped(&fs::read_to_string("/proc/self/maps")?, &file.metadata()?) {
            // SAFETY: the range is the map of this file, as the system tells it, and stays for as long as the environment
            // is open. The map is shared, and LMDB never writes through it: what the advice drops comes back from the file
            // at the next access.
            if unsafe { libc::madvise(start as *mut libc::c_void, len, libc::MADV_DONTNEED) } != 0 {
                return Err(std::io::Error::last_os_error());
            }
        }
        posix_fadvise(&file, 0, 0, PosixFadviseAdvice::POSIX_FADV_DONTNEED)?;
        Ok(file)
    }
}

/// Where this process has mapped a file, shared and to be read only: address and length, of a list as in
/// `/proc/self/maps`: `start-end permissions offset major:minor inode path`.
fn mapped(maps: &str, file: &Metadata) -> Option<(usize, usize)> {
    let device = format!("{:02x}:{:02x}", major(file.dev()), minor(file.dev()));
    let inode = file.ino().to_string();
    maps.lines().find_map(|line| {
        let mut fields = line.split_ascii_whitespace();
        let (start, end) = fields.next()?.split_once('-')?;
        let rest = [fields.next()?, fields.next()?, fields.next()?, fields.next()?];
        let same = rest[0] == "r--s" && rest[2] == device && rest[3] == inode;
        let (start, end) = (usize::from_str_radix(start, 16).ok()?, usize::from_str_radix(end, 16).ok()?);
        (same && start > 0).then_some((start, end.checked_sub(start)?))
    })
}

/// Reads a file on a thread of its own, so that the next look-ups find it in memory.
fn read_back(path: &Path, file: File) -> std::io::Result<()> {
    posix_fadvise(&file, 0, 0, PosixFadviseAdvice::POSIX_FADV_RANDOM)?;
    let name = path.file_stem().unwrap_or_default().to_string_lossy();
    thread::Builder::new().name(format!("warm {name}")).spawn(move || {
        let (mut room, mut file) = (vec![0; CHUNK], file.take(READ_BACK));
        while file.read(&mut room).is_ok_and(|read| read > 0) {}
    })?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_map_of_the_store_leaves_the_cache_and_is_read_again() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(&dir.path().join("x"), 1 << 20, true).unwrap();
        let file = File::open(store.path.join(DATA_FILE)).unwrap();
        let maps = || fs::read_to_string("/proc/self/maps").unwrap();
        let (start, len) = mapped(&maps(), &file.metadata().unwrap()).unwrap();
        assert!(start > 0 && len == 1 << 20, "{len}");
        let before = store.state(&store.env.read_txn().unwrap()).unwrap();
        assert!(store.leave_cache().is_ok());
        assert_eq!(store.state(&store.env.read_txn().unwrap()).unwrap(), before);
        store.renew_cache();
        let other = tempfile::tempfile().unwrap();
        assert_eq!(mapped(&maps(), &other.metadata().unwrap()), None);
        assert_eq!(mapped("nonsense\n1-2 r--s\n\n", &other.metadata().unwrap()), None);
    }
}
