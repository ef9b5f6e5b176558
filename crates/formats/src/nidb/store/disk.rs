//! The steps by which records come into the files and leave them.

use std::collections::BTreeMap;
use std::io;

use crate::nidb::codec::class_of;
use crate::nidb::files::FolderMut;
use crate::nidb::layout::{CLEAN, CREATE, DELETE, INDEX, INDEX_ENTRY_BYTES, TEMP, TEMP_INDEX, store_name};
use crate::nidb::load::index_entry;
use crate::nidb::scan::Location;
use crate::nidb::stored::StoredRecord;
use crate::nidb::write::ByteOrder;

/// The files, and which slots of them are in use.
#[derive(Debug)]
pub(super) struct Disk {
    pub(super) files: Box<dyn FolderMut>,
    places: BTreeMap<u32, Location>,
    occupied: BTreeMap<usize, Slots>,
    /// The byte order of `Clean` and `Delete`.
    order: ByteOrder,
}

/// The slots of a store file.
#[derive(Debug, Default)]
struct Slots {
    occupied: Vec<bool>,
    /// No slot before this one is free.
    hint: usize,
}

impl Slots {
    /// The first free slot, or one behind the last.
    fn take(&mut self) -> usize {
        let free = self.occupied[self.hint..].iter().position(|occupied| !occupied);
        let slot = free.map_or(self.occupied.len(), |free| self.hint + free);
        match self.occupied.get_mut(slot) {
            Some(occupied) => *occupied = true,
            None => self.occupied.push(true),
        }
        self.hint = slot + 1;
        slot
    }

    fn release(&mut self, slot: usize) {
        if let Some(occupied) = self.occupied.get_mut(slot) {
            *occupied = false;
            self.hint = self.hint.min(slot);
        }
    }
}

impl Disk {
    pub(super) fn new(
        files: Box<dyn FolderMut>,
        places: BTreeMap<u32, Location>,
        occupied: BTreeMap<usize, Vec<bool>>,
        order: ByteOrder,
    ) -> Self {
        let occupied =
            occupied.into_iter().map(|(class, occupied)| (class, Slots { occupied, hint: 0 })).collect();
        Self { files, places, occupied, order }
    }

    /// Saves the block of a record. Until `Create` has its name the old state counts, from then on the new one:
    /// whoever opens the folder next does the rest.
    pub(super) fn save(&mut self, id: u32, block: &[u8]) -> io::Result<()> {
        self.files.write(TEMP, block)?;
        self.files.remove(CLEAN)?;
        self.files.rename(TEMP, CREATE)?;
        self.files.sync()?;
        if let Some(old) = self.places.get(&id).copied() {
            self.files.write(DELETE, &self.order.bytes(id))?;
            self.clear(old)?;
            self.places.remove(&id);
            self.files.remove(DELETE)?;
        }
        self.put(id, block)?;
        self.files.remove(CREATE)?;
        self.files.touch()
    }

    /// Writes a block into a free slot of its class.
    pub(super) fn put(&mut self, id: u32, block: &[u8]) -> io::Result<()> {
        let class = class_of(block.len());
        let slot = self.occupied.entry(class).or_default().take();
        let mut bytes = block.to_vec();
        bytes.resize(class, 0);
        self.files.write_at(&store_name(class), offset(class, slot), &bytes)?;
        self.places.insert(id, Location { class, slot });
        Ok(())
    }

    /// Removes a record.
    pub(super) fn erase(&mut self, id: u32) -> io::Result<()> {
        let Some(old) = self.places.get(&id).copied() else { return Ok(()) };
        self.files.remove(CLEAN)?;
        self.files.write(DELETE, &self.order.bytes(id))?;
        self.files.sync()?;
        self.clear(old)?;
        self.places.remove(&id);
        self.files.remove(DELETE)?;
        self.files.touch()
    }

    /// Fills a slot with zeros, and its beginning first: half of it is as good as all.
    pub(super) fn clear(&mut self, at: Location) -> io::Result<()> {
        self.files.write_at(&store_name(at.class), offset(at.class, at.slot), &vec![0; at.class])?;
        if let Some(slots) = self.occupied.get_mut(&at.class) {
            slots.release(at.slot);
        }
        Ok(())
    }

    /// Empties the slot of a record without more ado, for a recovery that can be done again.
    pub(super) fn drop_record(&mut self, id: u32) -> io::Result<()> {
        match self.places.remove(&id) {
            Some(old) => self.clear(old),
            None => Ok(()),
        }
    }

    /// Writes `Index`, and `Clean` if the byte order is known.
    pub(super) fn finish(
        &mut self,
        records: &BTreeMap<u32, StoredRecord>,
        checksum: u32,
        clean: Option<ByteOrder>,
    ) -> io::Result<()> {
        let mut index = Vec::with_capacity(records.len() * INDEX_ENTRY_BYTES);
        for (record, at) in records.values().zip(self.places.values()) {
            index.extend_from_slice(&index_entry(record, *at));
        }
        self.files.write(TEMP_INDEX, &index)?;
        self.files.rename(TEMP_INDEX, INDEX)?;
        match clean {
            Some(order) => self.files.write(CLEAN, &order.bytes(checksum))?,
            None => self.files.remove(CLEAN)?,
        }
        self.files.touch()?;
        self.files.sync()
    }
}

fn offset(class: usize, slot: usize) -> u64 {
    class as u64 * slot as u64
}
