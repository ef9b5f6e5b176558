//! Syntaxes of RFC 2307 §2.4.

use super::strings::ia5_string;
use super::{Checked, utf8};
use crate::error::ValueError;

/// `(host,user,domain)`: each may be empty (any) or a hyphen (none).
pub(super) fn netgroup_triple(value: &[u8]) -> Checked {
    let error = ValueError::Malformed("a triple (host,user,domain)");
    ia5_string(value)?;
    let inner = utf8(value)?.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')).ok_or(error)?;
    let plain = |part: &str| part.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'(' && byte != b')');
    if inner.split(',').count() == 3 && inner.split(',').all(|part| plain(part.trim_matches(' '))) {
        Ok(())
    } else {
        Err(error)
    }
}

/// `key=server:path`.
pub(super) fn boot_parameter(value: &[u8]) -> Checked {
    ia5_string(value)?;
    let fits = utf8(value)?
        .split_once('=')
        .and_then(|(key, rest)| rest.split_once(':').map(|(server, path)| (key, server, path)))
        .is_some_and(|(key, server, path)| ![key, server, path].contains(&""));
    if fits { Ok(()) } else { Err(ValueError::Malformed("a boot parameter key=server:path")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn triples_have_three_parts() {
        for good in ["(host,user,domain)", "(,,)", "(-,alice,example.com)", "( host, user, - )"] {
            assert_eq!(netgroup_triple(good.as_bytes()), Ok(()), "{good}");
        }
        for bad in ["", "(a,b)", "a,b,c", "(a,b,c,d)", "(a,(b),c)", "(a b,c,d)", "(é,,)"] {
            assert!(netgroup_triple(bad.as_bytes()).is_err(), "{bad}");
        }
    }

    #[test]
    fn boot_parameters_name_server_and_path() {
        assert_eq!(boot_parameter(b"root=fileserver:/export/root"), Ok(()));
        for bad in ["", "root", "root=server", "=server:/a", "root=:/a", "root=server:"] {
            assert!(boot_parameter(bad.as_bytes()).is_err(), "{bad}");
        }
    }
}
