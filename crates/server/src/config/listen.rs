//! Addresses to listen on: `[listen]` in the file, `--listen NAME=ADDRESS` on the command line.

use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

/// Most addresses for one name.
pub const MAX_ADDRESSES: usize = 16;

/// Keys of `[listen]`.
const NAMES: &[&str] =
    &["ipcserver", "portmap", "local", "binder", "ldap", "ldaps", "ldapi", "lookup", "login", "domain.TAG"];

/// What listens.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum ListenName {
    /// The endpoint on which every RPC program of the node is reachable.
    Ipcserver,
    /// The portmapper.
    Portmap,
    /// The UNIX socket.
    Local,
    /// The binder's own port.
    Binder,
    /// LDAP, with TLS where the client asks for it (StartTLS).
    Ldap,
    /// LDAP over TLS.
    Ldaps,
    /// LDAP on a UNIX socket.
    Ldapi,
    /// The UNIX socket of look-ups.
    Lookup,
    /// The UNIX socket of login modules.
    Login,
    /// The own port of the domain with this tag.
    Domain(String),
}

/// Where something listens.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Listen {
    /// Where it does when nobody says anything.
    #[default]
    Default,
    /// Nowhere.
    Off,
    /// At these addresses; never empty.
    At(Vec<ListenAddr>),
}

/// One address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ListenAddr {
    /// TCP and UDP (TCP alone for LDAP) at this address; port 0 lets the system choose.
    Socket(SocketAddr),
    /// A UNIX socket.
    Unix(PathBuf),
}

/// `[listen]`: what was said about each name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ListenTable(BTreeMap<ListenName, Listen>);

/// One `--listen NAME=ADDRESS`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListenArg {
    /// What listens.
    pub name: ListenName,
    /// Where.
    pub listen: Listen,
}

impl ListenTable {
    /// What was said about `name`.
    pub fn get(&self, name: &ListenName) -> Option<&Listen> {
        self.0.get(name)
    }

    /// What to do for `name`: [`Listen::Default`] when nothing was said.
    pub fn resolve(&self, name: &ListenName) -> Listen {
        self.0.get(name).cloned().unwrap_or_default()
    }

    /// The domains something was said about.
    pub fn domains(&self) -> impl Iterator<Item = (&str, &Listen)> {
        self.0.iter().filter_map(|(name, listen)| match name {
            ListenName::Domain(tag) => Some((tag.as_str(), listen)),
            _ => None,
        })
    }

    /// Replaces what was said about each name in `args`. Addresses given for one name add up.
    ///
    /// # Errors
    /// A sentence when a name is given both addresses and `off`, or too many addresses.
    pub fn override_with(&mut self, args: &[ListenArg]) -> Result<(), String> {
        let mut given: BTreeMap<&ListenName, Listen> = BTreeMap::new();
        for arg in args {
            let merged = match (given.remove(&arg.name), arg.listen.clone()) {
                (None, first) => first,
                (Some(Listen::At(mut all)), Listen::At(more)) => {
                    all.extend(more);
                    Listen::At(all)
                }
                (Some(_), _) => {
                    return Err(format!("{} is given an address and \"off\" or \"default\"", arg.name));
                }
            };
            let most = arg.name.most_addresses();
            if matches!(&merged, Listen::At(all) if all.len() > most) {
                return Err(arg.name.too_many());
            }
            given.insert(&arg.name, merged);
        }
        self.0.extend(given.into_iter().map(|(name, listen)| (name.clone(), listen)));
        Ok(())
    }

    /// Makes relative socket paths start at `base`.
    pub fn rebase(&mut self, base: &Path) {
        for listen in self.0.values_mut() {
            listen.rebase(base);
        }
    }
}

impl Listen {
    /// Reads one value for `name`: an address, `off` or `default`.
    ///
    /// # Errors
    /// A sentence saying what is allowed.
    pub fn parse(name: &ListenName, text: &str) -> Result<Self, String> {
        match text {
            "off" => Ok(Self::Off),
            "default" => Ok(Self::Default),
            address => ListenAddr::parse(name, address).map(|one| Self::At(vec![one])),
        }
    }

    fn rebase(&mut self, base: &Path) {
        let Self::At(addresses) = self else { return };
        for address in addresses {
            if let ListenAddr::Unix(path) = address {
                *path = base.join(&*path);
            }
        }
    }
}

impl ListenName {
    /// Whether it is a UNIX socket.
    fn is_path(&self) -> bool {
        matches!(self, Self::Local | Self::Ldapi | Self::Lookup | Self::Login)
    }

    /// There is one UNIX socket of each kind only.
    fn most_addresses(&self) -> usize {
        if self.is_path() { 1 } else { MAX_ADDRESSES }
    }

    fn too_many(&self) -> String {
        match self.is_path() {
            true => format!("{self} takes one path"),
            false => format!("{self} takes at most {MAX_ADDRESSES} addresses"),
        }
    }
}

impl ListenAddr {
    /// Reads an address for `name`: a path for a UNIX socket, `ADDR:PORT` for anything else.
    ///
    /// # Errors
    /// A sentence saying what is allowed.
    pub fn parse(name: &ListenName, text: &str) -> Result<Self, String> {
        if name.is_path() {
            return match text.contains('/') {
                true => Ok(Self::Unix(PathBuf::from(text))),
                false => {
                    Err(format!("{text:?} is not the path of a socket, such as /run/netinfo/netinfod.sock"))
                }
            };
        }
        text.parse().map(Self::Socket).map_err(|_| {
            format!("{text:?} is not a numeric address with a port, such as 127.0.0.1:945 or [::1]:945")
        })
    }
}

impl FromStr for ListenName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "ipcserver" => Ok(Self::Ipcserver),
            "portmap" => Ok(Self::Portmap),
            "local" => Ok(Self::Local),
            "binder" => Ok(Self::Binder),
            "ldap" => Ok(Self::Ldap),
            "ldaps" => Ok(Self::Ldaps),
            "ldapi" => Ok(Self::Ldapi),
            "lookup" => Ok(Self::Lookup),
            "login" => Ok(Self::Login),
            _ => match text.strip_prefix("domain.") {
                Some(tag) => check_tag(tag).map(|()| Self::Domain(tag.to_owned())),
                None => Err(format!("nothing is called {text:?}; the names are {}", NAMES.join(", "))),
            },
        }
    }
}

impl FromStr for ListenArg {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, value) = text.split_once('=').ok_or_else(|| {
            "expected NAME=ADDR:PORT, such as ipcserver=127.0.0.1:945, or NAME=off".to_owned()
        })?;
        let name = name.parse()?;
        let listen = Listen::parse(&name, value)?;
        Ok(Self { name, listen })
    }
}

impl fmt::Display for ListenName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ipcserver => f.write_str("ipcserver"),
            Self::Portmap => f.write_str("portmap"),
            Self::Local => f.write_str("local"),
            Self::Binder => f.write_str("binder"),
            Self::Ldap => f.write_str("ldap"),
            Self::Ldaps => f.write_str("ldaps"),
            Self::Ldapi => f.write_str("ldapi"),
            Self::Lookup => f.write_str("lookup"),
            Self::Login => f.write_str("login"),
            Self::Domain(tag) => write!(f, "domain.{tag}"),
        }
    }
}

impl fmt::Display for ListenAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Socket(address) => address.fmt(f),
            Self::Unix(path) => path.display().fmt(f),
        }
    }
}

impl fmt::Display for Listen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::Off => f.write_str("off"),
            Self::At(addresses) => {
                for (index, address) in addresses.iter().enumerate() {
                    write!(f, "{}{address}", if index == 0 { "" } else { ", " })?;
                }
                Ok(())
            }
        }
    }
}

impl<'de> Deserialize<'de> for ListenTable {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(TableVisitor { domains: false })
    }
}

/// Reads `[listen]`, or with `domains` the table `listen.domain` whose keys are tags.
struct TableVisitor {
    domains: bool,
}

impl<'de> Visitor<'de> for TableVisitor {
    type Value = ListenTable;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a table")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<ListenTable, A::Error> {
        let mut table = ListenTable::default();
        while let Some(key) = map.next_key::<String>()? {
            let name = match (self.domains, key.as_str()) {
                (false, "domain") => {
                    // An unquoted `domain.TAG = …` is a table of its own to TOML.
                    let inner = map.next_value_seed(TableSeed)?;
                    for (name, listen) in inner.0 {
                        insert(&mut table, name, listen)?;
                    }
                    continue;
                }
                (false, name) if name.starts_with("domain.") || NAMES.contains(&name) => {
                    name.parse().map_err(A::Error::custom)?
                }
                (false, name) => return Err(A::Error::unknown_field(name, NAMES)),
                (true, tag) => {
                    check_tag(tag).map_err(A::Error::custom)?;
                    ListenName::Domain(tag.to_owned())
                }
            };
            let listen = map.next_value_seed(ValueSeed(&name))?;
            insert(&mut table, name, listen)?;
        }
        Ok(table)
    }
}

fn insert<E: Error>(table: &mut ListenTable, name: ListenName, listen: Listen) -> Result<(), E> {
    if table.0.contains_key(&name) {
        return Err(E::custom(format!("{name} is there twice")));
    }
    table.0.insert(name, listen);
    Ok(())
}

struct TableSeed;

impl<'de> DeserializeSeed<'de> for TableSeed {
    type Value = ListenTable;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<ListenTable, D::Error> {
        deserializer.deserialize_map(TableVisitor { domains: true })
    }
}

/// Reads what is said about one name: text or a list of texts.
struct ValueSeed<'a>(&'a ListenName);

impl<'de> DeserializeSeed<'de> for ValueSeed<'_> {
    type Value = Listen;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Listen, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for ValueSeed<'_> {
    type Value = Listen;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an address in quotes or a list of them")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Listen, E> {
        Listen::parse(self.0, text).map_err(E::custom)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Listen, A::Error> {
        let mut addresses = Vec::new();
        while let Some(text) = list.next_element::<String>()? {
            let most = self.0.most_addresses();
            if addresses.len() == most {
                return Err(A::Error::custom(self.0.too_many()));
            }
            addresses.push(ListenAddr::parse(self.0, &text).map_err(A::Error::custom)?);
        }
        if addresses.is_empty() {
            return Err(A::Error::custom("an empty list; use \"off\" to listen nowhere"));
        }
        Ok(Listen::At(addresses))
    }
}

fn check_tag(tag: &str) -> Result<(), String> {
    netinfo_directory::check_tag(tag).map_err(|_| format!("{tag:?} cannot be the tag of a domain"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arg(text: &str) -> Result<ListenArg, String> {
        text.parse()
    }

    fn table(text: &str) -> Result<ListenTable, String> {
        toml::from_str(text).map_err(|error: toml::de::Error| error.message().to_owned())
    }

    #[test]
    fn arguments_name_and_place() {
        let got = arg("domain.network=[::1]:0").unwrap();
        assert_eq!(
            (got.name.to_string(), got.listen.to_string()),
            ("domain.network".into(), "[::1]:0".into())
        );
        assert_eq!(arg("portmap=off").unwrap().listen, Listen::Off);
        assert_eq!(arg("local=/s").unwrap().listen, Listen::At(vec![ListenAddr::Unix("/s".into())]));
    }

    #[test]
    fn bad_arguments_say_what_is_allowed() {
        assert!(arg("ipcserver").unwrap_err().contains("NAME=ADDR:PORT"));
        assert!(arg("ipc=off").unwrap_err().contains(
            "the names are ipcserver, portmap, local, binder, ldap, ldaps, ldapi, lookup, login, domain.TAG"
        ));
        assert!(arg("ipcserver=945").unwrap_err().contains("such as 127.0.0.1:945"));
        assert!(arg("ipcserver=localhost:945").unwrap_err().contains("not a numeric address"));
        assert!(arg("ipcserver=/a/b").unwrap_err().contains("not a numeric address"));
        assert!(arg("local=127.0.0.1:1").unwrap_err().contains("path of a socket"));
        assert!(arg("ldapi=127.0.0.1:1").unwrap_err().contains("path of a socket"));
        assert!(arg("ldaps=/s").unwrap_err().contains("not a numeric address"));
        for tag in ["", ".x", "a/b", "a b", &"t".repeat(netinfo_directory::TAG_LIMIT + 1)] {
            assert!(arg(&format!("domain.{tag}=off")).unwrap_err().contains("cannot be the tag"), "{tag}");
        }
    }

    #[test]
    fn command_line_replaces_the_file_and_adds_up() {
        let mut listen = table("ipcserver = '10.0.0.1:945'\nportmap = 'off'").unwrap();
        let args: Vec<ListenArg> =
            ["ipcserver=127.0.0.1:1", "ipcserver=[::1]:1"].iter().map(|text| text.parse().unwrap()).collect();
        listen.override_with(&args).unwrap();
        assert_eq!(listen.resolve(&ListenName::Ipcserver).to_string(), "127.0.0.1:1, [::1]:1");
        assert_eq!(listen.resolve(&ListenName::Portmap), Listen::Off);
        assert_eq!(listen.resolve(&ListenName::Binder), Listen::Default);
    }

    #[test]
    fn off_and_addresses_do_not_mix() {
        let args = [arg("binder=off").unwrap(), arg("binder=127.0.0.1:1").unwrap()];
        assert!(ListenTable::default().override_with(&args).unwrap_err().starts_with("binder is given"));
        assert!(table("binder = ['127.0.0.1:1', 'off']").unwrap_err().contains("\"off\" is not a numeric"));
        assert!(table("binder = []").unwrap_err().contains("empty list"));
    }

    #[test]
    fn addresses_are_bounded() {
        let many = |count: usize| vec!["'127.0.0.1:1'"; count].join(",");
        table(&format!("binder = [{}]", many(MAX_ADDRESSES))).unwrap();
        let error = table(&format!("binder = [{}]", many(MAX_ADDRESSES + 1))).unwrap_err();
        assert_eq!(error, "binder takes at most 16 addresses");
        let args = vec![arg("binder=127.0.0.1:1").unwrap(); MAX_ADDRESSES + 1];
        ListenTable::default().override_with(&args).unwrap_err();
        assert_eq!(table("local = ['/a', '/b']").unwrap_err(), "local takes one path");
        for name in ["local", "ldapi", "lookup", "login"] {
            let args = ["/a", "/b"].map(|path| arg(&format!("{name}={path}")).unwrap());
            let error = ListenTable::default().override_with(&args).unwrap_err();
            assert_eq!(error, format!("{name} takes one path"));
        }
    }

    #[test]
    fn domains_may_be_quoted_or_dotted_but_not_both() {
        let both = table("\"domain.a\" = 'off'\ndomain.b = '127.0.0.1:9'").unwrap();
        let tags: Vec<&str> = both.domains().map(|(tag, _)| tag).collect();
        assert_eq!(tags, ["a", "b"]);
        assert_eq!(table("\"domain.a\" = 'off'\ndomain.a = 'off'").unwrap_err(), "domain.a is there twice");
        assert!(table("\"domain.TAG/x\" = 'off'").unwrap_err().contains("cannot be the tag"));
        assert!(table("domain = 'off'").unwrap_err().contains("expected a table"));
    }
}
