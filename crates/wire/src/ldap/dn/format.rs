//! Names to text (RFC 4514 §2).

use std::io::Write;

/// Appends a value with what must be escaped escaped (RFC 4514 §2.4). Control characters and bytes that
/// are not UTF-8 are written in hexadecimal, so the result is text.
pub fn put_value(buf: &mut Vec<u8>, value: &[u8]) {
    let last = value.len().saturating_sub(1);
    let mut index = 0;
    for chunk in value.utf8_chunks() {
        for byte in chunk.valid().bytes() {
            match byte {
                b'"' | b'+' | b',' | b';' | b'<' | b'>' | b'\\' => buf.extend_from_slice(&[b'\\', byte]),
                b' ' if index == 0 || index == last => buf.extend_from_slice(b"\\ "),
                b'#' if index == 0 => buf.extend_from_slice(b"\\#"),
                0..0x20 | 0x7f => put_hex(buf, b"\\", &[byte]),
                byte => buf.push(byte),
            }
            index += 1;
        }
        for byte in chunk.invalid() {
            put_hex(buf, b"\\", &[*byte]);
            index += 1;
        }
    }
}

/// Appends a value that is a BER element, for types without a text form.
pub fn put_ber_value(buf: &mut Vec<u8>, ber: &[u8]) {
    put_hex(buf, b"#", ber);
}

fn put_hex(buf: &mut Vec<u8>, lead: &[u8], bytes: &[u8]) {
    buf.extend_from_slice(lead);
    for byte in bytes {
        // Writing to a vector cannot fail.
        let _ = write!(buf, "{byte:02x}");
    }
}

/// Writes a DN at the end of a buffer, from the entry's own RDN towards the root.
#[derive(Debug)]
pub struct DnWriter<'b> {
    buf: &'b mut Vec<u8>,
    start: usize,
}

impl<'b> DnWriter<'b> {
    /// A writer of a new DN.
    pub const fn new(buf: &'b mut Vec<u8>) -> Self {
        let start = buf.len();
        Self { buf, start }
    }

    /// Begins the next RDN with its first pair.
    pub fn rdn(&mut self, attribute: impl AsRef<[u8]>, value: impl AsRef<[u8]>) -> &mut Self {
        self.separate();
        self.put(attribute.as_ref(), value.as_ref())
    }

    /// Adds a pair to the RDN just begun.
    pub fn and(&mut self, attribute: impl AsRef<[u8]>, value: impl AsRef<[u8]>) -> &mut Self {
        if self.buf.len() > self.start {
            self.buf.push(b'+');
        }
        self.put(attribute.as_ref(), value.as_ref())
    }

    /// Appends RDNs that are text already, such as a suffix; nothing if they are none.
    pub fn text(&mut self, rdns: impl AsRef<[u8]>) -> &mut Self {
        if !rdns.as_ref().is_empty() {
            self.separate();
            self.buf.extend_from_slice(rdns.as_ref());
        }
        self
    }

    fn separate(&mut self) {
        if self.buf.len() > self.start {
            self.buf.push(b',');
        }
    }

    fn put(&mut self, attribute: &[u8], value: &[u8]) -> &mut Self {
        self.buf.extend_from_slice(attribute);
        self.buf.push(b'=');
        put_value(self.buf, value);
        self
    }
}
