#![no_main]

#[path = "../../crates/table/tests/it/ask.rs"]
mod ask;

use libfuzzer_sys::fuzz_target;
use netinfo_table::Table;

/// Where an image says how long it is.
const LENGTH: std::ops::Range<usize> = 4..8;

fuzz_target!(|bytes: &[u8]| {
    let mut image = bytes.to_vec();
    if let (Some(place), Ok(length)) = (image.get_mut(LENGTH), u32::try_from(bytes.len())) {
        place.copy_from_slice(&length.to_le_bytes());
    }
    if let Ok(table) = Table::open_unchecked(&image) {
        ask::ask(&table);
    }
});
