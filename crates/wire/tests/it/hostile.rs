//! Whatever bytes arrive: no panic, no memory beyond the promised multiple.

use netinfo_testkit::exercise::{self, Heap};
use netinfo_testkit::golden::{hex, sessions};
use netinfo_wire::MAX_EXPANSION;
use netinfo_wire::netinfo::{
    Failure, decode_children_res, decode_listall_res, decode_namelist_res, decode_proplist_res,
    decode_statistics,
};
use netinfo_wire::xdr::Error;
use proptest::prelude::*;

/// Small words in big-endian order pass more checks than bytes at random.
fn wordy() -> impl Strategy<Value = Vec<u8>> {
    let word = prop_oneof![4 => 0u32..4, 2 => 0u32..40, 1 => any::<u32>()];
    (proptest::collection::vec(word, 0..60), proptest::collection::vec(any::<u8>(), 0..4))
        .prop_map(|(words, tail)| words.iter().flat_map(|word| word.to_be_bytes()).chain(tail).collect())
}

proptest! {
    #[test]
    fn arbitrary_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        exercise::all(&bytes);
    }

    #[test]
    fn arbitrary_words(bytes in wordy()) {
        exercise::all(&bytes);
    }

    #[test]
    fn damaged_recordings(index in 0usize..200, at in any::<prop::sample::Index>(), byte in any::<u8>(), cut in any::<prop::sample::Index>()) {
        let call = &RECORDED.with(Clone::clone)[index];
        for message in [Some(&call.0), call.1.as_ref()].into_iter().flatten() {
            let mut damaged = message.clone();
            let at = at.index(damaged.len());
            damaged[at] = byte;
            damaged.truncate(cut.index(message.len()) + 1);
            exercise::rpc_call(&damaged);
            exercise::rpc_reply(&damaged);
            let body = damaged.get(24..).unwrap_or_default();
            exercise::netinfo_results(body);
            exercise::netinfo_args(damaged.get(40..).unwrap_or_default());
        }
    }
}

type Message = (Vec<u8>, Option<Vec<u8>>);

thread_local! {
    static RECORDED: std::rc::Rc<Vec<Message>> = std::rc::Rc::new(
        sessions().into_iter().filter(|c| c.request.len() < 4096).map(|c| (c.request, c.reply)).collect(),
    );
}

#[test]
fn a_huge_count_reserves_nothing() {
    let truncated = Failure::Malformed(Error::Truncated);
    // Within the maximum of the type, far beyond what follows.
    assert_eq!(decode_children_res(&hex("00000000 00100000 00000001")), Err(truncated));
    assert_eq!(decode_listall_res(&hex("00000000 00000000 00000000 00100000")), Err(truncated));
    assert_eq!(decode_proplist_res(&hex("00000000 00000000 00000000 0000ffff 00000000")), Err(truncated));
    // Beyond the maximum of the type.
    let too_long = Failure::Malformed(Error::TooLong { len: 0x10_0001, max: 0x10_0000 });
    assert_eq!(decode_children_res(&hex("00000000 00100001 00000001")), Err(too_long));
    let too_long = Failure::Malformed(Error::TooLong { len: 0x1_0000, max: 0xffff });
    assert_eq!(decode_proplist_res(&hex("00000000 00000000 00000000 00010000 00000000")), Err(too_long));
}

/// The bound is not idle talk: lists of empty names, the worst case, need most of it.
#[test]
fn the_worst_case_is_close_to_the_bound() {
    let bytes = hex(&format!("00000000 0000f000 {} 00000000 00000000", "00000000".repeat(0xf000)));
    let (names, _) = decode_namelist_res(&bytes).unwrap();
    assert_eq!(names.len(), 0xf000);
    assert!(names.heap() > 5 * bytes.len() && names.heap() <= MAX_EXPANSION * bytes.len());
    let bytes = hex(&format!("0000f000 {}", "00000000 00000000".repeat(0xf000)));
    let properties = decode_statistics(&bytes).unwrap();
    assert!(properties.heap() > 5 * bytes.len() && properties.heap() <= MAX_EXPANSION * bytes.len());
    let bytes = hex(&format!("00000000 00000000 00000000 0000f000 {}", "00000000".repeat(0xf000)));
    let (_, lists) = decode_listall_res(&bytes).unwrap();
    assert!(lists.heap() > 5 * bytes.len() && lists.heap() <= MAX_EXPANSION * bytes.len());
    exercise::portmap(&hex(&format!(
        "{} 00000000",
        "00000001 00000000 00000000 00000000 00000000 00000000".repeat(999)
    )));
}
