//! What `niload` makes of its input.

use super::parse::parse;
use crate::flat::format::Records;
use crate::flat::joined::{Comments, Entries, Entry, Joined};
use crate::problem::{Problem, Reason};
use crate::record::Record;
use std::io::BufRead;

/// A format of `niload`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Load {
    /// `aliases`: only the text between the first two colons is taken.
    Aliases,
    /// `bootparams`: fields between tabs, `key=value` becomes a property.
    Bootparams,
    /// `bootptab`, behind a line that begins with `%%`.
    Bootptab,
    /// `fstab`, six fields. The fifth becomes `dump_freq`.
    Fstab,
    /// `group`.
    Group,
    /// `hosts`.
    Hosts,
    /// `networks`.
    Networks,
    /// `passwd`, ten fields.
    Passwd,
    /// `passwd.43`: `passwd` with seven fields.
    Passwd43,
    /// `printcap`: names are not split, flags and numbers are dropped.
    Printcap,
    /// `protocols`.
    Protocols,
    /// `rpc`.
    Rpc,
    /// `services`.
    Services,
}

impl Load {
    /// All formats, in alphabetical order.
    pub const ALL: [Self; 13] = [
        Self::Aliases,
        Self::Bootparams,
        Self::Bootptab,
        Self::Fstab,
        Self::Group,
        Self::Hosts,
        Self::Networks,
        Self::Passwd,
        Self::Passwd43,
        Self::Printcap,
        Self::Protocols,
        Self::Rpc,
        Self::Services,
    ];

    /// The name on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Aliases => "aliases",
            Self::Bootparams => "bootparams",
            Self::Bootptab => "bootptab",
            Self::Fstab => "fstab",
            Self::Group => "group",
            Self::Hosts => "hosts",
            Self::Networks => "networks",
            Self::Passwd => "passwd",
            Self::Passwd43 => "passwd.43",
            Self::Printcap => "printcap",
            Self::Protocols => "protocols",
            Self::Rpc => "rpc",
            Self::Services => "services",
        }
    }

    /// The format with exactly this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.name() == name)
    }

    /// The child of the root below which the items go.
    pub const fn container(self) -> &'static str {
        match self {
            Self::Aliases => "aliases",
            Self::Bootparams | Self::Bootptab | Self::Hosts => "machines",
            Self::Fstab => "mounts",
            Self::Group => "groups",
            Self::Networks => "networks",
            Self::Passwd | Self::Passwd43 => "users",
            Self::Printcap => "printers",
            Self::Protocols => "protocols",
            Self::Rpc => "rpcs",
            Self::Services => "services",
        }
    }

    /// The items of an input in its order, each with its properties sorted by name.
    ///
    /// The tool passes over lines that give no item without a word; here they are [`Problem`]s to pass over. A property
    /// `name` is not promised. Only an input that cannot be read ends the items early.
    pub fn read<'a>(self, input: impl BufRead + 'a) -> Records<'a> {
        let joined = match self {
            Self::Aliases => Joined::IndentedBare,
            Self::Bootparams | Self::Printcap => Joined::Backslash,
            _ => Joined::No,
        };
        let mut entries = Entries::new(input, joined, Comments::AtStart);
        // Whether the header is behind us.
        let mut begun = self != Self::Bootptab;
        Box::new(std::iter::from_fn(move || {
            loop {
                let entry = match entries.next()? {
                    Ok(entry) => entry,
                    Err(problem) => return Some(Err(problem)),
                };
                if begun {
                    return Some(self.item(&entry));
                }
                begun = entry.text.starts_with(b"%%");
            }
        }))
    }

    fn item(self, entry: &Entry) -> Result<Record, Problem> {
        let Some(mut properties) = parse(self, &entry.text) else {
            let reason = Reason::Malformed(format!("no line of {}", self.name()));
            return Err(reason.at(entry.number, "line"));
        };
        properties.sort_by(|(one, _), (other, _)| one.cmp(other));
        let mut record = Record::new(self.container(), entry.number);
        record.properties = properties;
        Ok(record)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The items, as `key: value,value` sorted; problems as text.
    fn load(format: Load, input: &str) -> Vec<String> {
        let shown = |record: Record| {
            let property = |(name, values): &(Vec<u8>, Vec<Vec<u8>>)| {
                format!("{}: {}", name.escape_ascii(), values.join(&b","[..]).escape_ascii())
            };
            record.properties.iter().map(property).collect::<Vec<_>>().join("; ")
        };
        format.read(input.as_bytes()).map(|item| item.map_or_else(|p| p.to_string(), shown)).collect()
    }

    #[test]
    fn formats_are_found_by_name() {
        for format in Load::ALL {
            assert_eq!(Load::from_name(format.name()), Some(format));
        }
        assert_eq!(Load::from_name("ethers"), None);
    }

    #[test]
    fn users_have_sorted_properties() {
        let expected = "_writers_passwd: ana; change: 0; class: ; expire: 0; gid: 20; home: /Users/ana; name: ana; \
                        passwd: *; realname: Ana Lima; shell: /bin/tcsh; uid: 501";
        let ten = "ana:*:501:20::0:0:Ana Lima:/Users/ana:/bin/tcsh";
        assert_eq!(load(Load::Passwd, ten), [expected]);
        assert_eq!(load(Load::Passwd43, "ana:*:501:20:Ana Lima:/Users/ana:/bin/tcsh\n"), [expected]);
        assert_eq!(load(Load::Passwd43, ten), ["line 1: line: no line of passwd.43"]);
        assert_eq!(load(Load::Passwd, "#\n\n+:::::::::\n"), ["line 3: line: no line of passwd"]);
    }

    #[test]
    fn groups_without_members_have_users() {
        assert_eq!(
            load(Load::Group, "staffers:*:600:ana, bruno\nb:*:1\nc:*:2:\nd:*\n"),
            [
                "gid: 600; name: staffers; passwd: *; users: ana,bruno",
                "gid: 1; name: b; passwd: *; users: ",
                "gid: 2; name: c; passwd: *; users: ",
                "line 4: line: no line of group",
            ]
        );
        let values =
            |input: &str| Load::Group.read(input.as_bytes()).next().unwrap().unwrap().values("users").len();
        assert_eq!((values("b:*:1"), values("c:*:2:")), (1, 0));
    }

    #[test]
    fn tables_have_names_and_values() {
        assert_eq!(
            load(Load::Hosts, "10.0.0.5 alpha alpha.example.org a5   # lab\n10.0.0.6\n"),
            ["ip_address: 10.0.0.5; name: alpha,alpha.example.org,a5", "line 2: line: no line of hosts"]
        );
        assert_eq!(load(Load::Networks, "labnet 10.0.0 lab-net"), ["address: 10.0.0; name: labnet,lab-net"]);
        assert_eq!(load(Load::Protocols, "rdp 27 RDP\n"), ["name: rdp,RDP; number: 27"]);
        assert_eq!(load(Load::Rpc, "lockd\t100021\t\n"), ["name: lockd; number: 100021"]);
        assert_eq!(
            load(Load::Services, "chatd 7001/udp chat\nx 1/\ny /tcp\nz 1\n"),
            [
                "name: chatd,chat; port: 7001; protocol: udp",
                "line 2: line: no line of services",
                "line 3: line: no line of services",
                "line 4: line: no line of services",
            ]
        );
    }

    #[test]
    fn mounts_need_six_fields() {
        assert_eq!(
            load(Load::Fstab, "srv:/export/home /Network/home nfs rw,bg 0 0\nsrv:/x /x nfs rw 0\n"),
            [
                "dir: /Network/home; dump_freq: 0; name: srv:/export/home; opts: rw,bg; passno: 0; vfstype: nfs",
                "line 2: line: no line of fstab",
            ]
        );
    }

    #[test]
    fn aliases_join_indented_lines_directly() {
        assert_eq!(
            load(Load::Aliases, "staff: ana, bruno,\n\tcarla\nlist: :include:/x\nx: a\n b\n"),
            ["members: ana,bruno,carla; name: staff", "members: ; name: list", "members: ab; name: x"]
        );
    }

    #[test]
    fn boot_files_have_their_quirks() {
        assert_eq!(
            load(
                Load::Bootparams,
                "alpha\troot=srv:/export/alpha\\\n\tswap=srv:/swap/alpha\tx=y=z\nb root=c\n"
            ),
            ["name: alpha; root: srv:/export/alpha; swap: srv:/swap/alpha", "name: b root=c"]
        );
        assert_eq!(
            load(
                Load::Bootptab,
                "a 1 b c d\n/private\n%% x\nalpha\t1\t0:5:2:1:a:b\t10.0.0.5\tmach\nb 1 0 0\n"
            ),
            [
                "bootfile: mach; en_address: 0:5:2:1:a:b; htype: 1; ip_address: 10.0.0.5; name: alpha",
                "line 5: line: no line of bootptab",
            ]
        );
        assert!(load(Load::Bootptab, "a 1 b c d\n").is_empty());
    }

    #[test]
    fn printers_lose_flags_and_numbers() {
        let text = "lp|LaserOne: \\\n\t:rm=prhost:rp=raw:sd=/var/spool/lpd/one:sh:mx#0:\n";
        assert_eq!(
            load(Load::Printcap, text),
            ["name: lp|LaserOne; rm: prhost; rp: raw; sd: /var/spool/lpd/one"]
        );
    }
}
