//! The status page in front of the image: whether readers may believe it.

/// Length of the page, and so the offset of the image in the file.
pub const PAGE: usize = 4096;
/// Where in the page the state stands, a little-endian `u32`.
pub const STATE_AT: usize = 12;
/// State of a table being written.
pub const UNFINISHED: u32 = 0;
/// State of a table that may be used.
pub const LIVE: u32 = 1;
/// State of a table that was replaced, or is about to be.
pub const RETIRED: u32 = 2;

const MAGIC: [u8; 8] = *b"NITABLE\x01";
const FORMAT: u32 = 1;
const FORMAT_AT: usize = 8;
const GENERATION_AT: usize = 16;

/// What a status page says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Status {
    /// [`LIVE`] or not.
    pub state: u32,
    /// Grows with every table published.
    pub generation: u64,
}

impl Status {
    /// Reads a page; `None` if it does not begin a table of this format.
    pub fn parse(page: &[u8]) -> Option<Self> {
        let bytes = |at: usize| page.get(at..)?.first_chunk::<4>();
        let word = |at: usize| bytes(at).map(|bytes| u32::from_le_bytes(*bytes));
        let known = page.starts_with(&MAGIC) && word(FORMAT_AT)? == FORMAT;
        let generation = page.get(GENERATION_AT..)?.first_chunk::<8>()?;
        known.then_some(Self { state: word(STATE_AT)?, generation: u64::from_le_bytes(*generation) })
    }

    /// The page that says this.
    pub fn page(&self) -> [u8; PAGE] {
        let mut page = [0; PAGE];
        page[..MAGIC.len()].copy_from_slice(&MAGIC);
        page[FORMAT_AT..FORMAT_AT + 4].copy_from_slice(&FORMAT.to_le_bytes());
        page[STATE_AT..STATE_AT + 4].copy_from_slice(&self.state.to_le_bytes());
        page[GENERATION_AT..GENERATION_AT + 8].copy_from_slice(&self.generation.to_le_bytes());
        page
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_say_what_they_were_made_of() {
        let status = Status { state: LIVE, generation: 0x0102_0304_0506_0708 };
        let page = status.page();
        assert_eq!(Status::parse(&page), Some(status));
        assert_eq!(page[..24], *b"NITABLE\x01\x01\0\0\0\x01\0\0\0\x08\x07\x06\x05\x04\x03\x02\x01");
    }

    #[test]
    fn other_files_are_no_tables() {
        let page = Status { state: LIVE, generation: 1 }.page();
        for changed in [0, 7, 8, 11] {
            let mut other = page;
            other[changed] ^= 0x10;
            assert_eq!(Status::parse(&other), None, "byte {changed}");
        }
        for length in 0..24 {
            assert_eq!(Status::parse(&page[..length]), None, "{length} bytes");
        }
    }
}
