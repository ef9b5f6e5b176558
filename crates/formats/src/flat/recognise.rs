//! Telling which flat file something is.

use super::format::Format;
use super::joined::{Comments, Entries, Joined};
use super::words::{comma_parts, outside_quotes};
use std::net::IpAddr;

/// How much of a file is enough to recognise it, in bytes.
pub const HEAD_BYTES: usize = 1 << 16;

/// Most entries that are looked at.
const MAX_ENTRIES: usize = 500;

/// What a fitting file name counts for.
const NAME_BONUS: u8 = 40;

/// Endings that a copy of a file has.
const COPY_ENDINGS: [&str; 9] = ["-", "~", ".bak", ".old", ".orig", ".save", ".copy", ".txt", ".rpmsave"];

impl Format {
    /// The format of a file of this name, without its directory: the name of the format, also with an ending that copies
    /// have (`passwd-`, `hosts.bak`), and for maps of the automounter every name that begins with `auto_` or `auto.`.
    pub fn from_file_name(file_name: &str) -> Option<Self> {
        let copied = COPY_ENDINGS.iter().find_map(|ending| file_name.strip_suffix(ending));
        let known = |name: &str| match name {
            "mounts" | "mtab" => Some(Self::Fstab),
            "passwd.43" => Some(Self::Passwd),
            _ if name.starts_with("auto_") || name.starts_with("auto.") => Some(Self::MountMap),
            _ => Self::ALL.into_iter().find(|format| *format != Self::MountMap && format.name() == name),
        };
        known(file_name).or_else(|| known(copied?))
    }

    /// How much the beginning of a file looks like this format, from 0 to 100. [`HEAD_BYTES`] are enough.
    pub fn score(self, head: &[u8]) -> u8 {
        let head = whole_lines(head);
        if head.contains(&0) || (self == Self::Bootptab && !head.split(|byte| *byte == b'\n').any(is_mark)) {
            return 0;
        }
        let mut entries = Entries::new(head, self.joined(), Comments::Anywhere);
        let (mut weights, mut count) = (0, 0);
        while let Some(entry) = entries.next()
            && count < MAX_ENTRIES
        {
            let weight = entry.map_or(Some(0), |entry| self.weight(entry.text.trim_ascii()));
            if let Some(weight) = weight {
                weights += usize::from(weight);
                count += 1;
            }
        }
        u8::try_from(weights.checked_div(count).unwrap_or_default()).unwrap_or_default()
    }

    /// The format that a file has most likely, with a score from 1 to 100; `None` if nothing speaks for any. `file_name`
    /// is without the directory. What the file holds counts for more than what it is called.
    pub fn recognise(file_name: Option<&str>, head: &[u8]) -> Option<(Self, u8)> {
        let named = file_name.and_then(Self::from_file_name);
        let scored = Self::ALL.into_iter().map(|format| {
            let bonus = if named == Some(format) { NAME_BONUS } else { 0 };
            (format, format.score(head).saturating_add(bonus))
        });
        // Of equals the first.
        let best = scored.rev().max_by_key(|(_, score)| *score);
        best.filter(|(_, score)| *score > 0).map(|(format, score)| (format, score.min(100)))
    }

    const fn joined(self) -> Joined {
        match self {
            Self::Aliases => Joined::Indented,
            Self::Exports | Self::Printcap | Self::Bootparams | Self::Netgroup | Self::MountMap => {
                Joined::Backslash
            }
            _ => Joined::No,
        }
    }

    /// How much an entry speaks for the format: 0 against it, 100 entirely; `None` if it says nothing.
    fn weight(self, text: &[u8]) -> Option<u8> {
        let words: Vec<&[u8]> = text.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty()).collect();
        let colons: Vec<&[u8]> = text.split(|byte| *byte == b':').map(<[u8]>::trim_ascii).collect();
        let nis = matches!(text, [b'+' | b'-', ..]);
        let weight = match self {
            Self::Passwd | Self::MasterPasswd | Self::Shadow | Self::Group | Self::Netgroup if nis => {
                return None;
            }
            Self::Passwd => sure(is_passwd(&colons), 95),
            Self::MasterPasswd => sure(is_master(&colons), 97),
            Self::Shadow => sure(is_shadow(&colons), 95),
            Self::Group => sure(is_group(&colons), 90),
            Self::Hosts => sure(words.len() > 1 && is_address(words[0]), 95),
            Self::Networks => network(&words),
            Self::Protocols => sure(number(&words).is_some_and(|number| number <= 255), 70),
            Self::Rpc => sure(number(&words).is_some_and(|number| number >= 100_000), 90),
            Self::Services => sure(words.get(1).is_some_and(|word| is_port(word)), 95),
            Self::Aliases => sure(is_alias(text), 60),
            Self::Fstab => sure(is_mount(&words), 85),
            Self::Exports => sure(is_export(&words), 65),
            Self::Printcap => sure(is_printer(&colons), 85),
            Self::Ethers => sure(words.len() > 1 && is_ethernet(words[0]), 95),
            Self::Bootptab => sure(is_mark(text) || words.get(2).is_none_or(|word| is_ethernet(word)), 95),
            Self::Bootparams => {
                sure(words.len() > 1 && words[1..].iter().all(|word| word.contains(&b'=')), 85)
            }
            Self::Netgroup => netgroup(text),
            Self::MountMap => sure(is_map_entry(&words), 80),
            Self::ResolvConf => return resolver(&words),
        };
        Some(weight)
    }
}

/// Without the last line if it may be cut off.
fn whole_lines(head: &[u8]) -> &[u8] {
    match head.iter().rposition(|byte| *byte == b'\n') {
        Some(end) if head.len() >= HEAD_BYTES => &head[..=end],
        _ => head,
    }
}

const fn sure(yes: bool, weight: u8) -> u8 {
    if yes { weight } else { 0 }
}

fn is_digits(text: &[u8]) -> bool {
    !text.is_empty() && text.iter().all(u8::is_ascii_digit)
}

fn is_id(text: &[u8]) -> bool {
    is_digits(text.strip_prefix(b"-").unwrap_or(text))
}

fn is_number_or_empty(text: &[u8]) -> bool {
    text.is_empty() || is_id(text)
}

fn is_path_or_empty(text: &[u8]) -> bool {
    text.is_empty() || text.starts_with(b"/")
}

fn is_passwd(fields: &[&[u8]]) -> bool {
    matches!(fields, [name, _, uid, gid, _, home, _] if !name.is_empty() && is_id(uid) && is_id(gid) && is_path_or_empty(home))
}

fn is_master(fields: &[&[u8]]) -> bool {
    matches!(fields, [name, _, uid, gid, _, change, expire, _, home, _] if !name.is_empty() && is_id(uid) && is_id(gid)
        && is_number_or_empty(change) && is_number_or_empty(expire) && is_path_or_empty(home))
}

fn is_shadow(fields: &[&[u8]]) -> bool {
    fields.len() == 9 && !fields[0].is_empty() && fields[2..].iter().all(|field| is_number_or_empty(field))
}

fn is_group(fields: &[&[u8]]) -> bool {
    matches!(fields, [name, _, gid] | [name, _, gid, _] if !name.is_empty() && is_id(gid))
}

fn is_address(word: &[u8]) -> bool {
    let Ok(text) = str::from_utf8(word) else { return false };
    text.split_once('%').map_or(text, |(address, _)| address).parse::<IpAddr>().is_ok()
}

fn is_ethernet(word: &[u8]) -> bool {
    let parts: Vec<&[u8]> = word.split(|byte| b":-".contains(byte)).collect();
    let is_part = |part: &&[u8]| matches!(part.len(), 1 | 2) && part.iter().all(u8::is_ascii_hexdigit);
    parts.len() == 6 && parts.iter().all(is_part)
}

fn number(words: &[&[u8]]) -> Option<u32> {
    let word = words.get(1).filter(|word| is_digits(word))?;
    str::from_utf8(word).ok()?.parse().ok()
}

/// A dotted network number says more than a small number, which protocols have too.
fn network(words: &[&[u8]]) -> u8 {
    let Some(word) = words.get(1) else { return 0 };
    let parts: Vec<&[u8]> = word.split(|byte| *byte == b'.').collect();
    match parts.len() {
        1 => sure(number(words).is_some_and(|number| number <= 255), 40),
        2..=4 => sure(parts.iter().all(|part| is_digits(part)), 85),
        _ => 0,
    }
}

fn is_port(word: &[u8]) -> bool {
    let slash = word.iter().position(|byte| *byte == b'/');
    slash.is_some_and(|slash| {
        is_digits(&word[..slash]) && word[slash + 1..].first().is_some_and(u8::is_ascii_alphabetic)
    })
}

/// `name: member, member`. Entries of LDIF look much the same, but theirs begin with a `dn`.
fn is_alias(text: &[u8]) -> bool {
    let Some(colon) = outside_quotes(text, b':') else { return false };
    let (name, members) = (text[..colon].trim_ascii(), &text[colon + 1..]);
    let plain = name.starts_with(b"\"")
        || !name.iter().any(|byte| byte.is_ascii_whitespace() || b"|=/{(<".contains(byte));
    let is_member = |member: &&[u8]| {
        member.starts_with(b":include:")
            || member.starts_with(b"\"")
            || member.starts_with(b"|")
            || !member.iter().any(|byte| b":={}<;".contains(byte))
    };
    let members = comma_parts(members);
    !name.is_empty()
        && plain
        && !matches!(name, b"dn" | b"version")
        && !members.is_empty()
        && members.iter().all(is_member)
}

fn is_mount(words: &[&[u8]]) -> bool {
    let [source, directory, kind, rest @ ..] = words else { return false };
    let is_kind = |byte: &u8| byte.is_ascii_alphanumeric() || b"._-,".contains(byte);
    let numbers = rest.get(1..).unwrap_or_default();
    !source.starts_with(b"-")
        && (directory.starts_with(b"/") || matches!(*directory, b"none" | b"swap"))
        && kind.first().is_some_and(u8::is_ascii_alphabetic)
        && kind.iter().all(is_kind)
        && (rest.is_empty() || !rest[0].starts_with(b"/"))
        && numbers.len() <= 2
        && numbers.iter().all(|word| is_digits(word))
}

fn is_export(words: &[&[u8]]) -> bool {
    let path = |word: &[u8]| word.starts_with(b"/") || word.starts_with(b"\"/");
    let rest = words.iter().skip_while(|word| path(word)).skip_while(|word| word.starts_with(b"-"));
    words.first().is_some_and(|word| path(word))
        && !is_map_entry(words)
        && rest.into_iter().all(|word| !word.starts_with(b"/"))
}

fn is_printer(fields: &[&[u8]]) -> bool {
    let is_capability = |field: &&[u8]| {
        let end = field.iter().position(|byte| b"=#".contains(byte)).unwrap_or(field.len());
        field.is_empty()
            || (end > 0
                && field[..end].iter().all(|byte| byte.is_ascii_alphanumeric() || b"_-@".contains(byte)))
    };
    let has_value = |field: &&[u8]| field.iter().any(|byte| b"=#".contains(byte));
    let Some((names, capabilities)) = fields.split_first() else { return false };
    !names.is_empty() && capabilities.iter().any(has_value) && capabilities.iter().all(is_capability)
}

fn is_mark(line: &[u8]) -> bool {
    line.starts_with(b"%%")
}

/// Names of groups alone could be anything.
fn netgroup(text: &[u8]) -> u8 {
    let triple = text.iter().filter(|byte| **byte == b'(').count();
    let commas = text.iter().filter(|byte| **byte == b',').count();
    match triple {
        0 => sure(!text.iter().any(|byte| b":/=,;()\"{}".contains(byte)), 30),
        _ => sure(commas == 2 * triple && !text.starts_with(b"("), 90),
    }
}

/// A location with a path on a host, or an entry of a master map.
fn is_map_entry(words: &[&[u8]]) -> bool {
    let is_location = |word: &&[u8]| word.windows(2).any(|pair| pair == b":/") && !word.contains(&b'=');
    let is_map = |word: &[u8]| {
        word.starts_with(b"auto") || matches!(word, b"-hosts" | b"-fstab" | b"-static" | b"-null")
    };
    match words {
        [key, map, ..] if key.starts_with(b"/") && is_map(map) => true,
        [_, opts, location, ..] if opts.starts_with(b"-") => is_location(location),
        [key, location, rest @ ..] => {
            !is_location(key) && is_location(location) && rest.iter().all(|word| !is_digits(word))
        }
        _ => false,
    }
}

fn resolver(words: &[&[u8]]) -> Option<u8> {
    match words.first()? {
        [b';', ..] => None,
        &(b"nameserver" | b"domain" | b"search" | b"sortlist" | b"options") if words.len() > 1 => Some(97),
        _ => Some(0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_known_by_their_names() {
        assert_eq!(Format::from_file_name("passwd-"), Some(Format::Passwd));
        assert_eq!(Format::from_file_name("passwd.43"), Some(Format::Passwd));
        assert_eq!(Format::from_file_name("master.passwd.bak"), Some(Format::MasterPasswd));
        assert_eq!(Format::from_file_name("auto.home"), Some(Format::MountMap));
        assert_eq!(Format::from_file_name("mtab"), Some(Format::Fstab));
        assert_eq!(Format::from_file_name("hosts.allow"), None);
        assert_eq!(Format::from_file_name("mountmap"), None);
    }

    #[test]
    fn content_counts_for_more_than_the_name() {
        let ten = b"root:*:0:0::0:0:System Administrator:/var/root:/bin/sh\n";
        assert_eq!(Format::recognise(Some("passwd"), ten).map(|found| found.0), Some(Format::MasterPasswd));
        let small = b"loopback 127\n";
        assert_eq!(Format::recognise(None, small).map(|found| found.0), Some(Format::Protocols));
        assert_eq!(Format::recognise(Some("networks"), small).map(|found| found.0), Some(Format::Networks));
        assert_eq!(Format::recognise(Some("hosts"), b"").map(|found| found.0), Some(Format::Hosts));
        assert_eq!(Format::recognise(None, b""), None);
        assert_eq!(Format::recognise(None, b"{ \"name\" = ( \"x\" ); }\n"), None);
    }

    #[test]
    fn other_formats_score_low() {
        let ldif = b"version: 1\n\ndn: uid=ana,ou=people,dc=example,dc=com\nobjectClass: account\nuid: ana\n";
        let found = Format::recognise(None, ldif);
        assert!(found.is_none_or(|(_, score)| score < 50), "{found:?}");
        assert_eq!(Format::recognise(None, b"127.0.0.1 a\0b\n"), None);
    }

    #[test]
    fn a_line_that_is_cut_off_does_not_count() {
        let mut text = b"127.0.0.1 localhost\n".repeat(HEAD_BYTES / 20 + 1);
        text.truncate(HEAD_BYTES);
        assert_eq!(Format::Hosts.score(&text), 95);
    }
}
