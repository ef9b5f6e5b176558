//! Addresses and numbers of telecommunication.

use super::strings::{all, directory_string, ia5_string, is_printable, not_empty, printable_string};
use super::{Checked, utf8};
use crate::error::ValueError;

/// Ways of delivery with dollar signs between them (RFC 4517 §3.3.5).
pub(super) fn delivery_method(value: &[u8]) -> Checked {
    const METHODS: [&str; 10] =
        ["any", "mhs", "physical", "telex", "teletex", "g3fax", "g4fax", "ia5", "videotex", "telephone"];
    let known = |method: &str| METHODS.contains(&method.trim_matches(' '));
    if utf8(value)?.split('$').all(known) { Ok(()) } else { Err(ValueError::Malformed("a delivery method")) }
}

/// A telephone number, then parameters behind dollar signs (RFC 4517 §3.3.11).
pub(super) fn facsimile_number(value: &[u8]) -> Checked {
    const PARAMETERS: [&[u8]; 7] = [
        b"twoDimensional",
        b"fineResolution",
        b"unlimitedLength",
        b"b4Length",
        b"a3Width",
        b"b4Width",
        b"uncompressed",
    ];
    let mut parts = value.split(|&byte| byte == b'$');
    printable_string(parts.next().unwrap_or_default())?;
    if parts.all(|part| PARAMETERS.iter().any(|known| known.eq_ignore_ascii_case(part))) {
        Ok(())
    } else {
        Err(ValueError::Malformed("a facsimile number"))
    }
}

/// Kind of mailbox and mailbox (RFC 4517 §3.3.27).
pub(super) fn other_mailbox(value: &[u8]) -> Checked {
    let dollar = value.iter().position(|&byte| byte == b'$');
    let (kind, mailbox) = value.split_at(dollar.ok_or(ValueError::Malformed("a kind and a mailbox"))?);
    printable_string(kind)?;
    ia5_string(&mailbox[1..])
}

/// Lines with dollar signs between them; a dollar sign or backslash in a line is `\24` or `\5C` (RFC 4517 §3.3.28).
/// Empty lines are taken, as long as there is one that is not.
pub(super) fn postal_address(value: &[u8]) -> Checked {
    directory_string(value)?;
    if value.iter().all(|&byte| byte == b'$') {
        return Err(ValueError::Empty);
    }
    let unescaped = |(at, &byte): (usize, &u8)| {
        byte == b'\\' && !matches!(value.get(at + 1..at + 3), Some(b"24" | b"5C" | b"5c"))
    };
    match value.iter().enumerate().find(|&place| unescaped(place)) {
        None => Ok(()),
        Some((at, _)) => Err(ValueError::Character(at)),
    }
}

/// Number, country and answerback (RFC 4517 §3.3.33).
pub(super) fn telex(value: &[u8]) -> Checked {
    let mut count = 0;
    for part in value.split(|&byte| byte == b'$') {
        printable_string(part)?;
        count += 1;
    }
    if count == 3 { Ok(()) } else { Err(ValueError::Malformed("a telex number, country and answerback")) }
}

/// Terminal, then parameters `key:octets` (RFC 4517 §3.3.32).
pub(super) fn teletex(value: &[u8]) -> Checked {
    const KEYS: [&[u8]; 5] = [b"graphic", b"control", b"misc", b"page", b"private"];
    let mut parts = value.split(|&byte| byte == b'$');
    let terminal = parts.next().unwrap_or_default();
    not_empty(terminal)?;
    all(terminal, is_printable)?;
    let known = |part: &[u8]| {
        let key = part.split(|&byte| byte == b':').next().unwrap_or_default();
        key.len() < part.len() && KEYS.contains(&key)
    };
    if parts.all(known) { Ok(()) } else { Err(ValueError::Malformed("a teletex terminal identifier")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_the_rfc_are_taken() {
        assert_eq!(postal_address(b"1234 Main St.$Anytown, CA 12345$USA"), Ok(()));
        assert_eq!(postal_address(br"\241,000,000 Sweepstakes$PO Box 1000000$Anytown, CA 12345$USA"), Ok(()));
        assert_eq!(facsimile_number(b"+61 3 9896 7801$fineResolution$a3Width"), Ok(()));
        assert_eq!(delivery_method(b"telephone $ videotex"), Ok(()));
        assert_eq!(telex(b"12345$023$ABCDE"), Ok(()));
        assert_eq!(teletex(b"terminal$graphic:a$private:\x00\xff"), Ok(()));
        assert_eq!(other_mailbox(b"internet$a@example.com"), Ok(()));
    }

    #[test]
    fn others_are_refused() {
        assert_eq!(postal_address(b""), Err(ValueError::Empty));
        assert_eq!(postal_address(b"$$"), Err(ValueError::Empty));
        assert_eq!(postal_address(br"a\b"), Err(ValueError::Character(1)));
        assert!(facsimile_number(b"$fineResolution").is_err());
        assert!(facsimile_number(b"1$colour").is_err());
        assert!(delivery_method(b"pigeon").is_err() && delivery_method(b"").is_err());
        assert!(telex(b"1$2").is_err() && telex(b"1$$3").is_err());
        assert!(teletex(b"t$graphic").is_err() && teletex(b"t$colour:1").is_err());
        assert!(other_mailbox(b"internet").is_err());
    }
}
