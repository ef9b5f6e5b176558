//! Keeps contents of messages, which may be passwords, out of `Debug` output.

use std::fmt;

/// Shows how many bytes there are, not what they are.
pub(crate) struct Hidden<'a>(pub(crate) &'a [u8]);

impl fmt::Debug for Hidden<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<{} bytes>", self.0.len())
    }
}

/// Shows a name: text of the protocol that is no secret, with what is not ASCII escaped.
pub(crate) struct Text<'a>(pub(crate) &'a [u8]);

impl fmt::Debug for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.0.escape_ascii())
    }
}

/// Implements `Debug` for a struct that borrows: each field is shown as it is, as a name (`text`), or
/// as a number of bytes (`hidden`); `text_option` and `hidden_option` where it may be missing.
macro_rules! debug_fields {
    ($ty:ident { $($field:ident: $how:ident),* $(,)? }) => {
        impl std::fmt::Debug for $ty<'_> {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.debug_struct(stringify!($ty))
                    $(.field(stringify!($field), &$crate::redact::debug_fields!(@$how self.$field)))*
                    .finish()
            }
        }
    };
    (@shown $value:expr) => { $value };
    (@text $value:expr) => { $crate::redact::Text($value) };
    (@text_option $value:expr) => { $value.map($crate::redact::Text) };
    (@hidden $value:expr) => { $crate::redact::Hidden($value) };
    (@hidden_option $value:expr) => { $value.map($crate::redact::Hidden) };
}
pub(crate) use debug_fields;

#[cfg(test)]
mod tests {
    use crate::control::{Response, StreamDecoder, StreamItem, UploadChunk};
    use crate::netinfo::{CreateNameArgs, Entry, Id, LookupArgs, PropListBuf, Property, WriteNameArgs};
    use crate::portmap::{rpcbind, v2};
    use crate::record::{Decoder, Piece};
    use crate::rpc::{AuthSys, Call, Credential, Outcome};
    use crate::xdr::Reader;

    const SECRET: &[u8] = b"hidden";

    /// Neither as text nor as numbers.
    fn assert_hidden(value: &dyn std::fmt::Debug) {
        let text = format!("{value:?}");
        for shown in ["hidden", "104, 105", "68696464"] {
            assert!(!text.contains(shown), "{text}");
        }
    }

    #[test]
    fn calls_and_replies() {
        let sys = Credential::Sys(AuthSys { machine: SECRET, ..AuthSys::default() });
        assert_hidden(&Call { xid: 1, prog: 2, vers: 3, proc: 4, cred: sys, args: SECRET });
        assert_hidden(&Outcome::Success(SECRET));
        assert_hidden(&Reader::new(SECRET));
        assert_hidden(&Piece::Data(SECRET));
        let mut decoder = Decoder::new(10);
        assert_eq!(decoder.next(b"\x80\0\0\x08hidden"), Ok((10, None)));
        assert_hidden(&decoder);
    }

    #[test]
    fn netinfo() {
        let id = Id::new(1, 2);
        assert_hidden(&LookupArgs { id, key: b"passwd", value: SECRET });
        assert_hidden(&CreateNameArgs { id, prop_index: 0, name: SECRET, position: 0 });
        assert_hidden(&WriteNameArgs { id, prop_index: 0, name_index: 0, name: SECRET });
        let props = [Property::new("passwd", [SECRET])];
        let list: PropListBuf = props.iter().collect();
        assert_hidden(&props);
        assert_hidden(&list.as_list());
        assert_hidden(&list.as_list().iter());
        assert_hidden(&list.as_list().get(b"passwd").map(|values| values.iter()));
        assert_hidden(&Entry { id: 1, names: Some(vec![SECRET.to_vec()]) });
        assert!(format!("{:?}", list.as_list()).contains("passwd"));
    }

    #[test]
    fn portmap_and_control() {
        assert_hidden(&v2::CallItArgs { prog: 1, vers: 2, proc: 3, args: SECRET });
        assert_hidden(&v2::CallItResult { port: 1, results: SECRET });
        assert_hidden(&rpcbind::CallItResult { addr: b"", results: SECRET });
        assert_hidden(&Response { status: crate::netinfo::Status::Ok, json: SECRET });
        assert_hidden(&StreamItem::Chunk(SECRET));
        assert_hidden(&UploadChunk { handle: 1, data: SECRET });
        let mut decoder = StreamDecoder::new();
        decoder.feed(SECRET);
        assert_hidden(&decoder);
    }
}
