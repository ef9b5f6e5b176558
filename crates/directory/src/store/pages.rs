//! A reader of LMDB's page tree over ordinary file reads.
//!
//! Needed for one question only: which is the highest page in use? See [`super::preflight`].

use std::fs::File;
use std::os::unix::fs::FileExt;

use super::preflight::Meta;

const HEADER: usize = 16;
const BRANCH: u16 = 0x01;
const LEAF: u16 = 0x02;
const OVERFLOW: u16 = 0x04;
const LEAF2: u16 = 0x20;
/// Node flags: the data is on overflow pages; the data describes a tree of its own.
const BIG_DATA: u16 = 0x01;
const SUB_DATA: u16 = 0x02;
/// Root of an empty tree.
const NO_PAGE: u64 = u64::MAX;
/// Deeper trees than this do not exist (LMDB's own cursor stack).
const DEPTH_LIMIT: u32 = 32;

/// The highest page reachable from the newest meta page; `None` when a page cannot be read or makes no sense.
pub(super) fn highest_used(file: &File, meta: &Meta) -> Option<u64> {
    let mut walk =
        Walk { file, page_size: meta.page_size as usize, last: meta.last_page, highest: 1, read: 0 };
    walk.tree(meta.free_root, 0)?;
    walk.tree(meta.main_root, 0)?;
    Some(walk.highest)
}

struct Walk<'a> {
    file: &'a File,
    page_size: usize,
    last: u64,
    highest: u64,
    /// Pages read; a sound tree has no page twice, so there are no more than the file has pages.
    read: u64,
}

impl Walk<'_> {
    fn tree(&mut self, page: u64, depth: u32) -> Option<()> {
        if page == NO_PAGE {
            return Some(());
        }
        if depth > DEPTH_LIMIT {
            return None;
        }
        let bytes = self.read(page)?;
        let flags = u16_at(&bytes, 10)?;
        if flags & LEAF2 != 0 {
            return Some(());
        }
        let count = (usize::from(u16_at(&bytes, 12)?).checked_sub(HEADER)?) / 2;
        for i in 0..count {
            let node = usize::from(u16_at(&bytes, HEADER + 2 * i)?);
            let (low, high, third) =
                (u16_at(&bytes, node)?, u16_at(&bytes, node + 2)?, u16_at(&bytes, node + 4)?);
            if flags & BRANCH != 0 {
                let child = u64::from(low) | u64::from(high) << 16 | u64::from(third) << 32;
                self.tree(child, depth + 1)?;
            } else if flags & LEAF != 0 {
                self.leaf_node(&bytes, node, third, depth)?;
            } else {
                return None;
            }
        }
        Some(())
    }

    /// A leaf's node: data size (4), flags (2), key size (2), key, data.
    fn leaf_node(&mut self, bytes: &[u8], node: usize, flags: u16, depth: u32) -> Option<()> {
        let data = node + 8 + usize::from(u16_at(bytes, node + 6)?);
        if flags & BIG_DATA != 0 {
            let first = u64_at(bytes, data)?;
            let head = self.read(first)?;
            if u16_at(&head, 10)? & OVERFLOW == 0 {
                return None;
            }
            let pages = u64::from(u16_at(&head, 12)?) | u64::from(u16_at(&head, 14)?) << 16;
            self.note(first.checked_add(pages)?.checked_sub(1)?)?;
        } else if flags & SUB_DATA != 0 {
            self.tree(u64_at(bytes, data + 40)?, depth + 1)?;
        }
        Some(())
    }

    fn note(&mut self, page: u64) -> Option<()> {
        self.highest = self.highest.max(page);
        (page <= self.last).then_some(())
    }

    fn read(&mut self, page: u64) -> Option<Vec<u8>> {
        self.note(page)?;
        self.read += 1;
        (self.read <= self.last.saturating_add(1)).then_some(())?;
        let mut bytes = vec![0; self.page_size];
        self.file.read_exact_at(&mut bytes, page.checked_mul(self.page_size as u64)?).ok()?;
        Some(bytes)
    }
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_ne_bytes(bytes.get(at..at + 2)?.try_into().ok()?))
}

fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_ne_bytes(bytes.get(at..at + 8)?.try_into().ok()?))
}
