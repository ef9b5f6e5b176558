//! The published table, mapped into this process.
//!
//! A look-up costs no system call as long as the table that is mapped is live. Mappings are in slots; a reader *pins*
//! the slot it reads from, so that nobody unmaps it meanwhile. Nobody waits: who finds the mapping of a new table under
//! way in another thread asks the daemon instead.
//!
//! After a fork, pins of threads that are no more stay for ever, and cost the child one of its slots. What such a thread was
//! about to change is of no use to the child; it forgets it and leaves alone what was mapped there.

use std::cell::UnsafeCell;
use std::ffi::CStr;
use std::mem::{MaybeUninit, size_of};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::ptr;
use std::slice;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};

use netinfo_table::status::{LIVE, PAGE, STATE_AT, Status};
use netinfo_table::{MAX_IMAGE, Table};

/// Tables that may be mapped at once: the current one and those still being read.
const SLOTS: usize = 16;
/// No slot.
const NONE: usize = usize::MAX;

/// Longest file of which the checksum is verified wherever it is. To read a larger one through would cost each new process
/// more than it asks for; that is done where a file may have come through a crash, and nothing in memory (tmpfs) has.
const ALWAYS_VERIFIED: usize = 4 << 20;

/// Where the table is, and the directory it is in.
const PATH: &CStr = c"/run/netinfo/table";
const DIRECTORY: &CStr = c"/run/netinfo";

static MAPS: [Slot; SLOTS] = [const { Slot { pins: AtomicU32::new(0), map: UnsafeCell::new(None) } }; SLOTS];
/// The slot of the newest table.
static CURRENT: AtomicUsize = AtomicUsize::new(NONE);
/// The process that is changing slots, or 0. A child finds its parent there if it was forked meanwhile, and takes over.
static CHANGING: AtomicU32 = AtomicU32::new(0);
/// What was wrong, so that it is not read through once more as long as it stays the same. Belongs to `CHANGING`.
static REJECTED: Rejected = Rejected(UnsafeCell::new(None));

struct Slot {
    pins: AtomicU32,
    /// Changed only by who holds `CHANGING`, while the slot is neither current nor pinned.
    map: UnsafeCell<Option<Map>>,
}

// SAFETY: see `map`: nobody reads what is being changed.
unsafe impl Sync for Slot {}

struct Rejected(UnsafeCell<Option<Identity>>);

// SAFETY: used only by who holds `CHANGING`.
unsafe impl Sync for Rejected {}

/// A file, and when it was last changed.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Identity {
    device: libc::dev_t,
    inode: libc::ino_t,
    changed: (libc::time_t, i64),
}

struct Map {
    start: *mut libc::c_void,
    length: usize,
    /// Borrows from the mapping, and so lives no longer than this.
    table: Table<'static>,
    identity: Identity,
}

/// A slot that stays as it is.
pub(crate) struct Pinned {
    slot: &'static Slot,
}

/// The live table, if there is one.
pub(crate) fn pin() -> Option<Pinned> {
    match Pinned::current() {
        Some(pinned) if pinned.is_live() => Some(pinned),
        other => {
            drop(other);
            Change::begin()?.renew();
            Pinned::current().filter(Pinned::is_live)
        }
    }
}

impl Pinned {
    fn current() -> Option<Self> {
        let number = CURRENT.load(Ordering::SeqCst);
        let slot = MAPS.get(number)?;
        slot.pins.fetch_add(1, Ordering::SeqCst);
        let pinned = Self { slot };
        // If it is no longer current, the slot may have been found without pins before, and be about to change.
        (CURRENT.load(Ordering::SeqCst) == number).then_some(pinned)
    }

    fn map(&self) -> Option<&Map> {
        // SAFETY: it is pinned, and was current then: nobody changes it.
        unsafe { &*self.slot.map.get() }.as_ref()
    }

    fn is_live(&self) -> bool {
        self.map().is_some_and(Map::is_live)
    }

    /// The table.
    pub(crate) fn table(&self) -> Option<&Table<'_>> {
        self.map().map(|map| &map.table)
    }
}

impl Drop for Pinned {
    fn drop(&mut self) {
        self.slot.pins.fetch_sub(1, Ordering::SeqCst);
    }
}

/// The right to change slots.
struct Change;

impl Change {
    /// `None` if another thread has it.
    fn begin() -> Option<Self> {
        let own = std::process::id();
        let free = match CHANGING.load(Ordering::Relaxed) {
            holder if holder == own => return None,
            // Nobody, or the process that this one was forked from.
            other => other,
        };
        CHANGING.compare_exchange(free, own, Ordering::SeqCst, Ordering::Relaxed).ok()?;
        let change = Self;
        if free != 0 {
            change.forget_unfinished();
        }
        Some(change)
    }

    /// What the parent was changing when this process was forked may be half written, or unmapped already.
    fn forget_unfinished(&self) {
        let current = CURRENT.load(Ordering::SeqCst);
        for (number, slot) in MAPS.iter().enumerate() {
            if number != current && self.is_free(slot) {
                // SAFETY: nobody reads from it, and nobody else changes it. What was there is not dropped.
                unsafe { slot.map.get().write(None) };
            }
        }
        // SAFETY: who has the right to change may.
        unsafe { REJECTED.0.get().write(None) };
    }

    /// Makes the table at its path current, if it is live and can be believed.
    fn renew(&self) {
        let Some((file, identity, length)) = open() else { return };
        let current = CURRENT.load(Ordering::SeqCst);
        let known = MAPS.get(current).and_then(|slot| self.map(slot)).map(|map| map.identity);
        if known.is_some_and(|known| (known.device, known.inode) == (identity.device, identity.inode)) {
            return;
        }
        // SAFETY: who has the right to change may look.
        if unsafe { *REJECTED.0.get() } == Some(identity) || !is_live(&file) {
            return;
        }
        let Some((number, slot)) =
            MAPS.iter().enumerate().find(|(number, slot)| *number != current && self.is_free(slot))
        else {
            return;
        };
        let Some(map) = Map::new(&file, length, identity) else {
            // SAFETY: who has the right to change may.
            unsafe { *REJECTED.0.get() = Some(identity) };
            return;
        };
        self.put(slot, Some(map));
        CURRENT.store(number, Ordering::SeqCst);
        if let Some(old) = MAPS.get(current)
            && self.is_free(old)
        {
            self.put(old, None);
        }
    }

    fn is_free(&self, slot: &Slot) -> bool {
        slot.pins.load(Ordering::SeqCst) == 0
    }

    fn map<'a>(&self, slot: &'a Slot) -> Option<&'a Map> {
        // SAFETY: only who has the right to change does, and is here.
        unsafe { &*slot.map.get() }.as_ref()
    }

    /// The slot is free and not current.
    fn put(&self, slot: &Slot, map: Option<Map>) {
        // SAFETY: nobody reads from it, and nobody else changes it.
        unsafe { *slot.map.get() = map };
    }
}

impl Drop for Change {
    fn drop(&mut self) {
        CHANGING.store(0, Ordering::SeqCst);
    }
}

impl Map {
    fn new(file: &OwnedFd, length: usize, identity: Identity) -> Option<Self> {
        let verify = length <= ALWAYS_VERIFIED || !is_in_memory(file);
        // What is read through anyway is mapped at one go.
        let flags = libc::MAP_SHARED | if verify { libc::MAP_POPULATE } else { 0 };
        let protection = libc::PROT_READ;
        // SAFETY: a new mapping of an open file, at no place in particular.
        let start = unsafe { libc::mmap(ptr::null_mut(), length, protection, flags, file.as_raw_fd(), 0) };
        if start == libc::MAP_FAILED {
            return None;
        }
        // SAFETY: the mapping is as long, and stays until it is unmapped together with what borrows from it. The status
        // page, of which one word changes, is not part of it; the publisher changes nothing else.
        let image = unsafe { slice::from_raw_parts(start.cast::<u8>().wrapping_add(PAGE), length - PAGE) };
        match if verify { Table::open(image) } else { Table::open_unchecked(image) } {
            Ok(table) => Some(Self { start, length, table, identity }),
            Err(_) => {
                // SAFETY: the mapping just made, which nothing refers to any more.
                unsafe { libc::munmap(start, length) };
                None
            }
        }
    }

    fn is_live(&self) -> bool {
        let state = self.start.cast::<u8>().wrapping_add(STATE_AT).cast::<u32>();
        // SAFETY: an aligned word of the mapping, which other processes change as a whole.
        let state = unsafe { AtomicU32::from_ptr(state) };
        u32::from_le(state.load(Ordering::Acquire)) == LIVE
    }
}

impl Drop for Map {
    fn drop(&mut self) {
        // SAFETY: this was the mapping's only owner; who pinned it is gone.
        unsafe { libc::munmap(self.start, self.length) };
    }
}

/// Opens the table, if it belongs to somebody to be believed.
fn open() -> Option<(OwnedFd, Identity, usize)> {
    let flags = libc::O_RDONLY | libc::O_CLOEXEC | libc::O_NOFOLLOW | libc::O_NONBLOCK | libc::O_NOCTTY;
    // SAFETY: a constant string.
    let fd = unsafe { libc::open(PATH.as_ptr(), flags) };
    if fd < 0 {
        return None;
    }
    // SAFETY: just opened, and nobody else's.
    let file = unsafe { OwnedFd::from_raw_fd(fd) };
    let found = stat(|found| {
        // SAFETY: an open file, and room for what is known of it.
        unsafe { libc::fstat(file.as_raw_fd(), found) }
    })?;
    let directory = stat(|found| {
        // SAFETY: a constant string, and room for what is known of the directory.
        unsafe { libc::stat(DIRECTORY.as_ptr(), found) }
    })?;
    let private = |found: &libc::stat| found.st_mode & 0o022 == 0;
    let owned = found.st_uid == 0 || found.st_uid == directory.st_uid;
    let length = usize::try_from(found.st_size).ok()?;
    let plausible = length > PAGE && length <= PAGE + MAX_IMAGE;
    if found.st_mode & libc::S_IFMT != libc::S_IFREG || !owned || !private(&found) || !private(&directory) {
        return None;
    }
    let identity = Identity {
        device: found.st_dev,
        inode: found.st_ino,
        changed: (found.st_ctime, found.st_ctime_nsec),
    };
    plausible.then_some((file, identity, length))
}

fn stat(call: impl FnOnce(*mut libc::stat) -> libc::c_int) -> Option<libc::stat> {
    let mut found = MaybeUninit::uninit();
    // SAFETY: a call that succeeded has filled it in.
    (call(found.as_mut_ptr()) == 0).then(|| unsafe { found.assume_init() })
}

/// Whether a file lives and dies with the running system.
fn is_in_memory(file: &OwnedFd) -> bool {
    let mut found = MaybeUninit::<libc::statfs>::uninit();
    // SAFETY: an open file, and room for what is known of its file system.
    let done = unsafe { libc::fstatfs(file.as_raw_fd(), found.as_mut_ptr()) };
    // SAFETY: a call that succeeded has filled it in.
    done == 0 && unsafe { found.assume_init() }.f_type == libc::TMPFS_MAGIC
}

/// Whether the status page says so.
fn is_live(file: &OwnedFd) -> bool {
    let mut page = [0_u8; 64];
    // SAFETY: an open file, and room for as many bytes.
    let got = unsafe { libc::pread(file.as_raw_fd(), page.as_mut_ptr().cast(), page.len(), 0) };
    usize::try_from(got) == Ok(page.len()) && Status::parse(&page).is_some_and(|status| status.state == LIVE)
}

const _: () = assert!(STATE_AT.is_multiple_of(size_of::<u32>()));
