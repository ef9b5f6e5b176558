#![no_main]

use libfuzzer_sys::fuzz_target;
use netinfo_migrate::item::{Decoder, encode};

// Whatever is taken for a stream of items is the same in any pieces, and comes back from what it is encoded to.
fuzz_target!(|bytes: &[u8]| {
    let mut whole = Decoder::default();
    let Some(items) = whole.feed(bytes) else { return };
    let (mut pieces, mut again) = (Decoder::default(), Vec::new());
    for piece in bytes.chunks(7) {
        again.extend(pieces.feed(piece).expect("it was taken in one piece"));
    }
    assert_eq!((again == items, pieces.is_done()), (true, whole.is_done()));
    let mut encoded = Vec::new();
    items.iter().for_each(|item| encode(item, &mut encoded));
    let mut decoder = Decoder::default();
    assert!(decoder.feed(&encoded).is_some_and(|again| again == items) && decoder.is_done());
});
