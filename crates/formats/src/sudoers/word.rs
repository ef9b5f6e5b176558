//! Quoting for sudoers files: what comes out is one word of the kind that is meant, or nothing comes out.

/// Longest value. Lines of sudo's own reader have no bound, but nothing sensible is longer.
pub(super) const MAX_VALUE: usize = 8192;

/// Splits off the exclamation marks in front: whether their number is odd, and what they stand before.
pub(super) fn negation(mut value: &[u8]) -> (bool, &[u8]) {
    let mut negated = false;
    while let [b'!', rest @ ..] = value {
        negated = !negated;
        value = rest.trim_ascii_start();
    }
    (negated, value)
}

/// A user, `#uid`, `%group`, `%#gid`, `%:group` of another source, `+netgroup`, or `ALL`.
pub(super) fn user(value: &[u8]) -> Option<Vec<u8>> {
    if value == b"ALL" {
        return Some(value.to_vec());
    }
    let (prefix, name) = match value {
        [b'%', b'#', id @ ..] | [b'#', id @ ..] => {
            return number(id).then(|| value.to_vec());
        }
        [b'%', b':', name @ ..] => (&value[..2], name),
        [b'%', name @ ..] => (&value[..1], name),
        [b'+', name @ ..] => return netgroup(name).then(|| value.to_vec()),
        name => (&value[..0], name),
    };
    quoted(prefix, name)
}

/// A group that a command may be run as.
pub(super) fn group(value: &[u8]) -> Option<Vec<u8>> {
    match value {
        b"ALL" => Some(value.to_vec()),
        [b'#', id @ ..] => number(id).then(|| value.to_vec()),
        name => quoted(b"", name),
    }
}

/// A host name, an address, a network, `+netgroup`, or `ALL`. Names are written in lower case, in which none is an alias.
pub(super) fn host(value: &[u8]) -> Option<Vec<u8>> {
    if value == b"ALL" {
        return Some(value.to_vec());
    }
    if let [b'+', name @ ..] = value {
        return netgroup(name).then(|| value.to_vec());
    }
    let address = || {
        let text = str::from_utf8(value).ok()?;
        let (address, bits) =
            text.split_once('/').map_or((text, None), |(address, bits)| (address, Some(bits)));
        let address: std::net::IpAddr = address.parse().ok()?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        let mask = |bits: &str| {
            bits.parse::<u8>().is_ok_and(|bits| bits <= most && bits > 0)
                || (address.is_ipv4() && bits.parse::<std::net::Ipv4Addr>().is_ok())
        };
        bits.is_none_or(mask).then(|| text.to_owned().into_bytes())
    };
    let name = |value: &[u8]| {
        let begins = value.first().is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'*');
        begins && value.iter().all(|byte| byte.is_ascii_alphanumeric() || b".-_*?".contains(byte))
    };
    address().or_else(|| name(value).then(|| value.to_ascii_lowercase()))
}

/// A command with its arguments, `sudoedit` with its, `ALL`; with digests in front or not.
pub(super) fn command(value: &[u8]) -> Option<Vec<u8>> {
    let (digests, rest) = digests(value)?;
    let mut text = digests.to_vec();
    if !text.is_empty() {
        text.push(b' ');
    }
    if rest == b"ALL" {
        text.extend_from_slice(rest);
        return Some(text);
    }
    let end = rest.iter().position(|byte| b" \t".contains(byte)).unwrap_or(rest.len());
    let (path, arguments) = (&rest[..end], rest[end..].trim_ascii());
    if path != b"sudoedit" && !(path.starts_with(b"/") && path.len() > 1) {
        return None;
    }
    // Not every version of sudo takes all that may be in a path.
    if path.iter().any(|byte| b"\\\"!()#@".contains(byte)) {
        return None;
    }
    // A directory stands for what is in it, and takes no arguments.
    if path.ends_with(b"/") && !arguments.is_empty() {
        return None;
    }
    escape(path, &mut text);
    if arguments.is_empty() {
        return Some(text);
    }
    text.push(b' ');
    match arguments {
        b"\"\"" => text.extend_from_slice(arguments),
        // Regular expressions have rules of quoting of their own, and quotes stand for themselves only here and there.
        [b'^', ..] => return None,
        _ if arguments.contains(&b'"') => return None,
        _ => escape(arguments, &mut text),
    }
    Some(text)
}

/// A point in time as sudo takes it: GeneralizedTime, to the second, with or without the zone.
pub(super) fn time(value: &[u8]) -> bool {
    let digits = value.strip_suffix(b"Z").unwrap_or(value);
    (10..=14).contains(&digits.len())
        && digits.len().is_multiple_of(2)
        && digits.iter().all(u8::is_ascii_digit)
}

/// A value between double quotes.
pub(super) fn string(value: &[u8]) -> Vec<u8> {
    let mut text = vec![b'"'];
    for byte in value {
        if b"\"\\".contains(byte) {
            text.push(b'\\');
        }
        text.push(*byte);
    }
    text.push(b'"');
    text
}

/// Whether a value is short enough and has no byte that ends a line or is no text.
pub(super) fn sensible(value: &[u8]) -> bool {
    value.len() <= MAX_VALUE && !value.is_empty() && !value.iter().any(u8::is_ascii_control)
}

fn number(id: &[u8]) -> bool {
    str::from_utf8(id)
        .is_ok_and(|id| id.bytes().all(|byte| byte.is_ascii_digit()) && id.parse::<u32>().is_ok())
}

fn netgroup(name: &[u8]) -> bool {
    !name.is_empty() && name.iter().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(byte))
}

/// Behind its prefix a name, in quotes unless it is a simple one in lower case: words in capitals are aliases.
fn quoted(prefix: &[u8], name: &[u8]) -> Option<Vec<u8>> {
    let simple = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"._-".contains(byte);
    let begins = name.first()?.is_ascii_lowercase();
    if begins && name.iter().all(simple) {
        return Some([prefix, name].concat());
    }
    // Not every version of sudo undoes a backslash or a quote within quotes, nor takes what begins like something else.
    if name.iter().any(|byte| b"\"\\".contains(byte)) || b"%#+!@:".contains(&name[0]) {
        return None;
    }
    if name.starts_with(b" ") || name.ends_with(b" ") {
        return None;
    }
    Some(string(&[prefix, name].concat()))
}

/// The digests in front of a command, and the command. `None` if what looks like one is none.
fn digests(value: &[u8]) -> Option<(&[u8], &[u8])> {
    if !value.starts_with(b"sha") {
        return Some((b"", value));
    }
    let mut rest = value;
    loop {
        let colon = rest.iter().position(|byte| *byte == b':')?;
        if ![&b"sha224"[..], b"sha256", b"sha384", b"sha512"].contains(&&rest[..colon]) {
            return None;
        }
        let digest = &rest[colon + 1..];
        let good = |byte: &u8| byte.is_ascii_alphanumeric() || b"+/=".contains(byte);
        let end = digest.iter().position(|byte| !good(byte))?;
        if end == 0 {
            return None;
        }
        rest = digest[end..].trim_ascii_start();
        let Some(more) = rest.strip_prefix(b",") else {
            let used = value.len() - rest.len();
            return Some((value[..used].trim_ascii_end(), rest));
        };
        rest = more.trim_ascii_start();
    }
}

fn escape(value: &[u8], text: &mut Vec<u8>) {
    for byte in value {
        if b",:=\\#".contains(byte) {
            text.push(b'\\');
        }
        text.push(*byte);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(word: Option<Vec<u8>>) -> String {
        word.map_or_else(|| "-".to_owned(), |word| String::from_utf8(word).unwrap())
    }

    #[test]
    fn users() {
        let written = |value: &str| shown(user(value.as_bytes()));
        for same in ["ALL", "bob", "#500", "%#20", "%staff", "+trusted", "%:ad"] {
            assert_eq!(written(same), same);
        }
        assert_eq!(written("J Doe"), "\"J Doe\"");
        assert_eq!(written("%Domain Users"), "\"%Domain Users\"");
        assert_eq!(written("BOB"), "\"BOB\"");
        for bad in ["", "%", "#", "#x", "#4294967296", "+a b", "a\"b", "a\\b", "%%a", " a", "a "] {
            assert_eq!(written(bad), "-", "{bad:?}");
        }
    }

    #[test]
    fn hosts() {
        let written = |value: &str| shown(host(value.as_bytes()));
        for same in [
            "ALL",
            "ws1",
            "*.example.org",
            "192.0.2.1",
            "192.0.2.0/24",
            "10.0.0.0/255.0.0.0",
            "fd00::/8",
            "+lab",
        ] {
            assert_eq!(written(same), same);
        }
        assert_eq!(written("WS1.Example.ORG"), "ws1.example.org");
        for bad in ["", "a b", "a,b", "a=b", "192.0.2.0/33", "fd00::/0", "[a]", "-a"] {
            assert_eq!(written(bad), "-", "{bad:?}");
        }
    }

    #[test]
    fn commands() {
        let written = |value: &str| shown(command(value.as_bytes()));
        for same in
            ["ALL", "/bin/ls", "/bin/ls \"\"", "sudoedit /etc/motd", "sha256:00ff /bin/ls -l", "/usr/bin/"]
        {
            assert_eq!(written(same), same);
        }
        assert_eq!(written("sha224:aa==,  sha512:bb+/ ALL"), "sha224:aa==,  sha512:bb+/ ALL");
        assert_eq!(written("/bin/a  b,c=d"), "/bin/a b\\,c\\=d");
        for bad in [
            "",
            "ls",
            "sha1:00 /bin/ls",
            "sha256: /bin/ls",
            "sha256:00",
            "/bin/ls ^-l$",
            "^/bin/.*$",
            "PAGERS",
        ] {
            assert_eq!(written(bad), "-", "{bad:?}");
        }
    }

    #[test]
    fn values_are_bounded() {
        assert!(sensible(&[b'x'; MAX_VALUE]) && !sensible(&[b'x'; MAX_VALUE + 1]));
        assert!(!sensible(b"") && !sensible(b"a\tb") && !sensible(b"a\x7f"));
    }

    #[test]
    fn exclamation_marks_cancel_each_other() {
        assert_eq!(negation(b"!a"), (true, &b"a"[..]));
        assert_eq!(negation(b"! !a"), (false, &b"a"[..]));
        assert_eq!(negation(b"!"), (true, &b""[..]));
    }
}
