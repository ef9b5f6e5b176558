//! One property of one directory, in a folder of either layout.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;

use super::codec::MAX_RECORD_BYTES;
use super::database::{Database, Directory, Layout};
use super::error::{StoreError, StoreErrorKind};
use super::files::{Folder, FolderMut, OsFolder};
use super::layout::{COLLECTION, EXTENSION, SMALL_COLLECTION};
use super::legacy::{self, SLOT_BYTES, SMALL_SLOT_BYTES};
use super::load;
use super::store::{self, Mode, Store};

/// A file on its way to its place.
const NEW: &str = ".new";

/// Sets a property of a directory to some values, or removes it. It keeps its place among the properties; the instance
/// of the directory is counted up. Whether anything changed.
///
/// A crash leaves the old state or the new one. The next server takes a changed folder of the modern layout over as if
/// its machine had crashed, unless the folder tells in which byte order that writes `Clean`.
///
/// # Errors
///
/// As [`Store::open`] and [`Store::set_property`]; `NoRootRecord`. In the legacy layout `InvalidRecord` if the folder
/// has no slot for the directory.
pub fn set_property(
    folder: &Path,
    id: u32,
    name: &[u8],
    values: Option<&[Vec<u8>]>,
) -> Result<bool, StoreError> {
    let (files, _) = load::open(folder)?;
    let layout = load::layout(&files)?;
    drop(files);
    if layout != Layout::Modern {
        return set_legacy(folder, id, name, values);
    }
    let mut store = Store::open(folder, Mode::ReadWrite)?;
    store.set_byte_order(store.byte_order());
    let changed = match values {
        Some(values) => store.set_property(id, name, values).map(|()| true),
        None => store.remove_property(id, name),
    };
    // A refused change is no reason to leave the folder open.
    store.close()?;
    changed
}

fn set_legacy(folder: &Path, id: u32, name: &[u8], values: Option<&[Vec<u8>]>) -> Result<bool, StoreError> {
    store::check_texts(name, values.unwrap_or_default())?;
    let mut directory = Database::read(folder)?
        .directories
        .remove(&id)
        .ok_or_else(|| StoreError::about(StoreErrorKind::InvalidPath, format!("no directory {id}")))?;
    let mut new = values.map(<[Vec<u8>]>::to_vec);
    let before = directory.properties.len();
    directory
        .properties
        .retain_mut(|(found, values)| found != name || new.take().map(|new| *values = new).is_some());
    if values.is_none() && directory.properties.len() == before {
        return Ok(false);
    }
    directory.properties.extend(new.map(|values| (name.to_vec(), values)));
    directory.instance = directory.instance.wrapping_add(1);
    let files = OsFolder::new(folder).map_err(|error| failed("the folder", error))?;
    save_slot(files, &directory)?;
    Ok(true)
}

/// Puts a directory into its slot, and into its extension file if it is too large for that.
///
/// Where there is an extension file, it counts: so it comes first and goes last.
fn save_slot(mut files: OsFolder, directory: &Directory) -> Result<(), StoreError> {
    let (name, slot_bytes) = match load::layout(&files)? {
        Layout::Collection256 => (SMALL_COLLECTION, SMALL_SLOT_BYTES),
        Layout::Collection512 | Layout::Modern => (COLLECTION, SLOT_BYTES),
    };
    let mut slot = legacy::encode(directory);
    if slot.len() > MAX_RECORD_BYTES {
        let detail = format!("directory {} is larger than {MAX_RECORD_BYTES} bytes", directory.id);
        return Err(StoreError::about(StoreErrorKind::InvalidRecord, detail));
    }
    let offset = u64::from(directory.id) * slot_bytes as u64;
    let length = files.info(name).map_err(|error| failed(name, error))?.map_or(0, |info| info.bytes);
    if offset + slot_bytes as u64 > length {
        let detail = format!("directory {} has no slot", directory.id);
        return Err(StoreError::about(StoreErrorKind::InvalidRecord, detail));
    }
    let extension = format!("{EXTENSION}{}", directory.id);
    let large = slot.len() > slot_bytes;
    if large {
        let new = format!("{extension}{NEW}");
        files.write(&new, &slot).map_err(|error| failed(&extension, error))?;
        files.rename(&new, &extension).map_err(|error| failed(&extension, error))?;
        files.sync().map_err(|error| failed(&extension, error))?;
    }
    slot.resize(slot_bytes, 0);
    let new = format!("{name}{NEW}");
    let copied = files.create(&new).and_then(|file| copy_with(&files, name, file, offset, &slot));
    copied.map_err(|error| failed(name, error))?;
    files.rename(&new, name).map_err(|error| failed(name, error))?;
    files.sync().map_err(|error| failed(name, error))?;
    if !large {
        files.remove(&extension).map_err(|error| failed(&extension, error))?;
        files.sync().map_err(|error| failed(&extension, error))?;
    }
    Ok(())
}

/// Copies a file with some of its bytes replaced.
fn copy_with(files: &OsFolder, name: &str, mut to: File, offset: u64, bytes: &[u8]) -> io::Result<()> {
    let mut from = files.open(name)?;
    io::copy(&mut (&mut from).take(offset), &mut to)?;
    to.write_all(bytes)?;
    io::copy(&mut (&mut from).take(bytes.len() as u64), &mut io::sink())?;
    io::copy(&mut from, &mut to)?;
    to.sync_all()
}

fn failed(name: &str, error: io::Error) -> StoreError {
    StoreError::io(StoreErrorKind::WriteFailed, name, error)
}
