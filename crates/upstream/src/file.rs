//! Files of what is remembered: whole, with a checksum, replaced at once, readable for the daemon's account only.
//!
//! ```text
//! 16 bytes  "netinfo parent\n" and the kind: "c" records, "l" logins
//! u32       version of the format, 1
//! u32       CRC-32C of all that follows
//! opaque    the parent, as it is written in a binding
//! ...       content (XDR)
//! ```

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use netinfo_wire::xdr::{Reader, put_opaque, put_u32};

use crate::item::fnv;
use crate::limits::MAX_FILE;

const MAGIC: &[u8; 15] = b"netinfo parent\n";
const VERSION: u32 = 1;
/// Bytes before what the checksum covers.
const HEADER: usize = MAGIC.len() + 1 + 4 + 4;
/// Longest name of a parent.
const MAX_NAME: u32 = 64 << 10;

/// What a file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Records.
    Records,
    /// Verifiers of passwords.
    Logins,
}

impl Kind {
    const fn letter(self) -> u8 {
        match self {
            Self::Records => b'c',
            Self::Logins => b'l',
        }
    }

    const fn ending(self) -> &'static str {
        match self {
            Self::Records => "records",
            Self::Logins => "logins",
        }
    }
}

/// The file of a parent in a directory.
pub(crate) fn path(folder: &Path, parent: &str, kind: Kind) -> PathBuf {
    folder.join(format!("{:016x}.{}", fnv(parent.as_bytes()), kind.ending()))
}

/// The content of a file; `None` if there is none, or one that is of no use.
pub(crate) fn read(folder: &Path, parent: &str, kind: Kind) -> Option<Vec<u8>> {
    let path = path(folder, parent, kind);
    let mut bytes = Vec::new();
    let read = File::open(&path).and_then(|file| file.take(MAX_FILE + 1).read_to_end(&mut bytes));
    match read {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return None,
        Err(error) => {
            tracing::warn!("what is remembered of {parent} cannot be read: {}: {error}", path.display());
            return None;
        }
        Ok(_) => {}
    }
    let content = open(&bytes, parent, kind).map(<[u8]>::to_vec);
    if content.is_none() {
        tracing::warn!("what is remembered of {parent} is damaged and begun anew: {}", path.display());
    }
    content
}

fn open<'b>(bytes: &'b [u8], parent: &str, kind: Kind) -> Option<&'b [u8]> {
    if bytes.len() as u64 > MAX_FILE {
        return None;
    }
    let (header, body) = bytes.split_at_checked(HEADER)?;
    let rest = header.strip_prefix(MAGIC)?.strip_prefix(&[kind.letter()])?;
    let mut numbers = Reader::new(rest);
    if numbers.u32().ok()? != VERSION || numbers.u32().ok()? != crc32c::crc32c(body) {
        return None;
    }
    let mut r = Reader::new(body);
    (r.opaque(MAX_NAME).ok()? == parent.as_bytes()).then(|| r.remaining())
}

/// Replaces a file.
pub(crate) fn write(folder: &Path, parent: &str, kind: Kind, content: &[u8]) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    let mut body = Vec::with_capacity(content.len() + parent.len() + 8);
    put_opaque(&mut body, parent.as_bytes());
    body.extend_from_slice(content);
    let mut header = [&MAGIC[..], &[kind.letter()]].concat();
    put_u32(&mut header, VERSION);
    put_u32(&mut header, crc32c::crc32c(&body));
    let path = path(folder, parent, kind);
    let new = path.with_extension(format!("{}.new", kind.ending()));
    // Not one that somebody else has opened, nor one with other permissions.
    match fs::remove_file(&new) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&new)?;
    file.write_all(&header)?;
    file.write_all(&body)?;
    file.sync_all()?;
    fs::rename(&new, &path)?;
    File::open(folder)?.sync_all()
}

/// Removes a file, if there is one.
pub(crate) fn remove(folder: &Path, parent: &str, kind: Kind) -> io::Result<()> {
    match fs::remove_file(path(folder, parent, kind)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn whole_or_not_at_all() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().join("made");
        let of = |parent: &str, kind| read(&folder, parent, kind);
        assert_eq!(of("network@10.0.0.1", Kind::Records), None);
        write(&folder, "network@10.0.0.1", Kind::Records, b"some").unwrap();
        write(&folder, "network@10.0.0.1", Kind::Records, b"content").unwrap();
        assert_eq!(of("network@10.0.0.1", Kind::Records).as_deref(), Some(&b"content"[..]));
        assert_eq!(of("network@10.0.0.1", Kind::Logins), None);
        let path = path(&folder, "network@10.0.0.1", Kind::Records);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let good = fs::read(&path).unwrap();
        for at in 0..good.len() {
            let mut bad = good.clone();
            bad[at] ^= 1;
            assert_eq!(open(&bad, "network@10.0.0.1", Kind::Records), None, "{at}");
            assert_eq!(open(&good[..at], "network@10.0.0.1", Kind::Records), None, "{at}");
        }
        assert_eq!(open(&good, "other", Kind::Records), None);
        remove(&folder, "network@10.0.0.1", Kind::Records).unwrap();
        remove(&folder, "network@10.0.0.1", Kind::Logins).unwrap();
        assert_eq!(of("network@10.0.0.1", Kind::Records), None);
    }
}
