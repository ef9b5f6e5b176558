//! Decodes a list that arrives in pieces, one element at a time: memory is bounded by the longest element.

use netinfo_wire::xdr::{Error as XdrError, Reader};

use crate::error::{Error, Result};
use crate::limits::MAX_ELEMENT;

/// From this many bytes on, an incomplete element is tried again only when it has doubled.
const FIRST_RETRY: usize = 4096;

/// Bytes that have arrived and are not decoded yet.
#[derive(Debug, Default)]
pub(super) struct Elements {
    buf: Vec<u8>,
    taken: usize,
    /// Below this many bytes another attempt is not worth it. Doubling keeps the total work linear.
    retry_at: usize,
}

impl Elements {
    /// Adds bytes.
    pub(super) fn feed(&mut self, bytes: &[u8]) {
        self.buf.drain(..self.taken);
        self.taken = 0;
        self.buf.extend_from_slice(bytes);
    }

    /// The next element as `read` decodes it, or `None` until more is fed. `last` says that nothing more comes.
    pub(super) fn next<T>(
        &mut self,
        endpoint: &str,
        last: bool,
        read: impl FnOnce(&mut Reader<'_>) -> Result<T, XdrError>,
    ) -> Result<Option<T>> {
        let rest = self.buf.get(self.taken..).unwrap_or_default();
        if rest.len() < self.retry_at && !last {
            return Ok(None);
        }
        let mut r = Reader::new(rest);
        match read(&mut r) {
            Ok(value) => {
                self.taken = self.buf.len() - r.remaining().len();
                self.retry_at = 0;
                Ok(Some(value))
            }
            Err(XdrError::Truncated) if !last => {
                if rest.len() > MAX_ELEMENT {
                    return Err(Error::ReplyTooLong { endpoint: endpoint.to_owned(), limit: MAX_ELEMENT });
                }
                // Short elements are tried again with whatever arrives next.
                let long = rest.len() >= FIRST_RETRY;
                self.retry_at = if long { (rest.len() * 2).min(MAX_ELEMENT + 1) } else { 0 };
                Ok(None)
            }
            Err(error) => Err(Error::from_xdr(endpoint, error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use netinfo_wire::netinfo::MAX_NAME;
    use netinfo_wire::xdr::put_opaque;

    fn read_name(r: &mut Reader<'_>) -> Result<Vec<u8>, XdrError> {
        r.opaque(MAX_NAME).map(<[u8]>::to_vec)
    }

    #[test]
    fn elements_split_anywhere() {
        let mut bytes = Vec::new();
        let names: Vec<Vec<u8>> = (0..200).map(|i| vec![b'a'; i * 37]).collect();
        names.iter().for_each(|name| put_opaque(&mut bytes, name));
        for step in [1, 7, 1000] {
            let mut elements = Elements::default();
            let mut out = Vec::new();
            for chunk in bytes.chunks(step) {
                elements.feed(chunk);
                while let Some(name) = elements.next("test", false, read_name).unwrap() {
                    out.push(name);
                }
            }
            while out.len() < names.len() {
                out.push(elements.next("test", true, read_name).unwrap().unwrap());
            }
            assert_eq!(out, names, "step {step}");
        }
    }

    #[test]
    fn an_element_that_never_ends_is_refused() {
        let mut elements = Elements::default();
        let endless = |r: &mut Reader<'_>| r.opaque(u32::MAX).map(<[u8]>::to_vec);
        elements.feed(&u32::MAX.to_be_bytes());
        let piece = vec![0; 1 << 20];
        let refused = (0..=MAX_ELEMENT / piece.len() + 2).any(|_| {
            elements.feed(&piece);
            matches!(elements.next("test", false, endless), Err(Error::ReplyTooLong { .. }))
        });
        assert!(refused);
        let mut cut_short = Elements::default();
        cut_short.feed(&[0, 0]);
        assert!(matches!(cut_short.next("test", true, read_name), Err(Error::Malformed { .. })));
    }
}
