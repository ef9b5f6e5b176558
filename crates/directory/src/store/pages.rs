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

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    const SIZE: usize = 512;

    /// A page of this kind that holds these nodes.
    fn page(flags: u16, nodes: &[Vec<u8>]) -> Vec<u8> {
        let mut page = vec![0; SIZE];
        let mut put = |at: usize, bytes: &[u8]| page[at..at + bytes.len()].copy_from_slice(bytes);
        put(10, &flags.to_ne_bytes());
        put(12, &((HEADER + 2 * nodes.len()) as u16).to_ne_bytes());
        let mut end = SIZE;
        for (i, node) in nodes.iter().enumerate() {
            end -= node.len();
            put(HEADER + 2 * i, &(end as u16).to_ne_bytes());
            put(end, node);
        }
        page
    }

    fn branch(child: u64) -> Vec<u8> {
        [&child.to_ne_bytes()[..6], &[0, 0]].concat()
    }

    /// A leaf's node without a key.
    fn leaf(flags: u16, data: &[u8]) -> Vec<u8> {
        [&(data.len() as u32).to_ne_bytes()[..], &flags.to_ne_bytes(), &[0, 0], data].concat()
    }

    fn overflow(pages: u32) -> Vec<u8> {
        let mut page = page(OVERFLOW, &[]);
        page[12..16].copy_from_slice(&pages.to_ne_bytes());
        page
    }

    /// The answer for a file of two meta pages and these, whose main tree starts at page 2.
    fn highest(pages: &[Vec<u8>], last_page: u64) -> Option<u64> {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&[0; 2 * SIZE]).unwrap();
        file.write_all(&pages.concat()).unwrap();
        let (free_root, main_root) = (NO_PAGE, 2);
        let meta = Meta { page_size: SIZE as u64, last_page, transaction: 1, free_root, main_root };
        highest_used(&file, &meta)
    }

    #[test]
    fn trees_values_and_subtrees_are_followed() {
        let plain = page(LEAF, &[leaf(0, b"value"), leaf(0, b"")]);
        assert_eq!(highest(std::slice::from_ref(&plain), 9), Some(2));
        let tree = [page(BRANCH, &[branch(3), branch(4)]), plain.clone(), page(LEAF2, &[])];
        assert_eq!(highest(&tree, 9), Some(4));
        let long = page(LEAF, &[leaf(BIG_DATA, &3u64.to_ne_bytes())]);
        assert_eq!(highest(&[long.clone(), overflow(5)], 9), Some(7));
        assert_eq!(highest(&[long.clone(), overflow(9)], 9), None, "beyond the last page");
        assert_eq!(highest(&[long, plain.clone()], 9), None, "not an overflow page");
        let mut table = [0; 48];
        table[40..].copy_from_slice(&3u64.to_ne_bytes());
        let named = page(LEAF, &[leaf(SUB_DATA, &table)]);
        assert_eq!(highest(&[named.clone(), plain], 9), Some(3));
        assert_eq!(highest(&[named], 9), None, "past the end of the file");
        assert_eq!(highest(&[page(0, &[leaf(0, b"")])], 9), None, "neither branch nor leaf");
    }

    /// A page that is its own child many times over: without a bound the walk would not end.
    #[test]
    fn a_tree_that_turns_in_circles_is_refused() {
        assert_eq!(highest(&[page(BRANCH, &vec![branch(2); 40])], 1000), None);
        assert_eq!(highest(&[page(BRANCH, &[branch(3)]), page(BRANCH, &[branch(2)])], 1000), None);
    }
}
