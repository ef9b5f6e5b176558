//! Where a message on a stream ends.

use super::reader::header;
use super::{Error, MAX_LENGTH_OCTETS};

/// What is known of the message at the front of a receive buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Frame {
    /// At least so many more bytes are needed, never 0. The number is exact once the header is there.
    Need(usize),
    /// The first so many bytes are one message.
    Complete(usize),
}

/// Why a stream cannot be followed any further: the connection is to be closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// The message is longer than the receiver accepts.
    #[error("message of {len} bytes exceeds the limit of {limit}")]
    TooLarge {
        /// Bytes of the whole message as announced.
        len: usize,
        /// The receiver's limit.
        limit: usize,
    },
    /// What arrived does not begin a message.
    #[error("not a message: {0}")]
    Malformed(#[from] Error),
}

/// Looks at the front of `buf` for one element of at most `limit` bytes, header included. The limit is
/// applied as soon as the header is there, before the contents have arrived.
///
/// # Errors
/// [`FrameError`]; the same answer comes however many of the bytes have arrived.
pub fn frame(buf: &[u8], limit: usize) -> Result<Frame, FrameError> {
    let len = match header(buf) {
        Ok((_, header, contents)) => header.saturating_add(contents),
        Err(Error::Truncated) => return Ok(Frame::Need(missing_header(buf))),
        Err(error) => return Err(error.into()),
    };
    if len > limit {
        return Err(FrameError::TooLarge { len, limit });
    }
    Ok(match len.checked_sub(buf.len()) {
        Some(more) if more > 0 => Frame::Need(more),
        _ => Frame::Complete(len),
    })
}

/// Bytes missing from a header that has not all arrived.
fn missing_header(buf: &[u8]) -> usize {
    let octets = buf.get(1).map_or(0, |first| usize::from(first & 0x7f).min(MAX_LENGTH_OCTETS));
    (2 + octets).saturating_sub(buf.len()).max(1)
}

#[cfg(test)]
mod tests {
    use super::super::{Tag, put};
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_header_tells_how_much_is_missing() {
        assert_eq!(frame(b"", 100), Ok(Frame::Need(2)));
        assert_eq!(frame(b"\x30", 100), Ok(Frame::Need(1)));
        assert_eq!(frame(b"\x30\x03", 100), Ok(Frame::Need(3)));
        assert_eq!(frame(b"\x30\x82", 100), Ok(Frame::Need(2)));
        assert_eq!(frame(b"\x30\x82\0", 100), Ok(Frame::Need(1)));
        assert_eq!(frame(b"\x30\x82\0\x03", 100), Ok(Frame::Need(3)));
        assert_eq!(frame(b"\x30\x82\0\x03abc", 100), Ok(Frame::Complete(7)));
        assert_eq!(frame(b"\x30\x03abc\x30\x03", 100), Ok(Frame::Complete(5)));
    }

    #[test]
    fn the_limit_counts_the_whole_message_and_applies_at_once() {
        assert_eq!(frame(b"\x30\x03abc", 5), Ok(Frame::Complete(5)));
        assert_eq!(frame(b"\x30\x03", 4), Err(FrameError::TooLarge { len: 5, limit: 4 }));
        let huge = frame(b"\x30\x84\xff\xff\xff\xff", 1 << 20);
        assert_eq!(huge, Err(FrameError::TooLarge { len: 0x1_0000_0005, limit: 1 << 20 }));
    }

    #[test]
    fn what_is_no_message_is_noticed_in_the_header() {
        assert_eq!(frame(b"\x30\x80", 100), Err(FrameError::Malformed(Error::Indefinite)));
        assert_eq!(frame(b"\x30\x88", 100), Err(FrameError::Malformed(Error::LongLength)));
        assert_eq!(frame(b"\x3f", 100), Err(FrameError::Malformed(Error::HighTag)));
    }

    proptest! {
        #[test]
        fn every_prefix_needs_the_rest(contents in proptest::collection::vec(any::<u8>(), 0..400)) {
            let mut whole = Vec::new();
            put(&mut whole, Tag::SEQUENCE, &contents);
            let mut arrived = 0;
            while arrived < whole.len() {
                let Ok(Frame::Need(more)) = frame(&whole[..arrived], 500) else { panic!() };
                prop_assert!(more > 0);
                arrived += more;
            }
            prop_assert_eq!(arrived, whole.len());
            prop_assert_eq!(frame(&whole, 500), Ok(Frame::Complete(whole.len())));
        }

        #[test]
        fn arbitrary_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..20)) {
            match frame(&bytes, 15) {
                Ok(Frame::Complete(len)) => prop_assert!(len <= bytes.len() && len <= 15),
                Ok(Frame::Need(more)) => prop_assert!(more > 0 && bytes.len() + more <= 15),
                Err(_) => {}
            }
        }
    }
}
