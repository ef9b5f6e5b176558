//! The lines of `nidump`.

use super::{Dump, Properties, first, values};

/// Lines of `aliases` and `printcap` are folded when they would grow beyond this column.
const LAST_COLUMN: usize = 72;

/// Column at which the text of a folded line is counted to begin.
const TAB: usize = 8;

/// Appends the entry of a directory, if it has what an entry needs.
pub(super) fn compose(format: Dump, entry: &Entry<'_>, text: &mut Vec<u8>) {
    if format == Dump::Hosts {
        return hosts(entry, text);
    }
    if format == Dump::ResolvConf {
        return resolver(entry, text);
    }
    let Some(name) = first(entry.0, "name") else { return };
    match format {
        Dump::Aliases => aliases(name, entry, text),
        Dump::Bootptab => bootptab(name, entry, text),
        Dump::Bootparams => bootparams(name, entry, text),
        Dump::Ethers => ethers(entry, text),
        Dump::Exports => exports(name, entry, text),
        Dump::Fstab => fstab(name, entry, text),
        Dump::Group => {
            line(
                text,
                b":",
                &[name, entry.first("passwd"), entry.first("gid"), &entry.joined("users", b",")],
            );
        }
        Dump::Networks => table(name, entry.first("address"), entry, text),
        Dump::Passwd => passwd(name, entry, text),
        Dump::Printcap => printcap(entry, text),
        Dump::Protocols | Dump::Rpc => table(name, entry.first("number"), entry, text),
        Dump::Services => {
            let port = [entry.first("port"), b"/", entry.first("protocol")].concat();
            table(name, &port, entry, text);
        }
        // Above.
        Dump::Hosts | Dump::ResolvConf => {}
    }
}

/// The properties of a directory.
pub(super) struct Entry<'a>(pub(super) &'a Properties);

impl<'a> Entry<'a> {
    fn all(&self, property: &str) -> &'a [Vec<u8>] {
        values(self.0, property).unwrap_or_default()
    }

    /// The first value; empty if there is none.
    fn first(&self, property: &str) -> &'a [u8] {
        first(self.0, property).unwrap_or_default()
    }

    fn first_or(&self, property: &str, default: &'a [u8]) -> &'a [u8] {
        first(self.0, property).unwrap_or(default)
    }

    /// All values with something between them.
    pub(super) fn joined(&self, property: &str, between: &[u8]) -> Vec<u8> {
        self.all(property).join(between)
    }

    /// All names but the first.
    fn aliases(&self, between: &[u8]) -> Vec<u8> {
        self.all("name").get(1..).unwrap_or_default().join(between)
    }
}

fn line(text: &mut Vec<u8>, between: &[u8], fields: &[&[u8]]) {
    text.extend(fields.join(between));
    text.push(b'\n');
}

fn passwd(name: &[u8], entry: &Entry<'_>, text: &mut Vec<u8>) {
    let fields = [
        name,
        entry.first("passwd"),
        entry.first("uid"),
        entry.first("gid"),
        entry.first("class"),
        entry.first_or("change", b"0"),
        entry.first_or("expire", b"0"),
        entry.first("realname"),
        entry.first("home"),
        entry.first("shell"),
    ];
    line(text, b":", &fields);
}

fn table(name: &[u8], value: &[u8], entry: &Entry<'_>, text: &mut Vec<u8>) {
    line(text, b"\t", &[name, value, &entry.aliases(b"\t")]);
}

fn hosts(entry: &Entry<'_>, text: &mut Vec<u8>) {
    for address in entry.all("ip_address") {
        line(text, b"\t", &[address, &entry.joined("name", b" ")]);
    }
}

fn ethers(entry: &Entry<'_>, text: &mut Vec<u8>) {
    if let Some(address) = entry.all("en_address").first() {
        line(text, b"\t", &[address, &entry.joined("name", b" ")]);
    }
}

fn bootptab(name: &[u8], entry: &Entry<'_>, text: &mut Vec<u8>) {
    let fields = [
        name,
        b"1",
        entry.first_or("en_address", b"0:0:0:0:0:0"),
        entry.first_or("ip_address", b"0.0.0.0"),
        entry.first_or("bootfile", b"mach"),
    ];
    line(text, b"\t", &fields);
}

fn bootparams(name: &[u8], entry: &Entry<'_>, text: &mut Vec<u8>) {
    if !entry.all("bootparams").is_empty() {
        line(text, b" ", &[name, &entry.joined("bootparams", b" \\\n\t")]);
    }
}

fn fstab(name: &[u8], entry: &Entry<'_>, text: &mut Vec<u8>) {
    let opts = entry.joined("opts", b",");
    let fields = [
        name,
        entry.first("dir"),
        entry.first_or("vfstype", b"nfs"),
        if entry.all("opts").is_empty() { b"rw" } else { &opts },
        entry.first_or("freq", b"0"),
        entry.first_or("passno", b"0"),
    ];
    line(text, b" ", &fields);
}

fn aliases(name: &[u8], entry: &Entry<'_>, text: &mut Vec<u8>) {
    let members = entry.all("members");
    if members.is_empty() {
        return;
    }
    text.extend_from_slice(name);
    text.extend_from_slice(b": ");
    let mut column = name.len() + 2;
    for (position, member) in members.iter().enumerate() {
        let last = position + 1 == members.len();
        let length = member.len() + usize::from(!last);
        column += length;
        if column > LAST_COLUMN {
            text.extend_from_slice(b"\n\t");
            column = length + TAB;
        }
        text.extend_from_slice(member);
        if !last {
            text.push(b',');
        }
    }
    text.push(b'\n');
}

fn printcap(entry: &Entry<'_>, text: &mut Vec<u8>) {
    text.extend(entry.joined("name", b"|"));
    text.extend_from_slice(b": \\\n\t:");
    let mut column = TAB + 1;
    for (key, values) in entry.0.iter().filter(|(key, _)| key != b"name") {
        let word = match values.first() {
            None => [key, &b":"[..]].concat(),
            Some(value) if value.starts_with(b"#") => [key, value, &b":"[..]].concat(),
            Some(value) => [key, &b"="[..], value, b":"].concat(),
        };
        column += word.len();
        if column > LAST_COLUMN {
            text.extend_from_slice(b" \\\n\t:");
            column = word.len() + TAB + 1;
        }
        text.extend(word);
    }
    text.push(b'\n');
}

fn exports(name: &[u8], entry: &Entry<'_>, text: &mut Vec<u8>) {
    let opts: Vec<_> = entry.all("opts").iter().map(|opt| [b"-", opt.as_slice()].concat()).collect();
    line(text, b" ", &[name, &entry.aliases(b" "), &opts.join(&b" "[..]), &entry.joined("clients", b" ")]);
}

fn resolver(entry: &Entry<'_>, text: &mut Vec<u8>) {
    let (Some(domain), [_, ..]) = (first(entry.0, "domain"), entry.all("nameserver")) else { return };
    line(text, b" ", &[b"domain", domain]);
    if !entry.all("search").is_empty() {
        line(text, b" ", &[b"search", &entry.joined("search", b" ")]);
    }
    for server in entry.all("nameserver") {
        line(text, b" ", &[b"nameserver", server]);
    }
}
