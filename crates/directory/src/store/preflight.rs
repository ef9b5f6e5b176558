//! Examination of a data directory before LMDB maps its file.
//!
//! LMDB trusts its file: a truncated one ends in a bus error, a foreign one in nonsense. So the file's meta pages are
//! read with ordinary reads first, and anything odd is refused in words.

use std::fs::{self, DirBuilder, File};
use std::io::ErrorKind;
use std::os::unix::fs::{DirBuilderExt, FileExt, MetadataExt, OpenOptionsExt};
use std::path::Path;

use nix::sys::statfs::statfs;

use super::{DATA_FILE, READERS_FILE, pages};
use crate::error::{Error, Result};

/// Magic number of an LMDB meta page.
const LMDB_MAGIC: u32 = 0xBEEF_C0DE;
/// Version of LMDB's data format that this program's LMDB reads.
const LMDB_FORMAT: u32 = 1;

/// A disk with fewer bytes left is called full where LMDB gives no reason for a failed write.
const FULL: u64 = 256 << 10;

/// Filesystems whose locks and memory maps do not hold what LMDB needs: magic number, name.
const NETWORK_FILESYSTEMS: [(i64, &str); 9] = [
    (0x6969, "NFS"),
    (0x517B, "SMB"),
    (0xFF53_4D42, "CIFS"),
    (0xFE53_4D42, "SMB2"),
    (0x0102_1997, "9p"),
    (0x5346_414F, "AFS"),
    (0x00C3_6400, "Ceph"),
    (0x0BD0_0BD0, "Lustre"),
    (0x7461_636F, "OCFS2"),
];

/// The two facts of a meta page that matter here.
pub(super) struct Meta {
    pub(super) page_size: u64,
    pub(super) last_page: u64,
    pub(super) transaction: u64,
    pub(super) free_root: u64,
    pub(super) main_root: u64,
}

/// Makes the directory of a new store (mode 0700).
pub(crate) fn make_directory(path: &Path) -> Result<()> {
    match DirBuilder::new().mode(0o700).create(path) {
        Ok(()) => {}
        Err(e) if e.kind() == ErrorKind::AlreadyExists && is_empty(path) => {}
        Err(e) => return Err(Error::Unusable(format!("cannot create {}: {e}", path.display()))),
    }
    local_filesystem(path)
}

fn is_empty(path: &Path) -> bool {
    fs::read_dir(path).is_ok_and(|mut entries| entries.next().is_none())
}

/// Refuses a network filesystem.
pub(crate) fn local_filesystem(path: &Path) -> Result<()> {
    let kind = statfs(path)
        .map_err(|e| Error::Unusable(format!("cannot examine {}: {e}", path.display())))?
        .filesystem_type()
        .0;
    match NETWORK_FILESYSTEMS.iter().find(|(magic, _)| *magic == kind as i64) {
        Some((_, name)) => Err(Error::Unusable(format!(
            "{} is on a network filesystem ({name}), where the store is not safe; use a local disk",
            path.display()
        ))),
        None => Ok(()),
    }
}

/// Whether an error says that the disk or the quota is full.
pub(crate) fn is_full(error: &std::io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::ENOSPC | libc::EDQUOT))
}

/// Whether the filesystem of `path` has next to no room left.
pub(crate) fn disk_is_full(path: &Path) -> bool {
    nix::sys::statvfs::statvfs(path)
        .is_ok_and(|s| s.blocks_available().saturating_mul(s.fragment_size()) < FULL)
}

/// Takes disk blocks for all of LMDB's lock file, `size` bytes. LMDB makes it sparse and writes to it through a memory
/// map, where a full disk shows as a bus error the first time that many readers come.
pub(crate) fn reserve_lock_file(path: &Path, size: u64) -> Result<()> {
    let file_path = path.join(READERS_FILE);
    let refuse = |e: std::io::Error| match is_full(&e) {
        true => Error::from(e),
        false => Error::Unusable(format!("cannot prepare {}: {e}", file_path.display())),
    };
    let mut options = File::options();
    options.read(true).write(true).create(true).truncate(false).mode(0o600);
    let file = options.open(&file_path).map_err(refuse)?;
    match nix::fcntl::posix_fallocate(&file, 0, size as libc::off_t) {
        // A filesystem that cannot reserve leaves things as LMDB has them.
        Ok(()) | Err(nix::Error::EOPNOTSUPP | nix::Error::ENOSYS | nix::Error::EINVAL) => Ok(()),
        Err(e) => Err(refuse(e.into())),
    }
}

/// Refuses a store that is missing, foreign, truncated, from another LMDB version, or not writable.
pub(crate) fn examine(path: &Path) -> Result<()> {
    local_filesystem(path)?;
    let file_path = path.join(DATA_FILE);
    let refuse = |why: &str| Error::Unusable(format!("{}: {why}", file_path.display()));
    let file = File::options().read(true).write(true).open(&file_path).map_err(|e| match e.kind() {
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => {
            refuse("the data directory is read-only for this user; the store needs to write")
        }
        ErrorKind::NotFound => refuse("missing: the directory holds no domain"),
        _ => refuse(&format!("cannot be opened: {e}")),
    })?;
    let size = file.metadata()?.size();
    let meta = newest_meta(&file)
        .ok_or_else(|| refuse("not a NetInfo domain (foreign or truncated file); restore a backup"))?;
    let needed = (meta.last_page + 1) * meta.page_size;
    // LMDB may leave pages at the end unwritten when they were allocated and given back in one transaction:
    // a short file is truncated only if a page that is in use lies past its end.
    if size < needed
        && pages::highest_used(&file, &meta).is_none_or(|page| (page + 1) * meta.page_size > size)
    {
        return Err(refuse(&format!("truncated: {size} bytes where {needed} are needed; restore a backup")));
    }
    Ok(())
}

/// The newer of the two meta pages, if the file has a valid one.
fn newest_meta(file: &File) -> Option<Meta> {
    let first = meta_at(file, 0)?;
    let second = meta_at(file, first.page_size)?;
    Some(if second.transaction > first.transaction { second } else { first })
}

/// Reads the meta page at `offset`: page header (16 bytes), magic, version, address, map size, two table descriptions
/// of 48 bytes, last page, transaction.
fn meta_at(file: &File, offset: u64) -> Option<Meta> {
    let mut page = [0u8; 152];
    file.read_exact_at(&mut page, offset).ok()?;
    let u32_at = |at: usize| u32::from_ne_bytes([page[at], page[at + 1], page[at + 2], page[at + 3]]);
    let u64_at = |at: usize| {
        let mut b = [0; 8];
        b.copy_from_slice(&page[at..at + 8]);
        u64::from_ne_bytes(b)
    };
    if u32_at(16) != LMDB_MAGIC || u32_at(20) != LMDB_FORMAT {
        return None;
    }
    let page_size = u64::from(u32_at(40));
    if !page_size.is_power_of_two() || !(512..=65_536).contains(&page_size) {
        return None;
    }
    let last_page = u64_at(136);
    last_page.checked_add(1)?.checked_mul(page_size)?;
    Some(Meta {
        page_size,
        last_page,
        transaction: u64_at(144),
        free_root: u64_at(80),
        main_root: u64_at(128),
    })
}
