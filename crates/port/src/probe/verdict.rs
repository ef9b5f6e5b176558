//! What a probe can find out.

use netinfo_wire::nibind;
use netinfo_wire::portmap::v2::Mapping;

/// What is at an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// A server of ONC RPC; see [`Rpc::is_netinfo`].
    Rpc(Rpc),
    /// A server of LDAP; see [`Ldap::is_netinfo`].
    Ldap(Ldap),
    /// A server of TLS, of which no more is known.
    Tls {
        /// Version of the protocol, such as `TLS 1.3`; `None` if it refused the handshake.
        version: Option<&'static str>,
    },
    /// It says something that is none of these.
    Speaks {
        /// The protocol that sounds like this.
        sounds_like: Option<&'static str>,
        /// The beginning of what it said.
        said: Vec<u8>,
    },
    /// It accepts connections and says nothing, whatever it is asked.
    Silent,
    /// It accepts connections and closes them.
    HangsUp,
    /// Nothing listens there.
    Closed,
    /// Neither an answer nor a refusal: filtered, or (UDP) something that ignores what it does not understand.
    NoAnswer,
    /// It cannot be reached.
    Unreachable(String),
}

/// Who made a NetInfo server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Make {
    /// This project.
    Ours,
    /// NeXT or Apple, or a server that agrees with theirs in every detail.
    Historical,
    /// It does not tell.
    Unknown,
}

impl Make {
    /// By the `server_version` of its statistics.
    pub fn of(version: Option<&[u8]>) -> Self {
        match version {
            Some(version) if version.starts_with(b"netinfo-open-") => Self::Ours,
            Some(version) if version.starts_with(b"netinfo-") => Self::Historical,
            _ => Self::Unknown,
        }
    }
}

/// What is known of a server of ONC RPC.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rpc {
    /// The domains that NetInfo's binder lists; `None` if there is no binder.
    pub binder: Option<Vec<ServedDomain>>,
    /// What a domain says of itself; `None` if no domain answers.
    pub domain: Option<Domain>,
    /// What the portmapper lists; `None` if it is none. Nothing: it does not list to whoever asks, as many do not over UDP.
    pub mappings: Option<Vec<Mapping>>,
    /// Programs and versions that the host's portmapper knows at this port, where nothing above answers.
    pub registered: Vec<(u32, u32)>,
}

/// A domain in the list of a binder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServedDomain {
    /// Its tag.
    pub tag: Vec<u8>,
    /// Its TCP port; a word on the wire, unchecked.
    pub tcp: u32,
    /// Its UDP port.
    pub udp: u32,
}

/// What a domain says of itself (NetInfo protocol, STATISTICS).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Domain {
    /// Name and version of its server.
    pub version: Option<Vec<u8>>,
    /// Its tag.
    pub tag: Option<Vec<u8>>,
    /// `master` or `clone`.
    pub role: Option<Vec<u8>>,
    /// Host name of its server.
    pub hostname: Option<Vec<u8>>,
}

impl Rpc {
    /// Whether NetInfo answers there.
    pub const fn is_netinfo(&self) -> bool {
        self.binder.is_some() || self.domain.is_some()
    }

    /// Who made the NetInfo server. Its domain may be closed to whoever asks, as `local` mostly is to other hosts; but only
    /// servers of this project have the portmapper and the binder on one port.
    pub fn make(&self) -> Make {
        let both = self.binder.as_ref().is_some_and(|tags| !tags.is_empty()) && self.mappings.is_some();
        match Make::of(self.domain.as_ref().and_then(|domain| domain.version.as_deref())) {
            Make::Unknown if both => Make::Ours,
            make => make,
        }
    }
}

/// What is known of a server of LDAP, from its root DSE (RFC 4512 §5.1).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ldap {
    /// Who made it, if it tells.
    pub vendor: Option<Vec<u8>>,
    /// Its version, if it tells.
    pub version: Option<Vec<u8>>,
    /// The suffixes it serves.
    pub contexts: Vec<Vec<u8>>,
    /// Whether it was asked inside of TLS.
    pub tls: bool,
    /// The result code, if it refused to tell.
    pub refused: Option<i32>,
}

impl Ldap {
    /// Whether this is a NetInfo server of this project.
    pub fn is_netinfo(&self) -> bool {
        self.vendor.as_deref() == Some(b"NetInfo")
    }
}

/// Programs of ONC RPC that are met often.
const PROGRAMS: [(u32, &str); 14] = [
    (100_000, "portmapper"),
    (100_001, "rstatd"),
    (100_002, "rusersd"),
    (100_003, "nfs"),
    (100_004, "ypserv"),
    (100_005, "mountd"),
    (100_007, "ypbind"),
    (100_009, "yppasswdd"),
    (100_011, "rquotad"),
    (100_021, "nlockmgr"),
    (100_024, "status"),
    (100_227, "nfs_acl"),
    (200_100_000, "netinfo"),
    (200_100_001, "netinfobind"),
];

/// The name of a program of ONC RPC.
pub fn program_name(program: u32) -> Option<&'static str> {
    PROGRAMS.iter().find(|(number, _)| *number == program).map(|(_, name)| *name)
}

impl Verdict {
    /// Whether something is there.
    pub const fn is_something(&self) -> bool {
        !matches!(self, Self::Closed | Self::NoAnswer | Self::Unreachable(_))
    }

    /// Whether it is NetInfo.
    pub fn is_netinfo(&self) -> bool {
        match self {
            Self::Rpc(rpc) => rpc.is_netinfo(),
            Self::Ldap(ldap) => ldap.is_netinfo(),
            _ => false,
        }
    }

    /// One word for programs: `netinfo`, `rpc`, `ldap`, `tls`, `other`, `silent`, `hangs-up`, `closed`, `no-answer`,
    /// `unreachable`.
    pub fn word(&self) -> &'static str {
        match self {
            _ if self.is_netinfo() => "netinfo",
            Self::Rpc(_) => "rpc",
            Self::Ldap(_) => "ldap",
            Self::Tls { .. } => "tls",
            Self::Speaks { .. } => "other",
            Self::Silent => "silent",
            Self::HangsUp => "hangs-up",
            Self::Closed => "closed",
            Self::NoAnswer => "no-answer",
            Self::Unreachable(_) => "unreachable",
        }
    }

    /// What it is, in a few words. Whatever comes from the other side is in the escaped form of
    /// [`slice::escape_ascii`].
    pub fn summary(&self) -> String {
        match self {
            Self::Rpc(rpc) => rpc_summary(rpc),
            Self::Ldap(ldap) => ldap_summary(ldap),
            Self::Tls { version: Some(version) } => format!("{version}; what is inside does not answer LDAP"),
            Self::Tls { version: None } => "TLS, which refused the handshake".into(),
            Self::Speaks { sounds_like, said } => {
                let what =
                    sounds_like.map_or_else(|| "something else, worth investigating".into(), str::to_owned);
                format!("{what}: says \"{}\"", said.escape_ascii())
            }
            Self::Silent => {
                "something else, worth investigating: accepts connections and says nothing".into()
            }
            Self::HangsUp => {
                "something else, worth investigating: accepts connections and closes them".into()
            }
            Self::Closed => "nothing: closed".into(),
            Self::NoAnswer => "no answer: filtered, or no RPC".into(),
            Self::Unreachable(reason) => format!("cannot be reached: {reason}"),
        }
    }
}

fn escaped(bytes: &[u8]) -> String {
    bytes.escape_ascii().to_string()
}

fn rpc_summary(rpc: &Rpc) -> String {
    let portmapper = rpc.mappings.as_ref().map(|list| match list.len() {
        0 => "portmapper that does not list its entries".to_owned(),
        entries => format!("portmapper with {entries} entries"),
    });
    if !rpc.is_netinfo() {
        let known = rpc.registered.iter().map(|(program, version)| match program_name(*program) {
            Some(name) => format!("{name} version {version}"),
            None => format!("program {program} version {version}"),
        });
        let known = known.collect::<Vec<_>>().join(", ");
        return match portmapper {
            Some(portmapper) => {
                let mut mappings = rpc.mappings.iter().flatten();
                let binder =
                    mappings.find(|mapping| mapping.prog == nibind::PROGRAM).map(|mapping| mapping.port);
                match binder {
                    Some(port) => {
                        format!("another RPC service: {portmapper}, NetInfo's binder on {port} among them")
                    }
                    None if rpc.mappings.as_ref().is_some_and(Vec::is_empty) => {
                        format!("another RPC service: {portmapper}")
                    }
                    None => format!("another RPC service: {portmapper}, without NetInfo"),
                }
            }
            None if known.is_empty() => "another RPC service, not known to the portmapper of its host".into(),
            None => format!("another RPC service: {known}"),
        };
    }
    let mut text = match rpc.make() {
        Make::Ours => "NetInfo server of this project".to_owned(),
        Make::Historical => "historical NetInfo server".to_owned(),
        Make::Unknown => "NetInfo server that does not tell its version".to_owned(),
    };
    if let Some(domain) = &rpc.domain {
        let part = |what: &str, value: &Option<Vec<u8>>| {
            value.as_deref().map(|v| format!("{what}{}", escaped(v))).unwrap_or_default()
        };
        text += &part(", ", &domain.version);
        text += &part(", on ", &domain.hostname);
        text += &part(", domain ", &domain.tag);
        text += &domain.role.as_deref().map(|role| format!(" ({})", escaped(role))).unwrap_or_default();
    }
    if let Some(domains) = &rpc.binder {
        let tags: Vec<String> = domains.iter().map(|domain| escaped(&domain.tag)).collect();
        text +=
            &format!("; binder of {}", if tags.is_empty() { "no domain".into() } else { tags.join(", ") });
    }
    text + &portmapper.map(|p| format!("; {p}")).unwrap_or_default()
}

fn ldap_summary(ldap: &Ldap) -> String {
    let over = if ldap.tls { "LDAP over TLS" } else { "LDAP" };
    let mut text = match &ldap.vendor {
        _ if ldap.is_netinfo() => format!("NetInfo server of this project, by {over}"),
        Some(vendor) => format!("{over}: {}", escaped(vendor)),
        None => format!("{over} server"),
    };
    text += &ldap.version.as_deref().map(|version| format!(", {}", escaped(version))).unwrap_or_default();
    if !ldap.contexts.is_empty() {
        let contexts: Vec<String> = ldap.contexts.iter().map(|context| escaped(context)).collect();
        text += &format!(", serves {}", contexts.join("; "));
    }
    match ldap.refused {
        Some(code) => text + &format!(", refuses to tell more (result {code})"),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verdicts_in_words() {
        let domain = |version: &[u8]| Domain {
            version: Some(version.to_vec()),
            tag: Some(b"local".to_vec()),
            ..Domain::default()
        };
        let rpc = |version: &[u8]| Verdict::Rpc(Rpc { domain: Some(domain(version)), ..Rpc::default() });
        assert_eq!(
            rpc(b"netinfo-open-1.2").summary(),
            "NetInfo server of this project, netinfo-open-1.2, domain local"
        );
        assert!(rpc(b"netinfo-369.1.5").summary().starts_with("historical NetInfo server, netinfo-369.1.5"));
        assert!(rpc(b"\x1b[2J").summary().contains("\\x1b[2J"));
        assert_eq!(rpc(b"netinfo-open-1.2").word(), "netinfo");
        let mapping = |prog, port| Mapping { prog, vers: 1, prot: 6, port };
        let mappings = Some(vec![mapping(100_000, 111), mapping(nibind::PROGRAM, 1023)]);
        let portmapper = Rpc { mappings, ..Rpc::default() };
        assert_eq!(
            Verdict::Rpc(portmapper.clone()).summary(),
            "another RPC service: portmapper with 2 entries, NetInfo's binder on 1023 among them"
        );
        let tag = ServedDomain { tag: b"local".to_vec(), tcp: 1033, udp: 1033 };
        let closed = Rpc { binder: Some(vec![tag]), ..portmapper };
        assert_eq!(closed.make(), Make::Ours, "nobody else has both on one port");
        assert!(
            Verdict::Rpc(closed.clone())
                .summary()
                .starts_with("NetInfo server of this project; binder of local")
        );
        // Over UDP our portmapper lists nothing to other hosts.
        let unlisted = Rpc { mappings: Some(Vec::new()), ..closed.clone() };
        assert_eq!(
            Verdict::Rpc(unlisted).summary(),
            "NetInfo server of this project; binder of local; portmapper that does not list its entries"
        );
        assert_eq!(
            Verdict::Rpc(Rpc { mappings: Some(Vec::new()), ..Rpc::default() }).summary(),
            "another RPC service: portmapper that does not list its entries"
        );
        assert_eq!(Rpc { mappings: None, ..closed }.make(), Make::Unknown);
        let nfs = Verdict::Rpc(Rpc { registered: vec![(100_003, 3), (7, 1)], ..Rpc::default() });
        assert_eq!(nfs.summary(), "another RPC service: nfs version 3, program 7 version 1");
        assert_eq!((nfs.word(), nfs.is_something()), ("rpc", true));
        let ldap = Verdict::Ldap(Ldap { vendor: Some(b"NetInfo".to_vec()), tls: true, ..Ldap::default() });
        assert_eq!(ldap.summary(), "NetInfo server of this project, by LDAP over TLS");
        assert!(ldap.is_netinfo() && !Verdict::Closed.is_something());
    }
}
