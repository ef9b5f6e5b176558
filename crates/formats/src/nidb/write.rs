//! Making folders.

use std::path::Path;

use super::database::Database;
use super::error::{StoreError, StoreErrorKind};
use crate::Loss;

/// The byte order of a processor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ByteOrder {
    /// 68k, PowerPC.
    Big,
    /// Intel.
    Little,
}

impl ByteOrder {
    /// That of this machine.
    pub const HOST: Self = if cfg!(target_endian = "big") { Self::Big } else { Self::Little };

    pub(crate) const fn other(self) -> Self {
        match self {
            Self::Big => Self::Little,
            Self::Little => Self::Big,
        }
    }

    pub(crate) const fn bytes(self, number: u32) -> [u8; 4] {
        match self {
            Self::Big => number.to_be_bytes(),
            Self::Little => number.to_le_bytes(),
        }
    }
}

/// How a folder is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct WriteOptions {
    /// Replace a folder that exists.
    pub replace: bool,
    /// Modern layout: write `Index`, and `Clean` in the byte order of the machine that shall read the folder. Without
    /// them every server makes its own when it first opens the folder.
    pub index_for: Option<ByteOrder>,
}

/// Writes the directories as a folder of the modern layout. The folder is made as `TAG.temp` beside its place and
/// renamed, so that there is never half of it. Versions are kept if they are distinct, and given anew if not.
///
/// # Errors
///
/// `WriteFailed`, also if the folder exists and is not to be replaced; `NoRootRecord`; `ConstraintViolation` if the
/// directories are no tree.
pub fn write_modern(
    database: &Database,
    folder: &Path,
    options: WriteOptions,
) -> Result<Vec<Loss>, StoreError> {
    let _ = (database, folder, options);
    Err(StoreErrorKind::Failed.into())
}

/// The same as a folder of the legacy layout, with slots of 512 bytes.
///
/// # Errors
///
/// As [`write_modern`]; also `InvalidRecord` if the highest id would make the file too large.
pub fn write_legacy(
    database: &Database,
    folder: &Path,
    options: WriteOptions,
) -> Result<Vec<Loss>, StoreError> {
    let _ = (database, folder, options);
    Err(StoreErrorKind::Failed.into())
}
