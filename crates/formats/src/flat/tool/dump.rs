//! What `nidump` prints.

use super::layout::{Entry, compose};
use super::{Properties, first, values};
use std::io::{self, Write};

/// A format of `nidump`.
///
/// A dump is [`begin`](Self::begin), then [`entry`](Self::entry) for every child of [`path`](Self::path) in child
/// order; where [`is_one_directory`](Self::is_one_directory), `entry` once for that directory itself. Without the
/// directory there is the beginning alone. Nothing is escaped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Dump {
    /// `aliases`: members folded behind the name.
    Aliases,
    /// `bootptab`, with a header.
    Bootptab,
    /// `bootparams`: one parameter a line.
    Bootparams,
    /// `ethers`.
    Ethers,
    /// `exports`.
    Exports,
    /// `fstab`. The fifth field is `freq`, not the `dump_freq` that is loaded.
    Fstab,
    /// `group`.
    Group,
    /// `hosts`: a line for each address.
    Hosts,
    /// `networks`.
    Networks,
    /// `passwd`, ten fields.
    Passwd,
    /// `printcap`.
    Printcap,
    /// `protocols`.
    Protocols,
    /// `resolv.conf`, of one directory.
    ResolvConf,
    /// `rpc`.
    Rpc,
    /// `services`: only the first protocol.
    Services,
}

impl Dump {
    /// All formats, in the order in which the tool lists them.
    pub const ALL: [Self; 15] = [
        Self::Aliases,
        Self::Bootptab,
        Self::Bootparams,
        Self::Ethers,
        Self::Exports,
        Self::Fstab,
        Self::Group,
        Self::Hosts,
        Self::Networks,
        Self::Passwd,
        Self::Printcap,
        Self::Protocols,
        Self::ResolvConf,
        Self::Rpc,
        Self::Services,
    ];

    /// The name on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Aliases => "aliases",
            Self::Bootptab => "bootptab",
            Self::Bootparams => "bootparams",
            Self::Ethers => "ethers",
            Self::Exports => "exports",
            Self::Fstab => "fstab",
            Self::Group => "group",
            Self::Hosts => "hosts",
            Self::Networks => "networks",
            Self::Passwd => "passwd",
            Self::Printcap => "printcap",
            Self::Protocols => "protocols",
            Self::ResolvConf => "resolv.conf",
            Self::Rpc => "rpc",
            Self::Services => "services",
        }
    }

    /// The format with exactly this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.name() == name)
    }

    /// Where the entries are: names of directories, from the root on.
    pub const fn path(self) -> &'static [&'static str] {
        match self {
            Self::Aliases => &["aliases"],
            Self::Bootptab | Self::Bootparams | Self::Ethers | Self::Hosts => &["machines"],
            Self::Exports => &["exports"],
            Self::Fstab => &["mounts"],
            Self::Group => &["groups"],
            Self::Networks => &["networks"],
            Self::Passwd => &["users"],
            Self::Printcap => &["printers"],
            Self::Protocols => &["protocols"],
            Self::ResolvConf => &["locations", "resolver"],
            Self::Rpc => &["rpcs"],
            Self::Services => &["services"],
        }
    }

    /// Whether the directory at [`path`](Self::path) is itself the only entry.
    pub const fn is_one_directory(self) -> bool {
        matches!(self, Self::ResolvConf)
    }

    /// Writes what comes before the entries, even if there are none.
    ///
    /// # Errors
    /// When the output cannot be written.
    pub fn begin(self, out: &mut impl Write) -> io::Result<()> {
        match self {
            Self::Bootptab => out.write_all(b"/private/tftpboot:/\nmach\n%%\n"),
            _ => Ok(()),
        }
    }

    /// Writes the entry of a directory, if it has what an entry needs.
    ///
    /// # Errors
    /// When the output cannot be written.
    pub fn entry(self, properties: &Properties, out: &mut impl Write) -> io::Result<()> {
        let mut text = Vec::new();
        compose(self, &Entry(properties), &mut text);
        out.write_all(&text)
    }
}

/// Writes the names of the maps: `nidump mountmaps` without a map. `children` are those of `/mountmaps`.
///
/// # Errors
/// When the output cannot be written.
pub fn map_names<'a>(
    children: impl IntoIterator<Item = &'a Properties>,
    out: &mut impl Write,
) -> io::Result<()> {
    for name in children.into_iter().filter_map(|properties| first(properties, "name")) {
        out.write_all(name)?;
        out.write_all(b"\n")?;
    }
    Ok(())
}

/// Writes one entry of a map: a child of `/mountmaps/MAP`.
///
/// # Errors
/// When the output cannot be written.
pub fn dump_map(properties: &Properties, out: &mut impl Write) -> io::Result<()> {
    let entry = Entry(properties);
    let Some(name) = first(properties, "name") else { return Ok(()) };
    let mut text = [name, b" "].concat();
    if values(properties, "opts").is_some() {
        text.push(b'-');
        text.extend(entry.joined("opts", b","));
        text.push(b' ');
    }
    text.extend(entry.joined("fsname", b" "));
    text.push(b'\n');
    out.write_all(&text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dump(format: Dump, properties: &[(&str, &[&str])]) -> String {
        let properties: Vec<_> = properties
            .iter()
            .map(|(name, values)| {
                (name.as_bytes().to_vec(), values.iter().map(|v| v.as_bytes().to_vec()).collect())
            })
            .collect();
        let mut out = Vec::new();
        format.entry(&properties, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn formats_are_found_by_name() {
        for format in Dump::ALL {
            assert_eq!(Dump::from_name(format.name()), Some(format));
        }
        assert_eq!(Dump::from_name("netgroup"), None);
    }

    #[test]
    fn lines_have_their_fields() {
        let ana: &[(&str, &[&str])] = &[("name", &["ana", "x"]), ("uid", &["501"]), ("expire", &["9"])];
        assert_eq!(dump(Dump::Passwd, ana), "ana::501:::0:9:::\n");
        assert_eq!(
            dump(Dump::Group, &[("name", &["g"]), ("gid", &["1"]), ("users", &["a", "b"])]),
            "g::1:a,b\n"
        );
        assert_eq!(
            dump(Dump::Networks, &[("name", &["labnet", "l", "m"]), ("address", &["10"])]),
            "labnet\t10\tl\tm\n"
        );
        assert_eq!(dump(Dump::Rpc, &[("name", &["lockd"]), ("number", &["100021"])]), "lockd\t100021\t\n");
        let chat: &[(&str, &[&str])] =
            &[("name", &["chatd", "chat"]), ("port", &["7001"]), ("protocol", &["udp", "tcp"])];
        assert_eq!(dump(Dump::Services, chat), "chatd\t7001/udp\tchat\n");
        assert_eq!(
            dump(Dump::Fstab, &[("name", &["s:/e"]), ("dir", &["/n"]), ("dump_freq", &["1"])]),
            "s:/e /n nfs rw 0 0\n"
        );
        let export: &[(&str, &[&str])] =
            &[("name", &["/export/home"]), ("opts", &["ro"]), ("clients", &["alpha", "beta"])];
        assert_eq!(dump(Dump::Exports, export), "/export/home  -ro alpha beta\n");
    }

    #[test]
    fn machines_are_dumped_by_what_they_have() {
        let bare: &[(&str, &[&str])] = &[("name", &["alpha", "a5"])];
        assert_eq!(dump(Dump::Hosts, bare), "");
        assert_eq!(dump(Dump::Ethers, bare), "");
        assert_eq!(dump(Dump::Bootparams, bare), "");
        assert_eq!(dump(Dump::Bootptab, bare), "alpha\t1\t0:0:0:0:0:0\t0.0.0.0\tmach\n");
        assert_eq!(
            dump(Dump::Hosts, &[("ip_address", &["10.0.0.5", "10.0.0.6"])]),
            "10.0.0.5\t\n10.0.0.6\t\n"
        );
        let full: &[(&str, &[&str])] = &[
            ("name", &["alpha"]),
            ("en_address", &["0:5:2:1:a:b"]),
            ("bootparams", &["root=srv:/export/alpha", "swap=srv:/swap/alpha"]),
        ];
        assert_eq!(dump(Dump::Ethers, full), "0:5:2:1:a:b\talpha\n");
        assert_eq!(dump(Dump::Bootparams, full), "alpha root=srv:/export/alpha \\\n\tswap=srv:/swap/alpha\n");
    }

    #[test]
    fn aliases_are_folded_at_the_last_column() {
        let members: &[&str] =
            &["ana@example.org", "bruno@example.org", "carla@example.org", "dmitri@example.org", "eve"];
        assert_eq!(
            dump(Dump::Aliases, &[("name", &["staff"]), ("members", members)]),
            "staff: ana@example.org,bruno@example.org,carla@example.org,\n\tdmitri@example.org,eve\n"
        );
        assert_eq!(dump(Dump::Aliases, &[("name", &["staff"]), ("members", &[])]), "");
        // Exactly 72 columns are not folded, 73 are.
        let (fits, exceeds) = ("x".repeat(69), "x".repeat(70));
        assert_eq!(dump(Dump::Aliases, &[("name", &["a"]), ("members", &[&fits])]), format!("a: {fits}\n"));
        assert_eq!(
            dump(Dump::Aliases, &[("name", &["a"]), ("members", &[&exceeds])]),
            format!("a: \n\t{exceeds}\n")
        );
    }

    #[test]
    fn printers_have_flags_and_numbers() {
        let printer: &[(&str, &[&str])] = &[
            ("rm", &["prhost"]),
            ("name", &["lp", "LaserOne"]),
            ("rp", &["raw"]),
            ("sd", &["/var/spool/lpd/one"]),
            ("sh", &[]),
            ("mx", &["#0"]),
            ("lp", &[""]),
            ("note", &["second floor"]),
        ];
        assert_eq!(
            dump(Dump::Printcap, printer),
            "lp|LaserOne: \\\n\t:rm=prhost:rp=raw:sd=/var/spool/lpd/one:sh:mx#0:lp=: \\\n\t:note=second floor:\n"
        );
    }

    #[test]
    fn a_resolver_needs_a_domain_and_a_server() {
        let full: &[(&str, &[&str])] = &[
            ("search", &["example.org", "lab.example.org"]),
            ("domain", &["example.org"]),
            ("nameserver", &["10.0.0.1", "10.0.0.2"]),
        ];
        assert_eq!(
            dump(Dump::ResolvConf, full),
            "domain example.org\nsearch example.org lab.example.org\nnameserver 10.0.0.1\nnameserver 10.0.0.2\n"
        );
        assert_eq!(dump(Dump::ResolvConf, &full[..2]), "");
    }
}
