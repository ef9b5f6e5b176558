//! A domain on another machine, and how it is written.
//!
//! ```text
//! TAG@ADDRESS        a NetInfo domain, found through the host's portmapper and binder
//! TAG@ADDRESS:PORT   the same on the common port of a node of this project; IPv6 addresses in brackets
//! TAG@HOST[:PORT]    the same by name: a ParentName, not a Parent
//! ldap[s]://HOST[:PORT]/BASE????EXTENSIONS
//!                    any LDAP directory (URL of RFC 4516). EXTENSIONS: x-start-tls, x-ca-file=FILE, bindname=DN,
//!                    x-password-file=FILE
//! ```

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use crate::node::check_tag;

/// Longest text that is taken for a parent, in bytes.
pub const PARENT_TEXT_LIMIT: usize = 4096;

/// A domain above another one, on a machine whose address is known. It is written, and read, as the module says; equal
/// parents are written alike, so the text may serve as a key.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Parent {
    /// A NetInfo domain.
    NetInfo {
        /// Its tag on that machine.
        tag: String,
        /// The machine.
        address: IpAddr,
        /// Common port of a node of this project; without one, the domain is found as historical hosts want it: through
        /// portmapper and binder.
        port: Option<u16>,
    },
    /// An LDAP directory.
    Ldap(LdapParent),
}

/// An LDAP directory as a parent.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct LdapParent {
    /// `ldap://HOST[:PORT]` or `ldaps://HOST[:PORT]`, without a slash at the end.
    pub url: String,
    /// Distinguished name below which everything is; empty: the directory's root.
    pub base: String,
    /// Whether to ask for TLS on an `ldap://` connection (RFC 4511 section 4.14).
    pub start_tls: bool,
    /// PEM file of the authorities that vouch for the server; without one, those of the system.
    pub ca_file: Option<PathBuf>,
    /// Name to bind as; without one, nobody.
    pub bind_dn: Option<String>,
    /// File whose first line is the password of `bind_dn`.
    pub password_file: Option<PathBuf>,
}

/// A parent as somebody names it: a machine may be named by a host name, whose address has to be found and may change.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum ParentName {
    /// A NetInfo domain on a host.
    NetInfo {
        /// Its tag on that host.
        tag: String,
        /// Name or address of the host.
        host: String,
        /// Common port of a node of this project.
        port: Option<u16>,
    },
    /// An LDAP directory.
    Ldap(LdapParent),
}

/// Why a text does not name a parent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParentError {
    /// The text is longer than [`PARENT_TEXT_LIMIT`].
    #[error("the name of a parent has at most {PARENT_TEXT_LIMIT} bytes")]
    TooLong,
    /// It is neither of the two kinds.
    #[error("\"{0}\" names no parent; write TAG@HOST, such as network@10.0.0.5, or ldap://HOST/BASE")]
    Neither(String),
    /// The tag cannot be one.
    #[error("\"{0}\" is not the tag of a domain")]
    Tag(String),
    /// The host is neither an address nor a name.
    #[error(
        "\"{0}\" is neither an address nor the name of a host; IPv6 addresses with a port stand in brackets"
    )]
    Host(String),
    /// An address is needed.
    #[error("\"{0}\" is the name of a host; its address is needed here")]
    NoAddress(String),
    /// The port is no port.
    #[error("\"{0}\" is not a port; ports are 1 to 65535")]
    Port(String),
    /// The URL asks for what has no meaning here.
    #[error("the URL of a parent has no {0}")]
    Url(&'static str),
    /// An extension of the URL is unknown or lacks its value.
    #[error(
        "\"{0}\" is no extension of a parent's URL; there are x-start-tls, x-ca-file=, bindname=, x-password-file="
    )]
    Extension(String),
    /// The URL contains something that is not percent-encoded text.
    #[error("\"{0}\" is not percent-encoded text")]
    Encoding(String),
    /// TLS begins with the connection already.
    #[error("ldaps:// is protected from the beginning; leave start-tls out, or use ldap://")]
    DoubleTls,
    /// A password needs a name, and a name a password.
    #[error("a name to bind as and a password file go together")]
    Credentials,
}

impl Parent {
    /// The machine, where it is known by its address.
    #[must_use]
    pub const fn address(&self) -> Option<IpAddr> {
        match self {
            Self::NetInfo { address, .. } => Some(*address),
            Self::Ldap(_) => None,
        }
    }
}

impl ParentName {
    /// The parent, if no name has to be looked up to know it.
    ///
    /// # Errors
    /// [`ParentError::NoAddress`].
    pub fn parent(&self) -> Result<Parent, ParentError> {
        match self {
            Self::NetInfo { tag, host, port } => {
                let address: IpAddr = host.parse().map_err(|_| ParentError::NoAddress(host.clone()))?;
                Ok(Parent::NetInfo { tag: tag.clone(), address: address.to_canonical(), port: *port })
            }
            Self::Ldap(ldap) => Ok(Parent::Ldap(ldap.clone())),
        }
    }
}

impl LdapParent {
    /// Checks that the parts fit together.
    ///
    /// # Errors
    /// [`ParentError`].
    pub fn check(&self) -> Result<(), ParentError> {
        let (scheme, place) = ldap_scheme(&self.url).ok_or_else(|| ParentError::Neither(self.url.clone()))?;
        split_port(place)?;
        if self.start_tls && scheme == "ldaps" {
            return Err(ParentError::DoubleTls);
        }
        if self.bind_dn.is_some() != self.password_file.is_some() {
            return Err(ParentError::Credentials);
        }
        Ok(())
    }

    /// Host, and port if one is given, of the URL. Hosts are names or addresses, the latter without brackets.
    ///
    /// # Errors
    /// [`ParentError`].
    pub fn place(&self) -> Result<(String, Option<u16>), ParentError> {
        let (_, place) = ldap_scheme(&self.url).ok_or_else(|| ParentError::Neither(self.url.clone()))?;
        split_port(place)
    }
}

impl FromStr for Parent {
    type Err = ParentError;

    fn from_str(text: &str) -> Result<Self, ParentError> {
        text.parse::<ParentName>()?.parent()
    }
}

impl FromStr for ParentName {
    type Err = ParentError;

    fn from_str(text: &str) -> Result<Self, ParentError> {
        if text.len() > PARENT_TEXT_LIMIT {
            return Err(ParentError::TooLong);
        }
        if ldap_scheme(text).is_some() {
            return parse_url(text).map(Self::Ldap);
        }
        let (tag, place) = text.split_once('@').ok_or_else(|| ParentError::Neither(text.to_owned()))?;
        check_tag(tag).map_err(|_| ParentError::Tag(tag.to_owned()))?;
        let (host, port) = split_port(place)?;
        Ok(Self::NetInfo { tag: tag.to_owned(), host, port })
    }
}

impl fmt::Display for Parent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NetInfo { tag, address, port } => write_place(f, tag, &address.to_string(), *port),
            Self::Ldap(ldap) => ldap.fmt(f),
        }
    }
}

impl fmt::Display for ParentName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NetInfo { tag, host, port } => write_place(f, tag, host, *port),
            Self::Ldap(ldap) => ldap.fmt(f),
        }
    }
}

impl fmt::Display for LdapParent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.url, encoded(&self.base, true))?;
        let mut separator = "????";
        let mut extension = |f: &mut fmt::Formatter<'_>, name: &str, value: Option<&str>| {
            write!(f, "{}{name}", std::mem::replace(&mut separator, ","))?;
            value.map_or(Ok(()), |value| write!(f, "={}", encoded(value, false)))
        };
        if self.start_tls {
            extension(f, "x-start-tls", None)?;
        }
        if let Some(file) = self.ca_file.as_deref().and_then(Path::to_str) {
            extension(f, "x-ca-file", Some(file))?;
        }
        if let Some(dn) = &self.bind_dn {
            extension(f, "bindname", Some(dn))?;
        }
        if let Some(file) = self.password_file.as_deref().and_then(Path::to_str) {
            extension(f, "x-password-file", Some(file))?;
        }
        Ok(())
    }
}

fn write_place(f: &mut fmt::Formatter<'_>, tag: &str, host: &str, port: Option<u16>) -> fmt::Result {
    match (host.parse::<Ipv6Addr>(), port) {
        (Ok(address), Some(port)) => write!(f, "{tag}@[{address}]:{port}"),
        (Ok(address), None) => write!(f, "{tag}@[{address}]"),
        (Err(_), Some(port)) => write!(f, "{tag}@{host}:{port}"),
        (Err(_), None) => write!(f, "{tag}@{host}"),
    }
}

/// Scheme and the rest of an LDAP URL.
fn ldap_scheme(text: &str) -> Option<(&str, &str)> {
    let (scheme, rest) = text.split_once("://")?;
    matches!(scheme, "ldap" | "ldaps").then_some((scheme, rest))
}

/// `HOST`, `HOST:PORT`, `[ADDRESS]:PORT`, `[ADDRESS]` or a bare IPv6 address.
fn split_port(place: &str) -> Result<(String, Option<u16>), ParentError> {
    let bad = || ParentError::Host(place.to_owned());
    if let Some(rest) = place.strip_prefix('[') {
        let (address, after) = rest.split_once(']').ok_or_else(bad)?;
        let address: Ipv6Addr = address.parse().map_err(|_| bad())?;
        let port = match after.strip_prefix(':') {
            Some(port) => Some(parse_port(port)?),
            None if after.is_empty() => None,
            None => return Err(bad()),
        };
        return Ok((address.to_string(), port));
    }
    if let Ok(address) = place.parse::<IpAddr>() {
        return Ok((address.to_string(), None));
    }
    let (host, port) = match place.split_once(':') {
        Some((host, port)) => (host, Some(parse_port(port)?)),
        None => (place, None),
    };
    let good = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_');
    if host.is_empty() || host.len() > 253 || !host.bytes().all(good) || host.starts_with(['.', '-']) {
        return Err(bad());
    }
    Ok((host.to_ascii_lowercase(), port))
}

fn parse_port(text: &str) -> Result<u16, ParentError> {
    let port = text.parse().ok().filter(|port| *port != 0 && text.bytes().all(|b| b.is_ascii_digit()));
    port.ok_or_else(|| ParentError::Port(text.to_owned()))
}

/// `ldap[s]://HOST[:PORT][/BASE[?ATTRIBUTES[?SCOPE[?FILTER[?EXTENSIONS]]]]]`, where the middle parts are empty.
fn parse_url(text: &str) -> Result<LdapParent, ParentError> {
    let (scheme, rest) = ldap_scheme(text).ok_or_else(|| ParentError::Neither(text.to_owned()))?;
    let (place, rest) = rest.split_once('/').unwrap_or((rest, ""));
    let (host, port) = split_port(place)?;
    let host = if host.contains(':') { format!("[{host}]") } else { host };
    let port = port.map_or_else(String::new, |port| format!(":{port}"));
    let mut parts = rest.splitn(5, '?');
    let mut ldap = LdapParent {
        url: format!("{scheme}://{host}{port}"),
        base: decoded(parts.next().unwrap_or_default())?,
        start_tls: false,
        ca_file: None,
        bind_dn: None,
        password_file: None,
    };
    for (part, name) in parts.by_ref().take(3).zip(["attributes", "scope", "filter"]) {
        if !part.is_empty() {
            return Err(ParentError::Url(name));
        }
    }
    for extension in parts.next().unwrap_or_default().split(',').filter(|e| !e.is_empty()) {
        extend(&mut ldap, extension)?;
    }
    ldap.check()?;
    Ok(ldap)
}

fn extend(ldap: &mut LdapParent, extension: &str) -> Result<(), ParentError> {
    let unknown = || ParentError::Extension(extension.to_owned());
    let (name, value) = match extension.split_once('=') {
        Some((name, value)) => (name, Some(decoded(value)?).filter(|value| !value.is_empty())),
        None => (extension, None),
    };
    match (name, value) {
        ("x-start-tls", None) if !extension.contains('=') => ldap.start_tls = true,
        ("x-ca-file", Some(file)) => ldap.ca_file = Some(file.into()),
        ("bindname", Some(dn)) => ldap.bind_dn = Some(dn),
        ("x-password-file", Some(file)) => ldap.password_file = Some(file.into()),
        _ => return Err(unknown()),
    }
    Ok(())
}

/// Percent-encodes all but what may stand in an LDAP URL; commas, which separate extensions, only where they may.
fn encoded(text: &str, commas: bool) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'=' | b'/' | b'+' => {
                out.push(char::from(byte));
            }
            b',' if commas => out.push(','),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

fn decoded(text: &str) -> Result<String, ParentError> {
    let bad = || ParentError::Encoding(text.to_owned());
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let digit = |byte: Option<u8>| char::from(byte?).to_digit(16);
        let (high, low) = (digit(rest.next()).ok_or_else(bad)?, digit(rest.next()).ok_or_else(bad)?);
        bytes.push(u8::try_from(high * 16 + low).map_err(|_| bad())?);
    }
    String::from_utf8(bytes).map_err(|_| bad())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn netinfo(tag: &str, address: &str, port: Option<u16>) -> Parent {
        Parent::NetInfo { tag: tag.into(), address: address.parse().unwrap(), port }
    }

    fn ldap() -> LdapParent {
        LdapParent {
            url: "ldap://ldap.example".into(),
            base: "dc=example,dc=com".into(),
            start_tls: true,
            ca_file: Some("/etc/ssl/a,b.pem".into()),
            bind_dn: Some("cn=reader,dc=example".into()),
            password_file: Some("/etc/netinfo/secret?".into()),
        }
    }

    #[test]
    fn netinfo_parents() {
        for (text, parent) in [
            ("network@10.0.0.5", netinfo("network", "10.0.0.5", None)),
            ("network@10.0.0.5:945", netinfo("network", "10.0.0.5", Some(945))),
            ("network@[::1]:945", netinfo("network", "::1", Some(945))),
            ("network@[2001:db8::1]", netinfo("network", "2001:db8::1", None)),
        ] {
            assert_eq!(text.parse(), Ok(parent.clone()), "{text}");
            assert_eq!(parent.to_string(), text);
        }
        assert_eq!("n@2001:db8::1".parse(), Ok(netinfo("n", "2001:db8::1", None)));
        assert_eq!("n@[::ffff:10.0.0.5]".parse(), Ok(netinfo("n", "10.0.0.5", None)));
        let named = |host: &str, port| ParentName::NetInfo { tag: "n".into(), host: host.into(), port };
        assert_eq!("n@Boss.example:9".parse(), Ok(named("boss.example", Some(9))));
        assert_eq!("n@boss".parse::<Parent>(), Err(ParentError::NoAddress("boss".into())));
    }

    #[test]
    fn ldap_parents() {
        let text = ldap().to_string();
        assert_eq!(
            text,
            "ldap://ldap.example/dc=example,dc=com????x-start-tls,x-ca-file=/etc/ssl/a%2Cb.pem,\
             bindname=cn=reader%2Cdc=example,x-password-file=/etc/netinfo/secret%3F"
        );
        assert_eq!(text.parse(), Ok(Parent::Ldap(ldap())));
        let plain = |url: &str, base: &str| LdapParent {
            url: url.into(),
            base: base.into(),
            start_tls: false,
            ca_file: None,
            bind_dn: None,
            password_file: None,
        };
        for (text, parent) in [
            ("ldaps://[2001:db8::1]:1636", plain("ldaps://[2001:db8::1]:1636", "")),
            ("ldap://HOST/dc=x,dc=y", plain("ldap://host", "dc=x,dc=y")),
            ("ldap://10.0.0.1:389/", plain("ldap://10.0.0.1:389", "")),
        ] {
            assert_eq!(text.parse(), Ok(Parent::Ldap(parent)), "{text}");
        }
        assert_eq!(plain("ldaps://[::1]:3", "").place(), Ok(("::1".into(), Some(3))));
    }

    #[test]
    fn refused() {
        let error = |text: &str| text.parse::<ParentName>().unwrap_err();
        assert_eq!(error(&"x".repeat(PARENT_TEXT_LIMIT + 1)), ParentError::TooLong);
        assert_eq!(error("network"), ParentError::Neither("network".into()));
        assert_eq!(error("http://x"), ParentError::Neither("http://x".into()));
        assert_eq!(error("a/b@x"), ParentError::Tag("a/b".into()));
        assert_eq!(error("a@"), ParentError::Host(String::new()));
        assert_eq!(error("a@x y"), ParentError::Host("x y".into()));
        assert_eq!(error("a@[::1]x"), ParentError::Host("[::1]x".into()));
        assert_eq!(error("a@x:0"), ParentError::Port("0".into()));
        assert_eq!(error("a@x:+9"), ParentError::Port("+9".into()));
        assert_eq!(error("ldap:///dc=x"), ParentError::Host(String::new()));
        assert_eq!(error("ldap://h/dc=x?cn"), ParentError::Url("attributes"));
        assert_eq!(error("ldap://h/dc=x???(a=b)"), ParentError::Url("filter"));
        assert_eq!(error("ldap://h/????x-what"), ParentError::Extension("x-what".into()));
        assert_eq!(error("ldap://h/????x-ca-file="), ParentError::Extension("x-ca-file=".into()));
        assert_eq!(error("ldap://h/%zz"), ParentError::Encoding("%zz".into()));
        assert_eq!(error("ldaps://h/????x-start-tls"), ParentError::DoubleTls);
        assert_eq!(error("ldap://h/????bindname=cn=x"), ParentError::Credentials);
    }

    proptest! {
        #[test]
        fn texts_are_read_back(
            tag in "[a-z][a-z0-9]{0,8}",
            address: IpAddr,
            port in proptest::option::of(1u16..),
            base in "[ -~ä]{0,20}",
            file in "/[ -~]{1,20}",
            start_tls: bool,
        ) {
            let parent = Parent::NetInfo { tag, address: address.to_canonical(), port };
            prop_assert_eq!(parent.to_string().parse(), Ok(parent));
            let ldap = LdapParent {
                url: "ldap://h:1".into(), base, start_tls, ca_file: Some(file.clone().into()),
                bind_dn: Some(file.clone()), password_file: Some(file.into()),
            };
            prop_assert_eq!(ldap.to_string().parse(), Ok(Parent::Ldap(ldap)));
        }

        #[test]
        fn no_text_panics(text in "(ldap://|a@)?.{0,40}") {
            if let Ok(name) = text.parse::<ParentName>() {
                prop_assert_eq!(name.to_string().parse(), Ok(name));
            }
        }
    }
}
