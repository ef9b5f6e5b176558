//! Appending elements to a vector. Lengths are always written in their shortest form.

use super::Tag;

/// The beginning of an element whose length is not known yet. Ended by [`end`] or taken back by
/// [`undo`], inner elements before outer ones.
#[must_use = "an element that is not ended has no length"]
#[derive(Debug)]
pub struct Mark {
    /// Where the tag is.
    start: usize,
    /// Octets kept free for the length.
    reserved: usize,
}

/// Octets that the length `n` takes.
const fn length_octets(n: usize) -> usize {
    if n < 0x80 { 1 } else { 1 + (usize::BITS as usize - n.leading_zeros() as usize).div_ceil(8) }
}

/// Writes the length `n` into exactly [`length_octets`] octets.
fn write_length(to: &mut [u8], n: usize) {
    if let [only] = to {
        *only = n as u8;
    } else if let Some((first, rest)) = to.split_first_mut() {
        *first = 0x80 | rest.len() as u8;
        let bytes = n.to_be_bytes();
        rest.copy_from_slice(&bytes[bytes.len() - rest.len()..]);
    }
}

/// Bytes on the wire of an element with `n` bytes of contents.
pub const fn len_of(n: usize) -> usize {
    1 + length_octets(n) + n
}

/// Appends tag and length of an element whose `n` bytes of contents follow.
#[inline]
pub fn put_header(buf: &mut Vec<u8>, tag: Tag, n: usize) {
    if n < 0x80 {
        buf.extend_from_slice(&[tag.octet(), n as u8]);
    } else {
        buf.push(tag.octet());
        let at = buf.len();
        buf.resize(at + length_octets(n), 0);
        write_length(&mut buf[at..], n);
    }
}

/// Appends an element: an octet string, say.
#[inline]
pub fn put(buf: &mut Vec<u8>, tag: Tag, contents: &[u8]) {
    put_header(buf, tag, contents.len());
    buf.extend_from_slice(contents);
}

/// Appends an integer or enumerated value.
pub fn put_integer(buf: &mut Vec<u8>, tag: Tag, number: i64) {
    let bytes = number.to_be_bytes();
    let sign = if number < 0 { 0xff } else { 0 };
    // An octet is superfluous if it only repeats the sign bit of the next one.
    let skip = bytes.windows(2).take_while(|pair| pair[0] == sign && (pair[1] ^ sign) & 0x80 == 0).count();
    put(buf, tag, &bytes[skip..]);
}

/// Appends a boolean.
pub fn put_boolean(buf: &mut Vec<u8>, tag: Tag, truth: bool) {
    put(buf, tag, &[if truth { 0xff } else { 0 }]);
}

/// Appends an element without contents.
pub fn put_null(buf: &mut Vec<u8>, tag: Tag) {
    put_header(buf, tag, 0);
}

/// Begins an element that is probably shorter than 128 bytes.
#[inline]
pub fn begin(buf: &mut Vec<u8>, tag: Tag) -> Mark {
    let start = buf.len();
    buf.extend_from_slice(&[tag.octet(), 0]);
    Mark { start, reserved: 1 }
}

/// Begins an element that is probably between 256 bytes and 64 KiB long. A wrong guess costs one move
/// of the contents, nothing else.
#[inline]
pub fn begin_long(buf: &mut Vec<u8>, tag: Tag) -> Mark {
    let start = buf.len();
    buf.extend_from_slice(&[tag.octet(), 0, 0, 0]);
    Mark { start, reserved: 3 }
}

/// Ends an element: everything appended since its beginning becomes its contents.
///
/// # Panics
/// If `mark` does not come from this buffer, or an outer element was ended before: marks come from the
/// encoder itself, never from input.
#[inline]
pub fn end(buf: &mut Vec<u8>, mark: Mark) {
    let length_at = mark.start + 1;
    let contents_at = length_at + mark.reserved;
    let n = buf.len() - contents_at;
    if n < 0x80 && mark.reserved == 1 {
        buf[length_at] = n as u8;
        return;
    }
    let needed = length_octets(n);
    if needed > mark.reserved {
        let end = buf.len();
        buf.resize(end + needed - mark.reserved, 0);
        buf.copy_within(contents_at..end, length_at + needed);
    } else if needed < mark.reserved {
        buf.copy_within(contents_at.., length_at + needed);
        buf.truncate(length_at + needed + n);
    }
    write_length(&mut buf[length_at..length_at + needed], n);
}

/// Takes an element back, with everything after its beginning.
pub fn undo(buf: &mut Vec<u8>, mark: Mark) {
    buf.truncate(mark.start);
}

#[cfg(test)]
mod tests {
    use super::super::Reader;
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn lengths_are_minimal_whatever_was_reserved() {
        for n in [0, 1, 127, 128, 255, 256, 0xffff, 0x1_0000, 0x12_3456] {
            let contents = vec![7; n];
            let mut whole = b"before".to_vec();
            put(&mut whole, Tag::OCTET_STRING, &contents);
            assert_eq!(whole.len() - 6, len_of(n));
            for begin in [begin, begin_long] {
                let mut buf = b"before".to_vec();
                let mark = begin(&mut buf, Tag::OCTET_STRING);
                buf.extend_from_slice(&contents);
                end(&mut buf, mark);
                assert!(buf == whole, "{n}");
            }
        }
        let mut buf = Vec::new();
        put_header(&mut buf, Tag::SEQUENCE, 0x12_3456);
        assert_eq!(buf, b"\x30\x83\x12\x34\x56");
    }

    #[test]
    fn elements_nest_and_can_be_taken_back() {
        let mut buf = Vec::new();
        let outer = begin(&mut buf, Tag::SEQUENCE);
        put_boolean(&mut buf, Tag::BOOLEAN, true);
        let inner = begin_long(&mut buf, Tag::SET);
        put(&mut buf, Tag::OCTET_STRING, b"gone");
        undo(&mut buf, inner);
        put_null(&mut buf, Tag::NULL);
        end(&mut buf, outer);
        assert_eq!(buf, b"\x30\x05\x01\x01\xff\x05\0");
    }

    #[test]
    fn integers_are_minimal() {
        for (number, bytes) in [
            (0, &b"\x02\x01\0"[..]),
            (127, b"\x02\x01\x7f"),
            (128, b"\x02\x02\0\x80"),
            (-1, b"\x02\x01\xff"),
            (-128, b"\x02\x01\x80"),
            (-129, b"\x02\x02\xff\x7f"),
            (i64::MIN, b"\x02\x08\x80\0\0\0\0\0\0\0"),
        ] {
            let mut buf = Vec::new();
            put_integer(&mut buf, Tag::INTEGER, number);
            assert_eq!(buf, bytes);
        }
    }

    proptest! {
        #[test]
        fn integers_round_trip(number in any::<i64>(), shift in 0u32..64) {
            let number = number >> shift;
            let mut buf = Vec::new();
            put_integer(&mut buf, Tag::ENUMERATED, number);
            let mut r = Reader::new(&buf);
            prop_assert_eq!(r.integer(Tag::ENUMERATED), Ok(number));
            prop_assert_eq!(r.finish(), Ok(()));
        }

        #[test]
        fn nested_elements_round_trip(parts in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..300), 0..5)) {
            let mut buf = Vec::new();
            let outer = begin_long(&mut buf, Tag::SEQUENCE);
            for part in &parts {
                let inner = begin(&mut buf, Tag::context_constructed(1));
                put(&mut buf, Tag::OCTET_STRING, part);
                end(&mut buf, inner);
            }
            end(&mut buf, outer);
            let mut r = Reader::new(&buf);
            let mut list = r.nested(Tag::SEQUENCE).unwrap();
            prop_assert_eq!(r.finish(), Ok(()));
            for part in &parts {
                prop_assert_eq!(list.nested(Tag::context_constructed(1)).unwrap().octets(), Ok(&part[..]));
            }
            prop_assert_eq!(list.finish(), Ok(()));
        }
    }
}
