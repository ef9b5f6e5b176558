//! The store's file in the system's page cache.
//!
//! A load writes runs of many pages, and the system keeps such a run as one large piece of cache. From then on a commit
//! that writes single pages, as all small changes do, costs many times as much for each: the system prepares, marks and
//! writes back by the piece. (Measured with Linux 6.18 and ext4: four times the time of a commit, five times the
//! processor time.) So a load ends by taking its file out of the cache; read back at random, or with that advice, it
//! comes in pages.

use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::thread;

use nix::fcntl::{PosixFadviseAdvice, posix_fadvise};

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
        let info = self.env.info();
        let mapped = info.map_size.min(usize::try_from(file.metadata()?.len()).unwrap_or(usize::MAX));
        // What is mapped cannot leave the cache.
        // SAFETY: the range is within the map, which lives as long as the environment. The map is shared and of a
        // file, and LMDB never writes through it: what the advice drops comes back from the file at the next access.
        if unsafe { libc::madvise(info.map_addr.cast(), mapped, libc::MADV_DONTNEED) } != 0 {
            return Err(std::io::Error::last_os_error());
        }
        posix_fadvise(&file, 0, 0, PosixFadviseAdvice::POSIX_FADV_DONTNEED)?;
        Ok(file)
    }
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
